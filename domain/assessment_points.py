"""A school's assessment points: three terms or six half-terms a year, each open until the school closes it.

A point that was never closed is open. The points are few and decided on together, so they are a short log of
the school's own, in the category that decisions may rest on: whoever records a result does so on condition
that no point has been closed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

import msgspec

from domain.academic_year import (
    HALF_TERMS,
    TERM_ENDED_BY,
    TERMS,
    AssessmentPoint,
    Term,
    When,
    WholeYear,
    academic_year_label,
)
from domain.errors import Conflict, Finding, InvalidInput
from domain.events import Actor, Event, Names, Open, event


class Division(StrEnum):
    """What a school divides its academic years into."""

    TERMS = "terms"
    HALF_TERMS = "half-terms"

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms or half-terms, in the order of the year."""
        return TERMS if self is Division.TERMS else HALF_TERMS


@event("school.assessment-points-chosen")
class AssessmentPointsChosen(Event, frozen=True, kw_only=True):
    """The school divides its years so, from an academic year on."""

    subject_field: ClassVar[str] = "school_id"

    school_id: Open[UUID]
    from_year: Open[int]
    division: Open[Division]


@event("school.assessment-point-closed")
class AssessmentPointClosed(Event, frozen=True, kw_only=True):
    """No result and no target of the point may be entered, corrected or voided any more.

    `term` is nothing where the results of a whole academic year are closed: those of tests that are taken
    once in it.
    """

    subject_field: ClassVar[str] = "school_id"

    school_id: Open[UUID]
    academic_year: Open[int]
    term: Open[Term | None] = None
    reason: Names[str | None] = None


@event("school.assessment-point-opened")
class AssessmentPointOpened(Event, frozen=True, kw_only=True):
    """A point that had been closed is open again."""

    subject_field: ClassVar[str] = "school_id"

    school_id: Open[UUID]
    academic_year: Open[int]
    term: Open[Term | None] = None
    reason: Names[str | None] = None


class AssessmentPoints(msgspec.Struct, frozen=True, kw_only=True):
    """A school's points, as the events so far describe them.

    Attributes:
        school_id: The school.
        log: The originator id of their log.
        version: The version of the last event.
        choices: What years are divided into, by the first year in which it is so; three terms before that.
        closed: The points and years that are closed.
    """

    school_id: UUID
    log: UUID
    version: int = 0
    choices: dict[int, Division] = {}
    closed: frozenset[When] = frozenset()

    def division(self, academic_year: int) -> Division:
        """What an academic year is divided into."""
        before = [year for year in self.choices if year <= academic_year]
        return self.choices[max(before)] if before else Division.TERMS

    def of_year(self, academic_year: int) -> list[AssessmentPoint]:
        """The points of an academic year, in order."""
        return [AssessmentPoint(academic_year, term) for term in self.division(academic_year).terms]

    def check(self, at: When) -> None:
        """Makes sure that something may be entered for a point.

        Raises:
            InvalidInput: The school does not divide that year so.
            Conflict: The point is closed.
        """
        self.check_division(at)
        self.check_open(at)

    def check_division(self, at: When) -> None:
        """Makes sure that it is one of the points of that year.

        Raises:
            InvalidInput: The school does not divide that year so.
        """
        division = self.division(at.academic_year)
        if at.term is not None and at.term not in division.terms:
            raise InvalidInput(
                "The school has other assessment points in that year",
                [Finding(field="term", found=at.term, accepted=f"one of {', '.join(division.terms)}")],
            )

    def check_open(self, at: When) -> None:
        """Makes sure that a point is open.

        Raises:
            Conflict: It is closed.
        """
        if at in self.closed:
            raise Conflict(f"{at.label} is closed: an administrator can open it again", closed=at.label)


def fold(points: AssessmentPoints, events: Iterable[Event]) -> AssessmentPoints:
    """The points after these events."""
    for happened in events:
        choices, closed = points.choices, points.closed
        match happened:
            case AssessmentPointsChosen():
                # What was chosen for later years gives way, too: the newest choice holds from its year on.
                kept = {year: each for year, each in choices.items() if year < happened.from_year}
                choices = {**kept, happened.from_year: happened.division}
            case AssessmentPointClosed():
                closed = closed | together(_when(happened))
            case AssessmentPointOpened():
                closed = closed - together(_when(happened))
            case _:
                raise Conflict(f"{happened.name} is not an event of assessment points")
        points = msgspec.structs.replace(
            points, version=happened.originator_version, choices=choices, closed=closed
        )
    return points


def _when(happened: AssessmentPointClosed | AssessmentPointOpened) -> When:
    if happened.term is None:
        return WholeYear(happened.academic_year)
    return AssessmentPoint(happened.academic_year, happened.term)


def together(at: When) -> frozenset[When]:
    """The points that are closed, or opened, with one.

    A school that divides its years otherwise from now on has results of both kinds, and whatever is over by
    the one division is over by the other: a term and its second half are one point in time. So a term closes
    with both of its halves, and with the second of them; it is opened likewise.
    """
    if at.term is None:
        return frozenset({at})
    term = TERM_ENDED_BY.get(at.term, at.term)
    terms = {at.term, term}
    if at.term in TERMS:
        terms |= {half for half in HALF_TERMS if half.startswith(f"{term}-")}
    return frozenset(AssessmentPoint(at.academic_year, term) for term in terms)


def choose(
    points: AssessmentPoints, from_year: int, division: Division, actor: Actor
) -> AssessmentPointsChosen | None:
    """Divides academic years into terms or half-terms, from one on; nothing, if they are so already."""
    if points.division(from_year) is division and not any(year > from_year for year in points.choices):
        return None
    return AssessmentPointsChosen(
        originator_id=points.log,
        originator_version=points.version + 1,
        actor=actor,
        school_id=points.school_id,
        from_year=from_year,
        division=division,
    )


def close(
    points: AssessmentPoints, at: When, actor: Actor, reason: str | None = None
) -> AssessmentPointClosed | None:
    """Closes a point; nothing, if it is closed already.

    Raises:
        InvalidInput: The school does not divide that year so.
    """
    points.check_division(at)
    if together(at) <= points.closed:
        return None
    return AssessmentPointClosed(
        originator_id=points.log,
        originator_version=points.version + 1,
        actor=actor,
        school_id=points.school_id,
        academic_year=at.academic_year,
        term=at.term,
        reason=reason,
    )


def reopen(
    points: AssessmentPoints, at: When, actor: Actor, reason: str | None = None
) -> AssessmentPointOpened | None:
    """Opens a point again; nothing, if it is open already."""
    if at not in points.closed:
        points.check_division(at)
        return None
    return AssessmentPointOpened(
        originator_id=points.log,
        originator_version=points.version + 1,
        actor=actor,
        school_id=points.school_id,
        academic_year=at.academic_year,
        term=at.term,
        reason=reason,
    )


FIRST_YEAR: Final = 1990
"""No pupil of today was assessed before this academic year."""


def not_begun(at: When, today: date) -> Finding | None:
    """What is wrong with recording results of a point or year, if it lies ahead or before anybody's time."""
    among = HALF_TERMS if at.term in HALF_TERMS else TERMS
    now = AssessmentPoint.of(today, among)
    last: When = WholeYear(now.academic_year) if at.term is None else now
    if FIRST_YEAR <= at.academic_year <= now.academic_year and at.ends_on <= last.ends_on:
        return None
    accepted = f"{last.label} or earlier, from {academic_year_label(FIRST_YEAR)} on"
    return Finding(field="term" if at.term else "academic_year", found=at.label[:60], accepted=accepted)
