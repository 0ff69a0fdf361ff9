from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import stdnum.gb.upn
from hypothesis import given
from hypothesis import strategies as st
from stdnum.exceptions import InvalidComponent, ValidationError

from domain.codes.upn import ACCEPTED, LETTERS, UpnKind, check_letter, kind_of, make_upn, read_upn

VECTORS = list(
    csv.DictReader(
        Path(__file__).with_name("upn_test_vectors.csv").read_text(encoding="utf-8").splitlines(),
    )
)
"""Published numbers and ones calculated from the published algorithm; 674 and 901 are in no current list of
authorities, and those that end in a letter are temporary."""

every_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["upn"])


def by_the_book(tail: str) -> str:
    """The published algorithm: weights 2 to 13, letters counting from A = 0, modulo 23."""
    return LETTERS[weighted_sum(tail) % 23]


def weighted_sum(tail: str) -> int:
    return sum(
        weight * (int(character) if character.isdigit() else LETTERS.index(character))
        for weight, character in enumerate(tail, start=2)
    )


@every_vector
def test_published_numbers(vector: dict[str, str]) -> None:
    upn = vector["upn"]
    total = weighted_sum(upn[1:])
    assert total == int(vector["weighted_sum"])
    assert total % 23 == int(vector["mod_23"])
    assert check_letter(upn[1:]) == by_the_book(upn[1:]) == vector["expected_letter"]
    if vector["verdict"] == "invalid":
        with pytest.raises(ValueError, match="right check letter, which for these digits is B"):
            read_upn(upn)
    else:
        assert read_upn(upn) == upn
        assert kind_of(upn.lower()) == vector["verdict"]


def other_verdicts(read: Callable[[str], str]) -> set[str]:
    """The vectors of which a reader says something else than the file."""
    found = set()
    for vector in VECTORS:
        try:
            read(vector["upn"])
        except (ValueError, ValidationError):
            valid = False
        else:
            valid = True
        if valid != (vector["verdict"] != "invalid"):
            found.add(vector["upn"])
    return found


def test_where_python_stdnum_differs() -> None:
    """Its arithmetic is the same; its `validate` refuses local authorities that it has not heard of."""
    assert other_verdicts(read_upn) == set()
    assert other_verdicts(stdnum.gb.upn.validate) == {"R674123101121", "T901100121007"}
    for vector in VECTORS:
        assert stdnum.gb.upn.calc_check_digit(vector["upn"][1:]) == vector["expected_letter"]


@pytest.mark.parametrize("authority", [838, 839, 940, 941, 942, 943])
def test_numbers_of_newer_authorities_are_valid_here(authority: int) -> None:
    """Dorset, Bournemouth, Northamptonshire, Cumberland, Westmorland: formed in 2019, 2021 and 2023."""
    upn = make_upn(authority, 2000, 2024, 1)
    assert read_upn(upn) == upn
    with pytest.raises(InvalidComponent):
        stdnum.gb.upn.validate(upn)


@pytest.mark.parametrize("upn", ["", "A801200005001", "B80120000500"])
def test_what_is_no_number_is_of_no_kind(upn: str) -> None:
    with pytest.raises(ValueError, match=r"^a UPN"):
        kind_of(upn)


@given(st.from_regex(rf"[0-9]{{11}}[0-9{LETTERS}]", fullmatch=True))
def test_a_letter_at_the_end_is_temporary(tail: str) -> None:
    assert kind_of(check_letter(tail) + tail) is (
        UpnKind.TEMPORARY if tail[-1] in LETTERS else UpnKind.PERMANENT
    )


@given(st.from_regex(rf"[0-9]{{11}}[0-9{LETTERS}]", fullmatch=True))
def test_the_check_letter_follows_the_published_algorithm(tail: str) -> None:
    assert check_letter(tail) == by_the_book(tail)
    assert read_upn(check_letter(tail) + tail) == check_letter(tail) + tail


@given(st.from_regex(r"[0-9]{12}", fullmatch=True), st.sampled_from(LETTERS))
def test_any_other_check_letter_is_refused(tail: str, letter: str) -> None:
    if letter != check_letter(tail):
        with pytest.raises(ValueError, match="right check letter"):
            read_upn(letter + tail)


@given(st.integers(0, 999), st.integers(0, 9999), st.integers(1990, 2090), st.integers(0, 999))
def test_made_up_numbers_are_valid(la: int, establishment: int, year: int, serial: int) -> None:
    upn = make_upn(la, establishment, year, serial)
    assert read_upn(upn) == upn
    assert upn[1:] == f"{la:03d}{establishment:04d}{year % 100:02d}{serial:03d}"


@pytest.mark.parametrize(
    "parts", [(1000, 1, 2020, 1), (1, 10_000, 2020, 1), (1, 1, 2020, 1000), (-1, 1, 2020, 1)]
)
def test_made_up_numbers_must_fit(parts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="3 digits"):
        make_upn(*parts)


def test_spaces_and_small_letters_are_read() -> None:
    assert read_upn(" b801 2000 05001 ") == "B801200005001"
    assert read_upn("m80120000500a") == "M80120000500A"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "B80120000500",
        "B8012000050011",
        "B80120000500I",
        "I801200005001",
        "B80120A005001",
        "B٨01200005001",
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a UPN") as refused:
        read_upn(text)
    assert str(refused.value) == ACCEPTED
