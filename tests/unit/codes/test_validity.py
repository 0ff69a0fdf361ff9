"""A code is valid on some days and not on others; what is not is flagged, and kept."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.codes.entries import CodeFlag, CodeProblem
from domain.codes.record_sets import ATTENDANCE, LEAVING_REASON, SEN_TYPE
from domain.codes.registry import SETS
from domain.codes.result_sets import (
    ASSESSMENT_COMPONENT,
    EYFS_PROFILE_OUTCOME,
    PHONICS_OUTCOME,
    TEACHER_ASSESSMENT_OUTCOME,
    TEST_OUTCOME,
)
from domain.codes.sets import (
    ETHNICITY,
    LANGUAGE,
    NC_YEAR,
    SEN_PROVISION,
    SEX,
    CodeSet,
    is_additional_language,
    main_ethnicity,
)

BEFORE, REFORM = date(2024, 8, 18), date(2024, 8, 19)
A_DAY = timedelta(days=1)


def wrong_days(codes: CodeSet, code: str, first: date | None, last: date | None) -> list[str]:
    """Where a list disagrees with the first and the last day of a code."""
    days = {day: True for day in (first, last) if day}
    if first:
        days[first - A_DAY] = False
    if last:
        days[last + A_DAY] = False
    return [
        f"{code} on {day.isoformat()}" for day, valid in days.items() if codes.valid_on(code, day) != valid
    ]


SEN_REFORM = [
    ("A", date(2001, 9, 1), date(2015, 8, 31)),
    ("P", date(2001, 9, 1), date(2015, 8, 31)),
    ("S", None, date(2018, 3, 31)),
    ("E", date(2014, 9, 1), None),
    ("K", date(2014, 9, 1), None),
]


@pytest.mark.parametrize(("code", "first", "last"), SEN_REFORM)
def test_sen_provision_across_the_reform_of_2014(code: str, first: date | None, last: date | None) -> None:
    assert wrong_days(SEN_PROVISION, code, first, last) == []
    assert SEN_PROVISION.valid_on("N", date(1990, 1, 1))
    assert SEN_PROVISION.valid_on("N", date(2090, 1, 1))


def test_a_list_that_forgets_its_dates_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin: a list for which every code that it ever had is valid on every day."""
    monkeypatch.setattr(CodeSet, "valid_on", lambda self, code, day: code in self)
    for code, first, last in SEN_REFORM:
        assert wrong_days(SEN_PROVISION, code, first, last) != []


def test_what_was_valid_reads_for_ever() -> None:
    for code, description in (("A", "School Action or Early Years Action"), ("S", "Statement of SEN")):
        assert SEN_PROVISION.find(code.lower()) == code
        assert SEN_PROVISION.describe(code) == description
        assert SEN_PROVISION.describe(code, date(2026, 9, 1)) == description


def test_flags_say_why_since_when_and_what_came_after() -> None:
    assert SEN_PROVISION.flag("p", date(2015, 8, 31)) is None
    assert SEN_PROVISION.flag("p", date(2015, 9, 1)) == CodeFlag(
        code="P",
        problem=CodeProblem.NO_LONGER_VALID,
        valid_from=date(2001, 9, 1),
        valid_to=date(2015, 8, 31),
        successor="K",
    )
    early = SEN_PROVISION.flag("k", date(2014, 8, 31))
    assert early == CodeFlag(code="K", problem=CodeProblem.NOT_YET_VALID, valid_from=date(2014, 9, 1))
    assert early is not None
    assert early.message == "not yet valid (from 2014-09-01)"
    unknown = SEN_PROVISION.flag("zz", date(2026, 9, 1))
    assert unknown == CodeFlag(code="zz", problem=CodeProblem.UNKNOWN)
    assert unknown is not None
    assert unknown.message == "unknown"
    late = SEN_PROVISION.flag("S", date(2018, 4, 1))
    assert late is not None
    assert late.message == "no longer valid (until 2018-03-31; then E)"


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("H", "authorised", None),
        ("J", "approved_educational_activity", None),
        ("Y", "not_possible", None),
        ("J1", None, "authorised"),
        ("C1", None, "authorised"),
        ("K", None, "approved_educational_activity"),
        ("Q", None, "not_possible"),
        ("Y7", None, "not_possible"),
        ("D", "not_possible", "not_possible"),
        ("X", "not_possible", "not_possible"),
        ("Z", "not_collected", "not_collected"),
        ("#", "not_collected", "not_collected"),
        ("\\", "present", "present"),
        ("O", "unauthorised", "unauthorised"),
    ],
)
def test_attendance_codes_either_side_of_19_august_2024(
    code: str, before: str | None, after: str | None
) -> None:
    assert ATTENDANCE.detail(code, "classification", BEFORE) == before
    assert ATTENDANCE.detail(code, "classification", REFORM) == after
    if before is None:
        expected = CodeFlag(code=code, problem=CodeProblem.NOT_YET_VALID, valid_from=REFORM)
        assert ATTENDANCE.flag(code, BEFORE) == expected
    if after is None:
        flag = ATTENDANCE.flag(code, REFORM)
        assert flag is not None
        assert (flag.code, flag.problem, flag.valid_to) == (code, CodeProblem.NO_LONGER_VALID, BEFORE)
    if before and after:
        assert ATTENDANCE.flag(code, BEFORE) is ATTENDANCE.flag(code, REFORM) is None


