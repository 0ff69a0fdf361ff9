"""A school's application: the eventsourcing library's `Application`, bound to one school's stream."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import ClassVar, Final, Generic, TypeVar, cast
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import Mapper, OperationalError

import domain.assessment
import domain.login
import domain.pupil
import domain.school
import domain.staff
from domain.errors import CommandReused, NotFound, StreamConflict, TargetTrackerError, VersionConflict
from domain.events import Event
from domain.identifiers import command_id_of, log_id_of
from domain.ledger.database import Connection, Database, may_pass
from domain.ledger.mapper import EventMapper
from domain.ledger.persistence import LedgerFactory, shared_database
from domain.ledger.recorders import StreamRecorder
from domain.ledger.stream import Appended, Category, Command, RecordedEvent, Stream, Unless
from domain.pupil import Pupil
from domain.school import School
from domain.staff import StaffMember

MAPPER = EventMapper()
"""The mapper of every school: it holds nothing of any."""

ATTEMPTS = 8
"""How often a command decides anew before it gives up on a stream that others keep changing."""

A = TypeVar("A", School, Pupil, StaffMember)
R = TypeVar("R")

SCHOOL: Final = "school"
PUPILS: Final = "pupil"
STAFF: Final = "staff"


@dataclass(frozen=True)
class CommandKey:
    """The id that a caller gave to a command, and what the command says.

    Attributes:
        key: The caller's id, such as an `Idempotency-Key`.
        content: Everything that must be the same when the id comes again.
    """

    key: str
    content: bytes

    def fingerprint(self) -> bytes:
        """A digest of the content that tells nothing to whoever does not have the key."""
        return hmac.digest(self.key.encode(), self.content, hashlib.sha256)


@dataclass(frozen=True)
class Decision(Generic[R]):
    """What a command decided.

    Attributes:
        events: What happens; nothing, if all is as it should be already.
        result: What the caller is told: ids and counts, never personal data, since it is kept.
        unless: The condition that the decision rests on, if it rests on a whole category of events.
    """

    events: Sequence[Event]
    result: R
    unless: Unless | None = None


@dataclass(frozen=True)
class Outcome(Generic[R]):
    """What a command did.

    Attributes:
        position: The position that a reader has to wait for to see it.
        result: What the caller is told.
        repeated: The command had been carried out before.
    """

    position: int
    result: R
    repeated: bool = False


class SchoolApplication(Application[UUID]):
    """One school: its pupils, staff and logs."""

    name = "TargetTracker"
    env: ClassVar[dict[str, str]] = {"PERSISTENCE_MODULE": "domain.ledger.persistence"}

    def __init__(self, conninfo: str, school_id: UUID) -> None:
        super().__init__({LedgerFactory.DATABASE: conninfo, LedgerFactory.SCHOOL_ID: str(school_id)})
        self.school_id = school_id

    def construct_mapper(self) -> Mapper[UUID]:
        """The mapper that all schools share."""
        return MAPPER

    @property
    def stream(self) -> Stream:
        """The school's stream."""
        return cast("StreamRecorder", self.recorder).stream

    @property
    def database(self) -> Database:
        """The connections that the school's stream is reached by."""
        return self.stream.database

    def carry_out(
        self,
        decide: Callable[[], Decision[R]],
        result_type: type[R],
        command: CommandKey | None = None,
    ) -> Outcome[R]:
        """Decides and appends; decides anew when what the decision rested on has changed.

        A command that carries a key is done once: a repeat is answered with the first result, also when the
        first answer was lost after the commit, and also from two connections at once.

        Args:
            decide: Loads, decides and says what happens. It is called again if somebody else was quicker.
            result_type: The type of the result, to read that of an earlier time.
            command: The key, if the caller gave one.

        Raises:
            CommandReused: The key came before with another content.
            StreamConflict: Others kept changing what the decision rests on.
            VersionConflict: Likewise.
        """
        for attempt in range(ATTEMPTS):
            is_last = attempt == ATTEMPTS - 1
            try:
                outcome = self._try_to_carry_out(decide, result_type, command)
            except (psycopg.OperationalError, OperationalError) as error:
                # The answer may have been lost after the commit; with a key it is safe to ask again.
                if command is None or is_last or not may_pass(error):
                    raise
                time.sleep(0.05 * 2**attempt)
                continue
            if isinstance(outcome, Outcome):
                return outcome
            if is_last:
                raise outcome
            time.sleep(0.002 * 2**attempt)
        raise AssertionError("unreachable")

    def _try_to_carry_out(
        self, decide: Callable[[], Decision[R]], result_type: type[R], command: CommandKey | None
    ) -> Outcome[R] | StreamConflict | VersionConflict:
        """What came of it, or the conflict with whoever was quicker."""
        command_id = command_id_of(self.school_id, command.key) if command else None
        if command and command_id and (earlier := self.stream.command(command_id)):
            return repeated_outcome(earlier, command, result_type)
        try:
            decision = decide()
        except TargetTrackerError:
            # What is refused now may have been done meanwhile, by the same command on another connection.
            if command and command_id and (earlier := self.stream.command(command_id)):
                return repeated_outcome(earlier, command, result_type)
            raise
        if not (decision.events or command):
            return Outcome(self.stream.head().position, decision.result)
        remembered = (
            Command(command_id, command.fingerprint(), msgspec.msgpack.encode(decision.result))
            if command and command_id
            else None
        )
        try:
            appended = self.stream.append(
                [MAPPER.to_stored_event(event) for event in decision.events],
                command=remembered,
                unless=decision.unless,
            )
        except (StreamConflict, VersionConflict) as overtaken:
            return overtaken
        if command and appended.repeated:
            return repeated_outcome(appended, command, result_type)
        return Outcome(appended.last, decision.result)

    def add_to_log(self, event: Event, connection: Connection | None = None) -> Appended:
        """Adds an event to its log, after whatever was added to it meanwhile.

        Its `originator_version` is chosen here, because no decision depends on it.
        """
        for attempt in range(ATTEMPTS):
            version = self.stream.last_versions([event.originator_id]).get(event.originator_id, 0) + 1
            try:
                placed = msgspec.structs.replace(event, originator_version=version)
                return self.stream.append([MAPPER.to_stored_event(placed)], connection=connection)
            except VersionConflict:
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def school(self) -> School:
        """The school.

        Raises:
            NotFound: It is not registered.
        """
        try:
            return self.repository.get(self.school_id, projector_func=_of(SCHOOL, domain.school.fold))
        except AggregateNotFoundError:
            raise NotFound("There is no such school") from None

    def pupil(self, pupil_id: UUID) -> Pupil:
        """A pupil of the school.

        Raises:
            NotFound: The school has no such pupil.
        """
        try:
            return self.repository.get(pupil_id, projector_func=_of(PUPILS, domain.pupil.fold))
        except AggregateNotFoundError:
            raise NotFound("This school has no pupil with that id") from None

    def pupils(self, pupil_ids: Iterable[UUID]) -> dict[UUID, Pupil]:
        """Several pupils at once; those that do not exist are not among them."""
        return _fold_pupils(self.stream.events_of_many(pupil_ids))

    def roll(self, *, up_to: int | None = None, at: datetime | None = None) -> dict[UUID, Pupil]:
        """Every pupil that the school has had, as at a position or a moment, or now."""
        return _fold_pupils(self.stream.events_of_category(PUPILS, up_to=up_to, at=at))

    def staff_member(self, staff_id: UUID) -> StaffMember:
        """A member of the school's staff.

        Raises:
            NotFound: The school has no such account.
        """
        try:
            return self.repository.get(staff_id, projector_func=_of(STAFF, domain.staff.fold))
        except AggregateNotFoundError:
            raise NotFound("This school has no member of staff with that id") from None

    def staff(self) -> tuple[list[StaffMember], int]:
        """Everybody with an account, and the position up to which they were read."""
        position = self.stream.head().position
        members: dict[UUID, StaffMember] = {}
        for stored in self.stream.events_of_category(STAFF, up_to=position):
            event = MAPPER.to_domain_event(stored)
            member = domain.staff.fold(members.get(event.originator_id), [event])
            if member:
                members[event.originator_id] = member
        return list(members.values()), position


