"""Statements of Assessing Pupil Progress: the school's set, and how a pupil's are judged."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends

import domain.application.statements as commands
import projections.assessments
import projections.pupils
from api.assessments import MOST_ENTRIES, AcademicYear, SheetKept
from api.callers import Caller, signed_in
from api.encoding import Answer, NoBody, ReadQuery, Sent, body, query
from api.reading import reading, see
from api.routing import Routes
from api.showing import Shown
from domain.academic_year import AssessmentPoint, Term
from domain.access import Permission
from domain.application.assessing import Entry, record
from domain.application.school_application import Outcome
from domain.application.statements import NewStatement, StatementsResult, statements_of
from domain.assessment import STATEMENTS
from domain.errors import Finding, InvalidInput, NotFound
from domain.events import is_sealed
from domain.statements import Statement
from domain.usage import ReadKind
from projections.assessments import AssessmentView

routes = Routes("statements")


class StatementsQuery(ReadQuery, frozen=True, kw_only=True):
    """Which statements: of one subject, or of all."""

    subject: str | None = None


class StatementBody(msgspec.Struct, frozen=True, kw_only=True):
    """A statement.

    Attributes:
        statement_id: Its id.
        subject: The subject code.
        code: The school's code.
        band: The band that it belongs to, if any.
        text: The text; null for those who may not see names, since people may have written some into it.
        withdrawn: It is judged no longer.
    """

    statement_id: UUID
    subject: str
    code: str
    band: int | None
    text: str | None
    withdrawn: bool


class NewStatements(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Statements to register: all of them, or none."""

    statements: Annotated[list[NewStatement], msgspec.Meta(max_length=MOST_ENTRIES)]


class StatementsKept(msgspec.Struct, frozen=True, kw_only=True):
    """The statements that a command was about, in the order given."""

    statement_ids: list[UUID]
    position: int


class JudgedQuery(ReadQuery, frozen=True, kw_only=True):
    """Which judgements.

    Attributes:
        subject: Of one subject, or of all.
        academic_year: As at the end of a point: the year in which its academic year starts; now, if none.
        term: The term or half-term of that point; the whole year's end, if none.
    """

    subject: str | None = None
    academic_year: AcademicYear | None = None
    term: Term | None = None


class JudgedStatement(StatementBody, frozen=True, kw_only=True):
    """A statement with the judgement of it; without one, the last four are null.

    Attributes:
        judgement: `not-yet`, `working-towards` or `achieved`.
        assessment_id: The entry that says so.
        academic_year: When it was judged: the year in which the academic year starts.
        term: The term or half-term.
    """

    judgement: str | None
    assessment_id: UUID | None
    academic_year: int | None
    term: str | None


class SubjectCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many statements of a subject are judged how.

    Attributes:
        subject: The subject code.
        statements: How many there are, withdrawn ones apart.
        judged: How many are judged so, by judgement.
    """

    subject: str
    statements: int
    judged: dict[str, int]


class JudgedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How a pupil's statements are judged, beside and apart from the steps that a teacher gives."""

    pupil_id: UUID
    subjects: list[SubjectCount]
    statements: list[JudgedStatement]
    position: int


class Judgement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A judgement of one statement."""

    statement_id: UUID
    value: str


class NewJudgements(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Judgements of a pupil's statements at one point."""

    academic_year: AcademicYear
    term: Term
    judgements: Annotated[list[Judgement], msgspec.Meta(max_length=MOST_ENTRIES)]
    assessed_on: date | None = None


def _body(caller: Caller, statement: Statement) -> StatementBody:
    # Those who may see no names hold no key to the text; and they are asked, too.
    hidden = is_sealed(statement.text) or not caller.may(Permission.READ_NAMES)
    return StatementBody(
        statement_id=statement.id,
        subject=statement.key.subject,
        code=statement.key.code,
        band=statement.key.band,
        text=None if hidden else statement.text,
        withdrawn=statement.withdrawn,
    )


def _kept(outcome: Outcome[StatementsResult], status: int = 200) -> Answer[StatementsKept]:
    kept = StatementsKept(statement_ids=outcome.result.statement_ids, position=outcome.position)
    return Answer(kept, status, position=outcome.position, repeated=outcome.repeated)


@routes.get("/v1/statements")
def list_statements(
    caller: Annotated[Caller, signed_in(Permission.READ_SCHOOL)],
    asked: Annotated[StatementsQuery, query(StatementsQuery)],
) -> Answer[list[StatementBody]]:
    """List the school's statements, withdrawn ones too."""
    see(caller, asked.min_position)
    return Answer([_body(caller, statement) for statement in _of_subject(caller, asked.subject)])


