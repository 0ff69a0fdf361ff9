"""Attendance: the marks of a register, session by session, and totals of periods; only ever added to.

A pupil's attendance is a log, not part of the pupil: marking a register replays nothing. A later mark of a
session takes the place of an earlier one, a withdrawn mark is a later one, and all of them stay in the log,
with who entered them and why. How sessions are counted stands in `domain/attendance_summary.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import ClassVar, NamedTuple
from uuid import UUID

import msgspec

from domain.academic_year import FIRST_MONTH, academic_year_label, academic_year_of
from domain.codes.attendance import Half
from domain.errors import Conflict, Finding, InvalidInput
from domain.events import Event, Names, Open, Record, event

WITHDRAWN = "-"
"""Stands in a run for a session whose mark was wrong, and which has none from now on."""

UNSAID = ""
"""Stands in a run for a session of which it says nothing: what is there stays."""

LONGEST_GAP = 28
"""Sessions without a mark over which one run goes on; past them the next one begins. Two weeks."""

LONGEST_MARK = 4
"""Characters that a mark may have: those of today have one or two, and an unknown one is kept."""

EARLIEST_DAY = date(1990, 1, 1)
"""No register of a pupil of today is older."""


class Session(NamedTuple):
    """Half a school day: what a register is taken of.

    Attributes:
        day: The day.
        half: Morning or afternoon.
    """

    day: date
    half: Half


class Run(NamedTuple):
    """Marks of sessions one after the other, as events hold them.

    Attributes:
        first_day: The day of the first two.
        marks: Two to a day, of every day of the calendar, morning first; :data:`UNSAID` and
            :data:`WITHDRAWN` among them.
    """

    first_day: date
    marks: tuple[str, ...]


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions (half days) of a period: `possible` is the sum of the other three.

    Attributes:
        first_day: The first day of the period.
        last_day: Its last day, in the same academic year.
        possible: Sessions that the child could have attended.
        attended: Those attended.
        authorised: Those missed with leave.
        unauthorised: Those missed without.
    """

    first_day: date
    last_day: date
    possible: int
    attended: int
    authorised: int
    unauthorised: int

    def overlaps(self, other: Totals) -> bool:
        """Whether some day lies in both periods."""
        return self.first_day <= other.last_day and other.first_day <= self.last_day

    def holds(self, other: Totals) -> bool:
        """Whether the other period lies wholly in this one."""
        return self.first_day <= other.first_day and other.last_day <= self.last_day


@event("attendance.marked")
class AttendanceMarked(Event, frozen=True, kw_only=True):
    """Sessions were marked, or marks withdrawn: a :class:`Run`, from the morning of its first day on.

    `reason` says why what stood there was wrong: a register keeps the first entry, the amended one and the
    reason (the School Attendance (Pupil Registration) (England) Regulations 2024).
    """

    subject_field: ClassVar[str] = "pupil_id"

    pupil_id: Open[UUID]
    first_day: Record[date]
    marks: Record[tuple[str, ...]]
    reason: Names[str | None] = None


@event("attendance.totalled")
class AttendanceTotalled(Event, frozen=True, kw_only=True):
    """Totals of a period were entered, or came in a file; earlier ones of any of its days are replaced."""

    subject_field: ClassVar[str] = "pupil_id"

    pupil_id: Open[UUID]
    totals: Record[Totals]
    reason: Names[str | None] = None


@event("attendance.totals-voided")
class AttendanceTotalsVoided(Event, frozen=True, kw_only=True):
    """The totals of exactly this period were wrong, and there are none from now on."""

    subject_field: ClassVar[str] = "pupil_id"

    pupil_id: Open[UUID]
    first_day: Record[date]
    last_day: Record[date]
    reason: Names[str | None] = None


class Attendance(msgspec.Struct, kw_only=True):
    """A pupil's attendance as the events so far describe it.

    Attributes:
        marks: The mark of each session that has one.
        totals: Those that stand, by the first day of their period; no two have a day in common.
    """

    marks: dict[Session, str] = msgspec.field(default_factory=dict)
    totals: dict[date, Totals] = msgspec.field(default_factory=dict)


