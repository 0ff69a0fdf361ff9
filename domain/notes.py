"""Notes that a school writes about a pupil: a log of their own, so that writing one replays nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.errors import Conflict
from domain.events import Actor, Event, Names, Open, Record, event
from domain.identifiers import log_id_of


def notes_of(pupil_id: UUID) -> UUID:
    """The originator id of the log of a pupil's notes."""
    return log_id_of(pupil_id, "notes")


@event("note.written")
class NoteWritten(Event, frozen=True, kw_only=True):
    """Somebody wrote a note about the child."""

    subject_field: ClassVar[str] = "pupil_id"

    note_id: Open[UUID]
    pupil_id: Open[UUID]
    written_on: Record[date]
    text: Names[str]


@event("note.changed")
class NoteChanged(Event, frozen=True, kw_only=True):
    """A note says something else from now on; what it said stays in the history."""

    subject_field: ClassVar[str] = "pupil_id"

    note_id: Open[UUID]
    pupil_id: Open[UUID]
    text: Names[str]


@event("note.removed")
class NoteRemoved(Event, frozen=True, kw_only=True):
    """A note is not shown any more; what it said stays in the history."""

    subject_field: ClassVar[str] = "pupil_id"

    note_id: Open[UUID]
    pupil_id: Open[UUID]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A note as it stands.

    Attributes:
        id: Its id.
        written_on: The day that it speaks of.
        text: What it says; sealed, for those who may not know who the child is.
        by: Who wrote it, or changed it last.
    """

    id: UUID
    written_on: date
    text: str
    by: Actor


def fold(events: Iterable[Event]) -> dict[UUID, Note]:
    """A pupil's notes after these events, by id, in the order in which they were first written."""
    notes: dict[UUID, Note] = {}
    for happened in events:
        match happened:
            case NoteWritten():
                notes[happened.note_id] = Note(
                    id=happened.note_id,
                    written_on=happened.written_on,
                    text=happened.text,
                    by=happened.actor,
                )
            case NoteChanged():
                notes[happened.note_id] = msgspec.structs.replace(
                    notes[happened.note_id], text=happened.text, by=happened.actor
                )
            case NoteRemoved():
                del notes[happened.note_id]
            case _:
                raise Conflict(f"{happened.name} is not an event of a note")
    return notes
