"""Usage: who read which records, and who was refused what; logs that are only ever added to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from domain.access import Permission
from domain.events import Event, Open, event
from domain.identifiers import log_id_of


class ReadKind(StrEnum):
    """What was read."""

    PUPIL = "pupil"
    PUPILS = "list of pupils"
    SEARCH = "search"
    CLASSES = "classes"
    SHEET = "class sheet"
    NOTES = "notes about a pupil"
    CONCERNS = "concerns about a pupil"
    ATTENDANCE = "attendance of a pupil"
    REGISTER = "register of a class"
    PROGRESS = "progress"
    MATRIX = "transition matrix"
    ON_TRACK = "on-track table"
    TRACK = "track of a pupil"
    COMPARISON = "own figures beside benchmarks"
    OBSERVATIONS = "observations of a pupil"
    PHOTOGRAPH = "photograph of a pupil"
    PUPIL_HISTORY = "history of a pupil"
    SCHOOL_HISTORY = "history of the school"
    EXPORT = "file of pupils"
    PUPIL_BUNDLE = "everything held of a pupil"
    SCHOOL_BUNDLE = "everything held by the school"
    RELEASE = "named data for a recipient outside"


class Read(msgspec.Struct, frozen=True, omit_defaults=True):
    """One answer that showed pupils' records.

    Attributes:
        at: When it was made, by the clock of the machine that made it.
        kind: What was read.
        named: Whether it showed who the pupils are.
        pupils: The ids of those whom it showed, 16 bytes each.
    """

    at: datetime
    kind: ReadKind
    named: bool
    pupils: bytes = b""

    @property
    def pupil_ids(self) -> list[UUID]:
        """The pupils that it showed.

        Raises:
            ValueError: What is kept are not ids.
        """
        return [UUID(bytes=self.pupils[start : start + 16]) for start in range(0, len(self.pupils), 16)]


def packed(pupil_ids: Iterable[UUID]) -> bytes:
    """Pupils' ids as a read keeps them: each once, in the order given, 16 bytes each."""
    return b"".join(pupil_id.bytes for pupil_id in dict.fromkeys(pupil_ids))


def usage_of(staff_id: UUID) -> UUID:
    """The originator id of the log of what a member of staff read, and was refused."""
    return log_id_of(staff_id, "usage")


@event("records.read")
class RecordsRead(Event, frozen=True, kw_only=True):
    """Somebody read records of pupils, in one session and within about a second.

    `lost` counts the earlier reads of the session that there was no room to keep while the database was away.
    """

    session_id: Open[UUID]
    staff_id: Open[UUID]
    reads: Open[tuple[Read, ...]]
    lost: Open[int] = 0


@event("access.refused")
class AccessRefused(Event, frozen=True, kw_only=True):
    """Somebody who was logged in asked for what their access level does not allow.

    `route` is the method and the template of the path, which holds no id; `permission` is what was missing,
    and nothing where only the operator may. The same again within about a second is counted in `times`; `at`
    is when it was asked for first, by the clock of the machine that refused it.
    """

    session_id: Open[UUID]
    staff_id: Open[UUID]
    at: Open[datetime]
    route: Open[str]
    permission: Open[Permission | None] = None
    times: Open[int] = 1
