"""Code sets: what every code stands for, and on which days. They are the same for every school."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.callers import Caller, signed_in
from api.conditions import is_known, tag_of_content
from api.encoding import Answer, ReadQuery, query
from api.routing import Routes
from domain.access import Permission
from domain.codes.entries import CodeEntry, ScoreRange
from domain.codes.registry import PublishedSet, published_set, published_sets

T = TypeVar("T")

routes = Routes("codes")

KNOWN: dict[int | str, dict[str, Any]] = {
    304: {"description": "The reader has this already: it changes with the software only"}
}


class CodesQuery(ReadQuery, frozen=True, kw_only=True):
    """Which entries of a code set.

    Attributes:
        on: Those that are valid on this day only.
    """

    on: date | None = None


class CodeSetSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A code set in the list of them.

    Attributes:
        code_set: Its name, as it stands in addresses.
        title: For people.
        source: Where the list comes from.
        codes: How many codes it has, withdrawn ones too.
    """

    code_set: str
    title: str
    source: str
    codes: int


class CodeSetBody(msgspec.Struct, frozen=True, kw_only=True):
    """A code set.

    Attributes:
        code_set: Its name, as it stands in addresses.
        title: For people.
        source: Where the list comes from.
        on: The day that was asked about; null for all entries.
        entries: The codes in the order of the list. One whose meaning has changed is there once for each.
        ranges: Marks or scores that stand beside the codes; mostly there are none.
    """

    code_set: str
    title: str
    source: str
    on: date | None
    entries: Sequence[CodeEntry]
    ranges: Sequence[ScoreRange]


@routes.get("/v1/codes", responses=KNOWN)
def list_code_sets(
    caller: Annotated[Caller, signed_in(Permission.READ_SCHOOL)],  # noqa: ARG001 - for whoever is signed in
    asked: Annotated[ReadQuery, query(ReadQuery)],  # noqa: ARG001 - nothing here waits for a stream
    request: Request,
) -> Answer[list[CodeSetSummary]] | Response:
    """List the code sets."""
    return _answer(request, [_summary(published) for published in published_sets().values()])


@routes.get("/v1/codes/{code_set}", responses=KNOWN)
def read_code_set(
    caller: Annotated[Caller, signed_in(Permission.READ_SCHOOL)],  # noqa: ARG001 - for whoever is signed in
    asked: Annotated[CodesQuery, query(CodesQuery)],
    code_set: str,
    request: Request,
) -> Answer[CodeSetBody] | Response:
    """Read a code set: every code with the days on which it is valid, or those of one day."""
    published = published_set(code_set)
    codes = published.codes
    return _answer(
        request,
        CodeSetBody(
            code_set=published.name,
            title=published.title,
            source=published.source,
            on=asked.on,
            entries=codes.entries_on(asked.on) if asked.on else codes.entries,
            ranges=codes.ranges,
        ),
    )


def _summary(published: PublishedSet) -> CodeSetSummary:
    return CodeSetSummary(
        code_set=published.name,
        title=published.title,
        source=published.source,
        codes=len(published.codes),
    )


def _answer(request: Request, value: T) -> Answer[T] | Response:
    """The value with a tag of its content; or that the reader has it already."""
    answer = Answer(value)
    tag = tag_of_content(bytes(answer.body))
    if is_known(request, tag):
        return Response(status_code=304, headers={"ETag": tag})
    answer.headers["ETag"] = tag
    return answer
