"""Which mail server the service sends through, as the environment says it.

| variable | what |
|---|---|
| TARGET_TRACKER_SMTP | `smtps://HOST:465` for TLS from the first byte, or `smtp://HOST:587` for STARTTLS, which is demanded; without it no mail is sent |
| TARGET_TRACKER_SMTP_USER | the user at the mail server, if it wants one |
| TARGET_TRACKER_SMTP_PASSWORD_FILE | the file of that user's password |
| TARGET_TRACKER_SMTP_CA | the file of the authority that the server's certificate comes from, PEM; those of the system if not set |
| TARGET_TRACKER_MAIL_FROM | the address that mail comes from |
"""  # noqa: E501 - a table

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from domain.errors import Misconfigured
from domain.mail import is_address
from scripts.mailing.queued import QueuedMailer
from scripts.mailing.smtp import MailLogin, SmtpMailer, trusting

SERVER = "TARGET_TRACKER_SMTP"
USER = "TARGET_TRACKER_SMTP_USER"
PASSWORD_FILE = "TARGET_TRACKER_SMTP_PASSWORD_FILE"  # noqa: S105 - the name of a setting
CA = "TARGET_TRACKER_SMTP_CA"
SENDER = "TARGET_TRACKER_MAIL_FROM"

PORTS = {"smtps": 465, "smtp": 587}
"""The ports where none is said: RFC 8314, section 7.3, and RFC 6409, section 3.1."""

_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.(?!-)[a-z0-9-]{1,63})*")


def mailer_from(environment: Mapping[str, str]) -> QueuedMailer | None:
    """What sends mail in the background; nothing, if no mail server is set. Whoever gets it closes it.

    Raises:
        Misconfigured: A setting is missing, or not as it must be.
    """
    mailer = smtp_mailer_from(environment)
    return QueuedMailer(mailer) if mailer else None


def smtp_mailer_from(environment: Mapping[str, str]) -> SmtpMailer | None:
    """What sends mail while one waits for it; nothing, if no mail server is set.

    Raises:
        Misconfigured: A setting is missing, or not as it must be.
    """
    address = environment.get(SERVER)
    if not address:
        for name in (USER, PASSWORD_FILE, CA, SENDER):
            if environment.get(name):
                raise Misconfigured(f"{name} is set, and {SERVER} is not: set both or neither")
        return None
    implicit_tls, host, port = _server(address)
    ca = Path(environment[CA]) if environment.get(CA) else None
    trusting(ca)
    return SmtpMailer(
        host=host,
        port=port,
        implicit_tls=implicit_tls,
        sender=_sender(environment),
        login=_login(environment),
        ca=ca,
    )


def _server(address: str) -> tuple[bool, str, int]:
    """Whether TLS begins with the first byte, the host, and the port."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _not_a_server() from None
    # Nothing else has a place in it, least of all a password.
    extras = parts.username is not None or parts.path not in {"", "/"} or parts.query or parts.fragment
    if parts.scheme not in PORTS or not _is_host(host) or port == 0 or extras:
        raise _not_a_server()
    return parts.scheme == "smtps", host, port or PORTS[parts.scheme]


def _not_a_server() -> Misconfigured:
    # What was found may hold a password, and is not repeated.
    return Misconfigured(
        f"{SERVER} must be smtps://HOST:465 (TLS from the first byte) or smtp://HOST:587 (STARTTLS, "
        f"which is demanded), and nothing more: the user stands in {USER}, the password in a file"
    )


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _HOST.fullmatch(text) is not None
    return True


def _sender(environment: Mapping[str, str]) -> str:
    sender = environment.get(SENDER) or ""
    if not is_address(sender):
        raise Misconfigured(
            f"{SENDER} must be the address that mail comes from, such as target-tracker@authority.example, "
            "without a name"
        )
    return sender


def _login(environment: Mapping[str, str]) -> MailLogin | None:
    user, file = environment.get(USER), environment.get(PASSWORD_FILE)
    if not user and not file:
        return None
    if not user or not file:
        raise Misconfigured(
            f"{USER} and {PASSWORD_FILE} belong together: set both, or neither for a server without a login"
        )
    try:
        password = Path(file).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeError):
        raise Misconfigured(f"{PASSWORD_FILE}: {file} cannot be read") from None
    for name, value in ((USER, user), (PASSWORD_FILE, password)):
        if not value or not value.isascii() or not value.isprintable():
            raise Misconfigured(f"{name} must say one line of printable ASCII characters")
    return MailLogin(user, password)
