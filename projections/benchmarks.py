"""The benchmark tables: what all schools together show, released so that no school and no pupil can be found.

A term is released once, after it is over, and its figures never change afterwards: a table made anew after
one pupil has moved would give that pupil away to whoever kept the old one.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

import projections.assessments
from domain.academic_year import AssessmentPoint, Term, academic_year_label
from domain.assessment import STEPS
from domain.codes.steps import standing
from domain.errors import NotYetVisible, SchoolStopped
from domain.ledger.database import Connection, Database
from domain.ledger.sql import load
from domain.vault.keyring import Keyring
from domain.vault.service_keys import ServiceKeys
from projections.assessments import NAME as ASSESSMENTS
from projections.disclosure.former import MINIMUM_PUPILS, MINIMUM_SCHOOLS, protect
from projections.runner import keys_of

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


def publish(
    database: Database, service_keys: ServiceKeys, today: date, *, patience: float = 60.0
) -> Published:
    """Releases every term that is over and has not been released.

    Since a term is released once, it must be whole: everything that was recorded before the call is waited
    for. What each school contributes is counted for the release, and kept nowhere.

    Args:
        database: Connections of the worker's role.
        service_keys: The service's keys, which open the results.
        today: The day of the release.
        patience: Seconds to wait for the counts of schools that have just recorded something.

    Raises:
        NotYetVisible: The counts of some schools are behind; nothing was released.
        SchoolStopped: Those of some schools have stopped; nothing was released.
    """
    _wait_for_every_school(database, patience)
    with database.transaction() as connection:
        connection.execute(SQL["lock_releases"])
        schools = [row[0] for row in connection.execute(SQL["schools"]).fetchall()]
        points = _due(connection, database, schools, today)
        if not points:
            return Published(None, [], 0, 0)
        release = connection.execute(SQL["add_release"], [MINIMUM_PUPILS, MINIMUM_SCHOOLS]).fetchone()
        assert release
        counts = _count(database, service_keys, schools, points)
        rows = [(release[0], *row) for group in sorted(counts) for row in _rows(group, counts[group])]
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


def _due(
    connection: Connection, database: Database, schools: list[UUID], today: date
) -> list[AssessmentPoint]:
    released = {tuple(row) for row in connection.execute(SQL["released_terms"])}
    points: set[AssessmentPoint] = set()
    for school_id in schools:
        with database.bound_to(school_id) as bound:
            points |= projections.assessments.terms(bound, school_id)
    return sorted(
        (
            point
            for point in points
            if point.ends_on < today
            and (academic_year_label(point.academic_year), point.term.value) not in released
        ),
        key=lambda point: point.ends_on,
    )


class _Group(NamedTuple):
    """What pupils are counted by, in the order in which rows stand."""

    academic_year: int
    term: str
    subject: str
    nc_year: str


@dataclass
class _Counts:
    """Pupils by standing, and how many schools they come from."""

    pupils: Counter[str] = field(default_factory=Counter)
    schools: int = 0


def _count(
    database: Database, service_keys: ServiceKeys, schools: list[UUID], points: list[AssessmentPoint]
) -> dict[_Group, _Counts]:
    """What all schools contribute to the points, one school after another."""
    total: dict[_Group, _Counts] = defaultdict(_Counts)
    for school_id in schools:
        with database.bound_to(school_id) as connection:
            keys = keys_of(connection, school_id, service_keys)
            for group, pupils in contributions(connection, keys, points).items():
                total[group].pupils += pupils
                total[group].schools += 1
    return total


def contributions(
    connection: Connection, keys: Keyring, points: list[AssessmentPoint]
) -> dict[_Group, Counter[str]]:
    """What one school contributes: its pupils below, at and above what is expected, by group."""
    counts: dict[_Group, Counter[str]] = defaultdict(Counter)
    for result in projections.assessments.at_points(connection, keys, points):
        if result.term is None or result.nc_year is None:
            continue
        place = standing(result.value, result.nc_year, Term(result.term))
        if place is not None:  # nothing is expected of years that have no band
            group = _Group(result.academic_year, result.term, result.subject, result.nc_year)
            counts[group][place] += 1
    return counts


def _rows(group: _Group, counted: _Counts) -> list[tuple[Any, ...]]:
    counts = {place: counted.pupils[place] for place in ("below", "at", "above")}
    total = sum(counts.values())
    return [
        (
            academic_year_label(group.academic_year),
            group.term,
            STEPS,
            group.subject,
            group.nc_year,
            place,
            count,
            None if count is None else _share(count, total),
            SUPPRESSED if count is None else None,
        )
        for place, count in protect(counts, counted.schools).items()
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
