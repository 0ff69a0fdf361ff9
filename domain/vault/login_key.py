"""The login key: what a school holds, and without which nothing of the school can be read.

It is 550 characters: letters, numbers and symbols. Six bits each are 3,300 bits, which hold::

    version    12 bits   1; a newer layout has a greater one
    school     16 bytes
    key id     16 bytes  several keys of a school can be live at once
    secret    299 bytes  random; all that keeps the school's keys closed
    issuer     72 bytes  who issued it, and the Ed25519 signature over all before
    check       8 bytes  of the SHA-256 digest of all before; the last thing in every version

The signature tells a forged key and the check a damaged one, so that a school office learns which it has.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass, field
from typing import NoReturn
from uuid import UUID

from domain.errors import LoginKeyRefused
from domain.vault.derivation import derived
from domain.vault.recipients import PrivateKey
from domain.vault.service_keys import SIGNED_LENGTH, ServiceKeys

LENGTH = 550
"""Characters of every login key."""

ALPHABET = "ACDEFGHJKLMNPQRTUVWXYabcdefghijkmnpqrstuvwxyz23456789!#$%+?@[]{}"
"""The 64 characters that a login key is made of.

They can be told apart: there is no `0 O o`, no `1 l I |`, and of `5 S`, `2 Z` and `8 B` only the digit.

