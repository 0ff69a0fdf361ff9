"""A school's application: the eventsourcing library's `Application`, bound to one school's stream."""

from __future__ import annotations

import copy
import hashlib
import hmac
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import ClassVar, Final, Generic, Self, TypeVar, cast
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import Mapper, OperationalError

import domain.assessment
import domain.login
import domain.notes
import domain.pupil
import domain.school
import domain.staff
from domain.errors import (
    CommandReused,
    Erased,
    NotFound,
    StreamConflict,
    TargetTrackerError,
    VersionConflict,
)
from domain.events import ERASED, Compartment, Event, is_sealed
from domain.identifiers import command_id_of, log_id_of, new_id
from domain.ledger.database import Connection, Database, may_pass
from domain.ledger.mapper import EventMapper
from domain.ledger.persistence import LedgerFactory, shared_database
from domain.ledger.recorders import StreamRecorder
from domain.ledger.stream import Appended, Category, Command, RecordedEvent, Stream, Unless
from domain.pupil import Pupil
from domain.school import School
from domain.staff import StaffMember
from domain.vault import keystore
from domain.vault.aliases import class_id_of
from domain.vault.keyring import Keyring, SchoolKeys, WrappedSubjectKeys, unpacked
from domain.vault.service_keys import ServiceKeys
from domain.vault.throttle import Throttle

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
        events: What happens, the founding of anybody before what else is about them; empty, if all is as it
            should be already. Read once, so those of a large file may be let go of one by one.
        result: What the caller is told: ids and counts, never personal data, since it is kept.
        unless: The condition that the decision rests on, if it rests on a whole category of events.
        beside: What else is done in the transaction of the append, after it.
        rests_on: Originators other than those of the events, and the versions that they had when this was
            decided; 0 for one without events. If one has had another event since, it is decided anew.
    """

    events: Iterable[Event]
    result: R
    unless: Unless | None = None
    beside: Callable[[Connection], object] | None = None
    rests_on: Mapping[UUID, int] = field(default_factory=dict)


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
    """One school: its pupils, staff and logs, as far as the keys at hand open them.

    As it is made, it holds no key: it appends what is not personal, and reads what is not sealed. What
    :meth:`opened_with` gives is for one piece of work, and then forgotten with its keys.
    """

    name = "TargetTracker"
    env: ClassVar[dict[str, str]] = {"PERSISTENCE_MODULE": "domain.ledger.persistence"}

    def __init__(self, conninfo: str, school_id: UUID) -> None:
        self.school_id = school_id
        self.keys = Keyring(SchoolKeys.none_of(school_id))
        super().__init__({LedgerFactory.DATABASE: conninfo, LedgerFactory.SCHOOL_ID: str(school_id)})

    def opened_with(self, keys: SchoolKeys) -> Self:
        """The same school for somebody who holds keys of it, with nothing opened yet."""
        opened = copy.copy(self)
        opened.keys = Keyring(keys, self._subject_keys)
        opened.mapper = opened.construct_mapper()
        opened.events = opened.construct_event_store()
        if self.snapshots is not None:
            opened.snapshots = opened.construct_snapshot_store()
        opened._repository = opened.construct_repository()
        return opened

    def _subject_keys(self, subjects: Iterable[UUID]) -> list[WrappedSubjectKeys]:
        with self.database.bound_to(self.school_id) as connection:
            return keystore.of_subjects(connection, self.school_id, subjects)

    def construct_mapper(self) -> Mapper[UUID]:
        """The mapper, with the keys that are at hand."""
        return self.event_mapper

    @property
    def event_mapper(self) -> EventMapper:
        """The mapper, with the keys that are at hand."""
        return EventMapper(self.keys)

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
            appended = self._append(decision, remembered)
        except (StreamConflict, VersionConflict) as overtaken:
            return overtaken
        if command and appended.repeated:
            return repeated_outcome(appended, command, result_type)
        return Outcome(appended.last, decision.result)

    def _append(self, decision: Decision[R], remembered: Command | None) -> Appended:
        """Appends what was decided, with the keys of those who are new, and what else is done beside it."""
        new_keys, stored = [], []
        for event in decision.events:
            if event.founds:
                new_keys.append(self.keys.made(event.subject) or self.keys.make(event.subject))
            stored.append(self.mapper.to_stored_event(event))
        if not (new_keys or decision.beside or decision.rests_on):
            return self.stream.append(stored, command=remembered, unless=decision.unless)
        with self.database.bound_to(self.school_id) as connection:
            appended = self.stream.append(
                stored, command=remembered, unless=decision.unless, connection=connection
            )
            if not appended.repeated:
                self.stream.check_unmoved(decision.rests_on, connection)
                keystore.add_subjects(connection, self.school_id, new_keys)
                if decision.beside:
                    decision.beside(connection)
            return appended

    def add_to_log(self, event: Event) -> Appended:
        """Adds an event to its log, after whatever was added to it meanwhile.

        Its `originator_version` is chosen here, because no decision depends on it.
        """
        for attempt in range(ATTEMPTS):
            version = self.stream.last_versions([event.originator_id]).get(event.originator_id, 0) + 1
            try:
                placed = msgspec.structs.replace(event, originator_version=version)
                return self.stream.append([self.mapper.to_stored_event(placed)])
            except VersionConflict:
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def add_to_logs(self, events: list[Event], connection: Connection) -> list[int]:
        """Adds events to their logs within the transaction that is open, and returns their positions.

        Their `originator_version` is chosen here, as in :meth:`add_to_log`. Others wait until it ends.
        """
        if not events:
            return []
        self.stream.lock(connection)
        versions = self.stream.last_versions({event.originator_id for event in events}, connection)
        placed = []
        for event in events:
            versions[event.originator_id] = versions.get(event.originator_id, 0) + 1
            placed.append(msgspec.structs.replace(event, originator_version=versions[event.originator_id]))
        stored = [self.mapper.to_stored_event(event) for event in placed]
        appended = self.stream.append(stored, connection=connection)
        return list(range(appended.first, appended.last + 1))

    def school(self) -> School:
        """The school.

        Raises:
            NotFound: It is not registered.
        """
        found = self._current(self.school_id, SCHOOL, domain.school.fold)
        if found is None:
            raise NotFound("There is no such school")
        return found

    def pupil(self, pupil_id: UUID) -> Pupil:
        """A pupil of the school.

        Raises:
            NotFound: The school has no such pupil.
            Erased: It had one, who has been erased.
        """
        found = self._current(pupil_id, PUPILS, domain.pupil.fold)
        if found is None:
            raise NotFound("This school has no pupil with that id")
        if found.erased or cast("object", found.record) is ERASED:
            raise Erased("This pupil has been erased")
        return found

    def _current(
        self, originator_id: UUID, category: Category, fold: Callable[[A | None, Iterable[Event]], A | None]
    ) -> A | None:
        """Something that decides from its own history; nothing, if nothing of the category has that id."""
        if self.snapshots is not None:
            try:
                return self.repository.get(originator_id, projector_func=_of(category, fold))
            except AggregateNotFoundError:
                return None
        stored, keys = self.stream.events_with_keys(originator_id, originator_id)
        self.keys.give([originator_id], unpacked(originator_id, keys))
        read = self.event_mapper.to_domain_event
        return fold(None, (read(event) for event in stored if is_of(category, event.topic)))

    def pupils(self, pupil_ids: Iterable[UUID]) -> dict[UUID, Pupil]:
        """Several pupils at once; those that do not exist are not among them."""
        return self._fold_pupils(self.stream.events_of_many(pupil_ids))

    def roll(self, *, up_to: int | None = None, at: datetime | None = None) -> dict[UUID, Pupil]:
        """Every pupil that the school has had, as at a position or a moment, or now."""
        return self._fold_pupils(self.stream.events_of_category(PUPILS, up_to=up_to, at=at))

    def read(self, stored: Sequence[RecordedEvent]) -> Iterator[Event]:
        """Reads events, with the keys of all of their subjects looked up in one go.

        Raises:
            MapperDeserialisationError: An event cannot be read.
        """
        mapper = self.event_mapper
        self.keys.need({mapper.subject_of(event) for event in stored})
        return map(mapper.to_domain_event, stored)

    def _fold_pupils(self, stored: Iterable[RecordedEvent]) -> dict[UUID, Pupil]:
        """The pupils after these events, but for those who have been erased."""
        pupils: dict[UUID, Pupil] = {}
        for event in self.read([event for event in stored if is_of(PUPILS, event.topic)]):
            pupil = domain.pupil.fold(pupils.get(event.originator_id), [event])
            if pupil:
                pupils[event.originator_id] = pupil
        return {
            pupil_id: pupil
            for pupil_id, pupil in pupils.items()
            if not (pupil.erased or is_sealed(pupil.record))
        }

    def staff_member(self, staff_id: UUID) -> StaffMember:
        """A member of the school's staff.

        Raises:
            NotFound: The school has no such account.
        """
        found = self._current(staff_id, STAFF, domain.staff.fold)
        if found is None:
            raise NotFound("This school has no member of staff with that id")
        return found

    def member_with_username(self, username: str) -> StaffMember | None:
        """The member of staff who logs in with this username.

        For one that nobody has, as much is looked up as for one that somebody has.

        Raises:
            KeyNotHeld: The names key is not held.
        """
        digest = self.digest_of_username(username)
        with self.database.bound_to(self.school_id) as connection:
            staff_id = keystore.with_username(connection, self.school_id, digest)
        return self._current(staff_id or new_id(), STAFF, domain.staff.fold)

    def digest_of_username(self, username: str) -> bytes:
        """What a username is found by.

        Raises:
            KeyNotHeld: The names key is not held.
        """
        text = domain.staff.same_username(username).encode(errors="surrogatepass")
        return self.keys.digest(Compartment.NAMES, "username", text, stays=False)

    def class_id_of(self, class_name: str) -> UUID:
        """The id of a class, for addresses and filters, where its name does not belong.

        Raises:
            KeyNotHeld: The record key is not held.
        """
        return class_id_of(self.keys, class_name)

    def staff(self) -> tuple[list[StaffMember], int]:
        """Everybody with an account, and the position up to which they were read."""
        position = self.stream.head().position
        members: dict[UUID, StaffMember] = {}
        for event in self.read(self.stream.events_of_category(STAFF, up_to=position)):
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


def targets_of(pupil_id: UUID) -> UUID:
    """The originator id of a pupil's log of targets."""
    return log_id_of(pupil_id, "targets")