def test_attendance_lists_are_whole_on_either_side() -> None:
    assert len(ATTENDANCE.entries_on(REFORM)) == 34
    assert len(ATTENDANCE.entries_on(BEFORE)) == 26
    assert len(ATTENDANCE) == 38


def test_a_code_that_means_something_else_today_is_described_by_its_day() -> None:
    assert "other authorised circumstances" in ATTENDANCE.describe("C", BEFORE)
    assert "agreed by the headteacher" in ATTENDANCE.describe("c", REFORM)
    assert ATTENDANCE.codes["C"] == ATTENDANCE.describe("C") == ATTENDANCE.describe("C", REFORM)
    flag = ATTENDANCE.flag("j", REFORM)
    assert flag is not None
    assert flag.message == "no longer valid (until 2024-08-18; then J1)"


def test_what_every_attendance_code_counts_as_adds_up() -> None:
    """Possible are those attended, authorised and unauthorised, and nothing else."""
    for entry in ATTENDANCE.entries:
        counts = {
            name: entry.details[f"counts_{name}"] for name in ("attended", "authorised", "unauthorised")
        }
        total = sum(int(count or 0) for count in counts.values())
        assert entry.details["counts_possible"] == total, entry
        assert total <= 1
        assert (total == 0) == (entry.details["classification"] in {"not_possible", "not_collected"})


def test_goals_and_outcomes_of_the_early_years_by_year() -> None:
    old, new = date(2021, 6, 30), date(2022, 6, 30)
    assert [ASSESSMENT_COMPONENT.valid_on("G17", day) for day in (old, new)] == [True, False]
    assert [ASSESSMENT_COMPONENT.valid_on("E17", day) for day in (old, new)] == [False, True]
    assert [EYFS_PROFILE_OUTCOME.valid_on("3", day) for day in (old, new)] == [True, False]
    assert EYFS_PROFILE_OUTCOME.describe("A", old) == "Not assessed"
    assert EYFS_PROFILE_OUTCOME.describe("A", new) == "Unable to assess or exemption"
    for day, letter in ((old, "G"), (new, "E")):
        goals = [
            entry for entry in ASSESSMENT_COMPONENT.entries_on(day) if re.match(rf"{letter}\d", entry.code)
        ]
        assert len(goals) == 17
        assert [entry.code for entry in goals if entry.details["in_gld"]] == [
            f"{letter}{number:02}" for number in range(1, 13)
        ]


def test_teacher_assessments_by_year() -> None:
    for code in ("PKF", "BLW"):
        assert wrong_days(TEACHER_ASSESSMENT_OUTCOME, code, date(2015, 9, 1), date(2018, 8, 31)) == []
    assert wrong_days(TEACHER_ASSESSMENT_OUTCOME, "PK1", date(2018, 9, 1), None) == []


