"""Whole releases, made as they really are, and an attacker who has nothing but the `analytics` schema.

Schools enter children and results, a worker projects them, a release is proposed under rules and published.
What the attacker works out is held against what was entered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import msgspec
import pytest

from domain.errors import InvalidInput
from domain.ledger.database import Database
from projections.benchmarks import publishing
from projections.benchmarks.earlier import EarlierFigures
from projections.benchmarks.points import Point
from projections.disclosure import MEASURES, NOT_APPLICABLE, SUPPRESSED, Group, Rules
from scripts.embedded import EmbeddedPostgres
from tests.conftest import fresh_database
from tests.disclosure.attacker import PROMISED, Knowledge, Leak, Release, attack, attack_pair, insiders
from tests.disclosure.linked import attack_points
from tests.disclosure.reading import read
from tests.disclosure.solving import System
from tests.disclosure.whole_regions import (
    EVERY,
    READING,
    READING_IN_SPRING,
    TEST,
    Entered,
    Quantities,
    Region,
    What,
    catching_up,
    enter,
    enter_late,
    generated,
    growing,
    sums_of,
    table_of,
    table_of_means,
    truth,
)
from tests.projections.releasing import release

POINTS = [Point.of(what.at) for what in EVERY]

Released = Mapping[int, Mapping[What, Release]]


def published(entered: Entered, rules: Rules = PROMISED, *, again: bool = False) -> Released:
    """A release under these rules, and another once the late ones have been entered; as analysts read it."""
    with Database(entered.database.conninfo("target_tracker_worker")) as worker:
        release(worker, points=POINTS, rules=rules)
        if again:
            enter_late(entered)
            release(worker, points=POINTS, rules=rules)
    return read(entered.database)


def holds(told: Release, quantities: Quantities) -> bool:
    """Whether the attacker thinks the true world possible, so that every interval holds the truth."""
    system = System()
    knowledge = Knowledge(system, told)
    true = sums_of(quantities)
    world = {
        variable: true.get(group, {}).get(name, 0)
        for group, variables in knowledge.variables.items()
        for name, variable in variables.items()
    }
    return not system.untrue(world)


def of_means(told: Release, quantities: Quantities) -> list[Leak]:
    """What schools learn of one another's means, where some pupils have no points."""
    rows = {
        group: msgspec.structs.replace(row, progress=row.mean_points, mean_points=NOT_APPLICABLE)
        for group, row in told.rows.items()
    }
    return insiders(table_of_means(quantities), rows)


def leaks_of(region: Region, released: Released) -> list[Leak]:
    """Everything that can be found in each table, in the tables of two points, and in any two releases."""
    found: list[Leak] = []
    for number, tables in released.items():
        for what, told in tables.items():
            quantities = truth(region, what, late=number > 1)
            assert holds(told, quantities), (number, what)
            found += attack(told)
            found += insiders(table_of(quantities), told.rows) if what != TEST else of_means(told, quantities)
        if READING_IN_SPRING in tables:
            found += attack_points(tables[READING_IN_SPRING], tables[READING])
    for earlier, later in combinations(sorted(released), 2):
        for what, told in released[earlier].items():
            found += attack_pair(told, released[later][what])
    return found


def told_in(release: Release, characteristic: str = "") -> int:
    """How many figures are told."""
    return sum(
        row.figure(measure).value is not None
        for group, row in release.rows.items()
        for measure in MEASURES
        if characteristic in ("", group.characteristic)
    )


def whole(server: EmbeddedPostgres, seed: int, schools: int, pupils: tuple[int, int]) -> None:
    with fresh_database(server) as database:
        entered = enter(database, generated(seed, schools, pupils))
        released = published(entered, again=True)
        assert set(released) == {1, 2}
        assert all(told_in(told) > 20 for told in released[1].values()), "or there is nothing to attack"
        assert leaks_of(entered.region, released) == []


SEED, SCHOOLS, PUPILS = 1, 8, (12, 25)


def test_a_whole_release_gives_nothing_away_nor_do_two(server: EmbeddedPostgres) -> None:
    whole(server, SEED, SCHOOLS, PUPILS)


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(2, 22))
def test_nor_do_many(server: EmbeddedPostgres, seed: int) -> None:
    whole(server, seed, 6 + seed % 7, [(8, 25), (12, 25), (20, 25)][seed % 3])


