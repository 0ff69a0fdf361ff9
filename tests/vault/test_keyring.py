"""The keys at hand: wrapped keys open where they belong, and the ring says what it cannot do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import DoesNotOpen, KeyNotHeld, NotSignedIn
from domain.events import Compartment
from domain.identifiers import new_id
from domain.vault import keyring as module
from domain.vault.keyring import (
    WRAPPED_SIZE,
    Keyring,
    SchoolKeys,
    WrappedSubjectKeys,
    keys_of_rows,
    unpacked,
)

SEALABLE = (Compartment.NAMES, Compartment.RECORD)

SCHOOL, OTHER_SCHOOL, CHILD, OTHER_CHILD = (new_id() for _ in range(4))

SCHOOL_KEYS = SchoolKeys.new(SCHOOL)


def ring_of(keys: SchoolKeys, *wrapped: WrappedSubjectKeys) -> Keyring:
    """A keyring that was given these keys, and looks nothing up."""
    ring = Keyring(keys)
    ring.give([], wrapped)
    return ring


def made(keys: SchoolKeys = SCHOOL_KEYS, subject: UUID = CHILD, generation: int = 1) -> WrappedSubjectKeys:
    return Keyring(keys).make(subject, generation)


def test_what_was_wrapped_is_unwrapped() -> None:
    first, second = made(), made(generation=2)
    ring = ring_of(SCHOOL_KEYS, first, second)
    opened = [ring.unwrapped(keys) for keys in (first, second)]
    assert len({key for keys in opened for key in keys}) == 4
    assert {len(key) for keys in opened for key in keys} == {32}
    assert {len(cast("bytes", first.names)), len(first.record)} == {WRAPPED_SIZE}
    for home in SEALABLE:
        assert ring.to_open(CHILD, home, 1) is not None
        assert ring.to_seal(CHILD, home).generation == 2
    again = ring.wrapped(CHILD, 1, *opened[0])
    assert again != first
    assert ring.unwrapped(again) == opened[0]


def test_what_is_made_is_held_at_once_and_told_again() -> None:
    ring = Keyring(SCHOOL_KEYS)
    assert ring.is_erased(CHILD)
    keys = ring.make(CHILD)
    assert ring.made(CHILD) is keys
    assert ring.made(OTHER_CHILD) is None
    assert not ring.is_erased(CHILD)


# What was moved or tampered with does not open.

ONE_KEY = bytes(range(32))
SAME = SchoolKeys(SCHOOL, 1, ONE_KEY, ONE_KEY)
"""Both keys of this school are the same, so that the place alone tells apart what is wrapped under them."""

MOVES: dict[str, Callable[[WrappedSubjectKeys], tuple[SchoolKeys, WrappedSubjectKeys]]] = {
    "to another subject": lambda keys: (SAME, replace(keys, subject=OTHER_CHILD)),
    "to another generation": lambda keys: (SAME, replace(keys, generation=2)),
    "to the other compartment": lambda keys: (
        SAME,
        replace(keys, names=keys.record, record=cast("bytes", keys.names)),
    ),
    "to another school": lambda keys: (replace(SAME, school_id=OTHER_SCHOOL), keys),
}
"""Where wrapped keys may be copied to."""


def check_moved_keys_do_not_open(
    move: Callable[[WrappedSubjectKeys], tuple[SchoolKeys, WrappedSubjectKeys]],
) -> None:
    """Copies a child's wrapped keys elsewhere, where the keys that they are wrapped under are the same.

    Raises:
        AssertionError: They open there.
    """
    keys = made(SAME)
    ring_of(SAME, keys).unwrapped(keys)
    school, moved = move(keys)
    ring = ring_of(school, moved)
    opened = []
    for home in SEALABLE:
        try:
            opened.append(ring.to_open(moved.subject, home, moved.generation))
        except DoesNotOpen:
            continue
    assert not opened, "they open elsewhere"


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_keys_that_were_moved_do_not_open(
    move: Callable[[WrappedSubjectKeys], tuple[SchoolKeys, WrappedSubjectKeys]],
) -> None:
    check_moved_keys_do_not_open(move)


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_without_their_place_they_would(
    move: Callable[[WrappedSubjectKeys], tuple[SchoolKeys, WrappedSubjectKeys]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sabotaged twin: keys that are wrapped for no place."""
    monkeypatch.setattr(module, "place_of_subject_key", lambda *_: b"")
    with pytest.raises(AssertionError, match="they open elsewhere"):
        check_moved_keys_do_not_open(move)


