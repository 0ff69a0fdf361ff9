"""A child who is erased is shown to nobody from that moment on; once a worker has run, there is no row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

import domain.pupil
import projections.assessments
import projections.attendance
import projections.pupils
import projections.targets
from domain.application import assessing, attending
from domain.application.assessing import Entry
from domain.application.attending import DayEntry
from domain.application.statements import NewStatement, register, statements_of
from domain.application.targets import TargetEntry, set_targets
from domain.assessment import STATEMENTS
from domain.events import OPERATOR
from domain.identifiers import new_id
from domain.ledger.database import Connection, Database
from domain.ledger.stream import RecordedEvent
from domain.pupil import ErasureReason, PupilErased
from domain.vault import keystore
from domain.vault.keyring import Keyring
from projections import runner
from projections.assessments import AssessmentsProjection
from projections.attendance import AttendanceProjection
from projections.projection import Projection
from projections.pupils import PupilsProjection
from projections.runner import PROJECTIONS, Worker, status
from projections.targets import TargetsProjection
from tests.application.conftest import RegisteredSchool
from tests.application.examples import admitted, child, children, point_before
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS
from tests.projections.catching_up import caught_up
from tests.projections.erasures import erase
from tests.projections.happenings import LivelySchool
from tests.projections.reference import Rows, actual, expected

THEN = point_before(1)
MARKED = THEN.ends_on


def assessed(registered: RegisteredSchool, pupil_ids: Sequence[UUID]) -> None:
    school = registered.application
    entries = [Entry(pupil_id, "REA", "3s") for pupil_id in pupil_ids]
    assessing.record(school, THEN, entries, registered.teacher)
    new = NewStatement(subject="MAT", code="3N-04", text="I can count in hundreds")
    if not statements_of(school):
        register(school, [new], registered.teacher)
    [statement] = statements_of(school)
    judged = [Entry(pupil_id, "MAT", "achieved", statement) for pupil_id in pupil_ids]
    assessing.record(school, THEN, judged, registered.teacher, scheme=STATEMENTS)
    wanted = [TargetEntry(pupil_id, "REA", "4s") for pupil_id in pupil_ids]
    set_targets(school, point_before(-1), wanted, registered.teacher)
    marks = [DayEntry(pupil_id=pupil_id, day=MARKED, am="/", pm="I") for pupil_id in pupil_ids]
    attending.mark(school, marks, registered.teacher)


def shown_by(registered: RegisteredSchool, worker: Database, pupil_id: UUID) -> set[str]:
    """The check: which ways of reading show a child, or count one who is the only one of a class."""
    school = registered.application
    shown = set()
    with school.database.bound_to(school.school_id) as connection:
        keys = school.opened_with(school.keys.school).keys
        if any(view.pupil_id == pupil_id for view in projections.pupils.find(connection, keys, on_roll=None)):
            shown.add("find")
        if projections.pupils.get(connection, keys, pupil_id):
            shown.add("get")
        if any(view.class_name == "Alone" for view in projections.pupils.classes(connection, keys)):
            shown.add("classes")
        if projections.assessments.latest(connection, keys, pupil_id):
            shown.add("latest")
        if projections.assessments.sheet(connection, keys, [pupil_id], THEN):
            shown.add("sheet")
        if projections.assessments.judged(connection, keys, [pupil_id]):
            shown.add("judged")
        if projections.targets.of_pupils(connection, keys, [pupil_id]):
            shown.add("targets")
        attended = projections.attendance.of_pupil(connection, keys, pupil_id, MARKED, MARKED)
        if attended.position or attended.attendance.marks:
            shown.add("attendance")
    with worker.bound_to(school.school_id) as connection:
        keys = runner.keys_of(connection, school.school_id, SERVICE_KEYS)
        if len(list(projections.assessments.at_points(connection, keys, [THEN]))) > 1:
            shown.add("at_points")
    return shown


EVERY_WAY = {"find", "get", "classes", "latest", "sheet", "judged", "targets", "attendance", "at_points"}


def rows_of(database: TestDatabase, pupil_id: UUID) -> int:
    """How many rows there are of a child, opened or not."""
    with database.connect("postgres") as superuser:
        counts = [
            superuser.execute(
                f"SELECT count(*) FROM projections.{table} WHERE pupil_id = %s".encode(), [pupil_id]
            ).fetchall()
            for table in ("pupils", "assessments", "targets", "attendance")
        ]
    return sum(int(str(count)) for [(count,)] in counts)


@pytest.fixture
def two(registered: RegisteredSchool, worker: Database) -> tuple[UUID, UUID]:
    """Two children who are assessed and shown, the first alone in a class."""
    first, second = admitted(
        registered.application, registered.teacher, child(1, class_name="Alone"), child(2)
    )
    assessed(registered, [first, second])
    caught_up(worker)
    return first, second


def test_while_the_worker_stands_still_nobody_is_shown_an_erased_child(
    registered: RegisteredSchool,
    worker: Database,
    module_database: TestDatabase,
    two: tuple[UUID, UUID],
    tmp_path: Path,
) -> None:
    first, second = two
    assert shown_by(registered, worker, first) == EVERY_WAY
    erase(tmp_path, registered, first)
    assert rows_of(module_database, first) == 5, "the rows are still there, and nobody can open them"
    assert shown_by(registered, worker, first) == set()
    assert shown_by(registered, worker, second) == {
        "find",
        "get",
        "latest",
        "sheet",
        "judged",
        "targets",
        "attendance",
    }


def test_an_erasure_that_leaves_the_keys_is_found_out(
    registered: RegisteredSchool,
    worker: Database,
    two: tuple[UUID, UUID],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sabotaged twin: the event is there, and the keys are, too."""
    monkeypatch.setattr(keystore, "destroy_subject", lambda *_: 1)
    erase(tmp_path, registered, two[0])
    assert shown_by(registered, worker, two[0]) == EVERY_WAY
    # What such an event says of somebody whose keys are there, no worker knows: it stops.
    Worker(worker, SERVICE_KEYS).run_until_idle()
    stopped = {(line.school_id, line.projection) for line in status(worker) if line.stopped_at}
    assert (registered.application.school_id, "pupils") in stopped


