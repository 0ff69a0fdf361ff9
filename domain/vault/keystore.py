"""Where keys are kept: tables of wrapped keys, each statement in a transaction bound to the school."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from psycopg.errors import UniqueViolation

from domain.errors import AlreadyExists, KeyNotHeld, LoginKeyRefused, NotFound, NotSignedIn
from domain.ledger.columns import Uuids
from domain.ledger.database import Connection
from domain.ledger.sql import load
from domain.vault.keyring import SchoolKeys, WrappedSubjectKeys, keys_of_rows
from domain.vault.login_key import LoginKey
from domain.vault.recipients import PrivateKey, seal
from domain.vault.service_keys import ServiceKeys

SQL = load("domain.vault", "keys.sql")


def of_subjects(
    connection: Connection, school_id: UUID, subjects: Iterable[UUID]
) -> list[WrappedSubjectKeys]:
    """The keys of some subjects; those who were erased have none."""
    rows = connection.execute(SQL["of_subjects"], [school_id, list(subjects)], binary=True)
    return list(keys_of_rows(rows))


def record_keys_of_subjects(
    connection: Connection, school_id: UUID, subjects: Iterable[UUID]
) -> list[WrappedSubjectKeys]:
    """The `record` keys of some subjects, which is all that a worker may read."""
    wanted = [school_id, Uuids(list(subjects))]
    return list(
        keys_of_rows(connection.execute(SQL["record_keys_of_subjects"], wanted, binary=True).fetchall())
    )


def of_every_subject(connection: Connection, school_id: UUID) -> list[WrappedSubjectKeys]:
    """The keys of everybody whom the school knows."""
    return list(keys_of_rows(connection.execute(SQL["of_every_subject"], [school_id], binary=True)))


def add_subjects(connection: Connection, school_id: UUID, keys: Sequence[WrappedSubjectKeys]) -> None:
    """Stores the keys of new subjects, or newer keys of those whom there are.

    Raises:
        NotSignedIn: The school's keys have been replaced since those were wrapped.
    """
    if not keys:
        return
    if connection.execute(SQL["add_subjects"], [*_columns(keys), school_id]).rowcount != len(keys):
        raise NotSignedIn("The school's keys have been replaced: log in again")


def rewrap_subjects(connection: Connection, school_id: UUID, keys: Sequence[WrappedSubjectKeys]) -> None:
    """Stores keys that are there already, wrapped anew."""
    connection.execute(SQL["rewrap_subjects"], [*_columns(keys), school_id])


def _columns(keys: Sequence[WrappedSubjectKeys]) -> list[list[object]]:
    return [
        [each.subject for each in keys],
        [each.generation for each in keys],
        [each.school_generation for each in keys],
        [each.names for each in keys],
        [each.record for each in keys],
    ]


def destroy_subject(connection: Connection, school_id: UUID, subject: UUID) -> int:
    """Destroys every key of a subject, and returns how many pairs there were."""
    return connection.execute(SQL["destroy_subject"], [school_id, subject]).rowcount


def place_for_service(school_id: UUID, generation: int) -> bytes:
    """The associated data of a school's record key as it is wrapped for the service."""
    return b"record key" + school_id.bytes + generation.to_bytes(4)


def place_for_recipient(purpose: str, school_id: UUID, generation: int) -> bytes:
    """The context of a school's keys as they are sealed to a public key."""
    return b"target-tracker school keys " + purpose.encode() + school_id.bytes + generation.to_bytes(4)


RECOVERY = "recovery"


def _for_service(keys: SchoolKeys, service_keys: ServiceKeys) -> tuple[str, bytes]:
    if keys.record is None:
        raise KeyNotHeld("The school's record key is not at hand")
    held = service_keys.held()
    return held.current, held.wrap(keys.record, place_for_service(keys.school_id, keys.generation))


def _for_recovery(keys: SchoolKeys, recovery: bytes | None) -> bytes | None:
    if recovery is None:
        return None
    return seal(recovery, keys.both(), place_for_recipient(RECOVERY, keys.school_id, keys.generation))


