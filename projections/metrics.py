"""What a monitoring system is told of the projections and of one worker, in the terms of Prometheus.

There is nothing personal in it. Every projection has totals and maxima over all schools; single schools
are named, by their ids alone, only where somebody has to look: those that have stopped, and those that
are furthest behind, so many of each at most. So the number of series does not grow with the number of
schools. Every worker tells the same of the projections, each as it found them when it was asked; of
itself each tells its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import psycopg
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from domain.ledger.database import Database
from projections.projection import Projection
from projections.runner import PROJECTIONS, SQL, ProjectionStatus, status

MOST_SCHOOLS = 10
"""The most schools of a projection that are named as stopped, and the most that are named as behind."""

KEPT = 2.0
"""Seconds for which what was found is told again: several systems that ask at once cost one look."""

PREFIX = "target_tracker"


class Working(Protocol):
    """What is told of a worker."""

    @property
    def applied(self) -> int:
        """By how many positions it has moved checkpoints."""

    @property
    def listening(self) -> bool:
        """Whether it hears of appends."""

    @property
    def looked_at(self) -> float | None:
        """When it last looked for something to do, on the monotonic clock, in seconds."""


class LagCollector(Collector):
    """Looks how far the projections are whenever it is asked."""

    def __init__(
        self, database: Database, worker: Working, projections: Sequence[Projection] = PROJECTIONS
    ) -> None:
        """Makes a collector.

        Args:
            database: Connections of the worker's role.
            worker: The worker of this process.
            projections: The projections to tell of.
        """
        self._database = database
        self._worker = worker
        self._projections = projections
        self._lock = threading.Lock()
        self._found: tuple[int, list[ProjectionStatus]] | None = None
        self._found_at = -KEPT

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is need not be looked for when the collector is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics, as they are now. Without the database, those of the worker alone."""
        yield _counter(
            "worker_positions",
            "Positions that this worker has moved checkpoints by since it began.",
            self._worker.applied,
        )
        yield _gauge("worker_listening", "1 if this worker hears of appends, 0 if it has to look for them.",
                     float(self._worker.listening))  # fmt: skip
        if (looked_at := self._worker.looked_at) is not None:
            yield _gauge(
                "worker_looked_seconds_ago",
                "Seconds since this worker last looked for something to do.",
                time.monotonic() - looked_at,
            )
        found = self._look()
        yield _gauge("lag_known", "1 if the database could be asked how far projections are, 0 if not.",
                     float(found is not None))  # fmt: skip
        if found is not None:
            schools, behind = found
            yield _gauge("schools", "Schools that have a stream.", schools)
            yield from self._totals(behind)
            yield from self._named(behind)

    def _look(self) -> tuple[int, list[ProjectionStatus]] | None:
        with self._lock:
            if time.monotonic() >= self._found_at + KEPT:
                try:
                    with self._database.transaction() as connection:
                        [(schools,)] = connection.execute(SQL["schools"]).fetchall()
                    self._found = schools, status(self._database, self._projections, only_behind=True)
                except psycopg.Error:
                    self._found = None
                self._found_at = time.monotonic()
            return self._found

    def _totals(self, behind: Sequence[ProjectionStatus]) -> Iterator[Metric]:
        to_read = _by_projection(
            "projection_events_behind", "Events that are still to be read, of all schools."
        )
        late = _by_projection("projection_schools_behind", "Schools that are behind, the stopped included.")
        stopped = _by_projection("projection_schools_stopped", "Schools that have stopped.")
        oldest = _by_projection(
            "projection_oldest_seconds",
            "Seconds since the oldest event that is not applied was recorded; the stopped are left out.",
        )
        for projection in self._projections:
            lines = [line for line in behind if line.projection == projection.name]
            ages = [line.seconds or 0.0 for line in lines if line.stopped_at is None]
            to_read.add_metric([projection.name], sum(line.behind for line in lines))
            late.add_metric([projection.name], len(lines))
            stopped.add_metric([projection.name], len(lines) - len(ages))
            oldest.add_metric([projection.name], max(ages, default=0.0))
        yield from (to_read, late, stopped, oldest)

    def _named(self, behind: Sequence[ProjectionStatus]) -> Iterator[Metric]:
        since = _by_school("school_stopped_timestamp_seconds", "When a school stopped, in Unix time.")
        tries = _by_school("school_stopped_tries", "How often what a school stopped at has been tried.")
        to_read = _by_school(
            "school_events_behind", "Events to read, of the schools that are furthest behind."
        )
        age = _by_school(
            "school_oldest_seconds",
            "Seconds since the oldest event that is not applied, of the schools that are furthest behind.",
        )
        for projection in self._projections:
            lines = [line for line in behind if line.projection == projection.name]
            for line in [line for line in lines if line.stopped_at][:MOST_SCHOOLS]:
                assert line.stopped_at
                since.add_metric([line.projection, str(line.school_id)], line.stopped_at.timestamp())
                tries.add_metric([line.projection, str(line.school_id)], line.tries)
            moving = [line for line in lines if not line.stopped_at]
            for line in sorted(moving, key=lambda line: -(line.seconds or 0.0))[:MOST_SCHOOLS]:
                to_read.add_metric([line.projection, str(line.school_id)], line.behind)
                age.add_metric([line.projection, str(line.school_id)], line.seconds or 0.0)
        yield from (since, tries, to_read, age)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"{PREFIX}_{name}", text, value=value)


def _by_projection(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=["projection"])


def _by_school(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=["projection", "school_id"])
