"""Takes mail to a mail server, over TLS and nothing else.

TLS from the first byte (RFC 8314), or STARTTLS (RFC 3207), which a server that does not offer it is left for.
Certificates and names are verified in both cases, and no user, password or address is sent before that.
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from pathlib import Path

from domain.errors import Misconfigured
from domain.mail import (
    MailLoginRefused,
    MailNotSent,
    MailRefused,
    MailServerMisnamed,
    MailServerNotTrusted,
    MailServerUnavailable,
    MailServerWithoutTls,
    check,
)

TIMEOUT = 10.0
"""Seconds to wait for each step of a server."""

# Seven bits wherever it travels: accents are written out, and every server takes it.
_POLICY = SMTP.clone(cte_type="7bit")

_ANOTHER_NAME = {62, 64}
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL's x509_vfy.h."""


@dataclass(frozen=True)
class MailLogin:
    """What the mail server knows us by; both in ASCII.

    Attributes:
        user: The user.
        password: The password; it is not shown.
    """

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SmtpMailer:
    """Sends each mail over a connection of its own, and returns when the server has taken it.

    When a server takes a mail and is lost before it says so, whoever tries again may send it twice.

    Attributes:
        host: The server's name or address, for which its certificate has to be.
        port: Its port.
        implicit_tls: Whether TLS begins with the first byte; otherwise STARTTLS is demanded.
        sender: The address that mail comes from.
        login: What to log in with, if the server wants that.
        ca: The file of the authority that the certificate comes from; those of the system if not given.
        timeout: Seconds to wait for each step of the server.
    """

    host: str
    port: int
    implicit_tls: bool
    sender: str
    login: MailLogin | None = None
    ca: Path | None = None
    timeout: float = TIMEOUT

    def send(self, to: str, subject: str, text: str) -> None:
        """Sends a mail; see :meth:`domain.mail.Mailer.send`.

        Raises:
            InvalidInput: The address, the subject or the text cannot be sent.
            MailNotSent: The server does not take it, or is not to be trusted.
            Misconfigured: The file of the authority cannot be used any more.
        """
        check(to, subject, text)
        message = self._message(to, subject, text)
        context = trusting(self.ca)
        try:
            with closing(self._connection(context)) as server:
                if not self.implicit_tls:
                    server.starttls(context=context)
                if self.login:
                    _log_in(server, self.login)
                server.send_message(message, self.sender, [to])
                # The mail has been taken, however the server says goodbye.
                with suppress(OSError):
                    server.quit()
        except OSError as error:
            # What a server answers may repeat the address.
            raise _failure(error) from None

    @property
    def _domain(self) -> str:
        return self.sender.rpartition("@")[2]

    def _connection(self, context: ssl.SSLContext) -> smtplib.SMTP:
        # The sender's domain introduces us: the name of this machine is nobody's business.
        if self.implicit_tls:
            return smtplib.SMTP_SSL(self.host, self.port, self._domain, timeout=self.timeout, context=context)
        return smtplib.SMTP(self.host, self.port, self._domain, timeout=self.timeout)

    def _message(self, to: str, subject: str, text: str) -> EmailMessage:
        message = EmailMessage(_POLICY)
        message["From"] = Address("Target Tracker", addr_spec=self.sender)
        message["To"] = Address(addr_spec=to)
        message["Subject"] = subject
        message["Date"] = datetime.now(UTC)
        message["Message-ID"] = make_msgid(domain=self._domain)
        # So that nobody's notice of absence answers (RFC 3834, section 5).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text, charset="utf-8")
        return message


def trusting(ca: Path | None) -> ssl.SSLContext:
    """TLS 1.2 at least, with servers whose certificate and name are verified.

    Args:
        ca: The file of the only authority to trust; those of the system if not given.

    Raises:
        Misconfigured: It is not a file with an authority's certificate.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError):
        raise Misconfigured(f"{ca} is not a file with an authority's certificate, in PEM") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _log_in(server: smtplib.SMTP, login: MailLogin) -> None:
    """Logs in by PLAIN (RFC 4616) or LOGIN, once: `smtplib` tries a wrong password in every way there is."""
    server.ehlo_or_helo_if_needed()
    offered = server.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        mechanism, answers = "PLAIN", iter([f"\0{login.user}\0{login.password}"])
    elif "LOGIN" in offered:
        mechanism, answers = "LOGIN", iter([login.user, login.password])
    else:
        raise MailLoginRefused("The mail server offers no login by PLAIN or LOGIN")
    server.auth(mechanism, lambda _challenge=None: next(answers, ""), initial_response_ok=False)


def _failure(error: OSError) -> MailNotSent:
    """What an error of the connection means; `smtplib` and `ssl` derive theirs from that of the system."""
    match error:
        case ssl.SSLCertVerificationError() if error.verify_code in _ANOTHER_NAME:
            return MailServerMisnamed("The mail server's certificate is for another server")
        case ssl.SSLCertVerificationError():
            return MailServerNotTrusted("The mail server's certificate is not to be trusted")
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return MailServerUnavailable("The mail server has closed the connection")
        case ssl.SSLError() | smtplib.SMTPNotSupportedError():
            return MailServerWithoutTls("The mail server does not offer TLS 1.2 or newer")
        case smtplib.SMTPRecipientsRefused(recipients=recipients):
            code = max((code for code, _ in recipients.values()), default=0)
        case smtplib.SMTPResponseException(smtp_code=code):
            pass
        case _:
            return MailServerUnavailable("The mail server does not answer")
    if code < 500:
        return MailServerUnavailable("The mail server asks to be tried again later")
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return MailLoginRefused("The mail server does not take the user or the password")
    return MailRefused("The mail server does not take this mail")
