"""Assessments in any scheme: one, a whole class sheet at once; what was wrong corrected or voided."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

import projections.assessments
import projections.pupils
import projections.targets
from api.callers import Caller, signed_in
from api.encoding import Answer, ReadQuery, Sent, body, query
from api.reading import reading
from api.routing import Routes
from api.showing import Shown
from api.views import alias_for, names_for
from domain.academic_year import Term, when
from domain.access import Permission
from domain.application.assessing import Entry, correct, record, void
from domain.assessment import STATEMENTS, STEPS, meaning_of, version_for
from domain.errors import Finding, InvalidInput, NotFound
from domain.schemes.catalogue import EYFS_PROFILE
from domain.schemes.early_years import good_level_of_development
from domain.schemes.scheme import SchemeVersion, Standing
from domain.usage import ReadKind
from projections.assessments import AssessmentView

routes = Routes("assessments")

AcademicYear = Annotated[int, msgspec.Meta(ge=1990, le=2100)]
"""The year in which an academic year starts."""

MOST_ENTRIES = 5000


class NewAssessment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A judgement or result.

    Attributes:
        academic_year: The year in which the academic year starts.
        term: The term or half-term; left out for the result of a whole year.
        scheme: The scale, as `GET /v1/schemes` names it.
        subject: The code of what is measured, as the scheme lists it.
        value: A value of the scheme.
        assessed_on: The day, where it is known.
    """

    academic_year: AcademicYear
    term: Term | None = None
    scheme: str = STEPS
    subject: str
    value: str
    assessed_on: date | None = None


class Correction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an assessment should have been."""

    value: str
    reason: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class Voiding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an assessment should not be there."""

    reason: Annotated[str, msgspec.Meta(max_length=1000)]


class SheetEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One judgement or result on a class sheet.

    Attributes:
        pupil_id: The pupil.
        subject: The code of what is measured; may be left out for a statement.
        value: A value of the scheme.
        statement_id: The statement that is judged, for the scheme `statements`.
    """

    pupil_id: UUID
    subject: str = ""
    value: str
    statement_id: UUID | None = None


class NewSheet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The judgements or results of a class sheet, all of one scheme.

    Attributes:
        academic_year: The year in which the academic year starts.
        term: The term or half-term; left out for results of a whole year.
        scheme: The scale.
        entries: What was judged or scored.
        assessed_on: The day, where it is known.
    """

    academic_year: AcademicYear
    term: Term | None = None
    scheme: str = STEPS
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
    """Which sheet.

    Attributes:
        academic_year: The year in which the academic year starts.
        term: The term or half-term; left out for results of a whole year.
        scheme: The scale.
    """

    academic_year: AcademicYear
    term: Term | None = None
    scheme: str = STEPS


class SheetCell(msgspec.Struct, frozen=True, kw_only=True):
    """A result on a sheet.

    Attributes:
        assessment_id: The entry.
        value: The value; where the scheme does not know it, as it came in a file.
        corrected: It was entered otherwise at first.
        known: Whether it is a value of the scheme.
        standing: `below`, `at` or `above` what is expected; null where nothing is.
    """

    assessment_id: UUID
    value: str
    corrected: bool
    known: bool
    standing: Standing | None


