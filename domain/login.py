"""Logins: who came, who left and who was turned away; logs that are only ever added to."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from domain.events import Event, Open, event


class LoginFailure(StrEnum):
    """Why somebody was turned away."""

    UNKNOWN_USER = "unknown user"
    WRONG_PASSWORD = "wrong password"  # noqa: S105 - a reason, not a secret
    DISABLED = "account disabled"
    ENDED = "adviser's time is over"
    KEY_REVOKED = "login key revoked"
    THROTTLED = "too many attempts"


class SessionEnd(StrEnum):
    """Why a session ended."""

    LOGOUT = "logout"
    REVOKED = "revoked"
    ENDED = "adviser's time is over"
    KEY_REVOKED = "login key revoked"


@event("session.opened")
class SessionOpened(Event, frozen=True, kw_only=True):
    """A member of staff logged in, with one of the school's login keys."""

    session_id: Open[UUID]
    staff_id: Open[UUID]
    key_id: Open[UUID]


@event("session.closed")
class SessionClosed(Event, frozen=True, kw_only=True):
    """A member of staff logged out, or was."""

    session_id: Open[UUID]
    staff_id: Open[UUID]
    reason: Open[SessionEnd]


@event("login.failed")
class LoginFailed(Event, frozen=True, kw_only=True):
    """Somebody was turned away.

    What was typed is not kept: a username that nobody has is too often a password.
    """

    staff_id: Open[UUID | None] = None
    key_id: Open[UUID | None] = None
    reason: Open[LoginFailure]
