"""`progress`: a whole school over six points, beside the same rows opened and nothing worked out."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from datetime import date
from statistics import median
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from domain.academic_year import TERMS, AssessmentPoint, Term
from domain.application.importing import import_file
from domain.application.school_application import SchoolApplication, assessments_of
from domain.assessment import STEPS, AssessmentRecorded, nc_year_then, steps_result
from domain.codes.steps import STEPS as LADDER
from domain.events import OPERATOR, Compartment
from domain.identifiers import new_id
from domain.ledger.database import Connection, Database
from domain.ledger.sealing import generation_of, place_in_log, places_of_log, unseal
from domain.progress.question import Question
from domain.progress.report import report
from domain.vault import keystore
from domain.vault.keyring import Keyring
from projections import progress, pupils
from projections.runner import Worker
from scripts.measuring.ground import Ground, new_school
from scripts.measuring.imports import PUPILS, made_up_file
from scripts.measuring.measure import Figure, figure

SUBJECTS = ("REA", "WRI", "MAT", "SCI", "GPS")
START, END = AssessmentPoint(2023, Term.AUTUMN), AssessmentPoint(2024, Term.SUMMER)
POINTS = [AssessmentPoint(year, term) for year in (2022, 2023, 2024) for term in TERMS]
"""Those that the school has results at: the six of the question, and three before them."""

TODAY = date(2025, 8, 31)
ROUNDS = 25


def measure(ground: Ground) -> Iterator[Figure]:
    """Measures the figure: from the statements to every figure of every pupil, subject and group."""
    schools = ground.schools()
    school = new_school(schools)
    import_file(school, made_up_file(), OPERATOR, dry_run=False)
    question = Question.ask(START, END, STEPS)
    assert len(question.points) == 6
    results = fill(school) * 6 // len(POINTS)
    with Database(ground.worker) as database:
        Worker(database, ground.service_keys).run_until_idle()
    with schools.database.bound_to(school.school_id) as connection:

        def worked_out() -> None:
            # Opened for this request alone, with no key of a child at hand.
            keys = schools.opened(school.keys.school).keys
            found = progress.cohort(connection, keys, question, TODAY)
            made = report(question, found.members, found.results)
            assert len(made.pupils) == PUPILS
            assert sum(point.pupils for course in made.course.values() for point in course) == results

        def opened() -> None:
            keys = schools.opened(school.keys.school).keys
            pupils.find(connection, keys, on_roll=None, limit=None)
            assert _opened(connection, keys, question) == results

        ours, limit = milliseconds(worked_out, opened)
    yield figure(
        f"progress, {PUPILS} pupils, {len(SUBJECTS)} subjects, 6 points", ours, "ms", limit,
        "the same pupils and results read and opened, and nothing worked out", most_value=100,
    )  # fmt: skip


def fill(school: SchoolApplication) -> int:
    """Records a judgement of every pupil in every subject at every point, and says how many they are."""
    labels = [step.label for step in LADDER.values()]
    stored: list[StoredEvent] = []
    roll = school.roll()
    for place, (pupil_id, pupil) in enumerate(roll.items()):
        version = len(list(school.stream.events_of(assessments_of(pupil_id))))
        for turn, point in enumerate(POINTS):
            nc_year = nc_year_then(pupil.record.nc_year, 2024 - point.academic_year)
            for subject in SUBJECTS:
                version += 1
                band = int(nc_year) if nc_year and nc_year.isdecimal() else 1
                ordinal = max(0, 6 * band - 8 + 2 * (turn % 3) + (place + len(stored)) % 5)
                recorded = AssessmentRecorded(
                    originator_id=assessments_of(pupil_id),
                    originator_version=version,
                    actor=OPERATOR,
                    assessment_id=new_id(),
                    pupil_id=pupil_id,
                    result=steps_result(subject, labels[min(ordinal, 35)], point, nc_year),
                )
                stored.append(school.event_mapper.to_stored_event(recorded))
    for start in range(0, len(stored), 5000):
        school.stream.append(stored[start : start + 5000])
    return len(stored)


def _opened(connection: Connection, keys: Keyring, question: Question) -> int:
    """The rows that progress reads, each one opened and left unread."""
    rows = connection.execute(
        progress.SQL["at_points"],
        {
            "school": keys.school_id,
            "years": sorted({at.academic_year for at in question.points}),
            "terms": [term.value for term in TERMS],
            "schemes": [STEPS],
            "pupils": None,
        },
        binary=True,
    ).fetchall()
    pupil_ids: list[UUID] = [row[0] for row in rows]
    keys.give(pupil_ids, keystore.of_subjects(connection, keys.school_id, pupil_ids))
    opened = 0
    for pupil_id, topics, versions, records, _ in rows:
        places = places_of_log(keys.school_id, assessments_of(pupil_id), Compartment.RECORD)
        for topic, version, record in zip(topics, versions, records, strict=True):
            cipher = keys.to_open(pupil_id, Compartment.RECORD, generation_of(record))
            assert cipher is not None
            unseal(cipher, record, place_in_log(places, version, topic))
            opened += 1
    return opened


def milliseconds(*works: Callable[[], object]) -> list[float]:
    """Milliseconds that pieces of work take, the median of some rounds, in which they take turns."""
    for work in works:
        work()
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, times in zip(works, taken, strict=True):
            gc.collect()
            began = time.perf_counter()
            work()
            times.append(time.perf_counter() - began)
    return [1000 * median(times) for times in taken]
