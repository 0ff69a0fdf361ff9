"""Keys from one secret: the standard's own figures, and no key in common."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from domain.vault.derivation import derived

SECRET = bytes(range(32))


def by_hand(secret: bytes, info: bytes, length: int) -> bytes:
    """HKDF with SHA-512 and no salt, as RFC 5869, section 2 writes it."""
    key = hmac.digest(bytes(64), secret, "sha512")
    block, result = b"", b""
    while len(result) < length:
        block = hmac.digest(key, block + info + bytes([len(result) // 64 + 1]), "sha512")
        result += block
    return result[:length]


@pytest.mark.parametrize("length", [16, 32, 64, 96, 200])
def test_it_is_the_standard(length: int) -> None:
    assert derived(SECRET, b"something", length) == by_hand(SECRET, b"target-tracker/1/something", length)


def test_no_two_purposes_or_secrets_share_a_key() -> None:
    secrets = [hashlib.sha256(bytes([number])).digest() for number in range(20)]
    keys = {derived(secret, purpose) for secret in secrets for purpose in (b"", b"a", b"b", b"ab")}
    assert len(keys) == 20 * 4


def test_a_short_secret_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        derived(bytes(31), b"something")
