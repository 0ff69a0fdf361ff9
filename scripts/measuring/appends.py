"""`append.single` and `append.bulk`: our append beside the library's stock recorder, on the same server."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent

from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.ledger.recorders import StreamRecorder
from scripts.measuring import stock
from scripts.measuring.ground import STATE, Ground
from scripts.measuring.measure import Figure, figure, rate_of_processes, rate_of_threads

SECONDS = 4.0
SCHOOLS = 16
BATCH = 1000
TYPE = "assessment.recorded.1"


def single_of_ours(conninfo: str, school_ids: list[UUID], connections: int = 1) -> Callable[[int], int]:
    """Appends one event to one of the schools at each call."""
    database = Database(conninfo, max_size=connections)
    recorders = [StreamRecorder(database, school_id) for school_id in school_ids]

    def work(_: int) -> int:
        random.choice(recorders).insert_events([StoredEvent(new_id(), 1, TYPE, STATE)])  # noqa: S311
        return 1

    return work


def single_of_stock(conninfo: str) -> Callable[[int], int]:
    """Appends one event at each call."""
    recorder = stock.recorder(conninfo)

    def work(_: int) -> int:
        recorder.insert_events([StoredEvent(uuid4(), 1, TYPE, STATE)])
        return 1

    return work


def measure(ground: Ground) -> Iterator[Figure]:
    """Measures both figures."""
    stock.recorder(ground.superuser, create=True)
    with Database(ground.api) as database:
        school_ids = [stream.school_id for stream in ground.streams(database, SCHOOLS)]
    ours = rate_of_threads(single_of_ours(ground.api, school_ids, 8), 8, SECONDS)
    limit = rate_of_threads(single_of_stock(ground.superuser), 8, SECONDS)
    yield figure(
        "append.single, 8 threads", ours, "events/s", limit,
        "the eventsourcing library's own recorder, 8 threads", least_ratio=2.5,
    )  # fmt: skip
    ours = rate_of_processes(single_of_ours, (ground.api, school_ids), 4, SECONDS)
    limit = rate_of_processes(single_of_stock, (ground.superuser,), 4, SECONDS)
    yield figure(
        "append.single, 4 processes", ours, "events/s", limit,
        "the eventsourcing library's own recorder, 4 processes", least_ratio=3.5,
    )  # fmt: skip
    yield _bulk(ground)


def _bulk(ground: Ground) -> Figure:
    recorder = stock.recorder(ground.superuser)

    def batch_of_stock(_: int) -> int:
        recorder.insert_events([StoredEvent(uuid4(), 1, TYPE, STATE) for _ in range(BATCH)])
        return BATCH

    with Database(ground.api) as database:
        [stream] = ground.streams(database, 1)

        def batch_of_ours(_: int) -> int:
            stream.append([StoredEvent(new_id(), 1, TYPE, STATE) for _ in range(BATCH)])
            return BATCH

        ours = rate_of_threads(batch_of_ours, 1, SECONDS)
    limit = rate_of_threads(batch_of_stock, 1, SECONDS)
    return figure(
        "append.bulk, with leaf hashes", ours, "events/s", limit,
        f"the eventsourcing library's own recorder, batches of {BATCH} without hashes", least_ratio=1.5,
    )  # fmt: skip
