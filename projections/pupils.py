"""The current pupils.

The names compartment is copied from the newest event that has one, unopened, with what it takes to open it:
whose event it was, of which type and version. The record compartment is merged, since changes to it come in
pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, cast
from uuid import UUID

import msgspec

from domain.application.school_application import MAPPER
from domain.events import Compartment
from domain.identifiers import class_id_of
from domain.ledger.database import Connection
from domain.ledger.mapper import split
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent
from domain.pupil import PupilNames, PupilRecord, RecordChange

SQL = load("projections", "pupils.sql")

NAME = "pupils"


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the row's `record` column holds."""

    record: PupilRecord
    left_on: date | None = None


_encoder = msgspec.msgpack.Encoder()
_kept = msgspec.msgpack.Decoder(_Kept)


class _Row(msgspec.Struct):
    """A row in the making."""

    pupil_id: UUID
    version: int
    names_type: str
    names_version: int
    names: bytes
    kept: _Kept


class PupilsProjection:
    """Keeps `projections.pupils`."""

    name = NAME
    categories = ("pupil",)

    def apply(self, connection: Connection, school_id: UUID, events: Sequence[RecordedEvent]) -> None:
        """Writes what the events make of the pupils that they are about."""
        pupil_ids = {cast("UUID", event.originator_id) for event in events}
        rows = {
            row[0]: _row(row)
            for row in connection.execute(SQL["of_many"], [school_id, list(pupil_ids)], binary=True)
        }
        for event in events:
            pupil_id = cast("UUID", event.originator_id)
            rows[pupil_id] = _after(rows.get(pupil_id), event)
        _write(connection, school_id, rows.values())


def _row(row: tuple[Any, ...]) -> _Row:
    pupil_id, version, _, _, _, names_type, names_version, names, record = row
    return _Row(pupil_id, version, names_type, names_version, names, _kept.decode(record))


def _after(row: _Row | None, event: RecordedEvent) -> _Row:
    name = event.topic.rpartition(".")[0]
    parts = split(event.state)
    said = MAPPER.open_part(event.topic, Compartment.RECORD, parts.record)
    if name == "pupil.admitted":
        assert parts.names is not None
        kept = _Kept(said["record"])
        return _Row(
            cast("UUID", event.originator_id), event.originator_version, event.topic,
            event.originator_version, parts.names, kept,
        )  # fmt: skip
    if row is None:
        raise ValueError(f"{name} of a pupil who was never admitted")
    row.version = event.originator_version
    match name:
        case "pupil.changed":
            if parts.names is not None:
                row.names, row.names_type = parts.names, event.topic
                row.names_version = event.originator_version
            change: RecordChange | None = said.get("record")
            if change is not None:
                row.kept = _Kept(change.applied_to(row.kept.record), row.kept.left_on)
        case "pupil.left":
            row.kept = _Kept(row.kept.record, said["left_on"])
        case "pupil.returned":
            row.kept = _Kept(row.kept.record)
        case _:
            raise ValueError(f"{name} is not an event of a pupil")
    return row


def _write(connection: Connection, school_id: UUID, rows: Iterable[_Row]) -> None:
    rows = list(rows)
    records = [row.kept.record for row in rows]
    connection.execute(
        SQL["upsert"],
        [
            school_id,
            [row.pupil_id for row in rows],
            [row.version for row in rows],
            [record.nc_year for record in records],
            [class_id_of(school_id, record.class_name) if record.class_name else None for record in records],
            [row.kept.left_on is None for row in rows],
            [row.names_type for row in rows],
            [row.names_version for row in rows],
            [row.names for row in rows],
            [_encoder.encode(row.kept) for row in rows],
        ],
    )


class PupilView(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil, as queries show them.

    Attributes:
        pupil_id: The pupil's id.
        version: What a change is made against.
        names: The names compartment.
        record: The record compartment.
        left_on: When the child left, if away.
        class_id: The class, for filters.
    """

    pupil_id: UUID
    version: int
    names: PupilNames
    record: PupilRecord
    left_on: date | None = None
    class_id: UUID | None = None


class ClassView(msgspec.Struct, frozen=True, kw_only=True):
    """A class, and the number of its pupils on the roll."""

    class_id: UUID
    class_name: str
    pupils: int


def find(
    connection: Connection,
    school_id: UUID,
    *,
    nc_year: str | None = None,
    class_id: UUID | None = None,
    on_roll: bool | None = True,
    after: UUID | None = None,
    limit: int | None = 100,
) -> list[PupilView]:
    """The pupils that fit, in the order of their ids.

    Args:
        connection: Bound to the school.
        school_id: The school.
        nc_year: Only this NC year.
        class_id: Only this class.
        on_roll: Only those at the school now, or only those who have left, or both.
        after: Only those after this id: where the last page ended.
        limit: The most to return; all, if none is given.
    """
    rows = connection.execute(
        SQL["find"],
        {
            "school": school_id,
            "nc_year": nc_year,
            "class_id": class_id,
            "on_roll": on_roll,
            "after": after,
            "limit": limit,
        },
        binary=True,
    )
    return [_view(row) for row in rows]


def get(connection: Connection, school_id: UUID, pupil_id: UUID) -> PupilView | None:
    """One pupil, if there is such a one."""
    row = connection.execute(SQL["of_many"], [school_id, [pupil_id]], binary=True).fetchone()
    return _view(row) if row else None


def classes(connection: Connection, school_id: UUID) -> list[ClassView]:
    """The classes that have pupils, by name."""
    views = [
        ClassView(class_id=class_id, class_name=_kept.decode(record).record.class_name or "", pupils=pupils)
        for class_id, record, pupils in connection.execute(SQL["classes"], [school_id], binary=True)
    ]
    return sorted(views, key=lambda view: view.class_name)


def _view(row: tuple[Any, ...]) -> PupilView:
    pupil_id, version, _, class_id, _, names_type, _, names, record = row
    kept = _kept.decode(record)
    return PupilView(
        pupil_id=pupil_id,
        version=version,
        names=MAPPER.open_part(names_type, Compartment.NAMES, names)["names"],
        record=kept.record,
        left_on=kept.left_on,
        class_id=class_id,
    )
