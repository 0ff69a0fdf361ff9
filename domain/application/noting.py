"""Notes and concerns about a pupil: writing, changing and closing them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import msgspec

import domain.concerns
import domain.notes
from domain import school_time
from domain.addresses import ACCEPTED, find_addresses
from domain.application.school_application import CommandKey, Decision, Outcome, SchoolApplication
from domain.concerns import Concern, ConcernClosed, ConcernOpened
from domain.errors import Finding, InvalidInput, NotFound
from domain.events import Actor, Event
from domain.files.rows import finding
from domain.identifiers import new_id
from domain.notes import Note, NoteChanged, NoteRemoved, NoteWritten, notes_of
from domain.pupil import Pupil
from domain.since_birth import Dated, birth_of, findings_before
from domain.text import read_text

LONGEST = 4000
"""The most characters of a note, or of what is said of a concern."""

EARLIEST = date(1990, 1, 1)
"""No pupil's record reaches back further."""


class NoteResult(msgspec.Struct, frozen=True):
    """The note that a command was about."""

    note_id: UUID


class ConcernResult(msgspec.Struct, frozen=True):
    """The concern that a command was about, and the pupil's version and active concerns after it."""

    concern_id: UUID
    version: int
    active: int


class ConcernView(msgspec.Struct, frozen=True, kw_only=True):
    """A concern with what was said of it.

    Attributes:
        concern_id: Its id.
        opened_on: Since when.
        closed_on: Until when; none, while it is active.
        text: What it is about; sealed, for those who may not know who the child is.
        outcome: What came of it; sealed likewise.
        opened_by: Who opened it.
    """

    concern_id: UUID
    opened_on: date
    closed_on: date | None
    text: str
    outcome: str | None
    opened_by: Actor


def checked_words(field: str, text: str) -> str:
    """Free text as it is kept; lines stay.

    Raises:
        InvalidInput: It is empty or too long, or holds damaged characters, or an email or postal address; the
            finding has the words of the address.
    """
    found = f"{len(text)} characters"
    try:
        kept = "\n".join(read_text(line) for line in text.strip().splitlines())
        accepted = "" if 1 <= len(kept) <= LONGEST else f"1 to {LONGEST} characters"
        if not accepted and (words := find_addresses(kept)):
            found, accepted = ", ".join(words), ACCEPTED
    except ValueError as error:
        accepted = str(error)
    if accepted:
        raise InvalidInput("This cannot be kept as it is", [finding(field, found, accepted)])
    return kept


def checked_day(field: str, day: date) -> date:
    """A day on which something was seen or written.

    Raises:
        InvalidInput: It lies ahead, or before any pupil's record.
    """
    today = school_time.today()
    if not EARLIEST <= day <= today:
        accepted = f"a day from {EARLIEST.isoformat()} to today"
        raise InvalidInput(
            "The day cannot be right", [Finding(field=field, found=day.isoformat(), accepted=accepted)]
        )
    return day


def check_since_birth(field: str, day: date, pupil: Pupil) -> None:
    """Makes sure that nothing is dated before the child's birth.

    Raises:
        InvalidInput: The day lies before it.
    """
    if findings := findings_before(birth_of(pupil.names), [Dated(field, day)]):
        raise InvalidInput("The day cannot be right", findings)


def write_note(
    school: SchoolApplication,
    pupil_id: UUID,
    text: str,
    written_on: date,
    actor: Actor,
    command: CommandKey | None = None,
) -> Outcome[NoteResult]:
    """Writes a note about a pupil.

    Raises:
        NotFound: There is no such pupil.
        InvalidInput: The text or the day cannot be kept.
    """
    text, written_on = checked_words("text", text), checked_day("written_on", written_on)
    note_id = new_id()

    def happen(pupil: Pupil, version: int, _: dict[UUID, Note]) -> Event:
        check_since_birth("written_on", written_on, pupil)
        return NoteWritten(
            originator_id=notes_of(pupil_id),
            originator_version=version,
            actor=actor,
            note_id=note_id,
            pupil_id=pupil_id,
            written_on=written_on,
            text=text,
        )

    return _note(school, pupil_id, note_id, happen, command)


def change_note(
    school: SchoolApplication,
    pupil_id: UUID,
    note_id: UUID,
    text: str,
    actor: Actor,
    command: CommandKey | None = None,
) -> Outcome[NoteResult]:
    """Changes what a note says; what it said stays in the history.

    Raises:
        NotFound: There is no such pupil or note.
        InvalidInput: The text cannot be kept.
    """
    text = checked_words("text", text)

    def happen(_: Pupil, version: int, notes: dict[UUID, Note]) -> Event | None:
        if notes[note_id].text == text:
            return None
        return NoteChanged(
            originator_id=notes_of(pupil_id),
            originator_version=version,
            actor=actor,
            note_id=note_id,
            pupil_id=pupil_id,
            text=text,
        )

    return _note(school, pupil_id, note_id, happen, command, known=True)


