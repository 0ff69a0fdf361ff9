from __future__ import annotations

import threading
from datetime import date

from domain.academic_year import AssessmentPoint, Term
from domain.application import accounts, assessing, histories, importing, pupils
from domain.application.school_application import Schools
from domain.codes.upn import make_upn
from domain.files.pupil_csv_writer import write_pupil_csv
from domain.ledger.database import Database
from domain.pupil import PupilNames, PupilRecord
from domain.vault.sessions import Sessions
from projections import assessments, logins
from projections import pupils as pupil_views
from projections.benchmarks import publish
from projections.runner import Worker, status, wait_for
from tests.application.conftest import PASSWORD, RegisteredSchool


def test_all(
    registered: RegisteredSchool, worker_database: Database, schools: Schools, sessions: Sessions
) -> None:
    app = registered.application
    children = [
        (
            PupilNames(
                surname=f"Sur{n}",
                forename=f"Fore{n}",
                date_of_birth=date(2018, 1, 1 + n % 28),
                upn=make_upn(881, 2001, 2022, n),
            ),
            PupilRecord(
                sex="M", date_of_entry=date(2022, 9, 1), nc_year="4", class_name="Red class", sen_provision="N"
            ),
        )
        for n in range(1, 31)
    ]
    content = write_pupil_csv(children)
    dry = importing.import_file(app, content, registered.teacher, dry_run=True)
    assert dry.counts.created == 30
    assert not app.roll()
    real = importing.import_file(app, content, registered.teacher, dry_run=False, command_key="k1")
    assert real.counts.created == 30
    again = importing.import_file(app, content, registered.teacher, dry_run=False)
    assert again.counts.unchanged == 30
    assert again.position == real.position
    repeat = importing.import_file(app, content, registered.teacher, dry_run=False, command_key="k1")
    assert repeat.repeated
    ids = list(app.roll())
    point = AssessmentPoint(2025, Term.SUMMER)
    sheet = assessing.record(
        app,
        point,
        [assessing.Entry(i, s, "3w+") for i in ids for s in ("REA", "WRI", "MAT", "SCI", "GPS")],
        registered.teacher,
    )
    assert len(sheet.result.assessment_ids) == 150
    corrected = assessing.correct(app, ids[0], sheet.result.assessment_ids[0], "3s", registered.teacher)
    pupils.change(
        app, ids[0], pupils.PupilParticulars(surname="New", class_name="Blue class"), 1, registered.teacher
    )
    opened = accounts.log_in(schools, sessions, "123456", "head", PASSWORD)
    accounts.signed_in(schools, sessions, opened.token)
    worker = Worker(worker_database)
    while worker.run_once():
        pass
    for line in status(worker_database):
        assert line.behind == 0, line
    wait_for(app.database, app.school_id, "pupils", corrected.position)
    with app.database.bound_to(app.school_id) as connection:
        assert len(pupil_views.find(connection, app.school_id)) == 30
        assert pupil_views.get(connection, app.school_id, ids[0]).names.surname == "New"  # type: ignore[union-attr]
        assert {c.class_name: c.pupils for c in pupil_views.classes(connection, app.school_id)} == {
            "Red class": 29,
            "Blue class": 1,
        }
        assert len(assessments.sheet(connection, app.school_id, ids, point)) == 150
        assert any(v.corrected for v in assessments.latest(connection, app.school_id, ids[0]))
        assert len(logins.find(connection, app.school_id)) == 1
    print(histories.of_pupil(app, ids[0])[-1])
    print(publish(worker_database, date.today()))
    stop = threading.Event()
    stop.set()
    worker.run(stop)
