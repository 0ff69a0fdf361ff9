"""The audit of usage: reads and refusals, gathered for about a second and appended to their school's stream.

An event for every read would make reading as dear as writing. So reads are gathered by session, and each
session's become one event a second later. Whoever cannot do without that second is strict: then a read is on
the stream before it is answered, or not answered.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from domain.access import Permission
from domain.application.school_application import SchoolApplication, Schools
from domain.events import Actor, ActorKind, Event
from domain.ledger.database import may_pass
from domain.usage import AccessRefused, Read, RecordsRead, usage_of
from domain.vault.sessions import Session

INTERVAL = 1.0
"""Seconds between appends: with what an append takes, less than the two that are promised."""

MOST = 64 * 1024 * 1024
"""Bytes of reads that are kept at most while they cannot be appended."""

MOST_AT_ONCE = 200
"""The most reads in one event."""

OVERHEAD = 300
"""About how many bytes a read takes besides the ids of its pupils."""

log = logging.getLogger(__name__)


Refusal = tuple[str, Permission | None]
"""The route, and the permission that was missing."""


@dataclass
class _Gathered:
    """What a session has done since the last append."""

    session: Session
    reads: list[Read] = field(default_factory=list)
    refusals: dict[Refusal, tuple[datetime, int]] = field(default_factory=dict)
    lost: int = 0
    size: int = 0

    def refuse(self, refusal: Refusal, at: datetime) -> None:
        """Adds a refusal to those that are the same."""
        first, times = self.refusals.get(refusal, (at, 0))
        self.refusals[refusal] = (first, times + 1)

    def events(self) -> Iterator[Event]:
        """The same as events; their versions are chosen when they are appended."""
        session = self.session
        log_id = usage_of(session.staff_id)
        actor = Actor(ActorKind.STAFF, session.staff_id)
        # Reads that were lost are told, even where none was kept.
        for start in range(0, max(len(self.reads), min(self.lost, 1)), MOST_AT_ONCE):
            yield RecordsRead(
                originator_id=log_id,
                originator_version=0,
                actor=actor,
                session_id=session.id,
                staff_id=session.staff_id,
                reads=tuple(self.reads[start : start + MOST_AT_ONCE]),
                lost=0 if start else self.lost,
            )
        for (route, permission), (at, times) in self.refusals.items():
            yield AccessRefused(
                originator_id=log_id,
                originator_version=0,
                actor=actor,
                session_id=session.id,
                staff_id=session.staff_id,
                at=at,
                route=route,
                permission=permission,
                times=times,
            )


@dataclass
class _Batch:
    """What is appended to one school's stream at once, and stays as it is until that has succeeded."""

    school_id: UUID
    events: list[Event] = field(default_factory=list)
    reads: int = 0
    size: int = 0
    attempted: bool = False

    def add(self, gathered: _Gathered) -> None:
        """Adds what a session has done."""
        self.events += gathered.events()
        self.reads += len(gathered.reads)
        self.size += gathered.size


