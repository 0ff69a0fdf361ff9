"""Columns of values reach the server as they are, as arrays and in a COPY."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ledger.columns import (
    Array,
    Bigints,
    Byteas,
    Columns,
    Smallints,
    Texts,
    Uuids,
    columns_of,
    knows,
    undecoded,
)
from domain.ledger.database import Connection
from tests.conftest import TestDatabase

KINDS: dict[type[Array], st.SearchStrategy[Any]] = {
    Uuids: st.uuids(),
    Smallints: st.integers(-(2**15), 2**15 - 1),
    Bigints: st.integers(-(2**63), 2**63 - 1),
    Texts: st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    Byteas: st.binary(),
}

SCHOOL = UUID(int=7)

NUMBERS = [psycopg.postgres.types[name].oid for name in ("uuid", "int2", "int8", "text", "bytea", "bool")]


@pytest.fixture(scope="module")
def superuser(module_database: TestDatabase) -> Iterator[Connection]:
    with psycopg.connect(module_database.conninfo("postgres"), autocommit=True) as connection:
        yield connection


ROWS = st.lists(st.tuples(*KINDS.values(), st.booleans()), min_size=1, max_size=20)

TABLE = "CREATE TEMPORARY TABLE copied (s uuid, a uuid, b smallint, c bigint, d text, e bytea, f boolean)"

SLOWLY = settings(max_examples=40, deadline=None)


@pytest.mark.parametrize("kind", KINDS)
@SLOWLY
@given(data=st.data())
def test_an_array_is_what_psycopgs_own_is(
    kind: type[Array], data: st.DataObject, superuser: Connection
) -> None:
    values = data.draw(st.lists(KINDS[kind], max_size=20))
    row = superuser.execute(
        f"SELECT %b, %b = %s::{kind.element}[]", [kind(values), kind(values), values], binary=True
    ).fetchone()
    assert row == (values, True)


@SLOWLY
@given(rows=ROWS)
def test_rows_are_copied_as_they_are(rows: list[tuple[Any, ...]], superuser: Connection) -> None:
    with superuser.transaction(force_rollback=True):
        assert copied(superuser, rows, in_copy) == [(SCHOOL, *row) for row in rows]


@SLOWLY
@given(rows=ROWS)
def test_columns_are_the_bytes_that_the_server_sends(
    rows: list[tuple[Any, ...]], superuser: Connection
) -> None:
    with superuser.transaction(force_rollback=True):
        copied(superuser, rows, in_copy)
        assert read(superuser) == Columns(rows, NUMBERS).arrays()


def test_columns_of_no_rows_are_what_the_server_has_for_none(superuser: Connection) -> None:
    with superuser.transaction(force_rollback=True):
        superuser.execute(TABLE)
        assert read(superuser) == Columns([], NUMBERS).arrays()


@pytest.mark.parametrize("column", "abcdef")
def test_a_null_is_no_value_that_was_copied(column: str, superuser: Connection) -> None:
    """Of a type whose bytes say nothing, either: an empty text and none."""
    rows = [(UUID(int=0), 0, 0, "", b"", False)]
    with superuser.transaction(force_rollback=True):
        copied(superuser, rows, in_copy)
        superuser.execute(f"UPDATE copied SET {column} = NULL".encode())
        there, made = read(superuser), Columns(rows, NUMBERS).arrays()
    assert [name for name, one, other in zip("abcdef", there, made, strict=True) if one != other] == [column]


def test_what_is_cut_off_is_not_taken(superuser: Connection) -> None:
    def cut(first: UUID, rows: list[tuple[Any, ...]], types: list[int]) -> list[bytes]:
        signature, content, _ = in_copy(first, rows, types)
        return [signature, content[:-1]]

    row = (UUID(int=1), 1, 2, "a", b"b", True)
    with superuser.transaction(force_rollback=True), pytest.raises(psycopg.errors.BadCopyFileFormat):
        copied(superuser, [row], cut)


@pytest.mark.parametrize(("kind", "value"), [(Smallints, 2**15), (Bigints, -(2**63) - 1)])
def test_a_number_that_is_too_large_is_refused(kind: type[Array], value: int) -> None:
    with pytest.raises(OverflowError):
        kind([value])


def test_rows_must_have_all_columns() -> None:
    with pytest.raises(ValueError, match="zip"):
        columns_of([(UUID(int=1),)], (Uuids, Texts))
    with pytest.raises(ValueError, match="zip"):
        Columns([(UUID(int=1), 1)], NUMBERS)


def test_other_types_are_not_known() -> None:
    assert knows(NUMBERS)
    assert not knows([*NUMBERS, psycopg.postgres.types["date"].oid])


def in_copy(first: UUID, rows: list[tuple[Any, ...]], types: list[int]) -> Iterator[bytes]:
    """The rows as a COPY takes them."""
    return Columns(rows, types).copied(first)


def read(connection: Connection) -> list[bytes]:
    """The columns of the table but for the first, as the server sends them."""
    arrays = ", ".join(f"coalesce(array_agg({column}), '{{}}')" for column in "abcdef")
    row = undecoded(connection).execute(f"SELECT {arrays} FROM copied".encode()).fetchone()
    assert row
    return list(row)


def copied(
    connection: Connection, rows: list[tuple[Any, ...]], copying: Callable[..., Any]
) -> list[tuple[Any, ...]]:
    """What is in a table into which the rows were copied."""
    connection.execute(TABLE)
    with connection.cursor().copy("COPY copied FROM STDIN (FORMAT binary)") as copy:
        for part in copying(SCHOOL, rows, NUMBERS):
            copy.write(part)
    return connection.execute("SELECT * FROM copied", binary=True).fetchall()
