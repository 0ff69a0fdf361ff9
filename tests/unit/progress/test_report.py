"""Figures of cohorts: one worked out by hand, and what must be so of any."""

from __future__ import annotations

from datetime import date
from operator import attrgetter
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.academic_year import AssessmentPoint, Term
from domain.progress.figures import Figures, Standings, Verdicts, figures_of
from domain.progress.gains import gain
from domain.progress.groups import Group, Member, in_order, nc_year_at, values_of
from domain.progress.matrix import By, matrices
from domain.progress.on_track import on_track
from domain.progress.question import Question
from domain.progress.report import Report, report
from domain.progress.track import track
from domain.pupil_record import CarePeriod, Period, PremiumPeriod, PupilRecord, SenPeriod
from domain.schemes.catalogue import SCHEMES, STEPS
from tests.unit.progress.made_up import (
    AUTUMN,
    NEXT_SUMMER,
    SPRING,
    SUMMER,
    Courses,
    cohort,
    cohorts,
    courses,
    entry,
    member,
    parts_of_all,
    questions,
    steps,
)

anywhere = st.builds(AssessmentPoint, st.integers(2010, 2026), st.sampled_from(list(Term)))

YEAR_3 = Question.ask(AUTUMN, SUMMER, STEPS)

BY_HAND = cohort(
    {"MAT": {AUTUMN: "3b", SPRING: "3w", SUMMER: "3s"}},  # 13 to 17: +4, at to at
    {"MAT": {AUTUMN: "2s", SUMMER: "3b"}},  # 11 to 13: +2, below to below
    {"MAT": {AUTUMN: "3b+", SPRING: "3s", SUMMER: "4b"}},  # 14 to 19: +5, at to above
    {"MAT": {AUTUMN: "3b"}},  # left, or was not judged
    {"MAT": {SUMMER: "3s+"}, "REA": {SUMMER: "3s"}},  # joined in between
    {},
)
"""Six children of Year 3: girls at the even places, boys at the odd ones."""


def test_figures_by_hand() -> None:
    """Three have both: 13 + 11 + 14 = 38 points became 17 + 13 + 19 = 49; a third of 11 is 3.67."""
    made = report(YEAR_3, *BY_HAND)
    assert made.expected_gain == 4
    assert made.subjects == ["MAT", "REA"]
    whole = made.whole["MAT"]
    assert whole == Figures(
        pupils=6,
        matched=3,
        only_start=1,
        only_end=1,
        measured=3,
        start_points=38,
        end_points=49,
        verdicts=Verdicts(less=1, as_expected=1, more=1),
        start_standings=Standings(below=1, at=2),
        end_standings=Standings(below=1, at=1, above=1),
    )
    assert (whole.mean_start, whole.mean_end, whole.mean_gain, whole.neither) == (12.67, 16.33, 3.67, 1)
    girls, boys = made.groups[Group.SEX] or []
    assert (girls.value, boys.value) == ("F", "M")
    assert (girls.subjects["MAT"].matched, girls.subjects["MAT"].mean_gain) == (2, 4.5)
    assert (boys.subjects["MAT"].matched, boys.subjects["MAT"].mean_gain) == (1, 2.0)
    reading = made.whole["REA"]
    assert (reading.matched, reading.only_end, reading.neither, reading.mean_gain) == (0, 1, 5, None)
    assert [(point.at, point.pupils, point.mean_points, point.expected) for point in made.course["MAT"]] == [
        (AUTUMN, 3, 12.67, (13, 14)),
        (SPRING, 2, 16.0, (15, 16)),
        (SUMMER, 3, 16.33, (17, 18)),
    ]
    assert made.course["REA"] == []


