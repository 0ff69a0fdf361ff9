"""The benchmark tables: what all schools together show, released so that no school and no pupil can be found.

A term is released once, after it is over, and its figures never change afterwards: a table made anew after
one pupil has moved would give that pupil away to whoever kept the old one.
"""

from __future__ import annotations

import time
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from domain.academic_year import AssessmentPoint, Term, academic_year_label
from domain.assessment import STEPS
from domain.errors import NotYetVisible, SchoolStopped
from domain.ledger.database import Connection, Database
from domain.ledger.sql import load
from projections.assessments import NAME as ASSESSMENTS
from projections.disclosure import MINIMUM_PUPILS, MINIMUM_SCHOOLS, protect

SQL = load("projections", "benchmarks.sql")

SUPPRESSED = "c"


class Published(msgspec.Struct, frozen=True):
    """A release that was made.

    Attributes:
        release: Its number; none if no term was left to release.
        terms: The labels of the terms in it.
        rows: The number of rows.
        suppressed: How many of them hold a symbol in place of figures.
    """

    release: int | None
    terms: list[str]
    rows: int
    suppressed: int


class BenchmarkRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `analytics.benchmarks`; its columns are described there."""

    release: int
    academic_year: str
    term: str
    scheme: str
    subject: str
    nc_year: str
    standing: str
    pupils: int | None
    share: Decimal | None
    symbol: str | None


def publish(database: Database, today: date, *, patience: float = 60.0) -> Published:
    """Releases every term that is over and has not been released.

    Since a term is released once, it must be whole: everything that was recorded before the call is waited
    for.

    Args:
        database: Connections of the worker's role.
        today: The day of the release.
        patience: Seconds to wait for the counts of schools that have just recorded something.

    Raises:
        NotYetVisible: The counts of some schools are behind; nothing was released.
        SchoolStopped: Those of some schools have stopped; nothing was released.
    """
    _wait_for_every_school(database, patience)
    with database.transaction() as connection:
        connection.execute(SQL["lock_releases"])
        points = _due(connection, today)
        if not points:
            return Published(None, [], 0, 0)
        release = connection.execute(SQL["add_release"], [MINIMUM_PUPILS, MINIMUM_SCHOOLS]).fetchone()
        assert release
        rows = [
            (release[0], *row)
            for group in connection.execute(
                SQL["contributions"],
                [[point.academic_year for point in points], [point.term.value for point in points]],
            ).fetchall()
            for row in _rows(*group)
        ]
        with connection.cursor() as cursor:
            cursor.executemany(SQL["add_benchmarks"], rows)
    suppressed = sum(row[-1] is not None for row in rows)
    return Published(release[0], [point.label for point in points], len(rows), suppressed)


def _wait_for_every_school(database: Database, patience: float) -> None:
    with database.transaction() as connection:
        heads = connection.execute(SQL["heads"]).fetchall()
    deadline = time.monotonic() + patience
    while heads:
        ids, positions = map(list, zip(*heads, strict=True))
        with database.transaction() as connection:
            short = connection.execute(SQL["short_of"], [ids, positions, ASSESSMENTS]).fetchall()
        if not short:
            return
        if stopped := [str(school_id) for school_id, has_stopped in short if has_stopped]:
            raise SchoolStopped(
                "The counts of some schools have stopped, so nothing was released", schools=stopped
            )
        if time.monotonic() > deadline:
            raise NotYetVisible(
                "The counts of some schools are behind, so nothing was released: is a worker running?",
                schools=[str(school_id) for school_id, _ in short],
            )
        time.sleep(0.05)


def _due(connection: Connection, today: date) -> list[AssessmentPoint]:
    released = {tuple(row) for row in connection.execute(SQL["released_terms"])}
    points = [
        AssessmentPoint(year, Term(term)) for year, term in connection.execute(SQL["contributed_terms"])
    ]
    return sorted(
        (
            point
            for point in points
            if point.ends_on < today
            and (academic_year_label(point.academic_year), point.term.value) not in released
        ),
        key=lambda point: point.ends_on,
    )


def _rows(
    year: int, term: str, subject: str, nc_year: str, below: int, at: int, above: int, schools: int
) -> list[tuple[Any, ...]]:
    counts = {"below": below, "at": at, "above": above}
    total = sum(counts.values())
    return [
        (
            academic_year_label(year),
            term,
            STEPS,
            subject,
            nc_year,
            standing,
            count,
            None if count is None else _share(count, total),
            SUPPRESSED if count is None else None,
        )
        for standing, count in protect(counts, schools).items()
    ]


def _share(count: int, total: int) -> Decimal:
    return (Decimal(count) / total).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def released(
    connection: Connection,
    *,
    academic_year: str | None = None,
    term: str | None = None,
    subject: str | None = None,
) -> list[BenchmarkRow]:
    """The released rows that fit.

    Args:
        connection: Of any role that may read `analytics`.
        academic_year: As in `2025/26`.
        term: `autumn`, `spring` or `summer`.
        subject: A subject code.
    """
    rows = connection.execute(
        SQL["released"], {"academic_year": academic_year, "term": term, "subject": subject}
    )
    return [BenchmarkRow(**dict(zip(BenchmarkRow.__struct_fields__, row, strict=True))) for row in rows]
