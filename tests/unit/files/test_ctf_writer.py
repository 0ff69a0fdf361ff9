from __future__ import annotations

import time
from datetime import UTC, date, datetime

import msgspec
import pytest

from domain.assessment import Result
from domain.codes.upn import make_upn
from domain.errors import InvalidInput
from domain.files.ctf_writer import ANYWHERE, CtfPupil, CtfSchool, Destination, file_name, write_ctf
from domain.files.reader import read_pupil_file
from domain.pupil import PupilNames, PupilRecord
from domain.pupil_record import SchoolAttended
from tests.unit.files.children import ACADEMIC_YEAR, TODAY

SCHOOL = CtfSchool(la="999", establishment="1001", urn="90875", name="St Made-up’s <&> Primary")
NOW = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)

ALBERT = CtfPupil(
    names=PupilNames(
        surname="Rooster", forename="Albert", date_of_birth=date(2015, 11, 20), upn="B801200005001"
    ),
    record=PupilRecord(sex="M", date_of_entry=date(2021, 9, 6)),
    results=(
        Result(
            scheme="statutory",
            subject="MAT",
            value="25",
            academic_year=2024,
            stage="KS2",
            component="MTC",
            method="TT",
            qualifier="MT",
            status="R",
        ),
    ),
)


def test_the_file_that_is_written() -> None:
    assert write_ctf(SCHOOL, 2026, [ALBERT], NOW).decode().splitlines() == [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<CTfile>",
        "<Header>",
        "<DocumentName>Common Transfer File</DocumentName>",
        "<CTFversion>26.0</CTFversion>",
        "<DateTime>2026-03-02T09:30:15</DateTime>",
        "<DocumentQualifier>full</DocumentQualifier>",
        "<SupplierID>Target Tracker</SupplierID>",
        "<SourceSchool>",
        "<LEA>999</LEA>",
        "<Estab>1001</Estab>",
        "<URN>90875</URN>",
        "<SchoolName>St Made-up’s &lt;&amp;&gt; Primary</SchoolName>",
        "<AcademicYear>2026</AcademicYear>",
        "</SourceSchool>",
        "<DestSchool>",
        "<LEA>XXX</LEA>",
        "<Estab>XXXX</Estab>",
        "</DestSchool>",
        "</Header>",
        "<CTFpupilData>",
        "<Pupil>",
        "<UPN>B801200005001</UPN>",
        "<Surname>Rooster</Surname>",
        "<Forename>Albert</Forename>",
        "<DOB>2015-11-20</DOB>",
        "<Sex>M</Sex>",
        "<StageAssessments>",
        "<KeyStage>",
        "<Stage>KS2</Stage>",
        "<StageAssessment>",
        "<Locale>ENG</Locale>",
        "<Year>2025</Year>",
        "<Subject>MAT</Subject>",
        "<Method>TT</Method>",
        "<Component>MTC</Component>",
        "<ResultStatus>R</ResultStatus>",
        "<ResultQualifier>MT</ResultQualifier>",
        "<Result>25</Result>",
        "</StageAssessment>",
        "</KeyStage>",
        "</StageAssessments>",
        "<SchoolHistory>",
        "<School>",
        "<LEA>999</LEA>",
        "<Estab>1001</Estab>",
        "<SchoolName>St Made-up’s &lt;&amp;&gt; Primary</SchoolName>",
        "<EntryDate>2021-09-06</EntryDate>",
        "<LastSchool>true</LastSchool>",
        "</School>",
        "</SchoolHistory>",
        "</Pupil>",
        "</CTFpupilData>",
        "</CTfile>",
    ]


@pytest.mark.parametrize(
    ("destination", "name"),
    [
        (ANYWHERE, "9991001_CTF_XXXXXXX_001.xml"),
        (Destination("881", "2001"), "9991001_CTF_8812001_001.xml"),
    ],
)
def test_the_name_of_the_file(destination: Destination, name: str) -> None:
    assert file_name(SCHOOL, destination) == name
    assert file_name(SCHOOL, destination, 12) == name.replace("001.xml", "012.xml")


def test_a_leaver() -> None:
    left = msgspec.structs.replace(ALBERT, left_on=date(2026, 2, 27), leaving_reason="ST")
    content = write_ctf(SCHOOL, ACADEMIC_YEAR, [left], NOW, Destination("881", "2001")).decode()
    here = "<School>\n" + content.partition("<School>\n")[2].partition("</School>")[0] + "</School>"
    assert here.splitlines()[4:8] == [
        "<EntryDate>2021-09-06</EntryDate>",
        "<LeavingDate>2026-02-27</LeavingDate>",
        "<LeavingReason>ST</LeavingReason>",
        "<LastSchool>true</LastSchool>",
    ]
    assert "<DestSchool>\n<LEA>881</LEA>\n<Estab>2001</Estab>\n</DestSchool>" in content
    # The new school reads where the child was before, and no date of entry into itself.
    (row,) = read_pupil_file(
        content.encode(), academic_year=ACADEMIC_YEAR, today=TODAY, school=("881", "2001")
    ).rows
    assert row.names is not None
    assert row.names.previous_schools == (
        SchoolAttended(
            name=SCHOOL.name,
            local_authority="999",
            establishment="1001",
            entered_on=date(2021, 9, 6),
            left_on=date(2026, 2, 27),
            leaving_reason="ST",
        ),
    )
    assert "date_of_entry" not in row.given


def test_results_on_another_scale_are_refused() -> None:
    step = Result(scheme="steps", subject="REA", value="3w+", academic_year=2025, term="spring")
    with pytest.raises(InvalidInput, match="not statutory"):
        write_ctf(SCHOOL, ACADEMIC_YEAR, [msgspec.structs.replace(ALBERT, results=(step,))], NOW)


@pytest.mark.parametrize("surname", ["Roo\x01ster", "Roo\ufffester"])
def test_characters_that_xml_cannot_carry_are_refused(surname: str) -> None:
    damaged = msgspec.structs.replace(ALBERT.names, surname=surname)
    with pytest.raises(InvalidInput, match="Surname holds a character") as refused:
        write_ctf(SCHOOL, ACADEMIC_YEAR, [msgspec.structs.replace(ALBERT, names=damaged)], NOW)
    assert "Roo" not in str(refused.value)


def test_a_school_with_ten_thousand_results() -> None:
    pupils = [
        CtfPupil(
            names=PupilNames(
                surname=f"Child {number}",
                forename="Made-up",
                date_of_birth=date(2015, 11, 20),
                upn=make_upn(999, 1001, 2020, number),
            ),
            record=ALBERT.record,
            results=ALBERT.results * 24,
        )
        for number in range(420)
    ]
    content = write_ctf(SCHOOL, ACADEMIC_YEAR, pupils, NOW)
    started = time.perf_counter()
    file = read_pupil_file(content, academic_year=ACADEMIC_YEAR, today=TODAY)
    assert time.perf_counter() - started < 2, "a tenth of this is usual; a busy machine is not a fault"
    assert sum(len(row.results) for row in file.rows) == 10_080
    assert not any(row.findings for row in file.rows)
