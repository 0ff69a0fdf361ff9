"""The forms in which some answers can be had: JSON, CSV, or a page to print."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from starlette.requests import Request

from domain.errors import Finding, InvalidInput


class Form(StrEnum):
    """A form, as the parameter `format` names it."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"


MEDIA_TYPES = {
    Form.JSON: "application/json",
    Form.CSV: "text/csv; charset=utf-8",
    Form.HTML: "text/html; charset=utf-8",
}

HEADERS: dict[Form, dict[str, str]] = {
    Form.CSV: {"Content-Disposition": 'attachment; filename="progress.csv"', "Vary": "Accept"},
    Form.HTML: {
        # A page brings all that it needs with it: nothing is loaded, nothing runs, nothing is sent.
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept",
    },
}
"""What is said of each besides its type."""


def offered(*forms: Form) -> dict[int | str, dict[str, Any]]:
    """Declares the forms that a route has besides JSON, for its description."""
    content = {MEDIA_TYPES[form]: {"schema": {"type": "string"}} for form in forms}
    return {200: {"description": "OK", "content": content}}


def form_of(request: Request, asked: Form | None, *forms: Form) -> Form:
    """The form that is asked for: by the parameter `format`, or else by the header `Accept`.

    Args:
        request: The request.
        asked: The parameter, if it was given.
        forms: Those that there are besides JSON.

    Raises:
        InvalidInput: There is no such form of this.
    """
    if asked is not None:
        if asked not in (Form.JSON, *forms):
            accepted = f"one of {', '.join((Form.JSON, *forms))}"
            raise InvalidInput(
                "The query is not as it must be",
                [Finding(field="format", found=asked, accepted=accepted)],
            )
        return asked
    by_type = {MEDIA_TYPES[form].partition(";")[0]: form for form in (Form.JSON, *forms)}
    wanted = [_wanted(part) for part in request.headers.get("accept", "").split(",")]
    # The first of those that are wanted most; whoever takes anything gets JSON.
    for _, media_type in sorted(wanted, key=lambda each: -each[0]):
        if media_type in by_type:
            return by_type[media_type]
        if media_type in {"*/*", "application/*"}:
            break
    return Form.JSON


def _wanted(part: str) -> tuple[float, str]:
    """A media type of an `Accept` header, and how much it is wanted."""
    media_type, *parameters = (each.strip().lower() for each in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value), media_type
            except ValueError:
                return 0.0, media_type
    return 1.0, media_type
