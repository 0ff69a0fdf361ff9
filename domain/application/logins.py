"""Logging in: a login key, a username and a password open a school and a session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from domain import school_time
from domain.access import Permission
from domain.application.accounts import rehash_password
from domain.application.school_application import SchoolApplication, Schools, logins_of
from domain.errors import LoginKeyRefused, LoginRefused, Throttled
from domain.events import SYSTEM, Actor, ActorKind
from domain.login import LoginFailed, LoginFailure, SessionOpened
from domain.staff import StaffMember
from domain.vault import keystore, login_key
from domain.vault.login_key import LoginKey
from domain.vault.passwords import is_outdated, verify
from domain.vault.sessions import Session, Sessions


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
    while True:
        if member is None or not right or not member.may_log_in(school_time.today()):
            _log_failure(school, shown, _failure(member, right=right), member)
            raise LoginRefused(REFUSED)
        if opened := _opened(school, sessions, shown, member):
            break
        # The account has changed since it was looked at: perhaps this password lets nobody in any more.
        verified, member = member.password_verifier, school.staff_member(member.id)
        right = member.password_verifier == verified or verify(member.password_verifier, password)
    schools.throttle.succeeded(attempt)
    if is_outdated(member.password_verifier):
        rehash_password(school, member, password)
    token, session = opened
    return LoggedIn(token, session, school, member, schools.throttle.device_token(shown.school_id, username))


def _opened(
    school: SchoolApplication, sessions: Sessions, shown: LoginKey, member: StaffMember
) -> tuple[str, Session] | None:
    """Opens a session and records it; nothing, if the account is not as it was looked at.

    Whoever revokes the key or changes the account waits until the session is there, and ends it; or has been
    quicker, and there is none.
    """
    school_id = school.school_id
    keys = school.keys.school if member.may(Permission.READ_NAMES) else school.keys.school.without_names()
    with _refusing_revoked(school, shown), school.database.bound_to(school_id) as connection:
        keystore.hold_login_key(connection, shown, keys)
        school.stream.lock(connection)
        if school.stream.last_versions([member.id], connection) != {member.id: member.version}:
            return None
        token, session = sessions.open(keys, member.id, shown.key_id, connection)
        happened = SessionOpened(
            originator_id=logins_of(member.id),
            originator_version=0,
            actor=Actor(ActorKind.STAFF, member.id),
            session_id=session.id,
            staff_id=member.id,
            key_id=shown.key_id,
        )
        school.add_to_logs([happened], connection)
    return token, session


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
    with (
        _refusing_revoked(schools.school(shown.school_id), shown),
        schools.database.bound_to(shown.school_id) as connection,
    ):
        keys = keystore.with_login_key(connection, shown)
    return schools.opened(keys)


@contextmanager
def _refusing_revoked(school: SchoolApplication, shown: LoginKey) -> Iterator[None]:
    """Records that somebody showed a login key that has been revoked, after the transaction within."""
    try:
        yield
    except LoginKeyRefused as refused:
        if "revoked" in refused.details:
            _log_failure(school, shown, LoginFailure.KEY_REVOKED, None)
        raise


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
