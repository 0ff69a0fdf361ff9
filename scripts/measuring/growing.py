"""`project.sealed` and `project.lag`: workers at streams that grow, as processes of their own.

A worker that catches up with what lies there is measured by `project`. Here another process appends as well.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Self
from uuid import UUID

import psycopg
from eventsourcing.persistence import StoredEvent

from domain.application.school_application import SchoolApplication
from domain.ledger.database import Database
from domain.ledger.stream import Stream
from domain.vault.key_ring import KeyRing
from projections.runner import Worker, collect_garbage_seldom
from scripts.measuring.ground import Ground, new_school
from scripts.measuring.measure import Figure, figure, timed
from scripts.measuring.projecting import append_batches, plain_batch, sealed_assessments

SCHOOLS = 100
EVENTS = 200_000
GROWTH = 20_000
"""So many of the events are appended while workers are at the others."""

GROWTH_BATCH = 200
GROWTH_RATE = 10_000
"""Events a second that are appended."""

LAG_RATE = 500
LAG_SECONDS = 20
LAG_THREADS = 4
LOOK_INTERVAL = 0.01

Batch = tuple[UUID, list[StoredEvent]]


def measure_sealed(ground: Ground) -> Iterator[Figure]:
    """Measures one worker, and two: 200,000 sealed events of 100 schools, of which a tenth come meanwhile."""
    schools, growth = _filled(ground)
    seconds, processor = _projected(ground, growth, workers=1)
    one = EVENTS / seconds
    began = time.process_time()
    plain = EVENTS / timed(lambda: plain_batch(ground, schools))
    plain_processor = (time.process_time() - began) / EVENTS
    yield figure(
        "project.sealed, one worker", one, "events/s", plain,
        "the same events read, opened and upserted in batches of 1,000, unsealed and with no checkpoints",
        least_value=40_000,
    )  # fmt: skip
    yield figure(
        "the same, processor time of an event, in the worker and in its server process",
        processor / EVENTS * 1e6, "µs", plain_processor * 1e6,
        "of the plain batch, without its server processes", most_value=25,
    )  # fmt: skip
    _, growth = _filled(ground)
    seconds, _ = _projected(ground, growth, workers=2)
    yield figure(
        "project.sealed, two workers", EVENTS / seconds, "events/s", one, "one worker", least_ratio=1.7
    )  # fmt: skip


def _filled(ground: Ground) -> tuple[list[SchoolApplication], list[Batch]]:
    """Schools with most of their events, and the others in the order in which they will be appended."""
    service = ground.schools()
    schools, growing = [], []
    for _ in range(SCHOOLS):
        school = new_school(service)
        sealed = sealed_assessments(school)
        append_batches(school, islice(sealed, (EVENTS - GROWTH) // SCHOOLS))
        rest = list(islice(sealed, GROWTH // SCHOOLS))
        growing += [
            (school.school_id, rest[at : at + GROWTH_BATCH]) for at in range(0, len(rest), GROWTH_BATCH)
        ]
        schools.append(school)
    return schools, growing


def _projected(ground: Ground, growth: Sequence[Batch], workers: int) -> tuple[float, float]:
    """Lets some workers, and a process that appends meanwhile, do all that there is.

    Returns:
        The seconds that it took, and the workers' processor time, their server processes' included.
    """
    with psycopg.connect(ground.superuser, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        connection.execute("VACUUM ANALYZE")
    context = get_context("spawn")
    grown = context.Event()
    ready = context.Barrier(workers + 2)
    used: SimpleQueue[float] = context.SimpleQueue()
    keys = ground.service_keys.document()
    children = [context.Process(target=_append_steadily, args=(ground.api, growth, ready, grown))] + [
        context.Process(target=_catch_up, args=(ground.worker, keys, ready, grown, used))
        for _ in range(workers)
    ]
    for child in children:
        child.start()
    ready.wait()
    began = time.perf_counter()
    for child in children:
        child.join()
    seconds = time.perf_counter() - began
    if any(child.exitcode for child in children):
        raise RuntimeError("a process that was measured has failed")
    return seconds, sum(used.get() for _ in range(workers))


def _append_steadily(conninfo: str, growth: Sequence[Batch], ready: Barrier, grown: Event) -> None:
    with Database(conninfo) as database:
        ready.wait()
        began, appended = time.perf_counter(), 0
        for school_id, events in growth:
            time.sleep(max(0.0, began + appended / GROWTH_RATE - time.perf_counter()))
            Stream(database, school_id).append(events)
            appended += len(events)
        grown.set()


def _catch_up(conninfo: str, keys: bytes, ready: Barrier, grown: Event, used: SimpleQueue[float]) -> None:
    database = Database(conninfo, max_size=1)
    worker = Worker(database, KeyRing.read(keys))
    with database.connection() as connection:  # it is there, and is the only one
        server = connection.info.backend_pid
    collect_garbage_seldom()
    ready.wait()
    before = time.process_time() + _processor_time_of(server)
    while True:
        was_all = grown.is_set()
        if not worker.run_once():
            if was_all:
                break
            time.sleep(0.005)
    used.put(time.process_time() + _processor_time_of(server) - before)
    os._exit(0)  # the pool's threads would have to be waited for


def _processor_time_of(process: int) -> float:
    """Seconds of processor time that a process of this machine has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_lag(ground: Ground) -> Iterator[Figure]:
    """Measures how long it takes from the commit of an event until its row can be read."""
    service = ground.schools()
    schools = [new_school(service) for _ in range(SCHOOLS)]
    number = LAG_RATE * LAG_SECONDS
    sealed = [list(islice(sealed_assessments(school), number // SCHOOLS)) for school in schools]
    streams = [school.stream for school in schools]
    with _worker(ground), _Observer(ground.worker, {stream.school_id for stream in streams}) as observer:
        observer.wait_until_caught_up(streams)
        committed = _append_singly(streams, sealed)
        observer.wait_until_caught_up(streams)
    visible = observer.times(committed, 0)
    on_stream = observer.times(committed, 1)
    p99 = quantiles(visible, n=100)[98] * 1000
    limit = quantiles(on_stream, n=100)[98] * 1000
    yield figure(
        f"project.lag, {LAG_RATE} single events a second for {LAG_SECONDS} s, p99", p99, "ms", limit,
        "p99 until the same observer sees the event itself on its stream", most_value=250,
    )  # fmt: skip
    yield figure(
        "the same, median", median(visible) * 1000, "ms", median(on_stream) * 1000,
        "the median of the same",
    )  # fmt: skip


@contextmanager
def _worker(ground: Ground) -> Iterator[None]:
    """A worker in a process of its own, which works until the end."""
    context = get_context("spawn")
    stop = context.Event()
    child = context.Process(target=_work, args=(ground.worker, ground.service_keys.document(), stop))
    child.start()
    try:
        yield
    finally:
        stop.set()
        child.join()
    if child.exitcode:
        raise RuntimeError("the worker has failed")


def _work(conninfo: str, keys: bytes, stop: Event) -> None:
    told = threading.Event()

    def wait() -> None:
        stop.wait()
        told.set()

    threading.Thread(target=wait, daemon=True).start()
    with Database(conninfo) as database:
        collect_garbage_seldom()
        Worker(database, KeyRing.read(keys)).run(told)


class _Observer:
    """Looks every few milliseconds how far the streams and the checkpoints are, and notes when."""

    def __init__(self, conninfo: str, schools: set[UUID]) -> None:
        self._conninfo = conninfo
        self._schools = list(schools)
        self.seen: dict[UUID, list[tuple[float, int, int]]] = {school: [] for school in schools}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            while not self._done.is_set():
                rows: list[tuple[Any, ...]] = connection.execute(
                    "SELECT s.school_id, coalesce(c.position, 0), s.position FROM ledger.streams s"
                    " LEFT JOIN projections.checkpoints c"
                    " ON c.school_id = s.school_id AND c.projection = 'assessments'"
                    " WHERE s.school_id = ANY (%s)",
                    [self._schools],
                    binary=True,
                ).fetchall()
                now = time.perf_counter()
                for school, applied, head in rows:
                    line = self.seen[school]
                    if not line or line[-1][1:] != (applied, head):
                        line.append((now, applied, head))
                self._done.wait(LOOK_INTERVAL)

    def wait_until_caught_up(self, streams: Sequence[Stream]) -> None:
        """Returns when everything that there is has been applied."""
        heads = {stream.school_id: stream.head().position for stream in streams}
        deadline = time.perf_counter() + 60
        while not all(line and line[-1][1] >= heads[school] for school, line in self.seen.items()):
            if time.perf_counter() > deadline:
                raise RuntimeError("the worker does not catch up")
            time.sleep(0.01)

    def times(self, committed: Sequence[tuple[UUID, int, float]], place: int) -> list[float]:
        """Seconds from each commit until the checkpoint (place 0) or the head (1) was seen to be there."""
        taken = []
        for school, position, at in committed:
            seen = next(line[0] for line in self.seen[school] if line[1 + place] >= position)
            taken.append(max(0.0, seen - at))
        return taken


def _append_singly(
    streams: Sequence[Stream], sealed: Sequence[Sequence[StoredEvent]]
) -> list[tuple[UUID, int, float]]:
    """Appends events one at a time at a steady rate, school after school, and notes each commit."""
    committed: list[list[tuple[UUID, int, float]]] = [[] for _ in range(LAG_THREADS)]
    began = time.perf_counter() + 0.1

    def append(thread: int) -> None:
        for number in range(thread, len(streams) * len(sealed[0]), LAG_THREADS):
            stream = streams[number % len(streams)]
            time.sleep(max(0.0, began + number / LAG_RATE - time.perf_counter()))
            last = stream.append([sealed[number % len(streams)][number // len(streams)]]).last
            committed[thread].append((stream.school_id, last, time.perf_counter()))

    _all_at_once([lambda thread=thread: append(thread) for thread in range(LAG_THREADS)])  # type: ignore[misc]
    seconds = time.perf_counter() - began
    if seconds > LAG_SECONDS * 1.1:
        raise RuntimeError(f"{LAG_RATE} events a second cannot be appended here: it took {seconds:.1f} s")
    return [each for thread in committed for each in thread]


def _all_at_once(works: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
