"""What made-up children achieve: statutory results and termly judgements, which grow from one ability.

An ability is a number of standard deviations from the mean. The thresholds are chosen so that about as many
children reach each standard as in England: 80 % in phonics, a mean of 20 to 21 in the multiplication tables
check, 14 of 17 early learning goals, 67 % at or above what is expected on the steps.
"""

from __future__ import annotations

import math
from datetime import date
from random import Random

import msgspec

from domain.academic_year import TERMS, AssessmentPoint, academic_year_of
from domain.assessment import STATUTORY, Result
from domain.codes.steps import STEPS, expected_ordinals
from scripts.demonstration.name_lists import Origin

SUBJECTS = ("REA", "WRI", "MAT")
YEARS_BACK = 3

FIRST_OF_TODAYS_GOALS = 2021
"""The academic year of the first profiles with the goals E01 to E17."""

LAST_OF_STATUTORY_KEY_STAGE_1 = 2022
"""The academic year of the last statutory assessments at the end of Year 2."""

WITHOUT_ASSESSMENTS = {2019, 2020}
"""The academic years whose summers had no statutory assessments, because of the pandemic."""

GOALS = {
    "COM": (1, 2),
    "PSE": (3, 4, 5),
    "PHY": (6, 7),
    "LIT": (8, 9, 10),
    "MAT": (11, 12),
    "UTW": (13, 14, 15),
    "EXP": (16, 17),
}
"""The early learning goals of each area of learning."""


class Learner(msgspec.Struct, kw_only=True):
    """The part of a made-up child that achievement comes from.

    Attributes:
        nc_year: The NC year on the day that the school is made up for.
        date_of_birth: When the child was born.
        ability: In standard deviations from the mean.
        origin: Where the names come from.
        sen_provision: N, K or E.
    """

    nc_year: str
    date_of_birth: date
    ability: float
    origin: Origin
    sen_provision: str = "N"


class Judgement(msgspec.Struct, frozen=True):
    """A termly judgement on the steps scale.

    Attributes:
        point: The term that it speaks of.
        subject: The subject code.
        value: The step.
    """

    point: AssessmentPoint
    subject: str
    value: str


def points_until(day: date) -> list[AssessmentPoint]:
    """The terms of the last three academic years and of this one, the one that the day lies in included."""
    this_year = academic_year_of(day)
    now = AssessmentPoint.of(day)
    return [
        point
        for year in range(this_year - YEARS_BACK, this_year + 1)
        for term in TERMS
        if (point := AssessmentPoint(year, term)).ends_on <= now.ends_on
    ]


def judgements_of(chance: Random, learner: Learner, entered: date, day: date) -> tuple[Judgement, ...]:
    """The termly judgements of a child since the child came to the school, Years 1 to 6 only.

    Progress is six steps a year, and a step up or down of chance; what a child could do once is not lost.
    """
    strengths = {subject: 0.9 * learner.ability + 0.4 * chance.gauss(0, 1) for subject in SUBJECTS}
    reached = dict.fromkeys(SUBJECTS, 1)
    judgements = []
    for point in points_until(day):
        nc_year = _nc_year_then(learner.nc_year, academic_year_of(day) - point.academic_year)
        expected = expected_ordinals(nc_year, point.term) if nc_year else None
        if expected is None or entered > min(point.ends_on, day):
            continue
        spread = 1.4 + 0.25 * int(nc_year or 0)
        for subject, strength in strengths.items():
            ordinal = round(expected.start + 0.5 + spread * strength + chance.gauss(0, 0.5))
            reached[subject] = min(max(ordinal, reached[subject], 1), len(STEPS))
            judgements.append(Judgement(point, subject, _LABELS[reached[subject]]))
    return tuple(judgements)


_LABELS = {step.ordinal: label for label, step in STEPS.items()}


def _nc_year_then(nc_year: str, years_ago: int) -> str | None:
    place = (0 if nc_year == "R" else int(nc_year)) - years_ago
    return str(place) if place > 0 else None


def statutory_results_of(chance: Random, learner: Learner, day: date) -> tuple[Result, ...]:
    """The national assessments that a child of this year has behind it."""
    turned = 0 if learner.nc_year == "R" else int(learner.nc_year)
    began = academic_year_of(day) - turned
    results: list[Result] = []
    for place in range(turned):
        year = began + place
        if year in WITHOUT_ASSESSMENTS:
            continue
        if place == 0 and year >= FIRST_OF_TODAYS_GOALS:
            results += _profile(chance, learner, year)
        elif place == 1:
            results.append(_phonics(chance, learner.ability, year))
        elif place == 2:
            results += _end_of_year_2(chance, learner, year, results)
        elif place == 4:
            results.append(_tables(chance, learner, year))
    return tuple(results)


def _profile(chance: Random, learner: Learner, year: int) -> list[Result]:
    return [
        _result(
            "EYF", area, f"E{goal:02d}", "FA", "2" if _reaches(chance, learner, 0.83) else "1", year, "FD"
        )
        for area, goals in GOALS.items()
        for goal in goals
    ]


def _reaches(chance: Random, learner: Learner, share: float) -> bool:
    """Whether a child is among the share of all children who reach something."""
    return _percentile(0.8 * learner.ability + 0.6 * chance.gauss(0, 1)) > 1 - share


def _percentile(deviations: float) -> float:
    return (1 + math.erf(deviations / math.sqrt(2))) / 2


def _phonics(chance: Random, ability: float, year: int) -> Result:
    # Most children have nearly all forty words, and the few who have not spread far down.
    mark = 40 - 4 * math.exp(-0.9 * (0.9 * ability + 0.4 * chance.gauss(0, 1)))
    return _result("KS1", "PHO", "PHO", "TA", str(max(0, round(mark))), year, "NM")


def _end_of_year_2(chance: Random, learner: Learner, year: int, before: list[Result]) -> list[Result]:
    again = [
        _phonics(chance, learner.ability + 0.8, year)
        for result in before
        if result.subject == "PHO" and int(result.value) < 32
    ]
    if year > LAST_OF_STATUTORY_KEY_STAGE_1:
        return again
    judged = [
        _result("KS1", subject, component, "TA", _standard(chance, learner), year)
        for subject, component in (("ENG", "REA"), ("ENG", "WRI"), ("MAT", None))
    ]
    science = "EXS" if _reaches(chance, learner, 0.8) else "HNM"
    return [*again, *judged, _result("KS1", "SCI", None, "TA", science, year)]


def _standard(chance: Random, learner: Learner) -> str:
    place = _percentile(0.8 * learner.ability + 0.6 * chance.gauss(0, 1))
    if learner.sen_provision == "E" and place < 0.1:
        return f"PK{chance.randint(1, 4)}"
    return "WTS" if place < 0.32 else "EXS" if place < 0.82 else "GDS"


def _tables(chance: Random, learner: Learner, year: int) -> Result:
    mark = 25 - 3.3 * math.exp(-0.7 * (0.8 * learner.ability + 0.6 * chance.gauss(0, 1)))
    return _result("KS2", "MAT", "MTC", "TT", str(max(0, round(mark))), year, "MT", "R")


def _result(
    stage: str,
    subject: str,
    component: str | None,
    method: str,
    value: str,
    year: int,
    qualifier: str | None = None,
    status: str | None = None,
) -> Result:
    return Result(
        scheme=STATUTORY,
        subject=subject,
        value=value,
        academic_year=year,
        stage=stage,
        component=component,
        method=method,
        qualifier=qualifier,
        status=status,
    )
