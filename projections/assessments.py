"""The newest result of each pupil in each cell, sealed as it came.

A cell is a scheme, a subject and a period. A later entry in the same cell takes its place; a correction
takes the place of the entry that it corrects, unless a later one stands there already. Of a child who has
been erased there are no rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from domain.academic_year import AssessmentPoint, Term
from domain.application.school_application import assessments_of
from domain.assessment import STEPS, Result
from domain.events import Compartment, is_sealed
from domain.ledger.database import Connection
from domain.ledger.mapper import EventMapper, Origin, split
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent
from domain.vault import keystore
from domain.vault.keyring import Keyring

SQL = load("projections", "assessments.sql")

NAME = "assessments"


class _Key(NamedTuple):
    pupil_id: UUID
    academic_year: int
    term: str
    cell: str


class _Row(NamedTuple):
    assessment_id: UUID
    position: int
    type: str
    version: int
    record: bytes


class AssessmentsProjection:
    """Keeps `projections.assessments`."""

    name = NAME
    categories = ("assessment", "pupil.erased.")

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        """Writes what the events make of the cells that they are about."""
        mapper = EventMapper(keys)
        subjects = [mapper.subject_of(event) for event in events]
        keys.need(set(subjects))
        gone = {subject for subject in subjects if keys.is_erased(subject)}
        if gone:
            connection.execute(SQL["remove"], [keys.school_id, list(gone)])
        entries = [
            _entry(mapper, event, subject)
            for event, subject in zip(events, subjects, strict=True)
            if subject not in gone
        ]
        before = _stored(connection, keys.school_id, {key for key, _ in entries}) if entries else {}
        after: dict[_Key, _Row] = {}
        for key, row in entries:
            there = after.get(key)
            known = there.assessment_id if there else before.get(key)
            if known is None or row.type.startswith("assessment.recorded.") or known == row.assessment_id:
                after[key] = row
        if after:
            _write(connection, keys.school_id, after)


def _entry(mapper: EventMapper, event: RecordedEvent, pupil_id: UUID) -> tuple[_Key, _Row]:
    parts = split(event.state)
    assert parts.record is not None
    said = mapper.open_part(event, pupil_id, Compartment.OPEN, parts.open)
    result: Result = mapper.open_part(event, pupil_id, Compartment.RECORD, parts.record)["result"]
    key = _Key(pupil_id, result.academic_year, result.term or "", _cell(result))
    return key, _Row(said["assessment_id"], event.id, event.topic, event.originator_version, parts.record)


def _cell(result: Result) -> str:
    parts = (result.component, result.stage, result.method, result.qualifier)
    return "/".join((result.scheme, result.subject, *(part or "" for part in parts)))


def _stored(connection: Connection, school_id: UUID, keys: Iterable[_Key]) -> dict[_Key, UUID]:
    """The assessments that stand in some cells."""
    columns = [list(column) for column in zip(*keys, strict=True)]
    rows = connection.execute(SQL["of_keys"], [*columns, school_id], binary=True)
    return {_Key(*key): assessment_id for *key, assessment_id in rows}


def _write(connection: Connection, school_id: UUID, rows: dict[_Key, _Row]) -> None:
    keys = [list(column) for column in zip(*rows, strict=True)]
    values = rows.values()
    connection.execute(
        SQL["upsert"],
        [
            school_id,
            *keys,
            [row.assessment_id for row in values],
            [row.position for row in values],
            [row.type for row in values],
            [row.version for row in values],
            [row.record for row in values],
        ],
    )


class AssessmentView(msgspec.Struct, frozen=True, kw_only=True):
    """A result, as queries show it."""

    assessment_id: UUID
    pupil_id: UUID
    result: Result
    corrected: bool
    position: int


def latest(connection: Connection, keys: Keyring, pupil_id: UUID) -> list[AssessmentView]:
    """A pupil's newest result in each cell, the newest academic year first."""
    rows = connection.execute(SQL["latest"], [keys.school_id, pupil_id], binary=True)
    return _views(connection, keys, rows.fetchall())


def sheet(
    connection: Connection,
    keys: Keyring,
    pupil_ids: Iterable[UUID],
    point: AssessmentPoint,
    scheme: str = STEPS,
) -> list[AssessmentView]:
    """The results of some pupils at an assessment point."""
    rows = connection.execute(
        SQL["sheet"],
        [keys.school_id, list(pupil_ids), point.academic_year, point.term.value, scheme],
        binary=True,
    )
    return _views(connection, keys, rows.fetchall())


def at_points(
    connection: Connection, keys: Keyring, points: Sequence[AssessmentPoint], scheme: str = STEPS
) -> Iterator[Result]:
    """Every result of the school at some assessment points.

    Args:
        connection: Bound to the school, of the worker's role.
        keys: What opens the results.
        points: The points.
        scheme: The scale.
    """
    rows = connection.execute(
        SQL["at_points"],
        [
            keys.school_id,
            [point.academic_year for point in points],
            [point.term.value for point in points],
            scheme,
        ],
        binary=True,
    ).fetchall()
    keys.need({row[1] for row in rows})
    return (view.result for view in _opened(keys, rows))


def terms(connection: Connection, school_id: UUID) -> set[AssessmentPoint]:
    """The assessment points that the school has any result at."""
    rows = connection.execute(SQL["terms"], [school_id], binary=True)
    return {AssessmentPoint(year, Term(term)) for year, term in rows}


def _views(connection: Connection, keys: Keyring, rows: Sequence[tuple[Any, ...]]) -> list[AssessmentView]:
    pupil_ids = {row[1] for row in rows}
    keys.give(pupil_ids, keystore.of_subjects(connection, keys.school_id, pupil_ids))
    return list(_opened(keys, rows))


def _opened(keys: Keyring, rows: Sequence[tuple[Any, ...]]) -> Iterator[AssessmentView]:
    """The rows as views, but for those of children who have been erased."""
    mapper = EventMapper(keys)
    for assessment_id, pupil_id, topic, version, record, position in rows:
        event = Origin(assessments_of(pupil_id), version, topic)
        result = mapper.open_part(event, pupil_id, Compartment.RECORD, record)["result"]
        if not is_sealed(result):
            yield AssessmentView(
                assessment_id=assessment_id,
                pupil_id=pupil_id,
                result=result,
                corrected=topic.startswith("assessment.corrected."),
                position=position,
            )
