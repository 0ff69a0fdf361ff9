"""Importing files of pupils: what would happen, what happens, and that it happens once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.application import assessing, pupils
from domain.application.importing import ImportReport, RowOutcome, RowReport, import_file
from domain.application.school_application import SchoolApplication, Schools, assessments_of
from domain.assessment import Result
from domain.codes.upn import make_upn
from domain.errors import CommandReused, InvalidInput, UnreadableFile
from domain.events import OPERATOR
from domain.files.ctf_writer import CtfPupil
from domain.particulars import PupilParticulars
from domain.pupil import PupilNames, PupilRecord
from tests.application.conftest import RegisteredSchool, registered_school
from tests.application.examples import (
    TODAY,
    YEAR,
    Child,
    at_once,
    brought_by_a_file,
    child,
    children,
    csv_of,
    ctf_of,
    events,
    fields_of,
    topics,
)
from tests.unit.files import children as strategies

KS1 = Result(
    scheme="statutory",
    subject="ENG",
    value="EXS",
    academic_year=YEAR - 2,
    stage="KS1",
    component="REA",
    method="TA",
)


def real(registered: RegisteredSchool, content: bytes, key: str | None = None) -> ImportReport:
    return import_file(registered.application, content, registered.teacher, dry_run=False, command_key=key)


def dry(registered: RegisteredSchool, content: bytes) -> ImportReport:
    return import_file(registered.application, content, registered.teacher, dry_run=True)


def refused(registered: RegisteredSchool, content: bytes) -> ImportReport:
    """The report on a file that is refused, having left nothing behind."""
    head = registered.application.stream.head()
    with pytest.raises(InvalidInput) as caught:
        real(registered, content)
    assert registered.application.stream.head() == head
    report = caught.value.details["report"]
    assert isinstance(report, ImportReport)
    assert caught.value.findings == [finding for row in report.rows for finding in row.findings]
    return report


def outcomes(report: ImportReport) -> list[str]:
    return [row.outcome.value for row in report.rows]


def ctf_pupil(some: Child, *results: Result) -> CtfPupil:
    return CtfPupil(names=some[0], record=some[1], results=results)


def upn_of(number: int) -> str:
    return make_upn(881, 2001, YEAR - 4, number)


def by_surname(school: SchoolApplication) -> dict[str, UUID]:
    return {pupil.names.surname: pupil.id for pupil in school.roll().values()}


def test_a_csv_in_each_encoding_says_the_same(registered: RegisteredSchool) -> None:
    wanted = [
        child(1, surname="Ünal-Müller", forename="Zoë"),
        child(2, surname="O’Brien", class_name="Frühling"),
    ]
    text = csv_of(wanted).decode()
    assert real(registered, text.encode("cp1252")).counts.created == 2
    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        report = real(registered, text.encode(encoding))
        assert outcomes(report) == ["unchanged", "unchanged"]
    found = registered.application.roll().values()
    assert [(pupil.names, pupil.record) for pupil in found] == wanted


def test_a_ctf_brings_pupils_and_their_results(registered: RegisteredSchool) -> None:
    school = registered.application
    wanted = [child(number, class_name=None) for number in (1, 2)]
    report = real(registered, ctf_of(ctf_pupil(wanted[0], KS1), ctf_pupil(wanted[1])))
    assert (report.counts.format, report.counts.created, report.counts.results) == ("ctf", 2, 1)
    assert [(pupil.names, pupil.record) for pupil in school.roll().values()] == wanted
    first, second = school.roll()
    assert [each.result for each in assessing.assessments(school, first).values()] == [KS1]
    assert assessing.assessments(school, second) == {}


def test_a_real_import_is_one_append(registered: RegisteredSchool) -> None:
    school = registered.application
    before = school.stream.head().position
    report = real(registered, ctf_of(*(ctf_pupil(some, KS1) for some in children(40, class_name=None))))
    added = events(school)[before:]
    assert Counter(event.topic for event in added) == {
        "pupil.admitted.1": 40,
        "assessment.recorded.1": 40,
        "import.completed.1": 1,
    }
    assert added[-1].topic == "import.completed.1"
    assert report.position == added[-1].id == before + 81
    assert len({event.recorded_at for event in added}) == 1
    assert [row.pupil_id for row in report.rows] == list(school.roll())


def test_a_dry_run_writes_nothing(registered: RegisteredSchool) -> None:
    head = registered.application.stream.head()
    report = dry(registered, csv_of(children(3)))
    assert registered.application.stream.head() == head
    assert report.dry_run
    assert report.position is None
    assert outcomes(report) == ["created"] * 3
    assert [row.pupil_id for row in report.rows] == [None] * 3


def mixed(registered: RegisteredSchool) -> bytes:
    """A file that creates one pupil, changes one and leaves one, as the school is after it was made."""
    known, changing = children(2)
    real(registered, csv_of([known, changing]))
    names, record = changing
    changed = (
        msgspec.structs.replace(names, surname="New"),
        msgspec.structs.replace(record, class_name="Blue"),
    )
    return csv_of([known, changed, child(3)])


def test_a_dry_run_says_what_the_real_import_then_does(registered: RegisteredSchool) -> None:
    content = mixed(registered)
    said = dry(registered, content)
    assert outcomes(said) == ["unchanged", "changed", "created"]
    assert said.rows[1].fields == ("surname", "class_name")
    before = set(registered.application.roll())
    done = real(registered, content)
    [new] = set(registered.application.roll()) - before
    assert done.counts == said.counts
    assert done.dropped == said.dropped
    assert done.rows == [*said.rows[:2], msgspec.structs.replace(said.rows[2], pupil_id=new)]
    pupil_id = done.rows[1].pupil_id
    assert pupil_id
    pupil = registered.application.pupil(pupil_id)
    assert (pupil.names.surname, pupil.record.class_name) == ("New", "Blue")


def test_again_it_changes_nothing(registered: RegisteredSchool) -> None:
    content = ctf_of(*(ctf_pupil(some, KS1) for some in children(5, class_name=None)))
    first = real(registered, content)
    head = registered.application.stream.head()
    for report in (dry(registered, content), real(registered, content)):
        assert outcomes(report) == ["unchanged"] * 5
        assert report.counts.results == 0
    assert registered.application.stream.head() == head
    assert first.position == head.position


def test_a_repeated_command_is_answered_with_its_first_counts(registered: RegisteredSchool) -> None:
    content = csv_of(children(3))
    first = real(registered, content, "key")
    again = real(registered, content, "key")
    assert (again.counts, again.position, again.repeated, again.rows) == (
        first.counts,
        first.position,
        True,
        [],
    )
    with pytest.raises(CommandReused):
        real(registered, csv_of(children(4)), "key")
    # Also one that changed nothing is remembered.
    unchanged = real(registered, content, "key 2")
    assert real(registered, content, "key 2").repeated
    assert unchanged.counts.unchanged == 3


def test_one_refused_row_and_nothing_is_written(registered: RegisteredSchool) -> None:
    content = mixed(registered).replace(
        child(3)[0].date_of_birth.strftime("%d/%m/%Y").encode(), b"31/02/2019"
    )
    said = dry(registered, content)
    report = refused(registered, content)
    assert outcomes(report) == ["unchanged", "changed", "refused"]
    assert report.rows == said.rows
    assert (report.counts, report.dry_run) == (said.counts, False)
    [finding] = report.rows[2].findings
    assert (finding.row, finding.field, finding.found) == (4, "DOB", "31/02/2019")
    assert "dd/mm/yyyy" in finding.accepted


def test_the_refused_report_names_no_pupil_who_was_not_created(registered: RegisteredSchool) -> None:
    right_upn = upn_of(2)
    wrong_upn = ("A" if right_upn[0] != "A" else "B") + right_upn[1:]
    wrong = csv_of([child(1), child(2)]).replace(upn_of(2).encode(), wrong_upn.encode())
    assert [(row.outcome, row.pupil_id) for row in refused(registered, wrong).rows] == [
        (RowOutcome.CREATED, None),
        (RowOutcome.REFUSED, None),
    ]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"a,b\n1,2\n", b"<html/>", b"UPN,Surname\nx,y\n"])
def test_a_file_of_another_kind_is_refused(registered: RegisteredSchool, content: bytes) -> None:
    head = registered.application.stream.head()
    for dry_run in (True, False):
        with pytest.raises(UnreadableFile):
            import_file(registered.application, content, OPERATOR, dry_run=dry_run)
    assert registered.application.stream.head() == head


def test_a_file_without_pupils_changes_nothing(registered: RegisteredSchool) -> None:
    head = registered.application.stream.head()
    assert real(registered, csv_of([])).rows == []
    assert registered.application.stream.head() == head


def test_pupils_are_known_by_their_upn(registered: RegisteredSchool) -> None:
    [pupil_id] = brought_by_a_file(registered.application, registered.teacher, child(1))
    other_names = child(2, upn=upn_of(1))
    report = real(registered, csv_of([other_names]))
    assert [(row.outcome, row.pupil_id) for row in report.rows] == [(RowOutcome.CHANGED, pupil_id)]
    assert registered.application.pupil(pupil_id).names == other_names[0]


def test_pupils_are_known_by_a_former_upn(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = brought_by_a_file(school, registered.teacher, child(1))
    pupils.change(school, pupil_id, PupilParticulars(upn=upn_of(50), surname="New"), 1, registered.teacher)
    # The file is older than the change of UPN: it does not undo it.
    report = real(registered, csv_of([child(1, class_name="Blue")]))
    assert [(row.outcome, row.pupil_id) for row in report.rows] == [(RowOutcome.CHANGED, pupil_id)]
    pupil = school.pupil(pupil_id)
    assert (pupil.names.upn, pupil.names.former_upns) == (upn_of(50), (upn_of(1),))
    assert pupil.record.class_name == "Blue"


def test_pupils_are_known_by_the_former_upn_that_the_file_names(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = brought_by_a_file(school, registered.teacher, child(1, class_name=None))
    renamed = child(1, class_name=None, surname="New", upn=upn_of(50), former_upns=(upn_of(1),))
    report = real(registered, ctf_of(ctf_pupil(renamed)))
    assert [(row.outcome, row.pupil_id) for row in report.rows] == [(RowOutcome.CHANGED, pupil_id)]
    assert school.pupil(pupil_id).names == renamed[0]
    assert outcomes(real(registered, ctf_of(ctf_pupil(renamed)))) == ["unchanged"]


def test_a_former_upn_that_stands_there_twice_is_one(registered: RegisteredSchool) -> None:
    once = ctf_of(ctf_pupil(child(1, class_name=None, upn=upn_of(50), former_upns=(upn_of(1),))))
    element = f"<FormerUPN>{upn_of(1)}</FormerUPN>".encode()
    real(registered, once.replace(element, element * 2))
    assert outcomes(real(registered, csv_of([child(1)]))) == ["changed"]


def test_pupils_are_known_by_names_and_date_of_birth(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = brought_by_a_file(school, registered.teacher, child(1, upn=None))
    capitals = child(1, surname="SURNAME001", forename="FORENAME001")
    report = real(registered, csv_of([capitals]))
    assert [(row.outcome, row.pupil_id, row.fields) for row in report.rows] == [
        (RowOutcome.CHANGED, pupil_id, ("upn",))
    ]
    names = school.pupil(pupil_id).names
    assert (names.surname, names.upn) == ("Surname001", upn_of(1))
    # Another UPN of the same child takes the place of the one that was known, which is kept.
    real(registered, csv_of([child(1, upn=upn_of(50))]))
    assert school.pupil(pupil_id).names.former_upns == (upn_of(1),)


@pytest.mark.parametrize(
    "less",
    [{"surname": "Other"}, {"forename": "Other"}, {"date_of_birth": date(YEAR - 9, 12, 24)}],
)
def test_pupils_are_never_known_by_less(registered: RegisteredSchool, less: dict[str, Any]) -> None:
    school = registered.application
    [pupil_id] = brought_by_a_file(school, registered.teacher, child(1))
    before = school.pupil(pupil_id)
    report = real(registered, csv_of([child(1, upn=None, **less)]))
    assert outcomes(report) == ["created"]
    assert report.rows[0].pupil_id != pupil_id
    assert school.pupil(pupil_id) == before


def test_pupils_who_cannot_be_told_apart_are_refused(registered: RegisteredSchool) -> None:
    brought_by_a_file(registered.application, registered.teacher, child(1), child(1, upn=None))
    [row] = refused(registered, csv_of([child(1, upn=upn_of(77))])).rows
    assert fields_of(row.findings) == ["Surname, Forename, DOB"]
    assert outcomes(real(registered, csv_of([child(1)]))) == ["unchanged"]


def test_two_rows_cannot_be_one_pupil(registered: RegisteredSchool) -> None:
    brought_by_a_file(registered.application, registered.teacher, child(1))
    report = refused(registered, csv_of([child(2, upn=upn_of(1)), child(1, upn=None)]))
    assert outcomes(report) == ["changed", "refused"]
    assert "row 2" in report.rows[1].findings[0].accepted


def test_whoever_has_left_is_not_brought_back_by_a_file(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = brought_by_a_file(school, registered.teacher, child(1))
    pupils.leave(school, pupil_id, TODAY, 1, registered.teacher)
    [row] = refused(registered, csv_of([child(1)])).rows
    assert row.pupil_id == pupil_id
    assert f"{TODAY:%d/%m/%Y}" in row.findings[0].accepted
    pupils.take_back(school, pupil_id, TODAY, 2, registered.teacher)
    assert outcomes(real(registered, csv_of([child(1)]))) == ["unchanged"]


def only_upn(upn: str, within: str = "") -> bytes:
    """A CTF of one pupil, of whom it tells no more than the UPN."""
    pupil = f"<Pupil><UPN>{upn}</UPN>{within}</Pupil>"
    return f"<CTfile><Header/><CTFpupilData>{pupil}</CTFpupilData></CTfile>".encode()


def test_a_ctf_may_speak_of_a_pupil_by_the_upn_alone(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = brought_by_a_file(school, registered.teacher, child(1))
    details = "<BasicDetails><NCyearActual>5</NCyearActual></BasicDetails>"
    report = real(registered, only_upn(upn_of(1), details))
    assert [(row.pupil_id, row.fields) for row in report.rows] == [(pupil_id, ("nc_year",))]
    pupil = school.pupil(pupil_id)
    assert pupil.names == child(1)[0]
    assert pupil.record == msgspec.structs.replace(child(1)[1], nc_year="5")


def test_a_upn_alone_makes_no_new_pupil(registered: RegisteredSchool) -> None:
    [row] = refused(registered, only_upn(upn_of(1))).rows
    assert fields_of(row.findings) == ["UPN"]


def test_a_new_pupil_needs_a_date_of_entry_and_a_sex(registered: RegisteredSchool) -> None:
    whole = ctf_of(ctf_pupil(child(1, class_name=None)))
    without = whole.replace(b"<Sex>M</Sex>", b"").replace(b"EntryDate", b"Entered")
    assert without != whole
    [row] = refused(registered, without).rows
    assert fields_of(row.findings) == ["date_of_entry", "sex"]
    real(registered, whole)
    # What nobody knows is kept; neither the date of entry nor the sex is gone.
    [row] = real(registered, without).rows
    assert row.fields == ("other_elements",)


def test_what_a_file_does_not_say_stays(registered: RegisteredSchool) -> None:
    school = registered.application
    full = child(
        1, postcode="CM1 1QH", free_school_meals=True, gifted=True, sen_provision="K", ethnicity="WBRI"
    )
    [pupil_id] = brought_by_a_file(school, registered.teacher, full)
    names, record = child(1)
    bare = (
        PupilNames(
            surname=names.surname, forename=names.forename, date_of_birth=names.date_of_birth, upn=names.upn
        ),
        PupilRecord(sex=record.sex, date_of_entry=record.date_of_entry),
    )
    report = real(registered, csv_of([bare]))
    # An empty SEN status says that there is none; other empty cells say nothing.
    assert report.rows[0].fields == ("sen_provision",)
    assert school.pupil(pupil_id).record == msgspec.structs.replace(full[1], sen_provision="N")
    assert school.pupil(pupil_id).names == full[0]


def test_results_are_added_once_and_corrected_when_they_change(registered: RegisteredSchool) -> None:
    school = registered.application
    some = child(1, class_name=None)
    other = msgspec.structs.replace(KS1, component="WRI", value="WTS")
    real(registered, ctf_of(ctf_pupil(some, KS1)))
    report = real(registered, ctf_of(ctf_pupil(some, KS1, other)))
    assert [(row.outcome, row.fields, row.results) for row in report.rows] == [(RowOutcome.CHANGED, (), 1)]
    better = msgspec.structs.replace(KS1, value="GDS")
    assert real(registered, ctf_of(ctf_pupil(some, better))).counts.results == 1
    assert real(registered, ctf_of(ctf_pupil(some, better, other))).counts.results == 0
    [pupil_id] = school.roll()
    log = [event.topic for event in school.stream.events_of(assessments_of(pupil_id))]
    assert log == ["assessment.recorded.1", "assessment.recorded.1", "assessment.corrected.1"]
    there = assessing.assessments(school, pupil_id).values()
    assert [(each.result, each.corrected) for each in there] == [(better, True), (other, False)]


def test_of_two_results_of_one_cell_the_later_stands(registered: RegisteredSchool) -> None:
    school = registered.application
    better = msgspec.structs.replace(KS1, value="GDS")
    content = ctf_of(ctf_pupil(child(1, class_name=None), KS1, better))
    assert real(registered, content).counts.results == 1
    [pupil_id] = school.roll()
    assert [each.result for each in assessing.assessments(school, pupil_id).values()] == [better]
    assert outcomes(real(registered, content)) == ["unchanged"]


def test_files_imported_at_once_create_each_pupil_once(
    schools: Schools, registered: RegisteredSchool
) -> None:
    content = ctf_of(*(ctf_pupil(some, KS1) for some in children(60, class_name=None)))
    for into in (registered, registered_school(schools)):
        answers = at_once(*[partial(real, into, content)] * 3)
        reports = [answer for answer in answers if isinstance(answer, ImportReport)]
        assert len(reports) == 3, answers
        assert sorted(report.counts.created for report in reports) == [0, 0, 60]
        assert sorted(report.counts.unchanged for report in reports) == [0, 60, 60]
        assert Counter(topics(into.application))["pupil.admitted.1"] == 60
        assert Counter(topics(into.application))["assessment.recorded.1"] == 60
        assert Counter(topics(into.application))["import.completed.1"] == 1


def test_an_import_and_an_admission_at_once_do_not_make_two_of_one(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    for number in range(5):
        some = child(number)
        calls: list[Callable[[], object]] = [
            partial(real, registered, csv_of([some])),
            partial(pupils.admit, school, *some, actor),
        ]
        at_once(*calls)
    assert Counter(pupil.names.upn for pupil in school.roll().values()) == {upn_of(n): 1 for n in range(5)}


def as_of_today(record: PupilRecord) -> PupilRecord:
    """The record as a file of today may hold it."""
    totals = record.attendance and msgspec.structs.replace(record.attendance, academic_year=YEAR)
    return msgspec.structs.replace(record, attendance=totals, date_of_entry=min(record.date_of_entry, TODAY))


rolls = st.lists(
    st.tuples(strategies.names, strategies.records.map(as_of_today)),
    max_size=6,
    unique_by=strategies.distinct,
).filter(lambda roll: strategies.with_own_upns([names for names, _ in roll]))
plain = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@plain
@given(roll=rolls)
def test_importing_what_was_exported_changes_nothing(schools: Schools, roll: list[Child]) -> None:
    registered = registered_school(schools)
    brought_by_a_file(registered.application, registered.teacher, *roll)
    then = list(registered.application.roll().values())
    assert [(pupil.names, pupil.record) for pupil in then] == roll
    head = registered.application.stream.head()
    for content in (csv_of(roll), ctf_of(*map(ctf_pupil, roll))):
        report = real(registered, content)
        assert outcomes(report) == ["unchanged"] * len(roll), report.rows
    assert registered.application.stream.head() == head


@plain
@given(results=st.lists(strategies.results, max_size=8))
def test_importing_the_same_results_again_changes_nothing(schools: Schools, results: list[Result]) -> None:
    registered = registered_school(schools)
    born = date(1999, 8, 31)  # before any of the results
    content = ctf_of(ctf_pupil(child(1, class_name=None, date_of_birth=born), *results))
    real(registered, content)
    head = registered.application.stream.head()
    assert outcomes(real(registered, content)) == ["unchanged"]
    assert registered.application.stream.head() == head


def test_every_row_is_reported_once(registered: RegisteredSchool) -> None:
    report = real(registered, csv_of(children(10)))
    assert [row.row for row in report.rows] == list(range(2, 12))
    assert all(isinstance(row, RowReport) for row in report.rows)
    assert by_surname(registered.application).keys() == {names.surname for names, _ in children(10)}
