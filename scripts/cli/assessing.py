"""Single assessments: recording, correcting and voiding one."""

from __future__ import annotations

from typing import Annotated

import typer

from domain.schemes.catalogue import STEPS
from scripts.cli.connection import signed_in
from scripts.cli.options import AcademicYear, OptionalTerm, PupilId, SchemeName, read_day, read_id
from scripts.cli.output import say

app = typer.Typer(no_args_is_help=True, help="Record, correct and void single judgements and results.")

Value = Annotated[
    str, typer.Option("--value", metavar="VALUE", help="A step, such as 3w+; or a value of the scheme.")
]
AssessmentId = Annotated[
    str, typer.Argument(parser=read_id, metavar="ASSESSMENT", help="The assessment's id.")
]


@app.command()
def record(
    context: typer.Context,
    pupil_id: PupilId,
    subject: Annotated[str, typer.Option(metavar="CODE", help="REA, WRI, MAT, ...; as the scheme lists it.")],
    value: Value,
    year: AcademicYear,
    term: OptionalTerm = None,
    scheme: SchemeName = STEPS,
    on: Annotated[
        str | None, typer.Option(parser=read_day, metavar="DATE", help="When the child was assessed.")
    ] = None,
) -> None:
    """Record a judgement or result."""
    with signed_in(context) as client:
        kept = client.command(
            "POST",
            f"/v1/pupils/{pupil_id}/assessments",
            {
                "academic_year": year,
                "term": term,
                "scheme": scheme,
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
    assessment_id: AssessmentId,
    value: Value,
    reason: Annotated[str | None, typer.Option(help="Why it was wrong.")] = None,
) -> None:
    """Correct an assessment; what was first entered stays in the history."""
    with signed_in(context) as client:
        client.command(
            "POST",
            f"/v1/pupils/{pupil_id}/assessments/{assessment_id}/corrections",
            {"value": value, "reason": reason},
        )
    say("Corrected.")


@app.command()
def void(
    context: typer.Context,
    pupil_id: PupilId,
    assessment_id: AssessmentId,
    reason: Annotated[str, typer.Option(help="Why it should not be there.")],
) -> None:
    """Take an assessment out of all that is shown and counted; it stays in the history."""
    with signed_in(context) as client:
        client.command("POST", f"/v1/pupils/{pupil_id}/assessments/{assessment_id}/void", {"reason": reason})
    say("Voided.")