def _of(
    category: Category, fold: Callable[[A | None, Iterable[Event]], A | None]
) -> Callable[[A | None, Iterable[Event]], A | None]:
    """A projector that sees one category of events only: an id of something else is nobody's id."""
    return lambda before, events: fold(before, (event for event in events if is_of(category, event.name)))


def is_of(category: Category, topic: str) -> bool:
    """Whether an event of this name or topic belongs to the category."""
    return topic.startswith(f"{category}.")


def _fold_pupils(stored: Iterable[RecordedEvent]) -> dict[UUID, Pupil]:
    pupils: dict[UUID, Pupil] = {}
    for recorded in stored:
        if not is_of(PUPILS, recorded.topic):
            continue
        event = MAPPER.to_domain_event(recorded)
        pupil = domain.pupil.fold(pupils.get(event.originator_id), [event])
        if pupil:
            pupils[event.originator_id] = pupil
    return pupils


def repeated_outcome(earlier: Appended, command: CommandKey, result_type: type[R]) -> Outcome[R]:
    """What a command answered the first time.

    Raises:
        CommandReused: Its content was another one then.
    """
    if not hmac.compare_digest(earlier.fingerprint or b"", command.fingerprint()):
        raise CommandReused("This command id came before with another content: use a new one")
    return Outcome(
        earlier.last, msgspec.msgpack.decode(earlier.result or b"", type=result_type), repeated=True
    )


def assessments_of(pupil_id: UUID) -> UUID:
    """The originator id of a pupil's log of assessments."""
    return log_id_of(pupil_id, "assessments")


def logins_of(owner_id: UUID) -> UUID:
    """The originator id of somebody's log of logins, or of the school's for users that nobody knows."""
    return log_id_of(owner_id, "logins")


class Schools:
    """Every school of one database."""

    def __init__(self, conninfo: str, *, keep: int = 256) -> None:
        """Binds to a database.

        Args:
            conninfo: A libpq connection string for the API's role.
            keep: How many schools' applications are kept ready; they hold no data.
        """
        self.conninfo = conninfo
        self.database = shared_database(conninfo)
        self.school = lru_cache(maxsize=keep)(self._school)

    def _school(self, school_id: UUID) -> SchoolApplication:
        return SchoolApplication(self.conninfo, school_id)
