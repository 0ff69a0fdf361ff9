"""Which mail server is used, and what is said of settings that are not as they must be."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.tls import LocalCertificates
from domain.errors import Misconfigured
from scripts.mailing.settings import mailer_from, smtp_mailer_from
from scripts.mailing.smtp import MailLogin, SmtpMailer
from tests.mailing.server import OFFICE, PASSWORD, SENDER, USER, mail_server


@pytest.fixture
def environment(certificates: LocalCertificates, tmp_path: Path) -> dict[str, str]:
    """Settings that are as they must be."""
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return {
        "TARGET_TRACKER_SMTP": "smtps://mail.authority.example:465",
        "TARGET_TRACKER_SMTP_USER": USER,
        "TARGET_TRACKER_SMTP_PASSWORD_FILE": str(file),
        "TARGET_TRACKER_SMTP_CA": str(certificates.ca),
        "TARGET_TRACKER_MAIL_FROM": SENDER,
    }


def test_settings_become_a_mailer(environment: dict[str, str], certificates: LocalCertificates) -> None:
    assert smtp_mailer_from(environment) == SmtpMailer(
        host="mail.authority.example",
        port=465,
        implicit_tls=True,
        sender=SENDER,
        login=MailLogin(USER, PASSWORD),
        ca=certificates.ca,
    )


def test_a_server_without_a_login_and_with_an_authority_of_the_system() -> None:
    assert smtp_mailer_from(
        {"TARGET_TRACKER_SMTP": "smtp://mail.authority.example", "TARGET_TRACKER_MAIL_FROM": SENDER}
    ) == SmtpMailer(host="mail.authority.example", port=587, implicit_tls=False, sender=SENDER)


@pytest.mark.parametrize("implicit_tls", [True, False])
def test_mail_goes_out_through_the_server_that_is_set(
    environment: dict[str, str], certificates: LocalCertificates, implicit_tls: bool
) -> None:
    with mail_server(certificates, implicit_tls=implicit_tls) as server:
        scheme = "smtps" if implicit_tls else "smtp"
        mailer = mailer_from(environment | {"TARGET_TRACKER_SMTP": f"{scheme}://localhost:{server.port}"})
        assert mailer
        with mailer:
            mailer.send(OFFICE, "A made-up subject", "A made-up text.\n")
    assert [mail.recipients for mail in server.received] == [[OFFICE]]


@pytest.mark.parametrize("nothing", [{}, {"TARGET_TRACKER_SMTP": "", "TARGET_TRACKER_MAIL_FROM": ""}])
def test_without_a_server_there_is_no_mailer(nothing: dict[str, str]) -> None:
    assert mailer_from(nothing) is None


@pytest.mark.parametrize(
    ("address", "implicit_tls", "host", "port"),
    [
        ("smtps://mail.example", True, "mail.example", 465),
        ("smtps://MAIL.example:4650/", True, "mail.example", 4650),
        ("smtp://localhost", False, "localhost", 587),
        ("smtp://192.0.2.1:25", False, "192.0.2.1", 25),
        ("smtps://[2001:db8::1]:465", True, "2001:db8::1", 465),
    ],
)
def test_addresses(
    environment: dict[str, str], address: str, implicit_tls: bool, host: str, port: int
) -> None:
    mailer = smtp_mailer_from(environment | {"TARGET_TRACKER_SMTP": address})
    assert mailer
    assert (mailer.implicit_tls, mailer.host, mailer.port) == (implicit_tls, host, port)


@pytest.mark.parametrize(
    "address",
    [
        "mail.example",
        "mail.example:465",
        "https://mail.example",
        "smtps://",
        "smtps://mail.example:0",
        "smtps://mail.example:65536",
        "smtps://mail.example:port",
        "smtps://mail.example/path",
        "smtps://mail.example?starttls=no",
        "smtps://mail.example#x",
        "smtps://user:hunter2@mail.example",
        "smtps://hunter2@mail.example",
        "smtps://-mail.example",
        "smtps://mail..example",
        "smtps://mail example",
        "smtps://[2001:db8::1",
    ],
)
def test_addresses_that_are_not_those_of_a_mail_server(environment: dict[str, str], address: str) -> None:
    with pytest.raises(Misconfigured, match=r"TARGET_TRACKER_SMTP must be smtps://HOST:465") as raised:
        mailer_from(environment | {"TARGET_TRACKER_SMTP": address})
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TARGET_TRACKER_SMTP", "", "is set, and TARGET_TRACKER_SMTP is not: set both or neither"),
        ("TARGET_TRACKER_SMTP_USER", "", "belong together: set both, or neither"),
        ("TARGET_TRACKER_SMTP_USER", "Zoë", "TARGET_TRACKER_SMTP_USER must say one line of printable ASCII"),
        ("TARGET_TRACKER_SMTP_PASSWORD_FILE", "", "belong together: set both, or neither"),
        ("TARGET_TRACKER_SMTP_PASSWORD_FILE", "/nowhere", "/nowhere cannot be read"),
        ("TARGET_TRACKER_SMTP_CA", "/nowhere", "/nowhere is not a file with an authority's certificate"),
        ("TARGET_TRACKER_MAIL_FROM", "", "TARGET_TRACKER_MAIL_FROM must be the address that mail comes from"),
        ("TARGET_TRACKER_MAIL_FROM", f"Us <{SENDER}>", "without a name"),
    ],
)
def test_settings_that_are_not_as_they_must_be(
    environment: dict[str, str], name: str, value: str, said: str
) -> None:
    with pytest.raises(Misconfigured) as raised:
        mailer_from(environment | {name: value})
    assert said in str(raised.value)
    assert PASSWORD not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n", "naïve\n".encode(), b"\xff", b"a\x00b"])
def test_password_files_that_are_not_as_they_must_be(environment: dict[str, str], content: bytes) -> None:
    file = Path(environment["TARGET_TRACKER_SMTP_PASSWORD_FILE"])
    file.write_bytes(content)
    with pytest.raises(Misconfigured, match="TARGET_TRACKER_SMTP_PASSWORD_FILE"):
        mailer_from(environment)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_password_is_all_of_its_line(environment: dict[str, str], ending: str) -> None:
    Path(environment["TARGET_TRACKER_SMTP_PASSWORD_FILE"]).write_bytes(f" a b {ending}".encode())
    mailer = smtp_mailer_from(environment)
    assert mailer
    assert mailer.login == MailLogin(USER, " a b ")
