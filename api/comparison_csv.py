"""A school beside the benchmark as CSV: a row for each figure, with a symbol where none is told."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from domain.files.spreadsheets import csv_of
from projections.benchmarks.comparing import Comparison, Told

COLUMNS = (
    "Release", "Withdrawn", "Academic year", "Point", "Scheme", "Subject", "Year",
    "Characteristic", "Category", "Measure", "Scale",
    "Own", "Own pupils", "Released", "Released symbol", "Similar schools", "Similar", "Similar symbol",
    "Lowest tenth", "Highest tenth",
)  # fmt: skip

ON_A_SCALE = frozenset({"mean_points", "progress"})

_Cell = str | int | float | None


def of_comparison(answer: Comparison) -> bytes:
    """A row for each figure of each group of pupils.

    Args:
        answer: What is shown.
    """
    return csv_of(COLUMNS, _rows(answer))


def _rows(answer: Comparison) -> Iterator[list[_Cell]]:
    release = answer.release
    of_all: list[_Cell] = [release.release, "yes" if release.withdrawn_at else "no"]
    of_all += [answer.academic_year, answer.assessment_point, answer.scheme]
    likes = answer.likes.category if answer.likes else None
    for table in answer.tables:
        for row in table.rows:
            for measure, cell in row.cells.items():
                tenth = cell.spread and cell.spread.tenth
                yield [
                    *of_all,
                    table.subject,
                    table.nc_year,
                    answer.characteristic,
                    row.category,
                    measure,
                    table.point_scale if measure in ON_A_SCALE else None,
                    _number(cell.own.value) if cell.own else None,
                    cell.own.pupils if cell.own else None,
                    *_told(cell.released),
                    likes,
                    *_told(cell.similar),
                    *((tenth.lowest, tenth.highest) if tenth else (None, None)),
                ]


def _told(figure: Told | None) -> tuple[_Cell, _Cell]:
    if figure is None:
        return None, None
    return None if figure.value is None else _number(figure.value), figure.symbol


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
