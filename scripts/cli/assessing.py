"""Single judgements: recording one, and correcting one."""

from __future__ import annotations

from typing import Annotated

import typer

from scripts.cli.connection import signed_in
from scripts.cli.options import AcademicYear, PupilId, TermOption, read_day, read_id
from scripts.cli.output import say

app = typer.Typer(no_args_is_help=True, help="Record and correct single judgements.")

Value = Annotated[str, typer.Option("--value", metavar="STEP", help="A step, such as 3w+.")]


@app.command()
def record(
    context: typer.Context,
    pupil_id: PupilId,
    subject: Annotated[str, typer.Option(metavar="CODE", help="REA, WRI, MAT, ...")],
    value: Value,
    year: AcademicYear,
    term: TermOption,
    on: Annotated[
        str | None, typer.Option(parser=read_day, metavar="DATE", help="When the child was assessed.")
    ] = None,
) -> None:
    """Record a judgement."""
    with signed_in(context) as client:
        kept = client.command(
            "POST",
            f"/v1/pupils/{pupil_id}/assessments",
            {
                "academic_year": year,
                "term": term.value,
                "subject": subject.strip().upper(),
                "value": value,
                "assessed_on": on,
            },
        ).body
    say(f"Recorded: assessment {kept['assessment_id']}.")


@app.command()
def correct(
    context: typer.Context,
    pupil_id: PupilId,
    assessment_id: Annotated[
        str, typer.Argument(parser=read_id, metavar="ASSESSMENT", help="The assessment's id.")
    ],
    value: Value,
    reason: Annotated[str | None, typer.Option(help="Why it was wrong.")] = None,
) -> None:
    """Correct a judgement; what was first entered stays in the history."""
    with signed_in(context) as client:
        client.command(
            "POST",
            f"/v1/pupils/{pupil_id}/assessments/{assessment_id}/corrections",
            {"value": value, "reason": reason},
        )
    say("Corrected.")
