"""Where keys are kept: each opens for whom it was wrapped, in the row that it was wrapped for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from domain.errors import (
    AlreadyExists,
    DoesNotOpen,
    KeyNotHeld,
    LoginKeyRefused,
    NotFound,
    NotSignedIn,
)
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.vault import keystore
from domain.vault.key_ring import new_ring
from domain.vault.keyring import Keyring, SchoolKeys, WrappedSubjectKeys
from domain.vault.login_key import LoginKey, issue
from domain.vault.recipients import PrivateKey
from tests.conftest import TestDatabase
from tests.keys import RECOVERY, SERVICE_KEYS, add_school


class KeptSchool:
    """A school that has keys, a child and a login key, and nothing else."""

    def __init__(self, database: Database, urn: str) -> None:
        self.database = database
        self.id, self.child = new_id(), new_id()
        self.keys = add_school(database, self.id, urn, [self.child])
        _, self.login_key = issue(SERVICE_KEYS, self.id, new_id())
        with database.bound_to(self.id) as connection:
            keystore.add_login_key(connection, self.login_key, self.keys)

    def by_login_key(self, login_key: LoginKey | None = None) -> SchoolKeys:
        with self.database.bound_to(self.id) as connection:
            return keystore.with_login_key(connection, login_key or self.login_key)

    def by_service(self) -> SchoolKeys:
        with self.database.bound_to(self.id) as connection:
            return keystore.for_service(connection, self.id, SERVICE_KEYS)

    def by_recovery(self, private: PrivateKey = RECOVERY) -> SchoolKeys:
        with self.database.bound_to(self.id) as connection:
            return keystore.for_recovery(connection, self.id, private)

    def of_child(self) -> list[WrappedSubjectKeys]:
        with self.database.bound_to(self.id) as connection:
            return keystore.of_subjects(connection, self.id, [self.child])


@pytest.fixture
def here(database: Database) -> KeptSchool:
    return KeptSchool(database, "100001")


@pytest.fixture
def there(database: Database) -> KeptSchool:
    """Another school."""
    return KeptSchool(database, "100002")


def test_each_opens_what_it_is_for(here: KeptSchool) -> None:
    assert here.by_login_key() == here.keys
    assert here.by_recovery() == here.keys
    assert here.by_service() == here.keys.without_names()


# What was copied to another row.

Opens = Callable[[KeptSchool], SchoolKeys]

TAMPERINGS: dict[str, tuple[Opens, str]] = {
    "for the service, from another school": (
        KeptSchool.by_service,
        "UPDATE vault.school_keys k SET record_for_service = o.record_for_service FROM vault.school_keys o"
        " WHERE k.school_id = %(here)s AND o.school_id = %(there)s",
    ),
    "for the service, of another generation": (
        KeptSchool.by_service,
        "UPDATE vault.school_keys SET generation = 2 WHERE school_id = %(here)s",
    ),
    "for the service, damaged": (
        KeptSchool.by_service,
        "UPDATE vault.school_keys SET record_for_service ="
        " set_byte(record_for_service, 20, get_byte(record_for_service, 20) # 1) WHERE school_id = %(here)s",
    ),
    "for recovery, from another school": (
        KeptSchool.by_recovery,
        "UPDATE vault.school_keys k SET both_for_recovery = o.both_for_recovery FROM vault.school_keys o"
        " WHERE k.school_id = %(here)s AND o.school_id = %(there)s",
    ),
    "for recovery, of another generation": (
        KeptSchool.by_recovery,
        "UPDATE vault.school_keys SET generation = 2 WHERE school_id = %(here)s",
    ),
    "for recovery, what is for a login key": (
        KeptSchool.by_recovery,
        "UPDATE vault.school_keys k SET both_for_recovery = l.both_keys FROM vault.login_keys l"
        " WHERE k.school_id = %(here)s AND l.school_id = %(here)s",
    ),
    "for a login key, from another school": (
        KeptSchool.by_login_key,
        "UPDATE vault.login_keys k SET both_keys = o.both_keys FROM vault.login_keys o"
        " WHERE k.school_id = %(here)s AND o.school_id = %(there)s",
    ),
    "for a login key, of another generation": (
        KeptSchool.by_login_key,
        "UPDATE vault.login_keys SET generation = 2 WHERE school_id = %(here)s",
    ),
    "for a login key, what is for recovery": (
        KeptSchool.by_login_key,
        "UPDATE vault.login_keys l SET both_keys = k.both_for_recovery FROM vault.school_keys k"
        " WHERE k.school_id = %(here)s AND l.school_id = %(here)s",
    ),
    "for a login key, damaged": (
        KeptSchool.by_login_key,
        "UPDATE vault.login_keys SET both_keys ="
        " set_byte(both_keys, 1180, get_byte(both_keys, 1180) # 1) WHERE school_id = %(here)s",
    ),
}
"""What opens it, and how what it opens is tampered with."""


@pytest.mark.parametrize(("opens", "statement"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_what_was_moved_to_another_row_does_not_open(
    here: KeptSchool, there: KeptSchool, test_database: TestDatabase, opens: Opens, statement: str
) -> None:
    opens(here)
    with test_database.connect("postgres") as connection:
        parameters = {"here": here.id, "there": there.id}
        assert connection.execute(statement.encode(), parameters).rowcount == 1
    with pytest.raises(DoesNotOpen):
        opens(here)


def test_the_checks_of_places_can_fail(
    database: Database, test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: keys that were wrapped for no place open wherever they are put."""
    monkeypatch.setattr(keystore, "place_for_service", lambda *_: b"")
    monkeypatch.setattr(keystore, "place_for_recipient", lambda *_: b"")
    here, there = KeptSchool(database, "100001"), KeptSchool(database, "100002")
    for name in (
        "for the service, from another school",
        "for the service, of another generation",
        "for recovery, of another generation",
        "for recovery, from another school",
        "for a login key, of another generation",
    ):
        opens, statement = TAMPERINGS[name]
        with test_database.connect("postgres") as connection:
            connection.execute(statement.encode(), {"here": here.id, "there": there.id})
        opens(here)


