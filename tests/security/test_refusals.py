"""A client that cannot be served gets its alert, and the log says what it lacked, but not who it was."""

from __future__ import annotations

import logging
import re
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import api.certificates
from api.refusals import MOST_LINES, PERIOD, AttendedHandshake, Refusals
from api.tls import LocalCertificates
from tests.api.conftest import running
from tests.conftest import TestDatabase
from tests.logs import said_by
from tests.security.conftest import (
    COMMAND,
    Pair,
    Serving,
    environment,
    needs_openssl,
    s_client,
    serving,
)
from tests.security.hello import (
    HANDSHAKE_FAILURE,
    P_256,
    PROTOCOL_VERSION,
    TLS_1_1,
    TLS_1_2,
    TLS_1_3,
    Answer,
    Closed,
    Refused,
    hello,
    say_hello,
)

SETTINGS: dict[str, dict[str, str]] = {"ordinary": {}, "FIPS": {"TARGET_TRACKER_FIPS": "1"}}


@pytest.fixture(scope="module", params=SETTINGS)
def service(
    request: pytest.FixtureRequest,
    security_database: TestDatabase,
    pairs: dict[str, Pair],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, Serving]]:
    """A service that has refused nobody yet, in each mode, and which mode that is."""
    mode, pair = request.param, pairs["ECDSA"]
    settings = environment(security_database, pair, **SETTINGS[mode])
    with serving(COMMAND, settings, pair, tmp_path_factory.mktemp("refusals")) as running:
        yield mode, running


def lacks(service: tuple[str, Serving], cause: Callable[[int], object], reason: str) -> object:
    """Waits for the one line that says the reason; gives what the client saw."""
    mode, serving_now = service
    before = len(serving_now.said())
    seen = cause(serving_now.port)
    serving_now.wait_for(re.escape(reason), before)
    [line] = [line for line in serving_now.said()[before:].splitlines() if "api.refusals" in line]
    assert f"WARNING api.refusals refused a TLS client: {reason}" in line
    assert ("this service is in FIPS mode" in line) == (mode == "FIPS")
    assert not re.search(r"127\.0\.0\.1|localhost|::1", line)
    return seen


OFFERS: list[tuple[dict[str, Any], Answer, str]] = [
    (
        {"suites": [0x1304], "version": TLS_1_3},
        Refused(HANDSHAKE_FAILURE),
        "it offers no cipher suite that is agreed here, or no group or signature to use one with",
    ),
    (
        {"suites": [0xC009, 0x002F], "version": TLS_1_2},
        Refused(HANDSHAKE_FAILURE),
        "it offers no cipher suite that is agreed here, or no group or signature to use one with",
    ),
    (
        {"suites": [0xC02B], "version": TLS_1_1},
        Refused(PROTOCOL_VERSION),
        "it speaks no version of TLS from 1.2 on [UNSUPPORTED_PROTOCOL]",
    ),
    (
        {"suites": [0x1301], "version": TLS_1_3, "groups": [1]},
        Refused(HANDSHAKE_FAILURE),
        "it offers no group for the key exchange that is agreed here [",
    ),
    (
        {"suites": [0xC02B], "version": TLS_1_2, "groups": [1]},
        Refused(HANDSHAKE_FAILURE),
        "it offers no cipher suite that is agreed here, or no group or signature to use one with",
    ),
    (
        {"suites": [0x1301], "version": TLS_1_3, "groups": [P_256], "signatures": [0x0807]},
        Refused(HANDSHAKE_FAILURE),
        "it offers no signature algorithm that is agreed here [",
    ),
]


@pytest.mark.parametrize(("offer", "answer", "reason"), OFFERS)
def test_what_a_client_lacks(
    service: tuple[str, Serving], offer: dict[str, Any], answer: Answer, reason: str
) -> None:
    assert lacks(service, lambda port: say_hello(port, **offer), reason) == answer


