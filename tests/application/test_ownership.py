"""Whose a field is: what the school entered here, no file of its management system replaces."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from domain.application import matching, pupils
from domain.application.importing import ImportReport, Leavers, RowOutcome, import_file
from domain.errors import InvalidInput
from domain.files.rows import PupilRow
from domain.particulars import PupilParticulars
from domain.pupil_record import Period
from tests.application.conftest import RegisteredSchool
from tests.application.examples import (
    TODAY,
    Child,
    admitted,
    brought_by_a_file,
    child,
    csv_of,
    topics,
)


def imported(registered: RegisteredSchool, *some: Child, dry_run: bool = False) -> ImportReport:
    return import_file(registered.application, csv_of(some), registered.teacher, dry_run=dry_run)


def with_record(original: Child, **changes: object) -> Child:
    return original[0], msgspec.structs.replace(original[1], **changes)


def enter(registered: RegisteredSchool, pupil_id: object, version: int, **fields: object) -> None:
    particulars = msgspec.convert(fields, PupilParticulars)
    pupils.change(registered.application, pupil_id, particulars, version, registered.teacher)  # type: ignore[arg-type]


def check_gifted_stays(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = brought_by_a_file(school, registered.teacher, child(1, gifted=False))
    enter(registered, pupil_id, 1, gifted=True)
    file = with_record(child(1), gifted=False, nc_year="5")
    for dry_run in (True, False):
        [row] = imported(registered, file, dry_run=dry_run).rows
        assert (row.outcome, row.fields, row.kept) == (
            RowOutcome.CHANGED,
            ("nc_year",),
            ("gifted",),
        )
    record = school.pupil(pupil_id).record
    assert (record.gifted, record.nc_year) == (True, "5")


def test_a_file_does_not_replace_what_the_school_entered_and_the_dry_run_says_so(
    registered: RegisteredSchool,
) -> None:
    check_gifted_stays(registered)


def test_the_twin_that_forgets_whose_a_field_is_fails_the_same_check(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "_take_out", lambda stated, part, entered: [])
    with pytest.raises(AssertionError):
        check_gifted_stays(registered)


def test_what_was_admitted_by_hand_is_the_schools_and_what_is_empty_is_the_files(
    registered: RegisteredSchool,
) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1, nc_year="4", ethnicity=None))
    [row] = imported(registered, with_record(child(1), nc_year="5", ethnicity="WBRI")).rows
    assert "ethnicity" in row.fields
    assert row.kept == ("nc_year",)
    record = school.pupil(pupil_id).record
    assert (record.nc_year, record.ethnicity) == ("4", "WBRI")


def test_what_a_file_says_as_the_school_does_is_no_conflict(registered: RegisteredSchool) -> None:
    admitted(registered.application, registered.teacher, child(1, sen_provision="N"))
    [row] = imported(registered, child(1, sen_provision="N")).rows
    assert (row.outcome, row.kept) == (RowOutcome.UNCHANGED, ())


def test_a_field_that_is_handed_back_is_the_files_again(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = brought_by_a_file(school, registered.teacher, child(1))
    enter(registered, pupil_id, 1, class_name="Blue", nc_year="6")
    assert {"class_name", "nc_year"} <= school.pupil(pupil_id).entered
    enter(registered, pupil_id, 2, hand_back=["class_name"])
    [row] = imported(registered, with_record(child(1), class_name="Green", nc_year="2")).rows
    assert row.kept == ("nc_year",)
    record = school.pupil(pupil_id).record
    assert (record.class_name, record.nc_year) == ("Green", "6")
    enter(registered, pupil_id, 4, hand_back=["class_name"])
    assert school.pupil(pupil_id).version == 4, "there was nothing to hand back"


def test_a_field_that_is_set_and_handed_back_at_once_is_set_now_and_the_files_then(
    registered: RegisteredSchool,
) -> None:
    school = registered.application
    [pupil_id] = brought_by_a_file(school, registered.teacher, child(1))
    enter(registered, pupil_id, 1, class_name="Blue", hand_back=["class_name"])
    pupil = school.pupil(pupil_id)
    assert (pupil.record.class_name, "class_name" in pupil.entered) == ("Blue", False)
    [row] = imported(registered, with_record(child(1), class_name="Green")).rows
    assert (row.kept, school.pupil(pupil_id).record.class_name) == ((), "Green")


def test_a_new_pupil_has_nothing_to_hand_back() -> None:
    new = PupilParticulars(
        surname="Exempel",
        forename="Zoë",
        date_of_birth=date(2016, 2, 29),
        sex="F",
        date_of_entry=date(2020, 9, 3),
        hand_back=("sex",),
    )
    with pytest.raises(InvalidInput) as refused:
        new.whole()
    assert refused.value.findings[0].field == "hand_back"


@pytest.mark.parametrize("field", ["free_school_meals", "meals_periods"])
def test_eligibility_is_handed_back_whole_by_either_of_its_names(
    registered: RegisteredSchool, field: str
) -> None:
    school = registered.application
    [pupil_id] = brought_by_a_file(school, registered.teacher, child(1))
    period = {"start": TODAY - timedelta(days=9)}
    enter(registered, pupil_id, 1, meals_periods=[period])
    assert {"free_school_meals", "meals_periods"} <= school.pupil(pupil_id).entered
    enter(registered, pupil_id, 2, hand_back=[field])
    [row] = imported(registered, child(1, free_school_meals=False)).rows
    assert row.kept == ()
    assert school.pupil(pupil_id).record.free_school_meals is False


def test_only_fields_can_be_handed_back(registered: RegisteredSchool) -> None:
    [pupil_id] = admitted(registered.application, registered.teacher, child(1))
    with pytest.raises(InvalidInput) as refused:
        enter(registered, pupil_id, 1, hand_back=["shoe_size"])
    assert refused.value.findings[0].field == "hand_back"


def test_periods_that_the_school_entered_stand_against_a_plain_statement(
    registered: RegisteredSchool,
) -> None:
    school = registered.application
    [pupil_id] = brought_by_a_file(school, registered.teacher, child(1))
    enter(registered, pupil_id, 1, meals_periods=[{"start": "2024-01-08"}])
    [row] = imported(registered, with_record(child(1), free_school_meals=False)).rows
    assert row.kept == ("free_school_meals",)
    assert school.pupil(pupil_id).record.meals_periods == (Period(start=TODAY.replace(2024, 1, 8)),)


def test_eligibility_that_has_run_out_is_begun_again_only_by_whoever_says_so(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    school = registered.application
    over = Period(start=TODAY - timedelta(days=9), end=TODAY)
    some = [child(number, free_school_meals=True, meals_periods=(over,)) for number in (1, 2)]
    ids = brought_by_a_file(school, registered.teacher, *some)
    later = TODAY + timedelta(days=1)
    monkeypatch.setattr(pupils, "_today", lambda: later)
    for pupil_id in ids:
        enter(registered, pupil_id, 1, class_name="Blue")
        assert school.pupil(pupil_id).record.meals_periods == (over,)
    enter(registered, ids[0], 2, free_school_meals=True)
    assert school.pupil(ids[0]).record.meals_periods == (over, Period(start=later))
    assert school.pupil(ids[1]).record.meals_periods == (over,)
    row = PupilRow(row=2, names=some[1][0], record=some[1][1], given=frozenset({"class_name"}))
    for given, periods in (({"class_name"}, (over,)), ({"free_school_meals"}, (over, Period(start=later)))):
        stating = msgspec.structs.replace(row, given=frozenset(given))
        assert matching.merged(stating, school.pupil(ids[1]), later).record.meals_periods == periods


def test_snapshots_know_it_too(registered: RegisteredSchool) -> None:
    from domain.pupil import PupilSnapshot, fold

    [pupil_id] = admitted(registered.application, registered.teacher, child(1, gifted=True))
    pupil = registered.application.pupil(pupil_id)
    again = fold(None, [PupilSnapshot.take(pupil)])
    assert again == pupil
    assert "gifted" in pupil.entered


def roll(registered: RegisteredSchool, count: int) -> list[Child]:
    some = [child(number) for number in range(count)]
    brought_by_a_file(registered.application, registered.teacher, *some)
    return some


def whole(
    registered: RegisteredSchool, some: list[Child], allowed: int = 0, *, dry_run: bool = False
) -> ImportReport:
    return import_file(
        registered.application,
        csv_of(some),
        registered.teacher,
        dry_run=dry_run,
        leavers=Leavers(allowed),
    )


def test_who_is_not_in_a_file_of_the_whole_roll_has_left(registered: RegisteredSchool) -> None:
    some = roll(registered, 10)
    foreseen = whole(registered, some[1:], dry_run=True)
    done = whole(registered, some[1:])
    assert foreseen.counts == done.counts
    assert (done.counts.left, done.counts.refused) == (1, 0)
    [gone] = [row.pupil_id for row in done.rows if row.outcome is RowOutcome.LEFT]
    assert gone
    assert registered.application.pupil(gone).left_on == TODAY
    assert whole(registered, some[1:]).counts.left == 0


def test_otherwise_nobody_leaves_by_a_file(registered: RegisteredSchool) -> None:
    some = roll(registered, 10)
    assert imported(registered, *some[5:]).counts.left == 0
    assert all(pupil.on_roll for pupil in registered.application.roll().values())


def test_a_file_that_takes_more_than_a_tenth_off_needs_leave(registered: RegisteredSchool) -> None:
    some = roll(registered, 10)
    before = topics(registered.application)
    for allowed in (0, 1):
        with pytest.raises(InvalidInput) as refused:
            whole(registered, some[2:], allowed)
        [finding] = refused.value.findings
        assert finding.field == "leavers"
        assert finding.found == "2 of 10 pupils on the roll are not in the file"
        assert "allow_leavers=2" in finding.accepted
    assert topics(registered.application) == before
    assert whole(registered, some[2:], 2).counts.left == 2
