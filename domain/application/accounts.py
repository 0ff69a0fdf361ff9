"""Staff accounts: adding, changing, disabling; logging in and out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import msgspec

import domain.advisers
import domain.staff
from domain import school_time
from domain.access import PERMISSIONS, AccessLevel, Permission
from domain.application.school_application import (
    STAFF,
    CommandKey,
    Decision,
    Outcome,
    SchoolApplication,
    Schools,
    logins_of,
)
from domain.errors import LoginKeyRefused, LoginRefused, NotFound, NotSignedIn, Throttled
from domain.events import SYSTEM, Actor, ActorKind, Event
from domain.identifiers import new_id
from domain.ledger.database import Connection
from domain.ledger.stream import Unless
from domain.login import LoginFailed, LoginFailure, SessionClosed, SessionEnd, SessionOpened
from domain.staff import Access, Adviser, StaffMember, StaffNames
from domain.vault import keystore, login_key, resets
from domain.vault.login_key import LoginKey
from domain.vault.passwords import is_outdated, long_enough_for, rehashed, verifier_of, verify
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
    saw_names = school.staff_member(staff_id).may(Permission.READ_NAMES)
    outcome = _change_among_colleagues(
        school,
        staff_id,
        lambda member, colleagues: domain.staff.change_access(member, access, colleagues, actor),
        command,
    )
    if saw_names is not (Permission.READ_NAMES in PERMISSIONS[access.level]):
        _end_sessions(school, sessions, staff_id, actor)
    return outcome


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
    outcome = _change(
        school,
        staff_id,
        lambda member: domain.staff.set_password(member, verifier, actor, for_administrators=suits),
        command,
        lambda connection: resets.forget(connection, school.school_id, staff_id),
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
    beside: Callable[[Connection], None] | None = None,
) -> Outcome[StaffResult]:
    def decide() -> Decision[StaffResult]:
        member = school.staff_member(staff_id)
        happened = change(member)
        result = StaffResult(staff_id, member.version + (happened is not None))
        return Decision([happened] if happened else [], result, beside=beside)

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
    """An open session, with the token that only its holder has.

    Attributes:
        token: The token.
        session: The session.
        school: The school, opened as far as the session may.
        member: Whose session it is.
        device: What the device shows at its next login to this account, so that nobody who guesses keeps it
            out.
    """

    token: str
    session: Session
    school: SchoolApplication
    member: StaffMember
    device: str


REFUSED = "The username or the password is not right"


def log_in(
    schools: Schools,
    sessions: Sessions,
    key: str,
    username: str,
    password: str,
    *,
    address: str = "",
    device: str | None = None,
) -> LoggedIn:
    """Opens a session.

    The login key is looked at first, by itself: one that is damaged or not ours is refused before anything is
    looked up, and nothing of the attempt is kept anywhere.

    Args:
        schools: The schools.
        sessions: The sessions.
        key: The school's login key, as it was pasted.
        username: The username.
        password: The password.
        address: The network address that the attempt comes from, which is not kept.
        device: What the device was given at an earlier login.

    Raises:
        Throttled: Too many attempts have failed.
        LoginKeyRefused: The login key is damaged, not one of this service's, or has been revoked.
        LoginRefused: The username or the password is wrong, the account is disabled, or the adviser's time
            is over; it never says which, and takes as long for a user whom nobody knows. The reason is on
            the school's stream.
    """
    shown = login_key.read(key, schools.service_keys)
    school = opened_with_key(schools, shown)
    try:
        attempt = schools.throttle.attempt(shown.school_id, username, address, device)
    except Throttled as throttled:
        if throttled.first:  # once for each wait: nobody can flood the stream
            _log_failure(school, shown, LoginFailure.THROTTLED, None)
        raise
    member = school.member_with_username(username)
    right = verify(member.password_verifier if member else None, password)
    if member is None or not right or not member.may_log_in(school_time.today()):
        _log_failure(school, shown, _failure(member, right=right), member)
        raise LoginRefused(REFUSED)
    schools.throttle.succeeded(attempt)
    actor = Actor(ActorKind.STAFF, member.id)
    if is_outdated(member.password_verifier):
        # Its length is not asked again: what was accepted lets its owner in.
        old, new = member.password_verifier, rehashed(password)
        _change(school, member.id, lambda now: domain.staff.rehash_password(now, old, new, actor), None)
    keys = school.keys.school if member.may(Permission.READ_NAMES) else school.keys.school.without_names()
    token, session = sessions.open(keys, member.id, shown.key_id)
    school.add_to_log(
        SessionOpened(
            originator_id=logins_of(member.id),
            originator_version=0,
            actor=actor,
            session_id=session.id,
            staff_id=member.id,
            key_id=shown.key_id,
        )
    )
    return LoggedIn(token, session, school, member, schools.throttle.device_token(shown.school_id, username))


def _failure(member: StaffMember | None, *, right: bool) -> LoginFailure:
    """Why somebody was turned away; of an account that cannot be used, only if the password was right."""
    if member is None:
        return LoginFailure.UNKNOWN_USER
    if not right:
        return LoginFailure.WRONG_PASSWORD
    return LoginFailure.DISABLED if member.disabled else LoginFailure.ENDED


def opened_with_key(schools: Schools, shown: LoginKey) -> SchoolApplication:
    """A school, opened with one of its login keys.

    Raises:
        LoginKeyRefused: The key has been revoked; that somebody showed it is on the school's stream.
    """
    try:
        with schools.database.bound_to(shown.school_id) as connection:
            keys = keystore.with_login_key(connection, shown)
    except LoginKeyRefused as refused:
        if "revoked" in refused.details:
            _log_failure(schools.school(shown.school_id), shown, LoginFailure.KEY_REVOKED, None)
        raise
    return schools.opened(keys)


def _log_failure(
    school: SchoolApplication, shown: LoginKey, reason: LoginFailure, member: StaffMember | None
) -> None:
    school.add_to_log(
        LoginFailed(
            originator_id=logins_of(member.id if member else school.school_id),
            originator_version=0,
            actor=SYSTEM,
            staff_id=member.id if member else None,
            key_id=shown.key_id,
            reason=reason,
        )
    )


def log_out(school: SchoolApplication, sessions: Sessions, session: Session) -> None:
    """Ends a session; one that has ended stays so."""
    if sessions.close(session):
        actor = Actor(ActorKind.STAFF, session.staff_id)
        _log_close(school, session.id, session.staff_id, SessionEnd.LOGOUT, actor)


def _end_sessions(
    school: SchoolApplication,
    sessions: Sessions,
    staff_id: UUID,
    actor: Actor,
    keep: UUID | None = None,
    *,
    reason: SessionEnd = SessionEnd.REVOKED,
) -> int:
    ended = sessions.close_all_of(school.school_id, staff_id, but=keep)
    for session_id in ended:
        _log_close(school, session_id, staff_id, reason, actor)
    return len(ended)


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


def signed_in(
    schools: Schools, sessions: Sessions, token: str
) -> tuple[Session, SchoolApplication, StaffMember]:
    """Who a token belongs to, and the school as far as they may open it.

    Raises:
        NotSignedIn: The session has ended, the account is disabled, or the adviser's time is over; then
            every session of theirs ends.
    """
    session, keys = sessions.use(token)
    school = schools.opened(keys)
    member = school.staff_member(session.staff_id)
    if member.disabled:
        raise NotSignedIn("This account is disabled")
    if member.has_ended(school_time.today()):
        _end_sessions(school, sessions, member.id, SYSTEM, reason=SessionEnd.ENDED)
        raise NotSignedIn("The time for which this account was given is over")
    if keys.names is not None and not member.may(Permission.READ_NAMES):
        school = schools.opened(keys.without_names())
    return session, school, member


def close_session(school: SchoolApplication, sessions: Sessions, session_id: UUID, actor: Actor) -> None:
    """Ends one session of anybody at the school.

    Raises:
        NotFound: There is no such session, or it has ended.
    """
    staff_id = sessions.close_by_id(school.school_id, session_id)
    if staff_id is None:
        raise NotFound("There is no such session, or it has ended")
    _log_close(school, session_id, staff_id, SessionEnd.REVOKED, actor)


def close_sessions_of(
    school: SchoolApplication, sessions: Sessions, staff_id: UUID, actor: Actor, keep: UUID | None = None
) -> int:
    """Ends every session of a member of staff, or all but one, and returns how many.

    Raises:
        NotFound: There is no such account.
    """
    school.staff_member(staff_id)
    return _end_sessions(school, sessions, staff_id, actor, keep)
