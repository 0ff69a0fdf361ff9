"""Registering a school and its first administrator."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

import domain.school
import domain.staff
from domain.access import AccessLevel
from domain.application.school_application import MAPPER, CommandKey, Outcome, Schools, repeated_outcome
from domain.errors import AlreadyExists
from domain.events import OPERATOR
from domain.identifiers import command_id_of, new_id
from domain.ledger.database import bound
from domain.ledger.stream import Command, register_school, school_of_urn
from domain.school import SchoolFacts
from domain.staff import Access, StaffNames
from domain.vault.passwords import verifier_of


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """A request to register a school.

    Attributes:
        facts: What is publicly known of it.
        official_email: Where new passwords are sent.
        agreement_from: The first day of the agreement.
        administrator: The first administrator.
        password: The administrator's first password, at least 15 characters.
    """

    facts: SchoolFacts
    official_email: str
    agreement_from: date
    administrator: StaffNames
    password: str


class Registered(msgspec.Struct, frozen=True):
    """The ids that a registration made."""

    school_id: UUID
    administrator_id: UUID


def register(
    schools: Schools, request: Registration, command: CommandKey | None = None
) -> Outcome[Registered]:
    """Registers a school: its stream, its facts and its first administrator, all or nothing.

    Raises:
        AlreadyExists: A school with this URN is registered.
        InvalidInput: Something in the request is not as it must be.
    """
    result = Registered(new_id(), new_id())
    context = [request.administrator.username, request.facts.name]
    verifier = verifier_of(request.password, AccessLevel.ADMIN, context=context)
    events = [
        domain.school.register(
            result.school_id, request.facts, request.official_email, request.agreement_from, OPERATOR
        ),
        domain.staff.add(
            result.administrator_id, request.administrator, Access(AccessLevel.ADMIN), verifier, [], OPERATOR
        ),
    ]
    stream = schools.school(result.school_id).stream
    try:
        with stream.database.connection() as connection, bound(connection, result.school_id):
            register_school(connection, result.school_id, request.facts.urn)
            appended = stream.append(
                [MAPPER.to_stored_event(event) for event in events],
                command=Command(
                    command_id_of(result.school_id, command.key),
                    command.fingerprint(),
                    msgspec.msgpack.encode(result),
                )
                if command
                else None,
                connection=connection,
            )
    except AlreadyExists:
        if command and (outcome := _earlier(schools, request.facts.urn, command)):
            return outcome
        raise
    return Outcome(appended.last, result)


def _earlier(schools: Schools, urn: str, command: CommandKey) -> Outcome[Registered] | None:
    """What the same command did, if it is what registered the school."""
    school_id = school_of_urn(schools.database, urn)
    if school_id is None:
        return None
    earlier = schools.school(school_id).stream.command(command_id_of(school_id, command.key))
    return repeated_outcome(earlier, command, Registered) if earlier else None
