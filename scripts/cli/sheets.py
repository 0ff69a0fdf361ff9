"""Class sheets: shown, filled in as a file, recorded as a whole."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.academic_year import AssessmentPoint, academic_year_label, when
from domain.codes.sets import SUBJECT
from domain.errors import Finding
from domain.files.encoding import encoding_of
from domain.files.spreadsheets import not_a_formula
from domain.schemes.catalogue import EYFS_PROFILE, STEPS, scheme_named
from domain.schemes.scheme import Entered
from domain.school_time import today
from domain.vault import private_files
from scripts.cli.client import Client
from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused
from scripts.cli.options import (
    AcademicYear,
    ClassName,
    Json,
    OptionalTerm,
    SchemeName,
    read_academic_year,
    read_day,
)
from scripts.cli.output import say, show_json, show_table
from scripts.cli.roll import class_called, every_pupil, name_of

app = typer.Typer(no_args_is_help=True, help="Show and record class sheets: pupils by subject for a term.")

UPN = "UPN"
PUPIL_ID = "Pupil id"
FOR_PEOPLE = {"surname", "forename", "name", "class", "year"}
"""Columns that only help whoever fills the file in."""


@app.command()
def show(
    context: typer.Context,
    class_name: ClassName,
    year: AcademicYear,
    term: OptionalTerm = None,
    scheme: SchemeName = STEPS,
    as_json: Json = False,
) -> None:
    """Show a class sheet."""
    with signed_in(context) as client:
        class_id = class_called(client, class_name)["class_id"]
        reply = client.query(
            f"/v1/classes/{class_id}/sheet", academic_year=year, term=term and term.value, scheme=scheme
        )
    if as_json:
        show_json(reply.content)
        return
    sheet = reply.body
    subjects = sheet["subjects"]
    cells = [[_cell(pupil["results"].get(subject)) for subject in subjects] for pupil in sheet["pupils"]]
    levels = [pupil["good_level_of_development"] for pupil in sheet["pupils"]]
    of_profile = sheet["scheme"] == EYFS_PROFILE
    show_table(
        ["Pupil id", "Name", *subjects, *([GOOD_LEVEL] if of_profile else [])],
        [
            [pupil["pupil_id"], name_of(pupil), *row, *([level] if of_profile else [])]
            for pupil, row, level in zip(sheet["pupils"], cells, levels, strict=True)
        ],
        title=f"{sheet['class_name']}, {when(year, term).label}"
        + ("" if sheet["scheme"] == STEPS else f", {sheet['scheme']}"),
        whole=("Pupil id", *subjects),
    )
    if not subjects:
        say(f"Nothing has been recorded for this {'term' if term else 'year'}.")
    if any("*" in cell for row in cells for cell in row):
        say("* corrected since it was first entered")
    if any("?" in cell for row in cells for cell in row):
        say("? came in a file, and is no value that is known here")


GOOD_LEVEL = "Good level"


def _cell(result: dict[str, Any] | None) -> str:
    if result is None:
        return ""
    return f"{result['value']}{'*' if result['corrected'] else ''}{'' if result['known'] else '?'}"


def codes_of(scheme: str, year: int) -> list[str]:
    """The codes of what a scheme measures in an academic year: the columns of its sheets.

    Raises:
        Misused: There is no such scheme, or it was not in use then.
    """
    try:
        return list(scheme_named(scheme).in_year(year).measures)
    except ValueError as error:
        raise Misused(f"{scheme} in {academic_year_label(year)}: {error}") from None


@app.command()
def template(
    context: typer.Context,
    class_name: ClassName,
    subjects: Annotated[
        str, typer.Option(metavar="CODES", help="Subject codes, with commas.")
    ] = "REA,WRI,MAT",
    scheme: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="All that a scheme measures in place of the subjects named."),
    ] = None,
    year: Annotated[
        int | None, typer.Option(parser=read_academic_year, metavar="YEAR", help="In that academic year.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write to a file that only you can read.")
    ] = None,
) -> None:
    """Write a CSV file with the pupils of a class, to fill in and give to `sheet record`."""
    codes = [code.strip().upper() for code in subjects.split(",") if code.strip()]
    if scheme is not None:
        codes = codes_of(scheme, AssessmentPoint.of(today()).academic_year if year is None else year)
    elif unknown := [code for code in codes if code not in SUBJECT]:
        raise Misused(f"There is no subject {', '.join(unknown)}: {SUBJECT.accepted}")
    with signed_in(context) as client:
        class_id = class_called(client, class_name)["class_id"]
        pupils = every_pupil(client, class_id=class_id)["pupils"]
    rows = [[PUPIL_ID, "Surname", "Forename", *codes]]
    for pupil in sorted(pupils, key=lambda each: name_of(each).casefold()):
        shown = (pupil["surname"] or pupil["alias"], pupil["forename"])
        names = [not_a_formula(name or "") for name in shown]
        rows.append([pupil["pupil_id"], *names, *("" for _ in codes)])
    if write_sheet(output, rows):
        command = f"target-tracker sheet record {output} {_options_of(scheme, year)}"
        say(f"{output} is written: fill it in, and record it with: {command}")


def _options_of(scheme: str | None, year: int | None) -> str:
    """The options with which a sheet is recorded; what nobody has said stands in capitals."""
    options = f"--year {'YEAR' if year is None else academic_year_label(year)}"
    if scheme is None:
        return f"{options} --term TERM"
    of_points = all(version.entered is Entered.POINT for version in scheme_named(scheme).versions)
    return f"--scheme {scheme} {options}" + (" --term TERM" if of_points else "")


def write_sheet(output: Path | None, rows: Iterable[Iterable[str]]) -> bool:
    """Writes a CSV file that only its owner can read, and says whether it did, and not to standard output.

    Raises:
        Misused: It cannot be written.
    """
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    if output is None:
        sys.stdout.write(text.getvalue().replace("\r\n", "\n"))
        return False
    try:
        private_files.write(output, text.getvalue().encode("utf-8-sig"))
    except OSError as error:
        raise Misused(f"{output} cannot be written: {error.strerror}") from None
    return True


@app.command()
def record(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV: a column UPN or Pupil id, and one for each subject.")
    ],
    year: AcademicYear,
    term: OptionalTerm = None,
    scheme: SchemeName = STEPS,
    on: Annotated[
        str | None, typer.Option(parser=read_day, metavar="DATE", help="When they were assessed.")
    ] = None,
) -> None:
    """Record a whole sheet at once: all of its entries, or none. Empty cells are left out."""
    codes = codes_of(scheme, year)
    rows = rows_of(file, codes)
    with signed_in(context) as client:
        entries = entries_of(client, rows, codes)
        sheet = {
            "academic_year": year,
            "term": term,
            "scheme": scheme,
            "assessed_on": date.fromisoformat(on) if on else None,
            "entries": entries,
        }
        client.command("POST", "/v1/sheets", sheet)
    say(f"{len(entries)} judgements are recorded for {when(year, term).label}.")


def read_sheet(file: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The heading of a CSV file as it stands there, and its rows by column, named as :func:`column_of` does.

    Raises:
        Misused: It cannot be read, or is no CSV file.
    """
    try:
        content = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    except OSError as error:
        raise Misused(f"{file} cannot be read: {error.strerror}") from None
    reader = csv.DictReader(StringIO(content.decode(encoding_of(content)), newline=""), strict=True)
    try:
        heading = {name: column_of(name) for name in reader.fieldnames or []}
        rows = [
            {heading[name]: (value or "").strip() for name, value in row.items() if name in heading}
            for row in reader
        ]
    except csv.Error as error:
        raise Misused(f"{file} is not a CSV file: {error}") from None
    return list(reader.fieldnames or []), rows


