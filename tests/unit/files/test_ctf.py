from __future__ import annotations

from datetime import date

import msgspec
import pytest

from domain.assessment import Result
from domain.errors import Finding
from domain.files.reader import read_pupil_file
from domain.files.rows import FileSource, PupilFile
from domain.pupil import AttendanceTotals, PupilNames, PupilRecord
from domain.pupil_record import OtherElement, Period, SchoolAttended, SenPeriod, YearAttended
from tests.unit.files.children import ACADEMIC_YEAR, TODAY

IDENTITY = (
    "<UPN>B801200005001</UPN><Surname>ROOSTER</Surname><Forename>ALBERT</Forename>"
    "<DOB>2015-11-20</DOB><Sex>M</Sex>"
)

HEADER = """
<Header>
  <DocumentName>Common Transfer File</DocumentName>
  <CTFversion>25.0</CTFversion>
  <DateTime>2026-01-12T09:00:00</DateTime>
  <SourceSchool>
    <LEA>999</LEA><Estab>1001</Estab><URN>90875</URN>
    <SchoolName>Made-up Primary</SchoolName><AcademicYear>2025</AcademicYear>
  </SourceSchool>
</Header>
"""

WHOLE = f"""
<Pupil>
  {IDENTITY}
  <UniqueLearnerNumber>1234567890</UniqueLearnerNumber>
  <BasicDetails>
    <FormerUPN>H801200001001</FormerUPN>
    <PreferredForename>Bert</PreferredForename>
    <NCyearActual>5</NCyearActual>
    <Ethnicity>WBRI</Ethnicity>
    <Languages>
      <Type><LanguageType>H</LanguageType><Language>FRN</Language></Type>
      <Type><LanguageType>F</LanguageType><Language>ENG</Language></Type>
    </Languages>
    <MedicalFlag>false</MedicalFlag>
    <EnrolStatus>C</EnrolStatus>
  </BasicDetails>
  <FSMhistory>
    <FSMreviewDate>2025-09-01</FSMreviewDate>
    <FSMinstance><FSMstartDate>2020-09-01</FSMstartDate><FSMendDate>2021-07-01</FSMendDate></FSMinstance>
    <FSMinstance><FSMstartDate>2024-09-01</FSMstartDate><UKcountry>ENG</UKcountry></FSMinstance>
  </FSMhistory>
  <LookedAfter><InCare>false</InCare><CareAuthority>999</CareAuthority></LookedAfter>
  <SENhistory>
    <SEN><StartDate>2024-09-01</StartDate><SENprovision>E</SENprovision></SEN>
    <SEN><StartDate>2021-09-01</StartDate><SENprovision>K</SENprovision></SEN>
    <SEN><StartDate>2019-09-01</StartDate><SENprovision>N</SENprovision></SEN>
    <SENneeds>
      <SENneed><SENtypeRank>2</SENtypeRank><SENtype>SLCN</SENtype></SENneed>
      <SENneed><NeedStartDate>2024-09-01</NeedStartDate><SENtypeRank>1</SENtypeRank><SENtype>ASD</SENtype></SENneed>
    </SENneeds>
  </SENhistory>
  <Address>
    <BS7666Address><PAON>1</PAON><Street>Acacia Avenue</Street></BS7666Address><PostCode>CM1 1QH</PostCode>
  </Address>
  <Phones><Phone>07700 900123</Phone><Phone>07700 900124</Phone></Phones>
  <Email>rooster@example.org</Email>
  <Contacts><Contact><Surname>Rooster-Senior</Surname></Contact></Contacts>
  <Attendance>
    <YearData>
      <Year>2024</Year><LEA>999</LEA><Estab>1001</Estab>
      <SessionsPossible>380</SessionsPossible><SessionsAuthorised>1</SessionsAuthorised>
      <SessionsUnauthorised>1</SessionsUnauthorised>
    </YearData>
    <YearData>
      <Year>2025</Year><LEA>998</LEA><Estab>2002</Estab><SchoolName>Elm Bank Infant School</SchoolName>
      <SessionsPossible>20</SessionsPossible><SessionsAuthorised>1</SessionsAuthorised>
      <SessionsUnauthorised>1</SessionsUnauthorised>
    </YearData>
    <YearData>
      <Year>2025</Year><LEA>999</LEA><Estab>1001</Estab>
      <SessionsPossible>200</SessionsPossible><SessionsAttended>193</SessionsAttended>
      <SessionsAuthorised>6</SessionsAuthorised><SessionsUnauthorised>1</SessionsUnauthorised>
      <AttendSessions><AttendanceMarks>/\\/\\</AttendanceMarks></AttendSessions>
    </YearData>
  </Attendance>
  <StageAssessments>
    <KeyStage>
      <Stage>KS1</Stage>
      <StageAssessment>
        <Locale>ENG</Locale><Year>2022</Year><Subject>ENG</Subject><Method>TA</Method>
        <Component>REA</Component><ResultStatus>R</ResultStatus><ResultQualifier>NM</ResultQualifier>
        <Result>EXS</Result><ResultDate>2022-06-01</ResultDate>
      </StageAssessment>
      <StageAssessment><Year>2022</Year><Subject>MAT</Subject><Result/></StageAssessment>
    </KeyStage>
    <KeyStage>
      <Stage>KS2</Stage>
      <StageAssessment>
        <Year>2025</Year><Subject>MAT</Subject><Component>MTC</Component><Result>25</Result>
      </StageAssessment>
    </KeyStage>
  </StageAssessments>
  <SchoolHistory>
    <School>
      <LEA>998</LEA><Estab>2002</Estab><SchoolName>Elm Bank Infant School</SchoolName>
      <EntryDate>2019-09-02</EntryDate><LeavingDate>2021-07-21</LeavingDate>
      <LeavingReason>IJ</LeavingReason><LastSchool>true</LastSchool>
    </School>
    <School><LEA>999</LEA><Estab>1001</Estab><EntryDate>2021-09-06</EntryDate></School>
  </SchoolHistory>
</Pupil>
"""


