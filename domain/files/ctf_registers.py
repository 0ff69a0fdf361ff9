"""The marks of a register in a Common Transfer File: `AttendSessions` of a year, one character for a session.

`AttendanceMarks` begins with the morning of `AttendanceStartDate`; two characters are a day. Source: the
export of a school's system (Aspen), which is public. It does not say whether Saturdays and Sundays have
characters of their own, so the marks themselves do: where no child is marked at a weekend, they have.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from xml.etree.ElementTree import Element

from domain.attendance import WITHDRAWN, Session
from domain.codes.attendance import code_on
from domain.files import fields
from domain.files.ctf_history import ATTENDANCE, LONGEST_NUMBER, Context, Pupil, is_here, text_of
from domain.files.packed_marks import NO_MARKS, NOTHING, PackedMarks

PATH = f"{ATTENDANCE}/AttendSessions"

MOST_MARKS = 2 * 366
"""Characters: a year, with its weekends."""

_NOT_OPEN = "#"
"""The code of a day on which the school is closed to pupils."""

_SATURDAY, _SUNDAY = 5, 6


def read_registers(pupil: Pupil, context: Context) -> PackedMarks:
    """The marks of the child at the school that is asked about, as they were supplied.

    A hyphen or a space marks nothing. A mark that no list has on its day is kept and flagged. Where the year
    has totals and the marks come to others, they are not the whole of it: then the totals stand. The element
    itself is kept as it came in any case, and so are the marks of other schools.
    """
    parts: list[PackedMarks] = []
    for element in pupil.element.iterfind(ATTENDANCE):
        if is_here(element, context):
            for sessions in element.iterfind("AttendSessions"):
                found = _read(pupil, sessions, context)
                if _agree(pupil, found, text_of(element, "SessionsPossible")):
                    parts.append(found)
    if len(parts) > 1:
        return PackedMarks.of({session: mark for part in parts for session, mark in part.items()})
    return parts[0] if parts else NO_MARKS


def _read(pupil: Pupil, sessions: Element, context: Context) -> PackedMarks:
    reader = pupil.reader
    text = (sessions.findtext("AttendanceMarks") or "").strip("\t\r\n").rstrip()
    stated = text_of(sessions, "AttendanceStartDate")
    if not text or not stated:
        return NO_MARKS  # of which days they are, nobody can say
    start = reader.read(
        f"{PATH}/AttendanceStartDate", stated, lambda day: fields.read_past(day, context.today)
    )
    if start is None:
        return NO_MARKS
    if len(text) > MOST_MARKS or not text.isprintable():
        accepted = f"one character for each session, of at most a year: {MOST_MARKS}"
        reader.wrong(f"{PATH}/AttendanceMarks", f"{len(text):,} characters", accepted)
        return NO_MARKS
    every_day = _placed(text, start, weekends=True)
    at_weekends = every_day.of_weekdays(_SATURDAY) | every_day.of_weekdays(_SUNDAY)
    marks = every_day if at_weekends <= {_NOT_OPEN} else _placed(text, start, weekends=False)
    for session, mark in marks.items():
        if session.day > context.today:
            if mark != _NOT_OPEN:
                accepted = f"no mark of a day after {context.today.isoformat()}"
                reader.wrong(f"{PATH}/AttendanceMarks", f"{mark} on {session.day.isoformat()}", accepted)
                return NO_MARKS
        elif code_on(mark, session.day) is None:
            told = f"not in the list of codes on {session.day.isoformat()}; kept, and counted as nothing"
            reader.flag(f"{PATH}/AttendanceMarks", mark, told)
    return marks.until(context.today)


def _agree(pupil: Pupil, marks: Mapping[Session, str], stated: str) -> bool:
    """Whether marks can come to the possible sessions of the year's totals, where those are stated."""
    if not marks or not (stated.isascii() and stated.isdecimal() and len(stated) <= LONGEST_NUMBER):
        return bool(marks)
    codes = [code_on(mark, session.day) for session, mark in marks.items()]
    counted = sum(code.possible for code in codes if code)
    if counted <= int(stated) <= counted + codes.count(None):
        return True
    found = f"marks of {counted} possible sessions"
    told = f"not counted: SessionsPossible says {stated}, and the totals stand"
    pupil.reader.flag(f"{PATH}/AttendanceMarks", found, told)
    return False


def _placed(text: str, start: date, *, weekends: bool) -> PackedMarks:
    """The marks by session, where weekends have characters of their own, or have none."""
    text = text.replace(WITHDRAWN, NOTHING)
    if weekends:
        return PackedMarks(start, text)
    days = []
    weekday = start.weekday()
    for number in range(0, len(text), 2):
        while weekday % 7 >= _SATURDAY:
            days.append(2 * NOTHING)
            weekday += 1
        days.append(text[number : number + 2])
        weekday += 1
    return PackedMarks(start, "".join(days))