def rows_of(file: Path, codes: list[str]) -> list[dict[str, str]]:
    """The rows of a sheet of judgements, by column.

    Args:
        file: The file; `-` for standard input.
        codes: The columns that there may be beside those that say who a child is.

    Raises:
        Misused: It is no such file.
    """
    heading, rows = read_sheet(file)
    unknown = [
        Finding(field="heading", found=name[:60], accepted=f"UPN, Pupil id, or one of {', '.join(codes)}")
        for name in heading
        if not (column_of(name) in {UPN, PUPIL_ID} or column_of(name) in codes or name.lower() in FOR_PEOPLE)
    ]
    if unknown or not {UPN, PUPIL_ID} & set(map(column_of, heading)):
        raise Misused(f"{file} needs a column UPN or Pupil id, and one for each subject", unknown)
    return rows


def column_of(name: str) -> str:
    """The name of a column, whatever its capitals and spaces: `UPN`, `Pupil id`, or itself in capitals."""
    folded = "".join(name.split()).casefold()
    return {"upn": UPN, "pupilid": PUPIL_ID}.get(folded, name.strip().upper())


def entries_of(client: Client, rows: list[dict[str, str]], codes: list[str]) -> list[dict[str, str]]:
    """The judgements of the rows.

    Raises:
        Misused: A row names no pupil, or there is no judgement at all.
    """
    ids: dict[str, str] = {}
    if any(UPN in row for row in rows):
        pupils = every_pupil(client, on_roll="any")["pupils"]
        ids = {pupil["upn"]: pupil["pupil_id"] for pupil in pupils if pupil["upn"]}
    entries, findings = [], []
    for number, row in enumerate(rows, start=2):
        judged = {column: value for column, value in row.items() if value and column in codes}
        if not judged:
            continue
        pupil_id = row.get(PUPIL_ID) or ids.get(row.get(UPN, "").upper())
        if not pupil_id:
            found = row.get(UPN) or "nothing"
            findings.append(
                Finding(field=UPN, found=found[:60], accepted="the UPN of a pupil of this school", row=number)
            )
            continue
        entries += [
            {"pupil_id": pupil_id, "subject": subject, "value": value} for subject, value in judged.items()
        ]
    if findings:
        raise Misused("Some rows name no pupil of this school, so nothing was sent", findings)
    if not entries:
        raise Misused("The sheet holds no judgement")
    return entries
