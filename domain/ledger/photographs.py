"""Where photographs lie: sealed with their child's names key, in a table that is only ever added to."""

from __future__ import annotations

import hashlib
import hmac
from enum import StrEnum
from uuid import UUID

from domain.errors import DoesNotOpen
from domain.events import ERASED, SEALED, Compartment, Sealed
from domain.ledger.database import Connection
from domain.ledger.sealing import Keys, generation_of, place_of_photograph, seal, unseal
from domain.ledger.sql import load

SQL = load("domain.ledger", "photographs.sql")


class Role(StrEnum):
    """Which of the two pictures that are kept of a photograph."""

    PHOTOGRAPH = "photograph"
    THUMBNAIL = "thumbnail"


def sealed_for(keys: Keys, pupil_id: UUID, photograph_id: UUID, role: Role, content: bytes) -> bytes:
    """A picture, sealed with the child's names key for its place.

    Raises:
        KeyNotHeld: The key is not at hand, or has been destroyed.
    """
    place = place_of_photograph(keys.school_id, pupil_id, photograph_id, role)
    return seal(keys.to_seal(pupil_id, Compartment.NAMES), content, place)


def opened(
    keys: Keys, pupil_id: UUID, photograph_id: UUID, role: Role, sealed: bytes, sha256: bytes
) -> bytes | Sealed:
    """A picture that was read from its table.

    Args:
        keys: What is at hand to open it with.
        pupil_id: The child.
        photograph_id: The photograph.
        role: Which of its pictures.
        sealed: What lay there.
        sha256: The digest that the event has of it.

    Returns:
        The picture; that it is sealed, if no names key is held, or erased, if the child's was destroyed.

    Raises:
        DoesNotOpen: It is not what was stored, or not for this place.
    """
    if not hmac.compare_digest(digest_of(sealed), sha256):
        raise DoesNotOpen("This is not the photograph that was stored here")
    if not keys.holds(Compartment.NAMES):
        return SEALED
    cipher = keys.to_open(pupil_id, Compartment.NAMES, generation_of(sealed))
    if cipher is None:
        return ERASED
    return unseal(cipher, sealed, place_of_photograph(keys.school_id, pupil_id, photograph_id, role))


def digest_of(sealed: bytes) -> bytes:
    """SHA-256 of what is stored, 32 bytes: what an event has of a picture."""
    return hashlib.sha256(sealed).digest()


def add(
    connection: Connection, school_id: UUID, pupil_id: UUID, photograph_id: UUID, role: Role, sealed: bytes
) -> None:
    """Stores a sealed picture, within the transaction that is open and bound to the school."""
    connection.execute(SQL["add"], [school_id, photograph_id, role.value, pupil_id, sealed])


def get(connection: Connection, school_id: UUID, pupil_id: UUID, photograph_id: UUID, role: Role) -> bytes:
    """A picture as it lies there, sealed.

    Raises:
        DoesNotOpen: There is none, although an event says so.
    """
    row = connection.execute(
        SQL["get"], [school_id, pupil_id, photograph_id, role.value], binary=True
    ).fetchone()
    if row is None:
        raise DoesNotOpen("This photograph is not where it was stored")
    return bytes(row[0])
