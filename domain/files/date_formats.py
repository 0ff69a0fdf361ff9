"""Ways of writing a date, as people say them: `dd/mm/yyyy`, `yyyy-mm-dd`, `dd-mmm-yy`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache

ACCEPTED = "a date format of dd, mm (or mmm) and yyyy (or yy), such as dd/mm/yyyy, yyyy-mm-dd or dd-mmm-yy"

USUAL = (
    *("dd/mm/yyyy", "yyyy-mm-dd", "dd-mmm-yyyy", "dd-mmm-yy", "dd/mm/yy", "dd.mm.yyyy", "dd-mm-yyyy"),
    *("dd mmm yyyy", "dd mmmm yyyy", "yyyy/mm/dd", "yyyymmdd", "mm/dd/yyyy", "mm/dd/yy"),
)
"""The formats that are tried on a file whose format nobody has said; days first, as in England."""

_PARTS = re.compile(r"d{1,2}|m{1,4}|y{2}(?:y{2})?|[ ./,-]|[^dmy ./,-]|[dmy]")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WHOLE_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
_MONTH_OF = {name: number for names in (_MONTHS, _WHOLE_MONTHS) for number, name in enumerate(names, 1)}
_MONTH_OF["sept"] = 9

_TIME = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AaPp][Mm])?Z?)?"
"""A time after the date, which spreadsheets and databases write, is left out."""

_CENTURY = 90
"""Years of two digits: 90 to 99 are of the last century, for no pupil's record reaches back further."""

_EXAMPLE = date(2019, 9, 7)


@lru_cache(maxsize=64)
def date_reader(form: str) -> Callable[[str], date]:
    """A reader of dates that are written in one way.

    `d` or `dd` is the day, `m` or `mm` the month as a number and `mmm` or `mmmm` by its English name, `yy` or
    `yyyy` the year. A single digit is taken for a day or month unless the parts stand without anything
    between them. Space, full stop, slash, comma and hyphen may stand between the parts.

    Args:
        form: The way, such as `dd/mm/yyyy`.

    Raises:
        ValueError: It is no such way; the message is what is accepted.
    """
    parts = _PARTS.findall(form.strip().lower())
    kinds = [part[0] for part in parts if part[0] in "dmy"]
    if sorted(kinds) != ["d", "m", "y"] or not 1 <= len(parts) <= 9:
        raise ValueError(ACCEPTED)
    if any(part[0] not in "dmy ./,-" or part == "y" for part in parts):
        raise ValueError(ACCEPTED)
    apart = any(part[0] not in "dmy" for part in parts)
    shape = re.compile("".join(_shape(part, apart) for part in parts) + _TIME)
    accepted = f"a date as {form.strip().lower()}, such as {written(_EXAMPLE, form)}"

    @lru_cache(maxsize=16_384)
    def read(text: str) -> date:
        found = shape.fullmatch(text)
        if not found:
            raise ValueError(accepted)
        year, month = found["y"], found["m"]
        number = _MONTH_OF.get(month.lower(), 0) if month.isalpha() else int(month)
        whole = int(year) if len(year) == 4 else int(year) + (1900 if int(year) >= _CENTURY else 2000)
        try:
            return date(whole, number, int(found["d"]))
        except ValueError:
            raise ValueError(f"a date that exists, as {form.strip().lower()}") from None

    return read


def _shape(part: str, apart: bool) -> str:
    digits = "[0-9]{1,2}" if apart else "[0-9]{2}"
    match part[0]:
        case "d":
            return f"(?P<d>{digits})"
        case "m":
            return f"(?P<m>{digits if len(part) < 3 else '[A-Za-z]{3,9}'})"
        case "y":
            return f"(?P<y>[0-9]{{{len(part)}}})"
        case _:
            return re.escape(part)


def written(day: date, form: str) -> str:
    """A day in one of these ways."""
    names = {
        "d": str(day.day),
        "dd": f"{day.day:02}",
        "m": str(day.month),
        "mm": f"{day.month:02}",
        "mmm": _MONTHS[day.month - 1].capitalize(),
        "mmmm": _WHOLE_MONTHS[day.month - 1].capitalize(),
        "yy": f"{day.year % 100:02}",
        "yyyy": f"{day.year:04}",
    }
    return "".join(names.get(part, part) for part in _PARTS.findall(form.strip().lower()))


def formats_of(texts: list[str]) -> list[str]:
    """The usual formats in which every one of these is a date, those with the day first before others."""

    def fits(form: str) -> bool:
        read = date_reader(form)
        try:
            return all(read(text) for text in texts)
        except ValueError:
            return False

    return [form for form in USUAL if texts and fits(form)]
