from __future__ import annotations

import pytest

from domain.academic_year import HALF_TERMS, TERMS, Term
from domain.codes.steps import ACCEPTED, STEPS, Step, expected_ordinals, read_step, standing


def test_the_scale_is_six_bands_of_six_without_a_gap() -> None:
    assert [step.ordinal for step in STEPS.values()] == list(range(1, 37))
    assert [step.label for step in STEPS.values()] == [
        f"{band}{step}" for band in range(1, 7) for step in ("b", "b+", "w", "w+", "s", "s+")
    ]
    assert all(step.label.startswith(str(step.band)) for step in STEPS.values())


@pytest.mark.parametrize("text", ["3w+", " 3W+ ", "3 w +"])
def test_steps_are_read_whatever_their_spacing_and_case(text: str) -> None:
    assert read_step(text) == Step("3w+", 3, 16)


@pytest.mark.parametrize("text", ["", "3", "w+", "7b", "0s", "3w++", "EXS", "3c"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a step from 1b to 6s") as refused:
        read_step(text)
    assert str(refused.value) == ACCEPTED


def test_two_steps_of_the_band_are_expected_in_each_term() -> None:
    labels = list(STEPS)
    expected = {
        (str(year), term): [f"{year}{step}", f"{year}{step}+"]
        for year in range(1, 7)
        for term, step in zip(TERMS, "bws", strict=True)
    }
    for (year, term), steps in expected.items():
        ordinals = expected_ordinals(year, term)
        assert ordinals is not None
        assert [labels[ordinal - 1] for ordinal in ordinals] == steps


def test_a_half_term_is_one_step() -> None:
    for year in range(1, 7):
        expected = [expected_ordinals(str(year), term) for term in HALF_TERMS]
        first = (year - 1) * 6
        assert expected == [range(first + half, first + half + 2) for half in range(6)]
        halves = [expected_ordinals(str(year), term) for term in TERMS]
        assert halves == expected[1::2], "the second half of a term ends with the term"
    assert standing("1b", "1", Term.AUTUMN_1) == "at"
    assert standing("1b+", "1", Term.AUTUMN_1) == "above"
    assert standing("2s+", "3", Term.AUTUMN_1) == "at"


@pytest.mark.parametrize("year", ["R", "N2", "7", "X"])
def test_other_years_have_no_expectation(year: str) -> None:
    assert expected_ordinals(year, Term.SUMMER) is None
    assert standing("1b", year, Term.SUMMER) is None


@pytest.mark.parametrize(
    ("label", "where"),
    [("2s+", "below"), ("3b+", "below"), ("3w", "at"), ("3w+", "at"), ("3s", "above"), ("4b", "above")],
)
def test_standing_in_spring_of_year_3(label: str, where: str) -> None:
    assert standing(label, "3", Term.SPRING) == where


def test_standing_of_what_is_not_a_step() -> None:
    with pytest.raises(ValueError, match="a step from"):
        standing("EXS", "R", Term.SPRING)
