"""The runner: any number of workers share the schools, with no leader, and apply every event exactly once.

A worker looks for schools that a projection is behind on, takes one school's checkpoint (`SKIP LOCKED`: what
another worker holds is left to it), reads the events after it, and writes the rows and the new checkpoint in
one transaction. An event that cannot be applied stops that projection for its school alone, just before the
event. It is tried again more and more seldom, or as soon as a person says so, and never stepped over.
"""

from __future__ import annotations

import gc
import logging
import secrets
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec
import psycopg

from domain.errors import NotYetVisible, SchoolStopped
from domain.ledger.columns import Texts
from domain.ledger.database import Connection, Database, may_pass
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent, read_events
from domain.vault import keystore
from domain.vault.keyring import Keyring
from domain.vault.service_keys import ServiceKeys
from projections.forgetting import erased_in, forget_in_previous
from projections.projection import Projection
from projections.registry import discover
from projections.waking import POLL_INTERVAL, Listener

SQL = load("projections", "statements.sql")

PROJECTIONS = discover()
"""Every projection that there is."""

BATCH = 4000
"""The most positions that one transaction moves a checkpoint by."""

LONGEST_BACK_OFF = 10.0
"""Seconds to wait at most while the database cannot be reached."""

FIRST_TRY_AGAIN = 60.0
"""Seconds until what has stopped for the first time is tried again; twice as long after each further try."""

LONGEST_UNTIL_NEXT_TRY = 3600.0
"""Seconds between tries at most."""

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
        self._listener: Listener | None = None
        self._order = secrets.randbits(64)
        self.applied = 0
        """By how many positions it has moved checkpoints, all together."""
        self.looked_at: float | None = None
        """When it last looked for something to do, on the monotonic clock, in seconds."""

    @property
    def listening(self) -> bool:
        """Whether it is at work and hears of appends; if not, it finds them by looking more often."""
        return self._listener is not None and self._listener.listening

    def run(self, stop: threading.Event) -> None:
        """Works until told to stop, and outlasts a database that goes away and comes back.

        Args:
            stop: Set to stop it: a batch that has begun is finished.
        """
        back_off = POLL_INTERVAL
        with Listener(self._database) as listener:
            self._listener = listener
            while not stop.is_set():
                listener.about_to_look()
                try:
                    moved = self.run_once(stop)
                except psycopg.OperationalError as error:
                    log.warning("the database cannot be reached (%s): trying again", type(error).__name__)
                    stop.wait(back_off)
                    back_off = min(back_off * 2, LONGEST_BACK_OFF)
                    continue
                back_off = POLL_INTERVAL
                if not moved:
                    listener.wait(stop)

    def run_once(self, stop: threading.Event | None = None) -> int:
        """Brings every school that is behind one batch forward.

        Args:
            stop: Set to stop it after the school that it is at.

        Returns:
            By how many positions checkpoints moved, all together.
        """
        self.looked_at = time.monotonic()
        with self._database.transaction() as connection:
            behind = connection.execute(SQL["behind"], {"projections": list(self._projections)}).fetchall()
        # Always in the same order, so that none waits for two rounds, at the beginning of one and at the end
        # of the next; and in another one in each worker, so that they do not follow one another.
        behind.sort(key=lambda row: hash((self._order, row[0].int)))
        moved = 0
        for school_id, names in behind:
            if stop is not None and stop.is_set():
                break
            moved += self._catch_up(school_id, [self._projections[name] for name in names])
        return moved

    def run_until_idle(self) -> None:
        """Works until nothing is left to do, but what other workers are at and what has stopped."""
        while self.run_once():
            pass

    def catch_up(self, school_id: UUID, projection: Projection) -> int:
        """Brings one projection of one school one batch forward, or up to an event that it cannot apply.

        Returns:
            By how many positions the checkpoint moved: none if another worker is at it.
        """
        return self._catch_up(school_id, [projection])

    def _catch_up(self, school_id: UUID, projections: Sequence[Projection]) -> int:
        try:
            moved = self._move(school_id, projections)
        except Exception as error:
            if may_pass(error):
                raise
            if len(projections) == 1:
                moved = self._move_up_to_the_culprit(school_id, projections[0])
            else:  # it is the fault of one of them, and the others go on
                moved = sum(self._catch_up(school_id, [projection]) for projection in projections)
        self.applied += moved
        return moved

    def _move(self, school_id: UUID, projections: Sequence[Projection]) -> int:
        """Brings some projections of a school forward, all in one transaction."""
        by_name = {projection.name: projection for projection in projections}
        moved = 0
        with self._working_on(school_id) as connection:
            there, ready = _take_each(connection, school_id, list(by_name))
            if ready:
                keys = keys_of(connection, school_id, self._service_keys)
            for (position, head), names in ready.items():
                last = min(head, position + self._batch)
                together = [by_name[name] for name in names]
                self._apply(connection, keys, together, position, last)
                moved += (last - position) * len(together)
        if missing := by_name.keys() - there:
            # Either other workers are at them, or there is no checkpoint yet. One is opened in a transaction
            # of its own: others would have to wait for it until the first batch is done.
            with self._working_on(school_id) as connection:
                opened = connection.execute(SQL["open_checkpoints"], [school_id, list(missing)]).fetchall()
            if opened:
                moved += self._move(school_id, [by_name[name] for (name,) in opened])
        return moved

    def _move_up_to_the_culprit(self, school_id: UUID, projection: Projection) -> int:
        moved = 0
        while moved < self._batch and self._step_or_stop(school_id, projection):
            moved += 1
        return moved

    def _step_or_stop(self, school_id: UUID, projection: Projection) -> bool:
        """Applies one event, or stops before it: under one lock, so that no other worker can pass between."""
        with self._working_on(school_id) as connection:
            taken = _take(connection, school_id, projection.name)
            if taken is None:
                return False
            position, _ = taken
            try:
                with connection.transaction():
                    keys = keys_of(connection, school_id, self._service_keys)
                    self._apply(connection, keys, [projection], position, position + 1)
            except Exception as error:
                if may_pass(error):
                    raise
                _stop(connection, school_id, projection, position, error)
                return False
            return True

    def _working_on(self, school_id: UUID) -> AbstractContextManager[Connection]:
        """A transaction in which rows of a school are made.

        Its commit does not wait for the disk: rows and checkpoint are lost together in a crash of the server,
        if at all, and made again from the stream.
        """
        return self._database.bound_to(school_id, durable=False)

    def _apply(
        self, connection: Connection, keys: Keyring, projections: Sequence[Projection], after: int, last: int
    ) -> None:
        """Writes what the events after a position make of the rows, and moves the checkpoints."""
        categories = {category for projection in projections for category in projection.categories}
        events = _read(connection, keys.school_id, after, last, tuple(categories))
        topics = {event.topic for event in events}
        for projection in projections:
            its_own = events_of(projection, events, topics)
            if its_own:
                projection.apply(connection, keys, its_own)
                if erased := erased_in(its_own):
                    forget_in_previous(connection, keys.school_id, projection.name, erased)
        names = [projection.name for projection in projections]
        connection.execute(SQL["move_checkpoints"], [last, keys.school_id, Texts(names)])


