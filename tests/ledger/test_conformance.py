"""The eventsourcing library's own test cases, on the ledger's persistence module."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from eventsourcing.application import Application, EventSourcedLog, ProcessingEvent
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, DomainEvent, event
from eventsourcing.persistence import IntegrityError, StoredEvent, Tracking
from eventsourcing.system import ProcessApplication
from eventsourcing.tests import application as application_cases
from eventsourcing.tests import persistence as persistence_cases
from eventsourcing.utils import Environment, get_topic

from domain.events import Event
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.ledger.mapper import EventMapper
from domain.ledger.persistence import LedgerFactory, close_shared_database
from domain.ledger.recorders import (
    SnapshotRecorder,
    StreamProcessRecorder,
    StreamRecorder,
    StreamTrackingRecorder,
)
from domain.ledger.stream import Stream
from domain.pupil import PupilLeft
from domain.staff import StaffDisabled
from domain.vault.keyring import Keyring, SchoolKeys
from tests.conftest import TestDatabase
from tests.keys import keyring_of
from tests.ledger.examples import EXAMPLES

NOT_APPLICABLE = {
    "RecorderTestCase": "the base of the recorders' cases, with helpers and no test",
    "TranscoderTestCase": "it asserts the bytes of the library's JSON; the mapper writes msgpack",
}
"""The library's cases that are not run, and why."""
# eventsourcing.tests.domain holds no case, only the bank account that its application cases use. Those of
# eventsourcing.tests.projection test views and runners of the library, of which this module makes none.
# Those of eventsourcing.dcb test a recorder of tagged events; `Unless` guards what rests on many originators.


@pytest.fixture
def environment(test_database: TestDatabase, school_id: UUID) -> Iterator[dict[str, str]]:
    """What an application of this school is configured with."""
    yield {
        "PERSISTENCE_MODULE": "domain.ledger.persistence",
        "DATABASE": test_database.conninfo(),
        "SCHOOL_ID": str(school_id),
    }
    close_shared_database(test_database.conninfo())


