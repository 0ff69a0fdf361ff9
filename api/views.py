"""How pupils are shown: flat, as changes are sent, and without names where none may be seen."""

from __future__ import annotations

from datetime import date
from typing import Any, Self
from uuid import UUID

import msgspec

from api.callers import Caller
from domain import school_time
from domain.access import Permission
from domain.application.school_application import SchoolApplication
from domain.assessment import STATEMENTS, Assessment, Result, cell_of, meaning_of
from domain.code_flags import FieldFlag, flags_of
from domain.events import is_sealed
from domain.periods import TOLD_BY
from domain.pupil import Pupil
from domain.pupil_day import PupilDay, on_day
from domain.pupil_record import (
    AttendanceTotals,
    CarePeriod,
    OtherElement,
    Period,
    PremiumPeriod,
    PupilNames,
    PupilRecord,
    SchoolAttended,
    SenPeriod,
    YearAttended,
)
from domain.schemes.scheme import Standing
from domain.vault.aliases import alias_of
from projections.assessments import AssessmentView
from projections.pupils import PupilView


def names_for(caller: Caller, names: PupilNames) -> PupilNames | None:
    """Who a pupil is, for those who may know: the one way by which names get into an answer.

    Those who may not know hold no key, so that there is nothing to give them; and they are asked, too.
    """
    return None if is_sealed(names) or not caller.may(Permission.READ_NAMES) else names


def alias_for(caller: Caller, pupil_id: UUID) -> str | None:
    """What a pupil is called for those who may not see names; nothing for those who may."""
    return None if caller.may(Permission.READ_NAMES) else alias_of(caller.school.keys, pupil_id)


