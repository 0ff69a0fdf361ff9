"""Target Tracker's steps: six to a band, a band to a year of the National Curriculum, two steps to a term.

A child who is on track begins band 3 in the autumn of Year 3 (`3b`, `3b+`), works within it in spring
(`3w`, `3w+`), and is secure by summer (`3s`, `3s+`).
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import msgspec

from domain.academic_year import HALF_TERMS_BY_THE_END, Term
from domain.codes.sets import rows_of

STEPS_IN_BAND = 6
STEPS_IN_TERM = 2

Standing = Literal["below", "at", "above"]


class Step(msgspec.Struct, frozen=True):
    """One step of the scale.

    Attributes:
        label: The band and the step: `3w+`.
        band: 1 to 6.
        ordinal: Its place on the whole scale, 1 to 36; six are a year's progress.
    """

    label: str
    band: int
    ordinal: int


STEPS: dict[str, Step] = {
    row["label"]: Step(row["label"], int(row["band"]), int(row["ordinal"])) for row in rows_of("steps")
}
"""Every step by its label, the lowest first."""

ACCEPTED = "a step from 1b to 6s+: a band from 1 to 6 with b, b+, w, w+, s or s+, such as 3w+"


def read_step(text: str) -> Step:
    """The step that the text holds, whatever its spaces and letter case.

    Raises:
        ValueError: It holds none; the message is what is accepted.
    """
    step = STEPS.get(text) or STEPS.get("".join(text.split()).lower())
    if step is None:
        raise ValueError(ACCEPTED)
    return step


@cache
def expected_ordinals(nc_year: str, term: Term) -> range | None:
    """The two steps at which a child of that year is on track at the end of the term, or half-term.

    A half-term is one step. So a child who is on track lies one step lower at the end of the first half of a
    term than at the end of the term.

    Args:
        nc_year: An NC year code.
        term: The term or half-term.

    Returns:
        Their ordinals, the lower of which may be 0 in the first half-term of Year 1, where nothing lies below
        the scale; or `None` for years other than 1 to 6, which have no band.
    """
    if nc_year not in {"1", "2", "3", "4", "5", "6"}:
        return None
    first = (int(nc_year) - 1) * STEPS_IN_BAND + HALF_TERMS_BY_THE_END[Term(term)] - STEPS_IN_TERM + 1
    return range(first, first + STEPS_IN_TERM)


def standing(label: str, nc_year: str, term: Term) -> Standing | None:
    """Where a step lies against what is expected of that year and term.

    Returns:
        `None` for a year that has no expectation.

    Raises:
        ValueError: The label is not a step.
    """
    expected = expected_ordinals(nc_year, term)
    ordinal = read_step(label).ordinal
    if expected is None:
        return None
    if ordinal < expected.start:
        return "below"
    return "at" if ordinal < expected.stop else "above"
