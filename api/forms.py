"""The forms in which some answers can be had: JSON, CSV, or a page to print."""

from __future__ import annotations

import re
from collections.abc import Sequence
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


def headers_of(form: Form, file_name: str) -> dict[str, str]:
    """What is said of a form besides its type, where the file is called otherwise.

    Args:
        form: The form.
        file_name: What the file is to be called, if it is one to keep.
    """
    if form is not Form.CSV:
        return HEADERS[form]
    return HEADERS[form] | {"Content-Disposition": f'attachment; filename="{file_name}"'}


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
    return preferred(request.headers.get("accept", ""), (Form.JSON, *forms))


def preferred(accept: str, forms: Sequence[Form]) -> Form:
    """The form that the header `Accept` asks for.

    Each form is wanted as much as the most specific range says that it is in (RFC 9110, 12.5.1): `text/html`
    before `text/*` before `*/*`. Of those wanted alike the one counts that is named more specifically, and
    then the one named first. What has `q=0` is not wanted; where nothing is, the answer is JSON all the same.
    A weight that is none, such as `q=x`, says nothing.

    Args:
        accept: The header; empty, if there was none.
        forms: The forms that there are, JSON first.
    """
    ranges = [_wanted(part) for part in accept.split(",") if part.strip()]

    def rank(form: Form) -> tuple[float, int, int]:
        media_type = MEDIA_TYPES[form].partition(";")[0]
        names = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
        for generality, name in enumerate(names):
            for place, (quality, said) in enumerate(ranges):
                if said == name:
                    return quality, -generality, -place
        return 0.0, -len(names), 0

    best = max(forms, key=rank)
    return best if rank(best)[0] > 0 else Form.JSON


_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


def _wanted(part: str) -> tuple[float, str]:
    """A media type of an `Accept` header, and how much it is wanted."""
    media_type, *parameters = (each.strip().lower() for each in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            weight = value.strip()
            return (float(weight) if _WEIGHT.fullmatch(weight) else 1.0), media_type
    return 1.0, media_type
