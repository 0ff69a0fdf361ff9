"""The service's keys as a ring in one document: one secret per key, of which the first is current.

With them go the public halves of all signing keys that there ever were, because a login key stays good for
years after the key that signed it has been retired. The document is JSON::

    {"keys": [{"id": "8f0c…", "secret": "<base64, 32 bytes>", "made": "2026-11-25"}],
     "issuers": [{"id": "8f0c…", "public": "<base64, 32 bytes>"}]}

An id is the first 8 bytes of the SHA-256 digest of the public signing key, in hexadecimal, so that a document
whose parts were mixed up or damaged is noticed when it is read.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import DoesNotOpen, KeyNotHeld, Misconfigured
from domain.vault.derivation import derived
from domain.vault.service_keys import ISSUER_LENGTH, KEY_LENGTH

_NONCE_LENGTH = 12
_PUBLIC_LENGTH = 32

_NOBODYS: Final = Ed25519PrivateKey.generate().public_key()
"""What a signature of an unknown issuer is verified against; nobody has the private half."""

_RING = "The service keys"
_FIELD = re.compile(r"unknown field `.*?`( - at `[$.\w\[\]]*`)?$", re.DOTALL)
"""A field in msgspec's words, whose name might be a secret that has slipped."""


class KeyInRing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key as the document holds it.

    Attributes:
        id: 16 hexadecimal digits, which follow from the secret.
        secret: 32 bytes that everything else is derived from.
        made: The day, in UTC.
    """

    id: str
    secret: bytes
    made: date

    def __repr__(self) -> str:
        return f"KeyInRing(id={self.id!r}, made={self.made})"


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The public half of a signing key.

    Attributes:
        id: 16 hexadecimal digits, which follow from `public`.
        public: An Ed25519 public key, 32 bytes.
    """

    id: str
    public: bytes


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: list[KeyInRing]
    issuers: list[Issuer]


class _Opened:
    """What is derived from the secret of a key."""

    __slots__ = ("_secret", "issuer", "signing", "wrapping")

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.wrapping = AESGCM(derived(secret, b"service/wrapping"))
        self.signing = Ed25519PrivateKey.from_private_bytes(derived(secret, b"service/signing"))
        public = self.signing.public_key().public_bytes_raw()
        self.issuer = Issuer(issuer_id(public), public)

    def digesting(self, purpose: str) -> bytes:
        return derived(self._secret, b"service/digest/" + purpose.encode())


