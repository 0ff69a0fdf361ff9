"""Pupils, one at a time; and what happens when two people work on the same one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import pupil_upns
from domain.application import importing, pupils
from domain.application.importing import RowOutcome
from domain.application.school_application import CommandKey, SchoolApplication, Schools
from domain.codes.upn import make_upn
from domain.errors import AlreadyExists, Conflict, InvalidInput, NotFound, VersionConflict
from domain.identifiers import new_id
from domain.particulars import PupilParticulars
from domain.pupil import AttendanceTotals, PupilNames
from domain.pupil_record import Period
from tests.application.conftest import RegisteredSchool, registered_school
from tests.application.examples import (
    TODAY,
    YEAR,
    admitted,
    at_once,
    child,
    csv_of,
    events,
    fields_of,
    topics,
)


def test_a_pupil_comes_changes_leaves_and_comes_back(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    names, record = child(1)
    made = pupils.admit(school, names, record, actor)
    pupil_id = made.result.pupil_id
    assert (made.result.version, made.position) == (1, school.stream.head().position)
    assert school.pupil(pupil_id).names == names
    assert school.pupil(pupil_id).record == record

    changes = PupilParticulars(surname="New", class_name=None, free_school_meals=True)
    assert pupils.change(school, pupil_id, changes, 1, actor).result.version == 2
    pupil = school.pupil(pupil_id)
    assert (pupil.names.surname, pupil.names.forename) == ("New", names.forename)
    assert (pupil.record.class_name, pupil.record.free_school_meals) == (None, True)
    assert pupil.record.nc_year == "4"

    left = pupils.leave(school, pupil_id, TODAY, 2, actor, reason="moved", destination="Elsewhere Primary")
    assert left.result.version == 3
    assert not school.pupil(pupil_id).on_roll
    with pytest.raises(Conflict, match="already left"):
        pupils.leave(school, pupil_id, TODAY, 3, actor)
    pupils.take_back(school, pupil_id, TODAY, 3, actor)
    assert school.pupil(pupil_id).on_roll
    with pytest.raises(Conflict, match="on the roll"):
        pupils.take_back(school, pupil_id, TODAY, 4, actor)
    wanted = ["pupil.admitted.1", "pupil.changed.1", "pupil.left.1", "pupil.returned.1"]
    assert topics(school)[-4:] == wanted


def test_a_change_of_nothing_is_no_event(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    head = school.stream.head()
    same = pupils.change(school, pupil_id, PupilParticulars(class_name="Red"), 1, registered.teacher)
    assert same.result.version == 1
    assert school.stream.head() == head


def test_days_out_of_order_are_refused(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    entered = school.pupil(pupil_id).record.date_of_entry
    with pytest.raises(InvalidInput) as refused:
        pupils.leave(school, pupil_id, entered - timedelta(days=1), 1, actor)
    [finding] = refused.value.findings
    assert (finding.field, entered.isoformat() in finding.accepted) == ("left_on", True)
    pupils.leave(school, pupil_id, TODAY, 1, actor)
    with pytest.raises(InvalidInput) as refused:
        pupils.take_back(school, pupil_id, TODAY - timedelta(days=1), 2, actor)
    [finding] = refused.value.findings
    assert (finding.field, TODAY.isoformat() in finding.accepted) == ("returned_on", True)


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"upn": "X801200005001"}, ["upn"]),
    ({"postcode": "nowhere", "sex": "?", "nc_year": "99"}, ["postcode", "sex", "nc_year"]),
    ({"surname": ""}, ["surname"]),
    ({"surname": "x" * 101, "class_name": "x" * 61}, ["surname", "class_name"]),
    ({"forename": "zoe@made-up.example"}, ["forename"]),
    ({"forename": "Zo\x00e"}, ["forename"]),
    ({"date_of_birth": date(1989, 12, 31)}, ["date_of_birth"]),
    ({"date_of_birth": TODAY + timedelta(days=1)}, ["date_of_birth"]),
    ({"date_of_entry": TODAY + timedelta(days=1)}, ["date_of_entry"]),
    ({"date_of_entry": date(1999, 1, 1)}, ["date_of_entry"]),
    (
        {"attendance": AttendanceTotals(academic_year=YEAR, possible=10, authorised=6, unauthorised=5)},
        ["attendance"],
    ),
]


def test_what_is_wrong_is_told_field_by_field(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    head = school.stream.head()
    for changes, wanted in WRONG:
        with pytest.raises(InvalidInput) as refused:
            pupils.admit(school, *child(2, **changes), registered.teacher)
        assert fields_of(refused.value.findings) == wanted
        with pytest.raises(InvalidInput) as refused:
            pupils.change(school, pupil_id, PupilParticulars(**changes), 1, registered.teacher)
        assert fields_of(refused.value.findings) == wanted
    assert school.stream.head() == head


def test_particulars_are_kept_in_their_usual_spelling(registered: RegisteredSchool) -> None:
    school = registered.application
    upn = make_upn(881, 2001, YEAR - 4, 9)
    spelled = {"surname": "  Van  Dyke ", "upn": f" {upn.lower()}", "nc_year": "Year 5", "postcode": "cm11qh"}
    [pupil_id] = admitted(school, registered.teacher, child(1, **spelled, class_name=" Oak "))
    pupil = school.pupil(pupil_id)
    assert (pupil.names.surname, pupil.names.upn, pupil.names.postcode) == ("Van Dyke", upn, "CM1 1QH")
    assert (pupil.record.nc_year, pupil.record.class_name) == ("5", "Oak")


def test_a_upn_is_one_pupils(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    first, second = admitted(school, actor, child(1), child(2))
    upn = school.pupil(first).names.upn
    head = school.stream.head()
    with pytest.raises(AlreadyExists):
        pupils.admit(school, *child(3, upn=upn), actor)
    with pytest.raises(AlreadyExists):
        pupils.change(school, second, PupilParticulars(upn=upn), 1, actor)
    assert school.stream.head() == head
    # One that was given up is free again.
    pupils.change(school, first, PupilParticulars(upn=None), 1, actor)
    assert pupils.change(school, second, PupilParticulars(upn=upn), 1, actor).result.version == 2


def test_former_upns_are_kept(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    upns = [make_upn(881, 2001, YEAR - 4, number) for number in (1, 51, 52)]
    pupils.change(school, pupil_id, PupilParticulars(upn=upns[1]), 1, actor)
    pupils.change(school, pupil_id, PupilParticulars(upn=upns[2]), 2, actor)
    pupils.change(school, pupil_id, PupilParticulars(surname="New"), 3, actor)
    names = school.pupil(pupil_id).names
    assert names.upn == upns[2]
    assert names.former_upns == tuple(upns[:2])


def check_a_mistyped_upn_is_nobodys(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    [wrong, right] = [make_upn(881, 2001, YEAR - 4, number) for number in (1, 51)]
    pupils.change(school, pupil_id, PupilParticulars(upn=right, mistyped_upns=(wrong.lower(),)), 1, actor)
    names = school.pupil(pupil_id).names
    assert (names.upn, names.former_upns, names.mistyped_upns) == (right, (), (wrong,))
    # A file that still has it for this child finds it by its name, and does not bring it back.
    report = importing.import_file(school, csv_of([child(1)]), actor, dry_run=False)
    assert [row.outcome for row in report.rows] == [RowOutcome.UNCHANGED]
    assert school.pupil(pupil_id).names.upn == right
    # Another child, of whom a file says that it is theirs, is not taken for this one.
    report = importing.import_file(school, csv_of([child(2, upn=wrong)]), actor, dry_run=False)
    assert [row.outcome for row in report.rows] == [RowOutcome.CREATED]


def test_a_mistyped_upn_is_nobodys(registered: RegisteredSchool) -> None:
    check_a_mistyped_upn_is_nobodys(registered)


def test_the_twin_that_keeps_every_upn_as_a_former_one_fails_the_same_check(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keeping(before: PupilNames, after: PupilNames) -> PupilNames:
        return msgspec.structs.replace(after, former_upns=(*after.former_upns, str(before.upn)))

    monkeypatch.setattr(pupil_upns, "replaced", keeping)
    with pytest.raises(AssertionError):
        check_a_mistyped_upn_is_nobodys(registered)


def test_a_upn_that_had_been_kept_as_a_former_one_is_called_mistyped_later(
    registered: RegisteredSchool,
) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    wrong, right, strange = [make_upn(881, 2001, YEAR - 4, number) for number in (1, 51, 52)]
    pupils.change(school, pupil_id, PupilParticulars(upn=right), 1, actor)
    for refused_one in (right, strange):
        mistyped = PupilParticulars(mistyped_upns=(refused_one,))
        with pytest.raises(InvalidInput) as refused:
            pupils.change(school, pupil_id, mistyped, 2, actor)
        assert fields_of(refused.value.findings) == ["mistyped_upns"]
    with pytest.raises(InvalidInput):
        pupils.admit(school, *child(3, mistyped_upns=(strange,)), actor)
    pupils.change(school, pupil_id, PupilParticulars(mistyped_upns=(wrong,)), 2, actor)
    names = school.pupil(pupil_id).names
    assert (names.upn, names.former_upns, names.mistyped_upns) == (right, (), (wrong,))
    # It turns out to have been right.
    pupils.change(school, pupil_id, PupilParticulars(upn=wrong), 3, actor)
    names = school.pupil(pupil_id).names
    assert (names.upn, names.former_upns, names.mistyped_upns) == (wrong, (right,), ())


def test_nobody_enters_after_leaving(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    left = TODAY - timedelta(days=7)
    pupils.leave(school, pupil_id, left, 1, actor)
    later = PupilParticulars(date_of_entry=left + timedelta(days=1))
    with pytest.raises(InvalidInput) as refused:
        pupils.change(school, pupil_id, later, 2, actor)
    [finding] = refused.value.findings
    assert (finding.field, left.isoformat() in finding.accepted) == ("date_of_entry", True)
    pupils.change(school, pupil_id, PupilParticulars(date_of_entry=left), 2, actor)


def test_what_is_so_today_is_not_told_in_two_ways_at_once(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    over = (Period(start=TODAY - timedelta(days=90), end=TODAY - timedelta(days=9)),)
    both = PupilParticulars(free_school_meals=True, meals_periods=over)
    with pytest.raises(InvalidInput) as refused:
        pupils.change(school, pupil_id, both, 1, actor)
    [finding] = refused.value.findings
    assert (finding.field, finding.found) == ("free_school_meals", "true")
    assert finding.accepted.startswith("false, as meals_periods says")
    with pytest.raises(InvalidInput):
        pupils.admit(school, *child(3, free_school_meals=True, meals_periods=over), actor)
    agreed = PupilParticulars(free_school_meals=False, meals_periods=over)
    assert pupils.change(school, pupil_id, agreed, 1, actor).result.version == 2


def test_of_two_admissions_with_one_upn_at_once_one_succeeds(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    for number in range(8):
        names, record = child(number)
        answers = at_once(*[partial(pupils.admit, school, names, record, actor)] * 3)
        assert sorted(type(a).__name__ for a in answers) == ["AlreadyExists"] * 2 + ["Outcome"], answers
    assert len(school.roll()) == 8


def test_a_upn_cannot_be_given_to_two_at_once(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    both = admitted(school, actor, child(1), child(2))
    for number in range(8):
        upn = make_upn(881, 2001, YEAR - 3, number)
        version = {pupil_id: school.pupil(pupil_id).version for pupil_id in both}
        answers = at_once(
            *(
                lambda i=pupil_id, u=upn, v=version: pupils.change(
                    school, i, PupilParticulars(upn=u), v[i], actor
                )
                for pupil_id in both
            )
        )
        assert sorted(type(a).__name__ for a in answers) == ["AlreadyExists", "Outcome"], answers


def test_a_conflict_tells_both_versions(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    for version in (1, 2):
        pupils.change(school, pupil_id, PupilParticulars(class_name=f"Class {version}"), version, actor)
    head = school.stream.head()
    attempts: tuple[Callable[[], object], ...] = (
        lambda: pupils.change(school, pupil_id, PupilParticulars(class_name="Blue"), 1, actor),
        lambda: pupils.leave(school, pupil_id, TODAY, 1, actor),
        lambda: pupils.take_back(school, pupil_id, TODAY, 1, actor),
    )
    for attempt in attempts:
        with pytest.raises(VersionConflict) as conflict:
            attempt()
        assert (conflict.value.expected, conflict.value.actual) == (1, 3)
    assert school.stream.head() == head


def test_of_two_changes_at_once_against_one_version_one_succeeds(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    for version in range(1, 11):
        answers = at_once(
            *(
                lambda c=name, v=version: pupils.change(
                    school, pupil_id, PupilParticulars(class_name=c), v, actor
                )
                for name in (f"A{version}", f"B{version}")
            )
        )
        [conflict] = [answer for answer in answers if isinstance(answer, VersionConflict)]
        assert (conflict.expected, conflict.actual) == (version, version + 1)
    assert school.pupil(pupil_id).version == 11


def change_after_reading(
    school: SchoolApplication,
    pupil_id: UUID,
    mark: str,
    registered: RegisteredSchool,
    sabotaged: bool = False,
) -> None:
    """What a careless client does: reads, adds a mark to what it read, and tries again until it is taken."""
    while True:
        read = school.pupil(pupil_id)
        changed = PupilParticulars(class_name=f"{read.record.class_name}{mark}")
        version = school.pupil(pupil_id).version if sabotaged else read.version
        try:
            pupils.change(school, pupil_id, changed, version, registered.teacher)
        except VersionConflict:
            continue
        return


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 4), min_size=2, max_size=6))
def test_blind_retries_never_lose_a_change(
    schools: Schools, registered: RegisteredSchool, tries: list[int]
) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(len(school.roll()), class_name="-"))

    def work(mark: str, count: int) -> None:
        for _ in range(count):
            change_after_reading(school, pupil_id, mark, registered)

    answers = at_once(
        *(lambda m=mark, c=count: work(m, c) for mark, count in zip("abcdef", tries, strict=False))
    )
    assert answers == [None] * len(tries)
    marks = school.pupil(pupil_id).record.class_name or ""
    assert {mark: marks.count(mark) for mark in "abcdef"[: len(tries)]} == dict(
        zip("abcdef", tries, strict=False)
    )
    assert school.pupil(pupil_id).version == 1 + sum(tries)


def test_without_the_version_that_was_read_changes_are_lost(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: the same client, with the newest version in place of the one that it read."""
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1, class_name="-"))
    read = school.pupil(pupil_id)
    change_after_reading(school, pupil_id, "a", registered)
    monkeypatch.setattr(school, "pupil", iter_of(read, school.pupil(pupil_id), school.pupil(pupil_id)))
    change_after_reading(school, pupil_id, "b", registered, sabotaged=True)
    monkeypatch.undo()
    assert school.pupil(pupil_id).record.class_name == "-b"


def iter_of(*answers: Any) -> Any:
    remaining = iter(answers)
    return lambda _: next(remaining)


def test_a_repeated_change_is_made_once(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    key = CommandKey("key", b"content")
    first = pupils.change(school, pupil_id, PupilParticulars(class_name="Blue"), 1, actor, key)
    again = pupils.change(school, pupil_id, PupilParticulars(class_name="Blue"), 1, actor, key)
    assert (again.result, again.position, again.repeated) == (first.result, first.position, True)


def test_only_the_schools_own_pupils_are_its_pupils(registered: RegisteredSchool, schools: Schools) -> None:
    school = registered.application
    elsewhere = registered_school(schools)
    [theirs] = admitted(elsewhere.application, elsewhere.teacher, child(1))
    staff_id = registered.teacher.staff_id
    assert staff_id
    for nobody in (new_id(), theirs, staff_id, school.school_id):
        with pytest.raises(NotFound):
            school.pupil(nobody)
        with pytest.raises(NotFound):
            pupils.change(school, nobody, PupilParticulars(surname="New"), 1, registered.teacher)
        assert school.pupils([nobody]) == {}
    assert school.roll() == {}
    assert len(events(elsewhere.application)) == 5
