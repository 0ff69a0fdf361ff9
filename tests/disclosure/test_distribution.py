"""The distribution of schools says nothing of one of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from projections.disclosure import DECILES, SUPPRESSED, Figure, Rules, SchoolValue, deciles

RULES = Rules()


def schools(number: int, pupils: int = 30) -> list[SchoolValue]:
    return [SchoolValue(Decimal(each), pupils) for each in range(number)]


def values(*numbers: str) -> dict[int, Figure]:
    return {decile: Figure(Decimal(number)) for decile, number in zip(DECILES, numbers, strict=True)}


def test_a_decile_is_the_mean_of_three_schools_on_either_side() -> None:
    told = deciles(schools(100), RULES)
    assert told == values("9.5", "19.5", "29.5", "39.5", "49.5", "59.5", "69.5", "79.5", "89.5")
    assert deciles(reversed(schools(100)), RULES) == told


def test_it_is_no_school_s_own() -> None:
    odd = [SchoolValue(Decimal(each * each) / 7, 30) for each in range(60)]
    told = deciles(odd, RULES, decimals=6)
    assert not {figure.value for figure in told.values()} & {round(school.value, 6) for school in odd}


@pytest.mark.parametrize(("number", "told"), [(0, 0), (3, 0), (59, 0), (60, 9)])
def test_no_school_is_part_of_two_deciles(number: int, told: int) -> None:
    assert sum(figure.value is not None for figure in deciles(schools(number), RULES).values()) == told


def test_schools_with_few_pupils_are_left_out() -> None:
    strange = [SchoolValue(Decimal(10_000), 9)] * 50
    assert deciles(schools(100) + strange, RULES) == deciles(schools(100), RULES)
    assert set(deciles(schools(100, pupils=9), RULES).values()) == {SUPPRESSED}


def test_a_value_that_all_schools_around_have_is_suppressed() -> None:
    """Otherwise it would be known of each of them."""
    same = [SchoolValue(Decimal(1), 30)] * 30 + [SchoolValue(Decimal(each) / 100, 30) for each in range(70)]
    told = deciles(same, RULES, decimals=3)
    assert [decile for decile in DECILES if told[decile] == SUPPRESSED] == [8, 9]


def test_a_school_that_joins_is_not_seen_in_two_releases() -> None:
    first = deciles(schools(100), RULES)
    joined = [*schools(100), SchoolValue(Decimal(3), 30)]
    assert deciles(joined, RULES) != first
    assert set(deciles(joined, RULES, [first]).values()) == {SUPPRESSED}
    assert deciles(schools(100), RULES, [first]) == first
    assert deciles(schools(100), RULES, [dict.fromkeys(DECILES, SUPPRESSED)]) == first
