"""Assessments: judgements and results, dated and with their scale named, that are only ever added to.

A pupil's assessments are a log, not part of the pupil: recording one replays nothing. A correction is a new
event; what was first entered stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.academic_year import AssessmentPoint
from domain.codes.sets import SUBJECT
from domain.codes.steps import read_step
from domain.errors import Conflict, Finding, InvalidInput
from domain.events import Event, Names, Open, Record, event

STEPS = "steps"
"""The scheme of Target Tracker steps: six to a band, `3w+`; see `domain/codes/steps.py`."""

STATUTORY = "statutory"
"""The scheme of national results as Common Transfer Files carry them, codes as supplied."""


class Result(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One judgement or test result.

    Attributes:
        scheme: The scale: `steps` or `statutory`.
        subject: A subject code: REA, WRI, MAT, SCI, ... for steps; the CTF's own for statutory results.
        value: What was judged or scored, on that scale: `3w+`, `EXS`, `34`.
        academic_year: The year in which the academic year of the result starts.
        term: The term, for termly judgements; none for results of a whole year.
        nc_year: The NC year that the child was in.
        stage: CTF `Stage`: EYF, KS1, KS2.
        component: CTF `Component`: REA, PHO, E01, ...
        method: CTF `Method`: TA (teacher assessment), TT (test or task), FA.
        qualifier: CTF `ResultQualifier`.
        status: CTF `ResultStatus`.
        assessed_on: The day, where it is known.
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
    """

    scheme: str
    subject: str
    component: str | None
    stage: str | None
    method: str | None
    qualifier: str | None
    academic_year: int
    term: str | None


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
    )


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """An assessment as the events so far describe it."""

    id: UUID
    pupil_id: UUID
    result: Result
    corrected: bool = False


def fold(events: Iterable[Event]) -> dict[UUID, Assessment]:
    """A pupil's assessments after these events, by id, in the order of their first entry."""
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
    findings = []
    try:
        subject = SUBJECT.find(subject)
    except ValueError as error:
        findings.append(Finding(field="subject", found=subject[:60], accepted=str(error)))
    try:
        value = read_step(value).label
    except ValueError as error:
        findings.append(Finding(field="value", found=value[:60], accepted=str(error)))
    if findings:
        raise InvalidInput("The assessment cannot be recorded like this", findings)
    return Result(
        scheme=STEPS,
        subject=subject,
        value=value,
        academic_year=point.academic_year,
        term=point.term,
        nc_year=nc_year,
        assessed_on=assessed_on,
    )
