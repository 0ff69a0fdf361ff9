"""How each field of a pupil is read from a cell of a table, whatever the table's columns are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec

from domain import addresses
from domain.addresses import find_addresses
from domain.codes.nc_year import read_nc_year
from domain.codes.postcode import read_postcode
from domain.codes.record_sets import (
    ENROLMENT_STATUS,
    POST_LOOKED_AFTER,
    PUPIL_PREMIUM,
    SEN_TYPE,
    UPN_UNKNOWN_REASON,
)
from domain.codes.sets import ETHNICITY, LANGUAGE, NC_YEAR, SEN_PROVISION, SEX, CodeSet
from domain.codes.upn import read_upn
from domain.files import fields
from domain.files.rows import EARLIEST_DATE_OF_BIRTH, RowReader
from domain.particulars import MOST_PRESCHOOL_TERMS
from domain.text import read_text

CellReader = Callable[[RowReader, str, str], Any]
"""Makes a value of a cell: from the row's reader, the heading, and the text; nothing, with a finding."""


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """How a file writes what can be written in several ways.

    Attributes:
        today: No date of birth or entry may lie after it; codes are looked at on it.
        date: Reads a date.
        boolean: Reads yes and no.
    """

    today: date
    date: Callable[[str], date] = fields.read_day_first
    boolean: Callable[[str], bool] = fields.read_boolean


CODES: dict[str, CodeSet] = {
    "first_language": LANGUAGE,
    "ethnicity": ETHNICITY,
    "sen_provision": SEN_PROVISION,
    "upn_missing": UPN_UNKNOWN_REASON,
    "post_looked_after": POST_LOOKED_AFTER,
    "enrolment_status": ENROLMENT_STATUS,
    "sen_needs": SEN_TYPE,
    "premium_reason": PUPIL_PREMIUM,
}
"""Fields whose codes are kept, and flagged, where the lists lack them."""

CLOSED_CODES: dict[str, CodeSet] = {"sex": SEX, "nc_year": NC_YEAR}
"""Fields in which a code that the list lacks is refused."""

LISTS = frozenset({"former_upns", "sen_needs"})
"""Fields that hold several values; between them, in one cell, stand commas, semicolons or slashes."""

DATES = frozenset({"date_of_birth", "date_of_entry", "start", "end"})

BOOLEANS = frozenset({"free_school_meals", "in_care", "gifted", "talented", "eal"})

COUNTS = frozenset({"possible", "authorised", "unauthorised"})

NAMES = frozenset({"surname", "forename", "class_name"})

TEXTS = frozenset(
    {
        "middle_names",
        "preferred_surname",
        "preferred_forename",
        "former_surname",
        "former_forename",
        "previous_setting",
    }
)

_BETWEEN = re.compile(r"\s*[,;/]\s*")

FURTHEST_AHEAD = 10
"""So many years ahead the end of a period may be known."""


def cell_reader(field: str, ways: Ways) -> CellReader:
    """The reader of a field's cells; also of `start` and `end` of a period, and of `premium_reason`.

    Raises:
        KeyError: A pupil has no such field, or none that stands in one cell.
    """
    if field in LISTS:
        one = _kept(CODES[field], ways.today) if field in CODES else _plain(read_upn)
        return _several(one)
    if field in CODES:
        return _kept(CODES[field], ways.today)
    return _plain(_reader(field, ways))


def _reader(field: str, ways: Ways) -> Callable[[str], Any]:
    for kind, read in (
        (NAMES, read_text),
        (TEXTS, _read_words),
        (BOOLEANS, ways.boolean),
        (COUNTS, fields.read_count),
    ):
        if field in kind:
            return read
    of_their_own: dict[str, Callable[[str], Any]] = {
        "upn": read_upn,
        "postcode": read_postcode,
        "sex": SEX.find,
        "nc_year": read_nc_year,
        "date_of_birth": fields.born_by(ways.today, ways.date),
        "date_of_entry": fields.not_after(ways.today, ways.date),
        "start": _within(ways.date, ways.today),
        "end": _within(ways.date, ways.today.replace(ways.today.year + FURTHEST_AHEAD, day=1)),
        "preschool_terms": _read_terms,
    }
    return of_their_own[field]


def _plain(read: Callable[[str], Any]) -> CellReader:
    return lambda reader, heading, text: reader.read(heading, text, read)


def _kept(codes: CodeSet, today: date) -> CellReader:
    return lambda reader, heading, text: reader.keep(heading, text, codes, today)


def _several(read: CellReader) -> CellReader:
    def read_all(reader: RowReader, heading: str, text: str) -> tuple[Any, ...] | None:
        found = [read(reader, heading, part) for part in parts_of(text)]
        return None if None in found else tuple(dict.fromkeys(found))

    return read_all


def parts_of(text: str) -> list[str]:
    """The values of a cell that holds several."""
    return [part for part in _BETWEEN.split(text.strip()) if part]


def _read_words(text: str) -> str:
    """Words that are kept as they are: with an address in them they are refused."""
    if find_addresses(text):
        raise ValueError(addresses.ACCEPTED)
    return read_text(text)


def _read_terms(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or len(text) > 3 or int(text) > MOST_PRESCHOOL_TERMS:
        raise ValueError(f"a number of terms from 0 to {MOST_PRESCHOOL_TERMS}")
    return int(text)


def _within(read: Callable[[str], date], latest: date) -> Callable[[str], date]:
    def read_day(text: str) -> date:
        if not EARLIEST_DATE_OF_BIRTH <= (day := read(text)) <= latest:
            raise ValueError(f"a day from {EARLIEST_DATE_OF_BIRTH:%d/%m/%Y} to {latest:%d/%m/%Y}")
        return day

    return read_day
