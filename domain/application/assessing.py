"""Recording assessments, one or a whole class sheet at once; correcting and voiding them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import msgspec

import domain.assessment
from domain import school_time
from domain.academic_year import When, academic_year_label, academic_year_of, when
from domain.access import Permission
from domain.application.assessment_points import points_to_record_at
from domain.application.nc_years import nc_years_at
from domain.application.school_application import (
    CommandKey,
    Decision,
    Outcome,
    SchoolApplication,
    assessments_of,
)
from domain.application.statements import statements_of
from domain.assessment import (
    STATEMENTS,
    STEPS,
    Assessment,
    AssessmentCorrected,
    AssessmentRecorded,
    AssessmentVoided,
    Result,
    meaning_of,
    result_of,
    version_for,
)
from domain.assessment_points import not_begun
from domain.errors import Conflict, Finding, InvalidInput, NotFound, NotPermitted
from domain.events import Actor, Event
from domain.identifiers import new_id
from domain.particulars import checked_reason
from domain.pupil import Pupil
from domain.since_birth import birth_of, dated_time, findings_before
from domain.statements import Statement

REFUSED = "The assessments cannot be recorded like this"


class Entry(msgspec.Struct, frozen=True):
    """One judgement or result on a class sheet.

    Attributes:
        pupil_id: The child.
        subject: The code of what is measured, as the scheme lists it: REA, WRI, MAT, E01, ...; for a
            statement it may be left empty.
        value: A value of the scheme: `3w+`, `104`.
        statement: The statement that is judged, for the scheme `statements`.
    """

    pupil_id: UUID
    subject: str
    value: str
    statement: UUID | None = None


class SheetResult(msgspec.Struct, frozen=True):
    """The ids of the assessments that were recorded, in the order of the entries."""

    assessment_ids: list[UUID]


class CorrectionResult(msgspec.Struct, frozen=True):
    """The assessment that was corrected or voided."""

    assessment_id: UUID


def record(
    school: SchoolApplication,
    at: When,
    entries: Sequence[Entry],
    actor: Actor,
    *,
    scheme: str = STEPS,
    assessed_on: date | None = None,
    only_classes: Sequence[str] | None = None,
    command: CommandKey | None = None,
) -> Outcome[SheetResult]:
    """Records judgements or results of one scheme, all of them or none.

    Args:
        school: The school.
        at: The term or half-term, or the whole year, that they speak of.
        entries: What was judged or scored.
        actor: Who enters it.
        scheme: The name of the scheme.
        assessed_on: The day, where it is known.
        only_classes: The only classes whose assessments this user may record; any, if not given.
        command: The key, if the caller gave one.

    Raises:
        InvalidInput: A pupil, scheme, subject, statement or value is not one that there is, an entry comes
            twice, the time lies in the future or before a child's birth, or the school has other assessment
            points; with a finding for each, numbered by entry.
        Conflict: The point is closed.
        NotPermitted: A child is in another class.
    """
    today = school_time.today()
    ids = [new_id() for _ in entries]
    scheme = scheme.strip().lower()

    def decide() -> Decision[SheetResult]:
        points, unless = points_to_record_at(school)
        pupils = school.pupils({entry.pupil_id for entry in entries})
        statements = statements_of(school) if scheme == STATEMENTS else {}
        findings = period_findings(entries, at, scheme, today, assessed_on)
        is_a_time = not findings
        made = _Entered(scheme, at, assessed_on, statements)
        nc_years = nc_years_at(school, pupils, at, today)
        results = []
        for number, entry in enumerate(entries, start=1):
            pupil = pupils.get(entry.pupil_id)
            result, found = made.result(number, entry, nc_years.get(entry.pupil_id))
            if pupil is None:
                found = [no_pupil(entry.pupil_id), *found]
            elif is_a_time:
                found += findings_before(birth_of(pupil.names), dated_time(at, assessed_on))
            findings += [msgspec.structs.replace(finding, row=number) for finding in found]
            results.append(result)
        if findings:
            raise InvalidInput(REFUSED, findings)
        points.check(at)
        if only_classes is not None:
            check_classes(pupils.values(), only_classes)
        logs = {pupil_id: assessments_of(pupil_id) for pupil_id in pupils}
        versions = school.stream.last_versions(logs.values())
        events = []
        for assessment_id, entry, result in zip(ids, entries, results, strict=True):
            assert result
            log = logs[entry.pupil_id]
            versions[log] = versions.get(log, 0) + 1
            events.append(
                AssessmentRecorded(
                    originator_id=log,
                    originator_version=versions[log],
                    actor=actor,
                    assessment_id=assessment_id,
                    pupil_id=entry.pupil_id,
                    result=result,
                )
            )
        return Decision(events, SheetResult(ids), unless)

    return school.carry_out(decide, SheetResult, command)


def period_findings(
    entries: Sequence[object], at: When, scheme: str, today: date, assessed_on: date | None
) -> list[Finding]:
    """What is wrong with a sheet as a whole.

    Raises:
        InvalidInput: The scheme is not one that there is, or not in use then; nothing can be read without.
    """
    findings = []
    if not entries:
        findings.append(Finding(field="entries", found="none", accepted="at least one"))
    if finding := not_begun(at, today):
        findings.append(finding)
    else:
        version_for(scheme, at)
        if assessed_on and (assessed_on > today or academic_year_of(assessed_on) != at.academic_year):
            accepted = f"a day of {academic_year_label(at.academic_year)}, up to today"
            findings.append(Finding(field="assessed_on", found=assessed_on.isoformat(), accepted=accepted))
    return findings


def no_pupil(pupil_id: UUID) -> Finding:
    """Says that an entry is of nobody."""
    return Finding(field="pupil_id", found=str(pupil_id), accepted="a pupil of this school")


class _Entered:
    """Reads entries, and remembers what has been entered."""

    def __init__(
        self, scheme: str, at: When, assessed_on: date | None, statements: dict[UUID, Statement]
    ) -> None:
        self.scheme = scheme
        self.at = at
        self.assessed_on = assessed_on
        self.statements = statements
        self._seen: dict[tuple[UUID, str, UUID | None], int] = {}

    def result(
        self, number: int, entry: Entry, nc_year: str | None
    ) -> tuple[Result | None, list[Finding]]:  # fmt: skip
        """The result of an entry, and what is wrong with it."""
        findings = []
        subject, found = self._subject(entry)
        findings += found
        cell = (entry.pupil_id, subject.strip().upper(), entry.statement)
        if (first := self._seen.setdefault(cell, number)) != number:
            accepted = f"each pupil and subject once: entry {first} is the same"
            findings.append(Finding(field="subject", found=subject[:60], accepted=accepted))
        try:
            return result_of(
                self.scheme,
                subject,
                entry.value,
                self.at,
                nc_year,
                self.assessed_on,
                statement=entry.statement,
            ), findings
        except InvalidInput as error:
            # That the scheme was not in use then, or is judged otherwise, is said once, and not for each.
            return None, [*findings, *(each for each in error.findings if each.field in {"subject", "value"})]

    def _subject(self, entry: Entry) -> tuple[str, list[Finding]]:
        if self.scheme != STATEMENTS:
            if entry.statement is None:
                return entry.subject, []
            accepted = f"none: {self.scheme} has no statements"
            return entry.subject, [Finding(field="statement", found=str(entry.statement), accepted=accepted)]
        statement = self.statements.get(entry.statement) if entry.statement else None
        if statement is None or statement.withdrawn:
            found = str(entry.statement) if entry.statement else "none"
            accepted = "a statement of the school's set, not withdrawn"
            return entry.subject or "REA", [Finding(field="statement", found=found, accepted=accepted)]
        subject = statement.key.subject
        if entry.subject.strip().upper() not in {"", subject}:
            accepted = f"{subject}, or nothing: the statement is of that subject"
            return subject, [Finding(field="subject", found=entry.subject[:60], accepted=accepted)]
        return subject, []


def check_classes(pupils: Iterable[Pupil], only_classes: Sequence[str]) -> None:
    """Makes sure that all of them are in the classes that somebody may record for.

    Raises:
        NotPermitted: One is not.
    """
    allowed = {name.casefold() for name in only_classes}
    if any((pupil.record.class_name or "").casefold() not in allowed for pupil in pupils):
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
    """Corrects an assessment, on the scale that it stands on: a new event; the first entry stays.

    Raises:
        NotFound: The pupil has no such assessment.
        InvalidInput: The value is not one of that scale, the assessment came in a file and is of no scale
            that is known here, or the reason cannot be kept.
        Conflict: The point is closed, or the assessment has been voided.
        NotPermitted: The child is in another class.
    """
    reason = checked_reason("reason", reason)

    def happen(log: _Log, before: Assessment) -> Event:
        return AssessmentCorrected(
            originator_id=log.id,
            originator_version=log.version + 1,
            actor=actor,
            assessment_id=assessment_id,
            pupil_id=pupil_id,
            result=_corrected(before.result, value),
            reason=reason,
        )

    return _happen(school, pupil_id, assessment_id, happen, only_classes, command)


def _corrected(before: Result, value: str) -> Result:
    meaning = meaning_of(before)
    if meaning is None:
        raise InvalidInput(
            "A result of a scale that is not known here cannot be corrected by hand, only voided",
            [Finding(field="scheme", found=before.scheme, accepted="a result of a scheme that is known")],
        )
    try:
        return msgspec.structs.replace(before, value=meaning.version.read(value))
    except ValueError as error:
        raise InvalidInput(REFUSED, [Finding(field="value", found=value[:60], accepted=str(error))]) from None


def void(
    school: SchoolApplication,
    pupil_id: UUID,
    assessment_id: UUID,
    reason: str,
    actor: Actor,
    *,
    only_classes: Sequence[str] | None = None,
    command: CommandKey | None = None,
) -> Outcome[CorrectionResult]:
    """Takes an assessment out of every current view; it stays in the history, with the reason.

    Where it had taken the place of an earlier entry, that one shows again.

    Raises:
        NotFound: The pupil has no such assessment.
        InvalidInput: The reason cannot be kept.
        Conflict: The point is closed, or the assessment has been voided before.
        NotPermitted: The child is in another class.
    """
    kept = checked_reason("reason", reason)
    assert kept is not None

    def happen(log: _Log, _: Assessment) -> Event:
        return AssessmentVoided(
            originator_id=log.id,
            originator_version=log.version + 1,
            actor=actor,
            assessment_id=assessment_id,
            pupil_id=pupil_id,
            reason=kept,
        )

    return _happen(school, pupil_id, assessment_id, happen, only_classes, command)


class _Log(NamedTuple):
    """A pupil's log of assessments."""

    id: UUID
    version: int


