"""The attendance of each pupil in each academic year: the marks that stand, and the totals.

A row is merged from the events, since marks come in pieces, and sealed again, for its row and position.
Totals of the year so far that came with a child's particulars are kept for each year, so that those of a year
are still there when the next one has begun. Of a child who has been erased there are no rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from domain.academic_year import academic_year_of
from domain.attendance import UNSAID, WITHDRAWN, Attendance, Run, Session, Totals, sessions_of, year_bounds
from domain.attendance_summary import AttendanceSummary, summarise
from domain.codes.attendance import Half
from domain.errors import KeyNotHeld
from domain.events import Compartment
from domain.ledger.database import Connection
from domain.ledger.mapper import EventMapper, split
from domain.ledger.sealing import generation_of, place_of_row, seal, unseal
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent
from domain.pupil import AttendanceTotals
from domain.vault import keystore
from domain.vault.keyring import Keyring
from projections.projection import Batches, Row, Rows, Table

SQL = load("projections", "attendance.sql")

NAME = "attendance"
TABLE = "projections.attendance"

_FIRST_YEAR, _LAST_YEAR = -(2**15), 2**15 - 1


class _Key(NamedTuple):
    pupil_id: UUID
    academic_year: int


class _Year(msgspec.Struct, omit_defaults=True):
    """What the `record` column holds.

    Attributes:
        marks: Two to a day of the calendar, from the morning of 1 September; :data:`UNSAID` where there is
            none.
        totals: Totals of periods, of which no two have a day in common.
        of_record: Totals of the year so far that came with the child's particulars.
    """

    marks: list[str] = msgspec.field(default_factory=list)
    totals: list[Totals] = msgspec.field(default_factory=list)
    of_record: AttendanceTotals | None = None

    def mark(self, place: int, mark: str) -> None:
        """Puts a mark in its place, or takes one away."""
        self.marks += [UNSAID] * (place + 1 - len(self.marks))
        self.marks[place] = UNSAID if mark == WITHDRAWN else mark


class _Row(msgspec.Struct):
    """A row in the making."""

    year: _Year
    position: int = 0


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Year)


class _Rows:
    """The rows of some pupils and years, opened as they are needed."""

    def __init__(self, keys: Keyring, stored: Iterable[tuple[Any, ...]] = ()) -> None:
        self.keys = keys
        self.changed: dict[_Key, _Row] = {}
        self._stored: dict[_Key, tuple[int, bytes]] = {
            _Key(pupil_id, academic_year): (position, record)
            for pupil_id, academic_year, position, record in stored
        }

    def change(self, key: _Key, position: int) -> _Year:
        """A year, to be changed by the event at a position."""
        row = self.changed.get(key)
        if row is None:
            row = self.changed[key] = _Row(self._opened(key))
        row.position = position
        return row.year

    def newest_of_record(self, pupil_id: UUID) -> _Key | None:
        """The newest academic year of which there are totals that came with a child's particulars."""
        known = {key for key in (*self._stored, *self.changed) if key.pupil_id == pupil_id}
        for key in sorted(known, reverse=True):
            row = self.changed.get(key)
            if (row.year if row else self._opened(key)).of_record is not None:
                return key
        return None

    def _opened(self, key: _Key) -> _Year:
        stored = self._stored.get(key)
        if stored is None:
            return _Year()
        return _opened(self.keys, key, *stored)


OF_YEARS = Table(
    "attendance",
    key=("pupil_id", "academic_year"),
    columns=("pupil_id", "academic_year", "position", "record"),
    opened={"record": lambda keys, row: _year_in(keys, row)},
)


