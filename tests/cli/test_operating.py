"""What the operator does on the host: migrating, serving, working, looking after projections."""

from __future__ import annotations

import contextlib
import os
import signal
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import psycopg
import pytest

from projections.runner import Worker
from scripts import serving
from scripts.composition import Settings
from scripts.demonstration.processes import commands
from scripts.embedded import OWNER, EmbeddedPostgres
from tests.cli.conftest import Run, Service, admit
from tests.conftest import fresh_database
from tests.projections.test_exactly_once import Country
from tests.sockets import free_port

PATH = os.environ["PATH"]


def settings(service: Service, **changes: str) -> dict[str, str]:
    return {
        "TARGET_TRACKER_DATABASE": service.database.conninfo(),
        "TARGET_TRACKER_TLS_CERTIFICATE": str(service.certificates.certificate),
        "TARGET_TRACKER_TLS_KEY": str(service.certificates.key),
        "TARGET_TRACKER_LISTEN": f"127.0.0.1:{free_port()}",
        "TARGET_TRACKER_SERVICE_KEY_FILE": str(service.service_key_file),
        "TARGET_TRACKER_ERASURES": str(service.folder / "erasures"),
    } | changes


def test_migrating_twice(run: Run, server: EmbeddedPostgres) -> None:
    server.create_database("migrated_by_command")
    try:
        conninfo = server.conninfo(OWNER, "migrated_by_command")
        first = run("migrate", TARGET_TRACKER_DATABASE=conninfo).out
        assert "Applied 0001_ledger\n" in first
        assert first.endswith("The database is up to date.\n")
        again = run("migrate", TARGET_TRACKER_DATABASE=conninfo).out
        assert again == "The database was up to date already.\n"
    finally:
        with psycopg.connect(server.conninfo("postgres", "postgres"), autocommit=True) as connection:
            connection.execute("DROP DATABASE migrated_by_command WITH (FORCE)")


@pytest.mark.parametrize(
    ("conninfo", "told"),
    [
        ("", "must hold a connection string"),
        ("host=/tmp password=secret", "holds a password"),
        ("postgresql://somebody:secret@localhost/x", "holds a password"),
        ("host=db.example.org dbname=x", "sslmode=verify-full"),
        ("host=/tmp,db.example.org dbname=x", "sslmode=verify-full"),
        ("host=192.0.2.1 sslmode=require", "sslmode=verify-full"),
        ("host=localhost hostaddr=192.0.2.1", "sslmode=verify-full"),
        ("host=localhost hostaddr=127.0.0.1,192.0.2.1", "sslmode=verify-full"),
        ("service=elsewhere", "a service file"),
        ("this is not one: secret", "is not a connection string"),
    ],
)
def test_a_database_that_must_not_be_reached_like_this(run: Run, conninfo: str, told: str) -> None:
    said = run("migrate", expect=2, TARGET_TRACKER_DATABASE=conninfo).error
    assert said.startswith("Not configured: ")
    assert told in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [("PGHOSTADDR", "192.0.2.1", "sslmode=verify-full"), ("PGSERVICE", "elsewhere", "a service file")],
)
def test_a_database_that_the_environment_sends_elsewhere(
    run: Run, variable: str, value: str, told: str
) -> None:
    said = run("migrate", expect=2, **{"TARGET_TRACKER_DATABASE": "host=localhost dbname=x", variable: value})
    assert told in said.error


def test_a_database_that_is_not_there(run: Run, tmp_path: Path) -> None:
    conninfo = f"host={tmp_path} dbname=x user=y connect_timeout=2"
    for words in (["migrate"],):
        assert "database does not answer" in run(*words, expect=3, TARGET_TRACKER_DATABASE=conninfo).error


