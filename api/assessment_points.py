"""Assessment points: what the school divides its years into, and what of it is closed."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

import msgspec

import domain.application.assessment_points as commands
from api.assessments import AcademicYear
from api.callers import Caller, signed_in
from api.encoding import Answer, ReadQuery, Sent, body, query
from api.reading import see
from api.routing import Routes
from domain import school_time
from domain.academic_year import Term, When, WholeYear, academic_year_of, when
from domain.access import Permission
from domain.application.assessment_points import PointsResult, points_of
from domain.application.school_application import Outcome
from domain.assessment_points import FIRST_YEAR, AssessmentPoints, Division, together
from domain.errors import NotFound

routes = Routes("assessment points")

LAST_YEAR = 2100


class WholeYearName(StrEnum):
    """What a whole year is called where a term might stand."""

    YEAR = "year"


class PointBody(msgspec.Struct, frozen=True, kw_only=True):
    """An assessment point, or the whole year.

    Attributes:
        academic_year: The year in which the academic year starts.
        term: The term or half-term; null for results of the whole year.
        label: For people.
        ends_on: The last day.
        closed: Nothing is recorded, corrected or voided there.
    """

    academic_year: int
    term: Term | None
    label: str
    ends_on: date
    closed: bool


class PointsBody(msgspec.Struct, frozen=True, kw_only=True):
    """The assessment points of an academic year.

    Attributes:
        academic_year: The year in which the academic year starts.
        division: What it is divided into.
        points: Its points in order, and then the whole year; those of another division that are closed, too.
        position: It shows everything up to this position of the school's stream.
    """

    academic_year: int
    division: Division
    points: list[PointBody]
    position: int


class PointsQuery(ReadQuery, frozen=True, kw_only=True):
    """Which year; this one, if none is given."""

    academic_year: AcademicYear | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What years are divided into, from the one in the path on."""

    division: Division


class Closing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a point is to be closed or open, and why."""

    closed: bool
    reason: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class PointsKept(msgspec.Struct, frozen=True, kw_only=True):
    """The version of the school's assessment points after a command."""

    version: int
    position: int


def _kept(outcome: Outcome[PointsResult]) -> Answer[PointsKept]:
    kept = PointsKept(version=outcome.result.version, position=outcome.position)
    return Answer(kept, position=outcome.position, repeated=outcome.repeated)


def _year(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and FIRST_YEAR <= int(text[:5]) <= LAST_YEAR):
        raise NotFound("There is no such academic year: it is the year in which one starts, such as 2025")
    return int(text)


def _when(academic_year: str, term: str) -> When:
    year = _year(academic_year)
    try:
        return when(year, None if term == WholeYearName.YEAR else term)
    except ValueError:
        accepted = ", ".join([*Term, WholeYearName.YEAR])
        raise NotFound(f"There is no such assessment point, but one of {accepted}") from None


def _body(points: AssessmentPoints, at: When) -> PointBody:
    return PointBody(
        academic_year=at.academic_year,
        term=at.term,
        label=at.label,
        ends_on=at.ends_on,
        closed=at in points.closed,
    )


@routes.get("/v1/assessment-points")
def list_points(
    caller: Annotated[Caller, signed_in(Permission.READ_SCHOOL)],
    asked: Annotated[PointsQuery, query(PointsQuery)],
) -> Answer[PointsBody]:
    """List the assessment points of an academic year, and which are closed."""
    position = see(caller, asked.min_position)
    year = academic_year_of(school_time.today()) if asked.academic_year is None else asked.academic_year
    points = points_of(caller.school)
    shown: list[When] = [*points.of_year(year)]
    told = {each for at in shown if at in points.closed for each in together(at)}
    others = [at for at in points.closed - told if at.academic_year == year and at.term and at not in shown]
    shown += sorted(others, key=lambda at: at.ends_on)
    return Answer(
        PointsBody(
            academic_year=year,
            division=points.division(year),
            points=[_body(points, at) for at in [*shown, WholeYear(year)]],
            position=position,
        )
    )


@routes.put("/v1/assessment-points/{academic_year}")
def choose_points(
    caller: Annotated[Caller, signed_in(Permission.MANAGE_ASSESSMENT_POINTS)],
    academic_year: str,
    sent: Annotated[Sent[Choice], body(Choice)],
) -> Answer[PointsKept]:
    """Divide academic years into three terms or six half-terms, from one on."""
    year = _year(academic_year)
    return _kept(commands.choose(caller.school, year, sent.value.division, caller.actor, sent.command))


@routes.put("/v1/assessment-points/{academic_year}/{term}")
def close_or_open_point(
    caller: Annotated[Caller, signed_in(Permission.MANAGE_ASSESSMENT_POINTS)],
    academic_year: str,
    term: str,
    sent: Annotated[Sent[Closing], body(Closing)],
) -> Answer[PointsKept]:
    """Close an assessment point, or open it again; `year` as the term is the results of the whole year."""
    at = _when(academic_year, term)
    change = commands.close if sent.value.closed else commands.reopen
    return _kept(change(caller.school, at, caller.actor, reason=sent.value.reason, command=sent.command))
