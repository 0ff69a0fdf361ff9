"""History: what happened to a pupil, or at the school, event by event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated
from uuid import UUID

import msgspec

from api.callers import Caller, signed_in
from api.encoding import PageSize, Position, ReadQuery, query
from api.reading import see
from api.routing import Routes
from api.showing import Shown
from domain.access import Permission
from domain.application.histories import HistoryEntry, of_pupil, of_school
from domain.application.school_application import PUPILS, is_of
from domain.usage import ReadKind

routes = Routes("history")


class PupilHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that happened to a pupil's record, assessments and attendance."""

    entries: list[HistoryEntry]
    position: int


class HistoryQuery(ReadQuery, frozen=True, kw_only=True):
    """Which part of a school's history.

    Attributes:
        after: What happened after this position: `next` of the page before.
        limit: The most to return.
    """

    after: Position = 0
    limit: PageSize = 100


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a school's history.

    Attributes:
        entries: In the order of the stream.
        next: Where the next page begins, if there is one.
        position: The end of the stream.
    """

    entries: list[HistoryEntry]
    next: int | None
    position: int


@routes.get("/v1/pupils/{pupil_id}/history")
def read_pupil_history(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[ReadQuery, query(ReadQuery)],
    pupil_id: UUID,
) -> Shown[PupilHistory]:
    """Read what happened to a pupil's record, assessments and attendance."""
    position = see(caller, asked.min_position)
    entries = of_pupil(caller.school, pupil_id)
    answer = PupilHistory(entries=entries, position=position)
    return Shown(caller, ReadKind.PUPIL_HISTORY, [pupil_id], answer)


@routes.get("/v1/history")
def read_school_history(
    caller: Annotated[Caller, signed_in(Permission.READ_AUDIT)],
    asked: Annotated[HistoryQuery, query(HistoryQuery)],
) -> Shown[HistoryPage]:
    """Read what happened at the school."""
    position = see(caller, asked.min_position)
    entries = of_school(caller.school, after=asked.after, limit=asked.limit + 1)
    page = entries[: asked.limit]
    return Shown(
        caller,
        ReadKind.SCHOOL_HISTORY,
        _pupils_in(page),
        HistoryPage(
            entries=page,
            next=page[-1].position if len(entries) > len(page) else None,
            position=position,
        ),
    )


def _pupils_in(entries: Iterable[HistoryEntry]) -> Iterator[UUID]:
    """The pupils whom these events are about."""
    for entry in entries:
        if is_of(PUPILS, entry.event):
            yield entry.originator_id
        elif pupil_id := entry.details.get("pupil_id"):
            yield UUID(pupil_id)
