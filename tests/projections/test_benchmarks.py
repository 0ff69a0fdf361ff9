"""Benchmark releases: made of what is over, and of enough pupils and schools."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.academic_year import HALF_TERMS, TERMS, AssessmentPoint, Term, WholeYear, academic_year_label
from domain.application import assessment_points
from domain.application.school_application import Schools
from domain.assessment_points import Division
from domain.errors import InvalidInput, KeyNotHeld, NotYetVisible, SchoolStopped
from domain.ledger.database import Database
from domain.ledger.persistence import close_shared_database
from domain.vault.key_ring import new_ring
from projections.benchmarks.points import NAMES, Point
from projections.benchmarks.proposing import propose
from projections.disclosure import Rules
from projections.runner import Worker
from tests.application.conftest import RegisteredSchool
from tests.application.examples import NOW, TODAY, YEAR, point_before
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS, schools_of
from tests.projections.catching_up import caught_up
from tests.projections.erasures import erase
from tests.projections.releasing import THEN, assess, proposed, release, some_schools, table, told

YEAR_THEN = academic_year_label(YEAR - 1)


@pytest.fixture
def schools(test_database: TestDatabase) -> Iterator[Schools]:
    yield schools_of(test_database.conninfo())
    close_shared_database(test_database.conninfo())


@pytest.fixture
def four(schools: Schools) -> list[RegisteredSchool]:
    """Four schools of forty children each."""
    return some_schools(schools)


def test_a_table_of_all_schools(four: list[RegisteredSchool], worker_database: Database) -> None:
    for school in four:
        assess(school, "REA", below=11, at=14, above=13)
    published = release(worker_database)
    assert (published.release, published.points, published.position) == (1, (f"{YEAR_THEN}:summer",), 1)
    assert told(worker_database) == {
        "all": {
            "pupils": "150",
            "below": "0.3",
            "at": "0.367",
            "above": "0.333",
            "mean_points": "17.3",
            "progress": "z",
        }
    }
    first = table(worker_database)[0]
    assert (first.release, first.withdrawn, first.academic_year) == (1, False, YEAR_THEN)
    assert (first.assessment_point, first.scheme, first.nc_year) == ("summer", "steps", "3")
    scales = {row.measure: row.point_scale for row in table(worker_database)}
    assert {measure for measure, scale in scales.items() if scale == "steps"} == {"mean_points", "progress"}


def test_progress_counts_from_the_term_before(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    for school in four:
        assess(school, "REA", point_before(1, Term.SPRING), below=12, at_in_spring=12, above=12)
        assess(school, "REA", below=12, at=12, above=12)
    release(worker_database)
    assert told(worker_database, assessment_point="summer")["all"]["progress"] == "0.7"
    assert told(worker_database, assessment_point="spring")["all"]["progress"] == "z"


def test_what_is_of_few_is_a_symbol_and_the_report_says_why(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    for school in four[:2]:
        assess(school, "WRI", below=12, at=12, above=12)
    for school in four:
        assess(school, "REA", below=12, at=12, above=12)
    report = proposed(worker_database)
    by_rule = {
        (each.subject, each.category): each for each in report.suppressed if each.characteristic == "all"
    }
    assert set(by_rule) == {("WRI", "all")}
    assert by_rule["WRI", "all"].rule == "minimum_schools"
    assert by_rule["WRI", "all"].because == "Of fewer than 3 schools"
    [point] = report.points
    assert (point.point, point.schools, point.tables) == (f"{YEAR_THEN}:summer", 4, 2)
    assert point.suppressed > 0
    assert sum(report.rules_applied.values()) == len(report.suppressed)
    release(worker_database)
    assert set(told(worker_database, subject="WRI")["all"].values()) == {"c", "z"}
    assert set(told(worker_database, subject="WRI", characteristic="sex")) == set(), "not even divided"
    assert told(worker_database, subject="REA")["all"]["pupils"] == "145"


def test_the_categories_of_a_characteristic_are_all_there(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    for school in four:
        assess(school, "REA", below=12, at=12, above=12)
    release(worker_database)
    sexes = told(worker_database, characteristic="sex")
    assert list(sexes) == ["F", "M", "unknown"]
    assert (sexes["F"]["pupils"], sexes["M"]["pupils"]) == ("70", "70")
    assert set(sexes["unknown"].values()) <= {"0", "z"}
    assert told(worker_database, characteristic="region")["East of England"]["pupils"] == "145"
    assert told(worker_database, characteristic="size_band")["up-to-100"]["pupils"] == "145"


def test_a_child_who_was_erased_does_not_count(
    four: list[RegisteredSchool], worker_database: Database, tmp_path: Path
) -> None:
    for school in four:
        assess(school, "REA", below=12, at=12, above=12)
    caught_up(worker_database)
    erase(tmp_path, four[0], *list(four[0].application.roll())[:36])
    erase(tmp_path, four[1], *list(four[1].application.roll())[:36])
    release(worker_database)
    assert set(told(worker_database)["all"].values()) == {"c", "z"}, "of two schools nothing is left"


def test_a_release_needs_the_services_key(four: list[RegisteredSchool], worker_database: Database) -> None:
    for school in four:
        assess(school, "REA", below=12, at=12, above=12)
    caught_up(worker_database)
    with pytest.raises(KeyNotHeld):
        propose(worker_database, new_ring(), TODAY, Rules())
    assert release(worker_database).release == 1, "nothing but the key was missing"


def test_only_what_is_over_is_released(four: list[RegisteredSchool], worker_database: Database) -> None:
    for school in four:
        assess(school, "REA", NOW, below=12, at=12, above=12)
        assess(school, "REA", below=12, at=12, above=12)
    assert proposed(worker_database, THEN.ends_on).points == []
    [due] = proposed(worker_database, THEN.ends_on + timedelta(days=1)).points
    assert due.point == Point.of(THEN).label
    assert [each.point for each in proposed(worker_database, NOW.ends_on).points] == [due.point]
    later = proposed(worker_database, NOW.ends_on + timedelta(days=1))
    assert [each.point for each in later.points] == [due.point, Point.of(NOW).label]
    with pytest.raises(InvalidInput) as refused:
        proposed(worker_database, NOW.ends_on, [Point.of(NOW)])
    assert refused.value.findings[0].field == "point"


def test_what_stands_is_not_due_again(four: list[RegisteredSchool], worker_database: Database) -> None:
    for school in four:
        assess(school, "REA", below=12, at=12, above=12)
    release(worker_database)
    assert proposed(worker_database).proposal is None
    assert proposed(worker_database, points=[Point.of(THEN)]).after == 1, "it can be asked for by name"


def test_a_half_term_that_ends_with_a_term_is_its_end(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    for school in four[:3]:
        assessment_points.choose(school.application, YEAR - 1, Division.HALF_TERMS, school.administrator)
        assess(school, "REA", point_before(1, Term.SUMMER_1), at=36)
        assess(school, "REA", point_before(1, Term.SUMMER_2), above=36)
    assess(four[3], "REA", above=36)
    assessment_points.close(four[0].application, point_before(1, Term.SUMMER_2), four[0].administrator)
    report = proposed(worker_database)
    assert [(each.point, each.schools, each.closed_by) for each in report.points] == [
        (f"{YEAR_THEN}:summer-1", 3, 0),
        (f"{YEAR_THEN}:summer", 4, 1),
    ]
    release(worker_database)
    assert told(worker_database, assessment_point="summer")["all"]["pupils"] == "145"
    assert told(worker_database, assessment_point="summer-1")["all"]["pupils"] == "110"


@pytest.mark.parametrize(
    ("at", "name", "before"),
    [
        (AssessmentPoint(2025, Term.AUTUMN), "autumn", "2024/25:summer"),
        (AssessmentPoint(2025, Term.AUTUMN_1), "autumn-1", "2024/25:summer"),
        (AssessmentPoint(2025, Term.AUTUMN_2), "autumn", "2024/25:summer"),
        (AssessmentPoint(2025, Term.SPRING_1), "spring-1", "2025/26:autumn"),
        (AssessmentPoint(2025, Term.SPRING), "spring", "2025/26:autumn"),
        (AssessmentPoint(2025, Term.SUMMER_1), "summer-1", "2025/26:spring"),
        (AssessmentPoint(2025, Term.SUMMER_2), "summer", "2025/26:spring"),
        (WholeYear(2025), "year", None),
    ],
)
def test_which_point_a_result_counts_to(
    at: AssessmentPoint | WholeYear, name: str, before: str | None
) -> None:
    point = Point.of(at)
    assert (point.name, point.before.label if point.before else None) == (name, before)
    assert Point.read(point.label) == point
    assert point.ends_on == at.ends_on
    assert point.before is None or point.before < point


def test_points_are_in_the_order_of_time() -> None:
    points = [Point.of(AssessmentPoint(2025, term)) for term in (*TERMS, *HALF_TERMS)]
    assert sorted(set(points)) == sorted(set(points), key=lambda point: point.ends_on)
    assert {point.name for point in points} == set(NAMES) - {"year"}


@pytest.mark.parametrize(
    "text", ["", "autumn", "2025/26", "2025/27:autumn", "2025/26:winter", "25:autumn", "²⁰²⁵:autumn"]
)
def test_what_is_no_point(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Point.read(text)
    assert "2025/26:autumn" in str(refused.value.findings[0].accepted)


@pytest.mark.parametrize(
    ("point", "last"),
    [
        (AssessmentPoint(2025, Term.AUTUMN), date(2025, 12, 31)),
        (AssessmentPoint(2025, Term.SPRING), date(2026, 4, 15)),
        (AssessmentPoint(2025, Term.SUMMER), date(2026, 8, 31)),
    ],
)
def test_when_a_term_is_over(point: AssessmentPoint, last: date) -> None:
    assert point.ends_on == last
    assert AssessmentPoint.of(last) == point
    assert AssessmentPoint.of(last + timedelta(days=1)) != point


def test_nothing_is_proposed_while_a_schools_rows_are_behind(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    caught_up(worker_database)
    assess(four[0], "MAT", at=40)
    with pytest.raises(NotYetVisible) as refused:
        propose(worker_database, SERVICE_KEYS, TODAY, Rules(), patience=0.2)
    assert refused.value.details["schools"] == [str(four[0].application.school_id)]


def test_nothing_is_proposed_while_a_schools_rows_have_stopped(
    four: list[RegisteredSchool], worker_database: Database, test_database: TestDatabase
) -> None:
    assess(four[0], "MAT", at=40)
    school = four[0].application
    with test_database.connect("postgres") as superuser:
        superuser.execute(
            "UPDATE ledger.events SET state = '\\x00' WHERE school_id = %s AND type LIKE 'assessment.%%'",
            [school.school_id],
        )
    Worker(worker_database, SERVICE_KEYS).run_until_idle()
    with pytest.raises(SchoolStopped) as refused:
        propose(worker_database, SERVICE_KEYS, TODAY, Rules())
    assert refused.value.details["schools"] == [str(school.school_id)]
