"""Connections to PostgreSQL, and transactions that are bound to one school."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from uuid import UUID
from weakref import WeakSet

import psycopg
from psycopg_pool import ConnectionPool

from domain.ledger.announcing import Announcer

Connection = psycopg.Connection[tuple[Any, ...]]

_PASSING = {"08", "40", "53", "55", "57", "58"}
"""Classes of SQLSTATE: lost connections, deadlocks, want of resources, locks, shutdowns, system errors."""


def may_pass(error: Exception) -> bool:
    """Whether the same may succeed later: the server was away or busy, and not asked for the impossible.

    Args:
        error: The driver's, or another one that was raised because of the driver's.
    """
    found = error if isinstance(error, psycopg.Error) else error.__cause__
    return isinstance(found, psycopg.OperationalError) and (
        found.sqlstate is None or found.sqlstate[:2] in _PASSING
    )


class Database:
    """A pool of connections to one database as one role.

    Connections are in autocommit mode: a single statement is its own transaction, and longer ones say where
    they begin and end, with :meth:`transaction` or :meth:`bound_to`.
    """

    def __init__(self, conninfo: str, *, max_size: int = 10) -> None:
        """Opens no connection until the first is needed.

        Args:
            conninfo: A libpq connection string; secrets belong into a password file or the environment.
            max_size: The most connections at once.
        """
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            conninfo,
            min_size=0,
            max_size=max_size,
            kwargs={"autocommit": True, "prepare_threshold": 1, "application_name": "target-tracker"},
            check=check_alive,
            open=False,
            name="target-tracker",
        )
        self._pool.open()
        self._conninfo = conninfo
        self._announcer = Announcer(self._pool.connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection."""
        self._announcer.close()
        self._pool.close()

    @contextmanager
    def connection(self, timeout: float | None = None) -> Iterator[Connection]:
        """A connection in autocommit mode.

        Args:
            timeout: Seconds to wait for one; half a minute, if not given.
        """
        with self._pool.connection(timeout) as connection:
            try:
                yield connection
            except BaseException:
                _appended_on.discard(connection)
                raise
            # By now whatever transaction the append was part of has been committed.
            if connection in _appended_on:
                _appended_on.discard(connection)
                self._announcer.announce()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection inside a transaction that sees no school's rows."""
        with self.connection() as connection, connection.transaction():
            yield connection

    @contextmanager
    def bound_to(self, school_id: UUID, *, durable: bool = True) -> Iterator[Connection]:
        """A connection inside a transaction that sees the rows of one school only.

        Args:
            school_id: The school.
            durable: Whether the commit waits for the disk. Only what can be made again from the stream, and
                would be, need not.
        """
        with self.connection() as connection, bound(connection, school_id, durable=durable):
            yield connection

    def connect_to_listen(self) -> Connection:
        """A connection apart from the pool, in autocommit mode, that is soon noticed to be lost.

        Raises:
            psycopg.OperationalError: The database cannot be reached.
        """
        return psycopg.connect(
            self._conninfo,
            autocommit=True,
            application_name="target-tracker listening",
            connect_timeout=10,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
        )


_appended_on: WeakSet[Connection] = WeakSet()
"""Connections on which something was appended, until they go back to their pool."""


def appended_on(connection: Connection) -> None:
    """Has others told of an append on a borrowed connection, once that is given back."""
    _appended_on.add(connection)


def check_alive(connection: Connection) -> None:
    """Looks whether the server has closed a connection while nobody used it, without asking the server.

    A server that ends a connection says so on the socket; on one that is idle nothing else is to be read, but
    perhaps a notice. So a restart of the server costs no request an error.

    Raises:
        psycopg.OperationalError: It is closed; the pool takes another one.
    """
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN)
    while socket.poll(0):
        connection.pgconn.consume_input()


@contextmanager
def bound(connection: Connection, school_id: UUID, *, durable: bool = True) -> Iterator[None]:
    """A transaction on this connection that row-level security confines to one school.

    `SET LOCAL`, and not `set_config`, because only the former reaches the shards of a distributed database.
    """
    binding = f"SET LOCAL target_tracker.school_id = '{UUID(str(school_id))}'"
    with connection.transaction():
        connection.execute(binding if durable else f"{binding}; SET LOCAL synchronous_commit = off")
        yield
