"""A command that comes again is answered with its first result, and nothing is written."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from domain.errors import StreamConflict
from domain.identifiers import new_id
from domain.ledger.database import Database, bound
from domain.ledger.stream import Appended, Command, Stream, Unless, register_school
from tests.conftest import TestDatabase
from tests.ledger.sabotage import forget_commands


def events(count: int = 1) -> list[StoredEvent]:
    """Events of new originators, so that no version conflict does what the command's id should do."""
    return [StoredEvent(new_id(), 1, "pupil.admitted.1", b"state") for _ in range(count)]


def command(result: bytes = b"first result") -> Command:
    return Command(new_id(), b"first fingerprint", result)


def everything(test_database: TestDatabase) -> list[list[tuple[Any, ...]]]:
    """All that the ledger holds, with the transactions that wrote it."""
    with test_database.connect("postgres") as connection:
        return [
            connection.execute(
                f"SELECT xmin::text, t.* FROM ledger.{table} t ORDER BY t::text".encode()
            ).fetchall()
            for table in ("events", "streams", "commands")
        ]


@pytest.mark.parametrize("count", [1, 3])
def test_a_repeat_is_answered_and_writes_nothing(
    stream: Stream, test_database: TestDatabase, count: int
) -> None:
    stream.append(events(2))
    first_command = command()
    first = stream.append(events(count), command=first_command)
    assert (first.first, first.last, first.repeated) == (3, 2 + count, False)
    stream.append(events())
    before = everything(test_database)

    other_content = Command(first_command.id, b"other fingerprint", b"other result")
    for repeat in (first_command, other_content):
        again = stream.append(events(2), command=repeat)
        assert again == Appended(
            first.first, first.last, first.at, True, first_command.result, first_command.fingerprint
        )
    assert stream.command(first_command.id) == again
    assert everything(test_database) == before


def test_a_repeat_of_the_same_events_is_not_a_conflict(stream: Stream) -> None:
    """The first arrival is looked for before versions and conditions are, which it has made stale itself."""
    admitted, first_command = events(), command()
    unless = Unless("pupil", 0)
    first = stream.append(admitted, command=first_command, unless=unless)
    again = stream.append(admitted, command=first_command, unless=unless)
    assert (again.first, again.last, again.repeated) == (first.first, first.last, True)
    with pytest.raises(StreamConflict):
        stream.append(events(), command=command(), unless=unless)


def test_a_command_that_failed_can_be_tried_again(stream: Stream, database: Database) -> None:
    first_command = command()
    with (
        suppress(psycopg.Rollback),
        database.connection() as connection,
        bound(connection, stream.school_id),
    ):
        stream.append(events(), command=first_command, connection=connection)
        raise psycopg.Rollback
    assert stream.command(first_command.id) is None
    assert not stream.append(events(), command=first_command).repeated


def test_a_command_belongs_to_one_school(stream: Stream, database: Database) -> None:
    other_id, first_command = new_id(), command()
    with database.bound_to(other_id) as connection:
        register_school(connection, other_id, "100002")
    stream.append(events(), command=first_command)
    other = Stream(database, other_id)
    assert other.command(first_command.id) is None
    assert not other.append(events(), command=first_command).repeated


def check_a_lost_acknowledgement(stream: Stream, test_database: TestDatabase) -> None:
    """Sends a command and hangs up without reading the answer, after its commit; then tries again.

    Raises:
        AssertionError: The command was carried out twice.
    """
    event, first_command = events()[0], command()
    raw = test_database.connect()
    statement = psycopg.ClientCursor(raw).mogrify(
        "SELECT ledger.append(%s, ARRAY[%s], ARRAY[1::bigint], ARRAY['pupil.left.1'], ARRAY[%s], %s, %s, %s)",
        [
            stream.school_id,
            event.originator_id,
            event.state,
            first_command.id,
            first_command.fingerprint,
            first_command.result,
        ],
    )
    raw.pgconn.send_query(statement.encode())
    deadline = time.monotonic() + 20
    while not stream.events_between(1, limit=1):
        assert time.monotonic() < deadline, "it was not carried out"
        raw.pgconn.flush()
        time.sleep(0.005)
    raw.close()

    again = stream.append(events(), command=first_command)
    assert (again.first, again.last, again.repeated) == (1, 1, True)
    assert (again.result, again.fingerprint) == (b"first result", b"first fingerprint")
    assert stream.head().position == 1


def check_two_at_once(stream: Stream, _: TestDatabase) -> None:
    """Twenty rounds in which a command arrives on two connections at the same moment.

    Raises:
        AssertionError: One of them was carried out twice.
    """
    barrier = Barrier(2)

    def arrive(sent: Command) -> Appended:
        barrier.wait(20)
        return stream.append(events(2), command=sent)

    with ThreadPoolExecutor(2) as pool:
        for number in range(20):
            sent = command(f"result {number}".encode())
            answers = list(pool.map(arrive, [sent, sent]))
            assert sorted(answer.repeated for answer in answers) == [False, True]
            assert {(answer.first, answer.last) for answer in answers} == {(2 * number + 1, 2 * number + 2)}
            assert stream.head().position == 2 * number + 2
    assert len(stream.events_between(1, limit=1000)) == 40


CHECKS = (check_a_lost_acknowledgement, check_two_at_once)


@pytest.mark.parametrize("check", CHECKS)
def test_a_command_is_carried_out_once(
    check: Callable[[Stream, TestDatabase], None], stream: Stream, test_database: TestDatabase
) -> None:
    check(stream, test_database)


@pytest.mark.parametrize("check", CHECKS)
def test_the_checks_notice_a_store_that_forgets_commands(
    check: Callable[[Stream, TestDatabase], None], stream: Stream, test_database: TestDatabase
) -> None:
    forget_commands(test_database)
    with pytest.raises(AssertionError, match=r"repeated|True"):
        check(stream, test_database)
