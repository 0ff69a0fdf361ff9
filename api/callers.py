"""Who calls, and whether they may: every route declares it, and one that does not cannot be added unnoticed.

A route's guard is the first of its dependencies, so that nobody else's body is read. The table of who may do
what is the domain's.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from fastapi import Depends
from starlette.requests import Request

from api.services import Services
from domain.access import Permission
from domain.application.login_keys import record_use
from domain.application.logins import opened_with_key
from domain.application.school_application import SchoolApplication
from domain.application.staff_sessions import signed_in as session_of
from domain.errors import NotPermitted, NotSignedIn
from domain.events import OPERATOR, Actor, ActorKind
from domain.staff import StaffMember
from domain.vault import login_key
from domain.vault.sessions import Session

LOGIN_KEY_HEADER = "Target-Tracker-Login-Key"
"""What the operator sends to act on a school's behalf: the login key that the school gave for it."""


@dataclass(frozen=True)
class Caller:
    """Who sent a request, and to which school.

    Attributes:
        services: What the routes work with.
        school: The school, opened as far as the caller may.
        actor: Who acts, as events say it.
        member: The member of staff; nobody, when the operator acts on the school's behalf.
        session: The session that the request came in.
    """

    services: Services
    school: SchoolApplication
    actor: Actor
    member: StaffMember | None = None
    session: Session | None = None

    @property
    def school_id(self) -> UUID:
        """The id of the school."""
        return self.school.school_id

    def may(self, permission: Permission) -> bool:
        """Whether the access level allows it."""
        return self.member is not None and self.member.may(permission)

    @property
    def only_classes(self) -> tuple[str, ...] | None:
        """The only classes whose assessments the caller may record; nothing, where it may be any."""
        return self.only_classes_for(Permission.RECORD_ASSESSMENTS)

    def only_classes_for(self, permission: Permission) -> tuple[str, ...] | None:
        """The only classes for which the caller has the permission; nothing, where it is for any."""
        if self.member is None or self.may(permission):
            return None
        return self.member.access.classes


class Guard:
    """What a route asks of its caller."""


class SignedIn(Guard):
    """Somebody of the school's staff, whose access level gives the permission.

    Args:
        permission: What the route asks for; nothing but a session, if none is given.
        oneself: The path parameter that names an account whose owner needs no permission.
        operator: The operator may call it, too, with a login key of the school in a header.
    """

    def __init__(
        self, permission: Permission | None, *, oneself: str | None = None, operator: bool = False
    ) -> None:
        self.permission = permission
        self.oneself = oneself
        self.operator = operator

    def __call__(self, request: Request) -> Caller:
        """Finds out who calls.

        Raises:
            NotSignedIn: There is no session, or it has ended.
            NotPermitted: The access level does not allow it.
            LoginKeyRefused: The operator shows no login key, or one that cannot be used.
        """
        services = services_of(request)
        token = _bearer(request)
        if self.operator and is_operator(services, token):
            return _on_behalf(request, services)
        session, school, member = session_of(services.schools, services.sessions, token)
        request.state.session = session
        if not (
            self.permission is None
            or member.may(self.permission)
            or (self.oneself and request.path_params[self.oneself].lower() == str(member.id))
        ):
            raise NotPermitted("Your access level does not allow this", needed=self.permission)
        return Caller(services, school, Actor(ActorKind.STAFF, member.id), member, session)


class OperatorOnly(Guard):
    """The operator of the service."""

    def __call__(self, request: Request) -> Services:
        """Lets only the operator through.

        Raises:
            NotSignedIn: It is nobody whom we know.
            NotPermitted: It is a member of a school's staff.
        """
        services = services_of(request)
        token = _bearer(request)
        if not is_operator(services, token):
            request.state.session, _, _ = session_of(services.schools, services.sessions, token)
            raise NotPermitted("Only the operator of the service may do this")
        return services


class OpenToAll(Guard):
    """Anybody: a route for those who have no session yet, or need none."""

    async def __call__(self, request: Request) -> Services:
        """Lets everybody through."""
        return services_of(request)


def services_of(request: Request) -> Services:
    """What the application was made with."""
    return cast("Services", request.app.state.services)


def is_operator(services: Services, token: str) -> bool:
    """Whether a token is the operator's; how long it takes says nothing about how much of it is right."""
    expected = services.operator_token
    return bool(expected) and hmac.compare_digest(str(expected).encode(), token.encode())


def note_refusal(request: Request, route: str, refused: NotPermitted) -> None:
    """Notes that somebody who is signed in was refused something.

    Args:
        request: The request; its guard knows the session.
        route: The template of its path.
        refused: What it was refused with.

    Raises:
        psycopg.Error: The audit is strict, and this could not be recorded.
    """
    session: Session | None = getattr(request.state, "session", None)
    if session is not None:
        needed: Permission | None = refused.details.get("needed")
        services_of(request).audit.refuse(session, f"{request.method} {route}", needed)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedIn("Log in first, and send the session's token")
    return token.strip()


def _on_behalf(request: Request, services: Services) -> Caller:
    shown = login_key.read(request.headers.get(LOGIN_KEY_HEADER, ""), services.schools.service_keys)
    school = opened_with_key(services.schools, shown)
    record_use(school, shown.key_id, OPERATOR)
    return Caller(services, school, OPERATOR)


def signed_in(permission: Permission | None, *, oneself: str | None = None, operator: bool = False) -> Any:
    """Declares that a route is for the school's staff.

    As in ``caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)]``.
    """
    return Depends(SignedIn(permission, oneself=oneself, operator=operator))


def operator_only() -> Any:
    """Declares that a route is for the operator.

    As in ``services: Annotated[Services, operator_only()]``.
    """
    return Depends(OperatorOnly())


def open_to_all() -> Any:
    """Declares that a route is for anybody.

    As in ``services: Annotated[Services, open_to_all()]``.
    """
    return Depends(OpenToAll())
