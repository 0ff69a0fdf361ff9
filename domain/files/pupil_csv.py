"""Target Tracker's own import file: 18 columns, comma-separated, with a heading.

Columns are found by their heading, in any order. Only Surname, Forename, DOB, DOA and Gender are mandatory.
Source: the import guide on targettracker.org (TT131, 22 June 2010).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO, TextIOWrapper
from typing import Any

import msgspec

from domain.codes.nc_year import read_nc_year
from domain.codes.postcode import read_postcode
from domain.codes.sets import ETHNICITY, LANGUAGE, SEN_PROVISION, SEX
from domain.codes.upn import read_upn
from domain.errors import UnreadableFile
from domain.files import fields
from domain.files.encoding import encoding_of
from domain.files.rows import (
    EMAIL_ADDRESSES,
    PHONE_NUMBERS,
    POSTAL_ADDRESSES,
    PupilFile,
    PupilRow,
    RowReader,
    Seen,
    finding,
    holds_email,
)
from domain.pupil import AttendanceTotals, PupilNames, PupilRecord
from domain.text import read_text

COLUMNS = {
    "UPN": "upn",
    "Surname": "surname",
    "Forename": "forename",
    "DOB": "date_of_birth",
    "Gender": "sex",
    "DOA": "date_of_entry",
    "Eligible for free meals": "free_school_meals",
    "Mother tongue code": "first_language",
    "Ethnicity": "ethnicity",
    "SEN Status code": "sen_provision",
    "Reg": "class_name",
    "Year": "nc_year",
    "Postcode": "postcode",
    "In LEA Care": "in_care",
    "Gifted": "gifted",
    "Possible": "possible",
    "Authorised absences": "authorised",
    "Unauthorised absences": "unauthorised",
}
"""The 18 columns in the order of the import file, with the field that each fills."""

MANDATORY = ("Surname", "Forename", "DOB", "Gender", "DOA")

_ATTENDANCE = ("possible", "authorised", "unauthorised")
_NAMES = frozenset(PupilNames.__struct_fields__)


class _Column(msgspec.Struct, frozen=True):
    """A column of this file that Target Tracker takes."""

    place: int
    name: str
    field: str
    mandatory: bool
    read: Callable[[str], Any]


class _Heading(msgspec.Struct, frozen=True):
    """What the first row says of the others."""

    width: int
    taken: list[_Column]
    ignored: list[tuple[int, str]]


def read_pupil_csv(content: bytes, *, academic_year: int, today: date) -> PupilFile:
    """Reads an 18-column import file.

    An empty cell says nothing, so the school's own entry stands; but an empty SEN status says that there is
    none.

    Args:
        content: The file.
        academic_year: The year in which the academic year of the attendance totals starts.
        today: No date may lie after it.

    Raises:
        UnreadableFile: It is not such a file, lacks a mandatory column, or its characters are damaged.
    """
    encoding = encoding_of(content)
    records = _records(content, encoding)
    heading = _heading(records, today)
    dropped = {kind: 0 for _, kind in heading.ignored}
    seen = Seen()
    rows = []
    for number, cells in records:
        if isinstance(cells, str):
            damaged = finding(
                "row", cells, "a quotation mark at the end of every cell that begins with one", number
            )
            rows.append(PupilRow(row=number, findings=(damaged,)))
        elif any(map(str.strip, cells)):
            for place, kind in heading.ignored:
                if place < len(cells) and (cell := cells[place].strip()):
                    kind = EMAIL_ADDRESSES if holds_email(cell) else kind
                    dropped[kind] = dropped.get(kind, 0) + 1
            rows.append(_row(number, cells, heading, academic_year, today, seen))
    return PupilFile(format="target-tracker-csv", encoding=encoding, rows=rows, dropped=dropped)


def _records(content: bytes, encoding: str) -> Iterator[tuple[int, list[str] | str]]:
    """The numbered rows: their cells, or what is wrong with their quotation marks."""
    reader = csv.reader(TextIOWrapper(BytesIO(content), encoding, newline=""), strict=True)
    number = 0
    while True:
        before = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            lines = max(1, reader.line_num - before)
            found = "an odd quotation mark"
            if lines > 1:
                found += f": rows {number + 1} to {number + lines} run together"
            yield number + 1, found
            number += lines
            continue
        number += 1
        yield number, cells


def _heading(records: Iterator[tuple[int, list[str] | str]], today: date) -> _Heading:
    number, cells = next(
        ((n, c) for n, c in records if isinstance(c, str) or any(map(str.strip, c))), (1, [])
    )
    if isinstance(cells, str):
        raise _not_this_kind(number, cells)
    while cells and not cells[-1].strip():
        cells.pop()
    known = {_folded(name): name for name in COLUMNS}
    names = [known.get(_folded(cell)) for cell in cells]
    if not any(names):
        raise _not_this_kind(number, ", ".join(cells) if cells else "nothing")
    problems = [
        finding(name, "no such column", f'a column headed "{name}"', number)
        for name in MANDATORY
        if name not in names
    ] + [
        finding(name, f"{names.count(name)} such columns", f'one column headed "{name}"', number)
        for name in COLUMNS
        if names.count(name) > 1
    ]
    if problems:
        columns = ", ".join(problem.field for problem in problems)
        raise UnreadableFile(f"The file's columns are missing or stand there twice: {columns}", problems)
    readers = _readers(today)
    taken = [
        _Column(place, name, COLUMNS[name], name in MANDATORY, readers[COLUMNS[name]])
        for place, name in enumerate(names)
        if name
    ]
    ignored = [
        (place, _kind(cell))
        for place, (cell, name) in enumerate(zip(cells, names, strict=True))
        if name is None
    ]
    return _Heading(len(cells), taken, ignored)


def _not_this_kind(number: int, found: str) -> UnreadableFile:
    accepted = f"a heading with {', '.join(MANDATORY)} and others of {', '.join(COLUMNS)}, between commas"
    return UnreadableFile(
        "This is another kind of file: its first row has no column of a Target Tracker import file",
        [finding("heading", found, accepted, number)],
    )


def _folded(heading: str) -> str:
    return "".join(heading.split()).casefold()


def _kind(heading: str) -> str:
    """What a column that is not taken holds, in the words of the report."""
    folded = _folded(heading).replace("-", "")
    for words, kind in (
        (("email",), EMAIL_ADDRESSES),
        (("phone", "mobile", "telno"), PHONE_NUMBERS),
        (("address", "street", "town"), POSTAL_ADDRESSES),
    ):
        if any(word in folded for word in words):
            return kind
    return f'column "{heading.strip()}"' if folded else "a column without a heading"


def _readers(today: date) -> dict[str, Callable[[str], Any]]:
    return {
        "upn": read_upn,
        "surname": read_text,
        "forename": read_text,
        "date_of_birth": fields.born_by(today, fields.read_day_first),
        "sex": SEX.find,
        "date_of_entry": fields.not_after(today, fields.read_day_first),
        "free_school_meals": fields.read_boolean,
        "first_language": LANGUAGE.keep,
        "ethnicity": ETHNICITY.keep,
        "sen_provision": SEN_PROVISION.keep,
        "class_name": read_text,
        "nc_year": read_nc_year,
        "postcode": read_postcode,
        "in_care": fields.read_boolean,
        "gifted": fields.read_boolean,
        "possible": fields.read_count,
        "authorised": fields.read_count,
        "unauthorised": fields.read_count,
    }


def _row(
    number: int, cells: list[str], heading: _Heading, academic_year: int, today: date, seen: Seen
) -> PupilRow:
    reader = RowReader(number)
    if len(cells) < heading.width or any(map(str.strip, cells[heading.width :])):
        accepted = (
            f"{heading.width} columns, as in the heading; a cell with a comma stands in quotation marks"
        )
        reader.wrong("row", f"{len(cells)} columns", accepted)
        return PupilRow(row=number, findings=tuple(reader.findings))
    values = _values(cells, heading, reader, today)
    _check_together(values, cells, heading, reader, seen)
    upn = values.get("upn")
    if reader.findings:
        return PupilRow(row=number, upn=upn, findings=tuple(reader.findings), flags=tuple(reader.flags))
    totals = [values.pop(field) for field in _ATTENDANCE if field in values]
    if totals:
        values["attendance"] = AttendanceTotals(
            academic_year=academic_year, possible=totals[0], authorised=totals[1], unauthorised=totals[2]
        )
    return PupilRow(
        row=number,
        upn=upn,
        names=PupilNames(**{field: value for field, value in values.items() if field in _NAMES}),
        record=PupilRecord(**{field: value for field, value in values.items() if field not in _NAMES}),
        given=frozenset(values),
        flags=tuple(reader.flags),
    )


_KEPT = {"first_language": LANGUAGE, "ethnicity": ETHNICITY, "sen_provision": SEN_PROVISION}
"""Fields whose codes are kept, and flagged, where the lists lack them."""


def _read(reader: RowReader, column: _Column, text: str, today: date) -> Any:
    if codes := _KEPT.get(column.field):
        return reader.keep(column.name, text, codes, today)
    return reader.read(column.name, text, column.read)


def _values(cells: list[str], heading: _Heading, reader: RowReader, today: date) -> dict[str, Any]:
    """The fields that the row states, as far as they are right."""
    values: dict[str, Any] = {}
    for column in heading.taken:
        text = cells[column.place].strip()
        if not text:
            if column.mandatory:
                reader.wrong(column.name, "", f"{column.name} is mandatory")
            elif column.field == "sen_provision":
                values["sen_provision"] = "N"
        elif "@" in text and holds_email(text):
            reader.wrong(column.name, text, fields.NO_EMAIL)
        elif (value := _read(reader, column, text, today)) is not None:
            values[column.field] = value
    return values


def _check_together(
    values: dict[str, Any], cells: list[str], heading: _Heading, reader: RowReader, seen: Seen
) -> None:
    """Checks what one field says against the others, and the row against those before it."""
    born, entered = values.get("date_of_birth"), values.get("date_of_entry")
    if born and entered and entered < born:
        reader.wrong("DOA", f"{entered:%d/%m/%Y}", f"a date on or after the DOB, {born:%d/%m/%Y}")
    if "upn" in values:
        seen.check_upn(reader, "UPN", values["upn"])
    if born and "surname" in values and "forename" in values:
        seen.check_child(reader, "Surname, Forename, DOB", values["surname"], values["forename"], born)
    stated = {
        c.field: text for c in heading.taken if c.field in _ATTENDANCE and (text := cells[c.place].strip())
    }
    if not stated:
        return
    for field in _ATTENDANCE:
        if field not in stated:
            name = next(name for name, filled in COLUMNS.items() if filled == field)
            reader.wrong(
                name, "", "Possible, Authorised absences and Unauthorised absences together, or none"
            )
    if all(field in values for field in _ATTENDANCE):
        missed = values["authorised"] + values["unauthorised"]
        if missed > values["possible"]:
            reader.wrong(
                "Possible", stated["possible"], f"at least as many sessions as were missed, which is {missed}"
            )
