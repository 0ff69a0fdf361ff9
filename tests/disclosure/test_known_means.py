"""Means of some pupils alone, and an attacker who knows the rules to the last line of their code.

As in `test_known_algorithm.py`, every small table is protected, and what is common to all that look the same
is what the attacker knows of how many a suppressed mean would be. Every pupil who has points has one, so that
a mean that is told says nothing but that it is told.
"""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

import msgspec
import pytest

from projections.benchmarks.means import Scored, protect_means_of_some
from projections.disclosure import (
    ALL,
    SUPPRESSED,
    Contribution,
    Group,
    Measure,
    Row,
    protect,
    protecting,
)
from tests.disclosure.test_known_algorithm import WEAK, World, divisions, never_any_more

SCHOOL = UUID(int=0)
RULES = msgspec.structs.replace(WEAK, minimum_pupils=2)
GROUPS = (ALL, Group("kind", "0"), Group("kind", "1"))

Kinds = tuple[int, int, int]
"""Pupils who are below and have points, who are below and have none, and who are at what is expected."""


def kinds_of(world: World) -> tuple[Kinds, ...]:
    """Of all pupils, and of each category."""
    first, second = (world[0], world[1], world[2]), (world[3], world[4], world[5])
    return (first[0] + second[0], first[1] + second[1], first[2] + second[2]), first, second


def told_of(kinds: tuple[Kinds, ...]) -> tuple[Row, ...]:
    """What is told, the way that a release goes: it depends on whether everybody, or nobody, has points."""
    table = {
        group: {SCHOOL: Contribution(below + without, at, 0, below + at)} if below + without + at else {}
        for group, (below, without, at) in zip(GROUPS, kinds, strict=True)
    }
    below, without, at = kinds[0]
    absent: set[Measure] = {"above", "progress"}
    if not without:
        rows = protect(table, RULES, not_applicable=absent).rows
    elif not below + at:
        rows = protect(table, RULES, not_applicable={*absent, "mean_points"}).rows
    else:
        scored = {
            group: {SCHOOL: Scored(below + at, below + at)}
            for group, (below, _, at) in zip(GROUPS, kinds, strict=True)
        }
        rows = protect_means_of_some(table, scored, RULES, not_applicable=absent).rows
    return tuple(rows[group] for group in GROUPS)


def leaks(most: int) -> list[str]:
    """What the attacker learns of any table of so many pupils at most."""
    worlds: dict[tuple[Row, ...], list[tuple[Kinds, ...]]] = defaultdict(list)
    for world in divisions(most, 6):
        worlds[told_of(kinds_of(world))].append(kinds_of(world))
    found = []
    for rows, possible in worlds.items():
        if rows[0].pupils == SUPPRESSED:
            continue  # Then nothing is told at all.
        for place, (group, row) in enumerate(zip(GROUPS, rows, strict=True)):
            scored = {kinds[place][0] + kinds[place][2] for kinds in possible}
            if row.mean_points == SUPPRESSED and len(scored) < RULES.minimum_pupils:
                found.append(f"{group}: the mean of one of {sorted(scored)}: {rows}")
    return found


def test_nothing_can_be_worked_out_of_any_table() -> None:
    assert leaks(9) == []


def test_without_secondary_suppression_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin: what fails a rule is suppressed, and nothing else is."""
    monkeypatch.setattr(protecting, "complete", never_any_more)
    assert leaks(8)
