"""The service's own keys, as the rest of the software sees them, wherever they are kept.

They wrap what the service may open by itself, and sign the login keys that it issues.
"""

from __future__ import annotations

from typing import Protocol

KEY_LENGTH = 32
"""Bytes of every key that is wrapped."""

ISSUER_LENGTH = 8
SIGNED_LENGTH = ISSUER_LENGTH + 64
"""Bytes that signing gives: who issued it, then the Ed25519 signature (RFC 8032)."""


class ServiceKeys(Protocol):
    """What keys of the service must do, be they in a file or in a key management service."""

    @property
    def current(self) -> str:
        """The id of the key that wraps and signs now."""

    def held(self) -> ServiceKeys:
        """These keys as they are at this moment, which no change of the ring reaches.

        Whoever stores :attr:`current` beside what was wrapped takes both from what this returns.
        """

    def wrap(self, key: bytes, place: bytes) -> bytes:
        """Wraps a key of 32 bytes under the current one.

        Args:
            key: The key.
            place: Where the result will lie: it opens nowhere else.
        """

    def unwrap(self, key_id: str, wrapped: bytes, place: bytes) -> bytes:
        """The key that was wrapped.

        Args:
            key_id: What :attr:`current` was when it was wrapped.
            wrapped: What :meth:`wrap` returned.
            place: The same that it was wrapped with.

        Raises:
            KeyNotHeld: There is no key of that id, or there is none any more.
            DoesNotOpen: It was wrapped under another key or for another place, or it was damaged.
        """

    def sign(self, message: bytes) -> bytes:
        """The id of the issuer (8 bytes) and its Ed25519 signature (64 bytes) over the message."""

    def is_signed(self, signed: bytes, message: bytes) -> bool:
        """Whether one of this service's keys, retired ones among them, signed the message.

        It costs one verification, whoever the issuer is.

        Args:
            signed: What :meth:`sign` returned.
            message: What it was said to be signed for.
        """

    def digest(self, purpose: str, value: bytes) -> bytes:
        """A keyed digest, 32 bytes, to tell that a value came again without keeping the value.

        It is another one for each purpose, and from the next rotation on.
        """
