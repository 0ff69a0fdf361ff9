"""Parts of what is known of a pupil: a concern about the child, and why a child was erased."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

import msgspec


class Concern(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Something about a child that the school keeps an eye on.

    Attributes:
        id: Its id.
        opened_on: Since when.
        closed_on: Until when; none, while it is active.
    """

    id: UUID
    opened_on: date
    closed_on: date | None = None


class ErasureReason(StrEnum):
    """Why a child was erased: one of these and no words of one's own, since the event stays for ever."""

    REQUEST = "request"
    RETENTION = "retention"
    MISTAKE = "mistake"
    COURT_ORDER = "court-order"


ERASURE_REASONS = {
    ErasureReason.REQUEST: "a parent, guardian or the child asked for it",
    ErasureReason.RETENTION: "the time for which it may be kept is over",
    ErasureReason.MISTAKE: "the record should never have been made",
    ErasureReason.COURT_ORDER: "a court or the Information Commissioner ordered it",
}
"""What each reason means, for people."""
