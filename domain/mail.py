"""Mail: what takes it to a server, what may be mailed at all, and how that can fail."""

from __future__ import annotations

import re
from typing import ClassVar, Protocol

from domain.errors import Finding, InvalidInput, TargetTrackerError

WIDEST = 77
"""Columns of a line: RFC 5322, section 2.1.1, asks for no more than 78."""

LONGEST_ADDRESS = 254
LONGEST_LOCAL_PART = 64
"""Characters of an address, and of what stands before its `@`: RFC 5321, section 4.5.3.1."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@{_LABEL}(?:\.{_LABEL})+")
"""A mailbox as RFC 5321, section 4.1.2, writes it, without quotes and at a domain of two labels or more."""


class Mailer(Protocol):
    """What takes mail on its way."""

    def send(self, to: str, subject: str, text: str) -> None:
        """Sends a mail of plain text to one address.

        Args:
            to: The address alone: no name, no second one.
            subject: One line.
            text: Lines of up to :data:`WIDEST` characters, each ended by a line feed.

        Raises:
            InvalidInput: One of them is not like this.
            MailNotSent: The mail was not taken; the class says why.
        """
        ...


class MailNotSent(TargetTrackerError):
    """The mail was not taken; the message repeats neither an address nor anything that a server said."""

    title: ClassVar[str] = "The mail was not sent"

    may_pass: ClassVar[bool] = False
    """Whether it may go better in a while."""


class MailServerUnavailable(MailNotSent):
    """The mail server does not answer, or asks to be tried again later."""

    may_pass: ClassVar[bool] = True


class MailServerNotTrusted(MailNotSent):
    """The mail server's certificate is not valid, or not of an authority that is trusted."""


class MailServerMisnamed(MailNotSent):
    """The mail server's certificate is good, and is for another server."""


class MailServerWithoutTls(MailNotSent):
    """The mail server does not offer to encrypt, or only in a way that is too old."""


class MailLoginRefused(MailNotSent):
    """The mail server does not take the user or the password."""


class MailRefused(MailNotSent):
    """The mail server takes no such mail, now or later."""


def is_address(text: str) -> bool:
    """Whether it is the address of one mailbox, in ASCII, and nothing else."""
    found = _ADDRESS.fullmatch(text)
    return found is not None and len(text) <= LONGEST_ADDRESS and len(found[1]) <= LONGEST_LOCAL_PART


def check(to: str, subject: str, text: str) -> None:
    """Checks that a mail can be sent as it is: nothing in it can become a header or a second address.

    Raises:
        InvalidInput: It cannot; the findings repeat nothing of it.
    """
    findings = []
    if not is_address(to):
        findings.append(_finding("to", to, "one address such as office@school.example, and nothing else"))
    if not subject.strip() or not subject.isprintable():
        findings.append(_finding("subject", subject, "one line of text"))
    # No other separator of lines is a printable character: not the carriage return, nor those of Unicode.
    if not text.endswith("\n") or not all(line.isprintable() for line in text.split("\n")):
        findings.append(_finding("text", text, "lines of text, each ended by a line feed"))
    elif any(len(line) > WIDEST for line in text.split("\n")):
        findings.append(_finding("text", text, f"lines of up to {WIDEST} characters"))
    if findings:
        raise InvalidInput("The mail cannot be sent like this", findings)


def _finding(field: str, found: str, accepted: str) -> Finding:
    return Finding(field=field, found=f"{len(found)} characters", accepted=accepted)
