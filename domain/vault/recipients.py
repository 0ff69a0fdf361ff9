"""Sealing to a public key: anybody can seal, and only who holds the private key can open.

HPKE in its single-shot form (RFC 9180, section 6.1) with a key encapsulation that is a hybrid of ML-KEM-768
(FIPS 203) and X25519 (RFC 7748): what is sealed today stays sealed as long as either of the two stands, even
if somebody keeps it until there is a quantum computer. HKDF-SHA-256 and AES-256-GCM do the rest.
"""

from __future__ import annotations

import secrets
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from domain.errors import DoesNotOpen, Misconfigured
from domain.vault.derivation import derived

SEED_LENGTH = 32
"""Bytes of a generated seed; a longer one, up to any length, is as good."""

_MLKEM_SEED_LENGTH = 64
_MLKEM_PUBLIC_LENGTH = 1184
_X25519_LENGTH = 32

PUBLIC_LENGTH = _MLKEM_PUBLIC_LENGTH + _X25519_LENGTH
"""Bytes of a public key: 1,184 of ML-KEM-768, then 32 of X25519."""

OVERHEAD = 1088 + _X25519_LENGTH + 16
"""Bytes that sealing adds: both encapsulations, and the tag of AES-GCM."""

_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class PrivateKey:
    """The private half of a pair, made whole from its seed.

    Args:
        seed: At least 32 bytes, made at random. The same seed is always the same pair.
    """

    __slots__ = ("_mlkem", "_x25519", "seed")

    def __init__(self, seed: bytes) -> None:
        self.seed: Final = seed
        both = derived(seed, b"recipient", _MLKEM_SEED_LENGTH + _X25519_LENGTH)
        self._mlkem = MLKEM768PrivateKey.from_seed_bytes(both[:_MLKEM_SEED_LENGTH])
        self._x25519 = X25519PrivateKey.from_private_bytes(both[_MLKEM_SEED_LENGTH:])

    @classmethod
    def generate(cls) -> PrivateKey:
        """A new pair."""
        return cls(secrets.token_bytes(SEED_LENGTH))

    def public_bytes(self) -> bytes:
        """The public half, 1,216 bytes, which :func:`seal` takes."""
        return self._mlkem.public_key().public_bytes_raw() + self._x25519.public_key().public_bytes_raw()

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """What was sealed to this pair.

        Args:
            sealed: What :func:`seal` returned.
            info: The same that it was sealed with.

        Raises:
            DoesNotOpen: It was sealed to another pair or with another `info`, or it was damaged.
        """
        try:
            return _SUITE.decrypt(sealed, MLKEM768X25519PrivateKey(self._mlkem, self._x25519), info)
        except (InvalidTag, ValueError):
            raise DoesNotOpen("What was sealed to a public key does not open with this private key") from None

    def __repr__(self) -> str:
        return "PrivateKey(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A private key is never pickled")


def seal(public: bytes, plaintext: bytes, info: bytes) -> bytes:
    """Seals to a public key; no two results are the same.

    Args:
        public: 1,216 bytes, as :meth:`PrivateKey.public_bytes` returns them.
        plaintext: What only the private key shall open. The result is 1,136 bytes longer.
        info: What the sealed bytes are and where they belong: they open with nothing else.

    Raises:
        Misconfigured: This is no public key.
    """
    try:
        recipient = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_LENGTH]),
            X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC_LENGTH:]),
        )
        return _SUITE.encrypt(plaintext, recipient, info)
    except ValueError:
        raise Misconfigured(
            f"What was given as a public key to seal to is none: such a key has {PUBLIC_LENGTH:,} bytes,"
            " as the file with the public key holds them"
        ) from None
