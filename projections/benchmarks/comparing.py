"""A school beside the benchmark: its own figures next to those that a release tells.

What is told is read from the released tables alone, as everybody may read them; of other schools nothing
else is at hand here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from domain.errors import Finding, InvalidInput, NotFound
from domain.ledger.database import Connection
from projections.benchmarks.characteristics import OF_PUPILS, OF_SCHOOLS, of_school, share_of_meals
from projections.benchmarks.counting import Counts, Measured, SchoolCounts, scale_of
from projections.benchmarks.points import Point
from projections.benchmarks.reading import SCALES, SQL
from projections.benchmarks.released import ReleaseRow, released, releases
from projections.benchmarks.tables import contribution_of, values_of
from projections.disclosure import ALL, MEASURES, Group

SIMILAR: Final = "similar_schools"


class Told(msgspec.Struct, frozen=True):
    """A figure as it was released: exactly one of a value and a symbol.

    Attributes:
        value: A number of pupils, a share from 0 to 1, or points; rounded as the release says.
        symbol: Why there is none: `c`, `z`, `x` or `low`.
    """

    value: Decimal | None
    symbol: str | None


class OwnFigure(msgspec.Struct, frozen=True):
    """A figure of the school's own, neither rounded to a base nor suppressed.

    Attributes:
        value: A number of pupils, a share from 0 to 1, or points; the last two to six places.
        pupils: The pupils whom it is of.
    """

    value: Decimal
    pupils: int


class Tenths(msgspec.Struct, frozen=True):
    """In which tenth of the schools the school lies, counted from the lowest value, 1 to 10.

    Attributes:
        lowest: The lowest tenth that it can be in; the same as the highest, unless deciles are suppressed.
        highest: The highest.
    """

    lowest: int
    highest: int


class Spread(msgspec.Struct, frozen=True):
    """How schools are spread, where any decile is told.

    Attributes:
        deciles: The nine deciles, from the lowest.
        tenth: Where the school lies among them; null if it has no figure, or too few pupils to be among them.
    """

    deciles: list[Told]
    tenth: Tenths | None


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the school beside those that were released.

    Attributes:
        own: The school's own; null where it has nobody.
        released: That of all schools in the row's category; null where none is listed.
        similar: That of schools like this one; null where none is listed, and for parts of the pupils, which
            are not told of schools like this one.
        spread: How schools are spread, for all pupils.
    """

    own: OwnFigure | None
    released: Told | None
    similar: Told | None
    spread: Spread | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A group of pupils.

    Attributes:
        category: The category of the characteristic.
        label: What it is called.
        cells: The figures by measure: `pupils`, `below`, `at`, `above`, `mean_points`, `progress`.
    """

    category: str
    label: str
    cells: dict[str, Cell]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A subject in an NC year.

    Attributes:
        subject: What was measured, by the scheme's code.
        nc_year: The NC year that the pupils were in then.
        point_scale: The scale of `mean_points` and `progress`.
        rows: Its groups of pupils.
    """

    subject: str
    nc_year: str
    point_scale: str | None
    rows: list[Row]


class Likes(msgspec.Struct, frozen=True, kw_only=True):
    """Which schools are like this one, by its data of now and the bands of the release.

    Attributes:
        category: The category of `similar_schools`.
        label: What it is called.
        pupils: The school's pupils on the roll on the last day of the point.
        meals: The share of them who were eligible for free school meals, of those of whom it is known, in
            whole hundredths; null where it is known of nobody.
        fifths: Whether the release divides schools into fifths; it does not with fewer than 15 schools.
    """

    category: str
    label: str
    pupils: int
    meals: Decimal | None
    fifths: bool