def send(content: bytes) -> Callable[[int], bytes]:
    """A client that sends this, and reads once."""

    def cause(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(content)
            return connection.recv(1 << 16)

    return cause


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n", "it speaks plain HTTP"),
        (b"CONNECT elsewhere.example:443 HTTP/1.1\r\n\r\n", "it takes this service for a proxy"),
        (b"SSH-2.0-somebody\r\n", "what it sends is not TLS"),
    ],
)
def test_what_is_no_tls_is_closed_at_once(service: tuple[str, Serving], content: bytes, reason: str) -> None:
    assert lacks(service, send(content), reason) == b""


def test_a_client_that_does_not_believe_the_certificate(service: tuple[str, Serving]) -> None:
    def distrust(port: int) -> None:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"https://127.0.0.1:{port}/v1/health", verify=ssl.create_default_context())

    lacks(service, distrust, "it broke off, with an alert of its own [TLSV1_ALERT_UNKNOWN_CA]")


ONLY_CHACHA20 = (
    *("-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"),
    *("-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"),
)


@needs_openssl
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_client_with_no_approved_suite_is_closed_with_a_clear_error(
    service: tuple[str, Serving], version: str
) -> None:
    mode, serving_now = service
    if mode == "ordinary":
        served = s_client(serving_now, version, *ONLY_CHACHA20)
        assert "HTTP/1.1 200 OK" in served.stdout, served
        return
    reason = "it offers no cipher suite that is agreed here, or no group or signature to use one with"
    refused = lacks(service, lambda _: s_client(serving_now, version, *ONLY_CHACHA20), reason)
    assert isinstance(refused, subprocess.CompletedProcess)
    assert refused.returncode == 1
    assert "alert handshake failure" in refused.stderr
    assert "HTTP/" not in refused.stdout


def test_a_client_that_stays_is_closed_soon(ordinary: Serving) -> None:
    with socket.create_connection(("127.0.0.1", ordinary.port), timeout=30) as connection:
        connection.sendall(hello([0xC02B], version=TLS_1_1))
        assert connection.recv(7)[0] == 21
        assert connection.recv(1) == b""


def test_the_service_is_well_after_all_that(service: tuple[str, Serving]) -> None:
    _, serving_now = service
    context = ssl.create_default_context(cafile=serving_now.pair.certificate)
    with httpx.Client(verify=context) as client:
        assert client.get(f"https://localhost:{serving_now.port}/v1/health").status_code == 200
    assert "Traceback" not in serving_now.said()


@pytest.mark.parametrize("fips", [False, True])
def test_a_scanner_does_not_fill_the_disk(caplog: pytest.LogCaptureFixture, fips: bool) -> None:
    now = 0.0
    refusals = Refusals(fips=fips, clock=lambda: now)

    def said() -> list[str]:
        return said_by("api.refusals", caplog)

    with caplog.at_level(logging.WARNING, "api.refusals"):
        for _ in range(10_000):
            refusals.refused("it lacks this")
        refusals.refused("it lacks that")
        assert len(said()) == MOST_LINES + 1
        assert "it lacks that" in said()[-1], "the many do not hide the one"
        refusals.catch_up()
        assert len(said()) == MOST_LINES + 1
        now += PERIOD
        refusals.catch_up()
        refusals.catch_up()
        assert len(said()) == MOST_LINES + 2
        assert said()[-1].startswith(f"refused {10_000 - MOST_LINES} more TLS clients: it lacks this")
        refusals.refused("it lacks this")
        assert len(said()) == MOST_LINES + 3
    assert all(("FIPS mode" in message) == fips for message in said())


class Silent(AttendedHandshake):
    """The sabotaged twin: the handshake fails as it would by itself."""

    def do_handshake(self) -> None:
        ssl.SSLObject.do_handshake(self)


def test_without_attendance_there_is_neither_alert_nor_line(
    pairs: dict[str, Pair], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = pairs["ECDSA"]
    for handshake, answer in ((AttendedHandshake, Refused(PROTOCOL_VERSION)), (Silent, Closed())):
        monkeypatch.setattr(api.certificates, "AttendedHandshake", handshake)
        caplog.clear()
        with running(FastAPI(), LocalCertificates(pair.certificate, pair.certificate, pair.key)) as port:
            assert say_hello(port, [0xC02B], version=TLS_1_1) == answer
        assert any("refused a TLS client" in said for said in caplog.messages) == (answer != Closed())