def test_a_mean_that_counts_unmatched_pupils_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin: all who have any result are divided by, as one is tempted to."""

    def careless(counts: Any) -> Figures:
        honest = figures_of(list(counts))
        return msgspec.structs.replace(honest, measured=honest.matched + honest.only_start + honest.only_end)

    monkeypatch.setattr("domain.progress.report.figures_of", careless)
    with pytest.raises(AssertionError):
        test_figures_by_hand()


def test_a_matrix_by_hand() -> None:
    mathematics, reading = matrices(YEAR_3, *BY_HAND, By.VALUE)
    assert mathematics.rows == ["2s", "3b", "3b+"]
    assert mathematics.columns == ["3b", "3s", "4b"]
    assert [(cell.start, cell.end, [each.int for each in cell.pupils]) for cell in mathematics.cells] == [
        ("2s", "3b", [1]),
        ("3b", "3s", [0]),
        ("3b+", "4b", [2]),
    ]
    assert (mathematics.matched, mathematics.only_start, mathematics.only_end) == (3, 1, 1)
    assert (reading.rows, reading.cells, reading.only_end) == ([], [], 1)
    [by_standing, _] = matrices(YEAR_3, *BY_HAND, By.STANDING)
    assert by_standing.rows == ["below", "at"]
    assert by_standing.columns == ["below", "at", "above"]


def test_schemes_that_differ_have_a_matrix_and_no_gains() -> None:
    question = Question.ask(AUTUMN, SUMMER, "ks1-teacher", end_scheme=STEPS)
    members, results = cohort({"MAT": {SUMMER: "3s"}})
    before = msgspec.structs.replace(
        entry("3b", AUTUMN), value="EXS", version=SCHEMES["ks1-teacher"].newest, points=None, standing="at"
    )
    results[members[0].pupil_id]["MAT"][AUTUMN] = before
    made = report(question, members, results)
    assert (made.expected_gain, made.course["MAT"]) == (None, [])
    whole = made.whole["MAT"]
    assert (whole.matched, whole.measured, whole.mean_gain) == (1, 0, None)
    assert whole.verdicts == Verdicts(not_known=1)
    [matrix] = matrices(question, members, results, By.VALUE)
    assert [(cell.start, cell.end) for cell in matrix.cells] == [("EXS", "3s")]


def test_an_on_track_table_by_hand() -> None:
    table = on_track(Question.at(SUMMER, STEPS), *BY_HAND)
    whole = table.whole["MAT"]
    assert (whole.pupils, whole.without, whole.on_track) == (6, 2, 3)
    assert whole.standings == Standings(below=1, at=2, above=1)
    girls, boys = table.groups[Group.SEX] or []
    assert girls.subjects["MAT"].standings == Standings(at=2, above=1)
    assert (boys.subjects["MAT"].without, boys.subjects["MAT"].standings) == (2, Standings(below=1))


def test_a_track_is_in_order_of_time() -> None:
    found = track(courses({"REA": {SUMMER: "3s"}, "MAT": {NEXT_SUMMER: "4s", AUTUMN: "3b", SUMMER: "3s"}}))
    assert list(found) == ["MAT", "REA"]
    assert [(each.at, each.value) for each in found["MAT"]] == [
        (AUTUMN, "3b"),
        (SUMMER, "3s"),
        (NEXT_SUMMER, "4s"),
    ]


def test_nobody_is_behind_an_empty_figure() -> None:
    for members, results in (([], {}), cohort({}), cohort({"MAT": {SPRING: "3w"}})):
        made = report(YEAR_3, members, results)
        assert made.subjects == []
        asked = report(Question.ask(AUTUMN, SUMMER, STEPS, subject="MAT"), members, results)
        assert asked.whole["MAT"].mean_gain is None
        assert asked.whole["MAT"].pupils == len(members)


def test_one_child_is_a_group_of_one() -> None:
    members, results = cohort({"MAT": {AUTUMN: "3b", SUMMER: "3s"}})
    made = report(YEAR_3, members, results)
    for parts in made.groups.values():
        assert parts
        [part] = parts
        assert (part.subjects["MAT"].matched, part.subjects["MAT"].mean_gain) == (1, 4.0)


TOTALS = ("pupils", "matched", "only_start", "only_end", "measured", "start_points", "end_points", "neither")
_total = attrgetter(*TOTALS)


def disagreeing(made: Report) -> list[str]:
    """The groups whose parts do not add up to the whole."""
    found = []
    for group, parts in made.groups.items():
        for subject, whole in made.whole.items():
            totals = [_total(each.subjects[subject]) for each in parts or []]
            added = [sum(column) for column in zip(*totals, strict=True)]
            verdicts = [msgspec.structs.astuple(each.subjects[subject].verdicts) for each in parts or []]
            if tuple(added or [0] * len(TOTALS)) != _total(whole) or tuple(
                map(sum, zip(*verdicts, strict=True))
            ) != (msgspec.structs.astuple(whole.verdicts) if verdicts else ()):
                found.append(f"{group} {subject}")
    return found


@given(questions(), cohorts())
def test_the_parts_of_every_group_add_up_to_the_whole(
    question: Question, drawn: tuple[list[Member], dict[UUID, Courses]]
) -> None:
    members, results = drawn
    made = report(question, members, results)
    assert disagreeing(made) == []
    for group, parts in made.groups.items():
        assert {each.value for each in parts or []} == parts_of_all(members, group)
    for whole in made.whole.values():
        assert sum(msgspec.structs.astuple(whole.verdicts)) == whole.matched
        assert sum(msgspec.structs.astuple(whole.start_standings)) == whole.matched
        assert sum(msgspec.structs.astuple(whole.end_standings)) == whole.matched
        assert whole.measured <= whole.matched <= whole.pupils
        assert whole.neither >= 0


def test_a_part_that_is_left_out_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin: boys are forgotten."""
    monkeypatch.setattr("domain.progress.report.in_order", lambda parts: sorted(parts)[:1])
    assert "sex MAT" in disagreeing(report(YEAR_3, *BY_HAND))


