from __future__ import annotations

from datetime import date

import pytest

from domain.codes.nc_year import ACCEPTED, expected_year_of, read_nc_year
from domain.codes.sets import NC_YEAR


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Y1", "1"),
        ("1", "1"),
        ("Year 1", "1"),
        ("01", "1"),
        ("y06", "6"),
        ("YEAR 14", "14"),
        ("R", "R"),
        ("YR", "R"),
        ("Year R", "R"),
        ("reception", "R"),
        ("N1", "N1"),
        ("n2", "N2"),
        ("Nursery 2", "N2"),
        ("X", "X"),
    ],
)
def test_the_ways_of_writing_it(text: str, code: str) -> None:
    assert read_nc_year(text) == code


def test_every_code_reads_as_itself() -> None:
    for code in NC_YEAR:
        assert read_nc_year(code) == code


@pytest.mark.parametrize(
    "text", ["", "0", "15", "Y15", "001", "Year", "Nursery", "Y1 and Y2", "Red class", "١"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^an NC year") as refused:
        read_nc_year(text)
    assert str(refused.value) == ACCEPTED


@pytest.mark.parametrize(
    ("born", "academic_year", "code"),
    [
        (date(2019, 9, 1), 2024, "R"),
        (date(2020, 8, 31), 2024, "R"),
        (date(2020, 9, 1), 2024, "N2"),
        (date(2021, 9, 1), 2024, "N1"),
        (date(2019, 8, 31), 2024, "1"),
        (date(2013, 9, 1), 2024, "6"),
        (date(2006, 1, 1), 2024, "14"),
    ],
)
def test_the_year_that_a_childs_age_gives(born: date, academic_year: int, code: str) -> None:
    assert expected_year_of(born, academic_year) == code


@pytest.mark.parametrize("born", [date(2023, 1, 1), date(2004, 1, 1)])
def test_too_young_and_too_old(born: date) -> None:
    with pytest.raises(ValueError, match="turns 3 to 19"):
        expected_year_of(born, 2024)
