"""One pupil in one subject, by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.academic_year import HALF_TERMS, TERMS, AssessmentPoint, Term, WholeYear
from domain.assessment import Result
from domain.errors import InvalidInput
from domain.progress.entries import Entry, seen
from domain.progress.gains import Gain, Reason, Verdict, gain
from domain.progress.question import Question, points_between
from domain.schemes.catalogue import (
    APS,
    KS1_TEACHER,
    KS2_TESTS,
    LEVELS,
    PHONICS,
    SCHEMES,
    STEPS,
    TWO_POINT,
)
from tests.unit.progress.made_up import AUTUMN, NEXT_SUMMER, SPRING, SUMMER, entry

LONG_AGO = AssessmentPoint(2020, Term.AUTUMN)

BY_HAND: list[tuple[str, AssessmentPoint, str, AssessmentPoint, int, int, Verdict]] = [
    # Autumn to summer are two terms: four steps. 3b+ is 14, 3s+ is 18.
    ("3b+", AUTUMN, "3s+", SUMMER, 4, 4, Verdict.AS_EXPECTED),
    ("3b+", AUTUMN, "3s", SUMMER, 3, 4, Verdict.LESS),
    ("3b+", AUTUMN, "4b", SUMMER, 5, 4, Verdict.MORE),
    # A summer to the next is a year: a band, six steps.
    ("3s+", SUMMER, "4s+", NEXT_SUMMER, 6, 6, Verdict.AS_EXPECTED),
    ("3s+", SUMMER, "3w", NEXT_SUMMER, -3, 6, Verdict.LESS),
    # Half-terms are a step each: autumn 1 to spring 1 are two.
    (
        "3b",
        AssessmentPoint(2024, Term.AUTUMN_1),
        "3w",
        AssessmentPoint(2024, Term.SPRING_1),
        2,
        2,
        Verdict.AS_EXPECTED,
    ),
    # From a term to a half-term of the next year, when the school came to divide its years otherwise.
    ("3s+", SUMMER, "4b", AssessmentPoint(2025, Term.AUTUMN_1), 1, 1, Verdict.AS_EXPECTED),
    # Across five years, from the bottom of the scale.
    ("1b", LONG_AGO, "6b", AssessmentPoint(2025, Term.AUTUMN), 30, 30, Verdict.AS_EXPECTED),
]


def wrong(check: Callable[[Entry, Entry], Gain]) -> list[str]:
    """The examples by hand that come out otherwise."""
    found = []
    for first, start, last, end, points, expected, verdict in BY_HAND:
        got = check(entry(first, start), entry(last, end))
        if (got.points, got.expected, got.verdict) != (points, expected, verdict):
            found.append(f"{first} {start.label} to {last} {end.label}")
    return found


def test_examples_by_hand() -> None:
    assert wrong(gain) == []


def test_an_expected_gain_that_is_one_half_term_off_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""
    real = type(entry("3b", AUTUMN).version).expected_gain
    monkeypatch.setattr(
        "domain.schemes.kinds.Steps.expected_gain",
        lambda version, earlier, later: (real(version, earlier, later) or 0) + 1,
    )
    assert len(wrong(gain)) == len(BY_HAND)


def test_one_result_is_no_progress() -> None:
    only = entry("3b", AUTUMN)
    assert gain(only, None) == Gain(start=only, end=None)
    assert not gain(only, None).matched
    assert not gain(None, only).matched
    assert gain(None, only).points is None


def test_schemes_are_not_compared() -> None:
    """Nothing says how many steps EXS at the end of Year 2 is worth."""
    before = seen(result_of_measure(KS1_TEACHER, "MAT", "EXS", 2024), {KS1_TEACHER: None, STEPS: STEPS})
    assert before
    assert (before.value, before.standing, before.points) == ("EXS", "at", None)
    got = gain(before, entry("3s", NEXT_SUMMER))
    assert (got.points, got.expected, got.verdict, got.reason) == (
        None,
        None,
        Verdict.NOT_KNOWN,
        Reason.SCHEMES_DIFFER,
    )
    question = Question.ask(WholeYear(2024), NEXT_SUMMER, KS1_TEACHER, end_scheme=STEPS)
    assert not question.comparable
    assert question.points == [WholeYear(2024), NEXT_SUMMER]


def result_of_measure(scheme: str, code: str, value: str, year: int) -> Result:
    """A result where the scheme measures it."""
    measure = SCHEMES[scheme].in_year(year).measures[code]
    return Result(
        scheme=scheme,
        subject=measure.subject,
        component=measure.component,
        stage=measure.stage,
        method=measure.method,
        value=value,
        academic_year=year,
        nc_year="2",
    )


def test_a_letter_counts_no_points() -> None:
    def marks(value: str, year: int) -> Entry:
        found = seen(result_of_measure(PHONICS, "PHO", value, year), {PHONICS: "marks"})
        assert found
        return found

    got = gain(marks("A", 2023), marks("33", 2024))
    assert (got.points, got.verdict, got.reason) == (None, Verdict.NOT_KNOWN, Reason.NO_POINTS)
    got = gain(marks("25", 2023), marks("33", 2024))
    assert (got.points, got.verdict, got.reason) == (8, Verdict.NOT_KNOWN, Reason.NOTHING_EXPECTED)
    assert marks("33", 2023).expected == (32, 40)


def test_the_top_of_the_scale_has_no_room() -> None:
    got = gain(entry("6s", AUTUMN, "6"), entry("6s+", SUMMER, "6"))
    assert (got.points, got.expected, got.verdict, got.reason) == (
        1,
        4,
        Verdict.NOT_KNOWN,
        Reason.TOP_OF_SCALE,
    )
    assert gain(entry("6b+", AUTUMN, "6"), entry("6s+", SUMMER, "6")).verdict is Verdict.AS_EXPECTED
    assert gain(entry("6b", AUTUMN, "6"), entry("6s", SUMMER, "6")).verdict is Verdict.AS_EXPECTED


def test_what_a_value_counts_depends_on_the_scale_that_is_named() -> None:
    """1a is 11 where a sublevel is two points, and 9 where only whole levels are told apart."""
    result = result_of_measure(LEVELS, "MAT", "1a", 2010)
    points = {scale: found.points for scale in (TWO_POINT, APS) if (found := seen(result, {LEVELS: scale}))}
    assert points == {TWO_POINT: 11, APS: 9}
    unnamed = seen(result, {LEVELS: None})
    assert unnamed
    assert unnamed.points is None


def test_points_between() -> None:
    assert points_between(AUTUMN, SUMMER) == [AUTUMN, SPRING, SUMMER]
    halves = [AssessmentPoint(2024, term) for term in HALF_TERMS]
    assert points_between(halves[0], halves[-1]) == halves
    assert points_between(AUTUMN, AssessmentPoint(2025, Term.AUTUMN)) == [
        *(AssessmentPoint(2024, term) for term in TERMS),
        AssessmentPoint(2025, Term.AUTUMN),
    ]
    first, *middle, last = points_between(AUTUMN, AssessmentPoint(2024, Term.SUMMER_1))
    assert (first, last) == (AUTUMN, AssessmentPoint(2024, Term.SUMMER_1))
    assert {each.term for each in middle} == {Term.SPRING, Term.SPRING_1, Term.SPRING_2}
    years = [WholeYear(year) for year in (2020, 2021, 2022)]
    assert points_between(years[0], years[-1]) == years


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (lambda: Question.ask(SUMMER, AUTUMN, STEPS), "to_year"),
        (lambda: Question.ask(AUTUMN, AUTUMN, STEPS), "to_year"),
        (lambda: Question.ask(AUTUMN, AssessmentPoint(2024, Term.AUTUMN_2), STEPS), "to_year"),
        (lambda: Question.ask(AUTUMN, SUMMER, "ladders"), "scheme"),
        (lambda: Question.ask(AUTUMN, SUMMER, "statements"), "scheme"),
        (lambda: Question.ask(AUTUMN, SUMMER, STEPS, end_scheme="ladders"), "to_scheme"),
        (lambda: Question.ask(AUTUMN, SUMMER, KS2_TESTS), "from_term"),
        (lambda: Question.ask(WholeYear(2023), SUMMER, STEPS), "from_term"),
        (lambda: Question.ask(WholeYear(2023), WholeYear(2024), "mtc", scale="steps"), "scale"),
        (lambda: Question.ask(WholeYear(2010), WholeYear(2024), "mtc"), "from_year"),
        (lambda: Question.ask(AUTUMN, SUMMER, STEPS, subject="XYZ"), "subject"),
        (lambda: Question.at(WholeYear(2024), STEPS), "term"),
    ],
)
def test_what_cannot_be_asked(asked: Callable[[], Question], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        asked()
    [finding] = refused.value.findings
    assert finding.field == field
    assert finding.found
    assert finding.accepted


def test_a_subject_is_found_whatever_its_letters() -> None:
    assert Question.ask(AUTUMN, SUMMER, " Steps ", subject=" mat ").subject == "MAT"
