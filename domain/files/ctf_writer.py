"""Writes a Common Transfer File as DfE's own services do: `Sex`, not `Gender`, and no empty elements."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import msgspec

from domain.assessment import STATUTORY, Result
from domain.errors import InvalidInput
from domain.pupil import AttendanceTotals, PupilNames, PupilRecord

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class CtfSchool(msgspec.Struct, frozen=True, kw_only=True):
    """The school that a CTF comes from.

    Attributes:
        la: The number of the local authority, three digits.
        establishment: The number of the school within it, four digits.
        urn: The Unique Reference Number.
        name: The school's name.
    """

    la: str
    establishment: str
    urn: str
    name: str


class CtfPupil(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil to be written.

    Attributes:
        names: Who the child is.
        record: Everything else.
        results: Statutory results; a CTF has no place for judgements on other scales.
    """

    names: PupilNames
    record: PupilRecord
    results: tuple[Result, ...] = ()


def write_ctf(
    school: CtfSchool, academic_year: int, pupils: Iterable[CtfPupil], written_at: datetime
) -> bytes:
    """The Common Transfer File of these pupils.

    A CTF gives free school meals and SEN provision a start date; the record holds only what is so now, and
    the day of writing is put there. It has no place for class names and gifts, for more than the latest
    former UPN, and for the term or NC year of a result: these stay behind.

    Args:
        school: The school that the pupils are at.
        academic_year: The year in which the academic year starts; it gives the version, `26.0` for 2026/27.
        pupils: The pupils.
        written_at: The time of writing.

    Raises:
        InvalidInput: A result is on another scale, or a text holds a character that XML cannot carry.
    """
    root = Element("CTfile")
    _header(root, school, academic_year, written_at)
    data = SubElement(root, "CTFpupilData")
    for pupil in pupils:
        _pupil(data, pupil, school, written_at.date())
    indent(root, space="")
    body: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + body


def _header(root: Element, school: CtfSchool, academic_year: int, written_at: datetime) -> None:
    header = SubElement(root, "Header")
    _add(header, "DocumentName", "Common Transfer File")
    _add(header, "CTFversion", f"{academic_year % 100:02d}.0")
    _add(header, "DateTime", written_at.strftime("%Y-%m-%dT%H:%M:%S"))
    _add(header, "DocumentQualifier", "full")
    _add(header, "SupplierID", "Target Tracker")
    source = SubElement(header, "SourceSchool")
    _add(source, "LEA", school.la)
    _add(source, "Estab", school.establishment)
    _add(source, "URN", school.urn)
    _add(source, "SchoolName", school.name)
    _add(source, "AcademicYear", str(academic_year))


def _pupil(data: Element, pupil: CtfPupil, school: CtfSchool, day: date) -> None:
    names, record = pupil.names, pupil.record
    element = SubElement(data, "Pupil")
    _add(element, "UPN", names.upn)
    _add(element, "Surname", names.surname)
    _add(element, "Forename", names.forename)
    _add(element, "DOB", names.date_of_birth.isoformat())
    _add(element, "Sex", record.sex)
    former = names.former_upns[-1] if names.former_upns else None
    if former or record.nc_year or record.ethnicity or record.first_language:
        details = SubElement(element, "BasicDetails")
        _add(details, "FormerUPN", former)
        _add(details, "NCyearActual", record.nc_year)
        _add(details, "Ethnicity", record.ethnicity)
        if record.first_language:
            _add(SubElement(details, "Languages"), "Type", record.first_language)
    if record.free_school_meals is not None:
        meals = SubElement(element, "FSMhistory")
        _add(meals, "FSMreviewDate", day.isoformat())
        if record.free_school_meals:
            instance = SubElement(meals, "FSMinstance")
            _add(instance, "FSMstartDate", day.isoformat())
            _add(instance, "UKcountry", "ENG")
    if record.in_care is not None:
        _add(SubElement(element, "LookedAfter"), "InCare", "true" if record.in_care else "false")
    if record.sen_provision:
        provision = SubElement(SubElement(element, "SENhistory"), "SEN")
        _add(provision, "StartDate", day.isoformat())
        _add(provision, "SENprovision", record.sen_provision)
    if names.postcode:
        _add(SubElement(element, "Address"), "PostCode", names.postcode)
    if record.attendance:
        _attendance(element, record.attendance, school)
    if pupil.results:
        _results(element, pupil.results)
    history = SubElement(SubElement(element, "SchoolHistory"), "School")
    _school(history, school)
    _add(history, "EntryDate", record.date_of_entry.isoformat())


def _attendance(element: Element, totals: AttendanceTotals, school: CtfSchool) -> None:
    year = SubElement(SubElement(element, "Attendance"), "YearData")
    _add(year, "Year", str(totals.academic_year))
    _school(year, school)
    attended = totals.possible - totals.authorised - totals.unauthorised
    _add(year, "SessionsPossible", str(totals.possible))
    _add(year, "SessionsAttended", str(attended))
    _add(year, "SessionsAuthorised", str(totals.authorised))
    _add(year, "SessionsUnauthorised", str(totals.unauthorised))


def _results(element: Element, results: Iterable[Result]) -> None:
    assessments = SubElement(element, "StageAssessments")
    for stage, of_stage in groupby(results, key=lambda result: result.stage):
        key_stage = SubElement(assessments, "KeyStage")
        _add(key_stage, "Stage", stage)
        for result in of_stage:
            if result.scheme != STATUTORY:
                raise InvalidInput("A Common Transfer File has no place for results that are not statutory")
            part = SubElement(key_stage, "StageAssessment")
            _add(part, "Locale", "ENG")
            _add(part, "Year", str(result.academic_year + 1))
            _add(part, "Subject", result.subject)
            _add(part, "Method", result.method)
            _add(part, "Component", result.component)
            _add(part, "ResultStatus", result.status)
            _add(part, "ResultQualifier", result.qualifier)
            _add(part, "Result", result.value)
            _add(part, "ResultDate", result.assessed_on.isoformat() if result.assessed_on else None)


def _school(element: Element, school: CtfSchool) -> None:
    _add(element, "LEA", school.la)
    _add(element, "Estab", school.establishment)
    _add(element, "SchoolName", school.name)


def _add(parent: Element, tag: str, text: str | None) -> None:
    if not text:
        return
    if _NOT_XML.search(text):
        raise InvalidInput(f"{tag} holds a character that an XML file cannot carry")
    SubElement(parent, tag).text = text
