"""Attendance codes: both lists whole, each code on the days on which it means this."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.codes.attendance import (
    LATE,
    LATE_AFTER_CLOSING,
    NOT_YET_ON_REGISTER,
    PRESENT,
    AttendanceCode,
    Half,
    accepted_on,
    attendance_codes,
    code_on,
    read_mark,
)

CHANGE = date(2024, 8, 19)
"""The first day of the present list."""

BEFORE = CHANGE - timedelta(days=1)

OF_TODAY = {*"/\\LBKPVWCEIMRSTGNOUDQXZ#", "C1", "C2", "J1", *(f"Y{number}" for number in range(1, 8))}
OF_BEFORE = {*"/\\LIMRSTHFECBDJPVWGUONXYZ#"}


def counted_wrongly(codes: tuple[AttendanceCode, ...]) -> list[str]:
    """The check: codes whose session is possible, but neither attended nor missed, or the other way round."""
    return [
        each.code for each in codes if each.possible != each.attended + each.authorised + each.unauthorised
    ]


def test_the_lists_are_whole() -> None:
    assert {each.code for each in attendance_codes() if each.is_valid_on(CHANGE)} == OF_TODAY
    assert {each.code for each in attendance_codes() if each.is_valid_on(BEFORE)} == OF_BEFORE
    for day in (BEFORE, CHANGE):
        valid = [each.code for each in attendance_codes() if each.is_valid_on(day)]
        assert len(valid) == len(set(valid)), "no code means two things on one day"


def test_every_code_counts_once_or_not_at_all() -> None:
    assert counted_wrongly(attendance_codes()) == []
    for each in attendance_codes():
        assert {each.possible, each.attended, each.authorised, each.unauthorised} <= {0, 1}
        assert each.description
        assert each.classification in {
            *("present", "approved_educational_activity", "authorised", "unauthorised"),
            *("not_possible", "not_collected"),
        }


def test_a_code_that_counts_as_absence_and_not_as_possible_would_be_noticed() -> None:
    """The sabotaged twin: dual registration as an authorised absence, as some other software has it."""
    [dual] = [each for each in attendance_codes() if each.code == "D" and each.valid_to is None]
    wrong = AttendanceCode(
        **{field: getattr(dual, field) for field in dual.__struct_fields__} | {"authorised": 1}
    )
    assert counted_wrongly((wrong,)) == ["D"]


@pytest.mark.parametrize("code", ["D", "Q", "X", "Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7"])
def test_sessions_that_are_not_possible(code: str) -> None:
    found = code_on(code, CHANGE)
    assert found
    assert found.classification == "not_possible"
    assert (found.possible, found.attended, found.authorised, found.unauthorised) == (0, 0, 0, 0)


@pytest.mark.parametrize("code", ["Z", "#"])
@pytest.mark.parametrize("day", [BEFORE, CHANGE])
def test_what_is_no_session_of_the_child(code: str, day: date) -> None:
    found = code_on(code, day)
    assert found
    assert (found.classification, found.possible) == ("not_collected", 0)


@pytest.mark.parametrize(
    ("code", "before", "since"),
    [
        ("J", (1, 1, 0, 0), None),
        ("J1", None, (1, 0, 1, 0)),
        ("H", (1, 0, 1, 0), None),
        ("F", (1, 0, 1, 0), None),
        ("Y", (0, 0, 0, 0), None),
        ("Y3", None, (0, 0, 0, 0)),
        ("K", None, (1, 1, 0, 0)),
        ("Q", None, (0, 0, 0, 0)),
        ("G", (1, 0, 0, 1), (1, 0, 0, 1)),
        ("/", (1, 1, 0, 0), (1, 1, 0, 0)),
    ],
)
def test_what_changed_on_19_august_2024(
    code: str, before: tuple[int, ...] | None, since: tuple[int, ...] | None
) -> None:
    for day, wanted in (
        (BEFORE, before),
        (CHANGE, since),
        (date(1995, 3, 1), before),
        (date(2031, 1, 6), since),
    ):
        found = code_on(code, day)
        counts = found and (found.possible, found.attended, found.authorised, found.unauthorised)
        assert counts == wanted, day


def test_codes_that_are_named_are_in_the_lists() -> None:
    for code in (*PRESENT.values(), LATE, LATE_AFTER_CLOSING, NOT_YET_ON_REGISTER):
        assert code_on(code, BEFORE)
        assert code_on(code, CHANGE)


@pytest.mark.parametrize(
    ("text", "day", "half", "mark"),
    [
        (" y1 ", CHANGE, Half.AM, "Y1"),
        ("h", BEFORE, Half.PM, "H"),
        ("/", CHANGE, Half.AM, "/"),
        ("\\", BEFORE, Half.PM, "\\"),
        ("#", CHANGE, Half.PM, "#"),
    ],
)
def test_a_mark_is_read_in_capitals(text: str, day: date, half: Half, mark: str) -> None:
    assert read_mark(text, day, half) == mark


@pytest.mark.parametrize(
    ("text", "day", "half"),
    [
        ("h", CHANGE, Half.AM),
        ("Y1", BEFORE, Half.AM),
        ("A", CHANGE, Half.AM),
        ("", CHANGE, Half.AM),
        ("/", CHANGE, Half.PM),
        ("\\", CHANGE, Half.AM),
        ("//", CHANGE, Half.AM),
    ],
)
def test_a_mark_that_no_list_has_for_that_session_is_refused_with_those_that_it_has(
    text: str, day: date, half: Half
) -> None:
    with pytest.raises(ValueError, match=f"for {half} of {day.isoformat()} one of ") as refused:
        read_mark(text, day, half)
    assert str(refused.value) == accepted_on(day, half)
    listed = str(refused.value).partition("one of ")[2].partition(";")[0].split(", ")
    wanted = OF_TODAY if day >= CHANGE else OF_BEFORE
    assert set(listed) == wanted - {"\\" if half is Half.AM else "/"}
