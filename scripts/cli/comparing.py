"""The school beside the benchmark: its own figures, and those of all schools and of its likes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from domain.academic_year import academic_year_label
from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused
from scripts.cli.options import AcademicYear, Json
from scripts.cli.output import clean, moment, say, show_json, show_table
from scripts.cli.progressing import write_form

SYMBOLS = "c: suppressed, so that nobody can be found. z: not applicable. x: not available."
MEASURES = {"Pupils": "pupils", "Below": "below", "At": "at", "Above": "above", "Points": "mean_points"}
MEASURES["Gain"] = "progress"


def add_compare_to(benchmarks: typer.Typer) -> None:
    """Adds the command to those about benchmarks."""
    benchmarks.command()(compare)


Subject = Annotated[str | None, typer.Option(metavar="CODE", help="REA, WRI, MAT, ...")]
Scheme = Annotated[str, typer.Option(metavar="NAME", help="The scheme of the results.")]
NcYear = Annotated[str | None, typer.Option(metavar="YEAR", help="The NC year.")]
By = Annotated[str, typer.Option(metavar="CHARACTERISTIC", help="sex, free_school_meals, region, ...")]


def compare(
    context: typer.Context,
    year: AcademicYear,
    term: Annotated[
        str, typer.Option(metavar="POINT", help="autumn, autumn-1, ..., or year for results of a year.")
    ],
    subject: Subject = None,
    scheme: Scheme = "steps",
    nc_year: NcYear = None,
    by: By = "all",
    release: Annotated[
        int | None, typer.Option(help="This release; the newest that stands, if not given.")
    ] = None,
    to_csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write it to a file that only you can read.")
    ] = None,
    to_page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE", help="Write a page to print to a file only you can read."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the school's own figures beside the released ones of all schools and of schools like it."""
    if sum(map(bool, (to_csv, to_page, as_json))) > 1:
        raise Misused("Name one of --csv, --page and --json")
    asked = {
        "academic_year": academic_year_label(year),
        "assessment_point": term.strip().lower(),
        "subject": subject.strip().upper() if subject else None,
        "scheme": scheme.strip().lower(),
        "nc_year": nc_year.strip().upper() if nc_year else None,
        "characteristic": by.strip().lower().replace("-", "_"),
        "release": release,
    }
    with signed_in(context) as client:
        if file := to_csv or to_page:
            form = "csv" if to_csv else "html"
            write_form(file, client.query("/v1/benchmarks/compare", format=form, **asked).content)
            return
        reply = client.query("/v1/benchmarks/compare", **asked)
    if as_json:
        show_json(reply.content)
        return
    _show(reply.body)


def _show(answer: dict[str, Any]) -> None:
    release, likes = answer["release"], answer["likes"]
    one = answer["characteristic"] == "all"
    columns = ["Subject", "Year", *([] if one else ["Part"]), "Whose", *MEASURES]
    show_table(
        columns,
        [
            [table["subject"], table["nc_year"], *([] if one else [row["category"]]), *figures]
            for table in answer["tables"]
            for row in table["rows"]
            for figures in _figures(row)
        ],
        title=f"Beside the benchmark: {answer['assessment_point']} {answer['academic_year']}",
        right=list(MEASURES),
        whole=list(MEASURES),
    )
    say(f"own: as recorded by now (position {answer['position']}). all: all schools, or those of the part,")
    say(f"as counted for release {release['release']}, {moment(release['released_at'])}.")
    if likes is None:
        say("The school had nobody on its roll at this point, so no school is like it.")
    else:
        fifth, _, size = clean(likes["label"]).partition("; ")
        say(
            f"like: {fifth};"
            if likes["fifths"]
            else "like: there are too few schools for fifths by free meals;"
        )
        say(f"{size}.")
    _show_tenths(answer)
    say(SYMBOLS)
    if release["withdrawn_at"]:
        say(f"Release {release['release']} has been WITHDRAWN and should not be used:")
        say(clean(release["withdrawn_because"]))


def _figures(row: dict[str, Any]) -> list[list[str | None]]:
    found = []
    for whose, name in (("own", "own"), ("all", "released"), ("like", "similar")):
        figures = {measure: cell[name] for measure, cell in row["cells"].items()}
        if any(figures.values()):
            found.append([whose, *(_figure(measure, figures[measure]) for measure in MEASURES.values())])
    return found


def _figure(measure: str, figure: dict[str, Any] | None) -> str | None:
    if figure is None:
        return None
    if figure["value"] is None:
        return str(figure["symbol"])
    value = float(figure["value"])
    if measure == "pupils":
        return f"{value:.0f}"
    return f"{value:.1%}" if measure in {"below", "at", "above"} else f"{value:.1f}"


def _show_tenths(answer: dict[str, Any]) -> None:
    """In which tenth of the schools the school lies, where that is told."""
    rows = []
    for table in answer["tables"]:
        for row in table["rows"]:
            for heading, measure in MEASURES.items():
                tenth = (row["cells"][measure]["spread"] or {}).get("tenth")
                if tenth:
                    between = sorted({tenth["lowest"], tenth["highest"]})
                    rows.append([table["subject"], table["nc_year"], heading, " to ".join(map(str, between))])
    if rows:
        show_table(
            ["Subject", "Year", "Figure", "Tenth"],
            rows,
            title="The tenth of the schools that the school is in, from the lowest value (1) up",
        )
