"""Every event is applied exactly once, whatever dies while it is."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from domain.ledger.database import Connection, Database
from domain.ledger.migrate import migrate
from domain.ledger.stream import RecordedEvent
from domain.vault.keyring import Keyring
from projections import runner
from projections.logins import LoginsProjection
from projections.runner import Worker, status
from scripts.composition import MIGRATIONS
from scripts.embedded import EmbeddedPostgres
from tests.conftest import BINARIES, TestDatabase
from tests.keys import SERVICE_KEYS
from tests.projections.happenings import LivelySchool
from tests.projections.processes import Sabotage, run_sabotaged, workers
from tests.projections.reference import actual, contributions_of, expected

WORKER = "target_tracker_worker"

LOGINS = LoginsProjection()


class Country:
    """Some schools of one database, in which things happen."""

    def __init__(self, server_database: TestDatabase, schools: int) -> None:
        self.database = server_database
        self.api = Database(server_database.conninfo())
        self.worker = Database(server_database.conninfo(WORKER))
        self.random = Random(7)
        self.schools = [LivelySchool(self.api, str(300000 + number), number) for number in range(schools)]

    def close(self) -> None:
        self.api.close()
        self.worker.close()

    def happen(self, events: int) -> None:
        """So many events happen at each school."""
        for school in self.schools:
            school.happen(events)

    def happen_somewhere(self, events: int) -> None:
        """So many events happen at one of the schools."""
        self.random.choice(self.schools).happen(events)

    def behind(self) -> int:
        """The events that are still to be applied, all projections together; none of a stopped school."""
        return sum(line.behind for line in status(self.worker) if line.stopped_at is None)

    def wait_until(self, behind: Callable[[int], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not behind(still := self.behind()):
            assert time.monotonic() < deadline, f"{still} events are still to be applied"
            time.sleep(0.01)

    def wrong(self) -> list[str]:
        """The check: what is not as the streams say, school by school."""
        wrong = [
            f"{line.projection}: {line.stopped_by or 'behind'}"
            for line in status(self.worker)
            if line.stopped_at or line.behind
        ]
        with self.database.connect("postgres") as superuser:
            for school in self.schools:
                wanted, there = expected(school.stream, school.keys), actual(superuser, school.keys)
                wrong += [
                    f"{school.school_id}: {part}"
                    for part in ("pupils", "results", "contributions", "logins", "attendance")
                    if getattr(wanted, part) != getattr(there, part)
                ]
                counted_anew = contributions_of(there.results, there.entries)
                if counted_anew != there.contributions:
                    wrong.append(f"{school.school_id}: the contributions are not those of its own rows")
        return wrong


@pytest.fixture
def country(test_database: TestDatabase) -> Iterator[Country]:
    country = Country(test_database, 8)
    yield country
    country.close()


def test_a_worker_that_is_killed_leaves_nothing_undone_and_nothing_done_twice(country: Country) -> None:
    country.happen(150)
    whole = country.behind()
    with workers(country.database.conninfo(WORKER), 3, batch=4) as processes:
        country.wait_until(lambda behind: behind < whole * 0.9)
        processes.kill()
        assert country.behind() > whole / 4, "it was not killed in the middle"
        processes.start()
        country.happen(10)
        country.wait_until(lambda behind: behind < whole / 3)
        processes.kill()
        country.happen(10)
        country.wait_until(lambda behind: behind == 0)
    assert country.wrong() == []


@pytest.mark.full
def test_a_hundred_kills(country: Country) -> None:
    kills = 0
    with workers(country.database.conninfo(WORKER), 3, batch=3) as processes:
        while kills < 100:
            country.happen_somewhere(200)
            if country.behind() > 200:
                processes.kill(country.random.randrange(3))
                kills += 1
                processes.start()
        country.wait_until(lambda behind: behind == 0, 300)
    assert country.wrong() == []


@pytest.mark.parametrize("sabotage", ["rows before checkpoint", "checkpoint before rows"])
def test_rows_and_checkpoint_in_two_transactions_are_found_out(country: Country, sabotage: Sabotage) -> None:
    """The sabotaged twin: the same check, after one kill of a worker that takes two transactions."""
    country.happen(30)
    run_sabotaged(country.database.conninfo(WORKER), 10, sabotage, dies_in="logins")
    Worker(country.worker, SERVICE_KEYS).run_until_idle()
    wrong = country.wrong()
    assert wrong
    assert all("logins" in each for each in wrong)


def test_the_check_finds_a_single_damaged_row(country: Country) -> None:
    country.happen(40)
    Worker(country.worker, SERVICE_KEYS).run_until_idle()
    assert country.wrong() == []
    damages = {
        "pupils": "UPDATE projections.pupils SET on_roll = NOT on_roll",
        "logins": "DELETE FROM projections.logins",
        "results": "DELETE FROM projections.assessments",
        "attendance": "DELETE FROM projections.attendance",
    }
    for part, damage in damages.items():
        table = next(word for word in damage.split() if "." in word)
        one_row = f"WHERE (tableoid, ctid) = (SELECT tableoid, ctid FROM {table} LIMIT 1)"
        with country.database.connect("postgres") as superuser:
            assert superuser.execute(f"{damage} {one_row}".encode()).rowcount == 1
        assert any(each.endswith(part) for each in country.wrong()), damage


@contextmanager
def server_of_its_own() -> Iterator[EmbeddedPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="tt-restart-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(
        folder / "pg", settings={"fsync": "off", "full_page_writes": "off"}, binaries=BINARIES
    )
    try:
        server.start()
        yield server
    finally:
        server.destroy()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("ends", [EmbeddedPostgres.kill, EmbeddedPostgres.stop], ids=["crash", "restart"])
def test_a_server_that_crashes_or_is_restarted_is_outlived(ends: Callable[[EmbeddedPostgres], None]) -> None:
    with server_of_its_own() as server:
        server.create_database()
        list(migrate(server.conninfo(), MIGRATIONS))
        country = Country(TestDatabase(server, "target_tracker"), 6)
        country.happen(200)
        whole = country.behind()
        with workers(server.conninfo(WORKER), 3, batch=1) as processes:
            country.wait_until(lambda behind: behind < whole * 0.9)
            ends(server)
            server.start()
            country.close()
            country.api, country.worker = (
                Database(server.conninfo("target_tracker_api")),
                Database(server.conninfo(WORKER)),
            )
            for school in country.schools:
                school.stream.database = country.api
            assert country.behind() > 0, "it did not crash in the middle"
            country.wait_until(lambda behind: behind == 0)
            country.happen(10)
            country.wait_until(lambda behind: behind == 0)
            assert all(process.is_alive() for process in processes.running)
        assert country.wrong() == []
        country.close()


class Slow(LoginsProjection):
    """A projection that takes as long as it is told to."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        self.begun.set()
        assert self.go_on.wait(30)
        super().apply(connection, keys, events)


