"""A school's assessment points: choosing, closing and opening them, and recording only in open ones."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import msgspec

import domain.assessment_points
from domain import school_time
from domain.academic_year import When, academic_year_label, academic_year_of
from domain.application.school_application import (
    SCHOOL,
    CommandKey,
    Decision,
    Outcome,
    SchoolApplication,
)
from domain.assessment_points import FIRST_YEAR, AssessmentPoints, Division, not_begun
from domain.errors import Finding, InvalidInput
from domain.events import Actor, Event
from domain.identifiers import log_id_of
from domain.ledger.stream import Unless
from domain.particulars import checked_reason


class PointsResult(msgspec.Struct, frozen=True):
    """The school whose points a command was about, and the version of their log after it."""

    school_id: UUID
    version: int


def points_of(school: SchoolApplication) -> AssessmentPoints:
    """The school's assessment points."""
    log = log_id_of(school.school_id, "assessment-points")
    points = AssessmentPoints(school_id=school.school_id, log=log)
    return domain.assessment_points.fold(points, school.read(school.stream.events_of(log)))


def points_to_record_at(school: SchoolApplication) -> tuple[AssessmentPoints, Unless]:
    """The school's points, and the condition that none has been closed since: what recording rests on."""
    # The head is read first: what is closed between the two looks is after it, and refuses the append.
    position = school.stream.head().position
    return points_of(school), Unless(SCHOOL, position)


def choose(
    school: SchoolApplication,
    from_year: int,
    division: Division,
    actor: Actor,
    command: CommandKey | None = None,
) -> Outcome[PointsResult]:
    """Divides academic years into three terms or six half-terms, from one on. What was recorded stays.

    Raises:
        InvalidInput: The year is too long ago, or more than one ahead.
    """
    last = academic_year_of(school_time.today()) + 1
    if not FIRST_YEAR <= from_year <= last:
        accepted = f"an academic year from {academic_year_label(FIRST_YEAR)} to {academic_year_label(last)}"
        raise InvalidInput(
            "The points cannot be chosen like this",
            [Finding(field="academic_year", found=academic_year_label(from_year)[:60], accepted=accepted)],
        )
    return _change(
        school,
        lambda points: domain.assessment_points.choose(points, from_year, division, actor),
        command,
    )


def close(
    school: SchoolApplication,
    at: When,
    actor: Actor,
    *,
    reason: str | None = None,
    command: CommandKey | None = None,
) -> Outcome[PointsResult]:
    """Closes a point, or a whole year's results: nothing is recorded, corrected or voided there any more.

    Raises:
        InvalidInput: The point has not begun, or is none of the school's; or the reason cannot be kept.
    """
    reason = checked_reason("reason", reason)
    today = school_time.today()
    if finding := not_begun(at, today):
        raise InvalidInput("Only what has begun can be closed", [finding])
    return _change(
        school, lambda points: domain.assessment_points.close(points, at, actor, reason), command
    )  # fmt: skip


def reopen(
    school: SchoolApplication,
    at: When,
    actor: Actor,
    *,
    reason: str | None = None,
    command: CommandKey | None = None,
) -> Outcome[PointsResult]:
    """Opens a point again.

    Raises:
        InvalidInput: It is none of the school's, or the reason cannot be kept.
    """
    reason = checked_reason("reason", reason)
    return _change(school, lambda points: domain.assessment_points.reopen(points, at, actor, reason), command)


def _change(
    school: SchoolApplication,
    change: Callable[[AssessmentPoints], Event | None],
    command: CommandKey | None,
) -> Outcome[PointsResult]:
    def decide() -> Decision[PointsResult]:
        points = points_of(school)
        happened = change(points)
        version = points.version + (happened is not None)
        return Decision([happened] if happened else [], PointsResult(school.school_id, version))

    return school.carry_out(decide, PointsResult, command)
