"""What each role may do with keys: the database itself refuses everything else."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest

from domain.application.logins import log_in
from domain.application.school_application import Schools
from domain.vault.sessions import Sessions
from scripts.embedded import OWNER
from tests.application.conftest import PASSWORD, registered_school
from tests.conftest import TestDatabase
from tests.ledger.roles import ANALYTICS, API, WORKER, refused, run

TABLES = ("school_keys", "login_keys", "subject_keys", "usernames", "sessions")


@dataclass(frozen=True)
class TwoSchools:
    """Two schools with a row in every table of the vault; every statement about them is taken back."""

    database: TestDatabase
    here: UUID
    there: UUID


@pytest.fixture(scope="module")
def two(module_database: TestDatabase, schools: Schools) -> TwoSchools:
    here, there = registered_school(schools), registered_school(schools)
    for school in (here, there):
        log_in(schools, Sessions(schools.database), school.login_key, "head", PASSWORD)
    return TwoSchools(module_database, here.application.school_id, there.application.school_id)


def test_there_is_a_row_of_both_in_every_table(two: TwoSchools) -> None:
    with two.database.connect("postgres") as session:
        tables = {
            row[0]
            for row in run(
                session,
                None,
                "SELECT relname FROM pg_class c WHERE relkind IN ('r', 'p')"
                " AND relnamespace = 'vault'::regnamespace",
            )
        }
        assert tables >= set(TABLES)
        for table in TABLES:
            found = {row[0] for row in run(session, None, f"SELECT school_id FROM vault.{table}")}
            assert found >= {two.here, two.there}


# The worker.

WORKER_MAY_NOT = (
    "SELECT names FROM vault.subject_keys",
    "SELECT * FROM vault.subject_keys",
    "SELECT k FROM vault.subject_keys k",
    "SELECT count(names) FROM vault.subject_keys",
    "SELECT subject_id FROM vault.subject_keys WHERE names = ''",
    "SELECT subject_id FROM vault.subject_keys ORDER BY names",
    "COPY (SELECT names FROM vault.subject_keys) TO STDOUT",
    "SELECT both_for_recovery FROM vault.school_keys",
    "SELECT * FROM vault.school_keys",
    "SELECT both_keys FROM vault.login_keys",
    "SELECT public_key FROM vault.login_keys",
    "SELECT count(*) FROM vault.login_keys",
    "SELECT count(*) FROM vault.sessions",
    "SELECT names FROM vault.sessions",
    "SELECT record FROM vault.sessions",
    "SELECT token_hash FROM vault.sessions",
    "SELECT count(*) FROM vault.usernames",
    "SELECT digest FROM vault.usernames",
    "SELECT vault.events_of(gen_random_uuid(), gen_random_uuid(), gen_random_uuid())",
    "UPDATE vault.school_keys SET generation = generation",
    "UPDATE vault.school_keys SET both_for_recovery = NULL",
    "UPDATE vault.subject_keys SET record = record",
    "UPDATE vault.subject_keys SET names = ''",
    "UPDATE vault.login_keys SET both_keys = NULL, revoked_at = now()",
    "UPDATE vault.sessions SET last_used_at = now()",
    "DELETE FROM vault.school_keys",
    "DELETE FROM vault.login_keys",
    "DELETE FROM vault.subject_keys",
    "DELETE FROM vault.usernames",
    "DELETE FROM vault.sessions",
    "INSERT INTO vault.usernames SELECT school_id, digest || '\\x00', staff_id FROM vault.usernames",
)
"""What would give a worker a name, a login or a session, or would let it take one away."""


def check_refused(two: TwoSchools, role: str, statements: tuple[str, ...]) -> None:
    """Tries each statement as a role, bound to a school and to none.

    Raises:
        AssertionError: One of them was not refused.
    """
    with two.database.connect(role) as session:
        for statement in statements:
            for school_id in (two.here, None):
                assert refused(session, school_id, statement), statement


def test_the_worker_can_read_no_names_key_no_login_and_no_session(two: TwoSchools) -> None:
    check_refused(two, WORKER, WORKER_MAY_NOT)


def test_the_worker_reads_record_keys_of_its_school(two: TwoSchools) -> None:
    with two.database.connect(WORKER) as session:
        columns = "school_id, subject_id, generation, school_generation, record"
        seen = f"SELECT {columns} FROM vault.subject_keys"
        assert {row[0] for row in run(session, two.here, seen)} == {two.here}
        assert run(session, None, seen) == []
        known = "SELECT school_id, generation, service_key, record_for_service FROM vault.school_keys"
        assert {row[0] for row in run(session, two.here, known)} >= {two.here, two.there}


def test_the_worker_wraps_the_keys_of_its_school_anew_and_no_others(two: TwoSchools) -> None:
    wrap = (
        "UPDATE vault.school_keys SET service_key = 'k', record_for_service = '' WHERE school_id = %(school)s"
    )
    with two.database.connect(WORKER) as session:
        assert run(session, two.here, wrap, school=two.here) == [()]
        assert run(session, two.here, wrap, school=two.there) == []
        assert run(session, None, wrap, school=two.here) == []


GRANTS = (
    "GRANT SELECT ON vault.subject_keys TO target_tracker_worker",
    "GRANT SELECT (names) ON vault.subject_keys TO target_tracker_worker",
    "GRANT SELECT ON vault.school_keys TO target_tracker_worker",
    "GRANT SELECT ON vault.login_keys TO target_tracker_worker",
    "GRANT SELECT ON vault.sessions TO target_tracker_worker",
    "GRANT SELECT ON vault.usernames TO target_tracker_worker",
    "GRANT DELETE ON vault.subject_keys TO target_tracker_worker",
)


@pytest.mark.parametrize("grant", GRANTS)
def test_a_grant_too_many_is_found_out(two: TwoSchools, grant: str) -> None:
    """The sabotaged twin."""
    with two.database.connect("postgres") as owner:
        owner.execute(grant.encode())
        try:
            with pytest.raises(AssertionError):
                check_refused(two, WORKER, WORKER_MAY_NOT)
        finally:
            owner.execute(grant.replace("GRANT", "REVOKE", 1).replace(" TO ", " FROM ").encode())
            # Taking a whole table back takes its columns back, too: they are given again.
            owner.execute(
                b"GRANT SELECT (school_id, generation, service_key, record_for_service) ON vault.school_keys"
                b" TO target_tracker_worker"
            )
            owner.execute(
                b"GRANT SELECT (school_id, subject_id, generation, school_generation, record)"
                b" ON vault.subject_keys TO target_tracker_worker"
            )
    check_refused(two, WORKER, WORKER_MAY_NOT)


# The API.

API_MAY_NOT = (
    "UPDATE vault.school_keys SET school_id = school_id",
    "UPDATE vault.login_keys SET public_key = ''",
    "UPDATE vault.login_keys SET key_id = gen_random_uuid()",
    "UPDATE vault.login_keys SET issued_at = now()",
    "UPDATE vault.login_keys SET school_id = school_id",
    "UPDATE vault.subject_keys SET subject_id = gen_random_uuid()",
    "UPDATE vault.subject_keys SET generation = 2",
    "UPDATE vault.subject_keys SET school_id = school_id",
    "UPDATE vault.usernames SET staff_id = gen_random_uuid()",
    "UPDATE vault.usernames SET digest = digest",
    "UPDATE vault.sessions SET staff_id = gen_random_uuid()",
    "UPDATE vault.sessions SET key_id = gen_random_uuid()",
    "UPDATE vault.sessions SET session_id = gen_random_uuid()",
    "UPDATE vault.sessions SET token_hash = token_hash",
    "UPDATE vault.sessions SET names = ''",
    "UPDATE vault.sessions SET record = ''",
    "UPDATE vault.sessions SET opened_at = now()",
    "DELETE FROM vault.school_keys",
    "DELETE FROM vault.login_keys",
    "TRUNCATE vault.school_keys",
    "TRUNCATE vault.login_keys",
    "TRUNCATE vault.subject_keys",
    "TRUNCATE vault.usernames",
    "TRUNCATE vault.sessions",
    "ALTER TABLE vault.subject_keys DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE vault.subject_keys NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY one_school ON vault.subject_keys",
    "CREATE TABLE vault.mine ()",
    "CREATE FUNCTION vault.mine() RETURNS int LANGUAGE sql RETURN 1",
)
"""What nothing that the API does needs."""


def test_the_api_cannot_change_what_it_must_not(two: TwoSchools) -> None:
    check_refused(two, API, API_MAY_NOT)


def test_the_statements_are_right(two: TwoSchools) -> None:
    """A superuser may do all of it: they are refused for want of privilege, and not for an error in them."""
    with two.database.connect("postgres") as session:
        for statement in (*WORKER_MAY_NOT, *API_MAY_NOT):
            if not statement.startswith("COPY"):
                run(session, two.here, statement)


# Analytics.


def test_analytics_has_no_privilege_on_any_column(two: TwoSchools) -> None:
    columns = (
        "SELECT a.attrelid::regclass::text || '.' || a.attname FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid AND c.relnamespace = 'vault'::regnamespace"
        " AND c.relkind IN ('r', 'p') WHERE a.attnum > 0 AND NOT a.attisdropped"
    )
    granted = (
        " AND (has_schema_privilege(%(role)s, 'vault', 'USAGE')"
        " OR has_column_privilege(%(role)s, a.attrelid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES')"
        " OR has_table_privilege(%(role)s, a.attrelid, 'DELETE, TRUNCATE, TRIGGER'))"
    )
    with two.database.connect("postgres") as session:
        assert len(run(session, None, columns)) >= 25
        assert run(session, None, columns + granted, role=ANALYTICS) == []
        # The same question finds what the others may.
        assert run(session, None, columns + granted, role=WORKER)
        assert run(session, None, columns + granted, role=API)
    check_refused(two, ANALYTICS, tuple(f"SELECT FROM vault.{table}" for table in TABLES))


# Other schools.


def check_one_school_is_seen(two: TwoSchools, role: str, table: str) -> None:
    """Looks for rows of another school.

    Raises:
        AssertionError: There are some.
    """
    seen = f"SELECT DISTINCT school_id FROM vault.{table}"
    with two.database.connect(role) as session:
        assert run(session, None, seen) == []
        assert run(session, two.here, seen) == [(two.here,)]
        assert run(session, two.there, seen) == [(two.there,)]
        assert run(session, two.here, f"{seen} WHERE school_id = %(other)s", other=two.there) == []


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("role", [API, OWNER])
def test_rows_of_another_school_are_invisible(two: TwoSchools, role: str, table: str) -> None:
    check_one_school_is_seen(two, role, table)


def test_rows_of_another_school_are_invisible_to_the_worker(two: TwoSchools) -> None:
    """It finds which schools are to be wrapped anew; of their people it sees one school's at a time."""
    check_one_school_is_seen(two, WORKER, "subject_keys")


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_is_not_confined_is_found_out(two: TwoSchools, table: str) -> None:
    """The sabotaged twin."""
    with two.database.connect("postgres") as owner:
        owner.execute(f"ALTER TABLE vault.{table} DISABLE ROW LEVEL SECURITY".encode())
        try:
            with pytest.raises(AssertionError):
                check_one_school_is_seen(two, API, table)
        finally:
            owner.execute(f"ALTER TABLE vault.{table} ENABLE ROW LEVEL SECURITY".encode())
    check_one_school_is_seen(two, API, table)


