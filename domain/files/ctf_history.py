"""The parts of a CTF pupil that run over time: eligibility, SEN provision and needs, attendance, schools.

Each function puts what it finds into `values`, by the name of the field of a pupil's record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from xml.etree.ElementTree import Element

import msgspec

from domain.academic_year import academic_year_of
from domain.codes.record_sets import LEAVING_REASON, SEN_TYPE
from domain.codes.sets import SEN_PROVISION
from domain.files import fields
from domain.files.ctf_kept import Keeper, kind_of_text
from domain.files.ctf_places import HERE, meals_key, school_key, sen_key, year_key
from domain.files.rows import RowReader, Seen
from domain.lists_over_time import EARLIEST, FURTHEST_AHEAD
from domain.periods import covering
from domain.pupil_record import (
    AttendanceTotals,
    Period,
    SchoolAttended,
    SenPeriod,
    YearAttended,
)
from domain.text import read_text

ATTENDANCE = "Attendance/YearData"
SCHOOL = "SchoolHistory/School"
LONGEST_NUMBER = 10
"""Characters of a school's number; LA numbers have three and establishment numbers four."""


class Context(msgspec.Struct, kw_only=True):
    """What one file's pupils are read against.

    Attributes:
        academic_year: The year in which the current academic year starts.
        today: The day on which histories are looked at.
        school: LA and establishment number of the school whose dates are wanted.
        written_on: The day on which the file was written, as its header says it.
        dropped: What was not taken, counted by kind.
        seen: The pupils so far.
    """

    academic_year: int
    today: date
    school: tuple[str | None, str | None]
    written_on: str
    dropped: Counter[str]
    seen: Seen


class Pupil(msgspec.Struct):
    """A pupil while it is read.

    Attributes:
        element: The pupil as it stands in the file.
        reader: Its row: what is wrong, and what is to be looked at.
        keeper: Its elements that no field holds.
        values: What it states, by field.
    """

    element: Element
    reader: RowReader
    keeper: Keeper
    values: dict[str, Any]


def text_of(element: Element | None, path: str) -> str:
    """The text of the first element at the path, without the space around it; empty where there is none."""
    return "" if element is None else (element.findtext(path) or "").strip()


def read_meals(pupil: Pupil, context: Context) -> None:
    """Free school meals: whether an instance is open today, and every instance that has a day.

    A history without an instance says that there is no eligibility; such a one has at least the date of the
    review, and where that is the day of the file, it tells no more than the file does.
    """
    history = pupil.element.find("FSMhistory")
    if history is None:
        return
    review = history.find("FSMreviewDate")
    if review is not None and (review.text or "").strip() != context.written_on:
        pupil.keeper.leave(review)
    path = "FSMhistory/FSMinstance"
    periods = []
    for instance in history.iterfind("FSMinstance"):
        start = _began(pupil, instance, path, "FSMstartDate", context)
        end = _ended(pupil, instance, path, "FSMendDate", context)
        _check_order(pupil, path, "FSMendDate", start, end)
        periods.append(Period(start=start, end=end))
        pupil.keeper.tell(instance, meals_key(start))
        country = instance.find("UKcountry")
        if country is not None and (country.text or "").strip() not in {"", "ENG"}:
            pupil.keeper.leave(country)
    pupil.values["free_school_meals"] = covering(periods, context.today) is not None
    if dated := [period for period in periods if period.start or period.end]:
        pupil.values["meals_periods"] = tuple(sorted(dated, key=_in_time))


def read_sen(pupil: Pupil, context: Context) -> None:
    """SEN provision, each until the day before the next begins: over time, and as it is today.

    Of two that begin on one day, or of which no day is known, the later one in the file holds, and the other
    is told of.
    """
    path = "SENhistory/SEN"
    found: dict[date | None, str] = {}
    for entry in pupil.element.iterfind(path):
        start = _began(pupil, entry, path, "StartDate", context)
        stated = text_of(entry, "SENprovision")
        code = (
            pupil.reader.keep(f"{path}/SENprovision", stated, SEN_PROVISION, start or context.today)
            if stated
            else None
        )
        if code is None:
            pupil.keeper.leave(entry)
            continue
        if found.get(start, code) != code:
            since = f"on {start.isoformat()}" if start else "on no known day"
            told = f"not kept: {code} begins {since}, too, and stands later in the file"
            pupil.reader.flag(f"{path}/SENprovision", found[start], told)
        found[start] = code
        pupil.keeper.tell(entry, sen_key(start, code))
    in_order = sorted(found.items(), key=lambda each: each[0] or date.min)
    following = [start for start, _ in in_order[1:]] + [None] * bool(in_order)
    periods = tuple(
        SenPeriod(start=start, end=then - timedelta(days=1) if then else None, provision=code)
        for (start, code), then in zip(in_order, following, strict=True)
    )
    if now := covering(periods, context.today):
        pupil.values["sen_provision"] = now.provision
    if any(period.start for period in periods):
        pupil.values["sen_periods"] = periods
    _read_needs(pupil, context)


