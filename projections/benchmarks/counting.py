"""What one school contributes to benchmarks: counts and sums, by what is measured and by group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from domain.academic_year import academic_year_of
from domain.assessment import nc_year_then
from domain.progress.entries import Entry
from domain.schemes.catalogue import EYFS_PROFILE, SCHEMES
from domain.schemes.early_years import good_level_of_development
from domain.schemes.scheme import Standing
from projections.benchmarks.characteristics import of_pupil
from projections.benchmarks.points import Point
from projections.benchmarks.reading import Courses, PupilThen, SchoolThen
from projections.disclosure import Group

GLD: Final = "GLD"
"""The subject under which a good level of development stands, beside the goals that it is made of."""


class Measured(NamedTuple):
    """What a table of benchmarks is about.

    Attributes:
        point: The assessment point.
        scheme: The scheme of the results.
        subject: What was measured, by the scheme's code.
        nc_year: The NC year that the pupils were in then.
    """

    point: Point
    scheme: str
    subject: str
    nc_year: str


class Counts(NamedTuple):
    """Pupils of a group, and sums of their points.

    Attributes:
        below: Those below what was expected.
        at: Those at it.
        above: Those above it.
        unheld: Those who have points, and nothing that they can be held against.
        pointed: Those of the first three who have points.
        points: The sum of these.
        unheld_points: The sum of the points of the unheld.
        progressed: Those of the first three who have points now and at the point before.
        progress: The sum of what they gained.
        unheld_progressed: Those of the unheld who have points at the point before, too.
        unheld_progress: The sum of what they gained.
    """

    below: int
    at: int
    above: int
    unheld: int
    pointed: int
    points: int
    unheld_points: int
    progressed: int
    progress: int
    unheld_progressed: int
    unheld_progress: int


class Roll(msgspec.Struct, frozen=True):
    """A school's pupils on the last day of a point.

    Attributes:
        pupils: On the roll.
        known: Those of whom eligibility for free school meals is known.
        eligible: Those who are eligible.
    """

    pupils: int
    known: int
    eligible: int


class SchoolCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a school contributes; nothing in it is about one pupil's name.

    Attributes:
        region: Its region.
        school_type: Its type, where it is known.
        rolls: Its roll at each point.
        closed: The points that it has closed.
        tables: Counts by group of pupils, of everything measured.
    """

    region: str
    school_type: str | None
    rolls: dict[Point, Roll]
    closed: set[Point]
    tables: dict[Measured, dict[Group, Counts]]


_PLACES: Final[dict[Standing, int]] = {"below": 0, "at": 1, "above": 2}
_WIDTH: Final = len(Counts._fields)


def count(school: SchoolThen, points: Sequence[Point], today: date) -> SchoolCounts:
    """Counts a school.

    Args:
        school: The school, with the results of these points and of those before them.
        points: The points to count.
        today: The day from which NC years are reckoned back, where no result says them.
    """
    tables: dict[Measured, dict[Group, list[int]]] = {}
    rolls = {point: [0, 0, 0] for point in points}
    times = [(point, point.before, point.ends_on) for point in points]
    for pupil_id, pupil in school.pupils.items():
        courses = school.results.get(pupil_id, {})
        with_gld(courses)
        for point, point_before, day in times:
            groups: tuple[Group, ...] | None = None
            if _was_there(pupil, day):
                groups = of_pupil(pupil.record, pupil.born_in, day)
                _enrol(rolls[point], groups)
            found = courses.get(point)
            if not found:
                continue
            groups = groups or of_pupil(pupil.record, pupil.born_in, day)
            before = courses.get(point_before, {}) if point_before else {}
            _count_pupil(tables, point, groups, found, before, nc_year_at(pupil, point, today))
    return SchoolCounts(
        region=school.facts.region,
        school_type=school.facts.school_type,
        rolls={point: Roll(*roll) for point, roll in rolls.items()},
        closed={point for point in points if point.is_closed_in(school.points)},
        tables={
            measured: {group: Counts(*numbers) for group, numbers in of_groups.items()}
            for measured, of_groups in tables.items()
        },
    )


