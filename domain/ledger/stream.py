"""A school's stream: appending to it, and reading it, by position, by originator and by category."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast
from uuid import UUID

import psycopg
from eventsourcing.persistence import Notification, StoredEvent
from psycopg.errors import UniqueViolation
from psycopg.types.numeric import Int8BinaryLoader

from domain.errors import AlreadyExists, NotFound, StreamConflict, VersionConflict
from domain.ledger.database import Connection, Database, appended_on
from domain.ledger.single_append import append_one
from domain.ledger.sql import load

SQL = load("domain.ledger", "statements.sql")

DECISION_MOVED = "TT001"
NO_STREAM = "TT002"
VERSION_TAKEN = "events_originator_version"

Category = Literal["school", "staff", "pupil"]
"""The events that decisions are made from, which an index finds: the first word of their names."""


_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""From when PostgreSQL counts moments."""


@dataclass(frozen=True, init=False)
class RecordedEvent(Notification):
    """A stored event with its place in the school's stream (`id`) and the moment that it was recorded.

    Attributes:
        recorded: The moment as PostgreSQL keeps it: microseconds from the beginning of 2000, UTC.
    """

    recorded: int

    def __init__(
        self,
        originator_id: UUID | str,
        originator_version: int,
        topic: str,
        state: bytes,
        id: int,  # noqa: A002 - the library's name
        recorded: int,
    ) -> None:
        """Writes where attributes lie: a frozen dataclass's own goes through `object` for each."""
        values = self.__dict__
        values["originator_id"] = originator_id
        values["originator_version"] = originator_version
        values["topic"] = topic
        values["state"] = state
        values["id"] = id
        values["recorded"] = recorded

    @property
    def recorded_at(self) -> datetime:
        """The moment that it was recorded, UTC."""
        return _EPOCH + timedelta(microseconds=self.recorded)


def read_events(connection: Connection, statement: bytes, parameters: Sequence[Any]) -> list[RecordedEvent]:
    """The events that a statement selects: originator, version, type, state, position and moment of each.

    Few are ever asked for their moment, and making it costs as much as reading all else of an event.
    """
    return [RecordedEvent(*row) for row in _rows(connection, statement, parameters)]


