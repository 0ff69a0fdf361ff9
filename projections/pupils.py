"""The current pupils.

The names compartment is copied from the newest event that has one, sealed as it came, with what it takes to
open
it: whose event it was, of which type and version. The record compartment is merged, since changes to it come
in pieces, and sealed again, for its row. Of a child who has been erased there is no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, cast
from uuid import UUID

import msgspec
from msgspec.structs import replace

from domain.academic_year import Term
from domain.errors import KeyNotHeld
from domain.events import Compartment, Sealed
from domain.ledger.database import Connection
from domain.ledger.mapper import EventMapper, split
from domain.ledger.sealing import generation_of, place_of_row, seal, unseal
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent
from domain.pupil import Away, PupilNames, PupilRecord, RecordChange
from domain.vault.aliases import class_id_of
from domain.vault.keyring import Keyring
from projections.projection import Batches, Row, Rows, Table

SQL = load("projections", "pupils.sql")

NAME = "pupils"
TABLE = "projections.pupils"

# Looking up a member of an enumeration costs as much as reading a date, and would be done for every row.
_NAMES, _RECORD = Compartment.NAMES, Compartment.RECORD


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the row's `record` column holds.

    Attributes:
        record: The record compartment.
        left_on: When the child left, if away.
        active_concerns: How many concerns the school has about the child.
        term_of_birth: The term of birth, where an event has said it.
    """

    record: PupilRecord
    left_on: date | None = None
    active_concerns: int = 0
    away: tuple[Away, ...] = ()
    term_of_birth: Term | None = None


_encoder = msgspec.msgpack.Encoder()
_kept = msgspec.msgpack.Decoder(Kept)


class _Row(msgspec.Struct):
    """A row in the making."""

    pupil_id: UUID
    version: int
    names_type: str
    names_version: int
    names: bytes
    kept: Kept


def _columns(keys: Keyring, row: _Row) -> Row:
    """A row as it is written: its values in the order of the columns."""
    record = row.kept.record
    return (
        row.pupil_id,
        row.version,
        record.nc_year,
        class_id_of(keys, record.class_name) if record.class_name else None,
        row.kept.left_on is None,
        row.names_type,
        row.names_version,
        row.names,
        seal(
            keys.to_seal(row.pupil_id, _RECORD),
            _encoder.encode(row.kept),
            _place(keys, row.pupil_id, row.version),
        ),
    )


def _kept_in(keys: Keyring, row: Row) -> bytes:
    """What is in a row's record column."""
    pupil_id, version, *_, record = row
    return _encoder.encode(kept_of(keys, pupil_id, version, record))


TABLE_OF_PUPILS = Table(
    "pupils",
    key=("pupil_id",),
    columns=(
        "pupil_id",
        "version",
        "nc_year",
        "class_id",
        "on_roll",
        "names_type",
        "names_version",
        "names",
        "record",
    ),
    opened={"record": _kept_in},
)


class PupilsProjection:
    """Keeps `projections.pupils`."""

    name = NAME
    categories = ("pupil",)
    tables = (TABLE_OF_PUPILS,)

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        """Writes what the events make of the pupils that they are about."""
        mapper = EventMapper(keys)
        pupil_ids = {cast("UUID", event.originator_id) for event in events}
        keys.need((*pupil_ids, keys.school_id))
        gone = {pupil_id for pupil_id in pupil_ids if keys.is_erased(pupil_id)}
        rows = {
            row[0]: _row(keys, row)
            for row in connection.execute(
                SQL["of_many"], [keys.school_id, list(pupil_ids - gone)], binary=True
            )
        }
        for event in events:
            pupil_id = cast("UUID", event.originator_id)
            if pupil_id not in gone:
                rows[pupil_id] = _after(mapper, rows.get(pupil_id), event)
        if gone:
            connection.execute(SQL["remove"], [keys.school_id, list(gone)])
        if rows:
            columns = zip(*(_columns(keys, row) for row in rows.values()), strict=True)
            connection.execute(SQL["upsert"], [keys.school_id, *map(list, columns)])

    def fold(self, keys: Keyring, batches: Batches) -> Rows:
        """Every pupil as the events describe them."""
        mapper = EventMapper(keys)
        rows: dict[UUID, _Row] = {}
        for events in batches:
            keys.need({keys.school_id, *(cast("UUID", event.originator_id) for event in events)})
            for event in events:
                pupil_id = cast("UUID", event.originator_id)
                if not keys.is_erased(pupil_id):
                    rows[pupil_id] = _after(mapper, rows.get(pupil_id), event)
        return {TABLE_OF_PUPILS.name: [_columns(keys, row) for row in rows.values()]}


PROJECTION = PupilsProjection()


def _place(keys: Keyring, pupil_id: UUID, version: int) -> bytes:
    return place_of_row(keys.school_id, TABLE, pupil_id.bytes + version.to_bytes(8))


def _row(keys: Keyring, row: tuple[Any, ...]) -> _Row:
    pupil_id, version, names_type, names_version, names, record = row
    kept = kept_of(keys, pupil_id, version, record)
    return _Row(pupil_id, version, names_type, names_version, names, kept)


def kept_of(keys: Keyring, pupil_id: UUID, version: int, record: bytes) -> Kept:
    """What the `record` column of a row holds, opened with keys that are at hand.

    Raises:
        KeyNotHeld: There is none.
        DoesNotOpen: It was damaged, or moved here from another row or version.
    """
    cipher = keys.to_open(pupil_id, _RECORD, generation_of(record))
    if cipher is None:
        raise KeyNotHeld("The key of a pupil's record is missing")
    return _kept.decode(unseal(cipher, record, _place(keys, pupil_id, version)))


