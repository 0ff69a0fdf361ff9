"""Reads a Common Transfer File (CTF), the XML in which schools send each other pupils' particulars.

No schema is at hand: the elements are those that DfE's own writers produce (the Multiplication Tables Check
and Get Information about Pupils services, both public) and those that a school's system exports. Whatever
else a file holds is kept as it came, to be written out again; only addresses, telephone numbers and contacts
are dropped, and counted.
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
from domain.codes.record_sets import ENROLMENT_STATUS
from domain.codes.sets import ETHNICITY, LANGUAGE, NC_YEAR, SEX, CodeSet
from domain.codes.upn import read_upn
from domain.errors import UnreadableFile
from domain.files import fields
from domain.files.ctf_history import (
    Context,
    Pupil,
    read_attendance,
    read_meals,
    read_schools,
    read_sen,
    text_of,
)
from domain.files.ctf_kept import Keeper
from domain.files.ctf_places import CALLED
from domain.files.ctf_registers import read_registers
from domain.files.ctf_results import read_results
from domain.files.ctf_xml import ParsedCtf, declared_encoding
from domain.files.rows import (
    MOST_PUPILS,
    FileSource,
    PupilFile,
    PupilRow,
    RowReader,
    Seen,
    finding,
    holds_email,
)
from domain.pupil import PupilNames, PupilRecord
from domain.since_birth import ACCEPTED
from domain.text import read_text

_NAMES = frozenset(PupilNames.__struct_fields__)
_WHOLE_NAME = {"Surname": "surname", "Forename": "forename", "DOB": "date_of_birth"}


def read_ctf(
    content: bytes,
    *,
    academic_year: int,
    today: date,
    school: tuple[str, str] | None = None,
    any_destination: bool = False,
) -> PupilFile:
    """Reads a Common Transfer File.

    Args:
        content: The file.
        academic_year: The year in which the current academic year starts, which is that of the attendance
            totals so far.
        today: The day on which eligibility and provision are looked at; nothing began after it.
        school: LA and establishment number of the school whose date of entry and attendance are wanted; the
            one that the file comes from, where none is named.
        any_destination: Whether the file may be meant for another school than that one.

    Raises:
        UnreadableFile: It is not a Common Transfer File, it is damaged or not safe to read, or it is meant
            for another school.
    """
    parsed = ParsedCtf(content)
    source = _source(parsed.header)
    if school and not any_destination:
        _check_destination(parsed.header, school)
    context = Context(
        academic_year=academic_year,
        today=today,
        school=school or (source.la, source.establishment),
        written_on=text_of(parsed.header, "DateTime").partition("T")[0],
        dropped=Counter(),
        seen=Seen(),
    )
    readers = _readers(today)
    rows: list[PupilRow] = []
    for number, pupil in enumerate(parsed.pupils(), start=1):
        # Those of a file that will be refused for its length are only counted.
        rows.append(_pupil(number, pupil, context, readers) if number <= MOST_PUPILS + 1 else rows[-1])
    context.dropped.update(parsed.others)
    return PupilFile(
        format="ctf",
        encoding=declared_encoding(content),
        rows=rows,
        dropped={kind: count for kind, count in context.dropped.items() if count},
        source=source,
        called=CALLED,
    )


def _source(header: Element) -> FileSource:
    school = header.find("SourceSchool")
    year = text_of(school, "AcademicYear")
    return FileSource(
        la=text_of(school, "LEA") or None,
        establishment=text_of(school, "Estab") or None,
        urn=text_of(school, "URN") or None,
        name=text_of(school, "SchoolName") or None,
        # Python refuses to make a number of thousands of digits.
        academic_year=int(year) if year.isdecimal() and len(year) == 4 else None,
    )


def _check_destination(header: Element, school: tuple[str, str]) -> None:
    """Refuses a file for another school. Letters (`LLLL`, `XXXX`, `MMMM`) stand for none in particular."""
    stated = tuple(text_of(header, f"DestSchool/{name}") for name in ("LEA", "Estab"))
    if any(number.isdecimal() and number != ours for number, ours in zip(stated, school, strict=True)):
        found = " ".join(filter(None, stated))
        accepted = (
            f"{' '.join(school)}, which is this school; or a file that is meant to be for another one, "
            "if you say so (other_destination)"
        )
        raise UnreadableFile(
            "This Common Transfer File is for another school",
            [finding("Header/DestSchool", found, accepted)],
        )


class _Field(msgspec.Struct, frozen=True):
    """A field that one element states: read by a function, or a code of a list, which is kept as it came."""

    path: str
    field: str
    read: Callable[[str], Any] | None = None
    codes: CodeSet | None = None


def _read_name(text: str) -> str:
    if len(name := read_text(text)) > fields.LONGEST_NAME:
        raise ValueError(f"at most {fields.LONGEST_NAME} characters")
    return name


def _readers(today: date) -> list[_Field]:
    return [
        _Field("UPN", "upn", read_upn),
        _Field("Surname", "surname", read_text),
        _Field("Forename", "forename", read_text),
        _Field("DOB", "date_of_birth", fields.born_by(today, fields.read_year_first)),
        _Field("Gender", "sex", codes=SEX),
        _Field("Sex", "sex", codes=SEX),
        _Field("BasicDetails/PreferredSurname", "preferred_surname", _read_name),
        _Field("BasicDetails/PreferredForename", "preferred_forename", _read_name),
        _Field("BasicDetails/FormerSurname", "former_surname", _read_name),
        _Field("BasicDetails/FormerForename", "former_forename", _read_name),
        _Field("BasicDetails/MiddleNames", "middle_names", _read_name),
        _Field("BasicDetails/Ethnicity", "ethnicity", codes=ETHNICITY),
        _Field("BasicDetails/EnrolStatus", "enrolment_status", codes=ENROLMENT_STATUS),
        _Field("LookedAfter/InCare", "in_care", fields.read_boolean),
        _Field("Address/PostCode", "postcode", read_postcode),
    ]


def _pupil(number: int, element: Element, context: Context, readers: list[_Field]) -> PupilRow:
    reader = RowReader(number)
    pupil = Pupil(element, reader, Keeper(reader, context.dropped), {})
    values = pupil.values
    for plain in readers:
        stated = text_of(element, plain.path)
        if "@" in stated and holds_email(stated):
            reader.wrong(plain.path, stated, fields.NO_EMAIL)
        elif stated:
            values[plain.field] = (
                reader.keep(plain.path, stated, plain.codes, context.today)
                if plain.codes
                else reader.read(plain.path, stated, plain.read or str)
            )
    _read_nc_year(pupil, context)
    _read_former_upns(pupil)
    _read_language(pupil, context)
    read_meals(pupil, context)
    read_sen(pupil, context)
    read_schools(pupil, context)
    read_attendance(pupil, context)
    marks = read_registers(pupil, context)
    results = read_results(pupil, context)
    named = _check_identity(pupil, context.seen)
    pupil.keeper.keep_rest(element)
    upn = values.get("upn")
    if reader.findings:
        return PupilRow(row=number, upn=upn, findings=tuple(reader.findings), flags=tuple(reader.flags))
    if pupil.keeper.kept:
        values["other_elements"] = tuple(pupil.keeper.kept)
    names = {field: value for field, value in values.items() if field in _NAMES}
    record = {field: value for field, value in values.items() if field not in _NAMES}
    given = frozenset(values) if named else frozenset(record)
    record.setdefault("sex", "U")
    record.setdefault("date_of_entry", date(context.academic_year, FIRST_MONTH, 1))
    return PupilRow(
        row=number,
        upn=upn,
        names=PupilNames(**names) if named else None,
        record=PupilRecord(**record),
        given=given,
        apart={} if named else {field: value for field, value in names.items() if field != "upn"},
        results=results,
        marks=marks,
        flags=tuple(reader.flags),
    )


def _read_nc_year(pupil: Pupil, context: Context) -> None:
    """The NC year, however it is written; one that there is not is kept as it came."""
    path = "BasicDetails/NCyearActual"
    if stated := text_of(pupil.element, path):
        try:
            pupil.values["nc_year"] = read_nc_year(stated)
        except ValueError:
            if (code := pupil.reader.keep(path, stated, NC_YEAR, context.today)) is not None:
                pupil.values["nc_year"] = code


def _read_former_upns(pupil: Pupil) -> None:
    path = "BasicDetails/FormerUPN"
    former = [
        pupil.reader.read(path, stated, read_upn)
        for element in pupil.element.iterfind(path)
        if (stated := text_of(element, "."))
    ]
    if former:
        pupil.values["former_upns"] = tuple(dict.fromkeys(former))


def _read_language(pupil: Pupil, context: Context) -> None:
    """The first language: the first one of type F, or without a type. Others are kept as they came."""
    path = "BasicDetails/Languages/Type"
    for language in pupil.element.iterfind(path):
        stated = text_of(language, "Language") or (language.text or "").strip()
        is_first = text_of(language, "LanguageType") in {"", "F"} and "first_language" not in pupil.values
        if not (is_first and stated):
            pupil.keeper.leave(language)
        elif (code := pupil.reader.keep(path, stated, LANGUAGE, context.today)) is not None:
            pupil.values["first_language"] = code


def _check_identity(pupil: Pupil, seen: Seen) -> bool:
    """Checks that the pupil can be told from others; answers whether there is a name."""
    reader, values = pupil.reader, pupil.values
    named = [path for path in _WHOLE_NAME if text_of(pupil.element, path)]
    for path in _WHOLE_NAME:
        if named and path not in named:
            reader.wrong(path, "", f"{', '.join(_WHOLE_NAME)} together, or a UPN with none of them")
    if not named and not text_of(pupil.element, "UPN"):
        reader.wrong("UPN", "", f"a UPN, or {', '.join(_WHOLE_NAME)}")
    if upn := values.get("upn"):
        seen.check_upn(reader, "UPN", upn)
    surname, forename, born = (values.get(field) for field in _WHOLE_NAME.values())
    if surname and forename and born:
        seen.check_child(reader, "Surname, Forename, DOB", surname, forename, born)
    entered = values.get("date_of_entry")
    if born and entered and entered < born:
        reader.wrong("SchoolHistory/School/EntryDate", entered.isoformat(), ACCEPTED)
    return bool(named)
