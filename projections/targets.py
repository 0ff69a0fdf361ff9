"""Current targets, sealed as they came. Of a child who has been erased there are no rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from domain.application.school_application import targets_of
from domain.events import Compartment, is_sealed
from domain.ledger.database import Connection
from domain.ledger.mapper import EventMapper, Origin, split
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent
from domain.targets import Target
from domain.vault import keystore
from domain.vault.keyring import Keyring
from projections.projection import Batches, Rows, Table

SQL = load("projections", "targets.sql")

NAME = "targets"


class _Row(NamedTuple):
    pupil_id: UUID
    target_id: UUID
    academic_year: int
    term: str
    scheme: str
    position: int
    type: str
    version: int
    record: bytes


TABLE = Table("targets", key=("pupil_id", "target_id"), columns=_Row._fields)


class TargetsProjection:
    """Keeps `projections.targets`."""

    name = NAME
    categories: tuple[str, ...] = ("target", "pupil.erased.")
    tables = (TABLE,)

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        """Writes what the events make of the targets that they are about."""
        mapper = EventMapper(keys)
        subjects = [mapper.subject_of(event) for event in events]
        keys.need(set(subjects))
        gone = {subject for subject in subjects if keys.is_erased(subject)}
        if gone:
            connection.execute(SQL["remove"], [keys.school_id, list(gone)])
        rows: dict[UUID, _Row] = {}
        dropped: dict[UUID, UUID] = {}
        for event, pupil_id in zip(events, subjects, strict=True):
            if pupil_id in gone:
                continue
            target_id, row = _said(mapper, event, pupil_id)
            rows.pop(target_id, None)
            dropped.pop(target_id, None)
            if row:
                rows[target_id] = row
            else:
                dropped[target_id] = pupil_id
        if rows:
            columns = [list(column) for column in zip(*rows.values(), strict=True)]
            connection.execute(SQL["upsert"], [keys.school_id, *columns])
        if dropped:
            connection.execute(SQL["drop"], [list(dropped.values()), list(dropped), keys.school_id])

    def fold(self, keys: Keyring, batches: Batches) -> Rows:
        """Every target as it was set last."""
        mapper = EventMapper(keys)
        rows: dict[UUID, _Row] = {}
        for events in batches:
            subjects = [mapper.subject_of(event) for event in events]
            keys.need(set(subjects))
            for event, pupil_id in zip(events, subjects, strict=True):
                if keys.is_erased(pupil_id):
                    continue
                target_id, row = _said(mapper, event, pupil_id)
                rows.pop(target_id, None)
                if row:
                    rows[target_id] = row
        return {TABLE.name: list(rows.values())}


PROJECTION = TargetsProjection()


def _said(mapper: EventMapper, event: RecordedEvent, pupil_id: UUID) -> tuple[UUID, _Row | None]:
    """Which target an event is about, and the row that it makes of it; none, if the target was removed.

    Raises:
        ValueError: It is not an event of a target.
    """
    parts = split(event.state)
    target_id: UUID = mapper.open_part(event, pupil_id, Compartment.OPEN, parts.open)["target_id"]
    name = event.topic.rpartition(".")[0]
    if name == "target.removed":
        return target_id, None
    if name != "target.set" or parts.record is None:
        raise ValueError(f"{name} is not an event of a target")
    target: Target = mapper.open_part(event, pupil_id, Compartment.RECORD, parts.record)["target"]
    return target_id, _Row(
        pupil_id,
        target_id,
        target.academic_year,
        target.term or "",
        target.scheme,
        event.id,
        event.topic,
        event.originator_version,
        parts.record,
    )


class TargetView(msgspec.Struct, frozen=True, kw_only=True):
    """A target, as queries show it."""

    target_id: UUID
    pupil_id: UUID
    target: Target
    position: int


def of_pupils(connection: Connection, keys: Keyring, pupil_ids: Iterable[UUID]) -> list[TargetView]:
    """The targets of some pupils, the latest academic year first."""
    rows = connection.execute(SQL["of_pupils"], [keys.school_id, list(pupil_ids)], binary=True).fetchall()
    subjects = {row[1] for row in rows}
    keys.give(subjects, keystore.of_subjects(connection, keys.school_id, subjects))
    mapper = EventMapper(keys)
    views = []
    for target_id, pupil_id, topic, version, record, position in rows:
        event = Origin(targets_of(pupil_id), version, topic)
        target = mapper.open_part(event, pupil_id, Compartment.RECORD, record)["target"]
        if not is_sealed(target):
            views.append(TargetView(target_id=target_id, pupil_id=pupil_id, target=target, position=position))
    return views
