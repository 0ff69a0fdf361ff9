"""No column of a projection holds anything personal, and the worker that fills it has no way to a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import msgspec
import psycopg
import pytest

import domain.ledger.mapper
import domain.pupil
from domain.application.school_application import assessments_of, attendance_of, targets_of
from domain.assessment import (
    STATUTORY,
    AssessmentCorrected,
    AssessmentRecorded,
    AssessmentVoided,
    Result,
)
from domain.attendance import AttendanceMarked, AttendanceTotalled, Totals
from domain.events import OPERATOR, Compartment, is_sealed
from domain.identifiers import new_id
from domain.ledger.database import Connection, Database
from domain.ledger.mapper import EventMapper
from domain.ledger.stream import RecordedEvent
from domain.pupil import PupilAdmitted, PupilChanged, PupilNames, PupilRecord, RecordChange
from domain.targets import Target, TargetSet
from domain.vault import keystore
from domain.vault.keyring import Keyring, SchoolKeys
from projections import runner
from projections.projection import Projection
from projections.pupils import PupilsProjection
from projections.runner import PROJECTIONS, Worker
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS
from tests.projections.catching_up import caught_up
from tests.projections.happenings import LivelySchool
from tests.projections.reference import actual, expected, keyring_of

CANARY = "canary-SINGS-in-the-mine"

BORN, ENTERED, LEFT = date(2017, 11, 23), date(2021, 10, 27), date(2025, 6, 19)
MARKED, COUNTED = date(2022, 3, 17), date(2022, 5, 12)

CANARIES = (CANARY, *(day.isoformat() for day in (BORN, ENTERED, LEFT, MARKED, COUNTED)))
"""What must stand in no column: it begins every text, and each date is one that nothing else has."""


def names_of(part: str) -> PupilNames:
    return PupilNames(
        surname=f"{CANARY}-{part}-surname",
        forename=f"{CANARY}-{part}-forename",
        date_of_birth=BORN,
        upn=f"{CANARY}-{part}-upn",
        former_upns=(f"{CANARY}-{part}-former",),
        postcode=f"{CANARY}-{part}-postcode",
    )


@pytest.fixture
def school(database: Database) -> LivelySchool:
    """A school with a child of whom everything is a canary that may be one."""
    school = LivelySchool(database, "300000")
    pupil_id, assessment_id = new_id(), new_id()
    record = PupilRecord(
        sex=f"{CANARY}-sex",
        date_of_entry=ENTERED,
        nc_year="4",
        class_name=f"{CANARY}-class",
        first_language=f"{CANARY}-language",
        ethnicity=f"{CANARY}-ethnicity",
        sen_provision=f"{CANARY}-sen",
    )
    admitted = domain.pupil.admit(pupil_id, names_of("first"), record, OPERATOR)
    changed = PupilChanged(
        originator_id=pupil_id,
        originator_version=2,
        actor=OPERATOR,
        names=names_of("second"),
        record=RecordChange(class_name=f"{CANARY}-other-class"),
    )
    pupil = domain.pupil.fold(None, [admitted, changed])
    assert pupil
    left = domain.pupil.leave(pupil, LEFT, OPERATOR, f"{CANARY}-reason", f"{CANARY}-destination")
    result = Result(
        scheme=STATUTORY,
        subject="ENG",
        value=f"{CANARY}-value",
        academic_year=2024,
        status=f"{CANARY}-status",
    )
    log = assessments_of(pupil_id)
    recorded = AssessmentRecorded(
        originator_id=log,
        originator_version=1,
        actor=OPERATOR,
        assessment_id=assessment_id,
        pupil_id=pupil_id,
        result=result,
    )
    corrected = AssessmentCorrected(
        originator_id=log,
        originator_version=2,
        actor=OPERATOR,
        assessment_id=assessment_id,
        pupil_id=pupil_id,
        result=result,
        reason=f"{CANARY}-slip",
    )
    # Two further entries: one is voided, and the other one has a target beside it.
    voided_id = new_id()
    other = AssessmentRecorded(
        originator_id=log,
        originator_version=3,
        actor=OPERATOR,
        assessment_id=voided_id,
        pupil_id=pupil_id,
        result=msgspec.structs.replace(result, subject="MAT"),
    )
    voided = AssessmentVoided(
        originator_id=log,
        originator_version=4,
        actor=OPERATOR,
        assessment_id=voided_id,
        pupil_id=pupil_id,
        reason=f"{CANARY}-void",
    )
    target = TargetSet(
        originator_id=targets_of(pupil_id),
        originator_version=1,
        actor=OPERATOR,
        target_id=new_id(),
        pupil_id=pupil_id,
        target=Target(scheme="steps", subject="REA", value=f"{CANARY}-target", academic_year=2025),
    )
    attended = attendance_of(pupil_id)
    marked = AttendanceMarked(
        originator_id=attended,
        originator_version=1,
        actor=OPERATOR,
        pupil_id=pupil_id,
        first_day=MARKED,
        marks=(f"{CANARY}-mark",),
        reason=f"{CANARY}-note",
    )
    totalled = AttendanceTotalled(
        originator_id=attended,
        originator_version=2,
        actor=OPERATOR,
        pupil_id=pupil_id,
        totals=Totals(
            first_day=COUNTED, last_day=COUNTED, possible=2, attended=2, authorised=0, unauthorised=0
        ),
    )
    school.append([admitted, changed, left, recorded, corrected, other, voided, target, marked, totalled])
    school.happen(60)
    return school


def leaking_columns(superuser: psycopg.Connection[Any]) -> list[str]:
    """The check: the columns of any table of projections that hold a canary, as table and column."""
    columns = superuser.execute(
        "SELECT table_name::text, column_name::text FROM information_schema.columns "
        "WHERE table_schema = 'projections' ORDER BY 1, 2"
    ).fetchall()
    assert {"pupils", "assessments", "attendance", "targets", "logins", "usage", "checkpoints"} <= {
        table for table, _ in columns
    }
    return [
        f"{table}.{column}"
        for table, column in columns
        for (value,) in superuser.execute(f'SELECT DISTINCT "{column}" FROM projections."{table}"'.encode())
        if any(canary.encode() in _octets(value) for canary in CANARIES)
    ]


def _octets(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def test_no_column_holds_anything_personal(
    school: LivelySchool, worker_database: Database, test_database: TestDatabase
) -> None:
    caught_up(worker_database)
    with test_database.connect("postgres") as superuser:
        assert leaking_columns(superuser) == []
        # All of it is there: with the keys it opens, as the stream says.
        rows = actual(superuser, school.keys)
        assert rows == expected(school.stream, school.keys)
        assert str(rows).count(CANARY) >= 10


class Talkative(PupilsProjection):
    """Writes in clear what it should not, each time that it has done what it should."""

    def __init__(self, keys: SchoolKeys, statement: str, said: Callable[[Any], str]) -> None:
        self.keys, self.statement, self.said = keys, statement, said

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        super().apply(connection, keys, events)
        mapper = EventMapper(keyring_of(connection, self.keys))
        for event in map(mapper.to_domain_event, events):
            if isinstance(event, PupilAdmitted) and not is_sealed(event.names):
                connection.execute(self.statement.encode(), [self.said(event), event.originator_id])


@pytest.mark.parametrize(
    ("statement", "said", "column"),
    [
        (
            "UPDATE projections.pupils SET names_type = %s WHERE pupil_id = %s",
            lambda event: event.names.surname,
            "pupils.names_type",
        ),
        (
            "UPDATE projections.pupils SET names = convert_to(%s, 'UTF8') WHERE pupil_id = %s",
            lambda event: event.names.date_of_birth.isoformat(),
            "pupils.names",
        ),
        (
            "UPDATE projections.pupils SET nc_year = %s WHERE pupil_id = %s",
            lambda event: event.record.class_name,
            "pupils.nc_year",
        ),
    ],
    ids=["a name", "a date of birth", "a class"],
)
def test_a_projection_that_keeps_something_opened_is_found_out(
    school: LivelySchool,
    worker_database: Database,
    test_database: TestDatabase,
    statement: str,
    said: Callable[[Any], str],
    column: str,
) -> None:
    """The sabotaged twin: it is even given the keys that a worker could not read by itself."""
    with test_database.connect("postgres") as superuser:
        superuser.execute("GRANT SELECT ON vault.subject_keys TO target_tracker_worker")
        caught_up(worker_database, [Talkative(school.keys, statement, said)])
        assert set(leaking_columns(superuser)) == {column}


class Watched:
    """A projection of which it is noted what keys it is given."""

    def __init__(self, projection: Projection) -> None:
        self.projection = projection
        self.name, self.categories = projection.name, projection.categories
        self.given: list[tuple[bool, bool]] = []
        """At each call: whether the names compartment could be opened, and whether some of it was."""

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        self.projection.apply(connection, keys, events)
        mapper = EventMapper(keys)
        happened = map(mapper.to_domain_event, events)
        opened = any(isinstance(event, PupilAdmitted) and not is_sealed(event.names) for event in happened)
        self.given.append((keys.holds(Compartment.NAMES), opened))


def watched(database: Database) -> list[tuple[bool, bool]]:
    """What every projection is given while a worker catches up, event by event and then all at once."""
    projections = [Watched(projection) for projection in PROJECTIONS]
    worker = Worker(database, SERVICE_KEYS, projections, batch=1)
    for _ in range(20):
        worker.run_once()
    caught_up(database, projections)
    assert all(projection.given for projection in projections)
    return [each for projection in projections for each in projection.given]


@pytest.mark.usefixtures("school")
def test_a_worker_is_never_given_the_key_to_names(worker_database: Database) -> None:
    assert set(watched(worker_database)) == {(False, False)}


def test_a_worker_that_is_given_them_is_noticed(
    school: LivelySchool,
    worker_database: Database,
    test_database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sabotaged twin."""
    with test_database.connect("postgres") as superuser:
        superuser.execute("GRANT SELECT ON vault.subject_keys TO target_tracker_worker")
    monkeypatch.setattr(runner, "keys_of", lambda connection, *_: keyring_of(connection, school.keys))
    assert (True, True) in watched(worker_database)


@pytest.mark.parametrize(
    "columns",
    [
        "names FROM vault.subject_keys",
        "* FROM vault.subject_keys",
        "both_for_recovery FROM vault.school_keys",
        "both_keys FROM vault.login_keys",
        "names FROM vault.sessions",
        "record FROM vault.sessions",
        "digest FROM vault.usernames",
    ],
)
def test_a_workers_role_reads_nothing_that_the_key_to_names_could_come_from(
    school: LivelySchool, worker_database: Database, columns: str
) -> None:
    with (
        worker_database.bound_to(school.school_id) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(f"SELECT {columns}".encode())


def test_a_workers_role_reads_the_record_keys(school: LivelySchool, worker_database: Database) -> None:
    """Lest the test above should pass because nothing can be read at all."""
    with worker_database.bound_to(school.school_id) as connection:
        assert keystore.record_keys_of_subjects(connection, school.school_id, [school.school_id])
