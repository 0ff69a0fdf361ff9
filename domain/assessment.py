"""Assessments: judgements and results, dated and with their scale named, that are only ever added to.

A pupil's assessments are a log, not part of the pupil: recording one replays nothing. A correction is a new
event, and so is a void; what was first entered stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.academic_year import AssessmentPoint, When, when
from domain.errors import Conflict, Finding, InvalidInput
from domain.events import Event, Names, Open, Record, event
from domain.schemes import statutory
from domain.schemes.catalogue import SCHEMES, STATEMENTS, STEPS, scheme_named
from domain.schemes.scheme import Entered, SchemeVersion, Standing

__all__ = ["STATEMENTS", "STATUTORY", "STEPS"]

STATUTORY = "statutory"
"""The scheme of national results as Common Transfer Files carry them, codes as supplied."""


class Result(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One judgement or test result.

    Attributes:
        scheme: The scale: one of `domain.schemes.catalogue`, or `statutory`.
        subject: A subject code: REA, WRI, MAT, SCI, ...; the CTF's own for statutory results.
        value: What was judged or scored, on that scale: `3w+`, `EXS`, `34`.
        academic_year: The year in which the academic year of the result starts.
        term: The term or half-term, for judgements made at an assessment point; none for results of a whole
            year.
        nc_year: The NC year that the child was in.
        stage: CTF `Stage`: EYF, KS1, KS2.
        component: CTF `Component`: REA, PHO, E01, ...
        method: CTF `Method`: TA (teacher assessment), TT (test or task), FA.
        qualifier: CTF `ResultQualifier`.
        status: CTF `ResultStatus`.
        assessed_on: The day, where it is known.
        scheme_version: The version of the scheme, where the scheme has several.
        statement: The id of the statement that was judged, for results of the scheme `statements`.
    """

    scheme: str
    subject: str
    value: str
    academic_year: int
    term: str | None = None
    nc_year: str | None = None
    stage: str | None = None
    component: str | None = None
    method: str | None = None
    qualifier: str | None = None
    status: str | None = None
    assessed_on: date | None = None
    scheme_version: str | None = None
    statement: UUID | None = None


@event("assessment.recorded")
class AssessmentRecorded(Event, frozen=True, kw_only=True):
    """A result was entered, or came in a file."""

    subject_field: ClassVar[str] = "pupil_id"

    assessment_id: Open[UUID]
    pupil_id: Open[UUID]
    result: Record[Result]


@event("assessment.corrected")
class AssessmentCorrected(Event, frozen=True, kw_only=True):
    """An earlier entry was wrong; this is what it should have been. The earlier event stays."""

    subject_field: ClassVar[str] = "pupil_id"

    assessment_id: Open[UUID]
    pupil_id: Open[UUID]
    result: Record[Result]
    reason: Names[str | None] = None
    from_file: Open[bool] = False
    """A file said so, and not somebody at the school, whose correction no file takes back."""


@event("assessment.voided")
class AssessmentVoided(Event, frozen=True, kw_only=True):
    """An earlier entry should not be there at all. It leaves every current view, and stays in the history."""

    subject_field: ClassVar[str] = "pupil_id"

    assessment_id: Open[UUID]
    pupil_id: Open[UUID]
    reason: Names[str]


