"""A reader that tails a stream never steps past an event that is still in flight.

Each way to append is held open between its last statement and its commit, while others append and the reader
reads on. The twin of the test takes the lock of the head away, as in a store that numbers events from a
sequence: the same check must then fail.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count as count_up
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent, Tracking

from domain.identifiers import new_id
from domain.ledger.database import Database, bound
from domain.ledger.recorders import StreamProcessRecorder, StreamRecorder
from domain.ledger.stream import Appended, Command, Stream, register_school
from tests.conftest import TestDatabase
from tests.ledger.sabotage import number_as_ordinary_stores_do

GATE = 7001
"""The advisory lock that holds back every commit of an event of the type `HELD`."""

HELD = "test.held.1"
FREE = "test.free.1"

PATIENCE = 20.0
"""Seconds after which something that should have happened will not."""


def events(count: int, topic: str) -> list[StoredEvent]:
    return [StoredEvent(new_id(), 1, topic, b"state") for _ in range(count)]


def append_one(stream: Stream) -> None:
    stream.append(events(1, HELD))


def append_batch(stream: Stream) -> None:
    stream.append(events(3, HELD))


def append_in_the_callers_transaction(stream: Stream) -> None:
    with stream.database.connection() as connection, bound(connection, stream.school_id):
        stream.append(events(1, HELD), connection=connection)
        stream.append(events(2, HELD), connection=connection)


def append_with_a_command(stream: Stream) -> None:
    stream.append(events(1, HELD), command=Command(new_id(), b"fingerprint", b"result"))


def insert_events(stream: Stream) -> None:
    StreamRecorder(stream.database, stream.school_id).insert_events(events(2, HELD))


def insert_events_with_tracking(stream: Stream) -> None:
    recorder = StreamProcessRecorder(stream.database, stream.school_id)
    recorder.insert_events(events(2, HELD), tracking=Tracking("upstream", 1))


WAYS = (
    append_one,
    append_batch,
    append_in_the_callers_transaction,
    append_with_a_command,
    insert_events,
    insert_events_with_tracking,
)


class Tail:
    """A reader that goes on from the last position that it has seen."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.seen: list[int] = []

    def read(self) -> None:
        """Reads what there is after the last position."""
        while page := self.stream.events_between((self.seen or [0])[-1] + 1, limit=100):
            self.seen += [event.id for event in page]


