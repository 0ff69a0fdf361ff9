"""Sessions: a token in the user's hands; its hash, and the school's keys as it opens them, in the database.

Whoever steals the database opens no session with it: the keys are wrapped under a key that only the token
yields, and a hash does not give the token away.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import NotSignedIn
from domain.events import Compartment
from domain.identifiers import new_id
from domain.ledger.database import Connection, Database
from domain.ledger.sql import load
from domain.vault.keyring import SchoolKeys, unwrap, wrap

SQL = load("domain.vault", "statements.sql")

IDLE = timedelta(minutes=30)
"""A session that nobody has used for this long is over."""

LONGEST = timedelta(hours=12)
"""No session lasts longer than a school day."""

PREFIX = "tt1_"


@dataclass(frozen=True)
class Session:
    """An open session.

    Attributes:
        id: Its id.
        school_id: The school.
        staff_id: Whose it is.
        key_id: The login key that it was opened with.
    """

    id: UUID
    school_id: UUID
    staff_id: UUID
    key_id: UUID


@dataclass(frozen=True)
class OpenSession:
    """A session as administrators see it.

    Attributes:
        session_id: Its id.
        staff_id: Whose it is.
        key_id: The login key that it was opened with.
        opened_at: When it was opened.
        last_used_at: When it was last used, to within a minute.
    """

    session_id: UUID
    staff_id: UUID
    key_id: UUID
    opened_at: datetime
    last_used_at: datetime


class Sessions:
    """The sessions of every school; a token says which one it is of, so that only its rows are looked at."""

    def __init__(self, database: Database, *, idle: timedelta = IDLE, longest: timedelta = LONGEST) -> None:
        self._database = database
        self._limits = {"idle": idle, "longest": longest}

    def open(
        self, keys: SchoolKeys, staff_id: UUID, key_id: UUID, connection: Connection | None = None
    ) -> tuple[str, Session]:
        """Opens a session and returns its token, which is kept nowhere, and the session.

        Args:
            keys: The school's keys that the session is to hold.
            staff_id: Whose it is.
            key_id: The login key that opened the school's keys.
            connection: Opens it within the transaction that is open there.
        """
        secret = secrets.token_bytes(32)
        session = Session(new_id(), keys.school_id, staff_id, key_id)
        cipher = _cipher(secret)
        wraps = {
            home: wrap(cipher, key, _place(session, keys.generation, home))
            if (key := keys.of(home))
            else None
            for home in (Compartment.NAMES, Compartment.RECORD)
        }
        with self._within(connection, keys.school_id) as transaction:
            transaction.execute(SQL["remove_expired"], {"school": keys.school_id, **self._limits})
            transaction.execute(
                SQL["open"],
                [
                    keys.school_id,
                    _hash(secret),
                    session.id,
                    staff_id,
                    key_id,
                    keys.generation,
                    wraps[Compartment.NAMES],
                    wraps[Compartment.RECORD],
                ],
            )
        return PREFIX + base64.urlsafe_b64encode(keys.school_id.bytes + secret).decode(), session

    def use(self, token: str) -> tuple[Session, SchoolKeys]:
        """The session of a token, and the school's keys as far as it holds them.

        Raises:
            NotSignedIn: The token is not one of ours, or its session has ended.
            DoesNotOpen: The keys that the session holds were tampered with.
        """
        school_id, secret = _read(token)
        with self._database.bound_to(school_id) as connection:
            row = connection.execute(
                SQL["use"],
                {"school": school_id, "token_hash": _hash(secret), **self._limits},
                binary=True,
            ).fetchone()
        if row is None:
            raise NotSignedIn("The session has ended: log in again")
        session_id, staff_id, key_id, generation, names, record = row
        session = Session(session_id, school_id, staff_id, key_id)
        cipher = _cipher(secret)
        keys = SchoolKeys(
            school_id,
            generation,
            names and unwrap(cipher, names, _place(session, generation, Compartment.NAMES)),
            unwrap(cipher, record, _place(session, generation, Compartment.RECORD)),
        )
        return session, keys

    def close_all_of(
        self,
        school_id: UUID,
        staff_id: UUID,
        *,
        but: UUID | None = None,
        connection: Connection | None = None,
    ) -> list[UUID]:
        """Ends every session of a member of staff, or all but one, and returns their ids.

        Args:
            school_id: The school.
            staff_id: Whose sessions.
            but: The one that goes on.
            connection: Ends them within the transaction that is open there.
        """
        with self._within(connection, school_id) as transaction:
            return [row[0] for row in transaction.execute(SQL["close_all_of"], [school_id, staff_id, but])]

    def close(self, school_id: UUID, session_id: UUID, connection: Connection | None = None) -> UUID | None:
        """Ends a session of anybody's, and returns whose it was; nothing, if there is no such one.

        Args:
            school_id: The school.
            session_id: The session.
            connection: Ends it within the transaction that is open there.
        """
        with self._within(connection, school_id) as transaction:
            row = transaction.execute(SQL["close"], [school_id, session_id]).fetchone()
        return row[0] if row else None

    def those_of(self, school_id: UUID) -> list[OpenSession]:
        """The school's open sessions, the newest first."""
        with self._database.bound_to(school_id) as connection:
            rows = connection.execute(SQL["those_of"], {"school": school_id, **self._limits}, binary=True)
            return [OpenSession(*row) for row in rows]

    @contextmanager
    def _within(self, connection: Connection | None, school_id: UUID) -> Iterator[Connection]:
        if connection is not None:
            yield connection
        else:
            with self._database.bound_to(school_id) as own:
                yield own


def _cipher(secret: bytes) -> AESGCM:
    """What wraps the keys in a session: a key that has nothing in common with the hash of the token."""
    return AESGCM(hmac.digest(secret, b"target-tracker session keys", hashlib.sha256))


def _place(session: Session, generation: int, home: Compartment) -> bytes:
    return b"".join(
        (
            b"session",
            session.school_id.bytes,
            session.id.bytes,
            session.staff_id.bytes,
            session.key_id.bytes,
            generation.to_bytes(4),
            home.value.encode(),
        )
    )


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
