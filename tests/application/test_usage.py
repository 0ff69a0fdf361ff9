"""The audit of usage: nothing that was read is missing, whatever happens to the database meanwhile."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from domain.access import Permission
from domain.application import logins
from domain.application import usage as gathering
from domain.application.school_application import SchoolApplication, Schools
from domain.application.usage import INTERVAL, MOST_AT_ONCE, OVERHEAD, ReadAudit
from domain.events import Compartment
from domain.identifiers import new_id
from domain.ledger.mapper import split
from domain.usage import AccessRefused, Read, ReadKind, RecordsRead, packed, usage_of
from domain.vault.sessions import Session, Sessions
from tests.application.conftest import RegisteredSchool, registered_school
from tests.application.proxy import Cut, Proxy
from tests.conftest import TestDatabase
from tests.keys import schools_of

NEVER = 3600.0
"""Seconds until an append that the test does not ask for."""


def session_of(schools: Schools, sessions: Sessions, registered: RegisteredSchool) -> Session:
    return logins.log_in(schools, sessions, registered.login_key, "teacher", "of my own").session


@pytest.fixture
def session(schools: Schools, sessions: Sessions, registered: RegisteredSchool) -> Session:
    """A session of the teacher's."""
    return session_of(schools, sessions, registered)


@pytest.fixture
def proxy(module_database: TestDatabase) -> Iterator[Proxy]:
    with Proxy(module_database.conninfo()) as proxy:
        yield proxy


@contextmanager
def auditing(schools: Schools, *, most: int = gathering.MOST, interval: float = NEVER) -> Iterator[ReadAudit]:
    audit = ReadAudit(schools, interval=interval, most=most)
    try:
        yield audit
    finally:
        audit.close()


@contextmanager
def behind(proxy: Proxy) -> Iterator[Schools]:
    """The schools, reached through the proxy."""
    schools = schools_of(proxy.conninfo)
    with schools.database:
        yield schools


