"""Guesses a mapping from the headings of a file, and from what stands below them; people then look at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import chain, islice
from typing import Any

import msgspec

from domain.codes.sets import CodeSet
from domain.errors import Finding, UnreadableFile
from domain.files import date_formats
from domain.files.csv_records import (
    FIRST_ROWS,
    NumberedRow,
    Unreadable,
    decoded,
    delimiter_of,
    known_in,
    records,
)
from domain.files.mapping import FieldMapping, Mapping
from domain.files.mapping_headings import CODED_COLUMNS, PLACE_OF, WORDS, plain
from domain.files.pupil_cells import BOOLEANS, CLOSED_CODES, CODES, DATES, LISTS, Ways, cell_reader, parts_of
from domain.files.pupil_table import WHOLE_NAME, kind_of_column
from domain.files.pupil_table_values import PERIODS
from domain.files.rows import RowReader, finding

NEW_PUPILS = ("sex", "date_of_entry")
"""What a pupil whom the school does not have yet needs besides the name."""

MOST_SHOWN = 20
"""So many values of a column that cannot be read are named."""

_YES_AND_NO = {"eligible": "T", "noteligible": "F", "ineligible": "F", "none": "F", "never": "F"}


class GuessedColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the file.

    Attributes:
        heading: Its heading.
        field: The field that it fills, or the part of one (`meals_periods.start`); null where its heading is
            not recognised, or what it holds is never taken.
        holds: Where it fills none, what the import will count it as: `email addresses`, `column "House"`.
    """

    heading: str
    field: str | None
    holds: str | None


