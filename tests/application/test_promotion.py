"""Promotion: nobody becomes an administrator with a password that may be too short for one."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

import pytest

import domain.staff
from domain.access import AccessLevel
from domain.application import accounts, logins
from domain.application.school_application import Schools
from domain.errors import Conflict, LoginRefused
from domain.events import OPERATOR
from domain.staff import Access
from domain.vault import passwords
from domain.vault.sessions import Sessions
from tests.application.conftest import RegisteredSchool
from tests.application.examples import topics

ADMIN = Access(AccessLevel.ADMIN)
SHORT, LONG = "brass kettle 9", "brass kettle 94"


def promote(registered: RegisteredSchool, sessions: Sessions) -> None:
    teacher = cast("UUID", registered.teacher.staff_id)
    accounts.change_access(registered.application, sessions, teacher, ADMIN, registered.administrator)


def check_that_a_short_password_is_set_anew_first(registered: RegisteredSchool, sessions: Sessions) -> None:
    school, teacher = registered.application, cast("UUID", registered.teacher.staff_id)
    accounts.set_password(school, sessions, teacher, SHORT, registered.teacher)
    with pytest.raises(Conflict, match="set a password of 15 characters or more first"):
        promote(registered, sessions)
    assert school.staff_member(teacher).access.level is AccessLevel.READ_WRITE
    accounts.set_password(school, sessions, teacher, LONG, registered.teacher)
    promote(registered, sessions)
    assert school.staff_member(teacher).access == ADMIN


def test_a_short_password_is_set_anew_first(registered: RegisteredSchool, sessions: Sessions) -> None:
    check_that_a_short_password_is_set_anew_first(registered, sessions)


def test_a_promotion_that_asks_for_nothing_would_be_noticed(
    registered: RegisteredSchool, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(domain.staff, "_check_that_they_may_be_promoted", lambda member: None)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check_that_a_short_password_is_set_anew_first(registered, sessions)


def test_whoever_began_with_a_long_password_is_promoted_at_once(
    registered: RegisteredSchool, sessions: Sessions
) -> None:
    school = registered.application
    names = domain.staff.StaffNames(username="Deputy", display_name="The Deputy")
    deputy = accounts.add_staff(school, names, Access(AccessLevel.READ_ONLY), LONG, OPERATOR).result.staff_id
    accounts.change_access(school, sessions, deputy, ADMIN, registered.administrator)
    assert school.staff_member(deputy).access == ADMIN
    first = school.staff_member(cast("UUID", registered.administrator.staff_id))
    assert first.for_administrators


@pytest.mark.parametrize(("password", "suits"), [(SHORT, False), (LONG, True)])
def test_another_verifier_of_the_same_password_changes_nothing_that_is_known_of_it(
    registered: RegisteredSchool,
    schools: Schools,
    sessions: Sessions,
    monkeypatch: pytest.MonkeyPatch,
    password: str,
    suits: bool,
) -> None:
    school, teacher = registered.application, cast("UUID", registered.teacher.staff_id)
    accounts.set_password(school, sessions, teacher, password, registered.teacher)
    monkeypatch.setattr(logins, "is_outdated", lambda verifier: True)
    weak = school.staff_member(teacher)
    logins.log_in(schools, sessions, registered.login_key, "teacher", password)
    strong = school.staff_member(teacher)
    assert strong.password_verifier != weak.password_verifier
    assert strong.for_administrators is weak.for_administrators is suits


def test_a_login_does_not_bring_back_a_password_that_was_changed_meanwhile(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    school, teacher = registered.application, cast("UUID", registered.teacher.staff_id)
    accounts.set_password(school, sessions, teacher, "the old one", registered.teacher)

    def slow(password: str) -> str:
        accounts.set_password(school, sessions, teacher, "the new one", registered.administrator)
        return passwords.rehashed(password)

    monkeypatch.setattr(logins, "is_outdated", lambda verifier: True)
    monkeypatch.setattr(accounts, "rehashed", slow)
    logins.log_in(schools, sessions, registered.login_key, "teacher", "the old one")
    monkeypatch.undo()
    assert topics(school).count("staff.password-set.1") == 2
    with pytest.raises(LoginRefused):
        logins.log_in(schools, sessions, registered.login_key, "teacher", "the old one")
    assert logins.log_in(schools, sessions, registered.login_key, "teacher", "the new one")


def test_a_short_password_that_is_set_while_its_owner_is_promoted_is_refused(
    registered: RegisteredSchool, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    school, teacher = registered.application, cast("UUID", registered.teacher.staff_id)
    accounts.set_password(school, sessions, teacher, LONG, registered.teacher)

    def slow(password: str, level: AccessLevel, **more: Any) -> str:
        promote(registered, sessions)
        return passwords.verifier_of(password, level, **more)

    monkeypatch.setattr(accounts, "verifier_of", slow)
    with pytest.raises(Conflict, match="15 characters"):
        accounts.set_password(school, sessions, teacher, SHORT, registered.teacher)
    assert school.staff_member(teacher).for_administrators
