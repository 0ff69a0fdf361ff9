"""What projections keep is sealed, opens in its own row alone, and goes with a child who is erased."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.persistence import MapperDeserialisationError

import projections.pupils
from domain.application import attending, pupils
from domain.application.assessing import Entry, record
from domain.application.attending import DayEntry
from domain.application.school_application import SchoolApplication, Schools
from domain.attendance import Attendance
from domain.errors import DoesNotOpen
from domain.events import Compartment
from domain.ledger.database import Connection, Database
from domain.ledger.stream import RecordedEvent
from domain.particulars import PupilParticulars
from domain.vault.keyring import Keyring
from projections import assessments, attendance
from projections.projection import Projection
from projections.pupils import PupilsProjection
from projections.runner import PROJECTIONS, Worker
from scripts.demonstration.dump import readable
from tests.application.conftest import RegisteredSchool, registered_school
from tests.application.examples import admitted, child, point_before
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS, schools_of
from tests.projections.erasures import caught_up, erase

THEN = point_before(1)
CANARIES = ("Zanzibarcanary", "Quokkacanary", "Ostrichcanary class")


@pytest.fixture
def own(test_database: TestDatabase) -> Iterator[Schools]:
    schools = schools_of(test_database.conninfo())
    yield schools
    schools.database.close()


def some_children(registered: RegisteredSchool) -> list[UUID]:
    """Two children with a history, a judgement and a marked day each."""
    school, teacher = registered.application, registered.teacher
    names = {"surname": CANARIES[0], "forename": CANARIES[1], "class_name": CANARIES[2]}
    ids = admitted(school, teacher, child(1, **names), child(2, **names))
    for pupil_id in ids:
        record(school, THEN, [Entry(pupil_id, "REA", "3w")], teacher)
        pupils.change(school, pupil_id, PupilParticulars(nc_year="5"), 1, teacher)
    marks = [DayEntry(pupil_id=pupil_id, day=THEN.ends_on, am="/", pm="I") for pupil_id in ids]
    attending.mark(school, marks, teacher)
    return ids


def in_projections(database: TestDatabase) -> set[str]:
    """Which tables of projections tell something, and what."""
    found = readable(database.conninfo("postgres"), CANARIES)
    return {f"{each.table}: {each.word}" for each in found if each.table.startswith("projections.")}


def run(database: Database, *kept: Projection) -> None:
    worker = Worker(database, SERVICE_KEYS, kept)
    while worker.run_once():
        pass


def test_no_row_can_be_read(own: Schools, test_database: TestDatabase, worker_database: Database) -> None:
    some_children(registered_school(own))
    run(worker_database, *PROJECTIONS)
    assert in_projections(test_database) == set()


class Careless(PupilsProjection):
    """The sabotaged twin: it keeps the name of a class in the clear, beside what is sealed."""

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        super().apply(connection, keys, events)
        connection.execute(
            "UPDATE projections.pupils SET nc_year = %s WHERE school_id = %s", [CANARIES[2], keys.school_id]
        )


def test_a_projection_that_keeps_what_it_opened_is_seen(
    own: Schools, test_database: TestDatabase, worker_database: Database
) -> None:
    some_children(registered_school(own))
    run(worker_database, Careless())
    assert in_projections(test_database) == {f"projections.pupils: {CANARIES[2]}"}


class Watching(PupilsProjection):
    """Looks at the keys that a worker has."""

    def __init__(self) -> None:
        self.holds: set[Compartment] = set()

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        self.holds |= {home for home in Compartment if keys.holds(home)}
        super().apply(connection, keys, events)


def test_a_worker_never_holds_the_key_to_names(own: Schools, worker_database: Database) -> None:
    some_children(registered_school(own))
    watching = Watching()
    run(worker_database, watching)
    assert watching.holds == {Compartment.RECORD}


MOVES: dict[str, tuple[str, type[Exception]]] = {
    "names of another child": (
        "UPDATE projections.pupils a SET names = b.names FROM projections.pupils b "
        "WHERE a.pupil_id <> b.pupil_id",
        DoesNotOpen,
    ),
    "the record of another child": (
        "UPDATE projections.pupils a SET record = b.record FROM projections.pupils b "
        "WHERE a.pupil_id <> b.pupil_id",
        DoesNotOpen,
    ),
    "the record of another version": ("UPDATE projections.pupils SET version = version + 1", DoesNotOpen),
    "names of another version": (
        "UPDATE projections.pupils SET names_version = names_version + 1",
        DoesNotOpen,
    ),
    "names as the record": ("UPDATE projections.pupils SET record = names", DoesNotOpen),
    "a changed byte": (
        "UPDATE projections.pupils SET record = set_byte(record, 20, get_byte(record, 20) # 1)",
        DoesNotOpen,
    ),
    "the result of another child": (
        "UPDATE projections.assessments a SET record = b.record FROM projections.assessments b "
        "WHERE a.pupil_id <> b.pupil_id",
        MapperDeserialisationError,
    ),
    "the result of another version": (
        "UPDATE projections.assessments SET version = version + 1",
        MapperDeserialisationError,
    ),
    "the attendance of another child": (
        "UPDATE projections.attendance a SET record = b.record, position = b.position "
        "FROM projections.attendance b WHERE a.pupil_id <> b.pupil_id",
        DoesNotOpen,
    ),
    "the attendance of another position": (
        "UPDATE projections.attendance SET position = position + 1",
        DoesNotOpen,
    ),
    "the attendance of another year": (
        "UPDATE projections.attendance SET academic_year = academic_year + 1",
        DoesNotOpen,
    ),
}


@pytest.mark.parametrize(("move", "refusal"), MOVES.values(), ids=MOVES)
def test_what_was_moved_does_not_open(
    own: Schools,
    test_database: TestDatabase,
    worker_database: Database,
    move: str,
    refusal: type[Exception],
) -> None:
    registered = registered_school(own)
    [first, _] = some_children(registered)
    caught_up(worker_database)
    school = own.opened(registered.application.keys.school)
    assert {view.names.surname for view in looked_at(school)} == {CANARIES[0]}
    assert len(results(school, first)) == 1
    assert len(attended(school, first).marks) == 2
    with test_database.connect("postgres") as superuser:
        superuser.execute(move.encode())
    look: partial[Any] = partial(looked_at, school)
    if "projections.assessments" in move:
        look = partial(results, school, first)
    elif "projections.attendance" in move:
        look = partial(attended, school, first)
    with pytest.raises(refusal):
        look()


def looked_at(school: SchoolApplication) -> list[Any]:
    with school.database.bound_to(school.school_id) as connection:
        return projections.pupils.find(connection, school.keys)


def results(school: SchoolApplication, pupil_id: UUID) -> list[Any]:
    with school.database.bound_to(school.school_id) as connection:
        return assessments.latest(connection, school.keys, pupil_id)


def attended(school: SchoolApplication, pupil_id: UUID) -> Attendance:
    day = THEN.ends_on
    with school.database.bound_to(school.school_id) as connection:
        later = day + timedelta(days=365)
        return attendance.of_pupil(connection, school.keys, pupil_id, day, later).attendance


def everything_shown(school: SchoolApplication, pupil_ids: Iterable[UUID]) -> set[UUID]:
    """Of these children, those whom any view still shows."""
    ids = list(pupil_ids)
    with school.database.bound_to(school.school_id) as connection:
        shown = {view.pupil_id for view in projections.pupils.find(connection, school.keys, on_roll=None)}
        shown |= {each for each in ids if projections.pupils.get(connection, school.keys, each) is not None}
        shown |= {each for each in ids if assessments.latest(connection, school.keys, each)}
        shown |= {view.pupil_id for view in assessments.sheet(connection, school.keys, ids, THEN)}
        registers = attendance.of_pupils(connection, school.keys, ids, THEN.ends_on, THEN.ends_on)
        shown |= {pupil_id for pupil_id, view in registers.items() if view.attendance.marks}
        counted = list(assessments.at_points(connection, school.keys, [THEN]))
    assert len(counted) == len(shown)
    return shown


@pytest.mark.parametrize("before", [True, False])
def test_who_is_erased_is_shown_by_no_view_even_while_the_worker_stands_still(
    own: Schools,
    test_database: TestDatabase,
    worker_database: Database,
    tmp_path: Path,
    before: bool,
) -> None:
    registered = registered_school(own)
    first, second = some_children(registered)
    if (
        before
    ):  # the rows are there when the child is erased; otherwise the worker meets events that do not open
        caught_up(worker_database)
    erase(tmp_path, registered, first)
    if before:
        school = own.opened(registered.application.keys.school)
        assert everything_shown(school, [first, second]) == {second}
        assert rows_of(test_database, first) == 3
    caught_up(worker_database)
    assert rows_of(test_database, first) == 0
    assert rows_of(test_database, second) == 3
    school = own.opened(registered.application.keys.school)
    assert everything_shown(school, [first, second]) == {second}


def rows_of(database: TestDatabase, pupil_id: UUID) -> int:
    with database.connect("postgres") as superuser:
        found = superuser.execute(
            "SELECT (SELECT count(*) FROM projections.pupils WHERE pupil_id = %s)"
            " + (SELECT count(*) FROM projections.assessments WHERE pupil_id = %s)"
            " + (SELECT count(*) FROM projections.attendance WHERE pupil_id = %s)",
            [pupil_id, pupil_id, pupil_id],
        ).fetchone()
    assert found
    assert isinstance(found[0], int)
    return found[0]


def contents(database: TestDatabase) -> list[tuple[object, ...]]:
    """The rows, but for what is sealed anew each time."""
    with database.connect("postgres") as superuser:
        return [
            *superuser.execute(
                "SELECT pupil_id, version, nc_year, class_id, on_roll, names "
                "FROM projections.pupils ORDER BY pupil_id"
            ),
            *superuser.execute("SELECT * FROM projections.assessments ORDER BY pupil_id, cell"),
            *superuser.execute("SELECT pupil_id, academic_year, position FROM projections.attendance"),
        ]


def test_made_anew_after_an_erasure_the_rows_are_the_same(
    own: Schools, test_database: TestDatabase, worker_database: Database, tmp_path: Path
) -> None:
    registered = registered_school(own)
    first, second = some_children(registered)
    caught_up(worker_database)
    erase(tmp_path, registered, first)
    caught_up(worker_database)
    live = contents(test_database)
    assert {row[0] for row in live[:1]} == {second}
    with test_database.connect("postgres") as superuser:
        superuser.execute(
            "TRUNCATE projections.pupils, projections.assessments, projections.attendance, "
            "projections.logins, projections.usage, projections.checkpoints"
        )
    caught_up(worker_database)
    assert contents(test_database) == live