def as_ctf(*pupils: str, header: str = HEADER) -> bytes:
    body = f"<CTfile>{header}<CTFpupilData>{''.join(pupils)}</CTFpupilData></CTfile>"
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + body.encode()


def read(content: bytes, school: tuple[str, str] | None = None) -> PupilFile:
    return read_pupil_file(content, academic_year=ACADEMIC_YEAR, today=TODAY, school=school)


def findings_of(pupil: str) -> list[Finding]:
    other = IDENTITY.replace("B801200005001", "Y881200016001").replace("ALBERT", "ANN")
    file = read(as_ctf(f"<Pupil>{other}</Pupil>", f"<Pupil>{pupil}</Pupil>"))
    assert not file.rows[0].findings
    assert not file.rows[1].findings or file.rows[1].record is None
    return list(file.rows[1].findings)


def test_a_whole_pupil() -> None:
    file = read(as_ctf(WHOLE))
    (row,) = file.rows
    assert not row.findings
    assert (file.format, file.encoding) == ("ctf", "utf-8")
    assert file.source == FileSource(
        la="999", establishment="1001", urn="90875", name="Made-up Primary", academic_year=2025
    )
    assert (row.row, row.upn) == (1, "B801200005001")
    assert row.names == PupilNames(
        surname="ROOSTER",
        forename="ALBERT",
        date_of_birth=date(2015, 11, 20),
        upn="B801200005001",
        former_upns=("H801200001001",),
        postcode="CM1 1QH",
        preferred_forename="Bert",
        previous_schools=(
            SchoolAttended(
                name="Elm Bank Infant School",
                local_authority="998",
                establishment="2002",
                entered_on=date(2019, 9, 2),
                left_on=date(2021, 7, 21),
                leaving_reason="IJ",
            ),
        ),
        attendance_before=(
            YearAttended(academic_year=2024, possible=380, authorised=1, unauthorised=1),
            YearAttended(
                academic_year=2025,
                possible=20,
                authorised=1,
                unauthorised=1,
                name="Elm Bank Infant School",
                local_authority="998",
                establishment="2002",
            ),
        ),
        other_elements=KEPT,
    )
    assert row.record == PupilRecord(
        sex="M",
        date_of_entry=date(2021, 9, 6),
        nc_year="5",
        free_school_meals=True,
        first_language="ENG",
        ethnicity="WBRI",
        sen_provision="E",
        in_care=False,
        enrolment_status="C",
        attendance=AttendanceTotals(academic_year=2025, possible=200, authorised=6, unauthorised=1),
        meals_periods=(
            Period(start=date(2020, 9, 1), end=date(2021, 7, 1)),
            Period(start=date(2024, 9, 1)),
        ),
        sen_periods=(
            SenPeriod(start=date(2019, 9, 1), end=date(2021, 8, 31), provision="N"),
            SenPeriod(start=date(2021, 9, 1), end=date(2024, 8, 31), provision="K"),
            SenPeriod(start=date(2024, 9, 1), provision="E"),
        ),
        sen_needs=("ASD", "SLCN"),
    )
    stated = [part for part in (row.names, row.record) if part is not None]
    assert row.given == {
        field.name
        for part in stated
        for field in msgspec.structs.fields(part)
        if getattr(part, field.name) != field.default
    }
    assert row.results == (
        Result(
            scheme="statutory",
            subject="ENG",
            value="EXS",
            academic_year=2021,
            stage="KS1",
            component="REA",
            method="TA",
            qualifier="NM",
            status="R",
            assessed_on=date(2022, 6, 1),
        ),
        Result(
            scheme="statutory", subject="MAT", value="25", academic_year=2024, stage="KS2", component="MTC"
        ),
    )


