"""What each role may do: the database itself refuses everything else."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent, Tracking

from domain.identifiers import new_id
from domain.ledger import photographs
from domain.ledger.database import Database, bound
from domain.ledger.photographs import Role
from domain.ledger.recorders import SnapshotRecorder, StreamTrackingRecorder
from domain.ledger.stream import Command, Stream, register_school
from scripts.embedded import OWNER
from tests.conftest import TestDatabase
from tests.ledger.roles import ANALYTICS, API, WORKER, refused, run

TABLES = ("streams", "events", "commands", "snapshots", "tracking", "photographs")
"""The tables of the ledger that hold a school's rows."""

OF_NO_SCHOOL = {
    "ledger.schools": "a school's id is looked up in it, before there is one to be bound to; public facts",
}
"""The tables with a `school_id` that row-level security does not confine, and why."""


@pytest.fixture
def other_id(database: Database, stream: Stream) -> UUID:
    """Another school; both have a row in every table of the ledger."""
    other_id = new_id()
    with database.bound_to(other_id) as connection:
        register_school(connection, other_id, "100002")
    for school_id in (stream.school_id, other_id):
        Stream(database, school_id).append(
            [StoredEvent(new_id(), 1, "pupil.admitted.1", b"state")], command=Command(new_id(), b"f", b"r")
        )
        SnapshotRecorder(database, school_id).insert_events([StoredEvent(new_id(), 1, "snapshot", b"s")])
        with database.bound_to(school_id) as connection:
            photographs.add(connection, school_id, new_id(), new_id(), Role.PHOTOGRAPH, b"sealed")
        StreamTrackingRecorder(database, school_id).insert_tracking(Tracking("upstream", 1))
    return other_id


CHANGES = (
    "UPDATE ledger.events SET state = ''",
    "UPDATE ledger.events SET recorded_at = now() WHERE position = 1",
    "UPDATE ledger.events SET school_id = school_id",
    "DELETE FROM ledger.events",
    "DELETE FROM ledger.events WHERE position = 1",
    "TRUNCATE ledger.events",
    "TRUNCATE ledger.streams, ledger.events, ledger.commands",
    "INSERT INTO ledger.events SELECT * FROM ledger.events"
    " ON CONFLICT (school_id, position) DO UPDATE SET state = ''",
    "MERGE INTO ledger.events e USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    "SELECT * FROM ledger.events FOR UPDATE",
    "LOCK TABLE ledger.events IN ACCESS EXCLUSIVE MODE",
    "ALTER TABLE ledger.events DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE ledger.events DISABLE TRIGGER ALL",
    "ALTER TABLE ledger.events ADD COLUMN extra text",
    "CREATE INDEX ON ledger.events (state)",
    "CREATE RULE nothing AS ON INSERT TO ledger.events DO INSTEAD NOTHING",
    "CREATE TRIGGER t BEFORE INSERT ON ledger.events EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "DROP POLICY one_school ON ledger.events",
    "DROP TABLE ledger.events",
    "DELETE FROM ledger.streams",
    "UPDATE ledger.streams SET school_id = school_id",
    "UPDATE ledger.photographs SET sealed = ''",
    "UPDATE ledger.photographs SET pupil_id = gen_random_uuid()",
    "UPDATE ledger.photographs SET school_id = school_id",
    "DELETE FROM ledger.photographs",
    "TRUNCATE ledger.photographs",
    "INSERT INTO ledger.photographs SELECT * FROM ledger.photographs"
    " ON CONFLICT (school_id, photograph_id, role) DO UPDATE SET sealed = ''",
    "SELECT * FROM ledger.photographs FOR UPDATE",
    "ALTER TABLE ledger.photographs DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE ledger.photographs NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY one_school ON ledger.photographs",
    "UPDATE ledger.commands SET result = ''",
    "DELETE FROM ledger.commands",
    "UPDATE ledger.schools SET urn = '999999' WHERE urn = '100001'",
    "DELETE FROM ledger.schools",
    "CREATE TABLE ledger.mine ()",
    "CREATE TABLE public.mine ()",
    "CREATE SCHEMA mine",
    f"SET ROLE {OWNER}",
    "SET session_replication_role = replica",
    "CREATE FUNCTION ledger.mine() RETURNS int LANGUAGE sql RETURN 1",
    "UPDATE migrations.applied SET digest = ''",
    "SELECT * FROM migrations.applied",
    "COPY (SELECT 1) TO PROGRAM 'cat > /dev/null'",
)