class SheetRow(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil on a sheet.

    Attributes:
        pupil_id: The pupil.
        alias: What the pupil is called for those who may not see names.
        surname: The surname.
        forename: The forename.
        results: By the code of what is measured.
        targets: By subject, or by component where the subject has several.
        good_level_of_development: For the scheme `eyfs-profile`: whether it was reached; null, where that is
            not known yet.
    """

    pupil_id: UUID
    alias: str | None
    surname: str | None
    forename: str | None
    results: dict[str, SheetCell]
    targets: dict[str, str]
    good_level_of_development: bool | None


class SheetPoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a sheet speaks of: a term or half-term, or, where that is null, a whole year."""

    academic_year: int
    term: Term | None


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A class sheet.

    Attributes:
        class_name: The class.
        point: The term or half-term, or the year.
        scheme: The scale.
        subjects: The codes of what there are results in.
        pupils: Those who are in the class now, by name where the reader may see names.
        position: It shows everything up to this position of the school's stream.
    """

    class_name: str
    point: SheetPoint
    scheme: str
    subjects: list[str]
    pupils: list[SheetRow]
    position: int


@routes.post("/v1/pupils/{pupil_id}/assessments", status_code=201)
def record_assessment(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES)],
    pupil_id: UUID,
    sent: Annotated[Sent[NewAssessment], body(NewAssessment)],
) -> Answer[AssessmentKept]:
    """Record a judgement or result."""
    given = sent.value
    caller.school.pupil(pupil_id)
    outcome = record(
        caller.school,
        when(given.academic_year, given.term),
        [Entry(pupil_id, given.subject, given.value)],
        caller.actor,
        scheme=given.scheme,
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
    """Correct an assessment; what was first entered stays."""
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


@routes.post("/v1/pupils/{pupil_id}/assessments/{assessment_id}/void")
def void_assessment(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES)],
    pupil_id: UUID,
    assessment_id: UUID,
    sent: Annotated[Sent[Voiding], body(Voiding)],
) -> Answer[AssessmentKept]:
    """Take an assessment out of every current view; it stays in the history, with the reason."""
    outcome = void(
        caller.school,
        pupil_id,
        assessment_id,
        sent.value.reason,
        caller.actor,
        only_classes=caller.only_classes,
        command=sent.command,
    )
    kept = AssessmentKept(assessment_id=outcome.result.assessment_id, position=outcome.position)
    return Answer(kept, position=outcome.position, repeated=outcome.repeated)


@routes.post("/v1/sheets", status_code=201)
def record_sheet(
    caller: Annotated[Caller, signed_in(Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES)],
    sent: Annotated[Sent[NewSheet], body(NewSheet)],
) -> Answer[SheetKept]:
    """Record a class sheet: all of its entries, or none."""
    given = sent.value
    outcome = record(
        caller.school,
        when(given.academic_year, given.term),
        [Entry(entry.pupil_id, entry.subject, entry.value, entry.statement_id) for entry in given.entries],
        caller.actor,
        scheme=given.scheme,
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
    """Read a class sheet: pupils by subject for a term, half-term or year."""
    at = when(asked.academic_year, asked.term)
    version = version_for(asked.scheme, at)
    if version.scheme == STATEMENTS:
        raise InvalidInput(
            "Statements are read pupil by pupil",
            [Finding(field="scheme", found=STATEMENTS, accepted="a scheme of subjects")],
        )
    names = (projections.pupils.NAME, projections.assessments.NAME, projections.targets.NAME)
    with reading(caller, asked.min_position, *names) as read:
        keys = caller.school.keys
        views = projections.pupils.find(read.connection, keys, class_id=class_id, limit=None)
        if not views:
            raise NotFound("This school has no class with that id")
        pupil_ids = [view.pupil_id for view in views]
        results = projections.assessments.sheet(read.connection, keys, pupil_ids, at, version.scheme)
        targets = projections.targets.of_pupils(read.connection, keys, pupil_ids)
    rows = _cells(pupil_ids, results)
    wanted: dict[UUID, dict[str, str]] = {pupil_id: {} for pupil_id in pupil_ids}
    for view in targets:
        target = view.target
        if (target.scheme, target.academic_year, target.term) == (version.scheme, at.academic_year, at.term):
            wanted[view.pupil_id][target.component or target.subject] = target.value
    pupils = []
    for each in views:
        shown = names_for(caller, each.names)
        pupils.append(
            SheetRow(
                pupil_id=each.pupil_id,
                alias=alias_for(caller, each.pupil_id),
                surname=shown.surname if shown else None,
                forename=shown.forename if shown else None,
                results=rows[each.pupil_id],
                targets=wanted[each.pupil_id],
                good_level_of_development=_good_level(version, rows[each.pupil_id]),
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
            point=SheetPoint(academic_year=at.academic_year, term=at.term),
            scheme=version.scheme,
            subjects=sorted({subject for row in rows.values() for subject in row}),
            pupils=pupils,
            position=read.position,
        ),
    )


def _cells(pupil_ids: list[UUID], results: list[AssessmentView]) -> dict[UUID, dict[str, SheetCell]]:
    """The cells of a sheet, by pupil and by the code of what is measured."""
    rows: dict[UUID, dict[str, SheetCell]] = {pupil_id: {} for pupil_id in pupil_ids}
    for each in results:
        meaning = meaning_of(each.result)
        code = meaning.code if meaning else each.result.subject
        rows[each.pupil_id][code] = SheetCell(
            assessment_id=each.assessment_id,
            value=(meaning.value if meaning else None) or each.result.value,
            corrected=each.corrected,
            known=meaning is not None and meaning.value is not None,
            standing=meaning.standing if meaning else None,
        )
    return rows


def _good_level(version: SchemeVersion, cells: dict[str, SheetCell]) -> bool | None:
    if version.scheme != EYFS_PROFILE:
        return None
    return good_level_of_development(
        version, {code: cell.value for code, cell in cells.items() if cell.known}
    )
