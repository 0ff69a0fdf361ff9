"""What the analytics team may do: read the released tables, all of which are described, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from domain.academic_year import academic_year_label
from domain.application.school_application import Schools
from domain.ledger.database import Database
from domain.ledger.persistence import close_shared_database
from tests.application.conftest import RegisteredSchool
from tests.application.examples import YEAR
from tests.conftest import TestDatabase
from tests.keys import schools_of
from tests.projections.releasing import assess, release, some_schools

YEAR_THEN = academic_year_label(YEAR - 1)

READABLE = [
    "analytics.benchmarks",
    "analytics.characteristics",
    "analytics.data_dictionary",
    "analytics.measures",
    "analytics.released",
    "analytics.releases",
    "analytics.school_bands",
    "analytics.school_distribution",
    "analytics.symbols",
    "analytics.withdrawals",
]


@pytest.fixture
def schools(test_database: TestDatabase) -> Iterator[Schools]:
    yield schools_of(test_database.conninfo())
    close_shared_database(test_database.conninfo())


@pytest.fixture
def four(schools: Schools) -> list[RegisteredSchool]:
    """Four schools of forty children each."""
    return some_schools(schools)


@pytest.fixture
def analyst(
    four: list[RegisteredSchool], worker_database: Database, test_database: TestDatabase
) -> Iterator[psycopg.Connection[Any]]:
    """The analytics team's connection, once something has been released."""
    for school in four:
        assess(school, "REA", below=11, at=14, above=13)
    release(worker_database)
    with test_database.connect("target_tracker_analytics") as connection:
        yield connection


def test_analysts_read_with_sql(analyst: psycopg.Connection[Any]) -> None:
    rows = analyst.execute(
        "SELECT m.label, b.value, b.point_scale, s.meaning FROM analytics.benchmarks b "
        "JOIN analytics.measures m USING (measure) LEFT JOIN analytics.symbols s USING (symbol) "
        "WHERE subject = 'REA' AND academic_year = %s AND characteristic = 'all' ORDER BY m.sequence",
        [YEAR_THEN],
    ).fetchall()
    assert rows[:5] == [
        ("Pupils", Decimal(150), None, None),
        ("Below expected", Decimal("0.3"), None, None),
        ("At expected", Decimal("0.367"), None, None),
        ("Above expected", Decimal("0.333"), None, None),
        ("Mean points", Decimal("17.3"), "steps", None),
    ]
    assert rows[5][:3] == ("Progress", None, "steps")
    assert str(rows[5][3]).startswith("Not applicable")
    assert analyst.execute(
        "SELECT release, schools, minimum_pupils, minimum_schools FROM analytics.releases"
    ).fetchall() == [(1, 4, 10, 3)]
    told = analyst.execute("SELECT DISTINCT symbol FROM analytics.school_distribution").fetchall()
    assert told == [("c",)], "of four schools no decile is told"


def test_analysts_read_nothing_else(analyst: psycopg.Connection[Any], test_database: TestDatabase) -> None:
    """Every table, view, sequence and function of every schema, tried one by one."""
    with test_database.connect("postgres") as superuser:
        relations = [
            str(name)
            for (name,) in superuser.execute(
                "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c "
                "JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S') "
                "AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
            )
        ]
        functions = [
            str(name)
            for (name,) in superuser.execute(
                "SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
                "WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') "
                "AND has_function_privilege('target_tracker_analytics', p.oid, 'EXECUTE')"
            )
        ]
    assert {name.split(".")[0] for name in relations} == {
        "ledger",
        "projections",
        "analytics",
        "vault",
        "migrations",
        "projections_next",
        "projections_previous",
    }
    readable = []
    for name in relations:
        try:
            analyst.execute(f"SELECT * FROM {name} LIMIT 1".encode())
        except psycopg.errors.InsufficientPrivilege:
            continue
        readable.append(name)
    assert sorted(readable) == READABLE
    assert functions == []


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO analytics.released (release, minimum_pupils, minimum_schools) VALUES (9, 1, 1)",
        "INSERT INTO analytics.withdrawals VALUES (1, now(), 'Mine', 1)",
        "UPDATE analytics.benchmarks SET value = 1",
        "DELETE FROM analytics.benchmarks",
        "CREATE TABLE analytics.mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE SCHEMA mine",
        "SET ROLE target_tracker_owner",
        "SET ROLE target_tracker_worker",
        "COPY analytics.benchmarks TO '/tmp/mine'",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT * FROM pg_authid",
    ],
)
def test_analysts_change_nothing(test_database: TestDatabase, statement: str) -> None:
    with (
        test_database.connect("target_tracker_analytics") as analyst,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        analyst.execute(statement.encode())
