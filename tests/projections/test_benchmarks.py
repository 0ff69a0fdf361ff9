"""Benchmark tables: released once, of terms that are over, and of enough pupils and schools."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from domain.academic_year import AssessmentPoint, Term, academic_year_label
from domain.application import assessing, importing
from domain.application.assessing import Entry
from domain.application.assessment_points import choose
from domain.application.school_application import Schools
from domain.assessment_points import Division
from domain.errors import KeyNotHeld, NotYetVisible, SchoolStopped
from domain.ledger.database import Database
from domain.ledger.persistence import close_shared_databases
from domain.vault.key_ring import new_ring
from projections import assessments
from projections.benchmarks import BenchmarkRow, Published, publish, released
from projections.runner import Worker
from tests.application.conftest import RegisteredSchool, registered_school
from tests.application.examples import NOW, TODAY, YEAR, at_once, children, csv_of, point_before
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS, schools_of
from tests.projections.catching_up import caught_up
from tests.projections.erasures import erase

THEN = point_before(1)
YEAR_THEN = academic_year_label(YEAR - 1)

VALUES = {"below": "2s", "at": "3s", "above": "4s"}
"""Of children who were in Year 3 in the summer of the year before."""


@pytest.fixture
def schools(test_database: TestDatabase) -> Iterator[Schools]:
    yield schools_of(test_database.conninfo())
    close_shared_databases()


@pytest.fixture
def four(schools: Schools) -> list[RegisteredSchool]:
    """Four schools of forty children each."""
    made = [registered_school(schools) for _ in range(4)]
    for place, each in enumerate(made):
        content = csv_of(children(40, first=40 * place))
        importing.import_file(each.application, content, each.teacher, dry_run=False)
    return made


def assess(school: RegisteredSchool, subject: str, point: AssessmentPoint = THEN, **pupils: int) -> None:
    """Records so many of a school's children as below, at and above what is expected."""
    values = [VALUES[standing] for standing, count in pupils.items() for _ in range(count)]
    some = zip(school.application.roll(), values, strict=False)
    entries = [Entry(pupil_id, subject, value) for pupil_id, value in some]
    assessing.record(school.application, point, entries, school.teacher)


def release(database: Database, today: date = TODAY) -> Published:
    Worker(database, SERVICE_KEYS).run_until_idle()
    return publish(database, SERVICE_KEYS, today)


def table(database: Database, **filters: str) -> list[BenchmarkRow]:
    with database.connection() as connection:
        return released(connection, **filters)


def shown(rows: list[BenchmarkRow], subject: str) -> dict[str, int | None]:
    return {row.standing: row.pupils for row in rows if row.subject == subject}


def test_a_table_of_all_schools(four: list[RegisteredSchool], worker_database: Database) -> None:
    for school in four:
        assess(school, "REA", below=5, at=12, above=6)
    published = release(worker_database)
    assert published == Published(1, [f"Summer {YEAR_THEN}"], 4, 0)
    rows = table(worker_database)
    assert [row.standing for row in rows] == ["all", "below", "at", "above"]
    assert shown(rows, "REA") == {"all": 92, "below": 20, "at": 48, "above": 24}
    assert [row.share for row in rows] == [Decimal(text) for text in ("1.0000", "0.2174", "0.5217", "0.2609")]
    first = rows[0]
    assert (first.release, first.academic_year, first.term, first.scheme) == (1, YEAR_THEN, "summer", "steps")
    assert (first.nc_year, first.symbol) == ("3", None)


