"""A projection is a function of the events: how they are cut into batches makes no difference."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.application.school_application import MAPPER
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.ledger.stream import RecordedEvent, Stream, register_school
from projections.projection import Projection
from projections.runner import PROJECTIONS, Worker
from tests.conftest import TestDatabase
from tests.projections.happenings import Happenings
from tests.projections.reference import Rows, actual, expected, expected_of

pytestmark = pytest.mark.usefixtures("schools")

plain = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def recorded(school_id: UUID, seed: int, count: int) -> list[RecordedEvent]:
    """A history, as it would be read from a stream."""
    happened = Happenings(school_id, Random(seed)).events(count)
    stored = [MAPPER.to_stored_event(event) for event in happened]
    return [
        RecordedEvent(
            each.originator_id,
            each.originator_version,
            each.topic,
            each.state,
            position,
            datetime(2026, 1, 1, tzinfo=UTC),
        )
        for position, each in enumerate(stored, start=1)
    ]


def projected(worker: Database, database: TestDatabase, events: list[RecordedEvent], cuts: list[int]) -> Rows:
    """What the projections make of these events, given to them in batches that end at the cuts."""
    school_id = new_id()
    ends = sorted({cut for cut in cuts if cut < len(events)} | {len(events)})
    for start, end in zip([0, *ends], ends, strict=False):
        for projection in PROJECTIONS:
            wanted = [
                event for event in events[start:end] if event.topic.split(".")[0] in projection.categories
            ]
            if wanted:
                with worker.bound_to(school_id) as connection:
                    projection.apply(connection, school_id, wanted)
    with database.connect("postgres") as superuser:
        rows = actual(superuser, school_id)
    # Class ids are of the school, which is another one each time.
    rows.pupils = {pupil_id: (*row[:4], *row[5:]) for pupil_id, row in rows.pupils.items()}
    return rows


@plain
@given(seed=st.integers(0, 2**32), count=st.integers(1, 120), cuts=st.lists(st.integers(1, 120), max_size=30))
def test_batches_of_any_size_give_the_same_rows(
    worker: Database, module_database: TestDatabase, seed: int, count: int, cuts: list[int]
) -> None:
    events = recorded(new_id(), seed, count)
    wanted = expected_of(new_id(), events)
    wanted.pupils = {pupil_id: (*row[:4], *row[5:]) for pupil_id, row in wanted.pupils.items()}
    one_by_one = list(range(1, count))
    for some in ([], cuts, one_by_one):
        assert projected(worker, module_database, events, some) == wanted


def test_the_histories_hold_what_matters() -> None:
    """Lest the test above should pass because nothing much happens in it."""
    events = recorded(new_id(), 1, 2000)
    rows = expected_of(new_id(), events)
    topics = {event.topic for event in events}
    assert {projection.name for projection in PROJECTIONS} == {"pupils", "assessments", "logins"}
    assert {
        "pupil.admitted.1",
        "pupil.changed.1",
        "pupil.left.1",
        "pupil.returned.1",
        "assessment.recorded.1",
        "assessment.corrected.1",
        "session.opened.1",
        "session.closed.1",
        "login.failed.1",
    } <= topics
    assert any(topic.startswith("assessment.corrected") for _, _, _, topic in rows.results.values())
    assert len(rows.results) < sum(event.topic.startswith("assessment.recorded") for event in events)
    assert {place for *_, place in rows.contributions} == {"below", "at", "above"}


@pytest.mark.parametrize("batch", [1, 7, 4000])
def test_a_worker_may_take_any_number_of_events_at_once(
    schools: object, worker: Database, module_database: TestDatabase, batch: int
) -> None:
    with Database(module_database.conninfo()) as database:
        school_id = new_id()
        with database.bound_to(school_id) as connection:
            register_school(connection, school_id, f"{800000 + batch}")
        stream = Stream(database, school_id)
        last = Happenings(school_id, Random(batch)).append(stream, 150).last
        taking = Worker(worker, batch=batch)
        moved = [catch_up_wholly(taking, school_id, projection, batch) for projection in PROJECTIONS]
        assert moved == [last] * 3
        with module_database.connect("postgres") as superuser:
            assert actual(superuser, school_id) == expected(stream)


def catch_up_wholly(worker: Worker, school_id: UUID, projection: Projection, batch: int) -> int:
    moved = 0
    while step := worker.catch_up(school_id, projection):
        assert step <= batch
        moved += step
    return moved