@given(questions(), cohorts(), st.sampled_from(By))
def test_rows_of_a_matrix_are_the_matched_pupils(
    question: Question, drawn: tuple[list[Member], dict[UUID, Courses]], by: By
) -> None:
    members, results = drawn
    made = report(question, members, results)
    for matrix in matrices(question, members, results, by):
        whole = made.whole[matrix.subject]
        by_row = [sum(len(cell.pupils) for cell in matrix.cells if cell.start == row) for row in matrix.rows]
        assert all(by_row)
        assert sum(by_row) == whole.matched == matrix.matched
        assert (matrix.only_start, matrix.only_end) == (whole.only_start, whole.only_end)
        everybody = [pupil for cell in matrix.cells for pupil in cell.pupils]
        assert len(set(everybody)) == len(everybody)
        for cell in matrix.cells:
            assert cell.start in matrix.rows
            assert cell.end in matrix.columns


@given(st.tuples(steps, steps, steps), st.lists(anywhere, min_size=3, max_size=3, unique=True))
def test_gains_add_up_along_the_way(found: tuple[str, str, str], points: list[AssessmentPoint]) -> None:
    """From A to C is from A to B and from B to C, of whoever was there at all three."""
    start, middle, end = (entry(value, at) for value, at in zip(found, points, strict=True))
    whole, one, two = gain(start, end), gain(start, middle), gain(middle, end)
    assert whole.points is not None
    assert one.points is not None
    assert two.points is not None
    assert whole.points == one.points + two.points
    assert whole.expected == (one.expected or 0) + (two.expected or 0)


@given(questions(), cohorts())
def test_totals_add_up_along_the_way(
    question: Question, drawn: tuple[list[Member], dict[UUID, Courses]]
) -> None:
    """So do the points of whole cohorts, of those who were there at all three points."""
    members, results = drawn
    start, end = question.start, question.end
    for middle in question.points[1:-1]:
        there = {
            pupil_id: {
                subject: course for subject, course in found.items() if {start, middle, end} <= course.keys()
            }
            for pupil_id, found in results.items()
        }
        whole, one, two = (
            report(Question.ask(a, b, STEPS), members, there).whole
            for a, b in ((start, end), (start, middle), (middle, end))
        )
        assert whole.keys() == one.keys() == two.keys()
        for subject in whole:
            assert _gained(whole[subject]) == _gained(one[subject]) + _gained(two[subject])


def _gained(figures: Figures) -> int:
    return figures.end_points - figures.start_points


@given(questions(), cohorts(), st.randoms(use_true_random=False))
def test_the_order_of_pupils_changes_nothing(
    question: Question, drawn: tuple[list[Member], dict[UUID, Courses]], chance: Random
) -> None:
    members, results = drawn
    shuffled = chance.sample(members, len(members))
    other = dict(chance.sample(list(results.items()), len(results)))
    made, again = report(question, members, results), report(question, shuffled, other)
    assert made == again
    assert on_track(question, members, results) == on_track(question, shuffled, other)
    assert matrices(question, members, results, By.VALUE) == matrices(question, shuffled, other, By.VALUE)


@given(questions(), cohorts())
def test_the_course_is_of_the_same_pupils_at_both_ends(
    question: Question, drawn: tuple[list[Member], dict[UUID, Courses]]
) -> None:
    made = report(question, *drawn)
    for subject, course in made.course.items():
        whole = made.whole[subject]
        if whole.matched:
            first, last = course[0], course[-1]
            assert (first.at, last.at) == (question.start, question.end)
            assert (first.pupils, last.pupils) == (whole.matched, whole.matched)
            assert (first.mean_points, last.mean_points) == (whole.mean_start, whole.mean_end)
            assert all(point.pupils <= whole.matched for point in course)


