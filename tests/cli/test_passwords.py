"""A new password at the command line: asked for, mailed by the service, and set with the code."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from scripts.demonstration.processes import Processes
from tests.cli.conftest import Run, Service, log_in, wait_for
from tests.mailing.server import PASSWORD, SENDER, USER, MailServer, mail_server
from tests.sockets import free_port

NEW = "seven green bottles"


@dataclass(frozen=True)
class Mailing:
    """The service once more, on the same database, with a mail server."""

    service: Service
    mail: MailServer

    @property
    def environment(self) -> dict[str, str]:
        return {"TARGET_TRACKER_SERVER": self.service.url}

    def next_code(self, known: int = 0) -> str:
        deadline = time.monotonic() + 20
        while len(self.mail.received) == known and time.monotonic() < deadline:
            time.sleep(0.01)
        text = str(self.mail.received[known].message.get_content())
        assert "target-tracker password reset" in text
        [code] = [line.strip() for line in text.splitlines() if line.startswith("    ") and len(line) == 47]
        return code


@pytest.fixture
def mailing(service: Service, tmp_path: Path) -> Iterator[Mailing]:
    password = tmp_path / "smtp-password"
    password.write_text(PASSWORD + "\n")
    port = free_port()
    processes = Processes(tmp_path)
    with mail_server(service.certificates) as mail:
        settings = service.environment | {
            "TARGET_TRACKER_DATABASE": service.database.conninfo(),
            "TARGET_TRACKER_TLS_CERTIFICATE": str(service.certificates.certificate),
            "TARGET_TRACKER_TLS_KEY": str(service.certificates.key),
            "TARGET_TRACKER_LISTEN": f"127.0.0.1:{port}",
            "TARGET_TRACKER_SMTP": f"smtp://localhost:{mail.port}",
            "TARGET_TRACKER_SMTP_USER": USER,
            "TARGET_TRACKER_SMTP_PASSWORD_FILE": str(password),
            "TARGET_TRACKER_SMTP_CA": str(service.certificates.ca),
            "TARGET_TRACKER_MAIL_FROM": SENDER,
        }
        processes.start("serve", settings)
        mailing = Mailing(replace(service, url=f"https://127.0.0.1:{port}"), mail)
        try:
            wait_for(mailing.service, processes)
            yield mailing
        finally:
            processes.stop()


def private(path: Path, text: str) -> Path:
    path.write_text(text + "\n")
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    return path


def test_the_whole_way(run: Run, mailing: Mailing, urn: str, tmp_path: Path) -> None:
    who = ["--urn", urn, "--user", "head", "--key-file", mailing.service.login_key_file(urn)]
    said = run("password", "request", *who, **mailing.environment).out
    assert said == (
        "If this account can be used, a code is on its way to the school's official address.\n"
        "It works once, within 30 minutes, with: target-tracker password reset\n"
    )
    code = private(tmp_path / "code", mailing.next_code())
    new = private(tmp_path / "new", NEW)
    short = private(tmp_path / "short", "too short")
    files = ["--code-file", code, "--password-file"]
    refused = run("password", "reset", *who, *files, short, expect=1, **mailing.environment)
    assert "15 to 1000 characters" in refused.error
    said = run("password", "reset", *who, *files, new, **mailing.environment).out
    assert said == "The password is set. Log in with: target-tracker login\n"
    again = run("password", "reset", *who, *files, new, expect=1, **mailing.environment).error
    assert (
        again
        == "New password refused: The code is not right, or is too old, or was used: ask for another one\n"
    )
    log_in(run, mailing.service, urn, expect=1)
    run("login", *who, "--password-file", new)


def test_the_login_key_is_the_one_that_is_kept(run: Run, mailing: Mailing, urn: str) -> None:
    who = ["--urn", urn, "--user", "head"]
    said = run("password", "request", *who, expect=2, **mailing.environment).error
    assert "--key-file" in said
    key = [
        "--key-file",
        mailing.service.login_key_file(urn),
        "--password-file",
        mailing.service.password_file,
    ]
    run("login", *who, *key, **mailing.environment)
    run("password", "request", *who, **mailing.environment)
    given = f"{mailing.next_code()}\n{NEW}\n"
    from_input = ["--code-file", "-", "--password-file", "-"]
    run("password", "reset", *who, *from_input, given=given, **mailing.environment)
    run("login", *who, "--password-file", "-", given=f"{NEW}\n", **mailing.environment)


def test_neither_is_taken_from_the_command_line(run: Run, service: Service, urn: str) -> None:
    who = ["--urn", urn, "--user", "head", "--key-file", service.login_key_file(urn)]
    assert "No such option" in run("password", "reset", *who, "--code", "x", expect=2).error
    assert "--code-file" in run("password", "reset", *who, expect=2).error


def test_a_service_without_a_mail_server_says_so(run: Run, service: Service, urn: str) -> None:
    who = ["--urn", urn, "--user", "head", "--key-file", service.login_key_file(urn)]
    said = run("password", "request", *who, expect=1).error
    assert said.startswith("No mail is sent here: ")
