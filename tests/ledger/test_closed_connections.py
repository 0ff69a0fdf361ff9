"""Connections that the server closes while nobody uses them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from domain.ledger import database
from domain.ledger.database import Connection, Database
from tests.conftest import TestDatabase

COUNT = 4


@pytest.fixture
def pool(test_database: TestDatabase) -> Iterator[Database]:
    with Database(test_database.conninfo()) as opened:
        yield opened


def fill(pool: Database) -> set[int]:
    """Opens some connections, all of which go back into the pool; the servers' process ids of them."""
    with ExitStack() as stack:
        connections = [stack.enter_context(pool.connection()) for _ in range(COUNT)]
        return {connection.info.backend_pid for connection in connections}


def end_all(test_database: TestDatabase) -> None:
    with test_database.connect("postgres") as superuser:
        superuser.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def errors_of(pool: Database) -> int:
    """How many of as many uses as there were connections fail."""
    failed = 0
    for _ in range(COUNT):
        try:
            with pool.connection() as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            failed += 1
    return failed


def test_those_that_are_alive_are_used_again(pool: Database) -> None:
    before = fill(pool)
    assert fill(pool) == before


def test_nobody_meets_a_connection_that_was_closed(pool: Database, test_database: TestDatabase) -> None:
    fill(pool)
    end_all(test_database)
    assert errors_of(pool) == 0


def test_the_twin_meets_each_of_them(test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "check_alive", lambda connection: None)
    with Database(test_database.conninfo()) as unchecked:
        fill(unchecked)
        end_all(test_database)
        assert errors_of(unchecked) == COUNT


def test_a_notice_closes_nothing(pool: Database, test_database: TestDatabase) -> None:
    def listening(connection: Connection) -> int:
        connection.execute("LISTEN something")
        return connection.info.backend_pid

    with pool.connection() as connection:
        before = listening(connection)
    with test_database.connect() as other:
        other.execute("NOTIFY something, 'that is to be read'")
    with pool.connection() as connection:
        assert connection.info.backend_pid == before
        assert connection.execute("SELECT 1").fetchone() == (1,)
