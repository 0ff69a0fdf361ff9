"""A made-up school's login key, right and wrong ones, and why the wrong ones are refused."""

from __future__ import annotations

import hashlib

import pytest

from domain.errors import LoginKeyRefused
from domain.identifiers import new_id
from domain.vault import login_key
from domain.vault.key_ring import new_ring
from domain.vault.login_key import LENGTH, issue, read
from domain.vault.service_keys import ServiceKeys

RING = new_ring()
SCHOOL, KEY_ID = new_id(), new_id()
TEXT, KEY = issue(RING, SCHOOL, KEY_ID)


def refusal(text: str, keys: ServiceKeys = RING) -> str:
    """Why a text is refused; nothing of the key may stand in it."""
    with pytest.raises(LoginKeyRefused) as refused:
        read(text, keys)
    message = refused.value.message
    assert not any(TEXT[start : start + 8] in message for start in range(LENGTH - 7))
    assert not refused.value.details
    assert refused.value.__cause__ is None
    return message


def flipped(position: int, character: str) -> str:
    return TEXT[:position] + character + TEXT[position + 1 :]


def of_version(version: int, keys: ServiceKeys = RING) -> str:
    """A key that is right in everything but its version."""
    head = version.to_bytes(2) + SCHOOL.bytes + KEY_ID.bytes + KEY.secret
    return with_check(head + keys.sign(b"target-tracker login key\0" + head))


def with_check(signed: bytes) -> str:
    """What somebody writes who knows all of this software, and none of its keys."""
    return login_key._encoded(signed + hashlib.sha256(signed).digest()[:8])
