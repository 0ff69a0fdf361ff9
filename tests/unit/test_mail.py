"""What may be mailed: addresses, subjects and texts; and the letter with the code."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest

from domain.errors import InvalidInput
from domain.letters import new_password_letter
from domain.mail import check, is_address


@pytest.mark.parametrize(
    "address",
    [
        "office@elmlane.example",
        "head.teacher+target@elm-lane.sch.example",
        "o'neill@elmlane.example",
        "a@b.co",
        f"{'a' * 64}@elmlane.example",
        f"a@{'b' * 63}.example",
        "1@2.3x",
    ],
)
def test_addresses(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "office",
        "office@",
        "@elmlane.example",
        "office@elmlane",
        "office@@elmlane.example",
        "a@b@elmlane.example",
        "office@elmlane.example.",
        "office@.example",
        "office@-elmlane.example",
        "office@elmlane-.example",
        "office@elm_lane.example",
        ".office@elmlane.example",
        "office.@elmlane.example",
        "of..fice@elmlane.example",
        " office@elmlane.example",
        "office@elmlane.example ",
        "office@elmlane.example\n",
        "office@elm\r\nlane.example",
        "of fice@elmlane.example",
        "office@elmlane.example,thief@elsewhere.example",
        "office@elmlane.example;thief@elsewhere.example",
        "<office@elmlane.example>",
        "The Office <office@elmlane.example>",
        '"office"@elmlane.example',
        "office(the)@elmlane.example",
        "@relay.example:office@elmlane.example",
        "office@[192.0.2.1]",
        "offıce@elmlane.example",
        "office@elmläne.example",
        f"{'a' * 65}@elmlane.example",
        f"a@{'b' * 64}.example",
        f"a@{'.'.join(['b' * 60] * 5)}.example",
    ],
)
def test_what_is_not_one_address(address: str) -> None:
    assert not is_address(address)
    with pytest.raises(InvalidInput) as raised:
        check(address, "A subject", "A text.\n")
    [finding] = raised.value.findings
    assert (finding.field, finding.found) == ("to", f"{len(address)} characters")


@pytest.mark.parametrize(
    "subject", ["", " ", "a\nb", "a\rb", "a\x0bb", "a\u2029b", "a\x00", "a\tb", "a\ud800"]
)
def test_subjects_that_are_refused(subject: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        check("office@elmlane.example", subject, "A text.\n")
    assert [finding.field for finding in raised.value.findings] == ["subject"]


@pytest.mark.parametrize(
    "text", ["", "no end", "a\r\n", "a\x85b\n", "a\u2028b\n", "a\x1b[2J\n", "a" * 78 + "\n", "\ud800\n"]
)
def test_texts_that_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        check("office@elmlane.example", "A subject", text)
    assert [finding.field for finding in raised.value.findings] == ["text"]


def test_what_can_be_sent() -> None:
    check("office@elmlane.example", "Zoë’s school", f"Łódź\n\n.\n{'a' * 77}\n")


CODE = secrets.token_urlsafe(32)


def test_the_letter_brings_the_code() -> None:
    letter = new_password_letter(CODE)
    check("office@elmlane.example", letter.subject, letter.text)
    assert len(CODE) == 43
    assert f"    {CODE}" in letter.text.splitlines(), "it stands on a line of its own"
    assert letter.text.count(CODE) == 1
    assert "for 30 minutes" in letter.text
    assert "works once" in letter.text
    assert "    target-tracker password reset" in letter.text.splitlines()
    assert "If nobody at your school has asked for it" in letter.text
    assert letter.text.isascii()
    assert CODE not in letter.subject + repr(letter)


def test_the_letter_says_how_long_the_code_lasts() -> None:
    assert "for 15 minutes" in new_password_letter(CODE, timedelta(minutes=15)).text


def test_the_letter_is_the_same_for_everybody() -> None:
    """It is made of the code alone, so it can name neither an account nor a person."""
    other = secrets.token_urlsafe(32)
    assert new_password_letter(CODE).text.replace(CODE, other) == new_password_letter(other).text
