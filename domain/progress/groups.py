"""The groups that progress is told apart by, each as a pupil was at the end of the later point."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from uuid import UUID

import msgspec

from domain.academic_year import TERMS, When, academic_year_of
from domain.assessment import nc_year_then
from domain.periods import in_care_on, meals_on, premium_on, provision_on
from domain.progress.entries import Courses, Entry
from domain.pupil_day import has_additional_language, term_of_birth
from domain.pupil_record import PupilRecord


class Group(StrEnum):
    """What pupils are told apart by; each divides them, so that its parts add up to the whole."""

    SEX = "sex"
    FREE_SCHOOL_MEALS = "free-school-meals"
    PUPIL_PREMIUM = "pupil-premium"
    SEN = "sen"
    EAL = "eal"
    IN_CARE = "in-care"
    GIFTED = "gifted"
    TERM_OF_BIRTH = "term-of-birth"
    NC_YEAR = "nc-year"
    CLASS = "class"


YES, NO, NOT_KNOWN = "yes", "no", "not-known"

NO_SEN, SEN_SUPPORT, SEN_PLAN = "none", "support", "plan"

_SEN = {
    "N": NO_SEN,
    "A": SEN_SUPPORT,
    "P": SEN_SUPPORT,
    "Q": SEN_SUPPORT,
    "K": SEN_SUPPORT,
    "S": SEN_PLAN,
    "E": SEN_PLAN,
}
"""A plan is an education, health and care plan, or a statement before there were any; the rest is support.

As the DfE's "Special educational needs in England" counts them; Q was School Action Plus while a statement
was being asked for.
"""

_ORDER = {
    value: place
    for place, value in enumerate(
        (YES, NO, NO_SEN, SEN_SUPPORT, SEN_PLAN, *TERMS, "N1", "N2", "R", *map(str, range(1, 15)), "X")
    )
}
"""In which order the values of a group are shown; what is not known comes last."""


def in_order(values: Iterable[str]) -> list[str]:
    """The values of a group as they are shown."""
    return sorted(
        values, key=lambda value: (value == NOT_KNOWN, _ORDER.get(value, len(_ORDER)), value.casefold())
    )


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil, as far as figures of groups ask.

    Attributes:
        pupil_id: The child.
        values: The value in each group; nothing in those that whoever asks may not know.
    """

    pupil_id: UUID
    values: dict[Group, str | None]


def values_of(
    record: PupilRecord, date_of_birth: date | None, nc_year: str | None, day: date
) -> dict[Group, str | None]:
    """The value of a pupil in each group.

    Args:
        record: What is recorded of the child.
        date_of_birth: Nothing for those who may not know it: then the term of birth is not told either.
        nc_year: The NC year on the day.
        day: The last day of the later point.
    """
    provision = provision_on(record, day)
    return {
        Group.SEX: record.sex,
        Group.FREE_SCHOOL_MEALS: _said(meals_on(record, day)),
        # No period means that the school gets none: nobody enters that there is no premium.
        Group.PUPIL_PREMIUM: _said(bool(premium_on(record, day))),
        Group.SEN: sen_of(provision) or NOT_KNOWN,
        Group.EAL: _said(has_additional_language(record)),
        Group.IN_CARE: _said(in_care_on(record, day)),
        Group.GIFTED: _said(record.gifted),
        Group.TERM_OF_BIRTH: term_of_birth(date_of_birth).value if date_of_birth else None,
        Group.NC_YEAR: nc_year or NOT_KNOWN,
        Group.CLASS: record.class_name or NOT_KNOWN,
    }


def sen_of(provision: str | None) -> str | None:
    """The part that a code of SEN provision belongs to; nothing, where it is not known."""
    return _SEN.get((provision or "").upper())


def _said(value: bool | None) -> str:
    return NOT_KNOWN if value is None else YES if value else NO


def nc_year_at(
    points: Sequence[When],
    courses: Courses,
    record: PupilRecord,
    left_on: date | None,
    today: date,
    year_of_record: int | None = None,
) -> str | None:
    """The NC year that a child was in at the later point.

    The newest result says it, as it was when it was entered; without one it is reckoned from the year that
    the record has, or had when the child left. A record that nobody has moved up yet is of the year before.

    Args:
        points: The points that are asked about, in order.
        courses: The child's results.
        record: What is recorded of the child.
        left_on: When the child left, if away.
        today: The day on which the record is read.
        year_of_record: The academic year that the record's NC year is of; that of today, if it is not known.
    """
    year = points[-1].academic_year
    if found := _newest_with_nc_year(points, courses):
        return nc_year_then(found.nc_year, found.at.academic_year - year)
    last = academic_year_of(min(left_on or today, today))
    # What is entered in the year itself takes the record as it is, and so does this.
    years_ago = (last if year >= last or year_of_record is None else min(year_of_record, last)) - year
    # `X`, of those who follow no NC year, is known of the year of the record alone.
    return nc_year_then(record.nc_year, years_ago) if years_ago else record.nc_year


def says_nc_year(points: Sequence[When], courses: Courses) -> bool:
    """Whether some result of a child says in which NC year it was."""
    return _newest_with_nc_year(points, courses) is not None


def _newest_with_nc_year(points: Sequence[When], courses: Courses) -> Entry | None:
    for at in reversed(points):
        for course in courses.values():
            entry = course.get(at)
            if entry is not None and entry.nc_year is not None:
                return entry
    return None