def _happen(
    school: SchoolApplication,
    pupil_id: UUID,
    assessment_id: UUID,
    happen: Callable[[_Log, Assessment], Event],
    only_classes: Sequence[str] | None,
    command: CommandKey | None,
) -> Outcome[CorrectionResult]:
    """Something happens to an assessment that is there, at a point that is open."""

    def decide() -> Decision[CorrectionResult]:
        points, unless = points_to_record_at(school)
        pupil = school.pupil(pupil_id)
        if only_classes is not None:
            check_classes([pupil], only_classes)
        log = assessments_of(pupil_id)
        events = list(school.read(school.stream.events_of(log)))
        there = domain.assessment.fold(events).get(assessment_id)
        if there is None:
            voided = {event.assessment_id for event in events if isinstance(event, AssessmentVoided)}
            if assessment_id in voided:
                raise Conflict("This assessment has been voided")
            raise NotFound("This pupil has no assessment with that id")
        points.check_open(when(there.result.academic_year, there.result.term))
        happened = happen(_Log(log, events[-1].originator_version), there)
        return Decision([happened], CorrectionResult(assessment_id), unless)

    return school.carry_out(decide, CorrectionResult, command)


def assessments(school: SchoolApplication, pupil_id: UUID) -> dict[UUID, Assessment]:
    """A pupil's assessments, by id, but for those that have been voided."""
    return domain.assessment.fold(school.read(school.stream.events_of(assessments_of(pupil_id))))
