"""Erasing a child: asking what it would destroy, and doing it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

from api.callers import Caller, signed_in
from api.encoding import Answer, Sent, body
from api.routing import Routes
from domain.access import Permission
from domain.application import erasing
from domain.application.erasing import ErasureAsked
from domain.pupil import ErasureReason

routes = Routes("erasures")


class AskedErasure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An erasure that is asked for.

    Attributes:
        reason: Why.
    """

    reason: ErasureReason


class ConfirmedErasure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An erasure that is confirmed.

    Attributes:
        reason: Why, as it was asked for.
        confirmation: What asking for it answered.
    """

    reason: ErasureReason
    confirmation: Annotated[str, msgspec.Meta(max_length=100)]


class ErasedPupil(msgspec.Struct, frozen=True, kw_only=True):
    """The child that was erased: the id is all that is left."""

    pupil_id: UUID
    version: int
    position: int


@routes.post("/v1/pupils/{pupil_id}/erasure")
def ask_to_erase(
    caller: Annotated[Caller, signed_in(Permission.ERASE_PUPILS)],
    pupil_id: UUID,
    sent: Annotated[Sent[AskedErasure], body(AskedErasure, is_command=False)],
) -> Answer[ErasureAsked]:
    """Ask what erasing a child would destroy, and for the confirmation that doing it needs.

    Nothing is done yet.
    """
    return Answer(erasing.ask(caller.school, pupil_id, sent.value.reason, caller.actor))


@routes.post("/v1/pupils/{pupil_id}/erase")
def erase_pupil(
    caller: Annotated[Caller, signed_in(Permission.ERASE_PUPILS)],
    pupil_id: UUID,
    sent: Annotated[Sent[ConfirmedErasure], body(ConfirmedErasure)],
) -> Answer[ErasedPupil]:
    """Erase a child: destroy the keys, so that nothing of the record can ever be read again.

    It cannot be undone.
    """
    outcome = erasing.erase(
        caller.school,
        caller.services.erasures,
        pupil_id,
        sent.value.reason,
        sent.value.confirmation,
        caller.actor,
        sent.command,
    )
    erased = ErasedPupil(
        pupil_id=outcome.result.pupil_id, version=outcome.result.version, position=outcome.position
    )
    return Answer(erased, position=outcome.position, repeated=outcome.repeated)
