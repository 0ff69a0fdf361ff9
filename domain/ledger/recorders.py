"""The eventsourcing library's recorders, bound to one school: its positions are their notification ids."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

import psycopg
from eventsourcing import persistence
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    Tracking,
    TrackingRecorder,
)

from domain.errors import VersionConflict
from domain.ledger.database import Connection, Database, bound
from domain.ledger.stream import SQL, Appended, Command, Stream, Unless

P = ParamSpec("P")
R = TypeVar("R")

POLL_INTERVAL = 0.05
"""Seconds between a subscription's looks at the head of the stream."""

PAGE = 500
"""Events that a subscription reads at once."""


def raises_library_errors(method: Callable[P, R]) -> Callable[P, R]:
    """Decorates a recorder's method: callers of the library see its exceptions, not the driver's and ours."""

    @wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except VersionConflict as error:
            raise persistence.IntegrityError(str(error)) from error
        except psycopg.IntegrityError as error:
            raise persistence.IntegrityError(str(error.sqlstate)) from error
        except psycopg.OperationalError as error:
            raise persistence.OperationalError(str(error)) from error
        except psycopg.Error as error:
            raise persistence.DatabaseError(f"{type(error).__name__} {error.sqlstate}") from error

    return wrapped


class SnapshotRecorder(AggregateRecorder):
    """Keeps the snapshots of a school's aggregates."""

    def __init__(self, database: Database, school_id: UUID) -> None:
        self.database = database
        self.school_id = school_id

    @raises_library_errors
    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> None:
        """Adds snapshots, all or none."""
        if not stored_events:
            return
        with self.database.bound_to(self.school_id) as connection:
            connection.execute(
                SQL["add_snapshot"],
                [
                    self.school_id,
                    [event.originator_id for event in stored_events],
                    [event.originator_version for event in stored_events],
                    [event.topic for event in stored_events],
                    [event.state for event in stored_events],
                ],
            )

    @raises_library_errors
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The snapshots of one aggregate."""
        statement = SQL["snapshots_of_descending" if desc else "snapshots_of"]
        with self.database.bound_to(self.school_id) as connection:
            rows = connection.execute(
                statement, [self.school_id, originator_id, gt, lte, limit], binary=True
            ).fetchall()
        return [StoredEvent(originator_id, version, topic, state) for version, topic, state in rows]


class StreamRecorder(ApplicationRecorder):
    """Records a school's events."""

    def __init__(self, database: Database, school_id: UUID) -> None:
        self.database = database
        self.school_id = school_id
        self.stream = Stream(database, school_id)

    @raises_library_errors
    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int]:
        """Appends to the school's stream and returns the events' positions.

        Args:
            stored_events: The events.
            **kwargs: `command`, a :class:`~domain.ledger.stream.Command`; `unless`, an
                :class:`~domain.ledger.stream.Unless`; `tracking`, the upstream position that they come from.
        """
        appended = self._insert(
            stored_events, kwargs.get("command"), kwargs.get("unless"), kwargs.get("tracking")
        )
        return list(range(appended.first, appended.last + 1)) if appended else []

    def _insert(
        self,
        events: Sequence[StoredEvent],
        command: Command | None,
        unless: Unless | None,
        tracking: Tracking | None,
    ) -> Appended | None:
        if tracking is None:
            return self.stream.append(events, command=command, unless=unless) if events else None
        with self.database.connection() as connection, bound(connection, self.school_id):
            track(connection, self.school_id, tracking)
            if not events:
                return None
            return self.stream.append(events, command=command, unless=unless, connection=connection)

    @raises_library_errors
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of one originator."""
        originator = cast("UUID", originator_id)
        if desc:
            rows = self.stream.last_events_of(originator, after=gt, up_to=lte, limit=limit)
        else:
            rows = self.stream.events_of(originator, after=gt, up_to=lte)[:limit]
        return [StoredEvent(row.originator_id, row.originator_version, row.topic, row.state) for row in rows]

    @raises_library_errors
    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """The events of the school in the order of its stream."""
        first = 1 if start is None else start if inclusive_of_start else start + 1
        return self.stream.events_between(first, stop, limit=limit, types=topics)

    @raises_library_errors
    def max_notification_id(self) -> int | None:
        """The position of the last event, if there is any."""
        return self.stream.head().position or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Follows the stream, waiting for new events at its end."""
        return StreamSubscription(recorder=self, gt=gt, topics=topics)


class StreamSubscription(Subscription[ApplicationRecorder]):
    """Follows a stream by looking at it: nothing can die unnoticed, and positions leave no gaps."""

    _page: Iterator[Notification] = iter(())

    def __next__(self) -> Notification:
        while not self._has_been_stopped:
            for notification in self._page:
                self._last_notification_id = notification.id
                return notification
            page = self._recorder.select_notifications(
                start=self._last_notification_id,
                limit=PAGE,
                topics=self._topics,
                inclusive_of_start=False,
            )
            self._page = iter(page)
            if not page:
                time.sleep(POLL_INTERVAL)
        raise StopIteration


def track(connection: Connection, school_id: UUID, tracking: Tracking) -> None:
    """Notes that an upstream event has been processed, within the transaction that is open.

    Raises:
        IntegrityError: It, or a later one, had been noted before.
    """
    parameters = [school_id, tracking.application_name, tracking.notification_id]
    if connection.execute(SQL["track"], parameters).fetchone() is None:
        raise persistence.IntegrityError(f"{tracking.application_name} was processed up to there already")


class StreamTrackingRecorder(TrackingRecorder):
    """Notes how far the library's own projections have come on a school's events."""

    def __init__(self, database: Database, school_id: UUID) -> None:
        self.database = database
        self.school_id = school_id

    @raises_library_errors
    def insert_tracking(self, tracking: Tracking) -> None:
        """Notes a position; positions only rise."""
        with self.database.bound_to(self.school_id) as connection:
            track(connection, self.school_id, tracking)

    @raises_library_errors
    def max_tracking_id(self, application_name: str) -> int | None:
        """The highest position noted for an application."""
        with self.database.bound_to(self.school_id) as connection:
            row = connection.execute(SQL["tracked"], [self.school_id, application_name]).fetchone()
        return cast("int", row[0]) if row else None


class StreamProcessRecorder(StreamRecorder, StreamTrackingRecorder, ProcessRecorder):
    """Appends events and notes the upstream position that caused them in one transaction."""