def add_school(
    connection: Connection, keys: SchoolKeys, service_keys: ServiceKeys, recovery: bytes | None
) -> None:
    """Stores the first keys of a school, for the service and for recovery."""
    service_key, wrapped = _for_service(keys, service_keys)
    connection.execute(
        SQL["add_school"],
        [keys.school_id, keys.generation, service_key, wrapped, _for_recovery(keys, recovery)],
    )


def replace_school(
    connection: Connection, keys: SchoolKeys, service_keys: ServiceKeys, recovery: bytes | None
) -> None:
    """Stores new keys of a school in place of the earlier ones."""
    service_key, wrapped = _for_service(keys, service_keys)
    connection.execute(
        SQL["replace_school"],
        [keys.generation, service_key, wrapped, _for_recovery(keys, recovery), keys.school_id],
    )


def lock_school(connection: Connection, school_id: UUID) -> int:
    """Keeps the school's keys from being replaced by somebody else, and says which generation they are."""
    row = connection.execute(SQL["lock_school"], [school_id]).fetchone()
    if row is None:
        raise NotFound("There is no such school")
    generation: int = row[0]
    return generation


def for_service(connection: Connection, school_id: UUID, service_keys: ServiceKeys) -> SchoolKeys:
    """The school's record key, as the service opens it by itself.

    Raises:
        NotFound: There is no such school.
        DoesNotOpen: The service's key does not open it.
    """
    row = connection.execute(SQL["for_service"], [school_id], binary=True).fetchone()
    if row is None:
        raise NotFound("There is no such school")
    generation, service_key, wrapped = row
    record = service_keys.unwrap(service_key, wrapped, place_for_service(school_id, generation))
    return SchoolKeys(school_id, generation, None, record)


def service_keys_in_use(connection: Connection) -> dict[str, int]:
    """Under which of the service's keys schools' record keys are wrapped, and how many of them.

    Args:
        connection: Of the worker's role, bound to no school.
    """
    return dict(connection.execute(SQL["service_keys_in_use"]).fetchall())


def wrapped_under_others(connection: Connection, service_key: str, after: UUID, limit: int) -> list[UUID]:
    """Schools whose record key is not wrapped under this key of the service, in the order of their ids.

    Args:
        connection: Of the worker's role, bound to no school.
        service_key: The id of the service's key.
        after: Only those after this school.
        limit: The most to return.
    """
    return [row[0] for row in connection.execute(SQL["wrapped_under_others"], [service_key, after, limit])]


def rewrap_for_service(connection: Connection, school_id: UUID, service_keys: ServiceKeys) -> bool:
    """Wraps a school's record key under the service's current key; false if there was nothing to do.

    Raises:
        NotFound: There is no such school.
        DoesNotOpen: The service's keys do not open it.
    """
    row = connection.execute(SQL["for_service"], [school_id], binary=True).fetchone()
    held = service_keys.held()
    if row is None:
        raise NotFound("There is no such school")
    generation, service_key, wrapped = row
    if service_key == held.current:
        return False
    place = place_for_service(school_id, generation)
    renewed = held.wrap(held.unwrap(service_key, wrapped, place), place)
    done = connection.execute(
        SQL["rewrap_for_service"], [held.current, renewed, school_id, service_key, generation]
    )
    return bool(done.rowcount)


def for_recovery(connection: Connection, school_id: UUID, private: PrivateKey) -> SchoolKeys:
    """Both keys of a school, as the recovery key opens them.

    Raises:
        NotFound: There is no such school, or it was registered without a recovery key.
        DoesNotOpen: It is another recovery key's.
    """
    row = connection.execute(SQL["for_recovery"], [school_id], binary=True).fetchone()
    if row is None or row[1] is None:
        raise NotFound("There is nothing to recover this school's keys from")
    generation, sealed = row
    place = place_for_recipient(RECOVERY, school_id, generation)
    return SchoolKeys.from_both(school_id, generation, private.open(sealed, place))


def _sealed_to(public_key: bytes, key_id: UUID, keys: SchoolKeys) -> bytes:
    return seal(public_key, keys.both(), place_for_recipient(str(key_id), keys.school_id, keys.generation))