class AttendanceProjection:
    """Keeps `projections.attendance`."""

    name = NAME
    categories: tuple[str, ...] = ("attendance", "pupil.admitted.", "pupil.changed.", "pupil.erased.")
    tables = (OF_YEARS,)

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        """Writes what the events make of the years that they are about."""
        mapper = EventMapper(keys)
        subjects = [mapper.subject_of(event) for event in events]
        keys.need(set(subjects))
        gone = {subject for subject in subjects if keys.is_erased(subject)}
        if gone:
            connection.execute(SQL["remove"], [keys.school_id, list(gone)])
        said = [
            (pupil_id, event, fields)
            for event, pupil_id in zip(events, subjects, strict=True)
            if pupil_id not in gone and (fields := _said(mapper, event, pupil_id))
        ]
        if not said:
            return
        years = [year for *_, fields in said for year in _years(fields)]
        pupil_ids = list({pupil_id for pupil_id, *_ in said})
        wanted = [keys.school_id, pupil_ids, min(years), max(years)]
        rows = _Rows(keys, connection.execute(SQL["of_pupils"], wanted, binary=True).fetchall())
        for pupil_id, event, fields in said:
            _apply(rows, pupil_id, event, fields)
        if rows.changed:
            columns = zip(*(_columns(keys, key, row) for key, row in rows.changed.items()), strict=True)
            connection.execute(SQL["upsert"], [keys.school_id, *map(list, columns)])

    def fold(self, keys: Keyring, batches: Batches) -> Rows:
        """Every year of every pupil."""
        mapper = EventMapper(keys)
        rows = _Rows(keys)
        for events in batches:
            subjects = [mapper.subject_of(event) for event in events]
            keys.need(set(subjects))
            for event, pupil_id in zip(events, subjects, strict=True):
                if not keys.is_erased(pupil_id) and (fields := _said(mapper, event, pupil_id)):
                    _apply(rows, pupil_id, event, fields)
        return {OF_YEARS.name: [_columns(keys, key, row) for key, row in rows.changed.items()]}


PROJECTION = AttendanceProjection()


def _said(mapper: EventMapper, event: RecordedEvent, pupil_id: UUID) -> dict[str, Any] | None:
    """What an event says of attendance; nothing, if it says nothing of it."""
    parts = split(event.state)
    if event.topic.startswith("pupil."):
        part = mapper.open_part(event, pupil_id, Compartment.RECORD, parts.record).get("record")
        attendance = getattr(part, "attendance", msgspec.UNSET)
        is_first = event.topic.startswith("pupil.admitted.")
        if attendance is msgspec.UNSET or (is_first and attendance is None):
            return None
        return {"of_record": attendance}
    return mapper.open_part(event, pupil_id, Compartment.RECORD, parts.record)