def _rows(connection: Connection, statement: bytes, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows that a statement selects, with moments as PostgreSQL keeps them."""
    cursor = connection.cursor(binary=True)
    cursor.adapters.register_loader("timestamptz", Int8BinaryLoader)
    return cursor.execute(statement, parameters).fetchall()


@dataclass(frozen=True)
class Command:
    """What makes a command recognisable when it comes again.

    Attributes:
        id: A digest of the id that the caller gave.
        fingerprint: An HMAC of the content.
        result: What to answer a repeat with: ids and counts, never personal data.
    """

    id: UUID
    fingerprint: bytes
    result: bytes


@dataclass(frozen=True)
class Unless:
    """The condition of a decision that rests on every event of a category.

    Attributes:
        category: `school`, `staff` or `pupil`: the first word of the events' names.
        after: The position up to which the decision read them.
    """

    category: Category
    after: int


@dataclass(frozen=True)
class Appended:
    """What an append did.

    Attributes:
        first: The position of the first event.
        last: The position of the last.
        at: When they were recorded.
        repeated: The command had been carried out before: nothing was written now.
        result: What the command answered the first time, when repeated.
        fingerprint: The fingerprint of the first time, when repeated.
    """

    first: int
    last: int
    at: datetime
    repeated: bool = False
    result: bytes | None = None
    fingerprint: bytes | None = None


@dataclass(frozen=True)
class Head:
    """The head of a stream: its last position, its tree's compact range, and the time of its last event."""

    position: int
    peaks: bytes
    recorded_at: datetime | None


def register_school(connection: Connection, school_id: UUID, urn: str) -> None:
    """Opens a school's stream, within the transaction that is open and bound to the school.

    Raises:
        AlreadyExists: A school with this URN is registered.
    """
    try:
        connection.execute(SQL["add_school"], [urn, school_id])
        connection.execute(SQL["open_stream"], [school_id])
    except UniqueViolation:
        raise AlreadyExists(f"A school with URN {urn} is registered already") from None


def school_of_urn(database: Database, urn: str) -> UUID | None:
    """The school that has this URN, if one is registered."""
    with database.connection() as connection:
        row = connection.execute(SQL["school_of_urn"], [urn]).fetchone()
    return cast("UUID", row[0]) if row else None


def every_school(database: Database) -> list[UUID]:
    """The registered schools."""
    with database.connection() as connection:
        return [row[0] for row in connection.execute(SQL["every_school"])]


class Stream:
    """One school's stream."""

    def __init__(self, database: Database, school_id: UUID) -> None:
        self.database = database
        self.school_id = school_id

    def append(
        self,
        events: Sequence[StoredEvent],
        *,
        command: Command | None = None,
        unless: Unless | None = None,
        connection: Connection | None = None,
    ) -> Appended:
        """Appends events as one, or none of them.

        Args:
            events: What to append, in order.
            command: To be recognised when it comes again.
            unless: The condition that the decision rested on.
            connection: Joins the transaction that is open there; otherwise the append is one of its own.

        Raises:
            VersionConflict: An originator has an event of that version already.
            StreamConflict: The condition no longer holds.
            NotFound: The school has no stream.
        """
        try:
            if connection is not None:
                appended = self._append(connection, events, command, unless)
                appended_on(connection)
                return appended
            with self.database.connection() as own:
                if len(events) == 1:
                    appended = self._append_one(own, events[0], command, unless)
                else:
                    appended = self._append(own, events, command, unless)
                appended_on(own)
                return appended
        except UniqueViolation as error:
            if error.diag.constraint_name != VERSION_TAKEN:
                raise
            raise self._version_conflict(events, connection is None) from error
        except psycopg.Error as error:
            if error.sqlstate == DECISION_MOVED:
                raise StreamConflict("What this was decided on has changed meanwhile") from None
            if error.sqlstate == NO_STREAM:
                raise NotFound("There is no such school") from None
            raise

    def _append(
        self,
        connection: Connection,
        events: Sequence[StoredEvent],
        command: Command | None,
        unless: Unless | None,
    ) -> Appended:
        carried = (command.id, command.fingerprint, command.result) if command else (None, None, None)
        condition = (unless.category, unless.after) if unless else (None, None)
        found = connection.execute(
            SQL["append"],
            [
                self.school_id,
                [event.originator_id for event in events],
                [event.originator_version for event in events],
                [event.topic for event in events],
                [event.state for event in events],
                *carried,
                *condition,
            ],
            binary=True,
        ).fetchone()
        return Appended(*cast("tuple[Any, ...]", found))

    def _append_one(
        self, connection: Connection, event: StoredEvent, command: Command | None, unless: Unless | None
    ) -> Appended:
        row = append_one(
            connection,
            self.school_id,
            cast("UUID", event.originator_id),
            event.originator_version,
            event.topic,
            event.state,
            (command.id, command.fingerprint, command.result) if command else None,
            (unless.category, unless.after) if unless else None,
        )
        return Appended(*row)

    def _version_conflict(self, events: Sequence[StoredEvent], may_look: bool) -> VersionConflict:
        """Says which versions met; only a connection of its own can still ask what is there."""
        first = min(events, key=lambda event: event.originator_version)
        originators = [cast("UUID", event.originator_id) for event in events]
        actual = self.last_versions(originators) if may_look else {}
        for event in events:
            there = actual.get(cast("UUID", event.originator_id), 0)
            if there >= event.originator_version:
                return VersionConflict(
                    "This was changed meanwhile", expected=event.originator_version - 1, actual=there
                )
        return VersionConflict(
            "This was changed meanwhile",
            expected=first.originator_version - 1,
            actual=first.originator_version,
        )

    def head(self) -> Head:
        """The head of the stream.

        Raises:
            NotFound: The school has no stream.
        """
        with self.database.bound_to(self.school_id) as connection:
            row = connection.execute(SQL["head"], [self.school_id], binary=True).fetchone()
        if row is None:
            raise NotFound("There is no such school")
        return Head(*row)

    def command(self, command_id: UUID) -> Appended | None:
        """What a command did, if it was carried out."""
        with self.database.bound_to(self.school_id) as connection:
            row = connection.execute(SQL["command"], [self.school_id, command_id], binary=True).fetchone()
        if row is None:
            return None
        first, last, at, result, fingerprint = row
        return Appended(first, last, at, repeated=True, result=result, fingerprint=fingerprint)

    def events_of(
        self, originator_id: UUID, *, after: int | None = None, up_to: int | None = None
    ) -> list[RecordedEvent]:
        """The events of one originator, in order of version, in one round trip."""
        with self.database.connection() as connection:
            rows = _rows(connection, SQL["events_of"], [self.school_id, originator_id, after, up_to])
        return [RecordedEvent(originator_id, *row) for row in rows]

    def events_with_keys(
        self, originator_id: UUID, subject: UUID, *, up_to: int | None = None
    ) -> tuple[list[RecordedEvent], bytes | None]:
        """The events of one originator, in order of version, and the wrapped keys of their subject.

        Args:
            originator_id: Whose events.
            subject: Whom they are about.
            up_to: The last version to read.

        Returns:
            The events, and the keys as `vault.events_of` packs them: in one round trip.
        """
        with self.database.connection() as connection:
            wanted = [self.school_id, originator_id, subject, None, up_to]
            rows = _rows(connection, SQL["events_with_keys"], wanted)
        return [RecordedEvent(originator_id, *row) for *row, _ in rows], rows[0][-1] if rows else None

    def last_events_of(
        self,
        originator_id: UUID,
        *,
        after: int | None = None,
        up_to: int | None = None,
        limit: int | None = None,
    ) -> list[RecordedEvent]:
        """The events of one originator, the newest first."""
        with self.database.bound_to(self.school_id) as connection:
            wanted = [self.school_id, originator_id, after, up_to, limit]
            rows = _rows(connection, SQL["events_of_descending"], wanted)
        return [RecordedEvent(originator_id, *row) for row in rows]

    def events_of_many(
        self, originator_ids: Iterable[UUID], *, up_to: int | None = None, at: datetime | None = None
    ) -> list[RecordedEvent]:
        """The events of several originators, in the order of the stream.

        Args:
            originator_ids: Whose events.
            up_to: The last position to read.
            at: The last moment to read.
        """
        return self._select("events_of_many", [self.school_id, list(originator_ids), up_to, at])

    def events_of_category(
        self, category: Category, *, up_to: int | None = None, at: datetime | None = None
    ) -> list[RecordedEvent]:
        """Every event of a category (`school`, `staff` or `pupil`), in the order of the stream."""
        return self._select("events_of_category", [self.school_id, category, up_to, at])

    def events_between(
        self, first: int, last: int | None = None, *, limit: int, types: Sequence[str] | None = None
    ) -> list[RecordedEvent]:
        """The events at positions `first` to `last`, both included.

        Args:
            first: The first position.
            last: The last position; the end of the stream if not given.
            limit: The most events to return.
            types: Only events of these types, such as `pupil.admitted.1`.
        """
        wanted = list(types) if types else None
        return self._select("events_between", [self.school_id, first, last, wanted, wanted, limit])

    def last_of_each_between(self, first: int, last: int, types: Sequence[str]) -> list[RecordedEvent]:
        """The newest event of each originator at positions `first` to `last`, both included.

        Args:
            first: The first position.
            last: The last position.
            types: Only events of these types, such as `pupil.admitted.1`.
        """
        return self._select("last_of_each_between", [self.school_id, first, last, list(types)])

    def last_versions(
        self, originator_ids: Iterable[UUID], connection: Connection | None = None
    ) -> dict[UUID, int]:
        """The newest version of each of these originators that has any event.

        Args:
            originator_ids: The originators.
            connection: Looks within the transaction that is open there, which is bound to the school.
        """
        parameters = [self.school_id, list(originator_ids)]
        if connection is not None:
            return dict(connection.execute(SQL["last_versions"], parameters, binary=True).fetchall())
        with self.database.bound_to(self.school_id) as own:
            return dict(own.execute(SQL["last_versions"], parameters, binary=True).fetchall())

    def check_unmoved(self, rests_on: Mapping[UUID, int], connection: Connection) -> None:
        """Makes sure that nobody added anything to what a decision rests on.

        After an append in this transaction, which has the head's lock, nobody can any more.

        Args:
            rests_on: Originators, and the version of each; 0, where it had no event.
            connection: A transaction that has appended.

        Raises:
            StreamConflict: Somebody has.
        """
        if not rests_on:
            return
        versions = self.last_versions(rests_on, connection)
        if any(versions.get(originator, 0) != version for originator, version in rests_on.items()):
            raise StreamConflict("What this was decided on has changed meanwhile")

    def lock(self, connection: Connection) -> None:
        """Keeps others from appending until the transaction that is open there ends."""
        connection.execute(SQL["lock"], [self.school_id])

    def _select(self, statement: str, parameters: list[Any]) -> list[RecordedEvent]:
        with self.database.bound_to(self.school_id) as connection:
            return read_events(connection, SQL[statement], parameters)
