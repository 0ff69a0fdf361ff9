"""What falls between a login's check of its password and the opening of its session; and between a change and
the end of the sessions that it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import cast
from uuid import UUID

import pytest

from domain.access import AccessLevel
from domain.application import accounts, login_keys, logins, staff_sessions
from domain.application.school_application import SchoolApplication, Schools
from domain.errors import LoginKeyRefused, LoginRefused
from domain.events import OPERATOR, Actor
from domain.keys import KeyOrigin
from domain.ledger.database import Connection
from domain.login import LoginFailed, LoginFailure
from domain.staff import Access, StaffMember
from domain.vault import passwords
from domain.vault.keyring import SchoolKeys
from domain.vault.login_key import LoginKey, read
from domain.vault.sessions import Session, Sessions
from tests.application.conftest import RegisteredSchool
from tests.application.examples import events, topics
from tests.keys import SERVICE_KEYS


class Race:
    """The teacher's login, and what can be done meanwhile."""

    def __init__(self, schools: Schools, sessions: Sessions, registered: RegisteredSchool) -> None:
        self.schools, self.sessions, self.registered = schools, sessions, registered
        self.school = registered.application
        self.teacher = cast("UUID", registered.teacher.staff_id)
        self.second = login_keys.issued(
            self.school, schools, KeyOrigin.ADMINISTRATOR, registered.administrator, "Back office"
        ).login_key

    def log_in(self) -> logins.LoggedIn:
        return logins.log_in(self.schools, self.sessions, self.registered.login_key, "teacher", "of my own")

    def revoke(self) -> None:
        key_id = read(self.registered.login_key, SERVICE_KEYS).key_id
        login_keys.revoke(self.school, key_id, self.registered.administrator)

    def replace(self) -> None:
        key_id = read(self.second, SERVICE_KEYS).key_id
        login_keys.replace(self.school, self.schools, key_id, self.registered.administrator)

    def set_password(self) -> None:
        accounts.set_password(
            self.school, self.sessions, self.teacher, "another one", self.registered.administrator
        )

    def disable(self) -> None:
        accounts.disable(self.school, self.sessions, self.teacher, self.registered.administrator)

    def hide_names(self) -> None:
        nonames = Access(AccessLevel.READ_ONLY_NO_NAMES)
        accounts.change_access(
            self.school, self.sessions, self.teacher, nonames, self.registered.administrator
        )


@pytest.fixture
def race(schools: Schools, sessions: Sessions, registered: RegisteredSchool) -> Race:
    return Race(schools, sessions, registered)


def once_verified(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
    """Lets something happen after the first password that is verified from now on."""
    waiting = [meanwhile]

    def verify(verifier: str | None, password: str) -> bool:
        right = passwords.verify(verifier, password)
        if waiting:
            waiting.pop()()
        return right

    monkeypatch.setattr(logins, "verify", verify)


def opened_whatever_happened(
    school: SchoolApplication, sessions: Sessions, shown: LoginKey, member: StaffMember
) -> tuple[str, Session]:
    """The twin: a login that looks at nothing again once the password was right."""
    return sessions.open(school.keys.school, member.id, shown.key_id)


CHANGES = pytest.mark.parametrize(
    ("meanwhile", "refused"),
    [
        (Race.revoke, LoginKeyRefused),
        (Race.replace, LoginKeyRefused),
        (Race.set_password, LoginRefused),
        (Race.disable, LoginRefused),
    ],
)


@CHANGES
def test_a_login_that_is_overtaken_opens_nothing(
    race: Race, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Race], None], refused: type[Exception]
) -> None:
    once_verified(monkeypatch, lambda: meanwhile(race))
    with pytest.raises(refused):
        race.log_in()
    assert race.sessions.those_of(race.school.school_id) == []
    assert "session.opened.1" not in topics(race.school)


@CHANGES
def test_the_twin_leaves_a_session(
    race: Race, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Race], None], refused: type[Exception]
) -> None:
    once_verified(monkeypatch, lambda: meanwhile(race))
    monkeypatch.setattr(logins, "_opened", opened_whatever_happened)
    race.log_in()
    assert len(race.sessions.those_of(race.school.school_id)) == 1


