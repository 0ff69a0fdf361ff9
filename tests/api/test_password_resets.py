"""The whole way to a new password: over HTTPS, a mail server that speaks TLS, and back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.services import Services
from api.tls import LocalCertificates
from scripts.mailing.queued import QueuedMailer
from scripts.mailing.smtp import MailLogin, SmtpMailer
from tests.api.conftest import PASSWORD, SchoolUnderTest, Served, assert_problem, running
from tests.mailing.server import PASSWORD as MAIL_PASSWORD
from tests.mailing.server import SENDER, USER, MailServer, mail_server

OFFICE = "office@school.example"
NEW = "seven green bottles"


@pytest.fixture(scope="module", params=[True, False], ids=["implicit TLS", "STARTTLS"])
def mail(certificates: LocalCertificates, request: pytest.FixtureRequest) -> Iterator[MailServer]:
    with mail_server(certificates, implicit_tls=request.param) as server:
        yield server


@pytest.fixture(scope="module")
def mailing(served: Served, mail: MailServer, certificates: LocalCertificates) -> Iterator[Served]:
    """The same service, with a mail server."""
    mailer = SmtpMailer(
        host="localhost",
        port=mail.port,
        implicit_tls=mail.implicit_tls,
        sender=SENDER,
        login=MailLogin(USER, MAIL_PASSWORD),
        ca=certificates.ca,
    )
    with QueuedMailer(mailer) as queued:
        services: Services = replace(served.services, mailer=queued)
        app = create_app(services)
        with running(app, certificates) as port:
            service = Served(app, services, f"https://127.0.0.1:{port}", certificates, served.worker_database)
            yield service
            for client in service.clients:
                client.close()


@pytest.fixture
def own(served: Served) -> SchoolUnderTest:
    """A school of the test's own, whose codes nobody else asks for."""
    return served.register()


def ask(client: httpx.Client, school: SchoolUnderTest, username: str, **more: Any) -> httpx.Response:
    return client.post(
        "/v1/password-resets", json={"login_key": school.login_key, "username": username} | more
    )


def redeem(client: httpx.Client, school: SchoolUnderTest, code: str, password: str = NEW) -> httpx.Response:
    sent = {"login_key": school.login_key, "username": "read-only", "code": code, "password": password}
    return client.post("/v1/password-resets/redeem", json=sent)


def next_code(mail: MailServer, known: int) -> str:
    """The code in the mail that comes after those that are known."""
    deadline = time.monotonic() + 20
    while len(mail.received) == known and time.monotonic() < deadline:
        time.sleep(0.01)
    received = mail.received[known]
    assert received.recipients == [OFFICE]
    text = received.message.get_content()
    [code] = [line.strip() for line in text.splitlines() if line.startswith("    ") and len(line) == 47]
    return str(code)


def test_the_whole_way(mailing: Served, mail: MailServer, own: SchoolUnderTest) -> None:
    before = len(mail.received)
    reader = own.users[next(level for level in own.users if level == "read-only")]
    with mailing.client() as nobody:
        asked = ask(nobody, own, "READ-only")
        assert (asked.status_code, asked.json()) == (202, {"good_for": 1800})
        code = next_code(mail, before)
        assert all(mail.encrypted)
        assert_problem(redeem(nobody, own, code[:-1]), 401, "reset-refused")
        short = assert_problem(redeem(nobody, own, code, "short"), 422, "invalid-input")
        assert [finding["field"] for finding in short["findings"]] == ["password"]
        done = redeem(nobody, own, code)
        assert (done.status_code, done.content) == (204, b"")
        again = assert_problem(redeem(nobody, own, code), 401, "reset-refused")
    assert code not in str(again)
    with mailing.client(reader.token) as client:
        assert_problem(client.get("/v1/school"), 401, "not-signed-in")
    mailing.log_in(own.login_key, "read-only", NEW)
    with mailing.client() as nobody:
        old = {"login_key": own.login_key, "username": "read-only", "password": PASSWORD}
        assert_problem(nobody.post("/v1/sessions", json=old), 401, "login-refused")
    with mailing.client(own.admin.token) as admin:
        happened = [entry["event"] for entry in admin.get("/v1/history?limit=500").json()["entries"]]
    assert "password-reset.requested" in happened
    assert happened.index("password-reset.used") == happened.index("staff.password-set") + 1


def test_the_answer_is_the_same_whoever_it_is_about(
    mailing: Served, mail: MailServer, own: SchoolUnderTest
) -> None:
    before = len(mail.received)
    with mailing.client() as nobody:
        answers = [ask(nobody, own, username) for username in ("read-only", "unknown-username", "read-only")]
        last = [ask(nobody, own, "read-only") for _ in range(3)]
    first, *others = [
        (answer.status_code, answer.content, answer.headers.keys()) for answer in answers + last
    ]
    assert first[0] == 202
    assert others == [first] * 5
    for number in range(3):
        next_code(mail, before + number)
    # What is sent after that comes after whatever was sent before.
    with mailing.client() as nobody:
        ask(nobody, own, "head")
    next_code(mail, before + 3)
    assert len(mail.received) == before + 4


@pytest.mark.parametrize("name", ["email", "to", "address", "official_email"])
def test_there_is_no_place_for_an_address(
    mailing: Served, mail: MailServer, own: SchoolUnderTest, name: str
) -> None:
    before = len(mail.received)
    with mailing.client() as nobody:
        refused = ask(nobody, own, "read-only", **{name: "asker@elsewhere.example"})
        assert_problem(refused, 422, "invalid-input")
        ask(nobody, own, "head")
    next_code(mail, before)
    assert len(mail.received) == before + 1


def test_it_takes_a_login_key(mailing: Served, own: SchoolUnderTest) -> None:
    broken = replace(own, login_key=own.login_key[:-1])
    with mailing.client() as nobody:
        assert_problem(ask(nobody, broken, "head"), 401, "login-key-refused")
        assert_problem(redeem(nobody, broken, "x"), 401, "login-key-refused")


def test_without_a_mail_server_it_says_so(served: Served, own: SchoolUnderTest) -> None:
    with served.client() as nobody:
        said = assert_problem(ask(nobody, own, "head"), 503, "no-mail-server")
        assert "administrator" in said["detail"]
        # A code that came by mail before is none the worse for it.
        assert_problem(redeem(nobody, own, "x"), 401, "reset-refused")
