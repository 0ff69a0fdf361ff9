"""CSV files of any layout, read by a mapping of their columns."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import Finding, UnreadableFile
from domain.files import pupil_table
from domain.files.mapping import FIELDS, PLAIN, Mapping
from domain.files.pupil_csv import COLUMNS
from domain.files.pupil_csv_writer import write_pupil_csv
from domain.files.pupil_table_values import PERIODS
from domain.files.reader import read_pupil_file
from domain.files.rows import PupilFile, PupilRow
from domain.pupil_record import (
    CarePeriod,
    Period,
    PremiumPeriod,
    PupilNames,
    PupilRecord,
    RecordChange,
    SenPeriod,
)
from tests.unit.files.children import ACADEMIC_YEAR, TODAY, distinct, names, records, with_own_upns

WHO = {
    "surname": "Last",
    "forename": "First",
    "date_of_birth": "Born",
    "sex": "Sex",
    "date_of_entry": "Joined",
}
CHILD = {"Last": "Rooster", "First": "Zoë", "Born": "20/11/2017", "Sex": "F", "Joined": "07/09/2022"}


def read(content: bytes | str, **mapping: Any) -> PupilFile:
    octets = content.encode() if isinstance(content, str) else content
    return read_pupil_file(octets, academic_year=ACADEMIC_YEAR, today=TODAY, mapping=Mapping(**mapping))


def as_text(*rows: dict[str, str], delimiter: str = ",") -> str:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def row_of(cells: dict[str, str], fields: dict[str, Any], **mapping: Any) -> PupilRow:
    [row] = read(as_text(CHILD | cells), fields=WHO | fields, **mapping).rows
    return row


def record_of(cells: dict[str, str], fields: dict[str, Any], **mapping: Any) -> PupilRecord:
    row = row_of(cells, fields, **mapping)
    assert not row.findings
    assert row.record
    return row.record


def findings_of(cells: dict[str, str], fields: dict[str, Any], **mapping: Any) -> list[Finding]:
    return list(row_of(cells, fields, **mapping).findings)


def renamed(content: bytes, order: list[int], headings: list[str], delimiter: str) -> bytes:
    """The 18-column file with other headings, its columns in another order."""
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    rows[0] = headings
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([[row[at] for at in order] for row in rows])
    return out.getvalue().encode()


def check_permuted_columns_read_the_same(
    children: list[tuple[PupilNames, PupilRecord]], order: list[int], delimiter: str, encoding: str
) -> None:
    ours = write_pupil_csv(children)
    headings = [f"Column {number}" for number in range(18)]
    fields: dict[str, Any] = dict(zip(COLUMNS.values(), headings, strict=True))
    fields["sen_provision"] = {"column": fields["sen_provision"], "empty": "N"}
    theirs = renamed(ours, order, headings, delimiter).decode().encode(encoding)
    said = "utf-16" if encoding == "utf-16" else None
    mapped = read(theirs, fields=fields, encoding=said, delimiter=delimiter)
    plain = read_pupil_file(ours, academic_year=ACADEMIC_YEAR, today=TODAY)
    assert mapped.format == "mapped-csv"
    assert [without_headings(row) for row in mapped.rows] == [without_headings(row) for row in plain.rows]
    assert [(row.names, row.record) for row in mapped.rows] == children


def without_headings(row: PupilRow) -> PupilRow:
    """A row whose flags, in the order of their codes, do not say what the columns are called."""
    flags = sorted((flag.found, flag.accepted) for flag in row.flags)
    return msgspec.structs.replace(
        row, flags=tuple(Finding(field="", found=found, accepted=accepted) for found, accepted in flags)
    )


permutations = st.permutations(range(18))


@given(
    st.lists(st.tuples(names, records), max_size=4, unique_by=distinct),
    permutations,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_any_order_of_columns_gives_the_same_children(
    children: list[tuple[PupilNames, PupilRecord]], order: list[int], delimiter: str, encoding: str
) -> None:
    assume(with_own_upns([child for child, _ in children]))
    check_permuted_columns_read_the_same(children, order, delimiter, encoding)


def test_the_twin_that_takes_columns_as_they_come_fails_the_same_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    child = PupilNames(surname="Rooster", forename="Ann", date_of_birth=date(2017, 11, 20))
    record = PupilRecord(sex="F", date_of_entry=date(2022, 9, 7), sen_provision="N")
    order = [1, 0, *range(2, 18)]
    original = pupil_table._read_heading

    def by_place(number: int, cells: Any, layout: Any, above: int) -> Any:
        found = original(number, cells, layout, above)
        taken = [pupil_table._Taken(column, at) for at, column in enumerate(layout.columns)]
        return pupil_table._Heading(found.width, taken, found.ignored, found.above)

    check_permuted_columns_read_the_same([(child, record)], order, ",", "utf-8")
    monkeypatch.setattr(pupil_table, "_read_heading", by_place)
    with pytest.raises(AssertionError):
        check_permuted_columns_read_the_same([(child, record)], order, ",", "utf-8")


def test_every_field_that_a_cell_can_hold_can_be_mapped() -> None:
    # That a UPN was mistyped only the school knows.
    lists = {"previous_schools", "attendance_before", "other_elements", "mistyped_upns", *PERIODS}
    whole = {*PupilNames.__struct_fields__, *RecordChange.__struct_fields__} - {"attendance"}
    assert whole - lists == PLAIN - {"possible", "authorised", "unauthorised"}
    assert set(FIELDS) == PLAIN | PERIODS.keys()


def test_every_plain_field_is_read() -> None:
    cells = {
        "U": "b801 2000 0500 1",
        "FU": "H801200001001; Y881200000001",
        "PC": "cm11qh",
        "MN": "Ida  Ann",
        "PS": "Lund",
        "PF": "Zo",
        "FS": "Muster",
        "FF": "Zoe",
        "Prev": "Little Acorns",
        "Y": "Year 3",
        "C": "Elm Road",
        "L": "eng",
        "E": "wbri",
        "G": "1",
        "T": "no",
        "EAL": "Y",
        "PLA": "A",
        "Terms": "3",
        "Status": "C",
        "Need 1": "SLCN",
        "Need 2": "MLD/SLCN",
    }
    row = row_of(
        cells,
        {
            "upn": "U",
            "former_upns": "FU",
            "postcode": "PC",
            "middle_names": "MN",
            "preferred_surname": "PS",
            "preferred_forename": "PF",
            "former_surname": "FS",
            "former_forename": "FF",
            "previous_setting": "Prev",
            "nc_year": "Y",
            "class_name": "C",
            "first_language": "L",
            "ethnicity": "E",
            "gifted": "G",
            "talented": "T",
            "eal": "EAL",
            "post_looked_after": "PLA",
            "preschool_terms": "Terms",
            "enrolment_status": "Status",
            "sen_needs": {"columns": ["Need 1", "Need 2"]},
        },
    )
    assert not row.findings
    assert row.names == PupilNames(
        surname="Rooster",
        forename="Zoë",
        date_of_birth=date(2017, 11, 20),
        upn="B801200005001",
        former_upns=("H801200001001", "Y881200000001"),
        postcode="CM1 1QH",
        middle_names="Ida Ann",
        preferred_surname="Lund",
        preferred_forename="Zo",
        former_surname="Muster",
        former_forename="Zoe",
        previous_setting="Little Acorns",
    )
    assert row.record == PupilRecord(
        sex="F",
        date_of_entry=date(2022, 9, 7),
        nc_year="3",
        class_name="Elm Road",
        first_language="ENG",
        ethnicity="WBRI",
        gifted=True,
        talented=False,
        eal=True,
        post_looked_after="A",
        preschool_terms=3,
        enrolment_status="C",
        sen_needs=("SLCN", "MLD"),
    )


def test_values_are_turned_into_codes_whatever_their_capitals() -> None:
    fields = {
        "sex": {"column": "Sex", "values": {"Female": "F", "Male": "M"}},
        "sen_provision": {"column": "SEN", "values": {"SEN Support": "K", "?": ""}, "empty": "N"},
        "sen_needs": {"column": "Needs", "values": {"Speech": "SLCN"}},
    }
    cells = {"Sex": "FEMALE", "SEN": "sen  support", "Needs": "speech, MLD"}
    record = record_of(cells, fields)
    assert (record.sex, record.sen_provision, record.sen_needs) == ("F", "K", ("SLCN", "MLD"))
    assert record_of(cells | {"SEN": ""}, fields).sen_provision == "N"
    row = row_of(cells | {"SEN": "?"}, fields)
    assert "sen_provision" not in row.given


def test_a_code_that_no_list_has_is_kept_and_flagged() -> None:
    row = row_of({"E": "ZZZZ"}, {"ethnicity": "E"})
    assert row.record
    assert row.record.ethnicity == "ZZZZ"
    assert [(flag.field, flag.found, flag.row) for flag in row.flags] == [("E", "ZZZZ", 2)]
    [finding] = findings_of({"E": "White British"}, {"ethnicity": "E"})
    assert (finding.field, finding.found) == ("E", "White British")


def test_what_means_yes_and_no() -> None:
    fields = {"gifted": "G"}
    for text, value in (("Eligible", True), ("not  eligible", False), ("T", True), ("0", False)):
        record = record_of({"G": text}, fields, true=("Eligible",), false=("Not eligible",))
        assert record.gifted is value
    [finding] = findings_of({"G": "perhaps"}, fields, true=("Eligible",))
    assert finding.accepted.endswith("or Eligible")
    assert record_of({"G": ""}, {"gifted": {"column": "G", "empty": "F"}}).gifted is False


def test_dates_of_one_column_may_be_written_otherwise() -> None:
    record = record_of({"Joined": "07-Sep-22"}, {"date_of_entry": {"column": "Joined", "dates": "dd-mmm-yy"}})
    assert record.date_of_entry == date(2022, 9, 7)
    [finding] = findings_of({"Joined": "2022-09-07"}, {})
    assert finding.accepted == "a date as dd/mm/yyyy, such as 07/09/2019"


@pytest.mark.parametrize(
    ("cells", "fields", "field", "periods", "plain"),
    [
        (
            {"From": "05/09/2022", "To": ""},
            {"meals_periods": {"start": "From", "end": "To"}},
            "meals_periods",
            (Period(start=date(2022, 9, 5)),),
            None,
        ),
        (
            {"From": "05/09/2021", "To": "22/07/2022", "FSM": "N"},
            {"meals_periods": {"column": "FSM", "start": "From", "end": "To"}},
            "meals_periods",
            (Period(start=date(2021, 9, 5), end=date(2022, 7, 22)),),
            None,
        ),
        (
            {"From": "", "FSM": "N"},
            {"meals_periods": {"column": "FSM", "start": "From"}},
            "meals_periods",
            (),
            ("free_school_meals", False),
        ),
        (
            {"From": "05/09/2022", "PP": "Yes"},
            {"premium_periods": {"column": "PP", "start": "From", "values": {"Yes": "DPP", "No": ""}}},
            "premium_periods",
            (PremiumPeriod(start=date(2022, 9, 5), reason="DPP"),),
            None,
        ),
        (
            {"PP": "SCP"},
            {"premium_periods": "PP"},
            "premium_periods",
            (PremiumPeriod(reason="SCP"),),
            None,
        ),
        (
            {"PP": "No"},
            {"premium_periods": {"column": "PP", "values": {"No": ""}}},
            "premium_periods",
            (),
            None,
        ),
        (
            {"From": "05/09/2022", "SEN": "K"},
            {"sen_periods": {"column": "SEN", "start": "From"}},
            "sen_periods",
            (SenPeriod(start=date(2022, 9, 5), provision="K"),),
            None,
        ),
        (
            {"From": "", "SEN": "N"},
            {"sen_periods": {"column": "SEN", "start": "From"}},
            "sen_periods",
            (),
            ("sen_provision", "N"),
        ),
        (
            {"From": "05/09/2022", "Care": "Y"},
            {"care_periods": {"column": "Care", "start": "From"}},
            "care_periods",
            (CarePeriod(start=date(2022, 9, 5)),),
            None,
        ),
    ],
)
def test_periods_stand_in_several_columns(
    cells: dict[str, str],
    fields: dict[str, Any],
    field: str,
    periods: tuple[Period, ...],
    plain: tuple[str, Any] | None,
) -> None:
    row = row_of(cells, fields)
    assert not row.findings
    assert getattr(row.record, field) == periods
    assert row.joined == ({field} if periods else frozenset())
    if plain:
        assert getattr(row.record, plain[0]) == plain[1]
        assert plain[0] in row.given


@pytest.mark.parametrize(
    ("cells", "fields", "heading"),
    [
        ({"From": "05/09/2022", "To": "04/09/2022"}, {"meals_periods": {"start": "From", "end": "To"}}, "To"),
        ({"From": "05/09/2026", "To": ""}, {"meals_periods": {"start": "From", "end": "To"}}, "From"),
        ({"From": "05/09/1985", "To": ""}, {"meals_periods": {"start": "From", "end": "To"}}, "From"),
        ({"From": "05/09/2022", "F": "N"}, {"meals_periods": {"column": "F", "start": "From"}}, "F"),
        ({"From": "05/09/2022", "S": ""}, {"sen_periods": {"column": "S", "start": "From"}}, "S"),
    ],
)
def test_periods_that_cannot_be(cells: dict[str, str], fields: dict[str, Any], heading: str) -> None:
    [finding] = findings_of(cells, fields)
    assert (finding.field, finding.row) == (heading, 2)
    assert finding.accepted


def test_totals_stand_together() -> None:
    fields = {"possible": "P", "authorised": "A", "unauthorised": "U"}
    totals = record_of({"P": "200", "A": "6", "U": "1"}, fields).attendance
    assert totals
    assert (totals.academic_year, totals.possible) == (ACADEMIC_YEAR, 200)
    [finding] = findings_of({"P": "200", "A": "", "U": "1"}, fields)
    assert (finding.field, finding.accepted) == ("A", "P, A and U together, or none")
    [finding] = findings_of({"P": "5", "A": "5", "U": "1"}, fields)
    assert "which is 6" in finding.accepted


def test_a_file_that_tells_children_by_their_upn_alone() -> None:
    file = read("UPN,FSM\nB801200005001,Y\n,N\n", fields={"upn": "UPN", "free_school_meals": "FSM"})
    known, nobody = file.rows
    assert (known.upn, known.names) == ("B801200005001", None)
    assert known.given == {"upn", "free_school_meals"}
    [finding] = nobody.findings
    assert finding.field == "UPN"


def test_rows_above_the_heading_are_passed_over_and_counted() -> None:
    text = "Pupils of Oak,,,,\n,,,,\n01/09/2025,,,,\n" + as_text(CHILD)
    file = read(text, fields=WHO)
    assert [row.row for row in file.rows] == [5]
    assert file.dropped == {"rows above the heading": 2}


def test_line_breaks_within_quotation_marks_and_rows_that_are_cut_off() -> None:
    text = as_text(CHILD | {"Notes": "one\ntwo\r\nthree"}, CHILD | {"First": "Ann"}) + "Rooster,Bo\n"
    file = read(text, fields=WHO)
    assert [(row.row, bool(row.findings)) for row in file.rows] == [(2, False), (3, False), (4, True)]
    assert file.dropped == {'column "Notes"': 1}


def test_what_is_not_taken_is_counted_and_kept_nowhere() -> None:
    extra = {"Parent Email": "parent@example.org", "Home address": "1 Acacia Avenue", "House": "Griffin"}
    file = read(as_text(CHILD | extra), fields=WHO)
    assert file.dropped == {"email addresses": 1, "postal addresses": 1, 'column "House"': 1}
    for value in ("example.org", "Acacia", "Griffin"):
        assert value not in repr(file)


def test_an_address_in_a_column_that_is_taken_is_refused() -> None:
    [finding] = findings_of({"Prev": "Acorns, 12 Elm Road, Chelmsford"}, {"previous_setting": "Prev"})
    assert (finding.field, finding.found) == ("Prev", "Acorns, 12 Elm Road, Chelmsford")
    [finding] = findings_of({"Prev": "ask head@acorns.example"}, {"previous_setting": "Prev"})
    assert finding.found == "an email address"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_encodings_are_told_by_the_file(encoding: str) -> None:
    file = read(as_text(CHILD | {"Last": "O’Neill"}).encode(encoding), fields=WHO)
    [row] = file.rows
    assert row.names
    assert (row.names.surname, row.names.forename, file.encoding) == ("O’Neill", "Zoë", encoding)


def test_damaged_encodings_are_refused_with_the_row() -> None:
    mixed = as_text(CHILD, CHILD | {"First": "Ann"}).encode().replace(b"Ann", b"Ren\xe9")
    with pytest.raises(UnreadableFile) as refused:
        read(mixed, fields=WHO)
    assert refused.value.findings[0].field == "character encoding"
    for said, content in (("utf-8", b"\xff" + as_text(CHILD).encode()), ("utf-16", b"\xff\xfe\x00\xd8a")):
        with pytest.raises(UnreadableFile) as refused:
            read(content, fields=WHO, encoding=said)
        assert said in refused.value.findings[0].found


def test_other_encodings_where_the_mapping_says_so() -> None:
    for said, python in (("macintosh", "mac-roman"), ("iso-8859-1", "latin-1"), ("utf-16", "utf-16")):
        [row] = read(as_text(CHILD).encode(python), fields=WHO, encoding=said).rows
        assert row.names
        assert row.names.forename == "Zoë"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_told_by_the_file(delimiter: str) -> None:
    assert not read(as_text(CHILD, delimiter=delimiter), fields=WHO).rows[0].findings


def test_columns_that_are_not_there_or_there_twice() -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(as_text(CHILD), fields=WHO | {"upn": "UPN", "nc_year": "Year"})
    assert [(each.field, each.found) for each in refused.value.findings] == [
        ("UPN", "no such column"),
        ("Year", "no such column"),
    ]
    with pytest.raises(UnreadableFile) as refused:
        read("Last,First,Born,Sex,Joined,Sex\n", fields=WHO)
    assert refused.value.findings[0].found == "2 such columns"
    with pytest.raises(UnreadableFile) as refused:
        read("a,b,c\n1,2,3\n", fields=WHO)
    assert "Last, First, Born" in refused.value.findings[0].accepted


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"%PDF-1.7"])
def test_other_kinds_of_file(content: bytes) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(content, fields=WHO)
    assert refused.value.findings[0].accepted == "a table of pupils (CSV)"


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused_with_a_reason(content: bytes) -> None:
    heading = b"Last,First,Born,Sex,Joined\r\n"
    for octets in (content, heading + content):
        for encoding in (None, "utf-16", "macintosh"):
            findings: list[Finding] | None = None
            rows: list[PupilRow] = []
            try:
                rows = read(octets, fields=WHO, encoding=encoding).rows
            except UnreadableFile as refused:
                findings = refused.findings
            assert findings is None or findings
            assert all(row.findings or row.names for row in rows)
