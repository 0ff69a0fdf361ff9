"""A proposal counts every school at exactly its recorded position, whatever is being written meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from domain.academic_year import Term
from domain.application import assessing, pupils
from domain.application.school_application import Schools
from domain.errors import NotYetVisible
from domain.ledger.database import Connection, Database
from domain.ledger.persistence import close_shared_database
from domain.particulars import PupilParticulars
from domain.vault import keystore
from domain.vault.keyring import Keyring
from projections.benchmarks import reading
from projections.benchmarks.counting import SchoolCounts, count
from projections.benchmarks.points import Point
from projections.benchmarks.proposing import counts_of, heads_of
from projections.benchmarks.reading import SchoolThen, school_at
from projections.disclosure import Group
from projections.runner import Worker, keys_of
from tests.application.conftest import RegisteredSchool
from tests.application.examples import TODAY, admitted, child
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS, schools_of
from tests.projections.catching_up import caught_up
from tests.projections.erasures import erase
from tests.projections.releasing import THEN, assess, some_schools

POINT = Point.of(THEN)


@pytest.fixture
def schools(test_database: TestDatabase) -> Iterator[Schools]:
    yield schools_of(test_database.conninfo())
    close_shared_database(test_database.conninfo())


@pytest.fixture
def school(schools: Schools) -> RegisteredSchool:
    """A school of forty children, twelve below, at and above."""
    [made] = some_schools(schools, 1)
    assess(made, "REA", below=12, at=12, above=12)
    return made


Reading = Callable[[Connection, Keyring, int, list[Point], dict[Any, Any]], SchoolThen]


def counted(
    database: Database, school: RegisteredSchool, position: int, read: Reading = school_at
) -> SchoolCounts:
    """The check: what the school contributes at a position."""
    school_id = school.application.school_id
    with database.bound_to(school_id) as connection:
        # What opens the keys reads, too; the release hands them in, so that the reading sees one moment.
        keys = keys_of(connection, school_id, SERVICE_KEYS)
    with database.bound_to(school_id) as connection:
        fetching = keys_of_another(connection, keys)
        return count(read(connection, fetching, position, [POINT], {}), [POINT], TODAY)


def keys_of_another(connection: Connection, keys: Keyring) -> Keyring:
    return Keyring(keys.school, partial(keystore.record_keys_of_subjects, connection, keys.school_id))


def head(school: RegisteredSchool) -> int:
    return school.application.stream.head().position


def change_everything(school: RegisteredSchool) -> None:
    """Corrects, voids, adds and moves: whatever makes another count, and other pupils."""
    application = school.application
    roll = list(application.roll())
    for place, pupil_id in enumerate(roll[:6]):
        [assessment_id] = assessing.assessments(application, pupil_id)
        if place % 2:
            assessing.void(application, pupil_id, assessment_id, "Entered twice", school.teacher)
        else:
            assessing.correct(application, pupil_id, assessment_id, "4s", school.teacher)
    assess(school, "MAT", below=3)
    entries = [assessing.Entry(pupil_id, "REA", "2s") for pupil_id in roll[20:25]]
    assessing.record(application, THEN, entries, school.teacher)
    for pupil_id in roll[10:14]:
        pupil = application.pupil(pupil_id)
        changes = PupilParticulars(free_school_meals=True, nc_year="5")
        pupils.change(application, pupil_id, changes, pupil.version, school.teacher)
    admitted(application, school.teacher, child(900, free_school_meals=True))
    version = application.pupil(roll[15]).version
    pupils.leave(application, roll[15], date(TODAY.year - 2, 3, 1), version, school.teacher)


def ignoring_the_position(
    connection: Connection, keys: Keyring, position: int, points: list[Point], known: dict[Any, Any]
) -> SchoolThen:
    """The sabotaged twin: whatever the rows hold now, as if nothing had been written since."""
    del position
    with without("pupils_assessed_since"), without("pupils_changed_since"):
        return school_at(connection, keys, 1, points, known)


@contextmanager
def without(statement: str) -> Iterator[None]:
    """Nobody is found to have changed."""
    kept = reading.SQL[statement]
    reading.SQL[statement] = kept + b" AND false"
    try:
        yield
    finally:
        reading.SQL[statement] = kept


def differences(database: Database, school: RegisteredSchool, read: Reading) -> bool:
    """Whether what is counted at a position is another once more has been written and projected."""
    caught_up(database)
    position = head(school)
    before = counted(database, school, position, read)
    change_everything(school)
    caught_up(database)
    return counted(database, school, position, read) != before


def test_what_was_written_later_does_not_count(school: RegisteredSchool, worker_database: Database) -> None:
    assert not differences(worker_database, school, school_at)


def test_counting_that_ignores_the_position_is_found(
    school: RegisteredSchool, worker_database: Database
) -> None:
    assert differences(worker_database, school, ignoring_the_position)


def test_each_position_has_a_count_of_its_own(school: RegisteredSchool, worker_database: Database) -> None:
    """Read at the position when it was the head, and read later: the same, at every position."""
    start = head(school)
    caught_up(worker_database)
    at_once = {start: counted(worker_database, school, start)}
    roll = list(school.application.roll())
    for pupil_id in roll[:5]:
        [assessment_id] = assessing.assessments(school.application, pupil_id)
        assessing.correct(school.application, pupil_id, assessment_id, "4s", school.teacher)
        caught_up(worker_database)
        at_once[head(school)] = counted(worker_database, school, head(school))
    assert len({repr(each.tables) for each in at_once.values()}) == len(at_once)
    for position, found in at_once.items():
        assert counted(worker_database, school, position) == found


def test_counted_while_thirty_write(school: RegisteredSchool, worker_database: Database) -> None:
    caught_up(worker_database)
    position = head(school)
    before = counted(worker_database, school, position)
    stop = threading.Event()
    worker = threading.Thread(target=Worker(worker_database, SERVICE_KEYS).run, args=[stop])
    worker.start()
    roll = list(school.application.roll())

    def write() -> None:
        number = 0
        while not stop.is_set():
            value = ("2s", "3s", "4s")[number % 3]
            pupil_id = roll[number % len(roll)]
            entry = assessing.Entry(pupil_id, "REA", value)
            assessing.record(school.application, THEN, [entry], school.teacher)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(25):
            assert counted(worker_database, school, position) == before
    finally:
        stop.set()
        writer.join()
        worker.join()
    assert head(school) > position + 10, "something was written meanwhile"


def test_rows_that_have_not_come_so_far_are_not_counted(
    school: RegisteredSchool, worker_database: Database
) -> None:
    caught_up(worker_database)
    assess(school, "MAT", at=3)
    with pytest.raises(NotYetVisible):
        counted(worker_database, school, head(school))


def test_who_was_erased_is_not_counted_at_any_position(
    school: RegisteredSchool, worker_database: Database, tmp_path: Path
) -> None:
    caught_up(worker_database)
    position = head(school)
    erase(tmp_path, school, *list(school.application.roll())[:2])
    caught_up(worker_database)
    found = counted(worker_database, school, position)
    [counts] = [groups[Group("all", "all")] for groups in found.tables.values()]
    assert counts.below + counts.at + counts.above == 34


def test_several_processes_count_what_one_counts(
    schools: Schools,
    school: RegisteredSchool,
    worker_database: Database,
    test_database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = some_schools(schools, 2)
    for other in others:
        assess(other, "REA", below=5, at=6, above=7)
    caught_up(worker_database)
    heads = heads_of(worker_database)
    assert set(heads) == {each.application.school_id for each in (school, *others)}
    alone = dict(counts_of(worker_database, SERVICE_KEYS, heads, [POINT], TODAY))
    monkeypatch.setattr("projections.benchmarks.proposing.ENOUGH_FOR_PROCESSES", 1)
    conninfo = test_database.conninfo("target_tracker_worker")
    together = counts_of(worker_database, SERVICE_KEYS, heads, [POINT], TODAY, conninfo=conninfo)
    assert dict(together) == alone
    assert len(alone) == 3


def test_the_term_of_birth_is_known_without_names(
    school: RegisteredSchool, worker_database: Database
) -> None:
    caught_up(worker_database)
    found = counted(worker_database, school, head(school))
    [groups] = found.tables.values()
    assert groups[Group("term_of_birth", "autumn")] == groups[Group("all", "all")]
    born_in_may = child(901, date_of_birth=date(TODAY.year - 9, 5, 3))
    [pupil_id] = admitted(school.application, school.teacher, born_in_may)
    entry = assessing.Entry(pupil_id, "REA", "3s")
    assessing.record(school.application, THEN, [entry], school.teacher)
    caught_up(worker_database)
    [groups] = [
        groups
        for measured, groups in counted(worker_database, school, head(school)).tables.items()
        if Group("term_of_birth", Term.SUMMER) in groups
    ]
    assert groups[Group("term_of_birth", Term.SUMMER)].at == 1
    pupil = school.application.pupil(pupil_id)
    born = PupilParticulars(date_of_birth=date(TODAY.year - 9, 2, 3))
    pupils.change(school.application, pupil_id, born, pupil.version, school.teacher)
    caught_up(worker_database)
    after = counted(worker_database, school, head(school)).tables
    assert not any(Group("term_of_birth", Term.SUMMER) in groups for groups in after.values())
    assert any(Group("term_of_birth", Term.SPRING) in groups for groups in after.values())
