"""Several processes that make schools' rows, each on a connection of its own, and how far they have come."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import lru_cache
from multiprocessing import get_context
from uuid import UUID

import msgspec

from domain.vault.key_ring import KeyRing
from domain.vault.service_keys import ServiceKeys
from projections.rebuilding.beside import CannotRebuild
from projections.rebuilding.making import Made, Maker
from projections.registry import PACKAGE, discover, named
from projections.runner import collect_garbage_seldom

AHEAD = 8
"""Schools that wait for each process, so that none is ever without work."""


NICE = 5
"""By how much less than others the processes press for the processors: readers and writers come first."""


class Progress(msgspec.Struct, frozen=True):
    """How far making the rows has come.

    Attributes:
        schools: How many schools there are.
        schools_done: Of how many the rows have been made.
        events: How many positions there are to go through.
        events_done: How many have been gone through.
        seconds: Since it began.
        differences: How many differences have been found.
    """

    schools: int
    schools_done: int
    events: int
    events_done: int
    seconds: float
    differences: int

    @property
    def left(self) -> float | None:
        """Seconds that it will still take, if it goes on as it has; none, as long as that cannot be told."""
        if not self.events_done:
            return None
        return self.seconds * (self.events - self.events_done) / self.events_done


Told = Callable[[Progress], None]
"""Is told how far making the rows has come, after each school."""


def made_of(
    conninfo: str,
    service_keys: ServiceKeys,
    projection: str,
    schools: list[tuple[UUID, int]],
    *,
    keep: bool,
    compare: bool = True,
    workers: int | None = None,
    told: Told | None = None,
    package: str = PACKAGE,
) -> Iterator[Made]:
    """Makes the rows of every school again, in any order.

    Args:
        conninfo: How the processes connect.
        service_keys: The service's keys; what they hold is handed on with each school, so that keys may be
            replaced meanwhile.
        projection: The projection's name.
        schools: The schools, and about how many positions each has.
        keep: Whether to copy the rows into the tables beside the live ones.
        compare: Whether to compare them with the live ones, which must then have the same columns.
        workers: How many processes; as many as there are processors, if not given.
        told: Is told how far it has come.
        package: Where the projection is.

    Raises:
        CannotRebuild: One of the processes has ended.
    """
    began = time.monotonic()
    number = max(1, min(workers or os.cpu_count() or 1, len(schools)))
    sizes, waiting, running = dict(schools), iter(schools), set[Future[Made]]()
    done, done_events, differences, events = 0, 0, 0, sum(size for _, size in schools)
    with ProcessPoolExecutor(
        number,
        get_context("spawn"),
        initializer=_begin,
        initargs=(conninfo, projection, keep, compare, package),
    ) as pool:
        try:
            while True:
                while len(running) < AHEAD * number and (school := next(waiting, None)):
                    ring = service_keys.held()
                    assert isinstance(ring, KeyRing)
                    running.add(pool.submit(_make, school[0], ring.document()))
                if not running:
                    return
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for each in ended:
                    try:
                        made = each.result()
                    except BrokenProcessPool:
                        raise CannotRebuild(
                            "One of the processes has ended, or was ended: nothing was changed"
                        ) from None
                    done, done_events = done + 1, done_events + sizes[made.school_id]
                    differences += made.number
                    if told:
                        seconds = time.monotonic() - began
                        told(Progress(len(schools), done, events, done_events, seconds, differences))
                    yield made
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_maker: list[Maker] = []


def _begin(conninfo: str, projection: str, keep: bool, compare: bool, package: str) -> None:
    with suppress(OSError):
        os.nice(NICE)
    collect_garbage_seldom()
    _maker.append(Maker(conninfo, named([projection], discover(package))[0], keep=keep, compare=compare))


def _make(school_id: UUID, ring: bytes) -> Made:
    return _maker[0].make(school_id, _ring(ring))


@lru_cache(maxsize=1)
def _ring(document: bytes) -> KeyRing:
    return KeyRing.read(document)
