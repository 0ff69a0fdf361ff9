"""Comparing the rows of a school that are live with those that its stream makes.

Rows are compared as bytes, and the digest of a table is SHA-256 over those in their order: it is the same
wherever the same rows are. A column that the projection seals itself is opened first; one that was copied as
it lay in the event, the names among them, is compared unopened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import MapperDeserialisationError

from domain.errors import TargetTrackerError
from domain.vault.keyring import Keyring
from projections.projection import Row, Table

MOST_NAMED = 1000
"""Differences that are named of one school; the others are counted."""

_UNOPENED = ["does not open here"]
"""Stands for what is in a column that does not open; no column holds such a value."""

_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")
_encode = _encoder.encode


class Kind(StrEnum):
    """How a live row differs from what the stream says."""

    DIFFERS = "differs"
    MISSING = "is missing"
    TOO_MUCH = "should not be there"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is otherwise in the live rows than the stream says.

    Attributes:
        projection: The projection.
        school_id: The school.
        table: The table.
        row: What names the row: ids and numbers, as in `pupil_id=...`.
        column: The column that differs; none, where the whole row is missing or too much.
        kind: How.
    """

    projection: str
    school_id: UUID
    table: str
    row: str
    column: str | None
    kind: Kind


class Compared(msgspec.Struct, frozen=True):
    """What comparing a table of a school has shown.

    Attributes:
        digest: SHA-256 over the rows that the stream makes.
        live_digest: SHA-256 over the live rows.
        differences: The differences, :data:`MOST_NAMED` of them at most.
        number: How many there are.
    """

    digest: bytes
    live_digest: bytes
    differences: list[Difference]
    number: int


def compare(
    projection: str, table: Table, keys: Keyring, live: Sequence[Row], made: Sequence[Row]
) -> Compared:
    """Compares the live rows of a school with those that were made of its stream.

    Args:
        projection: The projection's name.
        table: The table.
        keys: What opens the sealed columns.
        live: The live rows.
        made: Those that were made.
    """
    is_so, should_be = (_canonical(table, keys, rows) for rows in (live, made))
    digest, live_digest = (hashlib.sha256(b"".join(rows)).digest() for rows in (should_be, is_so))
    if digest == live_digest:
        return Compared(digest, live_digest, [], 0)
    every = list(_differences(projection, table, keys, live, made))
    return Compared(digest, live_digest, list(islice(every, MOST_NAMED)), len(every))


def _canonical(table: Table, keys: Keyring, rows: Iterable[Row]) -> list[bytes]:
    """The rows as bytes, in an order that depends on nothing but the bytes."""
    if table.opened:
        rows = (_opened(table, keys, row) for row in rows)
    return sorted(map(_encode, rows))


def _opened(table: Table, keys: Keyring, row: Row) -> Row:
    """The row with what is in its sealed columns in their place."""
    values: list[Any] = list(row)
    for column, what_is_in in table.opened.items():
        try:
            values[table.columns.index(column)] = what_is_in(keys, row)
        except (
            TargetTrackerError,
            MapperDeserialisationError,
            msgspec.MsgspecError,
            ValueError,
            OverflowError,
        ):
            values[table.columns.index(column)] = _UNOPENED
    return tuple(values)


def _differences(
    projection: str, table: Table, keys: Keyring, live: Iterable[Row], made: Iterable[Row]
) -> Iterator[Difference]:
    places = [table.columns.index(column) for column in table.key]

    def by_key(rows: Iterable[Row]) -> dict[tuple[Any, ...], Row]:
        return {tuple(row[place] for place in places): _opened(table, keys, row) for row in rows}

    school_id, is_so, should_be = keys.school_id, by_key(live), by_key(made)
    for key in [*should_be, *(key for key in is_so if key not in should_be)]:
        row = " ".join(f"{column}={value}" for column, value in zip(table.key, key, strict=True))
        there, wanted = is_so.get(key), should_be.get(key)
        if there is None or wanted is None:
            columns: list[str | None] = [None]
            kind = Kind.MISSING if there is None else Kind.TOO_MUCH
        else:
            kind = Kind.DIFFERS
            columns = [
                column
                for column, one, other in zip(table.columns, there, wanted, strict=True)
                if _encode(one) != _encode(other)
            ]
        for column in columns:
            yield Difference(
                projection=projection,
                school_id=school_id,
                table=table.name,
                row=row,
                column=column,
                kind=kind,
            )
