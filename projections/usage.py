"""All usage by a school's staff: who logged in, read, was refused or changed what, for its administrators.

Everything comes from the open parts of events, so that nothing here is personal, and nothing sealed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

# Whoever reads the events of these must know them.
import domain.keys
import domain.permissions
import domain.resets  # noqa: F401 - see above
from domain.events import Actor, Compartment
from domain.ledger.database import Connection
from domain.ledger.mapper import EventMapper, split
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent
from domain.usage import Read
from domain.vault.keyring import Keyring
from projections.projection import Batches, Rows, Table

SQL = load("projections", "usage.sql")

NAME = "usage"


class UsageKind(StrEnum):
    """What was done: `loss` stands for reads that there was no room to keep while the database was away."""

    LOGIN = "login"
    LOGOUT = "logout"
    FAILURE = "failure"
    KEY = "key"
    PASSWORD = "password"  # noqa: S105 - a kind, not a secret
    ACCESS = "access"
    REFUSAL = "refusal"
    READ = "read"
    LOSS = "loss"
    PERMISSION = "permission"
    RELEASE = "release"


class UsageView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done.

    Attributes:
        position: Its place in the school's stream.
        number: Which read of those that were recorded at this position; otherwise 0.
        happened_at: When.
        kind: What.
        actor: `staff`, `operator` or `system`.
        staff_id: Who did it; for a failed login, whose account it was, if anybody's.
        about_id: Whose account it was done to, where that is somebody else's.
        session_id: The session.
        key_id: The login key.
        what: What was read; why a login failed or a session ended; what was done to an account, a login key
            or a headteacher's permission; which permission was missing.
        route: Where a refusal was.
        times: How often; of lost reads, how many.
        named: Whether a read showed, or a release says, who the pupils are.
        pupils: How many pupils a read showed, or a release names.
    """

    position: int
    number: int = 0
    happened_at: datetime
    kind: UsageKind
    actor: str
    staff_id: UUID | None = None
    about_id: UUID | None = None
    session_id: UUID | None = None
    key_id: UUID | None = None
    what: str | None = None
    route: str | None = None
    times: int = 1
    named: bool | None = None
    pupils: int | None = None


ACCOUNTS = {
    "staff.added": (UsageKind.ACCESS, "account made"),
    "staff.access-changed": (UsageKind.ACCESS, "access changed"),
    "staff.adviser-prolonged": (UsageKind.ACCESS, "adviser's last day changed"),
    "staff.disabled": (UsageKind.ACCESS, "account disabled"),
    "staff.enabled": (UsageKind.ACCESS, "account enabled"),
    "staff.headteacher-appointed": (UsageKind.ACCESS, "headteacher appointed"),
    "staff.headteacher-ended": (UsageKind.ACCESS, "headteacher's role ended"),
    "staff.password-set": (UsageKind.PASSWORD, "password set"),
}
"""What is done to accounts."""

KEYS = {
    "key.issued": "login key issued",
    "key.revoked": "login key revoked",
    "key.used": "login key used without a login",
}
"""What is done to login keys, and with them."""


RESETS = {
    "password-reset.requested": "new password asked for",
    "password-reset.used": "new password set with a code",
}
"""What is done about passwords by whoever is not logged in."""


PERMISSIONS = {
    "permission.given": "permission to release named data given",
    "permission.revoked": "permission to release named data revoked",
}
"""What a headteacher does about releases."""

FIGURES, PUPILS = "the school's figures", "named pupils"
"""What is released."""
_COLUMNS = tuple(field for field in UsageView.__struct_fields__ if field != "pupils")

TABLE = Table("usage", key=("position", "number"), columns=(*_COLUMNS, "pupil_ids"))


class UsageProjection:
    """Keeps `projections.usage`."""

    name = NAME
    categories = (
        "session",
        "login",
        "records",
        "access",
        "permission",
        *(f"{name}." for name in (*ACCOUNTS, *KEYS, *RESETS)),
    )
    tables = (TABLE,)

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        """Adds a row for each thing done."""
        rows = _all_rows(keys, events)
        columns = [[getattr(view, field) for view, _ in rows] for field in _COLUMNS]
        connection.execute(SQL["add"], [keys.school_id, *columns, [pupils for _, pupils in rows]])

    def fold(self, keys: Keyring, batches: Batches) -> Rows:
        """A row for each thing done."""
        return {
            TABLE.name: [
                (*(getattr(view, field) for field in _COLUMNS), _ids(pupils))
                for events in batches
                for view, pupils in _all_rows(keys, events)
            ]
        }


PROJECTION = UsageProjection()

_Row = tuple[UsageView, bytes | None]
"""A row, and the ids of the pupils that were shown, 16 bytes each."""


def _all_rows(keys: Keyring, events: Sequence[RecordedEvent]) -> list[_Row]:
    mapper = EventMapper(keys)
    return [row for event in events for row in _rows(event, _said(mapper, event))]


