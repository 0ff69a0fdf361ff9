"""Workers as processes of the operating system, honest ones and sabotaged ones."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from typing import Literal
from uuid import UUID

from domain.ledger.database import Connection, Database
from domain.vault.key_ring import KeyRing
from projections.projection import Projection
from projections.runner import SQL, Worker, _read, _take, keys_of
from tests.keys import SERVICE_KEYS

Sabotage = Literal["rows before checkpoint", "checkpoint before rows"]


class SabotagedWorker(Worker):
    """Writes rows and checkpoint in two transactions, and is killed between them."""

    sabotage: Sabotage
    dies_in: str

    def _move(self, school_id: UUID, projections: Sequence[Projection]) -> int:
        return sum(self._move_badly(school_id, projection) for projection in projections)

    def _move_badly(self, school_id: UUID, projection: Projection) -> int:
        with self._database.bound_to(school_id) as connection:
            connection.execute(SQL["open_checkpoints"], [school_id, [projection.name]])
            taken = _take(connection, school_id, projection.name)
        if taken is None:
            return 0
        position, head = taken
        last = min(head, position + self._batch)
        with self._database.bound_to(school_id) as connection:
            events = _read(connection, school_id, position, last, projection.categories)

        def write_rows(connection: Connection) -> None:
            if events:
                projection.apply(connection, keys_of(connection, school_id, self._service_keys), events)

        def move_checkpoint(connection: Connection) -> None:
            connection.execute(SQL["move_checkpoints"], [last, school_id, [projection.name]])

        steps = [write_rows, move_checkpoint]
        if self.sabotage == "checkpoint before rows":
            steps.reverse()
        for step in steps:
            with self._database.bound_to(school_id) as connection:
                step(connection)
            if step is steps[0] and events and projection.name == self.dies_in:
                os.kill(os.getpid(), signal.SIGKILL)
        return last - position


def work(conninfo: str, service_keys: bytes, batch: int) -> None:
    """What an honest worker's process does, until it is killed."""
    with Database(conninfo) as database:
        Worker(database, KeyRing.read(service_keys), batch=batch).run(threading.Event())


def work_badly(conninfo: str, service_keys: bytes, batch: int, sabotage: Sabotage, dies_in: str) -> None:
    """What a sabotaged worker's process does, until it kills itself."""
    with Database(conninfo) as database:
        worker = SabotagedWorker(database, KeyRing.read(service_keys), batch=batch)
        worker.sabotage, worker.dies_in = sabotage, dies_in
        worker.run(threading.Event())


class Processes:
    """Some workers' processes, which live until they are killed."""

    def __init__(self, conninfo: str, batch: int) -> None:
        self._conninfo = conninfo
        self._batch = batch
        self.running: list[SpawnProcess] = []

    def start(self, count: int = 1) -> None:
        for _ in range(count):
            arguments = (self._conninfo, SERVICE_KEYS.document(), self._batch)
            process = get_context("spawn").Process(target=work, args=arguments, daemon=True)
            process.start()
            self.running.append(process)

    def kill(self, place: int = 0) -> None:
        """Kills one that is at work, with no time for a last word."""
        process = self.running.pop(place)
        assert process.is_alive()
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL


@contextmanager
def workers(conninfo: str, count: int, batch: int) -> Iterator[Processes]:
    """So many workers at once."""
    processes = Processes(conninfo, batch)
    try:
        processes.start(count)
        yield processes
    finally:
        for process in processes.running:
            process.kill()
            process.join()


def run_sabotaged(conninfo: str, batch: int, sabotage: Sabotage, dies_in: str) -> None:
    """Lets a sabotaged worker work until its end."""
    arguments = (conninfo, SERVICE_KEYS.document(), batch, sabotage, dies_in)
    process = get_context("spawn").Process(target=work_badly, args=arguments, daemon=True)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
