"""A command is carried out once, however often it is sent and wherever its answer gets lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from domain.access import AccessLevel
from domain.application import accounts, assessing, pupils, registration
from domain.application.importing import import_file
from domain.application.school_application import CommandKey, Outcome, SchoolApplication, Schools
from domain.errors import CommandReused, Conflict, VersionConflict
from domain.events import OPERATOR
from domain.ledger.stream import every_school
from domain.particulars import PupilParticulars
from domain.staff import Access, StaffNames
from tests.application.conftest import RegisteredSchool, registered_school
from tests.application.conftest import registration as made_up_registration
from tests.application.examples import admitted, at_once, child, csv_of, events, point_before, topics
from tests.application.proxy import Cut, Proxy
from tests.conftest import TestDatabase
from tests.keys import schools_of

R = TypeVar("R")

APPEND = b"ledger.append("
"""What the statement that appends several events says."""

ONE = b"\x00ledger.append\x00"
"""How the prepared statement that appends one event is called upon, each time that it is."""

BESIDE = b"vault.subject_keys"
"""What the statement says that stores new keys beside an append, in its transaction."""

KEY = CommandKey("a key", b"the content")

BOTH = pytest.mark.parametrize("cut", [Cut.BEFORE_IT_ARRIVES, Cut.AFTER_THE_COMMIT])


@pytest.fixture
def proxy(module_database: TestDatabase) -> Iterator[Proxy]:
    with Proxy(module_database.conninfo()) as proxy:
        yield proxy


@pytest.fixture
def behind(proxy: Proxy, registered: RegisteredSchool) -> Iterator[SchoolApplication]:
    """The school's application, reached through the proxy."""
    schools = schools_of(proxy.conninfo)
    yield schools.opened(registered.application.keys.school)
    schools.database.close()


def record(school: SchoolApplication, pupil_id: UUID, key: CommandKey | None) -> Outcome[Any]:
    entries = [assessing.Entry(pupil_id, "REA", "3w")]
    return assessing.record(school, point_before(1), entries, OPERATOR, command=key)


def change(school: SchoolApplication, pupil_id: UUID, key: CommandKey | None) -> Outcome[Any]:
    return pupils.change(school, pupil_id, PupilParticulars(class_name="Blue"), 1, OPERATOR, key)


def admit(school: SchoolApplication, pupil_id: UUID, key: CommandKey | None) -> Outcome[Any]:
    return pupils.admit(school, *child(2), OPERATOR, key)


def add_staff(school: SchoolApplication, pupil_id: UUID, key: CommandKey | None) -> Outcome[Any]:
    names = StaffNames(username="New", display_name="New")
    return accounts.add_staff(school, names, Access(AccessLevel.READ_ONLY), "of my own", OPERATOR, key)


COMMANDS = (record, change, admit, add_staff)
EACH = pytest.mark.parametrize("command", COMMANDS)


@EACH
def test_a_repeat_is_answered_with_the_first_result(
    registered: RegisteredSchool, command: Callable[..., Outcome[Any]]
) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    first = command(school, pupil_id, KEY)
    admitted(school, registered.teacher, child(9))
    before = events(school)
    again = command(school, pupil_id, KEY)
    assert (again.result, again.position) == (first.result, first.position)
    assert (first.repeated, again.repeated) == (False, True)
    assert events(school) == before


@EACH
def test_the_key_with_another_content_is_refused(
    registered: RegisteredSchool, command: Callable[..., Outcome[Any]]
) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    command(school, pupil_id, KEY)
    before = events(school)
    with pytest.raises(CommandReused):
        command(school, pupil_id, CommandKey(KEY.key, b"another content"))
    assert events(school) == before


def test_a_key_is_one_schools(registered: RegisteredSchool, schools: Schools) -> None:
    for each in (registered, registered_school(schools)):
        assert not admit(each.application, each.application.school_id, KEY).repeated


def test_a_command_that_was_refused_may_come_again(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(2))
    with pytest.raises(Conflict):
        admit(school, pupil_id, KEY)
    pupils.change(school, pupil_id, PupilParticulars(upn=None), 1, registered.teacher)
    assert not admit(school, pupil_id, KEY).repeated


