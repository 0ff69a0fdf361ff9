"""Assessment points: chosen, closed, opened; nothing is recorded in a closed one, whoever is quicker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

import domain.assessment_points
from domain.academic_year import HALF_TERMS, TERMS, AssessmentPoint, Term, When, WholeYear
from domain.application import assessing, assessment_points, targets
from domain.application.assessing import Entry
from domain.application.assessment_points import choose, close, points_of, reopen
from domain.application.targets import TargetEntry
from domain.assessment_points import AssessmentPoints, Division
from domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from domain.identifiers import new_id
from tests.application.conftest import RegisteredSchool
from tests.application.examples import (
    NOW,
    TODAY,
    YEAR,
    admitted,
    at_once,
    child,
    fields_of,
    point_before,
    topics,
)

THEN = point_before(1)
SPRING = point_before(1, Term.SPRING)


def entry(registered: RegisteredSchool) -> list[Entry]:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    return [Entry(pupil_id, "REA", "3w")]


def attempts(registered: RegisteredSchool, at: When, scheme: str) -> dict[str, Callable[[], object]]:
    """Everything that changes what a point holds, ready to be tried again and again."""
    school, teacher = registered.application, registered.teacher
    [pupil_id] = admitted(school, teacher, child(1))
    value = "3w" if scheme == "steps" else "104"
    code = "MAT"

    def record() -> UUID:
        made = assessing.record(school, at, [Entry(pupil_id, code, value)], teacher, scheme=scheme)
        return made.result.assessment_ids[0]

    entered, voided = record(), record()
    wanted = [TargetEntry(pupil_id, code, value)]
    other = [TargetEntry(pupil_id, code, "3s" if scheme == "steps" else "110")]
    [target] = targets.set_targets(school, at, wanted, teacher, scheme=scheme).result.target_ids
    return {
        "record": record,
        "correct": lambda: assessing.correct(school, pupil_id, entered, other[0].value, teacher),
        "void": lambda: assessing.void(school, pupil_id, voided, "Of another child", teacher),
        "set a target": lambda: targets.set_targets(school, at, other, teacher, scheme=scheme),
        "remove a target": lambda: targets.remove(school, pupil_id, target, teacher),
    }


def refusal_of(attempt: Callable[[], object]) -> str | None:
    """Why it cannot be done with what is there; nothing, if it was done."""
    try:
        attempt()
    except Conflict as refused:
        return refused.message
    return None


def possible_in_a_closed_point(registered: RegisteredSchool, at: When, scheme: str = "steps") -> set[str]:
    """The check: what can still be done once a point is closed."""
    tried = attempts(registered, at, scheme)
    close(registered.application, at, registered.administrator)
    head = registered.application.stream.head()
    done = set()
    for name, attempt in tried.items():
        message = refusal_of(attempt)
        if message is None:
            done.add(name)
        else:
            assert message.startswith(f"{at.label} is closed")
    if not done:
        assert registered.application.stream.head() == head
    return done


@pytest.mark.parametrize(
    ("at", "scheme"), [(THEN, "steps"), (WholeYear(YEAR - 1), "ks2-tests")], ids=["a term", "a year"]
)
def test_nothing_is_recorded_corrected_or_voided_in_a_closed_point(
    registered: RegisteredSchool, at: When, scheme: str
) -> None:
    assert possible_in_a_closed_point(registered, at, scheme) == set()


def test_what_ignores_a_closed_point_is_found(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(AssessmentPoints, "check_open", lambda *_: None)
    assert possible_in_a_closed_point(registered, THEN) == {
        "record", "correct", "void", "set a target", "remove a target",
    }  # fmt: skip


def test_a_point_that_is_opened_again_takes_everything(registered: RegisteredSchool) -> None:
    school = registered.application
    tried = attempts(registered, THEN, "steps")
    close(school, THEN, registered.administrator, reason="Reported to governors")
    for attempt in tried.values():
        with pytest.raises(Conflict):
            attempt()
    reopen(school, THEN, registered.administrator, reason="A class was left out")
    for attempt in tried.values():
        attempt()
    assert points_of(school).closed == frozenset()


def test_other_points_stay_open(registered: RegisteredSchool) -> None:
    school, entries = registered.application, entry(registered)
    close(school, THEN, registered.administrator)
    assessing.record(school, SPRING, entries, registered.teacher)
    assessing.record(school, NOW, entries, registered.teacher)
    year = [Entry(entries[0].pupil_id, "MAT", "104")]
    assessing.record(school, WholeYear(YEAR - 1), year, registered.teacher, scheme="ks2-tests")


def test_closing_and_opening_twice_writes_once(registered: RegisteredSchool) -> None:
    school, head = registered.application, registered.administrator
    first = close(school, THEN, head)
    assert close(school, THEN, head).position == first.position
    assert reopen(school, SPRING, head).position == first.position
    opened = reopen(school, THEN, head)
    assert (first.result.version, opened.result.version) == (1, 2)
    assert topics(school)[-2:] == ["school.assessment-point-closed.1", "school.assessment-point-opened.1"]


def test_only_what_has_begun_is_closed(registered: RegisteredSchool) -> None:
    school = registered.application
    coming: list[When] = [AssessmentPoint(YEAR + 1, Term.AUTUMN), WholeYear(YEAR + 1), WholeYear(1900)]
    coming += [point for term in TERMS if (point := AssessmentPoint(YEAR, term)).ends_on > NOW.ends_on]
    for at in coming:
        with pytest.raises(InvalidInput) as refused:
            close(school, at, registered.administrator)
        assert fields_of(refused.value.findings) == ["term" if at.term else "academic_year"]
    close(school, NOW, registered.administrator)
    with pytest.raises(InvalidInput):
        close(school, THEN, registered.administrator, reason="Ask jo@elm.example")


def test_a_school_chooses_half_terms_from_a_year_on(registered: RegisteredSchool) -> None:
    school, entries = registered.application, entry(registered)
    assert points_of(school).of_year(YEAR) == [AssessmentPoint(YEAR, term) for term in TERMS]
    assessing.record(school, THEN, entries, registered.teacher)
    choose(school, YEAR - 1, Division.HALF_TERMS, registered.administrator)
    points = points_of(school)
    assert points.of_year(YEAR - 1) == [AssessmentPoint(YEAR - 1, term) for term in HALF_TERMS]
    assert points.division(YEAR - 2) is Division.TERMS
    halves = [AssessmentPoint(YEAR - 1, term) for term in HALF_TERMS]
    for half in halves:
        assessing.record(school, half, entries, registered.teacher)
    for at, accepted in (
        (THEN, "autumn-1, autumn-2"),
        (AssessmentPoint(YEAR - 2, Term.SUMMER_2), "one of autumn,"),
    ):
        with pytest.raises(InvalidInput) as refused:
            assessing.record(school, at, entries, registered.teacher)
        [finding] = refused.value.findings
        assert finding.field == "term"
        assert accepted in finding.accepted
    # What was recorded of the term before stays as it was, and can be corrected.
    pupil_id = entries[0].pupil_id
    first, *_ = assessing.assessments(school, pupil_id).values()
    assert (first.result.term, first.result.value) == ("summer", "3w")
    assessing.correct(school, pupil_id, first.id, "3s", registered.teacher)
    close(school, halves[-1], registered.administrator)
    with pytest.raises(Conflict, match=r"Summer 2 .* is closed"):
        assessing.record(school, halves[-1], entries, registered.teacher)
    with pytest.raises(InvalidInput):
        close(school, THEN, registered.administrator)


def check_a_closed_term_stays_closed(registered: RegisteredSchool) -> None:
    school, head, entries = registered.application, registered.administrator, entry(registered)
    halves = [AssessmentPoint(YEAR - 1, term) for term in (Term.SUMMER_1, Term.SUMMER_2)]
    close(school, THEN, head)
    choose(school, YEAR - 1, Division.HALF_TERMS, head)
    for half in halves:
        with pytest.raises(Conflict):
            assessing.record(school, half, entries, registered.teacher)
    # Each half is opened by itself; with the second of them the term, which ends with it.
    reopen(school, halves[0], head)
    assessing.record(school, halves[0], entries, registered.teacher)
    assert THEN in points_of(school).closed
    reopen(school, halves[1], head)
    assert not points_of(school).closed
    close(school, halves[1], head)
    choose(school, YEAR - 1, Division.TERMS, head)
    with pytest.raises(Conflict):
        assessing.record(school, THEN, entries, registered.teacher)


def test_a_closed_term_stays_closed_when_its_year_is_divided_otherwise(registered: RegisteredSchool) -> None:
    check_a_closed_term_stays_closed(registered)


def test_the_twin_that_closes_each_point_by_itself_fails_the_same_check(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain.assessment_points, "together", lambda at: frozenset({at}))
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check_a_closed_term_stays_closed(registered)


def test_a_later_choice_takes_the_place_of_those_after_it(registered: RegisteredSchool) -> None:
    school, head = registered.application, registered.administrator
    for year, division in (
        (YEAR, Division.HALF_TERMS),
        (YEAR - 3, Division.HALF_TERMS),
        (YEAR - 2, Division.TERMS),
    ):
        choose(school, year, division, head)
    divisions = [points_of(school).division(year) for year in range(YEAR - 4, YEAR + 2)]
    assert [each is Division.HALF_TERMS for each in divisions] == [False, True, False, False, False, False]
    position = school.stream.head().position
    assert choose(school, YEAR - 2, Division.TERMS, head).position == position
    for year in (1989, YEAR + 2, 10**6):
        with pytest.raises(InvalidInput):
            choose(school, year, Division.TERMS, head)


def test_a_half_term_that_has_not_begun_is_refused(registered: RegisteredSchool) -> None:
    school, entries = registered.application, entry(registered)
    choose(school, YEAR, Division.HALF_TERMS, registered.administrator)
    now = AssessmentPoint.of(TODAY, HALF_TERMS)
    for term in HALF_TERMS:
        point = AssessmentPoint(YEAR, term)
        if point.ends_on <= now.ends_on:
            assessing.record(school, point, entries, registered.teacher)
        else:
            with pytest.raises(InvalidInput) as refused:
                assessing.record(school, point, entries, registered.teacher)
            assert now.label in refused.value.findings[0].accepted


def overtaken(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch, attempt: Callable[[], object]
) -> bool:
    """The check: whether something is done in a point that is closed after it was seen to be open."""
    school = registered.application
    real = assessment_points.points_of
    closings = iter([THEN])

    def and_then_it_is_closed(of: Any) -> AssessmentPoints:
        seen = real(of)
        for at in closings:
            monkeypatch.setattr(assessment_points, "points_of", real)
            close(school, at, registered.administrator)
        return seen

    monkeypatch.setattr(assessment_points, "points_of", and_then_it_is_closed)
    message = refusal_of(attempt)
    assert message is None or message.startswith(f"{THEN.label} is closed")
    return message is None


@pytest.mark.parametrize("what", ["record", "correct", "void", "set a target", "remove a target"])
def test_a_closing_in_between_is_seen(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    attempt = attempts(registered, THEN, "steps")[what]
    assert not overtaken(registered, monkeypatch, attempt)
    assert topics(registered.application)[-1] == "school.assessment-point-closed.1"


def test_without_the_condition_a_closing_in_between_would_be_overlooked(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    attempt = attempts(registered, THEN, "steps")["record"]
    monkeypatch.setattr(assessment_points, "Unless", lambda *_: None)
    assert overtaken(registered, monkeypatch, attempt)


def test_many_record_while_one_closes(registered: RegisteredSchool) -> None:
    """Whatever was recorded lies before the closing in the stream."""
    school, entries = registered.application, entry(registered)

    def record() -> int:
        return assessing.record(school, THEN, entries, registered.teacher).position

    def shut() -> int:
        return close(school, THEN, registered.administrator).position

    for _ in range(5):
        done = at_once(*[record] * 4, shut)
        closed_at = done[-1]
        assert isinstance(closed_at, int)
        for outcome in done[:-1]:
            if isinstance(outcome, int):
                assert outcome < closed_at
            else:
                assert isinstance(outcome, Conflict)
        reopen(school, THEN, registered.administrator)


def test_administrators_who_close_at_once_close_once(registered: RegisteredSchool) -> None:
    school = registered.application
    done = at_once(*[lambda: close(school, THEN, registered.administrator)] * 4)
    assert not [outcome for outcome in done if isinstance(outcome, Exception)]
    assert topics(school).count("school.assessment-point-closed.1") == 1


def test_targets(registered: RegisteredSchool) -> None:
    school, teacher = registered.application, registered.teacher
    one, other = admitted(school, teacher, child(1), child(2, class_name="Blue"))
    at = AssessmentPoint(YEAR + 2, Term.SUMMER)
    made = targets.set_targets(
        school, at, [TargetEntry(one, "rea", "5S"), TargetEntry(other, "MAT", "5w")], teacher
    )
    assert [each.value for each in targets.targets(school, one).values()] == ["5s"]
    head = school.stream.head()
    again = targets.set_targets(school, at, [TargetEntry(one, "REA", "5s")], teacher)
    assert again.result.target_ids == made.result.target_ids[:1]
    assert school.stream.head() == head, "what is so already is not written again"
    with pytest.raises(InvalidInput) as refused:
        targets.set_targets(
            school,
            at,
            [
                TargetEntry(one, "REA", "9z"),
                TargetEntry(new_id(), "REA", "5s"),
                TargetEntry(one, "rea", "5s"),
                TargetEntry(one, "QQ", "5s"),
            ],
            teacher,
        )
    assert [(finding.row, finding.field) for finding in refused.value.findings] == [
        (1, "value"), (2, "pupil_id"), (3, "subject"), (4, "subject"),
    ]  # fmt: skip
    entries = [TargetEntry(one, "MAT", "104")]
    for when, scheme, field in (
        (WholeYear(YEAR + 99), "ks2-tests", "academic_year"),
        (WholeYear(YEAR), "nothing", "scheme"),
        (at, "statements", "scheme"),
        (at, "ks2-tests", "term"),
    ):
        with pytest.raises(InvalidInput) as refused:
            targets.set_targets(school, when, entries, teacher, scheme=scheme)
        assert fields_of(refused.value.findings) == [field]
    with pytest.raises(InvalidInput):
        targets.set_targets(school, at, [], teacher)
    with pytest.raises(NotPermitted):
        targets.set_targets(school, at, [TargetEntry(other, "REA", "5s")], teacher, only_classes=["Red"])
    [target_id] = targets.targets(school, other)
    with pytest.raises(NotPermitted):
        targets.remove(school, other, target_id, teacher, only_classes=["Red"])
    for pupil_id, wrong in ((one, target_id), (other, new_id()), (new_id(), target_id)):
        with pytest.raises(NotFound):
            targets.remove(school, pupil_id, wrong, teacher)
    assert school.stream.head() == head
    targets.set_targets(school, WholeYear(YEAR + 1), entries, teacher, scheme="ks2-tests")
    targets.remove(school, other, target_id, teacher, reason="Has left")
    assert targets.targets(school, other) == {}
    assert len(targets.targets(school, one)) == 2
