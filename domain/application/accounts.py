"""Staff accounts: adding, changing, disabling; their passwords."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import msgspec

import domain.advisers
import domain.headteachers
import domain.staff
from domain import school_time
from domain.access import PERMISSIONS, AccessLevel, Permission
from domain.application.school_application import (
    STAFF,
    CommandKey,
    Decision,
    Outcome,
    SchoolApplication,
)
from domain.application.staff_sessions import end_sessions
from domain.events import Actor, ActorKind, Event
from domain.identifiers import new_id
from domain.ledger.database import Connection
from domain.ledger.stream import Unless
from domain.staff import Access, Adviser, StaffMember, StaffNames
from domain.vault import keystore, resets
from domain.vault.passwords import long_enough_for, rehashed, verifier_of
from domain.vault.sessions import Sessions

Beside = Callable[[Connection, StaffMember], object]
"""What else is done to an account in the transaction of its change; it is given the account as it was."""


class StaffResult(msgspec.Struct, frozen=True):
    """The account that a command was about."""

    staff_id: UUID
    version: int


def add_staff(
    school: SchoolApplication,
    names: StaffNames,
    access: Access,
    password: str,
    actor: Actor,
    command: CommandKey | None = None,
    *,
    adviser: Adviser | None = None,
) -> Outcome[StaffResult]:
    """Makes an account.

    Args:
        school: The school.
        names: Who it is for.
        access: What they may do.
        password: Their first password.
        actor: Who makes it.
        command: The key, if the caller gave one.
        adviser: Why and until when, for somebody from outside.

    Raises:
        AlreadyExists: Somebody at the school has the username.
        InvalidInput: The names, the classes, the password, or what makes it an adviser's are not as they
            must be.
    """
    if adviser:
        adviser = domain.advisers.checked(adviser, access.level, school_time.today())
    verifier = verifier_of(password, access.level, context=[names.username, school.school().facts.name])
    staff_id = new_id()

    def decide() -> Decision[StaffResult]:
        colleagues, position = school.staff()
        added = domain.staff.add(
            staff_id,
            names,
            access,
            verifier,
            colleagues,
            actor,
            for_administrators=long_enough_for(AccessLevel.ADMIN, password),
            adviser=adviser,
        )
        digest = school.digest_of_username(names.username)
        return Decision(
            [added],
            StaffResult(staff_id, 1),
            Unless(STAFF, position),
            lambda connection: keystore.add_username(connection, school.school_id, digest, staff_id),
        )

    return school.carry_out(decide, StaffResult, command)


def change_access(
    school: SchoolApplication,
    sessions: Sessions,
    staff_id: UUID,
    access: Access,
    actor: Actor,
    command: CommandKey | None = None,
) -> Outcome[StaffResult]:
    """Changes what an account may do, from its next request on.

    Sessions end where names may be seen no longer, or now: a session holds the names key, or does not.

    Raises:
        NotFound: There is no such account.
        Conflict: It is the last administrator's, and would no longer be one; or it would be one, and is an
            adviser's, or its password is too short for that.
        InvalidInput: Classes are given to a level that knows none.
    """

    def beside(connection: Connection, before: StaffMember) -> None:
        if before.may(Permission.READ_NAMES) is not (Permission.READ_NAMES in PERMISSIONS[access.level]):
            end_sessions(school, sessions, connection, staff_id, actor)

    return _change_among_colleagues(
        school,
        staff_id,
        lambda member, colleagues: domain.staff.change_access(member, access, colleagues, actor),
        command,
        beside,
    )


def prolong(
    school: SchoolApplication,
    staff_id: UUID,
    until: date,
    actor: Actor,
    command: CommandKey | None = None,
) -> Outcome[StaffResult]:
    """Gives an adviser another last day, later or earlier.

    Raises:
        NotFound: There is no such account.
        Conflict: It is not an adviser's.
        InvalidInput: The day has passed, or is more than a year ahead.
    """
    today = school_time.today()
    return _change(
        school, staff_id, lambda member: domain.advisers.prolong(member, until, today, actor), command
    )


def set_password(
    school: SchoolApplication,
    sessions: Sessions,
    staff_id: UUID,
    password: str,
    actor: Actor,
    *,
    keep: UUID | None = None,
    command: CommandKey | None = None,
) -> Outcome[StaffResult]:
    """Changes a password, and ends every session that the old one opened and every code for a new one.

    Args:
        school: The school.
        sessions: The sessions.
        staff_id: Whose password.
        password: The new one.
        actor: Who sets it.
        keep: The session in which somebody sets their own, which goes on.
        command: The key, if the caller gave one.

    Raises:
        NotFound: There is no such account.
        InvalidInput: The password is too short, too long or easily guessed.
        Conflict: It is too short for an administrator, which its owner has just become.
    """
    member = school.staff_member(staff_id)
    context = [member.names.username, school.school().facts.name]
    verifier = verifier_of(password, member.access.level, context=context)
    suits = long_enough_for(AccessLevel.ADMIN, password)

    def beside(connection: Connection, _: StaffMember) -> None:
        resets.forget(connection, school.school_id, staff_id)
        end_sessions(school, sessions, connection, staff_id, actor, keep)

    return _change(
        school,
        staff_id,
        lambda member: domain.staff.set_password(member, verifier, actor, for_administrators=suits),
        command,
        beside,
    )


def disable(
    school: SchoolApplication,
    sessions: Sessions,
    staff_id: UUID,
    actor: Actor,
    command: CommandKey | None = None,
) -> Outcome[StaffResult]:
    """Ends the use of an account and every session of it.

    Raises:
        NotFound: There is no such account.
        Conflict: It is the last administrator's.
    """
    return _change_among_colleagues(
        school,
        staff_id,
        lambda member, colleagues: domain.staff.disable(member, colleagues, actor),
        command,
        lambda connection, _: end_sessions(school, sessions, connection, staff_id, actor),
    )


def enable(
    school: SchoolApplication, staff_id: UUID, actor: Actor, command: CommandKey | None = None
) -> Outcome[StaffResult]:
    """Lets an account be used again.

    Raises:
        NotFound: There is no such account.
    """
    return _change(school, staff_id, lambda member: domain.staff.enable(member, actor), command)


def appoint_headteacher(
    school: SchoolApplication, staff_id: UUID, actor: Actor, command: CommandKey | None = None
) -> Outcome[StaffResult]:
    """Gives an administrator the role of headteacher.

    Raises:
        NotFound: There is no such account.
        Conflict: It is disabled, or no administrator's.
        NotPermitted: Whoever appoints may not: see :func:`domain.headteachers.appoint`.
    """
    return _change_among_colleagues(
        school,
        staff_id,
        lambda member, colleagues: domain.headteachers.appoint(member, colleagues, actor),
        command,
    )


def end_headteacher(
    school: SchoolApplication, staff_id: UUID, actor: Actor, command: CommandKey | None = None
) -> Outcome[StaffResult]:
    """Ends the role of a headteacher.

    Raises:
        NotFound: There is no such account.
        NotPermitted: It is neither themselves nor the operator who ends it.
    """
    return _change(school, staff_id, lambda member: domain.headteachers.end(member, actor), command)


def rehash_password(school: SchoolApplication, member: StaffMember, password: str) -> None:
    """Keeps a newer verifier of the password that somebody has just shown.

    Its length is not asked again: what was accepted lets its owner in.
    """
    old, new = member.password_verifier, rehashed(password)
    actor = Actor(ActorKind.STAFF, member.id)
    _change(school, member.id, lambda now: domain.staff.rehash_password(now, old, new, actor), None)


def _change(
    school: SchoolApplication,
    staff_id: UUID,
    change: Callable[[StaffMember], Event | None],
    command: CommandKey | None,
    beside: Beside | None = None,
) -> Outcome[StaffResult]:
    def decide() -> Decision[StaffResult]:
        member = school.staff_member(staff_id)
        return _decided(member, change(member), beside)

    return school.carry_out(decide, StaffResult, command)


def _change_among_colleagues(
    school: SchoolApplication,
    staff_id: UUID,
    change: Callable[[StaffMember, list[StaffMember]], Event | None],
    command: CommandKey | None,
    beside: Beside | None = None,
) -> Outcome[StaffResult]:
    """Makes a change whose decision rests on everybody's accounts."""

    def decide() -> Decision[StaffResult]:
        colleagues, position = school.staff()
        member = school.staff_member(staff_id)
        return _decided(member, change(member, colleagues), beside, Unless(STAFF, position))

    return school.carry_out(decide, StaffResult, command)


def _decided(
    member: StaffMember, happened: Event | None, beside: Beside | None, unless: Unless | None = None
) -> Decision[StaffResult]:
    return Decision(
        [happened] if happened else [],
        StaffResult(member.id, member.version + (happened is not None)),
        unless,
        (lambda connection: beside(connection, member)) if beside else None,
    )
