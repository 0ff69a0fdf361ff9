"""Erasing a child, which nobody can undo."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from domain.pupil import ERASURE_REASONS, ErasureReason
from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused
from scripts.cli.options import PupilId
from scripts.cli.output import say, show_fields
from scripts.cli.roll import name_of

WORD = "ERASE"
"""What is typed, or given, to confirm."""

REASONS = "; ".join(f"{reason}: {meaning}" for reason, meaning in ERASURE_REASONS.items())


def add_to(app: typer.Typer) -> None:
    """Adds the command to those about pupils."""
    app.command()(erase)


def erase(
    context: typer.Context,
    pupil_id: PupilId,
    reason: Annotated[ErasureReason, typer.Option(help=f"Why. {REASONS}.")],
    confirm: Annotated[
        str | None, typer.Option(metavar="WORD", help=f"{WORD}, where nobody is there to be asked.")
    ] = None,
) -> None:
    """Erase a child, for good: nobody, the operator included, can read anything of the record any more.

    For a child who leaves there is *pupils leave*, which keeps the record readable.
    """
    with signed_in(context) as client:
        pupil = client.query(f"/v1/pupils/{pupil_id}").body["pupil"]
        asked = client.command("POST", f"/v1/pupils/{pupil_id}/erasure", {"reason": reason.value}).body
        show_fields(
            [
                ("Pupil", name_of(pupil)),
                ("Class", pupil["class_name"]),
                ("Reason", ERASURE_REASONS[reason]),
                (
                    "Destroys",
                    f"events: {asked['events']} of the record, {asked['assessments']} of assessments, "
                    f"{asked['attendance']} of attendance, {asked['targets']} of targets, "
                    f"{asked['notes']} of notes, {asked['observations']} of observations",
                ),
            ]
        )
        say("This cannot be undone: not by you, not by the operator, not from a backup.", style="bold red")
        _confirmed(confirm)
        client.command(
            "POST",
            f"/v1/pupils/{pupil_id}/erase",
            {"reason": reason.value, "confirmation": asked["confirmation"]},
        )
    say("The child is erased.")


def _confirmed(given: str | None) -> None:
    if given is None:
        if not sys.stdin.isatty():
            raise Misused(f"There is no terminal to ask at: confirm with --confirm {WORD}")
        given = typer.prompt(f"Type {WORD} to erase the child", err=True)
    if given != WORD:
        raise Misused(f"Nothing was erased: that was not {WORD}")
