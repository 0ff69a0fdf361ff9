"""Permissions to release named data: giving, listing and revoking them."""

from __future__ import annotations

from uuid import UUID

import msgspec

import domain.permissions
from domain import school_time
from domain.access import Permission
from domain.application.school_application import (
    STAFF,
    CommandKey,
    Decision,
    Outcome,
    SchoolApplication,
)
from domain.errors import Finding, InvalidInput, NotFound, NotPermitted
from domain.events import Actor
from domain.identifiers import new_id
from domain.ledger.stream import Unless
from domain.permissions import (
    PermissionGiven,
    PermissionRevoked,
    ReleasePermission,
    Scope,
    Terms,
    checked,
    permissions_of,
    same_class,
)


class PermissionResult(msgspec.Struct, frozen=True):
    """The permission that a command was about."""

    permission_id: UUID


def permissions_and_version(school: SchoolApplication) -> tuple[dict[UUID, ReleasePermission], int]:
    """The school's permissions by id, as the keys open them, and how many events their log has."""
    stored = school.stream.events_of(permissions_of(school.school_id))
    version = stored[-1].originator_version if stored else 0
    return domain.permissions.fold(school.read(stored)), version


def give(
    school: SchoolApplication, terms: Terms, actor: Actor, command: CommandKey | None = None
) -> Outcome[PermissionResult]:
    """Permits releases of named data.

    Args:
        school: The school, opened with names.
        terms: What is permitted.
        actor: The headteacher.
        command: The key, if the caller gave one.

    Raises:
        NotPermitted: It is not the headteacher who gives it.
        InvalidInput: Something is not as it must be, or the school has no such class or pupils.
    """
    terms = checked(terms, school_time.today())
    permission_id = new_id()

    def decide() -> Decision[PermissionResult]:
        position = _check_that_it_is_the_headteacher(school, actor)
        _check_that_they_are_there(school, terms)
        _, version = permissions_and_version(school)
        given = PermissionGiven(
            originator_id=permissions_of(school.school_id),
            originator_version=version + 1,
            actor=actor,
            school_id=school.school_id,
            permission_id=permission_id,
            **{field: getattr(terms, field) for field in Terms.__struct_fields__},
        )
        return Decision([given], PermissionResult(permission_id), Unless(STAFF, position))

    return school.carry_out(decide, PermissionResult, command)


def revoke(
    school: SchoolApplication, permission_id: UUID, actor: Actor, command: CommandKey | None = None
) -> Outcome[PermissionResult]:
    """Takes a permission back: nothing is released under it from then on.

    Raises:
        NotPermitted: It is not the headteacher who revokes it.
        NotFound: The school has no such permission.
    """

    def decide() -> Decision[PermissionResult]:
        position = _check_that_it_is_the_headteacher(school, actor)
        permissions, version = permissions_and_version(school)
        permission = permissions.get(permission_id)
        if permission is None:
            raise NotFound("This school has no permission with that id")
        revoked = PermissionRevoked(
            originator_id=permissions_of(school.school_id),
            originator_version=version + 1,
            actor=actor,
            school_id=school.school_id,
            permission_id=permission_id,
        )
        events = [] if permission.revoked_by else [revoked]
        return Decision(events, PermissionResult(permission_id), Unless(STAFF, position))

    return school.carry_out(decide, PermissionResult, command)


def _check_that_it_is_the_headteacher(school: SchoolApplication, actor: Actor) -> int:
    """Says up to where the accounts were read: a role that ends meanwhile counts."""
    members, position = school.staff()
    if not any(
        member.id == actor.staff_id and not member.disabled and member.may(Permission.GIVE_RELEASES)
        for member in members
    ):
        raise NotPermitted("Only the headteacher permits releases", needed=Permission.GIVE_RELEASES)
    return position


def _check_that_they_are_there(school: SchoolApplication, terms: Terms) -> None:
    """A permission that is mistyped would cover nobody, and nobody would know why."""
    if terms.scope is not Scope.NAMED_PUPILS or not (terms.class_name or terms.pupil_ids):
        return
    roll = school.roll()
    findings = [
        Finding(field="pupil_ids", found=str(pupil_id), accepted="a pupil of this school", row=number)
        for number, pupil_id in enumerate(terms.pupil_ids, start=1)
        if pupil_id not in roll
    ]
    if terms.class_name and not any(
        pupil.on_roll and same_class(pupil.record.class_name, terms.class_name) for pupil in roll.values()
    ):
        accepted = "a class with somebody on the roll in it"
        findings.append(Finding(field="class_name", found=terms.class_name[:60], accepted=accepted))
    if findings:
        raise InvalidInput("The permission cannot be given like this", findings)
