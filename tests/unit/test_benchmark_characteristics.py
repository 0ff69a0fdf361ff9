"""What pupils and schools are told apart by in benchmarks."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from domain.academic_year import Term
from domain.pupil_record import CarePeriod, Period, PremiumPeriod, PupilRecord, SenPeriod
from projections.benchmarks.characteristics import (
    GROUPS,
    OF_PUPILS,
    OF_SCHOOLS,
    bounds_of_fifths,
    of_pupil,
    of_school,
    share_of_meals,
)

RECORD = PupilRecord(
    sex="F",
    date_of_entry=date(2020, 9, 1),
    ethnicity="MWBC",
    first_language="POL",
    free_school_meals=False,
    in_care=False,
    sen_provision="N",
    meals_periods=(Period(start=date(2023, 1, 9), end=date(2024, 7, 19)),),
    premium_periods=(PremiumPeriod(start=date(2023, 4, 1), reason="DPP"),),
    sen_periods=(
        SenPeriod(start=date(2022, 9, 1), provision="K"),
        SenPeriod(start=date(2024, 1, 8), provision="E"),
    ),
    care_periods=(CarePeriod(start=date(2024, 5, 1)),),
)


def told(record: PupilRecord, day: date, born_in: Term | None = None) -> dict[str, str]:
    return dict(of_pupil(record, born_in, day))


@pytest.mark.parametrize(
    ("day", "meals", "premium", "sen", "care"),
    [
        (date(2022, 12, 31), "no", "no", "support", "no"),
        (date(2023, 12, 31), "yes", "yes", "support", "no"),
        (date(2024, 4, 15), "yes", "yes", "plan", "no"),
        (date(2024, 8, 31), "no", "yes", "plan", "yes"),
    ],
)
def test_characteristics_are_those_of_the_day(
    day: date, meals: str, premium: str, sen: str, care: str
) -> None:
    found = told(RECORD, day, Term.SUMMER)
    assert found["free_school_meals"] == meals
    assert found["pupil_premium"] == premium
    assert found["sen"] == sen
    assert found["in_care"] == care
    assert found["ethnicity_group"] == "Mixed"
    assert (found["eal"], found["sex"], found["term_of_birth"]) == ("yes", "F", "summer")


def test_what_is_not_known_is_a_category() -> None:
    nothing = PupilRecord(sex="W", date_of_entry=date(2020, 9, 1), ethnicity="NOBT", first_language="XXX")
    found = told(nothing, date(2024, 8, 31))
    assert {name for name, category in found.items() if category == "unknown"} == {
        "sex",
        "free_school_meals",
        "sen",
        "eal",
        "ethnicity_group",
        "in_care",
        "term_of_birth",
    }


def test_everybody_is_in_one_category_of_each() -> None:
    for record in (RECORD, PupilRecord(sex="U", date_of_entry=date(2020, 9, 1))):
        groups = of_pupil(record, None, date(2024, 8, 31))
        assert [group.characteristic for group in groups] == ["all", *OF_PUPILS]
        assert set(groups) <= set(GROUPS)
    for region, kind, share, roll in (
        ("London", "infant", Decimal("0.31"), 100),
        ("Elsewhere", None, None, 0),
        ("London", "castle", Decimal("1.00"), 1000),
    ):
        places = of_school(region, kind, share, roll, (Decimal("0.10"),) * 4)
        assert [group.characteristic for group in places] == list(OF_SCHOOLS)
        assert set(places) <= set(GROUPS)


def test_fifths_of_schools_by_free_school_meals() -> None:
    shares = [share_of_meals(eligible, 100) for eligible in range(50)]
    bounds = bounds_of_fifths([share for share in shares if share is not None], 3)
    assert bounds == (Decimal("0.10"), Decimal("0.20"), Decimal("0.30"), Decimal("0.40"))
    fifths = [dict(of_school("London", None, share, 200, bounds))["fsm_fifth"] for share in shares]
    assert [fifths.count(fifth) for fifth in "12345"] == [10, 10, 10, 10, 10]
    assert fifths == sorted(fifths)


def test_of_a_handful_of_schools_there_are_no_fifths() -> None:
    """Each bound is the share of one of them."""
    assert bounds_of_fifths([Decimal("0.10")] * 14, 3) == ()
    assert bounds_of_fifths([Decimal("0.10")] * 15, 3) == (Decimal("0.10"),) * 4
    assert dict(of_school("London", None, Decimal("0.10"), 150, ()))["similar_schools"] == "unknown/101-200"


@pytest.mark.parametrize(
    ("eligible", "known", "share"), [(1, 3, "0.33"), (1, 8, "0.13"), (0, 9, "0.00"), (7, 7, "1.00")]
)
def test_shares_are_whole_hundredths(eligible: int, known: int, share: str) -> None:
    assert share_of_meals(eligible, known) == Decimal(share)
    assert share_of_meals(eligible, 0) is None


@pytest.mark.parametrize(
    ("roll", "band"),
    [
        (1, "up-to-100"),
        (100, "up-to-100"),
        (101, "101-200"),
        (300, "201-300"),
        (400, "301-400"),
        (401, "over-400"),
    ],
)
def test_bands_of_schools_by_size(roll: int, band: str) -> None:
    assert dict(of_school("London", None, None, roll, ()))["size_band"] == band