class MappingGuess(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping to look at before it is used.

    Attributes:
        mapping: The mapping.
        encoding: The character encoding, as the file tells it.
        delimiter: What stands between its cells.
        heading_row: The row with the headings.
        columns: Every column, in the order of the file.
        unrecognised: The headings of columns that fill no field.
        missing: Fields that no column fills: those that a child is told by, and that a new one needs.
        unread: Values that cannot be read as they are, each with the column and what is accepted; the
            mapping can turn them into others.
        remarks: What was assumed, and what to decide.
    """

    mapping: Mapping
    encoding: str
    delimiter: str
    heading_row: int
    columns: list[GuessedColumn]
    unrecognised: list[str]
    missing: list[str]
    unread: list[Finding]
    remarks: list[str]


def guess_mapping(content: bytes, today: date) -> MappingGuess:
    """Guesses how to read a CSV file of pupils.

    Args:
        content: The file.
        today: No date of birth or entry lies after it.

    Raises:
        UnreadableFile: No heading in its first rows is recognised, or its characters are damaged.
    """
    codec, text = decoded(content, None)
    delimiter = delimiter_of(text, _is_known)
    number, headings, below = _heading(records(text, delimiter))
    table = _Table(headings, below)
    guess = _Guess(table, today)
    fields = guess.fields()
    columns = [
        GuessedColumn(
            heading=heading,
            field=(field := guess.place_of.get(heading)),
            holds=None if field else kind_of_column(heading),
        )
        for heading in headings
        if heading
    ]
    named = fields.keys()
    return MappingGuess(
        mapping=Mapping(fields=fields, dates=guess.dates),
        encoding=codec,
        delimiter=delimiter,
        heading_row=number,
        columns=columns,
        unrecognised=[column.heading for column in columns if column.field is None],
        missing=[field for field in (*WHOLE_NAME, *NEW_PUPILS) if field not in named],
        unread=guess.unread,
        remarks=guess.remarks,
    )


def _is_known(heading: str) -> bool:
    return plain(heading) in PLACE_OF


def _heading(rows: Iterator[NumberedRow]) -> tuple[int, list[str], Iterator[NumberedRow]]:
    first = list(islice(rows, FIRST_ROWS))
    best = max(range(len(first)), key=lambda at: known_in(first[at][1], _is_known), default=0)
    if not first or not known_in(first[best][1], _is_known):
        accepted = "a row of headings, such as Surname, Forename, Date of Birth, UPN, Year Group"
        raise UnreadableFile(
            "No heading of this file is recognised: write its mapping by hand",
            [finding("heading", f"nothing in the first {FIRST_ROWS} rows", accepted)],
        )
    number, cells = first[best]
    return number, [cell.strip() for cell in cells], chain(first[best + 1 :], rows)


class _Table:
    """The different values of each column, with the row in which each stands first."""

    def __init__(self, headings: list[str], below: Iterator[NumberedRow]) -> None:
        self.headings = headings
        self.values: list[dict[str, int]] = [{} for _ in headings]
        self.has_empty = [False] * len(headings)
        for number, cells in below:
            if isinstance(cells, Unreadable) or not any(map(str.strip, cells)):
                continue
            for at, cell in enumerate(cells[: len(headings)]):
                if text := cell.strip():
                    self.values[at].setdefault(text, number)
                else:
                    self.has_empty[at] = True


class _Guess:
    def __init__(self, table: _Table, today: date) -> None:
        self.unread: list[Finding] = []
        self.remarks: list[str] = []
        self.dates = "dd/mm/yyyy"
        self.place_of: dict[str, str] = {}
        self._table = table
        self._today = today
        self._at: dict[str, list[int]] = {}

    def fields(self) -> dict[str, Any]:
        """The fields of the mapping."""
        self._place_columns()
        own_dates = self._date_formats()
        found: dict[str, Any] = {}
        periods = [field for field in PERIODS if f"{field}.start" in self._at or field in self._at]
        for field in periods:
            if spec := self._period(field, own_dates):
                found[field] = _short(spec)
        for place, at in self._at.items():
            if "." in place or place in PERIODS:
                continue
            spec = self._cells(place, at)
            if at[0] in own_dates:
                spec["dates"] = own_dates[at[0]]
            found[place] = _short(spec)
        return found

    def _place_columns(self) -> None:
        headings = self._table.headings
        counted = Counter(heading for heading in headings if heading)
        candidates: dict[str, list[int]] = {}
        for at, heading in enumerate(headings):
            place = PLACE_OF.get(plain(heading))
            if place is None or kind_of_column(heading) == "email addresses":
                continue
            if counted[heading] > 1:
                if headings.index(heading) == at:
                    self.remarks.append(f'there are {counted[heading]} columns "{heading}": name them apart')
                continue
            candidates.setdefault(place, []).append(at)
        for place, places in candidates.items():
            if place not in LISTS and len(places) > 1:
                places.sort(key=lambda at: not headings[at].casefold().startswith("legal"))
                others = ", ".join(f'"{headings[at]}"' for at in places[1:])
                self.remarks.append(f'{place} is taken from "{headings[places[0]]}", and not from {others}')
                del places[1:]
            self._at[place] = places
            for at in places:
                self.place_of[headings[at]] = place

    def _forget(self, place: str) -> None:
        for at in self._at.pop(place, []):
            self.place_of.pop(self._table.headings[at], None)

    def _date_formats(self) -> dict[int, str]:
        """The formats of those columns whose dates are not written as most are; which that is, is kept."""
        of_column: dict[int, list[str]] = {}
        for place, places in self._at.items():
            if place.rpartition(".")[2] in DATES:
                for at in places:
                    if values := self._table.values[at]:
                        of_column[at] = self._formats(at, values)
        counts = Counter(form for forms in of_column.values() for form in forms)
        if counts:
            order = date_formats.USUAL.index
            self.dates = min(counts, key=lambda form: (-counts[form], order(form)))
        return {at: forms[0] for at, forms in of_column.items() if forms and self.dates not in forms}

    def _formats(self, at: int, values: dict[str, int]) -> list[str]:
        if forms := date_formats.formats_of(list(values)):
            return forms
        fitting = {
            form: [text for text in values if date_formats.formats_of([text]).count(form)]
            for form in date_formats.USUAL
        }
        best = max(date_formats.USUAL, key=lambda form: len(fitting[form]))
        wrong = [text for text in values if text not in fitting[best]]
        accepted = f"a date as {best}, as most of this column are" if fitting[best] else date_formats.ACCEPTED
        self._say_unread(at, wrong, accepted)
        return [best] if fitting[best] else []

    def _cells(self, field: str, at: list[int]) -> dict[str, Any]:
        """What a mapping says of a field that cells fill directly."""
        headings = [self._table.headings[each] for each in at]
        spec: dict[str, Any] = {"columns": headings} if len(headings) > 1 else {"column": headings[0]}
        values: dict[str, str] = {}
        for each in at:
            values |= self._values(field, each)
        if values:
            spec["values"] = values
        if any(self._table.has_empty[each] for each in at) and (empty := self._empty(field, at)):
            spec["empty"] = empty
        return spec

    def _empty(self, field: str, at: list[int]) -> str | None:
        heading = self._table.headings[at[0]]
        if field == "sen_provision":
            self.remarks.append(f'an empty "{heading}" is taken for no special educational need (N)')
            return "N"
        if field in BOOLEANS and (texts := self._table.values[at[0]]):
            read = cell_reader(field, Ways(today=self._today))
            if all(read(RowReader(0), heading, _YES_AND_NO.get(plain(text), text)) is True for text in texts):
                self.remarks.append(f'an empty "{heading}" is taken for no: the others all say yes')
                return "F"
        return None

    def _values(self, field: str, at: int) -> dict[str, str]:
        """What the values of a column are turned into; what cannot be read is noted."""
        field = CODED_COLUMNS.get(field, field)
        codes = CODES.get(field) or CLOSED_CODES.get(field)
        if codes is None and field not in BOOLEANS:
            return {}
        words = {**(_described(codes) if codes else _YES_AND_NO), **WORDS.get(field, {})}
        read = cell_reader(field, Ways(today=self._today))
        turned: dict[str, str] = {}
        wrong = []
        texts = self._table.values[at]
        parts = (part for cell in texts for part in (parts_of(cell) if field in LISTS else [cell]))
        for text in dict.fromkeys(parts):
            trial = RowReader(0)
            value = read(trial, "", text)
            if value is not None and not trial.flags and not (codes and field in CODES and text not in codes):
                continue
            if (word := words.get(plain(text))) is not None:
                turned[text] = word
            elif not trial.flags or all(flag.accepted == "unknown" for flag in trial.flags):
                wrong.append(text)
        if wrong:
            accepted = codes.accepted if codes else "T or F (or true, false, yes, no, Y, N, 1, 0)"
            self._say_unread(at, wrong, accepted)
        return turned

    def _period(self, field: str, own_dates: dict[int, str]) -> dict[str, Any] | None:
        """What a mapping says of a period: with the column of the plain field beside it, if there is one."""
        kind = PERIODS[field]
        beside = field if field in self._at else kind.plain
        at = self._at.get(beside) if beside else None
        headings = self._table.headings
        if field == "premium_periods":
            assert at
            values = self._table.values[at[0]]
            if not values or not all(text in CODES["premium_reason"] for text in values):
                heading = headings[at[0]]
                self.remarks.append(
                    f'"{heading}" does not say why there is pupil premium; to take it, add the reason, such '
                    f'as DPP (deprivation): "premium_periods": {{"column": "{heading}", '
                    '"values": {"T": "DPP", "F": ""}}'
                )
                self._forget(field)
                return None
        if at is None and kind.part:
            self.remarks.append(f"{field} needs a column with the code beside its dates")
            self._forget(f"{field}.start")
            self._forget(f"{field}.end")
            return None
        spec: dict[str, Any] = {}
        if at:
            spec = self._cells(beside or field, at)
            spec.pop("empty", None)
            if beside != field:
                del self._at[str(beside)]
                self.place_of[headings[at[0]]] = f"{field}.column"
        for part in ("start", "end"):
            if days := self._at.get(f"{field}.{part}"):
                spec[part] = headings[days[0]]
                if days[0] in own_dates:
                    spec["dates"] = own_dates[days[0]]
        return spec

    def _say_unread(self, at: int, texts: list[str], accepted: str) -> None:
        heading, rows = self._table.headings[at], self._table.values[at]
        trial = RowReader(0)
        for text in texts[:MOST_SHOWN]:
            trial.wrong(heading, text, accepted)
        self.unread += [
            msgspec.structs.replace(wrong, row=rows.get(text))
            for wrong, text in zip(trial.findings, texts, strict=False)
        ]
        if len(texts) > MOST_SHOWN:
            self.remarks.append(f'"{heading}" has {len(texts) - MOST_SHOWN} more values that cannot be read')


def _described(codes: CodeSet) -> dict[str, str]:
    """The codes of a list by what they stand for."""
    found: dict[str, str] = {}
    for code, description in codes.codes.items():
        found.setdefault(plain(description), code)
    return found


def _short(spec: dict[str, Any]) -> Any:
    """The heading alone, where there is nothing more to say; checked, so that what is offered can be used."""
    msgspec.convert(spec, FieldMapping)
    return spec["column"] if spec.keys() == {"column"} else spec
