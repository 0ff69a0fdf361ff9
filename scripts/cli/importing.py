"""Importing files of pupils, or trying out what an import would do."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import Finding
from scripts.cli.client import Client
from scripts.cli.connection import operator, signed_in
from scripts.cli.failures import ExitCode, Misused, Refused, findings_in
from scripts.cli.mapping import mapped, offer_mapping
from scripts.cli.options import Json, OperatorTokenFile, read_day
from scripts.cli.output import say, show_findings, show_json, show_table

SHOWN = 20
"""So many rows of each kind are shown, unless all are asked for."""

OUTCOMES = ("created", "changed", "left", "unchanged", "refused")


def add_to(app: typer.Typer) -> None:
    """Adds these commands to the whole."""
    app.command("import")(import_file)


def import_file(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The file; - for standard input. `mapping FILE`: only guess a mapping."
        ),
    ],
    guessed: Annotated[Path | None, typer.Argument(metavar="FILE", hidden=True)] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="How to read any other CSV file: the mapping of its columns."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With `import mapping FILE`: where the guess goes.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report what would happen.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Show every row, however many there are.")
    ] = False,
    whole_roll: Annotated[
        bool, typer.Option("--whole-roll", help="The file has everybody: who is not in it has left.")
    ] = False,
    allow_leavers: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="With --whole-roll: let N leave, more than a tenth of the roll."
        ),
    ] = None,
    joined_on: Annotated[
        str | None,
        typer.Option(
            "--joined-on",
            parser=read_day,
            metavar="DATE",
            help="Date of entry of new pupils whose file, from the school before, gives none.",
        ),
    ] = None,
    other_destination: Annotated[
        bool,
        typer.Option("--other-destination", help="Take a Common Transfer File that is for another school."),
    ] = False,
    login_key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="As the operator: the login key that the school gave for this."),
    ] = None,
    operator_token_file: OperatorTokenFile = None,
    as_json: Json = False,
) -> None:
    """Import a Target Tracker import file (CSV) or a Common Transfer File (XML).

    All of it is taken, or nothing: if a row is refused, the command says why and ends with 1. What is there
    already changes nothing when it comes again.

    Any other CSV file of pupils is imported with --mapping, which says what each of its columns is. `import
    mapping FILE` guesses one and imports nothing.
    """
    if guessed is not None:
        if file != Path("mapping"):
            raise Misused(f"One file at a time: {file} or {guessed}")
        if dry_run or mapping or whole_roll or allow_leavers is not None:
            raise Misused("`import mapping FILE` only guesses: it takes --output, and nothing is imported")
        content = _content(guessed)
        with _caller(context, operator_token_file, login_key_file) as client:
            offer_mapping(client, content, output, as_json=as_json)
        return
    if output is not None:
        raise Misused("--output goes with `import mapping FILE`")
    if allow_leavers is not None and not whole_roll:
        raise Misused("--allow-leavers goes with --whole-roll: no other file takes anybody off the roll")
    content = _content(file)
    if mapping:
        content = mapped(content, mapping)
    with _caller(context, operator_token_file, login_key_file) as client:
        try:
            report = client.command(
                "POST",
                "/v1/imports/mapped" if mapping else "/v1/imports",
                content=content,
                parameters={
                    "dry_run": "true" if dry_run else "false",
                    "whole_roll": "true" if whole_roll else "false",
                    "other_destination": "true" if other_destination else "false",
                }
                | ({} if allow_leavers is None else {"allow_leavers": str(allow_leavers)})
                | ({} if joined_on is None else {"joined_on": joined_on}),
                headers={"Content-Type": f"application/{'json' if mapping else 'octet-stream'}"},
            ).body
        except Refused as refused:
            report = refused.problem.get("report")
            if not isinstance(report, dict):
                raise
    if as_json:
        show_json(report)
    else:
        _show(report, None if everything else SHOWN)
    if report["counts"]["refused"]:
        raise typer.Exit(ExitCode.REFUSED)


def _caller(
    context: typer.Context, operator_token_file: Path | None, login_key_file: Path | None
) -> AbstractContextManager[Client]:
    if login_key_file:
        return operator(context, operator_token_file, login_key_file)
    return signed_in(context)


def _content(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    except OSError as error:
        raise Misused(f"{file} cannot be read: {error.strerror}") from None


def _show(report: dict[str, Any], most: int | None) -> None:
    counts, rows = report["counts"], report["rows"]
    refused = [finding for row in rows for finding in findings_in(row)]
    if refused:
        title = "Refused rows" if any(finding.row is not None for finding in refused) else "Refused"
        say(title, style="bold")
        show_findings(refused, most=most, error=False)
    changed = [row for row in rows if row["outcome"] == "changed"]
    if changed:
        _show_changed(changed, most)
    flagged = [finding for row in rows for finding in findings_in(row, "flags")]
    if flagged:
        say("Kept as it came, and to be looked at", style="bold")
        _show_flagged(flagged, most)
    kept = [row for row in rows if row.get("kept")]
    if kept:
        _show_kept(kept, most)
    left = [row for row in rows if row["outcome"] == "left"]
    if left:
        show_table(
            ["Pupil id"],
            [[row["pupil_id"]] for row in left[:most]],
            title="Not in the file, and off the roll",
            whole=("Pupil id",),
        )
        _say_more(len(left), most)
    show_table(
        ["Outcome", "Rows"],
        [[outcome, counts[outcome]] for outcome in OUTCOMES],
        title="In short",
        right=("Rows",),
    )
    if counts["results"]:
        say(f"Results added or corrected: {counts['results']}")
    for kind, number in report["dropped"].items():
        say(f"Not taken: {kind}" + (f" ({number})" if number else ""))
    say(_conclusion(report), style="bold")


def _show_changed(changed: list[dict[str, Any]], most: int | None) -> None:
    shown = changed[:most]
    show_table(
        ["Row", "Pupil id", "Results", "Fields that change"],
        [
            [row["row"], row.get("pupil_id"), row.get("results", 0), ", ".join(row.get("fields", []))]
            for row in shown
        ],
        title="Changed rows",
        right=("Row", "Results"),
        whole=("Pupil id",),
    )
    _say_more(len(changed), most)


def _show_flagged(flagged: list[Finding], most: int | None) -> None:
    show_table(
        ["Row", "Field", "Found", "What is said of it"],
        [[each.row, each.field, each.found, each.accepted] for each in flagged[:most]],
        right=("Row",),
    )
    _say_more(len(flagged), most)


def _show_kept(kept: list[dict[str, Any]], most: int | None) -> None:
    show_table(
        ["Row", "Pupil id", "Stays as the school entered it"],
        [[row["row"], row.get("pupil_id"), ", ".join(row["kept"])] for row in kept[:most]],
        title="What the file says otherwise, and does not replace",
        right=("Row",),
        whole=("Pupil id",),
    )
    _say_more(len(kept), most)


def _say_more(count: int, most: int | None) -> None:
    if most is not None and count > most:
        say(f"… and {count - most} more; --all shows them.")


def _conclusion(report: dict[str, Any]) -> str:
    counts = report["counts"]
    if counts["refused"]:
        if not any(row["row"] for row in report["rows"] if row["outcome"] == "refused"):
            return "Nothing was written."
        return "Nothing was written: correct the refused rows, and import the file again."
    if report["dry_run"]:
        return "This was a dry run: nothing was written."
    if report["repeated"]:
        return "This import had been done already."
    if not (counts["created"] or counts["changed"] or counts["left"]):
        return "Nothing was written: everything is there already."
    return "Imported."
