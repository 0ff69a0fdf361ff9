"""Reads a Common Transfer File (CTF), the XML in which schools send each other pupils' particulars.

No schema is at hand: the elements are those that DfE's own writers produce (the Multiplication Tables Check
and Get Information about Pupils services, both public) and those that a school's system exports. Whatever
else a file holds is counted as dropped, by the path of its element.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element

import msgspec

from domain.academic_year import FIRST_MONTH
from domain.codes.nc_year import read_nc_year
from domain.codes.postcode import read_postcode
from domain.codes.sets import ETHNICITY, LANGUAGE, SEX
from domain.codes.upn import read_upn
from domain.files import fields
from domain.files.ctf_history import (
    Context,
    read_attendance,
    read_entry,
    read_meals,
    read_sen,
    text_of,
)
from domain.files.ctf_results import read_results
from domain.files.ctf_xml import declared_encoding, parse_ctf
from domain.files.rows import (
    CONTACTS,
    EMAIL_ADDRESSES,
    PHONE_NUMBERS,
    POSTAL_ADDRESSES,
    FileSource,
    PupilFile,
    PupilRow,
    RowReader,
    Seen,
    holds_email,
)
from domain.pupil import PupilNames, PupilRecord
from domain.text import read_text

_NAMES = frozenset(PupilNames.__struct_fields__)
_WHOLE_NAME = {"Surname": "surname", "Forename": "forename", "DOB": "date_of_birth"}

_TAKEN = {
    "BasicDetails": {"FormerUPN", "NCyearActual", "Ethnicity", "Languages"},
    "FSMhistory": {"FSMreviewDate", "FSMinstance"},
    "LookedAfter": {"InCare"},
    "SENhistory": {"SEN"},
    "SchoolHistory": {"School"},
    "Attendance": {"YearData"},
    "StageAssessments": {"KeyStage"},
}
"""The elements of a pupil that are gone into, and what is taken of each."""

_PLAIN = {"UPN", "Surname", "Forename", "DOB", "Sex", "Gender"}


def read_ctf(
    content: bytes, *, academic_year: int, today: date, school: tuple[str, str] | None = None
) -> PupilFile:
    """Reads a Common Transfer File.

    Args:
        content: The file.
        academic_year: The year in which the current academic year starts: attendance of others is left out.
        today: The day on which eligibility and provision are looked at; no date of birth or entry lies
            after it.
        school: LA and establishment number of the school whose date of entry and attendance are wanted; the
            one that the file comes from, where none is named.

    Raises:
        UnreadableFile: It is not a Common Transfer File, or it is damaged or not safe to read.
    """
    root = parse_ctf(content)
    source = _source(root)
    context = Context(
        academic_year=academic_year,
        today=today,
        school=school or (source.la, source.establishment),
        dropped=Counter(),
        seen=Seen(),
    )
    readers = _readers(today)
    rows = [
        _pupil(number, pupil, context, readers)
        for number, pupil in enumerate(root.iterfind("CTFpupilData/Pupil"), start=1)
    ]
    return PupilFile(
        format="ctf",
        encoding=declared_encoding(content),
        rows=rows,
        dropped={kind: count for kind, count in context.dropped.items() if count},
        source=source,
    )


def _source(root: Element) -> FileSource:
    school = root.find("Header/SourceSchool")
    year = text_of(school, "AcademicYear")
    return FileSource(
        la=text_of(school, "LEA") or None,
        establishment=text_of(school, "Estab") or None,
        urn=text_of(school, "URN") or None,
        name=text_of(school, "SchoolName") or None,
        academic_year=int(year) if year.isdecimal() else None,
    )


class _Field(msgspec.Struct, frozen=True):
    """A field that one element states."""

    path: str
    field: str
    read: Callable[[str], Any]


def _readers(today: date) -> list[_Field]:
    return [
        _Field("UPN", "upn", read_upn),
        _Field("Surname", "surname", read_text),
        _Field("Forename", "forename", read_text),
        _Field("DOB", "date_of_birth", fields.born_by(today, fields.read_year_first)),
        _Field("Gender", "sex", SEX.find),
        _Field("Sex", "sex", SEX.find),
        _Field("BasicDetails/NCyearActual", "nc_year", read_nc_year),
        _Field("BasicDetails/Ethnicity", "ethnicity", ETHNICITY.find),
        _Field("BasicDetails/Languages/Type", "first_language", LANGUAGE.find),
        _Field("LookedAfter/InCare", "in_care", fields.read_boolean),
        _Field("Address/PostCode", "postcode", read_postcode),
    ]


def _pupil(number: int, pupil: Element, context: Context, readers: list[_Field]) -> PupilRow:
    reader = RowReader(number)
    values: dict[str, Any] = {}
    for plain in readers:
        stated = text_of(pupil, plain.path)
        if "@" in stated and holds_email(stated):
            reader.wrong(plain.path, stated, fields.NO_EMAIL)
        elif stated:
            values[plain.field] = reader.read(plain.path, stated, plain.read)
    former = [
        reader.read("BasicDetails/FormerUPN", stated, read_upn)
        for element in pupil.iterfind("BasicDetails/FormerUPN")
        if (stated := text_of(element, "."))
    ]
    if former:
        values["former_upns"] = tuple(former)
    read_meals(pupil, reader, values, context.today)
    read_sen(pupil, reader, values, context.today)
    read_entry(pupil, reader, values, context)
    read_attendance(pupil, reader, values, context)
    results = read_results(pupil, reader, context)
    _count_dropped(pupil, context.dropped)
    named = _check_identity(pupil, reader, values, context.seen)
    upn = values.get("upn")
    if reader.findings:
        return PupilRow(row=number, upn=upn, findings=tuple(reader.findings))
    names = {field: value for field, value in values.items() if field in _NAMES}
    record = {field: value for field, value in values.items() if field not in _NAMES}
    if not named:
        for field in names.keys() - {"upn"}:
            context.dropped[f"{field} of a pupil without a name"] += 1
    given = frozenset(values) if named else frozenset(record)
    record.setdefault("sex", "U")
    record.setdefault("date_of_entry", date(context.academic_year, FIRST_MONTH, 1))
    return PupilRow(
        row=number,
        upn=upn,
        names=PupilNames(**names) if named else None,
        record=PupilRecord(**record),
        given=given,
        results=results,
    )


def _check_identity(pupil: Element, reader: RowReader, values: dict[str, Any], seen: Seen) -> bool:
    """Checks that the pupil can be told from others; answers whether there is a name."""
    named = [path for path in _WHOLE_NAME if text_of(pupil, path)]
    for path in _WHOLE_NAME:
        if named and path not in named:
            reader.wrong(path, "", f"{', '.join(_WHOLE_NAME)} together, or a UPN with none of them")
    if not named and not text_of(pupil, "UPN"):
        reader.wrong("UPN", "", f"a UPN, or {', '.join(_WHOLE_NAME)}")
    if upn := values.get("upn"):
        seen.check_upn(reader, "UPN", upn)
    surname, forename, born = (values.get(field) for field in _WHOLE_NAME.values())
    if surname and forename and born:
        seen.check_child(reader, "Surname, Forename, DOB", surname, forename, born)
    entered = values.get("date_of_entry")
    if born and entered and entered < born:
        reader.wrong(
            "SchoolHistory/School/EntryDate", entered.isoformat(), f"a date on or after the DOB, {born}"
        )
    return bool(named)


def _count_dropped(pupil: Element, dropped: Counter[str]) -> None:
    for part in pupil:
        tag = part.tag
        if tag in _TAKEN:
            for inner in part:
                if inner.tag not in _TAKEN[tag]:
                    dropped[f"{tag}/{inner.tag}"] += 1
        elif tag == "Address":
            dropped[POSTAL_ADDRESSES] += any(inner.tag != "PostCode" for inner in part)
        elif tag == "Phones":
            dropped[PHONE_NUMBERS] += len(part)
        elif tag == "Email":
            dropped[EMAIL_ADDRESSES] += 1
        elif tag == "Contacts":
            dropped[CONTACTS] += len(part)
        elif tag not in _PLAIN:
            dropped[tag] += 1
