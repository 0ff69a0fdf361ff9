"""What surrounds every request: an id, the headers of every response, the access log, the limit of a body."""

from __future__ import annotations

import logging
import re
import time
import traceback
from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import unexpected
from domain.identifiers import new_id

log = logging.getLogger(__name__)
access_log = logging.getLogger("api.access")

REQUEST_ID = "X-Request-Id"

EVERY_RESPONSE = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
"""The headers of every response: only ever over TLS, kept nowhere, and nothing but what it says it is."""

MEBIBYTE = 1024 * 1024


class Surroundings:
    """Gives every request an id, logs it, and answers for what nobody foresaw.

    The log says which route, how it ended and how long it took. It holds nothing that the sender chose: no
    path that is not a route's, no query, no header, no body; and of an exception its type and place alone.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = str(new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                headers.update(EVERY_RESPONSE)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            pass  # There is nobody to answer.
        except Exception as error:  # noqa: BLE001 - this is where everything that nobody foresaw ends
            _log_unexpected(request_id, error)
            if status == 0:
                await unexpected(Request(scope))(scope, receive, send_with_headers)
        finally:
            _log_access(scope, request_id, status, time.perf_counter() - began)


def _log_unexpected(request_id: str, error: BaseException) -> None:
    chain = []
    cause: BaseException | None = error
    while cause is not None:
        places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(cause.__traceback__)]
        chain.append({"type": type(cause).__name__, "places": places})
        cause = cause.__cause__ or cause.__context__
    log.error("%s", msgspec.json.encode({"request": request_id, "unexpected": chain}).decode())


def _log_access(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    line = {
        "request": request_id,
        "method": scope["method"] if scope["method"] in _METHODS else "another",
        "route": getattr(scope.get("route"), "path", None),
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
    }
    access_log.info("%s", msgspec.json.encode(line).decode())


_METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}


class BodyLimit:
    """Reads no body further than its limit, whatever its sender says of its length."""

    def __init__(self, app: ASGIApp, usual: int = MEBIBYTE, limits: Mapping[str, int] | None = None) -> None:
        """Wraps an application.

        Args:
            app: The application.
            usual: The most octets of a body.
            limits: Other limits, by path; a part of the path in braces stands for any.
        """
        self.app = app
        self._usual = usual
        self._limits = {
            re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))): limit
            for path, limit in (limits or {}).items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        others = (limit for pattern, limit in self._limits.items() if pattern.fullmatch(path))
        limit = next(others, self._usual)
        declared = Headers(scope=scope).get("content-length", "0")
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            if declared.isdecimal() and int(declared) > limit:
                raise too_long(limit, int(declared))
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise too_long(limit)
            return message

        await self.app(scope, receive_within_limit, send)


def too_long(limit: int, found: int | None = None) -> HTTPException:
    """What is said of a body that is too long.

    Args:
        limit: The most octets.
        found: The octets that it has; none, where nobody has counted them to the end.
    """
    this = f"this one has {found:,}" if found else "this one has more"
    unit, octets = ("MB", 1_000_000) if limit % 1_000_000 == 0 else ("MiB", MEBIBYTE)
    said = f"The body may have at most {limit / octets:.4g} {unit} ({limit:,} bytes); {this}"
    return HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said)
