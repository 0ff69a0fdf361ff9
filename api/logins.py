"""Logins: who came, who left and who was turned away, for the school's administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

import projections.logins
from api.callers import Caller, signed_in
from api.encoding import Answer, PageSize, Position, ReadQuery, query
from api.moments import instant
from api.reading import reading
from api.routing import Routes
from domain.access import Permission

routes = Routes("logins")

Outcome = Literal["opened", "closed", "failed"]


class LoginsQuery(ReadQuery, frozen=True, kw_only=True):
    """Which logins.

    Attributes:
        staff_id: Those of this account.
        since: From the beginning of this day, or from this time on.
        until: To the end of this day, or before this time.
        before: Those before this position: `next` of the page before.
        limit: The most to return.
    """

    staff_id: UUID | None = None
    since: str | None = None
    until: str | None = None
    before: Position | None = None
    limit: PageSize = 100


class LoginBody(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit trail.

    Attributes:
        position: Its place in the school's stream.
        recorded_at: When it happened.
        staff_id: Whose account it was; null for a username that nobody has.
        display_name: What colleagues call them.
        outcome: Whether a session was opened or closed, or a login failed.
        reason: Why a session ended, or a login failed.
        session_id: The session.
    """

    position: int
    recorded_at: datetime
    staff_id: UUID | None
    display_name: str | None
    outcome: Outcome
    reason: str | None
    session_id: UUID | None


class LoginsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the audit trail.

    Attributes:
        logins: The newest first.
        next: Where the next page begins, if there is one.
        position: It shows everything up to this position of the school's stream.
    """

    logins: list[LoginBody]
    next: int | None
    position: int


@routes.get("/v1/logins")
def list_logins(
    caller: Annotated[Caller, signed_in(Permission.READ_AUDIT)],
    asked: Annotated[LoginsQuery, query(LoginsQuery)],
) -> Answer[LoginsPage]:
    """List logins, logouts and failures."""
    with reading(caller, asked.min_position, projections.logins.NAME) as read:
        views = projections.logins.find(
            read.connection,
            caller.school_id,
            staff_id=asked.staff_id,
            since=instant("since", asked.since),
            until=instant("until", asked.until, after=True),
            before=asked.before,
            limit=asked.limit + 1,
        )
    called = {member.id: member.names.display_name for member in caller.school.staff()[0]}
    page = views[: asked.limit]
    lines = [
        LoginBody(
            position=view.position,
            recorded_at=view.recorded_at,
            staff_id=view.staff_id,
            display_name=called.get(view.staff_id) if view.staff_id else None,
            outcome=msgspec.convert(view.outcome, Outcome),
            reason=view.reason,
            session_id=view.session_id,
        )
        for view in page
    ]
    following = page[-1].position if len(views) > len(page) else None
    return Answer(LoginsPage(logins=lines, next=following, position=read.position))