@pytest.mark.parametrize("role", [API, WORKER, ANALYTICS])
def test_history_cannot_be_changed(
    test_database: TestDatabase, stream: Stream, other_id: UUID, role: str
) -> None:
    with test_database.connect(role) as session:
        for statement in CHANGES:
            assert refused(session, stream.school_id, statement), statement


def test_the_statements_are_right(test_database: TestDatabase, stream: Stream, other_id: UUID) -> None:
    """A superuser may do all of it: they are refused for want of privilege, and not for an error in them."""
    with test_database.connect("postgres") as session:
        for statement in CHANGES:
            run(session, stream.school_id, statement)


@pytest.mark.parametrize("table", TABLES)
def test_the_api_sees_one_school_only(
    test_database: TestDatabase, stream: Stream, other_id: UUID, table: str
) -> None:
    seen = f"SELECT DISTINCT school_id FROM ledger.{table}"
    with test_database.connect("postgres") as session:
        assert set(run(session, None, seen)) == {(stream.school_id,), (other_id,)}
    with test_database.connect(API) as session:
        assert run(session, None, seen) == []
        assert run(session, stream.school_id, seen) == [(stream.school_id,)]
        assert run(session, other_id, seen) == [(other_id,)]
        assert run(session, new_id(), seen) == []
        assert run(session, stream.school_id, f"{seen} WHERE school_id = %(other)s", other=other_id) == []


@pytest.mark.parametrize("table", TABLES)
def test_nobody_writes_into_another_school(
    test_database: TestDatabase, stream: Stream, other_id: UUID, table: str
) -> None:
    with test_database.connect("postgres") as session:
        values = run(session, None, f"SELECT t FROM ledger.{table} t WHERE school_id = %(o)s", o=other_id)[0][
            0
        ]
    copy = f"INSERT INTO ledger.{table} SELECT (%(row)s::ledger.{table}).*"
    with test_database.connect(API) as session:
        assert refused(session, stream.school_id, copy, row=values)
        assert refused(session, None, copy, row=values)
        # Bound to that school, the row is refused for being there, and not by the policy.
        with pytest.raises(psycopg.errors.UniqueViolation):
            run(session, other_id, copy, row=values)


def test_the_head_of_another_school_cannot_be_moved(
    test_database: TestDatabase, stream: Stream, other_id: UUID
) -> None:
    move = "UPDATE ledger.streams SET recorded_at = now() WHERE school_id = %(other)s"
    with test_database.connect(API) as session:
        assert run(session, stream.school_id, move, other=other_id) == []
        assert run(session, None, move, other=other_id) == []
        assert run(session, other_id, move, other=other_id) == [()]


def test_a_binding_ends_with_its_transaction(
    test_database: TestDatabase, stream: Stream, other_id: UUID
) -> None:
    with test_database.connect(API) as session:
        with bound(session, stream.school_id):
            assert session.execute("SELECT count(*) FROM ledger.events").fetchall() == [(1,)]
        assert session.execute("SELECT count(*) FROM ledger.events").fetchall() == [(0,)]
        session.execute("SELECT * FROM ledger.events_of(%s, %s)", [stream.school_id, new_id()])
        assert session.execute("SELECT count(*) FROM ledger.events").fetchall() == [(0,)]


@pytest.mark.parametrize("garbage", ["nobody", "' OR true --", "%"])
def test_a_garbled_binding_sees_nothing(
    test_database: TestDatabase, stream: Stream, other_id: UUID, garbage: str
) -> None:
    with test_database.connect(API) as session:
        session.execute("SELECT set_config('target_tracker.school_id', %s, false)", [garbage])
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            session.execute("SELECT * FROM ledger.events")
        session.execute("SELECT set_config('target_tracker.school_id', '', false)")
        assert session.execute("SELECT * FROM ledger.events").fetchall() == []


def test_the_worker_reads_heads_and_one_schools_events(
    test_database: TestDatabase, stream: Stream, other_id: UUID
) -> None:
    with test_database.connect(WORKER) as session:
        assert len(run(session, None, "SELECT FROM ledger.streams")) == 2
        assert run(session, None, "SELECT FROM ledger.events") == []
        assert run(session, stream.school_id, "SELECT school_id FROM ledger.events") == [(stream.school_id,)]


PHOTOGRAPHS = (
    "SELECT * FROM ledger.photographs",
    "SELECT count(*) FROM ledger.photographs",
    "SELECT pupil_id FROM ledger.photographs",
)


