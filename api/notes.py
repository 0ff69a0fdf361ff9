"""Notes and concerns about a pupil."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends

import domain.application.noting as commands
from api.callers import Caller, signed_in
from api.encoding import Answer, NoBody, ReadQuery, Sent, body, query
from api.reading import see
from api.routing import Routes
from api.showing import Shown
from domain import school_time
from domain.access import Permission
from domain.application.noting import ConcernResult, NoteResult
from domain.application.school_application import Outcome
from domain.events import Actor, is_sealed
from domain.usage import ReadKind

routes = Routes("notes")


class NewNote(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A note to write; of today, if no day is given."""

    text: str
    written_on: date | None = None


class NoteText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a note says from now on."""

    text: str


class NoteBody(msgspec.Struct, frozen=True, kw_only=True):
    """A note.

    Attributes:
        note_id: Its id.
        written_on: The day that it speaks of.
        text: What it says; null for those who may not see names.
        by: Who wrote it, or changed it last.
    """

    note_id: UUID
    written_on: date
    text: str | None
    by: Actor


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil's notes, in the order in which they were first written."""

    notes: list[NoteBody]
    position: int


class NoteKept(msgspec.Struct, frozen=True, kw_only=True):
    """The note that a command was about."""

    note_id: UUID
    position: int


class NewConcern(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A concern to open; since today, if no day is given."""

    text: str
    opened_on: date | None = None


class Closing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a concern ends; today, if no day is given."""

    closed_on: date | None = None
    outcome: str | None = None


class ConcernBody(msgspec.Struct, frozen=True, kw_only=True):
    """A concern.

    Attributes:
        concern_id: Its id.
        opened_on: Since when.
        closed_on: Until when; null, while it is active.
        text: What it is about; null for those who may not see names.
        outcome: What came of it; null for those who may not see names.
        opened_by: Who opened it.
    """

    concern_id: UUID
    opened_on: date
    closed_on: date | None
    text: str | None
    outcome: str | None
    opened_by: Actor


class Concerns(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil's concerns, in the order in which they were opened, and how many are active."""

    concerns: list[ConcernBody]
    active: int
    position: int


class ConcernKept(msgspec.Struct, frozen=True, kw_only=True):
    """The concern that a command was about, and the pupil's version and active concerns after it."""

    concern_id: UUID
    version: int
    active: int
    position: int


@routes.get("/v1/pupils/{pupil_id}/notes")
def list_notes(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[ReadQuery, query(ReadQuery)],
    pupil_id: UUID,
) -> Shown[Notes]:
    """List the notes about a pupil."""
    position = see(caller, asked.min_position)
    caller.school.pupil(pupil_id)
    notes = [
        NoteBody(note_id=note.id, written_on=note.written_on, text=_words_for(caller, note.text), by=note.by)
        for note in commands.notes(caller.school, pupil_id).values()
    ]
    return Shown(caller, ReadKind.NOTES, [pupil_id], Notes(notes=notes, position=position))


@routes.post("/v1/pupils/{pupil_id}/notes", status_code=201)
def write_note(
    caller: Annotated[Caller, signed_in(Permission.CHANGE_PUPILS)],
    pupil_id: UUID,
    sent: Annotated[Sent[NewNote], body(NewNote)],
) -> Answer[NoteKept]:
    """Write a note about a pupil."""
    day = sent.value.written_on or school_time.today()
    outcome = commands.write_note(caller.school, pupil_id, sent.value.text, day, caller.actor, sent.command)
    return _kept(outcome, 201)


@routes.put("/v1/pupils/{pupil_id}/notes/{note_id}")
def change_note(
    caller: Annotated[Caller, signed_in(Permission.CHANGE_PUPILS)],
    pupil_id: UUID,
    note_id: UUID,
    sent: Annotated[Sent[NoteText], body(NoteText)],
) -> Answer[NoteKept]:
    """Change what a note says; what it said stays in the history."""
    outcome = commands.change_note(
        caller.school, pupil_id, note_id, sent.value.text, caller.actor, sent.command
    )
    return _kept(outcome)


@routes.post("/v1/pupils/{pupil_id}/notes/{note_id}/remove")
def remove_note(
    caller: Annotated[Caller, signed_in(Permission.CHANGE_PUPILS)],
    pupil_id: UUID,
    note_id: UUID,
    sent: Annotated[Sent[bytes], Depends(NoBody())],
) -> Answer[NoteKept]:
    """Take a note away; what it said stays in the history."""
    return _kept(commands.remove_note(caller.school, pupil_id, note_id, caller.actor, sent.command))


def _kept(outcome: Outcome[NoteResult], status: int = 200) -> Answer[NoteKept]:
    kept = NoteKept(note_id=outcome.result.note_id, position=outcome.position)
    return Answer(kept, status, position=outcome.position, repeated=outcome.repeated)


@routes.get("/v1/pupils/{pupil_id}/concerns")
def list_concerns(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[ReadQuery, query(ReadQuery)],
    pupil_id: UUID,
) -> Shown[Concerns]:
    """List the concerns about a pupil, the closed ones too."""
    position = see(caller, asked.min_position)
    concerns = [
        ConcernBody(
            concern_id=each.concern_id,
            opened_on=each.opened_on,
            closed_on=each.closed_on,
            text=_words_for(caller, each.text),
            outcome=_words_for(caller, each.outcome),
            opened_by=each.opened_by,
        )
        for each in commands.concerns(caller.school, pupil_id)
    ]
    active = sum(each.closed_on is None for each in concerns)
    answer = Concerns(concerns=concerns, active=active, position=position)
    return Shown(caller, ReadKind.CONCERNS, [pupil_id], answer)


@routes.post("/v1/pupils/{pupil_id}/concerns", status_code=201)
def open_concern(
    caller: Annotated[Caller, signed_in(Permission.CHANGE_PUPILS)],
    pupil_id: UUID,
    sent: Annotated[Sent[NewConcern], body(NewConcern)],
) -> Answer[ConcernKept]:
    """Open a concern about a pupil."""
    day = sent.value.opened_on or school_time.today()
    outcome = commands.open_concern(caller.school, pupil_id, sent.value.text, day, caller.actor, sent.command)
    return _concern_kept(outcome, 201)


@routes.post("/v1/pupils/{pupil_id}/concerns/{concern_id}/close")
def close_concern(
    caller: Annotated[Caller, signed_in(Permission.CHANGE_PUPILS)],
    pupil_id: UUID,
    concern_id: UUID,
    sent: Annotated[Sent[Closing], body(Closing)],
) -> Answer[ConcernKept]:
    """Close a concern."""
    day = sent.value.closed_on or school_time.today()
    outcome = commands.close_concern(
        caller.school, pupil_id, concern_id, day, caller.actor, sent.value.outcome, sent.command
    )
    return _concern_kept(outcome)


def _concern_kept(outcome: Outcome[ConcernResult], status: int = 200) -> Answer[ConcernKept]:
    result = outcome.result
    kept = ConcernKept(
        concern_id=result.concern_id,
        version=result.version,
        active=result.active,
        position=outcome.position,
    )
    return Answer(kept, status, position=outcome.position, repeated=outcome.repeated)


def _words_for(caller: Caller, words: str | None) -> str | None:
    """Free text, for those who may know whom it is about."""
    return None if is_sealed(words) or not caller.may(Permission.READ_NAMES) else words
