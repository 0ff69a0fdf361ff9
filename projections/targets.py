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


class TargetsProjection:
    """Keeps `projections.targets`."""

    name = NAME
    categories: tuple[str, ...] = ("target", "pupil.erased.")

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
            parts = split(event.state)
            target_id = mapper.open_part(event, pupil_id, Compartment.OPEN, parts.open)["target_id"]
            rows.pop(target_id, None)
            dropped.pop(target_id, None)
            match event.topic.rpartition(".")[0]:
                case "target.set":
                    assert parts.record is not None
                    target: Target = mapper.open_part(event, pupil_id, Compartment.RECORD, parts.record)[
                        "target"
                    ]
                    rows[target_id] = _Row(
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
                case "target.removed":
                    dropped[target_id] = pupil_id
                case name:
                    raise ValueError(f"{name} is not an event of a target")
        if rows:
            columns = [list(column) for column in zip(*rows.values(), strict=True)]
            connection.execute(SQL["upsert"], [keys.school_id, *columns])
        if dropped:
            connection.execute(SQL["drop"], [list(dropped.values()), list(dropped), keys.school_id])


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