def test_after_the_worker_there_is_no_row_of_an_erased_child(
    registered: RegisteredSchool,
    worker: Database,
    module_database: TestDatabase,
    two: tuple[UUID, UUID],
    tmp_path: Path,
) -> None:
    first, second = two
    erase(tmp_path, registered, first)
    caught_up(worker)
    assert rows_of(module_database, first) == 0
    assert rows_of(module_database, second) == 5
    assert shown_by(registered, worker, first) == set()


class Forgetful(AssessmentsProjection):
    """Does not hear of erasures."""

    categories = ("assessment",)


class ForgetfulOfAttendance(AttendanceProjection):
    """Likewise."""

    categories = ("attendance",)


def test_a_projection_that_does_not_hear_of_erasures_leaves_rows(
    registered: RegisteredSchool,
    worker: Database,
    module_database: TestDatabase,
    two: tuple[UUID, UUID],
    tmp_path: Path,
) -> None:
    """The sabotaged twin; even so, nobody can open what it leaves."""
    erase(tmp_path, registered, two[0])
    caught_up(worker, [PupilsProjection(), Forgetful(), ForgetfulOfAttendance(), TargetsProjection()])
    assert rows_of(module_database, two[0]) == 3
    assert shown_by(registered, worker, two[0]) == set()


def test_a_page_is_as_long_as_ever_and_a_class_counts_those_who_are_left(
    registered: RegisteredSchool, worker: Database, tmp_path: Path
) -> None:
    """Whoever leafs through the pupils would take a page that is short for the last one."""
    school = registered.application
    ids = sorted(admitted(school, registered.teacher, *children(8)))
    caught_up(worker)
    erase(tmp_path, registered, ids[0], ids[2])
    keys = school.opened_with(school.keys.school).keys
    with school.database.bound_to(school.school_id) as connection:
        page = projections.pupils.find(connection, keys, limit=4)
        [red] = projections.pupils.classes(connection, keys)
    assert [view.pupil_id for view in page] == [ids[1], *ids[3:6]]
    assert (red.class_name, red.pupils) == ("Red", 6)


