"""A mapped file is imported as the 18-column file is: dry run, ownership, matching, once and repeatably."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

import domain.application.pupils as commands
from domain.application import matching
from domain.application.importing import ImportReport, Leavers, RowOutcome, import_file
from domain.errors import CommandReused, InvalidInput
from domain.files.mapping import Mapping
from domain.particulars import PupilParticulars
from domain.pupil_record import Period, PremiumPeriod
from tests.application.conftest import RegisteredSchool
from tests.application.examples import child, csv_of, topics

HEADING = "Legal Surname;Legal Forename;Birth;Sex;Joined;UPN;FSM from;FSM to;PP;Gifted;E-mail\n"
ROW = "Rooster;Zoë;20-Nov-17;Female;07-Sep-22;B801200005001;{};{};{};{};z@example.org\n"
FIELDS: dict[str, Any] = {
    "surname": "Legal Surname",
    "forename": "Legal Forename",
    "date_of_birth": "Birth",
    "sex": {"column": "Sex", "values": {"Female": "F"}},
    "date_of_entry": "Joined",
    "upn": "UPN",
    "meals_periods": {"start": "FSM from", "end": "FSM to"},
    "premium_periods": {"column": "PP", "values": {"Y": "DPP", "N": ""}},
    "gifted": {"column": "Gifted", "empty": "F"},
}
MAPPING = Mapping(fields=FIELDS, dates="dd-mmm-yy")


def file_of(start: str = "", end: str = "", premium: str = "", gifted: str = "") -> bytes:
    return (HEADING + ROW.format(start, end, premium, gifted)).encode("cp1252")


def imported(
    registered: RegisteredSchool, content: bytes, mapping: Mapping = MAPPING, **options: Any
) -> ImportReport:
    options = {"dry_run": False} | options
    return import_file(registered.application, content, registered.teacher, mapping=mapping, **options)


def record_now(registered: RegisteredSchool) -> Any:
    [pupil] = registered.application.roll().values()
    return pupil.record


def test_a_dry_run_writes_nothing_and_says_what_the_import_then_does(registered: RegisteredSchool) -> None:
    before = topics(registered.application)
    tried = imported(registered, file_of(gifted="Y"), dry_run=True)
    assert topics(registered.application) == before
    done = imported(registered, file_of(gifted="Y"))
    assert tried.counts == done.counts
    assert (done.counts.format, done.counts.created) == ("mapped-csv", 1)
    assert done.dropped == {"email addresses": 1}
    assert topics(registered.application)[len(before) :] == ["pupil.admitted.1", "import.completed.1"]
    again = imported(registered, file_of(gifted="Y"))
    assert again.counts.unchanged == 1
    assert len(topics(registered.application)) == len(before) + 2


def check_periods_are_joined(registered: RegisteredSchool) -> None:
    for start, end in (("06-Sep-21", ""), ("06-Sep-21", "22-Jul-22"), ("08-Jan-24", ""), ("08-Jan-24", "")):
        report = imported(registered, file_of(start, end, "Y"))
    assert report.counts.unchanged == 1
    assert record_now(registered).meals_periods == (
        Period(start=date(2021, 9, 6), end=date(2022, 7, 22)),
        Period(start=date(2024, 1, 8)),
    )
    assert record_now(registered).premium_periods == (PremiumPeriod(reason="DPP"),)
    assert record_now(registered).free_school_meals is True


def test_periods_are_joined_to_those_that_are_there(registered: RegisteredSchool) -> None:
    check_periods_are_joined(registered)


def test_the_twin_that_replaces_them_fails_the_same_check(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "joined", lambda periods, more: more)
    with pytest.raises(AssertionError):
        check_periods_are_joined(registered)


def test_a_period_that_begins_later_ends_the_open_one(registered: RegisteredSchool) -> None:
    imported(registered, file_of("06-Sep-21"))
    imported(registered, file_of("08-Jan-24"))
    assert record_now(registered).meals_periods == (
        Period(start=date(2021, 9, 6), end=date(2024, 1, 7)),
        Period(start=date(2024, 1, 8)),
    )


def test_what_the_school_entered_stays(registered: RegisteredSchool) -> None:
    imported(registered, file_of())
    [pupil] = registered.application.roll().values()
    entered = msgspec.convert({"gifted": True, "meals_periods": [{"start": "2022-09-07"}]}, PupilParticulars)
    commands.change(registered.application, pupil.id, entered, 1, registered.teacher)
    [row] = imported(registered, file_of("08-Jan-24")).rows
    assert (row.outcome, set(row.kept)) == (RowOutcome.UNCHANGED, {"gifted", "meals_periods"})
    assert record_now(registered).gifted is True


def test_a_refused_row_refuses_the_file(registered: RegisteredSchool) -> None:
    before = topics(registered.application)
    content = file_of() + b"Adams;Bo;31-Feb-18;Female;07-Sep-22;;;;;;\n"
    with pytest.raises(InvalidInput) as refused:
        imported(registered, content)
    [finding] = refused.value.findings
    assert (finding.row, finding.field, finding.found) == (3, "Birth", "31-Feb-18")
    assert topics(registered.application) == before


def test_children_are_told_by_their_upn_and_a_new_one_needs_more(registered: RegisteredSchool) -> None:
    imported(registered, file_of())
    mapping = Mapping(fields={"upn": "UPN", "free_school_meals": "FSM"})
    assert imported(registered, b"UPN,FSM\nB801200005001,Y\n", mapping).counts.changed == 1
    assert record_now(registered).free_school_meals is True
    with pytest.raises(InvalidInput) as refused:
        imported(registered, b"UPN,FSM\nH801200001001,Y\n", mapping)
    assert "UPN of a pupil of this school" in refused.value.findings[0].accepted


def test_a_new_child_needs_a_date_of_entry(registered: RegisteredSchool) -> None:
    fields = {field: FIELDS[field] for field in ("surname", "forename", "date_of_birth", "sex")}
    with pytest.raises(InvalidInput) as refused:
        imported(registered, file_of(), Mapping(fields=fields, dates="dd-mmm-yy"))
    assert [finding.field for finding in refused.value.findings] == ["date_of_entry"]


def test_a_command_that_comes_again_with_another_mapping_is_another_command(
    registered: RegisteredSchool,
) -> None:
    first = imported(registered, file_of(), command_key="the same")
    assert imported(registered, file_of(), command_key="the same").repeated
    assert not first.repeated
    other = Mapping(fields={**FIELDS, "gifted": "Gifted"}, dates="dd-mmm-yy")
    with pytest.raises(CommandReused):
        imported(registered, file_of(), other, command_key="the same")


def test_a_mapped_file_may_be_the_whole_roll(registered: RegisteredSchool) -> None:
    import_file(registered.application, csv_of([child(1)]), registered.teacher, dry_run=False)
    with pytest.raises(InvalidInput) as refused:
        imported(registered, file_of(), leavers=Leavers())
    assert refused.value.findings[0].field == "leavers"
    assert imported(registered, file_of(), leavers=Leavers(1)).counts.left == 1
