"""The real application over real HTTPS, on a database of its own, with two schools and a worker at work."""

from __future__ import annotations

import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.app import create_app, routes_of
from api.description import answer_of
from api.services import Services
from api.serving import configuration
from api.tls import LocalCertificates, make_local_certificates
from domain.access import AccessLevel
from domain.application.usage import ReadAudit
from domain.ledger.database import Database
from domain.vault.erasures import FileRegister
from domain.vault.sessions import Sessions
from projections.runner import Worker
from scripts.embedded import EmbeddedPostgres
from tests.api.traffic import Traffic
from tests.conftest import TestDatabase, fresh_database
from tests.keys import SERVICE_KEYS, schools_of

OPERATOR_TOKEN = "the operator's token of the tests"
PASSWORD = "correct horse battery staple"
OWN_CLASS = "Oak"

_urns = count(200001)
_upns = count(1)


TRAFFIC = Traffic()
"""Everything that these tests send and get; see :mod:`tests.api.test_traffic`."""


HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks through all the traffic comes last here, before others stop the server under the service."""
    last = [item for item in items if item.path.name == "test_traffic.py"]
    others = [item for item in items if item.path.name != "test_traffic.py"]
    end = max((at for at, item in enumerate(others, 1) if item.path.parent == HERE), default=0)
    items[:] = [*others[:end], *last, *others[end:]]


@dataclass
class User:
    """Somebody with an account and an open session."""

    staff_id: UUID
    username: str
    token: str


@dataclass
class SchoolUnderTest:
    """A registered school with users of all five levels."""

    id: UUID
    urn: str
    login_key: str
    users: dict[AccessLevel, User] = field(default_factory=dict)

    @property
    def admin(self) -> User:
        return self.users[AccessLevel.ADMIN]


@dataclass
class Served:
    """A running service."""

    app: FastAPI
    services: Services
    url: str
    certificates: LocalCertificates
    worker_database: Database
    clients: list[httpx.Client] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _worker: threading.Thread | None = None

    def client(self, token: str | None = None, **headers: str) -> httpx.Client:
        """A client that verifies the certificate, and every answer against the API's own description."""
        context = ssl.create_default_context(cafile=self.certificates.ca)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.Client(
            base_url=self.url,
            verify=context,
            headers=authorization | headers,
            timeout=30,
            event_hooks={"response": [TRAFFIC.note, self._is_as_described]},
        )
        self.clients.append(client)
        return client

    def _is_as_described(self, response: httpx.Response) -> None:
        assert_one_form_of_places(response)
        request = response.request
        described = route_of(self.app, request.method, request.url.path)
        if described is None:
            assert response.status_code in {404, 405}
            return
        route = described
        operation = self.app.openapi()["paths"][route.path_format][request.method.lower()]
        assert str(response.status_code) in operation["responses"], (request.method, request.url.path)
        content = operation["responses"][str(response.status_code)].get("content", {})
        response.read()
        if not content:
            assert not response.content
        else:
            assert response.headers["content-type"] in content
            if response.is_success and response.headers["content-type"] == "application/json":
                msgspec.json.decode(response.content, type=answer_of(route))

    def log_in(self, login_key: str, username: str, password: str = PASSWORD) -> dict[str, Any]:
        with self.client() as client:
            answer = client.post(
                "/v1/sessions", json={"login_key": login_key, "username": username, "password": password}
            )
        assert answer.status_code == 201, answer.text
        opened: dict[str, Any] = answer.json()
        return opened

    def register(self) -> SchoolUnderTest:
        """Registers a school, with users of all five levels."""
        urn = str(next(_urns))
        with self.client(OPERATOR_TOKEN) as operator:
            answer = operator.post("/v1/schools", json=registration(urn))
        assert answer.status_code == 201, answer.text
        school = SchoolUnderTest(UUID(answer.json()["school_id"]), urn, answer.json()["login_key"])
        opened = self.log_in(school.login_key, "head")
        school.users[AccessLevel.ADMIN] = User(UUID(opened["staff_id"]), "head", opened["token"])
        with self.client(opened["token"]) as admin:
            for level in AccessLevel:
                if level is not AccessLevel.ADMIN:
                    self._add(admin, school, level)
        return school

    def _add(self, admin: httpx.Client, school: SchoolUnderTest, level: AccessLevel) -> None:
        access: dict[str, Any] = {"level": level}
        if level is AccessLevel.LIMITED_READ_WRITE:
            access["classes"] = [OWN_CLASS]
        user = {"username": level, "display_name": f"User {level}", "access": access, "password": PASSWORD}
        added = admin.post("/v1/staff", json=user)
        assert added.status_code == 201, added.text
        token = self.log_in(school.login_key, level)["token"]
        school.users[level] = User(UUID(added.json()["staff_id"]), level, token)

    def start_worker(self) -> None:
        self._stop = threading.Event()
        worker = Worker(self.worker_database, SERVICE_KEYS)
        self._worker = threading.Thread(target=worker.run, args=[self._stop])
        self._worker.start()

    def stop_worker(self) -> None:
        self._stop.set()
        if self._worker:
            self._worker.join()

    @contextmanager
    def without_worker(self) -> Iterator[None]:
        """While projections stand still."""
        self.stop_worker()
        try:
            yield
        finally:
            self.start_worker()


