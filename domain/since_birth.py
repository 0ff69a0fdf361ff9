"""Nothing that is recorded of a child is dated before the child was born.

No message here repeats the date of birth, which says who a child is: what is accepted is told without it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from datetime import date
from typing import NamedTuple

from domain.academic_year import When, WholeYear, when
from domain.assessment import Result
from domain.errors import Finding
from domain.events import is_sealed
from domain.pupil_record import PupilNames, PupilRecord

ACCEPTED = "a day from the child's birth on"

ACCEPTED_TIME = "a term or year that ends on a day from the child's birth on"

PERIODS = ("meals_periods", "premium_periods", "sen_periods", "care_periods")


class Dated(NamedTuple):
    """Something that is recorded of a child, and its day.

    Attributes:
        field: What the sender calls it: a field of a pupil, or of what is recorded beside the pupil.
        day: The day; of a term or a year, the last one.
        part: The part of an entry, where the field is a list.
        number: Which entry it is, from 0.
        label: How a term or year is written; empty for a day.
    """

    field: str
    day: date
    part: str = ""
    number: int | None = None
    label: str = ""

    @property
    def path(self) -> str:
        """Where it stands in what was sent: `sen_periods.0.start`."""
        return ".".join(str(part) for part in (self.field, self.number, self.part) if part not in {None, ""})

    @property
    def place(self) -> str:
        """The same without the number of the entry."""
        return ".".join(filter(None, (self.field, self.part)))

    @property
    def what(self) -> tuple[str, date]:
        """The same without its number: entries move when others come."""
        return self.place, self.day


def birth_of(names: PupilNames) -> date:
    """The date of birth; the beginning of time, for those who may not know it."""
    return date.min if is_sealed(names) else names.date_of_birth


def dated_particulars(names: PupilNames, record: PupilRecord) -> Iterator[Dated]:
    """Every day in a pupil's particulars."""
    yield Dated("date_of_entry", record.date_of_entry)
    for field in PERIODS:
        for number, period in enumerate(getattr(record, field)):
            for part, day in (("start", period.start), ("end", period.end)):
                if day:
                    yield Dated(field, day, part, number)
    for number, school in enumerate(names.previous_schools):
        for part, day in (("entered_on", school.entered_on), ("left_on", school.left_on)):
            if day:
                yield Dated("previous_schools", day, part, number)
    if record.attendance:
        year = WholeYear(record.attendance.academic_year)
        yield Dated("attendance", year.ends_on, "academic_year", label=year.label)
    for number, attended in enumerate(names.attendance_before):
        year = WholeYear(attended.academic_year)
        yield Dated("attendance_before", year.ends_on, "academic_year", number, year.label)


def dated_time(at: When, assessed_on: date | None = None) -> Iterator[Dated]:
    """The days of a result or target: of its assessment point or year, and the one on which it was judged."""
    yield Dated("academic_year" if at.term is None else "term", at.ends_on, label=at.label)
    if assessed_on:
        yield Dated("assessed_on", assessed_on)


def dated_results(results: Iterable[Result]) -> Iterator[Dated]:
    """The days of results."""
    for result in results:
        yield from dated_time(when(result.academic_year, result.term), result.assessed_on)


def new_in(
    after: tuple[PupilNames, PupilRecord], before: tuple[PupilNames, PupilRecord] | None
) -> list[Dated]:
    """What particulars say now and did not say before: what was recorded stays, whatever is to be said of it.

    Args:
        after: The particulars as they are to be.
        before: As they are recorded; none, for a new pupil.
    """
    known: Container[tuple[str, date]] = {each.what for each in dated_particulars(*before)} if before else ()
    return [each for each in dated_particulars(*after) if each.what not in known]


def findings_before(born: date, dated: Iterable[Dated]) -> list[Finding]:
    """A finding for each of these that lies before the birth."""
    return [
        Finding(
            field=each.path,
            found=each.label or each.day.isoformat(),
            accepted=ACCEPTED_TIME if each.label else ACCEPTED,
        )
        for each in dated
        if each.day < born
    ]


def findings_of_a_later_birth(before: date, born: date, recorded: Iterable[Dated]) -> list[Finding]:
    """What is wrong with correcting a date of birth to a day after what is recorded.

    What lies before the birth as it was recorded is no reason to refuse another one.

    Args:
        before: The date of birth as it was.
        born: As it is to be.
        recorded: What there is.
    """
    between = [each for each in recorded if before <= each.day < born]
    if not between:
        return []
    first = min(between, key=lambda each: each.day)
    return [
        Finding(
            field="date_of_birth",
            found=f"a day after {first.label or first.day.isoformat()} ({first.place})"[:60],
            accepted=f"a day up to {first.day.isoformat()}, of which something is recorded",
        )
    ]