KEYS = made()


@settings(deadline=None)
@given(position=st.integers(0, WRAPPED_SIZE - 1), change=st.integers(1, 255), home=st.sampled_from(SEALABLE))
def test_keys_that_were_tampered_with_do_not_open(position: int, change: int, home: Compartment) -> None:
    wrapped = bytearray(KEYS.record if home is Compartment.RECORD else cast("bytes", KEYS.names))
    wrapped[position] ^= change
    tampered = (
        replace(KEYS, record=bytes(wrapped))
        if home is Compartment.RECORD
        else replace(KEYS, names=bytes(wrapped))
    )
    ring = ring_of(SCHOOL_KEYS, tampered)
    with pytest.raises(DoesNotOpen):
        ring.to_open(CHILD, home, 1)
    with pytest.raises(DoesNotOpen):
        ring.to_seal(CHILD, home)
    with pytest.raises(DoesNotOpen):
        ring.unwrapped(tampered)
    other = next(each for each in SEALABLE if each is not home)
    assert ring.to_open(CHILD, other, 1) is not None


@pytest.mark.parametrize("length", [0, 1, 11, 12, 27, WRAPPED_SIZE - 1])
def test_keys_that_were_cut_do_not_open(length: int) -> None:
    with pytest.raises(DoesNotOpen):
        ring_of(SCHOOL_KEYS, replace(KEYS, record=KEYS.record[:length])).to_open(CHILD, Compartment.RECORD, 1)


@pytest.mark.parametrize("home", SEALABLE, ids=lambda home: home.value)
def test_a_generation_that_there_never_was_is_not_taken_for_an_erasure(home: Compartment) -> None:
    ring = ring_of(SCHOOL_KEYS, KEYS)
    for generation in (0, 2, 0xFFFF):
        with pytest.raises(DoesNotOpen):
            ring.to_open(CHILD, home, generation)
    assert ring.to_open(OTHER_CHILD, home, 1) is None


@pytest.mark.parametrize("held", [0, 1, 3])
def test_a_school_whose_keys_were_replaced_asks_to_log_in_again(held: int) -> None:
    """Whoever still holds the earlier keys is not told that data is damaged, or that people were erased."""
    keys = made(replace(SCHOOL_KEYS, generation=2))
    ring = ring_of(replace(SCHOOL_KEYS, generation=held), keys)
    for home in SEALABLE:
        with pytest.raises(NotSignedIn, match="log in again"):
            ring.to_open(CHILD, home, 1)
        with pytest.raises(NotSignedIn, match="log in again"):
            ring.to_seal(CHILD, home)
    with pytest.raises(NotSignedIn, match="log in again"):
        ring.unwrapped(keys)


# What is not held.


def test_without_the_names_key_only_the_record_opens() -> None:
    ring = ring_of(SCHOOL_KEYS.without_names(), KEYS)
    assert [ring.holds(home) for home in SEALABLE] == [False, True]
    assert ring.to_open(CHILD, Compartment.NAMES, 1) is None
    assert ring.to_open(CHILD, Compartment.RECORD, 1) is not None
    with pytest.raises(KeyNotHeld):
        ring.to_seal(CHILD, Compartment.NAMES)
    for needs_both in (
        lambda: ring.make(OTHER_CHILD),
        lambda: ring.unwrapped(KEYS),
        ring.school.both,
    ):
        with pytest.raises(KeyNotHeld):
            needs_both()


