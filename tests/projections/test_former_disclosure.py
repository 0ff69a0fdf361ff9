"""What an attacker can work out from what is told of a group.

The attacker knows the total, every count that is shown, and the rule itself, to the last line of its code: so
the attacker goes through every way in which the pupils could be divided, and keeps those of which exactly the
same would be told. What is common to all of these is what the attacker knows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.disclosure.former import MINIMUM_PUPILS, MINIMUM_SCHOOLS, protect

Counts = tuple[int, ...]
Told = tuple[int | None, ...]
Rule = Callable[[Counts, int], Told]

STANDINGS = ("below", "at", "above")


def ours(counts: Counts, minimum: int) -> Told:
    """The rule that benchmarks are released under: the total, and each category."""
    named = {str(place): count for place, count in enumerate(counts)}
    return tuple(protect(named, MINIMUM_SCHOOLS, minimum_pupils=minimum).values())


def _smallest_first(counts: Counts) -> list[int]:
    return sorted(range(len(counts)), key=lambda place: counts[place])


def _told(counts: Counts, hidden: list[int]) -> Told:
    return (sum(counts), *(None if place in hidden else count for place, count in enumerate(counts)))


def without_complementary_suppression(counts: Counts, minimum: int) -> Told:
    """Sabotaged: what is small is hidden, and nothing else is."""
    if sum(counts) < minimum:
        return (None,) * (len(counts) + 1)
    return _told(counts, [place for place, count in enumerate(counts) if count < minimum])


def without_the_rule_of_sums(counts: Counts, minimum: int) -> Told:
    """Sabotaged: two are hidden at least, however few they are together."""
    if sum(counts) < minimum:
        return (None,) * (len(counts) + 1)
    hidden = [place for place, count in enumerate(counts) if count < minimum]
    return _told(counts, _smallest_first(counts)[: max(2, len(hidden))] if hidden else [])


def without_the_rule_of_greater_ones(counts: Counts, minimum: int) -> Told:
    """Sabotaged: two are hidden at least, of enough pupils, but what is shown tells of what is hidden."""
    if sum(counts) < minimum:
        return (None,) * (len(counts) + 1)
    hidden: list[int] = []
    for place in _smallest_first(counts):
        enough = len(hidden) >= 2 and sum(counts[each] for each in hidden) >= minimum
        if counts[place] >= minimum and (not hidden or enough):
            break
        hidden.append(place)
    return _told(counts, hidden)


def divisions(total: int, parts: int) -> Iterator[Counts]:
    """Every way to divide so many pupils into so many categories."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in divisions(total - first, parts - 1):
            yield (first, *rest)


@cache
def _worlds(rule: Rule, total: int, parts: int, minimum: int) -> Mapping[Told, list[Counts]]:
    worlds: dict[Told, list[Counts]] = defaultdict(list)
    for counts in divisions(total, parts):
        worlds[rule(counts, minimum)].append(counts)
    return worlds


def leaks(rule: Rule, total: int, parts: int, minimum: int) -> list[str]:
    """What an attacker learns that ought to stay hidden, of any division of the total."""
    found = []
    for told, possible in _worlds(rule, total, parts, minimum).items():
        if told[0] is None:
            continue
        if any(count is not None and count < minimum for count in told):
            found.append(f"{told}: a count under {minimum}")
        hidden = [place for place, count in enumerate(told[1:]) if count is None]
        for size in range(1, len(hidden) + 1):
            for some in combinations(hidden, size):
                sums = {sum(counts[place] for place in some) for counts in possible}
                if len(sums) == 1 and (size == 1 or min(sums) < minimum):
                    found.append(f"{told}: the sum of {some} is {min(sums)}")
    return found


SABOTAGED = (
    without_complementary_suppression,
    without_the_rule_of_sums,
    without_the_rule_of_greater_ones,
)


