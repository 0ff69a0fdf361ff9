"""New passwords by mail: to the official address alone, once, for a while; and what nobody is told."""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import psycopg
import pytest

from domain import school_time
from domain.access import AccessLevel
from domain.application import accounts, login_keys, logins, resets, staff_sessions
from domain.application.school_application import SchoolApplication, Schools
from domain.errors import InvalidInput, LoginKeyRefused, LoginRefused, NotSignedIn
from domain.events import OPERATOR, SYSTEM
from domain.identifiers import new_id
from domain.keys import KeyOrigin
from domain.mail import check
from domain.resets import PasswordResetRequested, PasswordResetUsed, ResetRefused
from domain.staff import Access, Adviser, StaffNames
from domain.vault import resets as codes
from domain.vault.login_key import read as read_login_key
from domain.vault.sessions import Sessions
from tests.application.conftest import PASSWORD, RegisteredSchool, registered_school
from tests.application.examples import at_once, events, topics
from tests.application.test_accounts import everything
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS

OFFICE = "office@made-up.example"
NEW = "brass kettle 94"
CANARY = "canary-SINGS-in-the-mine-78"


@dataclass
class PostBox:
    """Takes mail as a mail server would, and keeps it."""

    mails: list[tuple[str, str]] = field(default_factory=list)

    def send(self, to: str, subject: str, text: str) -> None:
        check(to, subject, text)
        self.mails.append((to, text))

    @property
    def codes(self) -> list[str]:
        return [line.strip() for _, text in self.mails for line in text.splitlines() if len(line) == 47]


@dataclass
class Office:
    """A school whose staff lose passwords, and get mail."""

    schools: Schools
    sessions: Sessions
    registered: RegisteredSchool
    post: PostBox

    @property
    def school(self) -> SchoolApplication:
        return self.registered.application

    @property
    def teacher(self) -> UUID:
        return cast("UUID", self.registered.teacher.staff_id)

    def ask(self, username: str = "teacher") -> None:
        resets.ask(self.schools, self.post, self.registered.login_key, username)

    def code(self, username: str = "teacher") -> str:
        self.ask(username)
        return self.post.codes[-1]

    def redeem(self, code: str, password: str = NEW, *, username: str = "teacher") -> None:
        resets.redeem(self.schools, self.sessions, self.registered.login_key, username, code, password)

    def log_in(self, password: str, username: str = "teacher") -> str:
        return logins.log_in(self.schools, self.sessions, self.registered.login_key, username, password).token


@pytest.fixture
def office(registered: RegisteredSchool, schools: Schools, sessions: Sessions) -> Office:
    return Office(schools, sessions, registered, PostBox())


def test_a_code_goes_to_the_official_address_and_sets_a_password(office: Office) -> None:
    token = office.log_in("of my own")
    office.ask(" TEACHER ")
    assert [to for to, _ in office.post.mails] == [OFFICE]
    [code] = office.post.codes
    assert len(code) == 43
    office.redeem(code)
    with pytest.raises(NotSignedIn):
        staff_sessions.signed_in(office.schools, office.sessions, token)
    with pytest.raises(LoginRefused):
        office.log_in("of my own")
    assert office.log_in(NEW)
    assert office.school.staff_member(office.teacher).for_administrators


def test_asking_and_using_are_on_the_stream(office: Office) -> None:
    office.log_in("of my own")
    before = len(events(office.school))
    office.redeem(office.code())
    key_id = read_login_key(office.registered.login_key, SERVICE_KEYS).key_id
    requested, password_set, used, closed = office.school.read(events(office.school)[before:])
    assert isinstance(requested, PasswordResetRequested)
    assert (requested.staff_id, requested.key_id, requested.sent) == (office.teacher, key_id, True)
    assert isinstance(used, PasswordResetUsed)
    assert (used.staff_id, used.key_id) == (office.teacher, key_id)
    assert [event.actor for event in (requested, password_set, used, closed)] == [SYSTEM] * 4
    assert (password_set.name, password_set.originator_id) == ("staff.password-set", office.teacher)
    assert (requested.originator_version, used.originator_version) == (1, 2)
    assert closed.name == "session.closed"


