"""`memory`: what a worker and the API hold after 1,000,000 events, beside what they hold after 10,000."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from uuid import UUID

from domain.application import histories
from domain.application.school_application import Schools
from domain.ledger.database import Database
from domain.vault.key_ring import KeyRing
from domain.vault.service_keys import ServiceKeys
from projections import assessments, pupils
from projections.runner import Worker
from scripts.measuring.ground import Ground, new_school
from scripts.measuring.measure import Figure, figure, resident
from scripts.measuring.projecting import fill

FEW, FEW_SCHOOLS = 10_000, 2
MANY, MANY_SCHOOLS = 1_000_000, 20
"""Even the few make whole batches, so that the two differ in the number of events alone."""


def measure(ground: Ground) -> Iterator[Figure]:
    """Measures the figures, each in a process of its own, so that neither pays for the other."""
    schools = ground.schools()
    for _ in range(FEW_SCHOOLS):
        fill(new_school(schools), FEW // FEW_SCHOOLS)
    before = {part: _resident(part, ground) for part in ("worker", "api")}
    more = MANY_SCHOOLS - FEW_SCHOOLS
    for _ in range(more):
        fill(new_school(schools), (MANY - FEW) // more)
    for part in ("worker", "api"):
        yield figure(
            f"memory, {part} after 1,000,000 events", _resident(part, ground), "MiB", before[part],
            "the same process after 10,000 events", most_ratio=1.1,
        )  # fmt: skip


def _resident(part: str, ground: Ground) -> float:
    result = subprocess.run(
        [sys.executable, "-m", "scripts.measuring.memory", part, ground.api, ground.worker],
        input=ground.service_keys.document().decode(),
        check=True,
        capture_output=True,
        text=True,
    )
    return float(result.stdout)


def as_worker(conninfo: str, service_keys: ServiceKeys) -> float:
    """Catches up with everything there is."""
    with Database(conninfo) as database:
        Worker(database, service_keys).run_until_idle()
        return resident()


def as_api(conninfo: str, service_keys: ServiceKeys) -> float:
    """Reads every school's pupils, newest history and some assessments, as requests would."""
    schools = Schools(conninfo, service_keys)
    with schools.database.connection() as connection:
        ids = [row[0] for row in connection.execute("SELECT school_id FROM ledger.schools")]
    for _ in range(5):
        for school_id in ids:
            school = schools.opened_by_service(school_id)
            head = school.stream.head().position
            entries = histories.of_school(school, after=max(head - 100, 0))
            with schools.database.bound_to(school_id) as connection:
                pupils.find(connection, school.keys)
                for entry in entries[:20]:
                    assessments.latest(connection, school.keys, UUID(str(entry.details["pupil_id"])))
    return resident()


if __name__ == "__main__":
    _, part, api, worker = sys.argv
    ring = KeyRing.read(sys.stdin.buffer.read())
    print(as_worker(worker, ring) if part == "worker" else as_api(api, ring))