def _of_subject(caller: Caller, subject: str | None) -> list[Statement]:
    wanted = None if subject is None else subject.strip().upper()
    return [
        statement
        for statement in statements_of(caller.school).values()
        if wanted in (None, statement.key.subject)
    ]


@routes.post("/v1/statements", status_code=201)
def register_statements(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ASSESSMENTS)],
    sent: Annotated[Sent[NewStatements], body(NewStatements)],
) -> Answer[StatementsKept]:
    """Add statements to the school's set: all of them, or none."""
    return _kept(commands.register(caller.school, sent.value.statements, caller.actor, sent.command), 201)


@routes.post("/v1/statements/{statement_id}/withdraw")
def withdraw_statement(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ASSESSMENTS)],
    statement_id: UUID,
    sent: Annotated[Sent[bytes], Depends(NoBody())],
) -> Answer[StatementsKept]:
    """Take a statement out of use; what was judged before stays."""
    return _kept(commands.withdraw(caller.school, statement_id, caller.actor, sent.command))


@routes.get("/v1/pupils/{pupil_id}/statements")
def read_judgements(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[JudgedQuery, query(JudgedQuery)],
    pupil_id: UUID,
) -> Shown[JudgedAnswer]:
    """Read how a pupil's statements are judged, now or as at an assessment point."""
    if asked.term is not None and asked.academic_year is None:
        raise InvalidInput(
            "A term alone is no assessment point",
            [Finding(field="academic_year", found="none", accepted="the year of the term, such as 2025")],
        )
    names = (projections.pupils.NAME, projections.assessments.NAME)
    with reading(caller, asked.min_position, *names) as read:
        if projections.pupils.get(read.connection, caller.school.keys, pupil_id) is None:
            caller.school.pupil(pupil_id)  # which says so, if there was one who has been erased
            raise NotFound("This school has no pupil with that id")
        views = projections.assessments.judged(read.connection, caller.school.keys, [pupil_id])
    current = _current(views, asked)
    judged = [
        _judged(caller, statement, current.get(statement.id))
        for statement in _of_subject(caller, asked.subject)
        if not statement.withdrawn or statement.id in current
    ]
    answer = JudgedAnswer(
        pupil_id=pupil_id, subjects=_counts(judged), statements=judged, position=read.position
    )
    return Shown(caller, ReadKind.PUPIL, [pupil_id], answer)


def _current(views: list[AssessmentView], asked: JudgedQuery) -> dict[UUID, AssessmentView]:
    """The latest judgement of each statement, up to a point: by the point, and then as it was entered."""

    def place(view: AssessmentView) -> tuple[int, int, int]:
        point = AssessmentPoint(view.result.academic_year, Term(view.result.term or Term.SUMMER))
        return (point.academic_year, point.half_terms, view.entered)

    last: tuple[int, int] | None = None
    if asked.academic_year is not None:
        last = (
            asked.academic_year,
            AssessmentPoint(asked.academic_year, asked.term or Term.SUMMER).half_terms,
        )
    return {
        view.result.statement: view
        for view in sorted(views, key=place)
        if view.result.statement and (last is None or place(view)[:2] <= last)
    }


def _judged(caller: Caller, statement: Statement, view: AssessmentView | None) -> JudgedStatement:
    return JudgedStatement(
        **msgspec.structs.asdict(_body(caller, statement)),
        judgement=view.result.value if view else None,
        assessment_id=view.assessment_id if view else None,
        academic_year=view.result.academic_year if view else None,
        term=view.result.term if view else None,
    )


def _counts(judged: list[JudgedStatement]) -> list[SubjectCount]:
    there: dict[str, list[JudgedStatement]] = {}
    for each in judged:
        if not each.withdrawn:
            there.setdefault(each.subject, []).append(each)
    return [
        SubjectCount(
            subject=subject,
            statements=len(some),
            judged=dict(Counter(each.judgement for each in some if each.judgement)),
        )
        for subject, some in sorted(there.items())
    ]


@routes.post("/v1/pupils/{pupil_id}/statements", status_code=201)
def judge_statements(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES)],
    pupil_id: UUID,
    sent: Annotated[Sent[NewJudgements], body(NewJudgements)],
) -> Answer[SheetKept]:
    """Record judgements of a pupil's statements: all of them, or none."""
    given = sent.value
    caller.school.pupil(pupil_id)
    outcome = record(
        caller.school,
        AssessmentPoint(given.academic_year, given.term),
        [Entry(pupil_id, "", each.value, each.statement_id) for each in given.judgements],
        caller.actor,
        scheme=STATEMENTS,
        assessed_on=given.assessed_on,
        only_classes=caller.only_classes,
        command=sent.command,
    )
    kept = SheetKept(assessment_ids=outcome.result.assessment_ids, position=outcome.position)
    return Answer(kept, 201, position=outcome.position, repeated=outcome.repeated)