def remove_note(
    school: SchoolApplication,
    pupil_id: UUID,
    note_id: UUID,
    actor: Actor,
    command: CommandKey | None = None,
) -> Outcome[NoteResult]:
    """Takes a note away; what it said stays in the history until the child is erased.

    Raises:
        NotFound: There is no such pupil or note.
    """

    def happen(_: Pupil, version: int, __: dict[UUID, Note]) -> Event:
        return NoteRemoved(
            originator_id=notes_of(pupil_id),
            originator_version=version,
            actor=actor,
            note_id=note_id,
            pupil_id=pupil_id,
        )

    return _note(school, pupil_id, note_id, happen, command, known=True)


def _note(
    school: SchoolApplication,
    pupil_id: UUID,
    note_id: UUID,
    happen: Callable[[Pupil, int, dict[UUID, Note]], Event | None],
    command: CommandKey | None,
    *,
    known: bool = False,
) -> Outcome[NoteResult]:
    log = notes_of(pupil_id)

    def decide() -> Decision[NoteResult]:
        pupil = school.pupil(pupil_id)
        version = school.stream.last_versions([log]).get(log, 0) + 1
        there = notes(school, pupil_id) if known else {}
        if known and note_id not in there:
            raise NotFound("This pupil has no note with that id")
        happened = happen(pupil, version, there)
        return Decision([happened] if happened else [], NoteResult(note_id))

    return school.carry_out(decide, NoteResult, command)


def notes(school: SchoolApplication, pupil_id: UUID) -> dict[UUID, Note]:
    """A pupil's notes, by id."""
    return domain.notes.fold(school.read(school.stream.events_of(notes_of(pupil_id))))


def open_concern(
    school: SchoolApplication,
    pupil_id: UUID,
    text: str,
    opened_on: date,
    actor: Actor,
    command: CommandKey | None = None,
) -> Outcome[ConcernResult]:
    """Opens a concern about a pupil.

    Raises:
        NotFound: There is no such pupil.
        InvalidInput: The text or the day cannot be kept.
    """
    text, opened_on = checked_words("text", text), checked_day("opened_on", opened_on)
    concern_id = new_id()

    def decide() -> Decision[ConcernResult]:
        pupil = school.pupil(pupil_id)
        check_since_birth("opened_on", opened_on, pupil)
        opened = domain.concerns.open_concern(pupil, concern_id, opened_on, text, actor)
        result = ConcernResult(concern_id, opened.originator_version, pupil.active_concerns + 1)
        return Decision([opened], result)

    return school.carry_out(decide, ConcernResult, command)


def close_concern(
    school: SchoolApplication,
    pupil_id: UUID,
    concern_id: UUID,
    closed_on: date,
    actor: Actor,
    outcome: str | None = None,
    command: CommandKey | None = None,
) -> Outcome[ConcernResult]:
    """Closes a concern.

    Raises:
        NotFound: There is no such pupil or concern.
        Conflict: It is closed.
        InvalidInput: The words or the day cannot be kept, or the day lies before that of its opening.
    """
    outcome = checked_words("outcome", outcome) if outcome is not None else None
    closed_on = checked_day("closed_on", closed_on)

    def decide() -> Decision[ConcernResult]:
        pupil = school.pupil(pupil_id)
        closed = domain.concerns.close_concern(pupil, concern_id, closed_on, outcome, actor)
        result = ConcernResult(concern_id, closed.originator_version, pupil.active_concerns - 1)
        return Decision([closed], result)

    return school.carry_out(decide, ConcernResult, command)


def concerns(school: SchoolApplication, pupil_id: UUID) -> list[ConcernView]:
    """A pupil's concerns with what was said of them, in the order in which they were opened.

    Raises:
        NotFound: There is no such pupil.
    """
    pupil = school.pupil(pupil_id)
    opened: dict[UUID, ConcernOpened] = {}
    closed: dict[UUID, ConcernClosed] = {}
    for happened in school.read(school.stream.events_of(pupil_id)):
        if isinstance(happened, ConcernOpened):
            opened[happened.concern_id] = happened
        elif isinstance(happened, ConcernClosed):
            closed[happened.concern_id] = happened
    return [_view(each, opened[each.id], closed.get(each.id)) for each in pupil.concerns if each.id in opened]


def _view(concern: Concern, opened: ConcernOpened, closed: ConcernClosed | None) -> ConcernView:
    return ConcernView(
        concern_id=concern.id,
        opened_on=concern.opened_on,
        closed_on=concern.closed_on,
        text=opened.text,
        outcome=closed.outcome if closed else None,
        opened_by=opened.actor,
    )
