"""Recording assessments, whole sheets at once or none of it, and correcting them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from domain.academic_year import TERMS, AssessmentPoint, Term, academic_year_of
from domain.application import assessing, importing, pupils
from domain.application.assessing import Entry
from domain.application.school_application import CommandKey, SchoolApplication, assessments_of
from domain.assessment import AssessmentRecorded, Result
from domain.codes.sets import SUBJECT
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.files.ctf_writer import CtfPupil
from domain.identifiers import new_id
from domain.particulars import PupilParticulars
from tests.application.conftest import RegisteredSchool
from tests.application.examples import (
    NOW,
    TODAY,
    YEAR,
    admitted,
    at_once,
    child,
    children,
    csv_of,
    ctf_of,
    events,
    fields_of,
    point_before,
    topics,
)

THEN = point_before(1)
FIVE = ("REA", "WRI", "MAT", "SCI", "GPS")


def results(school: SchoolApplication, pupil_id: UUID) -> list[Result]:
    return [assessment.result for assessment in assessing.assessments(school, pupil_id).values()]


def test_one_assessment(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    day = date(YEAR, 7, 1)
    made = assessing.record(
        school, THEN, [Entry(pupil_id, "rea", " 3W+ ")], registered.teacher, assessed_on=day
    )
    [assessment_id] = made.result.assessment_ids
    there = assessing.assessments(school, pupil_id)
    assert list(there) == [assessment_id]
    assert not there[assessment_id].corrected
    assert there[assessment_id].result == Result(
        scheme="steps",
        subject="REA",
        value="3w+",
        academic_year=YEAR - 1,
        term="summer",
        nc_year="3",
        assessed_on=day,
    )
    [stored] = school.stream.events_of(assessments_of(pupil_id))
    assert stored.id == made.position == school.stream.head().position


def test_of_a_leaver_the_year_is_the_one_that_it_was_in_then(registered: RegisteredSchool) -> None:
    """Results of Year 6 come when the children are gone, and their records do not move up any more."""
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    last = AssessmentPoint(YEAR - 2, Term.SUMMER)
    nc_year = school.pupil(pupil_id).record.nc_year
    pupils.leave(school, pupil_id, date(YEAR - 1, 7, 20), 1, registered.teacher)
    assessing.record(school, last, [Entry(pupil_id, "REA", "3w")], registered.teacher)
    assert [result.nc_year for result in results(school, pupil_id)] == [nc_year]


def test_a_sheet_of_thirty_by_five_is_one_append(registered: RegisteredSchool) -> None:
    school = registered.application
    importing.import_file(school, csv_of(children(30)), registered.teacher, dry_run=False)
    ids = list(school.roll())
    before = school.stream.head().position
    entries = [Entry(pupil_id, subject, "3s") for pupil_id in ids for subject in FIVE]
    made = assessing.record(school, THEN, entries, registered.teacher)
    added = events(school)[before:]
    assert len(added) == len(set(made.result.assessment_ids)) == 150
    assert [event.id for event in added] == list(range(before + 1, made.position + 1))
    assert len({event.recorded_at for event in added}) == 1
    assert {event.topic for event in added} == {"assessment.recorded.1"}
    for pupil_id in ids:
        assert [result.subject for result in results(school, pupil_id)] == list(FIVE)
        versions = [event.originator_version for event in school.stream.events_of(assessments_of(pupil_id))]
        assert versions == [1, 2, 3, 4, 5]
    in_order = list(assessing.assessments(school, ids[7]))
    assert made.result.assessment_ids[35:40] == in_order


def test_a_sheet_is_recorded_whole_or_not_at_all(registered: RegisteredSchool) -> None:
    school = registered.application
    one, other = admitted(school, registered.teacher, *children(2))
    nobody = new_id()
    head = school.stream.head()
    with pytest.raises(InvalidInput) as refused:
        assessing.record(
            school,
            THEN,
            [
                Entry(one, "REA", "3w+"),
                Entry(one, "XYZ", "3w+"),
                Entry(one, "WRI", "9z"),
                Entry(nobody, "WRI", "3w"),
                Entry(other, "MAT", "3w"),
                Entry(other, "mat", "3s"),
                Entry(nobody, "??", ""),
            ],
            registered.teacher,
        )
    found = [(finding.row, finding.field) for finding in refused.value.findings]
    wanted = [(2, "subject"), (3, "value"), (4, "pupil_id"), (6, "subject"), (7, "pupil_id")]
    assert found == [*wanted, (7, "subject"), (7, "value")]
    accepted = {finding.row: finding.accepted for finding in refused.value.findings}
    assert "entry 5 is the same" in accepted[6]
    assert school.stream.head() == head


def test_an_empty_sheet_is_refused(registered: RegisteredSchool) -> None:
    with pytest.raises(InvalidInput):
        assessing.record(registered.application, THEN, [], registered.teacher)


def test_only_pupils_are_assessed(registered: RegisteredSchool) -> None:
    assert registered.teacher.staff_id
    with pytest.raises(InvalidInput) as refused:
        assessing.record(
            registered.application,
            THEN,
            [Entry(registered.teacher.staff_id, "REA", "3w")],
            registered.teacher,
        )
    assert fields_of(refused.value.findings) == ["pupil_id"]


def test_terms_that_have_not_begun_or_never_were_are_refused(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    entries = [Entry(pupil_id, "REA", "3w")]
    later = [
        AssessmentPoint(YEAR, term) for term in TERMS if AssessmentPoint(YEAR, term).ends_on > NOW.ends_on
    ]
    never = [AssessmentPoint(year, Term.AUTUMN) for year in (-(10**9), 0, 1899, 1989, YEAR + 1, 9999, 10**9)]
    for point in (*later, *never):
        with pytest.raises(InvalidInput) as refused:
            assessing.record(school, point, entries, registered.teacher)
        assert fields_of(refused.value.findings) == ["term"]
        assert NOW.label in refused.value.findings[0].accepted
    # The term that it is now may be assessed before it is over.
    assert assessing.record(school, NOW, entries, registered.teacher).result.assessment_ids


@pytest.mark.parametrize(
    ("nc_year", "years_ago", "then"),
    [
        ("4", 0, "4"),
        ("4", 1, "3"),
        ("4", 4, "R"),
        ("4", 6, "N1"),
        ("4", 7, None),
        ("X", 1, None),
        (None, 0, None),
    ],
)
def test_a_judgement_of_an_earlier_year_is_of_the_nc_year_then(
    registered: RegisteredSchool, nc_year: str | None, years_ago: int, then: str | None
) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1, nc_year=nc_year))
    point = AssessmentPoint(academic_year_of(TODAY) - years_ago, Term.AUTUMN)
    assessing.record(school, point, [Entry(pupil_id, "REA", "3w")], registered.teacher)
    assert [result.nc_year for result in results(school, pupil_id)] == [then]


def test_every_subject_may_be_assessed(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    assessing.record(
        school, THEN, [Entry(pupil_id, subject, "1b") for subject in SUBJECT], registered.teacher
    )
    assert {result.subject for result in results(school, pupil_id)} == set(SUBJECT)


def test_a_correction_keeps_what_was_entered_first(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    made = assessing.record(
        school, THEN, [Entry(pupil_id, "REA", "3w+"), Entry(pupil_id, "MAT", "2s")], registered.teacher
    )
    before = events(school)
    assessment_id = made.result.assessment_ids[0]
    # Meanwhile the child has gone up a year: the judgement stays one of the year in which it was made.
    pupils.change(school, pupil_id, PupilParticulars(nc_year="5"), 1, registered.teacher)
    corrected = assessing.correct(school, pupil_id, assessment_id, "3s", registered.teacher, reason="a slip")
    after = events(school)
    assert after[: len(before)] == before
    assert [event.topic for event in after[len(before) :]] == ["pupil.changed.1", "assessment.corrected.1"]
    assert corrected.position == after[-1].id
    first, second = assessing.assessments(school, pupil_id).values()
    assert (first.id, first.corrected, first.result.value, first.result.nc_year) == (
        assessment_id,
        True,
        "3s",
        "3",
    )
    assert (second.corrected, second.result.value) == (False, "2s")
    original = school.mapper.to_domain_event(before[-2])
    assert isinstance(original, AssessmentRecorded)
    assert original.result.value == "3w+"


def test_what_cannot_be_corrected(registered: RegisteredSchool) -> None:
    school = registered.application
    names, record = child(1)
    statutory = Result(scheme="statutory", subject="ENG", value="EXS", academic_year=YEAR - 1, stage="KS1")
    content = ctf_of(CtfPupil(names=names, record=record, results=(statutory,)))
    importing.import_file(school, content, registered.teacher, dry_run=False)
    [pupil_id] = school.roll()
    [from_file] = assessing.assessments(school, pupil_id)
    made = assessing.record(school, THEN, [Entry(pupil_id, "REA", "3w")], registered.teacher)
    [other] = admitted(school, registered.teacher, child(2))
    [ours] = made.result.assessment_ids
    head = school.stream.head()
    for pupil, assessment_id, value, refusal in (
        (pupil_id, new_id(), "3w", NotFound),
        (other, ours, "3w", NotFound),
        (new_id(), ours, "3w", NotFound),
        (pupil_id, ours, "9z", InvalidInput),
        (pupil_id, from_file, "3w", InvalidInput),
    ):
        with pytest.raises(refusal):
            assessing.correct(school, pupil, assessment_id, value, registered.teacher)
    assert school.stream.head() == head


def test_limited_users_record_their_own_classes_only(registered: RegisteredSchool) -> None:
    school = registered.application
    red, blue, none = admitted(
        school, registered.teacher, child(1), child(2, class_name="Blue"), child(3, class_name=None)
    )

    def record(only: list[str], *ids: UUID) -> list[UUID]:
        entries = [Entry(pupil_id, "REA", "3w") for pupil_id in ids]
        made = assessing.record(school, THEN, entries, registered.teacher, only_classes=only)
        return made.result.assessment_ids

    [assessment_id] = record(["RED"], red)
    assert record(["Red", "Blue"], red, blue)
    head = school.stream.head()
    for only, ids in ((["Red"], (red, blue)), (["Red", "Blue"], (none,)), ([], (red,)), (["Re"], (red,))):
        with pytest.raises(NotPermitted):
            record(only, *ids)
    with pytest.raises(NotPermitted):
        assessing.correct(school, red, assessment_id, "3s", registered.teacher, only_classes=["Blue"])
    assert school.stream.head() == head
    assert assessing.correct(school, red, assessment_id, "3s", registered.teacher, only_classes=["red"])


def test_a_repeated_sheet_is_recorded_once(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    entries, key = [Entry(pupil_id, "REA", "3w")], CommandKey("key", b"content")
    first = assessing.record(school, THEN, entries, registered.teacher, command=key)
    again = assessing.record(school, THEN, entries, registered.teacher, command=key)
    assert (again.result, again.position, again.repeated) == (first.result, first.position, True)
    corrections = [
        assessing.correct(
            school,
            pupil_id,
            first.result.assessment_ids[0],
            "3s",
            registered.teacher,
            command=CommandKey("k2", b""),
        )
        for _ in range(2)
    ]
    assert [outcome.repeated for outcome in corrections] == [False, True]
    assert (
        topics(school).count("assessment.recorded.1") == topics(school).count("assessment.corrected.1") == 1
    )


def test_sheets_of_the_same_pupils_at_once_are_all_recorded(registered: RegisteredSchool) -> None:
    school = registered.application
    ids = admitted(school, registered.teacher, *children(5))
    answers = at_once(
        *(
            lambda s=subject: assessing.record(
                school, THEN, [Entry(pupil_id, s, "3w") for pupil_id in ids], registered.teacher
            )
            for subject in FIVE
        )
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    for pupil_id in ids:
        assert sorted(result.subject for result in results(school, pupil_id)) == sorted(FIVE)
