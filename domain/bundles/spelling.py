"""What is recorded, spelled out for people: what codes stand for, and what results mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from domain.academic_year import when
from domain.assessment import Result, meaning_of
from domain.codes.attendance import code_on
from domain.codes.record_sets import (
    ENROLMENT_STATUS,
    IN_CARE,
    LEAVING_REASON,
    POST_LOOKED_AFTER,
    PUPIL_PREMIUM,
    SEN_TYPE,
    UPN_UNKNOWN_REASON,
)
from domain.codes.sets import ETHNICITY, LANGUAGE, NC_YEAR, SEN_PROVISION, SEX, SUBJECT, CodeSet

CODED: Mapping[str, CodeSet] = {
    "sex": SEX,
    "nc_year": NC_YEAR,
    "first_language": LANGUAGE,
    "ethnicity": ETHNICITY,
    "sen_provision": SEN_PROVISION,
    "upn_missing": UPN_UNKNOWN_REASON,
    "sen_needs": SEN_TYPE,
    "post_looked_after": POST_LOOKED_AFTER,
    "enrolment_status": ENROLMENT_STATUS,
    "leaving_reason": LEAVING_REASON,
    "reason_code": LEAVING_REASON,
    "subject": SUBJECT,
    "subject_code": SUBJECT,
    "premium": PUPIL_PREMIUM,
    "premium_periods.reason": PUPIL_PREMIUM,
    "sen_periods.provision": SEN_PROVISION,
    "care_periods.kind": IN_CARE,
}
"""The code set of each field that holds codes; of one within a list over time, by the name of the list."""

LABELS: Mapping[str, str] = {
    "upn": "Unique Pupil Number (UPN)",
    "former_upns": "Former UPNs",
    "mistyped_upns": "UPNs entered by mistake",
    "upn_missing": "Why there is no UPN",
    "nc_year": "National Curriculum year",
    "class_name": "Class",
    "meals_periods": "Free school meals over time",
    "premium_periods": "Pupil premium over time",
    "sen_periods": "Special educational needs (SEN) provision over time",
    "sen_provision": "Special educational needs (SEN) provision",
    "sen_needs": "Special educational needs, the primary one first",
    "eal": "English as an additional language",
    "in_care": "Looked after by a local authority",
    "care_periods": "Looked after, over time",
    "post_looked_after": "Formerly looked after",
    "preschool_terms": "Terms before Reception",
    "attendance": "Attendance totals from the particulars",
    "local_authority": "Local authority number",
    "establishment": "Establishment number",
    "la": "Local authority number",
    "by": "By whom",
    "at": "When",
    "urn": "Unique Reference Number (URN)",
}
"""What people call a field, where it is not its name."""


def label(field: str) -> str:
    """What people call a field: `Date of birth` for `date_of_birth`."""
    return LABELS.get(field) or field.replace("_", " ").replace("-", " ").capitalize()


def meaning(field: str, code: str, day: date | None = None) -> str | None:
    """What a code in a field stands for; nothing, where the field holds none or its list has no such code."""
    codes = CODED.get(field)
    if codes is None or code not in codes:
        return None
    return codes.describe(code, day)


def meaning_of_mark(mark: str, day: date) -> str:
    """What an attendance mark stands for on its day."""
    found = code_on(mark, day)
    return found.description if found else "not in the list of that day"


def meaning_of_result(result: Result) -> dict[str, Any]:
    """What a result says, for people; what no scheme knows is there as it was supplied."""
    period = when(result.academic_year, result.term).label
    found = meaning_of(result)
    if found is None:
        return {"scheme": result.scheme, "measure": result.subject, "period": period, "value": None}
    return {
        "scheme": found.version.title,
        "measure": found.version.measure(found.code).description,
        "period": period,
        "value": found.version.describe(found.value) if found.value is not None else None,
        "standing": found.standing,
    }
