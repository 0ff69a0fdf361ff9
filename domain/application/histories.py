"""History: what happened, event by event, and how things stood at a moment or a position."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from eventsourcing.persistence import MapperDeserialisationError

import domain.assessment
import domain.pupil
from domain.application.school_application import (
    MAPPER,
    PUPILS,
    SchoolApplication,
    assessments_of,
    is_of,
)
from domain.assessment import Assessment
from domain.errors import NotFound
from domain.events import Actor, Compartment
from domain.ledger.stream import RecordedEvent
from domain.pupil import Pupil

SCHOOL_TIME = ZoneInfo("Europe/London")


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One event, as people read it.

    Attributes:
        position: Its place in the school's stream.
        recorded_at: When it was recorded.
        event: Its stable name.
        originator_id: What it happened to.
        originator_version: Its number among the events of that.
        actor: Who caused it; unknown, where the event cannot be read.
        details: Its other fields, as plain data; `unreadable`, where the event cannot be read.
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


def entry_of(stored: RecordedEvent, *, names: bool = True) -> HistoryEntry:
    """An event as people read it.

    Args:
        stored: The event as recorded.
        names: Whether the reader may see who people are; if not, that compartment is left out.
    """
    try:
        event = MAPPER.to_domain_event(stored)
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
    homes = type(event).compartments()
    return HistoryEntry(
        position=stored.id,
        recorded_at=stored.recorded_at,
        event=event.name,
        originator_id=event.originator_id,
        originator_version=event.originator_version,
        actor=event.actor,
        details={
            field: msgspec.to_builtins(getattr(event, field), str_keys=True)
            for field, home in homes.items()
            if field not in HIDDEN and (names or home is not Compartment.NAMES)
        },
    )


HIDDEN = {"actor", "password_verifier"}
"""Fields that a history never repeats: one is shown apart, the other is nobody's to read."""


def of_school(
    school: SchoolApplication, *, after: int = 0, limit: int = 100, names: bool = True
) -> list[HistoryEntry]:
    """What happened at a school after a position, in the order of its stream."""
    return [entry_of(stored, names=names) for stored in school.stream.events_between(after + 1, limit=limit)]


def of_pupil(school: SchoolApplication, pupil_id: UUID, *, names: bool = True) -> list[HistoryEntry]:
    """Everything that happened to a pupil's record and assessments, in the order of the stream.

    Raises:
        NotFound: There is no such pupil.
    """
    stored = school.stream.events_of_many([pupil_id, assessments_of(pupil_id)])
    if not any(is_of(PUPILS, event.topic) for event in stored):
        raise NotFound("This school has no pupil with that id")
    return [entry_of(event, names=names) for event in stored]


class PupilThen(msgspec.Struct, frozen=True):
    """A pupil and the assessments, as they stood."""

    pupil: Pupil
    assessments: list[Assessment]


def pupil_as_at(school: SchoolApplication, pupil_id: UUID, moment: Moment) -> PupilThen:
    """A pupil as the school knew them then.

    Raises:
        NotFound: The school knew no such pupil then.
    """
    stored = school.stream.events_of_many(
        [pupil_id, assessments_of(pupil_id)], up_to=moment.position, at=moment.at
    )
    events = [MAPPER.to_domain_event(event) for event in stored]
    pupil = domain.pupil.fold(None, [event for event in events if is_of(PUPILS, event.name)])
    if pupil is None:
        raise NotFound("This school had no pupil with that id then")
    assessments = domain.assessment.fold(event for event in events if not is_of(PUPILS, event.name))
    return PupilThen(pupil, list(assessments.values()))


def roll_as_at(school: SchoolApplication, moment: Moment) -> list[Pupil]:
    """The pupils on the roll, as the school knew them then."""
    return [pupil for pupil in school.roll(up_to=moment.position, at=moment.at).values() if pupil.on_roll]
