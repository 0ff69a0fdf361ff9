"""Permissions to release named data, and the releases under them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from api.callers import Caller, signed_in
from api.encoding import Answer, ReadQuery, Sent, body, query
from api.reading import see
from api.routing import Routes
from api.showing import ShownFile
from domain.access import Permission
from domain.application import permissions, releasing
from domain.application.people import people_of
from domain.application.permissions import PermissionResult
from domain.application.releasing import Asked
from domain.application.school_application import Outcome
from domain.permissions import ReleasePermission, Scope, Terms
from domain.usage import ReadKind

routes = Routes("permissions")

ZIP = "application/zip"

FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A ZIP file: the data, and a cover sheet that says whom it is for and until when",
        "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}},
    },
    409: {},
}


class NewPermission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A permission to give.

    Attributes:
        recipient: Who is to have the data, 1 to 200 characters.
        purpose: What for, 1 to 200 characters.
        scope: `school_figures` or `named_pupils`.
        until: The last day on which it may be released: at most two years ahead.
        class_name: Of named pupils, only this class.
        nc_year: Of named pupils, only this NC year.
        pupil_ids: Of named pupils, only these, also those who have left.
    """

    recipient: str
    purpose: str
    scope: Scope
    until: date
    class_name: str | None = None
    nc_year: str | None = None
    pupil_ids: tuple[UUID, ...] = ()


class UseBody(msgspec.Struct, frozen=True, kw_only=True):
    """A release under a permission.

    Attributes:
        release_id: Its id, which its cover sheet has, too.
        by: Who released it.
        pupils: How many pupils it named.
        sha256: The SHA-256 of the file, in hexadecimal.
    """

    release_id: UUID
    by: str
    pupils: int
    sha256: str


class PermissionBody(msgspec.Struct, frozen=True, kw_only=True):
    """A permission.

    Attributes:
        permission_id: Its id.
        recipient: Who is to have the data.
        purpose: What for.
        scope: What may be released.
        until: The last day on which it may be.
        class_name: Of named pupils, only this class.
        nc_year: Of named pupils, only this NC year.
        pupil_ids: Of named pupils, only these.
        given_by: Who gave it.
        revoked_by: Who revoked it; null while it stands.
        releases: The releases under it, in their order.
    """

    permission_id: UUID
    recipient: str
    purpose: str
    scope: Scope
    until: date
    class_name: str | None
    nc_year: str | None
    pupil_ids: tuple[UUID, ...]
    given_by: str
    revoked_by: str | None
    releases: list[UseBody]


class PermissionChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The permission that a command was about."""

    permission_id: UUID
    position: int


class NewRelease(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be released.

    Attributes:
        recipient: Whom it is handed to, as the permission says it.
        purpose: What for, as the permission says it.
        scope: What it is.
        pupil_ids: Only these of the pupils whom the permission covers.
    """

    recipient: Annotated[str, msgspec.Meta(max_length=1000)]
    purpose: Annotated[str, msgspec.Meta(max_length=1000)]
    scope: Scope
    pupil_ids: tuple[UUID, ...] = ()


def _changed(outcome: Outcome[PermissionResult], status: int = 200) -> Answer[PermissionChanged]:
    return Answer(
        PermissionChanged(permission_id=outcome.result.permission_id, position=outcome.position),
        status,
        position=outcome.position,
        repeated=outcome.repeated,
    )


@routes.get("/v1/permissions")
def list_permissions(
    caller: Annotated[Caller, signed_in(Permission.LIST_RELEASES)],
    asked: Annotated[ReadQuery, query(ReadQuery)],
) -> Answer[list[PermissionBody]]:
    """List the headteacher's permissions to release named data, with the releases under each."""
    position = see(caller, asked.min_position)
    found, _ = permissions.permissions_and_version(caller.school)
    who = people_of(caller.school, position)
    return Answer([_body(permission, who) for permission in found.values()])


def _body(permission: ReleasePermission, who: Any) -> PermissionBody:
    return PermissionBody(
        permission_id=permission.id,
        given_by=who(permission.given_by),
        revoked_by=who(permission.revoked_by) if permission.revoked_by else None,
        releases=[
            UseBody(release_id=use.release_id, by=who(use.by), pupils=use.pupils, sha256=use.sha256.hex())
            for use in permission.uses
        ],
        **msgspec.structs.asdict(permission.terms),
    )


@routes.post("/v1/permissions", status_code=201)
def give_permission(
    caller: Annotated[Caller, signed_in(Permission.GIVE_RELEASES)],
    sent: Annotated[Sent[NewPermission], body(NewPermission)],
) -> Answer[PermissionChanged]:
    """Permit releases of named data to one recipient, for one purpose, until a day: as the headteacher."""
    terms = Terms(**msgspec.structs.asdict(sent.value))
    return _changed(permissions.give(caller.school, terms, caller.actor, sent.command), 201)


@routes.delete("/v1/permissions/{permission_id}")
def revoke_permission(
    caller: Annotated[Caller, signed_in(Permission.GIVE_RELEASES)],
    permission_id: UUID,
) -> Answer[PermissionChanged]:
    """Revoke a permission, as the headteacher: nothing is released under it from then on."""
    return _changed(permissions.revoke(caller.school, permission_id, caller.actor))


@routes.post("/v1/permissions/{permission_id}/releases", responses=FILE)
def release_named(
    caller: Annotated[Caller, signed_in(Permission.EXPORT_PUPILS)],
    permission_id: UUID,
    sent: Annotated[Sent[NewRelease], body(NewRelease, is_command=False)],
) -> ShownFile:
    """Release named data under a permission that covers this recipient, purpose, scope and day.

    The release is on the school's stream before anything of the file is sent. Each answer is a release of its
    own: there is no `Idempotency-Key`.
    """
    asked = Asked(permission_id=permission_id, **msgspec.structs.asdict(sent.value))
    made = releasing.release(caller.school, asked, caller.actor, datetime.now(UTC))
    return ShownFile(
        caller, ReadKind.RELEASE, made.pupil_ids, made.content, name="named-release.zip", media_type=ZIP
    )
