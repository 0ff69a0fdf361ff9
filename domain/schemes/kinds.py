"""The schemes whose values or expectations are worked out, rather than only listed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from domain.academic_year import AssessmentPoint, When
from domain.codes import steps
from domain.schemes.scheme import Entered, Measure, SchemeVersion, Standing, Value

SUB_STEPS = {
    "b": "beginning",
    "b+": "beginning +",
    "w": "working within",
    "w+": "working within +",
    "s": "secure",
    "s+": "secure +",
}
"""The six steps of a band."""


_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*")
"""What somebody means as a number, also one that no score is: `-3`, `45.5`."""


def _steps_gained(earlier: AssessmentPoint, later: AssessmentPoint) -> int:
    """Six steps a year: one in each half-term."""
    years = later.academic_year - earlier.academic_year
    return years * steps.STEPS_IN_BAND + later.half_terms - earlier.half_terms


class Scores(SchemeVersion):
    """Whole numbers from a lowest to a highest, and letters for those who have none.

    Args:
        scheme: As for every version of a scheme, down to the last year.
        name: The name of the version.
        title: For people.
        entered: What its results are of.
        letters: The values that are no numbers.
        measures: What it measures.
        first_year: The year in which its first academic year starts.
        last_year: The year in which its last one starts.
        lowest: The lowest score.
        highest: The highest.
        scale: The name of the scale that the scores count on.
        at_from: The score from which what is expected is reached, if there is one for all years.
        above_from: The score from which it is surpassed.
    """

    def __init__(
        self,
        scheme: str,
        name: str,
        title: str,
        entered: Entered,
        letters: Iterable[Value],
        measures: Iterable[Measure],
        *,
        lowest: int,
        highest: int,
        scale: str,
        at_from: int | None = None,
        above_from: int | None = None,
        first_year: int | None = None,
        last_year: int | None = None,
    ) -> None:
        self.lowest, self.highest = lowest, highest
        self.at_from, self.above_from = at_from, above_from
        scores = [
            Value(
                value=str(score),
                description=f"{scale.replace('-', ' ')} {score}".capitalize(),
                ordinal=score,
                standing=self._standing_of(score),
                points={scale: score},
            )
            for score in range(lowest, highest + 1)
        ]
        letters = list(letters)
        self._letters = [letter.value for letter in letters]
        super().__init__(
            scheme,
            name,
            title,
            entered,
            [*scores, *letters],
            measures,
            first_year=first_year,
            last_year=last_year,
        )

    def is_off(self, text: str) -> bool:
        """Whether the text is a number, and none of the scores."""
        return _NUMBER.fullmatch(text.strip()) is not None and not self._is_score(text)

    def _is_score(self, text: str) -> bool:
        try:
            return self.read(text) in self.values
        except ValueError:
            return False

    def _standing_of(self, score: int) -> Standing | None:
        if self.at_from is None:
            return None
        if score < self.at_from:
            return "below"
        return "above" if self.above_from is not None and score >= self.above_from else "at"

    def expected(self, nc_year: str | None, at: When) -> range | None:
        """From the score that reaches what is expected to the last that does not surpass it."""
        del nc_year, at  # the same for all
        if self.at_from is None:
            return None
        return range(self.at_from, self.highest + 1 if self.above_from is None else self.above_from)

    @property
    def accepted(self) -> str:
        """What is accepted as a value, for people."""
        return f"a whole number from {self.lowest} to {self.highest}, or one of {', '.join(self._letters)}"


class Phonics(Scores):
    """The phonics screening check, whose threshold is set anew each year."""

    thresholds: tuple[tuple[int, int | None, int], ...] = ()
    """The first and the last academic year of each threshold, and the mark."""

    def threshold(self, academic_year: int) -> int | None:
        """The mark from which the standard was met in an academic year, where it is known."""
        for first, last, mark in self.thresholds:
            if first <= academic_year and (last is None or academic_year <= last):
                return mark
        return None

    def standing(self, value: str, nc_year: str | None, at: When) -> Standing | None:
        """`at` from the year's threshold on, and `below` under it; `Wa` and `Wt` say it themselves."""
        del nc_year  # the same for whoever takes it
        found = self._value(value)
        threshold = self.threshold(at.academic_year)
        if found.ordinal is None:
            return found.standing
        if threshold is None:
            return None
        return "at" if found.ordinal >= threshold else "below"

    def expected(self, nc_year: str | None, at: When) -> range | None:
        """From the year's threshold on."""
        del nc_year
        threshold = self.threshold(at.academic_year)
        return None if threshold is None else range(threshold, self.highest + 1)


class Steps(SchemeVersion):
    """Target Tracker's steps: six to a band, two expected in each term."""

    @property
    def accepted(self) -> str:
        """What is accepted as a value, for people."""
        return steps.ACCEPTED

    def standing(self, value: str, nc_year: str | None, at: When) -> Standing | None:
        """Against the two steps that are expected of that year at the end of the term."""
        self._value(value)
        return None if nc_year is None or at.term is None else steps.standing(value, nc_year, at.term)

    def expected(self, nc_year: str | None, at: When) -> range | None:
        """The two steps of that year at the end of the term, or half-term."""
        return None if nc_year is None or at.term is None else steps.expected_ordinals(nc_year, at.term)

    def expected_gain(self, earlier: AssessmentPoint, later: AssessmentPoint) -> int | None:
        """Two steps a term."""
        return _steps_gained(earlier, later)


class MonthBands(SchemeVersion):
    """The month bands of Development Matters (2012), six steps to each, and the early learning goal above."""

    @property
    def accepted(self) -> str:
        """What is accepted as a value, for people."""
        return (
            "a month band from 0-11 to 40-60+, alone or with b, b+, w, w+, s or s+, such as 30-50 or "
            "30-50w+; or ELG"
        )

    def standing(self, value: str, nc_year: str | None, at: When) -> Standing | None:
        """At the end of Reception the goal is expected; before that bands overlap, and nothing is said."""
        found = self._value(value)
        if nc_year != "R" or at.half_terms < 6:
            return None
        return "at" if found.value == "ELG" else "below"

    def expected_gain(self, earlier: AssessmentPoint, later: AssessmentPoint) -> int | None:
        """Six steps a year, as on the National Curriculum's scale."""
        return _steps_gained(earlier, later)


class Levels(SchemeVersion):
    """National Curriculum levels, and P levels below them; with two scales of points that disagree."""

    expected_level: ClassVar[dict[str, int]] = {"2": 2, "6": 4}
    """The level that is expected at the end of each key stage's last NC year."""

    @property
    def accepted(self) -> str:
        """What is accepted as a value, for people."""
        if "W" not in self.values:
            return "a P level: P1i to P3ii, or P4 to P8"
        return "a level from 1c to 6a, such as 2b; a whole level from 1 to 6; W; a P level; or A, D, U"

    def standing(self, value: str, nc_year: str | None, at: When) -> Standing | None:
        """At the end of Year 2 level 2 is expected, and at the end of Year 6 level 4."""
        found = self._value(value)
        expected = self.expected_level.get(nc_year or "")
        if found.ordinal is None or expected is None or at.half_terms < 6:
            return None
        level = int(value[0]) if value[0].isdecimal() else 0
        return "below" if level < expected else "at" if level == expected else "above"
