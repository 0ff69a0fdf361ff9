"""The headteacher: the administrator who decides about releases of named data, and who may appoint one.

Nobody becomes headteacher quietly, or by themselves. While a school has one, only a headteacher appoints
another (a successor, or one of two who share the post), and a headteacher's role ends by their own hand.
Where they are gone, the operator does it at the school's wish, with a login key that the school gives for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.access import AccessLevel, Permission
from domain.errors import Conflict, NotPermitted
from domain.events import Actor, ActorKind
from domain.staff import StaffHeadteacherAppointed, StaffHeadteacherEnded, StaffMember


def appoint(
    member: StaffMember, colleagues: Iterable[StaffMember], actor: Actor
) -> StaffHeadteacherAppointed | None:
    """Gives an administrator the role of headteacher; `None` when they hold it.

    Args:
        member: Who is appointed.
        colleagues: Everybody who has an account.
        actor: Who appoints them: a headteacher; any other administrator where there is none; or the operator.

    Raises:
        Conflict: The account is disabled, or is no administrator's: an adviser's is never one.
        NotPermitted: The school has a headteacher, who is not the one who appoints; or somebody would appoint
            themselves.
    """
    if member.headteacher:
        return None
    if member.access.level is not AccessLevel.ADMIN:
        raise Conflict("A headteacher is an administrator: change the access of this account first")
    if member.disabled:
        raise Conflict("This account is disabled: enable it first")
    if actor.kind is not ActorKind.OPERATOR:
        heads = {each.id for each in colleagues if each.headteacher}
        if heads and actor.staff_id not in heads:
            raise NotPermitted(
                "This school has a headteacher, who appoints another; where they are gone, the operator does",
                needed=Permission.APPOINT_HEADTEACHER,
            )
        if actor.staff_id == member.id:
            raise NotPermitted(
                "Nobody appoints themselves: another administrator does, or the operator",
                needed=Permission.APPOINT_HEADTEACHER,
            )
    return StaffHeadteacherAppointed(
        originator_id=member.id, originator_version=member.version + 1, actor=actor
    )


def end(member: StaffMember, actor: Actor) -> StaffHeadteacherEnded | None:
    """Ends the role; `None` when they do not hold it. What they have permitted stands until it is revoked.

    Raises:
        NotPermitted: It is neither themselves nor the operator who ends it.
    """
    if not member.headteacher:
        return None
    if actor.kind is not ActorKind.OPERATOR and actor.staff_id != member.id:
        raise NotPermitted(
            "A headteacher's role is ended by themselves, or by the operator at the school's wish",
            needed=Permission.APPOINT_HEADTEACHER,
        )
    return StaffHeadteacherEnded(originator_id=member.id, originator_version=member.version + 1, actor=actor)
