"""What is recorded of a pupil: who the child is, and everything else, field by field.

Both are whole compartments of the pupil's events. Fields are only ever added, each with a default, so that
what was stored before still reads.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

Unset = msgspec.UnsetType


class SchoolAttended(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A school or setting that the child was at before this one.

    Attributes:
        name: As it was told.
        local_authority: DfE number, three digits.
        establishment: DfE number within it, four digits.
        entered_on: The first day there.
        left_on: The last day there.
        leaving_reason: A code of the set `leaving-reason`, as supplied.
    """

    name: str | None = None
    local_authority: str | None = None
    establishment: str | None = None
    entered_on: date | None = None
    left_on: date | None = None
    leaving_reason: str | None = None


class YearAttended(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Attendance in an academic year before this one, or at another school, as a file told it.

    Attributes:
        academic_year: The year in which it starts.
        possible: Sessions (half days) that the child could have attended.
        authorised: Those missed with leave.
        unauthorised: Those missed without.
        name: The school; none of the next two either, where it was this one.
        local_authority: Its DfE number, as supplied.
        establishment: Its DfE number within the authority, as supplied.
    """

    academic_year: int
    possible: int
    authorised: int
    unauthorised: int
    name: str | None = None
    local_authority: str | None = None
    establishment: str | None = None


class OtherElement(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An element of a Common Transfer File that no field here holds, kept to be written out again unchanged.

    Attributes:
        xml: The element, as XML.
        path: The elements that it stood in, below the pupil: `BasicDetails`; none, if right in the pupil.
        of: Which one of several of those it stood in: the day on which an `FSMinstance` begins, for example.
        after: The element that Target Tracker does know and that came before it; none, if it came first.
    """

    xml: str
    path: str = ""
    of: str = ""
    after: str = ""


class PupilNames(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Who a child is: the whole of the pupil's `names` compartment.

    Attributes:
        surname: As the school writes it.
        forename: As the school writes it.
        date_of_birth: The date of birth.
        upn: The Unique Pupil Number, 13 characters, permanent or temporary; never the identity of the record.
        former_upns: Those that the child had before, the oldest first.
        postcode: In the usual form, as in `CM1 1QH`.
        middle_names: All of them.
        preferred_surname: What the child is called, where it is not the surname.
        preferred_forename: What the child is called, where it is not the forename.
        former_surname: The surname before the present one.
        former_forename: The forename before the present one.
        previous_setting: Where the child was before this school, in the school's words.
        previous_schools: The schools before this one, the earliest first.
        attendance_before: Attendance of earlier years and at other schools, from files; it names the schools.
        other_elements: What Common Transfer Files said and no other field holds.
        mistyped_upns: UPNs that were entered for the child by mistake: none of its own, and never looked for.
    """

    surname: str
    forename: str
    date_of_birth: date
    upn: str | None = None
    former_upns: tuple[str, ...] = ()
    postcode: str | None = None
    middle_names: str | None = None
    preferred_surname: str | None = None
    preferred_forename: str | None = None
    former_surname: str | None = None
    former_forename: str | None = None
    previous_setting: str | None = None
    previous_schools: tuple[SchoolAttended, ...] = ()
    attendance_before: tuple[YearAttended, ...] = ()
    other_elements: tuple[OtherElement, ...] = ()
    mistyped_upns: tuple[str, ...] = ()


class Away(msgspec.Struct, frozen=True):
    """A time in which the child was not at the school, between leaving and coming back.

    Attributes:
        left_on: The last day before it.
        returned_on: The first day after it.
    """

    left_on: date
    returned_on: date


class Period(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A time, in whole days.

    Attributes:
        start: The first day; none, where it is not known.
        end: The last day; none, while it goes on.
    """

    start: date | None = None
    end: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the day lies in it."""
        return (self.start or date.min) <= day <= (self.end or date.max)


class PremiumPeriod(Period, frozen=True, omit_defaults=True, kw_only=True):
    """A time of pupil premium; `reason` is a code of the set `pupil-premium`, as supplied."""

    reason: str


class SenPeriod(Period, frozen=True, omit_defaults=True, kw_only=True):
    """A time of SEN provision; `provision` is a code of the set `sen-provision`, as supplied."""

    provision: str


class CarePeriod(Period, frozen=True, omit_defaults=True, kw_only=True):
    """A time in care; `kind` is a code of the set `in-care`, as supplied."""

    kind: str | None = None


class AttendanceTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions (half days) so far in an academic year.

    Attributes:
        academic_year: The year in which it starts.
        possible: Sessions that the child could have attended.
        authorised: Those missed with leave.
        unauthorised: Those missed without.
    """

    academic_year: int
    possible: int
    authorised: int
    unauthorised: int


class PupilRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Everything else about a child: the whole of the pupil's `record` compartment.

    Codes are kept as supplied. What runs over time has its periods, where they are known; the plain field
    beside them (`free_school_meals`, `sen_provision`, `in_care`) says what was so when it was last written.

    Attributes:
        sex: M, F, U or W.
        date_of_entry: When the child joined this school.
        nc_year: National Curriculum year: N1, N2, R, 1 to 14, X.
        class_name: The registration group, as the school calls it.
        free_school_meals: Eligible for free school meals.
        first_language: A DfE language code.
        ethnicity: A DfE ethnicity code, main or extended.
        sen_provision: N, A, P, S, Q, E or K.
        in_care: Looked after by a local authority.
        gifted: As the school judges.
        attendance: Totals of the academic year so far.
        upn_missing: Why there is no UPN: a code of the set `upn-unknown-reason`.
        meals_periods: When the child was eligible for free school meals.
        premium_periods: When the school got pupil premium for the child, and why.
        sen_periods: The SEN provision over time.
        sen_needs: Codes of the set `sen-type`, the primary need first.
        eal: English as an additional language, where the school says so itself; else the language tells.
        talented: As the school judges.
        care_periods: When the child was looked after.
        post_looked_after: A code of the set `post-looked-after`.
        preschool_terms: Terms before Reception.
        enrolment_status: A code of the set `enrolment-status`.
    """

    sex: str
    date_of_entry: date
    nc_year: str | None = None
    class_name: str | None = None
    free_school_meals: bool | None = None
    first_language: str | None = None
    ethnicity: str | None = None
    sen_provision: str | None = None
    in_care: bool | None = None
    gifted: bool | None = None
    attendance: AttendanceTotals | None = None
    upn_missing: str | None = None
    meals_periods: tuple[Period, ...] = ()
    premium_periods: tuple[PremiumPeriod, ...] = ()
    sen_periods: tuple[SenPeriod, ...] = ()
    sen_needs: tuple[str, ...] = ()
    eal: bool | None = None
    talented: bool | None = None
    care_periods: tuple[CarePeriod, ...] = ()
    post_looked_after: str | None = None
    preschool_terms: int | None = None
    enrolment_status: str | None = None


class RecordChange(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The fields of a :class:`PupilRecord` that change; those that do not are left unset."""

    sex: str | Unset = msgspec.UNSET
    date_of_entry: date | Unset = msgspec.UNSET
    nc_year: str | Unset | None = msgspec.UNSET
    class_name: str | Unset | None = msgspec.UNSET
    free_school_meals: bool | Unset | None = msgspec.UNSET
    first_language: str | Unset | None = msgspec.UNSET
    ethnicity: str | Unset | None = msgspec.UNSET
    sen_provision: str | Unset | None = msgspec.UNSET
    in_care: bool | Unset | None = msgspec.UNSET
    gifted: bool | Unset | None = msgspec.UNSET
    attendance: AttendanceTotals | Unset | None = msgspec.UNSET
    upn_missing: str | Unset | None = msgspec.UNSET
    meals_periods: tuple[Period, ...] | Unset = msgspec.UNSET
    premium_periods: tuple[PremiumPeriod, ...] | Unset = msgspec.UNSET
    sen_periods: tuple[SenPeriod, ...] | Unset = msgspec.UNSET
    sen_needs: tuple[str, ...] | Unset = msgspec.UNSET
    eal: bool | Unset | None = msgspec.UNSET
    talented: bool | Unset | None = msgspec.UNSET
    care_periods: tuple[CarePeriod, ...] | Unset = msgspec.UNSET
    post_looked_after: str | Unset | None = msgspec.UNSET
    preschool_terms: int | Unset | None = msgspec.UNSET
    enrolment_status: str | Unset | None = msgspec.UNSET

    @classmethod
    def between(cls, before: PupilRecord, after: PupilRecord) -> RecordChange:
        """What has to be set to turn `before` into `after`."""
        return cls(
            **{
                field: new
                for field in PupilRecord.__struct_fields__
                if (new := getattr(after, field)) != getattr(before, field)
            }
        )

    def applied_to(self, before: PupilRecord) -> PupilRecord:
        """The record with this change made."""
        return msgspec.structs.replace(before, **self.fields())

    def fields(self) -> dict[str, Any]:
        """The changed fields and their new values."""
        return {
            field: value
            for field in self.__struct_fields__
            if (value := getattr(self, field)) is not msgspec.UNSET
        }
