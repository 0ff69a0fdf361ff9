"""Every error that Target Tracker raises on purpose, in one tree.

::

    TargetTrackerError
    ├── InvalidInput                 what was sent cannot be accepted as it is
    │   └── UnreadableFile           a file that is not what it says, or not whole
    ├── NotFound                     nothing has that id here
    │   └── Erased                   there was somebody, who has been erased
    ├── NotSignedIn                  no session, or one that has ended
    │   ├── LoginRefused             wrong user or password: never says which
    │   ├── LoginKeyRefused          the login key is damaged, forged or revoked
    │   └── ResetRefused             the code for a new password is wrong, old or used: `domain.resets`
    ├── Throttled                    too many attempts; says when the next one counts
    ├── NotPermitted                 signed in, but this is not for that access level
    │   └── ReleaseRefused           no permission covers a release of named data: `domain.permissions`
    ├── Conflict                     right in itself, but not with what is there
    │   ├── VersionConflict          somebody else changed it first; carries both versions
    │   ├── StreamConflict           the facts that a decision rested on have moved
    │   ├── CommandReused            a command id came again with another content
    │   └── AlreadyExists            a URN, a username or a UPN that is taken
    ├── DoesNotOpen                  sealed data that its key does not open where it lies
    │   └── KeyNotHeld               sealed data whose key is not at hand, or was destroyed
    ├── NotYetVisible                a projection has not reached the position asked for
    ├── SchoolStopped                a projection has stopped for this school
    ├── Misconfigured                the service cannot start, or go on, like this
    ├── NoMailServer                 no mail is sent here, and so no codes: `domain.resets`
    └── MailNotSent                  the mail server took no mail: `domain.mail`
        ├── MailServerUnavailable    it does not answer, or asks to be tried later
        ├── MailServerNotTrusted     its certificate is not valid, or of nobody who is trusted
        ├── MailServerMisnamed       its certificate is another server's
        ├── MailServerWithoutTls     it does not encrypt, or only in an old way
        ├── MailLoginRefused         it takes neither the user nor the password
        └── MailRefused              it takes no such mail

Messages are for the person who reads them: what was wrong, where, and what would be accepted. They never
carry personal data; what was found in a file stands in :class:`Finding`, which goes to the person who sent
the file and is never logged.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong with what was sent.

    Attributes:
        field: The name of the field or column, as the sender knows it; of a part of a field, the way to it,
            with dots, and entries counted from 0: `sen_periods.0.start`. In a CTF it is the element's path.
        found: What stood there, cut to 60 characters.
        accepted: What would be accepted instead.
        row: The row of the file (the heading is row 1), or the number of the pupil in a CTF (from 1).
    """

    field: str
    found: str
    accepted: str
    row: int | None = None


def place_in(path: str) -> str:
    """A place as findings write it, from msgspec's way of writing it.

    Args:
        path: Such as `$.entries[0].value`; `[...]` stands for some entry of an object.

    Returns:
        Such as `entries.0.value`; nothing for the whole.
    """
    return (
        re.sub(r"\[(\d+|\.{3})\]", lambda at: f".{at[1].replace('...', '*')}", path)
        .removeprefix("$")
        .lstrip(".")
    )


class TargetTrackerError(Exception):
    """The root: anything that the software refuses or fails at, knowingly."""

    title: ClassVar[str] = "Something went wrong"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInput(TargetTrackerError):
    """What was sent cannot be accepted; `findings` says where, what and what would be."""

    title = "The input is not valid"

    def __init__(self, message: str, findings: list[Finding] | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.findings = findings or []


class UnreadableFile(InvalidInput):
    """The file is not of a kind that is accepted, or it is damaged."""

    title = "The file cannot be read"


class NotFound(TargetTrackerError):
    """Nothing in this school has that id."""

    title = "Not found"


class Erased(NotFound):
    """The child was here, and has been erased: nothing of the record can be read any more, by anybody."""

    title = "Erased"


class NotSignedIn(TargetTrackerError):
    """There is no session, or it has ended."""

    title = "Not signed in"


class LoginRefused(NotSignedIn):
    """The username or the password is wrong; it never says which."""

    title = "Login refused"


class LoginKeyRefused(NotSignedIn):
    """The login key cannot be used: it is damaged, not one of this service's, or revoked."""

    title = "Login key refused"


class Throttled(TargetTrackerError):
    """Too many attempts have failed.

    Args:
        message: What was refused, and why.
        retry_after: Seconds until the next attempt counts.
        first: Whether nobody has been refused yet during this wait: then it is worth a record.
    """

    title = "Too many attempts"

    def __init__(self, message: str, *, retry_after: int, first: bool = True) -> None:
        super().__init__(message, retry_after=retry_after)
        self.retry_after = retry_after
        self.first = first


class NotPermitted(TargetTrackerError):
    """The access level of this user does not allow it."""

    title = "Not permitted"


class Conflict(TargetTrackerError):
    """Right in itself, but it does not fit what is there."""

    title = "Conflict"


class VersionConflict(Conflict):
    """Somebody else changed it first.

    Args:
        message: What changed.
        expected: The version that the change was made against.
        actual: The version that is there now.
    """

    title = "Changed by somebody else"

    def __init__(self, message: str, *, expected: int, actual: int) -> None:
        super().__init__(message, expected_version=expected, actual_version=actual)
        self.expected = expected
        self.actual = actual


class StreamConflict(Conflict):
    """The facts that a decision rested on have changed since they were read; deciding again may succeed."""

    title = "Decided on facts that have changed"


class CommandReused(Conflict):
    """A command id came a second time with a different content."""

    title = "Command id used again"


class AlreadyExists(Conflict):
    """What must be unique is taken."""

    title = "Already exists"


class DoesNotOpen(TargetTrackerError):
    """Sealed data does not open: it was damaged, forged, or moved from where it belongs."""

    title = "Sealed data does not open"


class KeyNotHeld(DoesNotOpen):
    """Sealed data was asked for whose key is not at hand, or has been destroyed."""

    title = "Sealed"


class NotYetVisible(TargetTrackerError):
    """The projection has not reached the position that was asked for."""

    title = "Not visible yet"


class SchoolStopped(NotYetVisible):
    """The projection met an event of this school that it cannot apply, and waits for a person."""

    title = "This school's view has stopped"


class Misconfigured(TargetTrackerError):
    """The service cannot start, or go on, as it is configured."""

    title = "Not configured"
