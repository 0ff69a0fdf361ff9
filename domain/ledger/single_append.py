"""Appending one event with as little work as there can be: it is what the software does most.

The driver's `execute` looks up adapters, builds a cursor and drives the socket from Python, which takes the
interpreter about as long as PostgreSQL takes for the append. Here the parameters are packed by hand and given
to libpq in one call, which waits outside the interpreter's lock: `scripts/bench append` measures it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any
from uuid import UUID
from weakref import WeakSet

from psycopg import errors, pq

from domain.ledger.database import Connection

STATEMENT = b"""
SELECT first_position, last_position, appended_at, repeated, first_result, first_fingerprint
FROM ledger.append(
    $1, ARRAY[$2::uuid], ARRAY[$3::bigint], ARRAY[$4::text], ARRAY[$5::bytea], $6, $7, $8, $9, $10)
"""
NAME = b"ledger.append"
"""The name that the statement is prepared under, on each connection when it is first needed."""

_UUID, _BIGINT, _TEXT, _BYTEA = 2950, 20, 25, 17
_TYPES = [_UUID, _UUID, _BIGINT, _TEXT, _BYTEA, _UUID, _BYTEA, _BYTEA, _TEXT, _BIGINT]
_BINARY = [pq.Format.BINARY] * len(_TYPES)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

_bigint = Struct("!q")
_prepared: WeakSet[Connection] = WeakSet()


def append_one(
    connection: Connection,
    school_id: UUID,
    originator_id: UUID,
    originator_version: int,
    topic: str,
    state: bytes,
    command: tuple[UUID, bytes, bytes] | None,
    unless: tuple[str, int] | None,
) -> tuple[Any, ...]:
    """Calls `ledger.append` for one event and returns its row.

    Args:
        connection: In autocommit mode and outside any transaction.
        school_id: The school.
        originator_id: What the event happened to.
        originator_version: The event's number there.
        topic: The event's type.
        state: The event's stored state.
        command: The command's id, fingerprint and result.
        unless: The category and position of the decision's condition.

    Raises:
        psycopg.Error: As `execute` would raise it.
    """
    command_id, fingerprint, result = command or (None, None, None)
    category, after = unless or (None, None)
    parameters: list[Any] = [  # bytes, or None: the driver's type says bytes alone
        school_id.bytes,
        originator_id.bytes,
        _bigint.pack(originator_version),
        topic.encode(),
        state,
        command_id.bytes if command_id else None,
        fingerprint,
        result,
        category.encode() if category else None,
        None if after is None else _bigint.pack(after),
    ]
    try:
        row = _execute(connection, parameters)
    except errors.InvalidSqlStatementName:
        # The driver throws away what is prepared on a connection after a rollback. Nothing has been done yet.
        _prepared.discard(connection)
        row = _execute(connection, parameters)
    first, last, at, repeated, first_result, first_fingerprint = (row.get_value(0, n) for n in range(6))
    assert first is not None
    assert last is not None
    assert at is not None
    return (
        _bigint.unpack(first)[0],
        _bigint.unpack(last)[0],
        _EPOCH + timedelta(microseconds=_bigint.unpack(at)[0]),
        repeated == b"\x01",
        first_result,
        first_fingerprint,
    )


def _execute(connection: Connection, parameters: list[Any]) -> pq.abc.PGresult:
    libpq = connection.pgconn
    if connection not in _prepared:
        _checked(libpq.prepare(NAME, STATEMENT, _TYPES), connection, pq.ExecStatus.COMMAND_OK)
        _prepared.add(connection)
    result = libpq.exec_prepared(NAME, parameters, _BINARY, pq.Format.BINARY)
    return _checked(result, connection, pq.ExecStatus.TUPLES_OK)


def _checked(result: pq.abc.PGresult, connection: Connection, wanted: pq.ExecStatus) -> pq.abc.PGresult:
    if result.status == wanted:
        return result
    encoding = connection.info.encoding
    if result.error_field(pq.DiagnosticField.SQLSTATE) is None:  # libpq itself speaks: the server is gone
        raise errors.OperationalError(result.get_error_message(encoding))
    raise errors.error_from_result(result, encoding=encoding)
