"""Codes of a pupil that are to be looked at: those that no list has, or not on the day that they are about.

They are kept and written out again as they came; here is what a view says of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec

from domain.codes.record_sets import (
    ENROLMENT_STATUS,
    IN_CARE,
    LEAVING_REASON,
    POST_LOOKED_AFTER,
    PUPIL_PREMIUM,
    SEN_TYPE,
    UPN_UNKNOWN_REASON,
)
from domain.codes.sets import ETHNICITY, LANGUAGE, NC_YEAR, SEN_PROVISION, SEX, CodeSet
from domain.periods import provision_on
from domain.pupil_record import Period, PupilNames, PupilRecord


class FieldFlag(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be looked at in one field.

    Attributes:
        field: Which; of a list, with the number of the entry from 0: `sen_periods.1.provision`.
        found: The code, as it is kept.
        says: Why: `unknown`, or `no longer valid (until 2015-08-31; then K)`.
    """

    field: str
    found: str
    says: str


_PLAIN: tuple[tuple[str, CodeSet], ...] = (
    ("sex", SEX),
    ("nc_year", NC_YEAR),
    ("first_language", LANGUAGE),
    ("ethnicity", ETHNICITY),
    ("upn_missing", UPN_UNKNOWN_REASON),
    ("post_looked_after", POST_LOOKED_AFTER),
    ("enrolment_status", ENROLMENT_STATUS),
)

_OVER_TIME: tuple[tuple[str, str, CodeSet], ...] = (
    ("premium_periods", "reason", PUPIL_PREMIUM),
    ("sen_periods", "provision", SEN_PROVISION),
    ("care_periods", "kind", IN_CARE),
)


def flags_of(
    names: PupilNames | None, record: PupilRecord, left_on: date | None, day: date
) -> tuple[FieldFlag, ...]:
    """What is to be looked at in a pupil's codes.

    A plain code is about the day that is asked about, or about the day of leaving, once that is past: what
    was right when a child left is not wrong because years have gone by. The code of a period is about its
    first day; where that is not known, about its last.

    Args:
        names: Who the child is; none, for those who may not know.
        record: Everything else.
        left_on: When the child left, if away.
        day: The day asked about.
    """
    day = min(day, left_on or day)
    coded = [*_codes_of_record(record, day), *(_codes_of_names(names, day) if names else ())]
    return tuple(
        FieldFlag(field=field, found=code, says=flag.message)
        for field, codes, code, about in coded
        if (flag := codes.flag(code, about))
    )


_Coded = tuple[str, CodeSet, str, date]
"""A field, its list, its code, and the day that the code is about."""


def _codes_of_record(record: PupilRecord, day: date) -> Iterator[_Coded]:
    for field, codes in _PLAIN:
        if (code := getattr(record, field)) is not None:
            yield field, codes, code, day
    if (provision := provision_on(record, day)) is not None:
        yield "sen_provision", SEN_PROVISION, provision, day
    for number, code in enumerate(record.sen_needs):
        yield f"sen_needs.{number}", SEN_TYPE, code, day
    for field, coded, codes in _OVER_TIME:
        for number, period in enumerate(getattr(record, field)):
            if (code := getattr(period, coded)) is not None:
                yield f"{field}.{number}.{coded}", codes, code, _about(period, day)


def _about(period: Period, day: date) -> date:
    return period.start or period.end or day


def _codes_of_names(names: PupilNames, day: date) -> Iterator[_Coded]:
    for number, school in enumerate(names.previous_schools):
        if school.leaving_reason is not None:
            field = f"previous_schools.{number}.leaving_reason"
            yield field, LEAVING_REASON, school.leaving_reason, school.left_on or day
