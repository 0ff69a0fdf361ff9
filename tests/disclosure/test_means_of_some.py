"""Means of those pupils alone who have points: what is told of them, and what the attacker makes of it.

How many have points is not told, and neither may be worked out of whom it is the mean.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.benchmarks.means import Scored, protect_means_of_some
from projections.disclosure import (
    ALL,
    NOT_APPLICABLE,
    SUPPRESSED,
    Contribution,
    Earlier,
    Figure,
    Group,
    Measure,
    Protected,
    Rules,
    Table,
)
from tests.disclosure.attacker import PROMISED, Leak, Release, Scale, attack, attack_pair, insiders
from tests.disclosure.regions import Pupil, region, school_id, table_of

KS2 = Scale({"below": (80, 99), "at": (100, 109), "above": (110, 120)}, frozenset({"below"}))
PHONICS = Scale({"below": (0, 31), "at": (32, 40), "above": (0, 0)}, frozenset({"below", "at"}))
SCALES = {"ks2": KS2, "phonics": PHONICS}

ScoredTable = Mapping[Group, Mapping[UUID, Scored]]


def not_applicable(scale: Scale) -> set[Measure]:
    return {"progress", "above"} if scale is PHONICS else {"progress"}


def sat(seed: int, size: tuple[int, int, int], scale: Scale) -> list[Pupil]:
    """A region that took a test; `gain` says whether a pupil has a score."""
    chance = random.Random(seed)
    rarely = chance.choice((0.02, 0.1, 0.5, 0.98))
    spread = chance.random() < 0.8
    found = []
    for pupil in region(seed, size[0], size[1:]):
        standing = min(pupil.standing, 1) if scale is PHONICS else pupil.standing
        name = ("below", "at", "above")[standing]
        low, high = scale.bands[name]
        scored = name not in scale.pointless or chance.random() > rarely
        found.append(
            pupil._replace(
                standing=standing,
                points=(chance.randint(low, high) if spread else high) if scored else 0,
                gain=0 if scored else None,
            )
        )
    return found


def made(pupils: list[Pupil]) -> tuple[Table, ScoredTable]:
    """The table, and who have points in it."""
    table = table_of(pupils)
    return (
        {
            group: {school: msgspec.structs.replace(each, progressed=0) for school, each in schools.items()}
            for group, schools in table.items()
        },
        {
            group: {school: Scored(each.progressed, each.points) for school, each in schools.items()}
            for group, schools in table.items()
        },
    )


def released(pupils: list[Pupil], scale: Scale, *earlier: Protected, rules: Rules = PROMISED) -> Protected:
    told = [Earlier(number, each.rows, rules) for number, each in enumerate(earlier, start=1)]
    return protect_means_of_some(*made(pupils), rules, told, not_applicable=not_applicable(scale))


def insiders_of(table: Table, scored: ScoredTable, protected: Protected) -> list[Leak]:
    """What schools learn of one another's means, which are protected as progress is."""
    as_progress = {
        group: {
            school: msgspec.structs.replace(
                each, progressed=scored[group][school].pupils, progress=scored[group][school].points
            )
            for school, each in schools.items()
        }
        for group, schools in table.items()
    }
    rows = {
        group: msgspec.structs.replace(row, progress=row.mean_points, mean_points=NOT_APPLICABLE)
        for group, row in protected.rows.items()
    }
    return insiders(as_progress, rows)


def one(seed: int, size: tuple[int, int, int], scale: Scale) -> None:
    pupils = sat(seed, size, scale)
    protected = released(pupils, scale)
    assert attack(Release(protected.rows, PROMISED, scale)) == []
    assert insiders_of(*made(pupils), protected) == []


def two(seed: int, size: tuple[int, int, int], scale: Scale, missing: int) -> None:
    """The second release has those who came in late, and a score that was corrected."""
    pupils = sat(seed, size, scale)
    chance = random.Random(seed)
    place = chance.randrange(len(pupils))
    then = list(pupils)
    then[place] = then[place]._replace(standing=1, points=scale.bands["at"][0], gain=0)
    for _ in range(min(missing, len(then) - 1)):
        then.pop(chance.randrange(len(then)))
    first = released(then, scale)
    second = released(pupils, scale, first)
    releases = [Release(each.rows, PROMISED, scale) for each in (first, second)]
    if first.rows != second.rows:
        assert attack_pair(releases[0], releases[1]) == []
    assert insiders_of(*made(pupils), second) == []


sizes = st.sampled_from([(6, 5, 25), (12, 8, 25), (30, 8, 40)])
scales = st.sampled_from(sorted(SCALES))
late = st.sampled_from([0, 1, 3, 60, 400])


@settings(deadline=None, max_examples=8, derandomize=True)
@given(seed=st.integers(0, 2**32), size=sizes, name=scales)
def test_one_release_gives_nothing_away(seed: int, size: tuple[int, int, int], name: str) -> None:
    one(seed, size, SCALES[name])


