"""A mapping: which column of a management system's CSV file fills which field of a pupil, and how.

It is JSON, as the API speaks it, and people edit it::

    {"dates": "dd/mm/yyyy",
     "fields": {
       "surname": "Legal Surname",
       "date_of_birth": {"column": "DOB", "dates": "dd-mmm-yy"},
       "sen_provision": {"column": "SEN Status", "values": {"SEN Support": "K"}, "empty": "N"},
       "sen_needs": {"columns": ["Primary need", "Secondary need"]},
       "meals_periods": {"column": "FSM", "start": "FSM from", "end": "FSM to"}}}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Any

import msgspec

from domain.errors import Finding, InvalidInput, place_in
from domain.files import date_formats, fields
from domain.files.csv_records import DELIMITERS, ENCODINGS, FIRST_ROWS
from domain.files.pupil_cells import (
    BOOLEANS,
    CLOSED_CODES,
    CODES,
    COUNTS,
    DATES,
    LISTS,
    NAMES,
    TEXTS,
    CellReader,
    Ways,
    cell_reader,
    parts_of,
)
from domain.files.pupil_table import WHOLE_NAME, Column, Layout
from domain.files.pupil_table_values import PERIODS, TOTALS
from domain.files.rows import RowReader, finding
from domain.pupil_record import PupilNames

PLAIN = frozenset(
    (NAMES | TEXTS | BOOLEANS | COUNTS | LISTS | DATES | set(CODES) | set(CLOSED_CODES))
    | {"upn", "postcode", "preschool_terms"}
) - {"premium_reason", "start", "end"}
"""Fields that one column fills, and of totals one each."""

FIELDS = tuple(sorted(PLAIN | PERIODS.keys()))
"""Everything that a mapping may name."""

MOST_COLUMNS = 20
"""Columns that one field may be filled from."""

MOST_VALUES = 1000
"""Values that one field may turn into others."""


class FieldMapping(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where one field comes from.

    Attributes:
        column: The heading of its column; of a period, what stands beside its days: the code, or for meals
            and care whether they are so now.
        columns: The headings of several columns, for fields that hold several values.
        start: Of a period: the heading of the column with its first day.
        end: Of a period: the heading of the column with its last day.
        dates: How dates are written, where it is otherwise than in the rest of the file.
        values: What a cell is read as, by what stands in it, whatever its capitals; as nothing, if empty.
        empty: What an empty cell is read as; otherwise it says nothing.
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    dates: str | None = None
    values: dict[str, str] = {}
    empty: str | None = None


_FIELDS_SCHEMA = {
    "properties": {
        field: {
            "anyOf": [
                {"type": "string", "description": "The heading of the column."},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "column": {"type": "string"},
                        "columns": {"type": "array", "items": {"type": "string"}},
                        "start": {"type": "string"},
                        "end": {"type": "string"},
                        "dates": {"type": "string"},
                        "values": {"type": "object", "additionalProperties": {"type": "string"}},
                        "empty": {"type": "string"},
                    },
                },
            ]
        }
        for field in FIELDS
    },
    "additionalProperties": False,
}


class Mapping(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How to read a CSV file that is not Target Tracker's own.

    Attributes:
        fields: For each field the heading of its column, or more about it (`FieldMapping`).
        dates: How dates are written: `dd/mm/yyyy`, `yyyy-mm-dd`, `dd-mmm-yy`.
        true: More ways of writing yes than T, true, yes, Y and 1.
        false: More ways of writing no than F, false, no, N and 0.
        delimiter: What stands between cells: a comma, a semicolon, a tab or `|`; without it, the file tells.
        encoding: `utf-8`, `windows-1252`, `iso-8859-1`, `utf-16` or `macintosh`; without it, the file tells.
    """

    fields: Annotated[dict[str, Any], msgspec.Meta(extra_json_schema=_FIELDS_SCHEMA)]
    dates: str = "dd/mm/yyyy"
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    delimiter: str | None = None
    encoding: str | None = None


def layout_of(mapping: Mapping, today: date) -> Layout:
    """The layout that a mapping describes.

    Args:
        mapping: The mapping.
        today: No date of birth or entry may lie after it.

    Raises:
        InvalidInput: It is not as it must be: with a finding for each place in it.
    """
    check = _Check(mapping, today)
    columns = check.columns()
    if check.findings:
        raise InvalidInput("The mapping is not as it must be", check.findings)
    headings = ", ".join(dict.fromkeys(column.heading for column in columns))
    return Layout(
        format="mapped-csv",
        columns=columns,
        other_kind=f"a heading with the columns that the mapping names: {headings}",
        delimiter=mapping.delimiter,
        encoding=mapping.encoding,
        rows_looked_at=FIRST_ROWS,
    )