@pytest.mark.parametrize("role", [WORKER, ANALYTICS])
def test_photographs_are_for_the_api_alone(
    test_database: TestDatabase, stream: Stream, other_id: UUID, role: str
) -> None:
    with test_database.connect(role) as session:
        for statement in PHOTOGRAPHS:
            for school_id in (None, stream.school_id):
                assert refused(session, school_id, statement), statement
    with test_database.connect("postgres") as owner:
        for grant in (
            "USAGE ON SCHEMA ledger",
            "EXECUTE ON FUNCTION ledger.bound_school",
            "SELECT ON ledger.photographs",
        ):
            owner.execute(f"GRANT {grant} TO {role}".encode())
    with test_database.connect(role) as session:  # the sabotaged twin
        assert not any(refused(session, stream.school_id, statement) for statement in PHOTOGRAPHS)


WRITES = (
    "INSERT INTO ledger.events SELECT * FROM ledger.events",
    "INSERT INTO ledger.streams (school_id) VALUES (gen_random_uuid())",
    "UPDATE ledger.streams SET position = position",
    "INSERT INTO ledger.schools VALUES ('999999', gen_random_uuid())",
    "INSERT INTO ledger.commands SELECT * FROM ledger.commands",
    "INSERT INTO ledger.photographs SELECT * FROM ledger.photographs",
    "INSERT INTO ledger.snapshots SELECT * FROM ledger.snapshots",
    "INSERT INTO ledger.tracking SELECT * FROM ledger.tracking",
    "SELECT ledger.append(gen_random_uuid(), '{}', '{}', '{}', '{}')",
)


@pytest.mark.parametrize("role", [WORKER, ANALYTICS])
def test_only_the_api_writes_the_ledger(
    test_database: TestDatabase, stream: Stream, other_id: UUID, role: str
) -> None:
    with test_database.connect(role) as session:
        for statement in WRITES:
            assert refused(session, stream.school_id, statement), statement


TABLES_OF_SCHEMAS = (
    "SELECT format('%%I.%%I', n.nspname, c.relname)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1"
)


def test_analytics_reads_nothing_of_ledger_and_vault(
    test_database: TestDatabase, stream: Stream, other_id: UUID
) -> None:
    with test_database.connect("postgres") as session:
        tables = [row[0] for row in run(session, None, TABLES_OF_SCHEMAS, schemas=["ledger", "vault"])]
        callable_functions = run(
            session,
            None,
            "SELECT oid::regprocedure::text FROM pg_proc"
            " WHERE pronamespace::regnamespace::text IN ('ledger', 'vault')"
            " AND has_function_privilege(%(role)s, oid, 'EXECUTE')",
            role=ANALYTICS,
        )
    assert callable_functions == []
    assert len(tables) >= len(TABLES) + 1
    with test_database.connect(ANALYTICS) as session:
        for table in tables:
            for school_id in (None, stream.school_id):
                assert refused(session, school_id, f"SELECT * FROM {table}"), table
                assert refused(session, school_id, f"SELECT count(*) FROM {table}"), table


@pytest.mark.parametrize("table", TABLES)
def test_the_owner_is_confined_too(
    test_database: TestDatabase, stream: Stream, other_id: UUID, table: str
) -> None:
    seen = f"SELECT DISTINCT school_id FROM ledger.{table}"
    with test_database.connect(OWNER) as session:
        assert run(session, None, seen) == []
        assert run(session, stream.school_id, seen) == [(stream.school_id,)]


def test_every_table_of_schools_is_confined(test_database: TestDatabase) -> None:
    """In every schema, those that come later too."""
    with test_database.connect("postgres") as session:
        tables = run(
            session,
            None,
            "SELECT format('%%I.%%I', n.nspname, c.relname), c.relrowsecurity, c.relforcerowsecurity,"
            "   (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid)"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'school_id' AND NOT a.attisdropped"
            " WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')",
        )
    confined = {name for name, enabled, forced, policies in tables if enabled and forced and policies}
    everything = {name for name, *_ in tables}
    assert everything - confined == OF_NO_SCHOOL.keys()
    assert everything >= {f"ledger.{table}" for table in TABLES}


def test_no_role_escapes_row_level_security(test_database: TestDatabase) -> None:
    with test_database.connect("postgres") as session:
        roles = run(
            session,
            None,
            "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname LIKE 'target_tracker%%'",
        )
        powers = run(
            session,
            None,
            "SELECT oid::regprocedure::text FROM pg_proc WHERE prosecdef"
            " AND pronamespace::regnamespace::text IN ('ledger', 'vault', 'projections')",
        )
    assert {name for name, *_ in roles} == {OWNER, API, WORKER, ANALYTICS}
    assert not any(superuser or bypasses for _, superuser, bypasses in roles)
    # The worker's role appends to the operator's own stream with it, and to no school's.
    assert powers == [("ledger.append_for_operator(uuid[],bigint[],text[],bytea[])",)]
