"""The analysts' role tries everything: it reads `analytics`, and whatever else it can do harms nobody.

What is tried comes from the catalogue, so that a table of tomorrow is tried tomorrow. Each way in is also
opened once, to see that the same trial finds it.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from domain.ledger.database import Database
from domain.ledger.persistence import close_shared_database
from scripts.embedded import OWNER
from tests.application.conftest import RegisteredSchool, registered_school
from tests.application.examples import admitted, child
from tests.conftest import TestDatabase
from tests.keys import schools_of
from tests.ledger.roles import ANALYTICS, WORKER
from tests.projections import privileges
from tests.projections.catching_up import caught_up
from tests.projections.privileges import Session
from tests.projections.test_analysts import READABLE


@pytest.fixture
def school(test_database: TestDatabase, worker_database: Database) -> Iterator[RegisteredSchool]:
    """A school with a child, who has been projected, in a database that has been analysed."""
    school = registered_school(schools_of(test_database.conninfo()))
    admitted(school.application, school.teacher, child(1))
    caught_up(worker_database)
    with test_database.connect("postgres") as superuser:
        superuser.execute("ANALYZE")
    yield school
    close_shared_database(test_database.conninfo())


@pytest.fixture
def analyst(school: RegisteredSchool, test_database: TestDatabase) -> Iterator[Session]:
    with test_database.connect(ANALYTICS) as session:
        yield session


@pytest.fixture
def superuser(school: RegisteredSchool, test_database: TestDatabase) -> Iterator[Session]:
    with test_database.connect("postgres") as session:
        yield session


def of_school(school: RegisteredSchool) -> list[str]:
    """What is told of a school and its child anywhere in the database: ids, and what is a public fact."""
    return [str(school.application.school_id), *map(str, school.application.roll()), school.urn]


# --- Reading ---


def test_analysts_read_the_released_tables_alone(analyst: Session, superuser: Session) -> None:
    names = privileges.relations(superuser)
    assert len(names) > 30
    assert privileges.readable(superuser, names) == names
    assert privileges.readable(analyst, names) == READABLE


@pytest.mark.parametrize(
    ("grants", "found"),
    [
        (["GRANT USAGE ON SCHEMA ledger", "GRANT SELECT ON ledger.schools"], "ledger.schools"),
        (["GRANT USAGE ON SCHEMA migrations", "GRANT SELECT ON migrations.applied"], "migrations.applied"),
        (["GRANT pg_read_all_data"], "ledger.schools"),
    ],
    ids=["a table", "another table", "a role that reads all"],
)
def test_a_table_that_was_granted_would_be_found(
    analyst: Session, superuser: Session, grants: list[str], found: str
) -> None:
    try:
        for grant in grants:
            superuser.execute(f"{grant} TO {ANALYTICS}".encode())
        names = privileges.relations(superuser)
        assert found in names, "the twin is about a table that there is"
        assert found in privileges.readable(analyst, names)
    finally:
        superuser.execute(f"REVOKE pg_read_all_data FROM {ANALYTICS}".encode())


def test_what_postgresql_shows_everybody_tells_nothing_of_a_school(
    analyst: Session, superuser: Session, school: RegisteredSchool
) -> None:
    """Its own tables and views, statistics of columns among them: what can be read of them names nothing."""
    names = privileges.system_relations(superuser)
    assert len(names) > 150
    assert privileges.found_in(analyst, names, of_school(school)) == []
    # The twin: somebody who may read more finds the same school in the statistics of columns.
    assert {"pg_catalog.pg_statistic", "pg_catalog.pg_stats"} <= set(
        privileges.found_in(superuser, names, of_school(school))
    )


def test_what_others_are_doing_is_not_shown(
    analyst: Session, superuser: Session, test_database: TestDatabase
) -> None:
    canary = f"canary {secrets.token_hex(8)}"
    with test_database.connect(WORKER) as worker:
        worker.execute(f"SELECT '{canary}'".encode())
        statement = b"SELECT t::text FROM pg_stat_activity t"
        assert not any(canary in str(row[0]) for row in analyst.execute(statement))
        assert any(canary in str(row[0]) for row in superuser.execute(statement))


# --- Changing, calling, becoming ---


def test_analysts_change_nothing_anywhere(analyst: Session, superuser: Session) -> None:
    names = privileges.relations(superuser)
    assert privileges.done(analyst, privileges.changes(names)) == []


def test_a_table_that_could_be_changed_would_be_found(analyst: Session, superuser: Session) -> None:
    superuser.execute(f"GRANT INSERT ON analytics.withdrawals TO {ANALYTICS}".encode())
    assert set(privileges.done(analyst, privileges.changes(privileges.relations(superuser)))) == {
        "INSERT INTO analytics.withdrawals SELECT * FROM analytics.withdrawals WHERE false",
        "LOCK TABLE analytics.withdrawals IN ROW EXCLUSIVE MODE",
    }


def test_of_postgresqls_own_tables_they_change_their_settings_alone(
    analyst: Session, superuser: Session
) -> None:
    """`pg_settings` is a way to say SET, for the session that says it, so PostgreSQL lets all update it."""
    statements = list(privileges.changes(privileges.system_relations(superuser)))
    lock = "LOCK TABLE pg_catalog.pg_settings IN ROW EXCLUSIVE MODE"
    assert privileges.done(analyst, statements) == [lock]
    analyst.execute("UPDATE pg_settings SET setting = 'mine' WHERE name = 'application_name'")
    assert superuser.execute(
        "SELECT count(*) FROM pg_settings WHERE name = 'application_name' AND setting = 'mine'"
    ).fetchone() == (0,)


def test_analysts_call_nothing_of_ours(analyst: Session, superuser: Session) -> None:
    calls = privileges.calls(superuser)
    assert any("ledger.append" in call for call in calls)
    assert privileges.done(analyst, calls) == []
    # The twin: one that was granted is found.
    granted = next(call for call in calls if "leaf_hash" in call)
    superuser.execute(f"GRANT USAGE ON SCHEMA ledger TO {ANALYTICS}".encode())
    superuser.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ledger TO {ANALYTICS}".encode())
    assert granted in privileges.done(analyst, calls)


def test_analysts_become_nobody_else(analyst: Session, superuser: Session) -> None:
    others = [name for name in privileges.roles(superuser) if name != ANALYTICS]
    assert {OWNER, WORKER, "postgres", "pg_read_all_data", "pg_execute_server_program"} <= set(others)
    tries = [
        statement
        for name in others
        for statement in (
            f"SET ROLE {name}",
            f"SET SESSION AUTHORIZATION {name}",
            f"GRANT {name} TO {ANALYTICS}",
            f"ALTER ROLE {name} PASSWORD 'mine'",
            f"ALTER ROLE {name} SET search_path = public",
            f"DROP ROLE {name}",
            f"REASSIGN OWNED BY {name} TO {ANALYTICS}",
        )
    ]
    assert privileges.done(analyst, tries) == []
    superuser.execute(f"GRANT {WORKER} TO {ANALYTICS}".encode())
    try:
        assert f"SET ROLE {WORKER}" in privileges.done(analyst, tries)
    finally:
        superuser.execute(f"REVOKE {WORKER} FROM {ANALYTICS}".encode())


# --- Making ---

MADE = (
    "CREATE TEMPORARY TABLE mine (a int)",
    "CREATE TEMPORARY SEQUENCE mine",
    "CREATE TEMPORARY VIEW mine AS SELECT 1",
    "SELECT 1 INTO TEMPORARY mine",
    "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "CREATE FOREIGN DATA WRAPPER mine",
    "CREATE SERVER mine FOREIGN DATA WRAPPER mine",
    "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION mine()",
    "CREATE PUBLICATION mine FOR ALL TABLES",
    "CREATE PUBLICATION mine",
    "CREATE TRUSTED LANGUAGE mine HANDLER plpgsql_call_handler",
    "CREATE CAST (text AS int) WITH INOUT",
    "ALTER DEFAULT PRIVILEGES FOR ROLE target_tracker_owner GRANT SELECT ON TABLES TO PUBLIC",
    "ALTER SCHEMA analytics RENAME TO mine",
    "COMMENT ON SCHEMA analytics IS 'mine'",
    "GRANT USAGE ON SCHEMA ledger TO PUBLIC",
    "ALTER SYSTEM SET log_statement = 'all'",
    "SET log_statement = 'all'",
    "SET session_replication_role = 'replica'",
    "PREPARE TRANSACTION 'mine'",
    "CHECKPOINT",
)
"""What would leave something behind, or change the server; temporary things too."""


def files(folder: Path) -> list[str]:
    """Ways to the server's files, programs, other sessions and other servers."""
    return [
        f"COPY analytics.benchmarks TO '{folder}/mine'",
        f"COPY (SELECT 1) TO '{folder}/mine'",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "COPY analytics.symbols FROM '/etc/passwd'",
        "COPY analytics.symbols FROM PROGRAM 'echo'",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT pg_read_binary_file('PG_VERSION')",
        "SELECT pg_stat_file('PG_VERSION')",
        "SELECT pg_ls_dir('.')",
        "SELECT * FROM pg_ls_logdir()",
        "SELECT * FROM pg_ls_waldir()",
        f"SELECT lo_export(1, '{folder}/mine')",
        "SELECT pg_reload_conf()",
        "SELECT pg_rotate_logfile()",
        "SELECT pg_switch_wal()",
        "SELECT pg_create_restore_point('mine')",
        "SELECT pg_backup_start('mine')",
        "SELECT pg_create_physical_replication_slot('mine')",
        "SELECT pg_create_logical_replication_slot('mine', 'pgoutput')",
        "SELECT pg_stat_reset()",
        "SELECT pg_log_backend_memory_contexts(pg_backend_pid())",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'target_tracker_worker'",
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'target_tracker_worker'",
        "LOAD 'auto_explain'",
        "CREATE SUBSCRIPTION mine CONNECTION 'host=127.0.0.1' PUBLICATION p WITH (connect = false)",
        "SELECT query_to_xml('SELECT * FROM ledger.events', true, true, '')",
        "SELECT table_to_xml('ledger.events', true, true, '')",
        "SELECT database_to_xml(true, true, '') FROM ledger.events",
        "SELECT pg_sequence_last_value('ledger.events'::regclass)",
        "SELECT * FROM pg_hba_file_rules",
        "SELECT * FROM pg_file_settings",
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_largeobject",
        "SELECT * FROM pg_statistic",
        "SELECT * FROM pg_user_mapping",
        "SELECT subconninfo FROM pg_subscription",
    ]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the server could write to, whoever it runs as."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


