"""Targets: shown, set one by one or for a whole class, and removed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from domain.academic_year import when
from domain.schemes.catalogue import STEPS
from scripts.cli.connection import signed_in
from scripts.cli.options import AcademicYear, Json, OptionalTerm, PupilId, SchemeName, read_id
from scripts.cli.output import say, show_json, show_table
from scripts.cli.sheets import codes_of, entries_of, rows_of

app = typer.Typer(no_args_is_help=True, help="Show, set and remove targets.")


@app.command("list")
def list_targets(context: typer.Context, pupil_id: PupilId, as_json: Json = False) -> None:
    """List a pupil's targets."""
    with signed_in(context) as client:
        reply = client.query(f"/v1/pupils/{pupil_id}/targets")
    if as_json:
        show_json(reply.content)
        return
    show_table(
        ["By", "Scheme", "Subject", "Target", "Target id"],
        [
            [
                when(each["academic_year"], each["term"]).label,
                each["scheme"],
                each["component"] or each["subject"],
                each["value"],
                each["target_id"],
            ]
            for each in reply.body["targets"]
        ],
        whole=("Target id",),
    )


@app.command("set")
def set_target(
    context: typer.Context,
    pupil_id: PupilId,
    subject: Annotated[str, typer.Option(metavar="CODE", help="REA, WRI, MAT, ...; as the scheme lists it.")],
    value: Annotated[str, typer.Option(metavar="VALUE", help="What is to be reached.")],
    year: AcademicYear,
    term: OptionalTerm = None,
    scheme: SchemeName = STEPS,
) -> None:
    """Set a target for an assessment point, or a whole year."""
    with signed_in(context) as client:
        target = {
            "academic_year": year,
            "term": term,
            "scheme": scheme,
            "subject": subject.strip().upper(),
            "value": value,
        }
        kept = client.command("POST", f"/v1/pupils/{pupil_id}/targets", target).body
    say(f"Set: target {kept['target_ids'][0]}.")


@app.command()
def record(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV: a column UPN or Pupil id, and one for each subject.")
    ],
    year: AcademicYear,
    term: OptionalTerm = None,
    scheme: SchemeName = STEPS,
) -> None:
    """Set the targets of a whole sheet at once, or none. The file is one that `sheet template` writes."""
    codes = codes_of(scheme, year)
    rows = rows_of(file, codes)
    with signed_in(context) as client:
        entries = entries_of(client, rows, codes)
        sheet = {"academic_year": year, "term": term, "scheme": scheme, "entries": entries}
        client.command("POST", "/v1/targets", sheet)
    say(f"{len(entries)} targets are set for {when(year, term).label}.")


@app.command()
def remove(
    context: typer.Context,
    pupil_id: PupilId,
    target_id: Annotated[str, typer.Argument(parser=read_id, metavar="TARGET", help="The target's id.")],
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
) -> None:
    """Remove a target; it stays in the history."""
    with signed_in(context) as client:
        client.command("POST", f"/v1/pupils/{pupil_id}/targets/{target_id}/remove", {"reason": reason})
    say("Removed.")
