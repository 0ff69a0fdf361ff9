"""`release`: a release over 2,000 schools, from counting every pupil to the published tables.

The schools are made cheaply: without staff or login keys, and with no more than what a release reads. Each
has 60 to 180 pupils, 120 on average, with judgements in three subjects at the point and at the one before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from itertools import count
from uuid import UUID

from eventsourcing.persistence import StoredEvent

import domain.pupil
import domain.school
from domain.academic_year import AssessmentPoint, Term
from domain.application.school_application import Schools, assessments_of
from domain.assessment import AssessmentRecorded, nc_year_then, steps_result
from domain.codes.steps import STEPS as LADDER
from domain.events import OPERATOR, Compartment, Event
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.ledger.sealing import generation_of, place_in_log, places_of_log, unseal
from domain.ledger.stream import register_school
from domain.school import REGIONS, SCHOOL_TYPES, SchoolFacts
from domain.vault import keystore
from domain.vault.keyring import SchoolKeys
from projections.assessments import AssessmentsProjection
from projections.benchmarks.points import Point
from projections.benchmarks.proposing import propose
from projections.benchmarks.publishing import publish
from projections.disclosure import Rules
from projections.projection import Projection
from projections.pupils import PupilsProjection
from projections.runner import Worker, keys_of
from scripts.measuring.ground import Ground, made_up_child
from scripts.measuring.measure import Figure, figure

SCHOOLS = 2000
PUPILS = (60, 90, 120, 150, 180)
SUBJECTS = ("REA", "WRI", "MAT")
THEN, BEFORE = AssessmentPoint(2024, Term.SUMMER), AssessmentPoint(2024, Term.SPRING)
TODAY = date(2025, 9, 1)
SAMPLE = 20
"""Every so manieth school is read for the limit."""

MOST_SECONDS = 60

_urns = count(600_000)
_LABELS = [step.label for step in LADDER.values()]


def measure(ground: Ground, schools: int = SCHOOLS) -> Iterator[Figure]:
    """Measures the figure: the proposal with all rules, and its publication."""
    made = fill(ground.schools(), schools)
    with Database(ground.worker) as database:
        projections: list[Projection] = [PupilsProjection(), AssessmentsProjection()]
        Worker(database, ground.service_keys, projections).run_until_idle()
        began = time.perf_counter()
        report = propose(
            database, ground.service_keys, TODAY, Rules(), [Point.of(THEN)], conninfo=ground.worker
        )
        assert report.proposal is not None
        published = publish(database, report.proposal)
        seconds = time.perf_counter() - began
        assert published.figures > published.suppressed > 0
        sample = list(made)[::SAMPLE]
        limit = _opened(ground, database, sample) * len(made) / len(sample)
    pupils = sum(made.values())
    yield figure(
        f"release, {len(made):,} schools, {pupils:,} pupils, {published.figures:,} figures", seconds, "s",
        limit, f"one process reads and opens the same rows, measured on every {SAMPLE}th school",
        most_value=MOST_SECONDS,
    )  # fmt: skip


def fill(schools: Schools, number: int) -> dict[UUID, int]:
    """Makes schools, and says how many pupils each has."""
    return {_school(schools, place): PUPILS[place % len(PUPILS)] for place in range(number)}


def _school(schools: Schools, place: int) -> UUID:
    keys = SchoolKeys.new(new_id())
    school = schools.opened(keys)
    facts = SchoolFacts(
        name="Made-up School",
        urn=str(next(_urns)),
        local_authority="881",
        establishment="2001",
        region=REGIONS[place % len(REGIONS)],
        school_type=SCHOOL_TYPES[place % 3],
    )
    registered = domain.school.register(
        keys.school_id, facts, "office@made-up.example", date(2020, 9, 1), OPERATOR
    )
    events: list[Event] = [registered]
    subjects = [school.keys.make(keys.school_id)]
    for turn in range(PUPILS[place % len(PUPILS)]):
        pupil_id = new_id()
        subjects.append(school.keys.make(pupil_id))
        events += _pupil(pupil_id, place, turn)
    stored: list[StoredEvent] = [school.mapper.to_stored_event(event) for event in events]
    with school.database.bound_to(keys.school_id) as connection:
        register_school(connection, keys.school_id, facts.urn)
        keystore.add_school(connection, keys, schools.service_keys, schools.recovery)
        school.stream.append(stored, connection=connection)
        keystore.add_subjects(connection, keys.school_id, subjects)
    return keys.school_id


def _pupil(pupil_id: UUID, place: int, turn: int) -> Iterator[Event]:
    names, record = made_up_child(7 * place + turn)
    yield domain.pupil.admit(pupil_id, names, record, OPERATOR)
    nc_year = nc_year_then(record.nc_year, 1) or "1"
    band = int(nc_year) if nc_year.isdecimal() else 1
    for version, (point, subject) in enumerate(
        ((point, subject) for point in (BEFORE, THEN) for subject in SUBJECTS), start=1
    ):
        ordinal = 6 * band - 8 + 2 * (point is THEN) + (place * 5 + turn + version) % 7
        yield AssessmentRecorded(
            originator_id=assessments_of(pupil_id),
            originator_version=version,
            actor=OPERATOR,
            assessment_id=new_id(),
            pupil_id=pupil_id,
            result=steps_result(subject, _LABELS[max(0, min(ordinal, 35))], point, nc_year),
        )


def _opened(ground: Ground, database: Database, schools: list[UUID]) -> float:
    """Seconds that it takes to read and open what these schools' releases are made of."""
    began = time.perf_counter()
    for school_id in schools:
        with database.bound_to(school_id) as connection:
            keys = keys_of(connection, school_id, ground.service_keys)
            rows = connection.execute(
                "SELECT pupil_id, array_agg(type), array_agg(version), array_agg(record) "
                "FROM projections.assessments WHERE school_id = %s GROUP BY pupil_id",
                [school_id],
                binary=True,
            ).fetchall()
            keys.need([row[0] for row in rows])
            for pupil_id, topics, versions, records in rows:
                places = places_of_log(school_id, assessments_of(pupil_id), Compartment.RECORD)
                for topic, version, record in zip(topics, versions, records, strict=True):
                    cipher = keys.to_open(pupil_id, Compartment.RECORD, generation_of(record))
                    assert cipher is not None
                    unseal(cipher, record, place_in_log(places, version, topic))
    return time.perf_counter() - began