def test_nothing_hidden_can_be_worked_out_of_any_division_into_three() -> None:
    """Every total up to 60, every way to divide it, under the rule as it is released."""
    for total in range(61):
        assert leaks(ours, total, 3, MINIMUM_PUPILS) == []


@settings(deadline=None, max_examples=60)
@given(total=st.integers(0, 16), parts=st.integers(2, 5), minimum=st.integers(1, 6))
def test_nothing_hidden_can_be_worked_out_whatever_the_limits(total: int, parts: int, minimum: int) -> None:
    assert leaks(ours, total, parts, minimum) == []


@pytest.mark.parametrize("rule", SABOTAGED)
def test_a_weaker_rule_is_found_out(rule: Rule) -> None:
    """The sabotaged twins: the same attacker, and a rule with one of its parts taken out."""
    assert any(leaks(rule, total, 3, MINIMUM_PUPILS) for total in range(61))


def test_a_count_that_only_the_order_of_equals_gave_away() -> None:
    """Of 10, 10 and 9 the first and the last were hidden: otherwise another one would have been shown."""
    rule = without_the_rule_of_greater_ones
    assert rule((10, 10, 9), 10) == (29, None, 10, None)
    assert _worlds(rule, 29, 3, 10)[29, None, 10, None] == [(10, 10, 9)]
    assert ours((10, 10, 9), 10) == (29, None, None, None)


@settings(deadline=None, max_examples=300)
@given(counts=st.tuples(*[st.one_of(st.integers(0, 12), st.integers(0, 400))] * 3))
def test_whatever_is_hidden_may_be_everything_that_is_hidden_or_nothing(counts: Counts) -> None:
    """Why the rule is safe whatever the total: what is told would be the same in these worlds too."""
    told = ours(counts, MINIMUM_PUPILS)
    hidden = [place for place, count in enumerate(told[1:]) if count is None]
    if told[0] is None or not hidden:
        return
    together = sum(counts[place] for place in hidden)
    assert len(hidden) >= 2
    assert together >= MINIMUM_PUPILS
    for everything in hidden:
        world = tuple(
            count if place not in hidden else together if place == everything else 0
            for place, count in enumerate(counts)
        )
        assert ours(world, MINIMUM_PUPILS) == told


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ((10, 10, 10), {"all": 30, "below": 10, "at": 10, "above": 10}),
        ((120, 80, 40), {"all": 240, "below": 120, "at": 80, "above": 40}),
        ((9, 80, 40), {"all": 129, "below": None, "at": 80, "above": None}),
        ((0, 80, 40), {"all": 120, "below": None, "at": 80, "above": None}),
        ((9, 40, 40), {"all": 89, "below": None, "at": None, "above": None}),
        ((4, 5, 91), {"all": 100, "below": None, "at": None, "above": None}),
        ((4, 6, 91), {"all": 101, "below": None, "at": None, "above": 91}),
        ((4, 3, 3), {"all": 10, "below": None, "at": None, "above": None}),
        ((3, 3, 3), {"all": None, "below": None, "at": None, "above": None}),
        ((0, 0, 0), {"all": None, "below": None, "at": None, "above": None}),
    ],
)
def test_what_is_told(counts: Counts, shown: dict[str, Any]) -> None:
    assert protect(dict(zip(STANDINGS, counts, strict=True)), MINIMUM_SCHOOLS) == shown


@given(counts=st.tuples(*[st.integers(0, 500)] * 3), schools=st.integers(0, 6))
def test_what_is_shown_is_true_and_of_enough_pupils_and_schools(counts: Counts, schools: int) -> None:
    shown = protect(dict(zip(STANDINGS, counts, strict=True)), schools)
    truth = {"all": sum(counts), **dict(zip(STANDINGS, counts, strict=True))}
    assert shown.keys() == truth.keys()
    for name, count in shown.items():
        assert count is None or (count == truth[name] >= 10 and schools >= 3)
