"""Schools' keys are wrapped anew after the service got another key, while everybody goes on reading."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest

from domain.errors import DoesNotOpen, KeyNotHeld
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.vault import keystore
from domain.vault.key_ring import KeyRing, new_ring, retired, rotated
from domain.vault.key_sources import FileSource, write
from domain.vault.keyring import SchoolKeys
from domain.vault.login_key import issue, read
from domain.vault.reloading_keys import ReloadingKeys
from domain.vault.rewrapping import keep_rewrapping, rewrap_all
from domain.vault.service_keys import ServiceKeys
from tests.conftest import TestDatabase

SCHOOLS = 25


class SomeSchools:
    """Schools whose record keys are wrapped under the first key of a service."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.first_ring = new_ring()
        self.keys = [SchoolKeys.new(new_id()) for _ in range(SCHOOLS)]
        for keys in self.keys:
            with database.bound_to(keys.school_id) as connection:
                keystore.add_school(connection, keys, self.first_ring, None)

    def opened_with(self, ring: ServiceKeys) -> list[SchoolKeys]:
        """What the service opens of each."""
        return [for_service(self.database, keys.school_id, ring) for keys in self.keys]

    @property
    def record_keys(self) -> list[SchoolKeys]:
        """What it should open."""
        return [keys.without_names() for keys in self.keys]


def for_service(database: Database, school_id: UUID, ring: ServiceKeys) -> SchoolKeys:
    with database.bound_to(school_id) as connection:
        return keystore.for_service(connection, school_id, ring)


def in_use(worker: Database) -> dict[str, int]:
    with worker.transaction() as connection:
        return keystore.service_keys_in_use(connection)


@pytest.fixture
def some(database: Database) -> SomeSchools:
    return SomeSchools(database)


def test_everything_is_wrapped_under_the_current_key(some: SomeSchools, worker_database: Database) -> None:
    ring = rotated(some.first_ring)
    assert in_use(worker_database) == {some.first_ring.current: SCHOOLS}
    assert some.opened_with(ring) == some.record_keys
    assert rewrap_all(worker_database, ring) == SCHOOLS
    assert in_use(worker_database) == {ring.current: SCHOOLS}
    assert rewrap_all(worker_database, ring) == 0
    assert some.opened_with(ring) == some.record_keys


def check_the_old_key_can_be_retired(some: SomeSchools, worker: Database, *, rewrap: bool) -> None:
    """Rotates, wraps anew if told to, and takes the old key's secret out of the ring.

    Raises:
        AssertionError: A school's key opens no more, or a login key that the old key signed is refused.
    """
    text, login_key = issue(some.first_ring, some.keys[0].school_id, new_id())
    ring = rotated(some.first_ring)
    if rewrap:
        rewrap_all(worker, ring)
    left = retired(ring, set(in_use(worker)) if rewrap else set())
    assert not left.holds(some.first_ring.current)
    assert read(text, left) == login_key
    opened = []
    with suppress(KeyNotHeld):
        opened = some.opened_with(left)
    assert opened == some.record_keys, "some schools are left behind"


def test_the_old_key_can_be_retired_and_still_verifies_login_keys(
    some: SomeSchools, worker_database: Database
) -> None:
    check_the_old_key_can_be_retired(some, worker_database, rewrap=True)


def test_a_key_that_is_retired_too_early_is_found_out(some: SomeSchools, worker_database: Database) -> None:
    """The sabotaged twin: nothing was wrapped anew."""
    with pytest.raises(AssertionError, match="left behind"):
        check_the_old_key_can_be_retired(some, worker_database, rewrap=False)


def test_a_key_in_use_is_not_retired(some: SomeSchools, worker_database: Database) -> None:
    ring = rotated(some.first_ring)
    assert retired(ring, set(in_use(worker_database))).holds(some.first_ring.current)


# While others are at it.


def test_readers_go_on_meanwhile(some: SomeSchools, worker_database: Database, tmp_path: Path) -> None:
    """They read before, during and after five rotations of the file, and always find what they should."""
    file, ring = tmp_path / "service-keys.json", some.first_ring
    write(file, ring)
    stop, rounds = threading.Event(), [0, 0]

    def go_on_reading(number: int) -> None:
        keys = ReloadingKeys(FileSource(file))
        while not stop.is_set():
            assert some.opened_with(keys) == some.record_keys
            rounds[number] += 1

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(go_on_reading, number) for number in range(2)]
        try:
            for _ in range(5):
                ring, seen = rotated(ring), list(rounds)
                write(file, ring)
                assert rewrap_all(worker_database, ring) == SCHOOLS
                assert in_use(worker_database) == {ring.current: SCHOOLS}
                while not any(reader.done() for reader in readers) and any(
                    now == then for now, then in zip(rounds, seen, strict=True)
                ):
                    stop.wait(0.001)
        finally:
            stop.set()
        for reader in readers:
            reader.result()
    assert min(rounds) >= 5


