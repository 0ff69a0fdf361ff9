"""The keys at hand: a school's two keys, and with them the keys of its subjects.

A *subject* is a child, a member of staff, or the school itself (for what is about nobody else). Each has a
key of 256 random bits for each compartment, and these are stored only wrapped under the school's key of that
compartment. Who holds one school key opens that compartment of every subject, and who holds none opens
nothing.

A keyring lives as long as one piece of work: a request, a command, a batch of a projection. Nothing is kept
for the next one, so that a key which has been destroyed is gone with the next look.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import DoesNotOpen, KeyNotHeld, NotSignedIn
from domain.events import ERASED, SEALED, Compartment, Sealed
from domain.ledger.sealing import SealingKey, generation_of, unseal

KEY_SIZE = 32
"""Bytes in every key: AES-256."""

WRAPPED_SIZE = 12 + KEY_SIZE + 16
"""Bytes in a wrapped key: nonce, key and tag."""

REPLACED = "The school's keys have been replaced: log in again"
NEVER = "This says that it was sealed with a key that there never was"

MOST_OPEN = 2_048
"""Subjects' keys that are held open at a time, 2.5 KiB each: both of every pupil of a large school. The one
that was opened first is closed first, and opened again if it is needed."""

_PACKED = struct.Struct(f">HH{WRAPPED_SIZE}s{WRAPPED_SIZE}s")
_NAMES = Compartment.NAMES
_COMPARTMENT = {home: home.value.encode() for home in Compartment}

FIRST_GENERATION = 1
"""The generation of keys that is kept for ever: what must not change when keys are replaced comes from it."""


def wrap(cipher: AESGCM, key: bytes, place: bytes) -> bytes:
    """Wraps a key under another, for its place."""
    nonce = os.urandom(12)
    return nonce + cipher.encrypt(nonce, key, place)


def unwrap(cipher: AESGCM, wrapped: bytes, place: bytes) -> bytes:
    """Unwraps a key.

    Raises:
        DoesNotOpen: It was damaged, or wrapped under another key or for another place.
    """
    try:
        return cipher.decrypt(wrapped[:12], wrapped[12:], place)
    except (InvalidTag, ValueError):
        raise DoesNotOpen("A wrapped key does not open here") from None


def place_of_subject_key(school_id: UUID, subject: UUID, generation: int, home: Compartment) -> bytes:
    """The associated data of a subject's wrapped key."""
    return b"".join(
        (b"subject key", school_id.bytes, subject.bytes, generation.to_bytes(2), _COMPARTMENT[home])
    )


@dataclass(frozen=True)
class SchoolKeys:
    """A school's keys, opened, as far as whoever works may hold them.

    Attributes:
        school_id: The school.
        generation: How often they have been replaced, from 1.
        names: The key of the `names` compartment, 32 bytes, if it is held.
        record: The key of the `record` compartment, 32 bytes, if it is held.
    """

    school_id: UUID
    generation: int
    names: bytes | None = field(default=None, repr=False)
    record: bytes | None = field(default=None, repr=False)

    @classmethod
    def new(cls, school_id: UUID, generation: int = FIRST_GENERATION) -> SchoolKeys:
        """New keys for a school."""
        return cls(school_id, generation, os.urandom(KEY_SIZE), os.urandom(KEY_SIZE))

    @classmethod
    def none_of(cls, school_id: UUID) -> SchoolKeys:
        """No keys: everything stays sealed."""
        return cls(school_id, 0)

    @classmethod
    def from_both(cls, school_id: UUID, generation: int, both: bytes) -> SchoolKeys:
        """The keys from the 64 bytes that :meth:`both` gives."""
        if len(both) != 2 * KEY_SIZE:
            raise DoesNotOpen("These are not the keys of a school")
        return cls(school_id, generation, both[:KEY_SIZE], both[KEY_SIZE:])

    def both(self) -> bytes:
        """Both keys, 64 bytes: what is sealed to a login key and for recovery.

        Raises:
            KeyNotHeld: One of them is not held.
        """
        if self.names is None or self.record is None:
            raise KeyNotHeld("Both of the school's keys are needed for this")
        return self.names + self.record

    def without_names(self) -> SchoolKeys:
        """The same, for somebody who may not know who people are."""
        return SchoolKeys(self.school_id, self.generation, None, self.record)

    def of(self, home: Compartment) -> bytes | None:
        """The key of a compartment, if it is held."""
        return self.names if home is Compartment.NAMES else self.record


@dataclass(frozen=True)
class WrappedSubjectKeys:
    """A subject's two keys as they are stored.

    Attributes:
        subject: Whose they are.
        generation: Which of the subject's keys, from 1.
        school_generation: The generation of the school's keys that they are wrapped under.
        names: The `names` key, wrapped; not given to those who have nothing to open it with.
        record: The `record` key, wrapped.
    """

    subject: UUID
    generation: int
    school_generation: int
    names: bytes | None
    record: bytes


