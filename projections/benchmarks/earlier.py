"""What earlier releases told, as disclosure control holds new tables against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from domain.assessment import nc_year_then
from domain.ledger.database import Connection
from projections.benchmarks.counting import Measured
from projections.benchmarks.points import Point
from projections.benchmarks.reading import SQL
from projections.disclosure import (
    DECILES,
    NOT_AVAILABLE,
    SUPPRESSED,
    Distribution,
    Earlier,
    Figure,
    Group,
    Measure,
    Row,
    Rules,
)

_Key = tuple[str, str, str, str, str]
"""Academic year, point, scheme, subject and NC year."""


def _key(measured: Measured) -> _Key:
    return (
        measured.point.year,
        measured.point.name,
        measured.scheme,
        measured.subject,
        measured.nc_year,
    )


class EarlierFigures:
    """Every release so far, withdrawn ones too: what has been told cannot be taken back.

    Tables of the release in the making join them, since the progress of a later point can be held against an
    earlier point of the same release.
    """

    def __init__(self, connection: Connection, points: Iterable[Point]) -> None:
        """Reads them.

        Args:
            connection: Of any role that may read `analytics`.
            points: The points of the release in the making.
        """
        wanted = {each for point in points for each in (point, point.before) if each is not None}
        columns = [[point.year for point in wanted], [point.name for point in wanted]]
        self._rules = {row[0]: _rules(row) for row in connection.execute(SQL["releases"])}
        self._rows: dict[_Key, dict[int, dict[Group, dict[str, Figure]]]] = {}
        for release, *key, characteristic, category, measure, value, symbol in connection.execute(
            SQL["released_of_points"], columns
        ):
            groups = self._rows.setdefault(_five(key), {}).setdefault(release, {})
            groups.setdefault(Group(characteristic, category), {})[measure] = Figure(value, symbol)
        self._distributions: dict[tuple[_Key, str], dict[int, Distribution]] = {}
        for release, *key, measure, decile, value, symbol in connection.execute(
            SQL["distributions_of_points"], columns
        ):
            told = self._distributions.setdefault((_five(key), measure), {})
            told.setdefault(release, {})[decile] = Figure(value, symbol)
        self._new: dict[_Key, Mapping[Group, Row]] = {}

    def of(self, measured: Measured) -> list[Earlier]:
        """What earlier releases told of a table, the oldest first."""
        return [
            Earlier(
                release, {group: _row(figures) for group, figures in groups.items()}, self._rules[release]
            )
            for release, groups in sorted(self._rows.get(_key(measured), {}).items())
        ]

    def before(self, measured: Measured) -> Mapping[Group, Row] | None:
        """What is told of the same pupils at the point before: here, or in the newest release that tells."""
        point = measured.point.before
        if point is None:
            return None
        years = measured.point.academic_year - point.academic_year
        nc_year = nc_year_then(measured.nc_year, years) if years else measured.nc_year
        if nc_year is None:
            return None
        key = _key(measured._replace(point=point, nc_year=nc_year))
        if key in self._new:
            return self._new[key]
        releases = self._rows.get(key)
        if not releases:
            return None
        return {group: _row(figures) for group, figures in releases[max(releases)].items()}

    def distributions(self, measured: Measured, measure: Measure) -> list[Distribution]:
        """What earlier releases told of how schools are spread."""
        told = self._distributions.get((_key(measured), measure), {})
        return [
            {decile: told[release].get(decile, SUPPRESSED) for decile in DECILES} for release in sorted(told)
        ]

    def add(self, measured: Measured, rows: Mapping[Group, Row]) -> None:
        """Takes in a table of the release in the making."""
        self._new[_key(measured)] = rows


def _five(key: list[Any]) -> _Key:
    year, point, scheme, subject, nc_year = key
    return (year, point, scheme, subject, nc_year)


def _row(figures: Mapping[str, Figure]) -> Row:
    """A row of a release; releases before 0022 had no means."""
    return Row(**{name: figures.get(name, NOT_AVAILABLE) for name in Row.__struct_fields__})


def _rules(row: tuple[Any, ...]) -> Rules:
    """The rules of a release; those of releases before 0022 as far as they had them."""
    (
        version,
        pupils,
        schools,
        n,
        k,
        p,
        base,
        share_decimals,
        mean_decimals,
        zeros,
        secondary,
        differencing,
    ) = row[5:17]
    return Rules(
        version=int(version),
        minimum_pupils=pupils,
        minimum_schools=schools,
        dominance_n=2 if n is None else n,
        dominance_k=100 if k is None else _whole(k),
        p_percent=0 if p is None else _whole(p),
        zeros=zeros,
        secondary=secondary,
        differencing=differencing,
        rounding_base=1 if base is None else base,
        share_decimals=share_decimals,
        mean_decimals=1 if mean_decimals is None else mean_decimals,
    )


def _whole(number: Decimal) -> int:
    return int(number)
