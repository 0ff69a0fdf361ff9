"""What may be told of a table, so that nothing is said of a school or a pupil."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from projections.disclosure.completing import Enough, complete, complete_rectangle, fixed_order
from projections.disclosure.differencing import NOBODY, QUIET, WHOLE, compare, row_of, telling
from projections.disclosure.examining import STANDINGS, Examined, Number, Unit, examine, together
from projections.disclosure.rules import Rules
from projections.disclosure.table import (
    ALL,
    LOW,
    MEASURES,
    NOT_APPLICABLE,
    NOT_AVAILABLE,
    SCHOOL_LEVEL,
    SUPPRESSED,
    UNKNOWN,
    Contribution,
    Earlier,
    Figure,
    Group,
    Measure,
    Protected,
    Reason,
    Row,
    Table,
)

CROSSED = "similar_schools"
SIDES = ("fsm_fifth", "size_band")

WHY = {
    "minimum_pupils": "Of fewer than {rules.minimum_pupils} pupils",
    "minimum_schools": "Of fewer than {rules.minimum_schools} schools",
    "dominance": "Nearly all of it lies with the {rules.dominance_n} largest schools",
    "p_percent": "One school could estimate another's to within {rules.p_percent} per cent",
    "zeros": "A zero would say of every pupil what they are not",
    "secondary": "Otherwise a suppressed row could be worked out from the others",
}

BEFORE = "With it a suppressed mean, here or at the point before, could be worked out"


def protect(
    table: Table,
    rules: Rules,
    earlier: Sequence[Earlier] = (),
    *,
    not_applicable: Collection[Measure] = (),
    not_available: Collection[Measure] = (),
    before: Mapping[Group, Row] | None = None,
) -> Protected:
    """Suppresses what must not be told of a table, and rounds the rest.

    A row tells its size or not; if it does, its shares and mean points or not; and if it does, its progress
    or not. For each of the three, rows that fail a rule are suppressed, and with them further rows of the
    same characteristic, until what is suppressed together is enough to be told.

    Args:
        table: What each school contributes to each group.
        rules: How much must lie behind a figure.
        earlier: What earlier releases told of the same table, withdrawn ones too.
        not_applicable: Measures that do not exist for this table (`z`): progress at a first point.
        not_available: Measures of which nothing is there (`x`).
        before: What the newest release told of the point before, from which progress counts, if any did.
            Progress is suppressed where it suppressed the mean.

    Raises:
        ValueError: The table is not sound: it has no group `all`, or the categories of a characteristic do
            not add up to it.
    """
    absent: dict[Measure, Figure] = {
        **dict.fromkeys(not_available, NOT_AVAILABLE),
        **dict.fromkeys(not_applicable, NOT_APPLICABLE),
    }
    return _Protection(table, rules, absent).run(earlier, before or {})


class _Protection:
    """One table on its way."""

    def __init__(self, table: Table, rules: Rules, absent: Mapping[Measure, Figure]) -> None:
        if ALL not in table:
            raise ValueError("The table has no group all/all")
        self.rules = rules
        self.absent = absent
        told = [measure for measure in MEASURES if measure not in absent]
        self.measures: dict[Unit, list[Measure]] = {
            unit: [name for name in unit.measures if name in told] for unit in Unit
        }
        self.table: dict[Group, Mapping[UUID, Contribution]] = dict(table)
        self.examined: dict[Group, Examined] = {}
        self.hidden: dict[Unit, dict[Group, str]] = {unit: {} for unit in Unit}
        self.differences: dict[tuple[Unit, Group], tuple[int, str]] = {}
        self.rows: dict[Group, Row] = {}
        self._failing: dict[frozenset[Group], Mapping[Unit, str]] = {}
        self.vacant: set[Group] = set()

    def run(self, earlier: Sequence[Earlier], before: Mapping[Group, Row]) -> Protected:
        telling_ones = [each for each in earlier if telling(each)] if self.rules.differencing else []
        for each in telling_ones:
            for group in each.rows:
                self.table.setdefault(group, {})
        self._cross()
        every = [name for names in self.measures.values() for name in names]
        for group, contributions in self.table.items():
            self.examined[group] = examine(contributions.values(), self.rules, every)
        self._check()
        self.vacant = self._vacant(telling_ones)
        for group in self.examined:
            if group not in self.vacant:
                self._admit(group)
        for each in telling_ones:
            self._difference(each)
        self._fill_vacant()
        if self.measures[Unit.PROGRESS]:
            for group in self.rows:
                if group in before and before[group].mean_points == SUPPRESSED:
                    self.hidden[Unit.PROGRESS].setdefault(group, "before")
        self._complete()
        return self._protected()

    def _cross(self) -> None:
        """Adds the cells of the cross-table that nobody is in."""
        if any(group.characteristic == CROSSED for group in self.table):
            for row in self._categories(SIDES[0]):
                for column in self._categories(SIDES[1]):
                    self.table.setdefault(Group(CROSSED, f"{row}/{column}"), {})

    def _categories(self, characteristic: str) -> list[str]:
        return fixed_order(group.category for group in self.table if group.characteristic == characteristic)

    def _check(self) -> None:
        sums: dict[tuple[str, str], list[Number]] = {}
        for group, examined in self.examined.items():
            keys = [(group.characteristic, "")]
            if group.characteristic == CROSSED:
                sides = group.category.split("/", 1)
                if len(sides) != 2 or any(
                    Group(*side) not in self.table for side in zip(SIDES, sides, strict=True)
                ):
                    raise ValueError(f"{CROSSED}/{group.category} is not a category of each of {SIDES}")
                keys += zip(SIDES, sides, strict=True)
            for key in keys:
                row = sums.setdefault(key, [0] * 6)
                for place, value in enumerate(_sums(examined)):
                    row[place] += value
        for (characteristic, category), row in sums.items():
            whole = Group(characteristic, category) if category else ALL
            if row != _sums(self.examined[whole]):
                parts = f"the cells of {characteristic}/{category}" if category else characteristic
                raise ValueError(f"The categories of {parts} do not add up to {'/'.join(whole)}")

    def _vacant(self, earlier: Sequence[Earlier]) -> set[Group]:
        """The categories that nobody is in and that may be told so.

        Somebody could be in no category of which an earlier release told that somebody was, or kept it quiet.
        """
        vacant = {
            group
            for group, examined in self.examined.items()
            if not examined.pupils
            and (group.category == UNKNOWN or group.characteristic in SCHOOL_LEVEL)
            and group.characteristic != CROSSED
            and all(row_of(each, group) in (None, NOBODY) for each in earlier)
        }
        return vacant | self._cells_beside(vacant)

    def _cells_beside(self, vacant: set[Group]) -> set[Group]:
        return {
            group
            for group in self.examined
            if group.characteristic == CROSSED
            and any(Group(*side) in vacant for side in zip(SIDES, group.category.split("/", 1), strict=True))
        }

    def _admit(self, group: Group) -> None:
        examined = self.examined[group]
        self.rows[group] = self._row(examined)
        for unit, rule in examined.failing.items():
            self.hidden[unit][group] = rule

    def _fill_vacant(self) -> None:
        """Suppresses empty rows, too, where others of their characteristic are suppressed.

        Otherwise a suppressed row would be known to have somebody in it: of three that have three pupils
        together each would have one.
        """
        closed = {group.characteristic for group in self.hidden[Unit.SIZE]}
        left = {
            group
            for group in self.vacant
            if group.characteristic not in closed | {CROSSED} and ALL not in self.hidden[Unit.SIZE]
        }
        left |= self._cells_beside(left)
        for group in self.vacant - left:
            self._admit(group)
        self.vacant = left

    def _difference(self, earlier: Earlier) -> None:
        """Holds the rows against an earlier release.

        Were a single row suppressed because it has changed, its being suppressed would say that it has. So a
        table that has not grown as a whole is told as it was told, or not at all.
        """
        grown, slightly = False, False
        for group, row in self.rows.items():
            old = row_of(earlier, group)
            if old is None:
                continue
            rules = (self.rules, earlier.rules)
            found = compare(row, self.examined[group], old, rules, self.measures)
            grown = grown or (group == ALL and found.grown)
            slightly = slightly or bool(found.changed)
            for unit, text in [
                *((unit, QUIET) for unit in Unit if unit in found.quiet),
                *found.changed.items(),
            ]:
                self._set_apart(unit, group, earlier.release, text)
        if slightly and not grown:
            self._set_apart(Unit.SIZE, ALL, earlier.release, WHOLE)

    def _set_apart(self, unit: Unit, group: Group, release: int, text: str) -> None:
        if group not in self.hidden[unit]:
            self.hidden[unit][group] = "differencing"
            self.differences[unit, group] = (release, text)

    def _complete(self) -> None:
        """Suppresses further rows, unit by unit; what a unit suppresses, those after it do as well."""
        above: dict[Group, str] = {}
        for unit in Unit:
            hidden = self.hidden[unit]
            for group in above:
                hidden.setdefault(group, "secondary")
            if ALL in hidden:
                for group in self.rows:
                    hidden.setdefault(group, "secondary")
            elif self.rules.secondary:
                self._complete_unit(unit)
            above = hidden
        if self.rules.secondary and ALL not in self.hidden[Unit.SIZE]:
            self._complete_crossed()

    def _complete_unit(self, unit: Unit) -> None:
        hidden = self.hidden[unit]
        for characteristic in dict.fromkeys(group.characteristic for group in self.rows):
            if characteristic in (ALL.characteristic, CROSSED):
                continue
            categories = [group.category for group in self.rows if group.characteristic == characteristic]
            if len(categories) < 2:
                # It is all pupils, and told wherever they are.
                hidden.pop(Group(characteristic, categories[0]), None)
                continue
            for group in complete(characteristic, categories, set(hidden), self._enough_of(unit)):
                hidden.setdefault(group, "secondary")

    def _complete_crossed(self) -> None:
        """The same for the cross-table, whose cells tell size and content together or not at all."""
        cells = [group for group in self.rows if group.characteristic == CROSSED]
        if not cells:
            return
        rows, columns = (
            [each for each in self._categories(side) if Group(side, each) not in self.vacant]
            for side in SIDES
        )
        if min(len(rows), len(columns)) < 2:
            self._copy_margin(cells, 1 if len(rows) < 2 else 0)
            return
        margins = [*(Group(SIDES[0], each) for each in rows), *(Group(SIDES[1], each) for each in columns)]
        for unit, units in ((Unit.CONTENT, tuple(Unit)), (Unit.PROGRESS, (Unit.PROGRESS,))):
            hidden = {group for group in cells if group in self.hidden[unit]}
            chosen = (
                set(cells)
                if any(group in self.hidden[unit] for group in margins)
                else complete_rectangle(CROSSED, (rows, columns), hidden, self._enough_of(unit))
            )
            for each in units:
                for group in chosen:
                    self.hidden[each].setdefault(group, "secondary")

    def _copy_margin(self, cells: Iterable[Group], side: int) -> None:
        """Where the other side has one category only, a cell is the row of its margin, told as that is."""
        for unit in Unit:
            for group in cells:
                margin = Group(SIDES[side], group.category.split("/", 1)[side])
                self.hidden[unit].pop(group, None)
                if margin in self.hidden[unit]:
                    self.hidden[unit][group] = "secondary"

    def _enough_of(self, unit: Unit) -> Enough:
        units = list(Unit)[: list(Unit).index(unit) + 1]

        def enough(groups: Iterable[Group]) -> bool:
            key = frozenset(groups)
            if key not in self._failing:
                every = [name for names in self.measures.values() for name in names]
                whole = together(self.table[group] for group in key)
                self._failing[key] = examine(whole, self.rules, every).failing
            return not any(each in self._failing[key] for each in units)

        return enough

    def _row(self, examined: Examined) -> Row:
        """What would be told of a group if all of it were."""
        rules = self.rules
        counts = [rules.rounded(count) for count in examined.standings]
        whole = sum(counts)
        row: dict[str, Figure] = {"pupils": Figure(Decimal(rules.rounded(examined.pupils)))}
        for name, count, rounded in zip(STANDINGS, examined.standings, counts, strict=True):
            row[name] = _share(count, rounded, whole, rules.share_decimals)
        row["mean_points"] = _mean(examined.points, examined.pupils, rules.mean_decimals)
        row["progress"] = _mean(examined.progress, examined.progressed, rules.mean_decimals)
        row.update(self.absent.items())
        return Row(**row)

    def _protected(self) -> Protected:
        rows: dict[Group, Row] = {}
        reasons: list[Reason] = []
        for group in self.table:
            if group in self.vacant:
                rows[group] = NOBODY
                continue
            figures = {name: self.rows[group].figure(name) for name in MEASURES}
            why: dict[tuple[str, str, int | None], list[Measure]] = {}
            for unit, names in self.measures.items():
                if group in self.hidden[unit] and names:
                    figures.update(dict.fromkeys(names, SUPPRESSED))
                    why.setdefault(self._why(unit, group), []).extend(names)
            rows[group] = Row(**figures)
            reasons += [
                Reason(group=group, measures=tuple(names), rule=rule, text=text, release=release)
                for (rule, text, release), names in why.items()
            ]
        return Protected(rows, reasons)

    def _why(self, unit: Unit, group: Group) -> tuple[str, str, int | None]:
        rule = self.hidden[unit][group]
        if rule == "before":
            return "differencing", BEFORE, None
        if rule == "differencing":
            release, text = self.differences[unit, group]
            return rule, f"Beside release {release}: {text}", release
        return rule, WHY[rule].format(rules=self.rules), None


def _sums(examined: Examined) -> list[Number]:
    return [*examined.standings, examined.points, examined.progressed, examined.progress]


def _share(count: int, rounded: int, whole: int, decimals: int) -> Figure:
    if whole == 0:
        return NOT_APPLICABLE
    share = _round(Decimal(rounded) / whole, decimals)
    return LOW if count and not share else Figure(share)


def _mean(total: Number, count: int, decimals: int) -> Figure:
    return Figure(_round(Decimal(total) / count, decimals)) if count else NOT_APPLICABLE


def _round(value: Decimal, decimals: int) -> Decimal:
    """Half up, as for the counts; of a negative number, half away from zero."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
