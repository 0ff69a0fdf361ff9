"""The service's keys: what they wrap and sign, how they rotate, and what their document may hold."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import DoesNotOpen, KeyNotHeld
from domain.vault import key_ring
from domain.vault.key_ring import KeyRing, new_ring, retired, rotated
from domain.vault.service_keys import SIGNED_LENGTH, ServiceKeys

RING = new_ring()
OTHER = new_ring()
KEY = bytes(range(32))


def test_a_ring_is_what_the_service_asks_for() -> None:
    keys: ServiceKeys = RING
    assert keys.held().current == RING.current


# Wrapping


def test_what_is_wrapped_unwraps() -> None:
    wrapped = RING.wrap(KEY, b"here")
    assert len(wrapped) == 60
    assert KEY not in wrapped
    assert RING.unwrap(RING.current, wrapped, b"here") == KEY
    assert len({RING.wrap(KEY, b"here") for _ in range(20)}) == 20


def unwrapped_elsewhere() -> list[str]:
    """Where a wrapped key opens and should not."""
    ring = rotated(RING)
    wrapped = ring.wrap(KEY, b"here")
    tried: dict[str, tuple[KeyRing, str, bytes, bytes]] = {
        "another place": (ring, ring.current, wrapped, b"there"),
        "no place": (ring, ring.current, wrapped, b""),
        "the key before": (ring, RING.current, wrapped, b"here"),
        "another service": (OTHER, OTHER.current, wrapped, b"here"),
        "another service, and its own id": (OTHER, ring.current, wrapped, b"here"),
        "cut": (ring, ring.current, wrapped[:-1], b"here"),
        "lengthened": (ring, ring.current, wrapped + b"\0", b"here"),
        "nothing": (ring, ring.current, b"", b"here"),
        "a nonce": (ring, ring.current, wrapped[:12], b"here"),
    }
    for index in range(len(wrapped)):
        flipped = bytearray(wrapped)
        flipped[index] ^= 1
        tried[f"flipped at {index}"] = (ring, ring.current, bytes(flipped), b"here")
    found = []
    for name, (keys, key_id, data, place) in tried.items():
        try:
            keys.unwrap(key_id, data, place)
        except DoesNotOpen:
            continue
        found.append(name)
    return found


def test_it_unwraps_nowhere_else() -> None:
    assert unwrapped_elsewhere() == []


class Placeless:
    """AES-GCM without associated data."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def encrypt(self, nonce: bytes, data: bytes, place: bytes) -> bytes:
        return self._cipher.encrypt(nonce, data, None)

    def decrypt(self, nonce: bytes, data: bytes, place: bytes) -> bytes:
        return self._cipher.decrypt(nonce, data, None)


def test_a_cipher_that_forgets_the_place_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(key_ring, "AESGCM", Placeless)
    assert {"another place", "no place"} <= set(unwrapped_elsewhere())


def test_an_unknown_key_is_told_from_what_does_not_open() -> None:
    wrapped = RING.wrap(KEY, b"here")
    with pytest.raises(KeyNotHeld, match=RING.current):
        OTHER.unwrap(RING.current, wrapped, b"here")
    with pytest.raises(DoesNotOpen) as refused:
        RING.unwrap(RING.current, wrapped, b"there")
    assert not isinstance(refused.value, KeyNotHeld)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_only_whole_keys_are_wrapped(length: int) -> None:
    with pytest.raises(AssertionError):
        RING.wrap(bytes(length), b"here")


# Signing


def test_what_is_signed_is_known() -> None:
    signed = RING.sign(b"message")
    assert len(signed) == SIGNED_LENGTH == 72
    assert signed[:8].hex() == RING.current
    assert RING.is_signed(signed, b"message")


@pytest.mark.parametrize(
    ("signed", "message"),
    [
        (RING.sign(b"message"), b"another"),
        (RING.sign(b"another"), b"message"),
        (OTHER.sign(b"message"), b"message"),
        (RING.sign(b"")[:8] + OTHER.sign(b"message")[8:], b"message"),
        (OTHER.sign(b"")[:8] + RING.sign(b"message")[8:], b"message"),
        (RING.sign(b"message")[:-1], b"message"),
        (RING.sign(b"message") + b"\0", b"message"),
        (b"", b"message"),
        (bytes(72), b"message"),
        (bytes([255]) * 72, b"message"),
    ],
    ids=[
        "of another message",
        "of another message too",
        "of another ring",
        "of another ring under this one's name",
        "of this ring under another's name",
        "cut off",
        "with more after it",
        "nothing",
        "zeros",
        "ones",
    ],
)
def test_what_is_not_signed_is_known_too(signed: bytes, message: bytes) -> None:
    assert not RING.is_signed(signed, message)


