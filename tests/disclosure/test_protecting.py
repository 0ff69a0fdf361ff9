"""What is told of a table, figure by figure, and why the rest is not."""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import msgspec
import pytest

from projections.disclosure import (
    ALL,
    MEASURES,
    NOT_APPLICABLE,
    NOT_AVAILABLE,
    SUPPRESSED,
    Contribution,
    Earlier,
    Figure,
    Group,
    Protected,
    Rules,
    Table,
    protect,
)
from tests.disclosure.regions import region, school_id, table_of

RULES = Rules()

Counts = tuple[int, int, int]
Groups = Mapping[tuple[str, str], Counts]
Schools = Mapping[UUID, Contribution]


def table(groups: Groups, schools: int = 12) -> dict[Group, dict[UUID, Contribution]]:
    """A table of groups whose pupils are spread evenly over the schools, with a point for each step up."""
    found: dict[Group, dict[UUID, Contribution]] = {}
    for (characteristic, category), counts in groups.items():
        shares = [
            [count // schools + (each < count % schools) for count in counts] for each in range(schools)
        ]
        found[Group(characteristic, category)] = {
            school_id(each): Contribution(
                three[0], three[1], three[2], three[1] + 2 * three[2], sum(three), sum(three)
            )
            for each, three in enumerate(shares)
            if any(three)
        }
    first = next(iter(groups))[0]
    whole: dict[UUID, list[Decimal | int]] = {}
    for group, contributions in found.items():
        if group.characteristic == first:
            for school, each in contributions.items():
                row = whole.setdefault(school, [0] * 6)
                for place, name in enumerate(Contribution.__struct_fields__):
                    row[place] += getattr(each, name)
    return {ALL: {school: Contribution(*row) for school, row in whole.items()}, **found}  # type: ignore[arg-type]


def told(protected: Protected, *group: str) -> list[str]:
    row = protected.rows[Group(*group)]
    figures = [row.figure(measure) for measure in MEASURES]
    return [str(figure.symbol if figure.value is None else figure.value) for figure in figures]


def rules_of(protected: Protected, *group: str) -> set[str]:
    return {reason.rule for reason in protected.reasons if reason.group == Group(*group)}


def test_figures_are_rounded_and_shares_are_of_rounded_counts() -> None:
    protected = protect(table({("sex", "F"): (101, 202, 58), ("sex", "M"): (120, 180, 63)}), RULES)
    assert told(protected, "sex", "F") == ["360", "0.278", "0.556", "0.167", "0.9", "1.0"]
    assert told(protected, "all", "all") == ["725", "0.306", "0.528", "0.167", "0.9", "1.0"]
    assert protected.reasons == []
    assert protected.suppressed == 0


@pytest.mark.parametrize(
    ("count", "base", "rounded"),
    [
        (0, 5, 0),
        (2, 5, 0),
        (3, 5, 5),
        (7, 5, 5),
        (8, 5, 10),
        (5, 10, 10),
        (4, 10, 0),
        (13, 1, 13),
        (14, 3, 15),
    ],
)
def test_rounding_is_half_up(count: int, base: int, rounded: int) -> None:
    assert msgspec.structs.replace(RULES, rounding_base=base).rounded(count) == rounded


EXAMPLE = {
    ("free_school_meals", "no"): (61, 142, 57),
    ("free_school_meals", "yes"): (38, 44, 13),
    ("free_school_meals", "unknown"): (2, 4, 1),
    ("sex", "F"): (48, 97, 37),
    ("sex", "M"): (53, 93, 34),
}


def test_the_worked_example_of_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "disclosure.md").read_text(encoding="utf-8")
    built = table(EXAMPLE)
    first = protect(built, RULES)
    for group, schools in built.items():
        three = [sum(getattr(each, name) for each in schools.values()) for name in ("below", "at", "above")]
        for cells in ([sum(three), *three], told(first, *group)[:4]):
            row = " | ".join(str(cell).replace("c", "`c`") for cell in cells)
            assert f"| `{group.characteristic}` | `{group.category}` | {row} |" in page
    earlier = [Earlier(1, first.rows, RULES)]
    two_more = {**EXAMPLE, ("free_school_meals", "yes"): (38, 46, 13), ("sex", "F"): (48, 99, 37)}
    assert protect(table(two_more), RULES, earlier).suppressed == 6 * len(built)
    many_more = {
        group: counts if "unknown" in group else tuple(count + 100 for count in counts)
        for group, counts in EXAMPLE.items()
    }
    again = protect(table(many_more), RULES, earlier)  # type: ignore[arg-type]
    assert again.suppressed == first.suppressed


