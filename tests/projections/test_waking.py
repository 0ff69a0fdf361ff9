"""Workers are woken by what is appended, and need none of it: whatever dies, everything is applied once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from domain.identifiers import new_id
from domain.ledger import announcing
from domain.ledger.announcing import CHANNEL, Announcer
from domain.ledger.database import Connection, Database
from domain.ledger.stream import RecordedEvent
from domain.vault.keyring import Keyring
from projections import waking
from projections.logins import LoginsProjection
from projections.runner import PROJECTIONS, Worker, status
from projections.waking import Listener
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS
from tests.projections.test_exactly_once import WORKER, Country

NEVER = 600.0
"""Seconds between looks of a worker that has to be woken."""


@pytest.fixture
def country(test_database: TestDatabase) -> Iterator[Country]:
    country = Country(test_database, 4)
    yield country
    country.close()


@pytest.fixture
def no_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers look when they are woken, and not otherwise."""
    monkeypatch.setattr(waking, "LISTENING_INTERVAL", NEVER)
    monkeypatch.setattr(waking, "POLL_INTERVAL", NEVER)


@contextmanager
def at_work(worker: Worker) -> Iterator[Worker]:
    """A worker in a thread, which listens when it is handed out."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=[stop])
    thread.start()
    try:
        until(lambda: worker.listening)
        yield worker
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def until(there: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.01)


def honest(country: Country) -> Worker:
    return Worker(country.worker, SERVICE_KEYS, batch=20)


def end(country: Country, name: str) -> int:
    """Ends the worker's connections of this name, as an operator or a firewall may; how many there were."""
    with country.database.connect("postgres") as superuser:
        ended = superuser.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = %s AND application_name = %s",
            [WORKER, name],
        )
        return len(ended.fetchall())


def is_applied(country: Country, seconds: float = 20) -> bool:
    """The check: everything that has happened is applied, once, within the time."""
    try:
        country.wait_until(lambda behind: behind == 0, seconds)
    except AssertionError:
        return False
    return country.wrong() == []


def test_an_append_wakes_a_worker(country: Country, no_polling: None) -> None:
    with at_work(honest(country)):
        for _ in range(3):
            country.happen(5)
            assert is_applied(country)


