"""What an attacker can work out who knows the rules to the last line of their code.

The attacker goes through every table that there could be, has each protected, and keeps those of which
exactly the same would be told. What is common to all of these is what the attacker knows. Nothing is rounded
here, so that the attacker has the best of it, and the limits are small, so that there are few enough tables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

import msgspec
import pytest

from projections.disclosure import (
    ALL,
    SUPPRESSED,
    Contribution,
    Earlier,
    Group,
    Measure,
    Row,
    Rules,
    protect,
    protecting,
)
from projections.disclosure.completing import Enough, complete

World = tuple[int, ...]
"""Counts: of each school, in each category, of each standing where they are told."""

PUPILS_ALONE: tuple[Measure, ...] = ("below", "at", "above", "mean_points", "progress")
STANDINGS_ALONE: tuple[Measure, ...] = ("mean_points", "progress")
COUNTS: tuple[Measure, ...] = ("pupils", "below", "at", "above")

WEAK = Rules(minimum_pupils=3, minimum_schools=1, dominance_k=100, p_percent=0, rounding_base=1)


class Setting(NamedTuple):
    """What the tables are like.

    Attributes:
        schools: How many.
        categories: How many the one characteristic has.
        standings: Whether standings are told, or pupils alone.
        most: The most pupils that there are.
        rules: What is released under.
    """

    schools: int
    categories: int
    standings: bool
    most: int
    rules: Rules


SETTINGS = {
    "three categories": Setting(1, 3, False, 16, WEAK),
    "four categories": Setting(1, 4, False, 11, WEAK),
    "two schools": Setting(2, 3, False, 8, msgspec.structs.replace(WEAK, minimum_schools=2)),
    "dominance": Setting(2, 3, False, 8, msgspec.structs.replace(WEAK, dominance_n=1, dominance_k=80)),
    "standings": Setting(1, 2, True, 9, msgspec.structs.replace(WEAK, minimum_pupils=2)),
}


def divisions(most: int, parts: int) -> Iterator[World]:
    """Every way to put at most so many pupils into so many cells."""
    if parts == 0:
        yield ()
        return
    for first in range(most + 1):
        for rest in divisions(most - first, parts - 1):
            yield (first, *rest)


def table_of(setting: Setting, world: World) -> dict[Group, dict[UUID, Contribution]]:
    width = 3 if setting.standings else 1
    cells = iter(zip(*[iter(world)] * width, strict=True))
    table: dict[Group, dict[UUID, Contribution]] = {ALL: {}}
    for category in range(setting.categories):
        table[Group("kind", str(category))] = {}
    for school in range(setting.schools):
        whole = [0, 0, 0]
        for category in range(setting.categories):
            counts = (*next(cells), 0, 0)[:3]
            if any(counts):
                table[Group("kind", str(category))][UUID(int=school)] = Contribution(*counts)
                whole = [one + other for one, other in zip(whole, counts, strict=True)]
        if any(whole):
            table[ALL][UUID(int=school)] = Contribution(*whole)
    return table


def truth(table: Mapping[Group, Mapping[UUID, Contribution]]) -> dict[tuple[Group, Measure], int]:
    """What the counts really are."""
    return {
        (group, measure): sum(getattr(each, measure) for each in schools.values())
        for group, schools in table.items()
        for measure in COUNTS
    }


def told_of(setting: Setting, world: World, earlier: Mapping[Group, Row] | None = None) -> dict[Group, Row]:
    return protect(
        table_of(setting, world),
        setting.rules,
        [Earlier(1, earlier, setting.rules)] if earlier else [],
        not_applicable=STANDINGS_ALONE if setting.standings else PUPILS_ALONE,
    ).rows


def leaks(setting: Setting) -> list[str]:
    """What the attacker learns that ought to stay hidden, of any table."""
    worlds: dict[tuple[Row, ...], list[dict[tuple[Group, Measure], int]]] = defaultdict(list)
    cells = setting.schools * setting.categories * (3 if setting.standings else 1)
    for world in divisions(setting.most, cells):
        worlds[tuple(told_of(setting, world).values())].append(truth(table_of(setting, world)))
    groups = list(table_of(setting, (0,) * cells))
    found = []
    for rows, possible in worlds.items():
        if rows[0].pupils == SUPPRESSED:
            continue  # Then nothing is told at all.
        for measure in COUNTS:
            hidden = [
                group for group, row in zip(groups, rows, strict=True) if row.figure(measure) == SUPPRESSED
            ]
            for group in hidden:
                values = {counts[group, measure] for counts in possible}
                if len(values) < setting.rules.minimum_pupils:
                    found.append(f"{'/'.join(group)} {measure} is one of {sorted(values)}: {rows}")
            together = {sum(counts[group, measure] for group in hidden) for counts in possible}
            if hidden and max(together) < setting.rules.minimum_pupils:
                found.append(f"suppressed {measure} together {sorted(together)}: {rows}")
    return found


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_nothing_suppressed_can_be_worked_out_of_any_table(setting: Setting) -> None:
    assert leaks(setting) == []


def two_at_least(
    characteristic: str, categories: Collection[str], hidden: set[Group], enough: Enough
) -> set[Group]:
    """Sabotaged: two are suppressed at least, however few they are together."""
    return complete(characteristic, categories, hidden, lambda _: True)


def never_any_more(
    characteristic: str, categories: Collection[str], hidden: set[Group], enough: Enough
) -> set[Group]:
    """Sabotaged: what fails a rule is suppressed, and nothing else is."""
    return {group for group in hidden if group.characteristic == characteristic}


def only_as_many_as_needed(
    characteristic: str, categories: Collection[str], hidden: set[Group], enough: Enough
) -> set[Group]:
    """Sabotaged: no further row is suppressed where those that fail a rule are enough together."""
    chosen = never_any_more(characteristic, categories, hidden, enough)
    if len(chosen) >= 2 and enough(chosen):
        return chosen
    return complete(characteristic, categories, hidden, enough)


@pytest.mark.parametrize("twin", [two_at_least, never_any_more, only_as_many_as_needed])
@pytest.mark.parametrize("name", ["three categories", "two schools", "dominance"])
def test_a_weaker_completion_is_found_out(
    name: str, twin: Callable[..., set[Group]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twins: the same attacker, and secondary suppression with a part taken out."""
    monkeypatch.setattr(protecting, "complete", twin)
    assert leaks(SETTINGS[name])