def _read_needs(pupil: Pupil, context: Context) -> None:
    path = "SENhistory/SENneeds/SENneed"
    ranked: list[tuple[int, str]] = []
    for need in pupil.element.iterfind(path):
        stated = text_of(need, "SENtype") or (need.text or "").strip()
        code = pupil.reader.keep(path, stated, SEN_TYPE, context.today) if stated else None
        if code is None or code in {known for _, known in ranked}:
            pupil.keeper.leave(need)
            continue
        rank = text_of(need, "SENtypeRank")
        is_rank = rank.isdecimal() and rank.isascii() and len(rank) <= LONGEST_NUMBER
        ranked.append((int(rank) if is_rank else len(ranked) + 1, code))
        pupil.keeper.tell(need, code)
    if ranked:
        # Needs of one rank stay in the order of the file.
        pupil.values["sen_needs"] = tuple(code for _, code in sorted(ranked, key=lambda each: each[0]))


def read_schools(pupil: Pupil, context: Context) -> None:
    """The schools: the latest entry into the one that is asked about is the date of entry.

    All others, and earlier times at that one, are the schools before. Where the latest time there has ended
    the child is not there any more, and no date of entry is told.
    """
    found = [
        (element, _school(pupil, element, context), is_here(element, context))
        for element in pupil.element.iterfind(SCHOOL)
    ]
    here = max(
        (
            (attended.entered_on, place)
            for place, (_, attended, here_then) in enumerate(found)
            if here_then and attended.entered_on and (attended.left_on or date.max) > context.today
        ),
        default=(None, -1),
    )
    before = []
    for place, (element, attended, here_then) in enumerate(found):
        if place == here[1]:
            pupil.values["date_of_entry"] = here[0]
            pupil.keeper.tell(element, HERE)
            for told in element.iterfind("LeavingDate"):  # it lies ahead
                pupil.keeper.leave(told)
        elif attended == SchoolAttended() or (here_then and not (attended.entered_on or attended.left_on)):
            pupil.keeper.leave(element)
        else:
            before.append(attended)
            pupil.keeper.tell(element, school_key(attended))
    if before:
        pupil.values["previous_schools"] = tuple(before)


def _school(pupil: Pupil, element: Element, context: Context) -> SchoolAttended:
    entered = _began(pupil, element, SCHOOL, "EntryDate", context)
    left = _ended(pupil, element, SCHOOL, "LeavingDate", context)
    _check_order(pupil, SCHOOL, "LeavingDate", entered, left)
    reason = text_of(element, "LeavingReason")
    return SchoolAttended(
        name=_school_name(pupil, element, SCHOOL, context),
        local_authority=_number(pupil, element, SCHOOL, "LEA"),
        establishment=_number(pupil, element, SCHOOL, "Estab"),
        entered_on=entered,
        left_on=left,
        leaving_reason=pupil.reader.keep(
            f"{SCHOOL}/LeavingReason", reason, LEAVING_REASON, left or context.today
        )
        if reason
        else None,
    )


def _school_name(pupil: Pupil, element: Element, path: str, context: Context) -> str | None:
    stated = text_of(element, "SchoolName")
    if not stated:
        return None
    if kind := kind_of_text(stated):
        context.dropped[kind] += 1
        return None
    return pupil.reader.read(f"{path}/SchoolName", stated, _read_school_name)


def _read_school_name(text: str) -> str:
    if len(name := read_text(text)) > fields.LONGEST_NAME:
        raise ValueError(f"at most {fields.LONGEST_NAME} characters")
    return name


def _number(pupil: Pupil, element: Element, path: str, name: str) -> str | None:
    stated = text_of(element, name)
    return pupil.reader.read(f"{path}/{name}", stated, _read_number) if stated else None


def _read_number(text: str) -> str:
    if not (text.isascii() and text.isalnum() and len(text) <= LONGEST_NUMBER):
        raise ValueError("the number of an authority, three digits, or of a school in it, four digits")
    return text


