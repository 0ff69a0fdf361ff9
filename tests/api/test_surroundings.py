"""What surrounds every request: headers, logs without anything personal, an answer whatever goes wrong."""

from __future__ import annotations

import json
import logging
import re
import time
from pathlib import Path
from typing import Any

import anyio
import httpx
import psycopg
import pytest
from eventsourcing.persistence import OperationalError

from api.app import create_app
from api.services import Services
from domain.application.school_application import Schools
from domain.application.usage import ReadAudit
from domain.ledger.database import Database
from domain.vault.erasures import FileRegister
from domain.vault.sessions import Sessions
from tests.api.conftest import SchoolUnderTest, Served, admit, assert_problem, pupil

CANARY = "Zanzibar Quokka"


def test_what_nobody_foresaw_is_told_to_nobody(
    admin: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise psycopg.DataError(f"Failing row contains ({CANARY})") from ValueError(CANARY)

    monkeypatch.setattr("api.history.of_school", fail)
    with caplog.at_level(logging.DEBUG):
        answer = admin.get("/v1/history")
    body = assert_problem(answer, 500, "internal-server-error")
    assert CANARY not in answer.text
    assert CANARY not in caplog.text
    logged = [record.message for record in caplog.records if record.name == "api.middleware"]
    assert len(logged) == 1
    line = json.loads(logged[0])
    assert line["request"] == body["instance"].removeprefix("urn:uuid:")
    assert [each["type"] for each in line["unexpected"]] == ["DataError", "ValueError"]
    assert any(Path(__file__).name in place for place in line["unexpected"][0]["places"])


def test_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("api.health.PATIENCE", 0.2)
    with Database("host=/nonexistent connect_timeout=1") as away:
        schools = Schools.__new__(Schools)
        services = Services(
            schools=schools,
            sessions=Sessions(away),
            read=away,
            erasures=FileRegister(tmp_path / "erasures"),
            audit=ReadAudit(schools, strict=True),
            operator_token=None,
            region="nowhere",
        )
        transport = httpx.ASGITransport(create_app(services))

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
                return await client.get("/v1/health")

        answer = anyio.run(ask)
    assert_problem(answer, 503, "service-unavailable")
    assert answer.headers["retry-after"] == "1"


def wrapped(error: Exception) -> Exception:
    """As the eventsourcing library's recorders hand it on."""
    passed_on = OperationalError(CANARY)
    passed_on.__cause__ = error
    return passed_on


AWAY = psycopg.OperationalError(CANARY)
BUSY = psycopg.errors.LockNotAvailable(CANARY)
TOO_MUCH = psycopg.errors.ProgramLimitExceeded(CANARY)


@pytest.mark.parametrize(
    ("error", "status"),
    [(AWAY, 503), (BUSY, 503), (TOO_MUCH, 500), (wrapped(AWAY), 503), (wrapped(TOO_MUCH), 500)],
)
def test_what_may_pass_is_worth_another_try(
    admin: httpx.Client, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("api.history.of_school", fail)
    answer = admin.get("/v1/history")
    assert_problem(answer, status, "service-unavailable" if status == 503 else "internal-server-error")
    assert ("retry-after" in answer.headers) == (status == 503)
    assert CANARY not in answer.text


def lines_of(requests: list[str], caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The lines of the access log about these requests, in their order, once all have been written.

    A line is written after its answer has been sent: it may come late, and so may one of an earlier test.
    """
    deadline = time.monotonic() + 10
    while True:
        written = [json.loads(each.getMessage()) for each in caplog.records if each.name == "api.access"]
        ours = [line for line in written if line["request"] in requests]
        if len(ours) >= len(requests):
            return sorted(ours, key=lambda line: requests.index(line["request"]))
        assert time.monotonic() < deadline, f"{len(requests)} requests have {len(ours)} lines"
        time.sleep(0.005)


def test_the_log_holds_nothing_that_was_sent(
    served: Served, school: SchoolUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    requests: list[str] = []
    admin = served.client(school.admin.token)
    admin.event_hooks["response"].append(lambda answer: requests.append(answer.headers["x-request-id"]))
    with caplog.at_level(logging.DEBUG):
        admit(admin, forename=CANARY)
        admin.get("/v1/pupils", params={"name": CANARY})
        admin.get(f"/v1/pupils/{CANARY}")
        admin.get(f"/{CANARY}")
        admin.post("/v1/pupils", json={CANARY: CANARY})
        admin.post("/v1/pupils", json=pupil(upn=CANARY))
        admin.request("PROPFIND", "/v1/pupils", headers={"X-Request-Id": CANARY})
        lines = lines_of(requests, caplog)
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    text = "\n".join(record.getMessage() for record in ours)
    assert "Quokka" not in text
    assert "PROPFIND" not in text
    assert [line["request"] for line in lines] == requests
    assert [line["status"] for line in lines] == [201, 200, 422, 422, 404, 422, 422, 405]
    assert lines[2]["route"] == "/v1/pupils"
    assert all(re.fullmatch(r"[0-9a-f-]{36}", line["request"]) for line in lines)


@pytest.mark.parametrize("path", ["/v1/health", "/v1/school", "/nowhere", "/v1/pupils/42"])
def test_headers_of_every_response(nobody: httpx.Client, path: str) -> None:
    headers = nobody.get(path).headers
    assert headers["strict-transport-security"].startswith("max-age=63072000")
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-request-id"]
    assert "server" not in headers


def test_health_says_where_the_data_is(nobody: httpx.Client, served: Served) -> None:
    answer = nobody.get("/v1/health").json()
    assert answer["status"] == "ok"
    assert answer["region"] == served.services.region
    assert answer["version"]
