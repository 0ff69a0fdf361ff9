"""Moments in query strings: a day, a time, or a position of the stream."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import msgspec

from api.encoding import ReadQuery
from domain.application.histories import Moment, end_of
from domain.errors import Finding, InvalidInput

EARLIEST = date(2000, 1, 1)
"""Nothing was recorded before."""

LATEST = date(2100, 1, 1)


class AsAtQuery(ReadQuery, frozen=True, kw_only=True):
    """How things stood.

    Attributes:
        as_at: At the end of this day.
        as_at_position: At this position of the school's stream.
    """

    as_at: date | None = None
    as_at_position: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | None = None


def moment_of(asked: AsAtQuery) -> Moment | None:
    """The moment that a query asks for, if it is not now.

    Raises:
        InvalidInput: It asks for two at once, or for a day that nothing is known of.
    """
    if asked.as_at is not None and asked.as_at_position is not None:
        raise InvalidInput(
            "Two moments at once",
            [Finding(field="as_at_position", found="both", accepted="a day or a position, not both")],
        )
    if asked.as_at_position is not None:
        return Moment(position=asked.as_at_position)
    return end_of(known_day("as_at", asked.as_at)) if asked.as_at is not None else None


def instant(field: str, text: str | None, *, after: bool = False) -> datetime | None:
    """A moment from a day, which begins and ends as clocks in England show it, or from a time with its zone.

    Args:
        field: The parameter.
        text: Its value.
        after: For a day, the moment after its end, and not its beginning.

    Raises:
        InvalidInput: It is neither.
    """
    if text is None:
        return None
    try:
        day = msgspec.convert(text, date, strict=False)
    except msgspec.ValidationError:
        return _time(field, text)
    day = known_day(field, day)
    midnight = end_of(day if after else day - timedelta(days=1)).at
    assert midnight
    return midnight + timedelta(microseconds=1)


def _time(field: str, text: str) -> datetime:
    try:
        moment: datetime = msgspec.convert(text, Annotated[datetime, msgspec.Meta(tz=True)], strict=False)
        known_day(field, moment.astimezone(UTC).date())
    except (msgspec.ValidationError, OverflowError):
        raise InvalidInput(
            "The query is not as it must be",
            [
                Finding(
                    field=field,
                    found=text[:60],
                    accepted="a day (2026-09-01) or a time (2026-09-01T08:00:00Z)",
                )
            ],
        ) from None
    return moment


def known_day(field: str, day: date) -> date:
    """A day that something may be known of.

    Raises:
        InvalidInput: It lies too far back or ahead.
    """
    if not EARLIEST <= day <= LATEST:
        raise InvalidInput(
            "The query is not as it must be",
            [Finding(field=field, found=day.isoformat(), accepted=f"a day from {EARLIEST} to {LATEST}")],
        )
    return day
