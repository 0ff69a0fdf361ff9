"""A school's set of statements for Assessing Pupil Progress: registering and withdrawing them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

import domain.statements
from domain.application.school_application import CommandKey, Decision, Outcome, SchoolApplication
from domain.errors import AlreadyExists, Finding, InvalidInput, NotFound
from domain.events import Actor
from domain.identifiers import log_id_of, new_id
from domain.statements import Statement, StatementRegistered, StatementRetired, checked


class NewStatement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A statement to register.

    Attributes:
        subject: The subject code.
        code: The school's own code, unique in the subject: `3N-04`.
        text: The text, up to 500 characters.
        band: The band that it belongs to, 1 to 6, if any.
    """

    subject: str
    code: str
    text: str
    band: int | None = None


class StatementsResult(msgspec.Struct, frozen=True):
    """The statements that a command was about, in the order given."""

    statement_ids: list[UUID]


def _log_of(school: SchoolApplication) -> UUID:
    return log_id_of(school.school_id, "statements")


def statements_of(school: SchoolApplication) -> dict[UUID, Statement]:
    """The school's statements, by id, in the order in which they joined; texts as the keys open them."""
    return domain.statements.fold(school.read(school.stream.events_of(_log_of(school))))


def register(
    school: SchoolApplication,
    statements: Sequence[NewStatement],
    actor: Actor,
    command: CommandKey | None = None,
) -> Outcome[StatementsResult]:
    """Adds statements to the school's set, all of them or none.

    Raises:
        InvalidInput: Something in a statement is not as it must be; with a finding for each, numbered.
        AlreadyExists: The subject has a statement of that code.
    """
    findings: list[Finding] = []
    ready = []
    for number, new in enumerate(statements, start=1):
        try:
            ready.append(checked(new.subject, new.code, new.text, new.band, number))
        except InvalidInput as error:
            findings += error.findings
    if not statements:
        findings.append(Finding(field="statements", found="none", accepted="at least one"))
    if findings:
        raise InvalidInput("The statements cannot be kept like this", findings)
    ids = [new_id() for _ in ready]

    def decide() -> Decision[StatementsResult]:
        log = _log_of(school)
        # The version is read first: what joins the log between the two looks takes the next one.
        version = school.stream.last_versions([log]).get(log, 0)
        taken = {_unique(each.key) for each in statements_of(school).values() if not each.withdrawn}
        events = []
        for place, (statement_id, (key, text)) in enumerate(zip(ids, ready, strict=True), start=1):
            if _unique(key) in taken:
                raise AlreadyExists(f"There is a statement with the code of number {place} in that subject")
            taken.add(_unique(key))
            events.append(
                StatementRegistered(
                    originator_id=log,
                    originator_version=version + place,
                    actor=actor,
                    school_id=school.school_id,
                    statement_id=statement_id,
                    key=key,
                    text=text,
                )
            )
        return Decision(events, StatementsResult(ids))

    return school.carry_out(decide, StatementsResult, command)


def _unique(key: domain.statements.StatementKey) -> tuple[str, str]:
    return (key.subject, key.code.casefold())


def withdraw(
    school: SchoolApplication, statement_id: UUID, actor: Actor, command: CommandKey | None = None
) -> Outcome[StatementsResult]:
    """Takes a statement out of use; what was judged before stays.

    Of a judgement that is made at the same time, either it comes first, or it is refused: see
    :class:`domain.statements.StatementRetired`.

    Raises:
        NotFound: The school has no such statement.
    """

    def decide() -> Decision[StatementsResult]:
        log = _log_of(school)
        version = school.stream.last_versions([log]).get(log, 0)
        statement = statements_of(school).get(statement_id)
        if statement is None:
            raise NotFound("This school has no statement with that id")
        withdrawn = StatementRetired(
            originator_id=log,
            originator_version=version + 1,
            actor=actor,
            school_id=school.school_id,
            statement_id=statement_id,
        )
        return Decision([] if statement.withdrawn else [withdrawn], StatementsResult([statement_id]))

    return school.carry_out(decide, StatementsResult, command)
