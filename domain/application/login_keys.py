"""A school's login keys: issuing one more, taking one back, and replacing everything after a leak."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from domain.application.school_application import SchoolApplication, Schools
from domain.application.staff_sessions import closed
from domain.errors import Conflict, KeyNotHeld, NotFound, NotSignedIn
from domain.events import Actor, Event
from domain.identifiers import log_id_of, new_id
from domain.keys import KeyIssued, KeyOrigin, KeyRevoked, KeyUsed
from domain.ledger.database import Connection
from domain.login import SessionEnd
from domain.particulars import checked_reason
from domain.vault import keystore
from domain.vault.keyring import Keyring, SchoolKeys
from domain.vault.login_key import issue
from domain.vault.recipients import PrivateKey
from domain.vault.sessions import SQL as SESSIONS


class IssuedKey(msgspec.Struct, frozen=True):
    """A login key, told this once.

    Attributes:
        key_id: Its id.
        login_key: Its 550 characters.
        position: The position that its event is at.
    """

    key_id: UUID
    login_key: str
    position: int


class LoginKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A login key, as administrators see it.

    Attributes:
        key_id: Its id.
        label: What the school calls it.
        origin: How it came to be.
        issued_at: When it was issued.
        revoked_at: When it was revoked, if it was.
        leaked: Whether it was revoked for having leaked.
        sessions: How many sessions it has open.
    """

    key_id: UUID
    label: str | None
    origin: KeyOrigin
    issued_at: datetime
    revoked_at: datetime | None
    leaked: bool
    sessions: int


@dataclass(frozen=True)
class Revoked:
    """What a revocation did.

    Attributes:
        position: The position of its last event.
        sessions: How many sessions it ended.
        subjects: How many people's keys were replaced, after a leak.
        live: How many login keys the school has left.
    """

    position: int
    sessions: int
    subjects: int
    live: int


def keys_log_of(school_id: UUID) -> UUID:
    """The originator id of a school's log of login keys."""
    return log_id_of(school_id, "keys")


def issued(
    school: SchoolApplication, schools: Schools, origin: KeyOrigin, actor: Actor, label: str | None = None
) -> IssuedKey:
    """Issues one more login key; the ones that there are stay good.

    Raises:
        KeyNotHeld: Both of the school's keys are needed.
        InvalidInput: The label cannot be kept.
    """
    label = checked_reason("label", label)
    text, login_key = issue(schools.service_keys, school.school_id, new_id())
    happened = KeyIssued(
        originator_id=keys_log_of(school.school_id),
        originator_version=0,
        actor=actor,
        school_id=school.school_id,
        key_id=login_key.key_id,
        origin=origin,
        label=label,
    )
    with school.database.bound_to(school.school_id) as connection:
        if keystore.lock_school(connection, school.school_id) != school.keys.school.generation:
            raise NotSignedIn("The school's keys have been replaced: log in again")
        keystore.add_login_key(connection, login_key, school.keys.school)
        [position] = school.add_to_logs([happened], connection)
    return IssuedKey(login_key.key_id, text, position)


def recovered(schools: Schools, school_id: UUID, private: PrivateKey, actor: Actor) -> IssuedKey:
    """Issues a login key with the recovery key, for a school that has lost its own.

    Raises:
        NotFound: There is no such school, or nothing to recover its keys from.
        DoesNotOpen: It is another recovery key.
    """
    with schools.database.bound_to(school_id) as connection:
        keys = keystore.for_recovery(connection, school_id, private)
    return issued(schools.opened(keys), schools, KeyOrigin.RECOVERY, actor)


def record_use(school: SchoolApplication, key_id: UUID, actor: Actor) -> None:
    """Records that a login key was used without a login: by the operator, on the school's behalf."""
    school.add_to_log(
        KeyUsed(originator_id=keys_log_of(school.school_id), originator_version=0, actor=actor, key_id=key_id)
    )


def revoke(school: SchoolApplication, key_id: UUID, actor: Actor) -> Revoked:
    """Takes a login key back: it opens nothing any more, and every session that it opened ends at once.

    One that has been revoked stays so, and nothing happens.

    Raises:
        NotFound: The school has no such key.
    """
    school_id = school.school_id
    with school.database.bound_to(school_id) as connection:
        keystore.lock_school(connection, school_id)
        school.stream.lock(connection)  # before the sessions, as everybody does who ends them
        live = _live_but(connection, school_id, key_id)
        if not keystore.revoke_login_key(connection, school_id, key_id):
            return Revoked(school.stream.head().position, 0, 0, len(live))
        ended = connection.execute(SESSIONS["close_all_of_key"], [school_id, key_id]).fetchall()
        happened = [_revoked(school_id, key_id, actor, leaked=False), *_ended(ended, actor)]
        positions = school.add_to_logs(happened, connection)
    return Revoked(positions[-1], len(ended), 0, len(live))


