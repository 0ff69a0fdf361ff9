"""Where the elements of a Common Transfer File stand, and which are taken into fields of their own.

The order is that of DfE's own writers (Get Information about Pupils) and of a school's system (Aspen), both
public; where they say nothing, that of the chapters of DfE's *Common transfer file specification*. Elements
that nobody here knows have the place behind the one that they were found behind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from domain.assessment import Result
from domain.pupil_record import OtherElement, SchoolAttended

CALLED: Mapping[str, str] = {
    "date_of_birth": "DOB",
    "date_of_entry": "SchoolHistory/School/EntryDate",
    "previous_schools.entered_on": "SchoolHistory/School/EntryDate",
    "previous_schools.left_on": "SchoolHistory/School/LeavingDate",
    "meals_periods.start": "FSMhistory/FSMinstance/FSMstartDate",
    "meals_periods.end": "FSMhistory/FSMinstance/FSMendDate",
    "sen_periods.start": "SENhistory/SEN/StartDate",
    "sen_periods.end": "SENhistory/SEN/StartDate",
    "attendance.academic_year": "Attendance/YearData/Year",
    "attendance_before.academic_year": "Attendance/YearData/Year",
    "marks": "Attendance/YearData/AttendSessions/AttendanceMarks",
    "academic_year": "StageAssessments/KeyStage/StageAssessment/Year",
    "assessed_on": "StageAssessments/KeyStage/StageAssessment/ResultDate",
}
"""Where a day of a pupil's record, or of what stands beside it, comes from."""

_TAG = re.compile(r"<([^\s/>]+)")

ORDER: Mapping[str, tuple[str, ...]] = {
    "": (
        "UPN",
        "UniqueLearnerNumber",
        "UCI",
        "Surname",
        "Forename",
        "DOB",
        "Gender",
        "Sex",
        "BasicDetails",
        "FSMhistory",
        "NAWdetails",
        "LookedAfter",
        "SENhistory",
        "Admissions",
        "Address",
        "Phones",
        "Email",
        "Contacts",
        "Attendance",
        "StageAssessments",
        "SchoolHistory",
    ),
    "BasicDetails": (
        "FormerUPN",
        "PreferredSurname",
        "PreferredForename",
        "FormerSurname",
        "FormerForename",
        "MiddleNames",
        "NCyearActual",
        "Ethnicity",
        "EthnicitySource",
        "Languages",
        "MedicalFlag",
        "Disabilities",
        "EnrolStatus",
    ),
    "BasicDetails/Languages": ("Type",),
    "BasicDetails/Languages/Type": ("LanguageType", "Language"),
    "FSMhistory": ("FSMreviewDate", "FSMinstance"),
    "FSMhistory/FSMinstance": (
        "FSMstartDate",
        "FSMEligibilityVerificationDate",
        "FSMendDate",
        "UKcountry",
        "FSMCategory",
    ),
    "LookedAfter": ("InCare", "CareAuthority"),
    "SENhistory": ("SEN", "SENneeds"),
    "SENhistory/SEN": ("StartDate", "SENprovision"),
    "SENhistory/SENneeds": ("SENneed",),
    "SENhistory/SENneeds/SENneed": ("NeedStartDate", "NeedEndDate", "SENtypeRank", "SENtype"),
    "Address": ("PostCode",),
    "Attendance": ("YearData",),
    "Attendance/YearData": (
        "Year",
        "LEA",
        "Estab",
        "SchoolName",
        "SessionsPossible",
        "SessionsAttended",
        "SessionsAuthorised",
        "SessionsUnauthorised",
        "AttendSessions",
    ),
    "StageAssessments": ("KeyStage",),
    "StageAssessments/KeyStage": ("Stage", "StageAssessment"),
    "StageAssessments/KeyStage/StageAssessment": (
        "Locale",
        "Year",
        "Subject",
        "Method",
        "Component",
        "ResultStatus",
        "ResultQualifier",
        "Result",
        "ResultDate",
    ),
    "SchoolHistory": ("School",),
    "SchoolHistory/School": (
        "LEA",
        "Estab",
        "SchoolName",
        "EntryDate",
        "LeavingDate",
        "LeavingReason",
        "LastSchool",
    ),
}
"""The elements that are known, by the path of what they stand in, in their order."""

RANKS: Mapping[str, Mapping[str, int]] = {
    path: {tag: rank for rank, tag in enumerate(tags)} for path, tags in ORDER.items()
}
"""The same as numbers."""

KEPT_WHOLE = {
    "": {"UniqueLearnerNumber", "UCI", "NAWdetails", "Admissions"},
    "BasicDetails": {"EthnicitySource", "MedicalFlag", "Disabilities"},
    "FSMhistory/FSMinstance": {"FSMEligibilityVerificationDate", "FSMCategory"},
    "LookedAfter": {"CareAuthority"},
    "SENhistory/SENneeds/SENneed": {"NeedStartDate", "NeedEndDate"},
    "Attendance/YearData": {"AttendSessions"},
}
"""Elements that have a known place and no field: they are kept as they came."""

NOT_KEPT = frozenset({"Address", "Phones", "Email", "Contacts"})
"""Elements of a pupil that are dropped and counted: no addresses but the postcode, and nobody's relatives."""

CONTAINERS = frozenset(ORDER) - {"", "Address", "StageAssessments"}
"""Paths of elements that are looked into. Results look after their own, since they are thousands."""


def meals_key(start: date | None) -> str:
    """What tells an `FSMinstance` from the others of a pupil."""
    return start.isoformat() if start else ""


def sen_key(start: date | None, provision: str) -> str:
    """What tells a `SEN` from the others of a pupil."""
    return f"{start.isoformat() if start else ''} {provision}"


def year_key(academic_year: int, local_authority: str | None, establishment: str | None) -> str:
    """What tells a `YearData` from the others of a pupil; no numbers, where it is of the pupil's school."""
    return " ".join(filter(None, (str(academic_year), local_authority, establishment)))


HERE = "here"
"""What tells the `School` that the pupil is at from the others."""


def school_key(school: SchoolAttended) -> str:
    """What tells a `School` from the others of a pupil."""
    numbers = (school.local_authority, school.establishment)
    told = numbers if any(numbers) else (school.name,)
    return " ".join(filter(None, (*told, str(school.entered_on or ""))))


def result_key(result: Result) -> str:
    """What tells a `StageAssessment` from the others of a pupil."""
    parts = (
        result.stage,
        str(result.academic_year),
        result.subject,
        result.component,
        result.method,
        result.qualifier,
    )
    return "/".join(part or "" for part in parts)


def name_of_element(element: OtherElement) -> str:
    """What an element is called; one of another namespace has a name that nothing has here."""
    found = _TAG.match(element.xml)
    return found[1] if found else ""
