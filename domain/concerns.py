"""Concerns: what the school keeps an eye on about a child, opened and closed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from domain.errors import Conflict, Finding, InvalidInput, NotFound
from domain.events import Actor, Event, Names, Open, Record, event, is_sealed

if TYPE_CHECKING:
    from domain.pupil import Pupil


class Concern(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Something about a child that the school keeps an eye on.

    Attributes:
        id: Its id.
        opened_on: Since when.
        closed_on: Until when; none, while it is active.
    """

    id: UUID
    opened_on: date
    closed_on: date | None = None


@event("pupil.concern-opened")
class ConcernOpened(Event, frozen=True, kw_only=True):
    """The school has a concern about the child; the words stay in this event."""

    concern_id: Open[UUID]
    opened_on: Record[date]
    text: Names[str]


@event("pupil.concern-closed")
class ConcernClosed(Event, frozen=True, kw_only=True):
    """A concern is over."""

    concern_id: Open[UUID]
    closed_on: Record[date]
    outcome: Names[str | None] = None


def after(concerns: tuple[Concern, ...], happened: ConcernOpened | ConcernClosed) -> tuple[Concern, ...]:
    """A pupil's concerns after an event; those that are sealed stay so."""
    if is_sealed(concerns):
        return concerns
    if isinstance(happened, ConcernOpened):
        return (*concerns, Concern(id=happened.concern_id, opened_on=happened.opened_on))
    return tuple(
        msgspec.structs.replace(concern, closed_on=happened.closed_on)
        if concern.id == happened.concern_id
        else concern
        for concern in concerns
    )


def open_concern(pupil: Pupil, concern_id: UUID, opened_on: date, text: str, actor: Actor) -> ConcernOpened:
    """Opens a concern about the child."""
    return ConcernOpened(
        originator_id=pupil.id,
        originator_version=pupil.version + 1,
        actor=actor,
        concern_id=concern_id,
        opened_on=opened_on,
        text=text,
    )


def close_concern(
    pupil: Pupil, concern_id: UUID, closed_on: date, outcome: str | None, actor: Actor
) -> ConcernClosed:
    """Closes a concern.

    Raises:
        NotFound: The child has no such concern.
        Conflict: It is closed.
        InvalidInput: The day lies before the one on which it was opened.
    """
    concern = next((each for each in pupil.concerns if each.id == concern_id), None)
    if concern is None:
        raise NotFound("This pupil has no concern with that id")
    if concern.closed_on:
        raise Conflict("This concern is closed already", closed_on=concern.closed_on.isoformat())
    if closed_on < concern.opened_on:
        accepted = f"a day from {concern.opened_on.isoformat()} on, when it was opened"
        raise InvalidInput(
            "A concern cannot be closed before the day on which it was opened",
            [Finding(field="closed_on", found=closed_on.isoformat(), accepted=accepted)],
        )
    return ConcernClosed(
        originator_id=pupil.id,
        originator_version=pupil.version + 1,
        actor=actor,
        concern_id=concern_id,
        closed_on=closed_on,
        outcome=outcome,
    )
