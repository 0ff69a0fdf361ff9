"""Registering a school and its first administrator."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import msgspec

import domain.school
import domain.staff
from domain.access import AccessLevel
from domain.application.login_keys import keys_log_of
from domain.application.school_application import CommandKey, Outcome, Schools, repeated_outcome
from domain.errors import AlreadyExists, Misconfigured
from domain.events import OPERATOR
from domain.identifiers import command_id_of, new_id
from domain.keys import KeyIssued, KeyOrigin
from domain.ledger.stream import Command, register_school, school_of_urn
from domain.school import SchoolFacts
from domain.staff import Access, StaffNames
from domain.vault import keystore
from domain.vault.keyring import SchoolKeys
from domain.vault.login_key import issue
from domain.vault.passwords import verifier_of


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """A request to register a school.

    Attributes:
        facts: What is publicly known of it.
        official_email: Where new passwords are sent.
        agreement_from: The first day of the agreement.
        administrator: The first administrator.
        password: The administrator's first password, at least 15 characters.
        headteacher: Whether the first administrator is the headteacher.
    """

    facts: SchoolFacts
    official_email: str
    agreement_from: date
    administrator: StaffNames
    password: str
    headteacher: bool = False


class Registered(msgspec.Struct, frozen=True):
    """The ids that a registration made."""

    school_id: UUID
    administrator_id: UUID
    key_id: UUID


@dataclass(frozen=True)
class RegisteredSchool:
    """What a registration did.

    Attributes:
        outcome: The ids, and the position.
        login_key: The school's first login key, told this once; nothing for a repeat of the command.
    """

    outcome: Outcome[Registered]
    login_key: str | None = field(repr=False)


def register(schools: Schools, request: Registration, command: CommandKey | None = None) -> RegisteredSchool:
    """Registers a school: its stream, its keys, its facts and its first administrator, all or nothing.

    Raises:
        AlreadyExists: A school with this URN is registered.
        InvalidInput: Something in the request is not as it must be.
        Misconfigured: The service knows no recovery key, and the school would be lost with its login key.
    """
    if schools.recovery is None:
        raise Misconfigured(
            "The service knows no recovery key, so that a school which loses its login key would be lost: "
            "make one with target-tracker keys init-recovery"
        )
    context = [request.administrator.username, request.facts.name]
    verifier = verifier_of(request.password, AccessLevel.ADMIN, context=context)
    keys = SchoolKeys.new(new_id())
    text, login_key = issue(schools.service_keys, keys.school_id, new_id())
    result = Registered(keys.school_id, new_id(), login_key.key_id)
    events = [
        domain.school.register(
            result.school_id, request.facts, request.official_email, request.agreement_from, OPERATOR
        ),
        domain.staff.add(
            result.administrator_id,
            request.administrator,
            Access(AccessLevel.ADMIN),
            verifier,
            [],
            OPERATOR,
            for_administrators=True,
            headteacher=request.headteacher,
        ),
        KeyIssued(
            originator_id=keys_log_of(result.school_id),
            originator_version=1,
            actor=OPERATOR,
            school_id=result.school_id,
            key_id=login_key.key_id,
            origin=KeyOrigin.REGISTRATION,
        ),
    ]
    school = schools.opened(keys)
    subject_keys = [school.keys.make(event.subject) for event in events if event.founds]
    stored = [school.mapper.to_stored_event(event) for event in events]
    remembered = (
        Command(
            command_id_of(result.school_id, command.key),
            command.fingerprint(),
            msgspec.msgpack.encode(result),
        )
        if command
        else None
    )
    try:
        with school.database.bound_to(result.school_id) as connection:
            register_school(connection, result.school_id, request.facts.urn)
            keystore.add_school(connection, keys, schools.service_keys, schools.recovery)
            keystore.add_login_key(connection, login_key, keys)
            appended = school.stream.append(stored, command=remembered, connection=connection)
            keystore.add_subjects(connection, result.school_id, subject_keys)
            digest = school.digest_of_username(request.administrator.username)
            keystore.add_username(connection, result.school_id, digest, result.administrator_id)
    except AlreadyExists:
        if command and (outcome := _earlier(schools, request.facts.urn, command)):
            return RegisteredSchool(outcome, None)
        raise
    return RegisteredSchool(Outcome(appended.last, result), text)


def _earlier(schools: Schools, urn: str, command: CommandKey) -> Outcome[Registered] | None:
    """What the same command did, if it is what registered the school."""
    school_id = school_of_urn(schools.database, urn)
    if school_id is None:
        return None
    earlier = schools.school(school_id).stream.command(command_id_of(school_id, command.key))
    return repeated_outcome(earlier, command, Registered) if earlier else None
