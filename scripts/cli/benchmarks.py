"""Benchmarks: what was released, for everybody; and making and withdrawing releases, for the operator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec
import typer

from domain.academic_year import academic_year_label
from domain.school_time import today
from scripts.cli import benchmark_files
from scripts.cli.comparing import By, NcYear, Scheme, Subject, add_compare_to
from scripts.cli.connection import signed_in
from scripts.cli.failures import ExitCode, Misused
from scripts.cli.operating import HOST, SETTINGS, worker_database
from scripts.cli.options import Json, read_academic_year, read_id
from scripts.cli.output import moment, say, show_fields, show_json, show_table

if TYPE_CHECKING:
    from projections.benchmarks.proposing import ProposalReport

app = typer.Typer(
    help="Show released benchmarks, or write them to files; propose, publish or withdraw a release."
)

MOST_SHOWN = 40
"""So many suppressed groups are shown as a table; the rest is in the whole report."""

SYMBOLS = "c: suppressed, so that nobody can be found. z: not applicable. low: rounds to nothing."


@app.callback(invoke_without_command=True)
def benchmarks(
    context: typer.Context,
    year: Annotated[
        int | None, typer.Option(parser=read_academic_year, metavar="YEAR", help="Academic year: 2025/26.")
    ] = None,
    term: Annotated[
        str | None, typer.Option(metavar="POINT", help="autumn, autumn-1, ..., or year for tests.")
    ] = None,
    subject: Subject = None,
    scheme: Scheme = "steps",
    nc_year: NcYear = None,
    by: By = "all",
    release: Annotated[
        int | None, typer.Option(help="This release; of each point the newest that stands, if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show released benchmarks: how all schools' pupils stand to what is expected of them."""
    if context.invoked_subcommand:
        return
    with signed_in(context) as client:
        reply = client.query(
            "/v1/benchmarks",
            academic_year=academic_year_label(year) if year is not None else None,
            assessment_point=term.strip().lower() if term else None,
            scheme=scheme.strip().lower(),
            subject=subject.strip().upper() if subject else None,
            nc_year=nc_year.strip().upper() if nc_year else None,
            characteristic=by.strip().lower().replace("-", "_"),
            release=release,
        )
    if as_json:
        show_json(reply.content)
        return
    groups: dict[tuple[str, ...], dict[str, str]] = {}
    for row in reply.body:
        group = (row["academic_year"], row["assessment_point"], row["subject"], row["nc_year"])
        groups.setdefault((*group, row["category"]), {})[row["measure"]] = _shown(row)
    if not groups:
        say("No benchmark has been released for this yet.")
        return
    measures = {"Pupils": "pupils", "Below": "below", "At": "at", "Above": "above", "Points": "mean_points"}
    measures["Gain"] = "progress"
    one = by == "all"
    show_table(
        ["Year", "Term", "Subject", "NC year", *([] if one else ["Category"]), *measures],
        [
            [*(group[:-1] if one else group), *(figures.get(name) for name in measures.values())]
            for group, figures in groups.items()
        ],
        right=list(measures),
        whole=list(measures),
    )
    say("Below, at and above what is expected at the end of that term; points gained since the one before.")
    say(SYMBOLS)
    for number in sorted({row["release"] for row in reply.body if row["withdrawn"]}):
        say(f"Release {number} has been WITHDRAWN and should not be used: target-tracker benchmarks releases")


def _shown(row: dict[str, Any]) -> str:
    if row["value"] is None:
        return str(row["symbol"])
    value = float(row["value"])
    if row["measure"] == "pupils":
        return f"{value:.0f}"
    return f"{value:.0%}" if row["measure"] in {"below", "at", "above"} else f"{value:.1f}"


add_compare_to(app)


@app.command()
def releases(context: typer.Context, as_json: Json = False) -> None:
    """List the releases, and those that were withdrawn."""
    with signed_in(context) as client:
        reply = client.query("/v1/benchmarks/releases")
    if as_json:
        show_json(reply.content)
        return
    if not reply.body:
        say("No benchmark has been released yet.")
        return
    show_table(
        ["Release", "Released", "Schools", "Withdrawn", "Because"],
        [
            [
                row["release"],
                moment(row["released_at"]),
                row["schools"],
                moment(row["withdrawn_at"]) if row["withdrawn_at"] else None,
                row["withdrawn_because"],
            ]
            for row in reply.body
        ],
        right=("Release", "Schools"),
    )


