"""What is asked of a password, and what is left of it."""

from __future__ import annotations

import base64
import hmac
import os
import re
import threading
from collections.abc import Iterator

import pytest

from domain.access import AccessLevel
from domain.errors import InvalidInput
from domain.vault import common_passwords, hashing, passwords
from domain.vault.hashing import Argon2id, Pbkdf2, in_background
from domain.vault.passwords import ARGON2ID, PBKDF2, Passwords

QUICK_ARGON2ID = Argon2id(passes=1, kibibytes=64)
QUICK_PBKDF2 = Pbkdf2(iterations=1)
QUICK = Passwords(QUICK_ARGON2ID, QUICK_PBKDF2)
QUICK_FIPS = Passwords(QUICK_PBKDF2, QUICK_ARGON2ID)

SCHOOL = "St John's C of E Primary School, Made-up"
CONTEXT = ["j.okafor", SCHOOL]

GUESSED = (
    "password",
    "PASSWORD",
    "iloveyou",
    "p@ssw0rd",
    "P@55w0rd",
    "Passw0rd!",
    "password1",
    "!!password!!",
    "2026password2026",
    "$unshine",
    "5unsh1ne99",
    "12345678",
    "12345678!!",
    "letmein!!!!!!!!",
    "dragon2026",
    "dr4g0n-2026-09",
    "passwordpassword",
    "Monkey-Monkey",
    "m.o.n.k.e.y.",
    "ｐａｓｓｗｏｒｄ",
    "target tracker",
    "TargetTracker2026!",
    "t4rg3t_tr4ck3r",
    "j.okafor",
    "J.Okafor1",
    "okafor2026!",
    "stjohnsprimary",
    "St John's School 2026",
    "PrimarySchool1",
    "my-school-2026",
    "0kafor@school",
)

NOT_GUESSED = (
    "correct horse battery staple",
    "a long enough password",
    "our dragon eats porridge",
    "école à la montagne",
    "7391028450193847",
    "schooner for lunch",
    "okafor the gardener",
    "x" * 20,
    "é" * 8,
    "%" * 20,
    "🦔🦔🦔🦔🦔🦔🦔🦔",
    "кириллица",
    "tracking snow leopards",
    "St Johnstone forever",
)


SAID = (
    r"[0-9]+ characters: (8|15) to 1000 characters, whichever you like"
    r"|one of the most common passwords, or little more than one: "
    r"one that nobody would guess: several words that have nothing to do with each other"
    r"|little more than the username, or the name of the school or of this service: "
    r"one that does not say whose it is, nor what it is for"
)
"""All that is ever said of a password."""


def refusal(passwords: Passwords, password: str, level: AccessLevel = AccessLevel.READ_WRITE) -> str:
    """What the finding says; nothing if the password is taken."""
    try:
        passwords.verifier_of(password, level, context=CONTEXT)
    except InvalidInput as error:
        refused = error
    else:
        return ""
    [finding] = refused.findings
    assert (str(refused), refused.details) == ("The password cannot be used", {})
    assert (finding.field, finding.row) == ("password", None)
    assert re.fullmatch(SAID, f"{finding.found}: {finding.accepted}")
    return finding.found


@pytest.mark.parametrize("password", GUESSED)
def test_what_an_attacker_tries_first_is_refused(password: str) -> None:
    assert re.search("common|little more", refusal(QUICK, password))


@pytest.mark.parametrize("password", NOT_GUESSED)
def test_anything_else_is_taken(password: str) -> None:
    assert refusal(QUICK, password) == ""


