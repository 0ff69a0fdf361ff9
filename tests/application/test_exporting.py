"""Files that are taken away: a school that leaves with them, or a child, comes back the same."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import domain.files.ctf_writer
import domain.pupil
from domain.academic_year import AssessmentPoint, Term
from domain.application import assessing, attending, pupils
from domain.application.assessing import Entry
from domain.application.attending import DayEntry
from domain.application.exporting import Selection, export_csv, export_ctf
from domain.application.importing import ImportReport, import_file
from domain.application.school_application import (
    Decision,
    SchoolApplication,
    Schools,
    assessments_of,
)
from domain.assessment import AssessmentRecorded, Result, cell_of
from domain.attendance import Totals
from domain.errors import Erased, InvalidInput, KeyNotHeld, NotFound, UnreadableFile
from domain.files.ctf_kept import Keeper
from domain.files.ctf_writer import CtfPupil, Destination
from domain.files.reader import read_pupil_file
from domain.identifiers import new_id
from domain.particulars import PupilParticulars
from domain.periods import meals_on, provision_on
from domain.pupil import PupilNames, PupilRecord
from domain.pupil_record import CarePeriod, OtherElement, Period, SchoolAttended, SenPeriod, YearAttended
from tests.application.conftest import RegisteredSchool, registered_school
from tests.application.examples import (
    TODAY,
    YEAR,
    Child,
    admitted,
    brought_by_a_file,
    child,
    children,
    ctf_of,
)
from tests.unit.files import children as strategies
from tests.unit.files.test_ctf_both_ways import as_a_file_tells_it, elements_of

EVERYBODY = Selection()
Told = tuple[PupilNames, PupilRecord, tuple[Result, ...]]

KS1 = Result(
    scheme="statutory",
    subject="ENG",
    value="EXS",
    academic_year=YEAR - 2,
    stage="KS1",
    component="REA",
    method="TA",
)


def taken_in(into: RegisteredSchool, content: bytes, joined_on: date | None = None) -> ImportReport:
    return import_file(into.application, content, into.teacher, dry_run=False, joined_on=joined_on)


def with_results(registered: RegisteredSchool, pupil_id: UUID, results: Sequence[Result]) -> None:
    log = assessments_of(pupil_id)
    events = [
        AssessmentRecorded(
            originator_id=log,
            originator_version=version,
            actor=registered.teacher,
            assessment_id=new_id(),
            pupil_id=pupil_id,
            result=result,
        )
        for version, result in enumerate(results, start=1)
    ]
    registered.application.carry_out(lambda: Decision(events, True), bool)


def test_what_has_run_out_is_not_told_as_if_it_went_on(registered: RegisteredSchool) -> None:
    """The plain fields say what was so when they were written, and this was written last year."""
    over: dict[str, Any] = {"start": TODAY - timedelta(days=400), "end": TODAY - timedelta(days=1)}
    ended = child(
        1,
        free_school_meals=True,
        meals_periods=(Period(**over),),
        sen_provision="K",
        sen_periods=(SenPeriod(provision="K", **over),),
        in_care=True,
        care_periods=(CarePeriod(**over),),
    )
    [pupil_id] = brought_by_a_file(registered.application, registered.teacher, ended)
    content = export_csv(registered.application, Selection(pupil_id=pupil_id)).content.decode()
    [row] = csv.DictReader(content.splitlines())
    said = (row["Eligible for free meals"], row["SEN Status code"], row["In LEA Care"])
    assert said == ("F", "", "F")


def as_of_today(some: Child) -> Child:
    """The pupil as a file of today may hold it."""
    names, record = some
    totals = record.attendance and msgspec.structs.replace(record.attendance, academic_year=YEAR)
    record = msgspec.structs.replace(record, attendance=totals)
    if record.meals_periods:
        record = msgspec.structs.replace(record, free_school_meals=meals_on(record, TODAY))
    if record.sen_periods:
        record = msgspec.structs.replace(record, sen_provision=provision_on(record, TODAY))
    return names, record


schools_of_pupils = st.lists(
    st.tuples(
        strategies.whole_pupils().map(as_of_today),
        st.lists(strategies.results, max_size=4, unique_by=cell_of).map(tuple),
    ),
    max_size=4,
    unique_by=lambda each: strategies.distinct(each[0]),
).filter(lambda roll: strategies.with_own_upns([names for (names, _), _ in roll]))


def told_of(school: SchoolApplication) -> list[Told]:
    """Everybody and their results, in the order of names."""
    everybody = sorted(school.roll().values(), key=lambda each: (each.names.surname, each.names.forename))
    return [
        (
            pupil.names,
            pupil.record,
            tuple(each.result for each in assessing.assessments(school, pupil.id).values()),
        )
        for pupil in everybody
    ]


def same(found: list[Told], wanted: list[Told]) -> None:
    assert len(found) == len(wanted)
    for (names, record, results), (names_then, record_then, results_then) in zip(found, wanted, strict=True):
        assert elements_of(names) == elements_of(names_then)
        kept = names.other_elements
        assert names == msgspec.structs.replace(names_then, other_elements=kept)
        assert record == as_a_file_tells_it(record_then, TODAY)
        assert set(map(msgspec.json.encode, results)) == set(map(msgspec.json.encode, results_then))


def moves_as_a_whole(schools: Schools, roll: Sequence[tuple[Child, Sequence[Result]]]) -> None:
    """The property: exported and imported into an empty school, it is the same; once more changes nothing."""
    before, after = registered_school(schools), registered_school(schools)
    ids = brought_by_a_file(before.application, before.teacher, *(some for some, _ in roll))
    for pupil_id, (_, results) in zip(ids, roll, strict=True):
        with_results(before, pupil_id, results)
    export = export_ctf(before.application, EVERYBODY)
    assert set(export.pupil_ids) == set(ids)
    report = taken_in(after, export.content)
    assert report.counts.created == len(roll)
    assert report.dropped == {}
    same(told_of(after.application), told_of(before.application))
    for school in (before, after):
        head = school.application.stream.head()
        again = taken_in(school, export.content)
        assert [row.outcome.value for row in again.rows] == ["unchanged"] * len(roll), again.rows
        assert school.application.stream.head() == head


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a smaller school takes minutes to be found
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(roll=schools_of_pupils)
def test_a_school_moves_as_a_whole(schools: Schools, roll: list[tuple[Child, tuple[Result, ...]]]) -> None:
    moves_as_a_whole(schools, roll)


RICH: Child = child(
    1,
    class_name=None,
    middle_names="Ida",
    sen_provision="K",
    sen_periods=(SenPeriod(start=date(2021, 9, 1), provision="K"),),
    other_elements=(OtherElement(xml="<CareAuthority>881</CareAuthority>", path="LookedAfter"),),
)


def test_a_writer_that_forgets_an_element_fails_it(schools: Schools, monkeypatch: pytest.MonkeyPatch) -> None:
    moves_as_a_whole(schools, [(RICH, [KS1])])
    part = domain.files.ctf_writer._part
    monkeypatch.setattr(
        domain.files.ctf_writer, "_part", lambda tag, text: [] if tag == "MiddleNames" else part(tag, text)
    )
    with pytest.raises(AssertionError):
        moves_as_a_whole(schools, [(RICH, [KS1])])


def test_a_reader_that_drops_what_it_does_not_know_fails_it(
    schools: Schools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keeper, "keep", lambda *_: None)
    with pytest.raises(AssertionError):
        moves_as_a_whole(schools, [(RICH, [KS1])])


def of_columns(some: Child) -> tuple[object, ...]:
    names, record = some
    told = (names.surname, names.forename, names.date_of_birth, names.upn, names.postcode)
    fields = ("sex", "date_of_entry", "nc_year", "class_name", "free_school_meals", "first_language")
    more = ("ethnicity", "in_care", "gifted", "attendance")
    return (*told, *(getattr(record, field) for field in (*fields, *more)), record.sen_provision or "N")


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    roll=st.lists(
        st.tuples(strategies.names, strategies.records).map(as_of_today),
        max_size=4,
        unique_by=strategies.distinct,
    ).filter(lambda roll: strategies.with_own_upns([names for names, _ in roll]))
)
def test_the_18_columns_come_back(schools: Schools, roll: list[Child]) -> None:
    before, after = registered_school(schools), registered_school(schools)
    brought_by_a_file(before.application, before.teacher, *roll)
    content = export_csv(before.application, EVERYBODY).content
    taken_in(after, content)
    there = [(names, record) for names, record, _ in told_of(after.application)]
    then = [(names, record) for names, record, _ in told_of(before.application)]
    assert list(map(of_columns, there)) == list(map(of_columns, then))
    assert taken_in(after, content).counts.unchanged == len(roll)


def exported(registered: RegisteredSchool, pupil_id: UUID) -> str:
    return export_ctf(registered.application, Selection(pupil_id=pupil_id)).content.decode()


def test_a_child_goes_to_another_school_with_its_history(
    schools: Schools, registered: RegisteredSchool
) -> None:
    """The leaver's file brings the history under the keys of the new school."""
    school = registered.application
    some = child(
        1,
        postcode="CM1 1QH",
        meals_periods=(Period(start=date(2022, 9, 1)),),
        free_school_meals=True,
        previous_schools=(SchoolAttended(name="Elm Bank Infant School", local_authority="882"),),
    )
    [pupil_id] = brought_by_a_file(school, registered.teacher, some)
    with_results(registered, pupil_id, [KS1])
    pupils.leave(
        school,
        pupil_id,
        TODAY,
        1,
        registered.teacher,
        reason="moved away",
        reason_code="st",
        destination_school="882/3003",
    )
    left = school.pupil(pupil_id)
    assert (left.leaving_reason, left.destination) == ("ST", domain.pupil.Destination("882", "3003"))
    export = export_ctf(school, Selection(pupil_id=pupil_id))
    assert export.name == "8812001_CTF_8823003_001.xml"
    assert "moved away" not in export.content.decode(), "words are the school's own"
    new = registered_school(schools, "8823003")
    with pytest.raises(InvalidInput) as refused:
        taken_in(new, export.content)
    assert "joined_on" in refused.value.findings[0].accepted
    report = taken_in(new, export.content, joined_on=TODAY)
    assert report.counts.created == 1
    [joined] = new.application.roll().values()
    assert joined.record.date_of_entry == TODAY
    assert joined.record.meals_periods == some[1].meals_periods
    assert joined.names.previous_schools == (
        *some[0].previous_schools,
        SchoolAttended(
            name="Made-up Primary School",
            local_authority="881",
            establishment="2001",
            entered_on=some[1].date_of_entry,
            left_on=TODAY,
            leaving_reason="ST",
        ),
    )
    [result] = assessing.assessments(new.application, joined.id).values()
    assert result.result == KS1
    assert taken_in(new, export.content, joined_on=TODAY).counts.unchanged == 1
    # Where the child was, the record stays readable, and no file of the old school is for this one.
    assert school.pupil(pupil_id).names == some[0]
    with pytest.raises(UnreadableFile, match="another school"):
        taken_in(registered, export.content)
    for day in (TODAY + timedelta(days=1), date(1989, 1, 1)):
        with pytest.raises(InvalidInput, match="that day"):
            taken_in(new, export.content, joined_on=day)


