"""Reads a pupil file, whichever of the accepted kinds it is."""

from __future__ import annotations

from datetime import date

from domain.errors import UnreadableFile
from domain.files.ctf import read_ctf
from domain.files.encoding import UTF_8_MARK, UTF_16_MARKS
from domain.files.mapping import Mapping, layout_of
from domain.files.mapping_guess import MappingGuess, guess_mapping
from domain.files.pupil_csv import read_pupil_csv
from domain.files.pupil_table import read_table
from domain.files.rows import MOST_PUPILS as MOST_PUPILS
from domain.files.rows import PupilFile, finding

ACCEPTED = "a Target Tracker import file (CSV) or a Common Transfer File (XML)"

A_TABLE = "a table of pupils (CSV)"

_OTHERS = {
    b"PK\x03\x04": "an Excel workbook or zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF document",
}


def read_pupil_file(
    content: bytes,
    *,
    academic_year: int,
    today: date,
    school: tuple[str, str] | None = None,
    mapping: Mapping | None = None,
    any_destination: bool = False,
) -> PupilFile:
    """Reads a Target Tracker import file or a Common Transfer File; with a mapping, any CSV file of pupils.

    Rows that are wrong are among the rows, with their findings; nothing is raised for them.

    Args:
        content: The file; which kind it is, it says itself.
        academic_year: The year in which the current academic year starts.
        today: No date of birth or entry may lie after it.
        school: LA and establishment number of the school that the file is read for; only a CTF asks.
        mapping: Which column fills which field; only for CSV files that are not Target Tracker's own.
        any_destination: Whether a CTF may be meant for another school than that one.

    Raises:
        UnreadableFile: It is neither, is damaged, is not safe to read, is meant for another school, or has
            more than `MOST_PUPILS`. The findings say where and what.
        InvalidInput: The mapping is not as it must be.
    """
    layout = layout_of(mapping, today) if mapping else None
    _refuse_others(content, A_TABLE if mapping else ACCEPTED)
    if layout is not None:
        file = read_table(content, layout, academic_year=academic_year, today=today)
    elif _is_xml(content):
        file = read_ctf(
            content,
            academic_year=academic_year,
            today=today,
            school=school,
            any_destination=any_destination,
        )
    else:
        file = read_pupil_csv(content, academic_year=academic_year, today=today)
    if (pupils := len(file.rows)) > MOST_PUPILS:
        first_too_many = file.rows[MOST_PUPILS].row
        accepted = f"at most {MOST_PUPILS:,} pupils: the file of one school"
        raise UnreadableFile(
            f"This file has {pupils:,} pupils, which no school has",
            [finding("file", f"{pupils:,} pupils", accepted, first_too_many)],
        )
    return file


def guess_mapping_of(content: bytes, today: date) -> MappingGuess:
    """Guesses how to read a CSV file of pupils that is not Target Tracker's own.

    Args:
        content: The file.
        today: No date of birth or entry lies after it.

    Raises:
        UnreadableFile: It is another kind of file, is damaged, or none of its headings is recognised.
    """
    _refuse_others(content, A_TABLE)
    if _is_xml(content):
        raise UnreadableFile("This is an XML file", [finding("file", "an XML file", A_TABLE)])
    return guess_mapping(content, today)


def _refuse_others(content: bytes, accepted: str) -> None:
    for start, kind in _OTHERS.items():
        if content.startswith(start):
            raise UnreadableFile(f"This is {kind}", [finding("file", kind, accepted)])
    if not content.removeprefix(UTF_8_MARK).strip():
        raise UnreadableFile("This file is empty", [finding("file", "nothing", accepted)])


def _is_xml(content: bytes) -> bool:
    start = content[:1024].removeprefix(UTF_8_MARK)
    if start.startswith(UTF_16_MARKS):
        start = start[2:].replace(b"\x00", b"")
    return start.lstrip().startswith(b"<")