def attendance_of(pupil_id: UUID) -> UUID:
    """The originator id of a pupil's log of attendance."""
    return log_id_of(pupil_id, "attendance")


def logins_of(owner_id: UUID) -> UUID:
    """The originator id of somebody's log of logins, or of the school's for users that nobody knows."""
    return log_id_of(owner_id, "logins")


class Schools:
    """Every school of one database."""

    def __init__(
        self,
        conninfo: str,
        service_keys: ServiceKeys,
        *,
        recovery: bytes | None = None,
        throttled: bool = True,
        keep: int = 256,
    ) -> None:
        """Binds to a database.

        Args:
            conninfo: A libpq connection string for the API's role.
            service_keys: The service's own keys.
            recovery: The public half of the recovery key, that schools' keys are sealed to as well.
            throttled: Whether those who guess passwords have to wait.
            keep: How many schools' applications are kept ready; they hold neither data nor keys.
        """
        self.conninfo = conninfo
        self.service_keys = service_keys
        self.recovery = recovery
        self.database = shared_database(conninfo)
        self.throttle = Throttle(self.database, service_keys.digest, enabled=throttled)
        self.school = lru_cache(maxsize=keep)(self._school)

    def _school(self, school_id: UUID) -> SchoolApplication:
        return SchoolApplication(self.conninfo, school_id)

    def opened(self, keys: SchoolKeys) -> SchoolApplication:
        """A school, for one piece of work of somebody who holds keys of it."""
        return self.school(keys.school_id).opened_with(keys)

    def opened_by_service(self, school_id: UUID) -> SchoolApplication:
        """A school, as far as the service may open it by itself: everything but who people are.

        Raises:
            NotFound: There is no such school.
        """
        with self.database.bound_to(school_id) as connection:
            return self.opened(keystore.for_service(connection, school_id, self.service_keys))
