"""A pupil: what may happen to what is recorded of a child."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from functools import cache
from typing import ClassVar, cast
from uuid import UUID

import msgspec

import domain.concerns
from domain import pupil_upns
from domain.academic_year import Term
from domain.concerns import Concern as Concern
from domain.concerns import ConcernClosed as ConcernClosed
from domain.concerns import ConcernOpened as ConcernOpened
from domain.erasure_reasons import ERASURE_REASONS as ERASURE_REASONS
from domain.erasure_reasons import ErasureReason as ErasureReason
from domain.errors import Conflict, Erased, Finding, InvalidInput
from domain.events import SYSTEM, Actor, Event, Names, Open, Record, event, is_sealed
from domain.pupil_day import term_of_birth
from domain.pupil_record import AttendanceTotals as AttendanceTotals
from domain.pupil_record import Away as Away
from domain.pupil_record import PupilNames as PupilNames
from domain.pupil_record import PupilRecord as PupilRecord
from domain.pupil_record import RecordChange as RecordChange


class Source(StrEnum):
    """Where particulars came from, which says whose they are: what the school entered no file replaces."""

    ENTERED = "entered"
    FILE = "file"


@event("pupil.admitted")
class PupilAdmitted(Event, frozen=True, kw_only=True):
    """A child's record begins.

    `term_of_birth` is what benchmarks may know of the date of birth: a third of a year, without the year.
    """

    founds: ClassVar[bool] = True

    names: Names[PupilNames]
    record: Record[PupilRecord]
    source: Open[Source | None] = None
    term_of_birth: Record[Term | None] = None


@event("pupil.changed")
class PupilChanged(Event, frozen=True, kw_only=True):
    """Some of a child's particulars changed.

    `names`, where anything in it changed, is the whole compartment, so that it can be handed on without being
    opened; `record` is only what changed. `handed_back` are the names of fields that the school leaves to its
    files from now on, after it had entered them. `term_of_birth` is there where it was not known before, or
    was another.
    """

    names: Names[PupilNames | None] = None
    record: Record[RecordChange | None] = None
    source: Open[Source | None] = None
    handed_back: Record[tuple[str, ...]] = ()
    term_of_birth: Record[Term | None] = None


class Destination(msgspec.Struct, frozen=True):
    """A school that a child goes to: the three digits of its local authority, and its own four."""

    la: str
    establishment: str


@event("pupil.left")
class PupilLeft(Event, frozen=True, kw_only=True):
    """The child left the school; the record stays readable.

    `reason` is free text, into which people write names; `reason_code` is one of the set `leaving-reason`.
    `destination` is the school's name as it was told, with its DfE numbers where they are known.
    """

    left_on: Record[date]
    reason: Names[str | None] = None
    destination: Names[str | None] = None
    reason_code: Record[str | None] = None
    destination_la: Names[str | None] = None
    destination_establishment: Names[str | None] = None


@event("pupil.returned")
class PupilReturned(Event, frozen=True, kw_only=True):
    """A child who had left came back."""

    returned_on: Record[date]


@event("pupil.erased")
class PupilErased(Event, frozen=True, kw_only=True):
    """The child's keys were destroyed: what the other events said of the child cannot be read any more."""

    reason: Open[ErasureReason]


@event("pupil.snapshot")
class PupilSnapshot(Event, frozen=True, kw_only=True):
    """A pupil as at a version, kept apart from the stream, to start reading from; never the truth."""

    names: Names[PupilNames]
    record: Record[PupilRecord]
    left_on: Record[date | None] = None
    concerns: Record[tuple[Concern, ...]] = ()
    entered: Record[tuple[str, ...]] = ()
    leaving_reason: Record[str | None] = None
    destination: Names[Destination | None] = None
    away: Record[tuple[Away, ...]] = ()
    term_of_birth: Record[Term | None] = None

    @classmethod
    def take(cls, pupil: Pupil) -> PupilSnapshot:
        """The snapshot of a pupil; the eventsourcing library's `Application.take_snapshot` calls it."""
        return cls(
            originator_id=pupil.id,
            originator_version=pupil.version,
            actor=SYSTEM,
            names=pupil.names,
            record=pupil.record,
            left_on=pupil.left_on,
            concerns=pupil.concerns,
            entered=tuple(sorted(pupil.entered)),
            leaving_reason=pupil.leaving_reason,
            destination=pupil.destination,
            away=pupil.away,
            term_of_birth=pupil.term_of_birth,
        )


