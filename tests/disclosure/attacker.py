"""An attacker of our own, who has only what is released: figures, symbols, and the rules.

What is known is written down as a linear system: counts are not negative, standings add up to pupils,
categories to all pupils, cells of the cross-table to its margins; a rounded figure says between which bounds
the true one lies; each pupil's points lie in the band of their standing. Of every count the system is then
solved for the least and the most that it can be. A library does the solving (HiGHS, by way of SciPy).

The attacker holds a release against what was *promised*, whatever rules it says it was made under.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from math import ceil, floor, inf
from typing import NamedTuple

from projections.disclosure import ALL, MEASURES, Contribution, Group, Measure, Row, Rules, Table
from tests.disclosure.regions import BANDS
from tests.disclosure.solving import Judgement, System, Term

PROMISED = Rules()
STANDINGS: tuple[Measure, ...] = ("below", "at", "above")
QUANTITIES = ("below", "at", "above", "points below", "points at", "points above")


class Scale(NamedTuple):
    """What is known of a scheme by everybody.

    Attributes:
        bands: The least and the most points of one pupil of each standing who has any.
        pointless: The standings that a pupil can have without points.
    """

    bands: Mapping[str, tuple[int, int]]
    pointless: frozenset[str] = frozenset()


EVERYBODY = Scale(dict(zip(STANDINGS, BANDS, strict=True)))
"""That of the generated tables: every pupil has points."""


class Release(NamedTuple):
    """What is published of one table."""

    rows: Mapping[Group, Row]
    rules: Rules
    scale: Scale = EVERYBODY


class Leak(NamedTuple):
    """What the attacker learnt that was to stay hidden."""

    kind: str
    what: str
    least: float
    most: float


class Knowledge:
    """What one release says, as variables of a system that may hold more than one."""

    def __init__(self, system: System, release: Release) -> None:
        self.system, self.release = system, release
        self.variables: dict[Group, dict[str, int]] = {}
        self.quantities = (*QUANTITIES, *(f"scored {name}" for name in sorted(release.scale.pointless)))
        for group in release.rows:
            self.variables[group] = {
                name: system.variable(whole=not name.startswith("points")) for name in self.quantities
            }
        for group, row in release.rows.items():
            self._row(group, row)
        self._sums()

    def count(self, group: Group, measure: Measure) -> list[Term]:
        names = STANDINGS if measure == "pupils" else (measure,)
        return [(self.variables[group][name], 1.0) for name in names]

    def scored(self, group: Group, *names: str) -> list[Term]:
        """Those of the standings who have points; of any standing, if none is named."""
        mine = self.variables[group]
        return [(mine.get(f"scored {name}", mine[name]), 1.0) for name in names or STANDINGS]

    def without_points(self, group: Group) -> list[Term]:
        return [
            *self.count(group, "pupils"),
            *((variable, -weight) for variable, weight in self.scored(group)),
        ]

    def points(self, group: Group) -> list[Term]:
        return [(self.variables[group][f"points {name}"], 1.0) for name in STANDINGS]

    def _row(self, group: Group, row: Row) -> None:
        mine = self.variables[group]
        for name, (low, high) in self.release.scale.bands.items():
            [(scored, _)] = self.scored(group, name)
            self.system.add([(mine[f"points {name}"], 1), (scored, -low)], 0, inf)
            self.system.add([(mine[f"points {name}"], 1), (scored, -high)], -inf, 0)
            if scored != mine[name]:
                self.system.add([(mine[name], 1), (scored, -1)], 0, inf)
        for measure, (least, most) in self._told(row).items():
            self.system.add(self.count(group, measure), least, most)
        if row.mean_points.value is not None:
            half = Decimal(1) / (2 * 10**self.release.rules.mean_decimals)
            for side, bounds in ((-half, (0.0, inf)), (half, (-inf, 0.0))):
                mean = float(row.mean_points.value + side)
                pupils = [(variable, -mean) for variable, _ in self.scored(group)]
                self.system.add([*self.points(group), *pupils], *bounds)

    def _told(self, row: Row) -> dict[Measure, tuple[float, float]]:
        """Worked out by trying every count that there could be: slowly, and without the code under test."""
        if row.pupils.symbol == "z":
            return dict.fromkeys(("pupils", *STANDINGS), (0, 0))
        if row.pupils.value is None:
            return {}
        rules, pupils = self.release.rules, int(row.pupils.value)
        reach = rules.rounding_base
        possible = [
            count
            for count in range(max(0, pupils - reach), pupils + reach + 1)
            if rules.rounded(count) == pupils
        ]
        found: dict[Measure, tuple[float, float]] = {"pupils": (min(possible), max(possible))}
        for name in STANDINGS:
            figure = row.figure(name)
            if figure.symbol == "z" and name != "at":
                found[name] = (0, 0)  # A standing that nobody can have; where there is none, all are `at`.
            if figure.value is None and figure.symbol != "low":
                continue
            share = figure.value or Decimal(0)
            half = Decimal(1) / (2 * 10**rules.share_decimals)
            fitting = [
                count
                for whole in range(max(1, pupils - 4 * reach), pupils + 4 * reach + 1)
                if whole % reach == 0 and abs(whole - pupils) <= 4 * (reach // 2)
                for count in {
                    reach * rounded
                    for rounded in range(
                        floor((share - half) * whole / reach), ceil((share + half) * whole / reach) + 1
                    )
                    if abs(Decimal(reach * rounded) / whole - share) <= half
                }
            ]
            around = (min(fitting) - reach, max(fitting) + reach)
            ends = [count for count in (*range(around[0], around[0] + reach + 1),) if count >= 0]
            least = min((count for count in ends if rules.rounded(count) == min(fitting)), default=0)
            most = max(
                count for count in range(max(fitting), around[1] + 1) if rules.rounded(count) == max(fitting)
            )
            found[name] = (least, most)
        return found

    def _sums(self) -> None:
        groups = self.variables
        for characteristic in {group.characteristic for group in groups} - {ALL.characteristic}:
            parts = [group for group in groups if group.characteristic == characteristic]
            self._adds_up(parts, ALL)
        for place, side in enumerate(("fsm_fifth", "size_band")):
            for margin in [group for group in groups if group.characteristic == side]:
                cells = [
                    group
                    for group in groups
                    if group.characteristic == "similar_schools"
                    and group.category.split("/")[place] == margin.category
                ]
                if cells:
                    self._adds_up(cells, margin)

    def _adds_up(self, parts: Iterable[Group], whole: Group) -> None:
        for name in self.quantities:
            terms = [(self.variables[part][name], 1.0) for part in parts]
            self.system.add([*terms, (self.variables[whole][name], -1.0)], 0, 0)


def counts_of(row: Row) -> list[Measure]:
    """The counts that a row is about."""
    return ["pupils", *(name for name in STANDINGS if row.figure(name).symbol not in ("z", "x"))]


def suppressed_together(rows: Mapping[Group, Row], measure: Measure) -> dict[str, list[Group]]:
    """The rows of each characteristic in which a measure is suppressed."""
    found: dict[str, list[Group]] = {}
    for group, row in rows.items():
        if group != ALL and row.figure(measure).symbol == "c":
            found.setdefault(group.characteristic, []).append(group)
    return found


def attack(release: Release, promised: Rules = PROMISED, *, whole: bool = False) -> list[Leak]:
    """What one release gives away.

    Args:
        release: What is published.
        promised: The protection that was promised.
        whole: Whether to solve in whole numbers, which takes longer.
    """
    system = System()
    knowledge = Knowledge(system, release)
    solver = system.prepare(whole=whole)
    if release.rows[ALL].pupils.symbol == "c" and all(
        row.pupils.value is None for row in release.rows.values()
    ):
        return []  # Nothing is told at all.
    leaks: list[Leak] = []

    def ask(kind: str, what: str, terms: Iterable[Term], judgement: Judgement) -> None:
        if found := solver.interval(terms, judgement):
            leaks.append(Leak(kind, what, *found))

    judge = Judge(promised)
    for group, row in release.rows.items():
        name = "/".join(group)
        if row.pupils.symbol == "z":
            continue
        for measure in counts_of(row):
            hidden = row.figure(measure).symbol == "c"
            terms = knowledge.count(group, measure)
            if hidden:
                ask("suppressed", f"{name}: {measure}", terms, judge.narrow)
            else:
                ask("small", f"{name}: {measure}", terms, judge.small)
        if row.mean_points.symbol == "c":
            ask("points", name, knowledge.points(group), judge.narrow)
        if release.scale.pointless:
            if row.mean_points.symbol == "c":
                ask("scored", name, knowledge.scored(group), judge.narrow)
            elif row.mean_points.value is not None:
                ask("scored", name, knowledge.scored(group), judge.small)
                ask("without points", name, knowledge.without_points(group), judge.some_but_few)
    for measure in ("pupils", *STANDINGS):
        for characteristic, groups in suppressed_together(release.rows, measure).items():
            terms = [term for group in groups for term in knowledge.count(group, measure)]
            ask("together", f"{characteristic}: {measure}", terms, judge.small)
    return leaks


class Judge(NamedTuple):
    """What counts as a leak, given what was promised."""

    promised: Rules

    def narrow(self, least: float, most: float) -> bool:
        """Fewer values are possible than the least number of pupils."""
        return most - least + 1 < self.promised.minimum_pupils

    def small(self, least: float, most: float) -> bool:
        """It is certainly about fewer pupils than the least number."""
        return most < self.promised.minimum_pupils

    def some_but_few(self, least: float, most: float) -> bool:
        """There is certainly somebody, and there are certainly fewer than the least number of pupils."""
        return least > 0 and self.small(least, most)

    def changed_a_little(self, least: float, most: float) -> bool:
        """Something has certainly changed, and certainly for fewer pupils than the least number."""
        return not least <= 0 <= most and max(abs(least), abs(most)) < self.promised.minimum_pupils


def attack_pair(
    earlier: Release, later: Release, promised: Rules = PROMISED, *, growing: bool = True, whole: bool = False
) -> list[Leak]:
    """What two releases of one table give away together.

    Args:
        earlier: The first.
        later: The second.
        promised: The protection that was promised.
        growing: Whether the attacker supposes that results were only added in between.
        whole: Whether to solve in whole numbers.
    """
    system = System()
    old, new = Knowledge(system, earlier), Knowledge(system, later)
    both = [group for group in later.rows if group in earlier.rows]
    if growing:
        for group in both:
            for name in new.quantities:
                system.add([(new.variables[group][name], 1), (old.variables[group][name], -1)], 0, inf)
    solver = system.prepare(whole=whole)
    if not solver.feasible():
        return []  # What was supposed is not so, and the attacker knows that now.

    def change(groups: Iterable[Group], measure: Measure) -> list[Term]:
        return [
            term
            for group in groups
            for term in (
                *new.count(group, measure),
                *((variable, -weight) for variable, weight in old.count(group, measure)),
            )
        ]

    leaks: list[Leak] = []

    def ask(kind: str, what: str, terms: Iterable[Term], judgement: Judgement) -> None:
        if found := solver.interval(terms, judgement):
            leaks.append(Leak(kind, what, *found))

    judge = Judge(promised)
    for group in both:
        name = "/".join(group)
        for measure in counts_of(later.rows[group]):
            ask("difference", f"{name}: {measure}", change([group], measure), judge.changed_a_little)
            was, is_now = (release.rows[group].figure(measure).symbol == "c" for release in (earlier, later))
            # What the earlier one told is told; what it kept quiet, neither must help with.
            for release, knowledge, hidden in ((earlier, old, was), (later, new, was and is_now)):
                if hidden and _tells(release):
                    ask("suppressed", f"{name}: {measure}", knowledge.count(group, measure), judge.narrow)
    for measure in ("pupils", *STANDINGS):
        for characteristic, groups in suppressed_together(later.rows, measure).items():
            terms = change([group for group in groups if group in earlier.rows], measure)
            ask("difference", f"{characteristic}: {measure}", terms, judge.changed_a_little)
    return leaks


def _tells(release: Release) -> bool:
    return any(row.pupils.value is not None for row in release.rows.values())


def insiders(table: Table, rows: Mapping[Group, Row], promised: Rules = PROMISED) -> list[Leak]:
    """What schools learn of one another, who each know what they contributed themselves.

    This one is told the truth, to say what they would find: of every figure that is shown, and of everything
    that can be worked out as what is left of all pupils.
    """
    found = []
    wholes: list[tuple[str, dict[Measure, list[Contribution]]]] = [
        (
            "/".join(group),
            {
                measure: list(table[group].values())
                for measure in MEASURES
                if row.figure(measure).value is not None
            },
        )
        for group, row in rows.items()
        if group in table
    ]
    for measure in MEASURES:
        for characteristic, groups in suppressed_together(rows, measure).items():
            if rows[ALL].figure(measure).value is not None:
                schools = {school for group in groups for school in table.get(group, {})}
                left = [
                    _sum(table[group][school] for group in groups if school in table.get(group, {}))
                    for school in schools
                ]
                wholes.append((f"the suppressed of {characteristic}", {measure: left}))
    for name, measures in wholes:
        for measure, contributions in measures.items():
            for amounts, counted in _amounts(measure, contributions):
                found += [
                    Leak(kind, f"{name}: {measure}", least, most)
                    for kind, least, most in _concentration(amounts, promised, counted=counted)
                ]
    return found


def _sum(contributions: Iterable[Contribution]) -> Contribution:
    every = list(contributions)
    return Contribution(
        *(sum(getattr(each, name) for each in every) for name in Contribution.__struct_fields__)
    )


def _amounts(measure: Measure, contributions: Sequence[Contribution]) -> list[tuple[list[float], bool]]:
    match measure:
        case "pupils":
            return [([each.below + each.at + each.above for each in contributions], True)]
        case "mean_points":
            return [([float(each.points) for each in contributions], False)]
        case "progress":
            return [
                ([each.progressed for each in contributions], True),
                ([abs(float(each.progress)) for each in contributions], False),
            ]
        case _:
            return [([getattr(each, measure) for each in contributions], True)]


def _concentration(
    amounts: Sequence[float], promised: Rules, *, counted: bool
) -> list[tuple[str, float, float]]:
    total, sizes = sum(amounts), sorted((amount for amount in amounts if amount), reverse=True)
    found = []
    if counted and total < promised.minimum_pupils:
        found.append(("pupils", total, total))
    if counted and len(sizes) < promised.minimum_schools:
        found.append(("schools", len(sizes), len(sizes)))
    if sizes:
        share = 100 * sum(sizes[: promised.dominance_n]) / total
        if share >= promised.dominance_k:
            found.append(("dominance", share, share))
        # The second largest takes its own away: what is left is the largest at most.
        excess = 100 * (total - sum(sizes[1:2]) - sizes[0]) / sizes[0]
        if excess < promised.p_percent:
            found.append(("p per cent", excess, excess))
    return found


def attack_decile(
    own: float, decile: float, decimals: int, rules: Rules, promised: Rules = PROMISED
) -> list[Leak]:
    """What a school beside a decile learns of another there, who knows its own value.

    Args:
        own: Its own value.
        decile: As it was released.
        decimals: To so many places.
        rules: What it was released under: of how many schools on either side it is the mean.
        promised: The protection that was promised.
    """
    system = System()
    values = [system.variable(whole=False) for _ in range(2 * rules.minimum_schools)]
    half = len(values) * 0.5 * 10**-decimals
    total = len(values) * decile
    system.add([(value, 1.0) for value in values], total - half, total + half)
    system.add([(values[0], 1.0)], own, own)
    # In schools of the least number of pupils, one pupil more or less.
    scale = 10.0**decimals
    judgement = Judge(promised)
    found = system.prepare(whole=False).interval(
        [(values[1], scale)],
        lambda least, most: (most - least) / scale < 1 / judgement.promised.minimum_pupils,
    )
    return [Leak("school", "beside a decile", *found)] if found else []
