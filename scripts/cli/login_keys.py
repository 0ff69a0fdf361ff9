"""The school's login keys: which there are, one more, and taking one back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.vault.login_key import laid_out
from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused, Unreachable
from scripts.cli.options import Json, read_id
from scripts.cli.output import moment, say, show_json, show_table

KeyId = Annotated[str, typer.Argument(parser=read_id, metavar="KEY", help="The login key's id.")]
KeyOut = Annotated[
    Path, typer.Option("--out", metavar="FILE", help="The file to write the login key to; it must be new.")
]


def add_to(app: typer.Typer) -> None:
    """Adds these commands to the group of those about keys."""
    app.command("list")(list_keys)
    app.command()(issue)
    app.command()(revoke)


def new_key_file(path: Path) -> None:
    """Makes the file that a login key will be written to, before there is a key that could be lost.

    Raises:
        Misused: It is there already, or cannot be made.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise Misused(f"{path} is there already: name a new file for the login key") from None
    except OSError as error:
        raise Misused(f"{path} cannot be written: {error.strerror}") from None


def write_key_file(path: Path, login_key: str) -> None:
    """Writes a login key into the file that :func:`new_key_file` made.

    Raises:
        Misused: It cannot be written; the file is removed, since half a key opens nothing.
    """
    try:
        path.write_text(laid_out(login_key) + "\n", encoding="ascii")
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Misused(
            f"{path} cannot be written: {error.strerror}. The login key was issued, and nobody has it: "
            "see target-tracker keys list, and revoke it"
        ) from None


def list_keys(context: typer.Context, as_json: Json = False) -> None:
    """List the school's login keys; the keys themselves are kept nowhere."""
    with signed_in(context) as client:
        reply = client.query("/v1/login-keys")
    if as_json:
        show_json(reply.content)
        return
    show_table(
        ["Key", "Label", "From", "Issued", "Revoked", "Sessions"],
        [
            [
                key["key_id"],
                key["label"],
                key["origin"],
                moment(key["issued_at"]),
                _revoked(key),
                key["sessions"],
            ]
            for key in reply.body
        ],
        whole=("Key",),
        right=("Sessions",),
    )


def issue(
    context: typer.Context,
    out: KeyOut,
    label: Annotated[str | None, typer.Option(help="What the school calls it, such as an office.")] = None,
) -> None:
    """Issue one more login key, into a file; those that there are stay good."""
    with signed_in(context) as client:
        new_key_file(out)
        try:
            issued = client.command("POST", "/v1/login-keys", {"label": label}).body
        except Unreachable as error:
            out.unlink()
            raise Unreachable(
                f"{error.message}\nA login key may have been issued whose answer got lost: nobody has it, "
                "and nobody can be told it again. See target-tracker keys list, and revoke it"
            ) from None
        except BaseException:
            out.unlink()
            raise
    write_key_file(out, issued["login_key"])
    say(f"The login key {issued['key_id']} is in {out}. Keep the file as you would a key to the school.")


def revoke(
    context: typer.Context,
    key_id: KeyId,
    leaked: Annotated[
        bool,
        typer.Option(
            "--leaked",
            help="Somebody else may have it: replace every key of the school, and end every session.",
        ),
    ] = False,
) -> None:
    """Take a login key back: it opens nothing any more, and its sessions end at once."""
    with signed_in(context) as client:
        done = client.command("POST", f"/v1/login-keys/{key_id}/revoke", {"leaked": leaked}).body
    say(f"The login key is revoked, and {_sessions(done['sessions'])} ended.")
    if leaked:
        say(f"The school's keys and those of {done['subjects']} people were replaced: log in again.")
    if done["live"] == 0:
        say("The school has no login key left: the operator can issue one from recovery.", style="bold")


def _revoked(key: dict[str, Any]) -> str | None:
    if key["revoked_at"] is None:
        return None
    return moment(key["revoked_at"]) + (", leaked" if key["leaked"] else "")


def _sessions(number: int) -> str:
    return {0: "no session", 1: "1 session"}.get(number, f"{number} sessions")
