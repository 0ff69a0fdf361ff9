"""Disclosure control: what may be told of schools and pupils together that says nothing of one of them.

Pure functions over small dictionaries: no database, no names. `docs/disclosure.md` says in plain words what
is suppressed and why, and decision 0030 why it is done in this way.
"""

from projections.disclosure.distribution import DECILES, Distribution, SchoolValue, deciles
from projections.disclosure.protecting import protect
from projections.disclosure.rules import VERSION, Rules
from projections.disclosure.table import (
    ALL,
    LOW,
    MEASURES,
    NOT_APPLICABLE,
    NOT_AVAILABLE,
    SUPPRESSED,
    UNKNOWN,
    Contribution,
    Earlier,
    Figure,
    Group,
    Measure,
    Protected,
    Reason,
    Row,
    Symbol,
    Table,
)

__all__ = [
    "ALL",
    "DECILES",
    "LOW",
    "MEASURES",
    "NOT_APPLICABLE",
    "NOT_AVAILABLE",
    "SUPPRESSED",
    "UNKNOWN",
    "VERSION",
    "Contribution",
    "Distribution",
    "Earlier",
    "Figure",
    "Group",
    "Measure",
    "Protected",
    "Reason",
    "Row",
    "Rules",
    "SchoolValue",
    "Symbol",
    "Table",
    "deciles",
    "protect",
]