_ROUNDED = msgspec.structs.replace(WEAK, rounding_base=3)

PAIRS = {
    "two categories": (Setting(1, 2, False, 14, _ROUNDED), 8),
    "three categories": (Setting(1, 3, False, 7, _ROUNDED), 4),
}
"""What the first table is like, and the most pupils who have come since."""


def leaks_of_two(setting: Setting, more: int, *, differencing: bool = True) -> list[str]:
    """What the attacker learns from two releases, between which pupils came and none left.

    Args:
        setting: What the first table is like.
        more: The most pupils who came.
        differencing: Whether the second release is held against the first.
    """
    worlds: dict[tuple[Row, ...], list[tuple[dict[Group, int], dict[Group, int]]]] = defaultdict(list)
    groups = list(table_of(setting, (0,) * setting.categories))
    sizes = {world: pupils(setting, world) for world in divisions(setting.most + more, setting.categories)}
    for world in divisions(setting.most, setting.categories):
        first = told_of(setting, world)
        for added in divisions(more, setting.categories):
            later = tuple(one + other for one, other in zip(world, added, strict=True))
            second = told_of(setting, later, first if differencing else None)
            key = (*(first[group] for group in groups), *(second[group] for group in groups))
            worlds[key].append((sizes[world], sizes[later]))
    found = []
    for rows, possible in worlds.items():
        before, after = rows[: len(groups)], rows[len(groups) :]
        if before[0].pupils == SUPPRESSED or any(sum(one.values()) == 0 for one, _ in possible):
            continue
        kinds = [[group] for group in groups]
        kinds.append([group for group, row in zip(groups, after, strict=True) if row.pupils == SUPPRESSED])
        for kind in kinds:
            changes = {sum(new[group] - old[group] for group in kind) for old, new in possible}
            if 0 not in changes and max(changes) < setting.rules.minimum_pupils:
                found.append(f"{kind} changed by {sorted(changes)}: {rows}")
        for group, row in zip(groups, before, strict=True):
            values = {old[group] for old, _ in possible}
            if row.pupils == SUPPRESSED and len(values) < setting.rules.minimum_pupils:
                found.append(f"{group} was one of {sorted(values)}: {rows}")
    return found


