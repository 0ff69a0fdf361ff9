"""Snapshots of our own aggregates, through our own mapper."""

from __future__ import annotations

import psycopg

from domain.application import pupils
from domain.application.school_application import SchoolApplication
from domain.events import OPERATOR
from domain.particulars import PupilParticulars
from domain.pupil import fold
from tests.application.conftest import RegisteredSchool
from tests.application.examples import child
from tests.conftest import TestDatabase


class WithSnapshots(SchoolApplication):
    is_snapshotting_enabled = True


def test_a_pupil_is_read_from_a_snapshot_and_what_came_after(
    registered: RegisteredSchool, module_database: TestDatabase
) -> None:
    school = registered.application
    names, record = child(1)
    pupil_id = pupils.admit(school, names, record, OPERATOR).result.pupil_id
    for version, class_name in enumerate(("Ash", "Oak", "Elm"), start=1):
        pupils.change(school, pupil_id, PupilParticulars(class_name=class_name), version, OPERATOR)

    closed = WithSnapshots(module_database.conninfo(), school.school_id)
    with_snapshots = closed.opened_with(school.keys.school)
    with_snapshots.take_snapshot(pupil_id, version=3, projector_func=fold)
    assert with_snapshots.pupil(pupil_id) == school.pupil(pupil_id)
    assert with_snapshots.pupil(pupil_id).record.class_name == "Elm"

    # That it is the snapshot which is read shows when what lies before it can no longer be read.
    with psycopg.connect(module_database.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(
            "UPDATE ledger.events SET state = '\\x00' WHERE originator_id = %s AND originator_version < 4",
            [pupil_id],
        )
    assert with_snapshots.pupil(pupil_id).version == 4