def test_a_class_or_one_child_or_the_roll(registered: RegisteredSchool) -> None:
    school = registered.application
    red, blue, gone = admitted(school, registered.teacher, child(1), child(2, class_name="Blue"), child(3))
    pupils.leave(school, gone, TODAY, 1, registered.teacher)
    assert export_ctf(school, EVERYBODY).pupil_ids == [red, blue]
    of_blue = Selection(class_id=school.class_id_of("Blue"))
    assert export_csv(school, of_blue).pupil_ids == export_ctf(school, of_blue).pupil_ids == [blue]
    assert "<LeavingDate>" in exported(registered, gone)
    for nobody in (Selection(pupil_id=new_id()), Selection(class_id=new_id())):
        with pytest.raises(NotFound):
            export_ctf(school, nobody)
    assert export_ctf(school, EVERYBODY, Destination("882", "3003")).name == "8812001_CTF_8823003_001.xml"


def test_whoever_was_erased_is_in_no_file(registered: RegisteredSchool) -> None:
    school = registered.application
    first, second = admitted(school, registered.teacher, *children(2))
    happened = domain.pupil.erase(school.pupil(first), domain.pupil.ErasureReason.REQUEST, registered.teacher)
    school.carry_out(lambda: Decision([happened], True), bool)
    assert export_ctf(school, EVERYBODY).pupil_ids == [second]
    with pytest.raises(Erased):
        export_ctf(school, Selection(pupil_id=first))


