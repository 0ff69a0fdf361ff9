"""Systems of linear constraints on counts and sums, and the least and the most that these can be.

A library does the solving: HiGHS, by way of SciPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil, floor, inf

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

Term = tuple[int, float]
"""A variable, and how often it counts."""

Judgement = Callable[[float, float], bool]
"""Whether it is a leak to know the least and the most of something."""

SLIGHTLY = 1e-6


class System:
    """Linear constraints on variables of which none is negative."""

    def __init__(self) -> None:
        self.variables = 0
        self.rows: list[list[Term]] = []
        self.least: list[float] = []
        self.most: list[float] = []
        self.counts: list[bool] = []

    def variable(self, *, whole: bool) -> int:
        self.counts.append(whole)
        self.variables += 1
        return self.variables - 1

    def add(self, terms: Sequence[Term], least: float, most: float) -> None:
        self.rows.append(list(terms))
        self.least.append(least)
        self.most.append(most)

    def untrue(self, world: Mapping[int, float]) -> list[int]:
        """The constraints that do not hold in a world: none, if it is the true one and nothing is wrong."""
        return [
            row
            for row, (terms, least, most) in enumerate(zip(self.rows, self.least, self.most, strict=True))
            for total in [sum(weight * world[variable] for variable, weight in terms)]
            if not least - SLIGHTLY <= total <= most + SLIGHTLY
        ]

    def prepare(self, *, whole: bool) -> Solver:
        return Solver(self, whole=whole)


class Solver:
    """A system, ready to be solved for many things."""

    def __init__(self, system: System, *, whole: bool) -> None:
        places = [(row, *term) for row, terms in enumerate(system.rows) for term in terms]
        matrix = csr_array(
            (
                [place[2] for place in places],
                ([place[0] for place in places], [place[1] for place in places]),
            ),
            shape=(len(system.rows), system.variables),
        )
        least, most = np.array(system.least), np.array(system.most)
        self.variables = system.variables
        self.whole = np.array(system.counts, dtype=int) if whole else None
        self.constraint = LinearConstraint(matrix, least, most)
        same = least == most
        self.equal, self.equals = matrix[same], least[same]
        upper, lower = ~same & np.isfinite(most), ~same & np.isfinite(least)
        dense = matrix.toarray()
        self.under = np.vstack([dense[upper], -dense[lower]])
        self.limits = np.concatenate([most[upper], -least[lower]])

        self.worlds: list[np.ndarray] = []
        """Ways in which everything could be, found so far. Most questions are answered by them already."""

    def feasible(self) -> bool:
        return self._solve(np.zeros(self.variables)) is not None

    def interval(self, terms: Iterable[Term], leaks: Judgement) -> tuple[float, float] | None:
        """The least and the most that a sum of variables can be, as whole numbers, if that is a leak.

        Args:
            terms: The sum.
            leaks: Says of the least and the most whether they are; wider ones never are if narrower are not.
        """
        objective = np.zeros(self.variables)
        for variable, weight in terms:
            objective[variable] += weight
        if self.worlds:
            seen = [float(objective @ world) for world in self.worlds]
            if not leaks(*_whole(min(seen), max(seen))):
                return None
        least, most = self._solve(objective), self._solve(-objective)
        assert least is not None, "what was released does not go together"
        assert most is not None
        found = _whole(least, -most)
        return found if leaks(*found) else None

    def _solve(self, objective: np.ndarray) -> float | None:
        if self.whole is not None:
            found = milp(
                objective, constraints=self.constraint, integrality=self.whole, bounds=Bounds(0, np.inf)
            )
        else:
            found = linprog(
                objective, self.under, self.limits, self.equal, self.equals, bounds=(0, None), method="highs"
            )
        if found.status == 3:
            return -inf
        if found.status == 2:
            return None
        assert found.status == 0, found.message
        self.worlds.append(found.x)
        return float(found.fun)


def _whole(least: float, most: float) -> tuple[float, float]:
    """The whole numbers between; the solver is exact to less than a millionth."""
    return (
        ceil(least - SLIGHTLY) if least > -inf else -inf,
        floor(most + SLIGHTLY) if most < inf else inf,
    )