class OnTheLedger:
    """Gives a case of the library a school of its own."""

    database: Database
    school_id: UUID
    environment: dict[str, str]

    @pytest.fixture(autouse=True)
    def _bind(
        self,
        database: Database,
        school_id: UUID,
        environment: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.database, self.school_id, self.environment = database, school_id, environment
        for name, value in environment.items():
            monkeypatch.setenv(name, value)


class TestSnapshotRecorder(OnTheLedger, persistence_cases.AggregateRecorderTestCase):
    def create_recorder(self) -> SnapshotRecorder:
        return SnapshotRecorder(self.database, self.school_id)


class TestStreamRecorder(OnTheLedger, persistence_cases.ApplicationRecorderTestCase[StreamRecorder]):
    def create_recorder(self) -> StreamRecorder:
        return StreamRecorder(self.database, self.school_id)

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestNonInterleaving(OnTheLedger, persistence_cases.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> StreamRecorder:
        return StreamRecorder(self.database, self.school_id)


class TestTrackingRecorder(OnTheLedger, persistence_cases.TrackingRecorderTestCase):
    def create_recorder(self) -> StreamTrackingRecorder:
        return StreamTrackingRecorder(self.database, self.school_id)


class TestProcessRecorder(OnTheLedger, persistence_cases.ProcessRecorderTestCase):
    def create_recorder(self) -> StreamProcessRecorder:
        return StreamProcessRecorder(self.database, self.school_id)


class TestProcessRecorderAsStream(
    OnTheLedger, persistence_cases.ApplicationRecorderTestCase[StreamProcessRecorder]
):
    """A process recorder is an application recorder too."""

    def create_recorder(self) -> StreamProcessRecorder:
        return StreamProcessRecorder(self.database, self.school_id)

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class OtherTrackingRecorder(StreamTrackingRecorder):
    """A tracking recorder of somebody's own."""


class TestFactory(OnTheLedger, persistence_cases.InfrastructureFactoryTestCase[LedgerFactory]):
    def setUp(self) -> None:
        self.env = Environment(name="TestCase", env=self.environment)
        super().setUp()

    def expected_factory_class(self) -> type[LedgerFactory]:
        return LedgerFactory

    def expected_aggregate_recorder_class(self) -> type[SnapshotRecorder]:
        return SnapshotRecorder

    def expected_application_recorder_class(self) -> type[StreamRecorder]:
        return StreamRecorder

    def expected_tracking_recorder_class(self) -> type[StreamTrackingRecorder]:
        return StreamTrackingRecorder

    def tracking_recorder_subclass(self) -> type[StreamTrackingRecorder]:
        return OtherTrackingRecorder

    def expected_process_recorder_class(self) -> type[StreamProcessRecorder]:
        return StreamProcessRecorder


class TestExampleApplication(OnTheLedger, application_cases.ExampleApplicationTestCase):
    expected_factory_topic = get_topic(LedgerFactory)


# The case of the library's deprecated `Application.log` asks for the warning that it gives.
@pytest.mark.filterwarnings("always:'log' is deprecated:DeprecationWarning")
class TestApplication(OnTheLedger, application_cases.ApplicationTestCase):
    pass


def cases_of(*modules: ModuleType) -> dict[str, type]:
    """The test cases that these modules of the library define."""
    return {
        name: case
        for module in modules
        for name, case in inspect.getmembers(module, inspect.isclass)
        if case.__module__ == module.__name__ and name.endswith(("TestCase", "BaseCase"))
    }


def test_every_case_of_the_library_is_used_or_has_a_reason_not_to_be() -> None:
    cases = cases_of(persistence_cases, application_cases)
    used = {
        name
        for name, case in cases.items()
        if any(
            inspect.isclass(ours) and issubclass(ours, case) and ours_name.startswith("Test")
            for ours_name, ours in globals().items()
        )
    }
    # The base of the recorders' cases counts as used through them.
    assert len(cases) >= 10
    assert cases.keys() - used - NOT_APPLICABLE.keys() == set()
    assert NOT_APPLICABLE.keys() <= cases.keys()


class Opened(DomainEvent):
    """An event of a library's log."""

    door: str


def test_event_sourced_log(environment: dict[str, str]) -> None:
    with Application[UUID](env=environment) as application:
        log = EventSourcedLog(application.events, uuid4(), Opened)
        other = EventSourcedLog(application.events, uuid4(), Opened)
        assert log.get_first() is None
        for door in ("north", "south", "east"):
            recordings = application.events.put([log.trigger_event(door=door)])
        application.events.put([other.trigger_event(door="west")])

        assert [recording.notification.id for recording in recordings] == [3]
        assert [opened.door for opened in log.get()] == ["north", "south", "east"]
        assert [opened.door for opened in log.get(gt=1, lte=2)] == ["south"]
        assert [opened.door for opened in log.get(desc=True, limit=2)] == ["east", "south"]
        first, last = log.get_first(), log.get_last()
        assert (first and first.door, last and last.door) == ("north", "east")
        assert [opened.door for opened in other.get()] == ["west"]


class OnOurMapper(Application[UUID]):
    """An application of the library whose events are sealed with the keys of a school."""

    keys: Keyring

    def construct_mapper(self) -> EventMapper:
        return EventMapper(self.keys)


@pytest.mark.parametrize("cls", [StaffDisabled, PupilLeft], ids=["nothing in it is sealed", "all of it is"])
def test_event_sourced_log_of_our_own_events(environment: dict[str, str], cls: type[Event]) -> None:
    example = next(example for example in EXAMPLES if isinstance(example, cls))
    school_id = UUID(environment["SCHOOL_ID"])
    OnOurMapper.keys = keyring_of(SchoolKeys.new(school_id), example.subject)
    with OnOurMapper(env=environment) as application:
        log = EventSourcedLog(application.events, example.originator_id, type(example))
        first = msgspec.structs.replace(example, originator_version=1)
        application.events.put([first])
        assert list(log.get()) == [first]
        notification = application.notification_log.select(start=1, limit=10)[0]
        assert notification.topic == f"{example.name}.{example.version}"
        assert application.mapper.to_domain_event(notification) == first


class Counter(Aggregate):
    """Counts what a process application saw."""

    @event("Counted")
    def count(self) -> None:
        """Counts one."""


class Counting(ProcessApplication[UUID]):
    """Makes a counter for each opened door."""

    @singledispatchmethod
    def policy(self, domain_event: Any, processing_event: ProcessingEvent[UUID]) -> None:
        counter = Counter()
        counter.count()
        processing_event.collect_events(counter)


def test_process_application(environment: dict[str, str], stream: Stream) -> None:
    with Counting(env=environment) as application:
        happened = EventSourcedLog(application.events, uuid4(), Opened).trigger_event(door="north")
        application.process_event(happened, Tracking("doors", 1))
        with pytest.raises(IntegrityError):
            application.process_event(happened, Tracking("doors", 1))
        assert application.recorder.max_tracking_id("doors") == 1
    assert stream.head().position == 2


def test_events_and_tracking_are_one_transaction(
    database: Database, school_id: UUID, test_database: TestDatabase
) -> None:
    recorder = StreamProcessRecorder(database, school_id)
    recorder.insert_events(
        [StoredEvent(new_id(), 1, "pupil.left.1", b"state")], tracking=Tracking("upstream", 1)
    )
    with test_database.connect("postgres") as connection:
        writers = connection.execute(
            "SELECT xmin::text FROM ledger.events UNION ALL SELECT xmin::text FROM ledger.tracking"
        ).fetchall()
    assert len(writers) == 2
    assert len(set(writers)) == 1


def test_two_applications_of_one_process_share_connections(environment: dict[str, str]) -> None:
    with Application[UUID](env=environment) as first, Application[UUID](env=environment) as second:
        assert isinstance(first.factory, LedgerFactory)
        assert isinstance(second.factory, LedgerFactory)
        assert first.factory.database is second.factory.database


def test_another_school_is_not_seen(environment: dict[str, str], database: Database) -> None:
    with Application[UUID](env=environment) as application:
        application.save(Aggregate())
        assert application.recorder.max_notification_id() == 1
    recorder = StreamRecorder(database, new_id())
    assert recorder.select_notifications(start=None, limit=10) == []