def pupils(setting: Setting, world: World) -> dict[Group, int]:
    return {group: sum(each.pupils for each in of.values()) for group, of in table_of(setting, world).items()}


@pytest.mark.parametrize(("setting", "more"), PAIRS.values(), ids=PAIRS)
def test_nothing_can_be_worked_out_of_two_releases(setting: Setting, more: int) -> None:
    assert leaks_of_two(setting, more) == []


@pytest.mark.parametrize(("setting", "more"), PAIRS.values(), ids=PAIRS)
def test_without_differencing_it_can(setting: Setting, more: int) -> None:
    """The sabotaged twin."""
    assert leaks_of_two(setting, more, differencing=False)


def test_a_row_that_is_suppressed_because_it_has_changed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another: only the rows that have changed are suppressed, instead of the table."""
    monkeypatch.setattr(protecting, "WHOLE", "")
    whole = protecting._Protection._set_apart

    def but_for_the_table(self: object, unit: object, group: Group, release: int, text: str) -> None:
        if text:
            whole(self, unit, group, release, text)  # type: ignore[arg-type]

    monkeypatch.setattr(protecting._Protection, "_set_apart", but_for_the_table)
    assert leaks_of_two(*PAIRS["two categories"])


def crossed(world: World, rows: int, columns: int) -> dict[Group, int]:
    """A cross-table and its margins, of one school."""
    sizes = {Group("fsm_fifth", str(row)): 0 for row in range(rows)}
    sizes |= {Group("size_band", str(column)): 0 for column in range(columns)}
    for place, count in enumerate(world):
        row, column = divmod(place, columns)
        sizes[Group("similar_schools", f"{row}/{column}")] = count
        sizes[Group("fsm_fifth", str(row))] += count
        sizes[Group("size_band", str(column))] += count
    return {ALL: sum(world), **sizes}


def leaks_of_crossed(most: int) -> list[str]:
    """What the attacker learns of a cross-table of two by three cells."""
    worlds: dict[tuple[Row, ...], list[dict[Group, int]]] = defaultdict(list)
    for world in divisions(most, 6):
        sizes = crossed(world, 2, 3)
        table = {
            group: {UUID(int=1): Contribution(size, 0, 0)} if size else {} for group, size in sizes.items()
        }
        worlds[tuple(protect(table, WEAK, not_applicable=PUPILS_ALONE).rows.values())].append(sizes)
    # A suppressed row of a characteristic of schools is not empty by itself, since that would be told.
    least = WEAK.minimum_pupils - 1
    return [
        f"{group} is one of {sorted({sizes[group] for sizes in possible})}: {rows}"
        for rows, possible in worlds.items()
        if rows[0].pupils != SUPPRESSED
        for group, row in zip(possible[0], rows, strict=True)
        if row.pupils == SUPPRESSED and len({sizes[group] for sizes in possible}) < least
    ]


def test_nothing_suppressed_can_be_worked_out_of_a_cross_table() -> None:
    assert leaks_of_crossed(8) == []


def test_a_cross_table_without_rectangles_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin: what fails a rule is suppressed, and nothing else is."""
    monkeypatch.setattr(protecting, "complete_rectangle", lambda name, sides, hidden, enough: hidden)
    assert leaks_of_crossed(8)