class ReadAudit:
    """Records who read what, and who was refused what; safe to be used by many threads.

    The database may be away: what was gathered is kept and tried again, up to a limit. Beyond that, reads are
    counted and lost; the log says so, and so does the next event of their session.
    """

    def __init__(
        self, schools: Schools, *, strict: bool = False, interval: float = INTERVAL, most: int = MOST
    ) -> None:
        """Begins to gather.

        Args:
            schools: The schools; no keys of theirs are needed, since usage holds nothing personal.
            strict: Append before :meth:`note` and :meth:`refuse` return, and raise what goes wrong.
            interval: Seconds between appends.
            most: Bytes of reads that are kept at most while they cannot be appended.
        """
        self._schools = schools
        self._interval = interval
        self._most = most
        self._lock = threading.Lock()
        self._at_once = strict
        self._gathered: dict[UUID, _Gathered] = {}
        self._held = 0
        self._lost = 0
        self._appending = threading.Lock()
        self._waiting: dict[UUID, _Batch] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="usage", daemon=True)
        if not strict:
            self._thread.start()

    def note(self, session: Session, read: Read) -> None:
        """Notes that a session was shown something; call it before the answer is sent.

        Raises:
            psycopg.Error: Strict, and it could not be appended: nothing may be answered.
        """
        size = OVERHEAD + len(read.pupils)
        with self._lock:
            if not self._at_once:
                gathered = self._of(session)
                if self._held + size <= self._most:
                    gathered.reads.append(read)
                    gathered.size += size
                    self._held += size
                else:
                    gathered.lost += 1
                    self._lost += 1
                return
        self._append_at_once(_Gathered(session, reads=[read]))

    def refuse(self, session: Session, route: str, permission: Permission | None) -> None:
        """Notes that a session was refused something.

        Args:
            session: The session.
            route: The method and the template of the path.
            permission: What was missing; nothing, where only the operator may.

        Raises:
            psycopg.Error: Strict, and it could not be appended.
        """
        at = datetime.now(UTC)
        with self._lock:
            if not self._at_once:
                self._of(session).refuse((route, permission), at)
                return
        self._append_at_once(_Gathered(session, refusals={(route, permission): (at, 1)}))

    def flush(self) -> bool:
        """Appends what has been gathered, and says whether all of it is on the streams now."""
        with self._appending:
            self._cut()
            for batch in list(self._waiting.values()):
                del self._waiting[batch.school_id]
                try:
                    self._append(batch)
                except Exception as error:  # noqa: BLE001 - whatever it is, what was read is kept
                    batch.attempted = True
                    self._waiting[batch.school_id] = batch
                    log.warning("usage cannot be recorded (%s): trying again", type(error).__name__)
                    if may_pass(error):
                        break  # The database is away, for the other schools, too.
                else:
                    with self._lock:
                        self._held -= batch.size
            self._tell_what_was_lost()
            return not self._waiting

    def close(self) -> None:
        """Appends what has been gathered, for the last time; what cannot be appended now is lost."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            self._at_once = True  # Nothing would append what still came.
        if not self.flush():
            with self._appending, self._lock:
                self._lost += sum(batch.reads for batch in self._waiting.values())
                self._lost += sum(len(gathered.reads) for gathered in self._gathered.values())
                self._waiting.clear()
                self._gathered.clear()
                self._held = 0
        self._tell_what_was_lost()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            self.flush()

    def _of(self, session: Session) -> _Gathered:
        return self._gathered.setdefault(session.id, _Gathered(session))

    def _cut(self) -> None:
        """Makes a batch of what has been gathered, but for schools that have one waiting: it comes first."""
        with self._lock:
            cut = [each for each in self._gathered.values() if each.session.school_id not in self._waiting]
            for gathered in cut:
                del self._gathered[gathered.session.id]
        for gathered in cut:
            school_id = gathered.session.school_id
            self._waiting.setdefault(school_id, _Batch(school_id)).add(gathered)

    def _append_at_once(self, gathered: _Gathered) -> None:
        batch = _Batch(gathered.session.school_id)
        batch.add(gathered)
        self._append(batch)

    def _append(self, batch: _Batch) -> None:
        school = self._schools.school(batch.school_id)
        with school.database.bound_to(school.school_id) as connection:
            school.stream.lock(connection)
            # The answer to the last attempt may have been lost after its commit; nobody else appends now.
            if not (batch.attempted and _is_there(school, batch.events)):
                school.add_to_logs(batch.events, connection)

    def _tell_what_was_lost(self) -> None:
        with self._lock:
            lost, self._lost = self._lost, 0
        if lost:
            log.error("%d READS ARE LOST: they could not be recorded, nor kept any longer", lost)


def _is_there(school: SchoolApplication, events: Iterable[Event]) -> bool:
    """Whether events that are appended together are on the stream: then the first of them is."""
    first = next(iter(events))
    wanted = school.mapper.to_stored_event(first)
    last = school.stream.last_events_of(first.originator_id, limit=100)
    return any(event.state == wanted.state for event in last)