def read_attendance(pupil: Pupil, context: Context) -> None:
    """Attendance totals: of the current academic year at the school that is asked about, and all others.

    Where the marks have a start date, it says which year they are of; otherwise `Year` does, as the year in
    which the academic year starts, like `AcademicYear` in the header.
    """
    before: dict[str, YearAttended] = {}
    for element in pupil.element.iterfind(ATTENDANCE):
        year = _year_of(element)
        if year is None or not text_of(element, "SessionsPossible"):
            pupil.keeper.leave(element)
            continue
        counted = _totals(pupil, element)
        if counted is None:
            continue
        possible, authorised, unauthorised = counted
        here = is_here(element, context)
        la, establishment = (
            (None, None) if here else (_number(pupil, element, ATTENDANCE, name) for name in ("LEA", "Estab"))
        )
        key = year_key(year, la, establishment)
        if key in before or (here and year == context.academic_year and "attendance" in pupil.values):
            pupil.keeper.leave(element)
            continue
        pupil.keeper.tell(element, key)
        if here and year == context.academic_year:
            pupil.values["attendance"] = AttendanceTotals(
                academic_year=year, possible=possible, authorised=authorised, unauthorised=unauthorised
            )
        else:
            before[key] = YearAttended(
                academic_year=year,
                possible=possible,
                authorised=authorised,
                unauthorised=unauthorised,
                name=None if here else _school_name(pupil, element, ATTENDANCE, context),
                local_authority=la,
                establishment=establishment,
            )
    if before:
        pupil.values["attendance_before"] = tuple(before.values())


def _totals(pupil: Pupil, element: Element) -> tuple[int, int, int] | None:
    """Possible, authorised and unauthorised sessions, if they add up."""
    names = ("SessionsPossible", "SessionsAuthorised", "SessionsUnauthorised")
    possible, authorised, unauthorised = (
        pupil.reader.read(f"{ATTENDANCE}/{name}", text_of(element, name), fields.read_count) for name in names
    )
    if possible is None or authorised is None or unauthorised is None:
        return None
    missed = authorised + unauthorised
    path = f"{ATTENDANCE}/SessionsPossible"
    if missed > possible:
        pupil.reader.wrong(
            path, str(possible), f"at least as many sessions as were missed, which is {missed}"
        )
        return None
    if stated := text_of(element, "SessionsAttended"):
        attended = pupil.reader.read(f"{ATTENDANCE}/SessionsAttended", stated, fields.read_count)
        if attended is not None and attended + missed != possible:
            sums = f"{attended} + {authorised} + {unauthorised} = {attended + missed}"
            pupil.reader.wrong(
                path, str(possible), f"the sessions attended, authorised and unauthorised together: {sums}"
            )
            return None
    return possible, authorised, unauthorised


def _year_of(element: Element) -> int | None:
    stated = text_of(element, "AttendSessions/AttendanceStartDate")
    try:
        year = academic_year_of(fields.read_year_first(stated)) if stated else int(text_of(element, "Year"))
    except ValueError:
        return None
    return year if EARLIEST.year <= year <= EARLIEST.year + 200 else None


def is_here(element: Element, context: Context) -> bool:
    """Whether the element is about the school that is asked about; one that names no school is."""
    stated = (text_of(element, "LEA"), text_of(element, "Estab"))
    return stated == context.school or not any((*stated, text_of(element, "SchoolName")))


def _in_time(period: Period) -> tuple[date, date]:
    return period.start or date.min, period.end or date.max


def _check_order(pupil: Pupil, path: str, name: str, start: date | None, end: date | None) -> None:
    if start and end and end < start:
        pupil.reader.wrong(f"{path}/{name}", end.isoformat(), f"a day that is not before {start.isoformat()}")


def _began(pupil: Pupil, element: Element, path: str, name: str, context: Context) -> date | None:
    """A day on which something began: from 1990 on, and not in the future."""
    return _date(pupil, element, path, name, lambda text: fields.read_past(text, context.today))


def _ended(pupil: Pupil, element: Element, path: str, name: str, context: Context) -> date | None:
    """A day on which something ends, which may be known beforehand."""
    latest = context.today.replace(context.today.year + FURTHEST_AHEAD, day=1)
    return _date(pupil, element, path, name, lambda text: fields.read_between(text, EARLIEST, latest))


def _date(pupil: Pupil, element: Element, path: str, name: str, read: Callable[[str], date]) -> date | None:
    stated = text_of(element, name)
    return pupil.reader.read(f"{path}/{name}", stated, read) if stated else None
