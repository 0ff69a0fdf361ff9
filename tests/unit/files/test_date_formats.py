"""Ways of writing dates."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.files.date_formats import USUAL, date_reader, formats_of, written


@given(st.sampled_from(USUAL), st.dates(date(1990, 1, 1), date(2089, 12, 31)))
def test_what_is_written_in_a_way_is_read_in_it(form: str, day: date) -> None:
    assert date_reader(form)(written(day, form)) == day
    assert form in formats_of([written(day, form)])


@pytest.mark.parametrize(
    ("form", "text", "day"),
    [
        ("dd/mm/yyyy", "7/9/2019", date(2019, 9, 7)),
        ("dd-mmm-yy", "07-SEP-19", date(2019, 9, 7)),
        ("dd-mmm-yy", "07-Sept-19", date(2019, 9, 7)),
        ("d mmmm yyyy", "7 September 2019", date(2019, 9, 7)),
        ("DD/MM/YYYY", "07/09/2019 00:00", date(2019, 9, 7)),
        ("yyyy-mm-dd", "2019-09-07T00:00:00Z", date(2019, 9, 7)),
        ("dd/mm/yyyy", "07/09/2019 12:00:00 AM", date(2019, 9, 7)),
        ("dd/mm/yy", "07/09/95", date(1995, 9, 7)),
        ("dd/mm/yy", "07/09/89", date(2089, 9, 7)),
    ],
)
def test_ways(form: str, text: str, day: date) -> None:
    assert date_reader(form)(text) == day


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("dd/mm/yyyy", "31/02/2019"),
        ("dd/mm/yyyy", "07/09/19"),
        ("dd/mm/yyyy", "07/09/2019 noon"),
        ("dd-mmm-yy", "07-Foo-19"),
        ("yyyymmdd", "201997"),
        ("dd/mm/yyyy", "٠٧/٠٩/٢٠١٩"),
    ],
)
def test_dates_that_are_none(form: str, text: str) -> None:
    with pytest.raises(ValueError, match="a date"):
        date_reader(form)(text)


@pytest.mark.parametrize(
    "form", ["", "dd/mm", "dd/mm/yyy", "dd/dd/yyyy", "dd/mm/yyyy/mm", "%d/%m/%Y", "dd mm yyyy hh", "d" * 100]
)
def test_ways_that_are_none(form: str) -> None:
    with pytest.raises(ValueError, match="dd/mm/yyyy"):
        date_reader(form)
