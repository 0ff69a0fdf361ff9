"""Attendance: registers shown, filled in as files and recorded whole; one pupil's, and totals."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.attendance import WITHDRAWN
from domain.codes.attendance import PRESENT, Half
from domain.errors import Finding
from domain.files.spreadsheets import not_a_formula
from domain.school_time import today
from scripts.cli.client import Client
from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused, Refused
from scripts.cli.options import ClassName, Json, PupilId, read_academic_year, read_day
from scripts.cli.output import clean, day, say, show_fields, show_json, show_table
from scripts.cli.roll import class_called, every_pupil, name_of
from scripts.cli.sheets import FOR_PEOPLE, PUPIL_ID, UPN, column_of, read_sheet, write_sheet

app = typer.Typer(
    no_args_is_help=True, help="Show and mark registers, and what the attendance of a pupil comes to."
)

LONGEST_TEMPLATE = 40
"""School days for which one file may be written."""

On = Annotated[
    str | None, typer.Option("--on", parser=read_day, metavar="DATE", help="The day; otherwise today.")
]
From = Annotated[str, typer.Option("--from", parser=read_day, metavar="DATE", help="The first day.")]
To = Annotated[str, typer.Option("--to", parser=read_day, metavar="DATE", help="The last day.")]
Reason = Annotated[str | None, typer.Option(help="Why what was there before is wrong.")]
Number = Annotated[int, typer.Option(min=0, metavar="N", help="Sessions, which are half days.")]

_COLUMN = re.compile(r"(?P<day>\S+)\s+(?P<half>AM|PM)", re.IGNORECASE)


@app.command()
def register(context: typer.Context, class_name: ClassName, on: On = None, as_json: Json = False) -> None:
    """Show the register of a class for a day."""
    with signed_in(context) as client:
        reply = _register(client, class_called(client, class_name)["class_id"], on)
    if as_json:
        show_json(reply)
        return
    show_table(
        ["Pupil id", "Name", "AM", "PM"],
        [[row["pupil_id"], name_of(row), row["am"], row["pm"]] for row in reply["pupils"]],
        title=f"{reply['class_name']}, {day(reply['date'])}",
        whole=("Pupil id",),
    )
    for half in ("am", "pm"):
        if reply[half]:
            say(f"{half.upper()}: {_counted(reply[half])}")


def _register(client: Client, class_id: str, on: str | None) -> dict[str, Any]:
    found: dict[str, Any] = client.query(f"/v1/classes/{class_id}/attendance", date=on).body
    return found


def _counted(codes: dict[str, int]) -> str:
    return ", ".join(f"{count} × {clean(code)}" for code, count in codes.items())


@app.command()
def template(
    context: typer.Context,
    class_name: ClassName,
    on: On = None,
    days: Annotated[
        int,
        typer.Option(min=1, max=LONGEST_TEMPLATE, metavar="N", help="For so many days, Monday to Friday."),
    ] = 1,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write to a file that only you can read.")
    ] = None,
) -> None:
    """Write a CSV file with the pupils of a class and what is marked already, for `attendance record`."""
    chosen = _school_days(date.fromisoformat(on) if on else today(), days)
    with signed_in(context) as client:
        class_id = class_called(client, class_name)["class_id"]
        registers = [_register(client, class_id, each.isoformat()) for each in chosen]
    marks: dict[str, list[str]] = {row["pupil_id"]: [] for row in registers[0]["pupils"]}
    for each in registers:
        there = {row["pupil_id"]: row for row in each["pupils"]}
        for pupil_id, cells in marks.items():
            row = there.get(pupil_id, {})
            cells += [row.get("am") or "", row.get("pm") or ""]
    columns = [f"{each.isoformat()} {half}" for each in chosen for half in Half]
    rows = [[PUPIL_ID, "Surname", "Forename", *columns]]
    for row in registers[0]["pupils"]:
        names = [not_a_formula(name or "") for name in (row["surname"] or row["alias"], row["forename"])]
        rows.append([row["pupil_id"], *names, *marks[row["pupil_id"]]])
    if write_sheet(output, rows):
        command = f'target-tracker attendance record {output} --class "{registers[0]["class_name"]}"'
        say(f"{output} is written: fill it in, and record it with: {command}")


def _school_days(first: date, count: int) -> list[date]:
    days: list[date] = []
    each = first
    while len(days) < count:
        if count == 1 or each.weekday() < 5:
            days.append(each)
        each += timedelta(days=1)
    return days


@app.command()
def record(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="CSV: a column UPN or Pupil id, and such as 2026-09-07 AM."),
    ],
    class_name: ClassName,
    reason: Reason = None,
) -> None:
    """Record the registers of a class from a file: all of it, or nothing.

    An empty cell says nothing; - takes away the mark that is there. What is there already is not recorded
    again. In a file / stands for a child who was there in the afternoon, too.
    """
    columns, rows = _rows(file)
    with signed_in(context) as client:
        ids: dict[str, str] = {}
        if any(UPN in row for row in rows):
            pupils = every_pupil(client, on_roll="any")["pupils"]
            ids = {pupil["upn"]: pupil["pupil_id"] for pupil in pupils if pupil["upn"]}
        class_id = class_called(client, class_name)["class_id"]
        there = {}
        for each in sorted({on for on, _ in columns.values()}):
            for row in _register(client, class_id, each)["pupils"]:
                there[row["pupil_id"], each] = row
        entries = _entries(columns, rows, ids, there)
        if not entries:
            say("Nothing in the file differs from what is recorded.")
            return
        done = _send(client, class_id, entries, reason)
    say(f"{_sessions(done['sessions'])} recorded, of {_pupils(done['pupils'])}.")


def _sessions(count: int) -> str:
    return f"{count} session" if count == 1 else f"{count} sessions"


def _pupils(count: int) -> str:
    return f"{count} pupil" if count == 1 else f"{count} pupils"


Columns = dict[str, tuple[str, Half]]
"""The columns of a file that hold marks: the day and the half of it, by the name of the column."""


def _rows(file: Path) -> tuple[Columns, list[dict[str, str]]]:
    """The columns of marks of a file, and its rows by column.

    Raises:
        Misused: It is not such a file, or has two columns for one session.
    """
    heading, rows = read_sheet(file)
    columns: Columns = {}
    wrong = []
    for name in heading:
        if column_of(name) in {UPN, PUPIL_ID} or name.strip().casefold() in FOR_PEOPLE:
            continue
        session = _session_of(name)
        if session is None or session in columns.values():
            accepted = "UPN, Pupil id, or a day and AM or PM, such as 2026-09-07 AM, and each of them once"
            wrong.append(Finding(field="heading", found=name[:60], accepted=accepted))
        else:
            columns[column_of(name)] = session
    if wrong or not columns or not {UPN, PUPIL_ID} & set(map(column_of, heading)):
        raise Misused(
            f"{file} needs a column UPN or Pupil id, and one for each session, such as 2026-09-07 AM", wrong
        )
    return columns, rows


def _session_of(name: str) -> tuple[str, Half] | None:
    """The day and the half of it that a heading names; nothing, if it names none."""
    found = _COLUMN.fullmatch(name.strip())
    if found is None:
        return None
    try:
        return read_day(found["day"]), Half(found["half"].upper())
    except typer.BadParameter:
        return None


Entries = list[tuple[int, dict[str, Any]]]
"""What is sent, with the rows of the file that it comes from."""


def _entries(
    columns: Columns,
    rows: list[dict[str, str]],
    ids: dict[str, str],
    there: dict[tuple[str, str], dict[str, Any]],
) -> Entries:
    """What of the rows is not recorded yet, pupil by pupil and day by day.

    Raises:
        Misused: A row names no pupil.
    """
    entries: Entries = []
    findings = []
    for number, row in enumerate(rows, start=2):
        marked: dict[str, dict[str, str]] = {}
        for column, (on, half) in columns.items():
            if text := row.get(column, "").upper():
                marked.setdefault(on, {})[half.lower()] = PRESENT[half] if text in PRESENT.values() else text
        if not marked:
            continue
        pupil_id = row.get(PUPIL_ID) or ids.get(row.get(UPN, "").upper())
        if not pupil_id:
            found = row.get(UPN) or "nothing"
            accepted = "the UPN of a pupil of this school"
            findings.append(Finding(field=UPN, found=found[:60], accepted=accepted, row=number))
            continue
        for on, marks in marked.items():
            known = there.get((pupil_id, on), {})
            new = {half: mark for half, mark in marks.items() if mark != (known.get(half) or WITHDRAWN)}
            if new:
                entries.append((number, {"pupil_id": pupil_id, "date": on, **new}))
    if findings:
        raise Misused("Some rows name no pupil of this school, so nothing was sent", findings)
    return entries


def _send(client: Client, class_id: str, entries: Entries, reason: str | None) -> dict[str, Any]:
    """Records it.

    Raises:
        Refused: The service refuses; what it says of an entry is said of the row that it comes from.
    """
    body = {"entries": [entry for _, entry in entries], "reason": reason}
    try:
        done: dict[str, Any] = client.command("POST", f"/v1/classes/{class_id}/attendance", body).body
    except Refused as refused:
        for finding in refused.problem.get("findings", []):
            if 1 <= finding.get("row", 0) <= len(entries):
                finding["row"] = entries[finding["row"] - 1][0]
        raise
    return done


@app.command()
def show(
    context: typer.Context,
    pupil_id: PupilId,
    year: Annotated[
        int | None,
        typer.Option(
            "--year", parser=read_academic_year, metavar="YEAR", help="Academic year; otherwise this one."
        ),
    ] = None,
    first_day: Annotated[
        str | None, typer.Option("--from", parser=read_day, metavar="DATE", help="From this day on.")
    ] = None,
    last_day: Annotated[
        str | None, typer.Option("--to", parser=read_day, metavar="DATE", help="Up to this day.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what the attendance of a pupil comes to in a year or a period, and the marks."""
    asked = {"academic_year": year, "from": first_day, "to": last_day}
    with signed_in(context) as client:
        reply = client.query(f"/v1/pupils/{pupil_id}/attendance", **asked)
    if as_json:
        show_json(reply.content)
        return
    summary, days = reply.body["summary"], reply.body["days"]
    show_fields(
        [
            ("From", day(summary["from"])),
            ("To", day(summary["to"])),
            ("Counted from", summary["source"]),
            ("Possible sessions", summary["possible"]),
            ("Attended", _share(summary["attended"], summary["percent_attended"])),
            ("Missed with leave", summary["authorised"]),
            ("Missed without leave", summary["unauthorised"]),
            ("Late", summary["late"]),
            ("Persistently absent", summary["persistently_absent"]),
            ("Severely absent", summary["severely_absent"]),
            *([("On no list", _counted(summary["unknown"]))] if summary["unknown"] else []),
            *(("Set aside", _period(each) + f": {each['why']}") for each in summary["set_aside"]),
            *(("Totals of", _period(each)) for each in summary["totals"]),
        ]
    )
    if days:
        show_table(["Day", "AM", "PM"], [[day(each["date"]), each["am"], each["pm"]] for each in days])


