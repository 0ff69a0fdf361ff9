"""`append.single` and `append.bulk`: our append beside the library's stock recorder, on the same server."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent

from domain.application.school_application import SchoolApplication
from domain.assessment import STEPS, AssessmentRecorded, Result
from domain.events import OPERATOR
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.ledger.recorders import StreamRecorder
from domain.vault import keystore
from scripts.measuring import stock
from scripts.measuring.ground import STATE, Ground, new_school
from scripts.measuring.measure import Figure, figure, rate_of_processes, rate_of_threads

SECONDS = 4.0
SCHOOLS = 16
BATCH = 1000
PUPILS = 420
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
    yield from _bulk(ground)


def _bulk(ground: Ground) -> Iterator[Figure]:
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
    sealed = rate_of_threads(sealed_batch(new_school(ground.schools())), 1, SECONDS)
    limit = rate_of_threads(batch_of_stock, 1, SECONDS)
    limit_is = f"the eventsourcing library's own recorder, batches of {BATCH} without"
    yield figure(
        "append.bulk, with leaf hashes", ours, "events/s", limit, f"{limit_is} hashes", least_ratio=1.5
    )
    yield figure(
        "append.bulk, sealed", sealed, "events/s", limit, f"{limit_is} seals and hashes", least_ratio=1.0
    )


def sealed_batch(school: SchoolApplication) -> Callable[[int], int]:
    """Maps, seals and appends a batch of results at each call, of children whose keys are at hand."""
    pupil_ids = [new_id() for _ in range(PUPILS)]
    with school.database.bound_to(school.school_id) as connection:
        keystore.add_subjects(connection, school.school_id, list(map(school.keys.make, pupil_ids)))
    result = Result(scheme=STEPS, subject="REA", value="3w+", academic_year=2026, term="autumn", nc_year="3")

    mapper = school.event_mapper

    def recorded(pupil_id: UUID) -> StoredEvent:
        return mapper.to_stored_event(
            AssessmentRecorded(
                originator_id=new_id(),
                originator_version=1,
                actor=OPERATOR,
                assessment_id=new_id(),
                pupil_id=pupil_id,
                result=result,
            )
        )

    def work(_: int) -> int:
        school.stream.append([recorded(random.choice(pupil_ids)) for _ in range(BATCH)])  # noqa: S311
        return BATCH

    return work
