"""What codes are called on pages, for people."""

from __future__ import annotations

from domain.codes.sets import SEX
from domain.progress.gains import Reason, Verdict
from domain.progress.groups import Group
from domain.schemes.catalogue import SCHEMES

VERDICTS = {  # than expected
    Verdict.LESS: "less",
    Verdict.AS_EXPECTED: "as much",
    Verdict.MORE: "more",
    Verdict.NOT_KNOWN: "not known",
}

REASONS = {
    Reason.SCHEMES_DIFFER: "the schemes differ",
    Reason.NO_POINTS: "a result counts no points",
    Reason.NOTHING_EXPECTED: "nothing is expected",
    Reason.TOP_OF_SCALE: "top of the scale",
}

GROUPS = {
    Group.SEX: "Sex",
    Group.FREE_SCHOOL_MEALS: "Free school meals",
    Group.PUPIL_PREMIUM: "Pupil premium",
    Group.SEN: "Special educational needs",
    Group.EAL: "English as an additional language",
    Group.IN_CARE: "In care",
    Group.GIFTED: "Gifted",
    Group.TERM_OF_BIRTH: "Term of birth",
    Group.NC_YEAR: "NC year",
    Group.CLASS: "Class",
}

_VALUES = {
    (Group.SEN, "none"): "none",
    (Group.SEN, "support"): "SEN support",
    (Group.SEN, "plan"): "EHC plan or statement",
}


def value_of(group: Group, value: str) -> str:
    """A part of a group, for people."""
    if value == "not-known":
        return "not known"
    if group is Group.SEX and value in SEX:
        return SEX.describe(value)
    return _VALUES.get((group, value), value)


def subject_of(scheme: str, code: str) -> str:
    """What a subject is called in a scheme."""
    for version in reversed(SCHEMES[scheme].versions):
        if code in version.measures:
            return version.measures[code].description
    return code


def pupils(number: int) -> str:
    """`1 pupil`, `2 pupils`."""
    return f"{number} pupil{'' if number == 1 else 's'}"


def signed(number: int | float | None) -> str:
    """A gain with its sign: `+4`, `−1`, `0`; a mean with two decimals: `+3.67`."""
    if number is None:
        return "–"
    written = f"{number:+.2f}" if isinstance(number, float) else f"{number:+}" if number else "0"
    return written.replace("-", "−")
