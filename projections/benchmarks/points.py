"""The assessment points that releases tell apart, and which of a school's results count to which.

A half-term school's last half-term of a term is the end of that term, for itself and beside schools that have
only terms. The first halves are points of their own. Results of tests are of the whole year.
"""

from __future__ import annotations

from datetime import date
from typing import Self

import msgspec

from domain.academic_year import (
    TERMS,
    AssessmentPoint,
    Term,
    When,
    WholeYear,
    academic_year_label,
)
from domain.assessment_points import AssessmentPoints
from domain.errors import Finding, InvalidInput

YEAR = "year"

_ENDING_WITH_A_TERM = {
    Term.AUTUMN_2: Term.AUTUMN,
    Term.SPRING_2: Term.SPRING,
    Term.SUMMER_2: Term.SUMMER,
}

NAMES = ("autumn-1", "autumn", "spring-1", "spring", "summer-1", "summer", YEAR)
"""The names of points, in the order of the year."""


class Point(msgspec.Struct, frozen=True, order=True):
    """A point of an academic year, in the order of time.

    Attributes:
        academic_year: The year in which the academic year starts.
        place: Its place among :data:`NAMES`.
    """

    academic_year: int
    place: int

    @classmethod
    def of(cls, at: When) -> Self:
        """The point that results of a term, half-term or year count to."""
        name = YEAR if at.term is None else _ENDING_WITH_A_TERM.get(at.term, at.term).value
        return cls(at.academic_year, NAMES.index(name))

    @classmethod
    def read(cls, text: str) -> Self:
        """The point that the text names, as in `2025/26:autumn`; `2025/26:year` is that of the year's tests.

        Raises:
            InvalidInput: It names none.
        """
        year, _, name = text.strip().lower().partition(":")
        start = year[:4]
        is_year = len(start) == 4 and start.isascii() and start.isdecimal()
        if is_year and name in NAMES and year in (start, academic_year_label(int(start))):
            return cls(int(start), NAMES.index(name))
        accepted = f"an academic year, a colon, and one of {', '.join(NAMES)}: 2025/26:autumn"
        raise InvalidInput(
            "There is no such assessment point", [Finding(field="point", found=text[:60], accepted=accepted)]
        )

    @property
    def name(self) -> str:
        """`autumn`, `autumn-1`, ..., `year`."""
        return NAMES[self.place]

    @property
    def year(self) -> str:
        """The academic year: `2025/26`."""
        return academic_year_label(self.academic_year)

    @property
    def label(self) -> str:
        """As it is typed: `2025/26:autumn`."""
        return f"{self.year}:{self.name}"

    @property
    def at(self) -> When:
        """The term, first half-term, or year."""
        if self.name == YEAR:
            return WholeYear(self.academic_year)
        return AssessmentPoint(self.academic_year, Term(self.name))

    @property
    def ends_on(self) -> date:
        """Its last day."""
        return self.at.ends_on

    @property
    def before(self) -> Point | None:
        """The end of the term before, from which progress counts; there is none for tests of a year.

        For a first half-term it is the term before it, and for a term the term before it.
        """
        at = self.at
        if at.term is None:
            return None
        last = (at.half_terms - 1) // 2
        if last:
            return Point.of(AssessmentPoint(self.academic_year, TERMS[last - 1]))
        return Point.of(AssessmentPoint(self.academic_year - 1, Term.SUMMER))

    def is_closed_in(self, points: AssessmentPoints) -> bool:
        """Whether a school has closed it, or the half-term that ends with it."""
        return any(Point.of(closed) == self for closed in points.closed)


def due(candidates: set[Point], today: date) -> list[Point]:
    """The points that are over, in the order of time."""
    return sorted(point for point in candidates if point.ends_on < today)