@pytest.mark.parametrize("password", GUESSED)
def test_without_the_list_and_the_context_they_would_be_taken(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(common_passwords, "_common", frozenset)
    monkeypatch.setattr(passwords, "is_made_of", lambda *_: False)
    assert refusal(QUICK, password) == ""


@pytest.mark.parametrize(
    ("level", "password", "right"),
    [
        (AccessLevel.READ_ONLY, "seven :", False),
        (AccessLevel.READ_ONLY, "eight : ", True),
        (AccessLevel.READ_WRITE, "eight : ", True),
        (AccessLevel.ADMIN, "fourteen chars", False),
        (AccessLevel.ADMIN, "fifteen letters", True),
        (AccessLevel.ADMIN, "xy" * 500, True),
        (AccessLevel.ADMIN, "xy" * 500 + "z", False),
        (AccessLevel.READ_ONLY, "e\N{COMBINING ACUTE ACCENT}" * 7, False),
        (AccessLevel.READ_ONLY, "e\N{COMBINING ACUTE ACCENT}" * 8, True),
        (AccessLevel.ADMIN, "α\u0313\u0300\u0345" * 1000, True),
        (AccessLevel.ADMIN, "α\u0313\u0300\u0345" * 1001, False),
        (AccessLevel.READ_ONLY, "ﷺ", True),  # 18 letters in one character
        (AccessLevel.READ_ONLY, "ﷺ" * 60, False),
        (AccessLevel.READ_ONLY, "q" * 5_000_000, False),
    ],
)
def test_lengths_are_counted_after_nfkc(level: AccessLevel, password: str, right: bool) -> None:
    assert (refusal(QUICK, password, level) == "") is right
    assert passwords.long_enough_for(level, password) is (right or len(password) > 50)


def test_it_is_the_same_password_however_it_is_typed() -> None:
    for each in (QUICK, QUICK_FIPS):
        verifier = each.verifier_of("α\u0313\u0300\u0345" * 1000, AccessLevel.ADMIN)
        assert each.verify(verifier, "\u1f82" * 1000)
        assert not each.verify(verifier, "\u1f82" * 999)
        assert each.verify(each.rehashed("\ud800 odd one"), "\ud800 odd one")


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (ARGON2ID, r"\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}"),
        (PBKDF2, r"\$pbkdf2-sha512\$i=210000\$[\w+/]{22}\$[\w+/]{86}"),
    ],
)
def test_the_two_kinds_of_verifier(kind: Passwords, shape: str) -> None:
    verifier = kind.verifier_of("of my own", AccessLevel.READ_ONLY)
    assert re.fullmatch(shape, verifier)
    assert verifier != kind.rehashed("of my own")
    assert kind.verify(verifier, "of my own")
    assert not kind.verify(verifier, "of my owN")
    assert not kind.is_outdated(verifier)


def test_pbkdf2_is_what_the_standard_says() -> None:
    """RFC 8018, section 5.2, by hand: one block, three iterations."""
    *_, encoded_salt, derived = Pbkdf2(iterations=3).hash(b"of my own").split("$")
    turn = base64.b64decode(encoded_salt + "==") + (1).to_bytes(4)
    block = 0
    for _ in range(3):
        turn = hmac.digest(b"of my own", turn, "sha512")
        block ^= int.from_bytes(turn)
    assert base64.b64decode(derived + "==") == block.to_bytes(64)


@pytest.mark.parametrize(("now", "before"), [(QUICK, QUICK_FIPS), (QUICK_FIPS, QUICK)])
def test_verifiers_of_the_other_kind_are_accepted_and_outdated(now: Passwords, before: Passwords) -> None:
    old = before.verifier_of("of my own", AccessLevel.READ_ONLY)
    assert now.verify(old, "of my own")
    assert not now.verify(old, "of her own")
    assert now.is_outdated(old)
    new = now.rehashed("of my own")
    assert now.verify(new, "of my own")
    assert not now.is_outdated(new)


@pytest.mark.parametrize("hasher", [Argon2id(passes=2, kibibytes=64), Pbkdf2(iterations=2)])
def test_other_parameters_are_outdated(hasher: hashing.Hasher) -> None:
    raised = Passwords(hasher)
    for weaker in (QUICK, QUICK_FIPS):
        verifier = weaker.rehashed("of my own")
        assert raised.is_outdated(verifier)
    verifier = (QUICK if isinstance(hasher, Argon2id) else QUICK_FIPS).rehashed("of my own")
    assert raised.verify(verifier, "of my own")


