"""Days in queries begin and end as clocks in England show it, in summer and in winter."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.moments import instant


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("2026-01-15", datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 1, 16, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 23, tzinfo=UTC), datetime(2026, 7, 1, 23, tzinfo=UTC)),
        ("2026-10-25", datetime(2026, 10, 24, 23, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC)),
    ],
)
def test_days(text: str, begins: datetime, ends: datetime) -> None:
    assert instant("since", text) == begins
    assert instant("until", text, after=True) == ends


def test_times() -> None:
    for text in ("2026-07-01T09:00:00+01:00", "2026-07-01T08:00:00Z"):
        for after in (False, True):
            assert instant("since", text, after=after) == datetime(2026, 7, 1, 8, tzinfo=UTC)
    assert instant("since", None) is None
