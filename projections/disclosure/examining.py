"""Whether there is enough behind what would be told of a group, looked at by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from uuid import UUID

import msgspec

from projections.disclosure.rules import Rules
from projections.disclosure.table import Contribution, Measure

Number = int | Decimal


class Unit(Enum):
    """What is told of a row together or not at all; each only where those before it are told."""

    SIZE = "size"
    CONTENT = "content"
    PROGRESS = "progress"

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures of the unit."""
        return _MEASURES[self]


_MEASURES: dict[Unit, tuple[Measure, ...]] = {
    Unit.SIZE: ("pupils",),
    Unit.CONTENT: ("below", "at", "above", "mean_points"),
    Unit.PROGRESS: ("progress",),
}

STANDINGS: tuple[Measure, ...] = ("below", "at", "above")


class Examined(msgspec.Struct):
    """A group's true sums, which stay here, and what speaks against telling them.

    Attributes:
        pupils: How many.
        standings: Pupils below, at and above.
        points: Their sum.
        progressed: Pupils with a result at the point before as well.
        progress: The sum of what they gained.
        largest: Of the pupils, and of each standing, what the largest schools contribute, the largest first.
        failing: The rule that each unit fails, for those that fail one.
    """

    pupils: int
    standings: tuple[int, int, int]
    points: Number
    progressed: int
    progress: Number
    largest: dict[Measure, list[int]]
    failing: dict[Unit, str]


def examine(contributions: Collection[Contribution], rules: Rules, measures: Collection[Measure]) -> Examined:
    """Adds up a group and holds each unit against the rules.

    Args:
        contributions: Of each school.
        rules: How much must lie behind a figure.
        measures: Those that would be told of this table.
    """
    below = [each.below for each in contributions]
    at = [each.at for each in contributions]
    above = [each.above for each in contributions]
    pupils = [sum(three) for three in zip(below, at, above, strict=True)]
    points = [each.points for each in contributions]
    counts: dict[Measure, list[int]] = {"pupils": pupils, "below": below, "at": at, "above": above}
    sums = {name: sum(values) for name, values in counts.items()}
    largest = {name: largest_of(values, rules) for name, values in counts.items()}
    failing: dict[Unit, str] = {}

    def fails(unit: Unit, rule: str | None) -> None:
        if rule is not None:
            failing.setdefault(unit, rule)

    fails(Unit.SIZE, _count_fails(pupils, sums["pupils"], largest["pupils"], rules))
    for name in STANDINGS:
        if name in measures:
            fails(Unit.CONTENT, _count_fails(counts[name], sums[name], largest[name], rules))
    if "mean_points" in measures:
        fails(Unit.CONTENT, _sum_fails(points, rules))
    progressed: list[int] = []
    progress: list[Number] = []
    if "progress" in measures:
        progressed = [each.progressed for each in contributions]
        progress = [each.progress for each in contributions]
        enough = _count_fails(progressed, sum(progressed), largest_of(progressed, rules), rules)
        # Of nobody there is no mean, whether or not a zero may be told.
        fails(Unit.PROGRESS, enough if any(progressed) else "zeros")
        fails(Unit.PROGRESS, _sum_fails(progress, rules))
    return Examined(
        pupils=sums["pupils"],
        standings=(sums["below"], sums["at"], sums["above"]),
        points=sum(points),
        progressed=sum(progressed),
        progress=sum(progress),
        largest=largest,
        failing=failing,
    )


def largest_of(values: Sequence[int], rules: Rules) -> list[int]:
    """The contributions of the largest schools, as many as the rules ask about."""
    return sorted(values, reverse=True)[: max(2, rules.dominance_n)]


def _count_fails(values: Sequence[int], total: int, largest: Sequence[int], rules: Rules) -> str | None:
    if total == 0:
        return "zeros" if rules.zeros else None
    if total < rules.minimum_pupils:
        return "minimum_pupils"
    if len(values) - values.count(0) < rules.minimum_schools:
        return "minimum_schools"
    return rules.concentrated(largest, total)


def _sum_fails(values: Sequence[Number], rules: Rules) -> str | None:
    """Of sums that may be negative, the amounts are what may be concentrated."""
    amounts = sorted([-value if value < 0 else value for value in values], reverse=True)
    return rules.concentrated(amounts[: max(2, rules.dominance_n)], sum(amounts))


def together(groups: Iterable[Mapping[UUID, Contribution]]) -> list[Contribution]:
    """What each school contributes to several groups together that share no pupil."""
    sums: dict[UUID, list[Number]] = {}
    for contributions in groups:
        for school, each in contributions.items():
            row = sums.setdefault(school, [0, 0, 0, 0, 0, 0])
            row[0] += each.below
            row[1] += each.at
            row[2] += each.above
            row[3] += each.points
            row[4] += each.progressed
            row[5] += each.progress
    return [
        Contribution(int(below), int(at), int(above), points, int(progressed), progress)
        for below, at, above, points, progressed, progress in sums.values()
    ]
