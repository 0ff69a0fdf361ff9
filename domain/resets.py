"""New passwords by mail: who asked for one, and who set one with the code that came; a log, ids only.

The password itself is changed by `staff.password-set`, beside the code's use.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from domain.errors import NotSignedIn, TargetTrackerError
from domain.events import Event, Open, event


class ResetRefused(NotSignedIn):
    """The code sets no password: it is wrong, too old or used, or the account is; it never says which."""

    title: ClassVar[str] = "New password refused"


class NoMailServer(TargetTrackerError):
    """The service was set up without a mail server, and so sends no codes."""

    title: ClassVar[str] = "No mail is sent here"


@event("password-reset.requested")
class PasswordResetRequested(Event, frozen=True, kw_only=True):
    """Somebody who showed a login key asked for a new password.

    `staff_id` is nobody's for a username that nobody has, which is not kept. `sent` is whether a code went to
    the school's official address: none does for an account that cannot be used, or has had too many.
    """

    staff_id: Open[UUID | None] = None
    key_id: Open[UUID]
    sent: Open[bool]


@event("password-reset.used")
class PasswordResetUsed(Event, frozen=True, kw_only=True):
    """A code set a new password."""

    staff_id: Open[UUID]
    key_id: Open[UUID]
