"""Assessments: one, a whole class sheet at once, and what was wrong corrected."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

import projections.assessments
import projections.pupils
from api.callers import Caller, signed_in
from api.encoding import Answer, ReadQuery, Sent, body, query
from api.reading import reading
from api.routing import Routes
from api.showing import Shown
from api.views import alias_for, names_for
from domain.academic_year import AssessmentPoint, Term
from domain.access import Permission
from domain.application.assessing import Entry, correct, record
from domain.errors import NotFound
from domain.usage import ReadKind

routes = Routes("assessments")

AcademicYear = Annotated[int, msgspec.Meta(ge=1990, le=2100)]
"""The year in which an academic year starts."""

MOST_ENTRIES = 5000


class NewAssessment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A judgement on the steps scale."""

    academic_year: AcademicYear
    term: Term
    subject: str
    value: str
    assessed_on: date | None = None


class Correction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an assessment should have been."""

    value: str
    reason: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class SheetEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One judgement on a class sheet."""

    pupil_id: UUID
    subject: str
    value: str


class NewSheet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The judgements of a class sheet."""

    academic_year: AcademicYear
    term: Term
    entries: Annotated[list[SheetEntry], msgspec.Meta(max_length=MOST_ENTRIES)]
    assessed_on: date | None = None


class AssessmentKept(msgspec.Struct, frozen=True, kw_only=True):
    """The assessment that a command was about."""

    assessment_id: UUID
    position: int


class SheetKept(msgspec.Struct, frozen=True, kw_only=True):
    """The assessments that were recorded, in the order of the entries."""

    assessment_ids: list[UUID]
    position: int


class SheetQuery(ReadQuery, frozen=True, kw_only=True):
    """Which sheet."""

    academic_year: AcademicYear
    term: Term


class SheetCell(msgspec.Struct, frozen=True, kw_only=True):
    """A result on a sheet."""

    assessment_id: UUID
    value: str
    corrected: bool


class SheetRow(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil on a sheet: results by subject, and an alias for those who may not see names."""

    pupil_id: UUID
    alias: str | None
    surname: str | None
    forename: str | None
    results: dict[str, SheetCell]


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A class sheet.

    Attributes:
        class_name: The class.
        point: The term.
        subjects: The subjects that there are results in.
        pupils: Those who are in the class now, by name where the reader may see names.
        position: It shows everything up to this position of the school's stream.
    """

    class_name: str
    point: AssessmentPoint
    subjects: list[str]
    pupils: list[SheetRow]
    position: int


@routes.post("/v1/pupils/{pupil_id}/assessments", status_code=201)
def record_assessment(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES)],
    pupil_id: UUID,
    sent: Annotated[Sent[NewAssessment], body(NewAssessment)],
) -> Answer[AssessmentKept]:
    """Record a judgement."""
    given = sent.value
    caller.school.pupil(pupil_id)
    outcome = record(
        caller.school,
        AssessmentPoint(given.academic_year, given.term),
        [Entry(pupil_id, given.subject, given.value)],
        caller.actor,
        assessed_on=given.assessed_on,
        only_classes=caller.only_classes,
        command=sent.command,
    )
    kept = AssessmentKept(assessment_id=outcome.result.assessment_ids[0], position=outcome.position)
    return Answer(kept, 201, position=outcome.position, repeated=outcome.repeated)


@routes.post("/v1/pupils/{pupil_id}/assessments/{assessment_id}/corrections", status_code=201)
def correct_assessment(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES)],
    pupil_id: UUID,
    assessment_id: UUID,
    sent: Annotated[Sent[Correction], body(Correction)],
) -> Answer[AssessmentKept]:
    """Correct a judgement; what was first entered stays."""
    outcome = correct(
        caller.school,
        pupil_id,
        assessment_id,
        sent.value.value,
        caller.actor,
        reason=sent.value.reason,
        only_classes=caller.only_classes,
        command=sent.command,
    )
    kept = AssessmentKept(assessment_id=outcome.result.assessment_id, position=outcome.position)
    return Answer(kept, 201, position=outcome.position, repeated=outcome.repeated)


@routes.post("/v1/sheets", status_code=201)
def record_sheet(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES)],
    sent: Annotated[Sent[NewSheet], body(NewSheet)],
) -> Answer[SheetKept]:
    """Record a class sheet: all of its judgements, or none."""
    given = sent.value
    outcome = record(
        caller.school,
        AssessmentPoint(given.academic_year, given.term),
        [Entry(entry.pupil_id, entry.subject, entry.value) for entry in given.entries],
        caller.actor,
        assessed_on=given.assessed_on,
        only_classes=caller.only_classes,
        command=sent.command,
    )
    kept = SheetKept(assessment_ids=outcome.result.assessment_ids, position=outcome.position)
    return Answer(kept, 201, position=outcome.position, repeated=outcome.repeated)


@routes.get("/v1/classes/{class_id}/sheet")
def read_sheet(
    caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    asked: Annotated[SheetQuery, query(SheetQuery)],
    class_id: UUID,
) -> Shown[Sheet]:
    """Read a class sheet: pupils by subject for a term."""
    point = AssessmentPoint(asked.academic_year, asked.term)
    names = (projections.pupils.NAME, projections.assessments.NAME)
    with reading(caller, asked.min_position, *names) as read:
        views = projections.pupils.find(read.connection, caller.school.keys, class_id=class_id, limit=None)
        if not views:
            raise NotFound("This school has no class with that id")
        pupil_ids = [view.pupil_id for view in views]
        results = projections.assessments.sheet(read.connection, caller.school.keys, pupil_ids, point)
    rows: dict[UUID, dict[str, SheetCell]] = {pupil_id: {} for pupil_id in pupil_ids}
    for each in results:
        rows[each.pupil_id][each.result.subject] = SheetCell(
            assessment_id=each.assessment_id, value=each.result.value, corrected=each.corrected
        )
    pupils = []
    for view in views:
        shown = names_for(caller, view.names)
        pupils.append(
            SheetRow(
                pupil_id=view.pupil_id,
                alias=alias_for(caller, view.pupil_id),
                surname=shown.surname if shown else None,
                forename=shown.forename if shown else None,
                results=rows[view.pupil_id],
            )
        )
    # The order must not tell what the names do not: those without stay in the order of their ids.
    pupils.sort(key=lambda row: ((row.surname or "").casefold(), (row.forename or "").casefold()))
    return Shown(
        caller,
        ReadKind.SHEET,
        pupil_ids,
        Sheet(
            class_name=views[0].record.class_name or "",
            point=point,
            subjects=sorted({subject for row in rows.values() for subject in row}),
            pupils=pupils,
            position=read.position,
        ),
    )
