"""Writes a Common Transfer File as DfE's own services do: `Sex`, not `Gender`, and no empty elements.

What came in a file and no field holds is written out again as it came, in its place. Target Tracker's own
scales have no place in a CTF, nor do class names, gifts, pupil premium, and the kind and times of care.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache

import msgspec

from domain.assessment import STATUTORY, Result
from domain.errors import InvalidInput
from domain.files.ctf_places import (
    HERE,
    RANKS,
    meals_key,
    name_of_element,
    result_key,
    school_key,
    sen_key,
    year_key,
)
from domain.files.ctf_results import ENGLAND
from domain.periods import in_care_on, sen_entries
from domain.pupil import PupilNames, PupilRecord
from domain.pupil_record import OtherElement, SchoolAttended

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

UNKNOWN_LA = "XXX"
UNKNOWN_ESTABLISHMENT = "XXXX"
"""What stands for the numbers of a destination that is not known."""


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


class Destination(msgspec.Struct, frozen=True):
    """The school that a CTF is for.

    Attributes:
        la: The number of its local authority, three digits, or `XXX`.
        establishment: Its number within the authority, four digits, or `XXXX`.
    """

    la: str = UNKNOWN_LA
    establishment: str = UNKNOWN_ESTABLISHMENT


ANYWHERE = Destination()


class CtfPupil(msgspec.Struct, frozen=True, kw_only=True):
    """A pupil to be written.

    Attributes:
        names: Who the child is.
        record: Everything else.
        results: Statutory results; a CTF has no place for judgements on other scales.
        left_on: When the child left the school, if it has.
        leaving_reason: Why, as a code of the set `leaving-reason`.
    """

    names: PupilNames
    record: PupilRecord
    results: tuple[Result, ...] = ()
    left_on: date | None = None
    leaving_reason: str | None = None


def file_name(school: CtfSchool, destination: Destination = ANYWHERE, number: int = 1) -> str:
    """What a CTF is called: `8812001_CTF_8812002_001.xml`.

    The numbers of authority and school that it comes from, `CTF`, those that it goes to (`XXXXXXX`, where
    that is not known), and a number that tells files between the same two apart. Source: DfE, *Common
    transfer file specification*, section 2.4, *File names for CTF*.

    Args:
        school: The school that it comes from.
        destination: The school that it is for.
        number: 1 to 999.
    """
    source = f"{school.la}{school.establishment}"
    return f"{source}_CTF_{destination.la}{destination.establishment}_{number:03d}.xml"


def write_ctf(
    school: CtfSchool,
    academic_year: int,
    pupils: Iterable[CtfPupil],
    written_at: datetime,
    destination: Destination = ANYWHERE,
) -> bytes:
    """The Common Transfer File of these pupils.

    A day that is not known is left out, as DfE's own writers do: of free school meals and SEN provision the
    record may hold only what is so now. SEN provision has no end in a CTF;
    where it ended, `N` begins, and an end that lies ahead is not told.

    Args:
        school: The school that the pupils are at.
        academic_year: The year in which the academic year starts; it gives the version, `26.0` for 2026/27.
        pupils: The pupils.
        written_at: The time of writing.
        destination: The school that it is for.

    Raises:
        InvalidInput: A result is on another scale, or a text holds a character that XML cannot carry.
    """
    parts = ['<?xml version="1.0" encoding="utf-8"?>\n<CTfile>\n']
    parts += _header(school, academic_year, written_at, destination)
    parts.append("\n<CTFpupilData>\n")
    for pupil in pupils:
        parts += (_Pupil(pupil, school, written_at.date()).written(), "\n")
    parts.append("</CTFpupilData>\n</CTfile>")
    return "".join(parts).encode()


def _header(
    school: CtfSchool, academic_year: int, written_at: datetime, destination: Destination
) -> Iterator[str]:
    source = (
        _leaf("LEA", school.la),
        _leaf("Estab", school.establishment),
        _leaf("URN", school.urn),
        _leaf("SchoolName", school.name),
        _leaf("AcademicYear", str(academic_year)),
    )
    parts = (
        _leaf("DocumentName", "Common Transfer File"),
        _leaf("CTFversion", f"{academic_year % 100:02d}.0"),
        _leaf("DateTime", written_at.strftime("%Y-%m-%dT%H:%M:%S")),
        _leaf("DocumentQualifier", "full"),
        _leaf("SupplierID", "Target Tracker"),
        _around("SourceSchool", source),
        _around(
            "DestSchool", (_leaf("LEA", destination.la), _leaf("Estab", destination.establishment))
        ),
    )  # fmt: skip
    yield _around("Header", parts)


Part = tuple[str, str]
"""A tag, and the element as it is written."""


class _Pupil:
    """One pupil as it is written: what fields hold, with what else was kept in its place between."""

    def __init__(self, pupil: CtfPupil, school: CtfSchool, day: date) -> None:
        self._pupil = pupil
        self._names, self._record = pupil.names, pupil.record
        self._school = school
        self._day = day
        self._kept: dict[tuple[str, str], list[OtherElement]] = {}
        for kept in self._names.other_elements:
            self._kept.setdefault((kept.path, kept.of), []).append(kept)

    def written(self) -> str:
        names, record = self._names, self._record
        parts = [
            *_part("UPN", names.upn),
            *_part("Surname", names.surname),
            *_part("Forename", names.forename),
            *_part("DOB", names.date_of_birth.isoformat()),
            *_part("Sex", record.sex),
            *self._inside("BasicDetails", self._details()),
            *self._inside("FSMhistory", self._meals()),
            *self._inside("LookedAfter", self._care()),
            *self._inside("SENhistory", self._sen()),
            *self._inside("Address", _part("PostCode", names.postcode)),
            *self._inside("Attendance", self._attendance()),
            *self._inside("StageAssessments", self._results()),
            *self._inside("SchoolHistory", self._schools()),
        ]
        return _around("Pupil", self._in_order("", "", parts))

    def _inside(self, path: str, parts: Iterable[Part], key: str = "") -> list[Part]:
        """An element with these parts and those that were kept from it; nothing, if there are none."""
        inner = self._in_order(path, key, list(parts))
        tag = path.rpartition("/")[2]
        return [(tag, _around(tag, inner))] if inner else []

    def _in_order(self, path: str, key: str, parts: Sequence[Part]) -> list[str]:
        kept = self._kept.get((path, key))
        if not kept:
            return [written for _, written in parts]
        ranks = RANKS[path]
        places = [((ranks[tag], 0, number), written) for number, (tag, written) in enumerate(parts)]
        for number, each in enumerate(kept, start=len(parts)):
            tag = name_of_element(each)
            known = (ranks[tag], 0, number) if tag in ranks else (ranks.get(each.after, -1), 1, number)
            places.append((known, each.xml))
        return [written for _, written in sorted(places)]

    def _is_kept(self, tag: str, path: str, key: str = "") -> bool:
        """Whether an element was kept that says something else than would be written."""
        return any(name_of_element(each) == tag for each in self._kept.get((path, key), ()))

    def _details(self) -> Iterator[Part]:
        names, record = self._names, self._record
        for former in names.former_upns:
            yield from _part("FormerUPN", former)
        yield from _part("PreferredSurname", names.preferred_surname)
        yield from _part("PreferredForename", names.preferred_forename)
        yield from _part("FormerSurname", names.former_surname)
        yield from _part("FormerForename", names.former_forename)
        yield from _part("MiddleNames", names.middle_names)
        yield from _part("NCyearActual", record.nc_year)
        yield from _part("Ethnicity", record.ethnicity)
        languages: list[Part] = []
        if record.first_language:
            path = "BasicDetails/Languages/Type"
            told = [*_part("LanguageType", "F"), *_part("Language", record.first_language)]
            languages = self._inside(path, told)
        yield from self._inside("BasicDetails/Languages", languages)
        yield from _part("EnrolStatus", record.enrolment_status)

    def _meals(self) -> Iterator[Part]:
        record, path = self._record, "FSMhistory/FSMinstance"
        if record.free_school_meals is None and not record.meals_periods:
            return
        if not record.meals_periods and not record.free_school_meals:
            # Nothing else says that there is no eligibility.
            if not self._is_kept("FSMreviewDate", "FSMhistory"):
                yield from _part("FSMreviewDate", self._day.isoformat())
            return
        times = [(each.start, each.end) for each in record.meals_periods] or [(None, None)]
        for start, end in times:
            key = meals_key(start)
            parts = [*_part("FSMstartDate", _day(start)), *_part("FSMendDate", _day(end))]
            if not self._is_kept("UKcountry", path, key):
                parts += _part("UKcountry", ENGLAND)
            yield from self._inside(path, parts, key)

    def _care(self) -> list[Part]:
        in_care = in_care_on(self._record, self._day)
        return [] if in_care is None else _part("InCare", "true" if in_care else "false")

    def _sen(self) -> Iterator[Part]:
        record, path = self._record, "SENhistory/SEN"
        entries = sen_entries(record.sen_periods, self._day)
        if not entries and record.sen_provision:
            entries = ((None, record.sen_provision),)
        for start, provision in entries:
            parts = [*_part("StartDate", _day(start)), *_part("SENprovision", provision)]
            yield from self._inside(path, parts, sen_key(start, provision))
        needs: list[Part] = []
        for rank, code in enumerate(record.sen_needs, start=1):
            parts = [*_part("SENtypeRank", str(rank)), *_part("SENtype", code)]
            needs += self._inside("SENhistory/SENneeds/SENneed", parts, code)
        yield from self._inside("SENhistory/SENneeds", needs)

    def _attendance(self) -> Iterator[Part]:
        path = "Attendance/YearData"
        here = (None, None, None)
        years = [
            (
                (each.name, each.local_authority, each.establishment),
                (each.academic_year, each.possible, each.authorised, each.unauthorised),
            )
            for each in self._names.attendance_before
        ]
        if now := self._record.attendance:
            years.append((here, (now.academic_year, now.possible, now.authorised, now.unauthorised)))
        for (name, la, establishment), (year, possible, authorised, unauthorised) in years:
            key = year_key(year, la, establishment)
            if (name, la, establishment) == here:
                school = self._here()
            else:
                school = [*_part("LEA", la), *_part("Estab", establishment), *_part("SchoolName", name)]
            parts = [
                *_part("Year", str(year)),
                *school,
                *_part("SessionsPossible", str(possible)),
                *_part("SessionsAttended", str(possible - authorised - unauthorised)),
                *_part("SessionsAuthorised", str(authorised)),
                *_part("SessionsUnauthorised", str(unauthorised)),
            ]
            yield from self._inside(path, parts, key)

    def _results(self) -> Iterator[Part]:
        by_stage: dict[str | None, list[Result]] = {}
        for result in self._pupil.results:
            if result.scheme != STATUTORY:
                raise InvalidInput("A Common Transfer File has no place for results that are not statutory")
            by_stage.setdefault(result.stage, []).append(result)
        for path, of in self._kept:
            if path == "StageAssessments/KeyStage":
                by_stage.setdefault(of or None, [])
        for stage, results in by_stage.items():
            parts = [*_part("Stage", stage)]
            parts += [("StageAssessment", self._result(result)) for result in results]
            yield from self._inside("StageAssessments/KeyStage", parts, stage or "")

    def _result(self, result: Result) -> str:
        path, key = "StageAssessments/KeyStage/StageAssessment", ""
        if self._kept:
            key = result_key(result)
        told = (
            ("Locale", None if key and self._is_kept("Locale", path, key) else ENGLAND),
            ("Year", str(result.academic_year + 1)),
            ("Subject", result.subject),
            ("Method", result.method),
            ("Component", result.component),
            ("ResultStatus", result.status),
            ("ResultQualifier", result.qualifier),
            ("Result", result.value),
            ("ResultDate", _day(result.assessed_on)),
        )
        parts = [(tag, _coded(tag, text)) for tag, text in told if text]
        return _around("StageAssessment", self._in_order(path, key, parts))

    def _schools(self) -> Iterator[Part]:
        for school in self._names.previous_schools:
            yield from self._attended(school, school_key(school), last=False)
        pupil = self._pupil
        here = SchoolAttended(
            name=self._school.name,
            local_authority=self._school.la,
            establishment=self._school.establishment,
            entered_on=self._record.date_of_entry,
            left_on=pupil.left_on,
            leaving_reason=pupil.leaving_reason if pupil.left_on else None,
        )
        yield from self._attended(here, HERE, last=True)

    def _attended(self, school: SchoolAttended, key: str, *, last: bool) -> list[Part]:
        path = "SchoolHistory/School"
        parts = [
            *_part("LEA", school.local_authority),
            *_part("Estab", school.establishment),
            *_part("SchoolName", school.name),
            *_part("EntryDate", _day(school.entered_on)),
            *_part("LeavingDate", _day(school.left_on)),
            *_part("LeavingReason", school.leaving_reason),
            *_part("LastSchool", "true" if last else "false"),
        ]
        return self._inside(path, parts, key)

    def _here(self) -> list[Part]:
        return [
            *_part("LEA", self._school.la),
            *_part("Estab", self._school.establishment),
            *_part("SchoolName", self._school.name),
        ]


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _part(tag: str, text: str | None) -> list[Part]:
    return [(tag, _leaf(tag, text))] if text else []


def _leaf(tag: str, text: str) -> str:
    if _NOT_XML.search(text):
        raise InvalidInput(f"{tag} holds a character that an XML file cannot carry")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return f"<{tag}>{text}</{tag}>"


_coded = lru_cache(maxsize=16_384)(_leaf)
"""The same for codes and results, which are few and come again and again; never for what names somebody."""


def _around(tag: str, parts: Iterable[str]) -> str:
    return "\n".join((f"<{tag}>", *parts, f"</{tag}>"))
