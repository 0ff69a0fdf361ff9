"""The parts of a CTF pupil that run over time: what holds of them today, or in this academic year.

Each function puts what it finds into `values`, by the name of the field of a pupil's record.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element

import msgspec

from domain.academic_year import academic_year_of
from domain.codes.sets import SEN_PROVISION
from domain.files import fields
from domain.files.rows import RowReader, Seen
from domain.pupil import AttendanceTotals

ATTENDANCE = "Attendance/YearData"


class Context(msgspec.Struct, kw_only=True):
    """What one file's pupils are read against.

    Attributes:
        academic_year: The year in which the current academic year starts.
        today: The day on which histories are looked at.
        school: LA and establishment number of the school whose dates are wanted.
        dropped: What was not taken, counted by kind.
        seen: The pupils so far.
    """

    academic_year: int
    today: date
    school: tuple[str | None, str | None]
    dropped: Counter[str]
    seen: Seen


def text_of(element: Element | None, path: str) -> str:
    """The text of the first element at the path, without the space around it; empty where there is none."""
    return "" if element is None else (element.findtext(path) or "").strip()


def read_meals(pupil: Element, reader: RowReader, values: dict[str, Any], today: date) -> None:
    """Free school meals: whether an instance is open today. A history without one says no."""
    history = pupil.find("FSMhistory")
    if history is None:
        return
    path = "FSMhistory/FSMinstance"
    values["free_school_meals"] = False
    for instance in history.findall("FSMinstance"):
        start = _date(instance, path, "FSMstartDate", reader) or date.min
        end = _date(instance, path, "FSMendDate", reader) or date.max
        if start <= today <= end:
            values["free_school_meals"] = True


def read_sen(pupil: Element, reader: RowReader, values: dict[str, Any], today: date) -> None:
    """SEN provision: the one that began last, of those that had begun by today."""
    path = "SENhistory/SEN"
    latest, provision = date.min, ""
    for entry in pupil.findall(path):
        start = _date(entry, path, "StartDate", reader) or date.min
        if latest <= start <= today and (stated := text_of(entry, "SENprovision")):
            latest, provision = start, stated
    if provision:
        values["sen_provision"] = reader.read(f"{path}/SENprovision", provision, SEN_PROVISION.find)


def read_entry(pupil: Element, reader: RowReader, values: dict[str, Any], context: Context) -> None:
    """Date of entry: the latest into the school that is asked about."""
    path = "SchoolHistory/School"
    latest = None
    for school in pupil.findall(path):
        stated = text_of(school, "EntryDate")
        if not stated or not _is_here(school, context):
            context.dropped[path] += 1
            continue
        entry = reader.read(
            f"{path}/EntryDate", stated, fields.not_after(context.today, fields.read_year_first)
        )
        if entry and (latest is None or entry > latest):
            latest = entry
    if latest:
        values["date_of_entry"] = latest


def read_attendance(pupil: Element, reader: RowReader, values: dict[str, Any], context: Context) -> None:
    """Attendance totals of the current academic year at the school that is asked about.

    Where the marks have a start date, it says which year they are of; otherwise `Year` does, as the year in
    which the academic year starts, like `AcademicYear` in the header.
    """
    for year in pupil.findall(ATTENDANCE):
        context.dropped[f"{ATTENDANCE}/AttendSessions"] += len(year.findall("AttendSessions"))
        ours = _year_of(year) == context.academic_year and _is_here(year, context)
        if not ours or "attendance" in values or not text_of(year, "SessionsPossible"):
            context.dropped["attendance of other years and schools"] += 1
            continue
        possible, authorised, unauthorised = (
            reader.read(f"{ATTENDANCE}/{name}", text_of(year, name), fields.read_count)
            for name in ("SessionsPossible", "SessionsAuthorised", "SessionsUnauthorised")
        )
        if possible is None or authorised is None or unauthorised is None:
            continue
        if (missed := authorised + unauthorised) > possible:
            accepted = f"at least as many sessions as were missed, which is {missed}"
            reader.wrong(f"{ATTENDANCE}/SessionsPossible", str(possible), accepted)
        values["attendance"] = AttendanceTotals(
            academic_year=context.academic_year,
            possible=possible,
            authorised=authorised,
            unauthorised=unauthorised,
        )


def _year_of(year: Element) -> int | None:
    try:
        return academic_year_of(fields.read_year_first(text_of(year, "AttendSessions/AttendanceStartDate")))
    except ValueError:
        stated = text_of(year, "Year")
        return int(stated) if stated.isdecimal() else None


def _is_here(element: Element, context: Context) -> bool:
    """Whether the element is about the school that is asked about; one that names no school is."""
    stated = (text_of(element, "LEA"), text_of(element, "Estab"))
    return stated == ("", "") or stated == context.school


def _date(element: Element, path: str, name: str, reader: RowReader) -> date | None:
    stated = text_of(element, name)
    return reader.read(f"{path}/{name}", stated, fields.read_year_first) if stated else None