def test_projections_and_one_that_has_stopped(
    run: Run, service: Service, head: str, server: EmbeddedPostgres
) -> None:
    admit(run, "Adams")
    school = run("whoami", "--json").json["id"]
    lines = [line.split() for line in run("projections", "status").out.splitlines()]
    assert lines[0] == ["Projection", "Schools", "Behind", "Events", "to", "read", "Oldest", "Stopped"]
    assert [line[0] for line in lines[1:7]] == [
        "assessments",
        "attendance",
        "logins",
        "pupils",
        "targets",
        "usage",
    ]
    assert {line[-1] for line in lines[1:7]} == {"0"}
    assert "has not stopped" in run("projections", "resume", "pupils", school, expect=1).error
    stop = (
        "UPDATE projections.checkpoints SET stopped_at = now(), stopped_by = 'ValueError at position 9' "
        "WHERE school_id = %s AND projection = 'pupils'"
    )
    with psycopg.connect(server.conninfo("postgres", service.database.name), autocommit=True) as connection:
        connection.execute(stop.encode(), [school])
    said = run("projections", "status", expect=1).out
    assert f"pupils, school {school}\n" in said
    assert "ValueError at position 9\n" in said
    assert "Stopped since" in said
    assert "when it is resumed" in said
    assert all(len(line) <= 80 for line in said.splitlines())
    as_json = run("projections", "status", "--json", expect=1).json
    stopped = [state for state in as_json if state.get("stopped_at")]
    assert [(state["projection"], state["school_id"]) for state in stopped] == [("pupils", school)]
    assert run("projections", "resume", "pupils", school).out == "It tries again.\n"
    run("projections", "status")


def test_schools_that_are_behind_are_shown_the_furthest_first(run: Run, server: EmbeddedPostgres) -> None:
    with fresh_database(server) as database:
        country = Country(database, 3)
        try:
            country.schools[1].happen(5)
            time.sleep(2.1)
            country.happen(5)
            conninfo = database.conninfo("target_tracker_worker")
            said = run("projections", "status", "--most", "7", TARGET_TRACKER_DATABASE=conninfo).out
            as_json = run("projections", "status", "--json", TARGET_TRACKER_DATABASE=conninfo).json
        finally:
            country.close()
    assert "Furthest behind (7 of 18)\n" in said
    assert all(len(line) <= 80 for line in said.splitlines())
    furthest = said.split("Furthest behind")[1].splitlines()[2:]
    oldest = str(country.schools[1].school_id)
    assert [oldest in line for line in furthest] == [True] * 6 + [False]
    assert {line.split()[2] for line in furthest[:6]} == {"10"}
    ages = {(each["school_id"], each["projection"]): each["seconds"] for each in as_json}
    assert len(ages) == 18
    assert all((age >= 2.1) is (school_id == oldest) for (school_id, _), age in ages.items())


def asked(url: str, context: ssl.SSLContext | None = None) -> str:
    with urllib.request.urlopen(url, timeout=5, context=context) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        text: str = answer.read().decode()
        return text


