"""Target Tracker's own import file: 18 columns, comma-separated, with a heading.

Columns are found by their heading, in any order. Only Surname, Forename, DOB, DOA and Gender are mandatory.
Source: the import guide on targettracker.org (TT131, 22 June 2010).
"""

from __future__ import annotations

from datetime import date

from domain.files.pupil_cells import Ways, cell_reader
from domain.files.pupil_table import Column, Layout, read_table
from domain.files.rows import PupilFile

COLUMNS = {
    "UPN": "upn",
    "Surname": "surname",
    "Forename": "forename",
    "DOB": "date_of_birth",
    "Gender": "sex",
    "DOA": "date_of_entry",
    "Eligible for free meals": "free_school_meals",
    "Mother tongue code": "first_language",
    "Ethnicity": "ethnicity",
    "SEN Status code": "sen_provision",
    "Reg": "class_name",
    "Year": "nc_year",
    "Postcode": "postcode",
    "In LEA Care": "in_care",
    "Gifted": "gifted",
    "Possible": "possible",
    "Authorised absences": "authorised",
    "Unauthorised absences": "unauthorised",
}
"""The 18 columns in the order of the import file, with the field that each fills."""

MANDATORY = ("Surname", "Forename", "DOB", "Gender", "DOA")


def layout(today: date) -> Layout:
    """The layout of the 18-column file: an empty SEN status says that there is none.

    Args:
        today: No date may lie after it.
    """
    ways = Ways(today=today)
    return Layout(
        format="target-tracker-csv",
        columns=tuple(
            Column(
                heading=heading,
                place=field,
                read=cell_reader(field, ways),
                needed=heading in MANDATORY,
                mandatory=heading in MANDATORY,
                empty="N" if field == "sen_provision" else "",
            )
            for heading, field in COLUMNS.items()
        ),
        other_kind=(
            f"a heading with {', '.join(MANDATORY)} and others of {', '.join(COLUMNS)}, between commas; "
            "any other file needs a mapping of its columns"
        ),
    )


def read_pupil_csv(content: bytes, *, academic_year: int, today: date) -> PupilFile:
    """Reads an 18-column import file.

    An empty cell says nothing, so the school's own entry stands; but an empty SEN status says that there is
    none.

    Args:
        content: The file.
        academic_year: The year in which the academic year of the attendance totals starts.
        today: No date may lie after it.

    Raises:
        UnreadableFile: It is not such a file, lacks a mandatory column, or its characters are damaged.
    """
    return read_table(content, layout(today), academic_year=academic_year, today=today)