def test_what_is_never_kept_is_counted_and_kept_nowhere() -> None:
    file = read(as_ctf(WHOLE))
    assert file.dropped == {
        "postal addresses": 1,
        "phone numbers": 2,
        "email addresses": 1,
        "contacts": 1,
    }
    for value in ("Acacia", "900123", "example.org", "Senior"):
        assert value not in repr(file)


def test_dates_and_attendance_are_those_of_the_school_that_is_asked_about() -> None:
    (row,) = read(as_ctf(WHOLE), school=("998", "2002")).rows
    assert row.record is not None
    assert "date_of_entry" not in row.given, "the child has left that school"
    assert row.record.attendance is not None
    assert row.record.attendance.possible == 20
    (row,) = read(
        as_ctf(WHOLE.replace("<LeavingDate>2021-07-21</LeavingDate>", "")), school=("998", "2002")
    ).rows
    assert row.record is not None
    assert row.record.date_of_entry == date(2019, 9, 2)
    (row,) = read(as_ctf(WHOLE), school=("997", "3003")).rows
    assert not row.given & {"date_of_entry", "attendance"}


def test_the_start_of_the_marks_says_which_year_the_attendance_is_of() -> None:
    (row,) = read(
        as_ctf(
            f"<Pupil>{IDENTITY}<Attendance><YearData><Year>2026</Year><SessionsPossible>200</SessionsPossible>"
            "<SessionsAuthorised>0</SessionsAuthorised><SessionsUnauthorised>0</SessionsUnauthorised>"
            "<AttendSessions><AttendanceStartDate>2025-09-03</AttendanceStartDate></AttendSessions>"
            "</YearData></Attendance></Pupil>"
        )
    ).rows
    assert "attendance" in row.given


KEPT = (
    OtherElement(
        xml="<StageAssessment><Year>2022</Year><Subject>MAT</Subject><Result /></StageAssessment>",
        path="StageAssessments/KeyStage",
        of="KS1",
        after="StageAssessment",
    ),
    OtherElement(xml="<UniqueLearnerNumber>1234567890</UniqueLearnerNumber>", after="Sex"),
    OtherElement(
        xml="<Type><LanguageType>H</LanguageType><Language>FRN</Language></Type>",
        path="BasicDetails/Languages",
    ),
    OtherElement(xml="<MedicalFlag>false</MedicalFlag>", path="BasicDetails", after="Languages"),
    OtherElement(xml="<FSMreviewDate>2025-09-01</FSMreviewDate>", path="FSMhistory"),
    OtherElement(xml="<CareAuthority>999</CareAuthority>", path="LookedAfter", after="InCare"),
    OtherElement(
        xml="<NeedStartDate>2024-09-01</NeedStartDate>", path="SENhistory/SENneeds/SENneed", of="ASD"
    ),
    OtherElement(
        xml="<AttendSessions><AttendanceMarks>/\\/\\</AttendanceMarks></AttendSessions>",
        path="Attendance/YearData",
        of="2025",
        after="SessionsUnauthorised",
    ),
)
"""What of the whole pupil no field holds."""

LONG = "X" * 41


@pytest.mark.parametrize(
    ("element", "text", "accepted"),
    [
        ("Subject", LONG, "at most 40"),
        ("Component", LONG, "at most 40"),
        ("Result", LONG, "at most 40"),
        ("Year", "1989", "from 1990"),
        ("Year", "2027", "to 2026"),
        ("Year", "٢٠٢٥", "from 1990"),
    ],
)
def test_results_that_no_file_holds(element: str, text: str, accepted: str) -> None:
    stated = {"Year": "2025", "Subject": "ENG", "Component": "REA", "Result": "EXS"} | {element: text}
    result = "".join(f"<{tag}>{value}</{tag}>" for tag, value in stated.items())
    pupil = (
        f"{IDENTITY}<StageAssessments><KeyStage><Stage>KS2</Stage>"
        f"<StageAssessment>{result}</StageAssessment></KeyStage></StageAssessments>"
    )
    [finding] = findings_of(pupil)
    assert finding.field == f"StageAssessments/KeyStage/StageAssessment/{element}"
    assert accepted in finding.accepted


