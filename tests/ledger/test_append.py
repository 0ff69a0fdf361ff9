"""Appending: all or nothing, in order, against the version and the facts that were decided on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import cast, get_args
from uuid import UUID

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from domain.errors import AlreadyExists, NotFound, StreamConflict, VersionConflict
from domain.identifiers import new_id
from domain.ledger.database import Database, bound
from domain.ledger.stream import (
    Category,
    Command,
    Stream,
    Unless,
    every_school,
    register_school,
    school_of_urn,
)
from tests.conftest import TestDatabase


def made_up(
    originator: UUID | None = None, version: int = 1, topic: str = "pupil.changed.1", state: bytes = b"state"
) -> StoredEvent:
    """An event that nobody needs to read."""
    return StoredEvent(originator or new_id(), version, topic, state)


def positions(stream: Stream) -> list[int]:
    return [event.id for event in stream.events_between(1, limit=1000)]


def test_what_is_appended_is_read_as_it_was(stream: Stream) -> None:
    events = [made_up(state=bytes([number])) for number in range(5)]
    appended = stream.append(events)
    read = stream.events_between(1, limit=10)
    assert (appended.first, appended.last, appended.repeated) == (1, 5, False)
    assert [(event.originator_id, event.originator_version, event.topic, event.state) for event in read] == [
        (event.originator_id, event.originator_version, event.topic, event.state) for event in events
    ]
    assert {event.recorded_at for event in read} == {appended.at}
    assert stream.head().position == 5
    assert stream.head().recorded_at == appended.at


def test_an_append_is_all_or_nothing(stream: Stream) -> None:
    taken = made_up()
    stream.append([taken])
    before = stream.head()
    with pytest.raises(VersionConflict):
        stream.append([made_up(), made_up(), taken, made_up()])
    assert stream.head() == before
    assert positions(stream) == [1]


def test_an_append_of_nothing_adds_nothing(stream: Stream) -> None:
    stream.append([made_up()])
    appended = stream.append([])
    assert (appended.first, appended.last) == (2, 1)
    assert positions(stream) == [1]


@pytest.mark.parametrize("batch", [False, True])
def test_a_version_conflict_tells_both_versions(stream: Stream, batch: bool) -> None:
    pupil = new_id()
    stream.append([made_up(pupil, version) for version in (1, 2, 3, 4)])
    stale = [made_up()] * batch + [made_up(pupil, 3)]
    with pytest.raises(VersionConflict) as caught:
        stream.append(stale)
    assert (caught.value.expected, caught.value.actual) == (2, 4)


def test_the_same_version_twice_in_one_append_is_a_conflict(stream: Stream) -> None:
    pupil = new_id()
    with pytest.raises(VersionConflict):
        stream.append([made_up(pupil, 1), made_up(pupil, 1)])
    assert positions(stream) == []


def test_a_version_conflict_in_the_callers_transaction(stream: Stream, database: Database) -> None:
    pupil = new_id()
    stream.append([made_up(pupil, 1)])
    with (
        pytest.raises(VersionConflict) as caught,
        database.connection() as connection,
        bound(connection, stream.school_id),
    ):
        stream.append([made_up(pupil, 1)], connection=connection)
    assert (caught.value.expected, caught.value.actual) == (0, 1)
    assert positions(stream) == [1]


def test_another_breach_of_uniqueness_is_not_called_a_version_conflict(
    stream: Stream, test_database: TestDatabase
) -> None:
    """A head that has fallen behind its events is damage, which trying again does not mend."""
    stream.append([made_up()])
    with test_database.connect("postgres") as connection:
        connection.execute("UPDATE ledger.streams SET position = 0, peaks = ''")
    with pytest.raises(psycopg.errors.UniqueViolation, match="events_pkey"):
        stream.append([made_up()])


def test_a_school_without_a_stream(database: Database) -> None:
    nowhere = Stream(database, new_id())
    for attempt in (
        nowhere.head,
        lambda: nowhere.append([made_up()]),
        lambda: nowhere.append([made_up()] * 2),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert nowhere.events_between(1, limit=10) == []


def test_each_school_counts_for_itself(stream: Stream, database: Database) -> None:
    other_id = new_id()
    with database.bound_to(other_id) as connection:
        register_school(connection, other_id, "100002")
    other = Stream(database, other_id)
    pupil = new_id()
    event = made_up(pupil)
    stream.append([event, made_up()])
    assert other.append([event]).first == 1
    assert positions(stream) == [1, 2]
    assert positions(other) == [1]
    assert other.events_of(pupil)[0].id == 1
    assert set(every_school(database)) == {stream.school_id, other_id}
    assert school_of_urn(database, "100002") == other_id
    assert school_of_urn(database, "100003") is None


def test_a_school_is_registered_once(stream: Stream, database: Database) -> None:
    with pytest.raises(AlreadyExists), database.bound_to(another_id := new_id()) as connection:
        register_school(connection, another_id, "100001")
    assert every_school(database) == [stream.school_id]


@pytest.mark.parametrize("category", get_args(Category))
def test_a_decision_that_rests_on_a_category(stream: Stream, category: Category) -> None:
    stream.append([made_up(topic=f"{category}.added.1")])
    read_up_to = stream.head().position
    for other in {*get_args(Category), "assessment", "session", f"{category}s"} - {category}:
        stream.append([made_up(topic=f"{other}.added.1")])
    stream.append([made_up(topic=f"{category}.added.1")], unless=Unless(category, read_up_to))

    with pytest.raises(StreamConflict):
        stream.append([made_up(topic=f"{category}.added.1")], unless=Unless(category, read_up_to))
    with pytest.raises(StreamConflict):
        stream.append([made_up(), made_up()], unless=Unless(category, read_up_to))
    last = stream.head().position
    assert stream.append([made_up()], unless=Unless(category, last)).first == last + 1


def test_a_decision_cannot_rest_on_a_category_that_is_not_indexed(stream: Stream) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        stream.append([made_up()], unless=Unless(cast("Category", "assessment"), 0))
    assert positions(stream) == []


def test_of_two_decisions_at_once_only_one_stands(stream: Stream) -> None:
    """Twenty rounds in which two threads decide on the same facts."""

    def decide(read_up_to: int) -> bool:
        try:
            stream.append([made_up(topic="staff.added.1")], unless=Unless("staff", read_up_to))
        except StreamConflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            read_up_to = stream.head().position
            assert sorted(pool.map(decide, [read_up_to] * 2)) == [False, True]


def test_time_never_goes_back(stream: Stream, test_database: TestDatabase) -> None:
    stream.append([made_up()])
    future = datetime.now(UTC) + timedelta(days=400)
    with test_database.connect("postgres") as connection:
        connection.execute("UPDATE ledger.streams SET recorded_at = %s", [future])
    one = stream.append([made_up()])
    batch = stream.append([made_up(), made_up()])
    assert one.at == batch.at == future
    times = [event.recorded_at for event in stream.events_between(1, limit=10)]
    assert times == sorted(times)


def test_time_never_goes_back_while_many_write(stream: Stream) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: stream.append([made_up()] * (number == 0) + [made_up()]), range(300)))
    times = [event.recorded_at for event in stream.events_between(1, limit=1000)]
    assert len(times) == 301
    assert times == sorted(times)


@pytest.mark.parametrize("count", [1, 3])
def test_a_rollback_leaves_no_gap(stream: Stream, database: Database, count: int) -> None:
    stream.append([made_up()])
    before = stream.head()
    with (
        suppress(psycopg.Rollback),
        database.connection() as connection,
        bound(connection, stream.school_id),
    ):
        appended = stream.append([made_up() for _ in range(count)], connection=connection)
        assert appended.last == 1 + count
        raise psycopg.Rollback
    assert stream.head() == before
    stream.append([made_up()])
    assert positions(stream) == [1, 2]


def test_two_appends_in_one_transaction(stream: Stream, database: Database) -> None:
    with database.connection() as connection, bound(connection, stream.school_id):
        stream.append([made_up()], connection=connection)
        stream.append([made_up(), made_up()], connection=connection)
        assert positions(stream) == []  # Seen by nobody before the commit.
    assert positions(stream) == [1, 2, 3]


def test_reading_by_originator_and_by_category(stream: Stream) -> None:
    pupil, log = new_id(), new_id()
    first = stream.append([made_up(pupil, 1, "pupil.admitted.1"), made_up(log, 1, "assessment.recorded.1")])
    stream.append([made_up(pupil, 2, "pupil.left.1"), made_up(topic="staff.added.1")])

    assert [event.originator_version for event in stream.events_of(pupil)] == [1, 2]
    assert [event.originator_version for event in stream.events_of(pupil, after=1)] == [2]
    assert [event.originator_version for event in stream.events_of(pupil, up_to=1)] == [1]
    assert [event.originator_version for event in stream.last_events_of(pupil, limit=1)] == [2]
    assert [event.id for event in stream.events_of_many([pupil, log])] == [1, 2, 3]
    assert [event.id for event in stream.events_of_many([pupil, log], up_to=2)] == [1, 2]
    assert [event.id for event in stream.events_of_many([pupil, log], at=first.at)] == [1, 2]
    assert [event.id for event in stream.events_of_category("pupil")] == [1, 3]
    assert [event.id for event in stream.events_of_category("pupil", up_to=2)] == [1]
    assert [event.id for event in stream.events_of_category("pupil", at=first.at)] == [1]
    assert [event.id for event in stream.events_between(1, limit=9, types=["pupil.left.1"])] == [3]
    assert stream.last_versions([pupil, log, new_id()]) == {pupil: 2, log: 1}


def test_a_command_that_adds_nothing_is_remembered(stream: Stream) -> None:
    command = Command(new_id(), b"fingerprint", b"nothing to do")
    assert not stream.append([], command=command).repeated
    assert stream.append([made_up()], command=command).result == b"nothing to do"
    assert positions(stream) == []
