"""The keys in a session open with its token alone, in its own row alone, and for a bounded time."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.access import AccessLevel
from domain.application.accounts import add_staff
from domain.application.logins import log_in
from domain.application.school_application import Schools
from domain.application.staff_sessions import signed_in
from domain.errors import DoesNotOpen, KeyNotHeld, NotSignedIn
from domain.events import OPERATOR, Compartment
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.staff import Access, StaffNames
from domain.vault import sessions as module
from domain.vault.keyring import SchoolKeys
from domain.vault.sessions import IDLE, LONGEST, PREFIX, Session, Sessions
from tests.application.conftest import RegisteredSchool
from tests.application.examples import admitted, children
from tests.conftest import TestDatabase

KEYS = SchoolKeys.new(new_id())
HEAD, LOGIN_KEY = new_id(), new_id()


@pytest.fixture(scope="module")
def database(module_database: TestDatabase) -> Iterator[Database]:
    """The API's connections to the database of this module."""
    with Database(module_database.conninfo()) as database:
        yield database


@pytest.fixture
def test_database(module_database: TestDatabase) -> TestDatabase:
    """The database of this module, in which there is no session yet."""
    with module_database.connect("postgres") as connection:
        connection.execute("TRUNCATE vault.sessions")
    return module_database


@pytest.fixture
def some_sessions(database: Database, test_database: TestDatabase) -> Sessions:
    """The sessions of a school that has none yet."""
    return Sessions(database)


def secret_of(token: str) -> bytes:
    return base64.urlsafe_b64decode(token.removeprefix(PREFIX))[16:]