def test_a_childs_keys_do_not_open_in_another_row(here: KeptSchool, test_database: TestDatabase) -> None:
    other = new_id()
    ring = Keyring(here.keys)
    with here.database.bound_to(here.id) as connection:
        keystore.add_subjects(connection, here.id, [ring.make(other)])
    [keys] = here.of_child()
    ring.unwrapped(keys)
    with test_database.connect("postgres") as connection:
        connection.execute(
            "UPDATE vault.subject_keys k SET names = o.names, record = o.record FROM vault.subject_keys o"
            " WHERE k.subject_id = %s AND o.subject_id = %s",
            [here.child, other],
        )
    [moved] = here.of_child()
    with pytest.raises(DoesNotOpen):
        Keyring(here.keys).unwrapped(moved)


# Who is refused.


def test_another_private_key_recovers_nothing(here: KeptSchool) -> None:
    with pytest.raises(DoesNotOpen):
        here.by_recovery(PrivateKey.generate())


def test_other_keys_of_a_service_open_nothing(here: KeptSchool) -> None:
    with here.database.bound_to(here.id) as connection, pytest.raises(KeyNotHeld):
        keystore.for_service(connection, here.id, new_ring())


def test_a_revoked_login_key_opens_nothing_and_another_goes_on(here: KeptSchool) -> None:
    _, spare = issue(SERVICE_KEYS, here.id, new_id())
    with here.database.bound_to(here.id) as connection:
        keystore.add_login_key(connection, spare, here.keys)
        assert keystore.revoke_login_key(connection, here.id, here.login_key.key_id)
        assert not keystore.revoke_login_key(connection, here.id, here.login_key.key_id)
        assert not keystore.revoke_login_key(connection, here.id, new_id())
    with pytest.raises(LoginKeyRefused, match="revoked"):
        here.by_login_key()
    assert here.by_login_key(spare) == here.keys


def test_what_a_revoked_login_key_opened_is_gone(here: KeptSchool, test_database: TestDatabase) -> None:
    """It is not merely marked: there is nothing left in the row that it could open."""
    with here.database.bound_to(here.id) as connection:
        keystore.revoke_login_key(connection, here.id, here.login_key.key_id)
    with test_database.connect("postgres") as connection:
        rows = connection.execute("SELECT both_keys, revoked_at IS NOT NULL FROM vault.login_keys").fetchall()
        assert rows == [(None, True)]


def test_a_login_key_that_the_school_does_not_have(here: KeptSchool, there: KeptSchool) -> None:
    """Ours by its signature, but never stored; and another school's is not looked for."""
    _, never_stored = issue(SERVICE_KEYS, here.id, new_id())
    for login_key in (never_stored, there.login_key):
        with pytest.raises(LoginKeyRefused, match="not one of those"):
            here.by_login_key(login_key)


def test_with_the_right_id_but_another_secret(here: KeptSchool) -> None:
    _, other = issue(SERVICE_KEYS, here.id, here.login_key.key_id)
    with pytest.raises(DoesNotOpen):
        here.by_login_key(other)


def test_a_school_that_there_is_not(database: Database) -> None:
    nowhere = new_id()
    calls: list[Callable[[Any], object]] = [
        lambda connection: keystore.for_service(connection, nowhere, SERVICE_KEYS),
        lambda connection: keystore.for_recovery(connection, nowhere, RECOVERY),
        lambda connection: keystore.lock_school(connection, nowhere),
        lambda connection: keystore.rewrap_for_service(connection, nowhere, SERVICE_KEYS),
    ]
    for call in calls:
        with database.bound_to(nowhere) as connection, pytest.raises(NotFound):
            call(connection)