def test_without_any_key_nothing_is_looked_up() -> None:
    def fetch(_: object) -> list[WrappedSubjectKeys]:
        raise AssertionError("it was looked up")

    ring = Keyring(SchoolKeys.none_of(SCHOOL), fetch)
    for home in SEALABLE:
        assert not ring.holds(home)
        assert ring.to_open(CHILD, home, 1) is None
        with pytest.raises(KeyNotHeld):
            ring.to_seal(CHILD, home)


def test_a_worker_is_given_no_names_key_to_open() -> None:
    ring = ring_of(SCHOOL_KEYS, replace(KEYS, names=None))
    assert ring.to_open(CHILD, Compartment.NAMES, 1) is None
    assert ring.to_open(CHILD, Compartment.RECORD, 1) is not None


# Keyed digests.


def test_a_digest_is_the_same_for_the_same_within_a_school_alone() -> None:
    ours = ring_of(SCHOOL_KEYS, made(subject=SCHOOL), made(subject=SCHOOL, generation=2))
    other_keys = SchoolKeys.new(OTHER_SCHOOL)
    others = ring_of(other_keys, made(other_keys, OTHER_SCHOOL))
    digests = [
        ring.digest(home, purpose, value, stays=stays)
        for ring in (ours, others)
        for home in SEALABLE
        for purpose in ("username", "class")
        for value in (b"head", b"teacher")
        for stays in ((True, False) if ring is ours else (True,))
    ]
    assert len(set(digests)) == len(digests)
    assert {len(each) for each in digests} == {32}
    assert ours.digest(Compartment.NAMES, "username", b"head", stays=True) in digests


def test_what_stays_is_the_same_after_the_keys_were_replaced() -> None:
    first, later = made(subject=SCHOOL), made(subject=SCHOOL, generation=2)
    before, after = ring_of(SCHOOL_KEYS, first), ring_of(SCHOOL_KEYS, first, later)
    for stays in (True, False):
        digests = {ring.digest(Compartment.RECORD, "class", b"Red", stays=stays) for ring in (before, after)}
        assert (len(digests) == 1) is stays


def test_a_digest_needs_the_key_of_its_compartment() -> None:
    ring = ring_of(SCHOOL_KEYS.without_names(), made(subject=SCHOOL))
    ring.digest(Compartment.RECORD, "class", b"Red", stays=True)
    with pytest.raises(KeyNotHeld):
        ring.digest(Compartment.NAMES, "username", b"head", stays=False)


# How keys are written.


def test_keys_as_a_row_and_packed_are_the_same_keys() -> None:
    keys = [made(generation=1), made(replace(SCHOOL_KEYS, generation=300), generation=258)]
    packed = b"".join(
        each.generation.to_bytes(2)
        + each.school_generation.to_bytes(2)
        + cast("bytes", each.names)
        + each.record
        for each in keys
    )
    assert unpacked(CHILD, packed) == keys
    assert unpacked(CHILD, None) == unpacked(CHILD, b"") == []
    rows = [(each.subject, each.generation, each.school_generation, each.names, each.record) for each in keys]
    assert list(keys_of_rows(rows)) == keys


def test_both_keys_and_back() -> None:
    assert SchoolKeys.from_both(SCHOOL, 1, SCHOOL_KEYS.both()) == SCHOOL_KEYS
    for length in (0, 32, 63, 65):
        with pytest.raises(DoesNotOpen):
            SchoolKeys.from_both(SCHOOL, 1, bytes(length))


def test_no_key_is_shown() -> None:
    shown = repr(SCHOOL_KEYS) + repr(Keyring(SCHOOL_KEYS))
    for key in (SCHOOL_KEYS.names, SCHOOL_KEYS.record):
        assert key is not None
        assert key.hex() not in shown
        assert repr(key) not in shown
