"""What people call those who acted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import domain.staff
from domain.application.school_application import STAFF, SchoolApplication
from domain.events import ActorKind
from domain.staff import StaffMember

CALLED = {ActorKind.OPERATOR: "the operator of the service", ActorKind.SYSTEM: "the software"}


def staff_at(school: SchoolApplication, position: int) -> dict[UUID, StaffMember]:
    """Everybody who had an account at a position, by id."""
    members: dict[UUID, StaffMember] = {}
    for event in school.read(school.stream.events_of_category(STAFF, up_to=position)):
        member = domain.staff.fold(members.get(event.originator_id), [event])
        if member:
            members[event.originator_id] = member
    return members


def people_of(school: SchoolApplication, position: int) -> Callable[[Any], str]:
    """What people call whoever acted: the display name of a member of staff, or who else it was.

    Raises:
        KeyNotHeld: The names key is not held.
    """
    called = {staff_id: member.names.display_name for staff_id, member in staff_at(school, position).items()}

    def who(actor: Any) -> str:
        if actor is None:
            return "nobody known"
        if actor.staff_id is None:
            return CALLED.get(actor.kind, "nobody known")
        return called.get(actor.staff_id, "a former account")

    return who