def test_a_pupil_with_no_more_than_identity() -> None:
    (row,) = read(as_ctf(f"<Pupil>{IDENTITY.replace('Sex', 'Gender')}</Pupil>", header="")).rows
    assert row.given == {"upn", "surname", "forename", "date_of_birth", "sex"}
    assert row.record == PupilRecord(sex="M", date_of_entry=date(ACADEMIC_YEAR, 9, 1))


def test_a_pupil_with_only_a_upn_updates_one_that_is_there() -> None:
    file = read(
        as_ctf(
            "<Pupil><UPN>B801200005001</UPN><BasicDetails><NCyearActual>R</NCyearActual></BasicDetails>"
            "<Address><PostCode>CM1 1QH</PostCode></Address><StageAssessments><KeyStage><Stage>EYF</Stage>"
            "<StageAssessment><Subject>COM</Subject><Component>E01</Component><Method>FA</Method>"
            "<Result>2</Result><ResultQualifier>FD</ResultQualifier><Year>2026</Year></StageAssessment>"
            "</KeyStage></StageAssessments></Pupil>"
        )
    )
    (row,) = file.rows
    assert not row.findings
    assert (row.upn, row.names) == ("B801200005001", None)
    assert row.given == {"nc_year"}
    assert row.record is not None
    assert row.record.nc_year == "R"
    assert [(result.academic_year, result.value, result.stage) for result in row.results] == [
        (2025, "2", "EYF")
    ]
    assert row.apart == {"postcode": "CM1 1QH"}
    assert file.dropped == {}


@pytest.mark.parametrize(
    ("history", "eligible"),
    [
        ("", None),
        ("<FSMhistory><FSMreviewDate>2025-09-01</FSMreviewDate></FSMhistory>", False),
        ("<FSMhistory><FSMinstance><FSMstartDate>2026-03-02</FSMstartDate></FSMinstance></FSMhistory>", True),
        ("<FSMhistory><FSMinstance><FSMendDate>2026-03-02</FSMendDate></FSMinstance></FSMhistory>", True),
        ("<FSMhistory><FSMinstance><FSMendDate>2026-03-01</FSMendDate></FSMinstance></FSMhistory>", False),
    ],
)
def test_free_school_meals_are_looked_at_today(history: str, eligible: bool | None) -> None:
    (row,) = read(as_ctf(f"<Pupil>{IDENTITY}{history}</Pupil>")).rows
    assert row.record is not None
    assert row.record.free_school_meals is eligible
    assert ("free_school_meals" in row.given) == (eligible is not None)


@pytest.mark.parametrize("start", ["", "<StartDate>2024-09-01</StartDate>"])
def test_of_two_provisions_that_begin_at_once_the_later_in_the_file_holds(start: str) -> None:
    entries = "".join(f"<SEN>{start}<SENprovision>{code}</SENprovision></SEN>" for code in "NKE")
    after = "<SEN><StartDate>2025-09-01</StartDate><SENprovision>K</SENprovision></SEN>"
    (row,) = read(as_ctf(f"<Pupil>{IDENTITY}<SENhistory>{entries}{after}</SENhistory></Pupil>")).rows
    assert row.record is not None
    assert [(each.provision, each.end) for each in row.record.sen_periods] == [
        ("E", date(2025, 8, 31)),
        ("K", None),
    ]
    assert row.record.sen_provision == "K"
    assert [(flag.field, flag.found) for flag in row.flags] == [
        ("SENhistory/SEN/SENprovision", "N"),
        ("SENhistory/SEN/SENprovision", "K"),
    ]


def test_namespaces_and_other_encodings_make_no_difference() -> None:
    plain = read(as_ctf(WHOLE))
    namespaced = as_ctf(WHOLE).replace(b"<CTfile>", b'<CTfile xmlns="urn:example:ctf">')
    assert read(namespaced).rows == plain.rows
    assert read(namespaced).dropped == plain.dropped
    text = as_ctf(WHOLE).decode()
    assert read(text.replace("utf-8", "utf-16").encode("utf-16")).rows == plain.rows
    accented = text.replace("utf-8", "Windows-1252").replace("ALBERT", "Zoë").encode("cp1252")
    file = read(accented)
    assert file.encoding == "windows-1252"
    assert file.rows[0].names is not None
    assert file.rows[0].names.forename == "Zoë"


