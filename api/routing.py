"""Routes: FastAPI's, but that every endpoint makes its own response."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.callers import Guard, note_refusal
from domain.errors import NotPermitted


class AuditedRoute(APIRoute):
    """A route whose refusals are noted, whether its guard refuses or what it calls."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the audit around it."""
        handle = super().get_route_handler()

        async def handle_and_note(request: Request) -> Response:
            try:
                return await handle(request)
            except NotPermitted as refused:
                await run_in_threadpool(note_refusal, request, self.path_format, refused)
                raise

        return handle_and_note


class Routes(APIRouter):
    """The routes of one resource."""

    def __init__(self, resource: str) -> None:
        super().__init__(tags=[resource], redirect_slashes=False, route_class=AuditedRoute)

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Adds a route whose endpoint returns an :class:`~api.encoding.Answer`, which is sent as it is."""
        super().add_api_route(path, endpoint, **(options | {"response_model": None}))


def dependencies(route: APIRoute) -> list[Any]:
    """Every dependency of a route, in the order in which they run."""
    return list(_calls(route.dependant))


def _calls(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield from _calls(inner)
        yield inner.call


def guard_of(route: APIRoute) -> Guard | None:
    """What a route asks of its caller, if it is the first thing that it asks for."""
    calls = dependencies(route)
    return calls[0] if calls and isinstance(calls[0], Guard) else None
