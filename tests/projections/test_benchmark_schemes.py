"""Benchmarks of every kind of scheme: with standings, with points, with both for some, or made of others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.academic_year import WholeYear
from domain.application import assessing
from domain.application.assessing import Entry
from domain.application.school_application import Schools
from domain.ledger.database import Database
from domain.ledger.persistence import close_shared_database
from domain.schemes.catalogue import SCHEMES
from projections.benchmarks.counting import GLD, Measured, possible_standings
from projections.benchmarks.points import Point
from tests.application.conftest import RegisteredSchool
from tests.application.examples import YEAR
from tests.conftest import TestDatabase
from tests.keys import schools_of
from tests.projections.releasing import release, some_schools, told

LAST_YEAR = WholeYear(YEAR - 1)


@pytest.fixture
def schools(test_database: TestDatabase) -> Iterator[Schools]:
    yield schools_of(test_database.conninfo())
    close_shared_database(test_database.conninfo())


@pytest.fixture
def four(schools: Schools) -> list[RegisteredSchool]:
    """Four schools of forty children each."""
    return some_schools(schools)


def took(school: RegisteredSchool, scheme: str, subject: str, **values: int) -> None:
    """Records so many of a school's children with each value."""
    each = [value.removeprefix("_") for value, count in values.items() for _ in range(count)]
    entries = [
        Entry(pupil_id, subject, value)
        for pupil_id, value in zip(school.application.roll(), each, strict=False)
    ]
    assessing.record(school.application, LAST_YEAR, entries, school.teacher, scheme=scheme)


def test_a_mean_is_of_those_who_have_a_score(four: list[RegisteredSchool], worker_database: Database) -> None:
    """A child who was below the standard of the test is below what is expected, and has no score."""
    for school in four:
        took(school, "ks2-tests", "MAT", _95=12, _105=12, B=4, _112=11)
    release(worker_database)
    found = told(worker_database, scheme="ks2-tests")["all"]
    assert found["pupils"] == "155"
    assert found["mean_points"] == "103.8", "of 35, which with the four others would have been 92.5"
    assert found["progress"] == "z"


def test_means_of_those_who_have_a_score_are_told_again(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    """They are held against what was told of them, and not against a mean of everybody."""
    for school in four:
        took(school, "ks2-tests", "MAT", _95=12, _105=12, B=4, _112=11)
    release(worker_database)
    first = told(worker_database, scheme="ks2-tests")["all"]
    again = release(worker_database, points=[Point.of(LAST_YEAR)])
    assert told(worker_database, scheme="ks2-tests", release=again.release)["all"] == first


def test_the_phonics_check_has_means_of_those_who_have_marks(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    """That nobody can be above its standard is no zero that would have to be kept quiet."""
    for school in four:
        took(school, "phonics", "PHO", _20=12, Wt=3, _36=20)
    release(worker_database)
    found = told(worker_database, scheme="phonics")["all"]
    assert (found["above"], found["mean_points"]) == ("z", "30")


def test_where_nothing_is_expected_there_are_means_alone(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    for school in four:
        took(school, "mtc", "MTC", _20=20, _25=15)
    release(worker_database)
    assert told(worker_database, scheme="mtc")["all"] == {
        "pupils": "140",
        "below": "z",
        "at": "z",
        "above": "z",
        "mean_points": "22.1",
        "progress": "z",
    }


@pytest.mark.parametrize(
    ("scheme", "point", "nc_year", "possible"),
    [
        ("steps", "2024/25:summer", "3", {"below", "at", "above"}),
        ("steps", "2024/25:summer", "6", {"below", "at"}),
        ("steps", "2024/25:autumn-1", "1", {"at", "above"}),
        ("phonics", "2024/25:year", "1", {"below", "at"}),
        ("ks2-tests", "2024/25:year", "6", {"below", "at", "above"}),
        ("ks1-tests", "2024/25:year", "2", {"below", "at"}),
        ("eyfs-profile", "2024/25:year", "R", {"below", "at"}),
        ("eyfs-profile", "2019/20:year", "R", {"below", "at", "above"}),
    ],
)
def test_how_pupils_can_stand_at_all(scheme: str, point: str, nc_year: str, possible: set[str]) -> None:
    measured = Measured(Point.read(point), scheme, "ANY", nc_year)
    assert possible_standings(measured) == possible


def test_a_good_level_of_development_is_made_of_the_goals(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    profile = SCHEMES["eyfs-profile"].in_year(YEAR - 1)
    needed = [measure.code for measure in profile.measures.values() if measure.in_gld]
    for school in four:
        for code in needed:
            took(school, "eyfs-profile", code, _2=20, _1=15)
    release(worker_database)
    found = told(worker_database, scheme="eyfs-profile", subject=GLD)["all"]
    assert found["pupils"] == "140"
    assert found["mean_points"] == "z"
    goal = told(worker_database, scheme="eyfs-profile", subject=needed[0])["all"]
    assert (found["below"], found["at"], found["above"]) == ("0.429", "0.571", "z"), "nothing is above it"
    assert (goal["below"], goal["at"], goal["above"]) == ("0.429", "0.571", "z")


def test_without_one_of_the_goals_there_is_no_good_level(
    four: list[RegisteredSchool], worker_database: Database
) -> None:
    profile = SCHEMES["eyfs-profile"].in_year(YEAR - 1)
    needed = [measure.code for measure in profile.measures.values() if measure.in_gld]
    for school in four:
        for code in needed[:-1]:
            took(school, "eyfs-profile", code, _2=35)
    release(worker_database)
    assert told(worker_database, scheme="eyfs-profile", subject=GLD) == {}
    assert told(worker_database, scheme="eyfs-profile", subject=needed[0])
