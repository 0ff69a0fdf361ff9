"""Logging in and out, and who is logged in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from domain.errors import NotSignedIn
from scripts.cli import devices, login_key_store, remembered
from scripts.cli.connection import Chosen, anonymous, chosen, current, login_key_in, signed_in
from scripts.cli.failures import Misused, Refused
from scripts.cli.options import Json, PasswordFile, password_from, read_id
from scripts.cli.output import moment, say, show_fields, show_json, show_table
from scripts.cli.remembered import Remembered

sessions_app = typer.Typer(no_args_is_help=True, help="See who is logged in, and end a session.")


def add_to(app: typer.Typer) -> None:
    """Adds these commands to the whole."""
    app.command()(login)
    app.command()(logout)
    app.command()(whoami)
    app.add_typer(sessions_app, name="sessions")


Urn = Annotated[str, typer.Option(prompt="URN of the school", help="The school's URN.")]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="The file of the school's login key: needed once, and remembered after that."
    ),
]


def known_login_key(server: str, urn: str, key_file: Path | None) -> str:
    """A school's login key, from its file or from where it was kept at the first login.

    Raises:
        Misused: It is in neither place, or damaged.
    """
    key = login_key_in(key_file) if key_file else login_key_store.recall(server, urn)
    if key is None:
        raise Misused("This school's login key is not known here yet: name its file once, with --key-file")
    return key


def login(
    context: typer.Context,
    urn: Urn,
    username: Annotated[str, typer.Option("--username", "--user", prompt=True, help="Your username.")],
    password_file: PasswordFile = None,
    key_file: KeyFile = None,
    server: Annotated[str | None, typer.Option(metavar="URL", help="The service's address.")] = None,
    ca: Annotated[Path | None, typer.Option(metavar="FILE", help="The authority of its certificate.")] = None,
) -> None:
    """Log in; asks for the password, or reads it from a file.

    The school's login key is read from its file the first time, and kept in your system's keyring after
    that; or, where there is none, in a file that only you can read.
    """
    before = chosen(context)
    context.obj = choice = Chosen(server or before.server, ca or before.ca)
    with anonymous(context) as client:
        key = known_login_key(client.server, urn, key_file)
        password = password_from(password_file, "Password")
        credentials = {
            "login_key": key,
            "username": username,
            "password": password,
            "device": devices.recall(client.server, urn, username),
        }
        opened = client.command("POST", "/v1/sessions", credentials).body
        devices.remember(client.server, urn, username, opened["device"])
        # First of all: a session that is not remembered is lost, and stays open at the service.
        remembered.remember(
            Remembered(
                server=client.server,
                token=opened["token"],
                school_id=opened["school_id"],
                staff_id=opened["staff_id"],
                urn=urn,
                username=username,
                display_name=opened["display_name"],
                level=opened["access"]["level"],
                ca=str(choice.ca.absolute()) if choice.ca else None,
            )
        )
        who = f"{opened['display_name']} ({opened['access']['level']})"
        if key_file:
            try:
                where = login_key_store.store(client.server, urn, key)
            except Misused as error:
                raise Misused(
                    f"You are logged in as {who}, but the login key is not kept, and the next login needs "
                    f"--key-file again. {error.message}"
                ) from None
            say(f"The login key is kept in {where}.")
    say(f"You are logged in as {who}.")


def logout(
    context: typer.Context,
    forget_key: Annotated[
        bool,
        typer.Option(
            "--forget-key",
            help="Also remove the school's login key from this device: the next login needs its file again.",
        ),
    ] = False,
) -> None:
    """Log out: the session ends here and at the service."""
    session = remembered.recall()
    if session is None and forget_key:
        raise Misused(
            "You were not logged in, so it is not known which school's login key to remove: "
            "log in, and then log out with --forget-key"
        )
    try:
        with signed_in(context) as client:
            client.command("DELETE", "/v1/sessions/current")
    except Refused as refused:
        if refused.status != 401:
            raise
    except NotSignedIn:
        say("You were not logged in.")
        return
    remembered.forget()
    say("You are logged out.")
    if session and forget_key:
        login_key_store.forget(session.server, session.urn)
        say("The school's login key is not kept on this device any more.")


def whoami(context: typer.Context, as_json: Json = False) -> None:
    """Show who is logged in, and at which school."""
    session = current()
    with signed_in(context) as client:
        reply = client.query("/v1/school")
    if as_json:
        show_json(reply.content)
        return
    facts = reply.body["facts"]
    show_fields(
        [
            ("Name", session.display_name),
            ("Username", session.username),
            ("Access", session.level),
            ("School", facts["name"]),
            ("URN", facts["urn"]),
            ("LA and number", f"{facts['local_authority']}/{facts['establishment']}"),
            ("Region", facts["region"]),
            ("Position", reply.body["position"]),
            ("Service", session.server),
        ]
    )


@sessions_app.callback()
def sessions() -> None:
    """See who is logged in, and end a session."""


@sessions_app.command("list")
def list_sessions(context: typer.Context, as_json: Json = False) -> None:
    """List the school's open sessions, the newest first."""
    with signed_in(context) as client:
        reply = client.query("/v1/sessions")
        members = client.query("/v1/staff").body
    if as_json:
        show_json(reply.content)
        return
    names = {member["staff_id"]: member["username"] for member in members}
    show_table(
        ["Session", "User", "Opened", "Last used"],
        [
            [
                each["session_id"],
                names.get(each["staff_id"]),
                moment(each["opened_at"]),
                "this one" if each["current"] else moment(each["last_used_at"]),
            ]
            for each in reply.body
        ],
        whole=("Session",),
    )


@sessions_app.command()
def end(
    context: typer.Context,
    session_id: Annotated[str, typer.Argument(parser=read_id, metavar="SESSION", help="The session's id.")],
) -> None:
    """End a session of anybody at the school."""
    with signed_in(context) as client:
        client.command("DELETE", f"/v1/sessions/{session_id}")
    say("The session has ended.")
