"""The made-up school: whole, valid, the same every time, and like a real one in its shares."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import pairwise
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.academic_year import AssessmentPoint, Term, academic_year_of
from domain.assessment import nc_year_then
from domain.codes.nc_year import expected_year_of
from domain.codes.steps import read_step, standing
from domain.codes.upn import read_upn
from domain.files.reader import read_pupil_file
from domain.files.rows import PupilFile
from domain.particulars import checked
from domain.school import SchoolFacts
from scripts.demonstration.made_up_results import points_until
from scripts.demonstration.made_up_school import MadeUpSchool, make_school

FACTS = SchoolFacts(
    name="Somewhere Primary School",
    urn="900101",
    local_authority="881",
    establishment="9901",
    region="East of England",
)
DAY = date(2026, 11, 23)
days = st.dates(date(2022, 1, 1), date(2026, 8, 31))
a_few = settings(max_examples=15, deadline=None)


@pytest.fixture(scope="module")
def school() -> MadeUpSchool:
    return make_school(FACTS, DAY, seed=1)


@pytest.fixture(scope="module")
def many() -> list[MadeUpSchool]:
    return [make_school(FACTS, DAY, seed=seed) for seed in range(10)]


def read(school: MadeUpSchool, content: bytes) -> PupilFile:
    return read_pupil_file(
        content, academic_year=academic_year_of(school.day), today=school.day, school=("881", "9901")
    )


def test_two_classes_of_thirty_in_each_of_seven_years(school: MadeUpSchool) -> None:
    classes = Counter((pupil.record.nc_year, pupil.record.class_name) for pupil in school.pupils)
    assert len(school.pupils) == 420
    assert len(classes) == 14
    assert set(classes.values()) == {30}
    assert Counter(nc_year for nc_year, _ in classes) == dict.fromkeys("R123456", 2)


@a_few
@given(st.integers(0, 10_000))
def test_a_smaller_school_has_one_class_of_twelve_to_thirty_a_year(seed: int) -> None:
    school = make_school(FACTS, DAY, seed=seed, classes_in_year=1)
    classes = Counter((pupil.record.nc_year, pupil.record.class_name) for pupil in school.pupils)
    assert len(classes) == 7
    assert all(12 <= size <= 30 for size in classes.values())


def test_no_other_number_of_classes_is_made_up() -> None:
    with pytest.raises(ValueError, match="one class a year, or two"):
        make_school(FACTS, DAY, seed=1, classes_in_year=3)


def test_the_same_seed_and_day_make_the_same_school(school: MadeUpSchool) -> None:
    again = make_school(FACTS, DAY, seed=1)
    assert again == school
    assert again.pupil_csv() == school.pupil_csv()
    assert again.ctf() == school.ctf()
    assert make_school(FACTS, DAY, seed=2) != school


@a_few
@given(days, st.integers(0, 1000))
def test_everything_about_a_pupil_is_valid_on_whatever_day(day: date, seed: int) -> None:
    school = make_school(FACTS, day, seed=seed, classes_in_year=1)
    upns = [read_upn(pupil.names.upn or "") for pupil in school.pupils]
    assert len(set(upns)) == len(upns)
    for pupil in school.pupils:
        assert checked(pupil.names, pupil.record) == (pupil.names, pupil.record)
        assert expected_year_of(pupil.names.date_of_birth, academic_year_of(day)) == pupil.record.nc_year
        assert pupil.names.date_of_birth < pupil.record.date_of_entry <= day
        assert all(result.academic_year < academic_year_of(day) for result in pupil.results)
        assert all(judgement.point.ends_on >= pupil.record.date_of_entry for judgement in pupil.judgements)


@a_few
@given(days)
def test_the_written_files_are_read_back_as_the_same_pupils(day: date) -> None:
    school = make_school(FACTS, day, seed=1, classes_in_year=1)
    from_csv, from_ctf = read(school, school.pupil_csv()), read(school, school.ctf())
    assert (from_csv.format, from_ctf.format) == ("target-tracker-csv", "ctf")
    assert [(row.names, row.record) for row in from_csv.rows] == [
        (pupil.names, pupil.record) for pupil in school.pupils
    ]
    assert [row.names for row in from_ctf.rows] == [pupil.names for pupil in school.pupils]
    assert [row.results for row in from_ctf.rows] == [pupil.results for pupil in school.pupils]
    assert not any(row.findings for row in (*from_csv.rows, *from_ctf.rows))
    assert not from_csv.dropped
    assert not from_ctf.dropped


def share(schools: list[MadeUpSchool], field: str, *values: object) -> float:
    return mean(getattr(pupil.record, field) in values for school in schools for pupil in school.pupils)


def test_shares_are_those_of_a_real_school(many: list[MadeUpSchool]) -> None:
    assert 0.46 < share(many, "sex", "M") < 0.56
    assert 0.60 < share(many, "ethnicity", "WBRI") < 0.68
    assert 0.70 < share(many, "first_language", "ENG") < 0.85
    assert share(many, "free_school_meals", True) == pytest.approx(0.25, abs=0.01)
    assert share(many, "sen_provision", "N") == pytest.approx(0.82, abs=0.01)
    assert share(many, "sen_provision", "K") == pytest.approx(0.14, abs=0.01)
    assert share(many, "sen_provision", "E") == pytest.approx(0.04, abs=0.01)
    for school in many:
        assert 0 < share([school], "in_care", True) < 0.01
    totals = [
        pupil.record.attendance for school in many for pupil in school.pupils if pupil.record.attendance
    ]
    missed = sum(total.authorised + total.unauthorised for total in totals)
    assert missed / sum(total.possible for total in totals) == pytest.approx(0.06, abs=0.01)


def test_births_are_spread_over_the_academic_year(many: list[MadeUpSchool]) -> None:
    months = Counter(pupil.names.date_of_birth.month for school in many for pupil in school.pupils)
    assert len(months) == 12
    assert max(months.values()) < 2 * min(months.values())


def test_between_six_and_seven_and_a_half_in_ten_are_on_track(many: list[MadeUpSchool]) -> None:
    standings = Counter(
        standing(
            judgement.value,
            nc_year_then(pupil.record.nc_year, academic_year_of(school.day) - judgement.point.academic_year)
            or "",
            judgement.point.term,
        )
        for school in many
        for pupil in school.pupils
        for judgement in pupil.judgements
    )
    assert None not in standings
    assert 0.60 < (standings["at"] + standings["above"]) / standings.total() < 0.75


def test_nobody_goes_back_and_a_year_brings_about_six_steps(many: list[MadeUpSchool]) -> None:
    gains = []
    for pupil in many[0].pupils:
        for subject in ("REA", "WRI", "MAT"):
            steps = {
                judgement.point: read_step(judgement.value).ordinal
                for judgement in pupil.judgements
                if judgement.subject == subject
            }
            assert all(before <= after for before, after in pairwise(steps.values()))
            gains += [
                steps[later] - ordinal
                for point, ordinal in steps.items()
                if (later := AssessmentPoint(point.academic_year + 1, point.term)) in steps
            ]
    assert mean(gains) == pytest.approx(6, abs=0.5)


def test_judgements_are_of_years_1_to_6_in_three_subjects(school: MadeUpSchool) -> None:
    by_year = Counter(pupil.record.nc_year for pupil in school.pupils if pupil.judgements)
    assert set(by_year) == set("123456")
    latest = max((judgement.point for judgement in school.pupils[-1].judgements), key=lambda p: p.ends_on)
    assert latest == AssessmentPoint(2026, Term.AUTUMN)
    of_latest = [
        judgement.subject
        for pupil in school.pupils
        for judgement in pupil.judgements
        if judgement.point == latest
    ]
    assert Counter(of_latest) == {"REA": 360, "WRI": 360, "MAT": 360}


def test_statutory_results_are_those_that_each_year_has_had(school: MadeUpSchool) -> None:
    had = {
        nc_year: {
            result.component or result.subject
            for pupil in school.pupils
            if pupil.record.nc_year == nc_year
            for result in pupil.results
        }
        for nc_year in "R123456"
    }
    goals = {f"E{goal:02d}" for goal in range(1, 18)}
    assert had["R"] == set()
    assert had["1"] == goals
    assert had["2"] == had["3"] == had["4"] == goals | {"PHO"}
    assert had["5"] == goals | {"PHO", "MTC"}
    # In Reception in 2020/21, when no profile was made; at the end of Year 2 in 2022/23.
    assert had["6"] == {"PHO", "MTC", "REA", "WRI", "MAT", "SCI"}


def test_statutory_results_are_spread_as_in_england(many: list[MadeUpSchool]) -> None:
    results = [result for school in many for pupil in school.pupils for result in pupil.results]
    first_phonics = {
        id(pupil): next(int(result.value) for result in pupil.results if result.component == "PHO")
        for school in many
        for pupil in school.pupils
        if any(result.component == "PHO" for result in pupil.results)
    }
    tables = [int(result.value) for result in results if result.component == "MTC"]
    goals = [result.value == "2" for result in results if result.stage == "EYF"]
    assert mean(mark >= 32 for mark in first_phonics.values()) == pytest.approx(0.8, abs=0.04)
    assert all(0 <= mark <= 25 for mark in tables)
    assert mean(tables) == pytest.approx(20.6, abs=0.7)
    assert 17 * mean(goals) == pytest.approx(14.1, abs=0.7)


@pytest.mark.parametrize(
    ("day", "last", "number"),
    [
        (date(2026, 9, 1), AssessmentPoint(2026, Term.AUTUMN), 10),
        (date(2026, 8, 31), AssessmentPoint(2025, Term.SUMMER), 12),
        (date(2027, 1, 1), AssessmentPoint(2026, Term.SPRING), 11),
    ],
)
def test_the_terms_are_those_of_three_years_and_of_this_one_so_far(
    day: date, last: AssessmentPoint, number: int
) -> None:
    points = points_until(day)
    assert points[-1] == last
    assert len(points) == number
