"""What goes into disclosure control, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from projections.disclosure.rules import Rules

Symbol = Literal["c", "z", "x", "low"]
"""In place of a figure: suppressed, not applicable, not available, or not 0 although it rounds to 0."""

Measure = Literal["pupils", "below", "at", "above", "mean_points", "progress"]

MEASURES: tuple[Measure, ...] = ("pupils", "below", "at", "above", "mean_points", "progress")

UNKNOWN = "unknown"
"""The category of those of whom it is not known. Without anybody in it, it may be told as not applicable."""

SCHOOL_LEVEL = frozenset({"region", "school_type", "fsm_fifth", "size_band"})
"""Characteristics of schools, not of pupils: an empty category may be told as not applicable.

Where schools are is public, so that its emptiness says nothing of a pupil.
"""


class Group(NamedTuple):
    """Who a row is about: `("all", "all")`, `("sex", "F")`, ..."""

    characteristic: str
    category: str


ALL = Group("all", "all")


class Contribution(msgspec.Struct, frozen=True):
    """What one school contributes to a group.

    Attributes:
        below: Pupils below what is expected. No count is negative.
        at: Pupils at it.
        above: Pupils above it. Where nothing is expected, all pupils are counted in one of the three, and the
            three are named as not applicable to `protect`.
        points: The sum of the points of these pupils.
        progressed: Those of them who also have a result at the point before.
        progress: The sum of the points that these have gained since; negative where they have lost.
    """

    below: int
    at: int
    above: int
    points: Decimal | int = 0
    progressed: int = 0
    progress: Decimal | int = 0

    @property
    def pupils(self) -> int:
        """The pupils of all three standings."""
        return self.below + self.at + self.above


Table = Mapping[Group, Mapping[UUID, Contribution]]
"""Groups, and what each school contributes to them, of one academic year, point, scheme, subject and NC year.

It has the group `all`. The categories of every other characteristic add up to it, and those that nobody is in
are there as well (with no school), since nobody is a number, too. Categories of `similar_schools` are those
of `fsm_fifth` and `size_band` with a `/` between, as in `2/medium` or `unknown/small`.
"""


class Figure(msgspec.Struct, frozen=True):
    """A cell of a release: exactly one of a value and a symbol."""

    value: Decimal | None = None
    symbol: Symbol | None = None


SUPPRESSED = Figure(symbol="c")
NOT_APPLICABLE = Figure(symbol="z")
NOT_AVAILABLE = Figure(symbol="x")
LOW = Figure(symbol="low")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a group.

    Attributes:
        pupils: Rounded to the base.
        below: Share of pupils, 0 to 1, worked out from rounded counts, so that it tells no more than they.
        at: Likewise.
        above: Likewise.
        mean_points: Points for each pupil.
        progress: Points gained since the point before, for each pupil who has a result at both.
    """

    pupils: Figure
    below: Figure
    at: Figure
    above: Figure
    mean_points: Figure
    progress: Figure

    def figure(self, measure: Measure) -> Figure:
        """The figure of a measure."""
        figure: Figure = getattr(self, measure)
        return figure


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why figures of a group are suppressed: for the operator's report, with no count in it.

    Attributes:
        group: The group.
        measures: The suppressed measures that this is the reason of.
        rule: `minimum_pupils`, `minimum_schools`, `dominance`, `p_percent`, `zeros`, `secondary` or
            `differencing`.
        text: A sentence for people.
        release: The earlier release that it was compared with, where the rule is `differencing`.
    """

    group: Group
    measures: tuple[Measure, ...]
    rule: str
    text: str
    release: int | None = None


class Earlier(msgspec.Struct, frozen=True):
    """What an earlier release, withdrawn or not, told of the same table.

    Attributes:
        release: Its number.
        rows: What it told, as it was released: nothing else is kept of it.
        rules: What it was made under.
    """

    release: int
    rows: Mapping[Group, Row]
    rules: Rules = Rules()


class Protected(msgspec.Struct, frozen=True):
    """A table as it may be released.

    Attributes:
        rows: A row for each group of the table, in its order.
        reasons: Why figures are suppressed, in the order of the rows.
    """

    rows: dict[Group, Row]
    reasons: list[Reason]

    @property
    def suppressed(self) -> int:
        """How many cells are suppressed."""
        return sum(row.figure(measure) == SUPPRESSED for row in self.rows.values() for measure in MEASURES)
