"""Many pupils: the figures of a group, each with the number of pupils behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from domain.progress.entries import Entry
from domain.progress.gains import Gain, Verdict

_VERDICTS = (Verdict.LESS, Verdict.AS_EXPECTED, Verdict.MORE, Verdict.NOT_KNOWN)


class Standings(msgspec.Struct, frozen=True, kw_only=True):
    """How many pupils stood below, at and above what was expected of them then.

    Attributes:
        below: Below it.
        at: At it.
        above: Above it.
        not_known: Nothing was expected, or the result does not say.
    """

    below: int = 0
    at: int = 0
    above: int = 0
    not_known: int = 0

    @property
    def known(self) -> int:
        """The pupils whose standing is known: what shares are of."""
        return self.below + self.at + self.above


class Verdicts(msgspec.Struct, frozen=True, kw_only=True):
    """How many pupils made less, as much or more progress than expected.

    Attributes:
        less: Less than expected.
        as_expected: As much.
        more: More.
        not_known: Nothing was expected, or the results cannot be compared.
    """

    less: int = 0
    as_expected: int = 0
    more: int = 0
    not_known: int = 0

    @property
    def known(self) -> int:
        """The pupils of whom it is known: what shares are of."""
        return self.less + self.as_expected + self.more


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of some pupils in a subject.

    Attributes:
        pupils: How many they are, with results or without.
        matched: Those with results at both ends. All that follows is of them alone.
        only_start: Those with a result at the earlier point only.
        only_end: Those with a result at the later point only.
        measured: The matched pupils whose results both count points: what means are of.
        start_points: The sum of their points at the start.
        end_points: The sum of their points at the end.
        verdicts: How many of the matched pupils made the progress that was expected.
        start_standings: How the matched pupils stood at the start.
        end_standings: How they stood at the end.
    """

    pupils: int
    matched: int
    only_start: int
    only_end: int
    measured: int
    start_points: int
    end_points: int
    verdicts: Verdicts
    start_standings: Standings
    end_standings: Standings

    @property
    def neither(self) -> int:
        """Those without any result at either end."""
        return self.pupils - self.matched - self.only_start - self.only_end

    @property
    def mean_start(self) -> float | None:
        """Mean points at the start of those measured; none, where nobody was."""
        return mean(self.start_points, self.measured)

    @property
    def mean_end(self) -> float | None:
        """Mean points at the end of those measured; none, where nobody was."""
        return mean(self.end_points, self.measured)

    @property
    def mean_gain(self) -> float | None:
        """Mean points gained by those measured; none, where nobody was."""
        return mean(self.end_points - self.start_points, self.measured)


def mean(total: int, number: int) -> float | None:
    """A mean with two decimals; none of nobody."""
    return round(total / number, 2) if number else None


Counts = tuple[int, ...]
"""What one pupil adds to the figures of a group; sums of them are counts, too."""

_STANDINGS: dict[str | None, tuple[int, int, int, int]] = {
    "below": (1, 0, 0, 0),
    "at": (0, 1, 0, 0),
    "above": (0, 0, 1, 0),
    None: (0, 0, 0, 1),
}
_NOBODY = (0, 0, 0, 0)
_VERDICT = {verdict: tuple(int(verdict is each) for each in _VERDICTS) for verdict in _VERDICTS}
_WIDTH = 7 + 3 * 4


def counts_of(gain: Gain | None) -> Counts:
    """What one pupil adds to the figures of a subject: a one in each count that the pupil is in."""
    start, end = (gain.start, gain.end) if gain else (None, None)
    if gain is None or gain.verdict is None or start is None or end is None:
        return (1, 0, int(start is not None), int(end is not None), 0, 0, 0, *_NOBODY, *_NOBODY, *_NOBODY)
    # Where the schemes differ both may count points, and yet neither is comparable with the other.
    first, last = (start.points, end.points) if gain.points is not None else (None, None)
    measured = (0, 0, 0) if first is None or last is None else (1, first, last)
    return (
        1,
        1,
        0,
        0,
        *measured,
        *_VERDICT[gain.verdict],
        *_STANDINGS[start.standing],
        *_STANDINGS[end.standing],
    )


def figures_of(counts: Iterable[Counts]) -> Figures:
    """The figures of a group, from what each of its pupils adds."""
    total = added(counts)
    return Figures(
        pupils=total[0],
        matched=total[1],
        only_start=total[2],
        only_end=total[3],
        measured=total[4],
        start_points=total[5],
        end_points=total[6],
        verdicts=Verdicts(less=total[7], as_expected=total[8], more=total[9], not_known=total[10]),
        start_standings=standings(total[11:15]),
        end_standings=standings(total[15:19]),
    )


def added(counts: Iterable[Sequence[int]]) -> Sequence[int]:
    """Counts added up, each to its like."""
    return list(map(sum, zip(*counts, strict=True))) or [0] * _WIDTH


def standings(counts: Sequence[int]) -> Standings:
    """Four counts by their names."""
    below, at, above, not_known = counts
    return Standings(below=below, at=at, above=above, not_known=not_known)


def standing_counts(entry: Entry | None) -> Counts:
    """What one pupil adds to standings at a point: five counts, the last of pupils without a result."""
    return (*_NOBODY, 1) if entry is None else (*_STANDINGS[entry.standing], 0)