def test_a_small_group_is_suppressed_and_the_first_other_with_it() -> None:
    groups = {("sex", "F"): (80, 80, 80), ("sex", "M"): (90, 90, 90), ("sex", "unknown"): (2, 3, 1)}
    protected = protect(table(groups), RULES)
    assert told(protected, "sex", "unknown") == ["c"] * 6
    assert told(protected, "sex", "F") == ["c"] * 6
    assert told(protected, "sex", "M")[0] == "270"
    assert rules_of(protected, "sex", "unknown") >= {"minimum_pupils"}
    assert rules_of(protected, "sex", "F") == {"secondary"}


def test_where_nobody_is_unknown_no_other_row_has_to_be_suppressed() -> None:
    groups = {("sex", "F"): (80, 80, 80), ("sex", "M"): (90, 90, 90), ("sex", "unknown"): (0, 0, 0)}
    protected = protect(table(groups), RULES)
    assert told(protected, "sex", "unknown") == ["z"] * 6
    assert protected.suppressed == 0


def test_but_not_where_another_row_is_suppressed() -> None:
    """Otherwise a suppressed `unknown` would be known not to be empty."""
    groups = {("sex", "F"): (1, 1, 1), ("sex", "M"): (90, 90, 90), ("sex", "unknown"): (0, 0, 0)}
    assert told(protect(table(groups), RULES), "sex", "unknown") == ["c"] * 6
    groups = {
        ("region", "East"): (1, 1, 1),
        ("region", "North"): (90, 90, 90),
        ("region", "South"): (0, 0, 0),
    }
    assert told(protect(table(groups), RULES), "region", "South") == ["c"] * 6


def test_a_category_that_everybody_is_in_is_told_as_all_pupils_are() -> None:
    protected = protect(table({("region", "East"): (90, 90, 90), ("region", "North"): (0, 0, 0)}), RULES)
    assert told(protected, "region", "North") == ["z"] * 6
    assert told(protected, "region", "East") == told(protected, "all", "all")


def test_but_that_nobody_is_in_care_says_it_of_everybody() -> None:
    protected = protect(table({("in_care", "no"): (80, 80, 80), ("in_care", "yes"): (0, 0, 0)}), RULES)
    assert told(protected, "in_care", "yes") == told(protected, "in_care", "no") == ["c"] * 6
    assert rules_of(protected, "in_care", "yes") == {"zeros"}


def test_a_standing_that_hardly_anybody_has_suppresses_all_three_and_the_mean() -> None:
    groups = {("eal", "no"): (80, 80, 80), ("eal", "yes"): (50, 60, 0), ("eal", "unknown"): (20, 20, 20)}
    protected = protect(table(groups), RULES)
    assert told(protected, "eal", "yes") == ["110", "c", "c", "c", "c", "c"]
    assert told(protected, "eal", "unknown") == ["60", "c", "c", "c", "c", "c"]
    assert told(protected, "eal", "no")[0:2] == ["240", "0.333"]
    assert rules_of(protected, "eal", "yes") == {"zeros", "secondary"}


def test_where_all_pupils_are_too_few_nothing_is_told() -> None:
    protected = protect(table({("sex", "F"): (3, 1, 1), ("sex", "M"): (1, 2, 1)}), RULES)
    assert {figure for row in protected.rows.values() for figure in told_of(row)} == {SUPPRESSED}


def told_of(row: object) -> list[Figure]:
    return [getattr(row, measure) for measure in MEASURES]


@pytest.mark.parametrize(
    ("sizes", "rule"),
    [
        ((40, 40), "minimum_schools"),
        ((45, 46, 3, 3, 3), "dominance"),
        ((75, 14, 6, 5), "p_percent"),
        ((30, 30, 20, 20), None),
    ],
)
def test_too_much_with_too_few_schools(sizes: tuple[int, ...], rule: str | None) -> None:
    schools = {school_id(each): Contribution(size, size, size, size) for each, size in enumerate(sizes)}
    protected = protect({ALL: schools}, RULES, not_available=["progress"])
    assert rules_of(protected, "all", "all") == ({rule} if rule else set())


