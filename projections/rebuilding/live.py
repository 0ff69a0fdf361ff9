"""Reading the live rows of a school: one by one, and as whole columns in the bytes that the server sends."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from domain.ledger.database import Connection
from projections.definitions import LIVE
from projections.projection import Row, Table


def has_rows(connection: Connection, school_id: UUID, tables: Iterable[Table]) -> bool:
    """Whether there is any row of the school in any of the tables."""
    query = "SELECT FROM {table} WHERE {of_school} LIMIT 1"
    return any(
        connection.execute(_about(table, query), {"school": school_id}).fetchone() is not None
        for table in tables
    )


def rows_of(connection: Connection, school_id: UUID, table: Table, gone: Collection[UUID]) -> list[Row]:
    """The rows of a school, in any order.

    Args:
        connection: Bound to the school.
        school_id: The school.
        table: The table.
        gone: Children whose rows are left out.
    """
    statement = _about(table, "SELECT {columns} FROM {table} WHERE {of_school}", gone)
    wanted = {"school": school_id, "gone": list(gone)}
    return connection.execute(statement, wanted, binary=True).fetchall()


def columns_of(
    undecoded: psycopg.Cursor[Any], school_id: UUID, table: Table, gone: Collection[UUID]
) -> list[bytes]:
    """The columns of the rows of a school, in the order of their key.

    Args:
        undecoded: A cursor that does not decode arrays, on a connection that is bound to the school.
        school_id: The school.
        table: The table.
        gone: Children whose rows are left out.

    Returns:
        An array for each column, as :meth:`~domain.ledger.columns.Columns.arrays` makes them.
    """
    statement = _about(
        table,
        "SELECT {arrays} FROM (SELECT {columns} FROM {table} WHERE {of_school} ORDER BY {key}) AS live",
        gone,
    )
    arrays = undecoded.execute(statement, {"school": school_id, "gone": list(gone)}).fetchone()
    assert arrays
    return list(arrays)


def _about(table: Table, query: LiteralString, gone: Collection[UUID] = ()) -> sql.Composed:
    columns = list(map(sql.Identifier, table.columns))
    of_school = "school_id = %(school)s"
    if gone and "pupil_id" in table.columns:
        of_school += " AND NOT pupil_id = ANY (%(gone)s)"
    return sql.SQL(query).format(
        table=sql.Identifier(LIVE, table.name),
        columns=sql.SQL(", ").join(columns),
        arrays=sql.SQL(", ").join(
            sql.SQL("coalesce(array_agg({}), '{{}}')").format(column) for column in columns
        ),
        key=sql.SQL(", ").join(map(sql.Identifier, table.key)),
        of_school=sql.SQL(of_school),
    )
