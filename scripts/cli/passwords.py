"""A new password for somebody who has lost theirs, with a code that goes to the school's official address."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from domain.letters import RESET_LASTS
from scripts.cli.connection import anonymous, secret_in
from scripts.cli.failures import Misused
from scripts.cli.options import PasswordFile, password_from
from scripts.cli.output import say
from scripts.cli.sessions import Urn, known_login_key

app = typer.Typer(no_args_is_help=True, help="Get a new password when yours is lost.")

User = Annotated[
    str, typer.Option("--user", "--username", metavar="NAME", prompt="Username", help="Your username.")
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="The file of the school's login key, if nobody has logged in from here yet."
    ),
]


@app.command()
def request(context: typer.Context, urn: Urn, username: User, key_file: KeyFile = None) -> None:
    """Have a code mailed to the school's official address, which sets a new password."""
    with anonymous(context) as client:
        key = known_login_key(client.server, urn, key_file)
        client.command("POST", "/v1/password-resets", {"login_key": key, "username": username})
    minutes = RESET_LASTS.total_seconds() / 60
    say(
        "If this account can be used, a code is on its way to the school's official address.\n"
        f"It works once, within {minutes:g} minutes, with: target-tracker password reset"
    )


@app.command()
def reset(
    context: typer.Context,
    urn: Urn,
    username: User,
    key_file: KeyFile = None,
    code_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Read the code from the first line of a file; - for standard input."
        ),
    ] = None,
    password_file: PasswordFile = None,
) -> None:
    """Set a new password with the code from the mail; asks for both, or reads them from files."""
    with anonymous(context) as client:
        key = known_login_key(client.server, urn, key_file)
        redemption = {
            "login_key": key,
            "username": username,
            "code": _code_from(code_file),
            "password": password_from(password_file, "The new password", twice=True),
        }
        client.command("POST", "/v1/password-resets/redeem", redemption)
    say("The password is set. Log in with: target-tracker login")


def _code_from(file: Path | None) -> str:
    """The code, from a file or from whoever sits at the terminal; never from the command line.

    Raises:
        Misused: There is neither.
    """
    if file == Path("-"):
        return sys.stdin.readline().strip()
    if file is not None:
        return secret_in(file).strip()
    if not sys.stdin.isatty():
        raise Misused("There is no terminal to ask for the code: name a file with --code-file")
    return str(typer.prompt("The code from the mail", hide_input=True, err=True)).strip()
