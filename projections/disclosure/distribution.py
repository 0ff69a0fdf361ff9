"""The distribution of schools: what a school may be held against, without another being recognised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
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

    A decile is not the value of a school, nor of two: it is the mean of the `minimum_schools` schools on
    either side of it, rounded. No school is part of two of them, so that their differences tell of none
    either; there have to be schools enough for that (60 with the usual rules), or nothing is told. Schools
    with fewer than `minimum_pupils` pupils are left out, as a single child would move their value.

    Where all schools around a decile have the same value it is suppressed, as it would be the value of each.
    What an earlier release told may be told again only as it was: a single school that joins moves every
    decile a little.

    Args:
        schools: Each school's value.
        rules: How much must lie behind a figure.
        earlier: What earlier releases told of the same distribution, withdrawn ones too.
        decimals: Places; without it, those of means.
    """
    values = sorted(school.value for school in schools if school.pupils >= rules.minimum_pupils)
    side = rules.minimum_schools
    found: Distribution = dict.fromkeys(DECILES, SUPPRESSED)
    if not values or len(values) < 20 * side:
        return found
    places = rules.mean_decimals if decimals is None else decimals
    for decile in DECILES:
        place = len(values) * decile // 10
        around = values[place - side : place + side]
        if around[0] < around[-1] or not rules.zeros:
            mean = sum(around, Decimal(0)) / len(around)
            found[decile] = Figure(mean.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))
    if rules.differencing:
        for old in earlier:
            if any(figure != SUPPRESSED for figure in old.values()) and old != found:
                return dict.fromkeys(DECILES, SUPPRESSED)
    return found
