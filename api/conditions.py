"""Conditional requests (RFC 9110, section 13), above all on pupils.

A pupil's entity tag is `"<version>-<position>-<day>"`: the version of the record, which changes are made
against; the position of the newest assessment, without which a reader would take old results for current
ones; and the day that is asked about, without which a child would stay as old as yesterday.
`If-Match` looks at the version alone, and takes `"<version>"` too. What changes with the software
only, such as a code set, has a tag of its content.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request

from domain.errors import Finding, InvalidInput

_TAG = re.compile(r'"([0-9]{1,18})(?:-[0-9]{1,18}){0,2}"')


def tag_of(version: int, assessed: int | None = None, day: date | None = None) -> str:
    """The entity tag of a pupil.

    Args:
        version: The version of the record.
        assessed: The position of the newest assessment, 0 for none; left out where nobody has looked.
        day: The day that is asked about; left out where nobody has looked.
    """
    parts = (version, assessed, f"{day:%Y%m%d}" if day else None)
    return f'"{"-".join(str(part) for part in parts if part is not None)}"'


def tag_of_content(content: bytes) -> str:
    """The entity tag of an answer that is the same for as long as its bytes are."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def expected_version(request: Request) -> int | None:
    """The version that `If-Match` names, if it names one."""
    found = _TAG.fullmatch(request.headers.get("if-match", "").strip())
    return int(found[1]) if found else None


class IfMatch:
    """The dependency that demands `If-Match`."""

    async def __call__(self, request: Request) -> int:
        """The version that the change was made against.

        Raises:
            HTTPException: 428, if the request does not say which; `*` would overwrite what nobody has read.
            InvalidInput: It is not the tag of a pupil.
        """
        given = request.headers.get("if-match", "").strip()
        if given in {"", "*"}:
            raise HTTPException(
                HTTPStatus.PRECONDITION_REQUIRED,
                "Say with If-Match which version the change was made against: send the pupil's ETag",
            )
        version = expected_version(request)
        if version is None:
            raise InvalidInput(
                "If-Match does not name a version",
                [Finding(field="If-Match", found=given[:60], accepted='the ETag of the pupil, such as "3"')],
            )
        return version


ExpectedVersion = Annotated[int, Depends(IfMatch())]
"""The version that a change was made against, from `If-Match`."""


def is_known(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` says that the reader has this version already."""
    given = request.headers.get("if-none-match", "")
    tags = {entry.strip().removeprefix("W/") for entry in given.split(",")}
    return tag in tags or "*" in tags
