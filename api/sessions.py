"""Sessions: logging in and out."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from starlette.responses import Response

from api.callers import Caller, open_to_all, signed_in
from api.encoding import POSITION_HEADER, Answer, Sent, body
from api.routing import Routes
from api.services import Services
from api.staff import AccessBody
from domain.application.accounts import log_in, log_out

routes = Routes("sessions")


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a member of staff logs in with."""

    urn: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}\Z")]
    username: Annotated[str, msgspec.Meta(max_length=1000)]
    password: Annotated[str, msgspec.Meta(max_length=4000)]


class OpenedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session, with the token that is told this once."""

    token: str
    session_id: UUID
    school_id: UUID
    staff_id: UUID
    display_name: str
    access: AccessBody
    position: int


@routes.post("/v1/sessions", status_code=201)
def open_session(
    services: Annotated[Services, open_to_all()],
    sent: Annotated[Sent[Credentials], body(Credentials, is_command=False)],
) -> Answer[OpenedSession]:
    """Log in.

    This takes no `Idempotency-Key`: a token is told once.
    """
    given = sent.value
    opened = log_in(services.schools, services.sessions, given.urn, given.username, given.password)
    position = services.schools.school(opened.school_id).stream.head().position
    return Answer(
        OpenedSession(
            token=opened.token,
            session_id=opened.session_id,
            school_id=opened.school_id,
            staff_id=opened.member.id,
            display_name=opened.member.names.display_name,
            access=AccessBody.of(opened.member.access),
            position=position,
        ),
        201,
        position=position,
    )


@routes.delete("/v1/sessions/current", status_code=204)
def close_session(caller: Annotated[Caller, signed_in(None)]) -> Response:
    """Log out."""
    if caller.session:
        log_out(caller.school, caller.services.sessions, caller.session)
    position = caller.school.stream.head().position
    return Response(status_code=204, headers={POSITION_HEADER: str(position)})
