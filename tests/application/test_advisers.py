"""Advisers: let in for a reason and until a day, seen by administrators, and out the day after."""

from __future__ import annotations

from datetime import date, timedelta
from typing import cast
from uuid import UUID

import pytest

from domain import school_time
from domain.access import AccessLevel
from domain.application import accounts, histories, logins, staff_sessions
from domain.application.school_application import SchoolApplication, Schools
from domain.errors import Conflict, InvalidInput, KeyNotHeld, LoginRefused, NotFound, NotSignedIn
from domain.identifiers import new_id
from domain.login import LoginFailed, LoginFailure, SessionClosed, SessionEnd
from domain.staff import Access, Adviser, StaffMember, StaffNames
from domain.vault.sessions import Sessions
from tests.application.conftest import RegisteredSchool
from tests.application.examples import events, fields_of, topics
from tests.application.test_accounts import everything
from tests.conftest import TestDatabase

TODAY = school_time.today()
TOMORROW = TODAY + timedelta(days=1)
REASON = "Moderates writing for the cluster"
NAMES = StaffNames(username="adviser", display_name="An Adviser")
PASSWORD = "seven green bottles"


def invite(
    registered: RegisteredSchool,
    until: date = TODAY,
    *,
    level: AccessLevel = AccessLevel.READ_ONLY,
    reason: str = REASON,
) -> UUID:
    adviser = Adviser(reason=reason, until=until)
    made = accounts.add_staff(
        registered.application, NAMES, Access(level), PASSWORD, registered.administrator, adviser=adviser
    )
    return made.result.staff_id