@settings(deadline=None, max_examples=3, derandomize=True)
@given(seed=st.integers(0, 2**32), size=sizes, name=scales, missing=late)
def test_nor_do_two(seed: int, size: tuple[int, int, int], name: str, missing: int) -> None:
    two(seed, size, SCALES[name], missing)


@pytest.mark.full
@pytest.mark.timeout(3600)
@settings(deadline=None, max_examples=200)
@given(seed=st.integers(0, 2**32), size=sizes, name=scales, missing=late)
def test_nothing_is_given_away_by_many(
    seed: int, size: tuple[int, int, int], name: str, missing: int
) -> None:
    one(seed, size, SCALES[name])
    two(seed, size, SCALES[name], missing)


def some(school: int, sex: str, standing: int, points: int | None, count: int) -> list[Pupil]:
    kinds = {"sex": sex, "free_school_meals": "no", "in_care": "no", "ethnicity_group": "white"}
    return [Pupil(school, standing, points or 0, None if points is None else 0, kinds)] * count


def example() -> list[Pupil]:
    """Phonics in twelve schools: six of the girls have marks, and of the boys nearly all."""
    pupils: list[Pupil] = []
    for school in range(12):
        pupils += [*some(school, "M", 0, 20, 4), *some(school, "M", 1, 36, 4), *some(school, "M", 0, None, 1)]
        pupils += [*some(school, "F", 0, None, 2), *some(school, "F", 1, None, 1)]
        pupils += some(school, "F", 1, 34 if school < 6 else None, 1)
    return pupils


GIRLS, BOYS = Group("sex", "F"), Group("sex", "M")


def test_the_mean_of_a_few_is_suppressed_where_shares_are_told() -> None:
    pupils = example()
    _, scored = made(pupils)
    assert sum(each.pupils for each in scored[GIRLS].values()) == 6
    protected = released(pupils, PHONICS)
    rows = protected.rows
    assert rows[GIRLS].below.value is not None
    assert rows[GIRLS].mean_points == rows[BOYS].mean_points == SUPPRESSED
    assert rows[ALL].mean_points.value is not None
    assert {each.rule for each in protected.reasons if each.group == GIRLS} == {"minimum_pupils"}
    assert insiders_of(*made(pupils), protected) == []


def test_told_beside_the_shares_it_would_be_missed() -> None:
    """The sabotaged twins: a mean that is told wherever shares are, and rules that let six be enough."""
    pupils = example()
    protected = released(pupils, PHONICS)
    rows = {
        group: msgspec.structs.replace(row, mean_points=Figure(Decimal("28.0")))
        for group, row in protected.rows.items()
        if row.below.value is not None
    }
    leaks = insiders_of(*made(pupils), Protected(rows, []))
    assert any(leak.kind == "pupils" and leak.what.startswith("sex/F") for leak in leaks)
    weak = released(pupils, PHONICS, rules=msgspec.structs.replace(PROMISED, minimum_pupils=5))
    assert insiders_of(*made(pupils), weak)


def test_the_same_again_is_told_again() -> None:
    first = released(example(), PHONICS)
    assert any(row.mean_points.value is not None for row in first.rows.values())
    assert released(example(), PHONICS, first).rows == first.rows


def test_where_only_a_mean_has_changed_nothing_of_the_table_is_told() -> None:
    """Shares that are told beside a suppressed mean would say that somebody's points were corrected."""
    first = released(example(), PHONICS)
    then = [
        pupil._replace(points=32) if (pupil.school, pupil.points) == (0, 36) else pupil for pupil in example()
    ]
    second = released(then, PHONICS, first)
    assert first.rows[ALL].below == released(then, PHONICS).rows[ALL].below
    assert first.rows[ALL].mean_points != released(then, PHONICS).rows[ALL].mean_points
    for row in second.rows.values():
        assert {row.pupils, row.below, row.at, row.mean_points} == {SUPPRESSED}
        assert row.above == row.progress == NOT_APPLICABLE
    assert {each.rule for each in second.reasons if each.group == ALL} == {"differencing"}
    pair = [Release(each.rows, PROMISED, PHONICS) for each in (first, second)]
    assert attack_pair(pair[0], pair[1]) == []


def test_progress_is_told_only_beside_a_mean() -> None:
    """Nearly all scores are of one school, which has none of the point before: the others have progress."""
    table: dict[Group, dict[UUID, Contribution]] = {ALL: {}}
    scored: dict[Group, dict[UUID, Scored]] = {ALL: {}}
    for school in range(12):
        table[ALL][school_id(school)] = Contribution(60, 30, 30, 0, int(school > 0), int(school > 0))
        scored[ALL][school_id(school)] = Scored(*((120, 12_600) if school == 0 else (1, 105)))
    row = protect_means_of_some(table, scored, PROMISED).rows[ALL]
    assert row.below.value is not None
    assert row.mean_points == row.progress == SUPPRESSED
