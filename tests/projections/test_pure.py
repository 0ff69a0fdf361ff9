"""A projection is a function of the events: how they are cut into batches makes no difference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Self
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.application.school_application import assessments_of, attendance_of
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.ledger.mapper import EventMapper
from domain.ledger.stream import RecordedEvent
from domain.pupil import PupilErased
from domain.vault.keyring import Keyring, SchoolKeys, WrappedSubjectKeys
from projections.projection import Projection
from projections.runner import PROJECTIONS, Worker
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS
from tests.projections.happenings import Happenings, LivelySchool
from tests.projections.reference import Rows, actual, actual_of, expected, expected_of, is_read_by

pytestmark = pytest.mark.usefixtures("schools")

plain = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True)
class History:
    """A history, as it would be read from a stream, with the keys of everybody in it.

    Attributes:
        keys: The school's keys.
        made: The keys of the school itself and of each child.
        events: The events in their order.
        erased: At which position each child is erased, of those who are.
    """

    keys: SchoolKeys
    made: dict[UUID, WrappedSubjectKeys]
    events: list[RecordedEvent]
    erased: dict[UUID, int]

    @classmethod
    def of(cls, seed: int, count: int) -> Self:
        """The same for the same seed, but for the school's id and all keys."""
        keys = SchoolKeys.new(new_id())
        keyring = Keyring(keys)
        happened = Happenings(keys.school_id, Random(seed)).events(count)
        subjects = {keys.school_id, *(event.subject for event in happened if event.founds)}
        made = {subject: keyring.make(subject) for subject in subjects}
        mapper = EventMapper(keyring)
        events = [
            RecordedEvent(
                each.originator_id,
                each.originator_version,
                each.topic,
                each.state,
                position,
                820_454_400_000_000 + position,
            )
            for position, each in enumerate(map(mapper.to_stored_event, happened), start=1)
        ]
        erased = {
            event.subject: position
            for position, event in enumerate(happened, start=1)
            if isinstance(event, PupilErased)
        }
        return cls(keys, made, events, erased)

    def keyring(self, position: int) -> Keyring:
        """What a worker holds once the stream has come to a position: no names, and nothing of the erased."""

        def fetch(subjects: Iterable[UUID]) -> list[WrappedSubjectKeys]:
            return [
                replace(self.made[subject], names=None)
                for subject in subjects
                if subject in self.made and self.erased.get(subject, position + 1) > position
            ]

        return Keyring(self.keys.without_names(), fetch)

    def every_key(self) -> Keyring:
        """Every key that there is in the end."""
        keyring = Keyring(self.keys)
        keyring.give((), (keys for subject, keys in self.made.items() if subject not in self.erased))
        return keyring


def projected(
    worker: Database, database: TestDatabase, seed: int, count: int, cuts: list[int], *, late: bool
) -> tuple[Rows, Rows]:
    """What the projections make of a history, given to them in batches that end at the cuts.

    Args:
        worker: A worker's connections.
        database: The database.
        seed: Of the history.
        count: How many events there are.
        cuts: Where batches end.
        late: The worker comes when everything has happened, and not just after each batch.

    Returns:
        What should be there, and what is.
    """
    history = History.of(seed, count)
    school_id, events = history.keys.school_id, history.events
    ends = sorted({cut for cut in cuts if cut < count} | {count})
    for start, end in zip([0, *ends], ends, strict=False):
        for projection in PROJECTIONS:
            wanted = [event for event in events[start:end] if is_read_by(projection.categories, event.topic)]
            if wanted:
                with worker.bound_to(school_id) as connection:
                    projection.apply(connection, history.keyring(count if late else end), wanted)
    with database.connect("postgres") as superuser:
        return expected_of(history.every_key(), events), actual_of(superuser, history.every_key())


@plain
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 120),
    cuts=st.lists(st.integers(1, 120), max_size=30),
    late=st.booleans(),
)
def test_batches_of_any_size_give_the_same_rows(
    worker: Database, module_database: TestDatabase, seed: int, count: int, cuts: list[int], late: bool
) -> None:
    one_by_one = list(range(1, count))
    for some in ([], cuts, one_by_one):
        wanted, there = projected(worker, module_database, seed, count, some, late=late)
        assert there == wanted


def test_the_histories_hold_what_matters() -> None:
    """Lest the test above should pass because nothing much happens in it."""
    history = History.of(1, 2000)
    rows = expected_of(history.every_key(), history.events)
    topics = {event.topic for event in history.events}
    assert {projection.name for projection in PROJECTIONS} == {
        "pupils",
        "assessments",
        "targets",
        "attendance",
        "logins",
        "usage",
    }
    assert {
        "pupil.admitted.1",
        "pupil.changed.1",
        "pupil.left.1",
        "pupil.returned.1",
        "pupil.erased.1",
        "assessment.recorded.1",
        "assessment.corrected.1",
        "assessment.voided.1",
        "target.set.1",
        "target.removed.1",
        "attendance.marked.1",
        "attendance.totalled.1",
        "attendance.totals-voided.1",
        "session.opened.1",
        "session.closed.1",
        "login.failed.1",
    } <= topics
    assert any(topic.startswith("assessment.corrected") for _, _, _, topic in rows.results.values())
    assert rows.targets
    assert any(cell.statement for _, cell in rows.results)
    assert (
        len(rows.results)
        < len(rows.entries)
        < sum(event.topic.startswith("assessment.recorded") for event in history.events)
    )
    several = (
        expected_of(each.every_key(), each.events) for each in (History.of(seed, 400) for seed in range(6))
    )
    assert {place for each in several for *_, place in each.contributions} == {"below", "at", "above"}
    assessed = {assessments_of(pupil_id) for pupil_id in history.erased}
    assert any(event.originator_id in assessed for event in history.events)
    attended = {attendance_of(pupil_id) for pupil_id in history.erased}
    assert any(event.originator_id in attended for event in history.events)
    assert {year for _, year in rows.attendance} == {2023, 2024, 2025}
    for part in (1, 2, 3):
        assert any(row[part] for row in rows.attendance.values())
    # Marks have taken the place of others, and totals that of others, too.
    assert sum(len(row[2]) for row in rows.attendance.values()) < len(
        [event for event in history.events if event.topic == "attendance.totalled.1"]
    )


@pytest.mark.parametrize("batch", [1, 7, 4000])
def test_a_worker_may_take_any_number_of_events_at_once(
    schools: object, worker: Database, module_database: TestDatabase, batch: int
) -> None:
    with Database(module_database.conninfo()) as database:
        school = LivelySchool(database, f"{800000 + batch}", batch)
        last = school.happen(150).last
        taking = Worker(worker, SERVICE_KEYS, batch=batch)
        moved = [catch_up_wholly(taking, school.school_id, projection, batch) for projection in PROJECTIONS]
        assert moved == [last] * len(PROJECTIONS)
        with module_database.connect("postgres") as superuser:
            assert actual(superuser, school.keys) == expected(school.stream, school.keys)


def catch_up_wholly(worker: Worker, school_id: UUID, projection: Projection, batch: int) -> int:
    moved = 0
    while step := worker.catch_up(school_id, projection):
        assert step <= batch
        moved += step
    return moved
