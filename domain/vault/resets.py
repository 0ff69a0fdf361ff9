"""Codes for new passwords: 256 random bits that only the mail has; the database keeps a hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from uuid import UUID

from domain.ledger.database import Connection
from domain.ledger.sql import load
from domain.letters import RESET_LASTS

SQL = load("domain.vault", "resets.sql")

MOST = 3
"""Codes that an account is given within :data:`WITHIN`."""

WITHIN = timedelta(hours=1)


def new_code() -> str:
    """A new code: 43 letters, digits, hyphens and underscores."""
    return secrets.token_urlsafe(32)


def keep(connection: Connection, school_id: UUID, staff_id: UUID, code: str, *, most: int = MOST) -> bool:
    """Makes a code good for an account, in place of an earlier one; false, if it has had too many.

    Args:
        connection: Bound to the school, whose stream is locked: otherwise two at once are not counted.
        school_id: The school.
        staff_id: Whose account it is.
        code: The code.
        most: How many the account may have had within :data:`WITHIN`, this one included.
    """
    values = {
        "school": school_id,
        "staff": staff_id,
        "code_hash": _hash(code),
        "most": most,
        "within": WITHIN,
        "lasts": RESET_LASTS,
    }
    connection.execute(SQL["remove_old"], values)
    row = connection.execute(SQL["keep"], values).fetchone()
    assert row is not None
    kept: bool = row[0]
    return kept


def is_good(connection: Connection, school_id: UUID, staff_id: UUID, code: str) -> bool:
    """Whether a code sets the account's password now; how long it takes says nothing about how near it is."""
    row = connection.execute(SQL["good"], [school_id, staff_id], binary=True).fetchone()
    return hmac.compare_digest(_hash(code), row[0] if row else bytes(32)) and row is not None


def spend(connection: Connection, school_id: UUID, staff_id: UUID, code: str) -> bool:
    """Makes a code good no longer; false, if it was not good any more."""
    return bool(connection.execute(SQL["spend"], [school_id, staff_id, _hash(code)]).rowcount)


def forget(connection: Connection, school_id: UUID, staff_id: UUID) -> None:
    """Makes every code of an account good no longer."""
    connection.execute(SQL["forget"], [school_id, staff_id])


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode(errors="surrogatepass")).digest()