@pytest.mark.parametrize("over_tls", [False, True])
def test_a_worker_tells_its_metrics(service: Service, over_tls: bool) -> None:
    port = free_port()
    changes = {
        "TARGET_TRACKER_DATABASE": service.database.conninfo("target_tracker_worker"),
        "TARGET_TRACKER_METRICS": f"127.0.0.1:{port}",
    }
    if not over_tls:
        changes |= {"TARGET_TRACKER_TLS_CERTIFICATE": "", "TARGET_TRACKER_TLS_KEY": ""}
    process = subprocess.Popen(
        [commands() / "target-tracker", "worker"],
        env={"PATH": PATH, **settings(service, **changes)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr
        while "is at work" not in process.stderr.readline():
            assert process.poll() is None
        context = ssl.create_default_context(cafile=str(service.certificates.ca)) if over_tls else None
        url = f"{'https' if over_tls else 'http'}://127.0.0.1:{port}/metrics"
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(urllib.error.URLError):
                text = asked(url, context)
                if "target_tracker_worker_listening 1.0" in text:
                    break
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert 'target_tracker_projection_events_behind{projection="pupils"}' in text
        assert "process_resident_memory_bytes" in text
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.communicate()


def test_metrics_are_not_served_as_they_must_not_be(run: Run, service: Service) -> None:
    worker = {"TARGET_TRACKER_DATABASE": service.database.conninfo("target_tracker_worker")}
    bare = {"TARGET_TRACKER_TLS_CERTIFICATE": "", "TARGET_TRACKER_TLS_KEY": ""}
    taken = service.url.removeprefix("https://")
    for metrics, more, told in (
        ("somewhere", {}, "TARGET_TRACKER_METRICS must be an address and a port"),
        (f"0.0.0.0:{free_port()}", bare, "can be reached from other machines"),
        (taken, bare, "is the port taken"),
        (f"127.0.0.1:{free_port()}", {"TARGET_TRACKER_TLS_KEY": str(service.certificates.ca)}, "certificate"),
    ):
        environment = settings(service, **worker, TARGET_TRACKER_METRICS=metrics, **more)
        result = subprocess.run(
            [commands() / "target-tracker", "worker"],
            env={"PATH": PATH, **environment},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert result.returncode == 2, result
        assert told in result.stderr
        assert "Traceback" not in result.stderr


def test_the_api_is_not_served_without_tls(run: Run, service: Service) -> None:
    for name in ("TLS_CERTIFICATE", "TLS_KEY"):
        said = run("serve", expect=2, **settings(service, **{f"TARGET_TRACKER_{name}": ""})).error
        assert "HTTPS only" in said
    other = settings(service, TARGET_TRACKER_TLS_KEY=str(service.certificates.ca))
    assert "not a certificate and its private key" in run("serve", expect=2, **other).error


def test_the_api_is_not_served_with_other_wrong_settings(run: Run, service: Service, tmp_path: Path) -> None:
    short = tmp_path / "token"
    short.write_text("short\n")
    for name, value, told in (
        ("LISTEN", "somewhere", "an address and a port"),
        ("LISTEN", service.url.removeprefix("https://"), "is the port taken?"),
        ("OPERATOR_TOKEN_FILE", str(short), "must have 32 characters"),
        ("OPERATOR_TOKEN_FILE", str(tmp_path / "no"), "cannot be read"),
        ("SERVICE_KEY_FILE", "", "keys init-service"),
        ("SERVICE_KEY_FILE", str(tmp_path / "no"), "cannot be read"),
        ("SERVICE_KEY_FILE", str(short), "others"),
        ("RECOVERY_KEY", str(short), "holds something else"),
        ("ERASURES", "", "in which erasures are noted"),
        ("ERASURES", str(tmp_path / "no" / "no"), "cannot be written"),
    ):
        # A process of its own, because serving takes over its signals and its log.
        result = subprocess.run(
            [commands() / "target-tracker", "serve"],
            env={"PATH": PATH, **settings(service, **{f"TARGET_TRACKER_{name}": value})},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert result.returncode == 2, result
        assert told in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize("name", ["serve", "worker"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_processes_stop_in_peace(service: Service, name: str, number: signal.Signals) -> None:
    worker = {"TARGET_TRACKER_DATABASE": service.database.conninfo("target_tracker_worker")}
    changes = settings(service, **(worker if name == "worker" else {}))
    process = subprocess.Popen(
        [commands() / "target-tracker", name],
        env={"PATH": PATH, **changes},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr
        ready = "is at work" if name == "worker" else "Uvicorn running"
        deadline = time.monotonic() + 20
        while ready not in process.stderr.readline():
            assert process.poll() is None
            assert time.monotonic() < deadline
        process.send_signal(number)
        _, said = process.communicate(timeout=15)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, said
    assert "Traceback" not in said


def test_a_worker_that_fails_ends(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class FailingError(Exception):
        pass

    def fail(self: Worker, stop: threading.Event) -> None:
        raise FailingError

    monkeypatch.setattr(Worker, "run", fail)
    before = {number: signal.getsignal(number) for number in serving.STOPPING}
    threads = set(threading.enumerate())
    try:
        with pytest.raises(FailingError):
            serving.work(Settings.of(settings(service)))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert {each for each in threading.enumerate() if each.name.startswith("rewrapping")} <= threads