class ReleaseCompared(msgspec.Struct, frozen=True, kw_only=True):
    """The release that is compared with.

    Attributes:
        release: Its number.
        released_at: When it was released.
        withdrawn_at: When it was withdrawn, if it was: then it should not be used.
        withdrawn_because: Why.
        schools: How many schools there were.
        minimum_pupils: No figure in it is about fewer pupils.
        minimum_schools: No figure in it is about fewer schools.
        rounding_base: Numbers of pupils are rounded to multiples of it.
    """

    release: int
    released_at: datetime
    withdrawn_at: datetime | None
    withdrawn_because: str | None
    schools: int | None
    minimum_pupils: int
    minimum_schools: int
    rounding_base: int | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A school beside the benchmark.

    Attributes:
        academic_year: As in `2025/26`.
        assessment_point: The point.
        scheme: The scheme of the results.
        characteristic: What pupils or schools are told apart by.
        release: The release.
        likes: Which schools are like this one; null if it had nobody on the roll, and so is in no band.
        tables: What was compared, by subject and NC year.
        symbols: What each symbol means that may stand in place of a released figure.
        counted_on: The day on which the school's own figures were counted.
        position: They show everything up to this position of the school's stream.
    """

    academic_year: str
    assessment_point: str
    scheme: str
    characteristic: str
    release: ReleaseCompared
    likes: Likes | None
    tables: list[Table]
    symbols: dict[str, str]
    counted_on: date
    position: int


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """What a release tells of a point, as everybody may read it.

    Attributes:
        release: The release.
        point: The point.
        scheme: The scheme.
        characteristic: The characteristic.
        figures: The figures by subject, NC year, category and measure.
        similar: Those of schools that are alike.
        deciles: The deciles by subject, NC year and measure.
        bounds: The shares at which the second to the fifth fifth of schools begin.
        labels: What categories are called.
        symbols: What symbols mean.
    """

    release: ReleaseRow
    point: Point
    scheme: str
    characteristic: str
    figures: dict[tuple[str, str, str, str], Told]
    similar: dict[tuple[str, str, str, str], Told]
    deciles: dict[tuple[str, str, str], dict[int, Told]]
    bounds: list[Decimal]
    labels: dict[tuple[str, str], str]
    symbols: dict[str, str]


def benchmark(
    connection: Connection,
    point: Point,
    scheme: str,
    characteristic: str,
    *,
    release: int | None = None,
    subject: str | None = None,
    nc_year: str | None = None,
) -> Benchmark:
    """What was released of a point.

    Args:
        connection: Of any role that may read `analytics`.
        point: The point.
        scheme: The scheme.
        characteristic: What pupils or schools are told apart by.
        release: This release, withdrawn or not; the newest that stands and tells the point, if none is given.
        subject: Only this subject.
        nc_year: Only this NC year.

    Raises:
        InvalidInput: No benchmarks are made of this scheme.
        NotFound: There is no such release, or none of this point.
    """
    if scheme not in SCALES:
        raise InvalidInput(
            "The query is not as it must be",
            [Finding(field="scheme", found=scheme[:60], accepted=f"one of {', '.join(sorted(SCALES))}")],
        )
    chosen = _chosen(connection, point, scheme, release)
    asked: dict[str, Any] = {
        "release": chosen.release,
        "academic_year": point.year,
        "assessment_point": point.name,
        "scheme": scheme,
        "subject": subject,
        "nc_year": nc_year,
    }

    def told(of: str) -> dict[tuple[str, str, str, str], Told]:
        return {
            (row.subject, row.nc_year, row.category, row.measure): Told(row.value, row.symbol)
            for row in released(connection, **asked, characteristic=of)
        }

    spread: dict[tuple[str, str, str], dict[int, Told]] = {}
    for of_subject, of_year, measure, decile, value, symbol in connection.execute(SQL["deciles"], asked):
        spread.setdefault((of_subject, of_year, measure), {})[decile] = Told(value, symbol)
    bands = connection.execute(SQL["bands_of_point"], [chosen.release, point.year, point.name]).fetchall()
    return Benchmark(
        release=chosen,
        point=point,
        scheme=scheme,
        characteristic=characteristic,
        figures=told(characteristic),
        similar=told(SIMILAR) if _of_everybody(characteristic) else {},
        deciles=spread if characteristic == "all" else {},
        bounds=[start for name, _, start, _ in bands if name == "fsm_fifth"][1:],
        labels={(name, category): label for name, category, label in connection.execute(SQL["labels"])},
        symbols=dict(connection.execute(SQL["symbols"]).fetchall()),
    )


def _of_everybody(characteristic: str) -> bool:
    """Whether a row is about all of a school's pupils, which is what is told of schools that are alike."""
    return characteristic not in OF_PUPILS


def _chosen(connection: Connection, point: Point, scheme: str, number: int | None) -> ReleaseRow:
    states = {row.release: row for row in releases(connection)}
    told: dict[int, list[Point]] = {}
    for release, year, name in connection.execute(SQL["points_told"], [scheme]):
        told.setdefault(release, []).append(Point.read(f"{year}:{name}"))
    if number is not None:
        if number not in states:
            raise NotFound(f"There is no release {number}; {_listed('releases are', map(str, states))}")
        if point not in told.get(number, ()):
            raise NotFound(
                f"Release {number} tells nothing of {scheme} at {point.label}; "
                f"{_listed('of this scheme it tells', _labels(told.get(number, ())))}",
                released=_labels(told.get(number, ())),
            )
        return states[number]
    of_point = [states[release] for release, points in told.items() if point in points]
    standing = [row for row in of_point if row.withdrawn_at is None]
    if standing:
        return max(standing, key=lambda row: row.release)
    labels = _labels(
        {at for release, points in told.items() if states[release].withdrawn_at is None for at in points}
    )
    withdrawn = "".join(
        f" Release {row.release}, which told it, was withdrawn: {row.withdrawn_because}" for row in of_point
    )
    raise NotFound(
        f"No benchmark of {scheme} stands at {point.label}; {_listed('released are', labels)}.{withdrawn}",
        released=labels,
    )


def _labels(points: Iterable[Point]) -> list[str]:
    return [point.label for point in sorted(points)]


