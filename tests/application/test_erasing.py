"""Erasing a child: nothing of it opens anywhere from the commit on, and a restored backup is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from eventsourcing.persistence import MapperDeserialisationError

from domain.application import erasing, histories, login_keys, pupils
from domain.application.assessing import Entry, assessments, record
from domain.application.erasing import check_erased, erase, replay, replay_both_ways
from domain.application.histories import Moment, of_pupil, pupil_as_at, roll_as_at
from domain.application.importing import import_file
from domain.application.school_application import CommandKey, SchoolApplication, Schools, assessments_of
from domain.errors import Erased, InvalidInput, Misconfigured, NotFound
from domain.events import ERASED, Compartment
from domain.identifiers import new_id
from domain.keys import KeyOrigin
from domain.ledger.database import Database
from domain.ledger.mapper import split
from domain.ledger.merkle import CompactRange, leaf_hash
from domain.particulars import PupilParticulars
from domain.pupil import ErasureReason, PupilErased
from domain.vault import keystore
from domain.vault.erasures import Erasure, FileRegister
from domain.vault.login_key import read
from tests.application.conftest import RegisteredSchool, registered_school
from tests.application.examples import TODAY, admitted, child, csv_of, point_before, topics
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS, schools_of

REASON = ErasureReason.REQUEST
THEN = point_before(1)


@pytest.fixture
def register(tmp_path: Path) -> FileRegister:
    return FileRegister(tmp_path / "erasures")


def erased(registered: RegisteredSchool, register: FileRegister, pupil_id: UUID) -> int:
    school, head = registered.application, registered.administrator
    asked = erasing.ask(school, pupil_id, REASON, head)
    return erase(school, register, pupil_id, REASON, asked.confirmation, head).position


def anew(registered: RegisteredSchool, schools: Schools) -> RegisteredSchool:
    """The same school, in another piece of work."""
    application = schools.opened(registered.application.keys.school)
    return RegisteredSchool(
        registered.urn, registered.login_key, application, registered.administrator, registered.teacher
    )


def full_record(registered: RegisteredSchool) -> UUID:
    """A child with a history of several events."""
    school, teacher = registered.application, registered.teacher
    [pupil_id] = admitted(school, teacher, child(1, postcode="CM1 1QH"))
    record(school, THEN, [Entry(pupil_id, "REA", "3w")], teacher)
    pupils.change(school, pupil_id, PupilParticulars(surname="Newname", ethnicity="WBRI"), 1, teacher)
    pupils.leave(school, pupil_id, TODAY, 2, teacher, reason="moved", destination="Elsewhere Primary")
    return pupil_id


def still_open(school: SchoolApplication, pupil_id: UUID) -> list[str]:
    """The compartments of a child's events that still open, event by event."""
    found = []
    for event in school.stream.events_of_many([pupil_id, assessments_of(pupil_id)]):
        parts = split(event.state)
        for home, part in ((Compartment.NAMES, parts.names), (Compartment.RECORD, parts.record)):
            with suppress(MapperDeserialisationError):
                opened = school.event_mapper.open_part(event, pupil_id, home, part)
                found += [home.value] * (ERASED not in opened.values() and bool(opened))
    return found


def test_nothing_of_the_child_opens_from_the_commit_on(
    registered: RegisteredSchool, schools: Schools, register: FileRegister
) -> None:
    pupil_id = full_record(registered)
    assert len(still_open(registered.application, pupil_id)) == 7
    [other] = admitted(registered.application, registered.teacher, child(2))
    before = registered.application.stream.head().position
    position = erased(registered, register, pupil_id)
    assert position == before + 1
    school = anew(registered, schools).application
    with pytest.raises(Erased):
        school.pupil(pupil_id)
    for moment in (Moment(), Moment(position=before)):
        with pytest.raises(Erased):
            pupil_as_at(school, pupil_id, moment)
        assert [pupil.id for pupil in roll_as_at(school, moment)] == [other]
    assert set(school.roll()) == {other}
    assert school.pupils([pupil_id, other]).keys() == {other}
    told = of_pupil(school, pupil_id)
    assert [entry.event for entry in told] == [
        "pupil.admitted",
        "assessment.recorded",
        "pupil.changed",
        "pupil.left",
        "pupil.erased",
    ]
    assert all(entry.details.get("erased") for entry in told[:-1])
    assert told[-1].details == {"reason": "request"}
    secrets = ("Surname001", "Newname", "CM1 1QH", "WBRI", "3w", "moved", "Elsewhere")
    assert not [secret for secret in secrets if secret in str(told) + str(histories.of_school(school))]
    assert still_open(school, pupil_id) == []
    assert school.pupil(other).names.surname == "Surname002"