def test_measures_that_do_not_exist_or_are_not_there_say_so() -> None:
    protected = protect(
        table({("sex", "F"): (1, 1, 1), ("sex", "M"): (80, 80, 80)}),
        RULES,
        not_applicable=["progress"],
        not_available=["mean_points"],
    )
    assert told(protected, "sex", "F") == ["c", "c", "c", "c", "x", "z"]
    assert told(protected, "all", "all") == ["245", "0.333", "0.333", "0.333", "x", "z"]
    assert NOT_AVAILABLE != NOT_APPLICABLE
    assert all("progress" not in reason.measures for reason in protected.reasons)


def test_a_share_that_rounds_to_nothing_is_low() -> None:
    protected = protect(table({("sex", "F"): (60_000, 12, 60_000), ("sex", "M"): (90, 90, 90)}), RULES)
    assert told(protected, "sex", "F")[1:4] == ["0.500", "low", "0.500"]


def test_progress_is_suppressed_where_the_mean_before_was() -> None:
    pupils = table({("sex", "F"): (80, 80, 80), ("sex", "M"): (90, 90, 90)})
    rows = dict(protect(pupils, RULES).rows)
    group = Group("sex", "F")
    before = rows | {group: msgspec.structs.replace(rows[group], mean_points=SUPPRESSED)}
    protected = protect(pupils, RULES, before=before)
    assert told(protected, "sex", "F")[4:] == ["1.0", "c"]
    assert told(protected, "sex", "M")[4:] == ["1.0", "c"]
    assert told(protected, "all", "all")[4:] == ["1.0", "1.0"]
    assert rules_of(protected, "sex", "F") == {"differencing"}


class TestDifferencing:
    groups: ClassVar[Groups] = {("sex", "F"): (80, 80, 80), ("sex", "M"): (90, 90, 90)}

    def after(self, groups: Groups, **changes: object) -> Protected:
        first = protect(table(self.groups), RULES)
        rules = msgspec.structs.replace(RULES, **changes)
        return protect(table(groups), rules, [Earlier(7, first.rows, RULES)])

    def test_the_same_again_is_told_again(self) -> None:
        again = self.after(self.groups)
        assert again == protect(table(self.groups), RULES)

    def test_a_few_more_are_not_told_and_the_report_says_why(self) -> None:
        later = self.after({("sex", "F"): (80, 84, 80), ("sex", "M"): (90, 90, 90)})
        assert later.suppressed == 18
        reason = next(reason for reason in later.reasons if reason.rule == "differencing")
        assert reason.release == 7
        assert "release 7" in reason.text

    def test_many_more_of_every_standing_are(self) -> None:
        later = self.after({("sex", "F"): (180, 180, 180), ("sex", "M"): (190, 190, 190)})
        assert later.suppressed == 0

    def test_many_more_of_two_standings_and_none_of_the_third_are_not(self) -> None:
        later = self.after({("sex", "F"): (180, 180, 80), ("sex", "M"): (190, 190, 190)})
        assert "c" in told(later, "sex", "F")

    def test_nor_many_more_that_may_all_be_of_one_school(self) -> None:
        few = table({("sex", "F"): (180, 180, 180), ("sex", "M"): (190, 190, 190)}, schools=3)
        first = protect(table(self.groups, schools=3), RULES)
        assert first.suppressed == 0
        assert protect(few, RULES, [Earlier(1, first.rows, RULES)]).suppressed == 18

    def test_what_was_suppressed_stays_so(self) -> None:
        small = {("sex", "F"): (80, 80, 80), ("sex", "M"): (90, 90, 90), ("sex", "unknown"): (3, 3, 3)}
        large = {**small, ("sex", "unknown"): (30, 30, 30)}
        first = protect(table(small), RULES)
        assert protect(table(large), RULES).suppressed == 0
        later = protect(table(large), RULES, [Earlier(3, first.rows, RULES)])
        assert told(later, "sex", "unknown") == ["c"] * 6
        assert rules_of(later, "sex", "unknown") == {"differencing"}

    def test_but_a_release_that_told_nothing_binds_nobody(self) -> None:
        first = protect(table({("sex", "F"): (1, 1, 1), ("sex", "M"): (1, 1, 1)}), RULES)
        assert protect(table(self.groups), RULES, [Earlier(1, first.rows, RULES)]).suppressed == 0

    def test_a_category_that_has_emptied_is_not_said_to_be_empty(self) -> None:
        groups = {**self.groups, ("sex", "unknown"): (20, 20, 20)}
        first = protect(table(groups), RULES)
        assert told(first, "sex", "unknown")[0] == "60"
        later = protect(table(self.groups), RULES, [Earlier(1, first.rows, RULES)])
        assert told(later, "sex", "unknown") == ["c"] * 6

    def test_switched_off_it_is_all_told(self) -> None:
        groups = {("sex", "F"): (80, 84, 80), ("sex", "M"): (90, 90, 90)}
        assert self.after(groups, differencing=False).suppressed == 0


