"""The command against the service as it is run: `serve` and `worker` as processes, HTTPS between."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.tls import LocalCertificates, make_local_certificates
from domain.vault.key_ring import new_ring
from domain.vault.key_sources import write
from domain.vault.recovery_pair import write_recovery_pair
from scripts.cli.client import Client
from scripts.cli.main import app
from scripts.demonstration.processes import Processes, wait_until_it_answers
from scripts.embedded import EmbeddedPostgres
from tests.conftest import TestDatabase, fresh_database
from tests.sockets import free_port

PASSWORD = "correct horse battery staple"
OPERATOR_TOKEN = "a token of the operator, for tests alone"

_urns = count(300001)


@dataclass(frozen=True)
class Service:
    """The running service, and how commands find it."""

    url: str
    certificates: LocalCertificates
    operator_token_file: Path
    password_file: Path
    database: TestDatabase
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What commands, and `worker` among them, are run with."""
        return {
            "TARGET_TRACKER_SERVER": self.url,
            "TARGET_TRACKER_CA": str(self.certificates.ca),
            "TARGET_TRACKER_OPERATOR_TOKEN_FILE": str(self.operator_token_file),
            "TARGET_TRACKER_DATABASE": self.database.conninfo("target_tracker_worker"),
            "TARGET_TRACKER_SERVICE_KEY_FILE": str(self.service_key_file),
            "TARGET_TRACKER_ERASURES": str(self.folder / "erasures"),
            "TARGET_TRACKER_KEYRING": "off",
        }

    @property
    def settings(self) -> dict[str, str]:
        """What `serve` is started with."""
        return {
            "TARGET_TRACKER_DATABASE": self.database.conninfo(),
            "TARGET_TRACKER_TLS_CERTIFICATE": str(self.certificates.certificate),
            "TARGET_TRACKER_TLS_KEY": str(self.certificates.key),
            "TARGET_TRACKER_OPERATOR_TOKEN_FILE": str(self.operator_token_file),
            "TARGET_TRACKER_LISTEN": self.url.removeprefix("https://"),
            "TARGET_TRACKER_SERVICE_KEY_FILE": str(self.service_key_file),
            "TARGET_TRACKER_RECOVERY_KEY": str(self.recovery_public),
            "TARGET_TRACKER_ERASURES": str(self.folder / "erasures"),
        }

    @property
    def service_key_file(self) -> Path:
        return self.folder / "service-keys.json"

    @property
    def recovery_private(self) -> Path:
        return self.folder / "recovery" / "recovery-private.key"

    @property
    def recovery_public(self) -> Path:
        return self.folder / "recovery" / "recovery-public.key"

    def login_key_file(self, urn: str) -> Path:
        return self.folder / f"{urn}.key"

    def login_key(self, urn: str) -> str:
        return self.login_key_file(urn).read_text(encoding="ascii")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]
"""Runs a command, which must end with the exit code that is expected."""


@pytest.fixture(scope="session")
def service(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with fresh_database(server) as database:
        service = new_service(database, tmp_path_factory.mktemp("service"))
        with running(service):
            yield service


def new_service(database: TestDatabase, folder: Path) -> Service:
    """A service that does not run yet: its files, and its address."""
    certificates = make_local_certificates(folder / "tls")
    token_file, password_file = folder / "operator-token", folder / "password"
    token_file.write_text(OPERATOR_TOKEN + "\n")
    password_file.write_text(PASSWORD + "\n")
    url = f"https://127.0.0.1:{free_port()}"
    service = Service(url, certificates, token_file, password_file, database, folder)
    write(service.service_key_file, new_ring())
    service.recovery_public.parent.mkdir()
    write_recovery_pair(service.recovery_public.parent)
    return service


@contextmanager
def running(service: Service, *names: str) -> Iterator[Processes]:
    """The service's processes, until the end; `serve` and `worker`, if none are named."""
    processes = Processes(service.folder)
    settings = {"serve": service.settings, "worker": service.environment}
    try:
        for name in names or settings:
            processes.start(name, settings[name])
        if "serve" in (names or settings):
            wait_for(service, processes)
        yield processes
    finally:
        processes.stop()


def wait_for(service: Service, processes: Processes) -> None:
    """Returns when the service answers."""
    with Client(service.url, ca=service.certificates.ca) as client:
        wait_until_it_answers(client, processes)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the session of its own."""
    home = tmp_path / "home"
    monkeypatch.setenv("TARGET_TRACKER_HOME", str(home))
    return home


@pytest.fixture
def run(service: Service, home: Path) -> Run:
    """Runs the command in this process."""
    return runner(service)


def runner(service: Service) -> Run:
    """Runs the command in this process, against this service."""

    def run(*arguments: object, expect: int = 0, given: str | bytes | None = None, **more: str) -> Ended:
        result = CliRunner().invoke(
            app, [str(argument) for argument in arguments], input=given, env=service.environment | more
        )
        ended = Ended(result.exit_code, result.stdout, result.stderr)
        assert ended.code == expect, (arguments, ended)
        assert "Traceback" not in ended.out + ended.error
        return ended

    return run


@pytest.fixture
def urn(run: Run, service: Service) -> str:
    """A school that is registered, with `head` as its administrator."""
    urn = str(next(_urns))
    register(run, service, urn)
    return urn


def register(run: Run, service: Service, urn: str, expect: int = 0, **changes: str) -> Ended:
    options = {
        "name": "Made-up Primary School",
        "urn": urn,
        "local-authority": "881",
        "establishment": "2001",
        "region": "East of England",
        "official-email": "office@school.example",
        "administrator": "head",
        "administrator-name": "The Head",
        "password-file": str(service.password_file),
        "out": str(service.login_key_file(urn)),
    } | changes
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return run("schools", "register", *words, expect=expect)


def log_in(run: Run, service: Service, urn: str, username: str = "head", expect: int = 0) -> Ended:
    words = ("--password-file", service.password_file, "--key-file", service.login_key_file(urn))
    return run("login", "--urn", urn, "--user", username, *words, expect=expect)


@pytest.fixture
def head(run: Run, service: Service, urn: str) -> str:
    """The URN of a school whose administrator is logged in."""
    log_in(run, service, urn)
    return urn


def admit(run: Run, surname: str, forename: str = "Robin", **fields: str) -> str:
    """Admits a made-up child of Oak."""
    given = {
        "surname": surname,
        "forename": forename,
        "date_of_birth": "04/03/2018",
        "sex": "F",
        "date_of_entry": "2022-09-01",
        "nc_year": "Y3",
        "class_name": "Oak",
    } | fields
    said = run("pupils", "admit", *(f"{name}={value}" for name, value in given.items())).out
    return said.split("pupil ")[1].split(",")[0]