def _years(said: dict[str, Any]) -> tuple[int, int]:
    """The first and the last academic year whose rows an event may be about."""
    if "marks" in said:
        days = timedelta(days=len(said["marks"]) // 2)
        return academic_year_of(said["first_day"]), academic_year_of(said["first_day"] + days)
    if "of_record" in said:
        return _FIRST_YEAR, _LAST_YEAR
    first_day: date = said["totals"].first_day if "totals" in said else said["first_day"]
    return academic_year_of(first_day), academic_year_of(first_day)


def _apply(rows: _Rows, pupil_id: UUID, event: RecordedEvent, said: dict[str, Any]) -> None:
    """Makes of the rows what an event makes of them."""
    match event.topic.rpartition(".")[0]:
        case "attendance.marked":
            for session, mark in sessions_of(Run(said["first_day"], said["marks"])):
                academic_year = academic_year_of(session.day)
                year = rows.change(_Key(pupil_id, academic_year), event.id)
                year.mark(_place(academic_year, session), mark)
        case "attendance.totalled":
            new: Totals = said["totals"]
            year = rows.change(_Key(pupil_id, academic_year_of(new.first_day)), event.id)
            year.totals = [each for each in year.totals if not each.overlaps(new)] + [new]
        case "attendance.totals-voided":
            period = (said["first_day"], said["last_day"])
            year = rows.change(_Key(pupil_id, academic_year_of(said["first_day"])), event.id)
            year.totals = [each for each in year.totals if (each.first_day, each.last_day) != period]
        case "pupil.admitted" | "pupil.changed":
            totals: AttendanceTotals | None = said["of_record"]
            key = _Key(pupil_id, totals.academic_year) if totals else rows.newest_of_record(pupil_id)
            if key:
                rows.change(key, event.id).of_record = totals
        case name:
            raise ValueError(f"{name} is not an event of attendance")


def _place(academic_year: int, session: Session) -> int:
    return 2 * (session.day - year_bounds(academic_year)[0]).days + (session.half is Half.PM)


def _row_place(keys: Keyring, key: _Key, position: int) -> bytes:
    row = key.pupil_id.bytes + key.academic_year.to_bytes(2, signed=True) + position.to_bytes(8)
    return place_of_row(keys.school_id, TABLE, row)


def _opened(keys: Keyring, key: _Key, position: int, record: bytes) -> _Year:
    """What a row holds.

    Raises:
        KeyNotHeld: There is no key to it.
        DoesNotOpen: It was damaged, or moved here from another row or position.
    """
    cipher = keys.to_open(key.pupil_id, Compartment.RECORD, generation_of(record))
    if cipher is None:
        raise KeyNotHeld("The key of a pupil's record is missing")
    return _decoder.decode(unseal(cipher, record, _row_place(keys, key, position)))


def _columns(keys: Keyring, key: _Key, row: _Row) -> Row:
    """A row as it is written: its values in the order of the columns."""
    cipher = keys.to_seal(key.pupil_id, Compartment.RECORD)
    sealed = seal(cipher, _encoder.encode(row.year), _row_place(keys, key, row.position))
    return (*key, row.position, sealed)


def _year_in(keys: Keyring, row: Row) -> bytes:
    """What is in a row's record column."""
    pupil_id, academic_year, position, record = row
    return _encoder.encode(_opened(keys, _Key(pupil_id, academic_year), position, record))


class AttendanceView(msgspec.Struct, kw_only=True):
    """A pupil's attendance in some academic years, as queries show it.

    Attributes:
        attendance: Marks and totals.
        of_record: Totals that came with the child's particulars, by academic year.
        position: Of the newest event in it; 0 for none.
    """

    attendance: Attendance = msgspec.field(default_factory=Attendance)
    of_record: dict[int, AttendanceTotals] = msgspec.field(default_factory=dict)
    position: int = 0

    def summary(self, first_day: date, last_day: date) -> AttendanceSummary:
        """What it comes to in a period of these years."""
        return summarise(
            first_day, last_day, self.attendance.marks, self.attendance.totals.values(), self.of_record
        )


def of_pupils(
    connection: Connection, keys: Keyring, pupil_ids: Iterable[UUID], first_day: date, last_day: date
) -> dict[UUID, AttendanceView]:
    """The attendance of each of some pupils in every academic year that a period touches.

    Args:
        connection: Bound to the school.
        keys: What the reader holds of the school's keys.
        pupil_ids: The pupils; of those who have been erased there is nothing.
        first_day: The first day of the period.
        last_day: Its last day.
    """
    ids = list(pupil_ids)
    views = {pupil_id: AttendanceView() for pupil_id in ids}
    years = (academic_year_of(first_day), academic_year_of(last_day))
    rows = connection.execute(SQL["of_pupils"], [keys.school_id, ids, *years], binary=True).fetchall()
    found = {row[0] for row in rows}
    keys.give(found, keystore.of_subjects(connection, keys.school_id, found))
    for pupil_id, academic_year, position, record in rows:
        if not keys.is_erased(pupil_id):
            year = _opened(keys, _Key(pupil_id, academic_year), position, record)
            _add(views[pupil_id], academic_year, year, position)
    return views


def of_pupil(
    connection: Connection, keys: Keyring, pupil_id: UUID, first_day: date, last_day: date
) -> AttendanceView:
    """The attendance of a pupil in every academic year that a period touches."""
    return of_pupils(connection, keys, [pupil_id], first_day, last_day)[pupil_id]


def _add(view: AttendanceView, academic_year: int, year: _Year, position: int) -> None:
    view.attendance.marks.update(_marks(academic_year, year.marks))
    view.attendance.totals.update({each.first_day: each for each in year.totals})
    if year.of_record is not None:
        view.of_record[academic_year] = year.of_record
    view.position = max(view.position, position)


def _marks(academic_year: int, marks: Sequence[str]) -> Iterator[tuple[Session, str]]:
    first = year_bounds(academic_year)[0]
    for place, mark in enumerate(marks):
        if mark != UNSAID:
            yield Session(first + timedelta(days=place // 2), Half.PM if place % 2 else Half.AM), mark
