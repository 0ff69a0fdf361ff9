"""What has changed of the school's pupils after a position, for other systems that follow it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from scripts.cli.client import Client
from scripts.cli.connection import signed_in
from scripts.cli.options import Json
from scripts.cli.output import say, show_json, show_table
from scripts.cli.roll import PAGE, name_of


def add_to(app: typer.Typer) -> None:
    """Adds these commands to those about pupils."""
    app.command()(changes)


def changes(
    context: typer.Context,
    after: Annotated[
        int, typer.Option("--after", min=0, metavar="N", help="What was recorded after this position.")
    ],
    as_json: Json = False,
) -> None:
    """Show the pupils of whom something has changed after a position, as they stand now.

    At its end it says from which position to go on the next time.
    """
    with signed_in(context) as client:
        answer = _every_page(client, after)
    if as_json:
        show_json(answer)
    else:
        _show(answer)


def _every_page(client: Client, after: int) -> dict[str, Any]:
    """The whole of the feed, in the form of the API's answer: every page as the first one saw the school."""
    page: dict[str, Any] = client.query("/v1/pupils", updated_after_position=after, limit=PAGE).body
    whole = page
    while page["next"]:
        page = client.query(
            "/v1/pupils",
            updated_after_position=after,
            up_to_position=page["position"],
            limit=PAGE,
            after=page["next"],
        ).body
        # UPNs are null on every page, for those who may not see them.
        whole = page | {
            name: whole[name] + page[name] if page[name] is not None else None
            for name in ("pupils", "changes", "removed", "key_changes")
        }
    return whole


def _show(answer: dict[str, Any]) -> None:
    what = {change["pupil_id"]: change for change in answer["changes"]}
    if answer["pupils"]:
        show_table(
            ["Pupil id", "Name", "On roll", "Changed", "Position"],
            [
                [
                    pupil["pupil_id"],
                    name_of(pupil),
                    pupil["on_roll"],
                    ", ".join(what[pupil["pupil_id"]]["what"]),
                    what[pupil["pupil_id"]]["position"],
                ]
                for pupil in answer["pupils"]
            ],
            whole=("Pupil id",),
            right=("Position",),
        )
    if answer["removed"]:
        show_table(["Pupil id"], [[pupil_id] for pupil_id in answer["removed"]], title="Erased")
    if answer["key_changes"]:
        show_table(
            ["Pupil id", "UPN before", "UPN now"],
            [[each["pupil_id"], each["upn_before"], each["upn_after"]] for each in answer["key_changes"]],
            title="Another UPN",
            whole=("Pupil id",),
        )
    count = len(answer["pupils"]) + len(answer["removed"])
    say(f"{count} pupil{'' if count == 1 else 's'}; go on with --after {answer['position']}")
