"""What is voided vanishes from all that is shown and counted, and uncovers what it had replaced."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest

import projections.targets
from domain.academic_year import AssessmentPoint, Term, WholeYear
from domain.application import assessing, importing
from domain.application.assessing import Entry
from domain.application.assessment_points import choose
from domain.application.statements import NewStatement, register
from domain.application.targets import TargetEntry, remove, set_targets
from domain.assessment import STATEMENTS, Result
from domain.assessment_points import Division
from domain.files.ctf_writer import CtfPupil
from domain.ledger.database import Connection, Database
from domain.ledger.stream import RecordedEvent
from domain.targets import Target
from domain.vault.keyring import Keyring
from projections import assessments as views
from projections.assessments import AssessmentsProjection, AssessmentView
from projections.runner import Worker
from projections.targets import TargetView
from tests.application.conftest import RegisteredSchool
from tests.application.examples import YEAR, admitted, child, children, ctf_of, point_before
from tests.keys import SERVICE_KEYS
from tests.projections.catching_up import caught_up
from tests.projections.test_assessments import contributions, correct, latest, record

THEN = point_before(1)


def void(registered: RegisteredSchool, pupil_id: UUID, assessment_id: UUID) -> None:
    assessing.void(registered.application, pupil_id, assessment_id, "Of another child", registered.teacher)


def values(registered: RegisteredSchool, pupil_id: UUID) -> list[tuple[str, str, bool]]:
    return [
        (view.result.subject, view.result.value, view.corrected)
        for view in latest(registered.application, pupil_id)
    ]


@pytest.mark.parametrize("late", [False, True], ids=["each event by itself", "all at once"])
def test_a_void_uncovers_the_entry_before(registered: RegisteredSchool, worker: Database, late: bool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))

    def step() -> None:
        if not late:
            caught_up(worker)

    first = record(registered, pupil_id, "2s")
    step()
    second = record(registered, pupil_id, "3s")
    step()
    correct(registered, pupil_id, first, "1b")  # beneath the newer entry: nothing of it is seen yet
    step()
    third = record(registered, pupil_id, "4s")
    step()
    void(registered, pupil_id, second)
    step()
    void(registered, pupil_id, third)
    caught_up(worker)
    assert values(registered, pupil_id) == [("REA", "1b", True)]
    assert contributions(worker, school) == {("REA", "3"): (1, 0, 0)}
    void(registered, pupil_id, first)
    caught_up(worker)
    assert values(registered, pupil_id) == []
    with worker.bound_to(school.school_id) as connection:
        left = connection.execute(
            "SELECT DISTINCT record, voided FROM projections.assessments WHERE pupil_id = %s", [pupil_id]
        ).fetchall()
        assert left == [(b"", True)]
        newest = views.newest_position(connection, school.school_id, pupil_id)
    assert newest == school.stream.head().position
    assert contributions(worker, school) == {}
    record(registered, pupil_id, "3s")
    caught_up(worker)
    assert values(registered, pupil_id) == [("REA", "3s", False)]


class Forgetful(AssessmentsProjection):
    """Forgets what was voided."""

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        kept = [event for event in events if not event.topic.startswith("assessment.voided")]
        super().apply(connection, keys, kept)


def still_there(
    registered: RegisteredSchool, worker: Database, projection: AssessmentsProjection
) -> set[str]:
    """The check: where an entry that was voided is still shown or counted."""
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    void(registered, pupil_id, record(registered, pupil_id, "3s"))
    working = Worker(worker, SERVICE_KEYS, [projection])
    while working.run_once():
        pass
    found = set()
    with school.database.bound_to(school.school_id) as connection:
        if views.latest(connection, school.keys, pupil_id):
            found.add("latest")
        if views.sheet(connection, school.keys, [pupil_id], THEN):
            found.add("sheet")
    return found | ({"benchmarks"} if contributions(worker, school) else set())


def test_what_was_voided_is_shown_and_counted_nowhere(registered: RegisteredSchool, worker: Database) -> None:
    assert still_there(registered, worker, AssessmentsProjection()) == set()


def test_a_projection_that_forgets_a_void_is_found(registered: RegisteredSchool, worker: Database) -> None:
    """The sabotaged twin."""
    assert still_there(registered, worker, Forgetful()) == {"latest", "sheet", "benchmarks"}


def sheet(
    registered: RegisteredSchool, ids: Sequence[UUID], at: AssessmentPoint | WholeYear, scheme: str
) -> list[AssessmentView]:
    school = registered.application
    with school.database.bound_to(school.school_id) as connection:
        return views.sheet(connection, school.keys, ids, at, scheme)


def test_half_terms_and_other_schemes_are_shown_and_the_last_half_term_counts_as_the_term(
    registered: RegisteredSchool, worker: Database
) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    record(registered, pupil_id, "3s")
    choose(school, YEAR - 1, Division.HALF_TERMS, registered.administrator)
    for term in (Term.SUMMER_1, Term.SUMMER_2):
        point = AssessmentPoint(YEAR - 1, term)
        assessing.record(school, point, [Entry(pupil_id, "REA", "4s")], registered.teacher)
    year = WholeYear(YEAR - 1)
    assessing.record(school, year, [Entry(pupil_id, "MAT", "104")], registered.teacher, scheme="ks1-tests")
    caught_up(worker)
    assert len(latest(school, pupil_id)) == 4
    assert contributions(worker, school) == {("REA", "3"): (0, 0, 1)}
    last = AssessmentPoint(YEAR - 1, Term.SUMMER_2)
    assert [view.result.value for view in sheet(registered, [pupil_id], last, "steps")] == ["4s"]
    assert [view.result.value for view in sheet(registered, [pupil_id], year, "ks1-tests")] == ["104"]
    assert sheet(registered, [pupil_id], year, "ks2-tests") == []


def test_results_of_files_stand_on_the_sheet_of_their_scheme(
    registered: RegisteredSchool, worker: Database
) -> None:
    school = registered.application
    names, record_ = child(1)

    def came(value: str, method: str = "TT", component: str = "REA") -> Result:
        return Result(
            scheme="statutory", subject="ENG", component=component, method=method, value=value,
            academic_year=YEAR - 1, stage="KS2",
        )  # fmt: skip

    content = ctf_of(
        CtfPupil(
            names=names, record=record_, results=(came("103"), came("EXS", "TA"), came("??", "TT", "GPS"))
        )
    )
    importing.import_file(school, content, registered.teacher, dry_run=False)
    [pupil_id] = school.roll()
    year = WholeYear(YEAR - 1)
    caught_up(worker)

    def shown(scheme: str) -> list[str]:
        return sorted(view.result.value for view in sheet(registered, [pupil_id], year, scheme))

    assert shown("ks2-tests") == ["103", "??"], "what is not known is kept, and shown as it came"
    assert shown("ks2-teacher") == ["EXS"]
    assert shown("statutory") == ["103", "??", "EXS"]
    made = assessing.record(
        school, year, [Entry(pupil_id, "REA", "104")], registered.teacher, scheme="ks2-tests"
    )
    caught_up(worker)
    assert shown("ks2-tests") == ["104", "??"]
    void(registered, pupil_id, made.result.assessment_ids[0])
    caught_up(worker)
    assert shown("ks2-tests") == ["103", "??"]


def test_statements_are_kept_apart_from_the_step(registered: RegisteredSchool, worker: Database) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    new = [NewStatement(subject="MAT", code=f"3N-0{number}", text="I can count") for number in (1, 2)]
    one, two = register(school, new, registered.teacher).result.statement_ids
    record(registered, pupil_id, "3s", "MAT")
    spring = AssessmentPoint(YEAR - 1, Term.SPRING)
    for point, statement, value in (
        (spring, one, "not yet"), (spring, one, "working-towards"), (THEN, one, "achieved"),
        (THEN, two, "not-yet"),
    ):  # fmt: skip
        assessing.record(
            school, point, [Entry(pupil_id, "", value, statement)], registered.teacher, scheme=STATEMENTS
        )
    caught_up(worker)
    assert values(registered, pupil_id) == [("MAT", "3s", False)]
    assert [view.result.value for view in sheet(registered, [pupil_id], THEN, "steps")] == ["3s"]
    with school.database.bound_to(school.school_id) as connection:
        judged = views.judged(connection, school.keys, [pupil_id])
    assert {(view.result.term, view.result.statement, view.result.value) for view in judged} == {
        ("spring", one, "working-towards"),
        ("summer", one, "achieved"),
        ("summer", two, "not-yet"),
    }


def shown_targets(registered: RegisteredSchool, ids: Sequence[UUID]) -> list[TargetView]:
    school = registered.application
    with school.database.bound_to(school.school_id) as connection:
        return projections.targets.of_pupils(connection, school.keys, ids)


@pytest.mark.parametrize("late", [False, True], ids=["each event by itself", "all at once"])
def test_targets_are_set_anew_and_removed(registered: RegisteredSchool, worker: Database, late: bool) -> None:
    school = registered.application
    one, other = admitted(school, registered.teacher, *children(2))
    wanted = [TargetEntry(pupil_id, "REA", "4s") for pupil_id in (one, other)]
    to_come = point_before(-1)
    first, second = set_targets(school, to_come, wanted, registered.teacher).result.target_ids
    if not late:
        caught_up(worker)
    set_targets(school, to_come, [TargetEntry(one, "rea", "5B")], registered.teacher)
    remove(school, other, second, registered.teacher)
    caught_up(worker)
    [view] = shown_targets(registered, [one, other])
    assert (view.target_id, view.pupil_id) == (first, one)
    assert view.target == Target(
        scheme="steps", subject="REA", value="5b", academic_year=YEAR + 1, term="summer"
    )
    assert latest(school, one) == [], "a target is no result"
    assert contributions(worker, school) == {}
