"""While a projection is rebuilt, all go on writing, working and reading: nobody fails, nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from domain.attendance import year_bounds
from domain.ledger.database import Connection, Database
from domain.vault.keyring import Keyring
from projections import assessments, attendance, logins, pupils, targets, usage
from projections.definitions import Definition
from projections.rebuilding import rebuild as rebuilding
from projections.rebuilding.beside import CannotRebuild
from projections.rebuilding.making import SQL, Maker
from projections.rebuilding.rebuild import go_back, rebuild, verify
from projections.runner import PROJECTIONS, Worker, status, wait_for
from scripts.embedded import OWNER
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS
from tests.projections.catching_up import caught_up
from tests.projections.happenings import LivelySchool
from tests.projections.reference import actual, expected

WORKER = "target_tracker_worker"


SOME = (assessments.PROJECTION, logins.PROJECTION)


class Traffic:
    """Threads that go on until they are told to stop, and whatever goes wrong in them."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.errors: list[BaseException] = []
        self.reads = self.writes = 0

    def run(self, work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - shown by the test
            self.errors.append(error)


def read_on(traffic: Traffic, database: Database, school: LivelySchool) -> None:
    """Reads every projection again and again, and sees to it that none ever goes back."""
    newest = {"logins": 0, "usage": 0}
    while not traffic.stop.is_set():
        keys = Keyring(school.keys)
        with database.bound_to(school.school_id) as connection:
            for each in pupils.find(connection, keys, limit=5):
                assessments.latest(connection, keys, each.pupil_id)
                targets.of_pupils(connection, keys, [each.pupil_id])
                attendance.of_pupil(connection, keys, each.pupil_id, FIRST, LAST)
            lines = logins.find(connection, school.school_id, limit=1)
            done = usage.find(connection, school.school_id, limit=1)
        for name, found in (("logins", lines), ("usage", done)):
            position = found[0].position if found else 0
            assert position >= newest[name], f"{name} went back"
            newest[name] = position
        traffic.reads += 1


FIRST, LAST = year_bounds(2024)


def write_on(traffic: Traffic, database: Database, school: LivelySchool) -> None:
    """Lets things happen, and sees each before the next."""
    while not traffic.stop.is_set():
        last = school.happen(5).last
        for projection in PROJECTIONS:
            wait_for(database, school.school_id, projection.name, last, timeout=30)
        traffic.writes += 1


@contextmanager
def traffic_on(test_database: TestDatabase, schools: list[LivelySchool]) -> Iterator[Traffic]:
    traffic = Traffic()
    with Database(test_database.conninfo(WORKER)) as at_work, Database(test_database.conninfo()) as api:
        workers = [Worker(at_work, SERVICE_KEYS, batch=50) for _ in range(2)]
        go_home = threading.Event()
        shifts = [
            threading.Thread(target=traffic.run, args=[lambda worker=worker: worker.run(go_home)])
            for worker in workers
        ]
        work = [
            *(lambda school=school: write_on(traffic, api, school) for school in schools),
            *(lambda school=school: read_on(traffic, api, school) for school in schools),
        ]
        threads = [threading.Thread(target=traffic.run, args=[each]) for each in work]
        for thread in (*shifts, *threads):
            thread.start()
        try:
            yield traffic
        finally:
            traffic.stop.set()
            for thread in threads:
                thread.join()
            go_home.set()  # after those who wait for what they do
            for thread in shifts:
                thread.join()


@pytest.fixture
def two(database: Database, worker_database: Database) -> list[LivelySchool]:
    schools = [LivelySchool(database, f"70000{seed}", seed) for seed in (1, 2)]
    for school in schools:
        school.happen(200)
    caught_up(worker_database)
    return schools


def test_everybody_goes_on_meanwhile(
    test_database: TestDatabase, two: list[LivelySchool], worker_database: Database
) -> None:
    owner = test_database.conninfo(OWNER)
    with traffic_on(test_database, two) as traffic:
        for projection in PROJECTIONS:
            result = rebuild(owner, SERVICE_KEYS, projection, workers=1)
            assert result.switched
            assert result.different == []
            go_back(owner, SERVICE_KEYS, projection)
            go_back(owner, SERVICE_KEYS, projection)
        assert verify(test_database.conninfo(WORKER), SERVICE_KEYS, PROJECTIONS[0], workers=1).different == []
    assert traffic.errors == []
    assert traffic.reads > 20
    assert traffic.writes > 5
    caught_up(worker_database)
    with test_database.connect("postgres") as superuser:
        for school in two:
            assert actual(superuser, school.keys) == expected(school.stream, school.keys)


def lost(
    test_database: TestDatabase, schools: list[LivelySchool], monkeypatch: pytest.MonkeyPatch
) -> dict[str, int]:
    """Rebuilds each projection while a worker comes in the last moment.

    Returns:
        For each projection, how many schools' rows went back behind what had been seen, and how many
        differences there are afterwards.
    """
    honest, found = rebuilding._exchange, {projection.name: 0 for projection in SOME}

    def late(connection: Connection, definition: Definition, schema: str) -> None:
        for school in schools:
            school.happen(30)
        with Database(test_database.conninfo(WORKER)) as database:
            thread = threading.Thread(target=Worker(database, SERVICE_KEYS).run_until_idle)
            thread.start()
            thread.join(1.0)
            seen = [position_of(database, school, definition.name) for school in schools]
            honest(connection, definition, schema)
            connection.execute("COMMIT")  # the worker may go on
            for school, position in zip(schools, seen, strict=True):
                found[definition.name] += position_of(database, school, definition.name) < position
            thread.join()
            Worker(database, SERVICE_KEYS).run_until_idle()
            connection.execute("BEGIN")

    monkeypatch.setattr(rebuilding, "_exchange", late)
    for projection in SOME:
        rebuild(test_database.conninfo(OWNER), SERVICE_KEYS, projection, workers=1)
        maker = Maker(test_database.conninfo(WORKER), projection, keep=False)
        found[projection.name] += sum(made_number(maker, school.school_id) for school in schools)
        maker.close()
    return found


def position_of(database: Database, school: LivelySchool, name: str) -> int:
    [there] = [
        line.position
        for line in status(database)
        if (line.school_id, line.projection) == (school.school_id, name)
    ]
    return there


def made_number(maker: Maker, school_id: UUID) -> int:
    made = maker.make(school_id, SERVICE_KEYS)
    assert made.failure is None
    return made.number


def test_what_a_worker_does_in_the_last_moment_is_not_lost(
    test_database: TestDatabase, two: list[LivelySchool], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lost(test_database, two, monkeypatch) == {projection.name: 0 for projection in SOME}


def test_without_the_lock_it_is(
    test_database: TestDatabase, two: list[LivelySchool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setitem(SQL, "stop_workers", b"SELECT 1")
    assert all(lost(test_database, two, monkeypatch).values())


def test_a_reader_who_holds_the_table_for_long_is_waited_for(
    test_database: TestDatabase, two: list[LivelySchool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And others are not kept waiting behind us: after half a second we step back, and try again."""
    owner = test_database.conninfo(OWNER)
    with test_database.connect() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT FROM projections.logins")
        monkeypatch.setattr(rebuilding, "PATIENCE", 1.0)
        with pytest.raises(CannotRebuild, match="held"):
            rebuild(owner, SERVICE_KEYS, logins.PROJECTION, workers=1)
        monkeypatch.setattr(rebuilding, "PATIENCE", 60.0)
        threading.Timer(2.0, reader.execute, ["COMMIT"]).start()
        assert rebuild(owner, SERVICE_KEYS, logins.PROJECTION, workers=1).switched
