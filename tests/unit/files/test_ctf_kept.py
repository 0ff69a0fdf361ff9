"""What no field holds is kept as it came; what is never kept is dropped wherever it stands, and counted."""

from __future__ import annotations

import re
from datetime import date

import pytest

import domain.files.ctf_kept
from domain.errors import Finding, UnreadableFile
from domain.files.ctf_kept import LARGEST, LARGEST_OF_A_PUPIL
from domain.files.reader import read_pupil_file
from domain.files.rows import PupilFile, PupilRow
from domain.pupil_record import OtherElement, SenPeriod
from tests.unit.files.children import ACADEMIC_YEAR, TODAY
from tests.unit.files.test_ctf import HEADER, IDENTITY, as_ctf, read

UNKNOWN = """
<Welfare kind="more">
  <Guardian><Forename>Ada</Forename><Mobile>07700 900123</Mobile><E-mail>ada@example.org</E-mail></Guardian>
  <Note>rings ada@example.org</Note>
  <Note>or 01632 960123</Note>
  <Note>Lives at 12 Acacia Avenue</Note>
  <Note>Likes conkers</Note>
  <HomeAddress><Line>12 Acacia Avenue</Line><PostCode>CM1 1QH</PostCode></HomeAddress>
  <EmergencyContacts><Contact>Grandmother</Contact></EmergencyContacts>
</Welfare>
"""


def row_of(pupil: str) -> PupilRow:
    (row,) = read(as_ctf(f"<Pupil>{IDENTITY}{pupil}</Pupil>")).rows
    return row


def others(pupil: str) -> tuple[OtherElement, ...]:
    row = row_of(pupil)
    assert row.names is not None
    return row.names.other_elements


def whole(pupil: str) -> PupilFile:
    return read(as_ctf(f"<Pupil>{IDENTITY}{pupil}</Pupil>"))


def test_addresses_numbers_and_contacts_are_dropped_from_unknown_elements_and_counted() -> None:
    file = whole(UNKNOWN)
    assert file.dropped == {
        "email addresses": 2,
        "phone numbers": 2,
        "postal addresses": 2,
        "contacts": 1,
    }
    (row,) = file.rows
    assert row.names is not None
    (kept,) = row.names.other_elements
    assert kept.xml.split() == [
        '<Welfare', 'kind="more">', "<Guardian><Forename>Ada</Forename></Guardian>",
        "<Note>Likes", "conkers</Note>", "</Welfare>",
    ]  # fmt: skip
    assert kept.after == "Sex"


@pytest.mark.parametrize("kept", [
    "<UniqueLearnerNumber>1234567890</UniqueLearnerNumber>",
    "<Born>2015-11-20T09:30:00</Born>",
    "<Code>AB0123456789</Code>",
    "<Note>read 3 books on the way home</Note>",
    "<Empty />",
    '<x:Own xmlns:x="urn:example:other">1</x:Own>',
])  # fmt: skip
def test_what_is_none_of_these_stays(kept: str) -> None:
    file = whole(kept)
    assert file.dropped == {}
    assert len(others(kept)) == 1


def test_an_attribute_may_hold_an_address_too() -> None:
    file = whole('<Door href="mailto:ada@example.org">3</Door>')
    assert file.dropped == {"email addresses": 1}
    assert "example.org" not in repr(file)


def test_a_reader_that_looked_at_names_alone_would_be_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain.files.ctf_kept, "kind_of_text", lambda _: None)
    assert "example.org" in repr(whole(UNKNOWN))


def test_elements_are_told_by_what_they_stand_in() -> None:
    found = others(
        "<BasicDetails><Fear>dogs</Fear><NCyearActual>4</NCyearActual><Diet>halal</Diet></BasicDetails>"
        "<FSMhistory><FSMinstance><FSMstartDate>2021-09-01</FSMstartDate><UKcountry>WLS</UKcountry>"
        "<FSMCategory>T</FSMCategory></FSMinstance></FSMhistory><Last>1</Last>"
    )
    assert found == (
        OtherElement(xml="<Fear>dogs</Fear>", path="BasicDetails"),
        OtherElement(xml="<Diet>halal</Diet>", path="BasicDetails", after="NCyearActual"),
        OtherElement(
            xml="<UKcountry>WLS</UKcountry>",
            path="FSMhistory/FSMinstance",
            of="2021-09-01",
            after="FSMstartDate",
        ),
        OtherElement(
            xml="<FSMCategory>T</FSMCategory>",
            path="FSMhistory/FSMinstance",
            of="2021-09-01",
            after="UKcountry",
        ),
        OtherElement(xml="<Last>1</Last>", after="FSMhistory"),
    )


