"""The login audit trail: who came, who left and who was turned away, for the school's administrators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from domain.events import Event
from domain.ledger.database import Connection
from domain.ledger.mapper import EventMapper
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent
from domain.login import LoginFailed, SessionClosed, SessionOpened
from domain.vault.keyring import Keyring
from projections.projection import Batches, Row, Rows, Table

SQL = load("projections", "logins.sql")

NAME = "logins"


class LoginView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit trail.

    Attributes:
        position: Its place in the school's stream.
        recorded_at: When it happened.
        staff_id: Whose account it was; nobody's, for a username that nobody has.
        outcome: `opened`, `closed` or `failed`.
        reason: Why a session ended, or a login failed.
        session_id: The session.
    """

    position: int
    recorded_at: datetime
    staff_id: UUID | None
    outcome: str
    reason: str | None
    session_id: UUID | None


TABLE = Table(
    "logins",
    key=("position",),
    columns=("position", "recorded_at", "staff_id", "session_id", "outcome", "reason"),
)


class LoginsProjection:
    """Keeps `projections.logins`."""

    name = NAME
    categories = ("session", "login")
    tables = (TABLE,)

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        """Adds a line for each event."""
        columns = [list(column) for column in zip(*_rows(keys, events), strict=True)]
        connection.execute(SQL["add"], [keys.school_id, *columns])

    def fold(self, keys: Keyring, batches: Batches) -> Rows:
        """A line for each event."""
        return {TABLE.name: [row for events in batches for row in _rows(keys, events)]}


PROJECTION = LoginsProjection()


def _rows(keys: Keyring, events: Sequence[RecordedEvent]) -> list[Row]:
    mapper = EventMapper(keys)
    lines = [_line(event, mapper.to_domain_event(event)) for event in events]
    return [tuple(getattr(line, column) for column in TABLE.columns) for line in lines]


def _line(stored: RecordedEvent, event: Event) -> LoginView:
    outcome: str
    reason: str | None = None
    session_id: UUID | None = None
    match event:
        case SessionOpened():
            outcome, session_id = "opened", event.session_id
        case SessionClosed():
            outcome, session_id, reason = "closed", event.session_id, event.reason.value
        case LoginFailed():
            outcome, reason = "failed", event.reason.value
        case _:
            raise ValueError(f"{event.name} is not an event of a login")
    return LoginView(
        position=stored.id,
        recorded_at=stored.recorded_at,
        staff_id=event.staff_id,
        outcome=outcome,
        reason=reason,
        session_id=session_id,
    )


def find(
    connection: Connection,
    school_id: UUID,
    *,
    staff_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[LoginView]:
    """The lines that fit, the newest first.

    Args:
        connection: Bound to the school.
        school_id: The school.
        staff_id: Only those of this account.
        since: Only those from this moment on.
        until: Only those before this moment.
        before: Only those before this position: where the last page ended.
        limit: The most to return.
    """
    rows = connection.execute(
        SQL["find"],
        {
            "school": school_id,
            "staff_id": staff_id,
            "since": since,
            "until": until,
            "before": before,
            "limit": limit,
        },
        binary=True,
    )
    return [
        LoginView(
            position=position,
            recorded_at=recorded_at,
            staff_id=staff,
            outcome=outcome,
            reason=reason,
            session_id=session_id,
        )
        for position, recorded_at, staff, outcome, reason, session_id in rows
    ]
