"""Statements of Assessing Pupil Progress: the school's set, and how a pupil's are judged."""

from __future__ import annotations

import csv
import sys
from io import StringIO
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import Finding
from domain.files.encoding import encoding_of
from domain.statements import BANDS
from scripts.cli.client import Client
from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused
from scripts.cli.options import AcademicYear, Json, PupilId, TermOption, read_day, read_id
from scripts.cli.output import say, show_json, show_table

app = typer.Typer(no_args_is_help=True, help="Register, judge and show statements.")

COLUMNS = ("Subject", "Code", "Band", "Text")

_BANDS = frozenset(map(str, BANDS))
"""The bands, as a file writes them."""

Subject = Annotated[str | None, typer.Option(metavar="CODE", help="Of one subject only.")]


@app.command("list")
def list_statements(context: typer.Context, subject: Subject = None, as_json: Json = False) -> None:
    """List the school's statements."""
    with signed_in(context) as client:
        reply = client.query("/v1/statements", subject=subject)
    if as_json:
        show_json(reply.content)
        return
    show_table(
        ["Subject", "Code", "Band", "Text", "State", "Statement id"],
        [
            [
                each["subject"],
                each["code"],
                each["band"],
                each["text"],
                "withdrawn" if each["withdrawn"] else "in use",
                each["statement_id"],
            ]
            for each in reply.body
        ],
        whole=("Statement id",),
    )


@app.command()
def register(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV with the columns Subject, Code, Band and Text.")
    ],
) -> None:
    """Add the statements of a file to the school's set: all of them, or none."""
    statements = _statements_in(file)
    with signed_in(context) as client:
        client.command("POST", "/v1/statements", {"statements": statements})
    say(f"{len(statements)} statements are registered.")


def _statements_in(file: Path) -> list[dict[str, Any]]:
    try:
        content = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    except OSError as error:
        raise Misused(f"{file} cannot be read: {error.strerror}") from None
    reader = csv.DictReader(StringIO(content.decode(encoding_of(content)), newline=""), strict=True)
    try:
        heading = {name: name.strip().capitalize() for name in reader.fieldnames or []}
        rows = [
            {heading.get(name, ""): (value or "").strip() for name, value in row.items()} for row in reader
        ]
    except (csv.Error, AttributeError) as error:
        raise Misused(f"{file} is not a CSV file: {error}") from None
    if missing := [name for name in ("Subject", "Code", "Text") if name not in heading.values()]:
        raise Misused(f"{file} needs the columns {', '.join(COLUMNS)}: {', '.join(missing)} is missing")
    findings = [
        Finding(field="Band", found=row["Band"][:60], accepted="1 to 6, or nothing", row=number)
        for number, row in enumerate(rows, start=2)
        if row.get("Band") and row["Band"] not in _BANDS
    ]
    if findings:
        raise Misused("Some rows are not as they must be, so nothing was sent", findings)
    return [
        {
            "subject": row["Subject"],
            "code": row["Code"],
            "text": row["Text"],
            "band": int(row["Band"]) if row.get("Band") else None,
        }
        for row in rows
    ]


@app.command()
def withdraw(
    context: typer.Context,
    statement_id: Annotated[
        str, typer.Argument(parser=read_id, metavar="STATEMENT", help="The statement's id.")
    ],
) -> None:
    """Take a statement out of use; what was judged before stays."""
    with signed_in(context) as client:
        client.command("POST", f"/v1/statements/{statement_id}/withdraw")
    say("Withdrawn.")


@app.command()
def judge(
    context: typer.Context,
    pupil_id: PupilId,
    judgements: Annotated[
        list[str],
        typer.Argument(metavar="CODE=JUDGEMENT", help="Such as 3N-04=achieved; or not-yet, working-towards."),
    ],
    year: AcademicYear,
    term: TermOption,
    subject: Subject = None,
    on: Annotated[
        str | None, typer.Option(parser=read_day, metavar="DATE", help="When the child was assessed.")
    ] = None,
) -> None:
    """Record judgements of a pupil's statements: all of them, or none."""
    with signed_in(context) as client:
        ids = _ids_by_code(client, subject)
        sent = [_judgement(text, ids) for text in judgements]
        sheet = {"academic_year": year, "term": term.value, "judgements": sent, "assessed_on": on}
        client.command("POST", f"/v1/pupils/{pupil_id}/statements", sheet)
    say(f"{len(sent)} judgements are recorded.")


def _ids_by_code(client: Client, subject: str | None) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for each in client.query("/v1/statements", subject=subject).body:
        if not each["withdrawn"]:
            ids.setdefault(each["code"].casefold(), []).append(each["statement_id"])
    return ids


def _judgement(text: str, ids: dict[str, list[str]]) -> dict[str, str]:
    code, equals, value = text.partition("=")
    found = ids.get(code.strip().casefold(), [])
    if not equals or not found:
        raise Misused(
            f"{text!r} is not the code of a statement in use and a judgement, such as 3N-04=achieved"
        )
    if len(found) > 1:
        raise Misused(f"Several subjects have a statement {code.strip()}: say which one with --subject")
    return {"statement_id": found[0], "value": value}


@app.command()
def show(
    context: typer.Context,
    pupil_id: PupilId,
    subject: Subject = None,
    as_json: Json = False,
) -> None:
    """Show how a pupil's statements are judged."""
    with signed_in(context) as client:
        reply = client.query(f"/v1/pupils/{pupil_id}/statements", subject=subject)
    if as_json:
        show_json(reply.content)
        return
    show_table(
        ["Subject", "Code", "Judgement", "Text"],
        [
            [each["subject"], each["code"], each["judgement"], each["text"]]
            for each in reply.body["statements"]
        ],
    )
    for each in reply.body["subjects"]:
        judged = ", ".join(f"{number} {judgement}" for judgement, number in sorted(each["judged"].items()))
        say(f"{each['subject']}: {each['statements']} statements; {judged or 'none is judged'}")
