"""Results of a Common Transfer File that lie outside their scale: numbers are refused, codes are kept."""

from __future__ import annotations

import pytest

from domain.files import ctf_results
from domain.files.rows import PupilRow
from domain.schemes.kinds import Scores
from tests.unit.files.test_ctf import IDENTITY, as_ctf, read

RESULT = "StageAssessments/KeyStage/StageAssessment/Result"

PHONICS = {"Stage": "KS1", "Subject": "PHO", "Component": "PHO", "Method": "TA", "Year": "2024"}
TEST = {"Stage": "KS2", "Subject": "ENG", "Component": "REA", "Method": "TT", "Year": "2025"}
TIMES_TABLES = {"Stage": "KS2", "Subject": "MAT", "Component": "MTC", "Method": "TT", "Year": "2025"}
TEACHER = {"Stage": "KS2", "Subject": "ENG", "Component": "REA", "Method": "TA", "Year": "2025"}
GOAL = {"Stage": "EYF", "Subject": "COM", "Component": "E01", "Method": "FA", "Year": "2025"}


def row_with(stated: dict[str, str], value: str) -> PupilRow:
    inner = "".join(f"<{tag}>{text}</{tag}>" for tag, text in stated.items() if tag != "Stage")
    pupil = (
        f"<Pupil>{IDENTITY}<StageAssessments><KeyStage><Stage>{stated['Stage']}</Stage><StageAssessment>"
        f"{inner}<Result>{value}</Result></StageAssessment></KeyStage></StageAssessments></Pupil>"
    )
    (row,) = read(as_ctf(pupil)).rows
    return row


def check_refused(stated: dict[str, str], value: str, accepted: str) -> None:
    row = row_with(stated, value)
    [finding] = row.findings
    assert (finding.row, finding.field, finding.found) == (1, RESULT, value)
    assert accepted in finding.accepted


@pytest.mark.parametrize(
    ("stated", "value", "accepted"),
    [
        (TEST, "300", "a whole number from 80 to 120, or one of AS, NS, N"),
        (TEST, "79", "a whole number from 80 to 120"),
        (TEST | {"ResultQualifier": "NM"}, "121", "Key Stage 2 tests (REA)"),
        (TEST, "-104", "a whole number from 80 to 120"),
        (TEST, "104.5", "a whole number from 80 to 120"),
        (PHONICS, "45", "a whole number from 0 to 40, or one of Wa, Wt"),
        (TIMES_TABLES | {"ResultQualifier": "MT"}, "26", "a whole number from 0 to 25"),
    ],
)
def test_a_number_outside_its_scale_is_refused(stated: dict[str, str], value: str, accepted: str) -> None:
    check_refused(stated, value, accepted)


@pytest.mark.parametrize(
    ("stated", "value"),
    [
        (TEST, "104"),
        (TEST, "080"),
        *((TEST, letter) for letter in ("A", "T", "N", "X", "B", "CA", "Z")),
        *((PHONICS, letter) for letter in ("A", "D", "L", "Q", "Wa", "WT")),
        (PHONICS, "40"),
        (TIMES_TABLES, "NAA"),
        # On none of the scales that are known here: raw scores, ages.
        (TEST | {"ResultQualifier": "RS"}, "34"),
        (TEST | {"ResultQualifier": "NR"}, "34"),
        (TEST | {"ResultQualifier": "AG"}, "9.05"),
        # Before the scale was in use.
        (TEST | {"Year": "2014"}, "34"),
        (GOAL, "2"),
    ],
)
def test_what_is_on_its_scale_or_on_no_known_one_is_taken(stated: dict[str, str], value: str) -> None:
    row = row_with(stated, value)
    assert row.findings == ()
    assert [result.value for result in row.results] == [value]


@pytest.mark.parametrize(("stated", "value"), [(TEST, "QQ"), (TEACHER, "PK9"), (TEACHER, "9"), (GOAL, "7")])
def test_a_code_that_no_list_has_is_kept_and_flagged(stated: dict[str, str], value: str) -> None:
    row = row_with(stated, value)
    assert row.findings == ()
    assert [result.value for result in row.results] == [value]
    assert [(flag.field, flag.found) for flag in row.flags] == [(RESULT, value)]


def test_a_reader_that_takes_any_number_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(Scores, "is_off", lambda *_: False)
    ctf_results._looked_at.cache_clear()
    with pytest.raises(ValueError, match="not enough values"):
        check_refused(TEST, "300", "")
    ctf_results._looked_at.cache_clear()