def _ids(packed: bytes | None) -> list[UUID] | None:
    if packed is None:
        return None
    return [UUID(bytes=packed[start : start + 16]) for start in range(0, len(packed) - 15, 16)]


def _said(mapper: EventMapper, event: RecordedEvent) -> dict[str, Any]:
    return mapper.open_part(event, mapper.keys.school_id, Compartment.OPEN, split(event.state).open)


def _rows(event: RecordedEvent, said: dict[str, Any]) -> Iterator[_Row]:
    """What an event says was done.

    Raises:
        ValueError: It is not an event of usage.
    """
    name = event.topic.rpartition(".")[0]
    actor: Actor = said["actor"]
    row = UsageView(
        position=event.id,
        happened_at=event.recorded_at,
        kind=UsageKind.ACCESS,
        actor=actor.kind.value,
        staff_id=actor.staff_id,
        session_id=said.get("session_id"),
        key_id=said.get("key_id"),
    )
    match name:
        case "session.opened":
            yield _with(row, kind=UsageKind.LOGIN, staff_id=said["staff_id"]), None
        case "session.closed":
            owner = said["staff_id"]
            by_another = actor.staff_id is not None and actor.staff_id != owner
            who = {"about_id": owner} if by_another else {"staff_id": owner}
            yield _with(row, kind=UsageKind.LOGOUT, what=said["reason"].value, **who), None
        case "login.failed":
            failed = {"staff_id": said["staff_id"], "what": said["reason"].value}
            yield _with(row, kind=UsageKind.FAILURE, **failed), None
        case "access.refused":
            permission = said["permission"]
            yield (
                _with(
                    row,
                    kind=UsageKind.REFUSAL,
                    happened_at=said["at"],
                    what=permission and permission.value,
                    route=said["route"],
                    times=said["times"],
                ),
                None,
            )
        case "records.read":
            yield from _reads(row, said["reads"], said["lost"])
        case "permission.used":
            what = PUPILS if said["pupils"] else FIGURES
            row = _with(row, kind=UsageKind.RELEASE, what=what, named=bool(said["pupils"]))
            yield row, said["pupils"]
        case _ if name in PERMISSIONS:
            yield _with(row, kind=UsageKind.PERMISSION, what=PERMISSIONS[name]), None
        case _ if name in RESETS:
            yield _with(row, kind=UsageKind.PASSWORD, what=RESETS[name], staff_id=said["staff_id"]), None
        case _ if name in KEYS:
            what = "login key revoked for having leaked" if said.get("leaked") else KEYS[name]
            yield _with(row, kind=UsageKind.KEY, what=what), None
        case _ if name in ACCOUNTS:
            kind, what = ACCOUNTS[name]
            own = event.originator_id == actor.staff_id
            yield _with(row, kind=kind, what=what, about_id=None if own else event.originator_id), None
        case _:
            raise ValueError(f"{name} is not an event of usage")


def _reads(row: UsageView, reads: Sequence[Read], lost: int) -> Iterator[_Row]:
    for number, read in enumerate(reads):
        shown = _with(
            row,
            number=number,
            happened_at=read.at,
            kind=UsageKind.READ,
            what=read.kind.value,
            named=read.named,
        )
        yield shown, read.pupils
    if lost:
        yield _with(row, number=len(reads), kind=UsageKind.LOSS, times=lost), None


def _with(row: UsageView, **changes: object) -> UsageView:
    return msgspec.structs.replace(row, **changes)


class Place(msgspec.Struct, frozen=True):
    """Where a page ended: a position, and which read of those that were recorded at it."""

    position: int
    number: int


def find(
    connection: Connection,
    school_id: UUID,
    *,
    staff_id: UUID | None = None,
    pupil_id: UUID | None = None,
    kind: UsageKind | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: Place | None = None,
    limit: int = 100,
) -> list[UsageView]:
    """What was done and fits, the newest first.

    Args:
        connection: Bound to the school.
        school_id: The school.
        staff_id: Only what this account did, or what was done to it.
        pupil_id: Only reads that showed this pupil.
        kind: Only this kind.
        since: Only from this moment on.
        until: Only before this moment.
        before: Only what comes before where the last page ended.
        limit: The most to return.
    """
    rows = connection.execute(
        SQL["find"],
        {
            "school": school_id,
            "staff_id": staff_id,
            "pupil_id": pupil_id,
            "kind": kind and kind.value,
            "since": since,
            "until": until,
            "before": before and before.position,
            "before_number": before and before.number,
            "limit": limit,
        },
        binary=True,
    )
    return [
        UsageView(
            **dict(zip(UsageView.__struct_fields__, (*row[:3], UsageKind(row[3]), *row[4:]), strict=True))
        )
        for row in rows
    ]
