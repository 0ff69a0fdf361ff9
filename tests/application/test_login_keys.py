"""Login keys: who has one opens the school until it is taken back, and what a leaked one opens after that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
import pytest
from eventsourcing.persistence import MapperDeserialisationError

from domain.application import login_keys, logins, pupils, staff_sessions
from domain.application.assessing import Entry, assessments, record
from domain.application.school_application import SchoolApplication, Schools, assessments_of
from domain.errors import (
    Conflict,
    DoesNotOpen,
    KeyNotHeld,
    LoginKeyRefused,
    LoginRefused,
    NotFound,
    NotSignedIn,
)
from domain.events import OPERATOR, is_sealed
from domain.identifiers import new_id
from domain.keys import KeyOrigin
from domain.particulars import PupilParticulars
from domain.vault import keystore
from domain.vault.keyring import Keyring, SchoolKeys, keys_of_rows
from domain.vault.login_key import read
from domain.vault.recipients import PrivateKey
from domain.vault.sessions import Sessions
from tests.application.conftest import PASSWORD, RegisteredSchool, registered_school
from tests.application.examples import admitted, child, point_before, topics
from tests.conftest import TestDatabase
from tests.keys import RECOVERY, SERVICE_KEYS, opened, schools_of

THEN = point_before(1)


def key_id_of(login_key: str) -> UUID:
    return read(login_key, SERVICE_KEYS).key_id


def second_key(registered: RegisteredSchool, schools: Schools) -> str:
    return login_keys.issued(
        registered.application, schools, KeyOrigin.ADMINISTRATOR, registered.administrator, "Back office"
    ).login_key


def names_in(school: SchoolApplication) -> set[str]:
    return {pupil.names.surname for pupil in school.roll().values()}


def test_two_offices_have_a_key_each_and_the_audit_says_which_was_used(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions
) -> None:
    second = second_key(registered, schools)
    admitted(registered.application, registered.teacher, child(1))
    for key in (registered.login_key, second):
        assert names_in(opened(schools, key)) == {"Surname001"}
        session = logins.log_in(schools, sessions, key, "head", PASSWORD).session
        assert session.key_id == key_id_of(key)
    views = login_keys.views(registered.application, [key_id_of(second)] * 2)
    assert [(view.label, view.origin, view.sessions) for view in views] == [
        (None, KeyOrigin.REGISTRATION, 0),
        ("Back office", KeyOrigin.ADMINISTRATOR, 2),
    ]


def test_nothing_opens_without_a_login_key(registered: RegisteredSchool, schools: Schools) -> None:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    sealed = schools.school(registered.application.school_id)
    pupil = sealed.pupil(pupil_id)
    assert is_sealed(pupil.names)
    assert is_sealed(pupil.record)
    with pytest.raises(KeyNotHeld):
        _ = pupil.names.surname
    with pytest.raises(KeyNotHeld):
        pupils.admit(sealed, *child(2), OPERATOR)
    # The service itself opens everything but who somebody is.
    by_itself = schools.opened_by_service(sealed.school_id).pupil(pupil_id)
    assert by_itself.record == child(1)[1]
    assert is_sealed(by_itself.names)


def test_a_revoked_key_opens_nothing_and_its_sessions_end_at_once(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions
) -> None:
    second = second_key(registered, schools)
    mine = logins.log_in(schools, sessions, second, "head", PASSWORD)
    other = logins.log_in(schools, sessions, registered.login_key, "teacher", "of my own")
    done = login_keys.revoke(registered.application, key_id_of(second), registered.administrator)
    assert (done.sessions, done.subjects, done.live) == (1, 0, 1)
    with pytest.raises(NotSignedIn):
        staff_sessions.signed_in(schools, sessions, mine.token)
    assert staff_sessions.signed_in(schools, sessions, other.token)
    with pytest.raises(LoginKeyRefused, match="revoked"):
        logins.log_in(schools, sessions, second, "head", PASSWORD)
    assert topics(registered.application)[-3:] == ["key.revoked.1", "session.closed.1", "login.failed.1"]
    before = topics(registered.application)
    again = login_keys.revoke(registered.application, key_id_of(second), registered.administrator)
    assert (again.sessions, again.live) == (0, 1)
    assert topics(registered.application) == before
    with pytest.raises(NotFound):
        login_keys.revoke(registered.application, new_id(), registered.administrator)


def test_the_last_key_may_be_revoked_and_recovery_issues_another(
    registered: RegisteredSchool, schools: Schools
) -> None:
    school_id = registered.application.school_id
    admitted(registered.application, registered.teacher, child(1))
    done = login_keys.revoke(
        registered.application, key_id_of(registered.login_key), registered.administrator
    )
    assert done.live == 0
    with pytest.raises(LoginKeyRefused):
        opened(schools, registered.login_key)
    with pytest.raises(DoesNotOpen):
        login_keys.recovered(schools, school_id, PrivateKey.generate(), OPERATOR)
    with pytest.raises(NotFound):
        login_keys.recovered(schools, new_id(), RECOVERY, OPERATOR)
    recovered = login_keys.recovered(schools, school_id, RECOVERY, OPERATOR)
    assert names_in(opened(schools, recovered.login_key)) == {"Surname001"}


@pytest.fixture
def own(test_database: TestDatabase) -> Iterator[Schools]:
    """Schools in a database of the test's own, which can be copied."""
    schools = schools_of(test_database.conninfo())
    yield schools
    schools.database.close()


