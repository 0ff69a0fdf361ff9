"""Usage: all that the school's staff did, for its administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

import projections.usage
from api.callers import Caller, signed_in
from api.encoding import Answer, PageSize, ReadQuery, query
from api.moments import instant
from api.reading import reading
from api.routing import Routes
from domain.access import Permission
from projections.usage import Place, UsageKind, UsageView

routes = Routes("usage")

Cursor = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,18}-[0-9]{1,9}\Z")]
"""Where a page ended: a position in the stream, and a number of what was recorded there."""


class UsageQuery(ReadQuery, frozen=True, kw_only=True):
    """Which usage.

    Attributes:
        staff_id: What this account did, and what was done to it.
        pupil_id: Reads that showed this pupil, and releases that name it.
        kind: This kind.
        since: From the beginning of this day, or from this time on.
        until: To the end of this day, or before this time.
        before: What comes before: `next` of the page before.
        limit: The most to return.
    """

    staff_id: UUID | None = None
    pupil_id: UUID | None = None
    kind: UsageKind | None = None
    since: str | None = None
    until: str | None = None
    before: Cursor | None = None
    limit: PageSize = 100


class UsageBody(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done.

    Attributes:
        position: Its place in the school's stream.
        number: Which read of those that were recorded at this position; otherwise 0.
        happened_at: When.
        kind: What.
        actor: `staff`, `operator` or `system`.
        staff_id: Who did it; for a failed login whose account it was, null for a username that nobody has.
        display_name: What colleagues call them.
        about_id: Whose account it was done to, where that is somebody else's.
        about_name: What colleagues call those.
        session_id: The session.
        key_id: The login key.
        what: What was read or released; why a login failed or a session ended; what was done to an account, a
            login key or a headteacher's permission; which permission was missing.
        route: Where a refusal was: the method and the template of the path.
        times: How often; of lost reads, how many.
        named: Whether a read showed, or a release says, who the pupils are.
        pupils: How many pupils a read showed, or a release names.
    """

    position: int
    number: int
    happened_at: datetime
    kind: UsageKind
    actor: str
    staff_id: UUID | None
    display_name: str | None
    about_id: UUID | None
    about_name: str | None
    session_id: UUID | None
    key_id: UUID | None
    what: str | None
    route: str | None
    times: int
    named: bool | None
    pupils: int | None


class UsagePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of usage.

    Attributes:
        usage: The newest first.
        next: Where the next page begins, if there is one.
        position: It shows everything up to this position of the school's stream.
    """

    usage: list[UsageBody]
    next: str | None
    position: int


@routes.get("/v1/usage")
def list_usage(
    caller: Annotated[Caller, signed_in(Permission.READ_AUDIT)],
    asked: Annotated[UsageQuery, query(UsageQuery)],
) -> Answer[UsagePage]:
    """List what staff did: logins, reads, refusals, releases, and changes of accounts, passwords and keys."""
    with reading(caller, asked.min_position, projections.usage.NAME) as read:
        views = projections.usage.find(
            read.connection,
            caller.school_id,
            staff_id=asked.staff_id,
            pupil_id=asked.pupil_id,
            kind=asked.kind,
            since=instant("since", asked.since),
            until=instant("until", asked.until, after=True),
            before=Place(*map(int, asked.before.split("-"))) if asked.before else None,
            limit=asked.limit + 1,
        )
    called = {member.id: member.names.display_name for member in caller.school.staff()[0]}
    page = views[: asked.limit]
    following = f"{page[-1].position}-{page[-1].number}" if len(views) > len(page) else None
    lines = [_line(view, called) for view in page]
    return Answer(UsagePage(usage=lines, next=following, position=read.position))


def _line(view: UsageView, called: dict[UUID, str]) -> UsageBody:
    return UsageBody(
        display_name=called.get(view.staff_id) if view.staff_id else None,
        about_name=called.get(view.about_id) if view.about_id else None,
        **msgspec.structs.asdict(view),
    )
