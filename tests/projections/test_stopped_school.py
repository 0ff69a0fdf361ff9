"""An event that cannot be applied stops one projection of one school, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import msgspec
import pytest
from eventsourcing.persistence import StoredEvent

import domain.pupil
from domain.application.school_application import assessments_of
from domain.assessment import AssessmentRecorded, Result
from domain.errors import SchoolStopped
from domain.events import OPERATOR
from domain.identifiers import new_id
from domain.ledger.database import Connection, Database
from domain.ledger.mapper import EventMapper
from domain.ledger.stream import RecordedEvent
from domain.pupil import PupilAdmitted, PupilReturned
from domain.vault import keystore
from domain.vault.keyring import Keyring
from projections.assessments import AssessmentsProjection
from projections.projection import Projection
from projections.pupils import PupilsProjection
from projections.runner import ProjectionStatus, Worker, resume, status, wait_for
from tests.application.examples import TODAY, child
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS
from tests.projections.happenings import LivelySchool
from tests.projections.reference import actual, expected

SECRET = "Whoever-this-may-be"


@pytest.fixture
def schools(database: Database) -> list[LivelySchool]:
    """Three schools, in which some things have happened."""
    schools = [LivelySchool(database, str(300000 + number), number) for number in range(3)]
    for school in schools:
        school.happen(30)
    return schools


def admission() -> PupilAdmitted:
    names, record = child(1, surname=SECRET)
    return domain.pupil.admit(new_id(), names, record, OPERATOR)


def run(database: Database, *, batch: int = 4000) -> None:
    Worker(database, SERVICE_KEYS, batch=batch).run_until_idle()


def stopped(database: Database) -> list[ProjectionStatus]:
    return [line for line in status(database) if line.stopped_at]


READ_PUPILS = {"pupils", "attendance"}
"""The projections that read the admission of a child: an event of it that is damaged stops each of them."""


def stopped_at(database: Database) -> ProjectionStatus:
    """The status of the pupils, which have stopped, as the others that read pupils' events have."""
    lines = {line.projection: line for line in stopped(database)}
    assert lines.keys() == READ_PUPILS
    assert len({(line.school_id, line.position, line.stopped_by) for line in lines.values()}) == 1
    return lines["pupils"]


def let_go(database: Database, school_id: UUID) -> bool:
    resumed = [resume(database, school_id, projection) for projection in READ_PUPILS]
    return all(resumed)


@pytest.mark.parametrize("batch", [1, 4000])
def test_a_result_that_was_given_to_another_child_stops_the_results(
    schools: list[LivelySchool], worker_database: Database, test_database: TestDatabase, batch: int
) -> None:
    """Whom an event is about is not sealed: it is held against the other events of its log."""
    school = schools[0]
    logs: dict[object, list[StoredEvent]] = {}
    for event in school.stream.events_between(1, 10_000, limit=10_000):
        if event.topic.startswith("assessment.recorded."):
            logs.setdefault(event.originator_id, []).append(event)
    [[*_, newest], [other, *_], *_] = sorted(logs.values(), key=len, reverse=True)
    assert newest.originator_version > 1
    decode, encode = msgspec.msgpack.decode, msgspec.msgpack.encode
    open_part, *sealed = decode(newest.state)
    said = decode(open_part) | {"pupil_id": decode(decode(other.state)[0])["pupil_id"]}
    with test_database.connect("postgres") as superuser:
        superuser.execute(
            "UPDATE ledger.events SET state = %s WHERE originator_id = %s AND originator_version = %s",
            [encode([encode(said), *sealed]), newest.originator_id, newest.originator_version],
        )
    run(worker_database, batch=batch)
    [line] = [line for line in stopped(worker_database) if line.projection == "assessments"]
    assert line.school_id == school.school_id
    assert line.stopped_by
    assert newest.topic in line.stopped_by


