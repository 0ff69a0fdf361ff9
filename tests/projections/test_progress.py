"""What progress reads: the newest result of each thing, of whoever was there, as somebody's keys open it."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.academic_year import AssessmentPoint, Term, When, WholeYear
from domain.application import assessing, importing, pupils
from domain.application.assessing import Entry
from domain.application.nc_years import years_of_records
from domain.application.school_application import SchoolApplication
from domain.assessment import Result
from domain.errors import DoesNotOpen
from domain.files.ctf_writer import CtfPupil
from domain.ledger.database import Database
from domain.progress.figures import Figures
from domain.progress.groups import Group
from domain.progress.question import Question
from domain.progress.report import report
from domain.schemes.catalogue import KS1_TEACHER, STEPS
from projections import progress
from projections.progress import Cohort
from tests.application.conftest import RegisteredSchool
from tests.application.examples import TODAY, YEAR, admitted, child, children, ctf_of, point_before
from tests.conftest import TestDatabase
from tests.projections.catching_up import caught_up
from tests.projections.erasures import erase

START, MIDDLE, END = point_before(2), AssessmentPoint(YEAR - 1, Term.AUTUMN), point_before(1)
QUESTION = Question.ask(START, END, STEPS)


def record(
    registered: RegisteredSchool, at: When, *entries: tuple[UUID, str], scheme: str = STEPS
) -> list[UUID]:
    made = assessing.record(
        registered.application,
        at,
        [Entry(pupil_id, "REA", value) for pupil_id, value in entries],
        registered.teacher,
        scheme=scheme,
    )
    return made.result.assessment_ids


def read(school: SchoolApplication, question: Question = QUESTION, **asked: Any) -> Cohort:
    """The cohort, as a request opens it: with keys that are at hand for this alone."""
    keys = school.opened_with(school.keys.school).keys
    with school.database.bound_to(school.school_id) as connection:
        return progress.cohort(connection, keys, question, TODAY, **asked)


def whole(school: SchoolApplication, question: Question = QUESTION, **asked: Any) -> Figures:
    found = read(school, question, **asked)
    return report(question, found.members, found.results).whole["REA"]


def test_the_newest_of_each_is_read_at_every_point_between(
    registered: RegisteredSchool, worker: Database
) -> None:
    school = registered.application
    one, two = admitted(school, registered.teacher, *children(2))
    for at, first, second in ((START, "2s", "2w"), (MIDDLE, "3b", "2s"), (END, "3w", "3b")):
        record(registered, at, (one, first), (two, second))
    record(registered, END, (one, "3s+"))
    for outside in (point_before(3), AssessmentPoint(YEAR - 2, Term.AUTUMN)):
        record(registered, outside, (one, "1b"))
    caught_up(worker)
    found = read(school)
    values = {
        pupil_id: {at: entry.value for at, entry in courses["REA"].items()}
        for pupil_id, courses in found.results.items()
    }
    assert values == {
        one: {START: "2s", MIDDLE: "3b", END: "3s+"},
        two: {START: "2w", MIDDLE: "2s", END: "3b"},
    }
    assert list(found.views) == sorted([one, two])
    figures = whole(school)
    # 11 and 9 became 18 and 13; a year is six steps.
    assert (figures.start_points, figures.end_points, figures.matched) == (20, 31, 2)
    assert (figures.verdicts.more, figures.verdicts.less) == (1, 1)


def test_a_correction_of_what_was_replaced_changes_nothing(
    registered: RegisteredSchool, worker: Database
) -> None:
    """The rule is the order in which entries were made, whatever was corrected when."""
    school, teacher = registered.application, registered.teacher
    [pupil_id] = admitted(school, teacher, child(1))
    [first] = record(registered, END, (pupil_id, "2s"))
    [second] = record(registered, END, (pupil_id, "3s"))
    assessing.correct(school, pupil_id, first, "6s", teacher)
    caught_up(worker)
    assert read(school).results[pupil_id]["REA"][END].value == "3s"
    assessing.void(school, pupil_id, second, "Another child's", teacher)
    caught_up(worker)
    assert read(school).results[pupil_id]["REA"][END].value == "6s"
    assessing.void(school, pupil_id, first, "This, too", teacher)
    caught_up(worker)
    assert "REA" not in read(school).results.get(pupil_id, {})


def test_who_was_there(registered: RegisteredSchool, worker: Database) -> None:
    school, teacher = registered.application, registered.teacher
    stays, joins, left, long_gone, new = admitted(
        school,
        teacher,
        child(1),
        child(2, date_of_entry=MIDDLE.ends_on),
        child(3),
        child(4),
        child(5, date_of_entry=END.ends_on.replace(month=9, day=1)),
    )
    record(registered, START, (stays, "2s"), (left, "2s"), (long_gone, "2s"))
    record(registered, END, (stays, "3s"), (joins, "3s"))
    pupils.leave(school, left, MIDDLE.ends_on, 1, teacher)
    pupils.leave(school, long_gone, point_before(3).ends_on, 1, teacher)
    caught_up(worker)
    found = read(school)
    # Whoever has a result counts, even if the roll says otherwise; who has none must have been there.
    assert set(found.views) == {stays, joins, left, long_gone}
    assert new not in found.views
    figures = whole(school)
    assert (figures.pupils, figures.matched, figures.only_start, figures.only_end) == (4, 1, 2, 1)


def test_a_class_a_year_and_a_subject(registered: RegisteredSchool, worker: Database) -> None:
    school = registered.application
    red, blue = admitted(school, registered.teacher, child(1), child(2, class_name="Blue", nc_year="5"))
    record(registered, START, (red, "2s"), (blue, "3s"))
    record(registered, END, (red, "3s"), (blue, "4s"))
    caught_up(worker)
    assert set(read(school, class_id=school.class_id_of("red")).views) == {red}
    assert set(read(school, nc_year="4").views) == {blue}, "as it was a year ago"
    found = read(school, Question.ask(START, END, STEPS, subject="MAT"))
    assert set(found.views) == {red, blue}
    assert not any(found.results.values())
    values = {member.pupil_id: member.values[Group.NC_YEAR] for member in read(school).members}
    assert values == {red: "3", blue: "4"}


def test_results_of_files_count_to_their_scheme(registered: RegisteredSchool, worker: Database) -> None:
    school = registered.application
    names, record_ = child(1, class_name=None)
    came = Result(
        scheme="statutory",
        subject="ENG",
        component="REA",
        stage="KS1",
        method="TA",
        value="EXS",
        academic_year=YEAR - 2,
    )
    content = ctf_of(CtfPupil(names=names, record=record_, results=(came,)))
    importing.import_file(school, content, registered.teacher, dry_run=False)
    [pupil_id] = school.roll()
    record(registered, END, (pupil_id, "3s"))
    caught_up(worker)
    question = Question.ask(WholeYear(YEAR - 2), END, KS1_TEACHER, end_scheme=STEPS)
    figures = whole(school, question)
    assert (figures.matched, figures.measured, figures.verdicts.not_known) == (1, 0, 1)
    # What was entered by hand later is what counts, and what came in the file before does not.
    record(registered, WholeYear(YEAR - 2), (pupil_id, "GDS"), scheme=KS1_TEACHER)
    caught_up(worker)
    found = read(school, question).results[pupil_id]["REA"]
    assert [entry.value for entry in found.values()] == ["GDS", "3s"]


def test_a_child_who_was_erased_is_in_no_figure(
    registered: RegisteredSchool, worker: Database, tmp_path: Path
) -> None:
    school = registered.application
    stays, erased = admitted(school, registered.teacher, *children(2))
    record(registered, START, (stays, "2s"), (erased, "2s"))
    record(registered, END, (stays, "3s"), (erased, "3s"))
    caught_up(worker)
    assert whole(school).matched == 2
    erase(tmp_path, registered, erased)  # and no worker has been there yet
    found = read(school)
    assert set(found.views) == {stays}
    assert not found.results.get(erased)
    keys = school.opened_with(school.keys.school).keys
    with school.database.bound_to(school.school_id) as connection:
        assert progress.track_of(connection, keys, erased, STEPS, STEPS) == {}
    caught_up(worker)
    assert whole(school).matched == 1


def test_without_the_key_to_names_no_birthday_is_known(
    registered: RegisteredSchool, worker: Database
) -> None:
    school = registered.application
    admitted(school, registered.teacher, *children(3))
    caught_up(worker)
    nameless = school.opened_with(school.keys.school.without_names())
    for application, births in ((nameless, True), (school, False)):
        found = read(application, births=births)
        assert {member.values[Group.TERM_OF_BIRTH] for member in found.members} == {None}
    assert {member.values[Group.TERM_OF_BIRTH] for member in read(school).members} == {"autumn"}


@pytest.mark.parametrize("swap", ["record", "version", "type"])
def test_a_result_that_was_moved_does_not_open(
    registered: RegisteredSchool, worker: Database, module_database: TestDatabase, swap: str
) -> None:
    """What one child reached, put into another's row, is no result of the other's."""
    school = registered.application
    one, two = admitted(school, registered.teacher, *children(2))
    record(registered, START, (one, "2s"))
    record(registered, END, (two, "3s"))
    caught_up(worker)
    changes = {
        "record": "record = (SELECT record FROM projections.assessments WHERE pupil_id = %(two)s)",
        "version": "version = version + 1",
        "type": "type = 'assessment.corrected.1'",
    }
    with module_database.connect("postgres") as superuser:
        statement = f"UPDATE projections.assessments SET {changes[swap]} WHERE pupil_id = %(one)s"
        assert superuser.execute(statement.encode(), {"one": one, "two": two}).rowcount == 1
    with pytest.raises(DoesNotOpen):
        read(school)


def check_nobody_was_moved_up_yet(registered: RegisteredSchool, **asked: Any) -> None:
    """Last summer's Year 4, asked for in September, when its records still say 4; one has no result."""
    school = registered.application
    found = cohort_in_september(school, nc_year="4", **asked)
    assert found.views.keys() == school.roll().keys()
    assert {member.values[Group.NC_YEAR] for member in found.members} == {"4"}


