"""The document of a ring: whole, and refused without its secrets when it is wrong."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.errors import Misconfigured
from domain.vault.key_ring import KeyRing, new_ring, retired, rotated

RING = new_ring()
OTHER = new_ring()


def test_a_document_is_the_whole_ring() -> None:
    ring = retired(rotated(rotated(RING)), {RING.current})
    again = KeyRing.read(ring.document())
    assert (again.keys, again.issuers) == (ring.keys, ring.issuers)
    assert len(again.issuers) == 3


def test_a_document_is_as_it_is_described() -> None:
    document = json.loads(RING.document())
    assert list(document) == ["keys", "issuers"]
    assert [list(key) for key in document["keys"]] == [["id", "secret", "made"]]
    assert [list(issuer) for issuer in document["issuers"]] == [["id", "public"]]
    assert len(base64.b64decode(document["keys"][0]["secret"])) == 32
    assert abs((RING.keys[0].made - datetime.now(UTC).date()).days) <= 1


def test_nothing_shows_a_secret() -> None:
    shown = f"{RING!r} {RING} {RING.keys!r} {RING.keys[0]} {RING.issuers!r} {RING._opened!r}"
    secret = RING.keys[0].secret
    assert repr(secret) not in shown
    assert base64.b64encode(secret).decode() not in shown
    assert RING.current in shown


SECRET = json.loads(RING.document())["keys"][0]["secret"]
A_KEY = json.loads(RING.document())["keys"][0]
AN_ISSUER = json.loads(RING.document())["issuers"][0]
ANOTHER = json.loads(OTHER.document())["keys"][0]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "missing required field `keys`"),
        ([SECRET], "Expected `object`, got `array`"),
        ({"keys": [], "issuers": []}, "hold no key"),
        ({"keys": [A_KEY]}, "missing required field `issuers`"),
        ({"keys": SECRET, "issuers": []}, r"got `str` - at `\$.keys`"),
        ({"keys": [A_KEY | {"id": 1}], "issuers": []}, r"at `\$.keys\[0\].id`"),
        ({"keys": [A_KEY | {"made": SECRET}], "issuers": []}, r"at `\$.keys\[0\].made`"),
        ({"keys": [A_KEY | {"secret": SECRET + "!"}], "issuers": []}, r"at `\$.keys\[0\].secret`"),
        ({"keys": [A_KEY | {"secret": SECRET[:-4]}], "issuers": []}, r"keys\[0\] has \d\d bytes, not 32"),
        ({"keys": [A_KEY | {"secret": ""}], "issuers": []}, r"keys\[0\] has 0 bytes, not 32"),
        ({"keys": [A_KEY | {SECRET: 1}], "issuers": []}, r"does not belong there - at `\$.keys\[0\]`"),
        ({"keys": [A_KEY], "issuers": [], SECRET: 1}, "does not belong there$"),
        ({"keys": [A_KEY], "issuers": [], SECRET + "` - at `\n": 1}, "does not belong there$"),
        ({"keys": [A_KEY, A_KEY], "issuers": []}, r"keys\[1\] is there twice"),
        (
            {"keys": [A_KEY, A_KEY | {"id": ANOTHER["id"]}], "issuers": []},
            r"secret of keys\[1\] is not the one",
        ),
        ({"keys": [A_KEY | {"id": "first"}], "issuers": []}, r"secret of keys\[0\] is not the one of its id"),
        ({"keys": [A_KEY], "issuers": [AN_ISSUER | {"id": "x"}]}, r"issuers\[0\] is not the one of its id"),
        ({"keys": [A_KEY], "issuers": [AN_ISSUER | {"public": SECRET}]}, r"issuers\[0\] is not the one"),
        ({"keys": [A_KEY], "issuers": [AN_ISSUER | {"public": ""}]}, r"issuers\[0\] is not the one"),
    ],
)
def test_a_wrong_document_is_refused_without_its_secrets(document: Any, said: str) -> None:
    with pytest.raises(Misconfigured, match=said) as refused:
        KeyRing.read(json.dumps(document).encode())
    assert SECRET[:8] not in refused.value.message
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("document", [b"", b"{", b"secret", b"\xff", RING.document()[:-3]])
def test_what_is_no_document_is_refused(document: bytes) -> None:
    with pytest.raises(Misconfigured, match=r"are not JSON$"):
        KeyRing.read(document)


def test_every_damaged_character_of_a_secret_is_noticed() -> None:
    """A ring that took a damaged secret would wrap keys that no other process can open."""
    text = RING.document().decode()
    start = text.index(SECRET)
    for index in range(start, start + len(SECRET) - 2):  # the last bits before the padding mean nothing
        damaged = text[:index] + ("A" if text[index] != "A" else "B") + text[index + 1 :]
        with pytest.raises(Misconfigured, match="is not the one of its id"):
            KeyRing.read(damaged.encode())
