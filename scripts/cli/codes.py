"""The code sets: what codes stand for, and on which days they are valid."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused
from scripts.cli.options import Json, read_day
from scripts.cli.output import clean, day, say, show_json, show_table

TELLING = {
    "attendance": ("classification", "Counts as"),
    "ethnicity": ("main_code", "Main"),
    "language": ("eal", "EAL"),
    "assessment-component": ("area", "Area"),
}
"""Of the details that some sets have, the one that people look for, and its heading."""

MOST_NAMED = 6
"""So many codes are named beside a note; of more, the first few."""


def add_to(app: typer.Typer) -> None:
    """Adds this command to the whole."""
    app.command()(codes)


def codes(
    context: typer.Context,
    code_set: Annotated[
        str | None, typer.Argument(metavar="SET", help="The set, such as sen-provision; all, if none.")
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", parser=read_day, metavar="DATE", help="Those of this day only.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the code sets, or show one: what its codes stand for, and when they are valid."""
    if code_set is None and on:
        raise Misused("Say which set: target-tracker codes SET --on DATE")
    with signed_in(context) as client:
        if code_set is None:
            reply = client.query("/v1/codes")
        else:
            name = code_set.strip().lower().replace("_", "-")
            reply = client.query(f"/v1/codes/{quote(name, safe='')}", on=on)
    if as_json:
        show_json(reply.content)
    elif code_set is None:
        rows = [[each["code_set"], each["codes"], each["title"]] for each in reply.body]
        show_table(["Set", "Codes", "Title"], rows, right=("Codes",), whole=("Set",))
    else:
        _show(reply.body)


def _show(body: dict[str, Any]) -> None:
    entries: list[dict[str, Any]] = body["entries"]
    detail, heading = TELLING.get(body["code_set"], ("", ""))
    columns: dict[str, list[object]] = {
        "Code": [entry["code"] for entry in entries],
        "Stands for": [entry["description"] for entry in entries],
    }
    if detail:
        columns[heading] = [_told(entry["details"].get(detail)) for entry in entries]
    for title, field in (("From", "valid_from"), ("Until", "valid_to")):
        if any(entry[field] for entry in entries):
            columns[title] = [day(entry[field]) for entry in entries]
    if any(entry["successor"] for entry in entries):
        columns["Then"] = [entry["successor"] for entry in entries]
    title = body["title"] + (f", on {day(body['on'])}" if body["on"] else "")
    if entries:
        show_table(
            list(columns),
            list(zip(*columns.values(), strict=True)),
            title=title,
            whole=("Code", "From", "Until"),
        )
    else:
        say(f"{title}: no codes.")
    for each in body["ranges"]:
        stage = f" ({each['stage']})" if each["stage"] else ""
        expected = f", expected {each['expected']}" if each["expected"] is not None else ""
        say(clean(f"{each['description']}{stage}: {each['lowest']} to {each['highest']}{expected}"))
    for note, noted in _notes(entries).items():
        say(clean(f"{noted}: {note}"))
    say(clean(f"Source: {body['source']}"))


def _told(detail: object) -> object:
    return detail.replace("_", " ") if isinstance(detail, str) else detail


def _notes(entries: list[dict[str, Any]]) -> dict[str, str]:
    """The notes, with the codes that each is about."""
    about: dict[str, list[str]] = {}
    for entry in entries:
        if entry["note"]:
            about.setdefault(entry["note"], []).append(entry["code"])
    return {
        note: ", ".join(named)
        if len(named) <= MOST_NAMED
        else f"{', '.join(named[:3])} and {len(named) - 3} more"
        for note, named in about.items()
    }
