"""Schools to make benchmarks of, and the way from their results to a release."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from domain.academic_year import AssessmentPoint
from domain.application import assessing, importing
from domain.application.assessing import Entry
from domain.application.school_application import Schools
from domain.ledger.database import Database
from projections.benchmarks.points import Point
from projections.benchmarks.proposing import ProposalReport, propose
from projections.benchmarks.publishing import Published, publish
from projections.benchmarks.released import BenchmarkRow, released
from projections.disclosure import Rules
from tests.application.conftest import RegisteredSchool, registered_school
from tests.application.examples import TODAY, children, csv_of, point_before
from tests.keys import SERVICE_KEYS
from tests.projections.catching_up import caught_up

THEN = point_before(1)

VALUES = {"below": "2s", "at": "3s", "above": "4s", "at_in_spring": "3w"}
"""Of children who were in Year 3 in the summer of the year before."""


def some_schools(schools: Schools, number: int = 4, pupils: int = 40) -> list[RegisteredSchool]:
    """Schools of so many children each."""
    made = [registered_school(schools) for _ in range(number)]
    for place, each in enumerate(made):
        content = csv_of(children(pupils, first=pupils * place))
        importing.import_file(each.application, content, each.teacher, dry_run=False)
    return made


def assess(school: RegisteredSchool, subject: str, point: AssessmentPoint = THEN, **pupils: int) -> None:
    """Records so many of a school's children as below, at and above what is expected."""
    values = [VALUES[standing] for standing, count in pupils.items() for _ in range(count)]
    some = zip(school.application.roll(), values, strict=False)
    entries = [Entry(pupil_id, subject, value) for pupil_id, value in some]
    assessing.record(school.application, point, entries, school.teacher)


def proposed(
    database: Database,
    today: date = TODAY,
    points: Iterable[Point] | None = None,
    rules: Rules | None = None,
) -> ProposalReport:
    """A proposal, once a worker has caught up."""
    caught_up(database)
    wanted = None if points is None else list(points)
    return propose(database, SERVICE_KEYS, today, rules or Rules(), wanted, patience=5)


def release(
    database: Database, today: date = TODAY, points: Iterable[Point] | None = None, rules: Rules | None = None
) -> Published:
    """A proposal, published."""
    report = proposed(database, today, points, rules)
    assert report.proposal, "nothing is due"
    return publish(database, report.proposal)


def table(database: Database, **filters: Any) -> list[BenchmarkRow]:
    """The released rows that fit."""
    with database.connection() as connection:
        return released(connection, **filters)


def told(database: Database, **filters: Any) -> dict[str, dict[str, str | None]]:
    """The released figures by category and measure; a symbol where there is no figure."""
    found: dict[str, dict[str, str | None]] = {}
    for row in table(database, **filters):
        found.setdefault(row.category, {})[row.measure] = (
            row.symbol if row.value is None else f"{row.value.normalize():f}"
        )
    return found
