"""A database in which releases were made of schools' results: at two terms, and of a year's tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from domain.academic_year import Term, WholeYear
from domain.application import assessing
from domain.application.assessing import Entry
from domain.ledger.database import Database
from domain.ledger.persistence import close_shared_databases
from tests.application.examples import YEAR, point_before
from tests.conftest import TestDatabase
from tests.keys import schools_of
from tests.projections.releasing import assess, release, some_schools


@contextmanager
def published(database: TestDatabase) -> Iterator[Database]:
    """The worker's connections to a database with one release, of four schools of forty children each."""
    try:
        for school in some_schools(schools_of(database.conninfo())):
            for subject in ("REA", "MAT"):
                assess(school, subject, point_before(1, Term.SPRING), below=12, at_in_spring=12, above=12)
                assess(school, subject, below=12, at=13, above=12)
            scores = [*["95"] * 12, *["105"] * 12, *["112"] * 12]
            entries = [
                Entry(pupil_id, "MAT", score)
                for pupil_id, score in zip(school.application.roll(), scores, strict=False)
            ]
            assessing.record(
                school.application, WholeYear(YEAR - 1), entries, school.teacher, scheme="ks2-tests"
            )
        with Database(database.conninfo("target_tracker_worker")) as worker:
            release(worker)
            yield worker
    finally:
        close_shared_databases()