class Cell(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a result is a result *of*: a pupil has one current result in each cell.

    Attributes:
        scheme: The scale.
        subject: The subject code.
        component: The CTF component, for statutory results.
        stage: The CTF stage, for statutory results.
        method: The CTF method, for statutory results.
        qualifier: The CTF result qualifier: a raw and a scaled score of one test are two results.
        academic_year: The year in which the academic year starts.
        term: The term, or none for a whole year's result.
        statement: The statement that was judged, where it was one.
    """

    scheme: str
    subject: str
    component: str | None
    stage: str | None
    method: str | None
    qualifier: str | None
    academic_year: int
    term: str | None
    statement: UUID | None = None


def cell_of(result: Result) -> Cell:
    """The cell that a result stands in."""
    return Cell(
        result.scheme,
        result.subject,
        result.component,
        result.stage,
        result.method,
        result.qualifier,
        result.academic_year,
        result.term,
        result.statement,
    )


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """An assessment as the events so far describe it."""

    id: UUID
    pupil_id: UUID
    result: Result
    corrected: bool = False


def fold(events: Iterable[Event]) -> dict[UUID, Assessment]:
    """A pupil's assessments after these events, by id, in the order of their first entry.

    What has been voided is not among them.
    """
    assessments: dict[UUID, Assessment] = {}
    for happened in events:
        match happened:
            case AssessmentRecorded() | AssessmentCorrected():
                assessments[happened.assessment_id] = Assessment(
                    id=happened.assessment_id,
                    pupil_id=happened.pupil_id,
                    result=happened.result,
                    corrected=isinstance(happened, AssessmentCorrected),
                )
            case AssessmentVoided():
                assessments.pop(happened.assessment_id, None)
            case _:
                raise Conflict(f"{happened.name} is not an event of an assessment")
    return assessments


_YEARS = ("N1", "N2", "R", *map(str, range(1, 15)))


def nc_year_then(nc_year: str | None, years_ago: int) -> str | None:
    """The NC year that a child who is in `nc_year` now was in, some academic years ago.

    `None` where there was none, or none is known.
    """
    if nc_year not in _YEARS:
        return None
    place = _YEARS.index(nc_year) - years_ago
    return _YEARS[place] if 0 <= place < len(_YEARS) else None


def steps_result(
    subject: str, value: str, point: AssessmentPoint, nc_year: str | None, assessed_on: date | None = None
) -> Result:
    """A judgement on the steps scale.

    Raises:
        InvalidInput: The subject or the step is not one that there is.
    """
    return result_of(STEPS, subject, value, point, nc_year, assessed_on)


def result_of(
    scheme: str,
    subject: str,
    value: str,
    at: When,
    nc_year: str | None,
    assessed_on: date | None = None,
    *,
    statement: UUID | None = None,
) -> Result:
    """A result as somebody enters it, in any scheme.

    Args:
        scheme: The name of the scheme.
        subject: The code of what is measured, as the scheme lists it: `REA`, `E01`, `MTC`.
        value: The value, however it is spaced.
        at: The assessment point, or the whole year.
        nc_year: The NC year that the child was in.
        assessed_on: The day, where it is known.
        statement: The statement that is judged, if it is one.

    Raises:
        InvalidInput: The scheme, subject or value is not one that there is, the scheme was not in use in that
            year, or its results are not of terms, or not of years.
    """
    version = version_for(scheme, at)
    findings = []
    measure = None
    try:
        measure = version.measure(subject)
    except ValueError as error:
        findings.append(Finding(field="subject", found=subject[:60], accepted=str(error)))
    try:
        value = version.read(value)
    except ValueError as error:
        findings.append(Finding(field="value", found=value[:60], accepted=str(error)))
    if measure is None or findings:
        raise InvalidInput("The assessment cannot be recorded like this", findings)
    return Result(
        scheme=version.scheme,
        subject=measure.subject,
        value=value,
        academic_year=at.academic_year,
        term=at.term,
        nc_year=nc_year,
        stage=measure.stage,
        component=measure.component,
        method=measure.method,
        assessed_on=assessed_on,
        scheme_version=version.name if len(SCHEMES[version.scheme].versions) > 1 else None,
        statement=statement,
    )


def version_for(scheme: str, at: When) -> SchemeVersion:
    """The version of a scheme on which results of a point, or of a year, stand.

    Raises:
        InvalidInput: There is no such scheme, it was not in use then, or its results are not of terms, or not
            of years.
    """
    try:
        version = scheme_named(scheme).in_year(at.academic_year)
    except ValueError as error:
        known = scheme.strip().lower() in SCHEMES
        found = str(at.academic_year) if known else scheme[:60]
        field = "academic_year" if known else "scheme"
        raise InvalidInput(
            "The assessment cannot be recorded like this",
            [Finding(field=field, found=found[:60], accepted=str(error))],
        ) from None
    accepted = None
    if version.entered is Entered.POINT and at.term is None:
        accepted = f"a term or half-term: {version.scheme} is judged at assessment points"
    elif version.entered is Entered.YEAR and at.term is not None:
        accepted = f"no term: {version.scheme} is of the whole academic year"
    if accepted:
        raise InvalidInput(
            "The assessment cannot be recorded like this",
            [Finding(field="term", found=at.term or "none", accepted=accepted)],
        )
    return version


class Meaning(msgspec.Struct, frozen=True):
    """What a result says, seen on the scheme that it belongs to.

    Attributes:
        version: The version of the scheme.
        code: What it measures, by the scheme's code.
        value: The value as the scheme writes it; nothing, if the scheme does not know it.
        standing: Against what was expected, where something was.
    """

    version: SchemeVersion
    code: str
    value: str | None
    standing: Standing | None


def meaning_of(result: Result) -> Meaning | None:
    """What a result says, also one that came in a file; nothing, if no scheme here measures that.

    Codes and values that are not known are no error: they stay as they were supplied.
    """
    if result.scheme == STATUTORY:
        found = statutory.seen(
            result.stage,
            result.subject,
            result.component,
            result.method,
            result.qualifier,
            result.value,
            result.academic_year,
        )
        if found is None:
            return None
        return _meaning(result, found.version, found.measure.code, found.value)
    scheme = SCHEMES.get(result.scheme)
    if scheme is None:
        return None
    try:
        version = (
            scheme.version(result.scheme_version)
            if result.scheme_version
            else scheme.in_year(result.academic_year)
        )
    except ValueError:
        return None
    measure = version.measure_of(result.stage, result.subject, result.component)
    if measure is None:
        return None
    return _meaning(result, version, measure.code, result.value if result.value in version.values else None)


def _meaning(result: Result, version: SchemeVersion, code: str, value: str | None) -> Meaning:
    standing = None
    if value is not None:
        standing = version.standing(value, result.nc_year, when(result.academic_year, result.term))
    return Meaning(version, code, value, standing)
