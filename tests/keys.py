"""Keys for tests: a service's, a recovery pair's, and of schools that there are only in tests."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from domain.application.school_application import SchoolApplication, Schools
from domain.ledger.database import Database
from domain.ledger.mapper import EventMapper
from domain.ledger.stream import register_school
from domain.vault import keystore
from domain.vault.key_ring import new_ring
from domain.vault.keyring import Keyring, SchoolKeys
from domain.vault.login_key import read
from domain.vault.recipients import PrivateKey

SERVICE_KEYS = new_ring()
"""The service's own keys."""

RECOVERY = PrivateKey.generate()
"""The recovery key, whose private half nobody would have at hand."""


def schools_of(conninfo: str) -> Schools:
    """The write side of a service that has these keys."""
    return Schools(conninfo, SERVICE_KEYS, recovery=RECOVERY.public_bytes())


def opened(schools: Schools, login_key: str) -> SchoolApplication:
    """A school as one of its login keys opens it."""
    key = read(login_key, schools.service_keys)
    with schools.database.bound_to(key.school_id) as connection:
        return schools.opened(keystore.with_login_key(connection, key))


def add_school(database: Database, school_id: UUID, urn: str, subjects: Iterable[UUID] = ()) -> SchoolKeys:
    """Registers a school with keys, and with those of some subjects, but with an empty stream."""
    keys = SchoolKeys.new(school_id)
    keyring = Keyring(keys)
    made = [keyring.make(subject) for subject in (school_id, *subjects)]
    with database.bound_to(school_id) as connection:
        register_school(connection, school_id, urn)
        keystore.add_school(connection, keys, SERVICE_KEYS, RECOVERY.public_bytes())
        keystore.add_subjects(connection, school_id, made)
    return keys


def keyring_of(keys: SchoolKeys, *subjects: UUID) -> Keyring:
    """A keyring with new keys for some subjects, which no database knows."""
    keyring = Keyring(keys)
    for subject in {keys.school_id, *subjects}:
        keyring.make(subject)
    return keyring


class _KeysForAnybody(Keyring):
    """Makes keys for whoever is asked about, so that any event can be sealed and opened again."""

    def need(self, subjects: Iterable[UUID]) -> None:
        for subject in subjects:
            if subject not in self._subjects:
                self.make(subject)


def mapper_for_anybody(school_id: UUID) -> EventMapper:
    """A mapper that has keys for every subject, made when it first meets them."""
    return EventMapper(_KeysForAnybody(SchoolKeys.new(school_id)))
