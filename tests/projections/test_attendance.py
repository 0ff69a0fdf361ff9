"""Attendance as it is shown: marks that stand, totals, and those of years that are over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.application import attending, pupils
from domain.application.attending import DayEntry
from domain.application.school_application import attendance_of
from domain.attendance import Session, Totals
from domain.attendance_summary import AttendanceSummary, Source
from domain.codes.attendance import Half
from domain.ledger.database import Database
from domain.particulars import PupilParticulars
from domain.pupil import AttendanceTotals
from projections import attendance as views
from projections.attendance import AttendanceView
from tests.application.conftest import RegisteredSchool
from tests.application.examples import YEAR, admitted, child, children
from tests.projections.catching_up import caught_up

AM, PM = Half.AM, Half.PM
LAST_YEAR = (date(YEAR - 1, 9, 1), date(YEAR, 8, 31))
BEFORE_LAST = (date(YEAR - 2, 9, 1), date(YEAR - 1, 8, 31))
DAY = date(YEAR - 1, 11, 3)


@pytest.fixture(params=["each event by itself", "all at once"])
def step(request: pytest.FixtureRequest, worker: Database) -> Callable[[], None]:
    """Lets the projection catch up between events, or not before the end."""

    def between() -> None:
        if request.param == "each event by itself":
            caught_up(worker)

    return between


def mark(
    registered: RegisteredSchool, pupil_id: UUID, am: str | None, pm: str | None, day: date = DAY
) -> int:
    entry = DayEntry(pupil_id=pupil_id, day=day, am=am, pm=pm)
    return attending.mark(registered.application, [entry], registered.teacher).position


def view(
    registered: RegisteredSchool, pupil_id: UUID, period: tuple[date, date] = LAST_YEAR
) -> AttendanceView:
    school = registered.application
    with school.database.bound_to(school.school_id) as connection:
        return views.of_pupil(connection, school.keys, pupil_id, *period)


def numbers(summary: AttendanceSummary) -> tuple[int, ...]:
    return (summary.possible, summary.attended, summary.authorised, summary.unauthorised)


def so_far(year: int, possible: int = 100, **missed: int) -> AttendanceTotals:
    return AttendanceTotals(
        academic_year=year, possible=possible, **{"authorised": 4, "unauthorised": 1} | missed
    )


def test_the_marks_that_stand_are_shown(
    registered: RegisteredSchool, worker: Database, step: Callable[[], None]
) -> None:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    mark(registered, pupil_id, "N", "\\")
    step()
    mark(registered, pupil_id, "I", None)
    step()
    mark(registered, pupil_id, "/", "\\", DAY + timedelta(days=1))
    step()
    last = mark(registered, pupil_id, None, "-", DAY + timedelta(days=1))
    caught_up(worker)
    shown = view(registered, pupil_id)
    assert shown.attendance == attending.attendance(registered.application, pupil_id)
    assert shown.attendance.marks == {
        Session(DAY, AM): "I",
        Session(DAY, PM): "\\",
        Session(DAY + timedelta(days=1), AM): "/",
    }
    assert shown.position == last
    assert numbers(shown.summary(*LAST_YEAR)) == (3, 2, 1, 0)
    assert numbers(shown.summary(DAY, DAY)) == (2, 1, 1, 0)


def test_the_last_and_the_first_day_of_academic_years_lie_side_by_side(
    registered: RegisteredSchool, worker: Database, step: Callable[[], None]
) -> None:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    days = [BEFORE_LAST[1], LAST_YEAR[0]]
    entries = [DayEntry(pupil_id=pupil_id, day=day, am="/", pm="\\") for day in days]
    attending.mark(registered.application, entries, registered.teacher)
    step()
    mark(registered, pupil_id, "I", None, days[0])
    caught_up(worker)
    log = registered.application.stream.events_of(attendance_of(pupil_id))
    assert len(log) == 2, "one run goes on from one year into the next"
    one, other = view(registered, pupil_id, BEFORE_LAST), view(registered, pupil_id)
    assert set(one.attendance.marks) == {Session(days[0], AM), Session(days[0], PM)}
    assert set(other.attendance.marks) == {Session(days[1], AM), Session(days[1], PM)}
    both = view(registered, pupil_id, (days[0], days[1]))
    assert numbers(both.summary(*days)) == (4, 3, 1, 0)
    assert one.position == both.position > other.position


def test_totals_are_shown_replaced_and_voided(
    registered: RegisteredSchool, worker: Database, step: Callable[[], None]
) -> None:
    school, teacher = registered.application, registered.teacher
    [pupil_id] = admitted(school, teacher, child(1))
    counted = {"possible": 60, "attended": 55, "authorised": 5, "unauthorised": 0}
    first = Totals(first_day=LAST_YEAR[0], last_day=LAST_YEAR[0] + timedelta(days=60), **counted)
    longer = Totals(first_day=LAST_YEAR[0], last_day=LAST_YEAR[0] + timedelta(days=90), **counted)
    attending.record_totals(school, pupil_id, first, teacher)
    step()
    attending.record_totals(school, pupil_id, longer, teacher)
    caught_up(worker)
    shown = view(registered, pupil_id)
    assert shown.attendance.totals == {longer.first_day: longer}
    assert numbers(shown.summary(*LAST_YEAR)) == (60, 55, 5, 0)
    attending.void_totals(school, pupil_id, longer.first_day, longer.last_day, teacher)
    caught_up(worker)
    assert view(registered, pupil_id).summary(*LAST_YEAR).source is Source.NOTHING


def change(registered: RegisteredSchool, pupil_id: UUID, version: int, **fields: Any) -> None:
    pupils.change(registered.application, pupil_id, PupilParticulars(**fields), version, registered.teacher)


def test_totals_of_a_year_stay_when_those_of_the_next_one_come(
    registered: RegisteredSchool, worker: Database, step: Callable[[], None]
) -> None:
    [pupil_id] = admitted(
        registered.application, registered.teacher, child(1, attendance=so_far(YEAR - 2, authorised=9))
    )
    step()
    change(registered, pupil_id, 1, attendance=so_far(YEAR - 1))
    step()
    change(registered, pupil_id, 2, nc_year="5")
    step()
    change(registered, pupil_id, 3, attendance=so_far(YEAR - 1, 120))
    caught_up(worker)
    assert numbers(view(registered, pupil_id).summary(*LAST_YEAR)) == (120, 115, 4, 1)
    before = view(registered, pupil_id, BEFORE_LAST).summary(*BEFORE_LAST)
    assert numbers(before) == (100, 90, 9, 1)
    assert [each.of_record for each in before.totals] == [True]
    change(registered, pupil_id, 4, attendance=None)
    caught_up(worker)
    assert view(registered, pupil_id).of_record == {}
    assert numbers(view(registered, pupil_id, BEFORE_LAST).summary(*BEFORE_LAST)) == (100, 90, 9, 1)
    mark(registered, pupil_id, "/", None, BEFORE_LAST[0] + timedelta(days=30))
    caught_up(worker)
    assert numbers(view(registered, pupil_id, BEFORE_LAST).summary(*BEFORE_LAST)) == (1, 1, 0, 0)


def test_a_change_of_something_else_touches_no_row(registered: RegisteredSchool, worker: Database) -> None:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    change(registered, pupil_id, 1, nc_year="5")
    caught_up(worker)
    assert view(registered, pupil_id) == AttendanceView()
    last = mark(registered, pupil_id, "/", None)
    change(registered, pupil_id, 2, nc_year="6")
    caught_up(worker)
    assert view(registered, pupil_id).position == last


def test_of_each_of_several_pupils_there_is_something(registered: RegisteredSchool, worker: Database) -> None:
    school = registered.application
    ids = admitted(school, registered.teacher, *children(3))
    mark(registered, ids[0], "/", "\\")
    mark(registered, ids[2], "I", "I")
    caught_up(worker)
    with school.database.bound_to(school.school_id) as connection:
        found = views.of_pupils(connection, school.keys, ids, DAY, DAY)
    assert list(found) == ids
    assert [numbers(found[pupil_id].summary(DAY, DAY)) for pupil_id in ids] == [
        (2, 2, 0, 0),
        (0, 0, 0, 0),
        (2, 0, 2, 0),
    ]
