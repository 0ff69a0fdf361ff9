"""What pupils and schools are told apart by, each so that its categories make up all pupils."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from domain.academic_year import TERMS, Term
from domain.codes.sets import ETHNICITY
from domain.periods import in_care_on, meals_on, premium_on, provision_on
from domain.progress.groups import NO_SEN, SEN_PLAN, SEN_SUPPORT, sen_of
from domain.pupil_day import has_additional_language
from domain.pupil_record import PupilRecord
from domain.school import REGIONS, SCHOOL_TYPES
from projections.disclosure import ALL, UNKNOWN, Group

YES, NO = "yes", "no"

SIZE_BANDS: tuple[tuple[str, int, int | None], ...] = (
    ("up-to-100", 1, 101),
    ("101-200", 101, 201),
    ("201-300", 201, 301),
    ("301-400", 301, 401),
    ("over-400", 401, None),
)
"""Bands of schools by pupils on the roll: the name, the least number, and the number that is too large."""

FIFTHS = ("1", "2", "3", "4", "5")

_SAID = (YES, NO, UNKNOWN)
_ETHNICITIES = (
    "White",
    "Mixed",
    "Asian or Asian British",
    "Black or Black British",
    "Chinese",
    "Any other ethnic group",
)

OF_PUPILS: Mapping[str, tuple[str, ...]] = {
    # `U` and `W`, unknown and withheld, are not known: a category of hardly anybody hides those beside it.
    "sex": ("F", "M", UNKNOWN),
    "free_school_meals": _SAID,
    "pupil_premium": (YES, NO),
    "sen": (NO_SEN, SEN_SUPPORT, SEN_PLAN, UNKNOWN),
    "eal": _SAID,
    "ethnicity_group": (*_ETHNICITIES, UNKNOWN),
    "in_care": _SAID,
    "term_of_birth": (*(term.value for term in TERMS), UNKNOWN),
}
"""The characteristics of pupils with their categories."""

OF_SCHOOLS: Mapping[str, tuple[str, ...]] = {
    "region": (*REGIONS, UNKNOWN),
    "school_type": (*SCHOOL_TYPES, UNKNOWN),
    "fsm_fifth": (*FIFTHS, UNKNOWN),
    "size_band": tuple(name for name, _, _ in SIZE_BANDS),
    "similar_schools": tuple(f"{fifth}/{band}" for fifth in (*FIFTHS, UNKNOWN) for band, _, _ in SIZE_BANDS),
}
"""The characteristics of schools with their categories; a school's likes are in its fifth and its band."""

GROUPS: tuple[Group, ...] = (
    ALL,
    *(
        Group(characteristic, category)
        for characteristic, categories in {**OF_PUPILS, **OF_SCHOOLS}.items()
        for category in categories
    ),
)
"""Every group, in the order in which rows stand; `analytics.characteristics` has them with labels."""


_KNOWN = [
    {group.category: group for group in GROUPS if group.characteristic == characteristic}
    for characteristic in OF_PUPILS
]
"""The groups by category, one after another: each is one object, which is compared and handed on at once."""


def of_pupil(record: PupilRecord, born_in: Term | None, day: date) -> tuple[Group, ...]:
    """The groups that a pupil is in on a day: `all`, and one of each characteristic of pupils.

    Args:
        record: What is recorded of the child.
        born_in: The term of birth, as far as it is known without names.
        day: The day.
    """
    ethnicity = ETHNICITY.detail(record.ethnicity, "broad_group") if record.ethnicity else None
    categories = (
        record.sex if record.sex in OF_PUPILS["sex"] else UNKNOWN,
        _said(meals_on(record, day)),
        # No period means that the school gets none: nobody enters that there is no premium.
        YES if premium_on(record, day) else NO,
        sen_of(provision_on(record, day)) or UNKNOWN,
        _said(has_additional_language(record)),
        str(ethnicity) if ethnicity in _ETHNICITIES else UNKNOWN,
        _said(in_care_on(record, day)),
        born_in.value if born_in else UNKNOWN,
    )
    return ALL, *[known[category] for known, category in zip(_KNOWN, categories, strict=True)]


def _said(value: bool | None) -> str:
    return UNKNOWN if value is None else YES if value else NO


def of_school(
    region: str, school_type: str | None, share: Decimal | None, roll: int, bounds: Sequence[Decimal]
) -> tuple[Group, ...]:
    """The groups that a school is in: one of each characteristic of schools.

    Args:
        region: Its region.
        school_type: Its type, where it is known.
        share: The share of its pupils who are eligible for free school meals, where that is known.
        roll: Its pupils on the roll.
        bounds: What :func:`bounds_of_fifths` made of all schools.
    """
    fifth = UNKNOWN
    if share is not None and bounds:
        fifth = FIFTHS[sum(share >= bound for bound in bounds)]
    band = next((name for name, _, above in SIZE_BANDS if above is None or roll < above), SIZE_BANDS[-1][0])
    return (
        Group("region", region if region in REGIONS else UNKNOWN),
        Group("school_type", school_type if school_type in SCHOOL_TYPES else UNKNOWN),
        Group("fsm_fifth", fifth),
        Group("size_band", band),
        Group("similar_schools", f"{fifth}/{band}"),
    )


def share_of_meals(eligible: int, known: int) -> Decimal | None:
    """A school's share of pupils eligible for free school meals, in whole hundredths, rounded half up."""
    return Decimal((200 * eligible + known) // (2 * known)).scaleb(-2) if known else None


def bounds_of_fifths(shares: Iterable[Decimal], least: int) -> tuple[Decimal, ...]:
    """The shares at which the second to the fifth fifth of schools begin.

    Each is the share of one school, in whole hundredths, so there are none of a handful of schools.

    Args:
        shares: Those of all schools.
        least: The least schools of a fifth.
    """
    ordered = sorted(shares)
    if len(ordered) < len(FIFTHS) * least:
        return ()
    return tuple(ordered[number * len(ordered) // len(FIFTHS)] for number in range(1, len(FIFTHS)))
