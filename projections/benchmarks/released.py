"""The released figures, as queries show them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from domain.ledger.database import Connection
from projections.benchmarks.reading import SQL


class BenchmarkRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `analytics.benchmarks`, where its columns are described; and whether its release stands."""

    release: int
    withdrawn: bool
    academic_year: str
    assessment_point: str
    scheme: str
    subject: str
    nc_year: str
    characteristic: str
    category: str
    measure: str
    point_scale: str | None
    value: Decimal | None
    symbol: str | None


class ReleaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `analytics.releases`; its columns are described there."""

    release: int
    released_at: datetime
    withdrawn_at: datetime | None
    withdrawn_because: str | None
    schools: int | None
    rules_version: str
    minimum_pupils: int
    minimum_schools: int
    dominance_n: int | None
    dominance_k: Decimal | None
    p_percent: Decimal | None
    rounding_base: int | None
    share_decimals: int
    mean_decimals: int | None
    zeros: bool
    secondary: bool
    differencing: bool
    stream_position: int | None


def released(
    connection: Connection,
    *,
    release: int | None = None,
    academic_year: str | None = None,
    assessment_point: str | None = None,
    scheme: str | None = None,
    subject: str | None = None,
    nc_year: str | None = None,
    characteristic: str = "all",
) -> list[BenchmarkRow]:
    """The released rows that fit, those of one group after another.

    Args:
        connection: Of any role that may read `analytics`.
        release: This release, withdrawn or not; of each point its newest that stands, if none is given.
        academic_year: As in `2025/26`.
        assessment_point: `autumn`, `autumn-1`, ..., `year`.
        scheme: The scheme of the results.
        subject: What was measured.
        nc_year: The NC year.
        characteristic: What pupils are told apart by.
    """
    rows = connection.execute(
        SQL["shown"],
        {
            "release": release,
            "academic_year": academic_year,
            "assessment_point": assessment_point,
            "scheme": scheme,
            "subject": subject,
            "nc_year": nc_year,
            "characteristic": characteristic,
        },
    )
    return [BenchmarkRow(**dict(zip(BenchmarkRow.__struct_fields__, row, strict=True))) for row in rows]


def releases(connection: Connection) -> list[ReleaseRow]:
    """Every release, withdrawn ones too, the oldest first."""
    rows = connection.execute(SQL["releases"])
    return [ReleaseRow(**dict(zip(ReleaseRow.__struct_fields__, row, strict=True))) for row in rows]
