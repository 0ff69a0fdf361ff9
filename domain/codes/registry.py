"""Every code set by the name under which it is published, with its title and its source."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import msgspec

from domain.codes import record_sets as record
from domain.codes import result_sets as results
from domain.codes import sets
from domain.codes.entries import rows_of
from domain.codes.sets import CodeSet
from domain.errors import NotFound

SETS: Mapping[str, CodeSet] = MappingProxyType(
    {
        "sex": sets.SEX,
        "nc-year": sets.NC_YEAR,
        "ethnicity": sets.ETHNICITY,
        "language": sets.LANGUAGE,
        "proficiency-in-english": record.PROFICIENCY_IN_ENGLISH,
        "sen-provision": sets.SEN_PROVISION,
        "sen-type": record.SEN_TYPE,
        "free-school-meals": record.FREE_SCHOOL_MEALS,
        "pupil-premium": record.PUPIL_PREMIUM,
        "service-child": record.SERVICE_CHILD,
        "in-care": record.IN_CARE,
        "post-looked-after": record.POST_LOOKED_AFTER,
        "kinship-care": record.KINSHIP_CARE,
        "young-carer": record.YOUNG_CARER,
        "attendance": record.ATTENDANCE,
        "enrolment-status": record.ENROLMENT_STATUS,
        "leaving-reason": record.LEAVING_REASON,
        "leaving-destination": record.LEAVING_DESTINATION,
        "upn-unknown-reason": record.UPN_UNKNOWN_REASON,
        "code-source": record.CODE_SOURCE,
        "subject": sets.SUBJECT,
        "assessment-stage": results.ASSESSMENT_STAGE,
        "assessment-subject": results.ASSESSMENT_SUBJECT,
        "assessment-component": results.ASSESSMENT_COMPONENT,
        "assessment-method": results.ASSESSMENT_METHOD,
        "result-qualifier": results.RESULT_QUALIFIER,
        "result-status": results.RESULT_STATUS,
        "outcome-eyfs-profile": results.EYFS_PROFILE_OUTCOME,
        "outcome-phonics": results.PHONICS_OUTCOME,
        "outcome-teacher-assessment": results.TEACHER_ASSESSMENT_OUTCOME,
        "outcome-test": results.TEST_OUTCOME,
        "outcome-multiplication-tables": results.MULTIPLICATION_TABLES_OUTCOME,
        "outcome-key-stage-1-level": results.KEY_STAGE_1_LEVEL,
    }
)
"""The sets in the order in which they are listed."""


class PublishedSet(msgspec.Struct, frozen=True):
    """A code set as others are told of it.

    Attributes:
        name: In addresses and commands: `sen-provision`.
        title: For people: `SEN provision`.
        source: Where the list comes from; how far to trust it, `data/README.md` says.
        codes: The codes.
    """

    name: str
    title: str
    source: str
    codes: CodeSet


@cache
def published_sets() -> Mapping[str, PublishedSet]:
    """Every set by its name."""
    said = {row["name"]: row for row in rows_of("sets")}
    return MappingProxyType(
        {
            name: PublishedSet(name, said[name]["title"], said[name]["source"], codes)
            for name, codes in SETS.items()
        }
    )


def published_set(name: str) -> PublishedSet:
    """The set of that name.

    Raises:
        NotFound: There is none; the message names those that there are.
    """
    try:
        return published_sets()[name]
    except KeyError:
        raise NotFound(f"There is no code set of that name; there are: {', '.join(SETS)}") from None
