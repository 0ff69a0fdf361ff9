"""The runner: any number of workers share the schools, with no leader, and apply every event exactly once.

A worker looks for schools that a projection is behind on, takes one school's checkpoint (`SKIP LOCKED`: what
another worker holds is left to it), reads the events after it, and writes the rows and the new checkpoint in
one transaction. An event that cannot be applied stops that projection for its school alone, just before the
event, until a person has looked at it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec
import psycopg

from domain.errors import NotYetVisible, SchoolStopped
from domain.ledger.database import Connection, Database, may_pass
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent
from domain.vault import keystore
from domain.vault.keyring import Keyring
from domain.vault.service_keys import ServiceKeys
from projections.forgetting import erased_in, forget_in_previous
from projections.projection import Projection
from projections.registry import discover

SQL = load("projections", "statements.sql")

PROJECTIONS = discover()
"""Every projection that there is."""

BATCH = 4000
"""The most positions that one transaction moves a checkpoint by."""

POLL_INTERVAL = 0.05
"""Seconds between looks when there is nothing to do."""

LONGEST_BACK_OFF = 10.0
"""Seconds to wait at most while the database cannot be reached."""

log = logging.getLogger(__name__)


class Worker:
    """Keeps projections up with the streams."""

    def __init__(
        self,
        database: Database,
        service_keys: ServiceKeys,
        projections: Sequence[Projection] = PROJECTIONS,
        *,
        batch: int = BATCH,
    ) -> None:
        """Makes a worker.

        Args:
            database: Connections of the worker's role.
            service_keys: The service's keys, which open the record key of every school.
            projections: What it keeps up.
            batch: The most positions that one transaction moves a checkpoint by.
        """
        self._database = database
        self._service_keys = service_keys
        self._projections = {projection.name: projection for projection in projections}
        self._batch = batch

    def run(self, stop: threading.Event) -> None:
        """Works until told to stop, and outlasts a database that goes away and comes back."""
        back_off = POLL_INTERVAL
        while not stop.is_set():
            try:
                moved = self.run_once()
            except psycopg.OperationalError as error:
                log.warning("the database cannot be reached (%s): trying again", type(error).__name__)
                stop.wait(back_off)
                back_off = min(back_off * 2, LONGEST_BACK_OFF)
                continue
            back_off = POLL_INTERVAL
            if not moved:
                stop.wait(POLL_INTERVAL)

    def run_once(self) -> int:
        """Brings every school that is behind one batch forward.

        Returns:
            By how many positions checkpoints moved, all together.
        """
        with self._database.transaction() as connection:
            behind = connection.execute(SQL["behind"], {"projections": list(self._projections)}).fetchall()
        return sum(self.catch_up(school_id, self._projections[name]) for school_id, name in behind)

    def run_until_idle(self) -> None:
        """Works until nothing is left to do, but what other workers are at and what has stopped."""
        while self.run_once():
            pass

    def catch_up(self, school_id: UUID, projection: Projection) -> int:
        """Brings one projection of one school one batch forward, or up to an event that it cannot apply.

        Returns:
            By how many positions the checkpoint moved: none if another worker is at it.
        """
        try:
            return self._move(school_id, projection)
        except Exception as error:
            if may_pass(error):
                raise
            return self._move_up_to_the_culprit(school_id, projection)

    def _move(self, school_id: UUID, projection: Projection) -> int:
        with self._database.bound_to(school_id) as connection:
            taken = _take(connection, school_id, projection.name)
            if taken:
                position, head = taken
                last = min(head, position + self._batch)
                self._apply(connection, school_id, projection, position, last)
                return last - position
        # Either another worker is at it, or there is no checkpoint yet. One is opened in a transaction of its
        # own: others would have to wait for it until the first batch is done.
        with self._database.bound_to(school_id) as connection:
            opened = connection.execute(SQL["open_checkpoint"], [school_id, projection.name]).rowcount
        return self._move(school_id, projection) if opened else 0

    def _move_up_to_the_culprit(self, school_id: UUID, projection: Projection) -> int:
        moved = 0
        while moved < self._batch and self._step_or_stop(school_id, projection):
            moved += 1
        return moved

    def _step_or_stop(self, school_id: UUID, projection: Projection) -> bool:
        """Applies one event, or stops before it: under one lock, so that no other worker can pass between."""
        with self._database.bound_to(school_id) as connection:
            taken = _take(connection, school_id, projection.name)
            if taken is None:
                return False
            position, _ = taken
            try:
                with connection.transaction():
                    self._apply(connection, school_id, projection, position, position + 1)
            except Exception as error:
                if may_pass(error):
                    raise
                _stop(connection, school_id, projection, position, error)
                return False
            return True

    def _apply(
        self, connection: Connection, school_id: UUID, projection: Projection, after: int, last: int
    ) -> None:
        """Writes what the events after a position make of the rows, and moves the checkpoint."""
        if events := _read(connection, school_id, after, last, projection.categories):
            projection.apply(connection, keys_of(connection, school_id, self._service_keys), events)
            if erased := erased_in(events):
                forget_in_previous(connection, school_id, projection.name, erased)
        connection.execute(SQL["move_checkpoint"], [last, school_id, projection.name])


def keys_of(connection: Connection, school_id: UUID, service_keys: ServiceKeys) -> Keyring:
    """What the service opens of a school by itself, with the keys of people looked up as they are needed.

    Args:
        connection: Of the worker's role, in a transaction that is bound to the school.
        school_id: The school.
        service_keys: The service's keys.

    Raises:
        NotFound: The school has no keys.
        DoesNotOpen: The service's keys do not open the school's.
    """
    school = keystore.for_service(connection, school_id, service_keys)
    return Keyring(school, partial(keystore.record_keys_of_subjects, connection, school_id))


def _take(connection: Connection, school_id: UUID, name: str) -> tuple[int, int] | None:
    """The checkpoint and the head, if there is anything to do and no other worker is at it."""
    row = connection.execute(SQL["take_checkpoint"], [school_id, name], binary=True).fetchone()
    # The checkpoint is read when it is locked and may be newer than the head, which was read before.
    return (row[0], row[1]) if row and row[0] < row[1] else None


def _read(
    connection: Connection, school_id: UUID, after: int, last: int, categories: tuple[str, ...]
) -> list[RecordedEvent]:
    rows = connection.execute(
        SQL["events"], [school_id, after, last, list(categories), list(categories)], binary=True
    ).fetchall()
    return [RecordedEvent(*row) for row in rows]


def _stop(
    connection: Connection, school_id: UUID, projection: Projection, position: int, error: Exception
) -> None:
    culprit = _read(connection, school_id, position, position + 1, projection.categories)
    topic = culprit[0].topic if culprit else "an event"
    reason = f"{type(error).__name__} at position {position + 1}, {topic}"
    connection.execute(SQL["stop_checkpoint"], [reason, school_id, projection.name])
    log.error("projection %s stopped for school %s: %s", projection.name, school_id, reason)


class ProjectionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far a projection has come with a school.

    Attributes:
        projection: Its name.
        school_id: The school.
        position: The checkpoint.
        head: The end of the stream.
        stopped_at: When it stopped, if it has.
        stopped_by: What it stopped at.
    """

    projection: str
    school_id: UUID
    position: int
    head: int
    stopped_at: datetime | None = None
    stopped_by: str | None = None

    @property
    def behind(self) -> int:
        """How many events it has still to read."""
        return self.head - self.position


