"""Attendance: marks that override one another, totals that add up, and how both are counted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import domain.attendance_summary
from domain.attendance import (
    LONGEST_GAP,
    UNSAID,
    WITHDRAWN,
    Attendance,
    AttendanceMarked,
    AttendanceTotalled,
    AttendanceTotalsVoided,
    Run,
    Session,
    Totals,
    checked_totals,
    fold,
    runs_of,
    sessions_of,
    year_bounds,
)
from domain.attendance_summary import AttendanceSummary, Source, Why, has_missed, percent, summarise
from domain.codes.attendance import AttendanceCode, Half, attendance_codes, code_on
from domain.errors import Conflict, InvalidInput
from domain.events import OPERATOR
from domain.identifiers import new_id
from domain.pupil import AttendanceTotals, PupilReturned

AM, PM = Half.AM, Half.PM
MONDAY = date(2025, 9, 8)
TODAY = date(2026, 2, 13)
PUPIL = new_id()
LOG = new_id()


def marked(first_day: date, *marks: str) -> AttendanceMarked:
    return AttendanceMarked(
        originator_id=LOG,
        originator_version=1,
        actor=OPERATOR,
        pupil_id=PUPIL,
        first_day=first_day,
        marks=marks,
    )


def totals(
    first_day: date, last_day: date, attended: int, authorised: int = 0, unauthorised: int = 0
) -> Totals:
    return Totals(
        first_day=first_day,
        last_day=last_day,
        possible=attended + authorised + unauthorised,
        attended=attended,
        authorised=authorised,
        unauthorised=unauthorised,
    )


def totalled(*given: Totals) -> list[AttendanceTotalled]:
    return [
        AttendanceTotalled(
            originator_id=LOG, originator_version=1, actor=OPERATOR, pupil_id=PUPIL, totals=each
        )
        for each in given
    ]


def voided(first_day: date, last_day: date) -> AttendanceTotalsVoided:
    return AttendanceTotalsVoided(
        originator_id=LOG,
        originator_version=1,
        actor=OPERATOR,
        pupil_id=PUPIL,
        first_day=first_day,
        last_day=last_day,
    )


def summary(
    attendance: Attendance,
    first_day: date = date(2025, 9, 1),
    last_day: date = date(2026, 8, 31),
    **of_record: AttendanceTotals,
) -> AttendanceSummary:
    years = {each.academic_year: each for each in of_record.values()}
    return summarise(first_day, last_day, attendance.marks, attendance.totals.values(), years)


def numbers(counted: AttendanceSummary) -> tuple[int, int, int, int]:
    return counted.possible, counted.attended, counted.authorised, counted.unauthorised


# Runs


_days = st.dates(date(2024, 7, 1), date(2025, 3, 1))
_sessions = st.builds(Session, _days, st.sampled_from(Half))
_marks = st.sampled_from([*(each.code for each in attendance_codes()), "A", "??", "X02"])


@given(marks=st.dictionaries(_sessions, _marks | st.just(WITHDRAWN), max_size=40))
def test_runs_say_what_they_were_made_of(marks: dict[Session, str]) -> None:
    runs = list(runs_of(marks))
    assert dict(pair for run in runs for pair in sessions_of(run)) == marks
    assert sum(len(run.marks) for run in runs) <= (2 + LONGEST_GAP) * len(marks)
    for run in runs:
        assert run.marks[-1] != UNSAID
        assert any(mark != UNSAID for mark in run.marks[:2])


def test_a_run_goes_on_over_a_weekend_and_not_over_the_holidays() -> None:
    friday, summer = date(2025, 7, 18), date(2025, 9, 3)
    marks = {Session(day, half): "/" if half is AM else "\\"
             for day in (friday, friday + timedelta(days=3), summer) for half in Half}  # fmt: skip
    marks.pop(Session(friday, AM))
    assert list(runs_of(marks)) == [
        Run(friday, ("", "\\", "", "", "", "", "/", "\\")),
        Run(summer, ("/", "\\")),
    ]


@pytest.mark.parametrize("mark", ["", "/ /", "VERYLONG", "\n", "a name"])
def test_what_can_be_no_mark_gets_into_no_run(mark: str) -> None:
    with pytest.raises(ValueError, match="1 to 4 characters"):
        list(runs_of({Session(MONDAY, AM): mark}))


# Overriding


def test_a_later_mark_takes_the_place_of_an_earlier_one_and_of_no_other() -> None:
    attendance = fold(
        [marked(MONDAY, "N", "\\", "/", "\\"), marked(MONDAY, "I"), marked(MONDAY, "", "", "L")]
    )
    assert attendance.marks == {
        Session(MONDAY, AM): "I",
        Session(MONDAY, PM): "\\",
        Session(MONDAY + timedelta(days=1), AM): "L",
        Session(MONDAY + timedelta(days=1), PM): "\\",
    }


def test_a_withdrawn_mark_is_none_until_there_is_another() -> None:
    events = [marked(MONDAY, "/", "\\"), marked(MONDAY, WITHDRAWN)]
    assert fold(events).marks == {Session(MONDAY, PM): "\\"}
    assert fold([*events, marked(MONDAY, "M")]).marks[Session(MONDAY, AM)] == "M"
    assert fold([marked(MONDAY, WITHDRAWN)]).marks == {}


def test_totals_replace_those_of_any_of_their_days_and_are_voided() -> None:
    autumn = totals(date(2025, 9, 1), date(2025, 12, 19), 130, 8, 2)
    year = totals(date(2025, 9, 1), date(2026, 2, 6), 170, 9, 2)
    spring = totals(date(2026, 1, 5), date(2026, 2, 6), 40)
    assert list(fold(totalled(autumn, spring)).totals.values()) == [autumn, spring]
    assert list(fold(totalled(autumn, year)).totals.values()) == [year]
    assert list(fold(totalled(year, spring)).totals.values()) == [spring]
    there = totalled(autumn, spring)
    assert list(fold([*there, voided(autumn.first_day, autumn.last_day)]).totals.values()) == [spring]
    assert len(fold([*there, voided(autumn.first_day, spring.last_day)]).totals) == 2


def test_events_of_something_else_are_refused() -> None:
    other = PupilReturned(originator_id=PUPIL, originator_version=1, actor=OPERATOR, returned_on=MONDAY)
    with pytest.raises(Conflict):
        fold([other])


# Totals


def test_totals_that_add_up_are_kept() -> None:
    given = totals(date(2025, 9, 1), date(2025, 12, 19), 130, 8, 2)
    assert checked_totals(given, TODAY) == given
    nothing = totals(TODAY, TODAY, 0)
    assert checked_totals(nothing, TODAY) == nothing


def test_totals_that_do_not_add_up_are_refused_with_the_four_numbers() -> None:
    given = msgspec.structs.replace(totals(date(2025, 9, 1), date(2025, 12, 19), 130, 8, 2), possible=141)
    with pytest.raises(InvalidInput) as refused:
        checked_totals(given, TODAY)
    [finding] = refused.value.findings
    assert finding.field == "possible"
    assert finding.found == "possible 141, attended 130, authorised 8, unauthorised 2"
    assert finding.accepted == "possible = attended + authorised + unauthorised, here 130 + 8 + 2 = 140"


def refused_fields(given: Totals) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        checked_totals(given, TODAY)
    return [finding.field for finding in refused.value.findings]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"possible": 139}, ["possible"]),
        ({"attended": -1, "possible": 9}, ["attended"]),
        ({"possible": -1, "authorised": -5, "unauthorised": -6}, ["possible", "authorised", "unauthorised"]),
        ({"last_day": date(2025, 11, 9), "possible": 141, "attended": 131}, ["possible"]),
        ({"first_day": date(2025, 12, 20)}, ["to"]),
        ({"last_day": TODAY + timedelta(days=1)}, ["to"]),
        ({"first_day": date(2025, 8, 31)}, ["to"]),
        ({"first_day": date(1989, 9, 1)}, ["from"]),
        ({"first_day": TODAY + timedelta(days=1), "last_day": TODAY + timedelta(days=9)}, ["from"]),
        ({"attended": 10**30, "possible": 10**30 + 10}, ["possible"]),
    ],
)
def test_other_totals_that_cannot_be(changes: dict[str, Any], fields: list[str]) -> None:
    given = totals(date(2025, 9, 1), date(2025, 12, 19), 130, 8, 2)
    assert refused_fields(msgspec.structs.replace(given, **changes)) == fields


_numbers = st.integers(-3, 60)


@given(possible=_numbers, attended=_numbers, authorised=_numbers, unauthorised=_numbers)
def test_no_totals_get_in_that_do_not_add_up(
    possible: int, attended: int, authorised: int, unauthorised: int
) -> None:
    given_totals = Totals(
        first_day=MONDAY,
        last_day=MONDAY + timedelta(days=13),
        possible=possible,
        attended=attended,
        authorised=authorised,
        unauthorised=unauthorised,
    )
    right = min(possible, attended, authorised, unauthorised) >= 0 and possible <= 28
    if right and possible == attended + authorised + unauthorised:
        assert checked_totals(given_totals, TODAY) is given_totals
    else:
        assert refused_fields(given_totals)


# Counting


def adds_up(counted: AttendanceSummary, marks: Iterable[str]) -> None:
    """The check.

    Raises:
        AssertionError: The sessions do not add up, or some mark is lost.
    """
    assert counted.possible == counted.attended + counted.authorised + counted.unauthorised, "does not add up"
    assert min(numbers(counted)) >= 0
    assert sum(counted.by_code.values()) == len(list(marks))


@given(
    marks=st.lists(st.tuples(_sessions, _marks | st.just(WITHDRAWN)), max_size=80),
    first_day=_days,
    last_day=_days,
)
def test_whatever_is_marked_adds_up(
    marks: list[tuple[Session, str]], first_day: date, last_day: date
) -> None:
    events = [marked(*_event_of(run)) for pair in marks for run in runs_of(dict([pair]))]
    attendance = fold(events)
    counted = summary(attendance, first_day, last_day)
    inside = [mark for session, mark in attendance.marks.items() if first_day <= session.day <= last_day]
    adds_up(counted, inside)
    assert counted.source is (Source.MARKS if inside else Source.NOTHING)
    known = [code_on(mark, session.day) for session, mark in attendance.marks.items()
             if first_day <= session.day <= last_day]  # fmt: skip
    assert sum(counted.unknown.values()) == known.count(None)
    assert counted.possible == sum(each.possible for each in known if each)


def _event_of(run: Run) -> tuple[Any, ...]:
    return (run.first_day, *run.marks)


def dual_as_absence(mark: str, day: date) -> AttendanceCode | None:
    """A list that takes dual registration as an authorised absence, as other software does."""
    code = code_on(mark, day)
    return msgspec.structs.replace(code, authorised=1) if code and mark == "D" else code


def test_counting_dual_registration_as_absence_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""
    attendance = fold([marked(MONDAY, "/", "\\", "D", "D", "I", "\\")])
    adds_up(summary(attendance), attendance.marks.values())
    monkeypatch.setattr(domain.attendance_summary, "code_on", dual_as_absence)
    with pytest.raises(AssertionError, match="does not add up"):
        adds_up(summary(attendance), attendance.marks.values())


def test_a_week() -> None:
    attendance = fold([marked(MONDAY, "/", "\\", "L", "\\", "I", "I", "U", "D", "Y2", "#")])
    counted = summary(attendance)
    assert numbers(counted) == (7, 4, 2, 1)
    assert (counted.not_possible, counted.late, counted.late_after_closing) == (2, 1, 1)
    assert counted.by_code == {"#": 1, "/": 1, "D": 1, "I": 2, "L": 1, "U": 1, "Y2": 1, "\\": 2}
    assert (counted.percent_attended, counted.percent_missed) == (57.1, 42.9)
    assert (counted.persistently_absent, counted.severely_absent) == (True, False)
    assert (counted.source, counted.unknown, counted.totals, counted.set_aside) == (Source.MARKS, {}, [], [])
    assert numbers(summary(attendance, MONDAY, MONDAY)) == (2, 2, 0, 0)
    assert summary(attendance, date(2024, 9, 1), date(2025, 8, 31)).source is Source.NOTHING


def test_an_unknown_mark_is_kept_counts_in_nothing_and_is_told_of() -> None:
    counted = summary(fold([marked(MONDAY, "/", "X02", "A", "H")]))
    assert numbers(counted) == (1, 1, 0, 0)
    assert counted.unknown == {"A": 1, "H": 1, "X02": 1}
    assert counted.by_code == {"/": 1, "A": 1, "H": 1, "X02": 1}


def test_marks_on_both_sides_of_the_change_count_as_they_did_then() -> None:
    sunday, monday = date(2024, 8, 18), date(2024, 8, 19)
    attendance = fold([marked(sunday, "J", "H", "J", "H"), marked(sunday, "", "", "", "", "J1", "Y1")])
    before, since = summary(attendance, sunday, sunday), summary(attendance, monday, monday)
    assert (numbers(before), before.unknown) == ((2, 1, 1, 0), {})
    assert (numbers(since), since.unknown) == ((0, 0, 0, 0), {"H": 1, "J": 1})
    tuesday = summary(attendance, monday + timedelta(days=1), monday + timedelta(days=1))
    assert (numbers(tuesday), tuesday.not_possible) == ((1, 0, 1, 0), 1)
    assert numbers(summary(attendance, sunday, date(2024, 8, 20))) == (3, 1, 2, 0)


# Totals and marks together

AUTUMN = totals(date(2025, 9, 1), date(2025, 12, 19), 130, 8, 2)
SPRING = totals(date(2026, 1, 5), date(2026, 2, 6), 40, 5, 5)


def test_totals_count_where_there_are_no_marks() -> None:
    counted = summary(fold(totalled(AUTUMN, SPRING)))
    assert numbers(counted) == (190, 170, 13, 7)
    assert counted.source is Source.TOTALS
    assert [period.first_day for period in counted.totals] == [AUTUMN.first_day, SPRING.first_day]
    assert (counted.late, counted.by_code) == (0, {})


def test_marks_win_over_the_totals_of_their_period_and_of_no_other() -> None:
    counted = summary(fold([*totalled(AUTUMN, SPRING), marked(date(2026, 1, 6), "/", "\\")]))
    assert numbers(counted) == (142, 132, 8, 2)
    assert counted.source is Source.BOTH
    [aside] = counted.set_aside
    assert (aside.first_day, aside.last_day, aside.why) == (SPRING.first_day, SPRING.last_day, Why.MARKS)
    gone = [marked(date(2026, 1, 6), "/", "\\"), marked(date(2026, 1, 6), WITHDRAWN, WITHDRAWN)]
    assert summary(fold([*totalled(AUTUMN, SPRING), *gone])).set_aside == []


def test_totals_of_which_a_part_is_asked_about_are_set_aside() -> None:
    counted = summary(fold(totalled(AUTUMN, SPRING)), date(2025, 10, 1), date(2026, 8, 31))
    assert numbers(counted) == (50, 40, 5, 5)
    assert [(each.first_day, each.why) for each in counted.set_aside] == [(AUTUMN.first_day, Why.PARTLY)]
    none = summary(fold(totalled(AUTUMN)), date(2026, 1, 1), date(2026, 8, 31))
    assert (none.source, none.set_aside, none.percent_attended) == (Source.NOTHING, [], None)


def test_totals_of_the_record_count_when_nothing_else_is_known_of_their_year() -> None:
    record = AttendanceTotals(academic_year=2025, possible=200, authorised=15, unauthorised=5)
    counted = summary(Attendance(), record=record)
    assert (numbers(counted), counted.source) == ((200, 180, 15, 5), Source.TOTALS)
    assert [(each.first_day, each.last_day, each.of_record) for each in counted.totals] == [
        (date(2025, 9, 1), date(2026, 8, 31), True)
    ]
    for known in ([marked(MONDAY, "/")], totalled(SPRING)):
        other = summary(fold(known), record=record)
        assert not any(each.of_record for each in other.totals)
    assert summary(Attendance(), last_day=date(2026, 2, 1), record=record).source is Source.NOTHING
    elsewhere = fold([marked(date(2024, 10, 1), "/")])
    assert numbers(summary(elsewhere, date(2024, 9, 1), record=record)) == (201, 181, 15, 5)


_part = st.integers(0, 20)
_term_sessions = st.builds(
    Session, st.dates(MONDAY, MONDAY + timedelta(days=130)), st.sampled_from(list(Half))
)


@given(
    given_totals=st.lists(
        st.tuples(st.integers(0, 100), st.integers(0, 30), _part, _part, _part), max_size=8
    ),
    marks=st.dictionaries(_term_sessions, _marks, max_size=6),
    bounds=st.tuples(st.integers(0, 130), st.integers(0, 130)),
)
def test_whatever_is_totalled_adds_up_and_no_day_counts_twice(
    given_totals: list[tuple[int, ...]], marks: dict[Session, str], bounds: tuple[int, int]
) -> None:
    periods = [
        totals(MONDAY + timedelta(days=start), MONDAY + timedelta(days=start + length), *parts)
        for start, length, *parts in given_totals
    ]
    events = [*totalled(*periods), *(marked(*_event_of(run)) for run in runs_of(marks))]
    attendance = fold(events)
    first_day, last_day = (MONDAY + timedelta(days=each) for each in bounds)
    counted = summary(attendance, first_day, last_day)
    adds_up(counted, [mark for each, mark in attendance.marks.items() if first_day <= each.day <= last_day])
    days = [
        period.first_day + timedelta(days=number)
        for period in counted.totals
        for number in range((period.last_day - period.first_day).days + 1)
    ]
    days += {each.day for each in attendance.marks if first_day <= each.day <= last_day}
    assert len(days) == len(set(days))
    assert all(first_day <= day <= last_day for day in days)


# Thresholds


@pytest.mark.parametrize(
    ("missed", "possible", "persistent", "severe"),
    [
        (0, 0, False, False),
        (0, 100, False, False),
        (9, 100, False, False),
        (10, 100, True, False),
        (19, 191, False, False),
        (20, 191, True, False),
        (7, 69, True, False),
        (6, 61, False, False),
        (49, 100, True, False),
        (50, 100, True, True),
        (1, 3, True, False),
        (1, 2, True, True),
        (1, 1, True, True),
    ],
)
def test_persistent_and_severe_absence_begin_at_ten_and_fifty_per_cent(
    missed: int, possible: int, persistent: bool, severe: bool
) -> None:
    days = (possible + 1) // 2
    last = date(2025, 9, 1) + timedelta(days=max(days, 1) - 1)
    counted = summary(fold(totalled(totals(date(2025, 9, 1), last, possible - missed, missed))))
    assert (counted.persistently_absent, counted.severely_absent) == (persistent, severe)


def test_a_threshold_that_is_only_passed_would_be_noticed() -> None:
    """The sabotaged twin: more than 10 %, and a share that was rounded before it is compared."""

    def more_than(percentage: int, missed: int, possible: int) -> bool:
        return 100 * missed > percentage * possible

    def rounded(percentage: int, missed: int, possible: int) -> bool:
        return (percent(missed, possible) or 0) >= percentage

    cases = [(10, 100), (50, 100), (1999, 20000), (9999, 20000)]
    right = [[has_missed(each, *case) for each in (10, 50)] for case in cases]
    assert right == [[True, False], [True, True], [False, False], [True, False]]
    for wrong in (more_than, rounded):
        assert [[wrong(each, *case) for each in (10, 50)] for case in cases] != right


def test_percentages_have_one_decimal() -> None:
    assert [percent(*each) for each in ((1, 3), (2, 3), (1, 2), (0, 7), (7, 7), (1, 2000), (0, 0))] == [
        *(33.3, 66.7, 50.0, 0.0, 100.0, 0.1, None),
    ]


def test_an_academic_year_runs_from_september_to_august() -> None:
    assert year_bounds(2025) == (date(2025, 9, 1), date(2026, 8, 31))


def test_ids_are_open_and_everything_else_is_sealed() -> None:
    for cls in (AttendanceMarked, AttendanceTotalled, AttendanceTotalsVoided):
        homes = {field: home.value for field, home in cls.compartments().items()}
        assert homes.pop("reason") == "names"
        assert {field for field, home in homes.items() if home == "open"} == {"actor", "pupil_id"}
        assert set(homes.values()) == {"open", "record"}
