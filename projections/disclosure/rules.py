"""The rules of disclosure control: how much must lie behind a figure, and how finely it is told."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import msgspec

VERSION = 1
"""Of the way in which the rules are carried out. It rises when the same rules would suppress other cells."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a release was made under; written into it, word for word.

    Attributes:
        version: Of the way in which they are carried out (`VERSION`).
        minimum_pupils: The least pupils behind a figure, and the least number of values that a suppressed
            count must still be able to have for whoever knows everything that is shown.
        minimum_schools: The least schools behind a figure. Of two, each could take its own away.
        dominance_n: So many of the largest schools together ...
        dominance_k: ... must make up less than so much of a count, in per cent; 100 switches the rule off.
        p_percent: The second largest school must not be able to estimate the largest to within so many per
            cent; 0 switches the rule off. At 10 it would be part of dominance (2, 90); at 15 neither is part
            of the other.
        zeros: Whether a zero is a small number like any other. It says of every pupil what they are not.
        secondary: Whether further rows are suppressed, so that none can be worked out from those beside it.
        differencing: Whether a release is held against the earlier ones of the same table.
        rounding_base: Counts are rounded half up to a multiple; 1 tells them as they are.
        share_decimals: Places of a share, which is between 0 and 1.
        mean_decimals: Places of mean points, of progress and of deciles of these.
    """

    version: int = VERSION
    minimum_pupils: int = 10
    minimum_schools: int = 3
    dominance_n: int = 2
    dominance_k: int = 90
    p_percent: int = 15
    zeros: bool = True
    secondary: bool = True
    differencing: bool = True
    rounding_base: int = 5
    share_decimals: int = 3
    mean_decimals: int = 1

    @property
    def slack(self) -> int:
        """How far the true count may be from a rounded one, at most."""
        return self.rounding_base // 2

    def rounded(self, count: int) -> int:
        """A count, rounded half up to the base."""
        return (2 * count + self.rounding_base) // (2 * self.rounding_base) * self.rounding_base

    def weaknesses(self) -> list[str]:
        """What makes these rules weaker than the protection that is promised; empty if nothing does.

        Whoever configures rules for a real release should refuse them while anything stands here.
        """
        found = []
        if self.minimum_pupils < 5:
            found.append("minimum_pupils is under 5")
        if self.minimum_schools < 3:
            found.append("minimum_schools is under 3")
        if self.dominance_n < 2 or not 0 < self.dominance_k <= 95:
            found.append("dominance_n is under 2, or dominance_k is not over 0 and at most 95")
        if self.p_percent < 10:
            found.append("p_percent is under 10")
        if not (self.zeros and self.secondary and self.differencing):
            found.append("zeros, secondary or differencing is switched off")
        if self.rounding_base < 3:
            found.append("rounding_base is under 3")
        elif self.rounding_base > self.minimum_pupils:
            found.append("rounding_base is over minimum_pupils, so that a figure could become 0")
        if Fraction(self.minimum_pupils, 10**self.mean_decimals) < 1:
            # The mean of n whole numbers, told to within 1/n, would tell n, which is told rounded.
            found.append("mean_decimals gives the number of pupils away")
        return found

    def concentrated(self, largest: Sequence[int | Decimal], total: int | Decimal) -> str | None:
        """Which rule says that too much of a total lies with the largest schools, if any does.

        Args:
            largest: The contributions of the largest `max(2, dominance_n)` schools, the largest first; fewer
                where there are fewer. None is negative.
            total: Of all schools.

        Returns:
            `dominance`, `p_percent`, or nothing.
        """
        if total <= 0:
            return None
        together = sum(largest[: self.dominance_n])
        if self.dominance_k < 100 and 100 * together >= self.dominance_k * total:
            return "dominance"
        if largest and 100 * (total - sum(largest[:2])) < self.p_percent * largest[0]:
            return "p_percent"
        return None