def said(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What the audit has logged."""
    return [record for record in caplog.records if record.name == gathering.__name__]


def read_of(*pupil_ids: UUID, kind: ReadKind = ReadKind.PUPIL, named: bool = True) -> Read:
    return Read(datetime.now(UTC), kind, named, packed(pupil_ids))


def usage(school: SchoolApplication, session: Session) -> list[RecordsRead | AccessRefused]:
    """What is on the stream of what the session's owner read and was refused."""
    found = []
    for event in school.read(school.stream.events_of(usage_of(session.staff_id))):
        assert isinstance(event, RecordsRead | AccessRefused)
        found.append(event)
    return found


def reads(school: SchoolApplication, session: Session) -> list[Read]:
    return [
        read for event in usage(school, session) if isinstance(event, RecordsRead) for read in event.reads
    ]


def everybody_is_in_it(audit: ReadAudit, school: SchoolApplication, session: Session) -> bool:
    """Whether what is read, and then asked for by the clock of the audit, is on the stream."""
    wanted = [read_of(new_id()), read_of(new_id(), new_id(), kind=ReadKind.SHEET)]
    before = reads(school, session)
    for read in wanted:
        audit.note(session, read)
    audit.flush()
    return reads(school, session) == before + wanted


def test_a_sessions_reads_are_one_event(
    schools: Schools, registered: RegisteredSchool, session: Session
) -> None:
    school = registered.application
    wanted = [
        read_of(*(new_id() for _ in range(30)), kind=ReadKind.SHEET),
        read_of(new_id(), named=False),
        read_of(kind=ReadKind.CLASSES, named=False),
    ]
    with auditing(schools) as audit:
        for read in wanted:
            audit.note(session, read)
        assert usage(school, session) == []
        assert audit.flush()
        [event] = usage(school, session)
        assert audit.flush()
    assert usage(school, session) == [event]
    assert isinstance(event, RecordsRead)
    assert (event.session_id, event.staff_id, event.lost) == (session.id, session.staff_id, 0)
    assert event.actor.staff_id == session.staff_id
    assert list(event.reads) == wanted
    assert len(event.reads[0].pupil_ids) == 30
    assert packed(event.reads[0].pupil_ids) == wanted[0].pupils


def test_an_audit_that_is_off_would_be_noticed(
    schools: Schools, registered: RegisteredSchool, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    with auditing(schools) as audit:
        assert everybody_is_in_it(audit, registered.application, session)
        monkeypatch.setattr(ReadAudit, "note", lambda *_: None)
        assert not everybody_is_in_it(audit, registered.application, session)


def test_what_is_recorded_is_open_and_needs_no_key(
    schools: Schools, registered: RegisteredSchool, session: Session
) -> None:
    for event in (RecordsRead, AccessRefused):
        assert set(event.compartments().values()) == {Compartment.OPEN}
    with auditing(schools) as audit:
        audit.note(session, read_of(new_id()))
        audit.refuse(session, "GET /v1/staff", Permission.MANAGE_STAFF)
    unopened = schools.school(session.school_id)
    assert len(usage(unopened, session)) == 2
    for stored in unopened.stream.events_of(usage_of(session.staff_id)):
        assert split(stored.state)[1:] == (None, None)


def test_it_appends_by_itself_within_the_time_that_is_promised(
    schools: Schools, registered: RegisteredSchool, session: Session
) -> None:
    assert INTERVAL <= 1
    with auditing(schools, interval=0.01) as audit:
        audit.note(session, read_of(new_id()))
        deadline = time.monotonic() + 20
        while not usage(registered.application, session):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_strict_appends_before_it_answers(
    schools: Schools, registered: RegisteredSchool, session: Session
) -> None:
    audit = ReadAudit(schools, strict=True)
    for number in range(1, 3):
        audit.note(session, read_of(new_id()))
        assert len(reads(registered.application, session)) == number
    audit.refuse(session, "GET /v1/staff", Permission.MANAGE_STAFF)
    assert len(usage(registered.application, session)) == 3
    audit.close()
    assert len(usage(registered.application, session)) == 3


def test_strict_answers_nothing_that_it_could_not_record(
    registered: RegisteredSchool, session: Session, proxy: Proxy
) -> None:
    with behind(proxy) as schools:
        audit = ReadAudit(schools, strict=True)
        proxy.cuts = [(Cut.BEFORE_IT_ARRIVES, b"FOR UPDATE")]
        with pytest.raises(psycopg.OperationalError):
            audit.note(session, read_of(new_id()))
        assert proxy.cuts == []
        audit.note(session, read_of(new_id()))
    assert len(reads(registered.application, session)) == 1


def test_the_same_refusal_many_times_is_one_event(
    schools: Schools, registered: RegisteredSchool, session: Session
) -> None:
    began = datetime.now(UTC)
    with auditing(schools) as audit:
        for _ in range(500):
            audit.refuse(session, "GET /v1/staff", Permission.MANAGE_STAFF)
        audit.refuse(session, "POST /v1/schools", None)
    found = usage(registered.application, session)
    assert all(isinstance(event, AccessRefused) and event.at >= began for event in found)
    assert [(e.route, e.permission, e.times) for e in found if isinstance(e, AccessRefused)] == [
        ("GET /v1/staff", Permission.MANAGE_STAFF, 500),
        ("POST /v1/schools", None, 1),
    ]


def test_many_reads_are_several_events(
    schools: Schools, registered: RegisteredSchool, session: Session
) -> None:
    wanted = [read_of(new_id()) for _ in range(MOST_AT_ONCE + 1)]
    with auditing(schools) as audit:
        for read in wanted:
            audit.note(session, read)
    found = usage(registered.application, session)
    assert [len(event.reads) for event in found if isinstance(event, RecordsRead)] == [MOST_AT_ONCE, 1]
    assert reads(registered.application, session) == wanted


def test_many_threads_sessions_and_schools_lose_nothing(schools: Schools, sessions: Sessions) -> None:
    registered = [registered_school(schools) for _ in range(3)]
    opened = [(each, session_of(schools, sessions, each)) for each in registered for _ in range(3)]
    wanted: dict[UUID, list[Read]] = {session.id: [] for _, session in opened}

    def read_on(audit: ReadAudit, session: Session) -> None:
        for _ in range(100):
            read = read_of(new_id())
            wanted[session.id].append(read)
            audit.note(session, read)

    with auditing(schools, interval=0.001) as audit:
        threads = [threading.Thread(target=read_on, args=(audit, session)) for _, session in opened]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for each, session in opened:
        of_session = [
            read
            for event in usage(each.application, session)
            if isinstance(event, RecordsRead) and event.session_id == session.id
            for read in event.reads
        ]
        assert of_session == wanted[session.id]


@pytest.mark.parametrize("cut", Cut)
def test_a_database_that_goes_away_loses_and_doubles_nothing(
    registered: RegisteredSchool,
    session: Session,
    proxy: Proxy,
    cut: Cut,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert comes_once(registered, session, proxy, cut)
    assert [record.levelno for record in said(caplog)] == [logging.WARNING] * (cut is not Cut.NOT_YET)


def comes_once(registered: RegisteredSchool, session: Session, proxy: Proxy, cut: Cut) -> bool:
    """Whether reads are on the stream once, when the connection breaks at the first attempt."""
    first, second = read_of(new_id()), read_of(new_id())
    with behind(proxy) as schools, auditing(schools) as audit:
        audit.note(session, first)
        proxy.cuts = [(Cut.NOT_YET, b"ledger.append"), (cut, b"COMMIT")]
        assert audit.flush() == (cut is Cut.NOT_YET)
        assert proxy.cuts == []
        audit.note(session, second)
        assert audit.flush()
        assert audit.flush()
    return reads(registered.application, session) == [first, second]


def test_without_a_look_an_answer_that_was_lost_would_double_reads(
    registered: RegisteredSchool, session: Session, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "_is_there", lambda *_: False)
    assert not comes_once(registered, session, proxy, Cut.AFTER_THE_COMMIT)


def test_refusals_that_look_alike_are_not_taken_for_one_another(
    registered: RegisteredSchool, session: Session, proxy: Proxy
) -> None:
    with behind(proxy) as schools, auditing(schools) as audit:
        audit.refuse(session, "GET /v1/staff", Permission.MANAGE_STAFF)
        assert audit.flush()
        audit.refuse(session, "GET /v1/staff", Permission.MANAGE_STAFF)
        proxy.cuts = [(Cut.BEFORE_IT_ARRIVES, b"COMMIT")]
        assert not audit.flush()
        assert audit.flush()
    assert len(usage(registered.application, session)) == 2


def test_what_no_room_is_left_for_is_told_loudly(
    schools: Schools, registered: RegisteredSchool, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    kept = [read_of(new_id()) for _ in range(3)]
    with auditing(schools, most=3 * (OVERHEAD + 16)) as audit:
        for read in (*kept, read_of(new_id()), read_of(new_id())):
            audit.note(session, read)
        assert audit.flush()
        [record] = said(caplog)
        assert record.levelno == logging.ERROR
        assert record.getMessage().startswith("2 READS ARE LOST")
        audit.note(session, kept[0])  # there is room again
    assert [
        (len(e.reads), e.lost) for e in usage(registered.application, session) if isinstance(e, RecordsRead)
    ] == [
        (3, 2),
        (1, 0),
    ]


def test_what_cannot_be_appended_at_the_end_is_told_loudly(
    session: Session, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    with behind(proxy) as schools, auditing(schools) as audit:
        audit.note(session, read_of(new_id()))
        proxy.cuts = [(Cut.BEFORE_IT_ARRIVES, b"FOR UPDATE")]
    assert [record.levelno for record in said(caplog)] == [logging.WARNING, logging.ERROR]
    assert said(caplog)[-1].getMessage().startswith("1 READS ARE LOST")


def test_one_school_that_cannot_be_appended_to_does_not_hold_up_others(
    schools: Schools, registered: RegisteredSchool, session: Session
) -> None:
    nowhere = Session(new_id(), new_id(), new_id(), new_id())
    with auditing(schools) as audit:
        audit.note(nowhere, read_of(new_id()))
        audit.note(session, read_of(new_id()))
        assert not audit.flush()
        assert len(reads(registered.application, session)) == 1
        audit.note(nowhere, read_of(new_id()))
        audit.note(session, read_of(new_id()))
        assert not audit.flush()
        assert len(reads(registered.application, session)) == 2


def test_after_its_end_it_records_at_once(
    schools: Schools, registered: RegisteredSchool, session: Session
) -> None:
    audit = ReadAudit(schools, interval=NEVER)
    audit.close()
    audit.note(session, read_of(new_id()))
    assert len(reads(registered.application, session)) == 1


def test_a_read_keeps_each_pupil_once_and_when_it_was(
    schools: Schools, registered: RegisteredSchool, session: Session
) -> None:
    pupil, other = new_id(), new_id()
    earlier = Read(
        datetime.now(UTC) - timedelta(seconds=1), ReadKind.SEARCH, True, packed([pupil, other, pupil])
    )
    with auditing(schools) as audit:
        audit.note(session, earlier)
    [found] = reads(registered.application, session)
    assert found == earlier
    assert found.pupil_ids == [pupil, other]