def verifications(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Ed25519PublicKey]]:
    """The public keys that are verified against, for every kind of right and wrong signature in turn."""
    seen: list[Ed25519PublicKey] = []
    verify = key_ring._verify

    def counting(public: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
        seen.append(public)
        return verify(public, signature, message)

    monkeypatch.setattr(key_ring, "_verify", counting)
    right = ring.sign(b"message")
    for signed in (right, right[:8] + bytes(64), OTHER.sign(b"message"), bytes(72)):
        seen.clear()
        ring.is_signed(signed, b"message")
        yield list(seen)


def test_an_unknown_issuer_costs_a_verification_too(monkeypatch: pytest.MonkeyPatch) -> None:
    known, wrong, unknown, nobody = verifications(RING, monkeypatch)
    assert [len(each) for each in (known, wrong, unknown, nobody)] == [1, 1, 1, 1]
    assert unknown == nobody == [key_ring._NOBODYS]
    assert known == wrong != unknown


class Hasty(KeyRing):
    """A ring that does no work for a stranger."""

    def is_signed(self, signed: bytes, message: bytes) -> bool:
        return signed[:8] in self._publics and super().is_signed(signed, message)


def test_a_ring_that_spares_itself_the_work_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""
    hasty = Hasty(RING.keys, RING.issuers)
    assert [len(each) for each in verifications(hasty, monkeypatch)] == [1, 1, 0, 0]


# Digests


def test_a_digest_tells_that_a_value_came_again() -> None:
    assert RING.digest("address", b"192.0.2.1") == KeyRing.read(RING.document()).digest(
        "address", b"192.0.2.1"
    )
    assert len(RING.digest("address", b"")) == 32


def test_a_digest_tells_nothing_else() -> None:
    digests = {
        ring.digest(purpose, value)
        for ring in (RING, OTHER, rotated(RING))
        for purpose in ("address", "account")
        for value in (b"192.0.2.1", b"192.0.2.2")
    }
    assert len(digests) == 3 * 2 * 2


# Rotation


def test_after_a_rotation_all_that_was_wrapped_and_signed_is_good() -> None:
    first = new_ring()
    wrapped, signed = first.wrap(KEY, b"here"), first.sign(b"message")
    second = rotated(first)
    assert second.current != first.current
    assert [key.id for key in second.keys] == [second.current, first.current]
    assert second.unwrap(first.current, wrapped, b"here") == KEY
    assert second.is_signed(signed, b"message")
    assert first.unwrap(first.current, wrapped, b"here") == KEY  # the old ring is as it was
    assert not first.is_signed(second.sign(b"message"), b"message")


def test_retiring_drops_secrets_that_nothing_needs() -> None:
    first = new_ring()
    second = rotated(first)
    third = rotated(second)
    left = retired(third, {first.current})
    assert [key.id for key in left.keys] == [third.current, first.current]
    secrets = {key.id: base64.b64encode(key.secret) for key in third.keys}
    assert secrets[second.current] not in left.document()
    assert secrets[first.current] in left.document()
    with pytest.raises(KeyNotHeld):
        left.unwrap(second.current, second.wrap(KEY, b"here"), b"here")


def test_the_current_key_is_never_retired() -> None:
    assert retired(RING, set()).current == RING.current
    assert retired(rotated(RING), {RING.current, "unknown"}).holds(RING.current)


def signatures_lost(ring: KeyRing) -> int:
    """How many of three generations' signatures are not known after all but the newest were retired."""
    generations = [ring]
    for _ in range(2):
        generations.append(rotated(generations[-1]))
    left = KeyRing.read(key_ring.retired(generations[-1], set()).document())
    assert len(left.keys) == 1
    return sum(not left.is_signed(each.sign(b"message"), b"message") for each in generations)


def test_what_a_retired_key_signed_stays_good() -> None:
    assert signatures_lost(new_ring()) == 0


def test_a_ring_that_forgets_its_issuers_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(key_ring, "retired", lambda ring, in_use: KeyRing(ring.keys[:1]))
    assert signatures_lost(new_ring()) == 2
