"""Ids: time-ordered, so that rows written together lie together, and never made from anything personal."""

from __future__ import annotations

import hashlib
from uuid import UUID

from uuid_utils.compat import uuid7

__all__ = ["command_id_of", "id_of_digest", "log_id_of", "new_id"]


def new_id() -> UUID:
    """A new time-ordered id (UUID version 7, RFC 9562)."""
    return uuid7()


def log_id_of(owner: UUID, log: str) -> UUID:
    """The originator id of one of the logs that belong to something, such as a pupil's assessments.

    It keeps the owner's first half, with its time, so that a log lies beside its owner in every index.
    """
    tail = hashlib.sha256(owner.bytes + log.encode()).digest()[:8]
    return _version_8(owner.bytes[:8] + tail)


def command_id_of(school_id: UUID, idempotency_key: str) -> UUID:
    """The id under which a command is remembered: a digest, so that the key itself is never stored."""
    return _version_8(hashlib.sha256(school_id.bytes + idempotency_key.encode()).digest()[:16])


def id_of_digest(digest: bytes) -> UUID:
    """An id made of the first 16 bytes of a digest."""
    return _version_8(digest[:16])


def _version_8(octets: bytes) -> UUID:
    """Marks 16 octets as a UUID of version 8, the one for ids of one's own making."""
    number = int.from_bytes(octets)
    number = number & ~(0xF << 76) | (8 << 76)
    number = number & ~(0x3 << 62) | (2 << 62)
    return UUID(int=number)
