"""A real mail server on the loopback address, and certificates for it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509

import api.tls
from api.tls import LocalCertificates, make_local_certificates

USER, PASSWORD = "target-tracker", "the password of the tests"
SENDER = "target-tracker@authority.example"
OFFICE = "office@elmlane.example"


@dataclass
class Received:
    """A mail as it came."""

    sender: str
    recipients: list[str]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.content, policy=WIRE)
        assert isinstance(message, EmailMessage)
        return message


@dataclass
class MailServer:
    """What a server took, and what it says; also the hooks by which aiosmtpd calls it.

    Attributes:
        implicit_tls: Whether TLS begins with the first byte.
        wants_login: Whether mail is taken from nobody else.
        answers: What is said to the next mails instead of taking them.
        refuses: The status with which every address is refused, if it is.
        received: The mails that it took.
        logins: Every user and password that somebody sent.
        encrypted: For each login and mail, whether it came over TLS.
        port: The port that it listens on.
    """

    implicit_tls: bool
    wants_login: bool = True
    answers: list[str] = field(default_factory=list)
    refuses: str | None = None
    received: list[Received] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    port: int = 0

    def _note_encryption(self, server: SMTP) -> None:
        assert server.transport
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self._note_encryption(server)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.logins[-1] == (USER, PASSWORD), handled=False)

    async def handle_MAIL(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.wants_login and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuses:
            return f"{self.refuses} <{address}> is not served"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        self._note_encryption(server)
        if self.answers:
            return self.answers.pop(0)
        assert envelope.mail_from
        assert isinstance(envelope.content, bytes)
        self.received.append(Received(envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return "250 OK"


class _Listening(Controller):
    """Listens on a port that is free."""

    def _trigger_server(self) -> None:
        assert self.server
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined] # typed as its base
        super()._trigger_server()  # type: ignore[no-untyped-call] # the library has no type for it


@contextmanager
def mail_server(
    certificates: LocalCertificates | None,
    *,
    implicit_tls: bool = False,
    without: tuple[str, ...] = (),
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> Iterator[MailServer]:
    """A mail server that runs meanwhile.

    Args:
        certificates: What it shows; nothing, if it speaks no TLS.
        implicit_tls: Whether TLS begins with the first byte; otherwise it offers STARTTLS.
        without: Ways to log in that it does not offer.
        newest: The newest version of TLS that it speaks.
    """
    context = None
    if certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.certificate, certificates.key)
        context.maximum_version = newest
    state = MailServer(implicit_tls)
    controller = _Listening(
        state,
        hostname="127.0.0.1",
        port=0,
        ssl_context=context if implicit_tls else None,
        tls_context=None if implicit_tls else context,
        # It takes logins in the clear, too: whoever sends one betrays the password.
        auth_require_tls=False,
        authenticator=state.authenticate,
        auth_exclude_mechanism=without,
    )
    controller.start()
    state.port = controller.port
    try:
        yield state
    finally:
        controller.stop()


def certificates_for(folder: Path, *names: str) -> LocalCertificates:
    """Certificates for other names, and the authority that they come from."""
    with pytest.MonkeyPatch.context() as patch:
        hosts = tuple(map(x509.DNSName, names))
        patch.setattr(api.tls, "HOSTS", hosts)
        patch.setattr(api.tls, "PERMITTED", hosts)
        return make_local_certificates(folder)