def assert_one_form_of_places(response: httpx.Response) -> None:
    """Every finding that any test gets names its place with dots and numbers, and not with brackets."""
    if response.headers.get("content-type") == "application/problem+json":
        response.read()
        for finding in response.json().get("findings", ()):
            assert not re.search(r"\[|\]|\$|/\d", finding["field"]), finding


def route_of(app: FastAPI, method: str, path: str) -> APIRoute | None:
    """The route that a request goes to; the first that fits, as in the application."""
    for route in routes_of(app):
        pattern = re.sub(r"\{\w+\}", "[^/]+", route.path_format)
        if method in (route.methods or ()) and re.fullmatch(pattern, path):
            return route
    return None


def registration(urn: str) -> dict[str, Any]:
    return {
        "facts": {
            "name": "Made-up Primary School",
            "urn": urn,
            "local_authority": "881",
            "establishment": "2001",
            "region": "East of England",
        },
        "official_email": "office@school.example",
        "agreement_from": "2026-09-01",
        "administrator": {"username": "head", "display_name": "The Head"},
        "password": PASSWORD,
        "headteacher": True,
    }


def pupil(**fields: Any) -> dict[str, Any]:
    """A made-up child, with a surname that no other has."""
    return {
        "surname": f"Surname{next(_upns)}",
        "forename": "Forename",
        "date_of_birth": "2018-03-04",
        "sex": "F",
        "date_of_entry": "2022-09-01",
        "nc_year": "3",
        "class_name": OWN_CLASS,
    } | fields


def admit(client: httpx.Client, **fields: Any) -> str:
    """Admits a child, and waits until queries show it."""
    answer = client.post("/v1/pupils", json=pupil(**fields))
    assert answer.status_code == 201, answer.text
    admitted = answer.json()
    shown = client.get(f"/v1/pupils/{admitted['pupil_id']}", params={"min_position": admitted["position"]})
    assert shown.status_code == 200, shown.text
    pupil_id: str = admitted["pupil_id"]
    return pupil_id


def assert_problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:target-tracker:problem:{kind}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    return body


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> LocalCertificates:
    return make_local_certificates(Path(tmp_path_factory.mktemp("tls")))


@pytest.fixture(scope="session", autouse=True)
def traffic() -> Iterator[Traffic]:
    """Sees what is logged, from the first test on."""
    root = logging.getLogger()
    before = root.level
    root.addHandler(TRAFFIC)
    root.setLevel(logging.INFO)
    yield TRAFFIC
    root.removeHandler(TRAFFIC)
    root.setLevel(before)


@pytest.fixture(scope="session")
def served(server: EmbeddedPostgres, certificates: LocalCertificates) -> Iterator[Served]:
    with fresh_database(server) as test_database, serving(test_database, certificates) as running_service:
        yield running_service


@contextmanager
def serving(test_database: TestDatabase, certificates: LocalCertificates) -> Iterator[Served]:
    """A running service on a database of its own, with a worker at work."""
    schools = schools_of(test_database.conninfo())
    services = Services(
        schools=schools,
        sessions=Sessions(schools.database),
        read=Database(test_database.conninfo()),
        erasures=FileRegister(certificates.ca.with_name("erasures")),
        # It appends when a test says so: positions do not move by themselves.
        audit=ReadAudit(schools, interval=3600),
        operator_token=OPERATOR_TOKEN,
        region="a region of the tests",
    )
    app = create_app(services)
    with (
        schools.database,
        services.read,
        Database(test_database.conninfo("target_tracker_worker")) as worker_database,
        running(app, certificates) as port,
    ):
        url = f"https://127.0.0.1:{port}"
        running_service = Served(app, services, url, certificates, worker_database)
        running_service.start_worker()
        try:
            yield running_service
        finally:
            running_service.stop_worker()
            services.audit.close()
            for client in running_service.clients:
                client.close()


@contextmanager
def running(app: FastAPI, certificates: LocalCertificates) -> Iterator[int]:
    """Serves an application in a thread, and says at which port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        port: int = listening.getsockname()[1]
        server = uvicorn.Server(
            configuration(app, certificate=certificates.certificate, key=certificates.key)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.started
        try:
            yield port
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def school(served: Served) -> SchoolUnderTest:
    return served.register()


@pytest.fixture(scope="session")
def other_school(served: Served) -> SchoolUnderTest:
    return served.register()


@pytest.fixture(scope="session")
def admin(served: Served, school: SchoolUnderTest) -> httpx.Client:
    """A client of the school's administrator."""
    return served.client(school.admin.token)


@pytest.fixture(scope="session")
def nobody(served: Served) -> httpx.Client:
    """A client without a session."""
    return served.client()