def check_that_a_code_works_once(office: Office) -> None:
    code = office.code()
    office.redeem(code)
    with pytest.raises(ResetRefused):
        office.redeem(code, "another password")
    assert office.log_in(NEW)


def test_a_code_works_once(office: Office) -> None:
    check_that_a_code_works_once(office)


def test_a_code_that_works_twice_would_be_noticed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin: a code that is used stays good."""
    monkeypatch.setitem(codes.SQL, "spend", b"SELECT %s::uuid, %s::uuid, %s::bytea")
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check_that_a_code_works_once(office)


def test_of_two_who_use_a_code_at_once_one_succeeds(office: Office) -> None:
    for _ in range(3):
        code = office.code()
        answers = at_once(
            *(
                lambda code=code, word=word: office.redeem(code, f"{word} kettle")
                for word in ("brass", "iron")
            )
        )
        assert sorted(type(answer).__name__ for answer in answers) == ["NoneType", "ResetRefused"]
    assert topics(office.school).count("password-reset.used.1") == 3


def move(office: Office, database: TestDatabase, by: timedelta) -> None:
    """Makes the school's codes older than they are."""
    with database.connect("postgres") as superuser:
        superuser.execute(
            "UPDATE vault.password_resets SET requested_at = requested_at - %s, expires_at = expires_at - %s"
            " WHERE school_id = %s",
            [by, by, office.school.school_id],
        )


def test_a_code_is_good_for_half_an_hour(office: Office, module_database: TestDatabase) -> None:
    code = office.code()
    move(office, module_database, timedelta(minutes=29, seconds=30))
    office.redeem(code)
    code = office.code()
    move(office, module_database, timedelta(minutes=30))
    with pytest.raises(ResetRefused):
        office.redeem(code)


def test_a_newer_code_replaces_the_one_before(office: Office) -> None:
    first, second = office.code(), office.code()
    with pytest.raises(ResetRefused):
        office.redeem(first)
    office.redeem(second)


def test_an_account_is_given_three_codes_an_hour(office: Office, module_database: TestDatabase) -> None:
    for _ in range(5):
        office.ask()
    assert len(office.post.mails) == 3
    assert topics(office.school).count("password-reset.requested.1") == 5
    office.ask("head")
    assert len(office.post.mails) == 4, "other accounts are not concerned"
    move(office, module_database, timedelta(minutes=59))
    office.ask()
    assert len(office.post.mails) == 4
    move(office, module_database, timedelta(minutes=1))
    office.redeem(office.code())
    assert len(office.post.mails) == 5
    with module_database.connect("postgres") as superuser:
        kept = superuser.execute(
            "SELECT count(*) FROM vault.password_resets WHERE school_id = %s", [office.school.school_id]
        ).fetchone()
    assert kept == (1,), "those that no longer count are not kept"


def test_the_last_of_the_three_stays_good(office: Office) -> None:
    for _ in range(4):
        office.ask()
    office.redeem(office.post.codes[-1])


def test_of_many_requests_at_once_no_more_are_mailed(office: Office) -> None:
    at_once(*[office.ask] * 8)
    assert len(office.post.mails) == 3
    good = 0
    for code in office.post.codes:
        with office.school.database.bound_to(office.school.school_id) as connection:
            good += codes.is_good(connection, office.school.school_id, office.teacher, code)
    assert good == 1


def disabled(office: Office) -> None:
    accounts.disable(office.school, office.sessions, office.teacher, OPERATOR)


def unknown(office: Office) -> None:
    """Nothing: nobody has the username that is asked about."""


@pytest.mark.parametrize(("username", "prepare"), [("teacher", disabled), (CANARY, unknown), ("", unknown)])
def test_who_gets_no_code_is_told_the_same_and_is_recorded_the_same(
    office: Office, module_database: TestDatabase, username: str, prepare: Callable[[Office], None]
) -> None:
    prepare(office)
    before = len(events(office.school))
    office.ask(username)
    assert office.post.mails == []
    [requested] = office.school.read(events(office.school)[before:])
    assert isinstance(requested, PasswordResetRequested)
    assert requested.sent is False
    assert requested.staff_id == (office.teacher if prepare is disabled else None)
    assert not any(CANARY in text for text in everything(module_database))