class PupilBody(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil.

    Attributes:
        pupil_id: The pupil's id.
        version: What a change is made against.
        on_roll: At the school now.
        left_on: When the child left, if away.
        class_id: The class, for filters and addresses.
        alias: What the pupil is called for those who may not see names: always the same, and known nowhere
        else.
        surname: This and the fields down to the postcode are null for those who may not see names.
        forename: The forename.
        date_of_birth: The date of birth.
        upn: The Unique Pupil Number.
        former_upns: Those before, the oldest first.
        mistyped_upns: Those that were entered for the child by mistake; null for those who may not see names.
        postcode: The postcode.
        sex: M, F, U or W.
        date_of_entry: When the child joined this school.
        nc_year: National Curriculum year.
        class_name: The registration group.
        free_school_meals: Eligible for free school meals on the day asked about, as `on_day` says it, too.
        first_language: A DfE language code.
        ethnicity: A DfE ethnicity code.
        sen_provision: A DfE code of SEN provision, likewise.
        in_care: Looked after by a local authority, likewise.
        gifted: As the school judges.
        attendance: Totals of the academic year so far.
        middle_names: This and the fields down to the schools before are null for those who may not see names.
        preferred_surname: What the child is called, where it is not the surname.
        preferred_forename: What the child is called, where it is not the forename.
        former_surname: The surname before the present one.
        former_forename: The forename before the present one.
        previous_setting: Where the child was before this school.
        previous_schools: The schools before this one, the earliest first.
        attendance_before: Attendance of earlier years and at other schools, from files; null likewise.
        other_elements: What Common Transfer Files said and no other field holds; null likewise.
        upn_missing: Why there is no UPN, as a code.
        meals_periods: When the child was eligible for free school meals.
        premium_periods: When the school got pupil premium for the child, and why.
        sen_periods: The SEN provision over time.
        sen_needs: Codes of the types of need, the primary one first.
        eal: English as an additional language, where the school says so itself; see `on_day` for what is so.
        talented: As the school judges.
        care_periods: When the child was looked after.
        post_looked_after: A DfE code of post-looked-after arrangements.
        preschool_terms: Terms before Reception.
        enrolment_status: A DfE code of enrolment status.
        active_concerns: How many concerns the school has about the child.
        on_day: What is so on the day asked about, worked out from the rest.
        flags: Codes that no list has, or not on the day that they are about: kept, and to be looked at.
    """

    pupil_id: UUID
    version: int
    on_roll: bool
    left_on: date | None
    class_id: UUID | None
    alias: str | None
    surname: str | None
    forename: str | None
    date_of_birth: date | None
    upn: str | None
    former_upns: tuple[str, ...] | None
    mistyped_upns: tuple[str, ...] | None
    postcode: str | None
    sex: str
    date_of_entry: date
    nc_year: str | None
    class_name: str | None
    free_school_meals: bool | None
    first_language: str | None
    ethnicity: str | None
    sen_provision: str | None
    in_care: bool | None
    gifted: bool | None
    attendance: AttendanceTotals | None
    middle_names: str | None
    preferred_surname: str | None
    preferred_forename: str | None
    former_surname: str | None
    former_forename: str | None
    previous_setting: str | None
    previous_schools: tuple[SchoolAttended, ...] | None
    attendance_before: tuple[YearAttended, ...] | None
    other_elements: tuple[OtherElement, ...] | None
    upn_missing: str | None
    meals_periods: tuple[Period, ...]
    premium_periods: tuple[PremiumPeriod, ...]
    sen_periods: tuple[SenPeriod, ...]
    sen_needs: tuple[str, ...]
    eal: bool | None
    talented: bool | None
    care_periods: tuple[CarePeriod, ...]
    post_looked_after: str | None
    preschool_terms: int | None
    enrolment_status: str | None
    active_concerns: int
    on_day: PupilDay
    flags: tuple[FieldFlag, ...]


def pupil_body(caller: Caller, view: PupilView, day: date | None = None) -> PupilBody:
    """A pupil of the projection, as the caller may see it.

    Args:
        caller: Whom it is shown to.
        view: The pupil.
        day: The day that is asked about; today, if none is given.
    """
    names = names_for(caller, view.names)
    shown: dict[str, Any] = {
        field: getattr(names, field) if names else None for field in PupilNames.__struct_fields__
    }
    shown |= {field: getattr(view.record, field) for field in PupilRecord.__struct_fields__}
    day = day or school_time.today()
    so = on_day(names, view.record, view.left_on, day, view.away)
    # What was written last may have come to an end since: the plain fields say the same as `on_day`.
    shown |= {field: getattr(so, field) for field in TOLD_BY}
    return PupilBody(
        pupil_id=view.pupil_id,
        version=view.version,
        on_roll=view.left_on is None,
        left_on=view.left_on,
        class_id=view.class_id,
        alias=alias_for(caller, view.pupil_id),
        active_concerns=view.active_concerns,
        on_day=so,
        flags=flags_of(names, view.record, view.left_on, day),
        **shown,
    )


def view_of(school: SchoolApplication, pupil: Pupil) -> PupilView:
    """A pupil from the stream, as the projection would hold it."""
    class_name = pupil.record.class_name
    return PupilView(
        pupil_id=pupil.id,
        version=pupil.version,
        names=pupil.names,
        record=pupil.record,
        left_on=pupil.left_on,
        class_id=school.class_id_of(class_name) if class_name else None,
        active_concerns=pupil.active_concerns,
        away=pupil.away,
    )


class AssessmentBody(msgspec.Struct, frozen=True, kw_only=True):
    """A result.

    Attributes:
        assessment_id: Its id.
        corrected: It was entered otherwise at first.
        scheme: The scale: one of `GET /v1/schemes`, or `statutory` for what came in a file.
        subject: A subject code.
        value: What was judged or scored, on that scale.
        academic_year: The year in which the academic year starts.
        term: The term or half-term; null for results of a whole year.
        nc_year: The NC year that the child was in.
        stage: CTF `Stage`.
        component: CTF `Component`.
        method: CTF `Method`.
        qualifier: CTF `ResultQualifier`.
        status: CTF `ResultStatus`.
        assessed_on: The day, where it is known.
        scheme_version: The version of the scheme, where it has several.
        statement: The statement that was judged, where it was one.
        known: Whether the value is one of a scheme that is known here; what is not is kept as it came.
        standing: `below`, `at` or `above` what was expected; null, where nothing was or nothing is known.
    """

    assessment_id: UUID
    corrected: bool
    scheme: str
    subject: str
    value: str
    academic_year: int
    term: str | None
    nc_year: str | None
    stage: str | None
    component: str | None
    method: str | None
    qualifier: str | None
    status: str | None
    assessed_on: date | None
    scheme_version: str | None
    statement: UUID | None
    known: bool
    standing: Standing | None

    @classmethod
    def of(cls, assessment_id: UUID, result: Result, *, corrected: bool) -> Self:
        """A result as it is shown."""
        fields = {field: getattr(result, field) for field in Result.__struct_fields__}
        meaning = meaning_of(result)
        return cls(
            assessment_id=assessment_id,
            corrected=corrected,
            known=meaning is not None and meaning.value is not None,
            standing=meaning.standing if meaning else None,
            **fields,
        )


class PupilAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil with the newest result in each cell."""

    pupil: PupilBody
    assessments: list[AssessmentBody]
    position: int | None


def assessment_bodies(views: list[AssessmentView]) -> list[AssessmentBody]:
    """Results of the projection, as they are shown."""
    return [AssessmentBody.of(view.assessment_id, view.result, corrected=view.corrected) for view in views]


def newest(assessments: list[Assessment]) -> list[AssessmentBody]:
    """Of results in the order of their first entry, the newest in each cell; statements apart."""
    cells = {
        cell_of(assessment.result): assessment
        for assessment in assessments
        if assessment.result.scheme != STATEMENTS
    }
    return [AssessmentBody.of(each.id, each.result, corrected=each.corrected) for each in cells.values()]
