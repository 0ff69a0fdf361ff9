"""National Curriculum years: how people write them, and which one a child of a given age is in."""

from __future__ import annotations

import re
from datetime import date

from domain.academic_year import academic_year_of
from domain.codes.sets import NC_YEAR

ACCEPTED = "an NC year: N1, N2, R, 1 to 14 or X, also written Y1, Year 1 or Reception"

_NUMBERED = re.compile(r"(?:Y|YEAR|NC)?0?([1-9]|1[0-4])")
_LETTERED = re.compile(r"(?:Y|YEAR|NC)?(R|N1|N2|X)")
_SPELLED = {"RECEPTION": "R", "NURSERY1": "N1", "NURSERY2": "N2"}


def read_nc_year(text: str) -> str:
    """The NC year code that the text holds: `1` for `Y1`, `Year 1` or `01`; `R` for `YR` or `Reception`.

    Raises:
        ValueError: It holds none; the message is what is accepted.
    """
    written = "".join(text.split()).upper()
    if found := _NUMBERED.fullmatch(written) or _LETTERED.fullmatch(written):
        return found[1]
    if written in _SPELLED:
        return _SPELLED[written]
    raise ValueError(ACCEPTED)


def expected_year_of(date_of_birth: date, academic_year: int) -> str:
    """The NC year of a child who is taught with others of the same age.

    A child is in Reception in the academic year of the fifth birthday: born in 2019/20, in Reception in
    2024/25.

    Args:
        date_of_birth: When the child was born.
        academic_year: The year in which the academic year starts.

    Raises:
        ValueError: The child is too young for nursery, or too old for school, in that year.
    """
    turns = academic_year - academic_year_of(date_of_birth)
    codes = [code for code in NC_YEAR if code != "X"]
    place = turns - 3
    if not 0 <= place < len(codes):
        raise ValueError("a date of birth of somebody who turns 3 to 19 in the academic year")
    return codes[place]
