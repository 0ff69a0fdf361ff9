"""Nothing is dated before a child's birth, and no birth put after what is recorded; with twins."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from domain.academic_year import AssessmentPoint, Term
from domain.application import assessing, attending, importing, noting, observing, pupils, targets
from domain.application.assessing import Entry
from domain.application.attending import DayEntry
from domain.application.school_application import SchoolApplication
from domain.application.targets import TargetEntry
from domain.assessment import STATUTORY, Result
from domain.attendance import Totals
from domain.errors import Finding, InvalidInput
from domain.events import Actor
from domain.files.ctf_writer import CtfPupil
from domain.files.mapping import Mapping
from domain.observation import Observed
from domain.particulars import PupilParticulars
from domain.pupil import AttendanceTotals
from domain.pupil_record import CarePeriod, Period, PremiumPeriod, SchoolAttended, SenPeriod
from domain.since_birth import ACCEPTED, ACCEPTED_TIME
from tests.application.conftest import RegisteredSchool
from tests.application.examples import (
    TODAY,
    YEAR,
    Child,
    admitted,
    brought_by_a_file,
    child,
    ctf_of,
)

CHILD = child(1)
BORN = CHILD[0].date_of_birth
BEFORE = BORN - timedelta(days=1)
LATER = BORN + timedelta(days=300)
"""A birth that is still before the child came to the school."""

BETWEEN = LATER - timedelta(days=1)
EARLIER_POINT = AssessmentPoint(BORN.year - 2, Term.SUMMER)

Act = Callable[[SchoolApplication, UUID, Actor], object]
"""Records something of a child."""


def change(**changes: Any) -> Act:
    return lambda school, pupil_id, actor: pupils.change(
        school, pupil_id, PupilParticulars(**changes), school.pupil(pupil_id).version, actor
    )


def admit(**changes: Any) -> Act:
    return lambda school, _, actor: pupils.admit(school, *child(2, **changes), actor)


def note_on(day: date) -> Act:
    return lambda school, pupil_id, actor: noting.write_note(school, pupil_id, "Walked early", day, actor)


def concern_on(day: date) -> Act:
    return lambda school, pupil_id, actor: noting.open_concern(school, pupil_id, "Speech", day, actor)


def observation_on(day: date) -> Act:
    seen = Observed(observed_on=day, text="Counted to ten")
    return lambda school, pupil_id, actor: observing.make(school, pupil_id, seen, actor)


def result_at(point: AssessmentPoint, assessed_on: date | None = None) -> Act:
    return lambda school, pupil_id, actor: assessing.record(
        school, point, [Entry(pupil_id, "REA", "3w")], actor, assessed_on=assessed_on
    )


def target_at(point: AssessmentPoint) -> Act:
    return lambda school, pupil_id, actor: targets.set_targets(
        school, point, [TargetEntry(pupil_id, "REA", "3w")], actor
    )


def mark_on(day: date) -> Act:
    return lambda school, pupil_id, actor: attending.mark(
        school, [DayEntry(pupil_id=pupil_id, day=day, am="Z")], actor
    )


def disabled(monkeypatch: pytest.MonkeyPatch, guard: str) -> None:
    """Takes a guard away: a function that finds nothing any more, or does not know the birth any more."""
    module, _, name = guard.rpartition(".")
    takes_its_place = (lambda _: date.min) if name == "birth_of" else (lambda *_: [])
    monkeypatch.setattr(importlib.import_module(f"domain.{module}"), name, takes_its_place)


def refused(call: Callable[[], object]) -> list[Finding]:
    with pytest.raises(InvalidInput) as error:
        call()
    assert BORN.isoformat() not in error.value.message
    assert f"{BORN:%d/%m/%Y}" not in str(error.value.findings)
    return error.value.findings


NEW: dict[str, tuple[str, Act, str, str]] = {
    "free school meals": (
        "particulars.findings_before",
        change(meals_periods=(Period(start=TODAY), Period(start=BEFORE, end=BORN))),
        "meals_periods.1.start",
        ACCEPTED,
    ),
    "the end of a period": (
        "particulars.findings_before",
        change(meals_periods=(Period(end=BEFORE),)),
        "meals_periods.0.end",
        ACCEPTED,
    ),
    "pupil premium": (
        "particulars.findings_before",
        change(premium_periods=(PremiumPeriod(start=BEFORE, reason="DPP"),)),
        "premium_periods.0.start",
        ACCEPTED,
    ),
    "SEN": (
        "particulars.findings_before",
        change(sen_periods=(SenPeriod(start=BEFORE, provision="K"),)),
        "sen_periods.0.start",
        ACCEPTED,
    ),
    "care": (
        "particulars.findings_before",
        change(care_periods=(CarePeriod(start=BEFORE),)),
        "care_periods.0.start",
        ACCEPTED,
    ),
    "a new pupil's care": (
        "particulars.findings_before",
        admit(care_periods=(CarePeriod(start=BEFORE - timedelta(days=90)),)),
        "care_periods.0.start",
        ACCEPTED,
    ),
    "a previous school": (
        "particulars.findings_before",
        change(previous_schools=(SchoolAttended(name="Elm", entered_on=BEFORE),)),
        "previous_schools.0.entered_on",
        ACCEPTED,
    ),
    "leaving a previous school": (
        "particulars.findings_before",
        change(previous_schools=(SchoolAttended(name="Elm", left_on=BEFORE),)),
        "previous_schools.0.left_on",
        ACCEPTED,
    ),
    "the day of joining": (
        "particulars.findings_before",
        change(date_of_entry=BEFORE),
        "date_of_entry",
        ACCEPTED,
    ),
    "a new pupil's day of joining": (
        "particulars.findings_before",
        admit(date_of_entry=BEFORE - timedelta(days=90)),
        "date_of_entry",
        ACCEPTED,
    ),
    "totals of a year": (
        "particulars.findings_before",
        change(
            attendance=AttendanceTotals(
                academic_year=BORN.year - 2, possible=10, authorised=1, unauthorised=1
            )
        ),
        "attendance.academic_year",
        ACCEPTED_TIME,
    ),
    "a note": ("application.noting.findings_before", note_on(BEFORE), "written_on", ACCEPTED),
    "a concern": ("application.noting.findings_before", concern_on(BEFORE), "opened_on", ACCEPTED),
    "an observation": (
        "application.observing.birth_of",
        observation_on(BEFORE),
        "observed_on",
        "a day from the child's birth to today",
    ),
    "a result of a term": (
        "application.assessing.findings_before",
        result_at(EARLIER_POINT),
        "term",
        ACCEPTED_TIME,
    ),
    "a target": ("application.targets.findings_before", target_at(EARLIER_POINT), "term", ACCEPTED_TIME),
    "a mark": ("application.attending.birth_of", mark_on(BEFORE), "date", ACCEPTED),
}


@pytest.mark.parametrize("case", NEW)
def test_nothing_is_dated_before_the_birth(registered: RegisteredSchool, case: str) -> None:
    _, act, field, accepted = NEW[case]
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, CHILD)
    head = school.stream.head()
    [finding] = refused(lambda: act(school, pupil_id, registered.teacher))
    assert (finding.field, finding.accepted) == (field, accepted)
    assert school.stream.head() == head


@pytest.mark.parametrize("case", NEW)
def test_without_its_guard_it_would_be(
    registered: RegisteredSchool, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard, act, _, _ = NEW[case]
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, CHILD)
    head = school.stream.head()
    disabled(monkeypatch, guard)
    act(school, pupil_id, registered.teacher)
    assert school.stream.head().position == head.position + 1


def test_the_day_of_a_judgement_lies_after_the_birth(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    school = registered.application
    born = date(YEAR - 1, 10, 20)
    [pupil_id] = admitted(
        school, registered.teacher, child(1, date_of_birth=born, date_of_entry=date(YEAR, 9, 1), nc_year=None)
    )
    record = result_at(AssessmentPoint(YEAR - 1, Term.AUTUMN), born - timedelta(days=1))
    [finding] = refused(lambda: record(school, pupil_id, registered.teacher))
    assert (finding.field, finding.accepted, finding.row) == ("assessed_on", ACCEPTED, 1)
    disabled(monkeypatch, "application.assessing.findings_before")
    record(school, pupil_id, registered.teacher)


def test_the_day_of_the_birth_itself_is_taken(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, CHILD)
    for act in (
        change(meals_periods=(Period(start=BORN),), care_periods=(CarePeriod(start=BORN),)),
        note_on(BORN),
        concern_on(BORN),
        observation_on(BORN),
        mark_on(BORN),
        result_at(AssessmentPoint(BORN.year, Term.AUTUMN)),
    ):
        act(school, pupil_id, registered.teacher)


LATER_BIRTH: dict[str, tuple[str, Act, str]] = {
    "a period": (
        "particulars.findings_of_a_later_birth",
        change(sen_periods=(SenPeriod(start=BETWEEN, provision="K"),)),
        "sen_periods.start",
    ),
    "a previous school": (
        "particulars.findings_of_a_later_birth",
        change(previous_schools=(SchoolAttended(name="Elm", entered_on=BETWEEN),)),
        "previous_schools.entered_on",
    ),
    "a note": ("application.pupils.findings_of_a_later_birth", note_on(BETWEEN), "note"),
    "a concern": ("application.pupils.findings_of_a_later_birth", concern_on(BETWEEN), "concern"),
    "an observation": (
        "application.pupils.findings_of_a_later_birth",
        observation_on(BETWEEN),
        "observation",
    ),
    "a result": (
        "application.pupils.findings_of_a_later_birth",
        result_at(AssessmentPoint(BORN.year, Term.AUTUMN)),
        "assessment",
    ),
    "a target": (
        "application.pupils.findings_of_a_later_birth",
        target_at(AssessmentPoint(BORN.year, Term.AUTUMN)),
        "target",
    ),
    "a mark": ("application.pupils.findings_of_a_later_birth", mark_on(BETWEEN), "marks"),
}


@pytest.mark.parametrize("case", LATER_BIRTH)
def test_no_birth_is_put_after_what_is_recorded(
    registered: RegisteredSchool, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard, act, what = LATER_BIRTH[case]
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, CHILD)
    change(date_of_birth=LATER)(school, pupil_id, actor)  # nothing is recorded yet
    change(date_of_birth=BORN)(school, pupil_id, actor)
    act(school, pupil_id, actor)
    head = school.stream.head()
    [finding] = refused(lambda: change(date_of_birth=LATER)(school, pupil_id, actor))
    assert finding.field == "date_of_birth"
    assert finding.found.startswith("a day after ")
    assert f"({what})" in finding.found
    assert finding.accepted.startswith("a day up to ")
    assert LATER.isoformat() not in str(finding)
    assert school.stream.head() == head
    disabled(monkeypatch, guard)
    change(date_of_birth=LATER)(school, pupil_id, actor)
    assert school.pupil(pupil_id).names.date_of_birth == LATER


def test_no_birth_is_put_after_totals_or_the_day_of_joining(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, CHILD)
    entered = CHILD[1].date_of_entry
    [finding] = refused(lambda: change(date_of_birth=entered + timedelta(days=1))(school, pupil_id, actor))
    assert finding.found == f"a day after {entered.isoformat()} (date_of_entry)"
    totals = Totals(first_day=entered, last_day=entered, possible=2, attended=2, authorised=0, unauthorised=0)
    attending.record_totals(school, pupil_id, totals, actor)
    change(date_of_birth=entered)(school, pupil_id, actor)


def test_what_was_withdrawn_keeps_nobody_from_correcting_a_birth(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, CHILD)
    noted = noting.write_note(school, pupil_id, "Walked early", BETWEEN, actor)
    noting.remove_note(school, pupil_id, noted.result.note_id, actor)
    mark_on(BETWEEN)(school, pupil_id, actor)
    withdrawn = DayEntry(pupil_id=pupil_id, day=BETWEEN, am="-")
    attending.mark(school, [withdrawn], actor)
    change(date_of_birth=LATER)(school, pupil_id, actor)


def test_what_was_recorded_before_there_was_this_rule_blocks_nothing_else(
    registered: RegisteredSchool,
) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = brought_by_a_file(school, actor, child(1, meals_periods=(Period(start=BEFORE),)))
    change(class_name="Elm")(school, pupil_id, actor)
    change(date_of_birth=LATER)(school, pupil_id, actor)
    longer = (Period(start=BEFORE, end=LATER), Period(start=TODAY))
    change(meals_periods=longer)(school, pupil_id, actor)


RESULT = Result(
    scheme=STATUTORY, stage="KS1", subject="ENG", method="TA", value="EXS", academic_year=BORN.year - 2
)


def in_a_file(some: Child, *results: Result) -> CtfPupil:
    return CtfPupil(names=some[0], record=some[1], results=results)


IN_A_CTF: dict[str, tuple[CtfPupil, str, str]] = {
    "free school meals": (
        in_a_file(child(1, meals_periods=(Period(start=BEFORE),))),
        "FSMhistory/FSMinstance/FSMstartDate",
        ACCEPTED,
    ),
    "SEN": (
        in_a_file(child(1, sen_provision="K", sen_periods=(SenPeriod(start=BEFORE, provision="K"),))),
        "SENhistory/SEN/StartDate",
        ACCEPTED,
    ),
    "a previous school": (
        in_a_file(child(1, previous_schools=(SchoolAttended(name="Elm", entered_on=BEFORE),))),
        "SchoolHistory/School/EntryDate",
        ACCEPTED,
    ),
    "the year of a result": (
        in_a_file(CHILD, RESULT),
        "StageAssessments/KeyStage/StageAssessment/Year",
        ACCEPTED_TIME,
    ),
    "the day of a result": (
        in_a_file(CHILD, msgspec.structs.replace(RESULT, academic_year=BORN.year, assessed_on=BEFORE)),
        "StageAssessments/KeyStage/StageAssessment/ResultDate",
        ACCEPTED,
    ),
}


@pytest.mark.parametrize("case", IN_A_CTF)
@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_nothing_in_a_file_is_dated_before_the_birth(
    registered: RegisteredSchool, case: str, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    some, field, accepted = IN_A_CTF[case]
    school, actor = registered.application, registered.teacher
    if known:
        brought_by_a_file(school, actor, CHILD)
    head, content = school.stream.head(), ctf_of(some)
    dry = importing.import_file(school, content, actor, dry_run=True)
    [found] = dry.rows[0].findings
    assert (found.row, found.field, found.accepted) == (1, field, accepted)
    [finding] = refused(lambda: importing.import_file(school, content, actor, dry_run=False))
    assert finding == found
    assert school.stream.head() == head
    disabled(monkeypatch, "application.births_of_files.findings_before")
    importing.import_file(school, content, actor, dry_run=False)
    assert school.stream.head().position > head.position


def marked_in(content: bytes, day: date) -> bytes:
    marks = (
        f"<Attendance><YearData><Year>{BORN.year}</Year><AttendSessions>"
        f"<AttendanceStartDate>{day.isoformat()}</AttendanceStartDate>"
        "<AttendanceMarks>/\\</AttendanceMarks></AttendSessions></YearData></Attendance>"
    )
    return content.replace(b"<SchoolHistory>", marks.encode() + b"<SchoolHistory>")


def test_no_mark_in_a_file_is_of_a_day_before_the_birth(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    school, actor = registered.application, registered.teacher
    content = marked_in(ctf_of(in_a_file(CHILD)), BORN - timedelta(days=7))
    findings = refused(lambda: importing.import_file(school, content, actor, dry_run=False))
    assert {each.field for each in findings} == {"Attendance/YearData/AttendSessions/AttendanceMarks"}
    disabled(monkeypatch, "application.births_of_files.findings_before")
    importing.import_file(school, content, actor, dry_run=False)


def test_a_column_is_named_as_the_file_names_it(registered: RegisteredSchool) -> None:
    names = CHILD[0]
    content = (
        "Surname,First,Born,M/F,Came,FSM since\n"
        f"{names.surname},{names.forename},{BORN.isoformat()},F,{TODAY.isoformat()},{BEFORE.isoformat()}\n"
    )
    mapping = Mapping(
        fields={
            "surname": "Surname",
            "forename": "First",
            "date_of_birth": "Born",
            "sex": "M/F",
            "date_of_entry": "Came",
            "meals_periods": {"start": "FSM since"},
        },
        dates="yyyy-mm-dd",
    )
    [finding] = refused(
        lambda: importing.import_file(
            registered.application, content.encode(), registered.teacher, dry_run=False, mapping=mapping
        )
    )
    assert finding == Finding(row=2, field="FSM since", found=BEFORE.isoformat(), accepted=ACCEPTED)


@pytest.mark.parametrize("in_a_log", [False, True], ids=["a period", "a note"])
def test_no_file_puts_a_birth_after_what_is_recorded(
    registered: RegisteredSchool, in_a_log: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    school, actor = registered.application, registered.teacher
    there = CHILD if in_a_log else child(1, meals_periods=(Period(start=BETWEEN),))
    [pupil_id] = brought_by_a_file(school, actor, there)
    if in_a_log:
        note_on(BETWEEN)(school, pupil_id, actor)
    content = ctf_of(in_a_file(child(1, date_of_birth=LATER)))
    head = school.stream.head()
    [finding] = refused(lambda: importing.import_file(school, content, actor, dry_run=False))
    assert (finding.row, finding.field) == (1, "DOB")
    assert finding.accepted == f"a day up to {BETWEEN.isoformat()}, of which something is recorded"
    assert school.stream.head() == head
    disabled(monkeypatch, "application.births_of_files.findings_of_a_later_birth")
    importing.import_file(school, content, actor, dry_run=False)
    assert school.pupil(pupil_id).names.date_of_birth == LATER