def copied(database: TestDatabase, name: str) -> list[tuple[Any, ...]]:
    """The rows of a table, as somebody who steals the database has them."""
    with database.connect("postgres") as superuser:
        return superuser.execute(f"SELECT * FROM {name}".encode(), binary=True).fetchall()


class Thief:
    """Has a leaked login key, an old copy of the wrapped keys, and everything that is in the database now."""

    def __init__(self, login_key: str, database: TestDatabase) -> None:
        self._key = read(login_key, SERVICE_KEYS)
        self._wraps = copied(database, "vault.login_keys")
        self._subjects = copied(database, "vault.subject_keys")
        self.database = database

    def schools(self) -> list[SchoolKeys]:
        """The school's keys, wherever the leaked key opens them: in the old copy, and in today's database."""
        found = []
        for school_id, key_id, _, generation, sealed, *_ in [
            *self._wraps,
            *copied(self.database, "vault.login_keys"),
        ]:
            if sealed is not None and key_id == self._key.key_id:
                place = keystore.place_for_recipient(str(key_id), school_id, generation)
                opened_keys = self._key.private_key().open(sealed, place)
                found.append(SchoolKeys.from_both(school_id, generation, opened_keys))
        return found

    def reads(self, pupil_id: UUID) -> list[str]:
        """Every event of a pupil and the assessments, as far as any of these keys open it."""
        rows = self._subjects + copied(self.database, "vault.subject_keys")
        told = []
        for keys in self.schools():
            keyring = Keyring(keys)
            mine = [row[1:] for row in rows if row[3] == keys.generation]
            keyring.give({row[0] for row in mine}, keys_of_rows(mine))
            reader = schools_of(self.database.conninfo()).school(keys.school_id).opened_with(keys)
            reader.keys = keyring
            stored = reader.stream.events_of_many([pupil_id, assessments_of(pupil_id)])
            for event in stored:
                with suppress(MapperDeserialisationError):
                    told.append(str(msgspec.structs.asdict(reader.event_mapper.to_domain_event(event))))
        return told


def leaked_school(own: Schools) -> tuple[RegisteredSchool, UUID]:
    registered = registered_school(own)
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    record(registered.application, THEN, [Entry(pupil_id, "REA", "3w")], registered.teacher)
    return registered, pupil_id


def write_more(school: SchoolApplication, registered: RegisteredSchool, pupil_id: UUID) -> list[str]:
    """What is written after the leak, and what must not be read of it."""
    pupils.change(
        school, pupil_id, PupilParticulars(surname="Afterwards", ethnicity="WBRI"), 1, registered.teacher
    )
    record(school, THEN, [Entry(pupil_id, "REA", "6s+")], registered.teacher)
    return ["Afterwards", "WBRI", "6s+"]


