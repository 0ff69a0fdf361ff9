from __future__ import annotations

import csv
import io
from datetime import date

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import Finding, UnreadableFile
from domain.files.pupil_csv import COLUMNS, MANDATORY, read_pupil_csv
from domain.files.pupil_csv_writer import write_pupil_csv
from domain.files.reader import read_pupil_file
from domain.files.rows import PupilFile, PupilRow
from domain.files.spreadsheets import guarded, unguarded
from domain.pupil import AttendanceTotals, PupilNames, PupilRecord
from tests.unit.files.children import ACADEMIC_YEAR, TODAY, distinct, names, records, with_own_upns

CHILD = {
    "UPN": "B801200005001",
    "Surname": "Rooster",
    "Forename": "Zoë",
    "DOB": "20/11/2017",
    "Gender": "F",
    "DOA": "07/09/2022",
    "Eligible for free meals": "T",
    "Mother tongue code": "ENG",
    "Ethnicity": "WBRI",
    "SEN Status code": "S",
    "Reg": "Red class",
    "Year": "Y3",
    "Postcode": "cm11qh",
    "In LEA Care": "F",
    "Gifted": "",
    "Possible": "200",
    "Authorised absences": "6",
    "Unauthorised absences": "1",
}
OTHER = {**CHILD, "UPN": "H801200001001", "Forename": "Ann"}


def as_text(*rows: dict[str, str], columns: list[str] | None = None) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns or list(COLUMNS), restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def read(content: bytes | str) -> PupilFile:
    octets = content.encode() if isinstance(content, str) else content
    return read_pupil_file(octets, academic_year=ACADEMIC_YEAR, today=TODAY)


def findings_of(changes: dict[str, str]) -> list[Finding]:
    file = read(as_text(OTHER, {**CHILD, **changes}))
    assert not file.rows[0].findings
    refused = file.rows[1]
    if refused.findings:
        assert (refused.names, refused.record, refused.given) == (None, None, frozenset())
    return list(refused.findings)


def refusal_of(content: bytes | str) -> Finding:
    with pytest.raises(UnreadableFile) as refused:
        read(content)
    return refused.value.findings[0]


def test_a_whole_row() -> None:
    file = read(as_text(CHILD))
    (row,) = file.rows
    assert (file.format, file.encoding, file.dropped, file.source) == (
        "target-tracker-csv",
        "utf-8",
        {},
        None,
    )
    assert row.row == 2
    assert row.upn == "B801200005001"
    assert row.names == PupilNames(
        surname="Rooster",
        forename="Zoë",
        date_of_birth=date(2017, 11, 20),
        upn="B801200005001",
        postcode="CM1 1QH",
    )
    assert row.record == PupilRecord(
        sex="F",
        date_of_entry=date(2022, 9, 7),
        nc_year="3",
        class_name="Red class",
        free_school_meals=True,
        first_language="ENG",
        ethnicity="WBRI",
        sen_provision="S",
        in_care=False,
        attendance=AttendanceTotals(academic_year=ACADEMIC_YEAR, possible=200, authorised=6, unauthorised=1),
    )
    totals = {"possible", "authorised", "unauthorised"}
    assert row.given == {*COLUMNS.values(), "attendance"} - totals - {"gifted"}
    assert not row.findings


def test_an_empty_cell_says_nothing_but_an_empty_sen_status_says_none() -> None:
    (row,) = read(as_text({name: CHILD[name] for name in MANDATORY})).rows
    assert row.given == {"surname", "forename", "date_of_birth", "sex", "date_of_entry", "sen_provision"}
    assert row.record is not None
    assert row.record.sen_provision == "N"
    (row,) = read(as_text(CHILD, columns=list(MANDATORY))).rows
    assert "sen_provision" not in row.given
    assert row.upn is None


def test_columns_may_come_in_any_order_and_spelling() -> None:
    columns = list(reversed(COLUMNS))
    text = as_text(CHILD, columns=columns)
    heading, _, rest = text.partition("\r\n")
    respelled = heading.upper().replace("MOTHER TONGUE", "  Mother  Tongue")
    assert read(respelled + "\n" + rest).rows == read(as_text(CHILD)).rows


