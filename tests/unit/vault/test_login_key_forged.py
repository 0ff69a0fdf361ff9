"""Forged login keys: none is read, and each costs the same work as a right one."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from domain.errors import LoginKeyRefused
from domain.identifiers import new_id
from domain.vault import login_key
from domain.vault.key_ring import KeyRing, new_ring, retired, rotated
from domain.vault.login_key import ALPHABET, LENGTH, LoginKey, issue, read
from domain.vault.service_keys import ServiceKeys
from tests.unit.vault.issued import (
    KEY,
    KEY_ID,
    RING,
    SCHOOL,
    TEXT,
    flipped,
    of_version,
    refusal,
    with_check,
)


def test_what_these_tests_write_would_be_read_if_it_were_right() -> None:
    assert of_version(1)[: LENGTH - 110] == TEXT[: LENGTH - 110]
    assert read(of_version(1), RING) == KEY


@pytest.mark.parametrize("version", [2, 3, 255, 256, 4095])
def test_a_newer_key_is_refused_as_such(version: int) -> None:
    assert "newer kind" in refusal(of_version(version))
    assert "newer kind" in refusal(of_version(version, new_ring()))  # which may be signed in another way


def test_a_version_that_never_was_is_refused() -> None:
    assert "did not issue" in refusal(of_version(0))


def forgeries() -> list[str]:
    """Keys with a right check that this service did not sign."""
    content = login_key._decoded(TEXT)
    head, signed = content[:333], content[333:405]
    stranger = new_ring()
    return [
        issue(stranger, SCHOOL, KEY_ID)[0],
        with_check(head[:2] + new_id().bytes + head[18:] + signed),
        with_check(head[:18] + new_id().bytes + head[34:] + signed),
        with_check(head[:-1] + bytes([head[-1] ^ 1]) + signed),
        with_check(head + signed[:8] + stranger.sign(b"target-tracker login key\0" + head)[8:]),
        with_check(head + stranger.sign(b"target-tracker login key\0" + head)[:8] + signed[8:]),
        with_check(head + RING.sign(head)),  # signed by this service, for something else
        with_check(head + bytes(72)),
    ]


def accepted(texts: list[str]) -> int:
    """How many of the keys are read."""
    count = 0
    for text in texts:
        with suppress(LoginKeyRefused):
            read(text, RING)
            count += 1
    return count


def test_no_forged_key_is_read() -> None:
    assert accepted(forgeries()) == 0
    assert all("This service did not issue the login key" in refusal(text) for text in forgeries())


def test_without_the_signature_forged_keys_would_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(KeyRing, "is_signed", lambda keys, signed, message: True)
    assert accepted(forgeries()) == len(forgeries())


def test_a_key_outlives_the_key_that_signed_it() -> None:
    later = retired(rotated(rotated(RING)), set())
    assert not later.holds(RING.current)
    assert read(TEXT, later) == KEY
    assert "did not issue" in refusal(
        issue(later, SCHOOL, KEY_ID)[0]
    )  # nor does the old ring know the new key


# The same work for all


class Watched:
    """Keys that write down what they are asked."""

    def __init__(self, keys: ServiceKeys, steps: list[str]) -> None:
        self._keys = keys
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        self._steps.append(name)
        return getattr(self._keys, name)


def work_for(texts: list[str], monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What is done for each text, step by step."""
    steps: list[str] = []

    def watching(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any) -> Any:
            steps.append(name)
            return function(*arguments)

        return watched

    monkeypatch.setattr(hmac, "compare_digest", watching("compare_digest", hmac.compare_digest))
    monkeypatch.setattr(login_key, "_check", watching("check", login_key._check))
    keys: Any = Watched(RING, steps)
    done = []
    for text in texts:
        steps.clear()
        with suppress(LoginKeyRefused):
            login_key.read(text, keys)
        done.append(list(steps))
    return done


TRIED = [TEXT, ALPHABET[0] * LENGTH, ALPHABET[-1] * LENGTH, of_version(0), of_version(2), *forgeries()]
TRIED += [flipped(position, "C" if TEXT[position] != "C" else "D") for position in range(0, LENGTH, 50)]


def test_the_same_is_done_for_any_550_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    assert work_for(TRIED, monkeypatch) == [["check", "compare_digest", "is_signed"]] * len(TRIED)


def test_a_reader_that_stops_at_the_first_fault_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""
    whole = login_key.read

    def hasty(text: str, keys: ServiceKeys) -> LoginKey:
        content = login_key._decoded(text)
        if login_key._check(content[:-8]) != content[-8:]:
            raise LoginKeyRefused("The login key is damaged")
        return whole(text, keys)

    monkeypatch.setattr(login_key, "read", hasty)
    work = work_for(TRIED, monkeypatch)
    assert any(steps != work[0] for steps in work)


def test_nothing_is_verified_of_what_is_not_550_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    assert work_for(["", TEXT[:-1], TEXT + "A", "0" * LENGTH], monkeypatch) == [[]] * 4
