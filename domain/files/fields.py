"""How the fields of a pupil file are written. Every reader raises `ValueError` with what it accepts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache

from domain.files.rows import EARLIEST_DATE_OF_BIRTH

NO_EMAIL = "text without an email address: Target Tracker does not keep them"

LONGEST_NAME = 200
"""Characters of the name of a school or a child; what is longer is not one."""

_DAY_FIRST = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_YEAR_FIRST = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_COUNT = re.compile(r"[0-9]{1,4}")
_BOOLEANS = {
    word: value
    for value, words in ((True, "t true y yes 1"), (False, "f false n no 0"))
    for word in words.split()
}


@lru_cache(maxsize=65_536)
def read_day_first(text: str) -> date:
    """A date as `dd/mm/yyyy`; a single digit for day or month is taken too."""
    if found := _DAY_FIRST.fullmatch(text):
        return _date(found[3], found[2], found[1], "a date that exists, as dd/mm/yyyy")
    raise ValueError("a date as dd/mm/yyyy, such as 07/09/2019")


@lru_cache(maxsize=65_536)
def read_year_first(text: str) -> date:
    """A date as `yyyy-mm-dd`; a time after it is left out."""
    if found := _YEAR_FIRST.fullmatch(text.partition("T")[0]):
        return _date(found[1], found[2], found[3], "a date that exists, as yyyy-mm-dd")
    raise ValueError("a date as yyyy-mm-dd, such as 2019-09-07")


def _date(year: str, month: str, day: str, accepted: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise ValueError(accepted) from None


def not_after(today: date, read: Callable[[str], date]) -> Callable[[str], date]:
    """A reader of dates that refuses those in the future."""

    def read_past(text: str) -> date:
        if (day := read(text)) > today:
            raise ValueError("a date that is not in the future")
        return day

    return read_past


def born_by(today: date, read: Callable[[str], date]) -> Callable[[str], date]:
    """A reader of dates of birth: not in the future, and not before any pupil of today was born."""
    read_past = not_after(today, read)

    def read_birth(text: str) -> date:
        if (day := read_past(text)) < EARLIEST_DATE_OF_BIRTH:
            raise ValueError(f"a date of birth of {EARLIEST_DATE_OF_BIRTH.year} or later")
        return day

    return read_birth


def read_between(text: str, first: date, last: date) -> date:
    """A date as `yyyy-mm-dd`, if it is one of these days.

    Args:
        text: What stands there.
        first: The first day that is accepted.
        last: The last one.

    Raises:
        ValueError: It is none, or another; the message is what is accepted.
    """
    if not first <= (day := read_year_first(text)) <= last:
        raise ValueError(f"a day from {first.isoformat()} to {last.isoformat()}")
    return day


def read_past(text: str, today: date) -> date:
    """A date as `yyyy-mm-dd` of something that has happened to a pupil of today: from 1990 on.

    Raises:
        ValueError: It is none, or another; the message is what is accepted.
    """
    if (day := read_year_first(text)) > today:
        raise ValueError("a date that is not in the future")
    if day < EARLIEST_DATE_OF_BIRTH:
        raise ValueError(f"a date of {EARLIEST_DATE_OF_BIRTH.year} or later")
    return day


def read_boolean(text: str) -> bool:
    """`T` or `F`, and the other usual ways of writing yes and no."""
    value = _BOOLEANS.get(text.casefold())
    if value is None:
        raise ValueError("T or F (or true, false, yes, no, Y, N, 1, 0)")
    return value


def read_count(text: str) -> int:
    """A number of sessions: a whole number from 0 to 9999."""
    if not _COUNT.fullmatch(text):
        raise ValueError("a whole number, 0 or more")
    return int(text)
