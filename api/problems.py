"""Errors as people and programs read them: problem details (RFC 9457), from one table.

A problem tells the sender what was wrong with what was sent. What goes wrong inside is told to nobody:
neither the answer nor the log holds the message of an unexpected exception, since a database quotes rows in
its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
from eventsourcing.persistence import OperationalError
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from api.conditions import expected_version
from domain.errors import (
    CommandReused,
    Conflict,
    DoesNotOpen,
    Finding,
    InvalidInput,
    Misconfigured,
    NotFound,
    NotPermitted,
    NotSignedIn,
    NotYetVisible,
    SchoolStopped,
    TargetTrackerError,
    Throttled,
    VersionConflict,
)
from domain.ledger.database import may_pass
from domain.resets import NoMailServer

Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[TargetTrackerError], int] = {
    InvalidInput: 422,
    NotFound: 404,
    NotSignedIn: 401,
    NotPermitted: 403,
    Conflict: 409,
    CommandReused: 422,
    Throttled: 429,
    DoesNotOpen: 500,
    NotYetVisible: 503,
    NoMailServer: 503,
    Misconfigured: 500,
    TargetTrackerError: 500,
}
"""What each error is in HTTP; one that is not listed is what its parent is."""

TITLES = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large"}
"""Names of statuses that have changed with versions of Python."""

RETRY_AFTER = "1"
"""Seconds after which what is not there yet is worth another try."""


class MalformedBody(InvalidInput):
    """The body is not JSON at all, or not text."""

    title = "The body is not JSON"


def status_of(error: TargetTrackerError, request: Request) -> int:
    """The status of an error.

    A version conflict is the failure of the condition that the request made, if the version that it named is
    the stale one; otherwise somebody was quicker, and nothing that the request said was wrong.
    """
    if isinstance(error, MalformedBody):
        return HTTPStatus.BAD_REQUEST
    if isinstance(error, VersionConflict) and expected_version(request) == error.expected:
        return HTTPStatus.PRECONDITION_FAILED
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem(
    request: Request,
    status: int,
    name: str,
    title: str,
    detail: str,
    *,
    findings: list[Finding] | None = None,
    details: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """A problem as a response.

    Args:
        request: What it answers.
        status: The HTTP status.
        name: The kind of problem, in words with hyphens between.
        title: The kind, for people.
        detail: What is wrong this time.
        findings: Where, what and what would be accepted.
        details: More for programs.
        headers: More headers.
    """
    body: dict[str, Any] = {
        "type": f"urn:target-tracker:problem:{name}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if request_id := request.scope.get("state", {}).get("request_id"):
        body["instance"] = f"urn:uuid:{request_id}"
    if findings:
        body["findings"] = findings
    body |= {field: value for field, value in (details or {}).items() if field not in body}
    return Response(msgspec.json.encode(body), status, headers, MEDIA_TYPE)


def name_of(kind: type[Exception]) -> str:
    """The kind of problem that a class of errors is: `not-found` for `NotFound`."""
    return re.sub(r"(?<=.)(?=[A-Z])", "-", kind.__name__).lower()


async def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, TargetTrackerError)
    headers = {}
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="target-tracker"'
    if isinstance(error, NotYetVisible) and not isinstance(error, SchoolStopped):
        headers["Retry-After"] = RETRY_AFTER
    if isinstance(error, Throttled):
        headers["Retry-After"] = str(error.retry_after)
    return problem(
        request,
        status_of(error, request),
        name_of(type(error)),
        error.title,
        error.message,
        findings=error.findings if isinstance(error, InvalidInput) else None,
        details=error.details,
        headers=headers,
    )


async def _http(request: Request, error: Exception) -> Response:
    """What the framework refuses: no such route, a wrong method, a body that is too long."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = error.detail
    headers = dict(error.headers or {})
    if status == HTTPStatus.NOT_FOUND:
        detail = "There is nothing at this path"
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(methods_at(request))
        detail = f"This path takes {allowed}"
        headers["Allow"] = allowed
    title = TITLES.get(status, status.phrase)
    return problem(request, status, title.lower().replace(" ", "-"), title, detail, headers=headers)


def methods_at(request: Request) -> list[str]:
    """Every method that some route takes at the path of a request."""
    app = request.scope["app"]
    assert isinstance(app, Starlette)
    return sorted(
        {
            method
            for route in app.routes
            if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
            for method in route.methods or ()
        }
    )


async def _invalid(request: Request, error: Exception) -> Response:
    """What FastAPI itself reads, the ids in paths."""
    assert isinstance(error, RequestValidationError)
    findings = [
        Finding(
            field=str(wrong["loc"][-1]),
            found=str(wrong.get("input", ""))[:60],
            accepted="an id, such as 0190c5a4-7a3c-7000-8000-000000000000",
        )
        for wrong in error.errors()
    ]
    return await _known(request, InvalidInput("The path does not name anything", findings))


async def _unreachable(request: Request, error: Exception) -> Response:
    """The database is away or busy; what it cannot do at all is nothing to try again."""
    if not may_pass(error):
        raise error
    return problem(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "service-unavailable",
        "Service Unavailable",
        "The database cannot be reached at the moment: try again. "
        "A command with an Idempotency-Key can be sent again safely",
        headers={"Retry-After": RETRY_AFTER},
    )


def unexpected(request: Request) -> Response:
    """What is said of an error that nobody foresaw."""
    return problem(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal-server-error",
        "Internal Server Error",
        "Something went wrong here. The instance names this request in the log",
    )


HANDLERS: dict[int | type[Exception], Handler] = {
    TargetTrackerError: _known,
    HTTPException: _http,
    RequestValidationError: _invalid,
    psycopg.OperationalError: _unreachable,
    OperationalError: _unreachable,
}
"""Who turns which exception into a response."""
