"""The attacker against the rules: nothing with all of them, and something as soon as any one is missing."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.disclosure import (
    ALL,
    MEASURES,
    SUPPRESSED,
    Contribution,
    Earlier,
    Group,
    Protected,
    Rules,
    SchoolValue,
    Table,
    deciles,
    protect,
)
from tests.disclosure.attacker import (
    PROMISED,
    Leak,
    Release,
    attack,
    attack_decile,
    attack_pair,
    insiders,
)
from tests.disclosure.regions import Pupil, region, school_id, table_of


def weakened(**changes: object) -> Rules:
    return msgspec.structs.replace(PROMISED, **changes)


def released(table: Table, rules: Rules, *earlier: Protected) -> Protected:
    return protect(
        table, rules, [Earlier(number, each.rows, rules) for number, each in enumerate(earlier, start=1)]
    )


sizes = st.sampled_from([(4, 1, 4), (5, 2, 10), (8, 8, 40), (15, 2, 10), (30, 8, 40)])
"""Schools, and the least and the most pupils of each."""


def one(seed: int, size: tuple[int, int, int]) -> None:
    table = table_of(region(seed, size[0], size[1:]))
    rows = released(table, PROMISED).rows
    assert attack(Release(rows, PROMISED)) == []
    assert insiders(table, rows) == []


@settings(deadline=None, max_examples=12, derandomize=True)
@given(seed=st.integers(0, 2**32), size=sizes)
def test_one_release_gives_nothing_away(seed: int, size: tuple[int, int, int]) -> None:
    one(seed, size)


@settings(deadline=None, max_examples=2, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_nor_in_whole_numbers(seed: int) -> None:
    table = table_of(region(seed, 6, (2, 20)))
    assert attack(Release(released(table, PROMISED).rows, PROMISED), whole=True) == []


def changed(pupils: list[Pupil], chance: random.Random, size: int) -> list[Pupil]:
    """Some pupils that were not there before, and some whose result has been corrected since."""
    found = list(pupils)
    for _ in range(chance.choice((0, 0, 1, 2))):
        place = chance.randrange(len(found))
        found[place] = found[place]._replace(standing=1, points=12)
    for _ in range(min(size, len(found) - 1)):
        found.pop(chance.randrange(len(found)))
    return found


def several(seed: int, size: tuple[int, int, int], missing: int) -> None:
    """Of three releases, each of which was held against those before it."""
    pupils = region(seed, size[0], size[1:])
    chance = random.Random(seed)
    tables = [pupils]
    for _ in range(2):
        tables.insert(0, changed(tables[0], chance, missing))
    done: list[Protected] = []
    for each in tables:
        done.append(released(table_of(each), PROMISED, *done))
    for one in range(3):
        for other in range(one + 1, 3):
            if done[one].rows != done[other].rows:
                pair = (Release(done[one].rows, PROMISED), Release(done[other].rows, PROMISED))
                assert attack_pair(*pair) == []
    assert insiders(table_of(tables[-1]), done[-1].rows) == []


missing_ones = st.sampled_from([0, 1, 3, 12, 60, 400])


@settings(deadline=None, max_examples=4, derandomize=True)
@given(seed=st.integers(0, 2**32), size=sizes, missing=missing_ones)
def test_nor_do_any_two(seed: int, size: tuple[int, int, int], missing: int) -> None:
    several(seed, size, missing)


@pytest.mark.full
@pytest.mark.timeout(3600)
@settings(deadline=None, max_examples=300)
@given(seed=st.integers(0, 2**32), size=sizes, missing=missing_ones)
def test_nothing_is_given_away_by_many(seed: int, size: tuple[int, int, int], missing: int) -> None:
    one(seed, size)
    several(seed, size, missing)


def tiny(seed: int, schools: int, pupils: int) -> Table:
    return table_of(region(seed, schools, (pupils, 5 * pupils)))


def of_sizes(*sizes: int) -> Table:
    """Schools of which each has so many pupils of each standing."""
    return {
        ALL: {school_id(each): Contribution(size, size, size, 39 * size) for each, size in enumerate(sizes)}
    }


SABOTAGED: Mapping[str, tuple[Rules, Table]] = {
    "minimum pupils": (weakened(minimum_pupils=1), tiny(1, 5, 2)),
    "zeros": (weakened(zeros=False), tiny(2, 5, 2)),
    "secondary": (weakened(secondary=False), tiny(5, 30, 8)),
    "dominance": (weakened(dominance_k=100), of_sizes(45, 46, 3, 3, 3)),
    "p per cent": (weakened(p_percent=0), of_sizes(75, 14, 6, 5)),
}
"""Rules of which one is switched off, and a region in which it is missed."""


@pytest.mark.parametrize(("rules", "table"), SABOTAGED.values(), ids=SABOTAGED)
def test_a_rule_that_is_switched_off_is_missed(rules: Rules, table: Table) -> None:
    """The sabotaged twins: the same attacker, the same region."""

    def leaks(rules: Rules) -> list[Leak]:
        rows = released(table, rules).rows
        return attack(Release(rows, rules)) + insiders(table, rows)

    assert leaks(rules)
    assert leaks(PROMISED) == []


def differing() -> tuple[Table, Table]:
    """A few pupils of a region came in late."""
    pupils = region(5, 30, (8, 40))
    return table_of(pupils[25:]), table_of(pupils)


def growing() -> tuple[Table, Table]:
    """Thirty schools came in late, and with them seven pupils who are not boys."""
    sex: dict[str, dict[UUID, Contribution]] = {"M": {}, "F": {}, "unknown": {}}
    tables = []
    for schools, girls, others in ((30, 30, 3), (60, 32, 4)):
        sex["M"] = {school_id(each): Contribution(4, 3, 3, 130) for each in range(schools)}
        sex["F"] = {school_id(each): Contribution(1, 1, 1, 36) for each in range(girls)}
        sex["unknown"] = {school_id(each): Contribution(0, 0, 1, 20) for each in range(others)}
        table: dict[Group, dict[UUID, Contribution]] = {
            ALL: {
                school: Contribution(
                    *(
                        sum(getattr(each[school], name) for each in sex.values() if school in each)
                        for name in Contribution.__struct_fields__
                    )
                )
                for school in sex["M"]
            }
        }
        tables.append(table | {Group("sex", each): dict(schools) for each, schools in sex.items()})
    return tables[0], tables[1]


PAIRS: Mapping[str, tuple[Rules, Callable[[], tuple[Table, Table]]]] = {
    "differencing": (weakened(differencing=False), differing),
    "rounding": (weakened(rounding_base=1), growing),
}


@pytest.mark.parametrize(("rules", "case"), PAIRS.values(), ids=PAIRS)
def test_a_rule_that_is_switched_off_is_missed_by_two_releases(
    rules: Rules, case: Callable[[], tuple[Table, Table]]
) -> None:
    def leaks(rules: Rules) -> list[Leak]:
        first = released(case()[0], rules)
        second = released(case()[1], rules, first)
        assert any(row.pupils != SUPPRESSED for row in first.rows.values())
        return attack_pair(Release(first.rows, rules), Release(second.rows, rules))

    assert leaks(rules)
    assert leaks(PROMISED) == []


def test_what_has_grown_enough_is_told_again() -> None:
    """Otherwise the case above would prove nothing: the second release is not merely suppressed."""
    first, second = growing()
    rows = released(second, PROMISED, released(first, PROMISED)).rows
    assert rows[ALL].pupils.value == 700
    assert rows[Group("sex", "M")].pupils.value == 600
    assert rows[Group("sex", "M")].below.value == Decimal("0.400")
    assert rows[Group("sex", "F")].below == SUPPRESSED


def test_minimum_schools_is_missed_in_the_distribution() -> None:
    """Elsewhere dominance, for which two schools are always too much of three, would catch it as well."""
    chance = random.Random(1)
    schools = [SchoolValue(Decimal(chance.randint(200, 900)) / 1000, 30) for _ in range(70)]
    values = sorted(float(school.value) for school in schools)
    for rules, leak in ((PROMISED, False), (weakened(minimum_schools=1), True)):
        told = deciles(schools, rules, decimals=3)
        for decile, figure in told.items():
            assert figure.value is not None
            own = values[len(values) * decile // 10]
            assert bool(attack_decile(own, float(figure.value), 3, rules)) == leak


def test_the_attacker_would_notice_a_figure_that_is_not_true() -> None:
    """The bounds that the attacker works out hold the truth, or finding nothing would mean nothing."""
    table = table_of(region(9, 12, (8, 40)))
    rows = dict(released(table, PROMISED).rows)
    told = [(group, measure) for group in rows for measure in MEASURES if rows[group].figure(measure).value]
    assert told
    group = next(group for group, measure in told if measure == "pupils" and group != ALL)
    wrong = msgspec.structs.replace(rows[ALL].pupils, value=Decimal(5))
    rows[ALL] = msgspec.structs.replace(rows[ALL], pupils=wrong)
    with pytest.raises((AssertionError, ValueError)):
        attack(Release({ALL: rows[ALL], group: rows[group]}, PROMISED))
