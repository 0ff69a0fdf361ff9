"""Counting attendance: possible = attended + authorised + unauthorised, whatever the marks are.

What a mark counts towards is the code list's to say, for its day; a mark that no list has counts towards
nothing, and is told of. Where a period has both marks and totals, there is one rule:

    Totals count if their whole period is asked about and no session of it has a mark; otherwise they are set
    aside, and the answer says so.

The totals of a whole academic year that came with a child's particulars count if that whole year is asked
about and nothing else is known of it: neither a mark nor other totals.

A child is persistently absent who misses 10 % or more of the possible sessions, and severely absent who
misses 50 % or more, as DfE's *Pupil absence in schools in England: methodology* defines them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum

import msgspec

from domain.academic_year import academic_year_of
from domain.attendance import Session, Totals, year_bounds
from domain.codes.attendance import LATE, LATE_AFTER_CLOSING, code_on
from domain.pupil import AttendanceTotals

PERSISTENT_PERCENT = 10
SEVERE_PERCENT = 50


class Source(StrEnum):
    """What a summary was counted from."""

    MARKS = "marks"
    TOTALS = "totals"
    BOTH = "marks and totals"
    NOTHING = "nothing"


class Why(StrEnum):
    """Why totals were set aside."""

    MARKS = "there are marks in their period"
    PARTLY = "only a part of their period is asked about"


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """The period of totals that were counted.

    Attributes:
        first_day: Its first day.
        last_day: Its last day.
        of_record: They came with the child's particulars, as totals of the year so far.
    """

    first_day: date = msgspec.field(name="from")
    last_day: date = msgspec.field(name="to")
    of_record: bool = False


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """Totals that were not counted, and why."""

    first_day: date = msgspec.field(name="from")
    last_day: date = msgspec.field(name="to")
    why: Why


class AttendanceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions of a period, counted.

    Attributes:
        first_day: The first day of the period.
        last_day: Its last day.
        source: `marks`, `totals`, `marks and totals`, or `nothing`.
        possible: Sessions that the child could have attended: the sum of the next three.
        attended: Those attended.
        authorised: Those missed with leave.
        unauthorised: Those missed without.
        not_possible: Marked sessions that are not among the possible ones: D, Q, X, Y1 to Y7.
        late: Of those attended, those that the child came late to (L); from marks alone.
        late_after_closing: Of those missed without leave, those to which the child came after the register
            had closed (U); from marks alone.
        percent_attended: Of the possible ones, to one decimal; null, if there are none.
        percent_missed: Likewise.
        persistently_absent: 10 % or more of the possible sessions were missed.
        severely_absent: 50 % or more were.
        by_code: How many marks there are of each code.
        unknown: How many of those no list has on their day; they count towards nothing.
        totals: The totals that were counted.
        set_aside: Those that were not.
    """

    first_day: date = msgspec.field(name="from")
    last_day: date = msgspec.field(name="to")
    source: Source
    possible: int
    attended: int
    authorised: int
    unauthorised: int
    not_possible: int
    late: int
    late_after_closing: int
    percent_attended: float | None
    percent_missed: float | None
    persistently_absent: bool
    severely_absent: bool
    by_code: dict[str, int]
    unknown: dict[str, int]
    totals: list[Period]
    set_aside: list[SetAside]


class _Counts:
    """The four numbers, and what is not among them."""

    def __init__(self) -> None:
        self.possible = self.attended = self.authorised = self.unauthorised = self.not_possible = 0
        self.by_code: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()

    def mark(self, mark: str, day: date) -> None:
        code = code_on(mark, day)
        self.by_code[mark] += 1
        if code is None:
            self.unknown[mark] += 1
            return
        self.possible += code.possible
        self.attended += code.attended
        self.authorised += code.authorised
        self.unauthorised += code.unauthorised
        self.not_possible += code.classification == "not_possible"

    def add(self, possible: int, attended: int, authorised: int, unauthorised: int) -> None:
        self.possible += possible
        self.attended += attended
        self.authorised += authorised
        self.unauthorised += unauthorised


def summarise(
    first_day: date,
    last_day: date,
    marks: Mapping[Session, str],
    totals: Iterable[Totals],
    of_record: Mapping[int, AttendanceTotals],
) -> AttendanceSummary:
    """Counts a pupil's attendance in a period, both days included.

    Args:
        first_day: The first day.
        last_day: The last day.
        marks: The pupil's marks, of all of every academic year that the period touches.
        totals: The pupil's totals, likewise.
        of_record: Totals of whole academic years that came with the pupil's particulars, by the year in
            which the academic year starts.
    """
    counts = _Counts()
    totals = sorted(totals, key=lambda each: each.first_day)
    inside = {session: mark for session, mark in marks.items() if first_day <= session.day <= last_day}
    for session, mark in inside.items():
        counts.mark(mark, session.day)
    used, aside = [], []
    for each in totals:
        if each.last_day < first_day or last_day < each.first_day:
            continue
        if not (first_day <= each.first_day and each.last_day <= last_day):
            why = Why.PARTLY
        elif any(each.first_day <= session.day <= each.last_day for session in inside):
            why = Why.MARKS
        else:
            counts.add(each.possible, each.attended, each.authorised, each.unauthorised)
            used.append(Period(first_day=each.first_day, last_day=each.last_day))
            continue
        aside.append(SetAside(first_day=each.first_day, last_day=each.last_day, why=why))
    known = {academic_year_of(session.day) for session in marks}
    known |= {academic_year_of(each.first_day) for each in totals}
    for year, whole in sorted(of_record.items()):
        first, last = year_bounds(year)
        if year not in known and first_day <= first and last <= last_day:
            attended = whole.possible - whole.authorised - whole.unauthorised
            counts.add(whole.possible, attended, whole.authorised, whole.unauthorised)
            used.append(Period(first_day=first, last_day=last, of_record=True))
    missed = counts.authorised + counts.unauthorised
    return AttendanceSummary(
        first_day=first_day,
        last_day=last_day,
        source=_source(bool(inside), bool(used)),
        possible=counts.possible,
        attended=counts.attended,
        authorised=counts.authorised,
        unauthorised=counts.unauthorised,
        not_possible=counts.not_possible,
        late=counts.by_code[LATE] - counts.unknown[LATE],
        late_after_closing=counts.by_code[LATE_AFTER_CLOSING] - counts.unknown[LATE_AFTER_CLOSING],
        percent_attended=percent(counts.attended, counts.possible),
        percent_missed=percent(missed, counts.possible),
        persistently_absent=has_missed(PERSISTENT_PERCENT, missed, counts.possible),
        severely_absent=has_missed(SEVERE_PERCENT, missed, counts.possible),
        by_code=dict(sorted(counts.by_code.items())),
        unknown=dict(sorted(counts.unknown.items())),
        totals=used,
        set_aside=aside,
    )


def _source(marks: bool, totals: bool) -> Source:
    if marks and totals:
        return Source.BOTH
    if marks:
        return Source.MARKS
    return Source.TOTALS if totals else Source.NOTHING


def has_missed(percentage: int, missed: int, possible: int) -> bool:
    """Whether that many per cent of the possible sessions or more were missed; never, if there are none."""
    return possible > 0 and 100 * missed >= percentage * possible


def percent(part: int, whole: int) -> float | None:
    """A share in per cent, to one decimal, halves up; `None` of nothing."""
    return (2000 * part // whole + 1) // 2 / 10 if whole else None