def events_of(
    projection: Projection, events: Sequence[RecordedEvent], topics: Iterable[str]
) -> Sequence[RecordedEvent]:
    """Those events that a projection reads, as the statement `events` would choose them.

    Args:
        projection: The projection.
        events: Events, in their order.
        topics: The topics that there are among them.
    """
    categories = set(projection.categories)
    unread = {
        topic
        for topic in topics
        if topic.split(".", 1)[0] not in categories and topic.rstrip("0123456789") not in categories
    }
    if not unread:
        return events
    if unread.issuperset(topics):
        return []
    return [event for event in events if event.topic not in unread]


def collect_garbage_seldom() -> None:
    """Spares a process that is a worker and nothing else a fifth of its processor time.

    A batch is tens of thousands of objects that live until its end and refer to one another in no circle.
    Python's collector would look through them again and again, and find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


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


def _take_each(
    connection: Connection, school_id: UUID, names: Sequence[str]
) -> tuple[set[str], dict[tuple[int, int], list[str]]]:
    """Takes several checkpoints, but for those that another worker is at.

    Returns:
        The names whose checkpoints there are and nobody else is at; and, of those for which there is anything
        to do, the checkpoint and the head, with the names of the projections that are there.
    """
    rows = connection.execute(SQL["take_checkpoints"], [school_id, Texts(names)], binary=True).fetchall()
    ready: dict[tuple[int, int], list[str]] = {}
    for name, position, head, waits in rows:
        # As in `_take`, a checkpoint may be newer than the head.
        if position < head and not waits:
            ready.setdefault((position, head), []).append(name)
    return {row[0] for row in rows}, ready


def _read(
    connection: Connection, school_id: UUID, after: int, last: int, categories: tuple[str, ...]
) -> list[RecordedEvent]:
    wanted = [school_id, after, last, Texts(categories), Texts(categories)]
    return read_events(connection, SQL["events"], wanted)


def _stop(
    connection: Connection, school_id: UUID, projection: Projection, position: int, error: Exception
) -> None:
    culprit = _read(connection, school_id, position, position + 1, projection.categories)
    topic = culprit[0].topic if culprit else "an event"
    reason = f"{type(error).__name__} at position {position + 1}, {topic}"
    row = connection.execute(
        SQL["stop_checkpoint"],
        {
            "reason": reason,
            "first": FIRST_TRY_AGAIN,
            "longest": LONGEST_UNTIL_NEXT_TRY,
            "school_id": school_id,
            "projection": projection.name,
        },
    ).fetchone()
    tries = row[0] if row else 1
    log.error("projection %s stopped for school %s (try %d): %s", projection.name, school_id, tries, reason)


class ProjectionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far a projection has come with a school.

    Attributes:
        projection: Its name.
        school_id: The school.
        position: The checkpoint.
        head: The end of the stream.
        seconds: Since the oldest event that it has not applied was recorded; nothing, if there is none.
        stopped_at: When it stopped, if it has.
        stopped_by: What it stopped at.
        tries: How often it has tried what it stopped at.
        next_try_at: When it tries again by itself.
    """

    projection: str
    school_id: UUID
    position: int
    head: int
    seconds: float | None = None
    stopped_at: datetime | None = None
    stopped_by: str | None = None
    tries: int = 0
    next_try_at: datetime | None = None

    @property
    def behind(self) -> int:
        """How many events it has still to read."""
        return self.head - self.position


def status(
    database: Database, projections: Sequence[Projection] = PROJECTIONS, *, only_behind: bool = False
) -> list[ProjectionStatus]:
    """How far each projection has come with each school; the stopped and the furthest behind come first.

    Args:
        database: Connections of the worker's role.
        projections: The projections to tell of.
        only_behind: Leave out what has caught up.
    """
    names = [projection.name for projection in projections]
    with database.transaction() as connection:
        rows = connection.execute(
            SQL["status"], {"projections": names, "only_behind": only_behind}
        ).fetchall()
    return [
        ProjectionStatus(**dict(zip(ProjectionStatus.__struct_fields__, row, strict=True))) for row in rows
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
