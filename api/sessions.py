"""Sessions: logging in and out, and ending those of others."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.callers import Caller, open_to_all, signed_in
from api.encoding import POSITION_HEADER, Answer, ReadQuery, Sent, body, query
from api.heavy_work import one_of_few
from api.reading import see
from api.routing import Routes
from api.services import Services
from api.staff import AccessBody
from domain.access import Permission
from domain.application import logins, staff_sessions
from domain.vault.sessions import OpenSession

routes = Routes("sessions")


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a member of staff logs in with.

    Attributes:
        login_key: The school's login key, 550 characters; spaces and line breaks do not count.
        username: The username.
        password: The password.
        device: The device token of an earlier login to this account: whoever guesses cannot keep this device
            out.
    """

    login_key: Annotated[str, msgspec.Meta(max_length=2000)]
    username: Annotated[str, msgspec.Meta(max_length=1000)]
    password: Annotated[str, msgspec.Meta(max_length=4000)]
    device: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class OpenedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session, with the token that is told this once; and what this device shows at its next login."""

    token: str
    session_id: UUID
    school_id: UUID
    staff_id: UUID
    display_name: str
    access: AccessBody
    device: str
    position: int


class SessionBody(msgspec.Struct, frozen=True, kw_only=True):
    """An open session.

    Attributes:
        session_id: Its id.
        staff_id: Whose it is.
        key_id: The login key that it was opened with.
        opened_at: When it was opened.
        last_used_at: When it was last used, to within a minute.
        current: Whether it is the one that asks.
    """

    session_id: UUID
    staff_id: UUID
    key_id: UUID
    opened_at: datetime
    last_used_at: datetime
    current: bool


class SessionsEnded(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions were ended."""

    ended: int
    position: int


@routes.post("/v1/sessions", status_code=201)
async def open_session(
    services: Annotated[Services, open_to_all()],
    sent: Annotated[Sent[Credentials], body(Credentials, is_command=False)],
    request: Request,
) -> Answer[OpenedSession]:
    """Log in.

    This takes no `Idempotency-Key`: a token is told once.
    """
    address = request.client.host if request.client else ""
    return await one_of_few(request, _opened, services, sent.value, address)


def _opened(services: Services, given: Credentials, address: str) -> Answer[OpenedSession]:
    opened = logins.log_in(
        services.schools,
        services.sessions,
        given.login_key,
        given.username,
        given.password,
        address=address,
        device=given.device,
    )
    position = opened.school.stream.head().position
    return Answer(
        OpenedSession(
            token=opened.token,
            session_id=opened.session.id,
            school_id=opened.session.school_id,
            staff_id=opened.member.id,
            display_name=opened.member.names.display_name,
            access=AccessBody.of(opened.member.access),
            device=opened.device,
            position=position,
        ),
        201,
        position=position,
    )


@routes.get("/v1/sessions")
def list_sessions(
    caller: Annotated[Caller, signed_in(Permission.MANAGE_STAFF)],
    asked: Annotated[ReadQuery, query(ReadQuery)],
) -> Answer[list[SessionBody]]:
    """List the school's open sessions, the newest first."""
    see(caller, asked.min_position)
    found = caller.services.sessions.those_of(caller.school_id)
    return Answer([_body(caller, each) for each in found])


def _body(caller: Caller, found: OpenSession) -> SessionBody:
    return SessionBody(
        session_id=found.session_id,
        staff_id=found.staff_id,
        key_id=found.key_id,
        opened_at=found.opened_at,
        last_used_at=found.last_used_at,
        current=caller.session is not None and caller.session.id == found.session_id,
    )


@routes.delete("/v1/sessions/current", status_code=204)
def close_session(caller: Annotated[Caller, signed_in(None)]) -> Response:
    """Log out."""
    if caller.session:
        staff_sessions.log_out(caller.school, caller.services.sessions, caller.session)
    return _done(caller)


@routes.delete("/v1/sessions/{session_id}", status_code=204)
def end_session(caller: Annotated[Caller, signed_in(Permission.MANAGE_STAFF)], session_id: UUID) -> Response:
    """End a session of anybody at the school."""
    staff_sessions.close_session(caller.school, caller.services.sessions, session_id, caller.actor)
    return _done(caller)


@routes.delete("/v1/staff/{staff_id}/sessions")
def end_sessions_of(
    caller: Annotated[Caller, signed_in(Permission.MANAGE_STAFF, oneself="staff_id")], staff_id: UUID
) -> Answer[SessionsEnded]:
    """End every session of an account, but the one that asks."""
    ended = staff_sessions.close_sessions_of(
        caller.school,
        caller.services.sessions,
        staff_id,
        caller.actor,
        keep=caller.session.id if caller.session else None,
    )
    position = caller.school.stream.head().position
    return Answer(SessionsEnded(ended=ended, position=position), position=position)


def _done(caller: Caller) -> Response:
    position = caller.school.stream.head().position
    return Response(status_code=204, headers={POSITION_HEADER: str(position)})
