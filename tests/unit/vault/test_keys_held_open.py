"""A keyring holds no more keys open than it may, and opens again what it closed."""

from __future__ import annotations

import pytest

from domain.events import Compartment
from domain.identifiers import new_id
from domain.vault import keyring
from domain.vault.keyring import Keyring, SchoolKeys

MOST = 6


def check_bounded(most: int) -> None:
    keys = Keyring(SchoolKeys.new(new_id()))
    subjects = [new_id() for _ in range(5 * MOST)]
    sealed = {}
    for subject in subjects:
        keys.make(subject)
        for home in (Compartment.NAMES, Compartment.RECORD):
            key = keys.to_seal(subject, home)
            sealed[subject, home] = key.cipher.encrypt(bytes(12), b"a part", None)
    held = sum(len(keys._subjects[subject].ciphers) for subject in subjects)
    assert held <= most, f"{held} keys are open"
    for (subject, home), part in sealed.items():
        cipher = keys.to_open(subject, home, 1)
        assert cipher is not None
        assert cipher.decrypt(bytes(12), part, None) == b"a part"


def test_a_keyring_holds_few_keys_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "MOST_OPEN", MOST)
    check_bounded(MOST)


def test_a_keyring_that_closes_nothing_is_found() -> None:
    """The sabotaged twin: more may be open than there are."""
    with pytest.raises(AssertionError, match="keys are open"):
        check_bounded(MOST)
