"""The assessment schemes: which there are, and what each of them takes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from domain.academic_year import academic_year_label
from scripts.cli.connection import signed_in
from scripts.cli.options import Json
from scripts.cli.output import say, show_json, show_table

app = typer.Typer(no_args_is_help=True, help="Show the scales on which results are recorded.")


def _years(version: dict[str, Any]) -> str:
    first, last = (
        "" if version[field] is None else academic_year_label(version[field])
        for field in ("first_year", "last_year")
    )
    return f"{first or 'always'} to {last}" if last else f"from {first} on" if first else "any"


@app.command("list")
def list_schemes(context: typer.Context, as_json: Json = False) -> None:
    """List the schemes with their versions."""
    with signed_in(context) as client:
        reply = client.query("/v1/schemes")
    if as_json:
        show_json(reply.content)
        return
    show_table(
        ["Scheme", "Version", "Years", "Results of a", "What it is"],
        [
            [scheme["scheme"], each["version"], _years(each), _OF[each["entered"]], each["title"]]
            for scheme in reply.body
            for each in scheme["versions"]
        ],
        whole=("Scheme", "Version"),
    )


_OF = {"point": "term", "year": "year", "either": "term or year"}


@app.command()
def show(
    context: typer.Context,
    scheme: Annotated[str, typer.Argument(metavar="SCHEME", help="The scheme, such as ks2-tests.")],
    as_json: Json = False,
) -> None:
    """Show what a scheme measures, which values it takes, and what they count."""
    with signed_in(context) as client:
        reply = client.query(f"/v1/schemes/{scheme}")
    if as_json:
        show_json(reply.content)
        return
    for version in reply.body["versions"]:
        say(f"{version['title']} ({version['version']}), {_years(version)}")
        say(f"Takes {version['accepted']}")
        show_table(
            ["Code", "What it is"], [[each["code"], each["description"]] for each in version["measures"]]
        )
        scales = version["scales"]
        show_table(
            ["Value", "What it stands for", *scales],
            [
                [each["value"], each["description"], *(each["points"].get(scale) for scale in scales)]
                for each in version["values"]
            ],
            right=tuple(scales),
        )