@pytest.mark.parametrize(
    ("part", "field", "found", "accepted"),
    [
        ("<UPN>A801200005001</UPN>", "UPN", "A801200005001", "which for these digits is B"),
        (IDENTITY.replace("<DOB>2015-11-20</DOB>", ""), "DOB", "", "Surname, Forename, DOB together"),
        (IDENTITY.replace("2015-11-20", "20/11/2015"), "DOB", "20/11/2015", "a date as yyyy-mm-dd"),
        (IDENTITY.replace("2015-11-20", "2015-02-30"), "DOB", "2015-02-30", "a date that exists"),
        (IDENTITY.replace("2015-11-20", "2026-03-03"), "DOB", "2026-03-03", "not in the future"),
        ("<BasicDetails/>", "UPN", "", "a UPN, or Surname, Forename, DOB"),
        (
            f"{IDENTITY}<BasicDetails><FormerUPN>A801200005001</FormerUPN></BasicDetails>",
            "BasicDetails/FormerUPN",
            "A801200005001",
            "right check letter",
        ),
        (
            f"{IDENTITY}<FSMhistory><FSMinstance><FSMstartDate>soon</FSMstartDate></FSMinstance></FSMhistory>",
            "FSMhistory/FSMinstance/FSMstartDate",
            "soon",
            "a date as yyyy-mm-dd",
        ),
        (
            f"{IDENTITY}<SchoolHistory><School><EntryDate>2015-11-19</EntryDate></School></SchoolHistory>",
            "SchoolHistory/School/EntryDate",
            "2015-11-19",
            "a day from the child's birth on",
        ),
        (
            f"{IDENTITY}<Attendance><YearData><Year>2025</Year><SessionsPossible>5</SessionsPossible>"
            "<SessionsAuthorised>6</SessionsAuthorised><SessionsUnauthorised>1</SessionsUnauthorised>"
            "</YearData></Attendance>",
            "Attendance/YearData/SessionsPossible",
            "5",
            "which is 7",
        ),
        (
            f"{IDENTITY}<StageAssessments><KeyStage><StageAssessment><Subject>ENG</Subject><Year>25</Year>"
            "<Result>EXS</Result></StageAssessment></KeyStage></StageAssessments>",
            "StageAssessments/KeyStage/StageAssessment/Year",
            "25",
            "the year in which it ends, from 1990 to 2026",
        ),
        (
            f"{IDENTITY}<StageAssessments><KeyStage><StageAssessment><Year>2025</Year><Result>EXS</Result>"
            "</StageAssessment></KeyStage></StageAssessments>",
            "StageAssessments/KeyStage/StageAssessment/Subject",
            "",
            "a subject code",
        ),
        (
            IDENTITY.replace("ROOSTER", "rooster@example.org"),
            "Surname",
            "an email address",
            "does not keep them",
        ),
        (
            f"{IDENTITY}<StageAssessments><KeyStage><StageAssessment><Subject>ENG</Subject><Year>2025</Year>"
            "<Result>a@example.org</Result></StageAssessment></KeyStage></StageAssessments>",
            "StageAssessments/KeyStage/StageAssessment",
            "an email address",
            "does not keep them",
        ),
    ],
)
def test_a_wrong_element(part: str, field: str, found: str, accepted: str) -> None:
    (finding,) = findings_of(part)
    assert (finding.row, finding.field, finding.found) == (2, field, found)
    assert accepted in finding.accepted


def test_a_upn_that_comes_twice() -> None:
    (finding,) = findings_of("<UPN>Y881200016001</UPN>")
    assert (finding.row, finding.field, finding.found) == (2, "UPN", "Y881200016001")
    assert finding.accepted == "a UPN that no other row has; row 1 has it"


def test_the_fictional_sample_whose_check_letters_are_wrong() -> None:
    pupils = "".join(f"<Pupil><UPN>A12345678900{number}</UPN></Pupil>" for number in (1, 2, 3))
    rows = read(as_ctf(pupils)).rows
    assert [row.findings[0].field for row in rows] == ["UPN"] * 3
    assert [row.upn for row in rows] == [None] * 3
