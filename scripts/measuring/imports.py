"""`import`: a CTF of 420 pupils and 10,000 results, from bytes to commit, beside raw COPY."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from statistics import median

import psycopg

from domain.application.importing import import_file
from domain.assessment import STATUTORY, Result
from domain.codes.upn import make_upn
from domain.events import OPERATOR
from domain.files.ctf_writer import CtfPupil, CtfSchool, write_ctf
from scripts.measuring.ground import Ground, made_up_child, new_school
from scripts.measuring.measure import Figure, figure, timed

PUPILS = 420
RESULTS_EACH = 24
ROUNDS = 5


def measure(ground: Ground) -> Iterator[Figure]:
    """Measures the figure, the median of some rounds, each into a school of its own."""
    schools = ground.schools()
    content = made_up_file()
    seconds = []
    for _ in range(ROUNDS):
        school = new_school(schools)
        before = school.stream.head().position
        seconds.append(timed(partial(import_file, school, content, OPERATOR, dry_run=False)))
    events = PUPILS * (1 + RESULTS_EACH) + 1
    rows: list[tuple[object, ...]] = [
        (row.originator_id, row.originator_version, row.topic, row.state)
        for row in school.stream.events_between(before + 1, limit=events)
    ]
    assert len(rows) == events
    copied = median(timed(partial(_copy, ground, rows)) for _ in range(ROUNDS))
    yield figure(
        "import", events / median(seconds), "events/s", len(rows) / copied,
        "raw COPY of the same events into a bare table", least_value=20_000,
    )  # fmt: skip


def made_up_file() -> bytes:
    """The file."""
    school = CtfSchool(la="881", establishment="2001", urn="123456", name="Made-up School")
    pupils = []
    for number in range(PUPILS):
        names, record = made_up_child(number)
        names = type(names)(
            surname=names.surname,
            forename=names.forename,
            date_of_birth=names.date_of_birth,
            upn=make_upn(881, 2001, 2022, number),
        )
        results = [
            Result(
                scheme=STATUTORY, subject="MAT", component=f"E{place:02d}", stage="EYF", method="FA",
                status="R", qualifier="FD", value="2", academic_year=2020 + place % 4,
            )
            for place in range(RESULTS_EACH)
        ]  # fmt: skip
        pupils.append(CtfPupil(names=names, record=record, results=tuple(results)))
    return write_ctf(school, 2026, pupils, datetime(2026, 11, 2, 9, tzinfo=UTC))


def _copy(ground: Ground, rows: list[tuple[object, ...]]) -> None:
    with psycopg.connect(ground.superuser) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE raw (originator uuid, version bigint, type text, state bytea)")
        with cursor.copy("COPY raw FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["uuid", "int8", "text", "bytea"])
            for row in rows:
                copy.write_row(row)
        connection.commit()