def test_after_a_leak_the_old_key_and_an_old_copy_open_nothing_that_is_written_since(
    own: Schools, test_database: TestDatabase
) -> None:
    registered, pupil_id = leaked_school(own)
    sessions = Sessions(own.database)
    second = second_key(registered, own)
    thief = Thief(registered.login_key, test_database)
    assert "Surname001" in str(thief.reads(pupil_id)), "what was stolen is stolen"
    token = logins.log_in(own, sessions, second, "head", PASSWORD).token

    done = login_keys.replace(
        registered.application, own, key_id_of(registered.login_key), registered.administrator
    )
    assert (done.sessions, done.subjects, done.live) == (1, 4, 1)
    with pytest.raises(NotSignedIn):
        staff_sessions.signed_in(own, sessions, token)
    with pytest.raises(LoginKeyRefused):
        opened(own, registered.login_key)

    school = logins.log_in(own, sessions, second, "HEAD ", PASSWORD).school
    assert school.keys.school.generation == 2
    assert school.pupil(pupil_id).names.surname == "Surname001"
    assert [each.result.value for each in assessments(school, pupil_id).values()] == ["3w"]
    secrets = write_more(school, registered, pupil_id)
    assert school.pupil(pupil_id).names.surname == "Afterwards"
    assert own.opened_by_service(school.school_id).pupil(pupil_id).record.ethnicity == "WBRI"
    told = str(thief.reads(pupil_id))
    assert "Surname001" in told
    assert not [secret for secret in secrets if secret in told]


def test_a_mere_revocation_would_not_have_been_enough(own: Schools, test_database: TestDatabase) -> None:
    """The twin: where the keys are not replaced, the thief reads on."""
    registered, pupil_id = leaked_school(own)
    second = second_key(registered, own)
    thief = Thief(registered.login_key, test_database)
    login_keys.revoke(registered.application, key_id_of(registered.login_key), registered.administrator)
    secrets = write_more(opened(own, second), registered, pupil_id)
    assert all(secret in str(thief.reads(pupil_id)) for secret in secrets)


def test_after_a_leak_everything_goes_on_with_new_keys(own: Schools, test_database: TestDatabase) -> None:
    registered, pupil_id = leaked_school(own)
    sessions = Sessions(own.database)
    second = second_key(registered, own)
    login_keys.replace(registered.application, own, key_id_of(registered.login_key), registered.administrator)
    school = opened(own, second)
    # Whoever still works with the old keys is told to log in again, and nothing is half written.
    before = topics(school)
    stale = own.opened(registered.application.keys.school)
    for attempt in (
        lambda: stale.pupil(pupil_id),
        lambda: pupils.admit(stale, *child(2), registered.teacher),
        lambda: login_keys.issued(stale, own, KeyOrigin.ADMINISTRATOR, registered.administrator),
        lambda: login_keys.replace(stale, own, key_id_of(second), registered.administrator),
    ):
        with pytest.raises(NotSignedIn):
            attempt()
    assert topics(school) == before
    with pytest.raises(LoginRefused):
        logins.log_in(own, sessions, second, "nobody", PASSWORD)
    admitted(school, registered.teacher, child(2))
    names = {"Surname001", "Surname002"}
    assert names_in(opened(own, second)) == names
    recovered = login_keys.recovered(own, school.school_id, RECOVERY, OPERATOR)
    assert names_in(opened(own, recovered.login_key)) == names
    # A key that was merely revoked at first may turn out to have leaked.
    login_keys.revoke(school, key_id_of(second), registered.administrator)
    done = login_keys.replace(
        opened(own, recovered.login_key), own, key_id_of(second), registered.administrator
    )
    assert done.subjects == 5
    assert names_in(opened(own, recovered.login_key)) == names


def test_the_only_key_cannot_be_replaced_since_nobody_could_log_in(
    registered: RegisteredSchool, schools: Schools
) -> None:
    before = topics(registered.application)
    with pytest.raises(Conflict, match="only login key"):
        login_keys.replace(
            registered.application, schools, key_id_of(registered.login_key), registered.administrator
        )
    assert topics(registered.application) == before
    assert opened(schools, registered.login_key).school().official_email == "office@made-up.example"


def test_a_login_key_of_another_school_opens_nothing_here(
    registered: RegisteredSchool, schools: Schools, module_database: TestDatabase
) -> None:
    """Even where somebody moves the other school's sealed keys into this school's row."""
    other = registered_school(schools)
    mine, theirs = read(registered.login_key, SERVICE_KEYS), read(other.login_key, SERVICE_KEYS)
    with module_database.connect("postgres") as superuser:
        superuser.execute(
            "UPDATE vault.login_keys SET both_keys = "
            "(SELECT both_keys FROM vault.login_keys WHERE key_id = %s) WHERE key_id = %s",
            [theirs.key_id, mine.key_id],
        )
    with pytest.raises(DoesNotOpen):
        opened(schools, registered.login_key)