@pytest.mark.parametrize(
    ("encoding", "name"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp1252", "cp1252")]
)
def test_the_three_encodings(encoding: str, name: str) -> None:
    file = read(as_text({**CHILD, "Surname": "O’Neill"}).encode(encoding))
    assert file.encoding == name
    assert file.rows[0].names is not None
    assert (file.rows[0].names.surname, file.rows[0].names.forename) == ("O’Neill", "Zoë")


@pytest.mark.parametrize(
    ("content", "row", "found"),
    [
        (as_text(CHILD).encode("utf-16"), 1, "UTF-16"),
        (as_text(CHILD).encode("utf-16-le"), 1, "a NUL byte"),
        (as_text(CHILD, OTHER).replace("Ann", "A\x00n").encode(), 3, "a NUL byte"),
        (as_text(CHILD).encode()[:-4] + b"\xc3", 2, "cut off"),
        (as_text(CHILD, OTHER).encode().replace(b"Ann", b"Ren\xe9"), 2, "a mixture of UTF-8"),
        (as_text(CHILD).encode("utf-8-sig").replace("ë".encode(), b"\xeb"), 2, "byte order mark"),
        (as_text(CHILD).encode("cp1252").replace(b"\xeb", b"\x81"), 2, "byte 81"),
    ],
)
def test_damaged_and_unknown_encodings_are_refused(content: bytes, row: int, found: str) -> None:
    finding = refusal_of(content)
    assert (finding.field, finding.row) == ("character encoding", row)
    assert found in finding.found
    assert finding.accepted == "UTF-8, with or without a byte order mark, or Windows-1252"


@pytest.mark.parametrize("surname", ["Zo\ufffd", "RenÃ©", "Oâ€™Neill"])
def test_names_that_somebody_decoded_wrongly_are_refused(surname: str) -> None:
    (finding,) = findings_of({"Surname": surname})
    assert (finding.row, finding.field, finding.found) == (3, "Surname", surname)
    assert "UTF-8" in finding.accepted


@pytest.mark.parametrize(
    "surname", ["Ångström", "Ärmel", "São João", "JOSÉ’S", "Nguyễn", "李", "Ó Súilleabháin"]
)
def test_names_with_real_accents_are_not(surname: str) -> None:
    assert not findings_of({"Surname": surname})


@pytest.mark.parametrize("column", MANDATORY)
def test_a_missing_mandatory_column(column: str) -> None:
    finding = refusal_of(as_text(CHILD, columns=[name for name in COLUMNS if name != column]))
    assert finding == Finding(
        field=column, found="no such column", accepted=f'a column headed "{column}"', row=1
    )


def test_a_column_that_stands_there_twice() -> None:
    finding = refusal_of(as_text(CHILD, columns=[*COLUMNS, "DOB"]))
    assert (finding.field, finding.found) == ("DOB", "2 such columns")


@pytest.mark.parametrize(
    "content", ["Date,Amount\r\n01/01/2026,12\r\n", "Rooster,Zoë,20/11/2017\r\n", '"never closed,a,b\r\n']
)
def test_another_kind_of_csv(content: str) -> None:
    finding = refusal_of(content)
    assert (finding.field, finding.row) == ("heading", 1)
    assert "Surname, Forename, DOB, Gender, DOA" in finding.accepted


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "nothing"),
        (b"\xef\xbb\xbf \r\n", "nothing"),
        (b"PK\x03\x04 and so on", "an Excel workbook or zip archive"),
        (b"%PDF-1.7", "a PDF document"),
    ],
)
def test_other_kinds_of_file(content: bytes, found: str) -> None:
    finding = refusal_of(content)
    assert (finding.field, finding.found) == ("file", found)
    assert "Target Tracker import file" in finding.accepted
    assert "Common Transfer File" in finding.accepted


