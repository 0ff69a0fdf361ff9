"""`project`: one worker beside the library's stock `ProjectionRunner`, and beside a plain batch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import count, islice

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.projection import ProjectionRunner

from domain.application.school_application import SchoolApplication, assessments_of
from domain.assessment import STEPS, AssessmentRecorded, Result
from domain.events import OPERATOR
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.vault import keystore
from projections.runner import Worker
from scripts.measuring.ground import Ground, new_school
from scripts.measuring.measure import Figure, figure, timed
from scripts.measuring.stock import StockProjection, StockPupil, StockSchool, StockView, environment

SCHOOLS = 10
PUPILS = 420
EVENTS = 200_000
STOCK_EVENTS = 4_000
SUBJECTS = ("REA", "WRI", "MAT", "SCI", "GPS")
TERMS = ("autumn", "spring", "summer")


def measure(ground: Ground) -> Iterator[Figure]:
    """Measures the figure: catching up with assessments in the order that class sheets bring them."""
    schools = ground.schools()
    filled = [new_school(schools) for _ in range(SCHOOLS)]
    for school in filled:
        fill(school, EVENTS // SCHOOLS)
    with Database(ground.worker) as database:
        worker = Worker(database, ground.service_keys)
        seconds = timed(worker.run_until_idle)
        batch = timed(lambda: plain_batch(ground, filled))
    ours = EVENTS / seconds
    stock = _stock(ground)
    yield figure(
        "project, one worker", ours, "events/s", stock,
        "the eventsourcing library's own ProjectionRunner", least_value=40_000,
    )  # fmt: skip
    yield figure(
        "project, one worker, beside a plain batch", ours, "events/s", EVENTS / batch,
        "the same events read, opened and upserted in batches of 1,000, unsealed and with no checkpoints",
    )  # fmt: skip


def fill(school: SchoolApplication, events: int, pupils_of_it: int = PUPILS) -> None:
    """Fills a school's stream with assessments, as sheet after sheet of a year group would."""
    append_batches(school, islice(sealed_assessments(school, pupils_of_it), events))


def append_batches(school: SchoolApplication, events: Iterator[StoredEvent], size: int = 5000) -> None:
    """Appends events so many at a time."""
    while stored := list(islice(events, size)):
        school.stream.append(stored)


def sealed_assessments(school: SchoolApplication, pupils_of_it: int = PUPILS) -> Iterator[StoredEvent]:
    """Assessments of a year group of made-up pupils, sheet after sheet, without end; none is appended."""
    pupils = [new_id() for _ in range(pupils_of_it)]
    with school.database.bound_to(school.school_id) as connection:
        keystore.add_subjects(connection, school.school_id, list(map(school.keys.make, pupils)))
    mapper = school.event_mapper
    versions = dict.fromkeys(pupils, 0)
    for number in count():
        pupil_id = pupils[number % pupils_of_it]
        turn = number // pupils_of_it
        versions[pupil_id] += 1
        recorded = AssessmentRecorded(
            originator_id=assessments_of(pupil_id),
            originator_version=versions[pupil_id],
            actor=OPERATOR,
            assessment_id=new_id(),
            pupil_id=pupil_id,
            result=Result(
                scheme=STEPS,
                subject=SUBJECTS[turn % 5],
                value=f"{1 + number % 6}w+",
                academic_year=2010 + turn // 15,
                term=TERMS[turn // 5 % 3],
                nc_year=str(1 + number % 6),
            ),
        )
        yield mapper.to_stored_event(recorded)


def plain_batch(ground: Ground, schools: Sequence[SchoolApplication]) -> None:
    """What a batch projection without any promise costs, with the keys of everybody at hand."""
    mappers = {school.school_id: school.event_mapper for school in schools}
    with psycopg.connect(ground.superuser, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE public.plain "
            "(pupil uuid, cell text, assessment uuid, value text, PRIMARY KEY (pupil, cell))"
        )
        with psycopg.connect(ground.superuser) as reading, reading.cursor("plain", binary=True) as cursor:
            cursor.itersize = 1000
            cursor.execute(
                "SELECT school_id, originator_id, originator_version, type, state FROM ledger.events "
                "WHERE type LIKE 'assessment.%' ORDER BY school_id, position"
            )
            while rows := cursor.fetchmany(1000):
                entries = {}
                for school_id, *row in rows:
                    event = mappers[school_id].to_domain_event(StoredEvent(*row))
                    assert isinstance(event, AssessmentRecorded)
                    result = event.result
                    cell = f"{result.subject}/{result.academic_year}/{result.term}"
                    entries[event.pupil_id, cell] = (event.assessment_id, result.value)
                connection.execute(
                    "INSERT INTO public.plain "
                    "SELECT * FROM unnest(%b::uuid[], %b::text[], %b::uuid[], %b::text[]) "
                    "ON CONFLICT (pupil, cell) "
                    "DO UPDATE SET assessment = excluded.assessment, value = excluded.value",
                    [
                        [pupil for pupil, _ in entries],
                        [cell for _, cell in entries],
                        [assessment for assessment, _ in entries.values()],
                        [value for _, value in entries.values()],
                    ],
                )


def _stock(ground: Ground) -> float:
    settings = environment(ground.superuser, create=True)
    with StockSchool(env=settings) as school:
        pupils = [StockPupil("Surname", "Forename", f"Class {number}") for number in range(100)]
        for _ in range(STOCK_EVENTS // 100 - 1):
            for pupil in pupils:
                pupil.change("Class 1")
        # One by one: the library's recorder can hang on a save of thousands of events.
        recordings = [school.save(pupil) for pupil in pupils][-1]
    began = time.perf_counter()
    with ProjectionRunner(
        application_class=StockSchool, projection_class=StockProjection, view_class=StockView, env=settings
    ) as runner:
        runner.wait(recordings[-1].notification.id, timeout=120)
    return STOCK_EVENTS / (time.perf_counter() - began)