def test_groups_are_those_of_the_day() -> None:
    """A child whose meals, premium, provision and care came and went."""
    record = PupilRecord(
        sex="F",
        date_of_entry=date(2020, 9, 1),
        class_name="Oak",
        meals_periods=(Period(start=date(2021, 9, 1), end=date(2024, 12, 31)),),
        premium_periods=(PremiumPeriod(start=date(2025, 1, 1), reason="1"),),
        sen_periods=(
            SenPeriod(start=date(2021, 9, 1), end=date(2025, 4, 15), provision="K"),
            SenPeriod(start=date(2025, 4, 16), provision="E"),
        ),
        care_periods=(CarePeriod(start=date(2025, 8, 31), end=date(2025, 8, 31)),),
        first_language="PNJ",
        gifted=True,
    )
    groups = (Group.FREE_SCHOOL_MEALS, Group.PUPIL_PREMIUM, Group.SEN, Group.IN_CARE, Group.EAL, Group.GIFTED)

    def on(point: AssessmentPoint) -> list[str | None]:
        found = values_of(record, date(2016, 2, 29), "3", point.ends_on)
        return [found[group] for group in groups]

    assert on(AUTUMN) == ["yes", "no", "support", "no", "yes", "yes"]
    assert on(SPRING) == ["no", "yes", "support", "no", "yes", "yes"]
    assert on(SUMMER) == ["no", "yes", "plan", "yes", "yes", "yes"]
    assert on(NEXT_SUMMER) == ["no", "yes", "plan", "no", "yes", "yes"]


@pytest.mark.parametrize(
    ("provision", "value"),
    [("N", "none"), ("A", "support"), ("P", "support"), ("Q", "support"), ("K", "support"), ("E", "plan"),
     ("S", "plan"), (None, "not-known"), ("?", "not-known")],
)  # fmt: skip
def test_provision_before_and_after_the_reform(provision: str | None, value: str) -> None:
    assert member(1, sen_provision=provision).values[Group.SEN] == value


def test_whoever_may_not_know_the_birthday_is_not_told_its_term() -> None:
    record = PupilRecord(sex="F", date_of_entry=date(2020, 9, 1))
    members = [
        Member(pupil_id=UUID(int=number), values=values_of(record, None, "3", SUMMER.ends_on))
        for number in range(3)
    ]
    made = report(YEAR_3, members, {})
    assert made.groups[Group.TERM_OF_BIRTH] is None
    assert on_track(Question.at(SUMMER, STEPS), members, {}).groups[Group.TERM_OF_BIRTH] is None
    [part] = report(YEAR_3, [member(1)], {}).groups[Group.TERM_OF_BIRTH] or []
    assert part.value == "autumn"


def test_parts_are_shown_in_their_order() -> None:
    assert in_order(["not-known", "no", "yes"]) == ["yes", "no", "not-known"]
    assert in_order(["10", "R", "2", "1", "N2"]) == ["N2", "R", "1", "2", "10"]
    assert in_order(["summer", "autumn", "spring"]) == ["autumn", "spring", "summer"]
    assert in_order(["oak", "Elm", "not-known", "Ash"]) == ["Ash", "Elm", "oak", "not-known"]


@pytest.mark.parametrize(
    ("now", "left_on", "result", "then"),
    [
        ("5", None, None, "4"),  # a year ago it was in the year before
        ("5", None, "3", "3"),  # but the result says otherwise: the child was kept down
        ("6", date(2025, 7, 22), None, "6"),  # it left at the end of that very year
        ("R", None, None, "N2"),
        ("X", None, None, None),
        (None, None, None, None),
    ],
)
def test_the_nc_year_at_the_later_point(
    now: str | None, left_on: date | None, result: str | None, then: str | None
) -> None:
    record = PupilRecord(sex="F", date_of_entry=date(2020, 9, 1), nc_year=now)
    found: Courses = {"MAT": {SUMMER: entry("3s", SUMMER, result)}}
    assert nc_year_at([AUTUMN, SUMMER], found, record, left_on, date(2025, 11, 1)) == then
    before: Courses = {"MAT": {AUTUMN: entry("3b", AUTUMN, "3")}}
    assert nc_year_at([AUTUMN, NEXT_SUMMER], before, record, None, date(2025, 11, 1)) == "4"


def test_whoever_follows_no_nc_year_is_among_those_this_year_and_else_not_known() -> None:
    record = PupilRecord(sex="F", date_of_entry=date(2021, 9, 1), nc_year="X")
    no_year = courses({"MAT": {AUTUMN: "3b", SUMMER: "3s"}}, None)
    today = date(AUTUMN.academic_year, 11, 1)
    assert nc_year_at([AUTUMN, SUMMER], no_year, record, None, today) == "X"
    assert nc_year_at([AUTUMN, NEXT_SUMMER], {}, record, None, today) is None
