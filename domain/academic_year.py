"""Academic years, terms and assessment points, as English schools count them."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Self

import msgspec

FIRST_MONTH = 9
"""An academic year runs from 1 September to 31 August."""


class Term(StrEnum):
    """The three terms, in the order in which they fall in an academic year."""

    AUTUMN = "autumn"
    SPRING = "spring"
    SUMMER = "summer"


TERM_ENDS = {Term.AUTUMN: (12, 31), Term.SPRING: (4, 15), Term.SUMMER: (8, 31)}
"""Month and day on which each term is over everywhere: schools set their own dates within these."""


def academic_year_of(day: date) -> int:
    """The year in which the academic year of `day` starts: 2025 for any day of 2025/26."""
    return day.year if day.month >= FIRST_MONTH else day.year - 1


def academic_year_label(start: int) -> str:
    """How people write an academic year: `2025/26` for 2025."""
    return f"{start}/{(start + 1) % 100:02d}"


class AssessmentPoint(msgspec.Struct, frozen=True):
    """A term of an academic year: the moment that a termly assessment speaks of.

    Attributes:
        academic_year: The year in which the academic year starts: 2025 for 2025/26.
        term: The term.
    """

    academic_year: int
    term: Term

    @classmethod
    def of(cls, day: date) -> Self:
        """The point whose term `day` falls in."""
        year = academic_year_of(day)
        return next(point for term in Term if day <= (point := cls(year, term)).ends_on)

    @property
    def ends_on(self) -> date:
        """The last day of the term."""
        month, day = TERM_ENDS[self.term]
        return date(self.academic_year if month >= FIRST_MONTH else self.academic_year + 1, month, day)

    @property
    def label(self) -> str:
        """For people: `Autumn 2025/26`."""
        return f"{self.term.capitalize()} {academic_year_label(self.academic_year)}"