def _listed(what: str, names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f"{what} {listed}" if listed else f"{what} none yet"


def compare(beside: Benchmark, own: SchoolCounts, position: int, today: date) -> Comparison:
    """Puts a school beside what was released.

    Args:
        beside: What was released.
        own: What the school contributes now, of what was asked for alone.
        position: The position of the school's stream up to which that is so.
        today: The day.
    """
    roll = own.rolls[beside.point]
    share = share_of_meals(roll.eligible, roll.known)
    groups = {
        group.characteristic: group.category
        for group in of_school(own.region, own.school_type, share, roll.pupils, beside.bounds)
    }
    likes = None
    if roll.pupils:
        category = groups[SIMILAR]
        likes = Likes(
            category=category,
            label=beside.labels[SIMILAR, category],
            pupils=roll.pupils,
            meals=share,
            fifths=bool(beside.bounds),
        )
    elif beside.characteristic in {"fsm_fifth", "size_band", SIMILAR}:
        groups = {}
    if beside.characteristic in OF_SCHOOLS:
        of_school_alone = groups.get(beside.characteristic)
        categories: Sequence[str] = () if of_school_alone is None else (of_school_alone,)
    else:
        categories = OF_PUPILS.get(beside.characteristic, ("all",))
    here = {(measured.subject, measured.nc_year): groups for measured, groups in own.tables.items()}
    there = {(subject, nc_year) for subject, nc_year, _, _ in beside.figures}
    tables = [
        _table(beside, subject, nc_year, categories, here.get((subject, nc_year), {}), likes)
        for subject, nc_year in sorted(here.keys() | there, key=lambda each: (each[0], len(each[1]), each[1]))
    ]
    row = beside.release
    return Comparison(
        academic_year=beside.point.year,
        assessment_point=beside.point.name,
        scheme=beside.scheme,
        characteristic=beside.characteristic,
        release=ReleaseCompared(**{name: getattr(row, name) for name in ReleaseCompared.__struct_fields__}),
        likes=likes,
        tables=[table for table in tables if table.rows],
        symbols=beside.symbols,
        counted_on=today,
        position=position,
    )


def _table(
    beside: Benchmark,
    subject: str,
    nc_year: str,
    categories: Sequence[str],
    groups: Mapping[Group, Counts],
    likes: Likes | None,
) -> Table:
    held = _is_held(beside, subject, nc_year, groups.get(ALL))
    rows = []
    for category in categories:
        group = Group(beside.characteristic, category) if beside.characteristic in OF_PUPILS else ALL
        figures = _own(groups.get(group), held=held)
        cells: dict[str, Cell] = {}
        for measure in MEASURES:
            own = figures.get(measure)
            spread = _spread(beside, subject, nc_year, measure, own)
            cells[measure] = Cell(
                own=own,
                released=beside.figures.get((subject, nc_year, category, measure)),
                similar=beside.similar.get((subject, nc_year, likes.category, measure)) if likes else None,
                spread=spread,
            )
        rows.append(Row(category=category, label=beside.labels[beside.characteristic, category], cells=cells))
    scale = scale_of(Measured(beside.point, beside.scheme, subject, nc_year))
    return Table(subject=subject, nc_year=nc_year, point_scale=scale, rows=rows)


def _is_held(beside: Benchmark, subject: str, nc_year: str, everybody: Counts | None) -> bool:
    """Whether pupils are held against what is expected: those of the school are, or others were."""
    if everybody is not None and everybody.below + everybody.at + everybody.above:
        return True
    return any(
        figure.symbol != "z"
        for (of_subject, of_year, _, measure), figure in beside.figures.items()
        if (of_subject, of_year) == (subject, nc_year) and measure in {"below", "at", "above"}
    )


def _own(counts: Counts | None, *, held: bool) -> dict[str, OwnFigure]:
    if counts is None:
        return {}
    pupils = contribution_of(counts, held=held).pupils
    if not pupils:
        return {}
    figures = {"pupils": OwnFigure(Decimal(pupils), pupils)}
    for measure, value in values_of(counts, held=held).items():
        if held or measure not in {"below", "at", "above"}:
            figures[measure] = OwnFigure(value.value, value.pupils)
    return figures


def _spread(
    beside: Benchmark, subject: str, nc_year: str, measure: str, own: OwnFigure | None
) -> Spread | None:
    deciles = [figure for _, figure in sorted(beside.deciles.get((subject, nc_year, measure), {}).items())]
    if all(figure.value is None for figure in deciles):
        return None
    among = own is not None and own.pupils >= beside.release.minimum_pupils
    return Spread(deciles, tenths(deciles, own.value) if own is not None and among else None)


def tenths(deciles: Sequence[Told], value: Decimal) -> Tenths:
    """The tenths that a value can lie in: above each decile that it reaches, and not above any other.

    Args:
        deciles: The nine deciles, of which some may be suppressed.
        value: The school's own.
    """
    reached = [
        place for place, each in enumerate(deciles, 1) if each.value is not None and value >= each.value
    ]
    missed = [place for place, each in enumerate(deciles, 1) if each.value is not None and value < each.value]
    return Tenths(max(reached, default=0) + 1, min(missed, default=len(deciles) + 1))