def status(database: Database, projections: Sequence[Projection] = PROJECTIONS) -> list[ProjectionStatus]:
    """How far each projection has come with each school; the stopped and the furthest behind come first.

    Args:
        database: Connections of the worker's role.
        projections: The projections to tell of.
    """
    names = [projection.name for projection in projections]
    with database.transaction() as connection:
        rows = connection.execute(SQL["status"], {"projections": names}).fetchall()
    return [
        ProjectionStatus(
            projection=name, school_id=school, position=position, head=head, stopped_at=at, stopped_by=reason
        )
        for name, school, position, head, at, reason in rows
    ]


def resume(database: Database, school_id: UUID, projection: str) -> bool:
    """Lets a stopped projection try its school again; false if it had not stopped."""
    with database.bound_to(school_id) as connection:
        return bool(connection.execute(SQL["resume_checkpoint"], [school_id, projection]).rowcount)


def wait_for(
    database: Database, school_id: UUID, projection: str, position: int, timeout: float = 5.0
) -> None:
    """Waits until a projection shows what was written at a position.

    Raises:
        NotYetVisible: It has not come so far within the time.
        SchoolStopped: It has stopped before it.
    """
    deadline = time.monotonic() + timeout
    pause = 0.002
    while True:
        with database.bound_to(school_id) as connection:
            row = connection.execute(SQL["checkpoint"], [school_id, projection]).fetchone()
        reached, stopped = row or (0, False)
        if reached >= position:
            return
        if stopped:
            raise SchoolStopped("This view has stopped and waits for a person to look at it", reached=reached)
        if time.monotonic() > deadline:
            raise NotYetVisible(
                "This view has not come so far yet: try again", reached=reached, wanted=position
            )
        time.sleep(pause)
        pause = min(pause * 2, 0.05)
