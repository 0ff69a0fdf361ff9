"""One pupil in one subject: what was gained between two results, and whether that is what was expected."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from domain.academic_year import AssessmentPoint
from domain.progress.entries import Entry


class Verdict(StrEnum):
    """A gain beside the one that was expected."""

    LESS = "less-than-expected"
    AS_EXPECTED = "as-expected"
    MORE = "more-than-expected"
    NOT_KNOWN = "not-known"


class Reason(StrEnum):
    """Why a verdict is not known."""

    SCHEMES_DIFFER = "schemes-differ"
    """The two results stand on different schemes: nothing says what one is worth on the other."""

    NO_POINTS = "no-points"
    """One of the two counts no points, as `A` for absent does not."""

    NOTHING_EXPECTED = "nothing-expected"
    """The scheme expects no gain between these points."""

    TOP_OF_SCALE = "top-of-scale"
    """The child reached the top of the scale, which has no room for what was expected."""


class Gain(msgspec.Struct, frozen=True, kw_only=True):
    """What a pupil gained in a subject.

    Attributes:
        start: The result at the earlier point, if there is one.
        end: The result at the later point, if there is one.
        points: Points gained, fewer than none for points lost; none, where they cannot be compared.
        expected: The points that were expected to be gained; none, where nothing was.
        verdict: How the two compare; none, unless there are results at both ends.
        reason: Why that is not known.
    """

    start: Entry | None
    end: Entry | None
    points: int | None = None
    expected: int | None = None
    verdict: Verdict | None = None
    reason: Reason | None = None

    @property
    def matched(self) -> bool:
        """Whether there are results at both ends."""
        return self.verdict is not None


def gain(start: Entry | None, end: Entry | None) -> Gain:
    """What lies between two results of a pupil in a subject."""
    if start is None or end is None:
        return Gain(start=start, end=end)
    if start.scheme != end.scheme:
        return Gain(start=start, end=end, verdict=Verdict.NOT_KNOWN, reason=Reason.SCHEMES_DIFFER)
    if start.points is None or end.points is None:
        return Gain(start=start, end=end, verdict=Verdict.NOT_KNOWN, reason=Reason.NO_POINTS)
    points, expected = end.points - start.points, expected_gain(start, end)
    if expected is None:
        verdict, reason = Verdict.NOT_KNOWN, Reason.NOTHING_EXPECTED
    elif points < expected and end.at_top:
        verdict, reason = Verdict.NOT_KNOWN, Reason.TOP_OF_SCALE
    else:
        reason = None
        verdict = (
            Verdict.LESS if points < expected else Verdict.AS_EXPECTED if points == expected else Verdict.MORE
        )
    return Gain(start=start, end=end, points=points, expected=expected, verdict=verdict, reason=reason)


def expected_gain(start: Entry, end: Entry) -> int | None:
    """The points expected to be gained between two results on one scheme; none, where nothing was."""
    if isinstance(start.at, AssessmentPoint) and isinstance(end.at, AssessmentPoint):
        return end.version.expected_gain(start.at, end.at)
    return None