def _share(number: int, percent: float | None) -> str:
    return str(number) if percent is None else f"{number} ({percent} %)"


def _period(each: dict[str, Any]) -> str:
    return f"{day(each['from'])} to {day(each['to'])}"


@app.command()
def mark(
    context: typer.Context,
    pupil_id: PupilId,
    on: On = None,
    am: Annotated[str | None, typer.Option("--am", metavar="CODE", help="/, L, I, ...; - for none.")] = None,
    pm: Annotated[str | None, typer.Option("--pm", metavar="CODE", help="\\, L, I, ...; - for none.")] = None,
    reason: Reason = None,
) -> None:
    """Mark a session of a pupil, or both of a day; what was marked first stays in the history."""
    if am is None and pm is None:
        raise Misused("Say what to mark: --am, --pm or both")
    entry = {"date": on or today().isoformat(), "am": am, "pm": pm}
    with signed_in(context) as client:
        body = {"days": [entry], "reason": reason}
        done = client.command("POST", f"/v1/pupils/{pupil_id}/attendance", body).body
    say(f"{_sessions(done['sessions'])} marked.")


@app.command()
def totals(
    context: typer.Context,
    pupil_id: PupilId,
    first_day: From,
    last_day: To,
    possible: Number,
    attended: Number,
    authorised: Number,
    unauthorised: Number,
    reason: Reason = None,
) -> None:
    """Record totals of a period, for when there are no marks: possible = attended + the sessions missed."""
    body = {
        "from": first_day,
        "to": last_day,
        "possible": possible,
        "attended": attended,
        "authorised": authorised,
        "unauthorised": unauthorised,
        "reason": reason,
    }
    with signed_in(context) as client:
        client.command("POST", f"/v1/pupils/{pupil_id}/attendance/totals", body)
    say("Recorded.")


@app.command("void-totals")
def void_totals(
    context: typer.Context, pupil_id: PupilId, first_day: From, last_day: To, reason: Reason = None
) -> None:
    """Void the totals of exactly this period; what was entered stays in the history."""
    body = {"from": first_day, "to": last_day, "reason": reason}
    with signed_in(context) as client:
        client.command("POST", f"/v1/pupils/{pupil_id}/attendance/totals/void", body)
    say("Voided.")
