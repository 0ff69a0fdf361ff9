"""Everything that the API's tests send and get, and what the service logs meanwhile, to be searched.

What is personal is taken from what is sent: every name, date of birth, UPN, postcode, username, password,
login key and token, of every test. So each test is a test of this, too.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec

from domain.access import AccessLevel

PERSONAL = {
    "administrator",
    "confirmation",
    "date_of_birth",
    "destination",
    "device",
    "display_name",
    "forename",
    "former_upns",
    "login_key",
    "name",
    "official_email",
    "password",
    "postcode",
    "reason",
    "surname",
    "text",
    "token",
    "upn",
    "username",
    "DOB",
    "Forename",
    "Postcode",
    "Surname",
    "UPN",
}
"""Fields of bodies, and columns of files, whose values are nobody else's business."""

SHORTEST = 6
"""Characters that a value must have to be looked for: shorter ones stand in other words, too."""

PUBLIC = {
    *AccessLevel,
    "Another",
    "Made-up Primary School",
    "Forename",
    "Surname",
    "mistake",
    "nowhere",
    "request",
}
"""What some tests use as a name, and which stands elsewhere for itself."""

MAIL_SERVER = "mail.log"
"""The log of the mail server that tests run, which is not ours."""

DESCRIPTION = "/v1/openapi.json"
"""Its parameters have a `name` that is nobody's."""


class Traffic(logging.Handler):
    """What was seen; as a handler, it sees what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.words: set[str] = set()
        self.seen: dict[str, list[str]] = {"address": [], "header": [], "error": [], "log": []}

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a line of a log, with the text of its exception, if it has one."""
        if record.name == MAIL_SERVER:
            return
        self.seen["log"].append(logging.Formatter("%(name)s %(message)s").format(record))

    def note(self, response: httpx.Response) -> None:
        """Keeps a request and its answer."""
        request = response.request
        content = _content(request)
        self.words |= set(_personal(_json(content))) | set(_columns(content))
        self.seen["address"].append(str(request.url))
        self.seen["header"] += [f"{name}: {value}" for name, value in response.headers.items()]
        response.read()
        body = _json(response.content)
        if request.url.path == DESCRIPTION:
            return
        if response.is_success:
            self.words |= set(_personal(body))
        elif isinstance(body, dict):  # findings are for the sender alone, and name what was sent
            told = {name: value for name, value in body.items() if name not in {"findings", "report"}}
            self.seen["error"].append(msgspec.json.encode(told).decode())

    def found(self) -> list[tuple[str, str]]:
        """Where something personal stands, and what."""
        words = {word for word in self.words if len(word) >= SHORTEST} - PUBLIC
        return [
            (place, word)
            for place, lines in self.seen.items()
            for text in ["\n".join(lines)]
            for word in words
            if word in text
        ]


def _content(request: httpx.Request) -> bytes:
    """What was sent; nothing, where it was made while it was being sent, and is gone."""
    try:
        return request.content
    except httpx.RequestNotRead:
        return b""


def _json(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _personal(body: Any) -> Iterator[str]:
    match body:
        case dict():
            for name, value in body.items():
                if name in PERSONAL and isinstance(value, str):
                    yield value
                elif name in PERSONAL and isinstance(value, list):
                    yield from (each for each in value if isinstance(each, str))
                else:
                    yield from _personal(value)
        case list():
            for each in body:
                yield from _personal(each)


def _columns(content: bytes) -> Iterator[str]:
    """The personal cells of a file of pupils."""
    if not content.startswith((b"UPN,", b"Surname,", b"\xef\xbb\xbf")):
        return
    for row in csv.DictReader(content.decode("utf-8-sig", errors="replace").splitlines()):
        yield from (value for name, value in row.items() if name in PERSONAL and isinstance(value, str))
