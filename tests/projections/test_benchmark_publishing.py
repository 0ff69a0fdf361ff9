"""Publishing, withdrawing and verifying releases; and that nobody changes one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest

from domain.application import assessing
from domain.application.school_application import Schools
from domain.benchmarks import BenchmarksReleased, BenchmarksWithdrawn
from domain.errors import Conflict, InvalidInput, NotFound
from domain.identifiers import new_id
from domain.ledger import operators_stream
from domain.ledger.database import Database
from domain.ledger.merkle import CompactRange
from domain.ledger.operators_stream import OPERATORS_STREAM
from domain.ledger.persistence import close_shared_database
from projections.benchmarks.characteristics import GROUPS
from projections.benchmarks.points import Point
from projections.benchmarks.proposing import Proposal
from projections.benchmarks.publishing import Published, publish, verify, withdraw
from projections.benchmarks.released import releases
from projections.benchmarks.rules import read_rules
from projections.disclosure import Rules
from projections.runner import status
from tests.application.conftest import RegisteredSchool
from tests.application.examples import at_once
from tests.conftest import TestDatabase
from tests.keys import schools_of
from tests.ledger.roles import ANALYTICS, API, WORKER, refused
from tests.projections.erasures import erase
from tests.projections.releasing import THEN, assess, proposed, release, some_schools, table, told

AGAIN = [Point.of(THEN)]


@pytest.fixture
def schools(test_database: TestDatabase) -> Iterator[Schools]:
    yield schools_of(test_database.conninfo())
    close_shared_database(test_database.conninfo())


@pytest.fixture
def four(schools: Schools) -> list[RegisteredSchool]:
    """Four schools whose children are below, at and above what is expected."""
    made = some_schools(schools)
    for school in made:
        assess(school, "REA", below=12, at=12, above=12)
    return made


def proposal_of(database: Database) -> UUID:
    proposal = proposed(database, points=AGAIN).proposal
    assert proposal
    return proposal


def test_a_release_is_an_event_of_the_operators(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    report = proposed(worker_database)
    assert report.proposal
    publish(worker_database, report.proposal)
    [(recorded, event)] = operators_stream.recorded(worker_database)
    assert isinstance(event, BenchmarksReleased)
    assert (recorded.id, recorded.topic, event.release) == (1, "benchmarks.released.1", 1)
    assert (event.proposal, event.proposal_digest) == (report.proposal, report.digest)
    assert {each.school_id: each.position for each in event.schools} == {
        school.application.school_id: school.application.stream.head().position for school in four
    }
    assert event.rules["minimum_pupils"] == 10
    [row] = read(worker_database)
    assert (row.release, row.schools, row.stream_position, row.withdrawn_at) == (1, 4, 1, None)
    assert (row.minimum_pupils, row.minimum_schools, row.rounding_base) == (10, 3, 5)
    assert row.secondary
    assert row.differencing
    assert all(line.school_id != OPERATORS_STREAM for line in status(worker_database)), "it is no school's"


def read(database: Database) -> Any:
    with database.connection() as connection:
        return releases(connection)


def test_one_proposal_is_published_once(four: list[RegisteredSchool], worker_database: Database) -> None:
    proposal = proposal_of(worker_database)
    answers = at_once(*[partial(publish, worker_database, proposal)] * 4)
    assert sum(isinstance(answer, Published) for answer in answers) == 1, answers
    assert all(isinstance(answer, Published | Conflict) for answer in answers), answers
    rows = table(worker_database)
    assert {row.release for row in rows} == {1}
    with pytest.raises(Conflict, match="propose again"):
        publish(worker_database, proposal)
    assert table(worker_database) == rows


def test_a_proposal_that_a_release_has_overtaken_is_refused(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    first, second = proposal_of(worker_database), proposal_of(worker_database)
    publish(worker_database, second)
    with pytest.raises(Conflict, match="Release 1 has been made since"):
        publish(worker_database, first)
    assert publish(worker_database, proposal_of(worker_database)).release == 2


def test_a_proposal_after_which_a_child_was_erased_is_refused(
    four: list[RegisteredSchool], worker_database: Database, tmp_path: Path
) -> None:
    proposal = proposal_of(worker_database)
    erase(tmp_path, four[2], next(iter(four[2].application.roll())))
    with pytest.raises(Conflict, match="erased since"):
        publish(worker_database, proposal)
    assert table(worker_database) == []


def test_a_proposal_that_was_changed_is_refused(
    four: list[RegisteredSchool], worker_database: Database, test_database: TestDatabase
) -> None:
    proposal = proposal_of(worker_database)
    with worker_database.transaction() as connection:
        content, _, _ = operators_stream.proposal(connection, proposal)
    read = Proposal.read(content)
    figures = tuple(
        row._replace(value="95") if row.measure == "pupils" and row.value else row for row in read.figures
    )
    changed = msgspec.structs.replace(read, figures=figures).written()
    with test_database.connect("postgres") as superuser:
        superuser.execute("UPDATE ledger.proposals SET content = %s", [changed])
    with pytest.raises(Conflict, match="not what was proposed"):
        publish(worker_database, proposal)
    assert table(worker_database) == []
    # Whoever may do anything can change the digest with it; the release then says so for ever.
    with test_database.connect("postgres") as superuser:
        superuser.execute("UPDATE ledger.proposals SET digest = %s", [hashlib.sha256(changed).digest()])
    publish(worker_database, proposal)
    [(_, event)] = operators_stream.recorded(worker_database)
    assert isinstance(event, BenchmarksReleased)
    assert event.proposal_digest == hashlib.sha256(changed).hexdigest()


def test_what_there_is_not_is_not_published(worker_database: Database) -> None:
    with pytest.raises(NotFound):
        publish(worker_database, new_id())
    with pytest.raises(NotFound):
        withdraw(worker_database, 1, "There is none")


def test_a_withdrawn_release_says_so(four: list[RegisteredSchool], worker_database: Database) -> None:
    release(worker_database)
    figures = told(worker_database)
    assert withdraw(worker_database, 1, "A school had entered last year's results.").position == 2
    [_, (_, second)] = operators_stream.recorded(worker_database)
    assert isinstance(second, BenchmarksWithdrawn)
    assert (second.release, second.because) == (1, "A school had entered last year's results.")
    [row] = read(worker_database)
    assert row.withdrawn_because == second.because
    assert row.withdrawn_at is not None
    assert table(worker_database) == [], "no release of the point stands"
    shown = table(worker_database, release=1)
    assert shown
    assert all(each.withdrawn for each in shown)
    assert told(worker_database, release=1) == figures, "the figures stay"
    with pytest.raises(Conflict, match="withdrawn already"):
        withdraw(worker_database, 1, "Again")
    # The point is due again, and still held against what was told.
    report = proposed(worker_database)
    assert (report.after, [each.point for each in report.points]) == (1, [AGAIN[0].label])
    assert report.proposal
    assert publish(worker_database, report.proposal).release == 2
    assert {each.release for each in table(worker_database)} == {2}


@pytest.mark.parametrize("because", ["", "  ", "x" * 501, "a\x00b"])
def test_reasons_that_nobody_could_read(
    four: list[RegisteredSchool], worker_database: Database, because: str
) -> None:
    with pytest.raises(InvalidInput):
        withdraw(worker_database, 1, because)


def test_a_later_release_is_held_against_the_earlier_ones(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    """One child who joins would be the difference between the two."""
    release(worker_database)
    [pupil_id, *_] = list(four[0].application.roll())[36:]
    entry = assessing.Entry(pupil_id, "REA", "4s")
    assessing.record(four[0].application, THEN, [entry], four[0].teacher)
    report = proposed(worker_database, points=AGAIN)
    assert report.rules_applied.get("differencing")
    assert {each.release for each in report.suppressed if each.rule == "differencing"} == {1}
    unheld = Rules(differencing=False)
    assert "differencing" not in proposed(worker_database, points=AGAIN, rules=unheld).rules_applied


def test_rules_that_protect_nobody_are_not_published(
    four: list[RegisteredSchool], worker_database: Database, tmp_path: Path
) -> None:
    weak = proposed(worker_database, rules=Rules(minimum_pupils=1)).proposal
    assert weak
    with pytest.raises(InvalidInput):
        publish(worker_database, weak)
    file = tmp_path / "rules.toml"
    for text, field in (
        ("minimum_pupils = 1", "rules"),
        ("minimal_pupils = 20", "minimal_pupils"),
        ("minimum_pupils = 'many'", "rules"),
        ("version = 99", "version"),
        ("this is not TOML", "rules"),
    ):
        file.write_text(text)
        with pytest.raises(InvalidInput) as refused:
            read_rules(file)
        assert refused.value.findings[0].field == field
    file.write_text("minimum_pupils = 20\nrounding_base = 10\n")
    assert read_rules(file) == Rules(minimum_pupils=20, rounding_base=10)
    assert read_rules(None) == Rules()


CHANGES = (
    "UPDATE analytics.benchmarks SET value = 99, symbol = NULL",
    "DELETE FROM analytics.benchmarks",
    "TRUNCATE analytics.benchmarks",
    "UPDATE analytics.released SET minimum_pupils = 1",
    "DELETE FROM analytics.released",
    "UPDATE analytics.withdrawals SET because = 'No reason'",
    "DELETE FROM analytics.withdrawals",
    "UPDATE analytics.school_distribution SET value = 1, symbol = NULL",
    "DELETE FROM analytics.school_bands",
    "UPDATE analytics.data_dictionary SET description = ''",
    "UPDATE ledger.proposals SET content = ''",
    "DELETE FROM ledger.proposals",
)


@pytest.mark.parametrize("role", [WORKER, API, ANALYTICS])
def test_nobody_changes_a_release(
    four: list[RegisteredSchool], worker_database: Database, test_database: TestDatabase, role: str
) -> None:
    release(worker_database)
    withdraw(worker_database, 1, "To try it")
    for statement in CHANGES:
        with (
            test_database.connect(role) as session,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            session.execute(statement.encode())
    assert verify(worker_database).differing == []


ONLY_THE_OPERATOR = (
    "INSERT INTO ledger.streams (school_id) VALUES ('{stream}')",
    "INSERT INTO ledger.events SELECT '{stream}', 99, gen_random_uuid(), 1, "
    "'benchmarks.released.1', now(), '', ''",
    "SELECT ledger.append('{stream}', ARRAY[gen_random_uuid()], ARRAY[1::bigint], "
    "ARRAY['benchmarks.released.1'], ARRAY['x'::bytea])",
    "SELECT ledger.append_for_operator(ARRAY[gen_random_uuid()], ARRAY[1::bigint], "
    "ARRAY['pupil.admitted.1'], ARRAY['x'::bytea])",
)


@pytest.mark.parametrize("role", [WORKER, API, ANALYTICS])
def test_the_operators_stream_holds_only_what_is_the_operators(
    four: list[RegisteredSchool], worker_database: Database, test_database: TestDatabase, role: str
) -> None:
    release(worker_database)
    for statement in ONLY_THE_OPERATOR:
        with test_database.connect(role) as session:
            assert refused(session, OPERATORS_STREAM, statement.format(stream=OPERATORS_STREAM)), statement
    assert len(operators_stream.recorded(worker_database)) == 1
    assert operators_stream.agrees(worker_database)


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE analytics.benchmarks SET value = value + 5 WHERE measure = 'pupils' AND category = 'all'",
        "DELETE FROM analytics.benchmarks WHERE characteristic = 'region'",
        "UPDATE analytics.benchmarks SET symbol = 'z' WHERE symbol = 'c'",
        "INSERT INTO analytics.withdrawals VALUES (1, now(), 'Never said', 9)",
        "UPDATE analytics.school_bands SET from_value = 2 WHERE category = 'up-to-100'",
        "INSERT INTO analytics.released (release, minimum_pupils, minimum_schools, rules_version, "
        "share_decimals, zeros, secondary, differencing, stream_position) "
        "VALUES (2, 1, 1, '1', 1, true, true, true, 2)",
    ],
)
def test_a_release_that_somebody_edited_is_found(
    four: list[RegisteredSchool], worker_database: Database, test_database: TestDatabase, edit: str
) -> None:
    release(worker_database)
    before = verify(worker_database)
    assert (before.releases, before.differing, before.stream_agrees) == ([1], [], True)
    with test_database.connect("postgres") as superuser:
        assert superuser.execute(edit.encode()).rowcount
    assert verify(worker_database).differing == [2 if "analytics.released" in edit else 1]


def test_an_event_of_the_operators_that_somebody_edited_is_found(
    four: list[RegisteredSchool], worker_database: Database, test_database: TestDatabase
) -> None:
    release(worker_database)
    with test_database.connect("postgres") as superuser:
        superuser.execute("UPDATE ledger.events SET recorded_at = now() WHERE type LIKE 'benchmarks.%'")
    assert not verify(worker_database).stream_agrees


def test_the_operators_stream_is_in_a_tree_like_the_others(
    four: list[RegisteredSchool], worker_database: Database, database: Database
) -> None:
    release(worker_database)
    withdraw(worker_database, 1, "To have two events")
    assert operators_stream.agrees(database), "the API's role may check it, too"
    with database.bound_to(OPERATORS_STREAM) as connection:
        [(position, peaks)] = connection.execute("SELECT position, peaks FROM ledger.streams").fetchall()
    assert CompactRange(position, bytes(peaks)).size == 2


def test_every_group_has_a_label(test_database: TestDatabase) -> None:
    with test_database.connect(ANALYTICS) as analyst:
        labelled = analyst.execute(
            "SELECT characteristic, category FROM analytics.characteristics"
        ).fetchall()
    assert sorted(labelled) == sorted(GROUPS)


def test_everything_is_described(test_database: TestDatabase) -> None:
    with test_database.connect(ANALYTICS) as analyst:
        columns = analyst.execute(
            "SELECT c.relname, coalesce(a.attname, ''), "
            "CASE WHEN a.attname IS NULL THEN obj_description(c.oid, 'pg_class') "
            "ELSE col_description(c.oid, a.attnum) END "
            "FROM pg_class c CROSS JOIN LATERAL (SELECT attname, attnum FROM pg_attribute "
            "WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped UNION ALL SELECT NULL, 0) a "
            "WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind IN ('r', 'v')"
        ).fetchall()
        dictionary = analyst.execute(
            "SELECT table_name, column_name, description FROM analytics.data_dictionary"
        ).fetchall()
    assert len(columns) > 80
    assert all(description for *_, description in columns)
    assert sorted(columns) == sorted(dictionary)
