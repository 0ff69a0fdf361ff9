"""A part that was moved to another row does not open there, neither for a reader nor for the worker.

The rows of pupils are tried in `tests/vault/test_rows.py`.
"""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import pytest
from eventsourcing.persistence import MapperDeserialisationError

import domain.ledger.mapper
import domain.pupil
import projections.assessments
from domain.application.school_application import assessments_of
from domain.assessment import STATUTORY, AssessmentRecorded, Result
from domain.events import OPERATOR
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.pupil import PupilChanged, RecordChange
from domain.vault.keyring import Keyring
from projections.assessments import AssessmentView
from projections.runner import Worker, status
from tests.application.examples import child
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS
from tests.projections.catching_up import caught_up
from tests.projections.happenings import LivelySchool

MOVES = {
    "another pupil": "UPDATE projections.assessments SET pupil_id = %(other)s WHERE assessment_id = %(one)s",
    "another version": "UPDATE projections.assessments SET version = 3 WHERE assessment_id = %(one)s",
    "another type": (
        "UPDATE projections.assessments SET type = 'assessment.corrected.1' WHERE assessment_id = %(one)s"
    ),
    "a result of another row": (
        "UPDATE projections.assessments a SET record = o.record FROM projections.assessments o"
        " WHERE a.assessment_id = %(one)s AND o.assessment_id = %(two)s"
    ),
    "damage": (
        "UPDATE projections.assessments SET record = set_byte(record, 20, get_byte(record, 20) # 1)"
        " WHERE assessment_id = %(one)s"
    ),
}
"""What somebody who may write the table could do to a result."""


@pytest.fixture
def assessed(database: Database, worker_database: Database) -> tuple[LivelySchool, list[UUID]]:
    """A school with two children, and the ids of them and of two results of the first one."""
    school = LivelySchool(database, "300000")
    one, other, *ids = (new_id() for _ in range(4))
    names, record = child(1)
    school.append(
        [domain.pupil.admit(pupil_id, names, record, OPERATOR)
         for pupil_id in (one, other)]
    )  # fmt: skip
    school.append(
        [
            AssessmentRecorded(
                originator_id=assessments_of(one),
                originator_version=version,
                actor=OPERATOR,
                assessment_id=assessment_id,
                pupil_id=one,
                result=Result(scheme=STATUTORY, subject=subject, value="EXS", academic_year=2024),
            )
            for version, (assessment_id, subject) in enumerate(zip(ids, ("ENG", "MAT"), strict=True), start=1)
        ]
    )
    caught_up(worker_database)
    return school, [one, other, *ids]


def check_a_moved_result_does_not_open(
    assessed: tuple[LivelySchool, list[UUID]], test_database: TestDatabase, statement: str
) -> None:
    """Changes a row of results by hand and reads it.

    Raises:
        AssertionError: It opens.
    """
    school, (one, other, first, second) = assessed

    def shown() -> list[AssessmentView]:
        with school.stream.database.bound_to(school.school_id) as connection:
            keys = Keyring(school.keys)
            return [
                view
                for pupil_id in (one, other)
                for view in projections.assessments.latest(connection, keys, pupil_id)
            ]

    assert len(shown()) == 2
    with test_database.connect("postgres") as superuser:
        parameters = {"one": first, "two": second, "other": other}
        used = {name: value for name, value in parameters.items() if f"%({name})s" in statement}
        assert superuser.execute(statement.encode(), used).rowcount == 1
    opens = False
    with suppress(MapperDeserialisationError):
        shown()
        opens = True
    assert not opens, "it opens in another place"


@pytest.mark.parametrize("statement", MOVES.values(), ids=MOVES)
def test_a_result_that_was_moved_does_not_open(
    assessed: tuple[LivelySchool, list[UUID]], test_database: TestDatabase, statement: str
) -> None:
    check_a_moved_result_does_not_open(assessed, test_database, statement)


@pytest.mark.parametrize("move", ["another version", "another type", "a result of another row"])
def test_without_its_place_it_would(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, test_database: TestDatabase, move: str
) -> None:
    """The sabotaged twin: events that are sealed for no place."""
    monkeypatch.setattr(domain.ledger.mapper, "place_of_event", lambda *_: b"")
    monkeypatch.setattr(projections.assessments, "place_in_log", lambda *_: b"")
    assessed = request.getfixturevalue("assessed")
    with pytest.raises(AssertionError, match="in another place"):
        check_a_moved_result_does_not_open(assessed, test_database, MOVES[move])


def test_a_row_that_was_moved_stops_its_school_rather_than_being_merged(
    assessed: tuple[LivelySchool, list[UUID]], worker_database: Database, test_database: TestDatabase
) -> None:
    school, (one, other, *_) = assessed
    with test_database.connect("postgres") as superuser:
        superuser.execute(
            "UPDATE projections.pupils p SET record = o.record FROM projections.pupils o"
            " WHERE p.pupil_id = %s AND o.pupil_id = %s",
            [one, other],
        )
    change = RecordChange(class_name="Blue")
    school.append([PupilChanged(originator_id=one, originator_version=2, actor=OPERATOR, record=change)])
    Worker(worker_database, SERVICE_KEYS).run_until_idle()
    [line] = [line for line in status(worker_database) if line.stopped_at]
    assert line.projection == "pupils"
    assert line.stopped_by == f"DoesNotOpen at position {line.head}, pupil.changed.1"
