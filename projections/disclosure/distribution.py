"""The distribution of schools: what a school may be held against, without another being recognised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from projections.disclosure.rules import Rules
from projections.disclosure.table import SUPPRESSED, Figure

DECILES = tuple(range(1, 10))


class SchoolValue(NamedTuple):
    """What one school's pupils have on average.

    Attributes:
        value: A share, 0 to 1, or a mean of points.
        pupils: How many they are.
    """

    value: Decimal
    pupils: int


Distribution = dict[int, Figure]
"""Decile, 1 to 9, and the value that so many tenths of the schools lie under."""


def deciles(
    schools: Iterable[SchoolValue],
    rules: Rules,
    earlier: Sequence[Distribution] = (),
    *,
    decimals: int | None = None,
) -> Distribution:
    """The deciles of schools, or a symbol in place of each.

    Args:
        schools: Each school's value.
        rules: How much must lie behind a figure.
        earlier: What earlier releases told of the same distribution, withdrawn ones too.
        decimals: Places; without it, those of means.
    """
    return dict.fromkeys(DECILES, SUPPRESSED)