@pytest.mark.parametrize(
    ("column", "found", "accepted"),
    [
        ("UPN", "A801200005001", "a UPN with its right check letter, which for these digits is B"),
        ("UPN", "B80120000500", "a UPN: a check letter and 12 digits"),
        ("Surname", "", "Surname is mandatory"),
        ("Forename", "", "Forename is mandatory"),
        ("DOB", "", "DOB is mandatory"),
        ("DOB", "2017-11-20", "a date as dd/mm/yyyy"),
        ("DOB", "20/11/17", "a date as dd/mm/yyyy"),
        ("DOB", "31/02/2017", "a date that exists"),
        ("DOB", "11/20/2017", "a date that exists"),
        ("DOB", "03/03/2026", "a date that is not in the future"),
        ("DOB", "31/12/1989", "a date of birth of 1990 or later"),
        ("DOA", "19/11/2017", "a day from the child's birth on"),
        ("DOA", "03/03/2026", "a date that is not in the future"),
        ("Gender", "X", "one of M, F, U, W"),
        ("Eligible for free meals", "maybe", "T or F"),
        ("Ethnicity", "no code at all", "a DfE ethnicity code such as WBRI"),
        ("Year", "Y15", "an NC year: N1, N2, R, 1 to 14 or X"),
        ("Postcode", "Chelmsford", "a postcode such as CM1 1QH"),
        ("In LEA Care", "?", "T or F"),
        ("Gifted", "art", "T or F"),
        ("Possible", "-1", "a whole number, 0 or more"),
        ("Possible", "6", "at least as many sessions as were missed, which is 7"),
        ("Authorised absences", "1.5", "a whole number, 0 or more"),
        ("Unauthorised absences", "", "together, or none"),
    ],
)
def test_a_wrong_cell(column: str, found: str, accepted: str) -> None:
    (finding,) = findings_of({column: found})
    assert (finding.row, finding.field, finding.found) == (3, column, found)
    assert accepted in finding.accepted


@pytest.mark.parametrize(
    ("column", "field", "code", "kept", "said"),
    [
        ("Mother tongue code", "first_language", "QQQ", "QQQ", "unknown"),
        ("Ethnicity", "ethnicity", "zZZZ", "zZZZ", "unknown"),
        ("SEN Status code", "sen_provision", "Z", "Z", "unknown"),
        ("SEN Status code", "sen_provision", "a", "A", "no longer valid (until 2015-08-31; then K)"),
    ],
)
def test_a_code_that_the_list_lacks_is_kept_as_it_came_and_flagged(
    column: str, field: str, code: str, kept: str, said: str
) -> None:
    (row,) = read(as_text({**CHILD, column: code})).rows
    assert not row.findings
    assert getattr(row.record, field) == kept
    [flag] = [each for each in row.flags if each.field == column]
    assert (flag.found, flag.row) == (kept, 2)
    assert said in flag.accepted


def test_a_code_of_the_list_is_not_flagged() -> None:
    (row,) = read(as_text({**CHILD, "SEN Status code": "K"})).rows
    assert row.flags == ()


def test_everything_that_is_wrong_with_a_row_is_found() -> None:
    wrong = findings_of({"UPN": "A801200005001", "DOB": "never", "Ethnicity": "a b"})
    assert [finding.field for finding in wrong] == ["UPN", "DOB", "Ethnicity"]


def test_what_was_found_is_cut() -> None:
    (finding,) = findings_of({"Postcode": "x" * 1000})
    assert len(finding.found) == 60


@pytest.mark.parametrize(
    ("text", "value"),
    [(text, True) for text in ("t", "TRUE", "Yes", "y", "1")]
    + [(text, False) for text in ("F", "false", "No", "n", "0")],
)
def test_the_ways_of_writing_yes_and_no(text: str, value: bool) -> None:
    (row,) = read(as_text({**CHILD, "Gifted": text})).rows
    assert row.record is not None
    assert row.record.gifted is value


def test_single_digits_in_dates() -> None:
    (row,) = read(as_text({**CHILD, "DOA": "7/9/2022"})).rows
    assert row.record is not None
    assert row.record.date_of_entry == date(2022, 9, 7)


def test_a_upn_that_comes_twice() -> None:
    (finding,) = findings_of({"UPN": OTHER["UPN"]})
    assert finding == Finding(
        field="UPN", found="H801200001001", accepted="a UPN that no other row has; row 2 has it", row=3
    )


