"""The letters that the service writes: so far, the one that brings the code for a new password.

It goes to the school's official address, which may be an office's: it names neither an account nor a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

RESET_LASTS = timedelta(minutes=30)
"""How long a code for a new password is valid, from when it was asked for."""


@dataclass(frozen=True)
class Letter:
    """What :meth:`domain.mail.Mailer.send` sends.

    Attributes:
        subject: One line.
        text: Lines of plain text; it may hold a secret, and is not shown.
    """

    subject: str
    text: str = field(repr=False)


def new_password_letter(code: str, lasts: timedelta = RESET_LASTS) -> Letter:
    """The letter to a school for one of whose accounts a new password was asked for.

    Args:
        code: What sets the new password, once: 43 characters.
        lasts: How long it is valid, in whole minutes.
    """
    minutes = lasts // timedelta(minutes=1)
    return Letter(
        "A new password for Target Tracker",
        f"""\
Somebody has asked for a new password for one of your school's accounts in
Target Tracker. This code sets it:

    {code}

It works once, and for {minutes} minutes from when it was asked for. Hand it to
the person who asked for it, and to nobody else. They enter it, and the
password that they choose, where this command asks for them:

    target-tracker password reset

If nobody at your school has asked for it, leave the code unused. No password
has changed, and none will. If it happens again, tell the administrators of
your school's Target Tracker.

We never ask you for this code, nor for a password. Nobody reads answers to
this mail.
""",
    )
