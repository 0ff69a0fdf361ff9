"""Mappings that are guessed: of real-looking exports, which then read; and what is said of odd ones."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from domain.errors import UnreadableFile
from domain.files import mapping_guess
from domain.files.mapping import Mapping, read_mapping
from domain.files.mapping_guess import MappingGuess
from domain.files.mapping_headings import PLACE_OF
from domain.files.pupil_csv import COLUMNS
from domain.files.pupil_csv_writer import write_pupil_csv
from domain.files.reader import guess_mapping_of, read_pupil_file
from domain.files.rows import PupilFile
from domain.pupil_record import PupilNames, PupilRecord
from tests.unit.files.children import ACADEMIC_YEAR, TODAY
from tests.unit.files.exports import (
    ANN,
    ARBOR,
    BROMCOM,
    OF_ANN,
    OF_ANN_WITH_PERIODS,
    OF_ZOE,
    OF_ZOE_WITH_PERIODS,
    SCHOLARPACK,
    SIMS,
    ZOE,
)


def guess(content: str | bytes) -> MappingGuess:
    return guess_mapping_of(content.encode() if isinstance(content, str) else content, TODAY)


def read(content: str | bytes, mapping: Mapping) -> PupilFile:
    octets = content.encode() if isinstance(content, str) else content
    # Written down and read again, as people do who look at it between the two.
    again = read_mapping(msgspec.json.encode(mapping))
    return read_pupil_file(octets, academic_year=ACADEMIC_YEAR, today=TODAY, mapping=again)


def check_the_guess_reads_the_file(
    content: str | bytes,
) -> list[tuple[PupilNames | None, PupilRecord | None]]:
    file = read(content, guess(content).mapping)
    assert [row.findings for row in file.rows] == [()] * len(file.rows)
    assert [row.flags for row in file.rows] == [()] * len(file.rows)
    return [(row.names, row.record) for row in file.rows]


@pytest.mark.parametrize("export", [SIMS, ARBOR, BROMCOM], ids=["SIMS", "Arbor", "Bromcom"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_exports_of_several_systems_give_the_same_children(export: str, encoding: str) -> None:
    assert check_the_guess_reads_the_file(export.encode(encoding)) == [(ZOE, OF_ZOE), (ANN, OF_ANN)]


def test_an_export_with_periods_lists_and_totals() -> None:
    zoe = msgspec.structs.replace(OF_ZOE, free_school_meals=None, **OF_ZOE_WITH_PERIODS)
    ann = msgspec.structs.replace(OF_ANN, free_school_meals=None, **OF_ANN_WITH_PERIODS)
    formerly = msgspec.structs.replace(ANN, former_upns=("Y881200000001",))
    assert check_the_guess_reads_the_file(SCHOLARPACK) == [(ZOE, zoe), (formerly, ann)]


def test_the_twin_that_does_not_look_at_dates_fails_the_same_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping_guess._Guess, "_date_formats", lambda self: {})
    with pytest.raises(AssertionError):
        check_the_guess_reads_the_file(SIMS)


def test_what_is_guessed_of_an_export() -> None:
    found = guess(SIMS)
    assert (found.heading_row, found.delimiter, found.encoding) == (4, ",", "utf-8")
    assert found.mapping.dates == "dd-mmm-yy"
    assert found.mapping.fields["surname"] == "Legal Surname"
    assert found.mapping.fields["class_name"] == "Reg Group"
    assert found.mapping.fields["free_school_meals"] == {"column": "FSM Eligible", "empty": "F"}
    assert found.mapping.fields["sen_provision"] == {
        "column": "SEN Status",
        "values": {"SEN Support": "K"},
        "empty": "N",
    }
    assert found.mapping.fields["ethnicity"]["values"] == {
        "White - British": "WBRI",
        "White - Irish": "WIRI",
    }
    assert found.unrecognised == ["Parent Email"]
    assert found.columns[-1].holds == "email addresses"
    assert (found.missing, found.unread) == ([], [])
    assert len(found.remarks) == 2
    for word in ("Rooster", "parent@example.org", "B801200005001"):
        assert word not in repr(found)


def test_pupil_premium_without_its_reason_is_left_to_people() -> None:
    found = guess(SCHOLARPACK)
    assert "premium_periods" not in found.mapping.fields
    assert "Pupil Premium" in found.unrecognised
    [remark] = [each for each in found.remarks if "premium" in each]
    assert '"values": {"T": "DPP", "F": ""}' in remark
    coded = SCHOLARPACK.replace("||Y|", "||DPP|").replace(",Y,ENG", ",DPP,ENG").replace(",N,FRN", ",,FRN")
    assert guess(coded).mapping.fields["premium_periods"] == "Pupil Premium"


def test_our_own_file_is_guessed_whole() -> None:
    found = guess(write_pupil_csv([(ZOE, OF_ZOE), (ANN, OF_ANN)]))
    assert {column.heading: column.field for column in found.columns} == COLUMNS
    assert found.unrecognised == []


HEADINGS = [
    ("  LEGAL   SURNAME ", "surname"),
    ("First name", "forename"),
    ("D.O.B.", "date_of_birth"),
    ("date_of_birth", "date_of_birth"),
    ("Admission Date", "date_of_entry"),
    ("YEAR GROUP", "nc_year"),
    ("Registration-Form", "class_name"),
    ("FSM Eligible?", "free_school_meals"),
    ("Sex (Legal)", "sex"),
    ("Preferred Forename", "preferred_forename"),
    ("Pupil's shoe size", None),
    ("Surname of the teacher", None),
    ("", None),
]


@pytest.mark.parametrize(("heading", "field"), HEADINGS)
def test_headings_however_they_are_written(heading: str, field: str | None) -> None:
    found = guess(f"UPN,{heading},Class\r\n,,Elm\r\n")
    fields = {column.heading: column.field for column in found.columns}
    assert fields.get(heading.strip()) == field


def test_every_heading_of_the_list_leads_to_a_field() -> None:
    for place in set(PLACE_OF.values()):
        heading = next(heading for heading, of in PLACE_OF.items() if of == place)
        found = guess(f"UPN,{heading}\r\n,\r\n")
        assert isinstance(found, MappingGuess)


def table(heading: str, *cells: str) -> MappingGuess:
    return guess(f"Surname,{heading}\r\n" + "".join(f"a,{cell}\r\n" for cell in cells))


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["07/09/2019", "20/11/2017"], "dd/mm/yyyy"),
        (["7/9/2019"], "dd/mm/yyyy"),
        (["2019-09-07T00:00:00"], "yyyy-mm-dd"),
        (["07-Sep-19"], "dd-mmm-yy"),
        (["07-Sep-2019"], "dd-mmm-yyyy"),
        (["7 September 2019"], "dd mmm yyyy"),
        (["07.09.2019"], "dd.mm.yyyy"),
        (["20190907"], "yyyymmdd"),
        (["09/20/2019"], "mm/dd/yyyy"),
        (["07/09/19"], "dd/mm/yy"),
    ],
)
def test_ways_of_writing_dates_are_told_by_the_values(cells: list[str], form: str) -> None:
    found = table("DOB", *cells)
    assert (found.mapping.dates, found.unread) == (form, [])


def test_columns_with_dates_of_their_own() -> None:
    found = guess("DOB,DOA,Leaving\r\n20/11/2017,2022-09-07,\r\n21/11/2017,2022-09-07,\r\n")
    forms = {found.mapping.dates}
    for spec in found.mapping.fields.values():
        forms |= {spec["dates"]} if isinstance(spec, dict) else set()
    assert forms == {"dd/mm/yyyy", "yyyy-mm-dd"}


def test_dates_that_cannot_be_read_are_named_with_their_row() -> None:
    found = table("DOB", "20/11/2017", "21/11/2017", "in spring")
    [finding] = found.unread
    assert (finding.field, finding.found, finding.row) == ("DOB", "in spring", 4)
    assert "dd/mm/yyyy" in finding.accepted


def test_values_that_nobody_recognises_are_named() -> None:
    found = table("Ethnicity", "White - British", "WBRI", "Martian")
    assert found.mapping.fields["ethnicity"] == {
        "column": "Ethnicity",
        "values": {"White - British": "WBRI"},
    }
    [finding] = found.unread
    assert (finding.field, finding.found, finding.row) == ("Ethnicity", "Martian", 4)
    [finding] = table("FSM", "Y", "N", "mum@example.org").unread
    assert finding.found == "an email address"


def test_many_values_that_nobody_recognises_are_counted() -> None:
    found = table("FSM", *(f"word {number}" for number in range(50)))
    assert len(found.unread) == 20
    assert any("30 more" in remark for remark in found.remarks)


def test_two_columns_for_one_field() -> None:
    found = guess(
        "UPN,Surname,Legal Surname,Class,Reg Group,SEN Need,Secondary Need\r\n,a,b,c,d,MLD,SLCN\r\n"
    )
    fields: dict[str, Any] = found.mapping.fields
    assert (fields["surname"], fields["class_name"]) == ("Legal Surname", "Class")
    assert fields["sen_needs"] == {"columns": ["SEN Need", "Secondary Need"]}
    assert len(found.remarks) == 2
    assert found.unrecognised == ["Surname", "Reg Group"]
    found = guess("UPN,Surname,Surname\r\n,a,b\r\n")
    assert "surname" not in found.mapping.fields
    assert any('2 columns "Surname"' in remark for remark in found.remarks)


def test_what_is_missing_is_said() -> None:
    assert guess("UPN,FSM\r\n,Y\r\n").missing == [
        "surname",
        "forename",
        "date_of_birth",
        "sex",
        "date_of_entry",
    ]


def test_sen_dates_go_with_the_provision_and_are_left_out_without_it() -> None:
    found = guess("UPN,SEN Status,SEN Start Date\r\n,K,07/09/2022\r\n")
    assert found.mapping.fields["sen_periods"] == {"column": "SEN Status", "start": "SEN Start Date"}
    assert "sen_provision" not in found.mapping.fields
    found = guess("UPN,SEN Start Date\r\n,07/09/2022\r\n")
    assert found.mapping.fields.keys() == {"upn"}
    assert found.unrecognised == ["SEN Start Date"]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "file"),
        (b"PK\x03\x04", "file"),
        (b"<CTfile/>", "file"),
        (b"a,b\r\n1,2\r\n", "heading"),
        (b'"never closed', "heading"),
        (b"Surname\r\nZo\x81", "character encoding"),
    ],
)
def test_files_of_which_nothing_can_be_guessed(content: bytes, field: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        guess(content)
    assert refused.value.findings[0].field == field