def test_a_child_that_comes_twice() -> None:
    (finding,) = findings_of({"UPN": "", "Surname": "ROOSTER", "Forename": "Ann"})
    assert finding == Finding(
        field="Surname, Forename, DOB",
        found="ROOSTER, Ann, 20/11/2017",
        accepted="each child once; row 2 is the same child",
        row=3,
    )


def test_a_file_that_was_cut_off_within_a_row() -> None:
    file = read(as_text(CHILD, OTHER).rpartition(",Red class")[0])
    assert not file.rows[0].findings
    (finding,) = file.rows[1].findings
    assert (finding.row, finding.field, finding.found) == (3, "row", "10 columns")
    assert finding.accepted.startswith("18 columns, as in the heading")


def test_a_row_with_a_comma_too_many() -> None:
    text = as_text(CHILD, OTHER).replace("Rooster,Ann", "Rooster,,Ann")
    (finding,) = read(text).rows[1].findings
    assert (finding.row, finding.found) == (3, "19 columns")
    assert not read(as_text(CHILD).replace("\r\n", ",,\r\n")).rows[0].findings, "empty ones do no harm"


def test_a_quotation_mark_that_is_never_closed() -> None:
    text = as_text(CHILD, OTHER, {**OTHER, "UPN": "", "Forename": "Bo"}).replace(
        "Rooster,Ann", '"Rooster,Ann'
    )
    file = read(text)
    assert [row.row for row in file.rows] == [2, 3]
    (finding,) = file.rows[1].findings
    assert (finding.row, finding.field) == (3, "row")
    assert "rows 3 to 4 run together" in finding.found
    assert "quotation mark" in finding.accepted


def test_a_cell_that_is_too_long_is_no_matter_of_quotation_marks() -> None:
    longest = "A" * 131_072
    file = read(as_text(CHILD, OTHER).replace("Rooster,Ann", f"{longest}A,Ann"))
    assert [row.row for row in file.rows] == [2, 3]
    (finding,) = file.rows[1].findings
    assert (finding.row, finding.field, finding.found) == (3, "row", "a cell of more than 131,072 characters")
    assert "at most 131,072 characters" in finding.accepted
    assert not read(as_text(CHILD, OTHER).replace("Rooster,Ann", f"{longest},Ann")).rows[1].findings


def test_rows_after_a_stray_quotation_mark_keep_their_numbers() -> None:
    text = as_text(CHILD, OTHER, {**OTHER, "UPN": "", "Forename": "Bo"}).replace(
        "Rooster,Ann", '"Roo"ster,Ann'
    )
    file = read(text)
    assert [(row.row, bool(row.findings)) for row in file.rows] == [(2, False), (3, True), (4, False)]


def test_empty_rows_are_passed_over_and_counted() -> None:
    file = read(
        as_text(CHILD).rstrip() + "\r\n\r\n" + "," * 17 + "\r\n" + as_text(OTHER).partition("\r\n")[2]
    )
    assert [row.row for row in file.rows] == [2, 5]


def test_what_is_not_taken_is_counted_and_kept_nowhere() -> None:
    extra = {
        "E-mail": "parent@example.org",
        "Home address": "1 Acacia Avenue",
        "Mobile phone": "07700 900123",
        "House": "Griffin",
        "Notes": "write to other@example.org",
    }
    file = read(as_text({**CHILD, **extra}, {**OTHER, "House": "Lion"}, columns=[*COLUMNS, *extra, "Empty"]))
    assert file.dropped == {
        "email addresses": 2,
        "postal addresses": 1,
        "phone numbers": 1,
        'column "House"': 2,
        'column "Notes"': 0,
        'column "Empty"': 0,
    }
    for value in ("example.org", "Acacia", "900123", "Griffin"):
        assert value not in repr(file)


