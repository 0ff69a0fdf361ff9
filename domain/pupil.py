"""A pupil: what is recorded of a child, and what may happen to that record."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar, cast
from uuid import UUID

import msgspec

from domain.errors import Conflict, Erased, InvalidInput
from domain.events import SYSTEM, Actor, Event, Names, Open, Record, event, is_sealed


class PupilNames(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Who a child is: the whole of the pupil's `names` compartment.

    Attributes:
        surname: As the school writes it.
        forename: As the school writes it.
        date_of_birth: The date of birth.
        upn: The Unique Pupil Number, 13 characters, permanent or temporary; never the identity of the record.
        former_upns: Those that the child had before, the oldest first.
        postcode: In the usual form, as in `CM1 1QH`.
    """

    surname: str
    forename: str
    date_of_birth: date
    upn: str | None = None
    former_upns: tuple[str, ...] = ()
    postcode: str | None = None


class AttendanceTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions (half days) so far in an academic year.

    Attributes:
        academic_year: The year in which it starts.
        possible: Sessions that the child could have attended.
        authorised: Those missed with leave.
        unauthorised: Those missed without.
    """

    academic_year: int
    possible: int
    authorised: int
    unauthorised: int


class PupilRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Everything else about a child: the whole of the pupil's `record` compartment.

    Codes are kept as supplied.

    Attributes:
        sex: M, F, U or W.
        date_of_entry: When the child joined this school.
        nc_year: National Curriculum year: N1, N2, R, 1 to 14, X.
        class_name: The registration group, as the school calls it.
        free_school_meals: Eligible for free school meals.
        first_language: A DfE language code.
        ethnicity: A DfE ethnicity code, main or extended.
        sen_provision: N, A, P, S, Q, E or K.
        in_care: Looked after by a local authority.
        gifted: As the school judges.
        attendance: Totals of the academic year so far.
    """

    sex: str
    date_of_entry: date
    nc_year: str | None = None
    class_name: str | None = None
    free_school_meals: bool | None = None
    first_language: str | None = None
    ethnicity: str | None = None
    sen_provision: str | None = None
    in_care: bool | None = None
    gifted: bool | None = None
    attendance: AttendanceTotals | None = None


