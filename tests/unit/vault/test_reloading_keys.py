"""A running service's keys: its file is changed under it, rightly and wrongly."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domain.errors import DoesNotOpen, KeyNotHeld, Misconfigured
from domain.vault.key_ring import KeyRing, new_ring, retired, rotated
from domain.vault.key_sources import EnvironmentSource, FileSource, KeySource, write
from domain.vault.reloading_keys import ReloadingKeys
from domain.vault.service_keys import ServiceKeys

KEY = bytes(range(32))


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(path: Path, clock: Clock) -> ReloadingKeys:
    return ReloadingKeys(FileSource(path), clock)


def test_they_are_what_the_service_asks_for(keys: ReloadingKeys, ring: KeyRing) -> None:
    asked: ServiceKeys = keys
    wrapped = asked.wrap(KEY, b"here")
    assert asked.current == ring.current
    assert asked.unwrap(asked.current, wrapped, b"here") == KEY
    assert asked.is_signed(asked.sign(b"message"), b"message")
    assert asked.digest("address", b"x") == ring.digest("address", b"x")


def test_they_come_from_the_environment_too(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEYS", ring.document().decode())
    assert ReloadingKeys(EnvironmentSource("SOME_KEYS")).current == ring.current


def test_without_keys_there_is_no_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        ReloadingKeys(FileSource(tmp_path / "nowhere.json"))


def stale(path: Path, ring: KeyRing, source: KeySource) -> bool:
    """Whether a rotation is still not noticed after a second."""
    clock = Clock()
    keys = ReloadingKeys(source, clock)
    newer = rotated(ring)
    write(path, newer)
    clock.seconds = 0.9
    assert keys.current == ring.current
    clock.seconds = 1.0
    return keys.current != newer.current


def test_a_rotation_is_noticed_within_a_second(path: Path, ring: KeyRing) -> None:
    assert not stale(path, ring, FileSource(path))


class Blind(FileSource):
    """A file that never seems to change."""

    def version(self) -> Hashable:
        return 0


def test_a_source_that_sees_no_change_is_seen(path: Path, ring: KeyRing) -> None:
    """The sabotaged twin."""
    assert stale(path, ring, Blind(path))


def test_an_unknown_key_is_looked_for_at_once(path: Path, ring: KeyRing, keys: ReloadingKeys) -> None:
    newer = rotated(ring)
    write(path, newer)
    assert keys.unwrap(newer.current, newer.wrap(KEY, b"here"), b"here") == KEY
    with pytest.raises(KeyNotHeld):
        keys.unwrap("0123456789abcdef", newer.wrap(KEY, b"here"), b"here")


def test_an_unknown_issuer_is_looked_for_at_once(path: Path, ring: KeyRing, keys: ReloadingKeys) -> None:
    newer = rotated(ring)
    write(path, newer)
    assert keys.is_signed(newer.sign(b"message"), b"message")
    assert not keys.is_signed(new_ring().sign(b"message"), b"message")


class Counted(FileSource):
    """A file that counts how often it is looked at and loaded."""

    looks = loads = 0

    def version(self) -> Hashable:
        self.looks += 1
        return super().version()

    def load(self) -> KeyRing:
        self.loads += 1
        return super().load()


def test_it_is_looked_at_once_a_second_and_loaded_only_when_it_changed(path: Path, clock: Clock) -> None:
    source = Counted(path)
    keys = ReloadingKeys(source, clock)
    for tenth in range(50):
        clock.seconds = tenth / 10
        keys.sign(b"message")
    assert (source.looks, source.loads) == (5, 1)


def test_each_signature_costs_one_look_whoever_issued_it(path: Path, clock: Clock) -> None:
    source = Counted(path)
    keys = ReloadingKeys(source, clock)
    for signed in (keys.sign(b"message"), bytes(72), new_ring().sign(b"message")):
        before = source.looks
        keys.is_signed(signed, b"message")
        assert source.looks == before + 1
    assert source.loads == 1


def remove(path: Path) -> None:
    path.unlink()


def open_to_all(path: Path) -> None:
    path.chmod(0o644)


def garble(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"id"', b'"name"'))


@pytest.mark.parametrize("slip", [remove, open_to_all, garble])
def test_a_slip_in_the_file_does_not_stop_the_service(
    path: Path,
    ring: KeyRing,
    keys: ReloadingKeys,
    clock: Clock,
    slip: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    slip(path)
    for second in range(1, 4):
        clock.seconds = second
        assert keys.unwrap(keys.current, ring.wrap(KEY, b"here"), b"here") == KEY
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "the service keys cannot be loaded anew, so the old ones stay"
    ]
    secret = path.exists() and ring.document().split(b'"secret": "')[1][:44].decode()
    assert not secret or secret not in caplog.text

    newer = rotated(ring)
    write(path, newer)
    clock.seconds = 10
    assert keys.current == newer.current


def stored_wrongly(path: Path, ring: KeyRing, clock: Clock, *, held: bool) -> bool:
    """Whether a key is lost when the file changes between wrapping it and asking what to store beside it."""
    keys: ServiceKeys = ReloadingKeys(FileSource(path), clock)
    if held:
        keys = keys.held()
    wrapped = keys.wrap(KEY, b"here")
    write(path, rotated(ring))
    clock.seconds += 2
    stored = keys.current
    try:
        return ReloadingKeys(FileSource(path)).unwrap(stored, wrapped, b"here") != KEY
    except DoesNotOpen:
        return True


def test_what_is_held_does_not_change_in_between(path: Path, ring: KeyRing, clock: Clock) -> None:
    assert not stored_wrongly(path, ring, clock, held=True)


def test_without_holding_them_a_rotation_in_between_is_seen(path: Path, ring: KeyRing, clock: Clock) -> None:
    """The sabotaged twin."""
    assert stored_wrongly(path, ring, clock, held=False)


def test_many_threads_go_on_while_keys_rotate_and_retire(path: Path, ring: KeyRing) -> None:
    ticks = iter(range(10**9))
    keys = ReloadingKeys(FileSource(path), lambda: float(next(ticks)))  # every look is due
    rotating = True

    def working() -> int:
        rounds = 0
        while rotating or not rounds:
            held = keys.held()
            place = str(rounds).encode()
            assert keys.unwrap(held.current, held.wrap(KEY, place), place) == KEY
            assert keys.is_signed(held.sign(place), place)
            rounds += 1
        return rounds

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(working) for _ in range(4)]
        try:
            for _ in range(20):
                ring = rotated(ring)
                write(path, ring)
        finally:
            rotating = False
        assert all(worker.result() for worker in workers)
    write(path, retired(ring, set()))
    assert keys.current == ring.current
    assert len(keys.held().keys) == 1
