"""Staff: the accounts of the people who use a school's data."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.access import HEADTEACHERS_ALONE, PERMISSIONS, AccessLevel, Permission
from domain.errors import AlreadyExists, Conflict, Finding, InvalidInput, NotPermitted
from domain.events import Actor, ActorKind, Event, Names, Record, event
from domain.text import ACCEPTED, is_text


class StaffNames(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who a member of staff is.

    Attributes:
        username: What they log in with; unique within the school whatever its capitals.
        display_name: What colleagues call them.
    """

    username: str
    display_name: str


class Adviser(msgspec.Struct, frozen=True, kw_only=True):
    """What makes an account that of an adviser: somebody from outside, who was let in for a while.

    Attributes:
        reason: Why they were let in.
        until: The last day on which they may log in.
    """

    reason: str
    until: date


class Access(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a member of staff may do.

    Attributes:
        level: The access level.
        classes: For limited read-write, the classes whose assessments and attendance they may record.
    """

    level: AccessLevel
    classes: tuple[str, ...] = ()


@event("staff.added")
class StaffAdded(Event, frozen=True, kw_only=True):
    """An account was made; for an adviser, with the reason and the last day.

    `for_administrators` is whether the password is long enough for one: its length is not known afterwards.
    `headteacher` is whether the operator registered the school with this account as its headteacher's.
    """

    founds: ClassVar[bool] = True

    names: Names[StaffNames]
    access: Record[Access]
    password_verifier: Record[str]
    for_administrators: Record[bool] = False
    adviser_reason: Names[str | None] = None
    adviser_until: Record[date | None] = None
    headteacher: Record[bool] = False


@event("staff.access-changed")
class StaffAccessChanged(Event, frozen=True, kw_only=True):
    """What an account may do was changed."""

    access: Record[Access]


@event("staff.password-set")
class StaffPasswordSet(Event, frozen=True, kw_only=True):
    """A password was changed, or its verifier made anew; only that is known, as in :class:`StaffAdded`."""

    password_verifier: Record[str]
    for_administrators: Record[bool] = False


@event("staff.adviser-prolonged")
class StaffAdviserProlonged(Event, frozen=True, kw_only=True):
    """An adviser has another last day: a later one, or an earlier one."""

    until: Record[date]


@event("staff.disabled")
class StaffDisabled(Event, frozen=True, kw_only=True):
    """An account can no longer be used."""


@event("staff.enabled")
class StaffEnabled(Event, frozen=True, kw_only=True):
    """An account can be used again."""


@event("staff.headteacher-appointed")
class StaffHeadteacherAppointed(Event, frozen=True, kw_only=True):
    """An administrator holds the role of headteacher from now on: see :mod:`domain.headteachers`."""


@event("staff.headteacher-ended")
class StaffHeadteacherEnded(Event, frozen=True, kw_only=True):
    """An administrator holds the role of headteacher no longer; what they permitted stands."""


class StaffMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff as the events so far describe them.

    Attributes:
        id: The account's id.
        version: Its number of events.
        names: Who they are.
        access: What they may do.
        password_verifier: What is kept of their password.
        for_administrators: Whether that password is known to be long enough for an administrator.
        adviser: Why and until when, for somebody from outside; nothing for the school's own staff.
        disabled: The account cannot be used.
        headteacher: Holds the role of headteacher.
    """

    id: UUID
    version: int
    names: StaffNames
    access: Access
    password_verifier: str
    for_administrators: bool = False
    adviser: Adviser | None = None
    disabled: bool = False
    headteacher: bool = False

    def may(self, permission: Permission) -> bool:
        """Whether the access level allows it, and the role, where that is asked for."""
        return permission in PERMISSIONS[self.access.level] and (
            self.headteacher or permission not in HEADTEACHERS_ALONE
        )

    def has_ended(self, today: date) -> bool:
        """Whether it is an adviser's account, and the last day has passed."""
        return self.adviser is not None and self.adviser.until < today

    def may_log_in(self, today: date) -> bool:
        """Whether the account can be used."""
        return not (self.disabled or self.has_ended(today))


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
                for_administrators=happened.for_administrators,
                adviser=_adviser(happened),
                headteacher=happened.headteacher,
            )
        case _ if member is None:
            raise Conflict(f"{happened.name} cannot be the first event of a member of staff")
        case StaffAccessChanged():
            return msgspec.structs.replace(member, version=version, access=happened.access)
        case StaffPasswordSet():
            return msgspec.structs.replace(
                member,
                version=version,
                password_verifier=happened.password_verifier,
                for_administrators=happened.for_administrators,
            )
        case StaffAdviserProlonged() if member.adviser:
            adviser = msgspec.structs.replace(member.adviser, until=happened.until)
            return msgspec.structs.replace(member, version=version, adviser=adviser)
        case StaffDisabled():
            return msgspec.structs.replace(member, version=version, disabled=True)
        case StaffEnabled():
            return msgspec.structs.replace(member, version=version, disabled=False)
        case StaffHeadteacherAppointed():
            return msgspec.structs.replace(member, version=version, headteacher=True)
        case StaffHeadteacherEnded():
            return msgspec.structs.replace(member, version=version, headteacher=False)
        case _:
            raise Conflict(f"{happened.name} is not an event of a member of staff")


