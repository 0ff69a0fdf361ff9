"""Bundles: everything held of one child, and everything that the school holds, as ZIP files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from api.callers import Caller, signed_in
from api.encoding import ReadQuery, query
from api.reading import see
from api.routing import Routes
from api.showing import ShownBundle
from domain.access import Permission
from domain.application.school_bundle import SchoolBundle
from domain.application.subject_access import everything_about
from domain.usage import ReadKind

routes = Routes("bundles")

ZIP = "application/zip"

BUNDLE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The ZIP file, sent while it is made: one without an end is not whole",
        "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}},
    }
}

Exporter = Annotated[Caller, signed_in(Permission.EXPORT_RECORDS)]


@routes.get("/v1/pupils/{pupil_id}/bundle", responses=BUNDLE)
def read_pupil_bundle(
    caller: Exporter, asked: Annotated[ReadQuery, query(ReadQuery)], pupil_id: UUID
) -> ShownBundle:
    """Take away everything held of a child, with photographs and who saw it: for a parent who asks for it."""
    see(caller, asked.min_position)
    caller.school.pupil(pupil_id)
    # Who saw the child just now is gathered still, and belongs into it.
    caller.services.audit.flush()
    content = everything_about(caller.school, pupil_id, caller.actor, datetime.now(UTC))
    return ShownBundle(
        caller, ReadKind.PUPIL_BUNDLE, [pupil_id], _begun(content), media_type=ZIP, name="subject-access.zip"
    )


@routes.get("/v1/exports/bundle", responses=BUNDLE)
def read_school_bundle(caller: Exporter, asked: Annotated[ReadQuery, query(ReadQuery)]) -> ShownBundle:
    """Take away everything that the school holds, as at one position, for another system to read."""
    see(caller, asked.min_position)
    bundle = SchoolBundle(caller.school, caller.actor, datetime.now(UTC))
    content = _begun(bundle.content())
    return ShownBundle(
        caller, ReadKind.SCHOOL_BUNDLE, bundle.pupil_ids, content, media_type=ZIP, name="school-bundle.zip"
    )


def _begun(content: Iterator[bytes]) -> Iterable[bytes]:
    """What is sent, its beginning made: what cannot be made at all is refused, and not broken off."""
    first = next(content, b"")
    return _after(first, content)


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