def test_a_school_that_was_registered_without_recovery(database: Database) -> None:
    keys = SchoolKeys.new(new_id())
    with database.bound_to(keys.school_id) as connection:
        keystore.add_school(connection, keys, SERVICE_KEYS, None)
        with pytest.raises(NotFound, match="nothing to recover"):
            keystore.for_recovery(connection, keys.school_id, RECOVERY)


def test_the_service_cannot_be_given_keys_without_the_record_key(database: Database) -> None:
    school_id = new_id()
    with database.bound_to(school_id) as connection, pytest.raises(KeyNotHeld):
        keystore.add_school(connection, SchoolKeys.none_of(school_id), SERVICE_KEYS, None)


# Replacing and destroying.


def replaced(school: KeptSchool) -> SchoolKeys:
    """New keys of a school, stored in place of its first."""
    keys = SchoolKeys.new(school.id, 2)
    with school.database.bound_to(school.id) as connection:
        assert keystore.lock_school(connection, school.id) == 1
        keystore.replace_school(connection, keys, SERVICE_KEYS, RECOVERY.public_bytes())
        for login_key in keystore.login_keys(connection, school.id):
            keystore.reseal_login_key(connection, login_key, keys)
    return keys


def test_keys_that_were_replaced_open_for_all_who_opened_the_earlier(here: KeptSchool) -> None:
    keys = replaced(here)
    assert here.by_login_key() == here.by_recovery() == keys
    assert here.by_service() == keys.without_names()


def test_a_revoked_login_key_is_given_no_new_keys(here: KeptSchool) -> None:
    with here.database.bound_to(here.id) as connection:
        keystore.revoke_login_key(connection, here.id, here.login_key.key_id)
    replaced(here)
    with pytest.raises(LoginKeyRefused, match="revoked"):
        here.by_login_key()


def test_nobody_is_added_under_keys_that_were_replaced(here: KeptSchool) -> None:
    late = Keyring(here.keys).make(subject := new_id())
    replaced(here)
    with pytest.raises(NotSignedIn), here.database.bound_to(here.id) as connection:
        keystore.add_subjects(connection, here.id, [late])
    with here.database.bound_to(here.id) as connection:
        assert keystore.of_subjects(connection, here.id, [subject]) == []


def test_subjects_are_wrapped_anew_in_their_rows(here: KeptSchool) -> None:
    [before] = here.of_child()
    keys = Keyring(here.keys).unwrapped(before)
    new = Keyring(replaced(here))
    with here.database.bound_to(here.id) as connection:
        everybody = keystore.of_every_subject(connection, here.id)
        assert {each.subject for each in everybody} == {here.id, here.child}
        keystore.rewrap_subjects(connection, here.id, [new.wrapped(here.child, 1, *keys)])
    [after] = here.of_child()
    assert (after.school_generation, before.school_generation) == (2, 1)
    assert new.unwrapped(after) == keys


def test_every_pair_of_an_erased_subject_is_destroyed(here: KeptSchool) -> None:
    with here.database.bound_to(here.id) as connection:
        keystore.add_subjects(connection, here.id, [Keyring(here.keys).make(here.child, 2)])
    assert len(here.of_child()) == 2
    with here.database.bound_to(here.id) as connection:
        assert keystore.destroy_subject(connection, here.id, here.child) == 2
        assert keystore.destroy_subject(connection, here.id, here.child) == 0
    assert here.of_child() == []
    with here.database.bound_to(here.id) as connection:
        assert [each.subject for each in keystore.of_every_subject(connection, here.id)] == [here.id]


def test_what_a_worker_reads_has_no_names_key(here: KeptSchool, worker_database: Database) -> None:
    with worker_database.bound_to(here.id) as connection:
        [keys] = keystore.record_keys_of_subjects(connection, here.id, [here.child])
    [stored] = here.of_child()
    assert keys.names is None
    assert keys.record == stored.record


# Usernames.


def test_a_username_is_of_one_account(here: KeptSchool, there: KeptSchool) -> None:
    digest, head, teacher = b"\x01" * 32, new_id(), new_id()

    def found(school: KeptSchool) -> UUID | None:
        with school.database.bound_to(school.id) as connection:
            return keystore.with_username(connection, school.id, digest)

    with here.database.bound_to(here.id) as connection:
        keystore.add_username(connection, here.id, digest, head)
    with pytest.raises(AlreadyExists), here.database.bound_to(here.id) as connection:
        keystore.add_username(connection, here.id, digest, teacher)
    assert (found(here), found(there)) == (head, None)
    with there.database.bound_to(there.id) as connection:
        keystore.add_username(connection, there.id, digest, teacher)
    with here.database.bound_to(here.id) as connection:
        keystore.forget_usernames(connection, here.id)
    assert (found(here), found(there)) == (None, teacher)
