"""The usage that administrators see: a line for each thing done, and whose eyes were on a child."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest

from domain.access import AccessLevel, Permission
from domain.application import accounts, login_keys, logins, staff_sessions
from domain.application.school_application import SchoolApplication, Schools
from domain.application.usage import ReadAudit
from domain.errors import LoginRefused
from domain.events import OPERATOR, REGISTRY
from domain.identifiers import new_id
from domain.keys import KeyOrigin
from domain.ledger.database import Database
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent
from domain.staff import Access
from domain.usage import Read, ReadKind, packed
from domain.vault.sessions import Session, Sessions
from projections import usage
from projections.runner import keys_of
from projections.usage import Place, UsageKind, UsageProjection, UsageView
from tests.application.conftest import PASSWORD, RegisteredSchool, registered_school
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS
from tests.projections.catching_up import caught_up
from tests.projections.reference import is_read_by

NOT_USAGE = {
    "benchmarks.released",
    "benchmarks.withdrawn",
    "school.registered",
    "import.completed",
    "pupil.admitted",
    "pupil.changed",
    "pupil.left",
    "pupil.returned",
    "pupil.erased",
    "pupil.snapshot",
    "pupil.concern-opened",
    "pupil.concern-closed",
    "note.written",
    "note.changed",
    "note.removed",
    "observation.made",
    "observation.changed",
    "observation.withdrawn",
    "observation.photograph-added",
    "observation.photograph-withdrawn",
    "attendance.marked",
    "attendance.totalled",
    "attendance.totals-voided",
    "assessment.voided",
    "target.set",
    "target.removed",
    "statement.registered",
    "statement.withdrawn",
    "school.statement-withdrawn",
    "school.assessment-points-chosen",
    "school.assessment-point-closed",
    "school.assessment-point-opened",
    "assessment.recorded",
    "assessment.corrected",
}
"""What changes the records themselves, which the history tells; all others are usage."""


def shown(school: SchoolApplication, **filters: Any) -> list[UsageView]:
    with school.database.bound_to(school.school_id) as connection:
        return usage.find(connection, school.school_id, **filters)


@pytest.fixture(scope="module")
def audit(schools: Schools) -> Iterator[ReadAudit]:
    audit = ReadAudit(schools, interval=3600)
    yield audit
    audit.close()


@dataclass
class Trail:
    """What was done at a school, in its order, and by whom."""

    registered: RegisteredSchool
    lines: list[UsageView]
    head: UUID
    teacher: UUID
    session: Session
    pupils: list[UUID]
    read_at: datetime

    @property
    def school(self) -> SchoolApplication:
        return self.registered.application


@pytest.fixture
def trail(schools: Schools, sessions: Sessions, audit: ReadAudit, worker: Database) -> Trail:
    """Everything that counts as usage, once."""
    registered = registered_school(schools)
    school, head, teacher = registered.application, registered.administrator, registered.teacher
    teacher_id = cast("UUID", teacher.staff_id)
    session = logins.log_in(schools, sessions, registered.login_key, "teacher", "of my own").session
    for name in ("teacher", "nobody"):
        with suppress(LoginRefused):
            logins.log_in(schools, sessions, registered.login_key, name, "wrong")
    pupils, read_at = [new_id(), new_id()], datetime.now(UTC)
    audit.note(session, Read(read_at, ReadKind.SHEET, True, packed(pupils)))
    audit.note(session, Read(read_at, ReadKind.CLASSES, False))
    audit.note(session, Read(read_at, ReadKind.PUPIL, False, packed(pupils[:1])))
    for _ in range(3):
        audit.refuse(session, "GET /v1/staff", Permission.MANAGE_STAFF)
    audit.flush()
    accounts.set_password(school, sessions, teacher_id, "another password", teacher, keep=session.id)
    accounts.change_access(school, sessions, teacher_id, Access(AccessLevel.READ_ONLY_NO_NAMES), head)
    accounts.disable(school, sessions, teacher_id, head)
    accounts.enable(school, teacher_id, head)
    key = login_keys.issued(school, schools, KeyOrigin.ADMINISTRATOR, head)
    login_keys.record_use(school, key.key_id, OPERATOR)
    login_keys.revoke(school, key.key_id, head)
    opened = logins.log_in(schools, sessions, registered.login_key, "head", PASSWORD)
    staff_sessions.log_out(school, sessions, opened.session)
    caught_up(worker)
    lines = shown(school, limit=500)[::-1]
    return Trail(registered, lines, cast("UUID", head.staff_id), teacher_id, session, pupils, read_at)


def test_a_line_for_each_thing_done(trail: Trail) -> None:
    head, teacher = trail.head, trail.teacher
    assert [(line.kind.value, line.staff_id, line.about_id, line.what) for line in trail.lines] == [
        ("access", None, head, "account made"),
        ("key", None, None, "login key issued"),
        ("access", None, teacher, "account made"),
        ("login", teacher, None, None),
        ("failure", teacher, None, "wrong password"),
        ("failure", None, None, "unknown user"),
        ("read", teacher, None, "class sheet"),
        ("read", teacher, None, "classes"),
        ("read", teacher, None, "pupil"),
        ("refusal", teacher, None, "manage staff"),
        ("password", teacher, None, "password set"),
        ("access", head, teacher, "access changed"),
        ("logout", head, teacher, "revoked"),
        ("access", head, teacher, "account disabled"),
        ("access", head, teacher, "account enabled"),
        ("key", head, None, "login key issued"),
        ("key", None, None, "login key used without a login"),
        ("key", head, None, "login key revoked"),
        ("login", head, None, None),
        ("logout", head, None, "logout"),
    ]
    assert {line.actor for line in trail.lines} == {"staff", "operator", "system"}
    assert [(line.position, line.number) for line in trail.lines] == sorted(
        (line.position, line.number) for line in trail.lines
    )


def test_reads_say_what_when_and_how_many_pupils(trail: Trail) -> None:
    sheet, classes, pupil = (line for line in trail.lines if line.kind is UsageKind.READ)
    assert [(line.named, line.pupils, line.number) for line in (sheet, classes, pupil)] == [
        (True, 2, 0),
        (False, 0, 1),
        (False, 1, 2),
    ]
    assert {line.happened_at for line in (sheet, classes, pupil)} == {trail.read_at}
    assert {line.session_id for line in (sheet, classes, pupil)} == {trail.session.id}
    [refusal] = (line for line in trail.lines if line.kind is UsageKind.REFUSAL)
    assert (refusal.route, refusal.times) == ("GET /v1/staff", 3)


def test_who_saw_this_child(trail: Trail) -> None:
    first, second = trail.pupils
    assert [line.what for line in shown(trail.school, pupil_id=first)] == ["pupil", "class sheet"]
    assert [line.what for line in shown(trail.school, pupil_id=second)] == ["class sheet"]
    assert shown(trail.school, pupil_id=new_id()) == []


def test_by_account_kind_and_time(trail: Trail) -> None:
    school, newest_first = trail.school, trail.lines[::-1]
    assert shown(school, staff_id=trail.teacher) == [
        line for line in newest_first if trail.teacher in (line.staff_id, line.about_id)
    ]
    for kind in UsageKind:
        assert shown(school, kind=kind) == [line for line in newest_first if line.kind is kind]
    assert [
        line.what
        for line in shown(school, since=trail.read_at, until=trail.read_at + timedelta(microseconds=1))
    ] == [
        "pupil",
        "classes",
        "class sheet",
    ]
    assert shown(school, until=trail.read_at, kind=UsageKind.READ) == []


@pytest.mark.parametrize("size", [1, 2, 7])
def test_pages_follow_on_each_other_also_between_the_reads_of_one_event(trail: Trail, size: int) -> None:
    found: list[UsageView] = []
    before: Place | None = None
    while page := shown(trail.school, before=before, limit=size):
        found += page
        before = Place(page[-1].position, page[-1].number)
    assert found == trail.lines[::-1]


def test_reads_that_were_lost_are_a_line(
    schools: Schools, sessions: Sessions, registered: RegisteredSchool, worker: Database
) -> None:
    session = logins.log_in(schools, sessions, registered.login_key, "teacher", "of my own").session
    full = ReadAudit(schools, interval=3600, most=0)
    for _ in range(2):
        full.note(session, Read(datetime.now(UTC), ReadKind.CLASSES, False))
    full.close()
    caught_up(worker)
    [lost] = shown(registered.application, kind=UsageKind.LOSS)
    assert (lost.staff_id, lost.times, lost.pupils) == (session.staff_id, 2, None)


def rows(database: TestDatabase, school_id: UUID) -> list[tuple[Any, ...]]:
    with database.connect("postgres") as superuser:
        return superuser.execute(
            "SELECT * FROM projections.usage WHERE school_id = %s ORDER BY position, number", [school_id]
        ).fetchall()


def stored_usage(school: SchoolApplication) -> list[RecordedEvent]:
    return [
        event
        for event in school.stream.events_between(1, limit=1000)
        if is_read_by(UsageProjection.categories, event.topic)
    ]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_batches_of_any_size_give_the_same_rows(
    trail: Trail, worker: Database, module_database: TestDatabase, size: int
) -> None:
    school_id = trail.school.school_id
    wanted = rows(module_database, school_id)
    assert len(wanted) == len(trail.lines)
    events = stored_usage(trail.school)
    with worker.bound_to(school_id) as connection:
        connection.execute("DELETE FROM projections.usage WHERE school_id = %s", [school_id])
        keys = keys_of(connection, school_id, SERVICE_KEYS)
        for start in range(0, len(events), size):
            UsageProjection().apply(connection, keys, events[start : start + size])
    assert rows(module_database, school_id) == wanted


def test_another_schools_usage_is_nobodys(trail: Trail, registered: RegisteredSchool) -> None:
    other = registered.application
    with other.database.bound_to(other.school_id) as connection:
        assert usage.find(connection, trail.school.school_id) == []
        assert connection.execute(
            "SELECT count(*) FROM projections.usage WHERE school_id <> %s", [other.school_id]
        ).fetchone() == (0,)


def test_nothing_in_it_is_personal(trail: Trail, module_database: TestDatabase) -> None:
    text = repr(rows(module_database, trail.school.school_id)).casefold()
    for personal in ("the head", "a teacher", "'head'", "'teacher'", PASSWORD, "read-only"):
        assert personal.casefold() not in text


def left_out(categories: tuple[str, ...]) -> set[str]:
    """The events that are neither usage nor said not to be."""
    return {
        name for name in REGISTRY.classes if not (is_read_by(categories, f"{name}.1") or name in NOT_USAGE)
    }


def test_no_event_is_left_out_by_oversight() -> None:
    assert left_out(UsageProjection.categories) == set()


@pytest.mark.parametrize("forgotten", [*usage.ACCOUNTS, *usage.KEYS, *usage.RESETS])
def test_an_event_that_is_left_out_would_be_noticed(forgotten: str) -> None:
    categories = tuple(each for each in UsageProjection.categories if each != f"{forgotten}.")
    assert left_out(categories) == {forgotten}


def test_what_is_no_usage_is_refused(trail: Trail, worker: Database) -> None:
    school_id = trail.school.school_id
    [registration] = [
        event
        for event in trail.school.stream.events_between(1, limit=1000)
        if event.topic.startswith("school.registered")
    ]
    with worker.bound_to(school_id) as connection:
        keys = keys_of(connection, school_id, SERVICE_KEYS)
        with pytest.raises(ValueError, match=r"school\.registered is not an event of usage"):
            UsageProjection().apply(connection, keys, [registration])


def test_a_projection_that_forgets_who_was_seen_would_be_noticed(
    trail: Trail, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = load("projections", "usage.sql")
    broken = statements["add"].replace(b"n * 16 + 1", b"1")
    assert broken != statements["add"]
    monkeypatch.setitem(usage.SQL, "add", broken)
    school_id = trail.school.school_id
    with worker.bound_to(school_id) as connection:
        connection.execute("DELETE FROM projections.usage WHERE school_id = %s", [school_id])
        keys = keys_of(connection, school_id, SERVICE_KEYS)
        UsageProjection().apply(connection, keys, stored_usage(trail.school))
    assert shown(trail.school, pupil_id=trail.pupils[1]) == []
