"""Sealing one part of something stored: with a key, for one place, so that it opens nowhere else.

AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D). What is stored is

    generation (2 bytes, big-endian) ‖ nonce (12) ‖ ciphertext and tag

The generation says which of a subject's keys it was. The *place* is the associated data: whatever says where
the part belongs. Copied to another event, child, compartment or school, it does not open.
"""

from __future__ import annotations

import os
import struct
from functools import cache
from typing import NamedTuple, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import DoesNotOpen
from domain.events import Compartment

GENERATION_SIZE = 2
NONCE_SIZE = 12
TAG_SIZE = 16
OVERHEAD = GENERATION_SIZE + NONCE_SIZE + TAG_SIZE
"""Bytes that a sealed part has more than what is in it."""

_GENERATION = struct.Struct(">H")
_START = GENERATION_SIZE + NONCE_SIZE
_MARKS = {home: bytes([number]) for number, home in enumerate(Compartment)}
_EVENT = b"\x01"
_ROW = b"\x02"
_PHOTOGRAPH = b"\x03"


class SealingKey(NamedTuple):
    """A subject's key to seal with, and which of its keys that is."""

    generation: int
    cipher: AESGCM


class Keys(Protocol):
    """The keys at hand in one piece of work, all of one school."""

    @property
    def school_id(self) -> UUID:
        """The school."""

    def to_open(self, subject: UUID, home: Compartment, generation: int) -> AESGCM | None:
        """A subject's key; nothing, if it is not at hand or has been destroyed."""

    def to_seal(self, subject: UUID, home: Compartment) -> SealingKey:
        """A subject's newest key.

        Raises:
            KeyNotHeld: It is not at hand, or has been destroyed.
        """

    def holds(self, home: Compartment) -> bool:
        """Whether the compartment can be opened at all: what is then not opened has been erased."""


def place_of_event(
    school_id: UUID, originator_id: UUID, originator_version: int, topic: str, home: Compartment
) -> bytes:
    """The place of a part of an event: school, originator, version, compartment and type."""
    return place_in_log(places_of_log(school_id, originator_id, home), originator_version, topic)


def places_of_log(school_id: UUID, originator_id: UUID, home: Compartment) -> bytes:
    """What the places of all events of an originator have in common, in a compartment: how they begin."""
    return b"".join((_EVENT, _MARKS[home], school_id.bytes, originator_id.bytes))


def place_in_log(places: bytes, originator_version: int, topic: str) -> bytes:
    """The place of a part of one of an originator's events, from what all of them have in common."""
    return places + originator_version.to_bytes(8) + topic.encode()


def place_of_row(school_id: UUID, table: str, row: bytes) -> bytes:
    """The place of a part of a row that a projection made: school, table, and what names the row."""
    return b"".join((_ROW, school_id.bytes, _with_its_length(table), row))


@cache
def _with_its_length(table: str) -> bytes:
    return len(table.encode()).to_bytes(1) + table.encode()


def place_of_photograph(school_id: UUID, pupil_id: UUID, photograph_id: UUID, role: str) -> bytes:
    """The place of a photograph or of its thumbnail: school, pupil, photograph and which of the two."""
    return b"".join((_PHOTOGRAPH, school_id.bytes, pupil_id.bytes, photograph_id.bytes, role.encode()))


def seal(key: SealingKey, part: bytes, place: bytes) -> bytes:
    """Seals a part for its place."""
    nonce = os.urandom(NONCE_SIZE)
    return key.generation.to_bytes(GENERATION_SIZE) + nonce + key.cipher.encrypt(nonce, part, place)


def generation_of(sealed: bytes) -> int:
    """Which of its subject's keys a part is sealed with.

    Raises:
        DoesNotOpen: It is too short to be a sealed part.
    """
    if len(sealed) < OVERHEAD:
        raise DoesNotOpen("This is not a sealed part")
    generation: int = _GENERATION.unpack_from(sealed)[0]
    return generation


def unseal(cipher: AESGCM, sealed: bytes, place: bytes) -> bytes:
    """Opens a part in its place.

    Raises:
        DoesNotOpen: It was damaged, or sealed with another key or for another place.
    """
    try:
        return cipher.decrypt(sealed[GENERATION_SIZE:_START], sealed[_START:], place)
    except InvalidTag:
        raise DoesNotOpen("This does not open here") from None