@EACH
def test_two_connections_at_once_carry_it_out_once(
    registered: RegisteredSchool, module_database: TestDatabase, command: Callable[..., Outcome[Any]]
) -> None:
    school = registered.application
    processes = [
        schools_of(make_conninfo(module_database.conninfo(), application_name=f"{command.__name__} {n}"))
        for n in range(3)
    ]
    apart = [schools.opened(school.keys.school) for schools in processes]
    [pupil_id] = admitted(school, registered.teacher, child(1))
    for number in range(1 if command in (admit, add_staff, change) else 5):
        before = len(events(school))
        key = CommandKey(f"key {number}", b"")
        answers = at_once(*(partial(command, each, pupil_id, key) for each in apart))
        outcomes = [answer for answer in answers if isinstance(answer, Outcome)]
        assert len(outcomes) == 3, answers
        assert sorted(outcome.repeated for outcome in outcomes) == [False, True, True]
        assert outcomes[0].result == outcomes[1].result == outcomes[2].result
        assert len(events(school)) == before + 1
    for schools in processes:
        schools.database.close()


@BOTH
@EACH
def test_a_lost_connection_is_outlived(
    registered: RegisteredSchool,
    behind: SchoolApplication,
    proxy: Proxy,
    command: Callable[..., Outcome[Any]],
    cut: Cut,
) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    before = events(school)
    founds = command in {admit, add_staff}
    proxy.cuts = [(Cut.NOT_YET, APPEND), (Cut.NOT_YET, BESIDE), (cut, b"COMMIT")] if founds else [(cut, ONE)]
    outcome = command(behind, pupil_id, KEY)
    assert proxy.cuts == []
    assert len(events(school)) == len(before) + 1
    assert outcome.position == events(school)[-1].id
    assert outcome.repeated == (cut is Cut.AFTER_THE_COMMIT)
    assert command(school, pupil_id, KEY).result == outcome.result


def test_an_import_outlives_a_lost_acknowledgement(
    registered: RegisteredSchool, behind: SchoolApplication, proxy: Proxy
) -> None:
    proxy.cuts = [(Cut.NOT_YET, APPEND), (Cut.NOT_YET, BESIDE), (Cut.AFTER_THE_COMMIT, b"COMMIT")]
    report = import_file(behind, csv_of([child(1), child(2)]), OPERATOR, dry_run=False, command_key="key")
    assert (report.counts.created, report.repeated) == (2, True)
    assert topics(registered.application).count("pupil.admitted.1") == 2
    assert topics(registered.application).count("import.completed.1") == 1


def test_one_loss_after_another(
    registered: RegisteredSchool, behind: SchoolApplication, proxy: Proxy
) -> None:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    cuts = (Cut.BEFORE_IT_ARRIVES, Cut.BEFORE_IT_ARRIVES, Cut.AFTER_THE_COMMIT)
    proxy.cuts = [*((cut, ONE) for cut in cuts), (Cut.BEFORE_IT_ARRIVES, b"ledger.commands")]
    assert record(behind, pupil_id, KEY).repeated
    assert proxy.cuts == []
    assert topics(registered.application).count("assessment.recorded.1") == 1


def test_what_is_read_for_a_decision_may_be_lost_too(
    registered: RegisteredSchool, behind: SchoolApplication, proxy: Proxy
) -> None:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    proxy.cuts = [(Cut.BEFORE_IT_ARRIVES, b"vault.events_of(")]
    assert not change(behind, pupil_id, KEY).repeated
    assert proxy.cuts == []


@BOTH
def test_without_a_key_the_loss_is_told_and_not_outlived(
    registered: RegisteredSchool, behind: SchoolApplication, proxy: Proxy, cut: Cut
) -> None:
    """The sabotaged twin: without a key nobody can tell whether it was carried out, so it comes twice."""
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    proxy.cuts = [(cut, ONE)]
    with pytest.raises(psycopg.OperationalError):
        record(behind, pupil_id, None)
    record(behind, pupil_id, None)
    there = topics(school).count("assessment.recorded.1")
    assert there == (2 if cut is Cut.AFTER_THE_COMMIT else 1)


def test_without_a_key_a_change_meets_its_own_success(
    registered: RegisteredSchool, behind: SchoolApplication, proxy: Proxy
) -> None:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    proxy.cuts = [(Cut.AFTER_THE_COMMIT, ONE)]
    with pytest.raises(psycopg.OperationalError):
        change(behind, pupil_id, None)
    with pytest.raises(VersionConflict):
        change(behind, pupil_id, None)


def test_a_registration_whose_answer_was_lost_is_answered_when_it_comes_again(
    schools: Schools, proxy: Proxy
) -> None:
    behind = schools_of(proxy.conninfo)
    request = made_up_registration("654321")
    before = set(every_school(schools.database))
    proxy.cuts = [(Cut.AFTER_THE_COMMIT, b"COMMIT")]
    with pytest.raises(psycopg.OperationalError):
        registration.register(behind, request, KEY)
    again = registration.register(behind, request, KEY)
    assert again.outcome.repeated
    assert set(every_school(schools.database)) - before == {again.outcome.result.school_id}
    behind.database.close()
