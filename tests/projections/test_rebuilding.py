"""An honest system shows no difference to its streams, and whatever was edited by hand is named."""

from __future__ import annotations

from typing import cast

import psycopg
import pytest

import projections.rebuilding.comparing
import projections.runner
from domain.errors import Conflict, NotFound
from domain.identifiers import new_id
from domain.ledger.columns import Columns
from domain.ledger.database import Database
from projections.definitions import create, definition_of, protect
from projections.projection import Rebuildable
from projections.rebuilding import live
from projections.rebuilding import rebuild as rebuilding
from projections.rebuilding.beside import CannotRebuild
from projections.rebuilding.making import Maker
from projections.rebuilding.pool import Progress
from projections.rebuilding.rebuild import drop_previous, go_back, rebuild, verify
from projections.runner import PROJECTIONS
from scripts.embedded import OWNER
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS
from tests.projections.catching_up import caught_up
from tests.projections.editing import add_a_row, edit
from tests.projections.lively import BY_NAME, WORKER, Lively
from tests.projections.reference import actual, expected

every_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)


def test_an_honest_system_shows_no_difference(template: Lively) -> None:
    for made in template.all_at_once():
        assert (made.number, made.failure, made.differences) == (0, None, [])
        assert made.digest == made.live_digest != ""
        assert made.rows > 2
        assert made.position == 500


def columns() -> list[tuple[str, str]]:
    return [
        (table.name, column)
        for projection in PROJECTIONS
        for table in projection.tables
        for column in ("school_id", *table.columns)
    ]


@pytest.mark.parametrize(("table", "column"), columns())
def test_a_column_that_was_edited_by_hand_is_named(lively: Lively, table: str, column: str) -> None:
    projection = BY_NAME[table]
    school_id, key = edit(lively, table, column)
    first, second = lively.differences(projection)
    assert first.digest != first.live_digest
    assert first.number == len(first.differences) > 0
    assert (second.number, second.failure) == (0, None)
    names = next(each.key for each in projection.tables if each.name == table)
    row = " ".join(f"{name}={value}" for name, value in zip(names, key, strict=True))
    told = [each for each in first.differences if each.row == row]
    assert {each.school_id for each in first.differences} == {school_id}
    assert told
    if column in (*names, "school_id"):
        assert [each.kind for each in told] == ["is missing"]
    else:
        assert column in {each.column for each in told}
    for other in PROJECTIONS:
        if other is not projection:
            assert [made.number for made in lively.differences(other)] == [0, 0]


def test_every_column_is_compared(template: Lively) -> None:
    """Those that the tables have, and not only those that the projections tell of."""
    with template.database.connect("postgres") as superuser:
        there = superuser.execute(
            "SELECT relname::text, attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            "WHERE relnamespace = 'projections'::regnamespace AND relkind = 'r' AND attnum > 0 "
            "AND NOT attisdropped AND relname IN (SELECT unnest(tables) FROM projections.versions)"
        ).fetchall()
    assert sorted(there) == sorted(columns())


@every_projection
def test_a_row_that_was_deleted_or_added_is_named(lively: Lively, projection: Rebuildable) -> None:
    school, other = lively.schools
    for table in projection.tables:
        with lively.database.connect("postgres") as superuser:
            moved = superuser.execute(
                f"UPDATE projections.{table.name} SET school_id = %s WHERE ctid = "
                f"(SELECT ctid FROM projections.{table.name} t WHERE school_id = %s AND NOT EXISTS (SELECT "
                f"FROM projections.{table.name} o WHERE o.school_id = %s AND "
                f"{' AND '.join(f'o.{name} = t.{name}' for name in table.key)}) LIMIT 1)".encode(),
                [other.school_id, school.school_id, other.school_id],
            ).rowcount
            if not moved:  # numbered alike in both schools: a row with a number that there never was
                superuser.execute(
                    f"DELETE FROM projections.{table.name} WHERE ctid = (SELECT ctid FROM "
                    f"projections.{table.name} WHERE school_id = %s LIMIT 1)".encode(),
                    [school.school_id],
                )
                superuser.execute(
                    f"UPDATE projections.{table.name} SET {table.key[0]} = 1000000 WHERE ctid = (SELECT ctid "
                    f"FROM projections.{table.name} WHERE school_id = %s LIMIT 1)".encode(),
                    [other.school_id],
                )
        first, second = lively.differences(projection)
        assert [each.kind for each in first.differences] == ["is missing"]
        assert "should not be there" in [each.kind for each in second.differences]


