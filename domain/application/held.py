"""What is held of a child, gathered from the events about that child: every kind, with all that became of it.

Bundles are made of this. It is plain data, ready to be written as JSON, and says of each thing how it stands
and every step that led there: corrected, voided and withdrawn entries are held like all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, cast
from uuid import UUID

import msgspec

import domain.attendance
import domain.pupil
from domain.academic_year import academic_year_label, academic_year_of
from domain.application.histories import originators_of_pupil
from domain.application.school_application import (
    PUPILS,
    SchoolApplication,
    assessments_of,
    attendance_of,
    is_of,
    targets_of,
)
from domain.assessment import STATEMENTS, Cell, Result, cell_of
from domain.attendance import year_bounds
from domain.attendance_summary import summarise
from domain.bundles.spelling import meaning_of_result
from domain.events import Event
from domain.ledger.stream import RecordedEvent
from domain.notes import notes_of
from domain.observation import Photograph, PhotographAdded, PhotographWithdrawn, observations_of
from domain.pupil import Pupil

PARTICULARS = "particulars"
LEAVING = "leaving"
CONCERNS = "concerns"
NOTES = "notes"
ASSESSMENTS = "assessments"
ATTENDANCE = "attendance"
TARGETS = "targets"
OBSERVATIONS = "observations"

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "pupil.admitted": PARTICULARS,
        "pupil.changed": PARTICULARS,
        "pupil.left": LEAVING,
        "pupil.returned": LEAVING,
        "pupil.concern-opened": CONCERNS,
        "pupil.concern-closed": CONCERNS,
        "note.written": NOTES,
        "note.changed": NOTES,
        "note.removed": NOTES,
        "assessment.recorded": ASSESSMENTS,
        "assessment.corrected": ASSESSMENTS,
        "assessment.voided": ASSESSMENTS,
        "attendance.marked": ATTENDANCE,
        "attendance.totalled": ATTENDANCE,
        "attendance.totals-voided": ATTENDANCE,
        "target.set": TARGETS,
        "target.removed": TARGETS,
        "observation.made": OBSERVATIONS,
        "observation.changed": OBSERVATIONS,
        "observation.withdrawn": OBSERVATIONS,
        "observation.photograph-added": OBSERVATIONS,
        "observation.photograph-withdrawn": OBSERVATIONS,
    }
)
"""Of which kind is what each event about a child says."""

NOT_HELD = MappingProxyType(
    {
        "pupil.erased": "nothing is held of a child who was erased",
        "pupil.snapshot": "it is made of the other events, and stands beside the stream",
    }
)
"""Events about a child that add nothing to what is held, and why."""

LOGS: Mapping[str, Callable[[UUID], UUID]] = MappingProxyType(
    {
        NOTES: notes_of,
        ASSESSMENTS: assessments_of,
        ATTENDANCE: attendance_of,
        TARGETS: targets_of,
        OBSERVATIONS: observations_of,
    }
)
"""The log in which a kind has its events; the others have theirs with the pupil."""

_IDS = {
    CONCERNS: "concern_id",
    NOTES: "note_id",
    ASSESSMENTS: "assessment_id",
    TARGETS: "target_id",
    OBSERVATIONS: "observation_id",
}
"""What tells one thing of a kind from another."""

_ENDS = {
    "note.removed": "removed",
    "pupil.concern-closed": "closed",
    "assessment.voided": "voided",
    "target.removed": "removed",
    "observation.withdrawn": "withdrawn",
}
"""How a thing stands after these; after any other, it is `current`."""

CURRENT = "current"
SUPERSEDED = "superseded"

_OF_A_STEP = {"reason", "photograph", "photograph_id"}
"""Fields that say something of a step, and not of the thing itself."""


class Placed(NamedTuple):
    """An event with its place in the stream."""

    stored: RecordedEvent
    event: Event


Who = Callable[[Any], str]
"""What people call whoever acted."""


def events_about(
    school: SchoolApplication, pupil_ids: Iterable[UUID], position: int, *kinds: str
) -> dict[UUID, list[Placed]]:
    """Everything that happened to some pupils up to a position, by pupil, each in the order of the stream.

    Args:
        school: The school.
        pupil_ids: The pupils.
        position: The last position that counts.
        *kinds: Only the logs of these kinds, besides the pupils' own; all, if none are given.

    Raises:
        MapperDeserialisationError: An event cannot be read; nothing is left out quietly.
    """
    owners: dict[UUID, UUID] = {}
    for pupil_id in pupil_ids:
        logs = [pupil_id, *(LOGS[kind](pupil_id) for kind in kinds if kind in LOGS)]
        owners |= dict.fromkeys(logs if kinds else originators_of_pupil(pupil_id), pupil_id)
    stored = school.stream.events_of_many(owners, up_to=position)
    found: dict[UUID, list[Placed]] = {pupil_id: [] for pupil_id in owners.values()}
    for place, event in zip(stored, school.read(stored), strict=True):
        found[owners[cast("UUID", place.originator_id)]].append(Placed(place, event))
    return found


def pupil_of(placed: Iterable[Placed]) -> Pupil | None:
    """The pupil after these events; nothing, if there was none."""
    return domain.pupil.fold(None, (event for _, event in placed if is_of(PUPILS, event.name)))


def every_field(part: msgspec.Struct) -> dict[str, Any]:
    """A struct with the fields that are as they are by default, too."""
    return {field: getattr(part, field) for field in part.__struct_fields__}


def of_kind(kind: str, placed: Iterable[Placed]) -> Iterator[Placed]:
    """Those of the events that say something of a kind."""
    return (each for each in placed if KINDS.get(each.event.name) == kind)


def said_by(event: Event) -> dict[str, Any]:
    """What an event says, but for who acted and whom it is about."""
    hidden = {"actor", "pupil_id", *_IDS.values()}
    fields = {field: getattr(event, field) for field in type(event).compartments() if field not in hidden}
    plain: dict[str, Any] = msgspec.to_builtins(fields, str_keys=True)
    return plain


def step(each: Placed, who: Who) -> dict[str, Any]:
    """An event as one of the steps of what is held."""
    return {
        "position": each.stored.id,
        "at": each.stored.recorded_at.isoformat(),
        "by": who(each.event.actor),
        "event": each.event.name,
        **said_by(each.event),
    }


def steps(kind: str, placed: Iterable[Placed], who: Who) -> list[dict[str, Any]]:
    """Every step of a kind, in the order in which they happened."""
    return [step(each, who) for each in of_kind(kind, placed)]


def things(kind: str, placed: Iterable[Placed], who: Who) -> list[dict[str, Any]]:
    """The things of a kind, in the order in which they were first written.

    Each has its id, `state` (`current`, or how it ended), its fields as they stand or last stood, and its
    `steps`.
    """
    field = _IDS[kind]
    found: dict[UUID, dict[str, Any]] = {}
    for each in of_kind(kind, placed):
        thing_id = getattr(each.event, field)
        before = found.get(thing_id, {field: str(thing_id), "steps": []})
        now = {name: value for name, value in said_by(each.event).items() if name not in _OF_A_STEP}
        found[thing_id] = {
            **before,
            **now,
            "state": _ENDS.get(each.event.name, CURRENT),
            "steps": [*before["steps"], step(each, who)],
        }
    return list(found.values())


def assessments(
    placed: Sequence[Placed], who: Who, statements: Mapping[UUID, dict[str, Any]]
) -> list[dict[str, Any]]:
    """The assessments and judgements of statements, with what each means.

    An entry is `current`, `superseded` by a later one of the same, or `voided`; `corrected` says whether it
    read otherwise once.

    Args:
        placed: The events about the child.
        who: What people call whoever acted.
        statements: The school's statements, by id, as the bundle shows them.
    """
    newest: dict[Cell, str] = {}
    found = things(ASSESSMENTS, placed, who)
    results = {each["assessment_id"]: msgspec.convert(each["result"], Result) for each in found}
    for each in found:
        if each["state"] == CURRENT:
            newest[cell_of(results[each["assessment_id"]])] = each["assessment_id"]
    for each in found:
        result = results[each["assessment_id"]]
        if each["state"] == CURRENT and newest[cell_of(result)] != each["assessment_id"]:
            each["state"] = SUPERSEDED
        each["corrected"] = any(one["event"] == "assessment.corrected" for one in each["steps"])
        each["meaning"] = meaning_of_result(result)
        if result.statement is not None:
            each["statement"] = statements.get(result.statement)
    return found


def is_judgement(assessment: Mapping[str, Any]) -> bool:
    """Whether an assessment is the judgement of a statement."""
    return bool(assessment["result"]["scheme"] == STATEMENTS)


def attendance(placed: Sequence[Placed], pupil: Pupil) -> dict[str, Any]:
    """The marks that stand, the totals that stand, and what they come to in each academic year."""
    kept = domain.attendance.fold(event for _, event in of_kind(ATTENDANCE, placed))
    days: dict[str, dict[str, str]] = {}
    for session, mark in sorted(kept.marks.items()):
        days.setdefault(session.day.isoformat(), {})[session.half.lower()] = mark
    whole = pupil.record.attendance
    of_record = {whole.academic_year: whole} if whole else {}
    years = {academic_year_of(session.day) for session in kept.marks}
    years |= {academic_year_of(totals.first_day) for totals in kept.totals.values()} | of_record.keys()
    summaries = [
        {
            "academic_year": academic_year_label(year),
            **msgspec.to_builtins(
                summarise(*year_bounds(year), kept.marks, kept.totals.values(), of_record), str_keys=True
            ),
        }
        for year in sorted(years)
    ]
    return {
        "summaries": summaries,
        "marks": [{"date": day, **marks} for day, marks in days.items()],
        "totals": [msgspec.to_builtins(kept.totals[first]) for first in sorted(kept.totals)],
    }


class HeldPhotograph(NamedTuple):
    """A photograph of an observation, one that was withdrawn too: it is held until the child is erased.

    Attributes:
        pupil_id: The child.
        observation_id: The observation.
        photograph: What its event says of it.
        withdrawn: It, or its observation, is not shown any more.
    """

    pupil_id: UUID
    observation_id: UUID
    photograph: Photograph
    withdrawn: bool


def photographs(placed: Sequence[Placed]) -> list[HeldPhotograph]:
    """The photographs of a child, in the order in which they were attached."""
    gone = {event.photograph_id for _, event in placed if isinstance(event, PhotographWithdrawn)}
    withdrawn = {
        event.observation_id  # type: ignore[attr-defined]
        for _, event in placed
        if event.name == "observation.withdrawn"
    }
    return [
        HeldPhotograph(
            event.pupil_id,
            event.observation_id,
            event.photograph,
            event.photograph.id in gone or event.observation_id in withdrawn,
        )
        for _, event in placed
        if isinstance(event, PhotographAdded)
    ]
