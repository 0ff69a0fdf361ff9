"""Academic years, terms and assessment points, as English schools count them."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Self

import msgspec

FIRST_MONTH = 9
"""An academic year runs from 1 September to 31 August."""


class Term(StrEnum):
    """The three terms of an academic year, and the six halves of them: what an assessment point is named for.

    :data:`TERMS` and :data:`HALF_TERMS` hold the ones and the others, each in the order of the year.
    """

    AUTUMN = "autumn"
    SPRING = "spring"
    SUMMER = "summer"
    AUTUMN_1 = "autumn-1"
    AUTUMN_2 = "autumn-2"
    SPRING_1 = "spring-1"
    SPRING_2 = "spring-2"
    SUMMER_1 = "summer-1"
    SUMMER_2 = "summer-2"


TERMS = (Term.AUTUMN, Term.SPRING, Term.SUMMER)
"""The three terms, in the order in which they fall in an academic year."""

HALF_TERMS = (Term.AUTUMN_1, Term.AUTUMN_2, Term.SPRING_1, Term.SPRING_2, Term.SUMMER_1, Term.SUMMER_2)
"""The six half-terms, in that order; the second half of a term ends with the term."""

HALF_TERMS_BY_THE_END = {term: number for number, term in enumerate(HALF_TERMS, start=1)} | {
    term: 2 * number for number, term in enumerate(TERMS, start=1)
}
"""How many half-terms of the year are over at the end of each: two for autumn, and for its second half."""

LAST_HALF_OF = dict(zip(TERMS, HALF_TERMS[1::2], strict=True))
"""The half-term that a term ends with: both are one point in time."""

TERM_ENDED_BY = {half: term for term, half in LAST_HALF_OF.items()} | {term: term for term in TERMS}
"""The term that ends with a term or half-term; none for the first half of one."""

TERM_ENDS = {
    Term.AUTUMN: (12, 31),
    Term.SPRING: (4, 15),
    Term.SUMMER: (8, 31),
    Term.AUTUMN_1: (10, 31),
    Term.AUTUMN_2: (12, 31),
    Term.SPRING_1: (2, 28),
    Term.SPRING_2: (4, 15),
    Term.SUMMER_1: (5, 31),
    Term.SUMMER_2: (8, 31),
}
"""Month and day on which each is over everywhere: schools set their own dates within these."""


def academic_year_of(day: date) -> int:
    """The year in which the academic year of `day` starts: 2025 for any day of 2025/26."""
    return day.year if day.month >= FIRST_MONTH else day.year - 1


def academic_year_label(start: int) -> str:
    """How people write an academic year: `2025/26` for 2025."""
    return f"{start}/{(start + 1) % 100:02d}"


class AssessmentPoint(msgspec.Struct, frozen=True):
    """A term or half-term of an academic year: the moment that an assessment made in it speaks of.

    Attributes:
        academic_year: The year in which the academic year starts: 2025 for 2025/26.
        term: The term or half-term.
    """

    academic_year: int
    term: Term

    @classmethod
    def of(cls, day: date, among: tuple[Term, ...] = TERMS) -> Self:
        """The point whose term, or half-term, `day` falls in.

        Args:
            day: The day.
            among: :data:`TERMS` or :data:`HALF_TERMS`.
        """
        year = academic_year_of(day)
        return next(point for term in among if day <= (point := cls(year, term)).ends_on)

    @property
    def ends_on(self) -> date:
        """The last day of the term."""
        month, day = TERM_ENDS[self.term]
        return date(self.academic_year if month >= FIRST_MONTH else self.academic_year + 1, month, day)

    @property
    def half_terms(self) -> int:
        """How many half-terms of the academic year are over at its end: 1 to 6."""
        return HALF_TERMS_BY_THE_END[self.term]

    @property
    def label(self) -> str:
        """For people: `Autumn 2025/26`, `Autumn 1 2025/26`."""
        return f"{self.term.replace('-', ' ').capitalize()} {academic_year_label(self.academic_year)}"


class WholeYear(msgspec.Struct, frozen=True):
    """A whole academic year: what a test that is taken once in it speaks of.

    Attributes:
        academic_year: The year in which the academic year starts.
        term: None: it is no term's.
    """

    academic_year: int
    term: None = None

    @property
    def half_terms(self) -> int:
        """How many half-terms are over at its end: all six."""
        return len(HALF_TERMS)

    @property
    def ends_on(self) -> date:
        """Its last day."""
        return date(self.academic_year + 1, FIRST_MONTH, 1) - timedelta(days=1)

    @property
    def label(self) -> str:
        """For people: `2025/26`."""
        return academic_year_label(self.academic_year)


When = AssessmentPoint | WholeYear
"""What a result speaks of: an assessment point, or a whole academic year."""


def when(academic_year: int, term: Term | str | None) -> When:
    """The assessment point, or the whole academic year where no term is named.

    Raises:
        ValueError: There is no such term.
    """
    return WholeYear(academic_year) if term is None else AssessmentPoint(academic_year, Term(term))
