"""Mail reaches the server that was meant, encrypted, and no other one; each failure is told apart."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.tls import LocalCertificates, make_local_certificates
from domain.errors import InvalidInput, Misconfigured
from domain.mail import (
    MailLoginRefused,
    MailNotSent,
    MailRefused,
    MailServerMisnamed,
    MailServerNotTrusted,
    MailServerUnavailable,
    MailServerWithoutTls,
)
from scripts.mailing import smtp
from scripts.mailing.smtp import MailLogin, SmtpMailer
from tests.documents import ROOT, tables_of
from tests.mailing.server import OFFICE, PASSWORD, SENDER, USER, MailServer, certificates_for, mail_server

SUBJECT = "A new password for Zoë’s school"
TEXT = "Grüße aus Łódź, 你好.\n\n.\nFrom here on: \x7e\n"

both_ways = pytest.mark.parametrize("implicit_tls", [True, False], ids=["implicit TLS", "STARTTLS"])


def mailer_for(server: MailServer, ca: Path | None, **changes: Any) -> SmtpMailer:
    settings: dict[str, Any] = {
        "host": "localhost",
        "port": server.port,
        "implicit_tls": server.implicit_tls,
        "sender": SENDER,
        "login": MailLogin(USER, PASSWORD),
        "ca": ca,
    }
    return SmtpMailer(**settings | changes)


@both_ways
def test_mail_is_delivered_over_tls(certificates: LocalCertificates, implicit_tls: bool) -> None:
    with mail_server(certificates, implicit_tls=implicit_tls) as server:
        mailer_for(server, certificates.ca).send(OFFICE, SUBJECT, TEXT)
    [mail] = server.received
    assert server.logins == [(USER, PASSWORD)]
    assert server.encrypted == [True, True]
    assert (mail.sender, mail.recipients) == (SENDER, [OFFICE])
    message = mail.message
    assert message["From"] == f"Target Tracker <{SENDER}>"
    assert message["To"] == OFFICE
    assert message["Subject"] == SUBJECT
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@authority.example>")
    assert message["Date"].datetime.tzinfo
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"
    assert message.get_content().replace("\r\n", "\n") == TEXT
    assert socket.gethostname().encode() not in mail.content


@both_ways
def test_what_is_plain_travels_as_it_is(certificates: LocalCertificates, implicit_tls: bool) -> None:
    with mail_server(certificates, implicit_tls=implicit_tls) as server:
        server.wants_login = False
        mailer_for(server, certificates.ca, host="127.0.0.1", login=None).send(OFFICE, "Plain", "Plain.\n")
    [mail] = server.received
    assert not server.logins
    assert mail.content.endswith(b"\r\n\r\nPlain.\r\n")
    assert mail.content.isascii()
    assert max(map(len, mail.content.splitlines())) <= 78


@pytest.mark.parametrize("without", ["PLAIN", "LOGIN"])
def test_either_way_to_log_in(certificates: LocalCertificates, without: str) -> None:
    with mail_server(certificates, without=(without,)) as server:
        mailer_for(server, certificates.ca).send(OFFICE, SUBJECT, TEXT)
    assert server.logins == [(USER, PASSWORD)]
    assert len(server.received) == 1


def nothing_arrives(mailer: SmtpMailer, server: MailServer, error: type[MailNotSent]) -> None:
    """The check that the sabotaged twins must fail."""
    with pytest.raises(MailNotSent) as raised:
        mailer.send(OFFICE, SUBJECT, TEXT)
    assert type(raised.value) is error
    assert raised.value.__cause__ is None
    assert OFFICE not in str(raised.value)
    assert not server.received
    if error is not MailLoginRefused:
        assert not server.logins, "a password was given to somebody else"


@contextmanager
def wrong_certificate(folder: Path, *, implicit_tls: bool) -> Iterator[tuple[SmtpMailer, MailServer]]:
    """A server whose certificate comes from an authority that is not trusted."""
    shown, trusted = make_local_certificates(folder / "a"), make_local_certificates(folder / "b")
    with mail_server(shown, implicit_tls=implicit_tls) as server:
        yield mailer_for(server, trusted.ca), server


@contextmanager
def wrong_name(folder: Path, *, implicit_tls: bool) -> Iterator[tuple[SmtpMailer, MailServer]]:
    """A server with a good certificate for another name."""
    shown = certificates_for(folder, "elsewhere.example")
    with mail_server(shown, implicit_tls=implicit_tls) as server:
        yield mailer_for(server, shown.ca), server


@both_ways
def test_a_wrong_certificate(tmp_path: Path, implicit_tls: bool) -> None:
    with wrong_certificate(tmp_path, implicit_tls=implicit_tls) as (mailer, server):
        nothing_arrives(mailer, server, MailServerNotTrusted)


@both_ways
def test_an_authority_of_ones_own_is_trusted_only_when_named(
    certificates: LocalCertificates, implicit_tls: bool
) -> None:
    with mail_server(certificates, implicit_tls=implicit_tls) as server:
        nothing_arrives(mailer_for(server, None), server, MailServerNotTrusted)


@both_ways
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_wrong_name(tmp_path: Path, implicit_tls: bool, host: str) -> None:
    with wrong_name(tmp_path, implicit_tls=implicit_tls) as (_, server):
        mailer = mailer_for(server, tmp_path / "ca.pem", host=host)
        nothing_arrives(mailer, server, MailServerMisnamed)


def test_a_server_without_starttls(certificates: LocalCertificates) -> None:
    with mail_server(None) as server:
        nothing_arrives(mailer_for(server, certificates.ca), server, MailServerWithoutTls)


def test_a_server_that_speaks_in_the_clear_where_tls_is_expected(certificates: LocalCertificates) -> None:
    with mail_server(None) as server:
        mailer = mailer_for(server, certificates.ca, implicit_tls=True)
        nothing_arrives(mailer, server, MailServerWithoutTls)


@both_ways
def test_a_wrong_password(certificates: LocalCertificates, implicit_tls: bool) -> None:
    with mail_server(certificates, implicit_tls=implicit_tls) as server:
        mailer = mailer_for(server, certificates.ca, login=MailLogin(USER, "wrong"))
        nothing_arrives(mailer, server, MailLoginRefused)
    assert server.logins == [(USER, "wrong")], "it was tried once"


def test_a_server_that_nobody_can_log_in_at(certificates: LocalCertificates) -> None:
    with mail_server(certificates, without=("PLAIN", "LOGIN")) as server:
        nothing_arrives(mailer_for(server, certificates.ca), server, MailLoginRefused)
    assert not server.logins


def trusting_anybody(_: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@both_ways
@pytest.mark.parametrize(
    ("other", "error"), [(wrong_certificate, MailServerNotTrusted), (wrong_name, MailServerMisnamed)]
)
def test_a_mailer_that_trusts_anybody_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, implicit_tls: bool, other: Any, error: type[MailNotSent]
) -> None:
    """The sabotaged twin of verification: the mail and the password go to somebody else."""
    monkeypatch.setattr(smtp, "trusting", trusting_anybody)
    with other(tmp_path, implicit_tls=implicit_tls) as (mailer, server):
        with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
            nothing_arrives(mailer, server, error)
        assert server.logins == [(USER, PASSWORD)]
        assert len(server.received) == 1


def test_a_mailer_that_goes_on_in_the_clear_would_be_noticed(
    certificates: LocalCertificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin of STARTTLS."""
    monkeypatch.setattr(smtplib.SMTP, "starttls", lambda *_, **__: None)
    with mail_server(None) as server:
        with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
            nothing_arrives(mailer_for(server, certificates.ca), server, MailServerWithoutTls)
        assert server.encrypted == [False, False]