@pytest.mark.parametrize(
    "damaged", ["", "x", "$argon2id$", "$pbkdf2-sha512$i=0$$", "$pbkdf2-sha512$i=1$c2FsdA$aGFzaA", "$2b$12$x"]
)
def test_a_damaged_verifier_lets_nobody_in(damaged: str) -> None:
    for each in (QUICK, QUICK_FIPS):
        assert not each.verify(damaged, "of my own")
        assert each.is_outdated(damaged)


class Counting:
    """A hasher that counts what it is asked to verify, and against what."""

    def __init__(self, hasher: hashing.Hasher) -> None:
        self._hasher = hasher
        self.verified: list[str] = []
        self.hash = hasher.hash
        self.is_mine = hasher.is_mine
        self.is_outdated = hasher.is_outdated
        self.nobodys = hasher.nobodys

    def verifies(self, verifier: str, password: bytes) -> bool:
        self.verified.append(verifier)
        return self._hasher.verifies(verifier, password)


def parameters(verifier: str) -> list[str]:
    """The verifier without the salt and the hash, and how long these are."""
    *start, salt, derived = verifier.split("$")
    return [*start, str(len(salt)), str(len(derived))]


def costs_the_same(each: Passwords, counting: Counting) -> bool:
    """Whether nobody's password is verified as somebody's is."""
    counting.verified.clear()
    kept = each.rehashed("of my own")
    assert each.verify(kept, "of my own")
    assert not each.verify(None, "of my own")
    return (
        len({tuple(parameters(verifier)) for verifier in counting.verified}) == 1
        and len(counting.verified) == 2
    )


@pytest.mark.parametrize("hasher", [QUICK_ARGON2ID, QUICK_PBKDF2])
def test_an_unknown_user_costs_what_a_known_one_does(hasher: hashing.Hasher) -> None:
    counting = Counting(hasher)
    assert costs_the_same(Passwords(counting), counting)


def test_a_cheap_answer_to_an_unknown_user_would_be_noticed() -> None:
    """The sabotaged twin."""
    counting = Counting(QUICK_PBKDF2)
    counting.nobodys = Pbkdf2(iterations=2).nobodys
    assert not costs_the_same(Passwords(counting), counting)
    counting.nobodys = lambda: "$pbkdf2-sha512$i=1$c2FsdA$aGFzaA"
    assert not costs_the_same(Passwords(counting), counting)


@pytest.fixture
def choice() -> Iterator[None]:
    """What was chosen is chosen again afterwards."""
    before = passwords.chosen()
    yield
    passwords.use(before)


@pytest.mark.usefixtures("choice")
def test_one_choice_holds_for_the_whole_process() -> None:
    assert passwords.chosen() is ARGON2ID
    argon2id = passwords.verifier_of("of my own", AccessLevel.READ_ONLY)
    passwords.use(PBKDF2)
    assert passwords.chosen() is PBKDF2
    assert passwords.is_outdated(argon2id)
    assert passwords.verify(argon2id, "of my own")
    assert not passwords.verify(None, "of my own")
    for verifier in (
        passwords.rehashed("of my own"),
        passwords.verifier_of("all my own", AccessLevel.READ_ONLY),
    ):
        assert verifier.startswith("$pbkdf2-sha512$")
        assert not passwords.is_outdated(verifier)


def test_hashing_stands_back_on_threads_of_its_own() -> None:
    """However many ask at once: as many threads as there are cores, less one, and of a lower priority."""

    def here() -> tuple[int, int]:
        return threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    cores = len(os.sched_getaffinity(0))
    found: list[tuple[int, int]] = []
    callers = [threading.Thread(target=lambda: found.append(in_background(here))) for _ in range(20)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 20
    assert len({thread for thread, _ in found}) <= max(1, cores - 1)
    assert threading.get_native_id() not in {thread for thread, _ in found}
    ours = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert {priority for _, priority in found} == {max(ours, hashing.NICENESS)}


def test_what_goes_wrong_in_the_background_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        in_background(lambda: 1 // 0)
