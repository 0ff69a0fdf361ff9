"""Rows that lie beside the live ones, in a schema of their own, and how they are brought up to those.

The projection itself brings them there: its statements name the tables of the schema `projections`, and are
told of the other schema on their way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

import psycopg
from psycopg import sql

from domain.errors import TargetTrackerError
from domain.ledger.database import Connection, bound, may_pass
from domain.vault.service_keys import ServiceKeys
from projections.definitions import NEXT, in_schema
from projections.projection import Rebuildable
from projections.rebuilding.making import BATCH, SQL, batches
from projections.runner import keys_of


class CannotRebuild(TargetTrackerError):
    """Rows cannot be made of the streams, or not take the place of the live ones; nothing was changed."""

    title: ClassVar[str] = "This projection cannot be rebuilt"


@contextmanager
def statements_in(connection: Connection, tables: Iterable[str], schema: str) -> Iterator[None]:
    """Meanwhile, what is executed on the connection finds these tables in another schema.

    Args:
        connection: The connection.
        tables: The names of tables that statements look for in the schema `projections`.
        schema: Where they are.
    """
    before = connection.cursor_factory
    connection.cursor_factory = _cursors_in(tuple(tables), schema)
    try:
        yield
    finally:
        connection.cursor_factory = before


@lru_cache
def _cursors_in(tables: tuple[str, ...], schema: str) -> type[psycopg.Cursor[Any]]:
    @lru_cache
    def moved(query: bytes | str | sql.Composable) -> bytes:
        text = query.as_bytes() if isinstance(query, sql.Composable) else query
        return in_schema(text.encode() if isinstance(text, str) else text, tables, schema)

    class Elsewhere(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **options: Any) -> Any:
            return super().execute(moved(query), *args, **options)

        def executemany(self, query: Any, *args: Any, **options: Any) -> Any:
            return super().executemany(moved(query), *args, **options)

        def copy(self, statement: Any, *args: Any, **options: Any) -> Any:
            return super().copy(moved(statement), *args, **options)

    return Elsewhere


def catch_up(
    connection: Connection,
    projection: Rebuildable,
    service_keys: ServiceKeys,
    schema: str,
) -> int:
    """Brings the rows in a schema up to the live ones, school by school.

    Args:
        connection: Of the owner.
        projection: The projection.
        service_keys: The service's keys.
        schema: :data:`~projections.definitions.NEXT` or :data:`~projections.definitions.PREVIOUS`.

    Returns:
        By how many positions they have moved.

    Raises:
        CannotRebuild: An event cannot be applied to the rows as they are.
    """
    moved = 0
    for school_id, position, live in connection.execute(_of(schema, "behind"), [projection.name]).fetchall():
        try:
            moved += _catch_up(connection, projection, service_keys, schema, school_id, position, live)
        except Exception as error:
            if may_pass(error):
                raise
            raise CannotRebuild(
                f"An event of school {school_id} after position {position} cannot be applied: "
                f"{type(error).__name__}. Nothing was changed"
            ) from error
    return moved


def _catch_up(
    connection: Connection,
    projection: Rebuildable,
    service_keys: ServiceKeys,
    schema: str,
    school_id: UUID,
    position: int,
    live: int,
) -> int:
    began = position
    while position < live:
        with bound(connection, school_id):
            asked = {"school": school_id, "projection": projection.name}
            place = connection.execute(SQL["place"], asked).fetchone()
            assert place
            last = min(position + BATCH, live, place[1])
            if last <= position:  # the live checkpoint is beyond the end of the stream
                break
            keys = keys_of(connection, school_id, service_keys)
            for events in batches(connection, school_id, position, last, projection):
                with statements_in(connection, [table.name for table in projection.tables], schema):
                    projection.apply(connection, keys, events)
            connection.execute(_of(schema, "mark"), [school_id, projection.name, last])
            position = last
    return position - began


def _of(schema: str, name: str) -> bytes:
    """A statement about the checkpoints of a schema."""
    return SQL[name].replace(NEXT.encode(), schema.encode())