class Observer:
    """Looks at the database from outside, past row-level security."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self.connection = connection

    def waiting(self, *, at_the_gate: bool) -> int:
        """How many wait at the gate, or else for a lock of another kind."""
        row = self.connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND (wait_event = 'advisory') = %s",
            [at_the_gate],
        ).fetchone()
        assert row is not None
        return int(str(row[0]))

    def stored(self, stream: Stream) -> list[int]:
        """The positions that are in a stream."""
        rows = self.connection.execute(
            "SELECT position FROM ledger.events WHERE school_id = %s ORDER BY position", [stream.school_id]
        )
        return [int(str(row[0])) for row in rows]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


@pytest.fixture
def observer(test_database: TestDatabase) -> Iterator[Observer]:
    with test_database.connect("postgres") as connection:
        connection.execute(
            "CREATE FUNCTION public.wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS"
            f" 'BEGIN PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NULL; END'".encode()
        )
        # Deferred: it fires when everything is written and the commit has begun.
        connection.execute(
            "CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON ledger.events DEFERRABLE INITIALLY DEFERRED"
            f" FOR EACH ROW WHEN (new.type = '{HELD}') EXECUTE FUNCTION public.wait_at_the_gate()".encode()
        )
        yield Observer(connection)


@pytest.fixture
def other_stream(database: Database) -> Stream:
    """The stream of another school."""
    school_id = new_id()
    with database.bound_to(school_id) as connection:
        register_school(connection, school_id, "100002")
    return Stream(database, school_id)


@contextmanager
def gate_shut(observer: Observer) -> Iterator[None]:
    observer.connection.execute("SELECT pg_advisory_lock(%s)", [GATE])
    try:
        yield
    finally:
        observer.connection.execute("SELECT pg_advisory_unlock(%s)", [GATE])


def check_that_nothing_is_skipped(
    way: Callable[[Stream], None], stream: Stream, other_stream: Stream, observer: Observer
) -> None:
    """Holds one append before its commit, lets others append and a tail read, and compares what it has seen.

    Raises:
        AssertionError: The tail has stepped past an event.
    """
    stream.append(events(2, FREE))
    tail, other_tail = Tail(stream), Tail(other_stream)
    tail.read()
    with ThreadPoolExecutor(3) as pool:
        with gate_shut(observer):
            held = pool.submit(way, stream)
            wait_until(lambda: observer.waiting(at_the_gate=True) == 1)
            tail.read()

            others: list[Future[Appended]] = [
                pool.submit(stream.append, events(1, FREE)),
                pool.submit(stream.append, events(4, FREE)),
            ]
            wait_until(
                lambda: sum(other.done() for other in others) + observer.waiting(at_the_gate=False) == 2
            )
            tail.read()

            # Another school neither waits nor is missed.
            other_stream.append(events(1, FREE))
            other_stream.append(events(2, FREE))
            other_tail.read()
            assert len(other_tail.seen) == 3
            assert other_tail.seen == observer.stored(other_stream)
            assert not held.done()
        held.result(PATIENCE)
        for other in others:
            other.result(PATIENCE)
    tail.read()
    stored = observer.stored(stream)
    assert len(stored) >= 2 + 1 + 5
    assert set(stored) - set(tail.seen) == set(), "events were skipped"
    assert tail.seen == stored == list(range(1, len(stored) + 1))


def test_there_is_no_other_way_to_append() -> None:
    """What is tried here are all ways: events are inserted in one place, which is called from one place."""
    root = Path(__file__).parents[2]
    sources = [
        (file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))
        for folder in ("domain", "projections", "api", "scripts")
        for file in sorted((root / folder).rglob("*"))
        if file.suffix in {".py", ".sql"}
    ]

    def places(pattern: str) -> list[str]:
        return [name for name, text in sources if re.search(pattern, text, re.IGNORECASE)]

    assert places(r"(INSERT\s+INTO|COPY|MERGE\s+INTO)\s+ledger\.events\b") == [
        "domain/ledger/migrations/0001_ledger.sql"
    ]
    assert places(r"FROM\s+ledger\.append\b") == [
        "domain/ledger/migrations/0024_operators_stream.sql",
        "domain/ledger/single_append.py",
        "domain/ledger/statements.sql",
    ]
    assert places(r"\bappend_one\(") == ["domain/ledger/single_append.py", "domain/ledger/stream.py"]
    assert places(r"SQL\[\"append") == ["domain/ledger/operators_stream.py", "domain/ledger/stream.py"]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_skipped(
    way: Callable[[Stream], None], stream: Stream, other_stream: Stream, observer: Observer
) -> None:
    check_that_nothing_is_skipped(way, stream, other_stream, observer)


@pytest.mark.parametrize("way", WAYS)
def test_the_check_notices_a_store_without_the_lock(
    way: Callable[[Stream], None],
    stream: Stream,
    other_stream: Stream,
    observer: Observer,
    test_database: TestDatabase,
) -> None:
    number_as_ordinary_stores_do(test_database)
    with pytest.raises(AssertionError, match="events were skipped"):
        check_that_nothing_is_skipped(way, stream, other_stream, observer)


def test_nothing_is_skipped_while_many_write(stream: Stream, observer: Observer) -> None:
    """Six writers append 300 times each or more, one to five events at once, and take back one append in ten.

    They go on until the reader has looked more than ten times, so that it always reads while others write.
    """
    seed = random.randrange(2**32)
    tail = Tail(stream)
    rounds = 0

    def write(writer: int) -> int:
        dice = random.Random(seed + writer)
        written = 0
        for number in count_up(1):
            if number > 300 and rounds > 10:
                break
            count = dice.randint(1, 5)
            if dice.random() < 0.1:
                with stream.database.connection() as connection, bound(connection, stream.school_id):
                    stream.append(events(count, FREE), connection=connection)
                    raise psycopg.Rollback
            else:
                stream.append(events(count, FREE))
                written += count
        return written

    with ThreadPoolExecutor(6) as pool:
        writers = [pool.submit(write, number) for number in range(6)]
        while not all(writer.done() for writer in writers):
            tail.read()
            rounds += 1
    tail.read()
    written = sum(writer.result() for writer in writers)
    assert tail.seen == observer.stored(stream) == list(range(1, written + 1)), f"seed {seed}"
    assert rounds > 10
    assert stream.head().position == written
