"""The NC year of results that are entered after the academic year that they speak of."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from domain.academic_year import AssessmentPoint, Term
from domain.application import nc_years, pupils
from domain.application.nc_years import nc_years_at, year_told
from domain.events import OPERATOR
from domain.identifiers import new_id
from domain.particulars import PupilParticulars
from domain.pupil import Pupil, admit, fold
from tests.application.conftest import RegisteredSchool
from tests.application.examples import YEAR, admitted, child

SUMMER = AssessmentPoint(YEAR, Term.SUMMER)


def check_september(registered: RegisteredSchool) -> None:
    """Results of last summer, entered in September before and after the school moves its pupils up."""
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1, nc_year="4"))
    there = school.pupils([pupil_id])
    september = date(YEAR + 1, 9, 2)
    assert nc_years_at(school, there, SUMMER, september) == {pupil_id: "4"}
    before = AssessmentPoint(YEAR - 1, Term.SUMMER)
    assert nc_years_at(school, there, before, september) == {pupil_id: "3"}
    # Of this year the record says it, as soon as it does.
    now = AssessmentPoint(YEAR + 1, Term.AUTUMN)
    assert nc_years_at(school, there, now, september) == {pupil_id: "4"}


def test_results_of_last_summer_have_last_years_nc_year(registered: RegisteredSchool) -> None:
    check_september(registered)


def test_the_twin_that_reckons_from_today_fails_the_same_check(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nc_years, "_written", lambda school, pupils: {})
    with pytest.raises(AssertionError):
        check_september(registered)


def test_what_is_written_again_as_it_was_is_not_of_another_year(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1, nc_year="4"))
    pupils.change(school, pupil_id, PupilParticulars(class_name="Blue"), 1, actor)
    there = school.pupils([pupil_id])
    assert nc_years_at(school, there, SUMMER, date(YEAR + 1, 9, 2)) == {pupil_id: "4"}


@pytest.mark.parametrize(
    ("nc_year", "written_on", "year"),
    [
        ("4", date(2025, 10, 1), 2025),
        ("4", date(2026, 7, 20), 2025),
        ("5", date(2026, 7, 20), 2026),  # moved up before the summer holidays
        ("5", date(2026, 6, 30), 2025),
        ("5", date(2026, 9, 1), 2026),
        ("6", date(2026, 8, 1), 2025),  # neither year's, by age: taken as it was written
    ],
)
def test_the_academic_year_that_an_nc_year_is_of(nc_year: str, written_on: date, year: int) -> None:
    names, record = child(1)
    names = msgspec.structs.replace(names, date_of_birth=date(2016, 11, 5))
    record = msgspec.structs.replace(record, nc_year=nc_year)
    pupil = fold(None, [admit(new_id(), names, record, OPERATOR)])
    assert isinstance(pupil, Pupil)
    assert year_told(pupil, written_on) == year
