"""Login keys: which the school has, one more, and taking one back."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

from api.callers import Caller, signed_in
from api.encoding import Answer, ReadQuery, Sent, body, query
from api.reading import see
from api.routing import Routes
from domain.access import Permission
from domain.application import login_keys
from domain.application.login_keys import IssuedKey, LoginKeyView
from domain.keys import KeyOrigin

routes = Routes("login keys")


class NewLoginKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A login key to issue.

    Attributes:
        label: What the school calls it, such as the office that gets it.
    """

    label: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class Revocation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a login key is taken back.

    Attributes:
        leaked: Somebody else may have it: every key of the school is replaced, and every session ends.
    """

    leaked: bool = False


class RevokedKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a revocation did.

    Attributes:
        sessions: How many sessions it ended.
        subjects: How many people's keys were replaced, after a leak.
        live: How many login keys the school has left.
        position: The end of the school's stream.
    """

    sessions: int
    subjects: int
    live: int
    position: int


@routes.get("/v1/login-keys")
def list_login_keys(
    caller: Annotated[Caller, signed_in(Permission.MANAGE_LOGIN_KEYS)],
    asked: Annotated[ReadQuery, query(ReadQuery)],
) -> Answer[list[LoginKeyView]]:
    """List the school's login keys, those that were revoked too; the keys themselves are kept nowhere."""
    see(caller, asked.min_position)
    sessions = caller.services.sessions.those_of(caller.school_id)
    return Answer(login_keys.views(caller.school, [each.key_id for each in sessions]))


@routes.post("/v1/login-keys", status_code=201)
def issue_login_key(
    caller: Annotated[Caller, signed_in(Permission.MANAGE_LOGIN_KEYS)],
    sent: Annotated[Sent[NewLoginKey], body(NewLoginKey, is_command=False)],
) -> Answer[IssuedKey]:
    """Issue one more login key; the others stay good.

    This takes no `Idempotency-Key`: a login key is told once.
    """
    issued = login_keys.issued(
        caller.school, caller.services.schools, KeyOrigin.ADMINISTRATOR, caller.actor, sent.value.label
    )
    return Answer(issued, 201, position=issued.position)


@routes.post("/v1/login-keys/{key_id}/revoke")
def revoke_login_key(
    caller: Annotated[Caller, signed_in(Permission.MANAGE_LOGIN_KEYS)],
    key_id: UUID,
    sent: Annotated[Sent[Revocation], body(Revocation, is_command=False)],
) -> Answer[RevokedKey]:
    """Take a login key back: it opens nothing any more, and its sessions end at once.

    Where it has leaked, the school and everybody whom it knows get new keys, so that the leaked key and an
    old copy of the database open nothing that is written from then on; every session ends, this one too.
    """
    if sent.value.leaked:
        done = login_keys.replace(caller.school, caller.services.schools, key_id, caller.actor)
    else:
        done = login_keys.revoke(caller.school, key_id, caller.actor)
    return Answer(
        RevokedKey(sessions=done.sessions, subjects=done.subjects, live=done.live, position=done.position),
        position=done.position,
    )