def test_two_workers_share_the_work(some: SomeSchools, test_database: TestDatabase) -> None:
    """Each school is wrapped anew by one of them, whoever comes first."""
    ring, barrier = rotated(some.first_ring), threading.Barrier(2)

    def work() -> int:
        with Database(test_database.conninfo("target_tracker_worker")) as worker:
            barrier.wait(20)
            return rewrap_all(worker, ring)

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(work) for _ in range(2)]
        assert sum(each.result() for each in done) == SCHOOLS
    assert some.opened_with(ring) == some.record_keys


class Interrupted:
    """A ring during whose wrapping something else happens, once."""

    def __init__(self, ring: KeyRing, happening: threading.Thread) -> None:
        self._ring = ring
        self._happening = happening

    @property
    def current(self) -> str:
        return self._ring.current

    def held(self) -> ServiceKeys:
        return self

    def wrap(self, key: bytes, place: bytes) -> bytes:
        self._happening.start()
        self._happening.join(20)
        return self._ring.wrap(key, place)

    def unwrap(self, key_id: str, wrapped: bytes, place: bytes) -> bytes:
        return self._ring.unwrap(key_id, wrapped, place)

    def sign(self, message: bytes) -> bytes:
        return self._ring.sign(message)

    def is_signed(self, signed: bytes, message: bytes) -> bool:
        return self._ring.is_signed(signed, message)

    def digest(self, purpose: str, value: bytes) -> bytes:
        return self._ring.digest(purpose, value)


def check_a_replacement_is_not_overwritten(some: SomeSchools, worker: Database) -> None:
    """Replaces a school's keys while a worker has the earlier one in its hands.

    Raises:
        AssertionError: The worker wrote the earlier key over the new one.
    """
    school_id = some.keys[0].school_id
    ring, renewed = rotated(some.first_ring), SchoolKeys.new(school_id, 2)

    def replace() -> None:
        """By a process that has not yet seen the rotation, so that the key's id tells nothing."""
        with some.database.bound_to(school_id) as connection:
            keystore.replace_school(connection, renewed, some.first_ring, None)

    with worker.bound_to(school_id) as connection:
        interrupted = Interrupted(ring, threading.Thread(target=replace))
        done = keystore.rewrap_for_service(connection, school_id, interrupted)
    opened = None
    with suppress(DoesNotOpen):
        opened = for_service(some.database, school_id, ring)
    assert opened == renewed.without_names(), "the new key is lost"
    assert not done
    # The next look wraps the new one.
    assert rewrap_all(worker, ring) == SCHOOLS
    assert for_service(some.database, school_id, ring) == renewed.without_names()


def test_keys_that_were_replaced_meanwhile_are_not_overwritten(
    some: SomeSchools, worker_database: Database
) -> None:
    check_a_replacement_is_not_overwritten(some, worker_database)


def test_without_its_condition_the_worker_would_overwrite_them(
    some: SomeSchools, worker_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: a statement that does not ask for the generation."""
    statement = keystore.SQL["rewrap_for_service"]
    careless = statement.replace(b"AND generation = %s", b"AND %s::int IS NOT NULL")
    assert careless != statement
    monkeypatch.setitem(keystore.SQL, "rewrap_for_service", careless)
    with pytest.raises(AssertionError, match="the new key is lost"):
        check_a_replacement_is_not_overwritten(some, worker_database)


# Stopping, and what cannot be opened.


def test_it_stops_when_it_is_told_to(some: SomeSchools, worker_database: Database) -> None:
    ring, stop = rotated(some.first_ring), threading.Event()
    stop.set()
    assert rewrap_all(worker_database, ring, stop) == 0
    assert in_use(worker_database) == {some.first_ring.current: SCHOOLS}


def test_a_key_that_the_service_does_not_have_is_told(
    some: SomeSchools, worker_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    assert rewrap_all(worker_database, new_ring()) == 0
    assert in_use(worker_database) == {some.first_ring.current: SCHOOLS}
    for keys in some.keys:
        assert f"{keys.school_id} cannot be wrapped anew" in caplog.text
    assert some.first_ring.current in caplog.text


def test_one_school_that_does_not_open_keeps_no_other_back(
    some: SomeSchools, worker_database: Database, test_database: TestDatabase
) -> None:
    with test_database.connect("postgres") as superuser:
        superuser.execute(
            "UPDATE vault.school_keys SET record_for_service = 'damaged' WHERE school_id = %s",
            [min(keys.school_id for keys in some.keys)],
        )
    ring = rotated(some.first_ring)
    assert rewrap_all(worker_database, ring) == SCHOOLS - 1
    assert in_use(worker_database) == {ring.current: SCHOOLS - 1, some.first_ring.current: 1}


def test_it_goes_on_in_the_background(some: SomeSchools, worker_database: Database) -> None:
    ring, stop = rotated(some.first_ring), threading.Event()
    thread = threading.Thread(target=keep_rewrapping, args=[worker_database, ring, stop])
    thread.start()
    try:
        for _ in range(2000):
            if in_use(worker_database) == {ring.current: SCHOOLS}:
                break
            stop.wait(0.01)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    assert in_use(worker_database) == {ring.current: SCHOOLS}
