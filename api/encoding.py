"""What comes in and goes out: msgspec types, decoded strictly and encoded without detours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from api.problems import MalformedBody
from domain.application.school_application import CommandKey
from domain.errors import Finding, InvalidInput, place_in

T = TypeVar("T")

POSITION_HEADER = "Target-Tracker-Position"
REPLAYED_HEADER = "Idempotent-Replayed"

LONGEST_KEY = 255

Position = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A position in a stream, as PostgreSQL's `bigint` holds it."""

PageSize = Annotated[int, msgspec.Meta(ge=1, le=500)]
"""The most entries that one answer holds."""


class Answer(Response, Generic[T]):
    """A value as JSON; the type parameter is what the API's description says of it."""

    media_type = "application/json"

    def __init__(
        self,
        value: T,
        status_code: int = HTTPStatus.OK,
        *,
        position: int | None = None,
        repeated: bool = False,
        etag: str | None = None,
    ) -> None:
        """Encodes.

        Args:
            value: The value.
            status_code: The HTTP status.
            position: For commands: what a reader has to wait for to see what was done.
            repeated: For commands: it had been carried out before.
            etag: The entity tag.
        """
        super().__init__(msgspec.json.encode(value), status_code)
        if position is not None:
            self.headers[POSITION_HEADER] = str(position)
        if repeated:
            self.headers[REPLAYED_HEADER] = "true"
        if etag is not None:
            self.headers["ETag"] = etag


@dataclass(frozen=True)
class Sent(Generic[T]):
    """What a command was sent with.

    Attributes:
        value: The body.
        command: The key, if the caller gave an `Idempotency-Key`.
    """

    value: T
    command: CommandKey | None


class Body(Generic[T]):
    """The dependency that reads a body of one type; no field may be unknown."""

    def __init__(self, body_type: type[T], *, is_command: bool = True) -> None:
        self.body_type = body_type
        self.is_command = is_command
        self._decoder = msgspec.json.Decoder(body_type)

    async def __call__(self, request: Request) -> Sent[T]:
        """Reads the body, to its limit and no further.

        Raises:
            MalformedBody: It is not JSON.
            InvalidInput: It is JSON of another shape, or the `Idempotency-Key` is too long.
        """
        content = await request.body()
        command = _command_key(request, content) if self.is_command else None
        return Sent(_decoded(self._decoder, content), command)


class RawBody:
    """The dependency that reads a body as it is; also one that is empty."""

    is_command = True

    async def __call__(self, request: Request) -> Sent[bytes]:
        """Reads the body, to its limit and no further.

        Raises:
            InvalidInput: The `Idempotency-Key` is too long.
        """
        content = await request.body()
        return Sent(content, _command_key(request, content))


class RawQuestion(RawBody):
    """The same for files that are only asked about."""

    is_command = False


class NoBody(RawBody):
    """The same for commands that say everything in their path."""


def _command_key(request: Request, content: bytes) -> CommandKey | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST_KEY:
        raise InvalidInput(
            "The Idempotency-Key cannot be used",
            [
                Finding(
                    field="Idempotency-Key",
                    found=f"{len(key)} characters",
                    accepted=f"1 to {LONGEST_KEY} characters",
                )
            ],
        )
    return CommandKey(key, f"{request.method} {request.url.path}\n".encode() + content)


def _decoded(decoder: msgspec.json.Decoder[T], content: bytes) -> T:
    try:
        return decoder.decode(content)
    except msgspec.ValidationError as error:
        raise InvalidInput("The body is not as it must be", [finding_of(error)]) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        # What the decoder says may quote the body.
        raise MalformedBody("The body must be JSON, in UTF-8") from None


