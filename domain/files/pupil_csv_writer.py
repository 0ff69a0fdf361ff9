"""Writes Target Tracker's 18-column import file."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from io import StringIO
from typing import Any

from domain.files.pupil_csv import COLUMNS
from domain.files.spreadsheets import guarded
from domain.pupil import PupilNames, PupilRecord


def write_pupil_csv(rows: Iterable[tuple[PupilNames, PupilRecord]]) -> bytes:
    """The 18-column file, in UTF-8 with CRLF.

    The format has no place for former UPNs, and none for "not recorded" in the SEN status: both that and no
    special educational need are an empty cell. A text that a spreadsheet would take for a formula stands
    behind an apostrophe, which the reader takes off again.
    """
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for names, record in rows:
        writer.writerow([_cell(field, names, record) for field in COLUMNS.values()])
    return out.getvalue().encode()


def _cell(field: str, names: PupilNames, record: PupilRecord) -> str:
    value: Any
    if field in {"possible", "authorised", "unauthorised"}:
        value = getattr(record.attendance, field) if record.attendance else None
    else:
        value = getattr(names, field) if hasattr(names, field) else getattr(record, field)
    if field == "sen_provision":
        return "" if value in {None, "N"} else str(value)
    if field == "nc_year" and value:
        return f"Y{value}" if value.isdecimal() else str(value)
    match value:
        case None:
            return ""
        case bool():
            return "T" if value else "F"
        case date():
            return f"{value:%d/%m/%Y}"
        case _:
            return guarded(str(value))
