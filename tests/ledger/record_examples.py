"""Examples of what happens beside a pupil's particulars: assessments, attendance, observations and more."""

from __future__ import annotations

from datetime import date

from domain.academic_year import Term
from domain.assessment import AssessmentVoided
from domain.assessment_points import (
    AssessmentPointClosed,
    AssessmentPointOpened,
    AssessmentPointsChosen,
    Division,
)
from domain.attendance import AttendanceMarked, AttendanceTotalled, AttendanceTotalsVoided, Totals
from domain.events import Event
from domain.observation import (
    ObservationChanged,
    ObservationMade,
    ObservationWithdrawn,
    Photograph,
    PhotographAdded,
    PhotographWithdrawn,
)
from domain.statements import StatementKey, StatementRegistered, StatementRetired, StatementWithdrawn
from domain.targets import Target, TargetRemoved, TargetSet
from tests.ledger.example_ids import (
    ASSESSMENT,
    OBSERVATION,
    OBSERVATIONS_LOG,
    PHOTOGRAPH,
    POINTS_LOG,
    PUPIL,
    SCHOOL,
    STATEMENT,
    STATEMENTS_LOG,
    TARGET,
    TEACHER,
)

RECORD_EXAMPLES: tuple[Event, ...] = (
    AssessmentVoided(
        originator_id=PUPIL,
        originator_version=3,
        actor=TEACHER,
        assessment_id=ASSESSMENT,
        pupil_id=PUPIL,
        reason="entered for the wrong child",
    ),
    TargetSet(
        originator_id=PUPIL,
        originator_version=1,
        actor=TEACHER,
        target_id=TARGET,
        pupil_id=PUPIL,
        target=Target(
            scheme="eyfs-profile",
            subject="COM",
            value="2",
            academic_year=2026,
            term="summer",
            component="E01",
            scheme_version="2021",
        ),
    ),
    TargetRemoved(
        originator_id=PUPIL,
        originator_version=2,
        actor=TEACHER,
        target_id=TARGET,
        pupil_id=PUPIL,
        reason="set for the wrong child",
    ),
    StatementRegistered(
        originator_id=STATEMENTS_LOG,
        originator_version=1,
        actor=TEACHER,
        school_id=SCHOOL,
        statement_id=STATEMENT,
        key=StatementKey(subject="MAT", code="3N-04", band=3),
        text="I can count in hundreds",
    ),
    StatementWithdrawn(
        originator_id=STATEMENTS_LOG,
        originator_version=2,
        actor=TEACHER,
        school_id=SCHOOL,
        statement_id=STATEMENT,
    ),
    StatementRetired(
        originator_id=STATEMENTS_LOG,
        originator_version=2,
        actor=TEACHER,
        school_id=SCHOOL,
        statement_id=STATEMENT,
    ),
    AssessmentPointsChosen(
        originator_id=POINTS_LOG,
        originator_version=1,
        actor=TEACHER,
        school_id=SCHOOL,
        from_year=2025,
        division=Division.HALF_TERMS,
    ),
    AssessmentPointClosed(
        originator_id=POINTS_LOG,
        originator_version=2,
        actor=TEACHER,
        school_id=SCHOOL,
        academic_year=2025,
        term=Term.AUTUMN_1,
        reason="reported to the governors",
    ),
    AssessmentPointOpened(
        originator_id=POINTS_LOG,
        originator_version=3,
        actor=TEACHER,
        school_id=SCHOOL,
        academic_year=2025,
        term=Term.AUTUMN_1,
        reason="a class was left out",
    ),
    AttendanceMarked(
        originator_id=PUPIL,
        originator_version=1,
        actor=TEACHER,
        pupil_id=PUPIL,
        first_day=date(2025, 9, 5),
        marks=("/", "\\", "", "", "", "", "-", "Y2"),
        reason="marked the wrong child",
    ),
    AttendanceTotalled(
        originator_id=PUPIL,
        originator_version=2,
        actor=TEACHER,
        pupil_id=PUPIL,
        totals=Totals(
            first_day=date(2024, 9, 3),
            last_day=date(2024, 12, 20),
            possible=140,
            attended=131,
            authorised=7,
            unauthorised=2,
        ),
        reason="counted anew",
    ),
    AttendanceTotalsVoided(
        originator_id=PUPIL,
        originator_version=3,
        actor=TEACHER,
        pupil_id=PUPIL,
        first_day=date(2024, 9, 3),
        last_day=date(2024, 12, 20),
        reason="of another child",
    ),
    ObservationMade(
        originator_id=OBSERVATIONS_LOG,
        originator_version=1,
        actor=TEACHER,
        observation_id=OBSERVATION,
        pupil_id=PUPIL,
        observed_on=date(2025, 3, 4),
        text="Counted the conkers\nand shared them out.",
        subject_code="MAT",
    ),
    ObservationChanged(
        originator_id=OBSERVATIONS_LOG,
        originator_version=2,
        actor=TEACHER,
        observation_id=OBSERVATION,
        pupil_id=PUPIL,
        observed_on=date(2025, 3, 5),
        text="Counted twelve conkers and shared them out.",
        subject_code="SCI",
    ),
    PhotographAdded(
        originator_id=OBSERVATIONS_LOG,
        originator_version=3,
        actor=TEACHER,
        observation_id=OBSERVATION,
        pupil_id=PUPIL,
        photograph=Photograph(
            id=PHOTOGRAPH,
            media_type="image/jpeg",
            width=4032,
            height=3024,
            sha256=bytes(range(32)),
            thumbnail_sha256=bytes(range(32, 64)),
        ),
    ),
    PhotographWithdrawn(
        originator_id=OBSERVATIONS_LOG,
        originator_version=4,
        actor=TEACHER,
        observation_id=OBSERVATION,
        pupil_id=PUPIL,
        photograph_id=PHOTOGRAPH,
    ),
    ObservationWithdrawn(
        originator_id=OBSERVATIONS_LOG,
        originator_version=5,
        actor=TEACHER,
        observation_id=OBSERVATION,
        pupil_id=PUPIL,
        reason="about another child",
    ),
)
"""The newest version of these event classes."""
