"""What happened at a school, and who logged in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from scripts.cli.client import Client
from scripts.cli.connection import signed_in
from scripts.cli.failures import Refused
from scripts.cli.options import Json, read_day
from scripts.cli.output import clean, moment, say, show_json, show_table
from scripts.cli.staff import member_called

Limit = Annotated[int, typer.Option(min=1, max=500, metavar="N", help="The most entries to show.")]
User = Annotated[str | None, typer.Option("--user", metavar="USERNAME", help="Only this account.")]
Since = Annotated[
    str | None, typer.Option("--since", parser=read_day, metavar="DATE", help="From this day on.")
]
Until = Annotated[
    str | None, typer.Option("--until", parser=read_day, metavar="DATE", help="Up to this day.")
]


def add_to(app: typer.Typer) -> None:
    """Adds these commands to the whole."""
    app.command()(history)
    app.command()(logins)


def history(
    context: typer.Context,
    after: Annotated[int, typer.Option(min=0, metavar="N", help="What happened after this position.")] = 0,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show what happened at the school, event by event (for administrators)."""
    with signed_in(context) as client:
        reply = client.query("/v1/history", after=after, limit=limit)
        if as_json:
            show_json(reply.content)
            return
        show_history(client, reply.body["entries"])
    if reply.body["next"] is not None:
        say(f"There is more: --after {reply.body['next']}")


def show_history(client: Client, entries: Iterable[dict[str, Any]]) -> None:
    """Shows events; who caused them by name, to those who may know."""
    try:
        names = {member["staff_id"]: member["display_name"] for member in client.query("/v1/staff").body}
    except Refused:
        names = {}
    show_table(
        ["No.", "Recorded", "Event", "By", "Details"],
        [
            [
                entry["position"],
                moment(entry["recorded_at"]),
                entry["event"],
                _actor(entry["actor"], names),
                "; ".join(_details(entry["details"])),
            ]
            for entry in entries
        ],
        right=("No.",),
        whole=("Event",),
    )


UNSAID = {"pupil_id", "session_id", "import_id", "scheme"}
"""Fields that a table of events leaves out: they say nothing that people look for."""


def _actor(actor: dict[str, Any] | None, names: dict[str, str]) -> str:
    if actor is None:
        return "unknown"
    return names.get(actor.get("staff_id", ""), str(actor["kind"]))


def _details(details: dict[str, Any]) -> Iterable[str]:
    """What an event says, field by field, ids last."""
    for field, value in sorted(details.items(), key=lambda item: item[0].endswith("_id")):
        if isinstance(value, dict):
            yield from _details(value)
        elif value not in (None, [], "") and field not in UNSAID:
            yield f"{field} {_value(value)}"


def _value(value: object) -> str:
    """A value in one line; of a list of things with fields of their own, their number."""
    if not isinstance(value, list):
        return clean(value)
    if any(isinstance(each, dict) for each in value):
        return str(len(value))
    return ", ".join(map(str, value))


def logins(
    context: typer.Context,
    user: User = None,
    since: Since = None,
    until: Until = None,
    before: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Those before this position.")
    ] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List logins, logouts and failures, the newest first (for administrators)."""
    with signed_in(context) as client:
        staff_id = member_called(client, user)["staff_id"] if user else None
        reply = client.query(
            "/v1/logins", staff_id=staff_id, since=since, until=until, before=before, limit=limit
        )
    if as_json:
        show_json(reply.content)
        return
    show_table(
        ["No.", "When", "Who", "What", "Reason"],
        [
            [
                line["position"],
                moment(line["recorded_at"]),
                line["display_name"] or "nobody known",
                {"opened": "logged in", "closed": "logged out", "failed": "turned away"}.get(
                    line["outcome"], line["outcome"]
                ),
                line["reason"],
            ]
            for line in reply.body["logins"]
        ],
        right=("No.",),
        whole=("When",),
    )
    if reply.body["next"] is not None:
        say(f"There is more: --before {reply.body['next']}")
