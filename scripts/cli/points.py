"""Assessment points: what years are divided into, and what of them is closed."""

from __future__ import annotations

from typing import Annotated

import typer

from domain.academic_year import Term, when
from domain.assessment_points import Division
from scripts.cli.connection import signed_in
from scripts.cli.options import AcademicYear, Json, OptionalTerm, read_academic_year
from scripts.cli.output import day, say, show_json, show_table

app = typer.Typer(no_args_is_help=True, help="Show, choose, close and open assessment points.")

Reason = Annotated[str | None, typer.Option(help="Why.")]


@app.command("list")
def list_points(
    context: typer.Context,
    year: Annotated[
        int | None,
        typer.Option(parser=read_academic_year, metavar="YEAR", help="Academic year; this one, if none."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the assessment points of an academic year, and which are closed."""
    with signed_in(context) as client:
        reply = client.query("/v1/assessment-points", academic_year=year)
    if as_json:
        show_json(reply.content)
        return
    show_table(
        ["Point", "Over on", "State"],
        [
            [
                each["label"] if each["term"] else f"{each['label']}, results of the whole year",
                day(each["ends_on"]),
                "closed" if each["closed"] else "open",
            ]
            for each in reply.body["points"]
        ],
    )


@app.command()
def choose(
    context: typer.Context,
    division: Annotated[Division, typer.Argument(help="What years are divided into.", case_sensitive=False)],
    year: AcademicYear,
) -> None:
    """Divide academic years into three terms or six half-terms, from one on (administrators)."""
    with signed_in(context) as client:
        client.command("PUT", f"/v1/assessment-points/{year}", {"division": division.value})
    say(f"From {when(year, None).label} on, years are divided into {division.value}.")


@app.command()
def close(
    context: typer.Context, year: AcademicYear, term: OptionalTerm = None, reason: Reason = None
) -> None:
    """Close an assessment point: nothing is recorded, corrected or voided there any more (administrators)."""
    _set(context, year, term, reason, closed=True)


@app.command("open")
def reopen(
    context: typer.Context, year: AcademicYear, term: OptionalTerm = None, reason: Reason = None
) -> None:
    """Open an assessment point again (administrators)."""
    _set(context, year, term, reason, closed=False)


def _set(context: typer.Context, year: int, term: Term | None, reason: str | None, *, closed: bool) -> None:
    with signed_in(context) as client:
        path = f"/v1/assessment-points/{year}/{term.value if term else 'year'}"
        client.command("PUT", path, {"closed": closed, "reason": reason})
    of = "" if term else ", results of the whole year,"
    say(f"{when(year, term).label}{of} is {'closed' if closed else 'open'}.")
