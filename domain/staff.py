"""Staff: the accounts of the people who use a school's data."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.access import PERMISSIONS, AccessLevel, Permission
from domain.errors import AlreadyExists, Conflict, Finding, InvalidInput
from domain.events import Actor, Event, Names, Record, event
from domain.text import ACCEPTED, is_text


class StaffNames(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who a member of staff is.

    Attributes:
        username: What they log in with; unique within the school whatever its capitals.
        display_name: What colleagues call them.
    """

    username: str
    display_name: str


class Access(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a member of staff may do.

    Attributes:
        level: The access level.
        classes: For limited read-write, the classes whose assessments they may record.
    """

    level: AccessLevel
    classes: tuple[str, ...] = ()


@event("staff.added")
class StaffAdded(Event, frozen=True, kw_only=True):
    """An account was made."""

    founds: ClassVar[bool] = True

    names: Names[StaffNames]
    access: Record[Access]
    password_verifier: Record[str]


@event("staff.access-changed")
class StaffAccessChanged(Event, frozen=True, kw_only=True):
    """What an account may do was changed."""

    access: Record[Access]


@event("staff.password-set")
class StaffPasswordSet(Event, frozen=True, kw_only=True):
    """A password was changed; only its verifier is known."""

    password_verifier: Record[str]


@event("staff.disabled")
class StaffDisabled(Event, frozen=True, kw_only=True):
    """An account can no longer be used."""


@event("staff.enabled")
class StaffEnabled(Event, frozen=True, kw_only=True):
    """An account can be used again."""


class StaffMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff as the events so far describe them."""

    id: UUID
    version: int
    names: StaffNames
    access: Access
    password_verifier: str
    disabled: bool = False

    def may(self, permission: Permission) -> bool:
        """Whether the access level allows it."""
        return permission in PERMISSIONS[self.access.level]


def fold(member: StaffMember | None, events: Iterable[Event]) -> StaffMember | None:
    """The member of staff after these events."""
    for happened in events:
        member = _after(member, happened)
    return member


def _after(member: StaffMember | None, happened: Event) -> StaffMember:
    version = happened.originator_version
    match happened:
        case StaffAdded():
            return StaffMember(
                id=happened.originator_id,
                version=version,
                names=happened.names,
                access=happened.access,
                password_verifier=happened.password_verifier,
            )
        case _ if member is None:
            raise Conflict(f"{happened.name} cannot be the first event of a member of staff")
        case StaffAccessChanged():
            return msgspec.structs.replace(member, version=version, access=happened.access)
        case StaffPasswordSet():
            return msgspec.structs.replace(
                member, version=version, password_verifier=happened.password_verifier
            )
        case StaffDisabled():
            return msgspec.structs.replace(member, version=version, disabled=True)
        case StaffEnabled():
            return msgspec.structs.replace(member, version=version, disabled=False)
        case _:
            raise Conflict(f"{happened.name} is not an event of a member of staff")


def same_username(text: str) -> str:
    """The form in which usernames are compared: neither capitals nor outer spaces tell them apart."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def with_username(staff: Iterable[StaffMember], username: str) -> StaffMember | None:
    """The member of staff who logs in with this username."""
    wanted = same_username(username)
    return next((member for member in staff if same_username(member.names.username) == wanted), None)


def add(
    staff_id: UUID,
    names: StaffNames,
    access: Access,
    password_verifier: str,
    colleagues: Iterable[StaffMember],
    actor: Actor,
) -> StaffAdded:
    """Makes an account.

    Raises:
        AlreadyExists: Somebody at this school has the username.
        InvalidInput: The username or name is empty or longer than 100 characters, or classes are given to a
            level that knows none.
    """
    findings = [
        Finding(field=field, found=f"{len(text)} characters", accepted=f"1 to 100 characters: {ACCEPTED}")
        for field, text in (("username", names.username), ("display_name", names.display_name))
        if not (1 <= len(text.strip()) <= 100 and is_text(text))
    ]
    findings += _access_findings(access)
    if findings:
        raise InvalidInput("The account cannot be made like this", findings)
    if with_username(colleagues, names.username):
        raise AlreadyExists("Somebody at this school has that username already")
    return StaffAdded(
        originator_id=staff_id,
        originator_version=1,
        actor=actor,
        names=names,
        access=access,
        password_verifier=password_verifier,
    )


def change_access(
    member: StaffMember, access: Access, colleagues: Iterable[StaffMember], actor: Actor
) -> StaffAccessChanged | None:
    """Changes what an account may do; `None` when it may already.

    Raises:
        Conflict: It is the last administrator's, and would no longer be one.
        InvalidInput: Classes are given to a level that knows none.
    """
    if findings := _access_findings(access):
        raise InvalidInput("The access cannot be changed like this", findings)
    if access == member.access:
        return None
    if access.level is not AccessLevel.ADMIN:
        _check_that_an_administrator_stays(member, colleagues)
    return StaffAccessChanged(
        originator_id=member.id, originator_version=member.version + 1, actor=actor, access=access
    )


def _access_findings(access: Access) -> list[Finding]:
    if access.classes and access.level is not AccessLevel.LIMITED_READ_WRITE:
        return [
            Finding(
                field="classes",
                found=access.level,
                accepted=f"classes for {AccessLevel.LIMITED_READ_WRITE} only",
            )
        ]
    return []


def set_password(member: StaffMember, password_verifier: str, actor: Actor) -> StaffPasswordSet:
    """Changes a password."""
    return StaffPasswordSet(
        originator_id=member.id,
        originator_version=member.version + 1,
        actor=actor,
        password_verifier=password_verifier,
    )


def disable(member: StaffMember, colleagues: Iterable[StaffMember], actor: Actor) -> StaffDisabled | None:
    """Ends the use of an account; `None` when it has ended.

    Raises:
        Conflict: It is the last administrator's: the school could no longer manage itself.
    """
    if member.disabled:
        return None
    _check_that_an_administrator_stays(member, colleagues)
    return StaffDisabled(originator_id=member.id, originator_version=member.version + 1, actor=actor)


def _check_that_an_administrator_stays(member: StaffMember, colleagues: Iterable[StaffMember]) -> None:
    administrators = [
        other.id for other in colleagues if other.access.level is AccessLevel.ADMIN and not other.disabled
    ]
    if administrators == [member.id]:
        raise Conflict("This is the school's last administrator: make another one first")


def enable(member: StaffMember, actor: Actor) -> StaffEnabled | None:
    """Lets an account be used again; `None` when it can be."""
    if not member.disabled:
        return None
    return StaffEnabled(originator_id=member.id, originator_version=member.version + 1, actor=actor)
