"""Files of either kind that are too long to be a school's."""

from __future__ import annotations

from datetime import date

import pytest

from domain.errors import UnreadableFile
from domain.files.reader import MOST_PUPILS, read_pupil_file
from domain.files.rows import PupilFile

CSV_HEADING = "Surname,Forename,DOB,Gender,DOA\r\n"
CSV_ROW = "{},Child {},20/11/2017,F,07/09/2022\r\n"
CTF = "<CTfile><Header/><CTFpupilData>{}</CTFpupilData></CTfile>"
CTF_PUPIL = "<Pupil><Surname>A</Surname><Forename>Child {}</Forename><DOB>2017-11-20</DOB></Pupil>"


def read(text: str) -> PupilFile:
    return read_pupil_file(text.encode(), academic_year=2026, today=date(2026, 11, 23))


def test_fifty_thousand_rows_are_refused_at_the_first_one_too_many() -> None:
    text = CSV_HEADING + "".join(CSV_ROW.format(number, number) for number in range(50_000))
    with pytest.raises(UnreadableFile, match="50,000 pupils") as refused:
        read(text)
    [finding] = refused.value.findings
    assert finding.row == MOST_PUPILS + 2
    assert finding.found == "50,000 pupils"
    assert "10,000" in finding.accepted


def test_as_many_as_are_accepted() -> None:
    text = CSV_HEADING + "".join(CSV_ROW.format(number, number) for number in range(MOST_PUPILS))
    assert len(read(text).rows) == MOST_PUPILS


def test_a_transfer_file_that_is_too_long() -> None:
    pupils = "".join(CTF_PUPIL.format(number) for number in range(MOST_PUPILS + 1))
    with pytest.raises(UnreadableFile, match="10,001 pupils") as refused:
        read(CTF.format(pupils))
    assert refused.value.findings[0].row == MOST_PUPILS + 1
