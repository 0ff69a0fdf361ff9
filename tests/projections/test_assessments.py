"""The newest result in each cell, and what the school contributes to benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest

from domain.academic_year import AssessmentPoint, Term
from domain.application import assessing, importing, pupils
from domain.application.assessing import Entry
from domain.application.school_application import SchoolApplication
from domain.assessment import Result
from domain.files.ctf_writer import CtfPupil
from domain.ledger.database import Database
from domain.particulars import PupilParticulars
from projections import assessments as views
from projections.assessments import AssessmentView
from projections.runner import keys_of
from tests.application.conftest import RegisteredSchool
from tests.application.examples import YEAR, admitted, child, children, ctf_of, point_before
from tests.keys import SERVICE_KEYS
from tests.projections.catching_up import caught_up
from tests.projections.counted import counted

THEN = point_before(1)
"""The summer of the year before: children of Year 4 were in Year 3, and 3s is what was expected."""

Contributions = dict[tuple[str, str], tuple[int, ...]]


@pytest.fixture(params=["each event by itself", "all at once"])
def step(request: pytest.FixtureRequest, worker: Database) -> Callable[[], None]:
    """Lets the projection catch up between events, or not before the end."""

    def between() -> None:
        if request.param == "each event by itself":
            caught_up(worker)

    return between


def record(registered: RegisteredSchool, pupil_id: UUID, value: str, subject: str = "REA") -> UUID:
    made = assessing.record(
        registered.application, THEN, [Entry(pupil_id, subject, value)], registered.teacher
    )
    return made.result.assessment_ids[0]


def correct(registered: RegisteredSchool, pupil_id: UUID, assessment_id: UUID, value: str) -> None:
    assessing.correct(registered.application, pupil_id, assessment_id, value, registered.teacher)


def latest(school: SchoolApplication, pupil_id: UUID) -> list[AssessmentView]:
    with school.database.bound_to(school.school_id) as connection:
        return views.latest(connection, school.keys, pupil_id)


def contributions(worker: Database, school: SchoolApplication) -> Contributions:
    """Below, at and above, by subject and NC year, as they are counted for a release."""
    with worker.bound_to(school.school_id) as connection:
        found = counted(connection, keys_of(connection, school.school_id, SERVICE_KEYS))
    found = {what: pupils for what, pupils in found.items() if what[:2] == (YEAR - 1, "summer")}
    return {
        (subject, nc_year): tuple(
            found.get((year, term, subject, nc_year, place), 0) for place in ("below", "at", "above")
        )
        for year, term, subject, nc_year, _ in found
    }


def test_a_later_entry_takes_the_place_of_an_earlier_one(
    registered: RegisteredSchool, worker: Database, step: Callable[[], None]
) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    record(registered, pupil_id, "2s")
    step()
    newest = record(registered, pupil_id, "3s")
    caught_up(worker)
    [view] = latest(school, pupil_id)
    assert (view.assessment_id, view.result.value, view.corrected) == (newest, "3s", False)
    assert view.position == school.stream.head().position
    assert contributions(worker, school) == {("REA", "3"): (0, 1, 0)}


def test_a_correction_takes_the_place_of_the_entry_that_it_corrects(
    registered: RegisteredSchool, worker: Database, step: Callable[[], None]
) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    assessment_id = record(registered, pupil_id, "2s")
    for value, counts in (("3s+", (0, 1, 0)), ("4b", (0, 0, 1)), ("1b", (1, 0, 0))):
        step()
        correct(registered, pupil_id, assessment_id, value)
        last = counts
    caught_up(worker)
    [view] = latest(school, pupil_id)
    assert (view.assessment_id, view.result.value, view.corrected) == (assessment_id, "1b", True)
    assert contributions(worker, school) == {("REA", "3"): last}


def test_a_correction_of_a_superseded_entry_changes_nothing(
    registered: RegisteredSchool, worker: Database, step: Callable[[], None]
) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    first = record(registered, pupil_id, "2s")
    step()
    second = record(registered, pupil_id, "3s")
    step()
    correct(registered, pupil_id, first, "6s")
    caught_up(worker)
    [view] = latest(school, pupil_id)
    assert (view.assessment_id, view.result.value, view.corrected) == (second, "3s", False)
    assert contributions(worker, school) == {("REA", "3"): (0, 1, 0)}
    correct(registered, pupil_id, second, "4b")
    step()
    third = record(registered, pupil_id, "2b")
    caught_up(worker)
    [view] = latest(school, pupil_id)
    assert (view.assessment_id, view.corrected) == (third, False)
    assert contributions(worker, school) == {("REA", "3"): (1, 0, 0)}


def test_an_entry_of_a_child_whose_year_was_wrong_counts_where_it_should(
    registered: RegisteredSchool, worker: Database, step: Callable[[], None]
) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    record(registered, pupil_id, "3s")
    step()
    pupils.change(school, pupil_id, PupilParticulars(nc_year="5"), 1, registered.teacher)
    record(registered, pupil_id, "3s")
    caught_up(worker)
    assert contributions(worker, school) == {("REA", "4"): (1, 0, 0)}


def test_contributions_count_pupils_by_subject_and_standing(
    registered: RegisteredSchool, worker: Database
) -> None:
    school = registered.application
    ids = admitted(school, registered.teacher, *children(6), child(7, nc_year="5"), child(8, nc_year="R"))
    for pupil_id, value in zip(ids, ("2s", "2s", "3b", "3s", "3s+", "4b", "4s", "1b"), strict=True):
        record(registered, pupil_id, value)
    record(registered, ids[0], "3s", "MAT")
    caught_up(worker)
    assert contributions(worker, school) == {
        ("REA", "3"): (3, 2, 1),
        ("REA", "4"): (0, 1, 0),
        ("MAT", "3"): (0, 1, 0),
    }


def test_results_without_an_expectation_are_shown_and_not_counted(
    registered: RegisteredSchool, worker: Database
) -> None:
    school = registered.application
    common = partial(Result, scheme="statutory", subject="ENG", academic_year=YEAR - 2, stage="KS1")
    results = (common(value="EXS", component="REA"), common(value="GDS", component="WRI"))
    names, record_ = child(1, class_name=None, nc_year="X")
    content = ctf_of(CtfPupil(names=names, record=record_, results=results))
    importing.import_file(school, content, registered.teacher, dry_run=False)
    [pupil_id] = school.roll()
    record(registered, pupil_id, "3s")
    caught_up(worker)
    shown = [view.result for view in latest(school, pupil_id)]
    assert shown[0].scheme == "steps", "the newest year comes first"
    assert shown[1:] == list(results)
    assert contributions(worker, school) == {}
    better = common(value="EXS", component="WRI")
    content = ctf_of(CtfPupil(names=names, record=record_, results=(results[0], better)))
    importing.import_file(school, content, registered.teacher, dry_run=False)
    caught_up(worker)
    assert {(view.result.value, view.corrected) for view in latest(school, pupil_id)[1:]} == {
        ("EXS", False),
        ("EXS", True),
    }


def test_a_sheet_is_of_some_pupils_one_point_and_one_scale(
    registered: RegisteredSchool, worker: Database
) -> None:
    school = registered.application
    ids = admitted(school, registered.teacher, *children(4))
    entries = [Entry(pupil_id, subject, "3s") for pupil_id in ids for subject in ("REA", "MAT")]
    earlier = AssessmentPoint(YEAR - 1, Term.SPRING)
    for point in (THEN, earlier):
        assessing.record(school, point, entries, registered.teacher)
    caught_up(worker)
    with school.database.bound_to(school.school_id) as connection:
        sheet = views.sheet(connection, school.keys, ids[:3], THEN)
        nothing = views.sheet(connection, school.keys, ids, AssessmentPoint(YEAR - 3, Term.SUMMER))
        other_scale = views.sheet(connection, school.keys, ids, THEN, "statutory")
    assert sorted((view.pupil_id, view.result.subject) for view in sheet) == sorted(
        (pupil_id, subject) for pupil_id in ids[:3] for subject in ("REA", "MAT")
    )
    assert {(view.result.academic_year, view.result.term) for view in sheet} == {(YEAR - 1, "summer")}
    assert nothing == other_scale == []