def _was_there(pupil: PupilThen, day: date) -> bool:
    return pupil.record.date_of_entry <= day and (pupil.left_on is None or pupil.left_on >= day)


def _enrol(roll: list[int], groups: Iterable[Group]) -> None:
    meals = next(group.category for group in groups if group.characteristic == "free_school_meals")
    roll[0] += 1
    roll[1] += meals in {"yes", "no"}
    roll[2] += meals == "yes"


def nc_year_at(pupil: PupilThen, point: Point, today: date) -> str | None:
    """The NC year at a point, reckoned from the year that the child is in now, or was in when it left.

    Args:
        pupil: The child.
        point: The point.
        today: The day on which it is reckoned.
    """
    years_ago = academic_year_of(min(pupil.left_on or today, today)) - point.academic_year
    # `X`, of those who follow no NC year, is known of the year of the record alone.
    return nc_year_then(pupil.record.nc_year, years_ago) if years_ago else pupil.record.nc_year


def _count_pupil(
    tables: dict[Measured, dict[Group, list[int]]],
    point: Point,
    groups: Sequence[Group],
    entries: Mapping[tuple[str, str], Entry],
    before: Mapping[tuple[str, str], Entry],
    reckoned: str | None,
) -> None:
    for (scheme, subject), entry in entries.items():
        nc_year = entry.nc_year or reckoned
        if nc_year is None or (entry.standing is None and entry.points is None):
            continue
        added = _added(entry, before.get((scheme, subject)))
        changes = [(place, number) for place, number in enumerate(added) if number]
        table = tables.setdefault(Measured(point, scheme, subject, nc_year), {})
        for group in groups:
            numbers = table.get(group)
            if numbers is None:
                table[group] = [0] * _WIDTH
                numbers = table[group]
            for place, number in changes:
                numbers[place] += number


def _added(entry: Entry, before: Entry | None) -> list[int]:
    """What one result adds to each of :class:`Counts`."""
    added = [0] * _WIDTH
    held = entry.standing is not None
    added[_PLACES[entry.standing] if entry.standing is not None else 3] = 1
    if entry.points is None:
        return added
    added[4] = int(held)
    added[5 if held else 6] = entry.points
    if before is not None and before.points is not None:
        added[7 if held else 9] = 1
        added[8 if held else 10] = entry.points - before.points
    return added


def with_gld(courses: Courses) -> None:
    """Adds to the goals of the Early Years Foundation Stage Profile whether they make a good level."""
    for entries in courses.values():
        goals = {subject: entry for (scheme, subject), entry in entries.items() if scheme == EYFS_PROFILE}
        goal = next(iter(goals.values()), None)
        if goal is None or GLD in goals:
            continue
        good = good_level_of_development(
            goal.version,
            {
                code: entry.value
                for code, entry in goals.items()
                if entry.version is goal.version and entry.value in goal.version.values
            },
        )
        if good is not None:
            entries[EYFS_PROFILE, GLD] = msgspec.structs.replace(
                goal, subject=GLD, value="", points=None, standing="at" if good else "below", expected=None
            )


def scale_of(measured: Measured) -> str | None:
    """The scale of points that a table's means are on, where its results count points."""
    scheme = SCHEMES[measured.scheme]
    return next((scale for version in reversed(scheme.versions) for scale in version.scales), None)


@lru_cache(maxsize=1024)
def possible_standings(measured: Measured) -> frozenset[Standing]:
    """The standings that any value of a scheme has: none is above the standard of the phonics check."""
    at = measured.point.at
    try:
        version = SCHEMES[measured.scheme].in_year(at.academic_year)
    except ValueError:  # results of a scheme that was not in use then, as files may hold
        return frozenset(_PLACES)
    standings = {version.standing(value, measured.nc_year, at) for value in version.values}
    return frozenset(standing for standing in standings if standing is not None) or frozenset(_PLACES)