def test_without_the_names_key_there_is_no_file(schools: Schools, registered: RegisteredSchool) -> None:
    admitted(registered.application, registered.teacher, child(1))
    service = schools.opened_by_service(registered.application.school_id)
    exports: list[Callable[[SchoolApplication, Selection], object]] = [export_ctf, export_csv]
    for export in exports:
        with pytest.raises(KeyNotHeld):
            export(service, EVERYBODY)


def test_results_that_were_typed_in_go_too_and_do_not_come_back_twice(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = brought_by_a_file(school, registered.teacher, child(1, class_name=None))
    year = AssessmentPoint(YEAR - 1, Term.SUMMER)
    assessing.record(school, year, [Entry(pupil_id, "REA", "3s")], registered.teacher)
    typed = Result(
        scheme="mtc", subject="MAT", component="MTC", stage="KS2", method="TT", value="25",
        academic_year=YEAR - 1,
    )  # fmt: skip
    log = assessments_of(pupil_id)
    event = AssessmentRecorded(
        originator_id=log, originator_version=2, actor=registered.teacher, assessment_id=new_id(),
        pupil_id=pupil_id, result=typed,
    )  # fmt: skip
    school.carry_out(lambda: Decision([event], True), bool)
    content = exported(registered, pupil_id)
    assert content.count("<StageAssessment>") == 1, "steps have no place in it"
    for line in (f"<Year>{YEAR}</Year>", "<ResultQualifier>MT</ResultQualifier>", "<Result>25</Result>"):
        assert line in content
    assert taken_in(registered, content.encode()).counts.results == 0


def test_attendance_is_counted_from_registers(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    day = date(YEAR - 1, 11, 2)
    while day.weekday() > 4:
        day += timedelta(days=1)
    attending.mark(school, [DayEntry(pupil_id=pupil_id, day=day, am="/", pm="I")], registered.teacher)
    earlier = Totals(
        first_day=date(YEAR - 2, 9, 1), last_day=date(YEAR - 1, 8, 31),
        possible=380, attended=370, authorised=9, unauthorised=1,
    )  # fmt: skip
    attending.record_totals(school, pupil_id, earlier, registered.teacher)
    file = read_pupil_file(
        exported(registered, pupil_id).encode(), academic_year=YEAR, today=TODAY, school=("881", "2001")
    )
    names = file.rows[0].names
    assert names is not None
    assert names.attendance_before == (
        YearAttended(academic_year=YEAR - 2, possible=380, authorised=9, unauthorised=1),
        YearAttended(academic_year=YEAR - 1, possible=2, authorised=1, unauthorised=0),
    )


def test_the_18_columns_say_what_is_so_today(registered: RegisteredSchool) -> None:
    school = registered.application
    ended = TODAY - timedelta(days=1)
    totals = domain.pupil.AttendanceTotals(academic_year=YEAR - 1, possible=380, authorised=4, unauthorised=0)
    # As the record was written before the meals and the provision ended, and before the year did.
    stale = child(
        1,
        free_school_meals=True,
        meals_periods=(Period(start=date(YEAR - 2, 9, 1), end=ended),),
        sen_provision="K",
        sen_periods=(SenPeriod(start=date(YEAR - 2, 9, 1), end=ended, provision="K"),),
        attendance=totals,
    )
    [pupil_id] = brought_by_a_file(school, registered.teacher, stale)

    def told() -> PupilRecord:
        content = export_csv(school, Selection(pupil_id=pupil_id)).content
        [row] = read_pupil_file(content, academic_year=YEAR, today=TODAY).rows
        assert row.record is not None
        return row.record

    record = told()
    assert (record.free_school_meals, record.sen_provision, record.attendance) == (False, "N", None)
    now = Totals(
        first_day=date(YEAR, 9, 1), last_day=TODAY, possible=20, attended=18, authorised=1, unauthorised=1
    )
    attending.record_totals(school, pupil_id, now, registered.teacher)
    assert told().attendance == domain.pupil.AttendanceTotals(
        academic_year=YEAR, possible=20, authorised=1, unauthorised=1
    )


def test_a_year_that_ends_is_kept_among_those_before(registered: RegisteredSchool) -> None:
    school = registered.application
    totals = domain.pupil.AttendanceTotals(academic_year=YEAR - 1, possible=380, authorised=4, unauthorised=0)
    [pupil_id] = brought_by_a_file(school, registered.teacher, child(1, class_name=None, attendance=totals))
    now = msgspec.structs.replace(totals, academic_year=YEAR, possible=20, authorised=1)
    names, record = child(1, class_name=None, attendance=now)
    taken_in(registered, ctf_of(CtfPupil(names=names, record=record)))
    pupil = school.pupil(pupil_id)
    assert pupil.record.attendance == now
    assert pupil.names.attendance_before == (
        YearAttended(academic_year=YEAR - 1, possible=380, authorised=4, unauthorised=0),
    )


def test_lists_of_the_past_grow_and_what_was_typed_in_stays(registered: RegisteredSchool) -> None:
    school = registered.application
    elm, ash = (SchoolAttended(name=name, entered_on=date(2019, 9, 2)) for name in ("Elm", "Ash"))
    diet, fear = (OtherElement(xml=f"<{tag}>1</{tag}>", after="Sex") for tag in ("Diet", "Fear"))
    one = child(1, class_name=None, previous_schools=(elm,), other_elements=(diet,))
    [pupil_id] = brought_by_a_file(school, registered.teacher, one)

    def told(*schools: SchoolAttended, elements: tuple[OtherElement, ...]) -> ImportReport:
        names, record = child(1, class_name=None, previous_schools=schools, other_elements=elements)
        return taken_in(registered, ctf_of(CtfPupil(names=names, record=record)))

    more = msgspec.structs.replace(diet, xml="<Diet>2</Diet>")
    left = msgspec.structs.replace(elm, left_on=date(2020, 7, 1))
    told(ash, left, elements=(fear, more))
    names = school.pupil(pupil_id).names
    assert names.previous_schools == (ash, left)
    assert names.other_elements == (fear, more)
    pupils.change(school, pupil_id, PupilParticulars(previous_schools=(ash,)), 2, registered.teacher)
    report = told(left, elements=(fear,))
    assert report.rows[0].kept == ("previous_schools",)
    assert school.pupil(pupil_id).names.previous_schools == (ash,)