def add_login_key(connection: Connection, login_key: LoginKey, keys: SchoolKeys) -> None:
    """Lets a login key open the school's keys."""
    public_key = login_key.private_key().public_bytes()
    connection.execute(
        SQL["add_login_key"],
        [
            keys.school_id,
            login_key.key_id,
            public_key,
            keys.generation,
            _sealed_to(public_key, login_key.key_id, keys),
        ],
    )


def with_login_key(connection: Connection, login_key: LoginKey) -> SchoolKeys:
    """The school's keys, as a login key opens them.

    Raises:
        LoginKeyRefused: It has been revoked, or was never issued for this service's data.
        DoesNotOpen: What it should open was tampered with.
    """
    school_id, key_id = login_key.school_id, login_key.key_id
    row = connection.execute(SQL["login_key"], [school_id, key_id], binary=True).fetchone()
    if row is None:
        raise LoginKeyRefused("This login key is not one of those that the school has")
    generation, sealed = row
    if sealed is None:
        raise LoginKeyRefused(
            "This login key has been revoked: use the one that was issued in its place", revoked=True
        )
    place = place_for_recipient(str(key_id), school_id, generation)
    return SchoolKeys.from_both(school_id, generation, login_key.private_key().open(sealed, place))


def hold_login_key(connection: Connection, login_key: LoginKey, keys: SchoolKeys) -> None:
    """Keeps a login key from being revoked, and the keys that it opened from being replaced, for now.

    Until the transaction ends, that is. Others may hold them at the same time.

    Raises:
        LoginKeyRefused: That has been done, since it opened them.
    """
    connection.execute(SQL["share_school"], [keys.school_id])
    if with_login_key(connection, login_key).generation != keys.generation:
        raise LoginKeyRefused("The school's keys have been replaced meanwhile: log in again")


@dataclass(frozen=True)
class StoredLoginKey:
    """A login key, as far as it is kept.

    Attributes:
        key_id: Its id.
        public_key: What is sealed to it.
        issued_at: When it was issued.
        revoked_at: When it was revoked, if it was.
    """

    key_id: UUID
    public_key: bytes
    issued_at: datetime
    revoked_at: datetime | None


def login_keys(connection: Connection, school_id: UUID) -> list[StoredLoginKey]:
    """The school's login keys, those that have been revoked too, in the order in which they were issued."""
    rows = connection.execute(SQL["login_keys"], [school_id], binary=True)
    return [StoredLoginKey(*row) for row in rows]


def reseal_login_key(connection: Connection, login_key: StoredLoginKey, keys: SchoolKeys) -> None:
    """Lets a login key that nobody has shown open new keys of the school."""
    sealed = _sealed_to(login_key.public_key, login_key.key_id, keys)
    connection.execute(SQL["reseal_login_key"], [keys.generation, sealed, keys.school_id, login_key.key_id])


def revoke_login_key(connection: Connection, school_id: UUID, key_id: UUID) -> bool:
    """Takes from a login key what it opens; false if that has been done, or there is no such key."""
    return bool(connection.execute(SQL["revoke_login_key"], [school_id, key_id]).rowcount)


def add_username(connection: Connection, school_id: UUID, digest: bytes, staff_id: UUID) -> None:
    """Lets a login find an account.

    Raises:
        AlreadyExists: Somebody at the school has the username.
    """
    try:
        connection.execute(SQL["add_username"], [school_id, digest, staff_id])
    except UniqueViolation:
        raise AlreadyExists("Somebody at this school has that username already") from None


def with_username(connection: Connection, school_id: UUID, digest: bytes) -> UUID | None:
    """The account that a username is of, if there is one."""
    row = connection.execute(SQL["with_username"], [school_id, digest]).fetchone()
    return cast("UUID", row[0]) if row else None


def forget_usernames(connection: Connection, school_id: UUID) -> None:
    """Empties the school's index of usernames, to be filled anew."""
    connection.execute(SQL["forget_usernames"], [school_id])
