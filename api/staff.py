"""Staff accounts: who there is, and what they may do."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self
from uuid import UUID

import msgspec
from fastapi import Depends

from api.callers import Caller, signed_in
from api.encoding import Answer, NoBody, ReadQuery, Sent, body, query
from api.reading import see
from api.routing import Routes
from domain.access import AccessLevel, Permission
from domain.application import accounts
from domain.application.accounts import StaffResult
from domain.application.school_application import Outcome
from domain.staff import Access, Adviser, StaffNames

routes = Routes("staff")


class AccessBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member of staff may do.

    Attributes:
        level: The access level.
        classes: For limited read-write, the classes whose assessments they may record.
    """

    level: AccessLevel
    classes: tuple[str, ...] = ()

    @classmethod
    def of(cls, access: Access) -> Self:
        """The access as it is shown."""
        return cls(access.level, access.classes)

    def access(self) -> Access:
        """The access that was sent."""
        return Access(self.level, self.classes)


class AdviserBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What makes an account that of an adviser: somebody from outside, who is let in for a while.

    Attributes:
        reason: Why, 1 to 200 characters.
        until: The last day on which they may log in: at most a year ahead.
    """

    reason: str
    until: date

    @classmethod
    def of(cls, adviser: Adviser) -> Self:
        """The adviser as they are shown."""
        return cls(reason=adviser.reason, until=adviser.until)

    def adviser(self) -> Adviser:
        """The adviser that was sent."""
        return Adviser(reason=self.reason, until=self.until)


class LastDay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another last day of an adviser.

    Attributes:
        until: The last day on which they may log in: at most a year ahead.
    """

    until: date


