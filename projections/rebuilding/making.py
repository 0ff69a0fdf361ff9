"""Making the rows of one school again, and comparing them with the live ones at the same position.

Everything is read in one snapshot: the checkpoint, the rows that were written with it, the events up to it
and the keys. So neither workers nor writers are held up, and what they do meanwhile is after this position.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql

from domain.ledger.columns import Columns, Texts, knows, undecoded
from domain.ledger.database import Connection, bound, may_pass
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent, read_events
from domain.vault.keyring import Keyring
from domain.vault.service_keys import ServiceKeys
from projections.definitions import LIVE, NEXT
from projections.projection import Projection, Rebuildable, Row, Table
from projections.rebuilding import live
from projections.rebuilding.comparing import Compared, Difference, Kind, compare
from projections.runner import keys_of

SQL = load("projections.rebuilding", "rebuilding.sql")

BATCH = 4000
"""The most positions that are read at once."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What making a school's rows again has shown.

    Attributes:
        school_id: The school.
        position: The position at which both were compared.
        rows: How many rows the stream makes.
        digest: SHA-256 over the rows that the stream makes, in hexadecimal.
        live_digest: The same over the live rows.
        differences: The differences that are named.
        number: How many differences there are.
        failure: Why the rows could not be made, by its kind.
    """

    school_id: UUID
    position: int
    rows: int = 0
    digest: str = ""
    live_digest: str = ""
    differences: list[Difference] = msgspec.field(default_factory=list)
    number: int = 0
    failure: str | None = None


class Maker:
    """Makes schools' rows again, one school after another, on a connection of its own."""

    def __init__(self, conninfo: str, projection: Rebuildable, *, keep: bool, compare: bool = True) -> None:
        """Connects.

        Args:
            conninfo: How to reach the database; as its owner, if the rows are to be kept.
            projection: The projection.
            keep: Whether to copy the rows into the tables beside the live ones, which are empty yet.
            compare: Whether to compare them with the live ones, which must then have the same columns.
        """
        self._connection = psycopg.connect(
            conninfo, autocommit=True, application_name="target-tracker", prepare_threshold=1
        )
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        # What is written is lost if the server fails now, as rows are that have not been switched to.
        self._connection.execute("SET synchronous_commit = off")
        self._undecoded = undecoded(self._connection)
        self._projection = projection
        self._keep, self._compare = keep, compare
        self._types: dict[str, _Types] = {}

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def make(self, school_id: UUID, service_keys: ServiceKeys) -> Made:
        """Makes a school's rows in memory and compares them with the live ones.

        Args:
            school_id: The school.
            service_keys: The service's keys.

        Raises:
            psycopg.OperationalError: The database cannot be reached.
        """
        try:
            with bound(self._connection, school_id):
                return self._make(school_id, service_keys)
        except Exception as error:
            if may_pass(error):
                raise
            # The kind alone: what an error says may quote what it is about.
            return Made(school_id=school_id, position=0, failure=type(error).__name__)

    def _make(self, school_id: UUID, service_keys: ServiceKeys) -> Made:
        connection, projection = self._connection, self._projection
        asked = {"school": school_id, "projection": projection.name}
        place = connection.execute(SQL["place"], asked).fetchone()
        assert place
        position, head = place
        if not head and not (self._compare and live.has_rows(connection, school_id, projection.tables)):
            return Made(school_id=school_id, position=0)
        keys = keys_of(connection, school_id, service_keys)
        last = min(position, head)
        made = projection.fold(keys, batches(connection, school_id, 0, last, projection))
        gone = {row[0] for row in connection.execute(SQL["erased_since"], [school_id, last])}
        compared = []
        for table in projection.tables:
            rows = made[table.name]
            columns = self._columns_of(table, rows)
            if self._compare:
                compared.append(self._compared(table, keys, rows, columns, gone))
            if self._keep:
                self._copy(school_id, table, rows, columns)
        if self._keep:
            connection.execute(SQL["mark"], [school_id, projection.name, last])
        differences = [difference for each in compared for difference in each.differences]
        if position > head:
            differences.insert(0, _beyond_the_end(projection, school_id))
        return Made(
            school_id=school_id,
            position=last,
            rows=sum(map(len, made.values())),
            digest=_digest(each.digest for each in compared),
            live_digest=_digest(each.live_digest for each in compared),
            differences=differences,
            number=sum(each.number for each in compared) + (position > head),
        )

    def _columns_of(self, table: Table, rows: Sequence[Row]) -> Columns | None:
        """The rows by column, in the order of their key; none, where they are taken one by one."""
        if table.name not in self._types:
            self._types[table.name] = _types(self._connection, table, NEXT if self._keep else LIVE)
        types = self._types[table.name]
        if not types.by_column:
            return None
        in_order = list(rows)
        for place in reversed([table.columns.index(column) for column in table.key]):
            in_order.sort(key=partial(_number, place))
        return Columns(in_order, types.numbers[1:])

    def _compared(
        self, table: Table, keys: Keyring, rows: Sequence[Row], columns: Columns | None, gone: set[UUID]
    ) -> Compared:
        """What comparing with the live rows shows: at once, where their columns are the same bytes."""
        if columns is None:
            return self._row_by_row(table, keys, rows, gone)
        made, there = columns.arrays(), live.columns_of(self._undecoded, keys.school_id, table, gone)
        digest, live_digest = (hashlib.sha256(b"".join(arrays)).digest() for arrays in (made, there))
        if digest == live_digest:
            return Compared(digest, digest, [], 0)
        found = self._row_by_row(table, keys, rows, gone)
        return Compared(digest, live_digest if found.number else digest, found.differences, found.number)

    def _row_by_row(self, table: Table, keys: Keyring, rows: Sequence[Row], gone: set[UUID]) -> Compared:
        there = live.rows_of(self._connection, keys.school_id, table, gone)
        return compare(self._projection.name, table, keys, there, rows)

    def _copy(self, school_id: UUID, table: Table, rows: Sequence[Row], columns: Columns | None) -> None:
        if not rows:
            return
        into = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT binary)").format(
            table=sql.Identifier(NEXT, table.name),
            columns=sql.SQL(", ").join(map(sql.Identifier, ("school_id", *table.columns))),
        )
        with self._connection.cursor() as cursor, cursor.copy(into) as copy:
            if columns:
                for part in columns.copied(school_id):
                    copy.write(part)
                return
            copy.set_types(self._types[table.name].numbers)
            for row in rows:
                copy.write_row((school_id, *row))