@pytest.mark.parametrize("first_time", [True, False])
def test_what_a_worker_holds_others_leave_to_it(country: Country, first_time: bool) -> None:
    country.happen(20)
    worker, slow = Worker(country.worker, SERVICE_KEYS), Slow()
    if not first_time:
        worker.run_until_idle()
        country.happen(20)
    school_id = country.schools[0].school_id
    with ThreadPoolExecutor(2) as pool:
        held = pool.submit(worker.catch_up, school_id, slow)
        assert slow.begun.wait(30)
        try:
            assert pool.submit(worker.catch_up, school_id, LoginsProjection()).result(10) == 0
            worker.run_until_idle()
            assert {line.school_id for line in status(country.worker) if line.behind} == {school_id}
        finally:
            slow.go_on.set()
        assert held.result(30) > 0
    assert country.wrong() == []


DELAYED = """
CREATE OR REPLACE FUNCTION ledger.bound_school() RETURNS uuid LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF current_setting('test.delayed', true) = 'yes' AND current_query() LIKE '%SKIP LOCKED%' THEN
        PERFORM pg_advisory_xact_lock_shared(4711);
    END IF;
    RETURN nullif(current_setting('target_tracker.school_id', true), '')::uuid;
END
$$
"""
"""A worker that is told to be delayed has read where the streams end, and waits before it reads more."""


def overtaken(country: Country) -> tuple[int, int]:
    """A worker is overtaken between reading the head and taking the checkpoint.

    Returns:
        The checkpoint afterwards, and as the worker that was quicker had left it.
    """
    school_id = country.schools[0].school_id
    worker = Worker(country.worker, SERVICE_KEYS)
    country.happen(20)
    worker.run_until_idle()
    delayed_conninfo = make_conninfo(country.database.conninfo(WORKER), options="-c test.delayed=yes")
    with (
        country.database.connect("postgres") as superuser,
        Database(delayed_conninfo) as delayed_database,
        ThreadPoolExecutor(1) as pool,
    ):
        superuser.execute(DELAYED.encode())
        superuser.execute("SELECT pg_advisory_lock(4711)")
        country.happen(20)
        delayed = pool.submit(Worker(delayed_database, SERVICE_KEYS).catch_up, school_id, LOGINS)
        while not waiting(superuser):
            time.sleep(0.005)
        country.happen(20)
        assert worker.catch_up(school_id, LOGINS) == 40
        before = position_of(country, school_id)
        superuser.execute("SELECT pg_advisory_unlock(4711)")
        delayed.result(30)
        return position_of(country, school_id), before


def waiting(superuser: psycopg.Connection[Any]) -> bool:
    found = superuser.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    ).fetchone()
    assert found
    return bool(found[0])


def position_of(country: Country, school_id: UUID) -> int:
    [line] = [each for each in status(country.worker, [LOGINS]) if each.school_id == school_id]
    return line.position


def test_a_worker_that_was_overtaken_does_not_move_the_checkpoint_back(country: Country) -> None:
    after, before = overtaken(country)
    assert after == before
    Worker(country.worker, SERVICE_KEYS).run_until_idle()
    assert country.wrong() == []


def test_it_would_if_the_head_it_read_before_were_trusted(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""

    def trusting(
        connection: Connection, school_id: UUID, names: Sequence[str]
    ) -> tuple[set[str], dict[tuple[int, int], list[str]]]:
        rows = connection.execute(runner.SQL["take_checkpoints"], [school_id, list(names)], binary=True)
        taken = rows.fetchall()
        return {row[0] for row in taken}, {(row[1], row[2]): [row[0]] for row in taken if row[1] != row[2]}

    monkeypatch.setattr(runner, "_take_each", trusting)
    after, before = overtaken(country)
    assert after < before
