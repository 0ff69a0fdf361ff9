"""The tables of all schools, as disclosure control takes them, and what of them is told."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple
from uuid import UUID

import msgspec

from projections.benchmarks.characteristics import (
    GROUPS,
    SIZE_BANDS,
    bounds_of_fifths,
    of_school,
    share_of_meals,
)
from projections.benchmarks.counting import (
    Counts,
    Measured,
    SchoolCounts,
    possible_standings,
    scale_of,
)
from projections.benchmarks.earlier import EarlierFigures
from projections.benchmarks.means import Scored, protect_means_of_some
from projections.benchmarks.points import Point
from projections.benchmarks.rows import BandRow, DistributionRow, FigureRow
from projections.disclosure import (
    ALL,
    MEASURES,
    SUPPRESSED,
    Contribution,
    Group,
    Measure,
    Protected,
    Reason,
    Rules,
    SchoolValue,
    deciles,
    protect,
)

STANDINGS: tuple[Measure, ...] = ("below", "at", "above")


class Suppressed(msgspec.Struct, frozen=True, kw_only=True):
    """Figures that are not told, and why: for the operator's report, with no count in it.

    Attributes:
        point: The assessment point, as in `2025/26:autumn`.
        scheme: The scheme.
        subject: What was measured.
        nc_year: The NC year.
        characteristic: What pupils are told apart by.
        category: The part of it.
        measures: The figures.
        rule: The rule that suppresses them.
        because: The rule in words.
        release: The earlier release that gives the reason, where the rule is `differencing`.
    """

    point: str
    scheme: str
    subject: str
    nc_year: str
    characteristic: str
    category: str
    measures: tuple[str, ...]
    rule: str
    because: str
    release: int | None = None


class Told(NamedTuple):
    """What a table says once it is protected."""

    rows: list[FigureRow]
    distribution: list[DistributionRow]
    suppressed: list[Suppressed]


class Schools:
    """All schools, with what each contributes."""

    def __init__(self, counts: Mapping[UUID, SchoolCounts], rules: Rules) -> None:
        """Puts schools into their fifths and bands.

        Args:
            counts: What each contributes.
            rules: The rules of disclosure control.
        """
        self._counts = counts
        self._bounds: dict[Point, tuple[Decimal, ...]] = {}
        self._groups: dict[tuple[Point, UUID], tuple[Group, ...]] = {}
        points = {point for counted in counts.values() for point in counted.rolls}
        for point in sorted(points):
            shares = {
                school_id: share_of_meals(counted.rolls[point].eligible, counted.rolls[point].known)
                for school_id, counted in counts.items()
            }
            bounds = bounds_of_fifths(
                [share for share in shares.values() if share is not None], rules.minimum_schools
            )
            self._bounds[point] = bounds
            for school_id, counted in counts.items():
                roll = counted.rolls[point].pupils
                self._groups[point, school_id] = of_school(
                    counted.region, counted.school_type, shares[school_id], roll, bounds
                )

    @property
    def measured(self) -> list[Measured]:
        """Everything that any school has results of, in order."""
        found = {measured for counted in self._counts.values() for measured in counted.tables}
        return sorted(found, key=lambda each: (*each[:3], len(each.nc_year), each.nc_year))

    def bands(self, point: Point) -> list[BandRow]:
        """Which schools are in which fifth and band."""
        bounds = self._bounds[point]
        starts, ends = (Decimal("0.00"), *bounds), (*bounds, None)
        fifths = zip(starts, ends, strict=True) if bounds else ()
        return [
            *(
                BandRow(
                    point.year,
                    point.name,
                    "fsm_fifth",
                    str(number),
                    str(start),
                    _text(end),
                )
                for number, (start, end) in enumerate(fifths, start=1)
            ),
            *(
                BandRow(point.year, point.name, "size_band", name, str(start), str(end) if end else None)
                for name, start, end in SIZE_BANDS
            ),
        ]

    def counts_of(self, measured: Measured) -> dict[Group, dict[UUID, Counts]]:
        """A table: every group, those that nobody is in, too, and what each school adds to it."""
        table: dict[Group, dict[UUID, Counts]] = {group: {} for group in GROUPS}
        for school_id, counted in self._counts.items():
            of_groups = counted.tables.get(measured)
            if of_groups is None:
                continue
            for group, counts in of_groups.items():
                table[group][school_id] = counts
            for group in self._groups[measured.point, school_id]:
                table[group][school_id] = of_groups[ALL]
        return table


def tell(
    measured: Measured,
    table: Mapping[Group, Mapping[UUID, Counts]],
    rules: Rules,
    earlier: EarlierFigures,
) -> Told | None:
    """Protects a table.

    Args:
        measured: What it is about.
        table: What each school adds to each group.
        rules: The rules of disclosure control.
        earlier: What earlier releases told.

    Returns:
        Nothing, if nobody can be counted.
    """
    everybody = list(table[ALL].values())
    held = any(counts.below + counts.at + counts.above for counts in everybody)
    contributions = {
        group: {
            school_id: contribution
            for school_id, counts in of_schools.items()
            if (contribution := contribution_of(counts, held=held)).pupils
        }
        for group, of_schools in table.items()
    }
    if not contributions[ALL]:
        return None
    without_points = sum(counts.pointed if held else counts.unheld for counts in everybody) == 0
    not_applicable: set[Measure] = set(STANDINGS)
    if held:
        not_applicable -= possible_standings(measured)
    if without_points:
        not_applicable |= {"mean_points", "progress"}
    if measured.point.before is None or not any(each.progressed for each in contributions[ALL].values()):
        not_applicable.add("progress")
    some_have_none = any(counts.pointed != counts.below + counts.at + counts.above for counts in everybody)
    if held and not without_points and some_have_none:
        protected = protect_means_of_some(
            contributions,
            {
                group: {
                    school_id: Scored(counts.pointed, counts.points)
                    for school_id, counts in of_schools.items()
                }
                for group, of_schools in table.items()
            },
            rules,
            earlier.of(measured),
            not_applicable=not_applicable,
            before=earlier.before(measured),
        )
    else:
        protected = protect(
            contributions,
            rules,
            earlier.of(measured),
            not_applicable=not_applicable,
            before=earlier.before(measured),
        )
    earlier.add(measured, protected.rows)
    if protected.rows[ALL].pupils == SUPPRESSED:
        # Nothing is told of the parts either, so that it need not be said of each.
        protected = Protected(
            {ALL: protected.rows[ALL]}, [reason for reason in protected.reasons if reason.group == ALL]
        )
    values = {school_id: values_of(counts, held=held) for school_id, counts in table[ALL].items()}
    return Told(
        _rows(measured, protected),
        _distribution(measured, values, not_applicable, rules, earlier),
        [_suppressed(measured, reason) for reason in protected.reasons],
    )


def contribution_of(counts: Counts, *, held: bool) -> Contribution:
    """What a school contributes to a group: where nothing is expected, everybody as `at`, which is not told.

    Args:
        counts: The school's pupils of the group.
        held: Whether anybody is held against what is expected.
    """
    if held:
        return Contribution(
            counts.below, counts.at, counts.above, counts.points, counts.progressed, counts.progress
        )
    return Contribution(
        0, counts.unheld, 0, counts.unheld_points, counts.unheld_progressed, counts.unheld_progress
    )


def _text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


def _scale(measure: str, measured: Measured) -> str | None:
    return scale_of(measured) if measure in {"mean_points", "progress"} else None


def _rows(measured: Measured, protected: Protected) -> list[FigureRow]:
    point, scheme, subject, nc_year = measured
    return [
        FigureRow(
            point.year,
            point.name,
            scheme,
            subject,
            nc_year,
            group.characteristic,
            group.category,
            measure,
            _scale(measure, measured),
            None if figure.value is None else str(figure.value),
            figure.symbol,
        )
        for group, row in protected.rows.items()
        for measure in MEASURES
        for figure in [row.figure(measure)]
    ]


def _distribution(
    measured: Measured,
    values: Mapping[UUID, Mapping[Measure, SchoolValue]],
    not_applicable: set[Measure],
    rules: Rules,
    earlier: EarlierFigures,
) -> list[DistributionRow]:
    """How schools are spread by each share and mean; by numbers of pupils they are not."""
    point, scheme, subject, nc_year = measured
    rows = []
    for measure in MEASURES[1:]:
        if measure in not_applicable:
            continue
        schools = [of_school[measure] for of_school in values.values() if measure in of_school]
        decimals = rules.share_decimals if measure in STANDINGS else None
        told = deciles(schools, rules, earlier.distributions(measured, measure), decimals=decimals)
        rows += [
            DistributionRow(
                point.year,
                point.name,
                scheme,
                subject,
                nc_year,
                measure,
                _scale(measure, measured),
                decile,
                None if figure.value is None else str(figure.value),
                figure.symbol,
            )
            for decile, figure in told.items()
        ]
    return rows


def values_of(counts: Counts, *, held: bool) -> dict[Measure, SchoolValue]:
    """A school's own shares and means, exactly enough that rounding them again does no harm.

    Args:
        counts: The school's pupils of a group.
        held: Whether anybody is held against what is expected.

    Returns:
        Shares (0 to 1) and means to six places, each with the number of pupils whom it is of; none of nobody.
    """
    each = contribution_of(counts, held=held)
    pointed = counts.pointed if held else counts.unheld
    sums: list[tuple[Measure, int | Decimal, int]] = [
        ("below", each.below, each.pupils),
        ("at", each.at, each.pupils),
        ("above", each.above, each.pupils),
        ("mean_points", each.points, pointed),
        ("progress", each.progress, each.progressed),
    ]
    return {name: SchoolValue(_divided(total, number), number) for name, total, number in sums if number}


def _divided(total: Decimal | int, number: int) -> Decimal:
    return (Decimal(total) / number).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def _suppressed(measured: Measured, reason: Reason) -> Suppressed:
    point, scheme, subject, nc_year = measured
    return Suppressed(
        point=point.label,
        scheme=scheme,
        subject=subject,
        nc_year=nc_year,
        characteristic=reason.group.characteristic,
        category=reason.group.category,
        measures=reason.measures,
        rule=reason.rule,
        because=reason.text,
        release=reason.release,
    )


def is_suppressed(row: FigureRow | DistributionRow) -> bool:
    """Whether a row holds the symbol of what is suppressed."""
    return row.symbol == SUPPRESSED.symbol
