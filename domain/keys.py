"""Login keys: which a school has, which were taken back, and what each was used for."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.events import Event, Names, Open, event


class KeyOrigin(StrEnum):
    """How a login key came to be."""

    REGISTRATION = "registration"
    ADMINISTRATOR = "administrator"
    RECOVERY = "recovery"


@event("key.issued")
class KeyIssued(Event, frozen=True, kw_only=True):
    """The school got a login key; the key itself is kept nowhere.

    `label` is what the school calls it, such as the office, or the person, that has it.
    """

    subject_field: ClassVar[str] = "school_id"

    school_id: Open[UUID]
    key_id: Open[UUID]
    origin: Open[KeyOrigin]
    label: Names[str | None] = None


@event("key.revoked")
class KeyRevoked(Event, frozen=True, kw_only=True):
    """A login key opens nothing any more, and the sessions that it opened have ended.

    Where it had leaked, the school's keys and everybody's were replaced with it.
    """

    key_id: Open[UUID]
    leaked: Open[bool]


@event("key.used")
class KeyUsed(Event, frozen=True, kw_only=True):
    """The operator, who was given a login key, did something on the school's behalf with it."""

    key_id: Open[UUID]
