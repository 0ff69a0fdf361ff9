"""Sessions: a token in the user's hands, its hash in the database."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain.errors import NotSignedIn
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.ledger.sql import load

SQL = load("domain.vault", "statements.sql")

IDLE = timedelta(minutes=30)
"""A session that nobody has used for this long is over."""

LONGEST = timedelta(hours=12)
"""No session lasts longer than a school day."""

PREFIX = "tt1_"


@dataclass(frozen=True)
class Session:
    """An open session."""

    id: UUID
    school_id: UUID
    staff_id: UUID


class Sessions:
    """The sessions of every school; a token says which one it is of, so that only its rows are looked at."""

    def __init__(self, database: Database, *, idle: timedelta = IDLE, longest: timedelta = LONGEST) -> None:
        self._database = database
        self._limits = {"idle": idle, "longest": longest}

    def open(self, school_id: UUID, staff_id: UUID) -> tuple[str, Session]:
        """Opens a session and returns its token, which is kept nowhere, and the session."""
        secret = secrets.token_bytes(32)
        session = Session(new_id(), school_id, staff_id)
        with self._database.bound_to(school_id) as connection:
            connection.execute(SQL["remove_expired"], {"school": school_id, **self._limits})
            connection.execute(SQL["open"], [school_id, _hash(secret), session.id, staff_id])
        return PREFIX + base64.urlsafe_b64encode(school_id.bytes + secret).decode(), session

    def use(self, token: str) -> Session:
        """The session of a token.

        Raises:
            NotSignedIn: The token is not one of ours, or its session has ended.
        """
        school_id, secret = _read(token)
        with self._database.bound_to(school_id) as connection:
            row = connection.execute(
                SQL["use"], {"school": school_id, "token_hash": _hash(secret), **self._limits}
            ).fetchone()
        if row is None:
            raise NotSignedIn("The session has ended: log in again")
        return Session(row[0], school_id, row[1])

    def close(self, session: Session) -> bool:
        """Ends a session; false if it had ended."""
        with self._database.bound_to(session.school_id) as connection:
            return bool(connection.execute(SQL["close"], [session.school_id, session.id]).rowcount)

    def close_all_of(self, school_id: UUID, staff_id: UUID, *, but: UUID | None = None) -> list[UUID]:
        """Ends every session of a member of staff, or all but one, and returns their ids."""
        with self._database.bound_to(school_id) as connection:
            return [row[0] for row in connection.execute(SQL["close_all_of"], [school_id, staff_id, but])]


def _hash(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


def _read(token: str) -> tuple[UUID, bytes]:
    encoded = token.removeprefix(PREFIX)
    try:
        data = base64.b64decode(encoded, altchars=b"-_", validate=True)  # 48 bytes need no padding
    except (ValueError, binascii.Error):
        data = b""
    if encoded == token or len(data) != 48:
        raise NotSignedIn("This is not a session token of Target Tracker")
    return UUID(bytes=data[:16]), data[16:]