class KeyRing:
    """The keys of one document; it never changes.

    Args:
        keys: The current one first.
        issuers: The public halves of signing keys, at least of those that have been retired.

    Raises:
        Misconfigured: There is no key, one comes twice, or a part does not fit its id.
    """

    def __init__(self, keys: Sequence[KeyInRing], issuers: Iterable[Issuer] = ()) -> None:
        self._opened = _open(keys)
        known = {key_id: opened.issuer for key_id, opened in self._opened.items()}
        for number, issuer in enumerate(issuers):
            if len(issuer.public) != _PUBLIC_LENGTH or issuer_id(issuer.public) != issuer.id:
                raise Misconfigured(f"{_RING}: the public half of issuers[{number}] is not the one of its id")
            known[issuer.id] = issuer
        self.keys: Final = tuple(keys)
        self.issuers: Final = tuple(known.values())
        self._publics = {
            bytes.fromhex(issuer.id): Ed25519PublicKey.from_public_bytes(issuer.public)
            for issuer in self.issuers
        }

    @classmethod
    def read(cls, document: bytes) -> KeyRing:
        """The ring of a document.

        Raises:
            Misconfigured: It is not such a document; the message says where, and never what stands there.
        """
        try:
            parts = msgspec.json.decode(document, type=_Document)
        except msgspec.ValidationError as error:
            reason = _FIELD.sub(r"a field that does not belong there\1", str(error))
            raise Misconfigured(f"{_RING} are not as they should be: {reason}") from None
        except msgspec.DecodeError:
            raise Misconfigured(f"{_RING} are not JSON") from None
        return cls(parts.keys, parts.issuers)

    def document(self) -> bytes:
        """The document, secrets included, as :meth:`read` takes it."""
        document = _Document(list(self.keys), list(self.issuers))
        return msgspec.json.format(msgspec.json.encode(document)) + b"\n"

    @property
    def current(self) -> str:
        """The id of the key that wraps and signs now."""
        return self.keys[0].id

    def held(self) -> KeyRing:
        """The ring itself, since it never changes."""
        return self

    def holds(self, key_id: str) -> bool:
        """Whether it can unwrap what was wrapped under that key."""
        return key_id in self._opened

    def wrap(self, key: bytes, place: bytes) -> bytes:
        """Wraps a key: a nonce of 12 bytes, then AES-256-GCM, 60 bytes in all."""
        assert len(key) == KEY_LENGTH
        nonce = secrets.token_bytes(_NONCE_LENGTH)
        return nonce + self._opened[self.current].wrapping.encrypt(nonce, key, place)

    def unwrap(self, key_id: str, wrapped: bytes, place: bytes) -> bytes:
        """The key that was wrapped.

        Raises:
            KeyNotHeld: There is no key of that id, or there is none any more.
            DoesNotOpen: It was wrapped under another key or for another place, or it was damaged.
        """
        opened = self._opened.get(key_id)
        if opened is None:
            raise KeyNotHeld(
                f"The service does not hold the key {key_id}, which this was wrapped under:"
                " a key must stay in the ring while it is in use"
            )
        try:
            return opened.wrapping.decrypt(wrapped[:_NONCE_LENGTH], wrapped[_NONCE_LENGTH:], place)
        except (InvalidTag, ValueError):
            raise DoesNotOpen(
                "What the service wrapped does not open here: it was damaged, or moved"
            ) from None

    def sign(self, message: bytes) -> bytes:
        """The id of the issuer (8 bytes) and its signature (64 bytes) over the message."""
        opened = self._opened[self.current]
        return bytes.fromhex(opened.issuer.id) + opened.signing.sign(message)

    def is_signed(self, signed: bytes, message: bytes) -> bool:
        """Whether a key of this ring, or one that was retired, signed it; always one verification."""
        public = self._publics.get(signed[:ISSUER_LENGTH])
        verified = _verify(_NOBODYS if public is None else public, signed[ISSUER_LENGTH:], message)
        return verified and public is not None

    def digest(self, purpose: str, value: bytes) -> bytes:
        """HMAC-SHA-256 under the current key's own key for that purpose."""
        return hmac.digest(self._opened[self.current].digesting(purpose), value, "sha256")

    def __repr__(self) -> str:
        return f"KeyRing(current={self.current!r}, {len(self.keys)} keys, {len(self.issuers)} issuers)"


def issuer_id(public: bytes) -> str:
    """The id of a key, from its public signing key: 16 hexadecimal digits."""
    return hashlib.sha256(public).digest()[:ISSUER_LENGTH].hex()


def new_ring() -> KeyRing:
    """A ring with one new key."""
    return KeyRing([_new_key()])


def rotated(ring: KeyRing) -> KeyRing:
    """The ring with a new key that is current from now on; the others still unwrap."""
    return KeyRing([_new_key(), *ring.keys], ring.issuers)


def retired(ring: KeyRing, in_use: set[str]) -> KeyRing:
    """The ring without the secrets that nothing needs any more; what they signed stays good.

    Args:
        ring: The ring.
        in_use: The ids of the keys that anything is still wrapped under. The current key stays in any case.
    """
    kept = [key for key in ring.keys if key.id == ring.current or key.id in in_use]
    return KeyRing(kept, ring.issuers)


def _open(keys: Sequence[KeyInRing]) -> dict[str, _Opened]:
    """What follows from each secret, by the key's id."""
    if not keys:
        raise Misconfigured(f"{_RING} hold no key: at least one is needed, and the first is the current one")
    opened: dict[str, _Opened] = {}
    for number, key in enumerate(keys):
        place = f"keys[{number}]"
        if len(key.secret) != KEY_LENGTH:
            raise Misconfigured(
                f"{_RING}: the secret of {place} has {len(key.secret)} bytes, not {KEY_LENGTH}"
            )
        one = _Opened(key.secret)
        if one.issuer.id != key.id:
            raise Misconfigured(f"{_RING}: the secret of {place} is not the one of its id, or was damaged")
        if key.id in opened:
            raise Misconfigured(f"{_RING}: {place} is there twice")
        opened[key.id] = one
    return opened


def _new_key() -> KeyInRing:
    secret = secrets.token_bytes(KEY_LENGTH)
    return KeyInRing(_Opened(secret).issuer.id, secret, datetime.now(UTC).date())


def _verify(public: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        public.verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