def check_half_terms_count(four: list[RegisteredSchool], worker_database: Database) -> None:
    """Two schools judge terms and two half-terms; one of these had judged the term before."""
    first_half, second_half = point_before(1, Term.SUMMER_1), point_before(1, Term.SUMMER_2)
    for place, school in enumerate(four):
        if place in {0, 1, 2}:
            assess(school, "REA", below=5, at=12, above=6)
        if place in {2, 3}:
            choose(school.application, YEAR - 1, Division.HALF_TERMS, school.administrator)
            assess(school, "REA", first_half, above=23)
            assess(school, "REA", second_half, below=5, at=12, above=6)
    assert release(worker_database) == Published(1, [f"Summer {YEAR_THEN}"], 4, 0)
    rows = table(worker_database)
    assert {row.term for row in rows} == {"summer"}
    assert shown(rows, "REA") == {"all": 92, "below": 20, "at": 48, "above": 24}


def test_schools_that_judge_half_terms_count_with_the_second_half_of_each_term(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    check_half_terms_count(four, worker_database)


def test_the_twin_that_takes_the_first_half_fails_the_same_check(
    four: list[RegisteredSchool], worker_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {Term.AUTUMN: Term.AUTUMN_1, Term.SPRING: Term.SPRING_1, Term.SUMMER: Term.SUMMER_1}
    monkeypatch.setattr(assessments, "LAST_HALF_OF", first)
    ended = {half: term for term, half in first.items()} | {term: term for term in first}
    monkeypatch.setattr(assessments, "TERM_ENDED_BY", ended)
    with pytest.raises(AssertionError):
        check_half_terms_count(four, worker_database)


def test_what_is_of_few_is_a_symbol(four: list[RegisteredSchool], worker_database: Database) -> None:
    for school in four:
        assess(school, "REA", below=1, at=12, above=3)
    published = release(worker_database)
    assert (published.rows, published.suppressed) == (4, 2)
    rows = table(worker_database)
    assert shown(rows, "REA") == {"all": 64, "below": None, "at": 48, "above": None}
    assert {row.symbol for row in rows if row.pupils is None} == {"c"}
    assert all((row.share is None) == (row.pupils is None) == (row.symbol is not None) for row in rows)


def test_of_fewer_than_three_schools_nothing_is_told(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    for place, subject in enumerate(("WRI", "MAT", "REA", "SCI"), start=1):
        for school in four[:place]:
            assess(school, subject, below=12, at=12, above=12)
    release(worker_database)
    rows = table(worker_database)
    for subject, schools in (("WRI", 1), ("MAT", 2), ("REA", 3), ("SCI", 4)):
        told = shown(rows, subject)
        if schools < 3:
            assert set(told.values()) == {None}
        else:
            assert told == {
                "all": 36 * schools,
                "below": 12 * schools,
                "at": 12 * schools,
                "above": 12 * schools,
            }


def test_a_school_none_of_whose_entries_count_any_more_does_not_count(
    four: list[RegisteredSchool], worker_database: Database, tmp_path: Path
) -> None:
    for school in four[:3]:
        assess(school, "REA", below=12, at=12, above=12)
    erase(tmp_path, four[0], *list(four[0].application.roll())[:36])
    release(worker_database)
    assert set(shown(table(worker_database), "REA").values()) == {None}


def test_a_child_who_was_erased_does_not_count(
    four: list[RegisteredSchool], worker_database: Database, tmp_path: Path
) -> None:
    for school in four:
        assess(school, "REA", below=12, at=12, above=12)
    caught_up(worker_database)
    for school in four:
        first, second, *_ = school.application.roll()
        erase(tmp_path, school, first, second)
    release(worker_database)
    assert shown(table(worker_database), "REA") == {"all": 136, "below": 40, "at": 48, "above": 48}


def test_a_release_needs_the_services_key(four: list[RegisteredSchool], worker_database: Database) -> None:
    for school in four:
        assess(school, "REA", below=12, at=12, above=12)
    caught_up(worker_database)
    with pytest.raises(KeyNotHeld):
        publish(worker_database, new_ring(), TODAY)
    assert table(worker_database) == []
    assert publish(worker_database, SERVICE_KEYS, TODAY).release == 1, "nothing but the key was missing"


def test_nothing_in_the_table_is_of_fewer_than_ten(
    four: list[RegisteredSchool], worker_database: Database, test_database: TestDatabase
) -> None:
    for place, subject in enumerate(("REA", "WRI", "MAT", "SCI", "HIS", "GEO", "ART", "MUS")):
        for school in four:
            assess(school, subject, below=place, at=8 - place, above=1)
    release(worker_database)
    with test_database.connect("target_tracker_analytics") as analyst:
        [(rows, least, hidden)] = analyst.execute(
            "SELECT count(*), min(pupils), count(*) FILTER (WHERE symbol = 'c') FROM analytics.benchmarks"
        ).fetchall()
        assert rows == 4 * 8
        assert isinstance(least, int)
        assert least >= 10
        assert isinstance(hidden, int)
        assert 0 < hidden < 32


def test_a_term_is_released_once_and_never_changes(
    four: list[RegisteredSchool], worker_database: Database, test_database: TestDatabase
) -> None:
    for school in four:
        assess(school, "REA", below=12, at=12, above=12)
    release(worker_database)
    before = table(worker_database)
    # More is entered, another subject too, and a child's result is corrected.
    for school in four:
        assess(school, "REA", below=20, at=4, above=4)
        assess(school, "MAT", below=12, at=12, above=12)
    assert release(worker_database) == Published(None, [], 0, 0)
    assert table(worker_database) == before
    for school in four:
        assess(school, "REA", point_before(2), below=12, at=12, above=12)
    assert release(worker_database).terms == [f"Summer {academic_year_label(YEAR - 2)}"]
    rows = table(worker_database)
    assert [row for row in rows if row.release == 1] == before
    assert {row.academic_year for row in rows if row.release == 2} == {academic_year_label(YEAR - 2)}
    # Nobody who makes releases could change one.
    for statement in (
        "UPDATE analytics.benchmarks SET pupils = 99",
        "DELETE FROM analytics.benchmarks",
        "TRUNCATE analytics.benchmarks",
        "UPDATE analytics.releases SET minimum_pupils = 1",
    ):
        with (
            test_database.connect("target_tracker_worker") as worker,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            worker.execute(statement.encode())


def test_two_releases_at_once_are_one(four: list[RegisteredSchool], worker_database: Database) -> None:
    for school in four:
        assess(school, "REA", below=12, at=12, above=12)
    caught_up(worker_database)
    answers = at_once(*[partial(publish, worker_database, SERVICE_KEYS, TODAY)] * 4)
    numbers = [answer.release for answer in answers if isinstance(answer, Published)]
    assert sorted(numbers, key=str) == [1, None, None, None], answers
    assert len(table(worker_database)) == 4


def test_only_terms_that_are_over_are_released(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    for school in four:
        assess(school, "REA", NOW, below=12, at=12, above=12)
        assess(school, "REA", below=12, at=12, above=12)
    assert release(worker_database, THEN.ends_on).terms == []
    assert release(worker_database, THEN.ends_on + timedelta(days=1)).terms == [THEN.label]
    assert release(worker_database, NOW.ends_on).terms == []
    assert release(worker_database, NOW.ends_on + timedelta(days=1)).terms == [NOW.label]


@pytest.mark.parametrize(
    ("point", "last"),
    [
        (AssessmentPoint(2025, Term.AUTUMN), date(2025, 12, 31)),
        (AssessmentPoint(2025, Term.SPRING), date(2026, 4, 15)),
        (AssessmentPoint(2025, Term.SUMMER), date(2026, 8, 31)),
    ],
)
def test_when_a_term_is_over(point: AssessmentPoint, last: date) -> None:
    assert point.ends_on == last
    assert AssessmentPoint.of(last) == point
    assert AssessmentPoint.of(last + timedelta(days=1)) != point


def test_rows_are_found_by_year_term_and_subject(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    terms = (point_before(1, Term.AUTUMN), THEN, point_before(2))
    for school in four:
        for point in terms:
            for subject in ("REA", "MAT"):
                assess(school, subject, point, below=12, at=12, above=12)
    published = release(worker_database)
    assert published.terms == [terms[2].label, terms[0].label, terms[1].label]
    rows = table(worker_database)
    assert len(rows) == 3 * 2 * 4
    assert [(row.academic_year, row.term, row.subject) for row in rows[::4]] == [
        (academic_year_label(point.academic_year), point.term.value, subject)
        for point in (terms[2], terms[0], terms[1])
        for subject in ("MAT", "REA")
    ]
    found = table(worker_database, academic_year=YEAR_THEN, term="autumn", subject="MAT")
    assert found == [
        row for row in rows if (row.academic_year, row.term, row.subject) == (YEAR_THEN, "autumn", "MAT")
    ]
    assert len(found) == 4
    assert table(worker_database, subject="XYZ") == []


@pytest.fixture
def analyst(
    four: list[RegisteredSchool], worker_database: Database, test_database: TestDatabase
) -> Iterator[psycopg.Connection[Any]]:
    """The analytics team's connection, once something has been released."""
    for school in four:
        assess(school, "REA", below=5, at=12, above=1)
    release(worker_database)
    with test_database.connect("target_tracker_analytics") as connection:
        yield connection


def test_analysts_read_with_sql(analyst: psycopg.Connection[Any]) -> None:
    rows = analyst.execute(
        "SELECT standing, pupils, share FROM analytics.benchmarks "
        "WHERE subject = 'REA' AND academic_year = %s ORDER BY pupils DESC NULLS LAST, standing",
        [YEAR_THEN],
    ).fetchall()
    assert rows == [
        ("all", 72, Decimal("1.0000")),
        ("at", 48, Decimal("0.6667")),
        ("above", None, None),
        ("below", None, None),
    ]
    assert analyst.execute(
        "SELECT release, minimum_pupils, minimum_schools FROM analytics.releases"
    ).fetchall() == [(1, 10, 3)]
    [(undescribed,)] = analyst.execute(
        "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'analytics' AND "
        "table_name = 'benchmarks' AND column_name <> 'release' AND "
        "col_description('analytics.benchmarks'::regclass, ordinal_position) IS NULL"
    ).fetchall()
    assert undescribed == 0


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
    }
    readable = []
    for name in relations:
        try:
            analyst.execute(f"SELECT * FROM {name} LIMIT 1".encode())
        except psycopg.errors.InsufficientPrivilege:
            continue
        readable.append(name)
    assert sorted(readable) == ["analytics.benchmarks", "analytics.releases"]
    assert functions == []


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO analytics.releases (release, minimum_pupils, minimum_schools) VALUES (9, 1, 1)",
        "UPDATE analytics.benchmarks SET pupils = 1",
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


def test_a_term_is_not_released_while_a_schools_counts_are_behind(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    caught_up(worker_database)
    assess(four[0], "MAT", at=40)
    with pytest.raises(NotYetVisible) as refused:
        publish(worker_database, SERVICE_KEYS, TODAY, patience=0.2)
    assert refused.value.details["schools"] == [str(four[0].application.school_id)]
    assert table(worker_database) == []
    assert release(worker_database).release is None or table(worker_database)


def test_a_term_is_not_released_while_a_schools_counts_have_stopped(
    four: list[RegisteredSchool], worker_database: Database, test_database: TestDatabase
) -> None:
    assess(four[0], "MAT", at=40)
    school = four[0].application
    with psycopg.connect(test_database.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(
            "UPDATE ledger.events SET state = '\\x00' WHERE school_id = %s AND type LIKE 'assessment.%%'",
            [school.school_id],
        )
    with pytest.raises(SchoolStopped) as refused:
        release(worker_database)
    assert refused.value.details["schools"] == [str(school.school_id)]
    assert table(worker_database) == []
