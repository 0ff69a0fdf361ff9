"""All that the staff did: listed, and exported."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.files.spreadsheets import not_a_formula
from domain.vault import private_files
from scripts.cli.auditing import Limit, Since, Until, User
from scripts.cli.client import Client
from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused
from scripts.cli.options import Json, read_id
from scripts.cli.output import moment, say, show_json, show_table
from scripts.cli.staff import member_called

PAGE = 500
"""Lines that an export asks for at once."""


def read_place(text: str) -> str:
    """Where a page ended, such as `13572-0`."""
    if re.fullmatch(r"\d{1,18}-\d{1,9}", text, re.ASCII):
        return text
    raise typer.BadParameter(f"{text!r} is not a place such as the end of a page shows")


def add_to(app: typer.Typer) -> None:
    """Adds the command to the whole."""
    app.command()(usage)


def usage(
    context: typer.Context,
    user: User = None,
    pupil: Annotated[
        str | None,
        typer.Option(parser=read_id, metavar="PUPIL", help="Only reads and releases that showed this pupil."),
    ] = None,
    since: Since = None,
    until: Until = None,
    before: Annotated[
        str | None,
        typer.Option(parser=read_place, metavar="PLACE", help="What came before the end of a page."),
    ] = None,
    limit: Limit = 50,
    to_csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write all of it to a file that only you can read."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List what staff did, the newest first (for administrators).

    That is every login, failure and logout, every read of pupils' records, every refusal, every release of
    named data, and every change of an account, a password, a login key or a headteacher's permission.
    """
    if to_csv is not None and as_json:
        raise Misused("Name --csv or --json, not both")
    with signed_in(context) as client:
        asked = {
            "staff_id": member_called(client, user)["staff_id"] if user else None,
            "pupil_id": pupil,
            "since": since,
            "until": until,
        }
        if to_csv is not None:
            lines = _write_usage(to_csv, _all_usage(client, before, asked))
            say(f"{to_csv} is written: {lines} lines.")
            return
        reply = client.query("/v1/usage", before=before, limit=limit, **asked)
    if as_json:
        show_json(reply.content)
        return
    show_table(
        ["When", "Who", "What", "Details"],
        [
            [moment(line["happened_at"]), _who(line), WHAT[line["kind"]], "; ".join(_said(line))]
            for line in reply.body["usage"]
        ],
    )
    if reply.body["next"] is not None:
        say(f"There is more: --before {reply.body['next']}")


WHAT = {
    "login": "logged in",
    "logout": "logged out",
    "failure": "turned away",
    "key": "login key",
    "password": "password",
    "access": "account",
    "refusal": "refused",
    "read": "read",
    "loss": "not recorded",
    "permission": "permission",
    "release": "released",
}
"""What was done, in words."""


def _who(line: dict[str, Any]) -> str:
    """Who did something, as people call them."""
    if line["staff_id"] is None:
        return "the operator" if line["actor"] == "operator" else "nobody known"
    return str(line["display_name"] or line["staff_id"])


def _said(line: dict[str, Any]) -> Iterator[str]:
    """What there is to say of a line besides who, when and what."""
    if line["what"]:
        yield line["what"]
    if line["about_name"]:
        yield f"of {line['about_name']}"
    if line["route"]:
        yield line["route"]
    if line["kind"] in {"read", "release"}:
        names = "" if line["named"] or not line["pupils"] else ", without names"
        yield f"{line['pupils']} pupil{'' if line['pupils'] == 1 else 's'}{names}"
    if line["kind"] == "loss":
        yield f"{line['times']} reads while the database was away"
    elif line["times"] != 1:
        yield f"{line['times']} times"


def _all_usage(client: Client, before: str | None, asked: dict[str, str | None]) -> Iterator[dict[str, Any]]:
    """All usage that fits, page by page; what happens meanwhile is newer than the first, and left out."""
    while True:
        page = client.query("/v1/usage", before=before, limit=PAGE, **asked).body
        yield from page["usage"]
        if (before := page["next"]) is None:
            return


EXPORTED = (
    "happened_at",
    "kind",
    "what",
    "actor",
    "display_name",
    "staff_id",
    "about_name",
    "about_id",
    "route",
    "times",
    "named",
    "pupils",
    "session_id",
    "key_id",
    "position",
    "number",
)
"""The columns of an export: every field that the API gives."""


def _write_usage(file: Path, lines: Iterable[dict[str, Any]]) -> int:
    """Writes an export whole or not at all, and says how many lines it has."""
    written = 0
    try:
        with private_files.replacing(file) as output:
            writer = csv.writer(codecs.getwriter("utf-8-sig")(output), lineterminator="\r\n")
            writer.writerow(EXPORTED)
            for line in lines:
                writer.writerow([_cell(line[field]) for field in EXPORTED])
                written += 1
    except OSError as error:
        raise Misused(f"{file} cannot be written: {error.strerror}") from None
    return written


def _cell(value: object) -> object:
    """A value as a spreadsheet shows it, and does not calculate it."""
    return not_a_formula(value) if isinstance(value, str) else value