def fold(events: Iterable[Event]) -> Attendance:
    """A pupil's attendance after these events."""
    attendance = Attendance()
    for happened in events:
        match happened:
            case AttendanceMarked():
                for session, mark in sessions_of(Run(happened.first_day, happened.marks)):
                    if mark == WITHDRAWN:
                        attendance.marks.pop(session, None)
                    else:
                        attendance.marks[session] = mark
            case AttendanceTotalled():
                new = happened.totals
                kept = {day: there for day, there in attendance.totals.items() if not there.overlaps(new)}
                attendance.totals = kept | {new.first_day: new}
            case AttendanceTotalsVoided():
                there = attendance.totals.get(happened.first_day)
                if there and there.last_day == happened.last_day:
                    del attendance.totals[happened.first_day]
            case _:
                raise Conflict(f"{happened.name} is not an event of attendance")
    return attendance


def sessions_of(run: Run) -> Iterator[tuple[Session, str]]:
    """The sessions that a run says something of, with what it says."""
    for number, mark in enumerate(run.marks):
        if mark != UNSAID:
            day = run.first_day + timedelta(days=number // 2)
            yield Session(day, Half.PM if number % 2 else Half.AM), mark


def runs_of(marks: Mapping[Session, str]) -> Iterator[Run]:
    """The runs that say this of these sessions: a new one after a gap of two weeks, and otherwise one.

    Args:
        marks: Codes as supplied, or :data:`WITHDRAWN`.

    Raises:
        ValueError: A mark has no character, a space, or more than :data:`LONGEST_MARK`.
    """
    if any(not 1 <= len(mark) <= LONGEST_MARK or not mark.isprintable() or " " in mark
           for mark in marks.values()):  # fmt: skip
        raise ValueError(f"a mark has 1 to {LONGEST_MARK} characters, and no space")
    first_day, run = None, list[str]()
    for session, mark in sorted(marks.items()):
        if first_day is not None:
            place = _place(first_day, session)
            if place - len(run) > LONGEST_GAP:
                yield Run(first_day, tuple(run))
                first_day, run = None, []
        if first_day is None:
            first_day = session.day
        place = _place(first_day, session)
        run += [UNSAID] * (place - len(run))
        run.append(mark)
    if first_day is not None:
        yield Run(first_day, tuple(run))


def _place(first_day: date, session: Session) -> int:
    return 2 * (session.day - first_day).days + (session.half is Half.PM)


def year_bounds(academic_year: int) -> tuple[date, date]:
    """The first and the last day of an academic year, by the year in which it starts."""
    return date(academic_year, FIRST_MONTH, 1), date(academic_year + 1, FIRST_MONTH, 1) - timedelta(days=1)


def checked_totals(totals: Totals, today: date) -> Totals:
    """The totals, if they can be right.

    Raises:
        InvalidInput: They do not add up, are more than the period has sessions, or the period is none within
            one academic year, reaches into the future, or lies too far back; with a finding for each.
    """
    findings = [*_period_findings(totals.first_day, totals.last_day, today)]
    parts = {name: getattr(totals, name) for name in ("attended", "authorised", "unauthorised")}
    numbers = {"possible": totals.possible} | parts
    findings += [
        Finding(field=name, found=str(number)[:60], accepted="a number of sessions: 0 or more")
        for name, number in numbers.items()
        if number < 0
    ]
    if not findings:
        total = sum(parts.values())
        most = 2 * ((totals.last_day - totals.first_day).days + 1)
        if totals.possible != total:
            found = ", ".join(f"{name} {number}" for name, number in numbers.items())
            sums = " + ".join(map(str, parts.values()))
            accepted = f"possible = attended + authorised + unauthorised, here {sums} = {total}"
            findings.append(Finding(field="possible", found=found, accepted=accepted))
        elif totals.possible > most:
            accepted = f"at most {most}: two sessions for each day of the period"
            findings.append(Finding(field="possible", found=str(totals.possible)[:60], accepted=accepted))
    if findings:
        raise InvalidInput("These totals of attendance cannot be kept", findings)
    return totals


def _period_findings(first_day: date, last_day: date, today: date) -> Iterator[Finding]:
    if not EARLIEST_DAY <= first_day <= today:
        accepted = f"a day from {EARLIEST_DAY.isoformat()} to today"
        yield Finding(field="from", found=first_day.isoformat(), accepted=accepted)
        return
    year = academic_year_of(first_day)
    last = min(year_bounds(year)[1], today)
    if not first_day <= last_day <= last:
        accepted = f"a day from {first_day.isoformat()} to {last.isoformat()}, in {academic_year_label(year)}"
        yield Finding(field="to", found=last_day.isoformat(), accepted=accepted)