@pytest.mark.parametrize("column", ["Surname", "Forename", "Reg", "Postcode", "UPN", "Year"])
def test_an_email_address_is_refused_and_not_repeated(column: str) -> None:
    file = read(as_text({**CHILD, column: "zoe.rooster@example.org"}))
    (finding,) = file.rows[0].findings
    assert (finding.row, finding.field, finding.found) == (2, column, "an email address")
    assert "does not keep them" in finding.accepted
    assert "example.org" not in repr(file)


def test_the_file_that_is_written() -> None:
    (row,) = read(as_text(CHILD)).rows
    assert row.names is not None
    assert row.record is not None
    written = write_pupil_csv([(row.names, row.record)])
    heading, line, end = written.decode().split("\r\n")
    assert heading.split(",") == list(COLUMNS)
    assert line == (
        "B801200005001,Rooster,Zoë,20/11/2017,F,07/09/2022,T,ENG,WBRI,S,Red class,Y3,CM1 1QH,F,,200,6,1"
    )
    assert end == ""


FORMULAS = ["=1+1", "+44", "-Ann", "@SUM(A1)", "'=1", "''-x", "'t Hooft", "''"]


def check_formulas(written: list[str]) -> None:
    """Checks that no name is calculated by a spreadsheet, and that each is read back as it was."""
    (row,) = read(as_text(CHILD)).rows
    assert row.names is not None
    assert row.record is not None
    named = [msgspec.structs.replace(row.names, surname=name, upn=None) for name in written]
    record = msgspec.structs.replace(row.record, class_name="=cmd|' /C calc'!A0", ethnicity="-XXX")
    content = write_pupil_csv([(name, record) for name in named])
    for cells in csv.reader(content.decode().splitlines()):
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    rows = read(content).rows
    assert [each.names for each in rows] == named
    assert all(each.record == record for each in rows)


def test_no_cell_is_a_formula() -> None:
    check_formulas(FORMULAS)


@pytest.mark.parametrize(
    ("where", "name"),
    [("domain.files.pupil_csv_writer", "guarded"), ("domain.files.pupil_table", "unguarded")],
)
def test_a_file_that_is_not_guarded_or_not_read_back_is_found(
    monkeypatch: pytest.MonkeyPatch, where: str, name: str
) -> None:
    """The sabotaged twins."""
    monkeypatch.setattr(f"{where}.{name}", lambda text: text)
    with pytest.raises(AssertionError):
        check_formulas(FORMULAS)


@given(st.text(alphabet="'=+-@a 1", max_size=6))
def test_what_is_guarded_reads_back_the_same(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@"))


@given(st.lists(st.tuples(names, records), max_size=6, unique_by=distinct))
def test_what_is_written_reads_back_the_same(children: list[tuple[PupilNames, PupilRecord]]) -> None:
    assume(with_own_upns([child for child, _ in children]))
    file = read(write_pupil_csv(children))
    assert [(row.names, row.record) for row in file.rows] == children
    assert file.dropped == {}
    for row, (child, record) in zip(file.rows, children, strict=True):
        stated = [(child, field) for field in PupilNames.__struct_fields__]
        stated += [(record, field) for field in PupilRecord.__struct_fields__]  # type: ignore[misc]
        assert row.given == {field for struct, field in stated if getattr(struct, field) not in {None, ()}}


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused_with_a_reason(content: bytes) -> None:
    heading = ",".join(COLUMNS).encode() + b"\r\n"
    for octets in (content, heading + content):
        findings: list[Finding] | None = None
        rows: list[PupilRow] = []
        try:
            rows = read(octets).rows
        except UnreadableFile as refused:
            findings = refused.findings
        assert findings is None or findings
        assert all(row.findings or row.names for row in rows)


def test_fifty_thousand_rows() -> None:
    line = "{},Child {},20/11/2017,F,07/09/2022\r\n"
    text = "Surname,Forename,DOB,Gender,DOA\r\n" + "".join(line.format(i, i) for i in range(50_000))
    text += "Rooster,Zoë,31/02/2017,F,07/09/2022\r\n"
    file = read_pupil_csv(text.encode(), academic_year=ACADEMIC_YEAR, today=TODAY)
    assert len(file.rows) == 50_001
    assert [finding.row for row in file.rows for finding in row.findings] == [50_002]
