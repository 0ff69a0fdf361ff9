"""Staff accounts: adding, changing, disabling; logging in and out."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import msgspec

import domain.staff
from domain.application.school_application import (
    STAFF,
    CommandKey,
    Decision,
    Outcome,
    SchoolApplication,
    Schools,
    logins_of,
)
from domain.errors import LoginRefused, NotSignedIn
from domain.events import SYSTEM, Actor, ActorKind, Event
from domain.identifiers import new_id
from domain.ledger.stream import Unless, school_of_urn
from domain.login import LoginFailed, LoginFailure, SessionClosed, SessionEnd, SessionOpened
from domain.staff import Access, StaffMember, StaffNames
from domain.vault.passwords import is_outdated, rehashed, verifier_of, verify
from domain.vault.sessions import Session, Sessions


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
) -> Outcome[StaffResult]:
    """Makes an account.

    Raises:
        AlreadyExists: Somebody at the school has the username.
        InvalidInput: The names, the classes or the password are not as they must be.
    """
    verifier = verifier_of(password, access.level, context=[names.username, school.school().facts.name])
    staff_id = new_id()

    def decide() -> Decision[StaffResult]:
        colleagues, position = school.staff()
        added = domain.staff.add(staff_id, names, access, verifier, colleagues, actor)
        return Decision([added], StaffResult(staff_id, 1), Unless(STAFF, position))

    return school.carry_out(decide, StaffResult, command)


def change_access(
    school: SchoolApplication, staff_id: UUID, access: Access, actor: Actor, command: CommandKey | None = None
) -> Outcome[StaffResult]:
    """Changes what an account may do.

    Raises:
        NotFound: There is no such account.
        Conflict: It is the last administrator's, and would no longer be one.
        InvalidInput: Classes are given to a level that knows none.
    """
    return _change_among_colleagues(
        school,
        staff_id,
        lambda member, colleagues: domain.staff.change_access(member, access, colleagues, actor),
        command,
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
    """Changes a password and ends every session that the old one opened.

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
    """
    member = school.staff_member(staff_id)
    context = [member.names.username, school.school().facts.name]
    verifier = verifier_of(password, member.access.level, context=context)
    outcome = _change(
        school, staff_id, lambda member: domain.staff.set_password(member, verifier, actor), command
    )
    _end_sessions(school, sessions, staff_id, actor, keep)
    return outcome


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
    outcome = _change_among_colleagues(
        school, staff_id, lambda member, colleagues: domain.staff.disable(member, colleagues, actor), command
    )
    _end_sessions(school, sessions, staff_id, actor)
    return outcome


def enable(
    school: SchoolApplication, staff_id: UUID, actor: Actor, command: CommandKey | None = None
) -> Outcome[StaffResult]:
    """Lets an account be used again.

    Raises:
        NotFound: There is no such account.
    """
    return _change(school, staff_id, lambda member: domain.staff.enable(member, actor), command)


def _change(
    school: SchoolApplication,
    staff_id: UUID,
    change: Callable[[StaffMember], Event | None],
    command: CommandKey | None,
) -> Outcome[StaffResult]:
    def decide() -> Decision[StaffResult]:
        member = school.staff_member(staff_id)
        happened = change(member)
        result = StaffResult(staff_id, member.version + (happened is not None))
        return Decision([happened] if happened else [], result)

    return school.carry_out(decide, StaffResult, command)


def _change_among_colleagues(
    school: SchoolApplication,
    staff_id: UUID,
    change: Callable[[StaffMember, list[StaffMember]], Event | None],
    command: CommandKey | None,
) -> Outcome[StaffResult]:
    """Makes a change whose decision rests on everybody's accounts."""

    def decide() -> Decision[StaffResult]:
        colleagues, position = school.staff()
        member = school.staff_member(staff_id)
        happened = change(member, colleagues)
        result = StaffResult(staff_id, member.version + (happened is not None))
        return Decision([happened] if happened else [], result, Unless(STAFF, position))

    return school.carry_out(decide, StaffResult, command)


class LoggedIn(msgspec.Struct, frozen=True):
    """An open session, with the token that only its holder has."""

    token: str
    session_id: UUID
    school_id: UUID
    member: StaffMember


def log_in(schools: Schools, sessions: Sessions, urn: str, username: str, password: str) -> LoggedIn:
    """Opens a session.

    Raises:
        LoginRefused: The school, the username or the password is wrong, or the account is disabled; it never
            says which, and takes as long for a user whom nobody knows. The reason is on the school's stream.
    """
    school_id = school_of_urn(schools.database, urn) if urn.isascii() and urn.isdigit() else None
    if school_id is None:
        verify(None, password)
        raise LoginRefused("The school, the username or the password is not right")
    school = schools.school(school_id)
    member = domain.staff.with_username(school.staff()[0], username)
    right = verify(member.password_verifier if member else None, password)
    if member is None or not right or member.disabled:
        reason = (
            LoginFailure.UNKNOWN_USER
            if member is None
            else LoginFailure.DISABLED
            if right
            else LoginFailure.WRONG_PASSWORD
        )
        school.add_to_log(
            LoginFailed(
                originator_id=logins_of(member.id if member else school_id),
                originator_version=0,
                actor=SYSTEM,
                staff_id=member.id if member else None,
                reason=reason,
            )
        )
        raise LoginRefused("The school, the username or the password is not right")
    actor = Actor(ActorKind.STAFF, member.id)
    if is_outdated(member.password_verifier):
        verifier = rehashed(password)  # Its length is not asked again: what was accepted lets its owner in.
        _change(school, member.id, lambda now: domain.staff.set_password(now, verifier, actor), None)
    token, session = sessions.open(school_id, member.id)
    school.add_to_log(
        SessionOpened(
            originator_id=logins_of(member.id),
            originator_version=0,
            actor=actor,
            session_id=session.id,
            staff_id=member.id,
        )
    )
    return LoggedIn(token, session.id, school_id, member)


def log_out(school: SchoolApplication, sessions: Sessions, session: Session) -> None:
    """Ends a session; one that has ended stays so."""
    if sessions.close(session):
        actor = Actor(ActorKind.STAFF, session.staff_id)
        _log_close(school, session.id, session.staff_id, SessionEnd.LOGOUT, actor)


def _end_sessions(
    school: SchoolApplication, sessions: Sessions, staff_id: UUID, actor: Actor, keep: UUID | None = None
) -> None:
    for session_id in sessions.close_all_of(school.school_id, staff_id, but=keep):
        _log_close(school, session_id, staff_id, SessionEnd.REVOKED, actor)


def _log_close(
    school: SchoolApplication, session_id: UUID, staff_id: UUID, reason: SessionEnd, actor: Actor
) -> None:
    school.add_to_log(
        SessionClosed(
            originator_id=logins_of(staff_id),
            originator_version=0,
            actor=actor,
            session_id=session_id,
            staff_id=staff_id,
            reason=reason,
        )
    )


def signed_in(schools: Schools, sessions: Sessions, token: str) -> tuple[Session, StaffMember]:
    """Who a token belongs to.

    Raises:
        NotSignedIn: The session has ended, or the account is disabled.
    """
    session = sessions.use(token)
    member = schools.school(session.school_id).staff_member(session.staff_id)
    if member.disabled:
        raise NotSignedIn("This account is disabled")
    return session, member
