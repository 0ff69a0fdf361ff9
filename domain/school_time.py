"""The time that schools go by: clocks in England, wherever the service runs."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

SCHOOL_TIME = ZoneInfo("Europe/London")
"""The time zone of England."""


def today() -> date:
    """The day that it is at the school."""
    return datetime.now(SCHOOL_TIME).date()


def day_of(moment: datetime) -> date:
    """The day that a moment falls on in England."""
    return moment.astimezone(SCHOOL_TIME).date()
