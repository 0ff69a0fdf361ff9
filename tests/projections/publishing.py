"""A database in which releases were made of schools' results: at two terms, and of a year's tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from domain.academic_year import Term, WholeYear
from domain.application import assessing, importing
from domain.application.assessing import Entry
from domain.ledger.database import Database
from domain.ledger.persistence import close_shared_database
from tests.application.conftest import RegisteredSchool, registered_school
from tests.application.examples import YEAR, child, csv_of, point_before
from tests.conftest import TestDatabase
from tests.keys import schools_of
from tests.projections.releasing import assess, release

BORN = (date(YEAR - 9, 10, 3), date(YEAR - 8, 2, 3), date(YEAR - 8, 6, 3))
"""In the autumn, the spring and the summer of the same school year."""


def _school(database: TestDatabase, place: int) -> RegisteredSchool:
    """A school of forty children: every other one has free school meals, and a third is born in each term."""
    school = registered_school(schools_of(database.conninfo()))
    some = [
        child(40 * place + number, free_school_meals=number % 2 == 0, date_of_birth=BORN[number % 3])
        for number in range(40)
    ]
    importing.import_file(school.application, csv_of(some), school.teacher, dry_run=False)
    return school


@contextmanager
def published(database: TestDatabase) -> Iterator[Database]:
    """The worker's connections to a database with one release, of four schools of forty children each."""
    try:
        for school in [_school(database, place) for place in range(4)]:
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
        close_shared_database(database.conninfo())