@app.command(rich_help_panel=HOST, epilog=SETTINGS)
def propose(
    point: Annotated[
        list[str] | None,
        typer.Option(
            metavar="POINT",
            help="2025/26:autumn, 2025/26:year, ...; all that are over and not released, if none.",
        ),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A TOML file with rules of disclosure control."),
    ] = None,
    as_json: Json = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the whole report to a new file, as JSON.")
    ] = None,
) -> None:
    """Count every school and say what a release would tell, and what not, and why; nothing is released.

    The report holds nothing about a single school or pupil. TARGET_TRACKER_DATABASE names the database as the
    role target_tracker_worker.
    """
    from projections.benchmarks.points import Point
    from projections.benchmarks.proposing import propose
    from projections.benchmarks.rules import read_rules
    from scripts.composition import Settings

    points = [Point.read(each) for each in point] if point else None
    chosen = read_rules(rules)
    if output is not None and output.exists():
        raise Misused(f"{output} is there already")
    settings = Settings.of()
    with worker_database() as database:
        report = propose(
            database, settings.service_keys(), today(), chosen, points, conninfo=settings.conninfo()
        )
    whole = msgspec.json.format(msgspec.json.encode(report), indent=2)
    if output is not None:
        output.write_bytes(whole + b"\n")
    if as_json:
        show_json(whole)
        return
    _show_report(report)
    if output is not None:
        say(f"The whole report is in {output}.")


def _show_report(report: ProposalReport) -> None:
    if report.proposal is None:
        say("No point is due: all that are over have been released, or nobody has results there.")
        return
    show_table(
        ["Point", "Closed by", "Schools", "Tables", "Figures", "Suppressed"],
        [
            [
                each.point,
                f"{each.closed_by} of {report.schools}",
                each.schools,
                each.tables,
                each.figures,
                each.suppressed,
            ]
            for each in report.points
        ],
        right=("Closed by", "Schools", "Tables", "Figures", "Suppressed"),
    )
    show_table(
        ["Rule", "Groups of which figures are suppressed"],
        [[rule, number] for rule, number in report.rules_applied.items()],
        right=("Groups of which figures are suppressed",),
    )
    show_table(
        ["Point", "Scheme", "Subject", "NC year", "Group", "Because"],
        [
            [
                each.point,
                each.scheme,
                each.subject,
                each.nc_year,
                f"{each.characteristic} {each.category}",
                each.because,
            ]
            for each in report.suppressed[:MOST_SHOWN]
        ],
        title="Suppressed",
    )
    if len(report.suppressed) > MOST_SHOWN:
        say(f"... and {len(report.suppressed) - MOST_SHOWN} more: --json or --output FILE has all of them.")
    say("Nothing has been released. To release this:")
    say(f"target-tracker benchmarks publish {report.proposal}")


@app.command(rich_help_panel=HOST, epilog=SETTINGS)
def publish(
    proposal: Annotated[
        str, typer.Argument(parser=read_id, metavar="PROPOSAL", help="The id that `propose` showed.")
    ],
) -> None:
    """Release what was proposed. It cannot be changed or taken back, only be said to be withdrawn.

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_worker.
    """
    from projections.benchmarks.publishing import publish

    with worker_database() as database:
        published = publish(database, UUID(proposal))
    say(
        f"Release {published.release}: {', '.join(published.points)}; {published.figures} figures, "
        f"{published.suppressed} of them suppressed."
    )


@app.command(rich_help_panel=HOST, epilog=SETTINGS)
def withdraw(
    release: Annotated[int, typer.Argument(help="The number of the release.")],
    because: Annotated[str, typer.Option(help="Why; everybody will read it, so name nobody.")],
) -> None:
    """Say that a release should not be used any more. Its figures stay where they are.

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_worker.
    """
    from projections.benchmarks.publishing import withdraw

    with worker_database() as database:
        withdraw(database, release, because)
    say(f"Release {release} is withdrawn, and says so wherever it is shown.")


@app.command(rich_help_panel=HOST, epilog=SETTINGS)
def verify(as_json: Json = False) -> None:
    """Hold the released tables against the operator's stream; ends with 1 if they differ.

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_worker, or target_tracker_api.
    """
    from projections.benchmarks.publishing import verify

    with worker_database() as database:
        found = verify(database)
    if as_json:
        show_json(msgspec.json.encode(found))
    else:
        show_fields(
            [
                ("Events in the operator's stream", found.events),
                ("Their hashes", "agree" if found.stream_agrees else "DO NOT AGREE"),
                ("Releases compared", len(found.releases)),
                ("Releases that differ", ", ".join(map(str, found.differing)) or "none"),
            ]
        )
    if found.differing or not found.stream_agrees:
        raise typer.Exit(ExitCode.REFUSED)


benchmark_files.add_to(app)
