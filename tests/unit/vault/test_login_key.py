"""The login key: 550 characters, read however they are pasted, and refused when one of them is wrong."""

from __future__ import annotations

import hmac
import secrets
import string
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.errors import DoesNotOpen, LoginKeyRefused
from domain.identifiers import new_id
from domain.vault import login_key
from domain.vault.key_ring import KeyRing, new_ring
from domain.vault.login_key import ALPHABET, LENGTH, LoginKey, issue, laid_out, read
from domain.vault.recipients import seal
from tests.unit.vault.issued import KEY, KEY_ID, RING, SCHOOL, TEXT, flipped, of_version, refusal

positions = st.integers(0, LENGTH - 1)
characters = st.sampled_from(ALPHABET)
unhurried = settings(deadline=None)


# What it is


def test_it_is_550_letters_numbers_and_symbols() -> None:
    for _ in range(20):
        text, _ = issue(RING, new_id(), new_id())
        assert len(text) == LENGTH == 550
        assert set(text) <= set(ALPHABET)
        for kind in (string.ascii_uppercase, string.ascii_lowercase, string.digits, string.punctuation):
            assert set(text) & set(kind)


def test_the_alphabet_has_64_characters_and_none_that_is_mistaken_or_mangled() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 64
    assert set(ALPHABET) <= set(string.ascii_letters + string.digits + string.punctuation)
    assert not set(ALPHABET) & set("0Oo1lI|5S2Z8B") - set("528")
    assert not set(ALPHABET) & set("\"'`-_*~\\<>&=.,:;/^()")


def test_it_is_read_as_it_was_issued() -> None:
    assert read(TEXT, RING) == KEY == LoginKey(SCHOOL, KEY_ID, KEY.secret)
    assert len(KEY.secret) == login_key.SECRET_LENGTH == 299


@given(st.uuids(), st.uuids())
@unhurried
def test_every_school_and_key_id_is_read(school: UUID, key_id: UUID) -> None:
    text, key = issue(RING, school, key_id)
    assert (key.school_id, key.key_id) == (school, key_id)
    assert read(text, RING) == key


def test_it_shows_nothing_of_its_secret() -> None:
    assert repr(KEY) == f"LoginKey(school_id={SCHOOL!r}, key_id={KEY_ID!r})"


def secrets_shared(count: int) -> int:
    """How many of that many keys, of one school and id, have a part of their secret that another has too."""
    issued = [issue(RING, SCHOOL, KEY_ID) for _ in range(count)]
    for part in (
        {text for text, _ in issued},
        {key.secret[:32] for _, key in issued},
        {key.secret[-32:] for _, key in issued},
    ):
        if len(part) < count:
            return count - len(part)
    return count - len({key.private_key().public_bytes() for _, key in issued})


def test_no_two_keys_share_a_secret() -> None:
    assert secrets_shared(50) == 0


def test_a_secret_that_comes_again_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(secrets, "token_bytes", lambda length: bytes(length))
    assert secrets_shared(50) == 49


def test_its_private_key_belongs_to_its_secret_its_school_and_its_id() -> None:
    sealed = seal(read(TEXT, RING).private_key().public_bytes(), b"the school's keys", b"here")
    assert KEY.private_key().open(sealed, b"here") == b"the school's keys"
    others = (
        LoginKey(new_id(), KEY_ID, KEY.secret),
        LoginKey(SCHOOL, new_id(), KEY.secret),
        LoginKey(KEY_ID, SCHOOL, KEY.secret),
        LoginKey(SCHOOL, KEY_ID, KEY.secret[:-1] + bytes([KEY.secret[-1] ^ 1])),
    )
    for other in others:
        with pytest.raises(DoesNotOpen):
            other.private_key().open(sealed, b"here")


# How it is pasted


def test_its_layout_is_ten_lines_of_55() -> None:
    laid = laid_out(TEXT)
    lines = laid.splitlines()
    assert len(lines) == 10
    assert {len(line.replace(" ", "")) for line in lines} == {55}
    assert {len(group) for line in lines for group in line.split(" ")} == {5}
    assert max(map(len, lines)) == 65
    assert laid.endswith("\n")
    assert laid_out(laid) == laid
    assert read(laid, RING) == KEY


BLANKS = [
    *(" ", "\t", "\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"),  # breaks
    *("\u00a0", "\u2003", "\u2007", "\u2009", "\u200a", "\u202f", "\u205f", "\u3000", "\u1680"),  # spaces
    *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u200f", "\u202a", "\u180e"),
]


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_it_is_read_with_every_white_space(blank: str) -> None:
    assert read(blank + blank.join(TEXT) + blank, RING) == KEY