@pytest.mark.parametrize("batch", [1, 3, 4000])
def test_a_damaged_event_stops_its_school_just_before_it(
    schools: list[LivelySchool],
    worker_database: Database,
    test_database: TestDatabase,
    caplog: pytest.LogCaptureFixture,
    batch: int,
) -> None:
    damaged, *others = schools
    position = damaged.append([admission()]).last
    damaged.happen(30)
    with test_database.connect("postgres") as superuser:
        [(state,)] = superuser.execute(
            "SELECT state FROM ledger.events WHERE school_id = %s AND position = %s",
            [damaged.school_id, position],
        ).fetchall()
        assert isinstance(state, bytes)
        spoilt = "UPDATE ledger.events SET state = %s WHERE school_id = %s AND position = %s"
        superuser.execute(spoilt, [state[:-1] + b"\xc1", damaged.school_id, position])
        with caplog.at_level(logging.ERROR):
            run(worker_database, batch=batch)

        line = stopped_at(worker_database)
        assert (line.school_id, line.position) == (damaged.school_id, position - 1)
        assert line.stopped_by == f"MapperDeserialisationError at position {position}, pupil.admitted.1"
        assert line.behind == 31
        told = caplog.text + str(status(worker_database))
        assert SECRET not in told
        assert str(damaged.school_id) in caplog.text

        # Everything before it is there, and so is everything of other projections and schools.
        before = damaged.stream.events_between(1, position - 1, limit=1000)
        there = {keys.subject for keys in keystore.of_every_subject(superuser, damaged.school_id)}
        children = {event.originator_id for event in before if event.topic.startswith("pupil.")}
        assert {*actual(superuser, damaged.keys).pupils} == children & there
        for school in others:
            assert actual(superuser, school.keys) == expected(school.stream, school.keys)
            school.append([admission()])
        run(worker_database)
        for school in others:
            assert actual(superuser, school.keys) == expected(school.stream, school.keys)
        assert stopped_at(worker_database)

        # Let go too early, it stops again at the same event.
        assert let_go(worker_database, damaged.school_id)
        assert stopped(worker_database) == []
        run(worker_database)
        assert stopped_at(worker_database).stopped_by == line.stopped_by

        superuser.execute(spoilt, [state, damaged.school_id, position])
        run(worker_database)
        assert stopped_at(worker_database), "it waits for a person"
        assert let_go(worker_database, damaged.school_id)
        assert not resume(worker_database, damaged.school_id, "pupils")
        run(worker_database)
        assert stopped(worker_database) == []
        for school in schools:
            assert actual(superuser, school.keys) == expected(school.stream, school.keys)


def poisoned(kind: str, school: LivelySchool) -> StoredEvent:
    """An event that a projection cannot apply, of a child who has keys."""
    pupil_id = new_id()
    school.make_keys(pupil_id)
    mapper = EventMapper(school.keyring)
    names, record = child(1, surname=SECRET)
    admitted = mapper.to_stored_event(domain.pupil.admit(pupil_id, names, record, OPERATOR))
    match kind:
        case "unknown type":
            return replace(admitted, topic="pupil.teleported.1")
        case "unknown version":
            return replace(admitted, topic="pupil.admitted.99")
        case "nobody's":
            return mapper.to_stored_event(
                PupilReturned(originator_id=pupil_id, originator_version=7, actor=OPERATOR, returned_on=TODAY)
            )
        case "unknown attendance":
            return replace(admitted, topic="attendance.guessed.1")
        case "not a state":
            return replace(admitted, state=SECRET.encode())
        case "moved from another place":
            return replace(admitted, originator_version=2)
        case _:
            # PostgreSQL indexes no value of this size, and says so with an operational error.
            unheard_of = "".join(Random(1).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=20_000))
            result = Result(scheme="statutory", subject=unheard_of, value="1", academic_year=2024)
            return mapper.to_stored_event(
                AssessmentRecorded(
                    originator_id=assessments_of(pupil_id),
                    originator_version=1,
                    actor=OPERATOR,
                    assessment_id=new_id(),
                    pupil_id=pupil_id,
                    result=result,
                )
            )


