"""What happened, and how things stood at a moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.application import accounts, assessing, histories, logins, pupils
from domain.application.assessing import Entry
from domain.application.histories import HistoryEntry, Moment
from domain.application.importing import import_file
from domain.application.school_application import Schools, assessments_of
from domain.errors import NotFound
from domain.identifiers import new_id
from domain.particulars import PupilParticulars
from domain.vault.sessions import Sessions
from tests.application.conftest import RegisteredSchool, registered_school
from tests.application.examples import TODAY, admitted, child, csv_of, point_before
from tests.conftest import TestDatabase

THEN = point_before(1)


def named(entries: list[HistoryEntry]) -> list[str]:
    return [entry.event for entry in entries]


def test_a_pupils_history_is_the_record_and_the_assessments(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    one, other = admitted(school, actor, child(1), child(2))
    made = assessing.record(school, THEN, [Entry(one, "REA", "3w"), Entry(other, "REA", "3s")], actor)
    pupils.change(school, one, PupilParticulars(surname="New", class_name="Blue"), 1, actor)
    assessing.correct(school, one, made.result.assessment_ids[0], "3w+", actor, reason="slip of the pen")
    pupils.leave(school, one, TODAY, 2, actor, reason="moved", destination="Elsewhere Primary")
    history = histories.of_pupil(school, one)
    assert named(history) == [
        "pupil.admitted",
        "assessment.recorded",
        "pupil.changed",
        "assessment.corrected",
        "pupil.left",
    ]
    assert {entry.originator_id for entry in history} == {one, assessments_of(one)}
    assert [entry.position for entry in history] == sorted(entry.position for entry in history)
    assert {entry.actor for entry in history} == {actor}
    assert history[2].details["names"]["surname"] == "New"
    assert history[2].details["record"] == {"class_name": "Blue"}
    assert history[3].details["reason"] == "slip of the pen"
    assert history[4].details["left_on"] == TODAY.isoformat()
    assert len(histories.of_pupil(school, other)) == 2


def test_without_names_that_compartment_is_left_out(registered: RegisteredSchool, schools: Schools) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1, postcode="CM1 1QH"))
    made = assessing.record(school, THEN, [Entry(pupil_id, "REA", "3w")], actor)
    assessing.correct(school, pupil_id, made.result.assessment_ids[0], "3w+", actor, reason="slip of the pen")
    pupils.change(school, pupil_id, PupilParticulars(forename="Newname", nc_year="5"), 1, actor)
    pupils.leave(school, pupil_id, TODAY, 2, actor, reason="moved", destination="Elsewhere Primary")
    secret = [
        "Surname001",
        "Forename001",
        "Newname",
        "CM1 1QH",
        child(1)[0].upn or "",
        "slip of the pen",
        "Elsewhere Primary",
        "moved",
    ]
    without_names = schools.opened(school.keys.school.without_names())
    for entries in (
        histories.of_pupil(without_names, pupil_id),
        histories.of_school(without_names),
    ):
        told = str(entries)
        assert not [text for text in [*secret, "Teacher", "The Head", "'Head'"] if text and text in told]
        assert not [entry for entry in entries if "names" in entry.details]
        assert "'nc_year': '5'" in told
    told = str(histories.of_school(school))
    assert not [text for text in [*secret, "Teacher", "Head"] if text not in told]


def test_a_schools_history_tells_everything_but_verifiers(
    registered: RegisteredSchool, schools: Schools, sessions: Sessions
) -> None:
    school = registered.application
    import_file(school, csv_of([child(1)]), registered.teacher, dry_run=False)
    accounts.set_password(
        school, sessions, registered.teacher.staff_id or new_id(), "another one", registered.administrator
    )
    logins.log_in(schools, sessions, registered.login_key, "teacher", "another one")
    history = histories.of_school(school)
    assert named(history) == [
        "school.registered",
        "staff.added",
        "key.issued",
        "staff.added",
        "pupil.admitted",
        "import.completed",
        "staff.password-set",
        "session.opened",
    ]
    assert [entry.position for entry in history] == list(range(1, 9))
    assert "argon2" not in str(history)
    assert [entry.position for entry in histories.of_school(school, after=2, limit=3)] == [3, 4, 5]
    assert histories.of_school(school, after=8) == []


def test_only_a_pupil_has_a_pupils_history(registered: RegisteredSchool, schools: Schools) -> None:
    school = registered.application
    elsewhere = registered_school(schools)
    [theirs] = admitted(elsewhere.application, elsewhere.teacher, child(1))
    [ours] = admitted(school, registered.teacher, child(1))
    assessing.record(school, THEN, [Entry(ours, "REA", "3w")], registered.teacher)
    for nobody in (new_id(), theirs, registered.teacher.staff_id, school.school_id, assessments_of(ours)):
        assert nobody
        with pytest.raises(NotFound):
            histories.of_pupil(school, nobody)
        with pytest.raises(NotFound):
            histories.pupil_as_at(school, nobody, Moment())


def test_a_pupil_as_at_a_position(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    before = school.stream.head().position
    [pupil_id] = admitted(school, actor, child(1))
    recorded = assessing.record(school, THEN, [Entry(pupil_id, "REA", "3w")], actor)
    [assessment_id] = recorded.result.assessment_ids
    changed = pupils.change(school, pupil_id, PupilParticulars(class_name="Blue"), 1, actor)
    corrected = assessing.correct(school, pupil_id, assessment_id, "3s", actor)
    left = pupils.leave(school, pupil_id, TODAY, 2, actor)

    def then(position: int) -> tuple[str | None, list[str], bool]:
        stood = histories.pupil_as_at(school, pupil_id, Moment(position=position))
        values = [assessment.result.value for assessment in stood.assessments]
        return stood.pupil.record.class_name, values, stood.pupil.on_roll

    for position in (0, before):
        with pytest.raises(NotFound):
            then(position)
    assert then(before + 1) == ("Red", [], True)
    assert then(recorded.position) == ("Red", ["3w"], True)
    assert then(changed.position) == ("Blue", ["3w"], True)
    assert then(corrected.position) == ("Blue", ["3s"], True)
    assert then(left.position) == then(10**12) == ("Blue", ["3s"], False)
    assert histories.pupil_as_at(school, pupil_id, Moment()).pupil == school.pupil(pupil_id)


def test_the_roll_as_at_a_position(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    before = school.stream.head().position
    one, other = admitted(school, actor, child(1), child(2))
    pupils.leave(school, one, TODAY, 1, actor)
    pupils.take_back(school, one, TODAY, 2, actor)

    def then(position: int | None) -> set[object]:
        return {pupil.id for pupil in histories.roll_as_at(school, Moment(position=position))}

    assert [then(before + n) for n in range(5)] == [set(), {one}, {one, other}, {other}, {one, other}]
    assert then(None) == {one, other}


@pytest.mark.parametrize(
    ("day", "last"),
    [
        (date(2026, 1, 15), datetime(2026, 1, 15, 23, 59, 59, 999999, UTC)),
        (date(2026, 6, 30), datetime(2026, 6, 30, 22, 59, 59, 999999, UTC)),
        # Clocks go forward on 29 March and back on 25 October.
        (date(2026, 3, 28), datetime(2026, 3, 28, 23, 59, 59, 999999, UTC)),
        (date(2026, 3, 29), datetime(2026, 3, 29, 22, 59, 59, 999999, UTC)),
        (date(2026, 10, 24), datetime(2026, 10, 24, 22, 59, 59, 999999, UTC)),
        (date(2026, 10, 25), datetime(2026, 10, 25, 23, 59, 59, 999999, UTC)),
    ],
)
def test_a_day_ends_when_clocks_in_england_say_so(
    registered: RegisteredSchool, module_database: TestDatabase, day: date, last: datetime
) -> None:
    school = registered.application
    moment = histories.end_of(day)
    assert moment.at is not None
    assert moment.at.astimezone(UTC) == last
    in_time, too_late = admitted(school, registered.teacher, child(1), child(2))
    with module_database.connect("postgres") as superuser:
        for pupil_id, at in ((in_time, last), (too_late, last + timedelta(microseconds=1))):
            superuser.execute(
                "UPDATE ledger.events SET recorded_at = %s WHERE originator_id = %s", [at, pupil_id]
            )
    assert [pupil.id for pupil in histories.roll_as_at(school, moment)] == [in_time]
    assert histories.pupil_as_at(school, in_time, moment).pupil.id == in_time
    with pytest.raises(NotFound):
        histories.pupil_as_at(school, too_late, moment)


def test_the_ends_of_the_calendar(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    for day in (date.max, date.max - timedelta(days=1), date(3000, 1, 1)):
        assert histories.pupil_as_at(school, pupil_id, histories.end_of(day)).pupil.id == pupil_id
    for day in (date.min, date(1900, 1, 1)):
        assert histories.roll_as_at(school, histories.end_of(day)) == []
