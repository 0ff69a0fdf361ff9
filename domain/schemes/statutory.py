"""National results as Common Transfer Files carry them, seen as results of the schemes that they belong to.

What came in a file is kept as it came: codes, values and all. Here it is looked at, and what is not known is
said to be so. A reader of files refuses one thing alone: a number outside the scale of scores that it stands
on (`SchemeVersion.is_off`).
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from domain.schemes.catalogue import (
    EYFS_PROFILE,
    KS1_TEACHER,
    KS1_TESTS,
    KS2_TEACHER,
    KS2_TESTS,
    LEVELS,
    MTC,
    PHONICS,
    SCHEMES,
)
from domain.schemes.scheme import Measure, SchemeVersion

BY_METHOD = {KS1_TESTS: "TT", KS2_TESTS: "TT", MTC: None, KS1_TEACHER: "TA", KS2_TEACHER: "TA"}
"""The schemes that share a subject are told apart by the method; the others by the subject alone."""

OF_LEVELS = {"NL", "NF", "NP"}
"""CTF `ResultQualifier`: a level, a level with a sublevel, a P level."""

OF_OTHER_SCALES = {"RS", "NR", "AG", "SA", "NA", "ND", "NS", "PC", "PR", "RA", "CM"}
"""Qualifiers of numbers that stand on none of the scales here: raw scores, ages, ranks, comments."""

EARLY_YEARS = {"EYF", "FSP"}
"""The stages under which files have carried the Early Years Foundation Stage Profile."""

_LEVEL_SUBJECTS = {("ENG", "REA"): "REA", ("ENG", "WRI"): "WRI", ("ENG", "SPL"): "SPL"}


class Seen(msgspec.Struct, frozen=True):
    """A result of a file, seen as one of a scheme.

    Attributes:
        version: The version of the scheme.
        measure: What it measures.
        value: The value as the scheme writes it; nothing, if the scheme does not know it.
    """

    version: SchemeVersion
    measure: Measure
    value: str | None


@lru_cache(maxsize=4096)
def seen(
    stage: str | None,
    subject: str,
    component: str | None,
    method: str | None,
    qualifier: str | None,
    value: str,
    academic_year: int,
) -> Seen | None:
    """What a result of a file is a result of; nothing, if no scheme here measures that."""
    for version in _candidates(method, qualifier, academic_year):
        measure = _measure(version, stage, subject, component)
        if measure is not None:
            try:
                return Seen(version, measure, version.read(value))
            except ValueError:
                return Seen(version, measure, None)
    return None


def _candidates(method: str | None, qualifier: str | None, academic_year: int) -> list[SchemeVersion]:
    if qualifier in OF_OTHER_SCALES:
        return []
    if qualifier in OF_LEVELS:
        names = [LEVELS]
    else:
        names = [EYFS_PROFILE, PHONICS, MTC]
        names += [name for name, wanted in BY_METHOD.items() if wanted == method]
        names.append(LEVELS)
    return [
        version
        for name in names
        for version in SCHEMES[name].versions
        if version.holds_in(academic_year)
    ]  # fmt: skip


def _measure(
    version: SchemeVersion, stage: str | None, subject: str, component: str | None
) -> Measure | None:
    if component == subject and subject != "PHO":
        component = None
    if version.scheme == LEVELS:
        if stage not in {"KS1", "KS2"}:
            return None
        code = _LEVEL_SUBJECTS.get((subject, component or ""), subject if component is None else "")
        return version.measures.get(code)
    if stage in EARLY_YEARS:
        stage = "EYF"
    for measure in version.measures.values():
        if (measure.stage, measure.ctf_subject, measure.ctf_component) == (stage, subject, component):
            return measure
    return None