@pytest.mark.parametrize(
    ("kind", "projections", "error"),
    [
        ("unknown type", {"pupils"}, "MapperDeserialisationError"),
        ("unknown version", READ_PUPILS, "MapperDeserialisationError"),
        ("nobody's", {"pupils"}, "ValueError"),
        ("not a state", READ_PUPILS, "ValidationError"),
        ("moved from another place", READ_PUPILS, "MapperDeserialisationError"),
        ("too much for an index", {"assessments"}, "ProgramLimitExceeded"),
        ("unknown attendance", {"attendance"}, "MapperDeserialisationError"),
    ],
)
def test_whatever_cannot_be_applied_stops_its_own_school_only(
    schools: list[LivelySchool],
    worker_database: Database,
    test_database: TestDatabase,
    kind: str,
    projections: set[str],
    error: str,
) -> None:
    # The schools are taken in no certain order: the one in the middle has others on both sides.
    culprit = schools[1]
    event = poisoned(kind, culprit)
    if projections == {"assessments"}:
        with test_database.connect("postgres") as superuser:
            superuser.execute("CREATE INDEX an_index ON projections.assessments (cell)")
    position = culprit.stream.append([event]).last
    run(worker_database)
    lines = stopped(worker_database)
    assert {line.projection for line in lines} == projections
    for line in lines:
        assert (line.school_id, line.position) == (culprit.school_id, position - 1)
        assert line.stopped_by is not None
        assert line.stopped_by.startswith(f"{error} at position {position}, ")
        assert line.stopped_by.endswith(event.topic)
        assert SECRET not in line.stopped_by
    assert all(each.behind == 0 for each in status(worker_database) if not each.stopped_at)
    with test_database.connect("postgres") as superuser:
        for school in (schools[0], schools[2]):
            assert actual(superuser, school.keys) == expected(school.stream, school.keys)


def test_events_that_no_projection_reads_stop_nothing(
    schools: list[LivelySchool], worker_database: Database
) -> None:
    for school in schools:
        school.stream.append([StoredEvent(new_id(), 1, "photograph.taken.1", b"")])
    run(worker_database)
    assert all(line.behind == 0 for line in status(worker_database))


def test_whoever_waits_for_a_stopped_school_is_told(
    schools: list[LivelySchool], worker_database: Database, database: Database
) -> None:
    school_id = schools[0].school_id
    last = schools[0].stream.append([poisoned("unknown type", schools[0])]).last
    run(worker_database)
    with pytest.raises(SchoolStopped) as told:
        wait_for(database, school_id, "pupils", last, timeout=30)
    assert told.value.details == {"reached": last - 1}
    # What it shows already, and what others show, can be read.
    wait_for(database, school_id, "pupils", last - 1)
    wait_for(database, school_id, "logins", last)


def test_an_error_that_passes_stops_nothing(
    schools: list[LivelySchool], worker_database: Database, test_database: TestDatabase
) -> None:
    """What fails once, and succeeds event by event, was no event's fault."""

    class Fickle(AssessmentsProjection):
        failures = 1

        def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
            if self.failures:
                self.failures -= 1
                raise MemoryError
            super().apply(connection, keys, events)

    worker = Worker(worker_database, SERVICE_KEYS, [Fickle()], batch=1000)
    assert worker.catch_up(schools[0].school_id, Fickle()) > 0
    worker.run_until_idle()
    assert stopped(worker_database) == []
    assert all(line.behind == 0 for line in status(worker_database, [AssessmentsProjection()]))


def test_a_stop_is_never_put_on_an_event_that_another_worker_has_applied(
    schools: list[LivelySchool], worker_database: Database
) -> None:
    """While one worker looks for the culprit, another one may well have got past it."""
    school_id = schools[0].school_id

    class Failing(PupilsProjection):
        def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
            raise RuntimeError

    class WorkerThatIsOvertaken(Worker):
        def _move_up_to_the_culprit(self, school_id: UUID, projection: Projection) -> int:
            run(worker_database)
            return super()._move_up_to_the_culprit(school_id, projection)

    assert WorkerThatIsOvertaken(worker_database, SERVICE_KEYS).catch_up(school_id, Failing()) == 0
    assert stopped(worker_database) == []