def test_what_is_too_large_is_not_kept_and_said_to_be_so() -> None:
    row = row_of(f"<Scan>{'A' * LARGEST}</Scan><Fear>dogs</Fear>")
    assert row.names is not None
    assert [each.xml for each in row.names.other_elements] == ["<Fear>dogs</Fear>"]
    (flag,) = row.flags
    assert (flag.field, flag.found) == ("Scan", f"{LARGEST + 13:,} characters")
    most = LARGEST_OF_A_PUPIL // LARGEST + 2
    many = whole("".join(f"<Part{n}>{'A' * (LARGEST - 100)}</Part{n}>" for n in range(most)))
    assert many.dropped == {"elements that are too large to keep": 2}


@pytest.mark.parametrize(
    ("pupil", "field", "kept", "flag"),
    [
        (IDENTITY.replace("<Sex>M", "<Sex>X"), "sex", "X", "unknown"),
        ("<BasicDetails><NCyearActual>99</NCyearActual></BasicDetails>", "nc_year", "99", "unknown"),
        ("<BasicDetails><Ethnicity>ZZZZ</Ethnicity></BasicDetails>", "ethnicity", "ZZZZ", "unknown"),
        (
            "<BasicDetails><Languages><Type>QQQ</Type></Languages></BasicDetails>",
            "first_language",
            "QQQ",
            "unknown",
        ),
        ("<BasicDetails><EnrolStatus>Z</EnrolStatus></BasicDetails>", "enrolment_status", "Z", "unknown"),
        (
            "<SENhistory><SEN><StartDate>2020-09-01</StartDate><SENprovision>A</SENprovision></SEN></SENhistory>",
            "sen_periods",
            (SenPeriod(start=date(2020, 9, 1), provision="A"),),
            "no longer valid (until 2015-08-31; then K)",
        ),
        (
            "<SENhistory><SENneeds><SENneed><SENtype>ZZ</SENtype></SENneed></SENneeds></SENhistory>",
            "sen_needs",
            ("ZZ",),
            "unknown",
        ),
    ],
)
def test_a_code_that_no_list_has_is_kept_and_flagged(pupil: str, field: str, kept: object, flag: str) -> None:
    (row,) = read(as_ctf(f"<Pupil>{'' if '<UPN>' in pupil else IDENTITY}{pupil}</Pupil>")).rows
    assert not row.findings
    assert getattr(row.record, field) == kept
    assert [each.accepted for each in row.flags] == [flag]


def test_abroad_and_more_of_a_result_stay_with_it() -> None:
    found = others(
        "<StageAssessments><KeyStage><Stage>KS2</Stage><StageAssessment><Locale>WLS</Locale><Year>2025</Year>"
        "<Subject>ENG</Subject><Result>4</Result><Marker>7</Marker></StageAssessment></KeyStage></StageAssessments>"
    )
    key = "KS2/2024/ENG///"
    path = "StageAssessments/KeyStage/StageAssessment"
    assert found == (
        OtherElement(xml="<Locale>WLS</Locale>", path=path, of=key),
        OtherElement(xml="<Marker>7</Marker>", path=path, of=key, after="Result"),
    )


OLD_AND_AHEAD = [
    ("<FSMhistory><FSMinstance><FSMstartDate>{}</FSMstartDate></FSMinstance></FSMhistory>", "FSMstartDate"),
    (
        "<SENhistory><SEN><StartDate>{}</StartDate><SENprovision>K</SENprovision></SEN></SENhistory>",
        "StartDate",
    ),
    ("<SchoolHistory><School><LEA>881</LEA><EntryDate>{}</EntryDate></School></SchoolHistory>", "EntryDate"),
    (
        "<StageAssessments><KeyStage><StageAssessment><Year>2025</Year><Subject>ENG</Subject><Result>4</Result>"
        "<ResultDate>{}</ResultDate></StageAssessment></KeyStage></StageAssessments>",
        "ResultDate",
    ),
]  # fmt: skip


@pytest.mark.parametrize("day", ["1989-12-31", "2026-03-03"])
@pytest.mark.parametrize(("part", "name"), OLD_AND_AHEAD)
def test_nothing_began_before_1990_or_in_the_future(part: str, name: str, day: str) -> None:
    (finding,) = row_of(part.format(day)).findings
    assert finding.field.endswith(name)
    assert finding.found == day
    assert ("1990" if day < "2000" else "not in the future") in finding.accepted
    assert not row_of(part.format("1990-01-01" if "Entry" not in name else "2016-01-01")).findings


