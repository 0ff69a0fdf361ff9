"""Sealing to a public key: only its private key opens it, and only as what it was sealed as."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from cryptography.hazmat.primitives.hpke import Suite
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import DoesNotOpen, Misconfigured
from domain.vault import recipients
from domain.vault.recipients import OVERHEAD, PUBLIC_LENGTH, PrivateKey, seal

PAIR = PrivateKey(bytes(range(32)))
PUBLIC = PAIR.public_bytes()
OTHER = PrivateKey(bytes(range(1, 33)))


def opens(pair: PrivateKey, sealed: bytes, info: bytes) -> bool:
    try:
        pair.open(sealed, info)
    except DoesNotOpen:
        return False
    return True


@given(st.binary(max_size=300), st.binary(max_size=100))
@settings(deadline=None)
def test_what_is_sealed_opens(plaintext: bytes, info: bytes) -> None:
    sealed = seal(PUBLIC, plaintext, info)
    assert len(sealed) == len(plaintext) + OVERHEAD
    assert PAIR.open(sealed, info) == plaintext


def test_a_seed_is_always_the_same_pair_and_no_other_seed_is() -> None:
    assert len(PUBLIC) == PUBLIC_LENGTH == 1216
    assert PrivateKey(PAIR.seed).public_bytes() == PUBLIC
    publics = [PrivateKey.generate().public_bytes() for _ in range(10)]
    assert len({public[:1184] for public in publics}) == len({public[1184:] for public in publics}) == 10


def test_a_longer_seed_counts_as_a_whole() -> None:
    long = PrivateKey(PAIR.seed + b"more")
    assert long.public_bytes() != PUBLIC
    assert PrivateKey(long.seed).open(seal(long.public_bytes(), b"text", b""), b"") == b"text"


def test_no_two_results_are_the_same() -> None:
    assert len({seal(PUBLIC, b"text", b"here") for _ in range(20)}) == 20


def opened_elsewhere() -> list[str]:
    """Where a sealed text opens and should not."""
    sealed = seal(PUBLIC, b"text", b"here")
    tried = {
        "another pair": (OTHER, b"here"),
        "another place": (PAIR, b"there"),
        "no place": (PAIR, b""),
        "a longer place": (PAIR, b"here "),
    }
    return [name for name, (pair, info) in tried.items() if opens(pair, sealed, info)]


def test_it_opens_nowhere_else() -> None:
    assert opened_elsewhere() == []


class Placeless:
    """The suite, without what binds a text to its place."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite

    def encrypt(self, plaintext: bytes, public_key: Any, info: bytes) -> bytes:
        return self._suite.encrypt(plaintext, public_key)

    def decrypt(self, ciphertext: bytes, private_key: Any, info: bytes) -> bytes:
        return self._suite.decrypt(ciphertext, private_key)


def test_a_suite_that_forgets_the_place_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(recipients, "_SUITE", Placeless(recipients._SUITE))
    assert opened_elsewhere() == ["another place", "no place", "a longer place"]


def test_both_halves_of_the_hybrid_are_needed() -> None:
    """Each is replaced by a stranger's, as if the other one alone had been broken."""
    stranger = OTHER.public_bytes()
    for mixed in (PUBLIC[:1184] + stranger[1184:], stranger[:1184] + PUBLIC[1184:]):
        sealed = seal(mixed, b"text", b"here")
        assert not opens(PAIR, sealed, b"here")
        assert not opens(OTHER, sealed, b"here")


def test_no_flipped_bit_opens() -> None:
    sealed = seal(PUBLIC, b"text", b"here")
    for index in range(len(sealed)):
        flipped = bytearray(sealed)
        flipped[index] ^= 1 << index % 8
        assert not opens(PAIR, bytes(flipped), b"here"), index


@pytest.mark.parametrize("length", [0, 1, 1087, 1088, 1119, 1120, 1135, 1136])
def test_what_was_cut_does_not_open(length: int) -> None:
    assert not opens(PAIR, seal(PUBLIC, b"text", b"here")[:length], b"here")


def test_what_was_lengthened_does_not_open() -> None:
    assert not opens(PAIR, seal(PUBLIC, b"text", b"here") + b"\0", b"here")


@pytest.mark.parametrize(
    "public",
    [b"", PUBLIC[:-1], PUBLIC + b"\0", bytes([255]) * PUBLIC_LENGTH, PUBLIC[:1184] + bytes(32)],
    ids=["nothing", "cut", "lengthened", "no point of the lattice", "a point of low order"],
)
def test_nothing_is_sealed_to_what_is_no_public_key(public: bytes) -> None:
    with pytest.raises(Misconfigured, match="1,216 bytes"):
        seal(public, b"text", b"here")


def test_a_private_key_shows_and_leaves_nothing() -> None:
    assert repr(PAIR) == str(PAIR) == f"{PAIR}" == "PrivateKey(…)"
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(PAIR)


def test_the_error_holds_nothing_of_either() -> None:
    with pytest.raises(DoesNotOpen) as refused:
        PAIR.open(seal(PUBLIC, b"text", b"here"), b"there")
    assert "here" not in refused.value.message.split()
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
