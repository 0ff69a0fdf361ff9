"""Registering schools, which the operator does."""

from __future__ import annotations

from typing import Annotated

import typer

from domain.school_time import today
from scripts.cli.connection import operator
from scripts.cli.failures import Misused
from scripts.cli.login_keys import KeyOut, new_key_file, write_key_file
from scripts.cli.options import OperatorTokenFile, PasswordFile, password_from, read_day
from scripts.cli.output import say, show_fields

app = typer.Typer(no_args_is_help=True, help="Register schools (for the operator).")


@app.callback()
def schools() -> None:
    """Register schools (for the operator)."""


@app.command()
def register(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="The school's name.")],
    urn: Annotated[str, typer.Option(help="Its Unique Reference Number.")],
    local_authority: Annotated[str, typer.Option("--local-authority", "--la", help="LA number, 3 digits.")],
    establishment: Annotated[str, typer.Option(help="Establishment number, 4 digits.")],
    region: Annotated[str, typer.Option(help="One of the nine regions of England.")],
    official_email: Annotated[str, typer.Option(help="Where new passwords are sent.")],
    administrator: Annotated[
        str, typer.Option(metavar="USERNAME", help="The first administrator's username.")
    ],
    administrator_name: Annotated[str, typer.Option(metavar="NAME", help="What colleagues call them.")],
    out: KeyOut,
    agreement_from: Annotated[
        str | None,
        typer.Option(parser=read_day, metavar="DATE", help="First day of the agreement; today if not given."),
    ] = None,
    headteacher: Annotated[
        bool, typer.Option("--headteacher", help="The first administrator is the headteacher.")
    ] = False,
    school_type: Annotated[
        str | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="infant, junior, primary, middle, all-through, special or other, for benchmarks.",
        ),
    ] = None,
    password_file: PasswordFile = None,
    operator_token_file: OperatorTokenFile = None,
) -> None:
    """Register a school and its first administrator, whose password is asked for or read from a file.

    The school's login key is written to a file: without it nobody can read the school's data, you neither.
    """
    with operator(context, operator_token_file) as client:
        password = password_from(password_file, "The administrator's first password", twice=True)
        new_key_file(out)
        try:
            registered = client.command(
                "POST",
                "/v1/schools",
                {
                    "facts": {
                        "name": name,
                        "urn": urn,
                        "local_authority": local_authority,
                        "establishment": establishment,
                        "region": region,
                    }
                    | ({"school_type": school_type} if school_type else {}),
                    "official_email": official_email,
                    "agreement_from": agreement_from or today().isoformat(),
                    "administrator": {"username": administrator, "display_name": administrator_name},
                    "password": password,
                    "headteacher": headteacher,
                },
            ).body
        except BaseException:
            out.unlink()
            raise
    say(f"{name} is registered.")
    show_fields(
        [("School id", registered["school_id"]), ("Administrator id", registered["administrator_id"])]
    )
    if registered["login_key"] is None:
        out.unlink()
        raise Misused(
            "The login key was told in an answer that got lost, and cannot be told again: "
            "issue another one with target-tracker keys reissue"
        )
    write_key_file(out, registered["login_key"])
    say(f"The school's login key is in {out}: hand it to the school, and keep no copy.")