def test_tls_1_2_at_least(certificates: LocalCertificates) -> None:
    assert smtp.trusting(certificates.ca).minimum_version == ssl.TLSVersion.TLSv1_2
    with mail_server(certificates, newest=ssl.TLSVersion.TLSv1_2) as server:
        mailer_for(server, certificates.ca).send(OFFICE, SUBJECT, TEXT)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("refusal", "error"), [("450", MailServerUnavailable), ("550", MailRefused), ("521", MailRefused)]
)
def test_an_address_that_is_refused(
    certificates: LocalCertificates, refusal: str, error: type[MailNotSent]
) -> None:
    with mail_server(certificates) as server:
        server.refuses = refusal
        with pytest.raises(MailNotSent) as raised:
            mailer_for(server, certificates.ca).send(OFFICE, SUBJECT, TEXT)
    assert type(raised.value) is error
    assert raised.value.may_pass is (refusal == "450")
    assert OFFICE not in repr(raised.value)
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    ("answer", "error"), [("451 Later", MailServerUnavailable), ("554 Never", MailRefused)]
)
def test_a_mail_that_is_refused(
    certificates: LocalCertificates, answer: str, error: type[MailNotSent]
) -> None:
    with mail_server(certificates) as server:
        server.answers.append(answer)
        with pytest.raises(MailNotSent) as raised:
            mailer_for(server, certificates.ca).send(OFFICE, SUBJECT, TEXT)
    assert type(raised.value) is error