class Pupil(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil as the events so far describe it.

    Attributes:
        id: The pupil's id in this system.
        version: The number of events so far; the `ETag` of the pupil.
        names: The `names` compartment.
        record: The `record` compartment.
        left_on: When the child left, if away.
        erased: Nothing but this can be told of the child.
        concerns: Those that the school has or had, in the order in which they were opened.
        entered: The fields that the school entered itself, which no file replaces; what is sealed to the
            reader is not among them.
        leaving_reason: Why the child left, if away: a code of the set `leaving-reason`.
        destination: Where the child went then, if its numbers are known.
        away: The times between leaving and coming back, the earliest first.
        term_of_birth: The term of birth, as far as an event has said it openly to those without names.
    """

    id: UUID
    version: int
    names: PupilNames
    record: PupilRecord
    left_on: date | None = None
    erased: bool = False
    concerns: tuple[Concern, ...] = ()
    entered: frozenset[str] = frozenset()
    leaving_reason: str | None = None
    destination: Destination | None = None
    away: tuple[Away, ...] = ()
    term_of_birth: Term | None = None

    Snapshot: ClassVar[type[PupilSnapshot]] = PupilSnapshot

    @property
    def on_roll(self) -> bool:
        """Whether the child is at the school now."""
        return self.left_on is None

    @property
    def active_concerns(self) -> int:
        """How many concerns there are now."""
        return sum(concern.closed_on is None for concern in self.concerns)


def fold(pupil: Pupil | None, events: Iterable[Event]) -> Pupil | None:
    """The pupil after these events; a projector function of the eventsourcing library's `Repository`."""
    for happened in events:
        pupil = _after(pupil, happened)
    return pupil


def _after(pupil: Pupil | None, happened: Event) -> Pupil:
    match happened:
        case PupilAdmitted():
            return Pupil(
                id=happened.originator_id,
                version=happened.originator_version,
                names=happened.names,
                record=happened.record,
                entered=_entered_at_first(happened),
                term_of_birth=happened.term_of_birth,
            )
        case PupilSnapshot():
            return Pupil(
                id=happened.originator_id,
                version=happened.originator_version,
                names=happened.names,
                record=happened.record,
                left_on=happened.left_on,
                concerns=happened.concerns,
                entered=_opened(happened.entered),
                leaving_reason=happened.leaving_reason,
                destination=happened.destination,
                away=happened.away,
                term_of_birth=happened.term_of_birth,
            )
        case _ if pupil is None:
            raise Conflict(f"{happened.name} cannot be the first event of a pupil")
        case PupilChanged():
            return msgspec.structs.replace(
                pupil,
                version=happened.originator_version,
                names=happened.names or pupil.names,
                record=_merged(pupil.record, happened.record),
                entered=_entered_since(pupil, happened),
                term_of_birth=happened.term_of_birth or pupil.term_of_birth,
            )
        case PupilLeft():
            return msgspec.structs.replace(
                pupil,
                version=happened.originator_version,
                left_on=happened.left_on,
                leaving_reason=happened.reason_code,
                destination=_destination(happened),
            )
        case PupilReturned():
            return msgspec.structs.replace(
                pupil,
                version=happened.originator_version,
                left_on=None,
                leaving_reason=None,
                destination=None,
                away=_away(pupil, happened),
            )
        case ConcernOpened() | ConcernClosed():
            return msgspec.structs.replace(
                pupil,
                version=happened.originator_version,
                concerns=domain.concerns.after(pupil.concerns, happened),
            )
        case PupilErased():
            return msgspec.structs.replace(pupil, version=happened.originator_version, erased=True)
        case _:
            raise Conflict(f"{happened.name} is not an event of a pupil")


def _destination(happened: PupilLeft) -> Destination | None:
    la, establishment = happened.destination_la, happened.destination_establishment
    if is_sealed(la):
        return cast("Destination", la)
    return Destination(la, establishment) if la and establishment else None


def _away(pupil: Pupil, happened: PupilReturned) -> tuple[Away, ...]:
    left_on, returned_on = pupil.left_on, happened.returned_on
    if left_on is None or is_sealed(left_on) or is_sealed(returned_on) or is_sealed(pupil.away):
        return pupil.away
    return (*pupil.away, Away(left_on=left_on, returned_on=returned_on))


def _entered_at_first(happened: PupilAdmitted) -> frozenset[str]:
    if happened.source is not Source.ENTERED:
        return frozenset()
    return frozenset(
        name
        for part in (happened.names, happened.record)
        if not is_sealed(part)
        for name, default in _defaults(type(part))
        if getattr(part, name) != default
    )


@cache
def _defaults(kind: type[msgspec.Struct]) -> list[tuple[str, object]]:
    """The fields of names or of a record, each with its default: msgspec works them out anew each time."""
    return [(field.name, field.default) for field in msgspec.structs.fields(kind)]


def _entered_since(pupil: Pupil, happened: PupilChanged) -> frozenset[str]:
    """The fields that are the school's own after a change: those that it set, less what it handed back."""
    entered = pupil.entered
    if happened.source is Source.ENTERED:
        entered |= changed_fields(pupil, happened)
    return entered - _opened(happened.handed_back)


def _opened(fields: tuple[str, ...]) -> frozenset[str]:
    """Names of fields, as far as they are open; which fields a school entered tells something of a child."""
    return frozenset() if is_sealed(fields) else frozenset(fields)


def changed_fields(pupil: Pupil, happened: PupilChanged) -> frozenset[str]:
    """The fields that a change gives another value, as far as they are open."""
    fields: set[str] = set()
    if happened.record is not None and not is_sealed(happened.record):
        fields |= happened.record.fields().keys()
    names = happened.names
    if names is not None and not is_sealed(names) and not is_sealed(pupil.names):
        fields |= {
            field
            for field in PupilNames.__struct_fields__
            if getattr(names, field) != getattr(pupil.names, field)
        }
    return frozenset(fields)


def _merged(record: PupilRecord, change: RecordChange | None) -> PupilRecord:
    """The record after a change; where one of the two is sealed, so is the whole."""
    if change is None or is_sealed(record):
        return record
    return cast("PupilRecord", change) if is_sealed(change) else change.applied_to(record)


def admit(
    pupil_id: UUID, names: PupilNames, record: PupilRecord, actor: Actor, source: Source = Source.ENTERED
) -> PupilAdmitted:
    """Begins a child's record."""
    return PupilAdmitted(
        originator_id=pupil_id,
        originator_version=1,
        actor=actor,
        names=names,
        record=record,
        source=source,
        term_of_birth=_birth(names),
    )


def change(
    pupil: Pupil,
    names: PupilNames,
    record: PupilRecord,
    actor: Actor,
    source: Source = Source.ENTERED,
    handed_back: frozenset[str] = frozenset(),
) -> PupilChanged | None:
    """Makes the pupil's particulars these; `None` when they are already.

    A UPN that is replaced is kept among the former ones, unless it is said that it was mistyped. Fields that
    are set and handed back at once are set now, and the files' from then on.

    Args:
        pupil: The pupil.
        names: Who the child is from now on.
        record: Everything else from now on.
        actor: Who changes it.
        source: Whether the school enters it, or a file brings it.
        handed_back: Fields that files may change again from now on.

    Raises:
        InvalidInput: The date of entry would lie after the day of leaving; or a UPN is said to have been
            mistyped that the child never had, or still has.
    """
    if pupil.left_on and pupil.record.date_of_entry != record.date_of_entry > pupil.left_on:
        accepted = f"a day up to {pupil.left_on.isoformat()}, when the pupil left"
        raise InvalidInput(
            "These particulars cannot be accepted",
            [Finding(field="date_of_entry", found=record.date_of_entry.isoformat(), accepted=accepted)],
        )
    names = pupil_upns.replaced(pupil.names, names)
    names_changed = names != pupil.names
    record_changed = record != pupil.record
    changed = PupilChanged(
        originator_id=pupil.id,
        originator_version=pupil.version + 1,
        actor=actor,
        names=names if names_changed else None,
        record=RecordChange.between(pupil.record, record) if record_changed else None,
        source=source,
    )
    owned = pupil.entered
    if source is Source.ENTERED:
        owned |= changed_fields(pupil, changed)
    handed_back &= owned
    if not (names_changed or record_changed or handed_back):
        return None
    return msgspec.structs.replace(
        changed,
        handed_back=tuple(sorted(handed_back)),
        term_of_birth=None if (born := _birth(names)) == pupil.term_of_birth else born,
    )


def _birth(names: PupilNames) -> Term | None:
    """The term of birth, where the date is known to whoever acts."""
    return None if is_sealed(names) else term_of_birth(names.date_of_birth)


def leave(
    pupil: Pupil,
    left_on: date,
    actor: Actor,
    reason: str | None = None,
    destination: str | None = None,
    *,
    reason_code: str | None = None,
    school: Destination | None = None,
) -> PupilLeft:
    """Takes the child off the roll.

    Args:
        pupil: The pupil.
        left_on: The last day.
        actor: Who does it.
        reason: Why, in words.
        destination: Where to, in words.
        reason_code: Why, as a code of the set `leaving-reason`.
        school: Where to, by number.

    Raises:
        Conflict: The child has already left.
        InvalidInput: The day lies before the date of entry.
    """
    if pupil.left_on:
        raise Conflict("This pupil has already left the school", left_on=pupil.left_on.isoformat())
    if left_on < pupil.record.date_of_entry:
        raise InvalidInput(
            "A pupil cannot leave before the date of entry",
            [_not_before("left_on", left_on, pupil.record.date_of_entry, "the date of entry")],
        )
    return PupilLeft(
        originator_id=pupil.id,
        originator_version=pupil.version + 1,
        actor=actor,
        left_on=left_on,
        reason=reason,
        destination=destination,
        reason_code=reason_code,
        destination_la=school.la if school else None,
        destination_establishment=school.establishment if school else None,
    )


def take_back(pupil: Pupil, returned_on: date, actor: Actor) -> PupilReturned:
    """Puts a child who had left on the roll again.

    Raises:
        Conflict: The child has not left.
        InvalidInput: The day lies before the one on which the child left.
    """
    if not pupil.left_on:
        raise Conflict("This pupil is on the roll already")
    if returned_on < pupil.left_on:
        raise InvalidInput(
            "A pupil cannot return before the day of leaving",
            [_not_before("returned_on", returned_on, pupil.left_on, "the day of leaving")],
        )
    return PupilReturned(
        originator_id=pupil.id, originator_version=pupil.version + 1, actor=actor, returned_on=returned_on
    )


def _not_before(field: str, day: date, first: date, what: str) -> Finding:
    accepted = f"a day from {first.isoformat()} on, {what}"
    return Finding(field=field, found=day.isoformat(), accepted=accepted)


def erase(pupil: Pupil, reason: ErasureReason, actor: Actor) -> PupilErased:
    """Ends what can be known of a child, for good; the keys are destroyed with it.

    Raises:
        Erased: It has been done.
    """
    if pupil.erased:
        raise Erased("This pupil has been erased already")
    return PupilErased(
        originator_id=pupil.id, originator_version=pupil.version + 1, actor=actor, reason=reason
    )
