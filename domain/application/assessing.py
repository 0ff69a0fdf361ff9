"""Recording assessments, one or a whole class sheet at once, and correcting them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

import domain.assessment
from domain.academic_year import AssessmentPoint, Term, academic_year_label, academic_year_of
from domain.access import Permission
from domain.application.school_application import (
    CommandKey,
    Decision,
    Outcome,
    SchoolApplication,
    assessments_of,
)
from domain.assessment import (
    STEPS,
    Assessment,
    AssessmentCorrected,
    AssessmentRecorded,
    nc_year_then,
    steps_result,
)
from domain.errors import Finding, InvalidInput, NotFound, NotPermitted
from domain.events import Actor
from domain.identifiers import new_id
from domain.particulars import checked_reason
from domain.pupil import Pupil

EARLIEST_YEAR = 1990
"""No pupil of today was assessed before this academic year."""


class Entry(msgspec.Struct, frozen=True):
    """One judgement on a class sheet.

    Attributes:
        pupil_id: The child.
        subject: A subject code: REA, WRI, MAT, ...
        value: A step: `3w+`.
    """

    pupil_id: UUID
    subject: str
    value: str


class SheetResult(msgspec.Struct, frozen=True):
    """The ids of the assessments that were recorded, in the order of the entries."""

    assessment_ids: list[UUID]


class CorrectionResult(msgspec.Struct, frozen=True):
    """The assessment that was corrected."""

    assessment_id: UUID


def record(
    school: SchoolApplication,
    point: AssessmentPoint,
    entries: Sequence[Entry],
    actor: Actor,
    *,
    assessed_on: date | None = None,
    only_classes: Sequence[str] | None = None,
    command: CommandKey | None = None,
) -> Outcome[SheetResult]:
    """Records judgements on the steps scale, all of them or none.

    Args:
        school: The school.
        point: The term that the judgements speak of.
        entries: The judgements.
        actor: Who made them.
        assessed_on: The day, where it is known.
        only_classes: The only classes whose assessments this user may record; any, if not given.
        command: The key, if the caller gave one.

    Raises:
        InvalidInput: A pupil, subject or step is not one that there is, an entry comes twice, or the term
            lies in the future; with a finding for each, numbered by entry.
        NotPermitted: A child is in another class.
    """
    today = date.today()  # noqa: DTZ011 - a calendar day, as the school counts it
    ids = [new_id() for _ in entries]

    def decide() -> Decision[SheetResult]:
        pupils = school.pupils({entry.pupil_id for entry in entries})
        _check(entries, pupils, point, today, assessed_on)
        if only_classes is not None:
            _check_classes(pupils, only_classes)
        logs = {pupil_id: assessments_of(pupil_id) for pupil_id in pupils}
        versions = school.stream.last_versions(logs.values())
        years_ago = academic_year_of(today) - point.academic_year
        events = []
        for assessment_id, entry in zip(ids, entries, strict=True):
            log = logs[entry.pupil_id]
            versions[log] = versions.get(log, 0) + 1
            nc_year = nc_year_then(pupils[entry.pupil_id].record.nc_year, years_ago)
            events.append(
                AssessmentRecorded(
                    originator_id=log,
                    originator_version=versions[log],
                    actor=actor,
                    assessment_id=assessment_id,
                    pupil_id=entry.pupil_id,
                    result=steps_result(entry.subject, entry.value, point, nc_year, assessed_on),
                )
            )
        return Decision(events, SheetResult(ids))

    return school.carry_out(decide, SheetResult, command)


def _check(
    entries: Sequence[Entry],
    pupils: dict[UUID, Pupil],
    point: AssessmentPoint,
    today: date,
    assessed_on: date | None,
) -> None:
    findings = []
    if not entries:
        findings.append(Finding(field="entries", found="none", accepted="at least one"))
    now = AssessmentPoint.of(today)
    if not EARLIEST_YEAR <= point.academic_year <= now.academic_year or point.ends_on > now.ends_on:
        accepted = f"{now.label} or earlier, from {academic_year_label(EARLIEST_YEAR)} on"
        findings.append(Finding(field="term", found=point.label, accepted=accepted))
    elif assessed_on and (assessed_on > today or academic_year_of(assessed_on) != point.academic_year):
        accepted = f"a day of {academic_year_label(point.academic_year)}, up to today"
        findings.append(Finding(field="assessed_on", found=assessed_on.isoformat(), accepted=accepted))
    seen: dict[tuple[UUID, str], int] = {}
    for number, entry in enumerate(entries, start=1):
        if entry.pupil_id not in pupils:
            findings.append(
                Finding(
                    field="pupil_id", found=str(entry.pupil_id), accepted="a pupil of this school", row=number
                )
            )
        cell = (entry.pupil_id, entry.subject.strip().upper())
        if (first := seen.setdefault(cell, number)) != number:
            findings.append(
                Finding(
                    field="subject",
                    found=entry.subject[:60],
                    accepted=f"each pupil and subject once: entry {first} is the same",
                    row=number,
                )
            )
        try:
            steps_result(entry.subject, entry.value, point, None)
        except InvalidInput as error:
            findings += [msgspec.structs.replace(finding, row=number) for finding in error.findings]
    if findings:
        raise InvalidInput("The assessments cannot be recorded like this", findings)


def _check_classes(pupils: dict[UUID, Pupil], only_classes: Sequence[str]) -> None:
    allowed = {name.casefold() for name in only_classes}
    if any((pupil.record.class_name or "").casefold() not in allowed for pupil in pupils.values()):
        raise NotPermitted(
            "You may record assessments of your own classes only", needed=Permission.RECORD_ASSESSMENTS
        )


def correct(
    school: SchoolApplication,
    pupil_id: UUID,
    assessment_id: UUID,
    value: str,
    actor: Actor,
    *,
    reason: str | None = None,
    only_classes: Sequence[str] | None = None,
    command: CommandKey | None = None,
) -> Outcome[CorrectionResult]:
    """Corrects an assessment on the steps scale: a new event; the first entry stays.

    Raises:
        NotFound: The pupil has no such assessment.
        InvalidInput: The step is not one that there is, the assessment is on another scale, or the reason
            cannot be kept.
        NotPermitted: The child is in another class.
    """
    reason = checked_reason("reason", reason)

    def decide() -> Decision[CorrectionResult]:
        pupil = school.pupil(pupil_id)
        if only_classes is not None:
            _check_classes({pupil_id: pupil}, only_classes)
        log = assessments_of(pupil_id)
        there = assessments(school, pupil_id)
        if assessment_id not in there:
            raise NotFound("This pupil has no assessment with that id")
        before = there[assessment_id].result
        if before.scheme != STEPS or before.term is None:
            raise InvalidInput(
                "Only judgements on the steps scale can be corrected by hand",
                [Finding(field="scheme", found=before.scheme, accepted=STEPS)],
            )
        point = AssessmentPoint(before.academic_year, Term(before.term))
        corrected = AssessmentCorrected(
            originator_id=log,
            originator_version=school.stream.last_versions([log])[log] + 1,
            actor=actor,
            assessment_id=assessment_id,
            pupil_id=pupil_id,
            result=steps_result(before.subject, value, point, before.nc_year, before.assessed_on),
            reason=reason,
        )
        return Decision([corrected], CorrectionResult(assessment_id))

    return school.carry_out(decide, CorrectionResult, command)


def assessments(school: SchoolApplication, pupil_id: UUID) -> dict[UUID, Assessment]:
    """A pupil's assessments, by id."""
    return domain.assessment.fold(school.read(school.stream.events_of(assessments_of(pupil_id))))