@given(
    st.lists(st.tuples(st.integers(0, LENGTH), st.lists(st.sampled_from(BLANKS), min_size=1)), max_size=60)
)
@unhurried
def test_it_is_read_with_any_white_space(blanks: list[tuple[int, list[str]]]) -> None:
    pasted = TEXT
    for position, blank in sorted(blanks, reverse=True):
        pasted = pasted[:position] + "".join(blank) + pasted[position:]
    assert read(pasted, RING) == KEY


# What is refused


def flips_not_noticed() -> list[int]:
    """The positions at which another character goes unnoticed."""
    found = []
    for position, character in enumerate(TEXT):
        another = ALPHABET[(ALPHABET.index(character) + 1 + position % 63) % 64]
        assert another != character
        try:
            read(flipped(position, another), RING)
        except LoginKeyRefused:
            continue
        found.append(position)
    return found


def test_a_flipped_character_is_refused_wherever_it_stands() -> None:
    assert flips_not_noticed() == []


def test_without_check_and_signature_flips_would_not_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin: all but the two characters of the version go through."""
    monkeypatch.setattr(login_key, "_check", lambda signed: bytes(8))
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: True)
    monkeypatch.setattr(KeyRing, "is_signed", lambda keys, signed, message: True)
    assert flips_not_noticed() == list(range(2, LENGTH))


@given(positions, characters)
@unhurried
def test_any_flipped_character_is_refused(position: int, character: str) -> None:
    assume(character != TEXT[position])
    assert "is damaged" in refusal(flipped(position, character))


@given(positions, positions)
@unhurried
def test_any_two_swapped_characters_are_refused(one: int, other: int) -> None:
    assume(TEXT[one] != TEXT[other])
    swapped = list(TEXT)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    assert "is damaged" in refusal("".join(swapped))


@given(positions)
@unhurried
def test_any_dropped_character_is_refused(position: int) -> None:
    assert "it has 549 characters of 550" in refusal(TEXT[:position] + TEXT[position + 1 :])


@given(positions)
@unhurried
def test_any_doubled_character_is_refused(position: int) -> None:
    assert "it has 551 characters of 550" in refusal(TEXT[:position] + TEXT[position] + TEXT[position:])


@given(st.integers(0, LENGTH - 1))
@unhurried
def test_any_cut_key_is_refused(length: int) -> None:
    assert f"it has {length} characters of 550" in refusal(laid_out(TEXT[:length]))


@given(st.text(alphabet=ALPHABET, min_size=LENGTH, max_size=LENGTH))
@unhurried
def test_any_other_text_of_the_right_length_is_refused(text: str) -> None:
    assume(text != TEXT)
    assert "is damaged" in refusal(text)


@given(st.text(max_size=1500))
@unhurried
def test_any_other_text_is_refused(text: str) -> None:
    assert refusal(text)


def test_lines_in_another_order_are_refused() -> None:
    lines = laid_out(TEXT).splitlines()
    assert "is damaged" in refusal("\n".join([lines[1], lines[0], *lines[2:]]))
    assert "it has 1100 characters of 550" in refusal("\n".join(lines * 2))


@given(positions, st.characters().filter(lambda character: character not in ALPHABET))
@unhurried
def test_a_character_that_no_key_has_is_refused_by_its_position(position: int, character: str) -> None:
    assume(login_key.without_white_space(character))
    line, column = divmod(position, 55)
    message = refusal(laid_out(flipped(position, character)))
    assert f"character {position + 1} (in the file: line {line + 1}, number {column + 1} " in message


def test_everything_that_is_wrong_with_a_copy_is_said_at_once() -> None:
    assert refusal("Login key:\n" + laid_out(TEXT)) == (
        "The login key was not copied as it is: it has 559 characters of 550, and character 2 (in the file:"
        " line 1, number 2 without the spaces) is one that no login key has."
        " Copy the whole key from its file again, and nothing else"
    )


def test_what_is_far_too_long_is_not_looked_at() -> None:
    assert "far longer" in refusal(TEXT + " " * 20_000)


def test_every_refusal_says_what_to_do() -> None:
    assert "Copy the whole key from its file again" in refusal("")
    assert "Copy the whole key from its file again" in refusal(TEXT * 2)
    assert "Copy the whole key from its file again" in refusal(TEXT * 50)
    assert "Copy the whole key from its file again" in refusal(flipped(9, "C" if TEXT[9] != "C" else "D"))
    assert "Check that it is the one that Target Tracker gave your school" in refusal(TEXT, new_ring())
    assert "Ask whoever runs Target Tracker for you to update it" in refusal(of_version(2))
