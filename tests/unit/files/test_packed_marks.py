"""Packed marks: the same as a dictionary of them, and far smaller."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attendance import Session, runs_of
from domain.codes.attendance import Half
from domain.files.packed_marks import NO_MARKS, NOTHING, PackedMarks
from domain.files.reader import read_pupil_file

MARKS = st.characters(exclude_categories=("C", "Z"))
SESSIONS = st.builds(Session, st.dates(date(1990, 1, 1), date(2040, 1, 1)), st.sampled_from(Half))
CLOSE = st.builds(Session, st.dates(date(2024, 9, 1), date(2024, 9, 30)), st.sampled_from(Half))
REGISTERS = st.dictionaries(CLOSE, MARKS) | st.dictionaries(SESSIONS, MARKS, max_size=20)

CHILDREN = 40
BYTES_OF_A_CHILD = 2_000
"""What the marks of a school year may take: a byte for each of 532 sessions, weekends among them, and an
object around them. The dictionary takes thirty times as much."""


@given(REGISTERS)
def test_packed_marks_are_the_marks(marks: dict[Session, str]) -> None:
    packed = PackedMarks.of(marks)
    assert packed == marks
    assert list(packed.items()) == sorted(marks.items())
    assert list(packed) == sorted(marks)
    assert len(packed) == len(marks)
    assert bool(packed) == bool(marks)
    assert all(packed[session] == mark for session, mark in marks.items())
    assert list(runs_of(packed)) == list(runs_of(marks))
    assert list(packed.runs()) == list(runs_of(marks))


TEXTS = st.lists(st.text("/\\\\L#", max_size=6) | st.integers(1, 40).map(NOTHING.__mul__)).map("".join)


@given(st.dates(date(2024, 9, 1), date(2024, 9, 8)), TEXTS)
def test_a_text_has_the_runs_and_weekends_of_its_marks(first_day: date, text: str) -> None:
    packed = PackedMarks(first_day, text)
    marks = dict(packed)
    assert list(packed.runs()) == list(runs_of(marks))
    for weekday in range(7):
        expected = {mark for session, mark in marks.items() if session.day.weekday() == weekday}
        assert packed.of_weekdays(weekday) == expected


@given(REGISTERS, SESSIONS | CLOSE)
def test_what_was_not_packed_is_not_there(marks: dict[Session, str], other: Session) -> None:
    packed = PackedMarks.of(marks)
    assert packed.get(other) == marks.get(other)
    assert (other in packed) == (other in marks)


@given(REGISTERS, st.dates(date(2024, 8, 25), date(2024, 10, 5)))
def test_those_until_a_day_are_those_until_its_evening(marks: dict[Session, str], last_day: date) -> None:
    assert PackedMarks.of(marks).until(last_day) == {
        session: mark for session, mark in marks.items() if session.day <= last_day
    }


@pytest.mark.parametrize("mark", ["", " ", "Y1"])
def test_what_is_not_one_character_is_not_packed(mark: str) -> None:
    with pytest.raises(ValueError, match="mark"):
        PackedMarks.of({Session(date(2024, 9, 2), Half.AM): mark})


def test_no_marks_are_none() -> None:
    assert NO_MARKS == PackedMarks.of({}) == {}
    assert not NO_MARKS


def a_file(children: int) -> bytes:
    """A file whose children have a mark for each session of a school year of 190 days."""
    pupils = "".join(
        f"<Pupil><Surname>Made-up</Surname><Forename>Child{number}</Forename><DOB>2015-05-05</DOB>"
        f"<Gender>F</Gender><Attendance><YearData><Year>2023</Year><AttendSessions>"
        f"<AttendanceStartDate>2023-09-04</AttendanceStartDate><AttendanceMarks>{'/' * 380}"
        f"</AttendanceMarks></AttendSessions></YearData></Attendance></Pupil>"
        for number in range(children)
    )
    return f"<CTfile><Header/><CTFpupilData>{pupils}</CTFpupilData></CTfile>".encode()


def marks_of_a_file() -> list[Mapping[Session, str]]:
    file = read_pupil_file(
        a_file(CHILDREN), academic_year=2025, today=date(2026, 3, 2), school=("881", "2001"),
        any_destination=True,
    )  # fmt: skip
    return [row.marks for row in file.rows]


def check_small(read: Callable[[], list[Mapping[Session, str]]]) -> None:
    """Checks what is held of the marks once nothing else of the file is."""
    read()  # whatever is made once is there
    tracemalloc.start()
    try:
        marks = read()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [len(each) for each in marks] == [380] * CHILDREN
    assert held < CHILDREN * BYTES_OF_A_CHILD, f"{held / CHILDREN:,.0f} bytes a child"


def test_the_marks_of_a_child_take_little_memory() -> None:
    check_small(marks_of_a_file)


def test_marks_in_dictionaries_are_found() -> None:
    """The sabotaged twin: what was held before."""
    with pytest.raises(AssertionError, match="bytes a child"):
        check_small(lambda: [dict(each) for each in marks_of_a_file()])
