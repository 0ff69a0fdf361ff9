"""Staff accounts, which a school's administrators look after."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.access import AccessLevel
from domain.errors import NotFound
from domain.staff import same_username
from scripts.cli.client import Client
from scripts.cli.connection import current, operator, signed_in
from scripts.cli.options import Json, OperatorTokenFile, PasswordFile, password_from, read_day, read_id
from scripts.cli.output import say, show_json, show_table

app = typer.Typer(no_args_is_help=True, help="Look after staff accounts (for administrators).")

Username = Annotated[str, typer.Argument(metavar="USERNAME", help="The account, by its username.")]
Level = Annotated[AccessLevel, typer.Option("--access", help="What they may do.", case_sensitive=False)]
Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--class", metavar="NAME", help="For limited-read-write: a class of theirs; give it again for more."
    ),
]
Until = Annotated[
    str,
    typer.Option(
        parser=read_day, metavar="DATE", help="The last day on which they may log in: within a year from now."
    ),
]

LoginKeyFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="As the operator: the login key that the school gave for this."),
]


@app.command("list")
def list_staff(context: typer.Context, as_json: Json = False) -> None:
    """List the school's accounts."""
    with signed_in(context) as client:
        reply = client.query("/v1/staff")
    if as_json:
        show_json(reply.content)
        return
    members = reply.body
    of_head = ["Headteacher"] if any(member["headteacher"] for member in members) else []
    of_advisers = ["Until", "Reason"] if any(member["adviser"] for member in members) else []
    show_table(
        ["Username", "Name", "Access", "Classes", "Disabled", *of_head, *of_advisers],
        [
            [
                member["username"],
                member["display_name"],
                member["access"]["level"],
                ", ".join(member["access"]["classes"]),
                member["disabled"],
                *(member["headteacher"] for _ in of_head),
                *((member["adviser"] or {}).get(column.lower()) for column in of_advisers),
            ]
            for member in members
        ],
    )


@app.command()
def add(
    context: typer.Context,
    username: Username,
    name: Annotated[str, typer.Option(help="What colleagues call them.")],
    access: Level,
    classes: Classes = None,
    password_file: PasswordFile = None,
) -> None:
    """Make an account; its first password is asked for or read from a file."""
    _add(context, username, name, access, classes, password_file)
    say(f"{username} can log in, with access {access.value}.")


@app.command()
def invite(
    context: typer.Context,
    username: Username,
    name: Annotated[str, typer.Option(help="What they are called here.")],
    access: Level,
    until: Until,
    reason: Annotated[str, typer.Option(help="Why they are let in.")],
    classes: Classes = None,
    password_file: PasswordFile = None,
) -> None:
    """Let an adviser in: somebody from outside, with an account that ends by itself."""
    _add(context, username, name, access, classes, password_file, {"reason": reason, "until": until})
    say(f"{username} can log in until {until}, with access {access.value}.")


@app.command()
def prolong(context: typer.Context, username: Username, until: Until) -> None:
    """Give an adviser another last day, later or earlier."""
    with signed_in(context) as client:
        member = member_called(client, username)
        client.command("PUT", f"/v1/staff/{member['staff_id']}/adviser", {"until": until})
    say(f"{member['username']} can log in until {until}.")


def _add(
    context: typer.Context,
    username: str,
    name: str,
    access: AccessLevel,
    classes: list[str] | None,
    password_file: Path | None,
    adviser: dict[str, str] | None = None,
) -> None:
    with signed_in(context) as client:
        password = password_from(password_file, "Their first password", twice=True)
        client.command(
            "POST",
            "/v1/staff",
            {
                "username": username,
                "display_name": name,
                "access": {"level": access.value, "classes": classes or []},
                "password": password,
                "adviser": adviser,
            },
        )


@app.command("set-access")
def set_access(context: typer.Context, username: Username, access: Level, classes: Classes = None) -> None:
    """Change what an account may do."""
    with signed_in(context) as client:
        member = member_called(client, username)
        client.command(
            "PUT",
            f"/v1/staff/{member['staff_id']}/access",
            {"level": access.value, "classes": classes or []},
        )
    say(f"{member['username']} has access {access.value} now.")


@app.command("appoint-headteacher")
def appoint_headteacher(
    context: typer.Context,
    username: Username,
    login_key_file: LoginKeyFile = None,
    operator_token_file: OperatorTokenFile = None,
) -> None:
    """Give an administrator the role of headteacher, who alone permits releases of named data.

    While there is a headteacher, only they appoint another; and nobody appoints themselves. As the operator,
    who may not list accounts, name the account by its id.
    """
    _set_headteacher(context, "headteacher", username, login_key_file, operator_token_file)
    say(f"{username} is headteacher now.")


@app.command("end-headteacher")
def end_headteacher(
    context: typer.Context,
    username: Username,
    login_key_file: LoginKeyFile = None,
    operator_token_file: OperatorTokenFile = None,
) -> None:
    """End the role of headteacher: your own, or as the operator. What was permitted stands until revoked."""
    _set_headteacher(context, "headteacher/end", username, login_key_file, operator_token_file)
    say(f"{username} is not headteacher any more.")


def _set_headteacher(
    context: typer.Context,
    step: str,
    username: str,
    login_key_file: Path | None,
    operator_token_file: Path | None,
) -> None:
    caller: AbstractContextManager[Client] = signed_in(context)
    if login_key_file:
        caller = operator(context, operator_token_file, login_key_file)
    with caller as client:
        staff_id = read_id(username) if login_key_file else member_called(client, username)["staff_id"]
        client.command("POST", f"/v1/staff/{staff_id}/{step}")


@app.command()
def disable(context: typer.Context, username: Username) -> None:
    """End the use of an account, and every session of it."""
    with signed_in(context) as client:
        member = member_called(client, username)
        client.command("POST", f"/v1/staff/{member['staff_id']}/disable")
    say(f"{member['username']} can no longer log in.")


@app.command()
def enable(context: typer.Context, username: Username) -> None:
    """Let an account be used again."""
    with signed_in(context) as client:
        member = member_called(client, username)
        client.command("POST", f"/v1/staff/{member['staff_id']}/enable")
    say(f"{member['username']} can log in again.")


@app.command("sign-out")
def sign_out(context: typer.Context, username: Username) -> None:
    """End every session of an account; it can log in again."""
    with signed_in(context) as client:
        member = member_called(client, username)
        ended = client.command("DELETE", f"/v1/staff/{member['staff_id']}/sessions").body["ended"]
    say(f"{member['username']} is signed out: sessions that ended: {ended}.")


@app.command("set-password")
def set_password(
    context: typer.Context,
    username: Annotated[
        str | None, typer.Argument(metavar="[USERNAME]", help="The account; your own, if not given.")
    ] = None,
    password_file: PasswordFile = None,
) -> None:
    """Set a password: your own, or as an administrator anybody's."""
    session = current()
    with signed_in(context) as client:
        staff_id = session.staff_id
        if username and same_username(username) != same_username(session.username):
            staff_id = member_called(client, username)["staff_id"]
        password = password_from(password_file, "The new password", twice=True)
        client.command("PUT", f"/v1/staff/{staff_id}/password", {"password": password})
    say("The password is set.")


def member_called(client: Client, username: str) -> dict[str, Any]:
    """The account with this username.

    Raises:
        NotFound: There is none.
    """
    wanted = same_username(username)
    members: list[dict[str, Any]] = client.query("/v1/staff").body
    for member in members:
        if same_username(member["username"]) == wanted:
            return member
    raise NotFound(f"Nobody at this school has the username {username}")