@pytest.mark.parametrize("table", TABLES)
def test_nobody_writes_into_another_school(two: TwoSchools, table: str) -> None:
    with two.database.connect("postgres") as session:
        row = run(session, None, f"SELECT t FROM vault.{table} t WHERE school_id = %(o)s", o=two.there)[0][0]
    copy = f"INSERT INTO vault.{table} SELECT (%(row)s::vault.{table}).* ON CONFLICT DO NOTHING"
    with two.database.connect(API) as session:
        assert refused(session, two.here, copy, row=row)
        assert refused(session, None, copy, row=row)
        assert run(session, two.there, copy, row=row) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vault.school_keys SET record_for_service = '' WHERE school_id = %(other)s",
        "UPDATE vault.login_keys SET both_keys = NULL, revoked_at = now() WHERE school_id = %(other)s",
        "UPDATE vault.subject_keys SET names = '' WHERE school_id = %(other)s",
        "DELETE FROM vault.subject_keys WHERE school_id = %(other)s",
        "DELETE FROM vault.usernames WHERE school_id = %(other)s",
        "DELETE FROM vault.sessions WHERE school_id = %(other)s",
        "UPDATE vault.sessions SET last_used_at = now() WHERE school_id = %(other)s",
    ],
)
def test_what_the_api_may_do_it_does_to_its_own_school(two: TwoSchools, statement: str) -> None:
    with two.database.connect(API) as session:
        assert run(session, two.here, statement, other=two.there) == []
        assert run(session, None, statement, other=two.there) == []
        assert len(run(session, two.there, statement, other=two.there)) >= 1


def test_keys_beside_events_are_of_the_school_that_is_asked_for(two: TwoSchools) -> None:
    """`vault.events_of` binds itself to the school that it is asked for, and finds no other's keys."""
    ask = "SELECT keys FROM vault.events_of(%(school)s, %(originator)s, %(subject)s)"
    with two.database.connect(API) as session:
        own = run(session, None, ask, school=two.here, originator=two.here, subject=two.here)
        assert own
        assert own[0][0]
        assert run(session, None, ask, school=two.here, originator=two.there, subject=two.there) == []
        mixed = run(session, None, ask, school=two.here, originator=two.here, subject=two.there)
        assert {row[0] for row in mixed} == {None}