Fetch = Callable[[Iterable[UUID]], Iterable[WrappedSubjectKeys]]
"""Looks up the keys of some subjects."""


class _Subject:
    """One subject's keys: wrapped, and opened once they are needed."""

    __slots__ = ("ciphers", "newest", "wrapped")

    def __init__(self) -> None:
        self.wrapped: dict[int, WrappedSubjectKeys] = {}
        self.ciphers: dict[tuple[Compartment, int], AESGCM] = {}
        self.newest = 0

    def add(self, wrapped: WrappedSubjectKeys) -> None:
        self.wrapped[wrapped.generation] = wrapped
        self.newest = max(self.newest, wrapped.generation)


class Keyring:
    """The keys at hand in one piece of work."""

    def __init__(self, school: SchoolKeys, fetch: Fetch | None = None) -> None:
        """Holds the school's keys, and fetches those of subjects when they are needed.

        Args:
            school: The school's keys.
            fetch: Looks subjects' keys up; without it, only those that are given can be opened.
        """
        self.school = school
        self.school_id = school.school_id
        self._fetch = fetch
        self._school_ciphers = {
            home: AESGCM(key)
            for home in (Compartment.NAMES, Compartment.RECORD)
            if (key := school.of(home)) is not None
        }
        self._subjects: dict[UUID, _Subject] = {}
        self._open: deque[tuple[_Subject, tuple[Compartment, int]]] = deque()
        self._made: dict[UUID, WrappedSubjectKeys] = {}

    def holds(self, home: Compartment) -> bool:
        """Whether the school's key of the compartment is held."""
        return home in self._school_ciphers

    def give(self, subjects: Iterable[UUID], wrapped: Iterable[WrappedSubjectKeys]) -> None:
        """Takes in what a look-up of subjects has found; who has no keys was erased, or never was."""
        for subject in subjects:
            self._subjects[subject] = _Subject()
        for keys in wrapped:
            known = self._subjects.get(keys.subject)
            if known is None:
                known = self._subjects[keys.subject] = _Subject()
            known.add(keys)

    def need(self, subjects: Iterable[UUID]) -> None:
        """Looks up, in one go, the keys of the subjects that have not been looked up yet."""
        missing = [subject for subject in subjects if subject not in self._subjects]
        if missing and self._fetch and self._school_ciphers:
            self.give(missing, self._fetch(missing))

    def to_open(self, subject: UUID, home: Compartment, generation: int) -> AESGCM | None:
        """A subject's key; nothing, if it is not at hand or has been destroyed.

        Raises:
            DoesNotOpen: It is there, and was tampered with; or the subject has keys, but none of that
                generation: they are destroyed all together, so there never was one.
        """
        known = self._subjects.get(subject) or self._looked_up(subject)
        cipher = known.ciphers.get((home, generation))
        if cipher is None:
            key = self._key(known, home, generation)
            if key is None:
                return None
            cipher = known.ciphers[home, generation] = AESGCM(key)
            self._open.append((known, (home, generation)))
            if len(self._open) > MOST_OPEN:
                longest_open, place = self._open.popleft()
                longest_open.ciphers.pop(place, None)
        return cipher

    def opened(
        self, home: Compartment, subject: UUID, packed: bytes, sealed: bytes, place: bytes
    ) -> bytes | Sealed:
        """Opens a part with the keys that were read together with it, as a row and its keys are.

        None of them is kept: that is most of what opening hundreds of subjects one after another would cost.

        Args:
            home: The part's compartment.
            subject: Whom it is about.
            packed: The subject's wrapped keys, as :func:`unpacked` takes them.
            sealed: The part.
            place: Where it lies.

        Returns:
            What is in it; that it is sealed, if the school's key is not held, or erased, if the subject has
            no keys.

        Raises:
            DoesNotOpen: It was damaged or moved, or its key was; or it says that there is another key.
            NotSignedIn: The school's keys have been replaced since those at hand.
        """
        school_cipher = self._school_ciphers.get(home)
        if school_cipher is None:
            return SEALED
        generation = generation_of(sealed)
        for number, school_generation, names, record in _PACKED.iter_unpack(packed):
            if number == generation:
                if school_generation != self.school.generation:
                    raise NotSignedIn(REPLACED)
                wrapped = names if home is _NAMES else record
                of_key = place_of_subject_key(self.school_id, subject, generation, home)
                return unseal(AESGCM(unwrap(school_cipher, wrapped, of_key)), sealed, place)
        if packed:
            raise DoesNotOpen(NEVER)
        return ERASED

    def to_seal(self, subject: UUID, home: Compartment) -> SealingKey:
        """A subject's newest key.

        Raises:
            KeyNotHeld: It is not at hand, or has been destroyed.
        """
        generation = (self._subjects.get(subject) or self._looked_up(subject)).newest
        cipher = self.to_open(subject, home, generation)
        if cipher is None:
            raise KeyNotHeld("This cannot be sealed: its key is not at hand, or has been destroyed")
        return SealingKey(generation, cipher)

    def is_erased(self, subject: UUID) -> bool:
        """Whether a subject that there once was has no keys any more."""
        return not (self._subjects.get(subject) or self._looked_up(subject)).wrapped

    def digest(self, home: Compartment, purpose: str, value: bytes, *, stays: bool) -> bytes:
        """A keyed digest (HMAC-SHA-256) of a value: the same for the same value, within the school alone.

        Args:
            home: The compartment whose key is needed to tell.
            purpose: What it is for; digests for different purposes have nothing in common.
            value: The value.
            stays: Whether it is the same after the school's keys have been replaced.

        Raises:
            KeyNotHeld: The compartment's key is not held.
        """
        known = self._subjects.get(self.school_id) or self._looked_up(self.school_id)
        key = self._key(known, home, FIRST_GENERATION if stays else known.newest)
        if key is None:
            raise KeyNotHeld("The school's key is not at hand")
        return hmac.digest(hmac.digest(key, purpose.encode(), hashlib.sha256), value, hashlib.sha256)

    def make(self, subject: UUID, generation: int = FIRST_GENERATION) -> WrappedSubjectKeys:
        """Makes keys for a subject, to be used at once and to be stored with the first event about it.

        Raises:
            KeyNotHeld: One of the school's keys is not held.
        """
        keys = (os.urandom(KEY_SIZE), os.urandom(KEY_SIZE))
        wrapped = self.wrapped(subject, generation, *keys)
        known = self._subjects.setdefault(subject, _Subject())
        known.add(wrapped)
        self._made[subject] = wrapped
        return wrapped

    def made(self, subject: UUID) -> WrappedSubjectKeys | None:
        """The keys that were made here for a subject, if any were."""
        return self._made.get(subject)

    def wrapped(self, subject: UUID, generation: int, names: bytes, record: bytes) -> WrappedSubjectKeys:
        """A subject's keys, wrapped under the school's.

        Raises:
            KeyNotHeld: One of the school's keys is not held.
        """
        if len(self._school_ciphers) < 2:
            raise KeyNotHeld("Both of the school's keys are needed for this")
        wraps = {
            home: wrap(
                self._school_ciphers[home],
                key,
                place_of_subject_key(self.school_id, subject, generation, home),
            )
            for home, key in ((Compartment.NAMES, names), (Compartment.RECORD, record))
        }
        return WrappedSubjectKeys(
            subject,
            generation,
            self.school.generation,
            wraps[Compartment.NAMES],
            wraps[Compartment.RECORD],
        )

    def unwrapped(self, keys: WrappedSubjectKeys) -> tuple[bytes, bytes]:
        """A subject's two keys, to wrap them anew.

        Raises:
            KeyNotHeld: One of the school's keys is not held.
            DoesNotOpen: They were tampered with.
        """
        known = _Subject()
        known.add(keys)
        names = self._key(known, Compartment.NAMES, keys.generation)
        record = self._key(known, Compartment.RECORD, keys.generation)
        if names is None or record is None:
            raise KeyNotHeld("Both of the school's keys are needed for this")
        return names, record

    def _looked_up(self, subject: UUID) -> _Subject:
        self.need([subject])
        return self._subjects.get(subject) or _Subject()

    def _key(self, known: _Subject, home: Compartment, generation: int) -> bytes | None:
        wrapped = known.wrapped.get(generation)
        cipher = self._school_ciphers.get(home)
        if cipher is None or not known.wrapped:
            return None
        if wrapped is None:
            raise DoesNotOpen(NEVER)
        if wrapped.school_generation != self.school.generation:
            raise NotSignedIn(REPLACED)
        part = wrapped.names if home is Compartment.NAMES else wrapped.record
        if part is None:
            return None
        return unwrap(cipher, part, place_of_subject_key(self.school_id, wrapped.subject, generation, home))


def unpacked(subject: UUID, packed: bytes | None) -> list[WrappedSubjectKeys]:
    """A subject's keys as `vault.events_of` packs them: generations as 2 bytes each, then both wraps."""
    return [WrappedSubjectKeys(subject, *keys) for keys in _PACKED.iter_unpack(packed or b"")]


def keys_of_rows(rows: Iterable[tuple[Any, ...]]) -> Iterable[WrappedSubjectKeys]:
    """Subjects' keys from rows of `vault.subject_keys`."""
    return (WrappedSubjectKeys(*row) for row in rows)