def statements(office: Office, username: str) -> list[bytes]:
    """What asking about a username asks of the database."""
    asked: list[bytes] = []
    execute = psycopg.Cursor.execute

    mine = threading.get_ident()

    def noting(cursor: Any, query: Any, *arguments: Any, **more: Any) -> Any:
        if threading.get_ident() != mine:  # others go on meanwhile
            return execute(cursor, query, *arguments, **more)
        asked.append(re.sub(rb"'[^']*'", b"''", query if isinstance(query, bytes) else str(query).encode()))
        return execute(cursor, query, *arguments, **more)

    with pytest.MonkeyPatch.context() as noted:
        noted.setattr(psycopg.Cursor, "execute", noting)
        office.ask(username)
    return asked


def check_that_as_much_is_asked(office: Office) -> None:
    """Whoever measures how long an answer takes learns nothing."""
    known = statements(office, "teacher")
    assert len(known) > 5
    assert statements(office, "nobody") == known
    for _ in range(2):
        office.ask()
    assert statements(office, "teacher") == known, "one too many"
    disabled(office)
    assert statements(office, "teacher") == known, "disabled"
    assert len(office.post.mails) == 3


def test_as_much_is_asked_of_the_database_whoever_it_is_about(office: Office) -> None:
    check_that_as_much_is_asked(office)


