"""Why a child may be erased."""

from __future__ import annotations

from enum import StrEnum


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