They come through what people paste them into. There is none that word processors replace (quotes, hyphens,
dots, the stroke of `3/4`, the brackets of `(c)`), none that mail and web pages escape or make links of
(`< > & =`, dots, colons), none that chats take for formatting or faces (``* _ ~ ` \\ ^ : ;``, round
brackets), and no comma.
"""

VERSION = 1
"""Of the layout that is written now."""

SECRET_LENGTH = 299
"""Bytes of the secret: all that is left of 550 characters."""

_GROUP = 5
_GROUPS_IN_A_LINE = 11
_LINE = _GROUP * _GROUPS_IN_A_LINE

_LONGEST_TEXT = 20_000
"""Characters, white space included: what is longer is no login key, however it was laid out."""

_CHECK_LENGTH = 8
_HEAD_LENGTH = 2 + 16 + 16 + SECRET_LENGTH
_CONTENT_LENGTH = _HEAD_LENGTH + SIGNED_LENGTH + _CHECK_LENGTH

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_BASE64 = bytes.maketrans(ALPHABET.encode(), _BASE64)
_FROM_BASE64 = bytes.maketrans(_BASE64, ALPHABET.encode())

_CONTEXT = b"target-tracker login key\0"
"""Signed before the key itself, so that no signature over anything else passes for one over a login key."""

_COPY_AGAIN = "Copy the whole key from its file again"


@dataclass(frozen=True)
class LoginKey:
    """An opened login key.

    Attributes:
        school_id: The school that it is a key of.
        key_id: Which of the school's keys it is.
        secret: 299 random bytes, which are stored nowhere but in the key.
    """

    school_id: UUID
    key_id: UUID
    secret: bytes = field(repr=False)

    def private_key(self) -> PrivateKey:
        """What opens the school's keys that are sealed to this login key; bound to its school and its id."""
        return PrivateKey(derived(self.secret, b"login-key/" + self.school_id.bytes + self.key_id.bytes))


def issue(keys: ServiceKeys, school_id: UUID, key_id: UUID) -> tuple[str, LoginKey]:
    """Makes a new login key.

    Args:
        keys: What signs it.
        school_id: The school that it is for.
        key_id: Its id, which no other key has.

    Returns:
        Its 550 characters, in one line, and what they hold.
    """
    secret = secrets.token_bytes(SECRET_LENGTH)
    head = VERSION.to_bytes(2) + school_id.bytes + key_id.bytes + secret
    signed = head + keys.sign(_CONTEXT + head)
    return _encoded(signed + _check(signed)), LoginKey(school_id, key_id, secret)


def read(text: str, keys: ServiceKeys) -> LoginKey:
    """The login key in a text, whatever line breaks, spaces and invisible characters have come into it.

    Nothing is looked up, and the time that it takes does not tell what was wrong: for any 550 characters of
    the alphabet the check is compared and the signature verified, both, before either result is looked at.

    Args:
        text: The key, as somebody pasted it.
        keys: What may have signed it.

    Raises:
        LoginKeyRefused: It was cut, lengthened, damaged or forged, or is newer than this software. The
            message says which, and what to do; it repeats nothing of the key.
    """
    content = _decoded(_copied(text))
    head, issuer = content[:_HEAD_LENGTH], content[_HEAD_LENGTH:-_CHECK_LENGTH]
    is_whole = hmac.compare_digest(_check(content[:-_CHECK_LENGTH]), content[-_CHECK_LENGTH:])
    is_signed = keys.is_signed(issuer, _CONTEXT + head)
    version = int.from_bytes(head[:2])
    if not is_whole:
        _refuse(f"The login key is damaged: at least one of its characters is not as it was. {_COPY_AGAIN}")
    if version > VERSION:
        _refuse(
            "The login key is of a newer kind than this software can read."
            " Ask whoever runs Target Tracker for you to update it"
        )
    if not is_signed or version != VERSION:
        _refuse(
            "This service did not issue the login key. Check that it is the one that Target Tracker gave your"
            " school, and that you are connected to the right service"
        )
    return LoginKey(UUID(bytes=head[2:18]), UUID(bytes=head[18:34]), head[34:])


def laid_out(text: str) -> str:
    """A login key as it stands in a file: ten lines of 55 characters, in groups of five.

    A line of eleven groups is 65 columns wide, which mail does not break and a page holds; groups let people
    compare two copies. :func:`read` takes it as it is.
    """
    key = without_white_space(text)
    lines = [key[start : start + _LINE] for start in range(0, len(key), _LINE)]
    return "".join(
        " ".join(line[start : start + _GROUP] for start in range(0, len(line), _GROUP)) + "\n"
        for line in lines
    )


def without_white_space(text: str) -> str:
    """Drops what cannot be seen: line breaks, spaces of any width or none, byte order marks, soft hyphens."""
    return "".join(
        character
        for character in text
        if not character.isspace() and unicodedata.category(character) not in {"Zs", "Zl", "Zp", "Cf"}
    )


def _copied(text: str) -> str:
    """The 550 characters of a key that was copied as a whole, and nothing with it."""
    if len(text) > _LONGEST_TEXT:
        _refuse(
            f"This is far longer than a login key, which has {LENGTH} characters."
            f" {_COPY_AGAIN}, and nothing else"
        )
    key = without_white_space(text)
    wrong = []
    if len(key) != LENGTH:
        wrong.append(f"it has {len(key)} characters of {LENGTH}")
    strange = next((index for index, character in enumerate(key) if character not in ALPHABET), None)
    if strange is not None:
        line, column = divmod(strange, _LINE)
        wrong.append(
            f"character {strange + 1} (in the file: line {line + 1}, number {column + 1} without the spaces)"
            " is one that no login key has"
        )
    if wrong:
        _refuse(
            f"The login key was not copied as it is: {', and '.join(wrong)}. {_COPY_AGAIN}, and nothing else"
        )
    return key


def _encoded(content: bytes) -> str:
    """413 bytes, of which the first four bits are zero, as 550 characters.

    It is base64 with another alphabet: one byte more in front fills up its groups, and two characters, which
    are always the same, leave with it.
    """
    return base64.b64encode(b"\0" + content)[2:].translate(_FROM_BASE64).decode()


def _decoded(key: str) -> bytes:
    content = base64.b64decode(b"AA" + key.encode().translate(_TO_BASE64), validate=True)[1:]
    assert len(content) == _CONTENT_LENGTH
    return content


def _check(signed: bytes) -> bytes:
    return hashlib.sha256(signed).digest()[:_CHECK_LENGTH]


def _refuse(message: str) -> NoReturn:
    raise LoginKeyRefused(message)
