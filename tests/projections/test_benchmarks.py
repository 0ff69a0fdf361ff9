"""Benchmark releases: made of what is over, and of enough pupils and schools."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.academic_year import HALF_TERMS, TERMS, AssessmentPoint, Term, WholeYear, academic_year_label
from domain.application import assessment_points
from domain.application.school_application import Schools
from domain.assessment_points import Division
from domain.errors import InvalidInput, KeyNotHeld, NotYetVisible, SchoolStopped
from domain.ledger.database import Database
from domain.ledger.persistence import close_shared_databases
from domain.vault.key_ring import new_ring
from projections.benchmarks.points import NAMES, Point
from projections.benchmarks.proposing import propose
from projections.disclosure import Rules
from tests.application.conftest import RegisteredSchool
from tests.application.examples import NOW, TODAY, YEAR, point_before
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS, schools_of
from tests.projections.catching_up import caught_up
from tests.projections.erasures import erase
from tests.projections.releasing import THEN, assess, proposed, release, some_schools, table, told

YEAR_THEN = academic_year_label(YEAR - 1)


@pytest.fixture
def schools(test_database: TestDatabase) -> Iterator[Schools]:
    yield schools_of(test_database.conninfo())
    close_shared_databases()


@pytest.fixture
def four(schools: Schools) -> list[RegisteredSchool]:
    """Four schools of forty children each."""
    return some_schools(schools)


def test_a_table_of_all_schools(four: list[RegisteredSchool], worker_database: Database) -> None:
    for school in four:
        assess(school, "REA", below=11, at=14, above=13)
    published = release(worker_database)
    assert (published.release, published.points, published.position) == (1, (f"{YEAR_THEN}:summer",), 1)
    assert told(worker_database) == {"all": {}}
    first = table(worker_database)[0]
    assert (first.release, first.withdrawn, first.academic_year) == (1, False, YEAR_THEN)
    assert (first.assessment_point, first.scheme, first.nc_year) == ("summer", "steps", "3")