@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        (Race.revoke, LoginFailure.KEY_REVOKED),
        (Race.set_password, LoginFailure.WRONG_PASSWORD),
        (Race.disable, LoginFailure.DISABLED),
    ],
)
def test_why_it_was_overtaken_is_on_the_stream(
    race: Race, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Race], None], reason: LoginFailure
) -> None:
    once_verified(monkeypatch, lambda: meanwhile(race))
    with pytest.raises((LoginKeyRefused, LoginRefused)):
        race.log_in()
    [last] = race.school.read(events(race.school)[-1:])
    assert isinstance(last, LoginFailed)
    assert last.reason is reason


def test_who_loses_the_names_meanwhile_comes_in_without_them(
    race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    once_verified(monkeypatch, race.hide_names)
    opened = race.log_in()
    _, keys = race.sessions.use(opened.token)
    assert keys.names is None
    assert opened.member.access.level is AccessLevel.READ_ONLY_NO_NAMES


def test_what_is_no_matter_of_the_password_lets_it_in(race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    access = Access(AccessLevel.READ_ONLY)

    def change() -> None:
        accounts.change_access(
            race.school, race.sessions, race.teacher, access, race.registered.administrator
        )

    once_verified(monkeypatch, change)
    assert race.log_in().member.access == access


class SlowSessions(Sessions):
    """Something else begins while a session is being opened, and cannot end before it is there."""

    def __init__(self, race: Race, meanwhile: Callable[[Race], None]) -> None:
        super().__init__(race.schools.database)
        self.other = threading.Thread(target=meanwhile, args=[race])
        self.waited = False

    def open(
        self, keys: SchoolKeys, staff_id: UUID, key_id: UUID, connection: Connection | None = None
    ) -> tuple[str, Session]:
        self.other.start()
        self.other.join(0.5)
        self.waited = self.other.is_alive()
        return super().open(keys, staff_id, key_id, connection)


@pytest.mark.parametrize("meanwhile", [Race.revoke, Race.replace, Race.set_password, Race.disable])
def test_what_begins_while_a_session_is_being_opened_ends_it(
    race: Race, meanwhile: Callable[[Race], None]
) -> None:
    slow = SlowSessions(race, meanwhile)
    logins.log_in(race.schools, slow, race.registered.login_key, "teacher", "of my own")
    slow.other.join(30)
    assert slow.waited
    assert race.sessions.those_of(race.school.school_id) == []
    assert topics(race.school)[-1] == "session.closed.1"


@pytest.mark.parametrize("meanwhile", [Race.revoke, Race.replace, Race.set_password, Race.disable])
def test_the_twin_is_not_waited_for(
    race: Race, meanwhile: Callable[[Race], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logins, "_opened", opened_whatever_happened)
    slow = SlowSessions(race, meanwhile)
    logins.log_in(race.schools, slow, race.registered.login_key, "teacher", "of my own")
    slow.other.join(30)
    assert not slow.waited
    assert len(race.sessions.those_of(race.school.school_id)) == 1


class CrashError(Exception):
    """The process dies."""


class DyingSessions(Sessions):
    """Dies when it should end sessions."""

    def close_all_of(self, *_: object, **__: object) -> list[UUID]:
        raise CrashError


def in_two_steps(
    school: SchoolApplication, sessions: Sessions, staff_id: UUID, password: str, actor: Actor
) -> None:
    """The twin: a change of password that ends sessions afterwards."""
    accounts.set_password(school, Kept(school.database), staff_id, password, actor)
    staff_sessions.close_sessions_of(school, sessions, staff_id, actor)


class Kept(Sessions):
    """Ends nothing."""

    def close_all_of(self, *_: object, **__: object) -> list[UUID]:
        return []


@pytest.mark.parametrize(("change", "both_or_none"), [(accounts.set_password, True), (in_two_steps, False)])
def test_a_crash_leaves_no_session_of_an_old_password(
    race: Race, change: Callable[..., object], *, both_or_none: bool
) -> None:
    token = race.log_in().token
    dying = DyingSessions(race.schools.database)
    with pytest.raises(CrashError):
        change(race.school, dying, race.teacher, "another one", OPERATOR)
    assert staff_sessions.signed_in(race.schools, race.sessions, token)
    verifier = race.school.staff_member(race.teacher).password_verifier
    assert passwords.verify(verifier, "of my own") is both_or_none
