"""National results as Common Transfer Files carry them, also those that somebody entered here by hand."""

from __future__ import annotations

import msgspec

from domain.assessment import STATUTORY, Result
from domain.schemes.catalogue import EYFS_PROFILE, MTC, SCHEMES

_QUALIFIERS = {EYFS_PROFILE: "FD", MTC: "MT"}
"""CTF `ResultQualifier` of those schemes of which files have one that is their own."""

NUMBER = "NM"
"""CTF `ResultQualifier` of marks and scaled scores."""

RESULT = "R"
"""CTF `ResultStatus` of what is a result, and no estimate or target."""


def as_statutory(result: Result) -> Result | None:
    """A result as a Common Transfer File carries it; nothing, if it has no place for it.

    It has for national results of a whole year. Judgements on the way there, levels that were typed in, steps
    and statements stay here.
    """
    if result.scheme == STATUTORY:
        return result
    scheme = SCHEMES.get(result.scheme)
    if scheme is None or result.term is not None:
        return None
    for version in scheme.versions:
        measure = version.measure_of(result.stage, result.subject, result.component)
        if version.holds_in(result.academic_year) and measure and measure.ctf_subject and measure.stage:
            number = NUMBER if result.value.isdecimal() else None
            return msgspec.structs.replace(
                result,
                scheme=STATUTORY,
                subject=measure.ctf_subject,
                component=measure.ctf_component,
                method=measure.method,
                qualifier=result.qualifier or _QUALIFIERS.get(result.scheme, number),
                status=result.status or RESULT,
                nc_year=None,
                scheme_version=None,
            )
    return None


def said_by(result: Result) -> tuple[object, ...]:
    """What a national result says, however its qualifier and status were put."""
    return (
        result.academic_year,
        result.stage,
        result.subject,
        result.component,
        result.method,
        result.value,
    )
