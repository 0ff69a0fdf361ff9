"""Benchmarks: the released figures, which anybody with a session may read."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from api.callers import Caller, signed_in
from api.encoding import Answer, ReadQuery, query
from api.reading import reading
from api.routing import Routes
from domain.academic_year import academic_year_label
from domain.access import Permission
from projections.benchmarks import released
from projections.benchmarks.released import BenchmarkRow, ReleaseRow

routes = Routes("benchmarks")

PointName = Literal["autumn-1", "autumn", "spring-1", "spring", "summer-1", "summer", "year"]
Characteristic = Literal[
    "all",
    "sex",
    "free_school_meals",
    "pupil_premium",
    "sen",
    "eal",
    "ethnicity_group",
    "in_care",
    "term_of_birth",
    "region",
    "school_type",
    "fsm_fifth",
    "size_band",
    "similar_schools",
]


class BenchmarksQuery(ReadQuery, frozen=True, kw_only=True):
    """Which figures.

    Attributes:
        release: This release, withdrawn or not; of each point its newest that stands, if none is given.
        academic_year: As in `2025/26`, or the year in which it starts.
        assessment_point: The end of a term, or of its first half, or the whole year.
        scheme: The scheme of the results.
        subject: What was measured, by the scheme's code.
        nc_year: The NC year that the pupils were in then.
        characteristic: What pupils or schools are told apart by.
    """

    release: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | None = None
    academic_year: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}(/[0-9]{2})?\Z")] | None = None
    assessment_point: PointName | None = None
    scheme: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,30}\Z")] | None = None
    subject: Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{1,10}\Z")] | None = None
    nc_year: Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{1,2}\Z")] | None = None
    characteristic: Characteristic = "all"


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
        rows = released.released(
            read.connection,
            release=asked.release,
            academic_year=year,
            assessment_point=asked.assessment_point,
            scheme=asked.scheme,
            subject=asked.subject,
            nc_year=asked.nc_year,
            characteristic=asked.characteristic,
        )
    return Answer(rows)


@routes.get("/v1/benchmarks/releases")
def read_releases(
    caller: Annotated[Caller, signed_in(Permission.READ_BENCHMARKS)],
    asked: Annotated[ReadQuery, query(ReadQuery)],
) -> Answer[list[ReleaseRow]]:
    """List the releases of benchmarks, with the rules of each, and those that were withdrawn."""
    with reading(caller, asked.min_position) as read:
        rows = released.releases(read.connection)
    return Answer(rows)
