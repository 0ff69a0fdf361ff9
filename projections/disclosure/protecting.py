"""What may be told of a table, so that nothing is said of a school or a pupil."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from projections.disclosure.rules import Rules
from projections.disclosure.table import (
    SUPPRESSED,
    Earlier,
    Group,
    Measure,
    Protected,
    Row,
    Table,
)


def protect(
    table: Table,
    rules: Rules,
    earlier: Sequence[Earlier] = (),
    *,
    not_applicable: Collection[Measure] = (),
    not_available: Collection[Measure] = (),
    before: Mapping[Group, Row] | None = None,
) -> Protected:
    """Suppresses what must not be told of a table, and rounds the rest.

    Args:
        table: What each school contributes to each group.
        rules: How much must lie behind a figure.
        earlier: What earlier releases told of the same table, withdrawn ones too.
        not_applicable: Measures that do not exist for this table (`z`): progress at a first point.
        not_available: Measures of which nothing is there (`x`).
        before: What the newest release told of the point before, from which progress counts, if any did.

    Raises:
        ValueError: The table is not sound: the categories of a characteristic do not add up to `all`.
    """
    suppressed = Row(**dict.fromkeys(Row.__struct_fields__, SUPPRESSED))
    return Protected(dict.fromkeys(table, suppressed), [])