class _Check:
    """Reads a mapping, and gathers what is wrong with it."""

    def __init__(self, mapping: Mapping, today: date) -> None:
        self.findings: list[Finding] = []
        self._mapping = mapping
        self._today = today
        self._boolean = self._read_boolean()
        self._dates = self._read_dates("mapping.dates", mapping.dates)
        self._specs = {
            field: spec
            for field, said in mapping.fields.items()
            if (spec := self._spec(field, said)) is not None
        }

    def columns(self) -> tuple[Column, ...]:
        """The columns that are taken."""
        self._check_file()
        self._check_fields()
        return tuple(
            column for field, spec in self._specs.items() for column in self._columns_of(field, spec)
        )

    def _wrong(self, place: str, found: str, accepted: str) -> None:
        self.findings.append(finding(place, found, accepted))

    def _check_file(self) -> None:
        mapping = self._mapping
        if mapping.delimiter is not None and mapping.delimiter not in DELIMITERS:
            accepted = "a comma, a semicolon, a tab (\\t) or |"
            self._wrong("mapping.delimiter", mapping.delimiter, accepted)
        if mapping.encoding is not None and mapping.encoding not in ENCODINGS:
            self._wrong("mapping.encoding", mapping.encoding, f"one of {', '.join(ENCODINGS)}")

    def _check_fields(self) -> None:
        there = self._specs.keys()
        if not there & {"upn"} and not there >= set(WHOLE_NAME):
            accepted = f"{', '.join(WHOLE_NAME)} together, or upn, to tell children by"
            self._wrong("mapping.fields", ", ".join(there) or "nothing", accepted)
        elif whole := there & (set(PupilNames.__struct_fields__) - {"upn"}):
            for field in WHOLE_NAME:
                if field not in there:
                    self._wrong(f"mapping.fields.{field}", "nothing", f"a column, beside {min(whole)}")
        if totals := there & set(TOTALS):
            for field in sorted(set(TOTALS) - totals):
                self._wrong(f"mapping.fields.{field}", "nothing", f"{', '.join(TOTALS)} together, or none")
        for field, kind in PERIODS.items():
            if field in there and kind.plain in there:
                accepted = f"one of the two: {field} can name the column as its own `column`"
                self._wrong(f"mapping.fields.{kind.plain}", f"{kind.plain} and {field}", accepted)

    def _spec(self, field: str, said: Any) -> FieldMapping | None:
        place = f"mapping.fields.{field[:40]}"
        if field not in FIELDS:
            self._wrong(place, "a field that no file fills", f"one of {', '.join(FIELDS)}")
            return None
        if isinstance(said, str):
            said = {"column": said}
        try:
            spec = msgspec.convert(said, FieldMapping)
        except msgspec.ValidationError as error:
            self._wrong(place, _kind_of(said), f"the heading of a column, or an object: {error}")
            return None
        return spec if self._fits(field, spec, place) else None

    def _fits(self, field: str, spec: FieldMapping, place: str) -> bool:
        """Whether the parts that are given are those that such a field has."""
        given = {part for part in spec.__struct_fields__ if getattr(spec, part)}
        before = len(self.findings)
        if field in PERIODS:
            allowed = {"column", "start", "end", "dates", "values"}
            wanted = {"start"} if field != "premium_periods" else {"column"}
            wanted |= {"column"} if PERIODS[field].part else set()
        else:
            allowed = {"column", "values", "empty"}
            allowed |= {"columns"} if field in LISTS else set()
            allowed |= {"dates"} if field in DATES else set()
            wanted = {"columns"} if spec.columns and not spec.column and field in LISTS else {"column"}
        for part in sorted(given - allowed):
            self._wrong(
                f"{place}.{part}", "a part that it does not have", f"only {', '.join(sorted(allowed))}"
            )
        for part in sorted(wanted - given):
            self._wrong(f"{place}.{part}", "nothing", "the heading of a column")
        if spec.column and spec.columns:
            self._wrong(f"{place}.columns", "both column and columns", "one of the two")
        if len(spec.columns) > MOST_COLUMNS:
            self._wrong(f"{place}.columns", f"{len(spec.columns)} columns", f"at most {MOST_COLUMNS}")
        if len(spec.values) > MOST_VALUES:
            self._wrong(f"{place}.values", f"{len(spec.values)} values", f"at most {MOST_VALUES}")
        for heading in (spec.column, *spec.columns, spec.start, spec.end):
            if heading is not None and not heading.strip():
                self._wrong(place, "an empty heading", "the heading of a column")
        return len(self.findings) == before

    def _columns_of(self, field: str, spec: FieldMapping) -> Iterable[Column]:
        place = f"mapping.fields.{field}"
        dates = self._read_dates(f"{place}.dates", spec.dates) if spec.dates else self._dates
        ways = Ways(today=self._today, date=dates, boolean=self._boolean)
        if field in PERIODS:
            kind = PERIODS[field]
            for part, heading in (("start", spec.start), ("end", spec.end)):
                if heading:
                    yield self._column(heading, f"{field}.{part}", cell_reader(part, ways))
            if spec.column:
                read = self._translated(place, spec, kind.cell, cell_reader(kind.cell, ways))
                yield self._column(spec.column, f"{field}.column", read)
            return
        read = self._translated(place, spec, field, cell_reader(field, ways))
        for number, heading in enumerate(spec.columns or (spec.column or "",)):
            yield Column(
                heading=heading,
                place=f"{field}#{number}" if spec.columns else field,
                read=read,
                needed=True,
                mandatory=field in WHOLE_NAME,
                empty=spec.empty or "",
            )

    @staticmethod
    def _column(heading: str, place: str, read: CellReader) -> Column:
        return Column(heading=heading, place=place, read=read, needed=True)

    def _translated(self, place: str, spec: FieldMapping, field: str, read: CellReader) -> CellReader:
        """The reader, behind the values that the mapping turns into others; each of them must be one."""
        values = {_same(text): value.strip() for text, value in spec.values.items()}
        for text, value in spec.values.items():
            if value.strip():
                self._check_value(f"{place}.values.{text[:30]}", field, value.strip(), read)
        if spec.empty:
            empty = values.get(_same(spec.empty), spec.empty)
            self._check_value(f"{place}.empty", field, empty, read)
        if not values:
            return read

        def translate(reader: RowReader, heading: str, text: str) -> Any:
            said = values.get(_same(text))
            if said is None:
                parts = parts_of(text) if field in LISTS else [text]
                said = ", ".join(filter(None, (values.get(_same(part), part) for part in parts)))
            return read(reader, heading, said) if said else None

        return translate

    def _check_value(self, place: str, field: str, value: str, read: CellReader) -> None:
        trial = RowReader(0)
        read(trial, place, value)
        self.findings += [msgspec.structs.replace(wrong, row=None) for wrong in trial.findings]
        if not trial.findings and field in CODES and field not in LISTS:
            try:
                CODES[field].find(value)
            except ValueError as error:
                self._wrong(place, value, str(error))

    def _read_dates(self, place: str, form: str) -> Callable[[str], date]:
        try:
            return date_formats.date_reader(form)
        except ValueError as error:
            self._wrong(place, form, str(error))
            return fields.read_day_first

    def _read_boolean(self) -> Callable[[str], bool]:
        words = {_same(word): True for word in self._mapping.true}
        for word in self._mapping.false:
            if _same(word) in words:
                self._wrong("mapping.false", word, "a word that does not stand for yes as well")
            words[_same(word)] = False
        if not words:
            return fields.read_boolean

        def read(text: str) -> bool:
            said = words.get(_same(text))
            try:
                return fields.read_boolean(text) if said is None else said
            except ValueError as error:
                ours = ", ".join((*self._mapping.true, *self._mapping.false))
                raise ValueError(f"{error}; or {ours}") from None

        return read


def _same(text: str) -> str:
    """A value as it is compared: neither capitals nor spaces tell two apart."""
    return " ".join(text.split()).casefold()


def _kind_of(said: Any) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(said), "nothing")


def read_mapping(content: bytes) -> Mapping:
    """The mapping that a file holds.

    Raises:
        InvalidInput: It is not JSON, or not of this shape; the finding names the place.
    """
    try:
        return msgspec.json.decode(content, type=Mapping)
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `")
        place = ".".join(filter(None, ("mapping", place_in(path.removesuffix("`")))))
        raise InvalidInput(
            "The mapping is not as it must be", [finding(place, "another shape", said)]
        ) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise InvalidInput(
            "The mapping is not as it must be",
            [finding("mapping", "something that is not JSON", "a JSON object, in UTF-8")],
        ) from None
