"""What the network does to a command: nobody there, somebody else, an answer that never arrives."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.tls import make_local_certificates
from scripts.cli.client import ATTEMPTS, Client
from scripts.cli.failures import Refused, Unreachable
from tests.cli.conftest import PASSWORD, Run, Service, admit, log_in

Answer = tuple[int, bytes] | None
"""A status and a body; nothing, to close the connection instead."""


@contextmanager
def between(service: Service, answers: list[Answer], seen: list[str]) -> Iterator[str]:
    """A server between the command and the service.

    It passes every request on, then gives the first of the answers that are left, or what the service said.
    """
    trust = ssl.create_default_context(cafile=service.certificates.ca)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            seen.append(f"{self.command} {self.path} {self.headers.get('Idempotency-Key')}")
            with httpx.Client(verify=trust, base_url=service.url, timeout=30) as upstream:
                said = upstream.request(self.command, self.path, content=content, headers=headers)
            answer: Answer = answers.pop(0) if answers else (said.status_code, said.content)
            self.close_connection = True
            if answer is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, body = answer
            self.send_response(status)
            for name in ("Target-Tracker-Position", "ETag", "Content-Type"):
                if name in said.headers:
                    self.send_header(name, said.headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - the library's names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(service.certificates.certificate, service.certificates.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def add_deputy(run: Run, server: str, expect: int = 0) -> str:
    return run(
        "staff", "add", "deputy", "--name", "Dana", "--access", "read-write", "--password-file", "-",
        given=f"{PASSWORD}\n", expect=expect, TARGET_TRACKER_SERVER=server,
    ).error  # fmt: skip


@pytest.mark.parametrize("lost", [1, 2, ATTEMPTS - 1])
def test_a_command_whose_answer_is_lost_is_done_once(run: Run, service: Service, urn: str, lost: int) -> None:
    answers: list[Answer] = []
    seen: list[str] = []
    with between(service, answers, seen) as server:
        run(
            "login", "--server", server, "--urn", urn, "--user", "head",
            "--password-file", service.password_file, "--key-file", service.login_key_file(urn),
            TARGET_TRACKER_SERVER=server,
        )  # fmt: skip
        seen.clear()
        answers += [None] * lost
        add_deputy(run, server)
        assert len(seen) == lost + 1
        assert len(set(seen)) == 1
        members = run("staff", "list", "--json", TARGET_TRACKER_SERVER=server).json
        assert [member["username"] for member in members] == ["head", "deputy"]


def test_it_gives_up_when_no_answer_ever_arrives(run: Run, service: Service, urn: str) -> None:
    answers: list[Answer] = []
    seen: list[str] = []
    with between(service, answers, seen) as server:
        run(
            "login", "--urn", urn, "--user", "head", "--password-file", service.password_file,
            "--key-file", service.login_key_file(urn), TARGET_TRACKER_SERVER=server,
        )  # fmt: skip
        seen.clear()
        answers += [None] * 50
        assert "cannot be reached" in add_deputy(run, server, expect=3)
        assert len(seen) == ATTEMPTS


def test_a_busy_service_is_asked_again(run: Run, service: Service, head: str) -> None:
    busy = b'{"type": "urn:target-tracker:problem:service-unavailable", "status": 503, "detail": "Busy"}'
    answers: list[Answer] = [(503, busy), (503, busy)]
    seen: list[str] = []
    with between(service, answers, seen) as server, Client(server, ca=service.certificates.ca) as client:
        assert client.query("/v1/health").body["status"] == "ok"
        assert len(seen) == 3
        answers += [(503, busy)] * 50
        with pytest.raises(Refused, match="Busy"):
            client.query("/v1/health")
        answers[:] = [(503, b'{"type": "urn:target-tracker:problem:not-yet-visible", "detail": "Not yet"}')]
        with pytest.raises(Refused, match="Not yet"):
            client.query("/v1/health")


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"{", b"\xff"])
def test_somebody_else_who_answers_is_noticed(service: Service, body: bytes) -> None:
    answers: list[Answer] = [(200, body), (404, body)]
    with between(service, answers, []) as server, Client(server, ca=service.certificates.ca) as client:
        reply = client.query("/v1/health")
        with pytest.raises(Unreachable, match="not a Target Tracker service"):
            _ = reply.body
        with pytest.raises(Refused):
            client.query("/v1/health")


def test_nobody_there(run: Run, service: Service, urn: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{taken.getsockname()[1]}"
        said = run(
            "login", "--urn", "1", "--user", "x", "--password-file", service.password_file,
            "--key-file", service.login_key_file(urn), expect=3, TARGET_TRACKER_SERVER=server,
        )  # fmt: skip
    assert f"nothing answers at {server}" in said.error


def test_a_certificate_of_another_authority(run: Run, service: Service, urn: str, tmp_path: Path) -> None:
    other = make_local_certificates(tmp_path / "tls")
    words = ["login", "--urn", urn, "--user", "head", "--password-file", service.password_file]
    words += ["--key-file", service.login_key_file(urn)]
    for ca in (str(other.ca), ""):
        said = run(*words, expect=3, TARGET_TRACKER_CA=ca).error
        assert "is not to be trusted" in said
        assert "--ca" in said
    assert "not a file with an authority" in run("--ca", tmp_path / "no", *words, expect=2).error
    run(*words, "--ca", service.certificates.ca, TARGET_TRACKER_CA="")
    # The authority is remembered with the session.
    run("whoami", TARGET_TRACKER_CA="")


@pytest.mark.parametrize("address", ["http://127.0.0.1:8443", "127.0.0.1:8443", "https://", "ftp://x"])
def test_https_and_nothing_else(run: Run, service: Service, address: str) -> None:
    words = ["login", "--urn", "1", "--user", "x", "--password-file", service.password_file]
    assert "HTTPS and nothing else" in run("--server", address, *words, expect=2).error


def test_a_session_that_was_ended_by_an_administrator(run: Run, service: Service, head: str) -> None:
    pupil = admit(run, "Adams")
    add_deputy(run, service.url)
    log_in(run, service, head, "deputy")
    run("pupils", "show", pupil)
    with Client(service.url, ca=service.certificates.ca) as client:
        token = client.command(
            "POST",
            "/v1/sessions",
            {"login_key": service.login_key(head), "username": "head", "password": PASSWORD},
        ).body["token"]
    with Client(service.url, ca=service.certificates.ca, token=token) as admin:
        deputy = next(m for m in admin.query("/v1/staff").body if m["username"] == "deputy")
        admin.command("POST", f"/v1/staff/{deputy['staff_id']}/disable")
    said = run("pupils", "show", pupil, expect=1).error
    assert said.startswith("Not signed in: ")
    assert "target-tracker login" in said
