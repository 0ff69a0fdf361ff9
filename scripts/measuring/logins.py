"""`login`: one login over HTTPS, password and keys included; and what twenty at once do to whoever reads."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from api.tls import make_local_certificates
from domain.access import AccessLevel
from domain.application.accounts import add_staff
from domain.application.importing import import_file
from domain.application.login_keys import issued
from domain.events import OPERATOR
from domain.keys import KeyOrigin
from domain.ledger.database import Database
from domain.staff import Access, StaffNames
from domain.vault.key_sources import write
from domain.vault.passwords import rehashed
from projections.runner import Worker
from scripts.cli.client import Client
from scripts.demonstration.processes import Processes, free_port, wait_until_it_answers
from scripts.measuring.ground import Ground, new_school
from scripts.measuring.imports import made_up_file
from scripts.measuring.measure import Figure, figure, timed

USERNAME, PASSWORD = "reader", "seven green bottles"
LOGINS = 20
ROUNDS = 8
AT_REST = 40
SECONDS = 6.0


def measure(ground: Ground) -> Iterator[Figure]:
    """Measures both figures against a service in a process of its own."""
    schools = ground.schools()
    school = new_school(schools)
    import_file(school, made_up_file(), OPERATOR, dry_run=False)
    for number in range(LOGINS):
        names = StaffNames(username=f"{USERNAME}{number}", display_name="A Reader")
        add_staff(school, names, Access(AccessLevel.READ_ONLY), PASSWORD, OPERATOR)
    key = issued(school, schools, KeyOrigin.ADMINISTRATOR, OPERATOR).login_key
    with Database(ground.worker) as database:
        Worker(database, ground.service_keys).run_until_idle()
    pupil_id = next(iter(school.roll()))
    hashing = median(timed(lambda: rehashed(PASSWORD)) for _ in range(AT_REST)) * 1000
    with _served(ground) as (server, ca):
        credentials = {"login_key": key, "username": f"{USERNAME}0", "password": PASSWORD}
        with Client(server, ca=ca) as anonymous:
            opened = anonymous.command("POST", "/v1/sessions", credentials).body
            credentials["device"] = opened["device"]
            times = [
                timed(lambda: anonymous.command("POST", "/v1/sessions", credentials)) for _ in range(AT_REST)
            ]
        yield figure(
            "login, at rest, over HTTPS", median(times) * 1000, "ms", hashing,
            "hashing the password alone", most_value=100,
        )  # fmt: skip
        with Client(server, ca=ca, token=opened["token"]) as reader:
            path = f"/v1/pupils/{pupil_id}"
            rest = _read_for(reader, path, SECONDS)
            busy = _read_while_others_log_in(reader, path, (server, ca, credentials))
        yield figure(
            f"a pupil read while {LOGINS} log in at once, p99", _p99(busy), "ms", _p99(rest),
            "the same read at rest, p99", most_ratio=3.0,
        )  # fmt: skip


@contextmanager
def _served(ground: Ground) -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory(prefix="tt-bench-service-") as name:
        folder = Path(name)
        certificates = make_local_certificates(folder / "tls")
        write(folder / "service-keys.json", ground.service_keys)
        port = free_port()
        server = f"https://127.0.0.1:{port}"
        processes = Processes(folder)
        processes.start(
            "serve",
            {
                "TARGET_TRACKER_DATABASE": ground.api,
                "TARGET_TRACKER_TLS_CERTIFICATE": str(certificates.certificate),
                "TARGET_TRACKER_TLS_KEY": str(certificates.key),
                "TARGET_TRACKER_SERVICE_KEY_FILE": str(folder / "service-keys.json"),
                "TARGET_TRACKER_ERASURES": str(folder / "erasures"),
                "TARGET_TRACKER_LISTEN": f"127.0.0.1:{port}",
            },
        )
        try:
            with Client(server, ca=certificates.ca) as client:
                wait_until_it_answers(client, processes)
            yield server, certificates.ca
        finally:
            processes.stop()


def _read_for(reader: Client, path: str, seconds: float) -> list[float]:
    taken = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        taken.append(timed_without_collecting(reader, path))
    return taken


def timed_without_collecting(reader: Client, path: str) -> float:
    """Seconds that one read takes; collecting garbage each time would be most of it."""
    began = time.perf_counter()
    reader.query(path)
    return time.perf_counter() - began


def _read_while_others_log_in(
    reader: Client, path: str, others: tuple[str, Path, dict[str, Any]]
) -> list[float]:
    """Reads for as long as some rounds of logins take, which are made by a process of their own."""
    context = get_context("spawn")
    ready, go_on = context.Event(), context.Event()
    process = context.Process(target=_log_in_at_once, args=(*others, ready, go_on))
    process.start()
    ready.wait(60)
    go_on.set()
    taken = []
    while process.is_alive():
        taken.append(timed_without_collecting(reader, path))
    process.join()
    if process.exitcode:
        raise RuntimeError("the logins failed")
    return taken


def _log_in_at_once(server: str, ca: Path, credentials: dict[str, Any], ready: Event, go_on: Event) -> None:
    clients = [Client(server, ca=ca) for _ in range(LOGINS)]
    for client in clients:
        client.query("/v1/health")  # the connection is there already
    ready.set()
    go_on.wait(60)
    for _ in range(ROUNDS):
        threads = [
            threading.Thread(
                target=client.command,
                args=("POST", "/v1/sessions", credentials | {"username": f"{USERNAME}{number}"}),
            )
            for number, client in enumerate(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[98] * 1000