def test_analysts_make_nothing(analyst: Session, superuser: Session, open_folder: Path) -> None:
    in_schemas = [
        f"CREATE {what}"
        for schema in privileges.schemas(superuser)
        for what in (
            f"TABLE {schema}.mine (a int)",
            f"VIEW {schema}.mine AS SELECT 1",
            f"SEQUENCE {schema}.mine",
            f"TYPE {schema}.mine AS (a int)",
            f"FUNCTION {schema}.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        )
    ]
    extensions = [f"CREATE EXTENSION {name}" for name in privileges.extensions(superuser)]
    assert len(in_schemas) > 50
    assert extensions
    with psycopg.connect(superuser.info.dsn, password=superuser.info.password):
        assert privileges.done(analyst, [*MADE, *in_schemas, *extensions, *files(open_folder)]) == []
    assert list(open_folder.iterdir()) == []


def test_what_could_be_made_would_be_found(
    analyst: Session, superuser: Session, test_database: TestDatabase, open_folder: Path
) -> None:
    """The twin: the superuser does much of it, and with a grant so does the analyst."""
    superuser.execute(f"GRANT TEMPORARY, CREATE ON DATABASE {test_database.name} TO {ANALYTICS}".encode())
    superuser.execute(f"GRANT pg_write_server_files TO {ANALYTICS}".encode())
    try:
        found = privileges.done(analyst, [*MADE, *files(open_folder)])
    finally:
        superuser.execute(f"REVOKE pg_write_server_files FROM {ANALYTICS}".encode())
    assert {
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE PUBLICATION mine",
        f"COPY analytics.benchmarks TO '{open_folder}/mine'",
    } <= set(found)
    assert len(privileges.done(superuser, MADE)) > 10


def test_analysts_keep_no_large_objects(analyst: Session, superuser: Session) -> None:
    """PostgreSQL lets everybody make them; whoever sets the database up takes that away."""
    tries = privileges.writers_of_large_objects(superuser)
    assert len(tries) == 4
    assert privileges.done(analyst, tries) == []
    superuser.execute("GRANT EXECUTE ON FUNCTION pg_catalog.lo_create(oid) TO PUBLIC")
    assert privileges.done(analyst, tries) == ["SELECT lo_create(0)"]


# --- What is left to everybody, and why it harms nobody ---


def test_notifying_wakes_workers_and_says_nothing(
    analyst: Session, worker_database: Database, school: RegisteredSchool, test_database: TestDatabase
) -> None:
    """NOTIFY and LISTEN cannot be refused to anybody. A hint makes a worker look; it carries nothing."""
    with test_database.connect(WORKER) as listening:
        listening.execute("LISTEN target_tracker_appended")
        analyst.execute("NOTIFY target_tracker_appended, 'mine'")
        assert len(list(listening.notifies(timeout=5, stop_after=1))) == 1
    caught_up(worker_database)
    analyst.execute("LISTEN target_tracker_appended")
    admitted(school.application, school.teacher, child(2))
    heard = list(analyst.notifies(timeout=5, stop_after=1))
    assert [each.payload for each in heard] == [""], "that something was appended, and not where"


def test_a_message_in_the_log_of_writes_reaches_nobody(analyst: Session, superuser: Session) -> None:
    """Everybody may write one; only logical decoding would read it, for which the server is not set up."""
    analyst.execute("SELECT pg_logical_emit_message(true, 'mine', 'mine')")
    assert superuser.execute("SELECT count(*) FROM pg_replication_slots").fetchone() == (0,)
    assert superuser.execute("SHOW wal_level").fetchone() != ("logical",)


def test_a_lock_of_theirs_can_delay_and_is_seen(analyst: Session, superuser: Session) -> None:
    """Everybody may take advisory locks, and read locks of what they read; who holds one is found."""
    analyst.execute("SELECT pg_advisory_lock(hashtext('analytics.releases'))")
    [(pid,)] = superuser.execute(
        "SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid) "
        f"WHERE locktype = 'advisory' AND granted AND usename = '{ANALYTICS}'".encode()
    ).fetchall()
    assert superuser.execute("SELECT pg_terminate_backend(%s)", [pid]).fetchone() == (True,)
    with pytest.raises(psycopg.OperationalError):
        analyst.execute("SELECT 1")


def test_their_own_session_is_theirs(analyst: Session) -> None:
    """A DO block does what its statements may do; a setting of the session's is nobody else's."""
    refused = "DO $$ BEGIN PERFORM count(*) FROM ledger.events; END $$"
    own = ["DO $$ BEGIN PERFORM 1; END $$", f"ALTER ROLE {ANALYTICS} PASSWORD 'mine'"]
    assert privileges.done(analyst, [*own, refused]) == own
    analyst.execute("SET target_tracker.school_id = '00000000-0000-0000-0000-000000000001'")
    analyst.execute("SET row_security = off")
    assert privileges.readable(analyst, ["ledger.events", "projections.pupils", "vault.subject_keys"]) == []
