"""History: what happened, event by event, and how things stood at a moment or a position."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID

import msgspec
from eventsourcing.persistence import MapperDeserialisationError

import domain.assessment
import domain.attendance  # whoever reads a history must know its events
import domain.permissions
import domain.pupil
from domain.application.school_application import (
    PUPILS,
    SchoolApplication,
    assessments_of,
    attendance_of,
    is_of,
    targets_of,
)
from domain.assessment import Assessment
from domain.errors import Erased, NotFound
from domain.events import ERASED, Actor, is_sealed
from domain.ledger.mapper import EventMapper
from domain.ledger.stream import RecordedEvent
from domain.notes import notes_of
from domain.observation import observations_of
from domain.pupil import Pupil
from domain.school_time import SCHOOL_TIME


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One event, as people read it.

    Attributes:
        position: Its place in the school's stream.
        recorded_at: When it was recorded.
        event: Its stable name.
        originator_id: What it happened to.
        originator_version: Its number among the events of that.
        actor: Who caused it; unknown, where the event cannot be read.
        details: Its other fields, as plain data, but for those that the reader has no key for;
            `erased`, where their key was destroyed, and `unreadable`, where the event cannot be read.
    """

    position: int
    recorded_at: datetime
    event: str
    originator_id: UUID
    originator_version: int
    actor: Actor | None
    details: dict[str, Any]


class Moment(msgspec.Struct, frozen=True):
    """A point in a stream: a position, or a moment in time; now, if neither is given.

    Attributes:
        position: The last position that counts.
        at: The last moment that counts.
    """

    position: int | None = None
    at: datetime | None = None


def end_of(day: date) -> Moment:
    """The end of a day, as clocks in England show it."""
    if day == date.max:
        return Moment()
    tomorrow = datetime.combine(day + timedelta(days=1), time(), SCHOOL_TIME)
    return Moment(at=tomorrow - timedelta(microseconds=1))


def entry_of(mapper: EventMapper, stored: RecordedEvent) -> HistoryEntry:
    """An event as people read it, as far as the keys at hand open it."""
    try:
        event = mapper.to_domain_event(stored)
    except MapperDeserialisationError:
        # One damaged event must not hide the rest of a history from whoever looks for it.
        return HistoryEntry(
            position=stored.id,
            recorded_at=stored.recorded_at,
            event=stored.topic.rpartition(".")[0],
            originator_id=cast("UUID", stored.originator_id),
            originator_version=stored.originator_version,
            actor=None,
            details={"unreadable": True},
        )
    fields = {field: getattr(event, field) for field in type(event).compartments() if field not in HIDDEN}
    return HistoryEntry(
        position=stored.id,
        recorded_at=stored.recorded_at,
        event=event.name,
        originator_id=event.originator_id,
        originator_version=event.originator_version,
        actor=event.actor,
        details={
            field: msgspec.to_builtins(value, str_keys=True)
            for field, value in fields.items()
            if not is_sealed(value)
        }
        | ({"erased": True} if ERASED in fields.values() else {}),
    )


HIDDEN = {"actor", "password_verifier", "for_administrators"}
"""Fields that a history never repeats: the first is shown apart, the others help to guess a password."""


def of_school(school: SchoolApplication, *, after: int = 0, limit: int = 100) -> list[HistoryEntry]:
    """What happened at a school after a position, in the order of its stream."""
    return _entries(school, school.stream.events_between(after + 1, limit=limit))


def _entries(school: SchoolApplication, stored: list[RecordedEvent]) -> list[HistoryEntry]:
    mapper = school.event_mapper
    subjects = set()
    for event in stored:
        with suppress(MapperDeserialisationError):
            subjects.add(mapper.subject_of(event))
    school.keys.need(subjects)
    return [entry_of(mapper, event) for event in stored]


def originators_of_pupil(pupil_id: UUID) -> list[UUID]:
    """A pupil, and every log about that pupil: all originators whose events say something of the child."""
    of = (assessments_of, attendance_of, targets_of, notes_of, observations_of)
    return [pupil_id, *(log(pupil_id) for log in of)]


def of_pupil(school: SchoolApplication, pupil_id: UUID) -> list[HistoryEntry]:
    """Everything that happened to a pupil, whatever log it is in, in the order of the stream.

    Raises:
        NotFound: There is no such pupil.
    """
    stored = school.stream.events_of_many(originators_of_pupil(pupil_id))
    if not any(is_of(PUPILS, event.topic) for event in stored):
        raise NotFound("This school has no pupil with that id")
    return _entries(school, stored)


class PupilThen(msgspec.Struct, frozen=True):
    """A pupil and the assessments, as they stood."""

    pupil: Pupil
    assessments: list[Assessment]


def pupil_as_at(school: SchoolApplication, pupil_id: UUID, moment: Moment) -> PupilThen:
    """A pupil as the school knew them then.

    Raises:
        NotFound: The school knew no such pupil then.
        Erased: The child has been erased since.
    """
    stored = school.stream.events_of_many(
        [pupil_id, assessments_of(pupil_id)], up_to=moment.position, at=moment.at
    )
    events = list(school.read(stored))
    pupil = domain.pupil.fold(None, [event for event in events if is_of(PUPILS, event.name)])
    if pupil is None:
        raise NotFound("This school had no pupil with that id then")
    if pupil.erased or is_sealed(pupil.record):
        raise Erased("This pupil has been erased")
    assessments = domain.assessment.fold(event for event in events if not is_of(PUPILS, event.name))
    return PupilThen(pupil, list(assessments.values()))


def roll_as_at(school: SchoolApplication, moment: Moment) -> list[Pupil]:
    """The pupils on the roll, as the school knew them then."""
    return [pupil for pupil in school.roll(up_to=moment.position, at=moment.at).values() if pupil.on_roll]
