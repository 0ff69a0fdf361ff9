"""Staff accounts: who has one, who comes in, and what is left of a password."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import pytest
from argon2 import Type, extract_parameters

from domain.access import AccessLevel, Permission
from domain.application import accounts, logins, staff_sessions
from domain.application.school_application import (
    CommandKey,
    SchoolApplication,
    Schools,
    logins_of,
)
from domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    LoginKeyRefused,
    LoginRefused,
    NotFound,
    NotSignedIn,
)
from domain.events import OPERATOR
from domain.identifiers import new_id
from domain.login import SessionOpened
from domain.staff import Access, StaffNames
from domain.vault import passwords
from domain.vault.hashing import Argon2id
from domain.vault.key_ring import new_ring
from domain.vault.login_key import issue
from domain.vault.login_key import read as read_login_key
from domain.vault.sessions import Sessions
from tests.application.conftest import PASSWORD, RegisteredSchool, registered_school
from tests.application.examples import admitted, at_once, child, events, topics
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS

READ_ONLY = Access(AccessLevel.READ_ONLY)
CANARY = "canary-SINGS-in-the-mine-77"


def named(username: str) -> StaffNames:
    return StaffNames(username=username, display_name="Somebody")


def add(school: SchoolApplication, username: str, password: str = "of my own") -> UUID:
    return accounts.add_staff(school, named(username), READ_ONLY, password, OPERATOR).result.staff_id


@pytest.mark.parametrize("taken", ["Teacher", "TEACHER", " teacher ", "ｔｅａｃｈｅｒ"])
def test_a_username_is_taken_whatever_its_capitals(registered: RegisteredSchool, taken: str) -> None:
    before = registered.application.stream.head()
    with pytest.raises(AlreadyExists):
        add(registered.application, taken)
    assert registered.application.stream.head() == before


def test_of_two_who_add_a_username_at_once_one_succeeds(registered: RegisteredSchool) -> None:
    school = registered.application
    for number in range(5):
        spellings = (f"user{number}", f"USER{number}", f"User{number}")
        answers = at_once(*(lambda name=name: add(school, name) for name in spellings))
        assert sorted(type(answer).__name__ for answer in answers) == ["AlreadyExists"] * 2 + ["UUID"]
    assert len(school.staff()[0]) == 2 + 5


def test_many_may_be_added_at_once(registered: RegisteredSchool) -> None:
    school = registered.application
    answers = at_once(*(lambda number=number: add(school, f"user{number}") for number in range(5)))
    assert {type(answer) for answer in answers} == {UUID}
    assert len(school.staff()[0]) == 2 + 5


@pytest.mark.parametrize(
    ("level", "length", "right"),
    [
        (AccessLevel.READ_ONLY, 7, False),
        (AccessLevel.READ_ONLY, 8, True),
        (AccessLevel.READ_WRITE, 1000, True),
        (AccessLevel.READ_WRITE, 1001, False),
        (AccessLevel.ADMIN, 14, False),
        (AccessLevel.ADMIN, 15, True),
    ],
)
def test_passwords_have_a_length_and_nothing_else(
    registered: RegisteredSchool, level: AccessLevel, length: int, right: bool
) -> None:
    school = registered.application
    if right:
        accounts.add_staff(school, named("New"), Access(level), "é" * length, OPERATOR)
        return
    with pytest.raises(InvalidInput) as refused:
        accounts.add_staff(school, named("New"), Access(level), "é" * length, OPERATOR)
    assert "é" not in str(refused.value) + str(refused.value.findings)


@pytest.mark.parametrize(
    "typed", ["e\N{COMBINING ACUTE ACCENT}" * 500, "ﬁ" * 8, "\N{HANGUL SYLLABLE GA}" * 1000]
)
def test_whoever_chose_a_password_gets_in_with_it(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions, typed: str
) -> None:
    add(registered.application, "New", typed)
    assert logins.log_in(schools, sessions, registered.login_key, "new", typed).member.names.username == "New"


def test_a_password_is_the_same_however_it_is_typed() -> None:
    verifier = passwords.verifier_of("caf\N{LATIN SMALL LETTER E WITH ACUTE} noir", AccessLevel.READ_ONLY)
    assert passwords.verify(verifier, "cafe\N{COMBINING ACUTE ACCENT} noir")
    assert not passwords.verify(verifier, "cafe noir")
    assert not passwords.verify(None, "nobody's password")


def test_the_verifier_is_argon2id_with_the_parameters_that_owasp_names_first(
    registered: RegisteredSchool,
) -> None:
    verifier = registered.application.staff_member(
        cast("UUID", registered.teacher.staff_id)
    ).password_verifier
    parameters = extract_parameters(verifier)
    assert parameters.type is Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19 * 1024, 2, 1)
    assert (parameters.salt_len, parameters.hash_len) == (16, 32)


def test_a_login_opens_a_session_and_is_on_the_stream(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions
) -> None:
    opened = logins.log_in(schools, sessions, registered.login_key, "  HEAD ", PASSWORD)
    session, _, member = staff_sessions.signed_in(schools, sessions, opened.token)
    assert session == opened.session
    assert session.key_id == read_login_key(registered.login_key, SERVICE_KEYS).key_id
    assert member.id == registered.administrator.staff_id
    assert member.may(Permission.MANAGE_STAFF)
    staff_sessions.log_out(registered.application, sessions, session)
    staff_sessions.log_out(registered.application, sessions, session)
    with pytest.raises(NotSignedIn):
        staff_sessions.signed_in(schools, sessions, opened.token)
    assert topics(registered.application)[-2:] == ["session.opened.1", "session.closed.1"]
    [opening] = list(registered.application.read(events(registered.application)[-2:-1]))
    assert isinstance(opening, SessionOpened)
    assert opening.key_id == session.key_id


REFUSALS = {
    "wrong password": ("Teacher", CANARY, "wrong password"),
    "unknown user": (CANARY, "of my own", "unknown user"),
    "disabled": ("Disabled", "of my own", "account disabled"),
    "disabled, and wrong": ("Disabled", CANARY, "wrong password"),
    "empty": ("", "", "unknown user"),
    "not text": ("Teacher", "\ud800 \x00", "wrong password"),
    "very long": ("Teacher", CANARY * 100_000, "wrong password"),
}


@pytest.mark.parametrize(("username", "password", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_whoever_is_refused_is_told_the_same(
    registered: RegisteredSchool,
    schools: Schools,
    sessions: Sessions,
    username: str,
    password: str,
    reason: str,
) -> None:
    school = registered.application
    accounts.disable(school, sessions, add(school, "Disabled"), registered.administrator)
    before = len(events(school))
    with pytest.raises(LoginRefused) as refused:
        logins.log_in(schools, sessions, registered.login_key, username, password)
    assert str(refused.value) == "The username or the password is not right"
    assert refused.value.details == {}
    [added] = events(school)[before:]
    assert added.topic == "login.failed.1"
    assert reason.encode() in added.state
    assert CANARY.encode() not in added.state


OTHER_RING = new_ring()

WRONG_KEYS = {
    "empty": lambda key: "",
    "cut": lambda key: key[:-1],
    "flipped": lambda key: key[:100] + ("A" if key[100] != "A" else "C") + key[101:],
    "not text": lambda key: "\ud800 \x00",
    "of another service": lambda key: issue(OTHER_RING, new_id(), new_id())[0],
}


@pytest.mark.parametrize("wrong", WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_of_a_login_with_a_key_that_is_not_ours_nothing_is_kept(
    registered: RegisteredSchool,
    schools: Schools,
    sessions: Sessions,
    module_database: TestDatabase,
    wrong: Callable[[str], str],
) -> None:
    before = everything(module_database)
    with pytest.raises(LoginKeyRefused):
        logins.log_in(schools, sessions, wrong(registered.login_key), CANARY, CANARY)
    assert everything(module_database) == before


def test_a_key_of_a_school_that_this_database_does_not_have(schools: Schools, sessions: Sessions) -> None:
    key, _ = issue(SERVICE_KEYS, new_id(), new_id())
    with pytest.raises(LoginKeyRefused, match="not one of those"):
        logins.log_in(schools, sessions, key, "head", PASSWORD)


def test_failed_logins_are_in_the_log_of_the_account_or_the_school(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions
) -> None:
    school, teacher = registered.application, cast("UUID", registered.teacher.staff_id)
    for username in ("teacher", "nobody", "teacher"):
        with pytest.raises(LoginRefused):
            logins.log_in(schools, sessions, registered.login_key, username, "wrong word")
    assert len(school.stream.events_of(logins_of(teacher))) == 2
    assert len(school.stream.events_of(logins_of(school.school_id))) == 1


def test_an_unknown_user_is_refused_no_quicker_than_a_known_one(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions
) -> None:
    def took(username: str) -> float:
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            with pytest.raises(LoginRefused):
                logins.log_in(schools, sessions, registered.login_key, username, "wrong word")
            times.append(time.perf_counter() - begun)
        return min(times)

    known = took("teacher")
    assert took("nobody") > known / 3


def test_many_failed_logins_at_once_are_all_recorded(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions
) -> None:
    answers = at_once(
        *[lambda: logins.log_in(schools, sessions, registered.login_key, "teacher", "wrong word")] * 5
    )
    assert {type(answer) for answer in answers} == {LoginRefused}
    assert topics(registered.application).count("login.failed.1") == 5


def test_the_last_administrator_stays(registered: RegisteredSchool, sessions: Sessions) -> None:
    school, head = registered.application, cast("UUID", registered.administrator.staff_id)
    with pytest.raises(Conflict, match="last administrator"):
        accounts.disable(school, sessions, head, registered.administrator)
    with pytest.raises(Conflict, match="last administrator"):
        accounts.change_access(school, sessions, head, READ_ONLY, registered.administrator)
    second = accounts.add_staff(
        school, named("Deputy"), Access(AccessLevel.ADMIN), "x" * 15, OPERATOR
    ).result.staff_id
    accounts.change_access(school, sessions, head, READ_ONLY, registered.administrator)
    with pytest.raises(Conflict, match="last administrator"):
        accounts.disable(school, sessions, second, registered.administrator)


def test_two_administrators_cannot_end_each_other_at_once(
    registered: RegisteredSchool, sessions: Sessions
) -> None:
    school, head = registered.application, cast("UUID", registered.administrator.staff_id)
    second = accounts.add_staff(
        school, named("Deputy"), Access(AccessLevel.ADMIN), "x" * 15, OPERATOR
    ).result.staff_id
    for _ in range(5):
        answers = at_once(
            *(
                lambda staff_id=staff_id: accounts.disable(school, sessions, staff_id, OPERATOR)
                for staff_id in (head, second)
            )
        )
        assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "Outcome"]
        for staff_id in (head, second):
            accounts.enable(school, staff_id, OPERATOR)


def test_the_disabled_are_out_at_their_next_request(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions
) -> None:
    school, teacher = registered.application, cast("UUID", registered.teacher.staff_id)
    tokens = [
        logins.log_in(schools, sessions, registered.login_key, "teacher", "of my own").token for _ in range(2)
    ]
    accounts.disable(school, sessions, teacher, registered.administrator)
    for token in tokens:
        with pytest.raises(NotSignedIn):
            staff_sessions.signed_in(schools, sessions, token)
    assert topics(school)[-3:] == ["staff.disabled.1", "session.closed.1", "session.closed.1"]
    assert b"revoked" in events(school)[-1].state
    # Neither does a session help that was opened while the account was being disabled.
    token, _ = sessions.open(school.keys.school, teacher, new_id())
    with pytest.raises(NotSignedIn):
        staff_sessions.signed_in(schools, sessions, token)
    accounts.enable(school, teacher, registered.administrator)
    assert logins.log_in(schools, sessions, registered.login_key, "teacher", "of my own")


def test_changes_to_an_account(registered: RegisteredSchool, schools: Schools, sessions: Sessions) -> None:
    school, teacher = registered.application, cast("UUID", registered.teacher.staff_id)
    limited = Access(AccessLevel.LIMITED_READ_WRITE, ("Red",))
    assert (
        accounts.change_access(school, sessions, teacher, limited, registered.administrator).result.version
        == 2
    )
    assert (
        accounts.change_access(school, sessions, teacher, limited, registered.administrator).result.version
        == 2
    )
    assert school.staff_member(teacher).access == limited
    with pytest.raises(InvalidInput):
        accounts.change_access(school, sessions, teacher, Access(AccessLevel.READ_WRITE, ("Red",)), OPERATOR)
    accounts.set_password(school, sessions, teacher, "another password", registered.administrator)
    with pytest.raises(LoginRefused):
        logins.log_in(schools, sessions, registered.login_key, "teacher", "of my own")
    assert logins.log_in(schools, sessions, registered.login_key, "teacher", "another password")
    command = CommandKey("key", b"content")
    first = accounts.set_password(school, sessions, teacher, "the third password", OPERATOR, command=command)
    again = accounts.set_password(school, sessions, teacher, "the third password", OPERATOR, command=command)
    assert (again.result, again.repeated) == (first.result, True)


def test_a_new_password_ends_what_the_old_one_opened(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions
) -> None:
    school, teacher = registered.application, cast("UUID", registered.teacher.staff_id)
    mine, other = (
        logins.log_in(schools, sessions, registered.login_key, "teacher", "of my own") for _ in range(2)
    )
    accounts.set_password(
        school, sessions, teacher, "my new password", registered.teacher, keep=mine.session.id
    )
    assert staff_sessions.signed_in(schools, sessions, mine.token)
    with pytest.raises(NotSignedIn):
        staff_sessions.signed_in(schools, sessions, other.token)
    accounts.set_password(school, sessions, teacher, "set for me instead", registered.administrator)
    with pytest.raises(NotSignedIn):
        staff_sessions.signed_in(schools, sessions, mine.token)


def test_only_staff_are_staff(registered: RegisteredSchool, sessions: Sessions) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    for not_staff in (pupil_id, school.school_id):
        with pytest.raises(NotFound):
            accounts.disable(school, sessions, not_staff, OPERATOR)


def test_a_verifier_of_weaker_parameters_is_made_anew_at_the_next_login(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    school, head = registered.application, cast("UUID", registered.administrator.staff_id)
    # An administrator whose password was long enough when it was chosen is let in all the same.
    with monkeypatch.context() as weaker:
        weaker.setattr(passwords, "LEAST_FOR_ADMINISTRATORS", 8)
        weaker.setattr(passwords, "_chosen", passwords.Passwords(Argon2id(passes=1, kibibytes=1024)))
        accounts.set_password(school, sessions, head, "chosen early", OPERATOR)
    weak = school.staff_member(head).password_verifier
    logins.log_in(schools, sessions, registered.login_key, "head", "chosen early")
    strong = school.staff_member(head).password_verifier
    assert passwords.is_outdated(weak)
    assert not passwords.is_outdated(strong)
    logins.log_in(schools, sessions, registered.login_key, "head", "chosen early")
    assert school.staff_member(head).password_verifier == strong


def test_a_session_that_nobody_uses_ends(registered: RegisteredSchool, schools: Schools) -> None:
    sessions = Sessions(schools.database, idle=timedelta(seconds=1))
    token = logins.log_in(schools, sessions, registered.login_key, "teacher", "of my own").token
    begun = time.monotonic()
    while time.monotonic() - begun < 1.4:
        staff_sessions.signed_in(schools, sessions, token)
        time.sleep(0.05)
    time.sleep(1.05)
    with pytest.raises(NotSignedIn):
        staff_sessions.signed_in(schools, sessions, token)


def test_no_session_lasts_longer_than_it_may(registered: RegisteredSchool, schools: Schools) -> None:
    sessions = Sessions(schools.database, longest=timedelta(seconds=0.8))
    token = logins.log_in(schools, sessions, registered.login_key, "teacher", "of my own").token
    ends = time.monotonic() + 0.8
    staff_sessions.signed_in(schools, sessions, token)
    while time.monotonic() < ends + 0.05:
        time.sleep(0.01)
    with pytest.raises(NotSignedIn):
        staff_sessions.signed_in(schools, sessions, token)


def test_the_usual_limits_of_a_session(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions, module_database: TestDatabase
) -> None:
    def age(column: str, by: timedelta) -> str:
        token = logins.log_in(schools, sessions, registered.login_key, "teacher", "of my own").token
        with module_database.connect("postgres") as superuser:
            superuser.execute(
                f"UPDATE vault.sessions SET {column} = %s WHERE school_id = %s".encode(),
                [datetime.now(UTC) - by, registered.application.school_id],
            )
        return token

    for column, limit in (("last_used_at", timedelta(minutes=30)), ("opened_at", timedelta(hours=12))):
        staff_sessions.signed_in(schools, sessions, age(column, limit - timedelta(seconds=20)))
        token = age(column, limit)
        with pytest.raises(NotSignedIn):
            staff_sessions.signed_in(schools, sessions, token)


@pytest.mark.parametrize(
    "mangle", [lambda t: "", lambda t: t[4:], lambda t: t[:-1], lambda t: t + "é", lambda t: t[:20]]
)
def test_what_is_not_a_token_opens_nothing(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions, mangle: object
) -> None:
    token = logins.log_in(schools, sessions, registered.login_key, "teacher", "of my own").token
    assert callable(mangle)
    with pytest.raises(NotSignedIn):
        staff_sessions.signed_in(schools, sessions, mangle(token))


def test_a_token_is_of_one_school(registered: RegisteredSchool, schools: Schools, sessions: Sessions) -> None:
    elsewhere = registered_school(schools)
    head = cast("UUID", registered.administrator.staff_id)
    token, session = sessions.open(registered.application.keys.school, head, new_id())
    other_id, other_head = elsewhere.application.school_id, cast("UUID", elsewhere.administrator.staff_id)
    _, theirs = sessions.open(elsewhere.application.keys.school, other_head, new_id())
    assert staff_sessions.signed_in(schools, sessions, token)[2].id == head
    assert sessions.close_all_of(other_id, head) == []
    assert sessions.close(other_id, theirs.id)
    assert staff_sessions.signed_in(schools, sessions, token)[0] == session


def everything(module_database: TestDatabase) -> list[str]:
    """Every row of every table, as text, with bytes both as hexadecimal digits and as characters."""
    rows = []
    with module_database.connect("postgres") as superuser:
        tables = superuser.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (table,) in tables:
            for (text,) in superuser.execute(f"SELECT t::text FROM {table} t".encode()):
                assert isinstance(text, str)
                rows.append(text)
                for digits in text.split("\\x")[1:]:
                    octets = digits.partition(",")[0].partition('"')[0].rstrip('\\")')
                    rows.append(bytes.fromhex(octets).decode("latin-1"))
    return rows


def test_nothing_but_the_verifier_is_kept_of_a_password(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions, module_database: TestDatabase
) -> None:
    school = registered.application
    command = CommandKey("key", CANARY.encode())
    staff_id = accounts.add_staff(
        school, named("Canary keeper"), READ_ONLY, CANARY, OPERATOR, command
    ).result.staff_id
    command = CommandKey("key 2", CANARY.encode())
    accounts.set_password(school, sessions, staff_id, CANARY + "2", OPERATOR, command=command)
    token = logins.log_in(schools, sessions, registered.login_key, "canary keeper", CANARY + "2").token
    for username, password in (("canary keeper", CANARY), (CANARY, "of my own"), (CANARY, CANARY)):
        with pytest.raises(LoginRefused):
            logins.log_in(schools, sessions, registered.login_key, username, password)
    kept = everything(module_database)
    assert any(str(staff_id) in text for text in kept), "the search does not find what is there"
    assert not any("Canary keeper" in text for text in kept)
    assert not any("$argon2id$" in text for text in kept)
    secrets = (CANARY, CANARY.casefold(), CANARY.encode().hex(), token, token[4:])
    assert not [secret for secret in secrets for text in kept if secret in text]
    log = (module_database.server.home / "server.log").read_text()
    assert not [secret for secret in secrets if secret in log]


def test_another_schools_staff_are_not_found(school: SchoolApplication, schools: Schools) -> None:
    theirs = cast("UUID", registered_school(schools).administrator.staff_id)
    with pytest.raises(NotFound):
        school.staff_member(theirs)
    with pytest.raises(NotFound):
        accounts.enable(school, theirs, OPERATOR)
