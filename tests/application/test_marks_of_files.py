"""Marks of registers in a Common Transfer File: placed, taken once, kept if unknown, never over our own."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.application import attending, exporting, marks_of_files
from domain.application.attending import DayEntry
from domain.application.exporting import Selection
from domain.application.importing import ImportReport
from domain.attendance import Session, year_bounds
from domain.attendance_summary import AttendanceSummary, summarise
from domain.codes.attendance import Half
from tests.application.conftest import RegisteredSchool
from tests.application.examples import YEAR, child, ctf_of
from tests.application.test_importing import ctf_pupil, dry, real, refused

SOME = child(1, class_name=None)
MONDAY = date(YEAR - 1, 10, 7) - timedelta(days=date(YEAR - 1, 10, 7).weekday())
"""A Monday of the year before this one."""

FIVE_DAYS = "/\\L\\II/\\/\\" + "OO"
"""A week and a day, weekends left out: ten sessions, and two of the next Monday."""

SEVEN_DAYS = "/\\L\\II/\\/\\" + "####" + "OO"
"""The same with the weekend."""


def file_with(marks: str, possible: int | None = 12, authorised: int = 2, unauthorised: int = 2) -> bytes:
    totals = (
        f"<SessionsPossible>{possible}</SessionsPossible><SessionsAuthorised>{authorised}</SessionsAuthorised>"
        f"<SessionsUnauthorised>{unauthorised}</SessionsUnauthorised>"
        if possible is not None
        else ""
    )
    attendance = (
        f"<Attendance><YearData><Year>{YEAR - 1}</Year>{totals}<AttendSessions>"
        f"<AttendanceStartDate>{MONDAY.isoformat()}</AttendanceStartDate>"
        f"<AttendanceMarks>{marks}</AttendanceMarks></AttendSessions></YearData></Attendance>"
    )
    whole = ctf_of(ctf_pupil(SOME)).decode()
    assert "<SchoolHistory>" in whole
    return whole.replace("<SchoolHistory>", f"{attendance}<SchoolHistory>").encode()


def marks_of(registered: RegisteredSchool) -> dict[Session, str]:
    [pupil_id] = registered.application.roll()
    return attending.attendance(registered.application, pupil_id).marks


def summary(registered: RegisteredSchool) -> AttendanceSummary:
    return summarise(*year_bounds(YEAR - 1), marks_of(registered), (), {})


def told(report: ImportReport) -> tuple[str, int, tuple[str, ...]]:
    [row] = report.rows
    return row.outcome.value, row.marks, row.kept


@pytest.mark.parametrize("marks", [FIVE_DAYS, SEVEN_DAYS])
def test_marks_are_placed_whether_weekends_are_among_them_or_not(
    registered: RegisteredSchool, marks: str
) -> None:
    real(registered, file_with(marks))
    found = {session: mark for session, mark in marks_of(registered).items() if mark != "#"}
    assert len(found) == 12
    assert {session.day.weekday() for session in found} == {0, 1, 2, 3, 4}
    assert found[Session(MONDAY + timedelta(days=1), Half.AM)] == "L"
    assert found[Session(MONDAY + timedelta(days=7), Half.PM)] == "O"
    counted = summary(registered)
    assert (counted.possible, counted.authorised, counted.unauthorised, counted.late) == (12, 2, 2, 1)


def test_an_unknown_mark_is_kept_flagged_and_not_counted(registered: RegisteredSchool) -> None:
    [row] = real(registered, file_with("/\\%\\", 4, 0, 0)).rows
    assert [(flag.field, flag.found) for flag in row.flags] == [
        ("Attendance/YearData/AttendSessions/AttendanceMarks", "%")
    ]
    counted = summary(registered)
    assert (counted.possible, counted.unknown) == (3, {"%": 1})
    [pupil_id] = registered.application.roll()
    content = exporting.export_ctf(registered.application, Selection(pupil_id=pupil_id))
    assert b"<AttendanceMarks>/\\%\\</AttendanceMarks>" in content.content


def check_ours_stay(registered: RegisteredSchool) -> None:
    content = file_with(FIVE_DAYS)
    assert told(dry(registered, content)) == ("created", 12, ())
    real(registered, content)
    assert told(real(registered, content)) == ("unchanged", 0, ())
    [pupil_id] = registered.application.roll()
    entry = DayEntry(pupil_id=pupil_id, day=MONDAY, am="M", pm="-")
    attending.mark(registered.application, [entry], registered.teacher, reason="A letter came")
    for report in (dry(registered, content), real(registered, content)):
        assert told(report) == ("unchanged", 0, ("marks",))
    marks = marks_of(registered)
    assert marks[Session(MONDAY, Half.AM)] == "M"
    assert Session(MONDAY, Half.PM) not in marks


def test_what_stands_in_the_register_here_no_file_replaces(registered: RegisteredSchool) -> None:
    check_ours_stay(registered)


def test_an_import_that_takes_every_mark_is_found(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(marks_of_files, "sessions_of", lambda _: ())
    with pytest.raises(AssertionError):
        check_ours_stay(registered)


def test_marks_that_are_not_the_whole_of_the_totals_are_not_counted(registered: RegisteredSchool) -> None:
    [row] = real(registered, file_with("/\\", 100, 1, 1)).rows
    assert "SessionsPossible says 100" in row.flags[0].accepted
    assert marks_of(registered) == {}


def test_marks_alone_are_taken(registered: RegisteredSchool) -> None:
    real(registered, file_with("/\\", None))
    assert summary(registered).attended == 2


def test_totals_that_do_not_add_up_beside_marks_are_refused(registered: RegisteredSchool) -> None:
    [row] = refused(registered, file_with(FIVE_DAYS, 12, 9, 9)).rows
    assert row.findings[0].field == "Attendance/YearData/SessionsPossible"


def test_marks_of_days_to_come_and_of_more_than_a_year_are_refused(registered: RegisteredSchool) -> None:
    for marks in ("/\\" * 400, "/\\" * 500):
        [row] = refused(registered, file_with(marks, None)).rows
        assert row.findings[0].field == "Attendance/YearData/AttendSessions/AttendanceMarks"
