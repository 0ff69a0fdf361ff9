"""Many keys from one secret: HKDF with SHA-512 (RFC 5869), each key bound to what it is for."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LEAST_SECRET = 32
"""Bytes: no secret that keys are derived from is shorter."""


def derived(secret: bytes, purpose: bytes, length: int = 32) -> bytes:
    """The key for one purpose; who knows it learns nothing of the secret, or of the keys for other purposes.

    Args:
        secret: At least 32 bytes, made at random. No salt is needed for such (RFC 5869, section 3.1).
        purpose: What the key is for and, where it belongs to something, to what. No two uses share one.
        length: How many bytes the key has.
    """
    assert len(secret) >= LEAST_SECRET
    return HKDF(algorithm=SHA512(), length=length, salt=None, info=b"target-tracker/1/" + purpose).derive(
        secret
    )
