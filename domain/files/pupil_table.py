"""Reads a table of pupils, one in a row, by a layout that says which column fills which field.

Target Tracker's own 18-column file is one layout (`domain.files.pupil_csv`); a mapping makes another for any
file that a management system exports (`domain.files.mapping`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import chain, islice
from typing import Any, Literal

import msgspec

from domain.academic_year import FIRST_MONTH
from domain.errors import UnreadableFile
from domain.files import fields
from domain.files.csv_records import (
    NumberedRow,
    Unreadable,
    decoded,
    delimiter_of,
    folded,
    known_in,
    records,
)
from domain.files.pupil_cells import CellReader
from domain.files.pupil_table_values import Said, gather
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
from domain.files.spreadsheets import unguarded
from domain.pupil_record import PupilNames, PupilRecord
from domain.since_birth import ACCEPTED

_NAMES = frozenset(PupilNames.__struct_fields__)

WHOLE_NAME = ("surname", "forename", "date_of_birth")
"""What a child is told from others by, where there is no UPN."""

ROWS_ABOVE = "rows above the heading"


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column that is taken.

    Attributes:
        heading: As the sender knows it.
        place: What it fills: a field; or of a period `meals_periods.start`, of totals `possible`; of a list
            that several columns fill, with a number: `sen_needs#1`.
        read: Reads a cell.
        needed: Without the column the file is refused.
        mandatory: Without a value in it a row is refused.
        empty: What an empty cell is read as; nothing, if it says nothing.
    """

    heading: str
    place: str
    read: CellReader
    needed: bool = False
    mandatory: bool = False
    empty: str = ""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Which column fills which field.

    Attributes:
        format: What the report calls such a file.
        columns: The columns that are taken.
        other_kind: What to say of a file that has none of them.
        delimiter: What stands between cells; if none is given, the file tells.
        encoding: One of `csv_records.ENCODINGS`; if none is given, the file tells.
        rows_looked_at: So far down the heading is looked for.
    """

    format: Literal["target-tracker-csv", "mapped-csv"]
    columns: tuple[Column, ...]
    other_kind: str
    delimiter: str | None = ","
    encoding: str | None = None
    rows_looked_at: int = 1


class _Taken(msgspec.Struct, frozen=True):
    column: Column
    at: int


class _Heading(msgspec.Struct, frozen=True):
    """What the heading says of the rows below it."""

    width: int
    taken: list[_Taken]
    ignored: list[tuple[int, str]]
    above: int


def read_table(content: bytes, layout: Layout, *, academic_year: int, today: date) -> PupilFile:
    """Reads a table of pupils.

    An empty cell says nothing, so the school's own entry stands, unless the layout says what it is read as.

    Args:
        content: The file.
        layout: Which column fills which field.
        academic_year: The year in which the academic year of the attendance totals starts.
        today: The day on which codes are looked at.

    Raises:
        UnreadableFile: It is another file, lacks a column, or its characters are damaged.
    """
    codec, text = decoded(content, layout.encoding)
    wanted = {folded(column.heading) for column in layout.columns}
    delimiter = layout.delimiter or delimiter_of(text, wanted.__contains__)
    heading, below = _heading(records(text, delimiter), layout, wanted)
    dropped = {kind: 0 for _, kind in heading.ignored}
    if heading.above:
        dropped[ROWS_ABOVE] = heading.above
    reading = _Reading(heading, academic_year, today)
    rows = []
    for number, cells in below:
        if isinstance(cells, Unreadable):
            rows.append(PupilRow(row=number, findings=(finding("row", *cells, number),)))
        elif any(map(str.strip, cells)):
            _count_dropped(cells, heading, dropped)
            rows.append(reading.row(number, cells))
    called = {taken.column.place: taken.column.heading for taken in heading.taken}
    return PupilFile(format=layout.format, encoding=codec, rows=rows, dropped=dropped, called=called)


def _count_dropped(cells: list[str], heading: _Heading, dropped: dict[str, int]) -> None:
    for at, kind in heading.ignored:
        if at < len(cells) and (cell := cells[at].strip()):
            kind = EMAIL_ADDRESSES if holds_email(cell) else kind
            dropped[kind] = dropped.get(kind, 0) + 1


def _heading(
    rows: Iterator[NumberedRow], layout: Layout, wanted: set[str]
) -> tuple[_Heading, Iterator[NumberedRow]]:
    """The heading, and the rows below it.

    It is the first of the rows looked at that has the most of the headings that are wanted.
    """
    written = ((n, c) for n, c in rows if isinstance(c, Unreadable) or any(map(str.strip, c)))
    first = list(islice(written, layout.rows_looked_at))
    best = max(range(len(first)), key=lambda at: known_in(first[at][1], wanted.__contains__), default=0)
    number, cells = first[best] if first else (1, [])
    return _read_heading(number, cells, layout, above=best), chain(first[best + 1 :], rows)


def _read_heading(number: int, cells: list[str] | Unreadable, layout: Layout, above: int) -> _Heading:
    if isinstance(cells, Unreadable):
        raise _not_this_kind(layout, number, cells.found)
    cells = list(cells)
    while cells and not cells[-1].strip():
        cells.pop()
    names = [folded(cell) for cell in cells]
    of_column = {folded(column.heading) for column in layout.columns}
    if not of_column & set(names):
        raise _not_this_kind(layout, number, ", ".join(cells) if cells else "nothing")
    needed = dict.fromkeys(column.heading for column in layout.columns if column.needed)
    every = dict.fromkeys(column.heading for column in layout.columns)
    problems = [
        finding(heading, "no such column", f'a column headed "{heading}"', number)
        for heading in needed
        if folded(heading) not in names
    ] + [
        finding(heading, f"{count} such columns", f'one column headed "{heading}"', number)
        for heading in every
        if (count := names.count(folded(heading))) > 1
    ]
    if problems:
        columns = ", ".join(problem.field for problem in problems)
        raise UnreadableFile(f"The file's columns are missing or stand there twice: {columns}", problems)
    taken = [
        _Taken(column, names.index(folded(column.heading)))
        for column in layout.columns
        if folded(column.heading) in names
    ]
    ignored = [
        (at, kind_of_column(cell))
        for at, (cell, name) in enumerate(zip(cells, names, strict=True))
        if name not in of_column
    ]
    return _Heading(len(cells), sorted(taken, key=lambda each: each.at), ignored, above)


def _not_this_kind(layout: Layout, number: int, found: str) -> UnreadableFile:
    return UnreadableFile(
        "This is another kind of file: no row of its beginning is the heading that is looked for",
        [finding("heading", found, layout.other_kind, number)],
    )


def kind_of_column(heading: str) -> str:
    """What a column that is not taken holds, in the words of the report."""
    said = folded(heading).replace("-", "")
    for words, kind in (
        (("email",), EMAIL_ADDRESSES),
        (("phone", "mobile", "telno"), PHONE_NUMBERS),
        (("address", "street", "town"), POSTAL_ADDRESSES),
    ):
        if any(word in said for word in words):
            return kind
    return f'column "{heading.strip()}"' if said else "a column without a heading"


class _Reading:
    """The rows below a heading, one after another."""

    def __init__(self, heading: _Heading, academic_year: int, today: date) -> None:
        self._heading = heading
        self._academic_year = academic_year
        self._today = today
        self._seen = Seen()

    def row(self, number: int, cells: list[str]) -> PupilRow:
        """One row."""
        reader = RowReader(number)
        width = self._heading.width
        if len(cells) < width or any(map(str.strip, cells[width:])):
            accepted = f"{width} columns, as in the heading; a cell with a comma stands in quotation marks"
            reader.wrong("row", f"{len(cells)} columns", accepted)
            return PupilRow(row=number, findings=tuple(reader.findings))
        said = self._said(cells, reader)
        values, joined = gather(said, reader, self._academic_year)
        self._check_together(values, said, reader)
        upn = values.get("upn")
        if reader.findings:
            return PupilRow(row=number, upn=upn, findings=tuple(reader.findings), flags=tuple(reader.flags))
        of_names = {field: value for field, value in values.items() if field in _NAMES}
        of_record = {field: value for field, value in values.items() if field not in _NAMES}
        named = all(field in values for field in WHOLE_NAME)
        # A file without them is about children whom the school has; a new one is refused for want of them.
        of_record.setdefault("sex", "U")
        of_record.setdefault("date_of_entry", date(self._academic_year, FIRST_MONTH, 1))
        return PupilRow(
            row=number,
            upn=upn,
            names=PupilNames(**of_names) if named else None,
            record=PupilRecord(**of_record),
            given=frozenset(values),
            joined=joined,
            flags=tuple(reader.flags),
        )

    def _said(self, cells: list[str], reader: RowReader) -> dict[str, Said]:
        """What each column says, as far as it is right."""
        said: dict[str, Said] = {}
        for taken in self._heading.taken:
            column = taken.column
            text = unguarded(cells[taken.at].strip()) or column.empty
            value = None
            if not text:
                if column.mandatory:
                    reader.wrong(column.heading, "", f"{column.heading} is mandatory")
            elif "@" in text and holds_email(text):
                reader.wrong(column.heading, text, fields.NO_EMAIL)
            else:
                value = column.read(reader, column.heading, text)
            said[column.place] = Said(column.heading, text, value)
        return said

    def _check_together(self, values: dict[str, Any], said: dict[str, Said], reader: RowReader) -> None:
        """Checks what one field says against the others, and the row against those before it."""
        born, entered = values.get("date_of_birth"), values.get("date_of_entry")
        if born and entered and entered < born:
            reader.wrong(said["date_of_entry"].heading, f"{entered:%d/%m/%Y}", ACCEPTED)
        if "upn" in values:
            self._seen.check_upn(reader, said["upn"].heading, values["upn"])
        elif not any(field in said for field in WHOLE_NAME) and not said["upn"].text:
            reader.wrong(said["upn"].heading, "", "a UPN: this file has nothing else to tell a child by")
        if all(field in values for field in WHOLE_NAME):
            headings = ", ".join(said[field].heading for field in WHOLE_NAME)
            self._seen.check_child(reader, headings, *(values[field] for field in WHOLE_NAME))
