"""A worker that does whatever there is to do, and then stops."""

from __future__ import annotations

from collections.abc import Sequence

from domain.ledger.database import Database
from projections.projection import Projection
from projections.runner import PROJECTIONS, Worker, status
from tests.keys import SERVICE_KEYS


def caught_up(database: Database, projections: Sequence[Projection] = PROJECTIONS) -> None:
    """Lets a worker catch up: nothing stops it, and it leaves nothing behind but what had stopped before."""
    stopped = {(line.school_id, line.projection) for line in status(database, projections) if line.stopped_at}
    Worker(database, SERVICE_KEYS, projections).run_until_idle()
    left = [line for line in status(database, projections) if line.stopped_at or line.behind]
    assert [line for line in left if (line.school_id, line.projection) not in stopped] == []