def test_attendance_that_does_not_add_up() -> None:
    (finding,) = row_of(
        "<Attendance><YearData><Year>2019</Year><LEA>998</LEA><Estab>2002</Estab>"
        "<SessionsPossible>380</SessionsPossible><SessionsAttended>370</SessionsAttended>"
        "<SessionsAuthorised>4</SessionsAuthorised><SessionsUnauthorised>1</SessionsUnauthorised>"
        "</YearData></Attendance>"
    ).findings
    assert (finding.field, finding.found) == ("Attendance/YearData/SessionsPossible", "380")
    assert "370 + 4 + 1 = 375" in finding.accepted


def for_school(la: str, establishment: str) -> bytes:
    to = f"<DestSchool><LEA>{la}</LEA><Estab>{establishment}</Estab></DestSchool></Header>"
    return as_ctf(f"<Pupil>{IDENTITY}</Pupil>", header=HEADER.replace("</Header>", to))


@pytest.mark.parametrize(
    ("la", "establishment"),
    [("881", "2001"), ("XXX", "XXXX"), ("LLL", "LLLL"), ("881", "LLLL"), ("MMM", "MMMM"), ("", "")],
)
def test_a_file_for_this_school_or_none_in_particular(la: str, establishment: str) -> None:
    assert read(for_school(la, establishment), school=("881", "2001")).rows[0].names


@pytest.mark.parametrize(("la", "establishment"), [("881", "2002"), ("882", "2001"), ("882", "LLLL")])
def test_a_file_for_another_school_is_refused_unless_that_is_meant(la: str, establishment: str) -> None:
    content = for_school(la, establishment)
    with pytest.raises(UnreadableFile) as refused:
        read(content, school=("881", "2001"))
    (finding,) = refused.value.findings
    assert finding == Finding(
        field="Header/DestSchool",
        found=f"{la} {establishment}",
        accepted="881 2001, which is this school; or a file that is meant to be for another one, "
        "if you say so (other_destination)",
    )
    file = read_pupil_file(
        content, academic_year=ACADEMIC_YEAR, today=TODAY, school=("881", "2001"), any_destination=True
    )
    assert file.rows[0].names


def test_a_header_behind_the_pupils_is_out_of_order() -> None:
    content = f"<CTfile><CTFpupilData><Pupil>{IDENTITY}</Pupil></CTFpupilData>{HEADER}</CTfile>"
    with pytest.raises(UnreadableFile, match="out of order"):
        read(content.encode())


def test_pupils_are_read_across_pieces_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = IDENTITY.replace("B801200005001", "")
    pupils = [
        f"<Pupil>{nobody.replace('ALBERT', f'ALBERT{number:03d}')}{UNKNOWN}</Pupil>" for number in range(40)
    ]
    whole_file = read(as_ctf(*pupils))
    assert len(whole_file.rows) == 40
    monkeypatch.setattr("domain.files.ctf_xml._PIECE", 17)
    in_pieces = read(as_ctf(*pupils))
    assert (in_pieces.rows, in_pieces.dropped) == (whole_file.rows, whole_file.dropped)


@pytest.mark.parametrize(
    "number",
    [
        "01245 345345",
        "(01245) 345345",
        "07700900123",
        "07700 900 123",
        "+44 7700 900123",
        "+44 (0)1245 345345",
        "0044 7700 900123",
        "020 7946 0018",
        "01204 52345",
        "0800 123456",
    ],
)
def test_telephone_numbers_are_not_kept(number: str) -> None:
    assert others(f"<Extra><Said>call {number} please</Said><Told>7</Told></Extra>") == (
        OtherElement(xml="<Extra><Told>7</Told></Extra>", path="", after="Sex"),
    )


@pytest.mark.parametrize(
    "xml",
    [
        "<Extra><Said>0012345678</Said></Extra>",
        "<Extra><Said>00123456789</Said></Extra>",
        "<Extra><Said>04123456789</Said></Extra>",
        "<Extra><Said>0712345678</Said></Extra>",
        "<Extra><PupilId>01234567890</PupilId></Extra>",
        "<Extra><SystemRef>07700900123</SystemRef></Extra>",
        "<UCI>012345678901A</UCI>",
    ],
)
def test_numbers_of_other_systems_are_kept(xml: str) -> None:
    [kept] = others(xml)
    assert kept.xml == xml


def test_a_keeper_that_takes_every_number_for_a_telephone_number_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(domain.files.ctf_kept, "_PHONE_NUMBER", re.compile(r"0\d{9,10}"))
    with pytest.raises(AssertionError):
        test_numbers_of_other_systems_are_kept("<Extra><Said>0012345678</Said></Extra>")