@pytest.mark.parametrize(
    ("name", "column"),
    [("pupils", "names"), ("pupils", "record"), ("assessments", "record"), ("targets", "record"),
     ("attendance", "record")],
)  # fmt: skip
def test_two_rows_whose_ciphertexts_were_exchanged_are_named(lively: Lively, name: str, column: str) -> None:
    school = lively.schools[0]
    with lively.database.connect("postgres") as superuser:
        rows = superuser.execute(
            f"SELECT ctid::text, {column} FROM projections.{name} WHERE school_id = %s AND {column} <> '' "
            "LIMIT 2".encode(),
            [school.school_id],
        ).fetchall()
        for (place, _), (_, content) in zip(rows, reversed(rows), strict=True):
            superuser.execute(
                f"UPDATE projections.{name} SET {column} = %s WHERE ctid = %s::tid".encode(), [content, place]
            )
    [first, _] = lively.differences(BY_NAME[name])
    assert [each.column for each in first.differences] == [column] * 2


@every_projection
@pytest.mark.parametrize("to", ["0", "position - 200", "position + 1000"])
def test_a_checkpoint_that_was_edited_is_noticed(lively: Lively, projection: Rebuildable, to: str) -> None:
    with lively.database.connect("postgres") as superuser:
        superuser.execute(
            f"UPDATE projections.checkpoints SET position = {to} WHERE projection = %s".encode(),
            [projection.name],
        )
    for made in lively.differences(projection):
        assert made.number > 0
        if "+" in to:
            assert [(each.table, each.column) for each in made.differences] == [("checkpoints", "position")]


def test_a_checkpoint_that_runs_ahead_of_the_rows_is_noticed(lively: Lively) -> None:
    """The stream goes on, and somebody moves the checkpoint over what came."""
    for school in lively.schools:
        school.happen(100)
    with lively.database.connect("postgres") as superuser:
        superuser.execute("UPDATE projections.checkpoints SET position = position + 100")
    assert all(made.number > 0 for made in lively.all_at_once())


def test_a_row_of_a_child_who_was_erased_is_too_much(lively: Lively) -> None:
    """A worker that never removed it, or a row that was put back."""
    erased_of = "SELECT DISTINCT originator_id FROM ledger.events WHERE school_id = %s AND type LIKE %s"
    school = lively.schools[0]
    with lively.database.connect("postgres") as superuser:
        [erased, *_] = superuser.execute(erased_of, [school.school_id, "pupil.erased.%"]).fetchall()
        superuser.execute(
            "UPDATE projections.pupils SET pupil_id = %s WHERE ctid = "
            "(SELECT ctid FROM projections.pupils WHERE school_id = %s LIMIT 1)",
            [erased[0], school.school_id],
        )
    [first, _] = lively.differences(BY_NAME["pupils"])
    assert {each.kind for each in first.differences} == {"is missing", "should not be there"}


def test_rows_of_children_who_are_being_erased_are_no_difference(lively: Lively) -> None:
    """Their keys are gone, and the worker has not come so far yet."""
    for school in lively.schools:
        school.happen(300)
    with lively.database.connect("postgres") as superuser:
        late = superuser.execute(
            "SELECT count(*) FROM ledger.events WHERE type LIKE 'pupil.erased.%' AND position > 500"
        ).fetchone()
        assert late
        assert int(str(late[0])) > 3
    assert [made.number for made in lively.all_at_once()] == [0] * 2 * len(PROJECTIONS)


