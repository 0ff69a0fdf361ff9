"""Who saw a child: every read that the usage audit has of one pupil, from the stream itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import msgspec

import domain.permissions
from domain.application.school_application import SchoolApplication
from domain.events import REGISTRY, is_sealed
from domain.ledger.mapper import EventMapper
from domain.permissions import PermissionUsed, permissions_of
from domain.usage import Read, RecordsRead

PAGE = 500
"""Events that are read at once."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Who saw a child.

    Attributes:
        reads: Each answer that showed the child, in the order in which they were recorded: `at`, `by`,
            `what`, `named` (whether it showed who the child is) and `pupils` (how many it showed).
        releases: Each release of named data that named the child: `at`, `by`, `recipient` and `purpose`
            (nothing, where no key to them is at hand), `permission_id`, and `pupils` (how many it named).
        lost: Reads that could not be recorded while the database was away, by `by`; nobody knows of whom.
    """

    reads: list[dict[str, Any]]
    releases: list[dict[str, Any]]
    lost: list[dict[str, Any]]


def who_saw(school: SchoolApplication, pupil_id: UUID, position: int, who: Callable[[Any], str]) -> Seen:
    """Every read that showed a pupil, as recorded up to a position.

    Args:
        school: The school; what is read is not sealed.
        pupil_id: The pupil.
        position: The last position that counts.
        who: What people call whoever acted.
    """
    found = Seen(reads=[], releases=_releases(school, pupil_id, position, who), lost=[])
    mapper = EventMapper(school.keys)
    for stored in _recorded(school, position):
        event = mapper.to_domain_event(stored)
        if not isinstance(event, RecordsRead):
            continue
        by = who(event.actor)
        found.reads.extend(
            {
                "at": read.at.isoformat(),
                "by": by,
                "what": read.kind.value,
                "named": read.named,
                "pupils": len(read.pupils) // 16,
                "position": stored.id,
            }
            for read in event.reads
            if _shows(read, pupil_id)
        )
        if event.lost:
            found.lost.append({"by": by, "times": event.lost, "position": stored.id})
    return found


def _recorded(school: SchoolApplication, position: int) -> Iterator[Any]:
    name = RecordsRead.name
    types = [f"{name}.{version}" for version in range(1, REGISTRY.classes[name].version + 1)]
    after = 0
    while after < position:
        page = school.stream.events_between(after + 1, position, limit=PAGE, types=types)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].id


def _shows(read: Read | PermissionUsed, pupil_id: UUID) -> bool:
    """Whether an answer showed the pupil: the ids lie one behind the other, 16 bytes each."""
    place = read.pupils.find(pupil_id.bytes)
    while place % 16 and place >= 0:
        place = read.pupils.find(pupil_id.bytes, place + 1)
    return place >= 0


def _releases(
    school: SchoolApplication, pupil_id: UUID, position: int, who: Callable[[Any], str]
) -> list[dict[str, Any]]:
    log = permissions_of(school.school_id)
    stored = school.stream.events_of_many([log], up_to=position)
    events = list(school.read(stored))
    permissions = domain.permissions.fold(events)
    found = []
    for place, event in zip(stored, events, strict=True):
        if isinstance(event, PermissionUsed) and _shows(event, pupil_id):
            terms = permissions[event.permission_id].terms
            found.append(
                {
                    "at": place.recorded_at.isoformat(),
                    "by": who(event.actor),
                    "recipient": None if is_sealed(terms.recipient) else terms.recipient,
                    "purpose": None if is_sealed(terms.purpose) else terms.purpose,
                    "permission_id": event.permission_id,
                    "pupils": len(event.pupils) // 16,
                    "position": place.id,
                }
            )
    return found
