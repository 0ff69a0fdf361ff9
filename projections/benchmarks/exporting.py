"""What of the released figures is taken away in files: which release of each point, and its tables.

It reads `analytics` and nothing else, so that the analysts' own role can do it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from domain.errors import Conflict, NotFound
from domain.ledger.database import Connection, Database
from domain.ledger.sql import load
from projections.benchmarks.points import NAMES
from projections.benchmarks.released import ReleaseRow, releases

SQL = load(__package__, "exporting.sql")

TABLES = (
    "benchmarks",
    "school_distribution",
    "school_bands",
    "characteristics",
    "measures",
    "symbols",
    "releases",
    "data_dictionary",
)
"""The tables of an export, in the order in which one reads about them."""


class Column(msgspec.Struct, frozen=True):
    """A column, as `analytics.data_dictionary` describes it.

    Attributes:
        name: Its name.
        type: Its type in PostgreSQL.
        unit: What it is measured in, where it is.
        description: What it holds.
    """

    name: str
    type: str
    unit: str | None
    description: str


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table of an export.

    Attributes:
        name: Its name in `analytics`.
        description: What it holds.
        columns: Its columns, in its own order.
        rows: Its rows, in an order that is the same each time.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Any, ...]]

    def records(self) -> Iterator[dict[str, Any]]:
        """The rows, by column."""
        names = [column.name for column in self.columns]
        return (dict(zip(names, row, strict=True)) for row in self.rows)


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """Released figures, as they are at one moment.

    Attributes:
        releases: The releases that they come from, with their rules.
        points: The release of each point, and the point: `(1, "2025/26", "summer")`.
        tables: The tables of :data:`TABLES`, by name.
    """

    releases: tuple[ReleaseRow, ...]
    points: tuple[tuple[int, str, str], ...]
    tables: dict[str, Table]

    @property
    def withdrawn(self) -> tuple[ReleaseRow, ...]:
        """Those of its releases that were withdrawn."""
        return tuple(release for release in self.releases if release.withdrawn_at)

    @property
    def warning(self) -> str | None:
        """What the files must say, where a release in them was withdrawn."""
        if not self.withdrawn:
            return None
        numbers = ", ".join(str(release.release) for release in self.withdrawn)
        return f"WITHDRAWN: release {numbers} should not be used"


def read(database: Database, release: int | None = None, *, withdrawn: bool = False) -> Export:
    """The figures of a release, or of each point those of its newest release that stands.

    Args:
        database: Connections of any role that may read `analytics`.
        release: The release.
        withdrawn: Whether to hand out a release that was withdrawn.

    Raises:
        NotFound: There is no such release, or none that stands.
        Conflict: It was withdrawn, and nobody said that that is known.
    """
    with database.transaction() as connection:
        connection.execute(SQL["one_moment"])
        known = {each.release: each for each in releases(connection)}
        if release is not None:
            _check(known, release, withdrawn=withdrawn)
            found = connection.execute(SQL["points_of_release"], [release]).fetchall()
        else:
            found = connection.execute(SQL["newest_points"]).fetchall()
            if not found:
                raise NotFound("No benchmark has been released yet, or all releases were withdrawn")
        points = sorted(found, key=lambda point: (point[1], NAMES.index(point[2])))
        numbers = sorted({number for number, _, _ in points} | ({release} if release else set()))
        return Export(
            releases=tuple(known[number] for number in numbers),
            points=tuple((number, year, name) for number, year, name in points),
            tables=read_tables(connection, TABLES, numbers, points),
        )


def _check(known: dict[int, ReleaseRow], release: int, *, withdrawn: bool) -> None:
    if release not in known:
        raise NotFound(f"There is no release {release}")
    if known[release].withdrawn_at and not withdrawn:
        raise Conflict(
            f"Release {release} was withdrawn ({known[release].withdrawn_because}). "
            "With --withdrawn it is exported all the same, and the files say so"
        )


def read_tables(
    connection: Connection,
    names: Sequence[str],
    numbers: Sequence[int] = (),
    points: Sequence[tuple[Any, ...]] = (),
) -> dict[str, Table]:
    """Tables of `analytics`, described.

    Args:
        connection: Of any role that may read `analytics`.
        names: Which of :data:`TABLES`.
        numbers: The releases that `releases` shall hold.
        points: The release, academic year and name of the points that tables of figures shall hold.
    """
    parameters = {
        "tables": list(TABLES),
        "names": list(NAMES),
        "releases": [number for number, _, _ in points],
        "years": [year for _, year, _ in points],
        "points": [name for _, _, name in points],
    }
    described = {
        (table, name): (type_, unit, description)
        for table, name, type_, unit, description in connection.execute(SQL["described"])
    }
    tables = {}
    for name in names:
        of_table = {"releases": list(numbers)} if name == "releases" else {}
        cursor = connection.execute(SQL[name], parameters | of_table)
        columns = [column.name for column in cursor.description or ()]
        tables[name] = Table(
            name=name,
            description=described[name, ""][2],
            columns=tuple(Column(column, *described[name, column]) for column in columns),
            rows=cursor.fetchall(),
        )
    return tables