_SHAPES = (
    (
        re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL),
        "a field that is not known",
        "only fields that the description names",
    ),
    (re.compile(r"Object missing required field `(?P<field>.*)`"), "nothing", "a value"),
    (re.compile(r"Expected `(?P<accepted>.*?)`, got `(?P<found>.*)`"), "", ""),
    *(
        (re.compile(rf"Expected `(?:int|float)` {limit} (?P<limit>.*)"), f"a number {found}", accepted)
        for limit, found, accepted in (
            (">=", "below that", "at least {limit}"),
            (">", "not above that", "more than {limit}"),
            ("<=", "above that", "at most {limit}"),
            ("<", "not below that", "less than {limit}"),
        )
    ),
    *(
        (re.compile(rf"Expected `{kind}` of length {limit} ?(?P<limit>\d+)"), found, f"{accepted} {what}")
        for kind, what in (("str", "characters"), ("array", "entries"))
        for limit, found, accepted in (
            (">=", "fewer", "at least {limit}"),
            ("<=", "more", "at most {limit}"),
            ("", "another number", "{limit}"),
        )
    ),
    (re.compile("Invalid UUID"), "something else", "an id, as lists show them"),
    (re.compile("Invalid RFC3339 encoded date"), "something else", "a date that exists, such as 2026-09-07"),
    (
        re.compile("Invalid RFC3339 encoded datetime"),
        "something else",
        "a date and time, such as 2026-09-07T09:00:00Z",
    ),
    (re.compile(r"Expected (?P<accepted>.*)"), "something else", ""),
    (
        re.compile(r"Invalid enum value (?P<found>.*)", re.DOTALL),
        "",
        "one of those that the description names",
    ),
    (re.compile(r"Invalid (?P<accepted>.*)"), "something else", ""),
)
"""How msgspec says what is wrong, and what to say of what its sentence leaves out."""


def finding_of(error: msgspec.ValidationError) -> Finding:
    """Where and what: msgspec says it in one sentence, with a path at its end."""
    said, _, path = str(error).partition(" - at `")
    field = place_in(path.removesuffix("`"))
    for shape, found, accepted in _SHAPES:
        if match := shape.fullmatch(said):
            groups = match.groupdict()
            if "field" in groups:
                field = f"{field}.{groups['field']}" if field else groups["field"]
            return Finding(
                field=field[:60] or "body",
                found=(groups.get("found") or found)[:60],
                accepted=groups.get("accepted") or accepted.format(**groups),
            )
    return Finding(field=field[:60] or "body", found="a value that is not accepted", accepted=said)


class Query(Generic[T]):
    """The dependency that reads the query string as one type; a parameter that is not known is refused.

    A mistyped filter would otherwise quietly answer with everything.
    """

    def __init__(self, query_type: type[T]) -> None:
        self.query_type = query_type

    async def __call__(self, request: Request) -> T:
        """Reads the query string.

        Raises:
            InvalidInput: A parameter is not known, comes twice, or is not of its type.
        """
        given: dict[str, Any] = {}
        for name, value in request.query_params.multi_items():
            if name in given:
                raise InvalidInput(
                    "The query is not as it must be",
                    [Finding(field=name[:60], found="the parameter twice", accepted="it once")],
                )
            given[name] = value
        try:
            return msgspec.convert(given, self.query_type, strict=False)
        except msgspec.ValidationError as error:
            raise InvalidInput("The query is not as it must be", [finding_of(error)]) from None


def body(body_type: type[T], *, is_command: bool = True) -> Any:
    """Declares what a body holds.

    As in ``sent: Annotated[Sent[Leaving], body(Leaving)]``.

    Args:
        body_type: The type.
        is_command: Whether it changes anything; a search does not.
    """
    return Depends(Body(body_type, is_command=is_command))


def query(query_type: type[T]) -> Any:
    """Declares what a query string may hold.

    As in ``asked: Annotated[ReadQuery, query(ReadQuery)]``.
    """
    return Depends(Query(query_type))


class ReadQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every query takes.

    Attributes:
        min_position: The answer must show at least what was written up to this position.
    """

    min_position: Position | None = None