@both_ways
def test_nobody_there(certificates: LocalCertificates, implicit_tls: bool) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = MailServer(implicit_tls, port=taken.getsockname()[1])
        nothing_arrives(mailer_for(server, certificates.ca), server, MailServerUnavailable)


@both_ways
def test_a_server_that_says_nothing(certificates: LocalCertificates, implicit_tls: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = MailServer(implicit_tls, port=silent.getsockname()[1])
        mailer = mailer_for(server, certificates.ca, timeout=0.2)
        nothing_arrives(mailer, server, MailServerUnavailable)


@both_ways
def test_a_server_that_hangs_up(certificates: LocalCertificates, implicit_tls: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            connection, _ = listening.accept()
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        server = MailServer(implicit_tls, port=listening.getsockname()[1])
        nothing_arrives(mailer_for(server, certificates.ca), server, MailServerUnavailable)
        thread.join()


def test_an_authority_that_is_no_file(tmp_path: Path) -> None:
    server = MailServer(implicit_tls=True)
    (tmp_path / "ca.pem").write_text("no certificate")
    for ca in (tmp_path / "none.pem", tmp_path / "ca.pem"):
        with pytest.raises(Misconfigured, match="not a file with an authority's certificate"):
            mailer_for(server, ca).send(OFFICE, SUBJECT, TEXT)


def test_a_password_is_not_shown() -> None:
    assert PASSWORD not in repr(mailer_for(MailServer(implicit_tls=True), None))


HOSTILE: list[tuple[str, str, str]] = [
    (f"{OFFICE}\nBcc: thief@elsewhere.example", SUBJECT, TEXT),
    (f"{OFFICE}\r\nRCPT TO:<thief@elsewhere.example>", SUBJECT, TEXT),
    (f"{OFFICE}>\r\nDATA", SUBJECT, TEXT),
    (f"{OFFICE}, thief@elsewhere.example", SUBJECT, TEXT),
    (f"{OFFICE} <thief@elsewhere.example>", SUBJECT, TEXT),
    (OFFICE, "A password\nBcc: thief@elsewhere.example", TEXT),
    (OFFICE, "A password\r\n\r\nAnother text", TEXT),
    (OFFICE, "A password\rBcc: thief@elsewhere.example", TEXT),
    (OFFICE, "A password\u2028Bcc: thief@elsewhere.example", TEXT),
    (OFFICE, SUBJECT, "A text\r\n.\r\nMAIL FROM:<thief@elsewhere.example>\r\n"),
    (OFFICE, SUBJECT, "A text\n\x00\n"),
]


@pytest.mark.parametrize(("to", "subject", "text"), HOSTILE)
def test_headers_and_commands_cannot_be_injected(
    certificates: LocalCertificates, to: str, subject: str, text: str
) -> None:
    with mail_server(certificates) as server:
        with pytest.raises(InvalidInput) as raised:
            mailer_for(server, certificates.ca).send(to, subject, text)
        assert "thief" not in repr(raised.value.findings)
        assert not server.received
        assert not server.logins, "it was refused before anything was sent"


def test_mail_that_is_not_checked_would_be_noticed(
    certificates: LocalCertificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: some of the hostile mails are then sent."""
    monkeypatch.setattr(smtp, "check", lambda *_: None)
    with mail_server(certificates) as server:
        for to, subject, text in HOSTILE:
            # What the library refuses by itself is no mail either.
            try:
                mailer_for(server, certificates.ca).send(to, subject, text)
            except (ValueError, MailNotSent):
                continue
        assert server.received


def test_every_kind_of_failure_is_described() -> None:
    """The operator finds what the log says on the page about operating."""
    rows = tables_of((ROOT / "docs" / "operating.md").read_text(encoding="utf-8"))
    described = {row["kind"].strip("`"): row["tried again"] for row in rows if "kind" in row}
    assert described == {
        error.__name__: "yes" if error.may_pass else "no" for error in MailNotSent.__subclasses__()
    }
