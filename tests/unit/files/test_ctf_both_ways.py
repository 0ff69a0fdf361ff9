"""What is written as a Common Transfer File reads back the same; whatever were left out would be noticed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import domain.files.ctf_writer
from domain.assessment import Result, cell_of
from domain.files.ctf_kept import Keeper
from domain.files.ctf_writer import CtfPupil, CtfSchool, write_ctf
from domain.files.reader import read_pupil_file
from domain.files.rows import FileSource
from domain.periods import sen_entries
from domain.pupil import AttendanceTotals, PupilNames, PupilRecord
from domain.pupil_record import OtherElement, Period, SchoolAttended, SenPeriod, YearAttended
from tests.unit.files.children import (
    ACADEMIC_YEAR,
    TODAY,
    distinct,
    results,
    whole_pupils,
    with_own_upns,
)

SCHOOL = CtfSchool(la="999", establishment="1001", urn="90875", name="St Made-up’s <&> Primary")
NOW = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)

transferable = st.builds(
    lambda child, found: CtfPupil(names=child[0], record=child[1], results=tuple(found)),
    whole_pupils(),
    st.lists(results, max_size=4, unique_by=cell_of),
)
rolls = st.lists(transferable, max_size=3, unique_by=lambda pupil: distinct((pupil.names, None)))


def as_a_file_tells_it(record: PupilRecord, day: date = TODAY) -> PupilRecord:
    """The record with its SEN provision as files have it: where it ended, none began."""
    entries = sen_entries(record.sen_periods, day)
    following = [start for start, _ in entries[1:]] + [None] * bool(entries)
    periods = tuple(
        SenPeriod(start=start, end=then - timedelta(days=1) if then else None, provision=code)
        for (start, code), then in zip(entries, following, strict=True)
    )
    return msgspec.structs.replace(record, sen_periods=periods)


def by_stage(found: tuple[Result, ...]) -> list[Result]:
    """Results in the order of a file: those of one stage together."""
    stages = list(dict.fromkeys(result.stage for result in found))
    return sorted(found, key=lambda result: stages.index(result.stage))


def elements_of(names: PupilNames) -> list[tuple[str, str, str]]:
    return sorted((each.path, each.of, each.xml) for each in names.other_elements)


def comes_back(pupils: list[CtfPupil]) -> None:
    """The property: every field that a file has a place for, every result and every other element."""
    content = write_ctf(SCHOOL, ACADEMIC_YEAR, pupils, NOW)
    file = read_pupil_file(content, academic_year=ACADEMIC_YEAR, today=TODAY)
    assert [row.findings for row in file.rows] == [()] * len(pupils)
    assert file.dropped == {}
    for row, pupil in zip(file.rows, pupils, strict=True):
        assert row.names is not None
        assert row.record is not None
        assert elements_of(row.names) == elements_of(pupil.names)
        kept = row.names.other_elements
        assert row.names == msgspec.structs.replace(pupil.names, other_elements=kept)
        assert row.record == as_a_file_tells_it(pupil.record)
        assert list(row.results) == by_stage(pupil.results)
    # In the places that the elements have now, they stay.
    assert file.source == FileSource(
        la="999", establishment="1001", urn="90875", name=SCHOOL.name, academic_year=ACADEMIC_YEAR
    )
    again = [
        CtfPupil(names=row.names, record=row.record, results=row.results)
        for row in file.rows
        if row.names and row.record
    ]
    assert write_ctf(SCHOOL, ACADEMIC_YEAR, again, NOW) == content


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(rolls)
def test_what_is_written_reads_back_the_same(pupils: list[CtfPupil]) -> None:
    assume(with_own_upns([pupil.names for pupil in pupils]))
    comes_back(pupils)


RICH = CtfPupil(
    names=PupilNames(
        surname="Rooster",
        forename="Albert",
        date_of_birth=date(2015, 11, 20),
        upn="B801200005001",
        former_upns=("H801200001001", "Y881200016001"),
        postcode="CM1 1QH",
        middle_names="Ida Ann",
        preferred_surname="Lund",
        preferred_forename="Bert",
        former_surname="Muster",
        former_forename="Al",
        previous_schools=(
            SchoolAttended(
                name="Elm Bank Infant School",
                local_authority="881",
                establishment="2999",
                entered_on=date(2020, 9, 3),
                left_on=date(2022, 7, 22),
                leaving_reason="IJ",
            ),
        ),
        attendance_before=(
            YearAttended(academic_year=2024, possible=380, authorised=4, unauthorised=1),
            YearAttended(
                academic_year=2021,
                possible=376,
                authorised=8,
                unauthorised=2,
                name="Elm Bank Infant School",
                local_authority="881",
                establishment="2999",
            ),
        ),
        other_elements=(
            OtherElement(xml="<Allergy>nuts</Allergy>", after="InCare", path="LookedAfter"),
            OtherElement(xml="<CareAuthority>881</CareAuthority>", path="LookedAfter", after="InCare"),
            OtherElement(xml="<NAWdetails><SpeakWelsh>N</SpeakWelsh></NAWdetails>", after="FSMhistory"),
        ),
    ),
    record=PupilRecord(
        sex="M",
        date_of_entry=date(2022, 9, 5),
        nc_year="5",
        ethnicity="WBRI",
        first_language="POL",
        enrolment_status="C",
        free_school_meals=True,
        meals_periods=(
            Period(start=date(2021, 9, 1), end=date(2022, 7, 22)),
            Period(start=date(2024, 1, 8)),
        ),
        in_care=True,
        sen_provision="K",
        sen_periods=(
            SenPeriod(end=date(2022, 1, 9), provision="N"),
            SenPeriod(start=date(2022, 1, 10), provision="K"),
        ),
        sen_needs=("SLCN", "MLD"),
        attendance=AttendanceTotals(academic_year=ACADEMIC_YEAR, possible=200, authorised=6, unauthorised=1),
    ),
    results=(
        Result(
            scheme="statutory",
            subject="ENG",
            value="EXS",
            academic_year=2022,
            stage="KS1",
            component="REA",
            method="TA",
            qualifier="NM",
            status="R",
            assessed_on=date(2023, 6, 1),
        ),
    ),
)
"""A pupil with something in every field that a Common Transfer File has a place for."""

BARE = CtfPupil(
    names=PupilNames(surname="Rooster", forename="Ada", date_of_birth=date(2016, 1, 2)),
    record=PupilRecord(sex="F", date_of_entry=date(2022, 9, 5), free_school_meals=False),
)


def holds() -> bool:
    """Whether the property holds of these two."""
    try:
        comes_back([RICH, BARE])
    except AssertionError:
        return False
    return True


def test_both_are_such_pupils() -> None:
    assert holds()
    written = write_ctf(SCHOOL, ACADEMIC_YEAR, [RICH, BARE], NOW).decode()
    assert [tag for tag in (*PLAIN, *OF_RESULTS) if f"<{tag}>" not in written] == []


PLAIN = [
    "UPN",
    "Sex",
    "FormerUPN",
    "PreferredSurname",
    "PreferredForename",
    "FormerSurname",
    "FormerForename",
    "MiddleNames",
    "NCyearActual",
    "Ethnicity",
    "Language",
    "EnrolStatus",
    "FSMreviewDate",
    "FSMstartDate",
    "FSMendDate",
    "InCare",
    "StartDate",
    "SENprovision",
    "SENtype",
    "PostCode",
    "Year",
    "LEA",
    "Estab",
    "SchoolName",
    "SessionsPossible",
    "SessionsAuthorised",
    "SessionsUnauthorised",
    "EntryDate",
    "LeavingDate",
    "LeavingReason",
]
OF_RESULTS = [
    "Year",
    "Subject",
    "Method",
    "Component",
    "ResultStatus",
    "ResultQualifier",
    "Result",
    "ResultDate",
]


@pytest.mark.parametrize("forgotten", PLAIN)
def test_a_writer_that_forgets_an_element_is_found_out(
    monkeypatch: pytest.MonkeyPatch, forgotten: str
) -> None:
    part = domain.files.ctf_writer._part
    monkeypatch.setattr(
        domain.files.ctf_writer, "_part", lambda tag, text: [] if tag == forgotten else part(tag, text)
    )
    assert not holds()


@pytest.mark.parametrize("forgotten", OF_RESULTS)
def test_a_writer_that_forgets_a_part_of_a_result_is_found_out(
    monkeypatch: pytest.MonkeyPatch, forgotten: str
) -> None:
    coded: Callable[[str, str], str] = domain.files.ctf_writer._coded
    monkeypatch.setattr(
        domain.files.ctf_writer, "_coded", lambda tag, text: "" if tag == forgotten else coded(tag, text)
    )
    assert not holds()


def test_a_reader_that_drops_other_elements_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Keeper, "keep", lambda *_: None)
    assert not holds()


def test_a_writer_that_loses_their_places_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands elsewhere is read as something else."""
    monkeypatch.setattr(
        domain.files.ctf_writer._Pupil,
        "_inside",
        lambda self, path, parts, key="": [
            (path.rpartition("/")[2], written) for written in self._in_order(path, key, list(parts))
        ],
    )
    assert not holds()
