from __future__ import annotations

import pytest

from domain.codes.registry import SETS
from domain.codes.sets import ETHNICITY, LANGUAGE, NC_YEAR, SEN_PROVISION, SEX, SUBJECT, CodeSet, rows_of

ALL = list(SETS.values())


@pytest.mark.parametrize(
    ("codes", "length"),
    [(SEX, 4), (NC_YEAR, 18), (ETHNICITY, 100), (LANGUAGE, 319), (SEN_PROVISION, 7), (SUBJECT, 13)],
)
def test_lists_are_whole(codes: CodeSet, length: int) -> None:
    assert len(codes) == length


@pytest.mark.parametrize("codes", ALL, ids=lambda codes: codes.name)
def test_every_code_is_found_in_any_letter_case_and_described(codes: CodeSet) -> None:
    for code in codes:
        assert code.upper() in codes
        assert codes.describe(code)
        assert codes.find(f" {code.lower()} ") == code


@pytest.mark.parametrize("codes", ALL, ids=lambda codes: codes.name)
def test_an_unknown_code_is_answered_with_what_is_accepted(codes: CodeSet) -> None:
    assert "??" not in codes
    with pytest.raises(ValueError, match=r"^(one of|an?) ") as refused:
        codes.find("??")
    assert str(refused.value) == codes.accepted


def test_what_is_accepted_in_words() -> None:
    assert SEX.accepted == "one of M, F, U, W"
    assert SEN_PROVISION.accepted == "one of N, A, P, Q, S, E, K"
    assert ETHNICITY.accepted == "a DfE ethnicity code such as WBRI"
    assert LANGUAGE.accepted == "a DfE language code such as ENG"


@pytest.mark.parametrize("example", ["WBRI", "wbri"])
def test_examples_are_in_their_lists(example: str) -> None:
    assert example in ETHNICITY
    assert ETHNICITY.describe(example) == "White - British"


def test_withdrawn_and_long_codes_are_still_known_as_themselves() -> None:
    assert SEN_PROVISION.find("p") == "P"
    assert "AKAF" in LANGUAGE
    assert "LAO" in LANGUAGE
    assert 7 not in SEX


def test_extended_ethnicities_belong_to_main_ones() -> None:
    rows = list(rows_of("ethnicity"))
    main = {row["code"] for row in rows if row["main_code"] == row["code"]}
    assert len(main) == 20
    assert {row["main_code"] for row in rows} - main == {""}, "only UNCL belongs to none"


def test_languages_with_four_letters_belong_to_one_with_three() -> None:
    for row in rows_of("language"):
        assert (len(row["code"]) == 4) == bool(row["parent_code"])
        assert not row["parent_code"] or row["parent_code"] in LANGUAGE