def on(day: date, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on it is that day at the school."""
    monkeypatch.setattr(school_time, "today", lambda: day)


def details_of_last(school: SchoolApplication) -> dict[str, object]:
    return histories.of_school(school, limit=1000)[-1].details


def test_an_adviser_is_let_in_and_administrators_see_why_until_when_and_by_whom(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions
) -> None:
    staff_id = invite(registered, TOMORROW)
    school = registered.application
    [member] = [member for member in school.staff()[0] if member.id == staff_id]
    assert member.adviser == Adviser(reason=REASON, until=TOMORROW)
    entry = histories.of_school(school, limit=1000)[-1]
    assert (entry.event, entry.actor) == ("staff.added", registered.administrator)
    assert entry.details["adviser_reason"] == REASON
    assert entry.details["adviser_until"] == TOMORROW.isoformat()
    assert "for_administrators" not in entry.details
    opened = logins.log_in(schools, sessions, registered.login_key, "Adviser", PASSWORD)
    assert opened.member.id == staff_id
    assert staff_sessions.signed_in(schools, sessions, opened.token)[2].adviser == member.adviser


def check_that_the_time_ends(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the last day the adviser works; the day after, no login and no open session does."""
    staff_id = invite(registered, TOMORROW)
    school = registered.application
    tokens = [
        logins.log_in(schools, sessions, registered.login_key, "adviser", PASSWORD).token for _ in range(2)
    ]
    on(TOMORROW, monkeypatch)
    assert staff_sessions.signed_in(schools, sessions, tokens[0])
    assert logins.log_in(schools, sessions, registered.login_key, "adviser", PASSWORD)
    on(TOMORROW + timedelta(days=1), monkeypatch)
    with pytest.raises(LoginRefused) as refused:
        logins.log_in(schools, sessions, registered.login_key, "adviser", PASSWORD)
    assert str(refused.value) == logins.REFUSED
    assert refused.value.details == {}
    [failed] = school.read(events(school)[-1:])
    assert isinstance(failed, LoginFailed)
    assert (failed.reason, failed.staff_id) == (LoginFailure.ENDED, staff_id)
    for token in tokens:
        with pytest.raises(NotSignedIn):
            staff_sessions.signed_in(schools, sessions, token)
    assert sessions.those_of(school.school_id) == []
    closed = list(school.read(events(school)[-3:]))
    assert {type(event) for event in closed} == {SessionClosed}
    assert {event.reason for event in closed if isinstance(event, SessionClosed)} == {SessionEnd.ENDED}


def test_the_day_after_the_last_nothing_opens(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_that_the_time_ends(registered, schools, sessions, monkeypatch)


def test_an_end_that_nobody_looks_at_would_be_noticed(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(StaffMember, "has_ended", lambda self, today: False)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check_that_the_time_ends(registered, schools, sessions, monkeypatch)


def test_an_end_that_only_logins_look_at_would_be_noticed(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another sabotaged twin: sessions that are open already go on."""
    monkeypatch.setattr(StaffMember, "has_ended", lambda self, today: False)
    monkeypatch.setattr(
        StaffMember, "may_log_in", lambda self, today: self.adviser is None or self.adviser.until >= today
    )
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check_that_the_time_ends(registered, schools, sessions, monkeypatch)


def test_whoever_is_disabled_or_wrong_is_told_no_other_reason(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff_id = invite(registered)
    school = registered.application
    on(TOMORROW, monkeypatch)
    for password, reason in (("wrong word", LoginFailure.WRONG_PASSWORD), (PASSWORD, LoginFailure.ENDED)):
        with pytest.raises(LoginRefused, match=logins.REFUSED):
            logins.log_in(schools, sessions, registered.login_key, "adviser", password)
        [failed] = school.read(events(school)[-1:])
        assert isinstance(failed, LoginFailed)
        assert failed.reason == reason
    accounts.disable(school, sessions, staff_id, registered.administrator)
    with pytest.raises(LoginRefused, match=logins.REFUSED):
        logins.log_in(schools, sessions, registered.login_key, "adviser", PASSWORD)
    [failed] = school.read(events(school)[-1:])
    assert isinstance(failed, LoginFailed)
    assert failed.reason == LoginFailure.DISABLED


def test_time_is_prolonged_and_shortened(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff_id = invite(registered, TOMORROW)
    school = registered.application
    later = TOMORROW + timedelta(days=30)
    assert accounts.prolong(school, staff_id, later, registered.administrator).result.version == 2
    assert accounts.prolong(school, staff_id, later, registered.administrator).result.version == 2
    assert topics(school)[-1] == "staff.adviser-prolonged.1"
    assert details_of_last(school) == {"until": later.isoformat()}
    assert school.staff_member(staff_id).adviser == Adviser(reason=REASON, until=later)
    accounts.prolong(school, staff_id, TODAY, registered.administrator)
    on(TOMORROW, monkeypatch)
    with pytest.raises(LoginRefused):
        logins.log_in(schools, sessions, registered.login_key, "adviser", PASSWORD)
    # Whose time is over can be given some more.
    accounts.prolong(school, staff_id, TOMORROW, registered.administrator)
    assert logins.log_in(schools, sessions, registered.login_key, "adviser", PASSWORD)


def test_the_last_day_is_within_a_year(registered: RegisteredSchool) -> None:
    staff_id = invite(registered, TODAY + timedelta(days=366))
    for day in (TODAY - timedelta(days=1), TODAY + timedelta(days=367), date.max, date.min):
        with pytest.raises(InvalidInput) as refused:
            accounts.prolong(registered.application, staff_id, day, registered.administrator)
        assert fields_of(refused.value.findings) == ["until"]
        with pytest.raises(InvalidInput) as refused:
            invite(registered, day)
        assert fields_of(refused.value.findings) == ["until"]


def test_only_advisers_have_an_end(registered: RegisteredSchool) -> None:
    teacher = cast("UUID", registered.teacher.staff_id)
    with pytest.raises(Conflict, match="not an adviser's"):
        accounts.prolong(registered.application, teacher, TOMORROW, registered.administrator)
    with pytest.raises(NotFound):
        accounts.prolong(registered.application, new_id(), TOMORROW, registered.administrator)


@pytest.mark.parametrize("reason", ["", " ", "x" * 201, "ask somebody@made-up.example", "a\0b"])
def test_an_adviser_needs_a_reason_that_can_be_kept(registered: RegisteredSchool, reason: str) -> None:
    before = registered.application.stream.head()
    with pytest.raises(InvalidInput) as refused:
        invite(registered, reason=reason)
    assert fields_of(refused.value.findings) == ["reason"]
    assert registered.application.stream.head() == before


def test_an_adviser_is_never_an_administrator(registered: RegisteredSchool, sessions: Sessions) -> None:
    with pytest.raises(InvalidInput) as refused:
        invite(registered, level=AccessLevel.ADMIN)
    assert fields_of(refused.value.findings) == ["access"]
    staff_id = invite(registered)
    with pytest.raises(Conflict, match="adviser"):
        accounts.change_access(
            registered.application, sessions, staff_id, Access(AccessLevel.ADMIN), registered.administrator
        )
    limited = Access(AccessLevel.LIMITED_READ_WRITE, ("Red",))
    accounts.change_access(registered.application, sessions, staff_id, limited, registered.administrator)


def test_an_adviser_who_sees_no_names_sees_no_reason_either(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions
) -> None:
    invite(registered, level=AccessLevel.READ_ONLY_NO_NAMES)
    token = logins.log_in(schools, sessions, registered.login_key, "adviser", PASSWORD).token
    member = staff_sessions.signed_in(schools, sessions, token)[2]
    assert member.adviser
    assert member.adviser.until == TODAY
    with pytest.raises(KeyNotHeld):
        _ = member.adviser.reason.casefold()


def test_the_reason_is_sealed(registered: RegisteredSchool, module_database: TestDatabase) -> None:
    staff_id = invite(registered)
    kept = everything(module_database)
    assert any(str(staff_id) in text for text in kept), "the search does not find what is there"
    assert not any(REASON in text for text in kept)
