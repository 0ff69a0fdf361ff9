"""A database that held the newest results alone: its rows are made again, of every school."""

from __future__ import annotations

from importlib.resources import files

import psycopg
import pytest

from domain.ledger.database import Database
from scripts.embedded import OWNER
from tests.conftest import TestDatabase
from tests.projections.catching_up import caught_up
from tests.projections.happenings import LivelySchool
from tests.projections.reference import actual, expected

STATEMENTS, _, _ = (
    files("projections.migrations")
    .joinpath("0010_voids.sql")
    .read_text(encoding="utf-8")
    # The table of benchmarks that it says something of at its end is another one by now.
    .partition("COMMENT ON COLUMN analytics.benchmarks.term")
)

CONFINED = STATEMENTS.replace("NO FORCE", "FORCE")
"""The sabotaged twin: the owner, confined to one school, deletes no checkpoint of any."""


def upgraded(
    database: Database, worker: Database, test_database: TestDatabase, statements: str
) -> list[LivelySchool]:
    """Two schools whose rows were made before, and whose database is then upgraded."""
    schools = [LivelySchool(database, urn, seed) for seed, urn in enumerate(("300001", "300002"))]
    for school in schools:
        school.happen(120)
    caught_up(worker)
    with psycopg.connect(test_database.conninfo(OWNER), autocommit=True) as owner:
        owner.execute("DROP TABLE projections.targets")
        owner.execute("DROP POLICY every_checkpoint_of_owner ON projections.checkpoints")  # came later
        with owner.transaction():
            owner.execute(statements.encode())
        forced = owner.execute(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'projections'::regnamespace "
            "AND relkind = 'r' AND relname <> 'versions' AND NOT (relrowsecurity AND relforcerowsecurity)"
        ).fetchall()
    assert forced == []
    with test_database.connect("postgres") as superuser:
        superuser.execute("DELETE FROM projections.checkpoints WHERE projection = 'targets'")
    return schools


def test_the_rows_are_made_again(
    database: Database, worker_database: Database, test_database: TestDatabase
) -> None:
    schools = upgraded(database, worker_database, test_database, STATEMENTS)
    with test_database.connect("postgres") as superuser:
        left = superuser.execute(
            "SELECT DISTINCT projection FROM projections.checkpoints ORDER BY 1"
        ).fetchall()
        assert left == [("attendance",), ("logins",), ("pupils",), ("usage",)]
        caught_up(worker_database)
        for school in schools:
            rows = actual(superuser, school.keys)
            assert rows.results
            assert rows == expected(school.stream, school.keys)


def test_an_upgrade_that_forgets_the_checkpoints_is_found(
    database: Database, worker_database: Database, test_database: TestDatabase
) -> None:
    [school, _] = upgraded(database, worker_database, test_database, CONFINED)
    caught_up(worker_database)
    with test_database.connect("postgres") as superuser, pytest.raises(AssertionError):
        assert actual(superuser, school.keys) == expected(school.stream, school.keys)