@pytest.fixture(scope="module")
def template(server: EmbeddedPostgres) -> Iterator[Entered]:
    """The region of above, entered once; each test releases a copy."""
    with fresh_database(server) as database:
        yield enter(database, generated(SEED, SCHOOLS, PUPILS))


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishing refuses rules that protect too little. Here it does not."""
    monkeypatch.setattr(publishing, "checked", lambda rules: rules)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"minimum_pupils": 1}, "small"),
        ({"zeros": False}, "small"),
        ({"secondary": False}, "suppressed"),
        ({"dominance_k": 100}, "dominance"),
        ({"p_percent": 0}, "p per cent"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
@pytest.mark.usefixtures("careless")
def test_a_rule_that_is_switched_off_is_missed(template: Entered, change: dict[str, int], kind: str) -> None:
    """The sabotaged twins of the first test: the same region, one rule less, and a leak of its kind."""
    with template.database.copy() as database:
        released = published(template.in_copy(database), changed(**change))
    quantities = truth(template.region, READING, late=False)
    assert holds(released[1][READING], quantities)
    [told] = narrowed(released, "pupil_premium", "ethnicity_group")
    found = attack(told) if kind in ("small", "suppressed") else insiders(table_of(quantities), told.rows)
    assert kind in {leak.kind for leak in found}


def test_nothing_can_be_published_under_such_rules(template: Entered) -> None:
    with template.database.copy() as database, pytest.raises(InvalidInput):
        published(template.in_copy(database), changed(secondary=False))


def changed(**changes: int) -> Rules:
    return msgspec.structs.replace(PROMISED, **changes)


def narrowed(released: Released, *characteristics: str, what: What = READING) -> list[Release]:
    """A table of each release, as far as it tells children apart by these."""
    return [
        told._replace(
            rows={
                group: row
                for group, row in told.rows.items()
                if group.characteristic in ("all", *characteristics)
            }
        )
        for _, tables in sorted(released.items())
        for told in [tables[what]]
    ]


@pytest.mark.usefixtures("careless")
def test_differencing_is_missed_in_two_releases(template: Entered) -> None:
    with template.database.copy() as database:
        released = published(template.in_copy(database), changed(differencing=False), again=True)
    first, second = narrowed(released, "sex", "eal", "term_of_birth", "region")
    assert told_in(second)
    assert "difference" in {leak.kind for leak in attack_pair(first, second)}


@pytest.mark.usefixtures("careless")
def test_rounding_is_missed_in_two_releases(server: EmbeddedPostgres) -> None:
    """Many came late, so that the table is told again; of whom two are not boys."""
    found: dict[int, list[Leak]] = {}
    with fresh_database(server) as database:
        entered = enter(database, growing())
        for base in (PROMISED.rounding_base, 1):
            with database.copy() as copied:
                released = published(entered.in_copy(copied), changed(rounding_base=base), again=True)
            for number, tables in released.items():
                assert told_in(tables[READING], "sex")
                assert holds(tables[READING], truth(entered.region, READING, late=number > 1))
            if base == PROMISED.rounding_base:
                assert leaks_of(entered.region, released) == []
            first, second = narrowed(released, "sex")
            assert first.rows != second.rows
            found[base] = attack_pair(first, second)
    assert found[PROMISED.rounding_base] == []
    assert ("difference", "sex: pupils") in {(leak.kind, leak.what) for leak in found[1]}


@pytest.mark.usefixtures("careless")
def test_progress_beside_a_mean_that_was_suppressed_is_missed_at_two_points(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told beside the mean of summer, progress would be the suppressed mean of spring.

    Of counts that are told as they are, to give the attacker the number of pupils.
    """
    rules, girls = changed(rounding_base=1), Group("sex", "F")
    found = []
    with fresh_database(server) as database:
        entered = enter(database, catching_up())
        for held_against in (True, False):
            if not held_against:
                monkeypatch.setattr(EarlierFigures, "before", lambda self, measured: None)
            with database.copy() as copied:
                released = published(entered.in_copy(copied), rules)
            for what, told in released[1].items():
                assert holds(told, truth(entered.region, what, late=False))
            [before], [now] = (narrowed(released, "sex", what=what) for what in (READING_IN_SPRING, READING))
            assert before.rows[girls].mean_points == SUPPRESSED
            assert now.rows[girls].mean_points != SUPPRESSED
            found.append([leak.what for leak in attack_points(before, now)])
    assert found[0] == []
    assert "before: sex/F: mean_points" in found[1]
