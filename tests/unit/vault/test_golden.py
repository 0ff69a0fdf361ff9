"""What was wrapped, sealed, signed or issued once must open for years: these bytes were, and still do."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.errors import TargetTrackerError
from domain.vault import derivation, key_ring, login_key, recipients, recovery_pair
from domain.vault.key_ring import KeyRing
from domain.vault.recipients import PrivateKey

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "golden_keys.json").read_text(encoding="utf-8"))


def octets(name: str) -> bytes:
    return base64.b64decode(GOLDEN[name])


def changes() -> list[str]:
    """What no longer comes out as it did."""
    found = []

    def check(name: str, holds: Callable[[], bool]) -> None:
        try:
            if not holds():
                found.append(name)
        except TargetTrackerError:
            found.append(name)

    def login() -> bool:
        read = login_key.read("\n".join(GOLDEN["login_key"]), ring)
        public = read.private_key().public_bytes()
        return (
            read.school_id == UUID("019ac000-0000-7000-8000-000000000001")
            and read.key_id == UUID("019ac000-0000-7000-8000-000000000002")
            and hashlib.sha256(read.secret).hexdigest() == GOLDEN["login_key_secret_sha256"]
            and hashlib.sha256(public).hexdigest() == GOLDEN["login_key_public_sha256"]
        )

    try:
        ring = KeyRing.read(json.dumps(GOLDEN["ring"]).encode())
    except TargetTrackerError:
        return ["ring"]
    pair = PrivateKey(octets("seed"))
    check("wrapped", lambda: ring.unwrap(ring.current, octets("wrapped"), b"here") == bytes(range(100, 132)))
    check("signed", lambda: ring.is_signed(octets("signed"), b"a message"))
    check("digest", lambda: ring.digest("address", b"192.0.2.1") == octets("digest"))
    check("public", lambda: hashlib.sha256(pair.public_bytes()).hexdigest() == GOLDEN["public_sha256"])
    check("sealed", lambda: pair.open(octets("sealed"), b"here") == b"a key")
    check("login key", login)
    return found


def test_what_was_made_once_still_opens() -> None:
    assert changes() == []


def test_a_recovery_file_that_was_written_once_is_still_read(tmp_path: Path) -> None:
    file = tmp_path / recovery_pair.PRIVATE_NAME
    file.write_text("\n".join(GOLDEN["recovery_private"]), encoding="utf-8")
    assert recovery_pair.read_recovery_private(file).seed == octets("seed")


@pytest.mark.parametrize(
    ("module", "purpose", "said"),
    [
        (key_ring, b"service/wrapping", "wrapped"),
        (key_ring, b"service/signing", "ring"),
        (key_ring, b"service/digest/address", "digest"),
        (recipients, b"recipient", "sealed"),
        (login_key, b"login-key/", "login key"),
    ],
)
def test_another_derivation_is_noticed(
    module: Any, purpose: bytes, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twins."""

    def other(secret: bytes, asked: bytes, length: int = 32) -> bytes:
        return derivation.derived(secret, asked + b"!" if asked.startswith(purpose) else asked, length)

    monkeypatch.setattr(module, "derived", other)
    assert said in changes()


def test_another_alphabet_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another sabotaged twin."""
    monkeypatch.setattr(login_key, "_TO_BASE64", login_key._TO_BASE64.swapcase())
    assert changes() == ["login key"]