def test_a_cell_of_the_cross_table_takes_a_rectangle_with_it() -> None:
    cells = {
        ("similar_schools", f"{row}/{column}"): (30, 30, 30)
        for row in "123"
        for column in ("big", "mid", "small")
    }
    cells["similar_schools", "2/mid"] = (1, 2, 0)
    sides = {
        (side, each): tuple(
            sum(counts[place] for (_, cell), counts in cells.items() if cell.split("/")[number] == each)
            for place in range(3)
        )
        for number, (side, names) in enumerate((("fsm_fifth", "123"), ("size_band", ("big", "mid", "small"))))
        for each in names
    }
    built = table(cells | sides)  # type: ignore[arg-type]
    # Sizes of schools differ by row here, so that the margins are made of the cells themselves.
    for side, each in sides:
        place = ("fsm_fifth", "size_band").index(side)
        whole: dict[UUID, Contribution] = {}
        for group, contributions in built.items():
            if group.characteristic == "similar_schools" and group.category.split("/")[place] == each:
                for school, part in contributions.items():
                    old = whole.get(school, Contribution(0, 0, 0))
                    whole[school] = Contribution(
                        *(getattr(old, name) + getattr(part, name) for name in Contribution.__struct_fields__)
                    )
        built[Group(side, each)] = whole
    protected = protect(built, RULES)
    hidden = {group.category for group, row in protected.rows.items() if row.pupils == SUPPRESSED}
    assert hidden == {"1/big", "1/mid", "2/big", "2/mid"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({ALL: None}, "no group all/all"),
        ({Group("sex", "X"): {school_id(1): Contribution(1, 0, 0)}}, "sex do not add up to all/all"),
        ({Group("similar_schools", "1"): {}}, "similar_schools/1 is not a category of each"),
    ],
)
def test_a_table_that_is_not_sound_is_refused(change: dict[Group, Schools], said: str) -> None:
    broken: dict[Group, Schools] = {**table({("sex", "F"): (20, 20, 20), ("sex", "M"): (30, 30, 30)})}
    broken.update(change)
    sound: Table = {group: schools for group, schools in broken.items() if schools is not None}
    with pytest.raises(ValueError, match=said):
        protect(sound, RULES)


def test_reasons_hold_no_count_and_no_school() -> None:
    protected = protect(table_of(region(3, 8, (2, 20))), RULES)
    assert protected.reasons
    allowed = {"10", "3", "2", "15"}
    for reason in protected.reasons:
        assert {word for word in reason.text.split() if word.isdigit()} <= allowed
        assert str(school_id(1))[:8] not in reason.text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"minimum_pupils": 4}, "minimum_pupils"),
        ({"minimum_schools": 2}, "minimum_schools"),
        ({"dominance_k": 100}, "dominance"),
        ({"p_percent": 0}, "p_percent"),
        ({"zeros": False}, "zeros"),
        ({"secondary": False}, "secondary"),
        ({"differencing": False}, "differencing"),
        ({"rounding_base": 1}, "rounding_base"),
        ({"rounding_base": 20}, "rounding_base"),
        ({"mean_decimals": 2}, "mean_decimals"),
    ],
)
def test_rules_that_protect_too_little_say_so(changes: dict[str, object], said: str) -> None:
    assert RULES.weaknesses() == []
    assert said in " ".join(msgspec.structs.replace(RULES, **changes).weaknesses())


def test_a_table_of_two_thousand_schools_takes_a_moment() -> None:
    """A release has some 200 of them, and less than a minute."""
    national = table_of(region(3, 2_000, (20, 40)))
    protected = protect(national, RULES)
    started = time.process_time()
    again = protect(national, RULES, [Earlier(1, protected.rows, RULES)])
    assert time.process_time() - started < 0.25
    assert again.rows == protected.rows
    assert protected.suppressed < 0.1 * len(protected.rows) * len(MEASURES)