def _after(mapper: EventMapper, row: _Row | None, event: RecordedEvent) -> _Row:
    name = event.topic.rpartition(".")[0]
    parts = split(event.state)
    pupil_id = cast("UUID", event.originator_id)
    said = mapper.open_part(event, pupil_id, _RECORD, parts.record)
    if name == "pupil.admitted":
        assert parts.names is not None
        kept = Kept(said["record"], term_of_birth=said["term_of_birth"])
        return _Row(
            pupil_id, event.originator_version, event.topic, event.originator_version, parts.names, kept
        )
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
                row.kept = replace(row.kept, record=change.applied_to(row.kept.record))
            if said.get("term_of_birth"):
                row.kept = replace(row.kept, term_of_birth=said["term_of_birth"])
        case "pupil.left":
            row.kept = replace(row.kept, left_on=said["left_on"])
        case "pupil.returned":
            away = row.kept.away
            if row.kept.left_on is not None:
                away = (*away, Away(left_on=row.kept.left_on, returned_on=said["returned_on"]))
            row.kept = replace(row.kept, left_on=None, away=away)
        case "pupil.concern-opened":
            row.kept = replace(row.kept, active_concerns=row.kept.active_concerns + 1)
        case "pupil.concern-closed":
            row.kept = replace(row.kept, active_concerns=row.kept.active_concerns - 1)
        case _:
            raise ValueError(f"{name} is not an event of a pupil")
    return row


class PupilView(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil, as queries show them.

    Attributes:
        pupil_id: The pupil's id.
        version: What a change is made against.
        names: The names compartment; sealed, for those who hold no key to it.
        record: The record compartment.
        left_on: When the child left, if away.
        class_id: The class, for filters.
        active_concerns: How many concerns the school has about the child.
        away: The times between leaving and coming back.
    """

    pupil_id: UUID
    version: int
    names: PupilNames
    record: PupilRecord
    left_on: date | None = None
    class_id: UUID | None = None
    active_concerns: int = 0
    away: tuple[Away, ...] = ()


class ClassView(msgspec.Struct, frozen=True, kw_only=True):
    """A class, and the number of its pupils on the roll."""

    class_id: UUID
    class_name: str
    pupils: int


def find(
    connection: Connection,
    keys: Keyring,
    *,
    pupil_id: UUID | None = None,
    nc_year: str | None = None,
    class_id: UUID | None = None,
    on_roll: bool | None = True,
    after: UUID | None = None,
    limit: int | None = 100,
) -> list[PupilView]:
    """The pupils that fit, in the order of their ids.

    Args:
        connection: Bound to the school.
        keys: What the reader holds of the school's keys.
        pupil_id: Only this pupil.
        nc_year: Only this NC year.
        class_id: Only this class.
        on_roll: Only those at the school now, or only those who have left, or both.
        after: Only those after this id: where the last page ended.
        limit: The most to return; all, if none is given.
    """
    rows = connection.execute(
        SQL["find"],
        {
            "school": keys.school_id,
            "pupil_id": pupil_id,
            "nc_year": nc_year,
            "class_id": class_id,
            "on_roll": on_roll,
            "after": after,
            "limit": limit,
        },
        binary=True,
    )
    mapper = EventMapper(keys)
    return [_view(mapper, keys, row) for row in rows.fetchall()]


def get(connection: Connection, keys: Keyring, pupil_id: UUID) -> PupilView | None:
    """One pupil, if there is such a one."""
    views = find(connection, keys, pupil_id=pupil_id, on_roll=None)
    return views[0] if views else None


def classes(connection: Connection, keys: Keyring) -> list[ClassView]:
    """The classes that have pupils, by name."""
    rows = connection.execute(SQL["classes"], [keys.school_id], binary=True)
    views = []
    for class_id, pupil_id, version, record, packed, pupils in rows.fetchall():
        name = _opened(keys, pupil_id, version, record, packed).record.class_name
        views.append(ClassView(class_id=class_id, class_name=name or "", pupils=pupils))
    return sorted(views, key=lambda view: view.class_name)


def _view(mapper: EventMapper, keys: Keyring, row: tuple[Any, ...]) -> PupilView:
    """A row of `find`, opened with the keys that came with it."""
    pupil_id, version, class_id, names_type, names_version, names, record, packed = row
    kept = _opened(keys, pupil_id, version, record, packed)
    place = mapper.place_of(pupil_id, names_version, names_type, _NAMES)
    opened = keys.opened(_NAMES, pupil_id, packed, names, place)
    return PupilView(
        pupil_id=pupil_id,
        version=version,
        names=mapper.read_part(names_type, _NAMES, opened)["names"],
        record=kept.record,
        left_on=kept.left_on,
        class_id=class_id,
        active_concerns=kept.active_concerns,
        away=kept.away,
    )


def _opened(keys: Keyring, pupil_id: UUID, version: int, record: bytes, packed: bytes) -> Kept:
    """What a row's record column holds.

    Raises:
        KeyNotHeld: There is no key to it.
        DoesNotOpen: It was damaged, or moved here from another row or version.
    """
    place = _place(keys, pupil_id, version)
    opened = keys.opened(_RECORD, pupil_id, packed, record, place)
    if isinstance(opened, Sealed):
        raise KeyNotHeld("The key of a pupil's record is missing")
    return _kept.decode(opened)