def test_without_a_hint_nobody_wakes(
    country: Country, no_polling: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: whoever appends keeps it to itself."""
    monkeypatch.setattr(Announcer, "announce", lambda self: None)
    with at_work(honest(country)):
        time.sleep(0.5)  # for what it may still have to look for as it begins
        country.happen(5)
        assert not is_applied(country, 1.5)


def test_without_a_hint_it_looks_anyway(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Announcer, "announce", lambda self: None)
    monkeypatch.setattr(waking, "LISTENING_INTERVAL", 0.3)
    with at_work(honest(country)):
        for _ in range(3):
            country.happen(5)
            assert is_applied(country)


def test_a_connection_that_listens_is_killed_again_and_again(country: Country, no_polling: None) -> None:
    killed = 0
    with at_work(honest(country)) as worker:
        for _ in range(6):
            country.happen(3)
            killed += end(country, "target-tracker listening")
            country.happen(3)
            until(lambda: worker.listening)
        assert is_applied(country)
    assert killed >= 6


class Deaf(Listener):
    """Never notices that it hears nothing any more."""

    def _run(self) -> None:
        with self._database.connect_to_listen() as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._listening.set()
            self._heard.set()
            while not self._closed.is_set():
                try:
                    self._listen(connection)
                except psycopg.OperationalError:
                    self._closed.wait(0.1)


class Forgetful(Listener):
    """Listens again, and does not ask what it missed."""

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                with self._database.connect_to_listen() as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._listening.set()
                    self._listen(connection)
            except psycopg.OperationalError:
                self._listening.clear()
            self._closed.wait(0.05)


def missed_while_deaf(country: Country, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Things happen while the connection that listens is dead; whether they are applied when there is one."""
    may_connect = threading.Event()
    may_connect.set()
    connect = Database.connect_to_listen

    def connect_later(self: Database) -> Connection:
        may_connect.wait(20)
        return connect(self)

    monkeypatch.setattr(Database, "connect_to_listen", connect_later)
    with at_work(honest(country)):
        country.happen(1)
        time.sleep(0.5)
        may_connect.clear()
        assert end(country, "target-tracker listening") == 1
        country.happen(5)
        time.sleep(0.5)
        may_connect.set()
        return is_applied(country, 3)


def test_what_was_said_while_nobody_listened_is_found(
    country: Country, no_polling: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is not looked sooner while nobody listens: that alone would find it.
    monkeypatch.setattr(waking, "LONGEST_BACK_OFF", 0.05)
    assert missed_while_deaf(country, monkeypatch)


@pytest.mark.parametrize("sabotaged", [Deaf, Forgetful])
def test_a_listener_that_misses_something_is_found_out(
    country: Country, no_polling: None, monkeypatch: pytest.MonkeyPatch, sabotaged: type[Listener]
) -> None:
    """The sabotaged twins."""
    monkeypatch.setattr("projections.runner.Listener", sabotaged)
    assert not missed_while_deaf(country, monkeypatch)


class Proud(Worker):
    """Takes the first lost connection for the end."""

    def run(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                self.run_once(stop)
        except psycopg.OperationalError:
            pass


def killed_at_work(country: Country, worker: Worker) -> bool:
    """All connections of a worker are ended while it works; whether everything is applied all the same."""
    country.happen(60)
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=[stop])
    thread.start()
    try:
        ended = 0
        deadline = time.monotonic() + 20
        while ended < 5 and thread.is_alive() and time.monotonic() < deadline:
            country.happen(10)
            ended += end(country, "target-tracker")
        assert ended
        return is_applied(country, 20 if thread.is_alive() else 0.5)
    finally:
        stop.set()
        thread.join(30)


@pytest.mark.parametrize(("kind", "survives"), [(Worker, True), (Proud, False)])
def test_a_worker_survives_the_loss_of_every_connection(
    country: Country, test_database: TestDatabase, kind: type[Worker], survives: bool
) -> None:
    with Database(test_database.conninfo(WORKER)) as database:
        assert killed_at_work(country, kind(database, SERVICE_KEYS, batch=4)) is survives


class Watched(LoginsProjection):
    """Says when it has begun, and waits to be told to go on."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        self.begun.set()
        assert self.go_on.wait(30)
        super().apply(connection, keys, events)


class Stubborn(Worker):
    """Hears of being stopped when nothing is left to do."""

    def run_once(self, stop: threading.Event | None = None) -> int:
        return super().run_once()


@pytest.mark.parametrize(("kind", "schools_done"), [(Worker, 1), (Stubborn, 4)])
def test_who_is_told_to_stop_finishes_the_batch_and_begins_no_other(
    country: Country, kind: type[Worker], schools_done: int
) -> None:
    country.happen(60)
    watched, stop = Watched(), threading.Event()
    others = [projection for projection in PROJECTIONS if projection.name != watched.name]
    worker = kind(country.worker, SERVICE_KEYS, [*others, watched])
    thread = threading.Thread(target=worker.run, args=[stop])
    thread.start()
    assert watched.begun.wait(20)
    stop.set()
    watched.go_on.set()
    thread.join(30)
    assert not thread.is_alive()
    done = [line for line in status(country.worker, [watched]) if line.position == line.head]
    assert len(done) == schools_done


def an_event() -> StoredEvent:
    """One that no projection reads."""
    return StoredEvent(new_id(), 1, "photograph.taken.1", b"")


class Hearing:
    """Somebody who listens, and counts."""

    def __init__(self, database: TestDatabase) -> None:
        self.connection = database.connect("target_tracker_worker")
        self.connection.execute(f"LISTEN {CHANNEL}")

    def heard(self, seconds: float) -> list[psycopg.Notify]:
        return list(self.connection.notifies(timeout=seconds))


@pytest.fixture
def hearing(test_database: TestDatabase) -> Iterator[Hearing]:
    hearing = Hearing(test_database)
    yield hearing
    hearing.connection.close()


def test_a_hint_says_nothing(country: Country, hearing: Hearing) -> None:
    country.happen(3)
    hints = hearing.heard(1)
    assert hints
    assert {hint.payload for hint in hints} == {""}


def test_a_longer_transaction_is_told_of_once_it_is_committed(country: Country, hearing: Hearing) -> None:
    school = country.schools[0]
    hearing.heard(0.5)
    with country.api.bound_to(school.school_id) as connection:
        school.stream.append([an_event()], connection=connection)
        assert hearing.heard(0.3) == []
    assert hearing.heard(1)


def test_what_is_rolled_back_is_not_told(country: Country, hearing: Hearing) -> None:
    school = country.schools[0]
    hearing.heard(0.5)

    def append_and_fail() -> None:
        with country.api.bound_to(school.school_id) as connection:
            school.stream.append([an_event()], connection=connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        append_and_fail()
    with country.api.bound_to(school.school_id) as connection:
        connection.execute("SELECT 1")
    assert hearing.heard(0.5) == []


def appended_in_a_burst(country: Country, hearing: Hearing) -> tuple[int, float]:
    """How many hints 200 appends give, and how many seconds they take."""
    hearing.heard(0.5)
    began = time.monotonic()
    for _ in range(50):
        country.happen(1)
    seconds = time.monotonic() - began
    return len(hearing.heard(0.5)), seconds


def test_many_appends_are_told_of_at_once(country: Country, hearing: Hearing) -> None:
    hints, seconds = appended_in_a_burst(country, hearing)
    assert 1 <= hints <= seconds / announcing.INTERVAL + 2


def test_a_hint_with_every_append_would_be_noticed(
    country: Country, hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""

    def at_once(self: Announcer) -> None:
        with self._connecting(1) as connection:
            connection.execute(f"NOTIFY {CHANNEL}")

    monkeypatch.setattr(Announcer, "announce", at_once)
    hints, seconds = appended_in_a_burst(country, hearing)
    assert hints > seconds / announcing.INTERVAL + 2


def test_what_is_appended_last_is_told_before_the_connections_close(
    country: Country, test_database: TestDatabase, hearing: Hearing
) -> None:
    hearing.heard(0.5)
    school: Any = country.schools[0]
    with Database(test_database.conninfo()) as database:
        school.stream.database = database
        school.happen(1)
        school.happen(1)
    school.stream.database = country.api
    assert hearing.heard(0.5)