def spoil(database: TestDatabase, school: LivelySchool, position: int) -> Callable[[], None]:
    """Damages an event, and returns what mends it."""
    change = "UPDATE ledger.events SET state = %s WHERE school_id = %s AND position = %s"
    with database.connect("postgres") as superuser:
        [(state,)] = superuser.execute(
            "SELECT state FROM ledger.events WHERE school_id = %s AND position = %s",
            [school.school_id, position],
        ).fetchall()
        assert isinstance(state, bytes)
        superuser.execute(change, [state[:-1] + b"\xc1", school.school_id, position])

    def mend() -> None:
        with database.connect("postgres") as superuser:
            superuser.execute(change, [state, school.school_id, position])

    return mend


def until_next_try(line: ProjectionStatus) -> float:
    assert line.next_try_at
    return (line.next_try_at - datetime.now(UTC)).total_seconds()


def let_time_pass(database: TestDatabase) -> None:
    """The time of the next try has come."""
    with database.connect("postgres") as superuser:
        superuser.execute(
            "UPDATE projections.checkpoints SET next_try_at = now() - interval '1 second'"
            " WHERE next_try_at IS NOT NULL"
        )


def test_what_has_stopped_is_tried_again_more_and_more_seldom(
    schools: list[LivelySchool], worker_database: Database, test_database: TestDatabase
) -> None:
    school = schools[0]
    run(worker_database)
    position = school.append([admission()]).last
    mend = spoil(test_database, school, position)
    run(worker_database)
    first = stopped_at(worker_database)
    waits = []
    for tries in range(1, 9):
        line = stopped_at(worker_database)
        assert (line.tries, line.stopped_at, line.stopped_by) == (tries, first.stopped_at, first.stopped_by)
        assert line.position == position - 1, "it is never stepped over"
        waits.append(round(until_next_try(line), -1))
        run(worker_database)
        assert stopped_at(worker_database).tries == tries, "its time has not come"
        let_time_pass(test_database)
        run(worker_database)
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    # A school that is mended meanwhile waits for its next try; then it is as if nothing had been.
    mend()
    run(worker_database)
    assert stopped_at(worker_database)
    let_time_pass(test_database)
    run(worker_database)
    assert stopped(worker_database) == []
    assert all(
        (each.behind, each.tries, each.next_try_at) == (0, 0, None) for each in status(worker_database)
    )
    with test_database.connect("postgres") as superuser:
        assert actual(superuser, school.keys) == expected(school.stream, school.keys)


def test_a_try_that_gets_further_counts_anew(
    schools: list[LivelySchool], worker_database: Database, test_database: TestDatabase
) -> None:
    school = schools[0]
    first, second = school.append([admission()]).last, school.append([admission()]).last
    mend = spoil(test_database, school, first)
    spoil(test_database, school, second)
    run(worker_database)
    let_time_pass(test_database)
    run(worker_database)
    assert (stopped_at(worker_database).position, stopped_at(worker_database).tries) == (first - 1, 2)
    mend()
    let_time_pass(test_database)
    run(worker_database)
    assert (stopped_at(worker_database).position, stopped_at(worker_database).tries) == (second - 1, 1)


def test_what_stopped_with_no_time_for_another_try_waits_for_a_person(
    schools: list[LivelySchool], worker_database: Database, test_database: TestDatabase
) -> None:
    run(worker_database)
    with test_database.connect("postgres") as superuser:
        superuser.execute(
            "UPDATE projections.checkpoints SET stopped_at = now(), stopped_by = 'somebody', tries = 1"
            " WHERE projection = ANY (%s) AND school_id = %s",
            [list(READ_PUPILS), schools[0].school_id],
        )
    schools[0].append([admission()])
    run(worker_database)
    assert stopped_at(worker_database).behind == 1
    assert let_go(worker_database, schools[0].school_id)
    run(worker_database)
    assert stopped(worker_database) == []