def _adviser(added: StaffAdded) -> Adviser | None:
    if added.adviser_until is None or added.adviser_reason is None:
        return None
    return Adviser(reason=added.adviser_reason, until=added.adviser_until)


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
    *,
    for_administrators: bool,
    adviser: Adviser | None = None,
    headteacher: bool = False,
) -> StaffAdded:
    """Makes an account.

    Args:
        staff_id: Its id.
        names: Who it is for.
        access: What they may do.
        password_verifier: What is kept of the password.
        colleagues: Everybody who has an account.
        actor: Who makes it.
        for_administrators: Whether the password is long enough for an administrator.
        adviser: Why and until when, for somebody from outside: as :func:`domain.advisers.checked` gave it.
        headteacher: Whether a school is registered with them as its headteacher.

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
        for_administrators=for_administrators,
        adviser_reason=adviser.reason if adviser else None,
        adviser_until=adviser.until if adviser else None,
        headteacher=headteacher,
    )


LONGER_FIRST = "set a password of 15 characters or more first"


def change_access(
    member: StaffMember, access: Access, colleagues: Iterable[StaffMember], actor: Actor
) -> StaffAccessChanged | None:
    """Changes what an account may do; `None` when it may already.

    Raises:
        Conflict: It is the last administrator's, or the headteacher's, and would no longer be one's; or it
            would be one, and is an adviser's, or its password is too short for that.
        InvalidInput: Classes are given to a level that knows none.
    """
    if findings := _access_findings(access):
        raise InvalidInput("The access cannot be changed like this", findings)
    if access == member.access:
        return None
    if access.level is AccessLevel.ADMIN:
        _check_that_they_may_be_promoted(member)
    else:
        _check_that_it_is_no_headteachers(member)
        _check_that_an_administrator_stays(member, colleagues)
    return StaffAccessChanged(
        originator_id=member.id, originator_version=member.version + 1, actor=actor, access=access
    )


def _check_that_they_may_be_promoted(member: StaffMember) -> None:
    if member.adviser:
        raise Conflict("An adviser cannot be an administrator")
    if not member.for_administrators:
        raise Conflict(f"This account's password may be too short: {LONGER_FIRST}")


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


def set_password(
    member: StaffMember, password_verifier: str, actor: Actor, *, for_administrators: bool
) -> StaffPasswordSet:
    """Changes a password.

    Raises:
        Conflict: It is too short for an administrator, which its owner is now.
        NotPermitted: It is the headteacher's, and a colleague would set it, who could then act in that role.
    """
    if member.headteacher and actor.kind is ActorKind.STAFF and actor.staff_id != member.id:
        raise NotPermitted(
            "A headteacher's password is set by nobody else: ask for a new one by the school's official email"
        )
    if member.access.level is AccessLevel.ADMIN and not for_administrators:
        raise Conflict(f"This is an administrator's account: {LONGER_FIRST}")
    return StaffPasswordSet(
        originator_id=member.id,
        originator_version=member.version + 1,
        actor=actor,
        password_verifier=password_verifier,
        for_administrators=for_administrators,
    )


def rehash_password(
    member: StaffMember, verified: str, password_verifier: str, actor: Actor
) -> StaffPasswordSet | None:
    """Keeps another verifier of the same password; `None` when the password is no longer the same.

    Args:
        member: Whose it is.
        verified: The verifier that the password was just verified with.
        password_verifier: The one to keep from now on.
        actor: Whose login it was.
    """
    if member.password_verifier != verified:
        return None
    return StaffPasswordSet(
        originator_id=member.id,
        originator_version=member.version + 1,
        actor=actor,
        password_verifier=password_verifier,
        for_administrators=member.for_administrators,
    )


def disable(member: StaffMember, colleagues: Iterable[StaffMember], actor: Actor) -> StaffDisabled | None:
    """Ends the use of an account; `None` when it has ended.

    Raises:
        Conflict: It is the headteacher's; or the last administrator's: the school could no longer manage
            itself.
    """
    if member.disabled:
        return None
    _check_that_it_is_no_headteachers(member)
    _check_that_an_administrator_stays(member, colleagues)
    return StaffDisabled(originator_id=member.id, originator_version=member.version + 1, actor=actor)


def _check_that_it_is_no_headteachers(member: StaffMember) -> None:
    if member.headteacher:
        raise Conflict("This is the headteacher's account: they, or the operator, must end that role first")


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