def cohort_in_september(school: SchoolApplication, **asked: Any) -> Cohort:
    summer = AssessmentPoint(YEAR, Term.SUMMER)
    question = Question.ask(START, summer, STEPS)
    keys = school.opened_with(school.keys.school).keys
    with school.database.bound_to(school.school_id) as connection:
        return progress.cohort(connection, keys, question, date(YEAR + 1, 9, 2), **asked)


@pytest.fixture
def two_of_year_4(registered: RegisteredSchool, worker: Database) -> RegisteredSchool:
    """Of one there is a result, which says the NC year then; of the other there is none."""
    school = registered.application
    one, _ = admitted(school, registered.teacher, child(1, nc_year="4"), child(2, nc_year="4"))
    record(registered, START, (one, "2s"))
    caught_up(worker)
    return registered


def test_whoever_has_no_result_is_in_the_nc_year_of_the_later_point(two_of_year_4: RegisteredSchool) -> None:
    school = two_of_year_4.application
    check_nobody_was_moved_up_yet(two_of_year_4, years_of_records=partial(years_of_records, school))


def test_a_reckoning_from_today_is_noticed(two_of_year_4: RegisteredSchool) -> None:
    with pytest.raises(AssertionError):
        check_nobody_was_moved_up_yet(two_of_year_4)
