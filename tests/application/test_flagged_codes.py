"""A child whom a file brought with codes that no list has: changed in other fields like any other."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

import domain.application.pupils as commands
from domain.application.importing import import_file
from domain.errors import InvalidInput
from domain.particulars import PupilParticulars, checked
from domain.pupil import PupilNames, PupilRecord
from tests.application.conftest import RegisteredSchool

FILE = (
    "Surname,Forename,DOB,Gender,DOA,Ethnicity,SEN Status code,Mother tongue code\n"
    "Rooster,Zoë,20/11/2017,F,07/09/2022,ZZZZ,A,QQQ\n"
).encode()


def imported(registered: RegisteredSchool) -> UUID:
    report = import_file(registered.application, FILE, registered.teacher, dry_run=False)
    [row] = report.rows
    assert {flag.field for flag in row.flags} == {"Ethnicity", "SEN Status code", "Mother tongue code"}
    assert row.pupil_id
    return row.pupil_id


def enter(registered: RegisteredSchool, pupil_id: UUID, **fields: object) -> None:
    particulars = msgspec.convert(fields, PupilParticulars)
    version = registered.application.pupil(pupil_id).version
    commands.change(registered.application, pupil_id, particulars, version, registered.teacher)


def check_other_fields_can_be_changed(registered: RegisteredSchool) -> None:
    pupil_id = imported(registered)
    enter(registered, pupil_id, class_name="Elm", nc_year="4")
    record = registered.application.pupil(pupil_id).record
    assert (record.class_name, record.nc_year) == ("Elm", "4")
    assert (record.ethnicity, record.sen_provision, record.first_language) == ("ZZZZ", "A", "QQQ")


def test_other_fields_can_be_changed_and_the_codes_stay(registered: RegisteredSchool) -> None:
    check_other_fields_can_be_changed(registered)


def test_the_twin_that_checks_the_whole_record_fails_the_same_check(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def whole(names: PupilNames, record: PupilRecord, before: object = None) -> object:
        return checked(names, record)

    monkeypatch.setattr(commands, "checked", whole)
    with pytest.raises(InvalidInput):
        check_other_fields_can_be_changed(registered)


def test_the_code_can_be_put_right_and_not_replaced_by_another_unknown_one(
    registered: RegisteredSchool,
) -> None:
    pupil_id = imported(registered)
    with pytest.raises(InvalidInput) as refused:
        enter(registered, pupil_id, ethnicity="YYYY")
    assert [finding.field for finding in refused.value.findings] == ["ethnicity"]
    enter(registered, pupil_id, ethnicity="WBRI")
    assert registered.application.pupil(pupil_id).record.ethnicity == "WBRI"


def test_a_upn_that_a_file_brings_is_not_missing_any_more(registered: RegisteredSchool) -> None:
    pupil_id = imported(registered)
    enter(registered, pupil_id, upn_missing="UN2")
    file = FILE.replace(b"Surname", b"UPN,Surname").replace(b"Rooster", b"B801200005001,Rooster")
    import_file(registered.application, file, registered.teacher, dry_run=False)
    pupil = registered.application.pupil(pupil_id)
    assert (pupil.names.upn, pupil.record.upn_missing) == ("B801200005001", None)
