"""Benchmarks: the released figures, which anybody with a session may read."""

from __future__ import annotations

from typing import Annotated

import msgspec

import projections.benchmarks
from api.callers import Caller, signed_in
from api.encoding import Answer, ReadQuery, query
from api.reading import reading
from api.routing import Routes
from domain.academic_year import Term, academic_year_label
from domain.access import Permission
from projections.benchmarks import BenchmarkRow

routes = Routes("benchmarks")


class BenchmarksQuery(ReadQuery, frozen=True, kw_only=True):
    """Which figures.

    Attributes:
        academic_year: As in `2025/26`, or the year in which it starts.
        term: The term.
        subject: A subject code.
    """

    academic_year: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}(/[0-9]{2})?\Z")] | None = None
    term: Term | None = None
    subject: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{1,10}\Z")] | None = None


@routes.get("/v1/benchmarks")
def read_benchmarks(
    caller: Annotated[Caller, signed_in(Permission.READ_BENCHMARKS)],
    asked: Annotated[BenchmarksQuery, query(BenchmarksQuery)],
) -> Answer[list[BenchmarkRow]]:
    """Read the released benchmarks."""
    year = asked.academic_year
    if year and year.isdecimal():
        year = academic_year_label(int(year))
    with reading(caller, asked.min_position) as read:
        rows = projections.benchmarks.released(
            read.connection, academic_year=year, term=asked.term, subject=asked.subject
        )
    return Answer(rows)
