"""Editing rows of projections by hand, as somebody might who may do anything in the database."""

from __future__ import annotations

from uuid import UUID

from projections.projection import Table
from tests.projections.lively import BY_NAME, Lively

ANOTHER = {
    "uuid": "gen_random_uuid()",
    "text": "'edited'",
    "bigint": "100000 + {}",
    "smallint": "50 + {}",
    "integer": "1 + {}",
    "boolean": "NOT {}",
    "bytea": "'\\x00'::bytea || {}",
    "timestamp with time zone": "{} + interval '1 microsecond'",
    "uuid[]": "array_append({}, gen_random_uuid())",
}
"""For each type another value than the one in a column."""


def edit(lively: Lively, table: str, column: str) -> tuple[UUID, tuple[object, ...]]:
    """Edits a column of one row, as somebody who may do anything, and returns the school and the key."""
    projection = BY_NAME[table]
    key = next(each.key for each in projection.tables if each.name == table)
    school_id = lively.schools[0].school_id
    with lively.database.connect("postgres") as superuser:
        type_of = superuser.execute(
            "SELECT format_type(atttypid, NULL) FROM pg_attribute "
            "WHERE attrelid = format('projections.%%I', %s::text)::regclass AND attname = %s",
            [table, column],
        ).fetchone()
        assert type_of
        for (check_name,) in superuser.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = "
            "format('projections.%%I', %s::text)::regclass",
            [table],
        ).fetchall():
            superuser.execute(f'ALTER TABLE projections.{table} DROP CONSTRAINT "{check_name}"'.encode())
        value = ANOTHER[str(type_of[0])].format(column)
        row = superuser.execute(
            f"SELECT {', '.join(key)} FROM projections.{table} "
            f"WHERE school_id = %s AND {column} IS NOT NULL ORDER BY 1 LIMIT 1".encode(),
            [school_id],
        ).fetchone()
        if row is None:  # nothing ever stands in it in these histories
            value = {"uuid": "gen_random_uuid()", "text": "'edited'", "uuid[]": "'{}'", "boolean": "true"}[
                str(type_of[0])
            ]
            row = superuser.execute(
                f"SELECT {', '.join(key)} FROM projections.{table} WHERE school_id = %s LIMIT 1".encode(),
                [school_id],
            ).fetchone()
        assert row
        where = " AND ".join(f"{name} = %s" for name in key)
        done = superuser.execute(
            f"UPDATE projections.{table} SET {column} = {value} WHERE school_id = %s AND {where}".encode(),
            [school_id, *row],
        )
        assert done.rowcount == 1
    return school_id, tuple(row)


def add_a_row(lively: Lively, table: Table) -> None:
    """A copy of a row of the first school under another id or position, which no event is about."""
    key = table.key[0]
    value = {"pupil_id": "gen_random_uuid()"}.get(key, "1000000")
    with lively.database.connect("postgres") as superuser:
        added = superuser.execute(
            f"INSERT INTO projections.{table.name} SELECT (jsonb_populate_record(t, "
            f"jsonb_build_object('{key}', {value}))).* FROM projections.{table.name} t "
            "WHERE school_id = %s LIMIT 1".encode(),
            [lively.schools[0].school_id],
        )
        assert added.rowcount == 1