def replace(school: SchoolApplication, schools: Schools, key_id: UUID, actor: Actor) -> Revoked:
    """Takes back a login key that has leaked, and replaces every key of the school.

    The school gets new keys, and everybody whom it knows a new pair for what is written from now on. The
    earlier ones are wrapped anew, since what was written before still has to be read. Whoever has the leaked
    key and an old copy of the database can read that copy, and nothing that is written after this. Every
    session ends.

    Raises:
        NotFound: The school has no such key.
        Conflict: It is the only one that is live: nobody could log in any more.
        KeyNotHeld: Both of the school's keys are needed.
    """
    school_id = school.school_id
    old = school.keys
    if old.school.names is None or old.school.record is None:
        raise KeyNotHeld("Both of the school's keys are needed to replace them")
    members, _ = school.staff()
    with school.database.bound_to(school_id) as connection:
        if keystore.lock_school(connection, school_id) != old.school.generation:
            raise NotSignedIn("The school's keys have been replaced: log in again")
        live = _live_but(connection, school_id, key_id)
        if not live:
            raise Conflict("This is the school's only login key: issue another one first, and log in with it")
        # Before the sessions, as everybody does who ends them. It waits for what is under way; whoever is new
        # has been stored with it.
        school.stream.lock(connection)
        ended = connection.execute(SESSIONS["close_every_one"], [school_id]).fetchall()
        happened = [_revoked(school_id, key_id, actor, leaked=True), *_ended(ended, actor)]
        positions = school.add_to_logs(happened, connection)
        keystore.revoke_login_key(connection, school_id, key_id)
        new_keys = SchoolKeys.new(school_id, old.school.generation + 1)
        keystore.replace_school(connection, new_keys, schools.service_keys, schools.recovery)
        for login_key in live:
            keystore.reseal_login_key(connection, login_key, new_keys)
        new = Keyring(new_keys)
        subjects = _replace_subjects(connection, old, new)
        keystore.forget_usernames(connection, school_id)
        renewed = schools.school(school_id).opened_with(new_keys)
        renewed.keys = new
        for member in members:
            digest = renewed.digest_of_username(member.names.username)
            keystore.add_username(connection, school_id, digest, member.id)
    return Revoked(positions[-1], len(ended), subjects, len(live))


def _replace_subjects(connection: Connection, old: Keyring, new: Keyring) -> int:
    """Wraps everybody's keys under the school's new ones, and gives everybody a new pair."""
    school_id = old.school_id
    stored = keystore.of_every_subject(connection, school_id)
    rewrapped = [new.wrapped(keys.subject, keys.generation, *old.unwrapped(keys)) for keys in stored]
    keystore.rewrap_subjects(connection, school_id, rewrapped)
    new.give({keys.subject for keys in rewrapped}, rewrapped)
    newest: dict[UUID, int] = {}
    for keys in stored:
        newest[keys.subject] = max(newest.get(keys.subject, 0), keys.generation)
    made = [new.make(subject, generation + 1) for subject, generation in newest.items()]
    keystore.add_subjects(connection, school_id, made)
    return len(made)


def _live_but(connection: Connection, school_id: UUID, key_id: UUID) -> list[keystore.StoredLoginKey]:
    """The login keys that stay when one is taken back."""
    stored = keystore.login_keys(connection, school_id)
    if all(each.key_id != key_id for each in stored):
        raise NotFound("This school has no login key with that id")
    return [each for each in stored if each.revoked_at is None and each.key_id != key_id]


def _ended(sessions: Iterable[tuple[UUID, UUID]], actor: Actor) -> list[Event]:
    return [closed(session, staff_id, SessionEnd.KEY_REVOKED, actor) for session, staff_id in sessions]


def _revoked(school_id: UUID, key_id: UUID, actor: Actor, *, leaked: bool) -> Event:
    return KeyRevoked(
        originator_id=keys_log_of(school_id),
        originator_version=0,
        actor=actor,
        key_id=key_id,
        leaked=leaked,
    )


def views(school: SchoolApplication, sessions: Iterable[UUID]) -> list[LoginKeyView]:
    """The school's login keys, in the order in which they were issued.

    Args:
        school: The school.
        sessions: The login key of each open session.
    """
    with school.database.bound_to(school.school_id) as connection:
        stored = keystore.login_keys(connection, school.school_id)
    happened = list(school.read(school.stream.events_of(keys_log_of(school.school_id))))
    said = {event.key_id: event for event in happened if isinstance(event, KeyIssued)}
    leaked = {event.key_id for event in happened if isinstance(event, KeyRevoked) and event.leaked}
    open_sessions = list(sessions)
    return [
        LoginKeyView(
            key_id=each.key_id,
            label=said[each.key_id].label,
            origin=said[each.key_id].origin,
            issued_at=each.issued_at,
            revoked_at=each.revoked_at,
            leaked=each.key_id in leaked,
            sessions=open_sessions.count(each.key_id),
        )
        for each in stored
    ]
