"""The newest result of each pupil in each cell, and from them what the school contributes to benchmarks.

A cell is a scheme, a subject and a period. A later entry in the same cell takes its place; a correction takes
the place of the entry that it corrects, unless a later one stands there already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from domain.academic_year import AssessmentPoint, Term
from domain.application.school_application import MAPPER
from domain.assessment import STEPS, Result
from domain.codes.steps import standing
from domain.events import Compartment
from domain.ledger.database import Connection
from domain.ledger.mapper import split
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent

SQL = load("projections", "assessments.sql")

NAME = "assessments"


class _Key(NamedTuple):
    pupil_id: UUID
    academic_year: int
    term: str
    cell: str


class _Row(NamedTuple):
    assessment_id: UUID
    result: Result
    position: int
    type: str
    version: int
    record: bytes


class _Group(NamedTuple):
    """What contributions are counted by."""

    academic_year: int
    term: str
    subject: str
    nc_year: str


class AssessmentsProjection:
    """Keeps `projections.assessments` and `projections.contributions`."""

    name = NAME
    categories = ("assessment",)

    def apply(self, connection: Connection, school_id: UUID, events: Sequence[RecordedEvent]) -> None:
        """Writes what the events make of the cells that they are about, and of the counts."""
        entries = [_entry(event) for event in events]
        before = _stored(connection, school_id, {key for key, _ in entries})
        after: dict[_Key, _Row] = {}
        for key, row in entries:
            there = after.get(key)
            known = there.assessment_id if there else before[key][0] if key in before else None
            if known is None or row.type.startswith("assessment.recorded.") or known == row.assessment_id:
                after[key] = row
        if after:
            _write(connection, school_id, after)
            _contribute(connection, school_id, before, after)


def _entry(event: RecordedEvent) -> tuple[_Key, _Row]:
    parts = split(event.state)
    assert parts.record is not None
    said = MAPPER.open_part(event.topic, Compartment.OPEN, parts.open)
    result: Result = MAPPER.open_part(event.topic, Compartment.RECORD, parts.record)["result"]
    key = _Key(said["pupil_id"], result.academic_year, result.term or "", _cell(result))
    return key, _Row(
        said["assessment_id"], result, event.id, event.topic, event.originator_version, parts.record
    )


def _cell(result: Result) -> str:
    parts = (result.component, result.stage, result.method, result.qualifier)
    return "/".join((result.scheme, result.subject, *(part or "" for part in parts)))


def _stored(connection: Connection, school_id: UUID, keys: Iterable[_Key]) -> dict[_Key, tuple[UUID, Result]]:
    columns = [list(column) for column in zip(*keys, strict=True)]
    return {
        _Key(pupil_id, academic_year, term, cell): (assessment_id, _result(topic, record))
        for pupil_id, academic_year, term, cell, assessment_id, topic, record in connection.execute(
            SQL["of_keys"], [*columns, school_id], binary=True
        )
    }


def _result(topic: str, record: bytes) -> Result:
    result: Result = MAPPER.open_part(topic, Compartment.RECORD, record)["result"]
    return result


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


def _contribute(
    connection: Connection,
    school_id: UUID,
    before: dict[_Key, tuple[UUID, Result]],
    after: dict[_Key, _Row],
) -> None:
    changes: dict[_Group, dict[str, int]] = defaultdict(lambda: {"below": 0, "at": 0, "above": 0})
    for key, row in after.items():
        if key in before and (old := _counted(before[key][1])):
            changes[old[0]][old[1]] -= 1
        if new := _counted(row.result):
            changes[new[0]][new[1]] += 1
    changed = {group: counts for group, counts in changes.items() if any(counts.values())}
    if changed:
        groups = [list(column) for column in zip(*changed, strict=True)]
        counts = [[counted[place] for counted in changed.values()] for place in ("below", "at", "above")]
        connection.execute(SQL["contribute"], [school_id, *groups, *counts])


def _counted(result: Result) -> tuple[_Group, str] | None:
    """Where a result counts, and as what; nowhere, if nothing is expected of it."""
    if result.scheme != STEPS or result.term is None or result.nc_year is None:
        return None
    place = standing(result.value, result.nc_year, Term(result.term))
    if place is None:
        return None
    return _Group(result.academic_year, result.term, result.subject, result.nc_year), place


class AssessmentView(msgspec.Struct, frozen=True, kw_only=True):
    """A result, as queries show it."""

    assessment_id: UUID
    pupil_id: UUID
    result: Result
    corrected: bool
    position: int


def latest(connection: Connection, school_id: UUID, pupil_id: UUID) -> list[AssessmentView]:
    """A pupil's newest result in each cell, the newest academic year first."""
    return [_view(row) for row in connection.execute(SQL["latest"], [school_id, pupil_id], binary=True)]


def sheet(
    connection: Connection,
    school_id: UUID,
    pupil_ids: Iterable[UUID],
    point: AssessmentPoint,
    scheme: str = STEPS,
) -> list[AssessmentView]:
    """The results of some pupils at an assessment point."""
    rows = connection.execute(
        SQL["sheet"], [school_id, list(pupil_ids), point.academic_year, point.term.value, scheme], binary=True
    )
    return [_view(row) for row in rows]


def _view(row: tuple[Any, ...]) -> AssessmentView:
    assessment_id, pupil_id, topic, record, position = row
    return AssessmentView(
        assessment_id=assessment_id,
        pupil_id=pupil_id,
        result=_result(topic, record),
        corrected=topic.startswith("assessment.corrected."),
        position=position,
    )