def test_an_erasure_that_leaves_one_key_is_seen(
    registered: RegisteredSchool, schools: Schools, register: FileRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: the names key stays, and the same look finds parts that still open."""

    def careless(connection: psycopg.Connection[Any], school_id: UUID, subject: UUID) -> int:
        statement = b"UPDATE vault.subject_keys SET record = '' WHERE school_id = %s AND subject_id = %s"
        return connection.execute(statement, [school_id, subject]).rowcount

    pupil_id = full_record(registered)
    monkeypatch.setattr(keystore, "destroy_subject", careless)
    erased(registered, register, pupil_id)
    assert still_open(anew(registered, schools).application, pupil_id) == ["names", "names", "names"]


def test_the_history_still_verifies(registered: RegisteredSchool, register: FileRegister) -> None:
    pupil_id = full_record(registered)
    erased(registered, register, pupil_id)
    stream = registered.application.stream
    tree = CompactRange()
    for event in stream.events_between(1, limit=1000):
        assert isinstance(event.originator_id, UUID)
        tree.append(
            leaf_hash(
                school_id=stream.school_id,
                position=event.id,
                originator_id=event.originator_id,
                originator_version=event.originator_version,
                recorded_at=event.recorded_at,
                topic=event.topic,
                state=event.state,
            )
        )
    assert (tree.size, tree.peaks) == (stream.head().position, stream.head().peaks)


def test_who_is_erased_cannot_be_written_about(
    registered: RegisteredSchool, schools: Schools, register: FileRegister
) -> None:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    made = record(registered.application, THEN, [Entry(pupil_id, "REA", "3w")], registered.teacher)
    erased(registered, register, pupil_id)
    again = anew(registered, schools)
    school, teacher = again.application, again.teacher
    before = topics(school)
    for attempt in (
        lambda: pupils.change(school, pupil_id, PupilParticulars(surname="New"), 1, teacher),
        lambda: pupils.leave(school, pupil_id, TODAY, 1, teacher),
        lambda: erased(again, register, pupil_id),
    ):
        with pytest.raises(Erased):
            attempt()
    with pytest.raises(InvalidInput):
        record(school, THEN, [Entry(pupil_id, "MAT", "3w")], teacher)
    assert topics(school) == before
    assert assessments(school, new_id()) == {}
    assert made.result.assessment_ids
    # A file that still has the child makes a new pupil of it: of the old one nothing is known.
    report = import_file(school, csv_of([child(1)]), teacher, dry_run=False)
    assert (report.counts.created, report.counts.changed) == (1, 0)
    assert report.rows[0].pupil_id != pupil_id


def test_it_is_asked_for_twice_by_the_same_person_for_the_same_child_and_reason(
    registered: RegisteredSchool, register: FileRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    school, head, teacher = registered.application, registered.administrator, registered.teacher
    [pupil_id, other] = admitted(school, teacher, child(1), child(2))
    asked = erasing.ask(school, pupil_id, REASON, head)
    assert (asked.events, asked.assessments, asked.version) == (1, 0, 1)
    good = asked.confirmation
    attempts: list[Callable[[], Any]] = [
        lambda: erase(school, register, pupil_id, REASON, "", head),
        lambda: erase(school, register, pupil_id, REASON, good[:-3] + "AAA", head),
        lambda: erase(school, register, pupil_id, REASON, "é" * 32, head),
        lambda: erase(school, register, pupil_id, ErasureReason.MISTAKE, good, head),
        lambda: erase(school, register, other, REASON, good, head),
        lambda: erase(school, register, pupil_id, REASON, good, teacher),
    ]
    for attempt in attempts:
        with pytest.raises(InvalidInput, match="not confirmed"):
            attempt()
    now = time.time()
    with monkeypatch.context() as later:
        later.setattr("domain.application.erasing.time.time", lambda: now + erasing.GOOD_FOR + 2)
        with pytest.raises(InvalidInput, match="not confirmed"):
            erase(school, register, pupil_id, REASON, good, head)
    pupils.change(school, pupil_id, PupilParticulars(class_name="Blue"), 1, teacher)
    with pytest.raises(InvalidInput, match="not confirmed"):
        erase(school, register, pupil_id, REASON, good, head)
    assert register.erasures() == []
    assert school.pupil(pupil_id).version == 2
    command = CommandKey("key", b"content")
    good = erasing.ask(school, pupil_id, REASON, head).confirmation
    first = erase(school, register, pupil_id, REASON, good, head, command)
    again = erase(school, register, pupil_id, REASON, good, head, command)
    assert (again.repeated, again.result) == (True, first.result)
    with pytest.raises(NotFound):
        erasing.ask(school, new_id(), REASON, head)


def test_nobody_is_erased_who_cannot_be_noted(registered: RegisteredSchool, tmp_path: Path) -> None:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    folder = tmp_path / "gone"
    folder.mkdir()
    register = FileRegister(folder / "erasures")
    register.path.unlink()
    folder.rmdir()
    with pytest.raises(Misconfigured):
        erased(registered, register, pupil_id)
    assert registered.application.pupil(pupil_id).names.surname == "Surname001"
    assert "pupil.erased.1" not in topics(registered.application)


def test_a_leak_after_an_erasure_brings_nobody_back(
    registered: RegisteredSchool, schools: Schools, register: FileRegister
) -> None:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    erased(registered, register, pupil_id)
    school = anew(registered, schools).application
    login_keys.issued(school, schools, KeyOrigin.ADMINISTRATOR, registered.administrator)
    key_id = read(registered.login_key, SERVICE_KEYS).key_id
    done = login_keys.replace(school, schools, key_id, registered.administrator)
    assert done.subjects == 3
    with schools.database.bound_to(school.school_id) as connection:
        assert keystore.of_subjects(connection, school.school_id, [pupil_id]) == []


@pytest.fixture
def own(test_database: TestDatabase) -> Iterator[Schools]:
    schools = schools_of(test_database.conninfo())
    yield schools
    schools.database.close()


def test_a_restored_backup_is_told_before_it_is_opened(
    own: Schools, test_database: TestDatabase, register: FileRegister
) -> None:
    registered = registered_school(own)
    school_keys = registered.application.keys.school
    pupil_id = full_record(registered)
    own.database.close()  # a template must have no connections
    with test_database.copy() as older:
        live = schools_of(test_database.conninfo() + " application_name=live")
        again = RegisteredSchool(
            registered.urn,
            registered.login_key,
            live.opened(school_keys),
            registered.administrator,
            registered.teacher,
        )
        erased(again, register, pupil_id)
        live.database.close()

        schools = schools_of(older.conninfo())
        back = schools.opened(school_keys)
        assert back.pupil(pupil_id).names.surname == "Newname", "this is what has to be prevented"
        with Database(older.conninfo("target_tracker_worker")) as worker:
            with pytest.raises(Misconfigured, match="erasures replay"):
                check_erased(worker, register)
            done = replay(schools, register)
            assert (done.erasures, done.destroyed, done.recorded, done.noted) == (1, 1, 1, 0)
            check_erased(worker, register)
        fresh = schools.opened(school_keys)
        with pytest.raises(Erased):
            fresh.pupil(pupil_id)
        [event] = list(fresh.read(fresh.stream.events_of(pupil_id)[-1:]))
        assert isinstance(event, PupilErased)
        assert event.reason is REASON
        done = replay(schools, register)
        assert (done.erasures, done.destroyed, done.recorded, done.noted) == (1, 0, 0, 0)
        schools.database.close()


def test_a_register_that_was_lost_is_filled_from_the_streams(
    registered: RegisteredSchool, schools: Schools, register: FileRegister, tmp_path: Path
) -> None:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    erased(registered, register, pupil_id)
    lost = FileRegister(tmp_path / "new")
    done = replay_both_ways(schools, lost)
    assert done.noted >= 1
    noted = [each for each in lost.erasures() if each.subject == pupil_id]
    assert [(each.school_id, each.reason) for each in noted] == [(registered.application.school_id, REASON)]
    assert replay_both_ways(schools, lost).noted == 0


def test_an_erasure_that_only_the_register_knows_of_is_recorded(
    registered: RegisteredSchool, schools: Schools, register: FileRegister
) -> None:
    """As when the keys come from a newer backup than the stream."""
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    school_id = registered.application.school_id
    register.add(Erasure(school_id, pupil_id, REASON, datetime(2026, 9, 1, tzinfo=UTC)))
    register.add(Erasure(school_id, new_id(), REASON, datetime(2026, 9, 1, tzinfo=UTC)))
    with schools.database.bound_to(school_id) as connection:
        keystore.destroy_subject(connection, school_id, pupil_id)
    with pytest.raises(Erased):  # without the event, too
        anew(registered, schools).application.pupil(pupil_id)
    assert replay(schools, register).recorded == 0
    assert replay_both_ways(schools, register).recorded == 1
    assert topics(registered.application)[-1] == "pupil.erased.1"
    assert replay_both_ways(schools, register).recorded == 0


def test_a_register_is_read_whole_or_not_at_all(register: FileRegister) -> None:
    erasure = Erasure(new_id(), new_id(), REASON, datetime(2026, 9, 1, tzinfo=UTC))
    register.add(erasure)
    register.add(erasure)
    assert register.erasures() == [erasure, erasure]
    assert register.path.stat().st_mode & 0o777 == 0o600
    content = register.path.read_bytes()
    for damaged in (content[:-5], content + b"{}\n", content.replace(b"request", b"because"), b"\xff\n"):
        register.path.write_bytes(damaged)
        with pytest.raises(Misconfigured, match="damaged"):
            register.erasures()
