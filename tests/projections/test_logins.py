"""The login audit trail, by user and by time."""

from __future__ import annotations

from datetime import timedelta
from typing import cast
from uuid import UUID

import pytest

from domain.application import accounts, staff_sessions
from domain.application.logins import log_in
from domain.application.school_application import SchoolApplication, Schools
from domain.errors import LoginRefused
from domain.ledger.database import Database
from domain.vault.sessions import Sessions
from projections import logins
from projections.logins import LoginView
from tests.application.conftest import PASSWORD, RegisteredSchool
from tests.projections.catching_up import caught_up


def shown(school: SchoolApplication, **filters: object) -> list[LoginView]:
    with school.database.bound_to(school.school_id) as connection:
        return logins.find(connection, school.school_id, **filters)  # type: ignore[arg-type]


@pytest.fixture
def trail(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions, worker: Database
) -> list[LoginView]:
    """What happened, in its order: a head who logs in, and others with less luck."""
    school, teacher = registered.application, cast("UUID", registered.teacher.staff_id)
    head = log_in(schools, sessions, registered.login_key, "head", PASSWORD)
    for username, password in (("teacher", "wrong"), ("nobody", "of my own")):
        with pytest.raises(LoginRefused):
            log_in(schools, sessions, registered.login_key, username, password)
    log_in(schools, sessions, registered.login_key, "teacher", "of my own")
    accounts.disable(school, sessions, teacher, registered.administrator)
    with pytest.raises(LoginRefused):
        log_in(schools, sessions, registered.login_key, "teacher", "of my own")
    staff_sessions.log_out(school, sessions, staff_sessions.signed_in(schools, sessions, head.token)[0])
    caught_up(worker)
    return shown(school)[::-1]


def test_everyone_who_came_left_or_was_turned_away(
    trail: list[LoginView], registered: RegisteredSchool
) -> None:
    head, teacher = registered.administrator.staff_id, registered.teacher.staff_id
    assert [(line.staff_id, line.outcome, line.reason) for line in trail] == [
        (head, "opened", None),
        (teacher, "failed", "wrong password"),
        (None, "failed", "unknown user"),
        (teacher, "opened", None),
        (teacher, "closed", "revoked"),
        (teacher, "failed", "account disabled"),
        (head, "closed", "logout"),
    ]
    assert trail[0].session_id == trail[6].session_id
    assert trail[3].session_id == trail[4].session_id
    assert [line.position for line in trail] == sorted(line.position for line in trail)
    recorded = {
        event.id: event.recorded_at for event in registered.application.stream.events_between(1, limit=99)
    }
    assert all(line.recorded_at == recorded[line.position] for line in trail)


def test_by_user_and_by_time(trail: list[LoginView], registered: RegisteredSchool) -> None:
    school = registered.application
    teacher = registered.teacher.staff_id
    assert shown(school, staff_id=teacher) == [trail[5], trail[4], trail[3], trail[1]]
    third = trail[2].recorded_at
    assert shown(school, since=third) == trail[:1:-1]
    assert shown(school, until=third) == [trail[1], trail[0]]
    assert shown(school, since=third, until=third) == []
    assert shown(school, since=third, until=third + timedelta(microseconds=1)) == [trail[2]]
    assert shown(school, staff_id=teacher, since=trail[4].recorded_at) == [trail[5], trail[4]]


def test_pages_follow_on_each_other(trail: list[LoginView], registered: RegisteredSchool) -> None:
    school = registered.application
    first = shown(school, limit=3)
    second = shown(school, limit=3, before=first[-1].position)
    third = shown(school, limit=3, before=second[-1].position)
    assert [*first, *second, *third] == trail[::-1]
