"""`rebuild`: 1,000,000 sealed results of 1,000 schools made again by two processes, while somebody reads."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from multiprocessing import active_children, get_context
from uuid import UUID

import psycopg

from domain.application.school_application import SchoolApplication, Schools
from domain.identifiers import new_id
from domain.ledger.database import Database, bound
from domain.ledger.stream import register_school
from domain.vault import keystore
from domain.vault.key_ring import KeyRing
from domain.vault.keyring import Keyring, SchoolKeys
from projections import assessments
from projections.rebuilding.making import batches
from projections.rebuilding.pool import Progress
from projections.rebuilding.rebuild import rebuild
from projections.runner import Worker, collect_garbage_seldom, keys_of
from scripts.embedded import OWNER
from scripts.measuring.ground import Ground
from scripts.measuring.measure import Figure, figure, peak, timed
from scripts.measuring.projecting import fill

SCHOOLS = 1000
EVENTS = 1000
"""Results of each school."""

PUPILS = 210
"""Pupils of each school: one form of entry."""

PROCESSES = 2
QUIET = 3.0
"""Seconds of reading while nothing is rebuilt."""


def measure(ground: Ground) -> Iterator[Figure]:
    """Measures the figures: from the first event that is read to the switch, all rows compared."""
    schools = _filled(ground, max(2 * PROCESSES, round(SCHOOLS * ground.scale)))
    events = len(schools) * EVENTS
    with Database(ground.worker) as database:
        Worker(database, ground.service_keys).run_until_idle()
    fold = timed(lambda: _in_processes(ground, list(schools)))
    copy = timed(lambda: _copied(ground))
    owner = ground.server.conninfo(OWNER, ground.name)
    with _reading(ground, schools) as read:
        before = read(lambda: time.sleep(QUIET))
        seconds, most = 0.0, 0.0

        def look_at_memory(progress: Progress) -> None:
            nonlocal most
            if progress.schools_done % 100 == 0 or progress.schools_done == progress.schools:
                most = max(most, *(peak(process.pid) for process in active_children() if process.pid))

        def make() -> None:
            nonlocal seconds
            result = rebuild(
                owner, ground.service_keys, assessments.PROJECTION, workers=PROCESSES, told=look_at_memory
            )
            assert result.switched
            assert not result.different
            seconds = result.seconds

        during = read(make)
    yield figure(
        f"rebuild, {PROCESSES} processes", events / seconds, "events/s", events / fold,
        "the same events read, opened and folded in memory by as many, and nothing written or compared",
        least_value=80_000,
    )  # fmt: skip
    yield figure(
        f"rebuild, {PROCESSES} processes, beside raw COPY", events / seconds, "events/s", events / copy,
        "the rows alone, as bytes, into a table without an index",
    )  # fmt: skip
    yield figure(
        "rebuild, memory of the largest process at its peak", most, "MiB", 300,
        "what it may have", most_value=300,
    )  # fmt: skip
    yield figure(
        "a pupil's results, read while that is rebuilt, median", during, "ms", before,
        "the same while nothing is rebuilt", most_ratio=1.5,
    )  # fmt: skip


def _filled(ground: Ground, number: int) -> dict[UUID, SchoolKeys]:
    """So many schools with their results, by id."""
    filled = {}
    schools = ground.schools()
    with Database(ground.api) as database:
        for place in range(number):
            keys = SchoolKeys.new(new_id())
            with database.bound_to(keys.school_id) as connection:
                register_school(connection, keys.school_id, str(300_000 + place))
                keystore.add_school(connection, keys, ground.service_keys, ground.recovery)
            fill(_opened(schools, keys), EVENTS, PUPILS)
            filled[keys.school_id] = keys
    return filled


def _opened(schools: Schools, keys: SchoolKeys) -> SchoolApplication:
    return schools.opened(keys)


def _in_processes(ground: Ground, schools: list[UUID]) -> None:
    """The fold alone, in as many processes."""
    arguments = (ground.worker, ground.service_keys.document())
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        parts = [schools[part::PROCESSES] for part in range(PROCESSES)]
        for done in [pool.submit(fold_alone, *arguments, part) for part in parts]:
            done.result()


def fold_alone(conninfo: str, ring: bytes, schools: list[UUID]) -> None:
    """Folds schools' results in memory, one school after another."""
    service_keys, projection = KeyRing.read(ring), assessments.PROJECTION
    collect_garbage_seldom()
    with psycopg.connect(conninfo, autocommit=True, prepare_threshold=1) as connection:
        for school_id in schools:
            with bound(connection, school_id):
                keys = keys_of(connection, school_id, service_keys)
                projection.fold(keys, batches(connection, school_id, 0, EVENTS, projection))


def _copied(ground: Ground) -> None:
    """Copies the live rows, as bytes, from one connection to another."""
    with psycopg.connect(ground.superuser) as source, psycopg.connect(ground.superuser) as sink:
        sink.execute("CREATE TABLE public.copied (LIKE projections.assessments)")
        with (
            source.cursor().copy("COPY projections.assessments TO STDOUT (FORMAT binary)") as out,
            sink.cursor().copy("COPY public.copied FROM STDIN (FORMAT binary)") as into,
        ):
            for part in out:
                into.write(part)
        sink.commit()
        sink.execute("DROP TABLE public.copied")


@contextmanager
def _reading(
    ground: Ground, schools: dict[UUID, SchoolKeys]
) -> Iterator[Callable[[Callable[[], None]], float]]:
    """Somebody who reads the results of one pupil after another, 50 in a second."""
    with psycopg.connect(ground.superuser) as connection:
        wanted = connection.execute(
            "SELECT DISTINCT ON (school_id) school_id, pupil_id FROM projections.assessments LIMIT 100"
        ).fetchall()
    with Database(ground.api, max_size=1) as database:

        def median(work: Callable[[], None]) -> float:
            """Milliseconds that a read takes while something else is done, the median."""
            stop, taken = threading.Event(), list[float]()

            def loop() -> None:
                for school_id, pupil_id in cycle(wanted):
                    if stop.wait(0.02):
                        return
                    began = time.perf_counter()
                    with database.bound_to(school_id) as bound_one:
                        assert assessments.latest(bound_one, Keyring(schools[school_id]), pupil_id)
                    taken.append(1000 * (time.perf_counter() - began))

            reader = threading.Thread(target=loop)
            reader.start()
            try:
                work()
            finally:
                stop.set()
                reader.join()
            return statistics.median(taken)

        yield median