def test_a_comparison_that_looks_at_nothing_finds_nothing(
    lively: Lively, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: every edit above would pass unnoticed."""
    edit(lively, "pupils", "nc_year")
    assert lively.differences(BY_NAME["pupils"])[0].number == 1
    monkeypatch.setattr(projections.rebuilding.comparing, "_canonical", lambda *_: [])
    assert lively.differences(BY_NAME["pupils"])[0].number == 0


def test_a_comparison_by_column_that_looks_at_nothing_finds_nothing(
    lively: Lively, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its twin: results are compared by column, and one by one only if those are not the same bytes."""
    edit(lively, "assessments", "cell")
    assert lively.differences(BY_NAME["assessments"])[0].number == 1
    monkeypatch.setattr(Columns, "arrays", lambda _: [])
    monkeypatch.setattr(live, "columns_of", lambda *_: [])
    assert lively.differences(BY_NAME["assessments"])[0].number == 0


@every_projection
def test_what_the_stream_makes_has_one_digest_whatever_is_live(
    lively: Lively, projection: Rebuildable
) -> None:
    before = [made.digest for made in lively.differences(projection)]
    for table in projection.tables:
        add_a_row(lively, table)
    first, second = lively.differences(projection)
    assert [first.digest, second.digest] == before
    assert [first.live_digest == before[0], second.live_digest == before[1]] == [False, True]


def test_the_same_values_in_a_column_of_another_type_are_no_difference(lively: Lively) -> None:
    """Nor are they the same bytes: what is seen then, row by row, decides."""
    with lively.database.connect("postgres") as superuser:
        superuser.execute("ALTER TABLE projections.assessments ALTER COLUMN academic_year TYPE bigint")
    result = rebuild(lively.database.conninfo(OWNER), SERVICE_KEYS, BY_NAME["assessments"], workers=1)
    assert result.different == []
    assert all(made.digest == made.live_digest != "" for made in result.schools)


def test_a_comparison_of_sealed_bytes_would_find_differences_where_there_are_none(
    lively: Lively, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other twin: what is sealed anew never has the same bytes."""
    monkeypatch.setattr(projections.rebuilding.comparing, "_opened", lambda _table, _keys, row: row)
    assert lively.differences(BY_NAME["pupils"])[0].number > 0


def test_verifying_with_processes(lively: Lively) -> None:
    said: list[Progress] = []
    arguments = (lively.database.conninfo(WORKER), SERVICE_KEYS, BY_NAME["assessments"])
    result = verify(*arguments, workers=2, told=said.append)
    assert len(result.schools) == 2
    assert result.different == []
    assert not result.switched
    assert [each.schools_done for each in said] == [1, 2]
    assert (said[-1].events_done, said[-1].events, said[-1].left) == (1000, 1000, 0)
    edit(lively, "assessments", "cell")
    [found] = verify(*arguments, workers=1).different
    assert [each.column for each in found.differences] == ["cell"]


def test_going_back_to_rows_that_events_cannot_be_applied_to(lively: Lively) -> None:
    owner = lively.database.conninfo(OWNER)
    rebuild(owner, SERVICE_KEYS, BY_NAME["pupils"], workers=1)
    with lively.database.connect("postgres") as superuser:
        superuser.execute("DELETE FROM projections_previous.pupils")
    for school in lively.schools:
        school.happen(60)
    with Database(lively.database.conninfo(WORKER)) as worker:
        caught_up(worker)
    with pytest.raises(CannotRebuild, match="ValueError"):
        go_back(owner, SERVICE_KEYS, BY_NAME["pupils"])
    assert [made.number for made in lively.differences(BY_NAME["pupils"])] == [0, 0]


def kept_of_the_erased(lively: Lively) -> list[int]:
    """How many rows of children who are erased after a rebuilding are left in the version before."""
    names = ("pupils", "assessments", "targets", "attendance")
    for name in names:
        rebuild(lively.database.conninfo(OWNER), SERVICE_KEYS, BY_NAME[name], workers=1)
    for school in lively.schools:
        school.happen(200)
    with Database(lively.database.conninfo(WORKER)) as worker:
        caught_up(worker)
    with lively.database.connect("postgres") as superuser:
        counts = [
            superuser.execute(
                f"SELECT count(*) FROM projections_previous.{name} WHERE pupil_id IN (SELECT originator_id "
                "FROM ledger.events WHERE type LIKE 'pupil.erased.%' AND position > 500)".encode()
            ).fetchall()
            for name in names
        ]
    return [int(str(row[0])) for rows in counts for row in rows]


def test_an_erased_child_leaves_the_version_before_too(lively: Lively) -> None:
    assert kept_of_the_erased(lively) == [0] * 4
    for name in ("pupils", "assessments"):
        go_back(lively.database.conninfo(OWNER), SERVICE_KEYS, BY_NAME[name])
        assert [made.number for made in lively.differences(BY_NAME[name])] == [0, 0]


def test_an_erased_child_whom_nobody_removes_there_is_found(
    lively: Lively, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(projections.runner, "forget_in_previous", lambda *_: None)
    assert sum(kept_of_the_erased(lively)) > 0


@every_projection
def test_rebuilding_repairs_and_can_be_gone_back_from(lively: Lively, projection: Rebuildable) -> None:
    owner = lively.database.conninfo(OWNER)
    table = projection.tables[0]
    add_a_row(lively, table)
    result = rebuild(owner, SERVICE_KEYS, projection, workers=1)
    assert result.switched
    assert [made.number for made in result.different] == [1]
    assert [made.number for made in lively.differences(projection)] == [0, 0]
    # Everything goes on, on both sides.
    with Database(lively.database.conninfo(WORKER)) as worker:
        for school in lively.schools:
            school.happen(60)
        caught_up(worker)
        assert [made.number for made in lively.differences(projection)] == [0, 0]
        with lively.database.connect("postgres") as superuser:
            for school in lively.schools:
                assert actual(superuser, school.keys) == expected(school.stream, school.keys)
    go_back(owner, SERVICE_KEYS, projection)
    [first, second] = lively.differences(projection)
    assert (first.number, second.number) == (1, 0)
    assert first.position == 560
    go_back(owner, SERVICE_KEYS, projection)
    assert [made.number for made in lively.differences(projection)] == [0, 0]
    assert drop_previous(owner, projection)
    assert not drop_previous(owner, projection)
    with pytest.raises(NotFound):
        go_back(owner, SERVICE_KEYS, projection)
    with lively.database.connect("postgres") as superuser:
        left = superuser.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname <> ALL (%s) "
            "AND relnamespace::regnamespace::text IN ('projections_next', 'projections_previous')",
            [["checkpoints", "versions"]],
        ).fetchall()
    assert left == []


READS = {
    "target_tracker_api": {"projections_next": False, "projections_previous": False},
    "target_tracker_analytics": {"projections_next": False, "projections_previous": False},
    "target_tracker_worker": {"projections_next": False, "projections_previous": True},
}
"""Who may look into which schema at all."""


def test_what_is_not_live_is_nobodys_to_read(lively: Lively) -> None:
    rebuild(lively.database.conninfo(OWNER), SERVICE_KEYS, BY_NAME["pupils"], workers=1)
    with psycopg.connect(lively.database.conninfo(OWNER), autocommit=True) as owner:
        create(owner, definition_of("pupils"), "projections_next")
    for role, schemas in READS.items():
        with lively.database.connect(role) as session:
            for schema, may in schemas.items():
                if may:  # but only of the school that it is bound to
                    assert session.execute(f"SELECT FROM {schema}.pupils".encode()).fetchall() == []
                    continue
                for table in ("pupils", "checkpoints"):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        session.execute(f"SELECT FROM {schema}.{table}".encode())


def test_tables_are_looked_after_again_once_they_are_live(
    lively: Lively, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While they fill the server leaves them alone; left so, what is dead in them would never go."""
    rebuild(lively.database.conninfo(OWNER), SERVICE_KEYS, BY_NAME["targets"], workers=1)
    assert options_of(lively, "targets") is None
    alter = rebuilding._alter
    monkeypatch.setattr(
        rebuilding, "_alter", lambda *given: None if given[-1].startswith("RESET") else alter(*given)
    )
    rebuild(lively.database.conninfo(OWNER), SERVICE_KEYS, BY_NAME["targets"], workers=1)
    assert options_of(lively, "targets") == ["autovacuum_enabled=off"], "the sabotaged twin"


def options_of(lively: Lively, table: str) -> list[str] | None:
    with lively.database.connect("postgres") as superuser:
        row = superuser.execute(
            "SELECT reloptions FROM pg_class WHERE oid = %s::regclass", [f"projections.{table}"]
        ).fetchone()
    assert row
    return cast("list[str] | None", row[0])


def test_a_projection_is_rebuilt_by_one_at_a_time(lively: Lively) -> None:
    owner = lively.database.conninfo(OWNER)
    with rebuilding._connected(owner) as connection, rebuilding._alone(connection, "pupils"):
        with pytest.raises(Conflict):
            rebuild(owner, SERVICE_KEYS, BY_NAME["pupils"], workers=1)
        assert rebuild(owner, SERVICE_KEYS, BY_NAME["logins"], workers=1).switched


@every_projection
def test_the_tables_are_those_that_the_migrations_made(
    test_database: TestDatabase, projection: Rebuildable
) -> None:
    """Else a rebuilt projection would be another one."""
    definition = definition_of(projection.name)
    assert definition.tables == [table.name for table in projection.tables]

    def shape(schema: str, table: str) -> list[object]:
        with test_database.connect("postgres") as superuser:
            return [
                superuser.execute(statement, {"schema": schema, "table": table}).fetchall()
                for statement in SHAPES
            ]

    with psycopg.connect(test_database.conninfo(OWNER), autocommit=True) as owner:
        create(owner, definition, "projections_next")
        protect(owner, definition.tables, "projections_next")
    for table in definition.tables:
        live = shape("projections", table)
        assert all(live)
        assert shape("projections_next", table) == live


OF_TABLE = "format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass"
SHAPES = [
    "SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), "
    f"col_description(attrelid, attnum) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid "
    f"AND adnum = attnum WHERE attrelid = {OF_TABLE} AND attnum > 0 ORDER BY attnum",
    f"SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = {OF_TABLE} ORDER BY 1",
    "SELECT replace(pg_get_indexdef(indexrelid), %(schema)s::text || '.', '') FROM pg_index "
    f"WHERE indrelid = {OF_TABLE} ORDER BY 1",
    "SELECT polname, polcmd, polroles, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) "
    f"FROM pg_policy WHERE polrelid = {OF_TABLE}",
    "SELECT relacl::text, relrowsecurity, relforcerowsecurity, obj_description(oid, 'pg_class') "
    f"FROM pg_class WHERE oid = {OF_TABLE}",
]


def test_an_unknown_school_shows_nothing(lively: Lively) -> None:
    maker = Maker(lively.database.conninfo(WORKER), BY_NAME["pupils"], keep=False)
    made = maker.make(new_id(), SERVICE_KEYS)
    maker.close()
    assert (made.number, made.failure, made.rows) == (0, None, 0)