class StaffBody(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff.

    Attributes:
        staff_id: The account's id.
        username: What they log in with.
        display_name: What colleagues call them.
        access: What they may do.
        adviser: Why and until when, for somebody from outside; null for the school's own staff.
        disabled: The account cannot be used.
        headteacher: Holds the role of headteacher.
        version: Its number of events.
    """

    staff_id: UUID
    username: str
    display_name: str
    access: AccessBody
    adviser: AdviserBody | None
    disabled: bool
    headteacher: bool
    version: int


class NewStaff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account to make.

    Attributes:
        username: What they log in with.
        display_name: What colleagues call them.
        access: What they may do.
        password: The first password.
        adviser: Why and until when, for somebody from outside, who can be no administrator.
    """

    username: str
    display_name: str
    access: AccessBody
    password: str
    adviser: AdviserBody | None = None


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A password to set."""

    password: str


class StaffChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The account that a command was about."""

    staff_id: UUID
    version: int
    position: int


def _changed(outcome: Outcome[StaffResult], status: int = 200) -> Answer[StaffChanged]:
    return Answer(
        StaffChanged(
            staff_id=outcome.result.staff_id, version=outcome.result.version, position=outcome.position
        ),
        status,
        position=outcome.position,
        repeated=outcome.repeated,
    )


@routes.get("/v1/staff")
def list_staff(
    caller: Annotated[Caller, signed_in(Permission.MANAGE_STAFF)],
    asked: Annotated[ReadQuery, query(ReadQuery)],
) -> Answer[list[StaffBody]]:
    """List the school's accounts."""
    see(caller, asked.min_position)
    members, _ = caller.school.staff()
    return Answer(
        [
            StaffBody(
                staff_id=member.id,
                username=member.names.username,
                display_name=member.names.display_name,
                access=AccessBody.of(member.access),
                adviser=AdviserBody.of(member.adviser) if member.adviser else None,
                disabled=member.disabled,
                headteacher=member.headteacher,
                version=member.version,
            )
            for member in members
        ]
    )


@routes.post("/v1/staff", status_code=201)
def add_staff(
    caller: Annotated[Caller, signed_in(Permission.MANAGE_STAFF)],
    sent: Annotated[Sent[NewStaff], body(NewStaff)],
) -> Answer[StaffChanged]:
    """Make an account; with `adviser`, one for somebody from outside, which ends by itself."""
    given = sent.value
    names = StaffNames(username=given.username, display_name=given.display_name)
    outcome = accounts.add_staff(
        caller.school,
        names,
        given.access.access(),
        given.password,
        caller.actor,
        sent.command,
        adviser=given.adviser.adviser() if given.adviser else None,
    )
    return _changed(outcome, 201)


@routes.put("/v1/staff/{staff_id}/adviser")
def prolong_adviser(
    caller: Annotated[Caller, signed_in(Permission.MANAGE_STAFF)],
    staff_id: UUID,
    sent: Annotated[Sent[LastDay], body(LastDay)],
) -> Answer[StaffChanged]:
    """Give an adviser another last day, later or earlier; the day after it, their sessions end."""
    return _changed(accounts.prolong(caller.school, staff_id, sent.value.until, caller.actor, sent.command))


@routes.put("/v1/staff/{staff_id}/access")
def change_access(
    caller: Annotated[Caller, signed_in(Permission.MANAGE_STAFF)],
    staff_id: UUID,
    sent: Annotated[Sent[AccessBody], body(AccessBody)],
) -> Answer[StaffChanged]:
    """Change what an account may do; where it may see names no longer, or now, its sessions end.

    An administrator's password has 15 characters or more: one that may be shorter is to be set anew first.
    """
    return _changed(
        accounts.change_access(
            caller.school,
            caller.services.sessions,
            staff_id,
            sent.value.access(),
            caller.actor,
            sent.command,
        )
    )


@routes.put("/v1/staff/{staff_id}/password")
def set_password(
    caller: Annotated[Caller, signed_in(Permission.MANAGE_STAFF, oneself="staff_id")],
    staff_id: UUID,
    sent: Annotated[Sent[NewPassword], body(NewPassword)],
) -> Answer[StaffChanged]:
    """Set a password: one's own, or as an administrator anybody's. It ends the account's other sessions."""
    return _changed(
        accounts.set_password(
            caller.school,
            caller.services.sessions,
            staff_id,
            sent.value.password,
            caller.actor,
            keep=caller.session.id if caller.session else None,
            command=sent.command,
        )
    )


@routes.post("/v1/staff/{staff_id}/disable")
def disable_staff(
    caller: Annotated[Caller, signed_in(Permission.MANAGE_STAFF)],
    staff_id: UUID,
    sent: Annotated[Sent[bytes], Depends(NoBody())],
) -> Answer[StaffChanged]:
    """End the use of an account and all its sessions."""
    return _changed(
        accounts.disable(caller.school, caller.services.sessions, staff_id, caller.actor, sent.command)
    )


@routes.post("/v1/staff/{staff_id}/enable")
def enable_staff(
    caller: Annotated[Caller, signed_in(Permission.MANAGE_STAFF)],
    staff_id: UUID,
    sent: Annotated[Sent[bytes], Depends(NoBody())],
) -> Answer[StaffChanged]:
    """Let an account be used again."""
    return _changed(accounts.enable(caller.school, staff_id, caller.actor, sent.command))


@routes.post("/v1/staff/{staff_id}/headteacher")
def appoint_headteacher(
    caller: Annotated[Caller, signed_in(Permission.APPOINT_HEADTEACHER, operator=True)],
    staff_id: UUID,
    sent: Annotated[Sent[bytes], Depends(NoBody())],
) -> Answer[StaffChanged]:
    """Give an administrator the role of headteacher, who alone permits releases of named data.

    While the school has a headteacher, only they appoint another. Nobody appoints themselves. The operator
    appoints with a login key that the school gives for it, in the header `Target-Tracker-Login-Key`.
    """
    return _changed(accounts.appoint_headteacher(caller.school, staff_id, caller.actor, sent.command))


@routes.post("/v1/staff/{staff_id}/headteacher/end")
def end_headteacher(
    caller: Annotated[Caller, signed_in(Permission.APPOINT_HEADTEACHER, operator=True)],
    staff_id: UUID,
    sent: Annotated[Sent[bytes], Depends(NoBody())],
) -> Answer[StaffChanged]:
    """End the role of headteacher: one's own, or as the operator with a login key of the school.

    What a headteacher has permitted stands until it ends or is revoked.
    """
    return _changed(accounts.end_headteacher(caller.school, staff_id, caller.actor, sent.command))