def test_marks_and_scores_stand_beside_codes() -> None:
    day = date(2026, 6, 30)
    assert [code for code in ("0", "32", "40", "wa") if code not in PHONICS_OUTCOME] == []
    assert PHONICS_OUTCOME.find("wa") == "Wa"
    assert PHONICS_OUTCOME.find(" 034 ") == "34"
    assert PHONICS_OUTCOME.describe("34").startswith("Mark")
    for code in ("41", "-1", "3.5", "٣", "9" * 30, "0-40"):
        assert code not in PHONICS_OUTCOME
        assert PHONICS_OUTCOME.flag(code, day) == CodeFlag(code=code, problem=CodeProblem.UNKNOWN)
    assert PHONICS_OUTCOME.flag("40", day) is None
    assert [code in TEST_OUTCOME for code in ("79", "80", "120", "121")] == [False, True, True, False]
    with pytest.raises(ValueError, match=r"^one of Wa, Wt, A, D, L, Q, or 0 to 40$"):
        PHONICS_OUTCOME.find("41")
    assert "1" not in SEN_PROVISION
    assert "1" in NC_YEAR


def test_between_two_meanings_a_code_is_no_longer_valid() -> None:
    def row(description: str, valid_from: str, valid_to: str) -> dict[str, str]:
        more = {"valid_from": valid_from, "valid_to": valid_to, "successor": "", "note": ""}
        return {"code": "A", "description": description} | more

    rows = [row("later", "2020-01-01", ""), row("earlier", "2000-01-01", "2009-12-31")]
    codes = CodeSet("code", "none", rows=rows)
    flag = codes.flag("a", date(2015, 1, 1))
    assert flag is not None
    assert (flag.problem, flag.valid_to) == (CodeProblem.NO_LONGER_VALID, date(2009, 12, 31))
    assert codes.describe("A", date(2015, 1, 1)) == "later"
    assert codes.describe("A", date(2005, 1, 1)) == "earlier"


@given(
    st.sampled_from(sorted(SETS)),
    st.one_of(st.text(max_size=30), st.sampled_from(["A", "j", "Wa", "34", "\0", "ß", "ı", "¹"])),
    st.dates(),
)
def test_a_flag_is_raised_by_no_code_and_missing_for_none_that_is_not_valid(
    name: str, code: str, day: date
) -> None:
    codes = SETS[name]
    flag = codes.flag(code, day)
    assert (flag is None) == codes.valid_on(code, day)
    if flag is not None:
        assert (flag.problem is CodeProblem.UNKNOWN) == (code not in codes)
        assert flag.message


@given(st.sampled_from(sorted(SETS)), st.text(max_size=25))
def test_what_is_kept_is_kept_as_it_was_supplied(name: str, text: str) -> None:
    codes = SETS[name]
    try:
        kept = codes.keep(text)
    except ValueError:
        assert text.strip() not in codes
        return
    assert kept == (codes.find(text) if text.strip() in codes else text.strip())
    assert codes.keep(kept) == kept, "what is written out and read again stays"


def test_unknown_codes_are_kept_and_words_are_not() -> None:
    assert LEAVING_REASON.keep(" Zq7 ") == "Zq7"
    assert LEAVING_REASON.keep(" md ") == "MD"
    assert ETHNICITY.keep("xWBR") == "xWBR"
    for text in ("", "moved to Leeds", "jo@school.example", "X" * 21, "É"):
        with pytest.raises(ValueError, match="; or a code: 1 to 20 letters"):
            LEAVING_REASON.keep(text)


def test_english_as_an_additional_language() -> None:
    told = {"ENG": False, "enb": False, "POL": True, "AKAF": True, "OTB": True, "NOT": None, "ZZZ": None}
    assert {code: is_additional_language(code) for code in told} == told
    assert is_additional_language(None) is None
    assert sum(LANGUAGE.detail(code, "eal") is None for code in LANGUAGE) == 3


def test_the_main_group_of_an_ethnicity() -> None:
    told = {"WBRI": "WBRI", "anep": "AOTH", "MWAP": "MWAS", "UNCL": None, "XXXX": None}
    assert {code: main_ethnicity(code) for code in told} == told
    assert main_ethnicity(None) is None


def test_needs_that_were_renamed_and_sexes_that_never_end() -> None:
    assert wrong_days(SEN_TYPE, "BESD", None, date(2014, 8, 31)) == []
    assert wrong_days(SEN_TYPE, "SEMH", date(2014, 9, 1), None) == []
    assert all(SEX.valid_on(code, day) for code in SEX for day in (date.min, date.max))