class RecordChange(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The fields of a :class:`PupilRecord` that change; those that do not are left unset."""

    sex: str | msgspec.UnsetType = msgspec.UNSET
    date_of_entry: date | msgspec.UnsetType = msgspec.UNSET
    nc_year: str | msgspec.UnsetType | None = msgspec.UNSET
    class_name: str | msgspec.UnsetType | None = msgspec.UNSET
    free_school_meals: bool | msgspec.UnsetType | None = msgspec.UNSET
    first_language: str | msgspec.UnsetType | None = msgspec.UNSET
    ethnicity: str | msgspec.UnsetType | None = msgspec.UNSET
    sen_provision: str | msgspec.UnsetType | None = msgspec.UNSET
    in_care: bool | msgspec.UnsetType | None = msgspec.UNSET
    gifted: bool | msgspec.UnsetType | None = msgspec.UNSET
    attendance: AttendanceTotals | msgspec.UnsetType | None = msgspec.UNSET

    @classmethod
    def between(cls, before: PupilRecord, after: PupilRecord) -> RecordChange:
        """What has to be set to turn `before` into `after`."""
        return cls(
            **{
                field: new
                for field in PupilRecord.__struct_fields__
                if (new := getattr(after, field)) != getattr(before, field)
            }
        )

    def applied_to(self, before: PupilRecord) -> PupilRecord:
        """The record with this change made."""
        return msgspec.structs.replace(before, **self.fields())

    def fields(self) -> dict[str, Any]:
        """The changed fields and their new values."""
        return {
            field: value
            for field in self.__struct_fields__
            if (value := getattr(self, field)) is not msgspec.UNSET
        }


@event("pupil.admitted")
class PupilAdmitted(Event, frozen=True, kw_only=True):
    """A child's record begins."""

    founds: ClassVar[bool] = True

    names: Names[PupilNames]
    record: Record[PupilRecord]


@event("pupil.changed")
class PupilChanged(Event, frozen=True, kw_only=True):
    """Some of a child's particulars changed.

    `names`, where anything in it changed, is the whole compartment, so that it can be handed on without being
    opened; `record` is only what changed.
    """

    names: Names[PupilNames | None] = None
    record: Record[RecordChange | None] = None


@event("pupil.left")
class PupilLeft(Event, frozen=True, kw_only=True):
    """The child left the school; the record stays readable.

    `reason` is free text, into which people write names.
    """

    left_on: Record[date]
    reason: Names[str | None] = None
    destination: Names[str | None] = None


@event("pupil.returned")
class PupilReturned(Event, frozen=True, kw_only=True):
    """A child who had left came back."""

    returned_on: Record[date]


class ErasureReason(StrEnum):
    """Why a child was erased: one of these and no words of one's own, since the event stays for ever."""

    REQUEST = "request"
    RETENTION = "retention"
    MISTAKE = "mistake"
    COURT_ORDER = "court-order"


ERASURE_REASONS = {
    ErasureReason.REQUEST: "a parent, guardian or the child asked for it",
    ErasureReason.RETENTION: "the time for which it may be kept is over",
    ErasureReason.MISTAKE: "the record should never have been made",
    ErasureReason.COURT_ORDER: "a court or the Information Commissioner ordered it",
}
"""What each reason means, for people."""


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
    """

    id: UUID
    version: int
    names: PupilNames
    record: PupilRecord
    left_on: date | None = None
    erased: bool = False

    Snapshot: ClassVar[type[PupilSnapshot]] = PupilSnapshot

    @property
    def on_roll(self) -> bool:
        """Whether the child is at the school now."""
        return self.left_on is None


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
            )
        case PupilSnapshot():
            return Pupil(
                id=happened.originator_id,
                version=happened.originator_version,
                names=happened.names,
                record=happened.record,
                left_on=happened.left_on,
            )
        case _ if pupil is None:
            raise Conflict(f"{happened.name} cannot be the first event of a pupil")
        case PupilChanged():
            return msgspec.structs.replace(
                pupil,
                version=happened.originator_version,
                names=happened.names or pupil.names,
                record=_merged(pupil.record, happened.record),
            )
        case PupilLeft():
            return msgspec.structs.replace(
                pupil, version=happened.originator_version, left_on=happened.left_on
            )
        case PupilReturned():
            return msgspec.structs.replace(pupil, version=happened.originator_version, left_on=None)
        case PupilErased():
            return msgspec.structs.replace(pupil, version=happened.originator_version, erased=True)
        case _:
            raise Conflict(f"{happened.name} is not an event of a pupil")


def _merged(record: PupilRecord, change: RecordChange | None) -> PupilRecord:
    """The record after a change; where one of the two is sealed, so is the whole."""
    if change is None or is_sealed(record):
        return record
    return cast("PupilRecord", change) if is_sealed(change) else change.applied_to(record)


def admit(pupil_id: UUID, names: PupilNames, record: PupilRecord, actor: Actor) -> PupilAdmitted:
    """Begins a child's record."""
    return PupilAdmitted(
        originator_id=pupil_id, originator_version=1, actor=actor, names=names, record=record
    )


def change(pupil: Pupil, names: PupilNames, record: PupilRecord, actor: Actor) -> PupilChanged | None:
    """Makes the pupil's particulars these; `None` when they are already.

    A UPN that is replaced is kept among the former ones.
    """
    if pupil.names.upn and names.upn != pupil.names.upn and pupil.names.upn not in names.former_upns:
        names = msgspec.structs.replace(names, former_upns=(*names.former_upns, pupil.names.upn))
    names_changed = names != pupil.names
    record_changed = record != pupil.record
    if not (names_changed or record_changed):
        return None
    return PupilChanged(
        originator_id=pupil.id,
        originator_version=pupil.version + 1,
        actor=actor,
        names=names if names_changed else None,
        record=RecordChange.between(pupil.record, record) if record_changed else None,
    )


def leave(
    pupil: Pupil, left_on: date, actor: Actor, reason: str | None = None, destination: str | None = None
) -> PupilLeft:
    """Takes the child off the roll.

    Raises:
        Conflict: The child has already left.
        InvalidInput: The day lies before the date of entry.
    """
    if pupil.left_on:
        raise Conflict("This pupil has already left the school", left_on=pupil.left_on.isoformat())
    if left_on < pupil.record.date_of_entry:
        raise InvalidInput("A pupil cannot leave before the date of entry")
    return PupilLeft(
        originator_id=pupil.id,
        originator_version=pupil.version + 1,
        actor=actor,
        left_on=left_on,
        reason=reason,
        destination=destination,
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
        raise InvalidInput("A pupil cannot return before the day of leaving")
    return PupilReturned(
        originator_id=pupil.id, originator_version=pupil.version + 1, actor=actor, returned_on=returned_on
    )


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