def _digest(digests: Iterator[bytes]) -> str:
    return hashlib.sha256(b"".join(digests)).hexdigest()


def _beyond_the_end(projection: Projection, school_id: UUID) -> Difference:
    return Difference(
        projection=projection.name,
        school_id=school_id,
        table="checkpoints",
        row=f"projection={projection.name}",
        column="position",
        kind=Kind.DIFFERS,
    )


def batches(
    connection: Connection, school_id: UUID, after: int, last: int, projection: Projection
) -> Iterator[Sequence[RecordedEvent]]:
    """A school's events that a projection reads, some at a time.

    Args:
        connection: Bound to the school.
        school_id: The school.
        after: Only those after this position.
        last: Only those up to this position.
        projection: The projection.
    """
    categories = Texts(projection.categories)
    for start in range(after, last, BATCH):
        wanted = [school_id, start, min(start + BATCH, last), categories, categories]
        if events := read_events(connection, SQL["events"], wanted):
            yield events


def _number(place: int, row: Row) -> int:
    """The UUID in this place as a number: the order is the same, and found faster."""
    number: int = row[place].int
    return number


class _Types(NamedTuple):
    """The types of a table's columns, as PostgreSQL numbers them: a binary copy must have exactly these.

    `by_column` says that the rows can be taken by column: the types are known there, nothing is null or
    sealed by the projection itself, and the key is of UUIDs, whose order is the same everywhere.
    """

    numbers: list[int]
    by_column: bool


def _types(connection: Connection, table: Table, schema: str) -> _Types:
    rows = connection.execute(
        "SELECT attname, atttypid::bigint, attnotnull FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0",
        [f"{schema}.{table.name}"],
    ).fetchall()
    found = {column: (number, never_null) for column, number, never_null in rows}
    columns = [found[column] for column in ("school_id", *table.columns)]
    numbers = [number for number, _ in columns]
    by_column = (
        knows(numbers)
        and all(never_null for _, never_null in columns)
        and not table.opened
        and {found[column][0] for column in table.key} == {_UUID}
    )
    return _Types(numbers, by_column)


_UUID = psycopg.postgres.types["uuid"].oid
