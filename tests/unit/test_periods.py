"""What runs over time, and what is so on a day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.academic_year import Term
from domain.periods import covering, in_care_on, meals_on, premium_on, provision_on, reconciled
from domain.pupil_day import Age, age_on, has_additional_language, on_day, term_of_birth, terms_completed
from domain.pupil_record import Away, CarePeriod, Period, PremiumPeriod, PupilNames, PupilRecord, SenPeriod

TODAY = date(2026, 11, 25)
YESTERDAY = TODAY - timedelta(days=1)
BARE = PupilRecord(sex="F", date_of_entry=date(2020, 9, 7))
NAMES = PupilNames(surname="Made", forename="Up", date_of_birth=date(2016, 2, 29))


def record(**fields: Any) -> PupilRecord:
    return msgspec.structs.replace(BARE, **fields)


def test_a_period_has_both_of_its_days() -> None:
    period = Period(start=date(2024, 1, 8), end=date(2024, 7, 19))
    assert [period.covers(day) for day in (date(2024, 1, 7), date(2024, 1, 8), date(2024, 7, 19))] == [
        False,
        True,
        True,
    ]
    assert not period.covers(date(2024, 7, 20))
    assert Period().covers(TODAY)


def test_of_two_periods_the_later_one_counts() -> None:
    first = SenPeriod(start=date(2020, 1, 1), provision="K")
    second = SenPeriod(start=date(2022, 1, 1), provision="E")
    assert covering([second, first], TODAY) == second
    assert covering([], TODAY) is None


def test_without_periods_the_plain_field_tells() -> None:
    said = record(free_school_meals=True, sen_provision="K", in_care=False)
    assert (meals_on(said, TODAY), provision_on(said, TODAY), in_care_on(said, TODAY)) == (True, "K", False)
    assert (meals_on(BARE, TODAY), provision_on(BARE, TODAY), in_care_on(BARE, TODAY)) == (None, None, None)


def test_the_sen_history_tells_what_was_so_then_across_the_reform_of_2014() -> None:
    """School Action gave way to SEN support; what was recorded then still reads."""
    over_time = record(
        sen_periods=(
            SenPeriod(start=date(2012, 9, 3), end=date(2014, 12, 31), provision="A"),
            SenPeriod(start=date(2015, 1, 1), provision="K"),
        )
    )
    days = (date(2012, 9, 2), date(2013, 5, 1), date(2014, 12, 31), date(2015, 1, 1), TODAY)
    assert [provision_on(over_time, day) for day in days] == ["N", "A", "A", "K", "K"]


def test_premium_is_told_with_its_reasons() -> None:
    over_time = record(
        premium_periods=(
            PremiumPeriod(start=date(2024, 4, 1), reason="DPP"),
            PremiumPeriod(start=date(2025, 4, 1), reason="SCP"),
        )
    )
    assert premium_on(over_time, date(2024, 3, 31)) == ()
    assert premium_on(over_time, date(2024, 4, 1)) == ("DPP",)
    assert premium_on(over_time, TODAY) == ("DPP", "SCP")


def test_a_plain_statement_is_written_into_the_periods() -> None:
    before = record(meals_periods=(Period(start=date(2024, 1, 8)),), free_school_meals=True)
    ended = reconciled(before, msgspec.structs.replace(before, free_school_meals=False), TODAY)
    assert ended.meals_periods == (Period(start=date(2024, 1, 8), end=YESTERDAY),)
    again = reconciled(ended, msgspec.structs.replace(ended, free_school_meals=True), TODAY + timedelta(9))
    assert again.meals_periods[1:] == (Period(start=TODAY + timedelta(9)),)
    assert meals_on(again, TODAY) is False


def test_a_period_that_began_today_and_is_taken_back_never_was() -> None:
    before = record(care_periods=(CarePeriod(start=TODAY),), in_care=True)
    assert reconciled(before, msgspec.structs.replace(before, in_care=False), TODAY).care_periods == ()


def test_another_provision_follows_the_one_before() -> None:
    before = record(sen_periods=(SenPeriod(start=date(2024, 1, 8), provision="K"),), sen_provision="K")
    after = reconciled(before, msgspec.structs.replace(before, sen_provision="E"), TODAY)
    assert after.sen_periods == (
        SenPeriod(start=date(2024, 1, 8), end=YESTERDAY, provision="K"),
        SenPeriod(start=TODAY, provision="E"),
    )


def test_periods_tell_the_plain_field() -> None:
    told = reconciled(BARE, record(sen_periods=(SenPeriod(start=date(2024, 1, 8), provision="E"),)), TODAY)
    assert told.sen_provision == "E"
    assert reconciled(None, record(meals_periods=(Period(end=YESTERDAY),)), TODAY).free_school_meals is False


def test_a_period_that_has_ended_is_not_begun_again_by_a_change_of_something_else() -> None:
    """The plain fields say what was so when they were written, which need not be so any more."""
    over = record(
        free_school_meals=True,
        meals_periods=(Period(start=date(2024, 1, 8), end=YESTERDAY),),
        sen_provision="K",
        sen_periods=(SenPeriod(start=date(2024, 1, 8), end=YESTERDAY, provision="K"),),
        in_care=True,
        care_periods=(CarePeriod(start=date(2024, 1, 8), end=YESTERDAY),),
    )
    moved = msgspec.structs.replace(over, class_name="4B")
    assert reconciled(over, moved, TODAY) == moved
    assert reconciled(over, moved, TODAY, {"class_name"}) == moved
    again = reconciled(over, over, TODAY, {"free_school_meals"})
    assert again.meals_periods == (*over.meals_periods, Period(start=TODAY)), "said anew, it is so anew"
    assert again.sen_periods == over.sen_periods


DAYS = st.dates(date(2020, 1, 1), date(2026, 12, 31))


@given(st.booleans(), st.lists(st.tuples(DAYS, st.booleans()), max_size=8))
def test_the_plain_field_and_its_periods_never_disagree(first: bool, said: list[tuple[date, bool]]) -> None:
    """Whatever is said, in the order of time, both tell the same on the day on which it is said."""
    now = reconciled(None, record(meals_periods=(Period(start=date(2019, 1, 1)),)), date(2020, 1, 1))
    now = reconciled(now, msgspec.structs.replace(now, free_school_meals=first), date(2020, 1, 1))
    for day, eligible in sorted(said):
        now = reconciled(now, msgspec.structs.replace(now, free_school_meals=eligible), day)
        assert meals_on(now, day) is eligible is now.free_school_meals or not now.meals_periods
        covered = [period for period in now.meals_periods if period.covers(day)]
        assert len(covered) <= 1


@pytest.mark.parametrize(
    ("day", "age"),
    [
        (date(2016, 2, 28), None),
        (date(2016, 2, 29), Age(years=0, months=0)),
        (date(2023, 2, 28), Age(years=6, months=11)),
        (date(2023, 3, 1), Age(years=7, months=0)),
        (date(2024, 2, 29), Age(years=8, months=0)),
    ],
)
def test_ages(day: date, age: Age | None) -> None:
    assert age_on(NAMES.date_of_birth, day) == age


@pytest.mark.parametrize(
    ("born", "term"),
    [
        (date(2016, 8, 31), Term.SUMMER),
        (date(2016, 9, 1), Term.AUTUMN),
        (date(2016, 12, 31), Term.AUTUMN),
        (date(2017, 1, 1), Term.SPRING),
        (date(2017, 4, 30), Term.SPRING),
        (date(2017, 5, 1), Term.SUMMER),
    ],
)
def test_terms_of_birth(born: date, term: Term) -> None:
    assert term_of_birth(born) is term


@pytest.mark.parametrize(
    ("entered", "left_on", "day", "terms"),
    [
        (date(2025, 9, 3), None, date(2025, 12, 30), 0),
        (date(2025, 9, 3), None, date(2025, 12, 31), 1),
        (date(2025, 9, 3), None, date(2026, 8, 31), 3),
        (date(2025, 11, 3), None, date(2026, 8, 31), 3),
        (date(2025, 9, 3), date(2026, 2, 13), date(2026, 11, 25), 1),
        (date(2020, 9, 7), None, date(2026, 11, 25), 18),
        (date(2026, 9, 3), None, date(2020, 1, 1), 0),
    ],
)
def test_terms_completed(entered: date, left_on: date | None, day: date, terms: int) -> None:
    assert terms_completed(entered, left_on, day) == terms


@pytest.mark.parametrize(
    ("left_on", "returned_on", "terms"),
    [
        (date(2026, 2, 13), date(2026, 9, 1), 1),
        (date(2026, 2, 13), date(2026, 4, 14), 3),
        (date(2026, 4, 15), date(2026, 9, 1), 2),
        (date(2025, 11, 3), date(2026, 2, 2), 2),
    ],
)
def test_terms_while_a_child_was_away_are_not_completed(left_on: date, returned_on: date, terms: int) -> None:
    entered, day = date(2025, 9, 3), date(2026, 11, 25)
    away = [Away(left_on=left_on, returned_on=returned_on)]
    assert terms_completed(entered, None, day, away) == terms
    assert terms_completed(entered, None, day) == 3, "the twin that does not know of it"


@pytest.mark.parametrize(
    ("fields", "eal"),
    [
        ({}, None),
        ({"first_language": "ENG"}, False),
        ({"first_language": "pol"}, True),
        ({"first_language": "unheard"}, None),
        ({"first_language": "ENG", "eal": True}, True),
        ({"first_language": "POL", "eal": False}, False),
    ],
)
def test_the_language_tells_unless_the_school_does(fields: dict[str, Any], eal: bool | None) -> None:
    assert has_additional_language(record(**fields)) is eal


def test_whoever_may_not_know_who_it_is_is_told_no_age() -> None:
    known, unknown = on_day(NAMES, BARE, None, TODAY), on_day(None, BARE, None, TODAY)
    assert (known.age, known.term_of_birth) == (Age(years=10, months=8), Term.SPRING)
    assert (unknown.age, unknown.term_of_birth) == (None, None)
    assert unknown.terms_completed == known.terms_completed == 18