@pytest.mark.parametrize("batch", [1, 3, 4000])
def test_a_worker_that_comes_late_makes_no_row_of_somebody_erased_since(
    database: Database, worker_database: Database, test_database: TestDatabase, batch: int
) -> None:
    """Its batches hold events of the child whose keys are gone, and the erasure is in a later one."""
    school = LivelySchool(database, "300000")
    gone, there = new_id(), new_id()
    for pupil_id in (gone, there):
        school.append([domain.pupil.admit(pupil_id, *child(1), OPERATOR)])
    school.happen(40)
    school.append(
        [PupilErased(originator_id=gone, originator_version=2, actor=OPERATOR, reason=ErasureReason.MISTAKE)]
    )

    class Watching(PupilsProjection):
        """Looks after each batch whether there is a row."""

        rows = 0

        def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
            super().apply(connection, keys, events)
            found = connection.execute("SELECT FROM projections.pupils WHERE pupil_id = %s", [gone])
            Watching.rows += found.rowcount

    Worker(worker_database, SERVICE_KEYS, [Watching()], batch=batch).run_until_idle()
    caught_up(worker_database)
    assert Watching.rows == 0
    with test_database.connect("postgres") as superuser:
        shown = actual(superuser, school.keys)
        assert shown == expected(school.stream, school.keys)
    assert there in shown.pupils


def test_an_erasure_in_the_middle_of_a_batch_leaves_nothing_that_opens(
    registered: RegisteredSchool, worker: Database, module_database: TestDatabase, tmp_path: Path
) -> None:
    """The worker holds the child's key already, the erasure is committed, and then the row is written."""
    [pupil_id] = admitted(registered.application, registered.teacher, child(1, class_name="Alone"))
    # The child's own result is not the only one of the school.
    others = admitted(registered.application, registered.teacher, child(2))
    assessed(registered, [pupil_id, *others])

    class Overtaken(PupilsProjection):
        """Is overtaken by the erasure as soon as it has looked the keys up."""

        def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
            keys.need({keys.school_id, pupil_id, *others})
            erase(tmp_path, registered, pupil_id)
            super().apply(connection, keys, events)

    overtaken = Worker(worker, SERVICE_KEYS, [Overtaken()])
    assert overtaken.catch_up(registered.application.school_id, Overtaken()) > 0
    assert rows_of(module_database, pupil_id) == 1
    assert shown_by(registered, worker, pupil_id) == set()
    caught_up(worker)
    assert rows_of(module_database, pupil_id) == 0


def rebuilt(database: Database, superuser: psycopg.Connection[Any], school: LivelySchool) -> Rows:
    """The rows, made again from nothing."""
    with superuser.transaction():
        superuser.execute(
            "TRUNCATE projections.pupils, projections.assessments, projections.targets, projections.logins"
        )
        superuser.execute("TRUNCATE projections.attendance, projections.usage, projections.checkpoints")
    caught_up(database)
    return actual(superuser, school.keys)


@pytest.fixture
def school(database: Database) -> LivelySchool:
    """A school in which much will happen."""
    return LivelySchool(database, "300000", 3)


def live(database: Database, school: LivelySchool, projections: Sequence[Projection]) -> None:
    """A worker keeps up with what happens, a few events at a time, and children are erased all the while."""
    worker = Worker(database, SERVICE_KEYS, projections, batch=7)
    for _ in range(40):
        school.happen(10)
        worker.run_until_idle()
    topics = [event.topic for event in school.stream.events_between(1, limit=9999)]
    assert topics.count("pupil.erased.1") >= 5


def test_rows_that_are_made_again_from_nothing_are_the_live_ones(
    school: LivelySchool, worker_database: Database, test_database: TestDatabase
) -> None:
    live(worker_database, school, PROJECTIONS)
    with test_database.connect("postgres") as superuser:
        before = actual(superuser, school.keys)
        assert before.pupils
        assert before.results
        assert before.attendance
        assert rebuilt(worker_database, superuser, school) == before


def test_rows_that_an_erasure_left_are_not_made_again(
    school: LivelySchool, worker_database: Database, test_database: TestDatabase
) -> None:
    """The sabotaged twin: making them again shows what a projection that is deaf to erasures has left."""
    live(worker_database, school, [Forgetful()])

    def count(superuser: psycopg.Connection[Any]) -> object:
        return superuser.execute("SELECT count(*) FROM projections.assessments").fetchall()

    with test_database.connect("postgres") as superuser:
        before = count(superuser)
        rebuilt(worker_database, superuser, school)
        assert count(superuser) != before
