"""Answers that show pupils' records: the one way in which they get out, and none without a note of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from starlette.responses import Response, StreamingResponse

from api.callers import Caller
from api.encoding import Answer
from domain.access import Permission
from domain.files.photographs import EXTENSIONS
from domain.usage import Read, ReadKind, packed

T = TypeVar("T")


class Shown(Answer[T]):
    """A value that shows pupils' records. There is none without the audit having been told."""

    def __init__(
        self,
        caller: Caller,
        kind: ReadKind,
        pupil_ids: Iterable[UUID],
        value: T,
        *,
        etag: str | None = None,
        nameless: bool = False,
    ) -> None:
        """Encodes, and notes who is shown what.

        Args:
            caller: Whom it is shown to.
            kind: What is read.
            pupil_ids: The pupils that the value shows.
            value: The value.
            etag: The entity tag.
            nameless: Nothing in it says who anybody is, whoever reads it.

        Raises:
            psycopg.Error: The audit is strict, and the read could not be recorded.
        """
        super().__init__(value, etag=etag)
        _note(caller, kind, pupil_ids, nameless=nameless)


class ShownAsText(Response):
    """Pupils' records in another form than JSON: as CSV, or as a page to print."""

    def __init__(
        self,
        caller: Caller,
        kind: ReadKind,
        pupil_ids: Iterable[UUID],
        content: bytes | str,
        media_type: str,
        headers: Mapping[str, str],
        *,
        nameless: bool = False,
    ) -> None:
        """Notes who is shown what; other arguments and errors are those of :class:`Shown`.

        Args:
            caller: Whom it is shown to.
            kind: What is read.
            pupil_ids: The pupils that it shows.
            content: What is shown.
            media_type: What it is.
            headers: What is said of it besides.
            nameless: Nothing in it says who anybody is, whoever reads it.
        """
        super().__init__(content, headers=dict(headers), media_type=media_type)
        _note(caller, kind, pupil_ids, nameless=nameless)


class ShownBefore(Response):
    """Says that what the reader has is still so (304): a read like any other."""

    def __init__(self, caller: Caller, kind: ReadKind, pupil_ids: Iterable[UUID], *, etag: str) -> None:
        """Notes who is shown what; the arguments and errors are those of :class:`Shown`."""
        super().__init__(status_code=304, headers={"ETag": etag})
        _note(caller, kind, pupil_ids)


class ShownPicture(Response):
    """A photograph: shown as what it is, never run, and called nothing that says whose it is."""

    def __init__(
        self, caller: Caller, kind: ReadKind, pupil_ids: Iterable[UUID], content: bytes, media_type: str
    ) -> None:
        """Notes who is shown what; other arguments and errors are those of :class:`Shown`.

        Args:
            caller: Whom it is shown to.
            kind: What is read.
            pupil_ids: The pupils whom it shows.
            content: The picture.
            media_type: What it is, as it was found to be when it was stored.
        """
        headers = {
            "Content-Disposition": f'inline; filename="photograph.{EXTENSIONS[media_type]}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        super().__init__(content, headers=headers, media_type=media_type)
        _note(caller, kind, pupil_ids)


class ShownFile(Response):
    """A file of pupils, to be kept: called nothing that says who is in it, and not kept on the way."""

    def __init__(
        self,
        caller: Caller,
        kind: ReadKind,
        pupil_ids: Iterable[UUID],
        content: bytes,
        *,
        name: str,
        media_type: str,
    ) -> None:
        """Notes who is shown what; other arguments and errors are those of :class:`Shown`.

        Args:
            caller: Whom it is given to.
            kind: What is read.
            pupil_ids: The pupils who are in it.
            content: The file.
            name: What to call it.
            media_type: What it is.
        """
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        super().__init__(content, headers=headers, media_type=media_type)
        _note(caller, kind, pupil_ids)


class ShownBundle(StreamingResponse):
    """A file that is made while it is sent, called nothing that says whose it is."""

    def __init__(
        self,
        caller: Caller,
        kind: ReadKind,
        pupil_ids: Iterable[UUID],
        content: Iterable[bytes],
        *,
        media_type: str,
        name: str,
    ) -> None:
        """Notes who is shown what; other arguments and errors are those of :class:`Shown`.

        Args:
            caller: Whom it is shown to.
            kind: What is read.
            pupil_ids: The pupils whom it shows.
            content: The file in pieces. When one cannot be made, the answer breaks off.
            media_type: What it is.
            name: What it is called.
        """
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        super().__init__(content, headers=headers, media_type=media_type)
        _note(caller, kind, pupil_ids)


def _note(caller: Caller, kind: ReadKind, pupil_ids: Iterable[UUID], *, nameless: bool = False) -> None:
    if caller.session is None:
        raise TypeError("pupils' records are shown in sessions only: nobody could be named as their reader")
    pupils = packed(pupil_ids)
    named = bool(pupils) and not nameless and caller.may(Permission.READ_NAMES)
    caller.services.audit.note(caller.session, Read(datetime.now(UTC), kind, named, pupils))
