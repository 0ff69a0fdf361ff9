"""The sessions of a school's staff: who is signed in, and how their sessions end.

A session ends, and is recorded as ended, within one transaction. Whoever ends one locks the school's stream
first, so that no two wait for each other.
"""

from __future__ import annotations

from uuid import UUID

from domain import school_time
from domain.access import Permission
from domain.application.school_application import SchoolApplication, Schools, logins_of
from domain.errors import NotFound, NotSignedIn
from domain.events import SYSTEM, Actor, ActorKind
from domain.ledger.database import Connection
from domain.login import SessionClosed, SessionEnd
from domain.staff import StaffMember
from domain.vault.sessions import Session, Sessions


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
        with school.database.bound_to(school.school_id) as connection:
            end_sessions(school, sessions, connection, member.id, SYSTEM, reason=SessionEnd.ENDED)
        raise NotSignedIn("The time for which this account was given is over")
    if keys.names is not None and not member.may(Permission.READ_NAMES):
        school = schools.opened(keys.without_names())
    return session, school, member


def log_out(school: SchoolApplication, sessions: Sessions, session: Session) -> None:
    """Ends a session; one that has ended stays so."""
    _close(school, sessions, session.id, SessionEnd.LOGOUT, Actor(ActorKind.STAFF, session.staff_id))


def end_sessions(
    school: SchoolApplication,
    sessions: Sessions,
    connection: Connection,
    staff_id: UUID,
    actor: Actor,
    keep: UUID | None = None,
    *,
    reason: SessionEnd = SessionEnd.REVOKED,
) -> int:
    """Ends every session of a member of staff, or all but one, within the transaction that is open.

    Returns:
        How many they were.
    """
    school.stream.lock(connection)  # before the sessions, as everybody does who ends them
    ended = sessions.close_all_of(school.school_id, staff_id, but=keep, connection=connection)
    school.add_to_logs([closed(each, staff_id, reason, actor) for each in ended], connection)
    return len(ended)


def close_session(school: SchoolApplication, sessions: Sessions, session_id: UUID, actor: Actor) -> None:
    """Ends one session of anybody at the school.

    Raises:
        NotFound: There is no such session, or it has ended.
    """
    if not _close(school, sessions, session_id, SessionEnd.REVOKED, actor):
        raise NotFound("There is no such session, or it has ended")


def close_sessions_of(
    school: SchoolApplication, sessions: Sessions, staff_id: UUID, actor: Actor, keep: UUID | None = None
) -> int:
    """Ends every session of a member of staff, or all but one, and returns how many.

    Raises:
        NotFound: There is no such account.
    """
    school.staff_member(staff_id)
    with school.database.bound_to(school.school_id) as connection:
        return end_sessions(school, sessions, connection, staff_id, actor, keep)


def _close(
    school: SchoolApplication, sessions: Sessions, session_id: UUID, reason: SessionEnd, actor: Actor
) -> bool:
    with school.database.bound_to(school.school_id) as connection:
        school.stream.lock(connection)  # before the session, as everybody does who ends one
        staff_id = sessions.close(school.school_id, session_id, connection)
        if staff_id is not None:
            school.add_to_logs([closed(session_id, staff_id, reason, actor)], connection)
    return staff_id is not None


def closed(session_id: UUID, staff_id: UUID, reason: SessionEnd, actor: Actor) -> SessionClosed:
    """What is recorded of a session that has ended; its log gives it its version."""
    return SessionClosed(
        originator_id=logins_of(staff_id),
        originator_version=0,
        actor=actor,
        session_id=session_id,
        staff_id=staff_id,
        reason=reason,
    )
