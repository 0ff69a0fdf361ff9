"""The Merkle tree over a stream, hash by hash as RFC 9162 section 2.1 has it.

The database computes the same in SQL when it appends; this is what everybody else checks it with. It knows
nothing of databases, keys or events: only of what is stored, which is all that a verifier may be given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

HASH_SIZE = 32
"""Bytes in a hash: SHA-256."""

EMPTY_ROOT = hashlib.sha256().digest()
"""The root of a tree without leaves: the hash of nothing (RFC 9162, section 2.1.1)."""

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def entry_hash(entry: bytes) -> bytes:
    """The hash of a leaf, `HASH(0x00 || entry)` (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node that has two children, `HASH(0x01 || left || right)` (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf_hash(
    *,
    school_id: UUID,
    position: int,
    originator_id: UUID,
    originator_version: int,
    recorded_at: datetime,
    topic: str,
    state: bytes,
) -> bytes:
    """The hash of the leaf that a stored event is.

    The entry is school, position, originator, version, time, length of the type, type and state, one after
    another: ids as 16 bytes; numbers as 8 bytes, big-endian; the time as microseconds since
    2000-01-01T00:00:00Z, a number too; the length as 4 bytes. It is the whole row: nothing in it can be
    changed unnoticed.

    Args:
        school_id: Whose stream.
        position: The event's place in it, from 1.
        originator_id: What the event happened to.
        originator_version: Its number among that originator's events.
        recorded_at: When it was recorded, with a time zone; PostgreSQL keeps microseconds.
        topic: The event's registered name and version.
        state: What is stored of its content, byte for byte.
    """
    name = topic.encode()
    return entry_hash(
        b"".join(
            (
                school_id.bytes,
                _number(position),
                originator_id.bytes,
                _number(originator_version),
                _number((recorded_at - _EPOCH) // _MICROSECOND),
                len(name).to_bytes(4),
                name,
                state,
            )
        )
    )


def _number(value: int) -> bytes:
    return value.to_bytes(8, signed=True)


class CompactRange:
    """A tree that is only ever added to, kept as the roots of its perfect subtrees.

    A tree of `size` leaves has one such root, or peak, for every 1 among the binary digits of `size`; the
    first stands for the largest power of two. They are all that it takes to add leaves and to tell the root.

    Args:
        size: How many leaves the tree has.
        peaks: The peaks, the largest first, 32 bytes each, as a stream's head keeps them.

    Raises:
        ValueError: A tree of this size has another number of peaks.
    """

    def __init__(self, size: int = 0, peaks: bytes = b"") -> None:
        if size < 0 or len(peaks) != HASH_SIZE * size.bit_count():
            raise ValueError(f"a tree of {size} leaves does not have {len(peaks)} bytes of peaks")
        self.size = size
        self._peaks = [peaks[start : start + HASH_SIZE] for start in range(0, len(peaks), HASH_SIZE)]

    @property
    def peaks(self) -> bytes:
        """The peaks, the largest first, one after another."""
        return b"".join(self._peaks)

    def append(self, leaf: bytes) -> None:
        """Adds the hash of one more leaf.

        While there is a peak as large as the new one, they are the two children of a larger.
        """
        peak, left = leaf, self.size
        while left & 1:
            peak = node_hash(self._peaks.pop(), peak)
            left >>= 1
        self._peaks.append(peak)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Adds the hashes of more leaves, in order."""
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves (RFC 9162, section 2.1.1).

        The peaks are joined from the right, the smallest first: the RFC splits a tree at the largest power of
        two below its size, so that everything right of a peak is the right child of that peak's parent.
        """
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root