def token_of(school_id: UUID, secret: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(school_id.bytes + secret).decode()


def test_a_session_gives_back_the_keys_that_it_was_opened_with(some_sessions: Sessions) -> None:
    token, session = some_sessions.open(KEYS, HEAD, LOGIN_KEY)
    assert some_sessions.use(token) == (session, KEYS)
    assert (session.school_id, session.staff_id, session.key_id) == (KEYS.school_id, HEAD, LOGIN_KEY)


# What the database holds.


def row_of(test_database: TestDatabase, session: Session) -> dict[str, Any]:
    with test_database.connect("postgres") as connection:
        cursor = connection.execute("SELECT * FROM vault.sessions WHERE session_id = %s", [session.id])
        assert cursor.description
        [row] = cursor.fetchall()
        return dict(zip([column.name for column in cursor.description], row, strict=True))


def test_the_database_holds_a_hash_and_no_key(some_sessions: Sessions, test_database: TestDatabase) -> None:
    token, session = some_sessions.open(KEYS, HEAD, LOGIN_KEY)
    secret, row = secret_of(token), row_of(test_database, session)
    assert len(secret) == 32
    assert row["token_hash"] == hashlib.sha256(secret).digest()
    held = b"".join(value for value in row.values() if isinstance(value, bytes))
    for what in (secret, KEYS.both()[:32], KEYS.both()[32:]):
        assert what not in held
    assert token not in str(row)


def test_nothing_in_the_row_opens_its_keys(some_sessions: Sessions, test_database: TestDatabase) -> None:
    """What a stolen database says of a session is tried as the key: only the token's own yields it."""
    token, session = some_sessions.open(KEYS, HEAD, LOGIN_KEY)
    row = row_of(test_database, session)
    place = module._place(session, 1, Compartment.NAMES)

    def opens(key: bytes) -> bool:
        try:
            return bool(AESGCM(key).decrypt(row["names"][:12], row["names"][12:], place))
        except InvalidTag:
            return False

    guesses = [row["token_hash"], hashlib.sha256(row["token_hash"]).digest(), row["session_id"].bytes * 2]
    assert not any(opens(guess) for guess in guesses)
    # The check can succeed.
    cipher = module._cipher(secret_of(token))
    assert cipher.decrypt(row["names"][:12], row["names"][12:], place) == KEYS.names


# What was moved to another row.

OTHER_SCHOOL = SchoolKeys.new(new_id())

MOVES: dict[str, str] = {
    "the keys of another session of theirs": (
        "UPDATE vault.sessions s SET names = o.names, record = o.record FROM vault.sessions o"
        " WHERE s.session_id = %(session)s AND o.session_id = %(another)s"
    ),
    "another id": "UPDATE vault.sessions SET session_id = gen_random_uuid() WHERE session_id = %(session)s",
    "another member of staff": (
        "UPDATE vault.sessions SET staff_id = gen_random_uuid() WHERE session_id = %(session)s"
    ),
    "another login key": (
        "UPDATE vault.sessions SET key_id = gen_random_uuid() WHERE session_id = %(session)s"
    ),
    "another generation": "UPDATE vault.sessions SET generation = 2 WHERE session_id = %(session)s",
    "the other compartment": (
        "UPDATE vault.sessions SET names = record, record = names WHERE session_id = %(session)s"
    ),
    "another school": (
        "UPDATE vault.sessions SET school_id = %(other_school)s WHERE session_id = %(session)s"
    ),
    "another token": (
        "UPDATE vault.sessions SET token_hash = sha256(%(other_secret)s) WHERE session_id = %(session)s"
    ),
}
"""How somebody who may write the table could try to make a session of more than it is."""


def check_a_moved_row_does_not_open(
    some_sessions: Sessions, test_database: TestDatabase, statement: str
) -> None:
    """Changes the row of a session and uses the token that finds it then.

    Raises:
        AssertionError: It opens.
    """
    token, session = some_sessions.open(KEYS, HEAD, LOGIN_KEY)
    _, another = some_sessions.open(KEYS, HEAD, LOGIN_KEY)
    secret, other_secret = secret_of(token), bytes(range(32))
    some_sessions.use(token)
    parameters = {
        "session": session.id,
        "another": another.id,
        "other_school": OTHER_SCHOOL.school_id,
        "other_secret": other_secret,
    }
    with test_database.connect("postgres") as connection:
        used = {name: value for name, value in parameters.items() if f"%({name})s" in statement}
        assert connection.execute(statement.encode(), used).rowcount == 1
    if "other_school" in used:
        token = token_of(OTHER_SCHOOL.school_id, secret)
    if "other_secret" in used:
        token = token_of(KEYS.school_id, other_secret)
    opened = None
    with suppress(DoesNotOpen):
        opened = some_sessions.use(token)
    assert opened is None, "it opens in another row"


@pytest.mark.parametrize("statement", MOVES.values(), ids=MOVES)
def test_a_row_that_was_moved_does_not_open(
    some_sessions: Sessions, test_database: TestDatabase, statement: str
) -> None:
    check_a_moved_row_does_not_open(some_sessions, test_database, statement)


KEPT_BY_THE_TOKEN = ("the keys of another session of theirs", "another token")
"""What does not open for want of the right token, wherever it lies."""


@pytest.mark.parametrize("move", [move for move in MOVES if move not in KEPT_BY_THE_TOKEN])
def test_without_its_place_it_would(
    some_sessions: Sessions, test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch, move: str
) -> None:
    """The sabotaged twin: keys that are wrapped for no place."""
    monkeypatch.setattr(module, "_place", lambda *_: b"")
    with pytest.raises(AssertionError, match="in another row"):
        check_a_moved_row_does_not_open(some_sessions, test_database, MOVES[move])


@pytest.mark.parametrize("move", KEPT_BY_THE_TOKEN)
def test_without_the_token_it_would(
    some_sessions: Sessions, test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch, move: str
) -> None:
    """The sabotaged twin: keys that are wrapped under one key for all sessions, and for no place."""
    monkeypatch.setattr(module, "_place", lambda *_: b"")
    monkeypatch.setattr(module, "_cipher", lambda _: AESGCM(bytes(32)))
    with pytest.raises(AssertionError, match="in another row"):
        check_a_moved_row_does_not_open(some_sessions, test_database, MOVES[move])


def test_a_token_of_another_school_finds_nothing(some_sessions: Sessions) -> None:
    token, _ = some_sessions.open(KEYS, HEAD, LOGIN_KEY)
    with pytest.raises(NotSignedIn):
        some_sessions.use(token_of(OTHER_SCHOOL.school_id, secret_of(token)))


# Those who may not see names.


def check_a_session_holds_no_names_key(
    schools: Schools, registered: RegisteredSchool, sessions: Sessions, module_database: TestDatabase
) -> None:
    """Logs in as somebody who may not see names, and looks for the names key.

    Raises:
        AssertionError: The session holds it, or gives a name away.
    """
    school = registered.application
    [pupil_id] = admitted(school, registered.administrator, *children(1))
    add_staff(
        school,
        StaffNames(username="Counter", display_name="A Counter"),
        Access(AccessLevel.READ_ONLY_NO_NAMES),
        "of my own",
        OPERATOR,
    )
    logged_in = log_in(schools, sessions, registered.login_key, "counter", "of my own")
    assert row_of(module_database, logged_in.session)["names"] is None, "there is a names key"
    _, keys = sessions.use(logged_in.token)
    assert keys == school.keys.school.without_names()
    _, reading, _ = signed_in(schools, sessions, logged_in.token)
    pupil = reading.pupil(pupil_id)
    assert pupil.record.nc_year == "4"
    with pytest.raises(KeyNotHeld):
        _ = pupil.names.surname


def test_a_session_without_names_holds_no_names_key(
    schools: Schools, registered: RegisteredSchool, sessions: Sessions, module_database: TestDatabase
) -> None:
    check_a_session_holds_no_names_key(schools, registered, sessions, module_database)


def test_a_session_that_were_given_one_is_found_out(
    schools: Schools,
    registered: RegisteredSchool,
    sessions: Sessions,
    module_database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sabotaged twin: everybody's session is given both keys."""
    monkeypatch.setattr(SchoolKeys, "without_names", lambda keys: keys)
    with pytest.raises(AssertionError, match="there is a names key"):
        check_a_session_holds_no_names_key(schools, registered, sessions, module_database)


# Time-outs.


def set_back(test_database: TestDatabase, **columns: timedelta) -> None:
    """Lets every session look as if it were older."""
    with test_database.connect("postgres") as connection:
        for column, by in columns.items():
            connection.execute(f"UPDATE vault.sessions SET {column} = now() - %s".encode(), [by])


A_SECOND, A_MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def check_a_session_ends(
    test_database: TestDatabase, sessions: Sessions, column: str, limit: timedelta
) -> None:
    """Uses a session a minute before its time is over, and a second after it.

    Raises:
        AssertionError: It ended too early, or not at all.
    """
    token, _ = sessions.open(KEYS, HEAD, LOGIN_KEY)
    set_back(test_database, **{column: limit - A_MINUTE})
    sessions.use(token)
    set_back(test_database, **{column: limit + A_SECOND})
    ended = False
    try:
        sessions.use(token)
    except NotSignedIn:
        ended = True
    assert ended, "it goes on"
    assert sessions.those_of(KEYS.school_id) == []


TIME_OUTS = [("last_used_at", IDLE, "idle"), ("opened_at", LONGEST, "longest")]


@pytest.mark.parametrize(("column", "limit", "name"), TIME_OUTS)
def test_a_session_ends_when_its_time_is_over(
    some_sessions: Sessions, test_database: TestDatabase, column: str, limit: timedelta, name: str
) -> None:
    check_a_session_ends(test_database, some_sessions, column, limit)


@pytest.mark.parametrize(("column", "limit", "name"), TIME_OUTS)
def test_a_session_that_goes_on_is_found_out(
    database: Database, test_database: TestDatabase, column: str, limit: timedelta, name: str
) -> None:
    """The sabotaged twin: one of the two time-outs is off."""
    limits = cast("dict[str, Any]", {name: timedelta(days=999)})
    with pytest.raises(AssertionError, match="it goes on"):
        check_a_session_ends(test_database, Sessions(database, **limits), column, limit)


def test_the_usual_time_outs() -> None:
    assert (timedelta(minutes=30), timedelta(hours=12)) == (IDLE, LONGEST)


def test_keys_of_a_session_that_is_over_are_removed(
    some_sessions: Sessions, test_database: TestDatabase
) -> None:
    """When the next session of the school is opened: they are not kept for somebody to find."""
    _, over = some_sessions.open(KEYS, HEAD, LOGIN_KEY)
    set_back(test_database, last_used_at=IDLE + A_SECOND)
    _, fresh = some_sessions.open(KEYS, HEAD, LOGIN_KEY)
    with test_database.connect("postgres") as connection:
        assert connection.execute("SELECT session_id FROM vault.sessions").fetchall() == [(fresh.id,)]
    assert over.id != fresh.id


def test_a_session_that_is_used_lasts_longer(some_sessions: Sessions, test_database: TestDatabase) -> None:
    token, session = some_sessions.open(KEYS, HEAD, LOGIN_KEY)
    set_back(test_database, last_used_at=IDLE - A_MINUTE)
    before = row_of(test_database, session)["last_used_at"]
    some_sessions.use(token)
    touched = row_of(test_database, session)["last_used_at"]
    assert touched - before > timedelta(minutes=28)
    some_sessions.use(token)
    assert row_of(test_database, session)["last_used_at"] == touched  # Not again within the minute.


# The end of a session.


def test_a_session_that_was_ended_opens_nothing(some_sessions: Sessions, test_database: TestDatabase) -> None:
    by_logout, by_id, by_person = (some_sessions.open(KEYS, HEAD, LOGIN_KEY) for _ in range(3))
    kept, someone_elses = (
        some_sessions.open(KEYS, HEAD, LOGIN_KEY),
        some_sessions.open(KEYS, new_id(), LOGIN_KEY),
    )
    assert some_sessions.close(KEYS.school_id, by_logout[1].id)
    assert not some_sessions.close(KEYS.school_id, by_logout[1].id)
    assert some_sessions.close(KEYS.school_id, by_id[1].id) == HEAD
    assert some_sessions.close(KEYS.school_id, by_id[1].id) is None
    assert some_sessions.close_all_of(KEYS.school_id, HEAD, but=kept[1].id) == [by_person[1].id]
    for token, _ in (by_logout, by_id, by_person):
        with pytest.raises(NotSignedIn):
            some_sessions.use(token)
    for token, session in (kept, someone_elses):
        assert some_sessions.use(token) == (session, KEYS)
    assert [each.session_id for each in some_sessions.those_of(KEYS.school_id)] == [
        someone_elses[1].id,
        kept[1].id,
    ]
    with test_database.connect("postgres") as connection:
        assert connection.execute("SELECT count(*) FROM vault.sessions").fetchall() == [(2,)]


@pytest.mark.parametrize(
    "token",
    ["", "tt1_", "tt1_" + "A" * 63, "tt1_" + "A" * 68, "tt2_" + "A" * 64, "A" * 64, "tt1_" + "é" * 64],
)
def test_what_is_not_a_token(some_sessions: Sessions, token: str) -> None:
    with pytest.raises(NotSignedIn):
        some_sessions.use(token)