def test_a_short_way_for_unknown_users_would_be_noticed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: nothing is counted for whoever gets no code."""
    keep = codes.keep
    monkeypatch.setattr(codes, "keep", lambda *values, most: most > 0 and keep(*values, most=most))
    with pytest.raises(AssertionError):
        check_that_as_much_is_asked(office)


def test_an_adviser_whose_time_is_over_gets_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    today = school_time.today()
    accounts.add_staff(
        office.school,
        StaffNames(username="adviser", display_name="An Adviser"),
        Access(AccessLevel.READ_ONLY),
        "seven green bottles",
        OPERATOR,
        adviser=Adviser(reason="Moderates writing", until=today),
    )
    code = office.code("adviser")
    monkeypatch.setattr(school_time, "today", lambda: today + timedelta(days=1))
    with pytest.raises(ResetRefused):
        office.redeem(code, username="adviser")
    office.ask("adviser")
    assert len(office.post.mails) == 1


def test_whoever_was_disabled_meanwhile_sets_no_password(office: Office) -> None:
    code = office.code()
    disabled(office)
    with pytest.raises(ResetRefused):
        office.redeem(code)


def test_a_password_that_is_set_otherwise_ends_the_code(office: Office) -> None:
    code = office.code()
    accounts.set_password(office.school, office.sessions, office.teacher, "set by the head", OPERATOR)
    with pytest.raises(ResetRefused):
        office.redeem(code)
    assert office.log_in("set by the head")


WRONG = {
    "empty": lambda code: "",
    "cut": lambda code: code[:-1],
    "longer": lambda code: code + "A",
    "another": lambda code: codes.new_code(),
    "its hash": lambda code: codes._hash(code).hex(),
    "not text": lambda code: "\ud800",
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_code_is_refused_and_the_right_one_stays_good(
    office: Office, wrong: Callable[[str], str]
) -> None:
    code = office.code()
    with pytest.raises(ResetRefused) as refused:
        office.redeem(wrong(code))
    assert str(refused.value) == resets.REFUSED
    assert refused.value.details == {}
    office.redeem(code)


def test_a_code_is_for_one_account_of_one_school(office: Office) -> None:
    code = office.code()
    elsewhere = Office(office.schools, office.sessions, registered_school(office.schools), PostBox())
    elsewhere.ask()
    for other, username in ((office, "head"), (office, "nobody"), (elsewhere, "teacher")):
        with pytest.raises(ResetRefused):
            other.redeem(code, username=username)
    office.redeem(code)


def test_the_password_is_as_the_access_level_asks_and_the_code_waits_for_it(office: Office) -> None:
    code = office.code("head")
    for short in ("brass kettle 9", ""):
        with pytest.raises(InvalidInput):
            office.redeem(code, short, username="head")
    with pytest.raises(ResetRefused):
        office.redeem("wrong", "short", username="head")
    assert office.log_in(PASSWORD, "head")
    office.redeem(code, NEW, username="head")
    assert office.log_in(NEW, "head")


def test_it_takes_a_login_key_that_is_live(office: Office) -> None:
    code = office.code()
    before = len(events(office.school))
    with pytest.raises(LoginKeyRefused):
        resets.ask(office.schools, office.post, office.registered.login_key[:-1], "teacher")
    with pytest.raises(LoginKeyRefused):
        resets.redeem(office.schools, office.sessions, "", "teacher", code, NEW)
    assert len(events(office.school)) == before
    login_keys.issued(office.school, office.schools, KeyOrigin.ADMINISTRATOR, OPERATOR)
    key_id = read_login_key(office.registered.login_key, SERVICE_KEYS).key_id
    login_keys.revoke(office.school, key_id, OPERATOR)
    with pytest.raises(LoginKeyRefused):
        office.ask()
    with pytest.raises(LoginKeyRefused):
        office.redeem(code)
    assert len(office.post.mails) == 1


def test_nothing_of_a_code_or_a_password_is_kept(office: Office, module_database: TestDatabase) -> None:
    unused, used = office.code("head"), office.code()
    office.redeem(used, CANARY)
    secrets = (unused, used, CANARY, unused.encode().hex(), used.encode().hex())
    kept = everything(module_database)
    assert any(codes._hash(unused).hex() in text for text in kept), "the search does not find what is there"
    assert not [secret for secret in secrets for text in kept if secret in text]
    log = (module_database.server.home / "server.log").read_text()
    assert not [secret for secret in secrets if secret in log]


def check_that_only_the_office_gets_mail(office: Office) -> None:
    """Whatever the asker types, an address of theirs above all."""
    mine = "asker@elsewhere.example"
    names = StaffNames(username=mine, display_name="Whose username is an address")
    accounts.add_staff(office.school, names, Access(AccessLevel.READ_ONLY), "of my own", OPERATOR)
    for typed in ("teacher", mine, f"teacher, {mine}", f"teacher\r\nBcc: {mine}"):
        office.ask(typed)
    assert len(office.post.mails) == 2
    assert {to for to, _ in office.post.mails} == {OFFICE}


def test_only_the_office_gets_mail(office: Office) -> None:
    check_that_only_the_office_gets_mail(office)
    # There is nothing to say an address with.
    assert list(inspect.signature(resets.ask).parameters) == ["schools", "mailer", "key", "username"]


def test_mail_that_goes_where_the_asker_wants_would_be_noticed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: mail goes to the username, where that is an address."""
    send = PostBox.send
    asked: list[str] = []
    find = SchoolApplication.member_with_username

    def noted(school: SchoolApplication, username: str) -> object:
        asked.append(username)
        return find(school, username)

    monkeypatch.setattr(SchoolApplication, "member_with_username", noted)
    monkeypatch.setattr(
        PostBox,
        "send",
        lambda post, to, subject, text: send(post, asked[-1] if "@" in asked[-1] else to, subject, text),
    )
    with pytest.raises(AssertionError, match="asker@elsewhere"):
        check_that_only_the_office_gets_mail(office)


def test_the_row_of_another_school_is_out_of_reach(office: Office) -> None:
    code = office.code()
    other = registered_school(office.schools).application
    with other.database.bound_to(other.school_id) as connection:
        assert not codes.is_good(connection, office.school.school_id, office.teacher, code)
        assert not codes.spend(connection, office.school.school_id, office.teacher, code)
        codes.forget(connection, office.school.school_id, office.teacher)
        assert not codes.keep(connection, other.school_id, new_id(), codes.new_code(), most=0)
    office.redeem(code)
