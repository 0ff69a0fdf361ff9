"""The NC year that children were in at some time, for results that are entered afterwards.

A record holds one NC year. When results of last summer are entered in September, it may be this year's or
still last year's: schools move their pupils up on a day of their own. The stream tells which: the year is of
the academic year in which it was last written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

import msgspec

from domain.academic_year import FIRST_MONTH, When, academic_year_of
from domain.application.school_application import SchoolApplication
from domain.assessment import nc_year_then
from domain.codes.nc_year import expected_year_of
from domain.events import is_sealed
from domain.pupil import Pupil, PupilAdmitted, PupilChanged
from domain.school_time import day_of

MOVING_UP = 7
"""From this month on a school may write the NC years of the academic year that is coming."""


def nc_years_at(
    school: SchoolApplication, pupils: Mapping[UUID, Pupil], at: When, today: date
) -> dict[UUID, str | None]:
    """The NC year that each child was in at an assessment point; none, where it is not known.

    Args:
        school: The school.
        pupils: The children.
        at: The point.
        today: The day on which it is asked.
    """
    found: dict[UUID, str | None] = {}
    before: dict[UUID, Pupil] = {}
    for pupil_id, pupil in pupils.items():
        # Who left moved up here no more.
        if at.academic_year == academic_year_of(min(pupil.left_on or today, today)):
            found[pupil_id] = nc_year_then(pupil.record.nc_year, 0)
        else:
            before[pupil_id] = pupil
    if before:
        written = _written(school, before)
        for pupil_id, pupil in before.items():
            last = academic_year_of(min(pupil.left_on or today, today))
            year = min(year_told(pupil, written[pupil_id]), last) if pupil_id in written else last
            found[pupil_id] = nc_year_then(pupil.record.nc_year, year - at.academic_year)
    return found


def years_of_records(school: SchoolApplication, pupil_ids: Collection[UUID]) -> dict[UUID, int]:
    """The academic year that the NC year of each pupil's record is of: see :func:`year_told`.

    Whoever is not known, has no NC year or was erased is not among them.
    """
    pupils = school.pupils(pupil_ids)
    written = _written(school, pupils)
    return {pupil_id: year_told(pupil, written[pupil_id]) for pupil_id, pupil in pupils.items()
            if pupil_id in written}  # fmt: skip


def year_told(pupil: Pupil, written_on: date) -> int:
    """The academic year that the NC year of a record is of.

    That in which it was written; or the next one, if it was written in the last two months of it and is the
    year in which children of that age are then.

    Args:
        pupil: The child.
        written_on: The day on which the NC year was last written.
    """
    year = academic_year_of(written_on)
    if MOVING_UP <= written_on.month < FIRST_MONTH and not is_sealed(pupil.names):
        try:
            if expected_year_of(pupil.names.date_of_birth, year + 1) == pupil.record.nc_year:
                return year + 1
        except ValueError:  # nobody of that age is at school
            pass
    return year


def _written(school: SchoolApplication, pupils: Mapping[UUID, Pupil]) -> dict[UUID, date]:
    """The day on which the NC year of each was last written."""
    stored = school.stream.events_of_many(pupils)
    written: dict[UUID, date] = {}
    known: dict[UUID, str | None] = {}
    for place, happened in zip(stored, school.read(stored), strict=True):
        record = happened.record if isinstance(happened, PupilAdmitted | PupilChanged) else None
        if record is None or is_sealed(record) or record.nc_year is msgspec.UNSET:
            continue
        pupil_id = happened.originator_id
        if pupil_id not in known or known[pupil_id] != record.nc_year:
            known[pupil_id] = record.nc_year
            written[pupil_id] = day_of(place.recorded_at)
    return written
