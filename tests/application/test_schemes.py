"""Results in every scheme: entered, corrected and voided by hand, and what lies outside its scale refused."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

import pytest

import domain.application.statements
from domain.academic_year import AssessmentPoint, Term, When, WholeYear
from domain.application import assessing, histories, importing
from domain.application.assessing import Entry
from domain.application.histories import Moment
from domain.application.school_application import SchoolApplication
from domain.application.statements import NewStatement, register, statements_of, withdraw
from domain.assessment import STATEMENTS, Result
from domain.errors import AlreadyExists, Conflict, InvalidInput, NotFound, NotPermitted
from domain.events import is_sealed
from domain.files.ctf_writer import CtfPupil
from domain.identifiers import new_id
from domain.schemes.catalogue import SCHEMES
from domain.schemes.scheme import Entered
from domain.statements import StatementWithdrawn
from tests.application.conftest import RegisteredSchool
from tests.application.examples import (
    YEAR,
    admitted,
    at_once,
    child,
    children,
    ctf_of,
    fields_of,
    point_before,
    topics,
)

THEN = point_before(1)


def results(school: SchoolApplication, pupil_id: UUID) -> list[Result]:
    return [assessment.result for assessment in assessing.assessments(school, pupil_id).values()]


def moment_in(scheme: str, version: int) -> When:
    """When results of a version of a scheme may be entered: in its last year, or the last that is over."""
    chosen = SCHEMES[scheme].versions[version]
    year = min(chosen.last_year or YEAR - 1, YEAR - 1)
    return WholeYear(year) if chosen.entered is Entered.YEAR else AssessmentPoint(year, Term.SPRING)


EVERY = [
    (name, number)
    for name, scheme in SCHEMES.items()
    for number, _ in enumerate(scheme.versions)
    if name != STATEMENTS
]


@pytest.mark.parametrize(("scheme", "number"), EVERY, ids=[f"{name} {number}" for name, number in EVERY])
def test_every_scheme_is_entered_and_corrected_by_hand(
    registered: RegisteredSchool, scheme: str, number: int
) -> None:
    school = registered.application
    version, at = SCHEMES[scheme].versions[number], moment_in(scheme, number)
    born = date(at.academic_year - 9, 9, 1)
    [pupil_id] = admitted(school, registered.teacher, child(1, date_of_birth=born))
    entries = [Entry(pupil_id, code, next(iter(version.values))) for code in version.measures]
    made = assessing.record(school, at, entries, registered.teacher, scheme=scheme.upper())
    there = results(school, pupil_id)
    assert len(there) == len(version.measures)
    for result, measure in zip(there, version.measures.values(), strict=True):
        assert (result.scheme, result.subject, result.component) == (
            scheme,
            measure.subject,
            measure.component,
        )
        assert (result.academic_year, result.term) == (at.academic_year, at.term)
        assert result.scheme_version == (version.name if len(SCHEMES[scheme].versions) > 1 else None)
    last = list(version.values)[-1]
    assessing.correct(school, pupil_id, made.result.assessment_ids[0], last.lower(), registered.teacher)
    assert results(school, pupil_id)[0].value == last
    head = school.stream.head()
    for value in ("", "999", "unheard of"):
        with pytest.raises(InvalidInput) as refused:
            assessing.record(
                school, at, [Entry(pupil_id, entries[0].subject, value)], registered.teacher, scheme=scheme
            )
        [finding] = refused.value.findings
        assert (finding.field, finding.row, finding.accepted) == ("value", 1, version.accepted)
        with pytest.raises(InvalidInput):
            assessing.correct(school, pupil_id, made.result.assessment_ids[0], value, registered.teacher)
    assert school.stream.head() == head


@pytest.mark.parametrize(
    ("scheme", "at", "field", "accepted"),
    [
        ("unknown", THEN, "scheme", "one of steps"),
        ("statutory", THEN, "scheme", "one of steps"),
        ("steps", WholeYear(YEAR - 1), "term", "a term or half-term"),
        ("ks2-tests", THEN, "term", "no term"),
        (
            "levels",
            AssessmentPoint(YEAR - 1, Term.SUMMER),
            "academic_year",
            "up to 2014/15; 2015/16 to 2017/18",
        ),
        ("mtc", WholeYear(2019), "academic_year", "from 2021/22 on"),
        ("ks2-tests", WholeYear(YEAR + 1), "academic_year", "or earlier"),
    ],
)
def test_a_scheme_is_used_in_its_time_and_way(
    registered: RegisteredSchool, scheme: str, at: When, field: str, accepted: str
) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    head = school.stream.head()
    with pytest.raises(InvalidInput) as refused:
        assessing.record(school, at, [Entry(pupil_id, "MAT", "1")], registered.teacher, scheme=scheme)
    found = {finding.field: finding.accepted for finding in refused.value.findings}
    assert accepted in found[field]
    assert school.stream.head() == head


def test_ks2_scores_are_80_to_120(registered: RegisteredSchool) -> None:
    school = registered.application
    ids = admitted(school, registered.teacher, *children(4))
    year = WholeYear(YEAR - 1)
    with pytest.raises(InvalidInput) as refused:
        assessing.record(
            school, year, [Entry(pupil_id, "MAT", score) for pupil_id, score in
            zip(ids, ("79", "80", "120", "121"), strict=True)], registered.teacher, scheme="ks2-tests",
        )  # fmt: skip
    assert [(finding.row, finding.found) for finding in refused.value.findings] == [(1, "79"), (4, "121")]
    assert "a whole number from 80 to 120" in refused.value.findings[0].accepted


def test_a_void_is_a_new_event_with_its_reason(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    made = assessing.record(school, THEN, [Entry(pupil_id, "REA", "3w+")], registered.teacher)
    [assessment_id] = made.result.assessment_ids
    voided = assessing.void(school, pupil_id, assessment_id, "Of another child", registered.teacher)
    assert topics(school)[-1] == "assessment.voided.1"
    assert voided.position == made.position + 1
    assert results(school, pupil_id) == []
    then = histories.pupil_as_at(school, pupil_id, Moment(position=made.position))
    assert [assessment.id for assessment in then.assessments] == [assessment_id]
    assert histories.pupil_as_at(school, pupil_id, Moment(position=voided.position)).assessments == []
    told = histories.of_pupil(school, pupil_id)
    assert [entry.event for entry in told][-2:] == ["assessment.recorded", "assessment.voided"]
    assert told[-1].details["reason"] == "Of another child"
    # Whoever holds no key to names sees that it was voided, and not why.
    nameless = school.opened_with(school.keys.school.without_names())
    assert "reason" not in histories.of_pupil(nameless, pupil_id)[-1].details
    head = school.stream.head()
    with pytest.raises(Conflict, match="has been voided"):
        assessing.void(school, pupil_id, assessment_id, "Again", registered.teacher)
    with pytest.raises(Conflict, match="has been voided"):
        assessing.correct(school, pupil_id, assessment_id, "3s", registered.teacher)
    assert school.stream.head() == head


def test_what_cannot_be_voided(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id, other] = admitted(school, registered.teacher, child(1), child(2, class_name="Blue"))
    made = assessing.record(school, THEN, [Entry(pupil_id, "REA", "3w+")], registered.teacher)
    [assessment_id] = made.result.assessment_ids
    head = school.stream.head()
    for pupil, assessment, reason, refusal in (
        (pupil_id, new_id(), "No", NotFound),
        (other, assessment_id, "No", NotFound),
        (new_id(), assessment_id, "No", NotFound),
        (pupil_id, assessment_id, "", InvalidInput),
        (pupil_id, assessment_id, "x" * 201, InvalidInput),
        (pupil_id, assessment_id, "Ask jo@elm.example", InvalidInput),
    ):
        with pytest.raises(refusal):
            assessing.void(school, pupil, assessment, reason, registered.teacher)
    with pytest.raises(NotPermitted):
        assessing.void(school, pupil_id, assessment_id, "No", registered.teacher, only_classes=["Blue"])
    assert school.stream.head() == head


def test_results_of_files_are_corrected_where_their_scale_is_known_and_else_voided(
    registered: RegisteredSchool,
) -> None:
    school = registered.application
    names, record = child(1)
    known = Result(
        scheme="statutory", subject="ENG", component="REA", method="TA", value="EXS", academic_year=YEAR - 1,
        stage="KS2",
    )  # fmt: skip
    strange = Result(scheme="statutory", subject="QQQ", value="??", academic_year=YEAR - 1, stage="KS9")
    content = ctf_of(CtfPupil(names=names, record=record, results=(known, strange)))
    importing.import_file(school, content, registered.teacher, dry_run=False)
    [pupil_id] = school.roll()
    assert results(school, pupil_id) == [known, strange], "what is not known is kept as it came"
    one, two = assessing.assessments(school, pupil_id)
    assessing.correct(school, pupil_id, one, "gds", registered.teacher)
    assert results(school, pupil_id)[0].value == "GDS"
    for assessment_id, value in ((one, "104"), (two, "EXS")):
        with pytest.raises(InvalidInput):
            assessing.correct(school, pupil_id, assessment_id, value, registered.teacher)
    assessing.void(school, pupil_id, two, "Nothing we know", registered.teacher)
    assert [result.value for result in results(school, pupil_id)] == ["GDS"]


def test_statements_are_registered_judged_and_withdrawn(registered: RegisteredSchool) -> None:
    school = registered.application
    one_child, other = admitted(school, registered.teacher, *children(2))
    new = [
        NewStatement(subject="mat", code="3N-04", text="I can count  in hundreds", band=3),
        NewStatement(subject="MAT", code="3N-05", text="I can add"),
    ]
    first, second = register(school, new, registered.teacher).result.statement_ids
    there = statements_of(school)
    assert [(each.key.subject, each.key.code, each.key.band, each.text) for each in there.values()] == [
        ("MAT", "3N-04", 3, "I can count in hundreds"),
        ("MAT", "3N-05", None, "I can add"),
    ]
    nameless = school.opened_with(school.keys.school.without_names())
    sealed = statements_of(nameless)[first]
    assert is_sealed(sealed.text)
    assert sealed.key.code == "3N-04"
    entries = [Entry(each, "", "achieved", first) for each in (one_child, other)]
    entries += [Entry(one_child, "MAT", "Not yet", second)]
    assessing.record(school, THEN, entries, registered.teacher, scheme=STATEMENTS)
    assert [(each.statement, each.value, each.subject) for each in results(school, one_child)] == [
        (first, "achieved", "MAT"),
        (second, "not-yet", "MAT"),
    ]
    withdraw(school, first, registered.teacher)
    head = school.stream.head()
    assert withdraw(school, first, registered.teacher).position == head.position
    for entry, field in (
        (Entry(one_child, "", "achieved", first), "statement"),
        (Entry(one_child, "", "achieved", new_id()), "statement"),
        (Entry(one_child, "MAT", "achieved"), "statement"),
        (Entry(one_child, "REA", "achieved", second), "subject"),
        (Entry(one_child, "", "3s", second), "value"),
    ):
        with pytest.raises(InvalidInput) as refused:
            assessing.record(school, THEN, [entry], registered.teacher, scheme=STATEMENTS)
        assert fields_of(refused.value.findings) == [field]
    with pytest.raises(InvalidInput) as refused:
        assessing.record(school, THEN, [Entry(one_child, "MAT", "3s", second)], registered.teacher)
    assert fields_of(refused.value.findings) == ["statement"]
    assert school.stream.head() == head
    assert len(results(school, one_child)) == 2, "what was judged before stays"


def test_of_a_withdrawal_and_a_judgement_at_once_none_comes_too_late(registered: RegisteredSchool) -> None:
    school, teacher = registered.application, registered.teacher
    [pupil_id] = admitted(school, teacher, child(1))
    for number in range(8):
        [statement] = register(
            school, [NewStatement(subject="MAT", code=f"A{number}", text="Counts")], teacher
        ).result.statement_ids
        entries = [Entry(pupil_id, "", "achieved", statement)]
        judge = partial(assessing.record, school, THEN, entries, teacher, scheme=STATEMENTS)
        before = school.stream.head().position
        at_once(
            judge,
            partial(withdraw, school, statement, teacher),
            partial(withdraw, school, statement, teacher),
            judge,
        )
        happened = [topic for topic in topics(school)[before:] if not topic.startswith("assessment.")]
        assert happened == ["school.statement-withdrawn.1"], "once, however many withdraw it"
        assert topics(school)[-1] == "school.statement-withdrawn.1", "nothing is judged after that"


def judged_while_it_is_withdrawn(registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch) -> object:
    """A judgement between whose decision and append its statement is withdrawn."""
    school, teacher = registered.application, registered.teacher
    [pupil_id] = admitted(school, teacher, child(1))
    new = [NewStatement(subject="MAT", code="A1", text="Counts")]
    [statement] = register(school, new, teacher).result.statement_ids
    true = SchoolApplication._append
    withdrawn: list[UUID] = []

    def overtaken(self: SchoolApplication, decision: Any, remembered: Any) -> Any:
        if not withdrawn and is_judgement(decision):
            withdrawn.append(statement)
            withdraw(school, statement, teacher)
        return true(self, decision, remembered)

    monkeypatch.setattr(SchoolApplication, "_append", overtaken)
    entries = [Entry(pupil_id, "", "achieved", statement)]
    return assessing.record(school, THEN, entries, teacher, scheme=STATEMENTS)


def is_judgement(decision: Any) -> bool:
    return any(each.name == "assessment.recorded" for each in decision.events)


def test_what_is_withdrawn_while_it_is_judged_is_not_judged(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidInput) as refused:
        judged_while_it_is_withdrawn(registered, monkeypatch)
    assert fields_of(refused.value.findings) == ["statement"]


def test_the_twin_that_withdraws_outside_the_category_lets_the_judgement_pass(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain.application.statements, "StatementRetired", StatementWithdrawn)
    assert judged_while_it_is_withdrawn(registered, monkeypatch)


def test_statements_that_are_refused(registered: RegisteredSchool) -> None:
    school = registered.application
    good = NewStatement(subject="MAT", code="A1", text="Counts")
    register(school, [good], registered.teacher)
    head = school.stream.head()
    with pytest.raises(InvalidInput) as refused:
        register(
            school,
            [
                NewStatement(subject="MAT", code="A2", text="Fine"),
                NewStatement(subject="QQ", code="a b", text="", band=7),
                NewStatement(subject="MAT", code="A3", text="Ask jo@elm.example"),
                NewStatement(subject="MAT", code="A4", text="x" * 501),
            ],
            registered.teacher,
        )
    assert [(finding.row, finding.field) for finding in refused.value.findings] == [
        (2, "subject"), (2, "code"), (2, "band"), (2, "text"), (3, "text"), (4, "text"),
    ]  # fmt: skip
    for again in ([NewStatement(subject="mat", code="a1", text="Counts")], [good, good]):
        with pytest.raises(AlreadyExists):
            register(school, again, registered.teacher)
    with pytest.raises(InvalidInput):
        register(school, [], registered.teacher)
    with pytest.raises(NotFound):
        withdraw(school, new_id(), registered.teacher)
    assert school.stream.head() == head
    assert register(school, [NewStatement(subject="REA", code="A1", text="Reads")], registered.teacher)
