"""What is so of a pupil on a day, worked out from what is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from domain.academic_year import TERMS, AssessmentPoint, Term, academic_year_of
from domain.codes.sets import is_additional_language
from domain.periods import in_care_on, meals_on, premium_on, provision_on
from domain.pupil_record import Away, PupilNames, PupilRecord


class Age(msgspec.Struct, frozen=True, kw_only=True):
    """An age in whole years and months."""

    years: int
    months: int


class PupilDay(msgspec.Struct, frozen=True, kw_only=True):
    """What is so on a day.

    Attributes:
        day: The day.
        age: None before birth, and for those who may not know the date of birth.
        term_of_birth: The term in which the birthday falls; the oldest of a year were born in autumn.
        terms_completed: Terms in this setting: those that have ended while the child was on roll, not away.
        eal: English as an additional language: as the school says, or else as the first language tells; none,
            where neither does.
        free_school_meals: Eligible; none, where nobody has said.
        premium: Reasons for which the school gets pupil premium.
        sen_provision: The code; none, where nobody has said.
        in_care: Looked after; none, where nobody has said.
    """

    day: date
    age: Age | None
    term_of_birth: Term | None
    terms_completed: int
    eal: bool | None
    free_school_meals: bool | None
    premium: tuple[str, ...]
    sen_provision: str | None
    in_care: bool | None


def on_day(
    names: PupilNames | None,
    record: PupilRecord,
    left_on: date | None,
    day: date,
    away: Iterable[Away] = (),
) -> PupilDay:
    """What is so of a pupil on a day.

    Args:
        names: Who the child is; none, for those who may not know.
        record: Everything else.
        left_on: When the child left, if away.
        day: The day asked about.
        away: The times between leaving and coming back.
    """
    return PupilDay(
        day=day,
        age=age_on(names.date_of_birth, day) if names else None,
        term_of_birth=term_of_birth(names.date_of_birth) if names else None,
        terms_completed=terms_completed(record.date_of_entry, left_on, day, away),
        eal=has_additional_language(record),
        free_school_meals=meals_on(record, day),
        premium=premium_on(record, day),
        sen_provision=provision_on(record, day),
        in_care=in_care_on(record, day),
    )


def age_on(born: date, day: date) -> Age | None:
    """The age on a day; none before birth. Who was born on 29 February is a year older on 1 March."""
    months = (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)
    return Age(years=months // 12, months=months % 12) if day >= born else None


def term_of_birth(born: date) -> Term:
    """Autumn for September to December, spring for January to April, summer for May to August.

    Those are the terms of birth that the DfE's tables count.
    """
    if born.month >= 9:
        return Term.AUTUMN
    return Term.SPRING if born.month <= 4 else Term.SUMMER


def terms_completed(entered: date, left_on: date | None, day: date, away: Iterable[Away] = ()) -> int:
    """How many terms a child has completed in this setting by the end of a day.

    A term counts when it has ended by then, the child had come before its end, and was not away at its end.

    Args:
        entered: The date of entry.
        left_on: When the child left, if away.
        day: The day asked about.
        away: The times between leaving and coming back; who comes back in a term completes it.
    """
    until = min(day, left_on or date.max)
    absences = tuple(away)
    return sum(
        entered < point.ends_on <= until
        and not any(each.left_on < point.ends_on <= each.returned_on for each in absences)
        for year in range(academic_year_of(entered), academic_year_of(max(until, entered)) + 1)
        for point in (AssessmentPoint(year, term) for term in TERMS)
    )


def has_additional_language(record: PupilRecord) -> bool | None:
    """Whether English is an additional language: as the school says itself, or else as the language tells."""
    return is_additional_language(record.first_language) if record.eal is None else record.eal
