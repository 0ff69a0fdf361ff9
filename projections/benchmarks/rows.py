"""The rows of a release, as they stand in the analytics tables, and the digest of them in the stream."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import msgspec


class FigureRow(NamedTuple):
    """A row of `analytics.benchmarks` but for the release; its columns are described there."""

    academic_year: str
    assessment_point: str
    scheme: str
    subject: str
    nc_year: str
    characteristic: str
    category: str
    measure: str
    point_scale: str | None
    value: str | None
    symbol: str | None


class DistributionRow(NamedTuple):
    """A row of `analytics.school_distribution` but for the release."""

    academic_year: str
    assessment_point: str
    scheme: str
    subject: str
    nc_year: str
    measure: str
    point_scale: str | None
    decile: int
    value: str | None
    symbol: str | None


class BandRow(NamedTuple):
    """A row of `analytics.school_bands` but for the release."""

    academic_year: str
    assessment_point: str
    characteristic: str
    category: str
    from_value: str
    below_value: str | None


def figures_digest(
    figures: Iterable[FigureRow], distribution: Iterable[DistributionRow], bands: Iterable[BandRow]
) -> str:
    """SHA-256 of all rows of a release, in hexadecimal, whatever their order.

    Each row is a JSON array of its columns, as they are listed here, values as the database writes them. The
    rows of each of the three tables are sorted, and everything is joined with line feeds.
    """
    digest = hashlib.sha256()
    for name, rows in (
        ("benchmarks", figures),
        ("school_distribution", distribution),
        ("school_bands", bands),
    ):
        digest.update(name.encode() + b"\n")
        for line in sorted(msgspec.json.encode(list(row)) for row in rows):
            digest.update(line + b"\n")
    return digest.hexdigest()
