"""The headteacher's permissions to release named data, and releases under them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from domain.permissions import Scope
from domain.vault import private_files
from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused
from scripts.cli.options import Json, read_day, read_id
from scripts.cli.output import say, show_json, show_table

permissions = typer.Typer(
    no_args_is_help=True, help="Permit releases of named data to somebody outside (for the headteacher)."
)
release = typer.Typer(no_args_is_help=True, help="Release data to somebody outside, with permission.")


class ScopeWord(StrEnum):
    """What is released, as it is typed."""

    SCHOOL_FIGURES = "school-figures"
    NAMED_PUPILS = "named-pupils"

    @property
    def scope(self) -> Scope:
        """The same for the API."""
        return Scope(self.value.replace("-", "_"))


Recipient = Annotated[str, typer.Option("--recipient", metavar="WHO", help="Who is to have the data.")]
Purpose = Annotated[str, typer.Option("--purpose", metavar="WORDS", help="What for.")]
What = Annotated[
    ScopeWord,
    typer.Option(
        "--scope", case_sensitive=False, help="The school's own figures, or pupils by name with results."
    ),
]
PermissionId = Annotated[
    str, typer.Argument(parser=read_id, metavar="PERMISSION", help="The permission's id, as `list` shows it.")
]


@permissions.command()
def give(
    context: typer.Context,
    recipient: Recipient,
    purpose: Purpose,
    scope: What,
    until: Annotated[
        str,
        typer.Option(parser=read_day, metavar="DATE", help="The last day on which it may be released."),
    ],
    class_name: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="Of named pupils, only this class.")
    ] = None,
    nc_year: Annotated[
        str | None, typer.Option("--nc-year", metavar="YEAR", help="Of named pupils, only this NC year.")
    ] = None,
    pupils: Annotated[
        list[str] | None,
        typer.Option(
            "--pupil",
            parser=read_id,
            metavar="PUPIL",
            help="Of named pupils, only this one, by id; give it again for more.",
        ),
    ] = None,
) -> None:
    """Permit releases to one recipient, for one purpose, until a day at most two years ahead."""
    with signed_in(context) as client:
        given = client.command(
            "POST",
            "/v1/permissions",
            {
                "recipient": recipient,
                "purpose": purpose,
                "scope": scope.scope,
                "until": until,
                "class_name": class_name,
                "nc_year": nc_year,
                "pupil_ids": pupils or [],
            },
        ).body
    say(f"Given: permission {given['permission_id']}, until {until}.")


@permissions.command("list")
def list_permissions(context: typer.Context, as_json: Json = False) -> None:
    """List every permission, those that ended or were revoked too, with how often it was used."""
    with signed_in(context) as client:
        reply = client.query("/v1/permissions")
    if as_json:
        show_json(reply.content)
        return
    show_table(
        [
            "Permission",
            "Recipient",
            "Purpose",
            "Scope",
            "Only",
            "Until",
            "Given by",
            "Revoked by",
            "Releases",
        ],
        [
            [
                each["permission_id"],
                each["recipient"],
                each["purpose"],
                each["scope"].replace("_", " "),
                each["class_name"]
                or (f"NC year {each['nc_year']}" if each["nc_year"] else None)
                or (f"{len(each['pupil_ids'])} pupils" if each["pupil_ids"] else None),
                each["until"],
                each["given_by"],
                each["revoked_by"],
                len(each["releases"]),
            ]
            for each in reply.body
        ],
    )


@permissions.command()
def revoke(context: typer.Context, permission_id: PermissionId) -> None:
    """Take a permission back: nothing is released under it from then on."""
    with signed_in(context) as client:
        client.command("DELETE", f"/v1/permissions/{permission_id}")
    say("Revoked. What was released before is out: ask the recipient to destroy it.")


@release.callback()
def releases() -> None:
    """Release data to somebody outside, with permission."""


@release.command()
def named(
    context: typer.Context,
    permission: Annotated[
        str, typer.Option("--permission", parser=read_id, metavar="PERMISSION", help="The permission's id.")
    ],
    recipient: Recipient,
    purpose: Purpose,
    output: Annotated[
        Path, typer.Option("--output", metavar="FILE", help="The ZIP file to write, that only you can read.")
    ],
    scope: What = ScopeWord.NAMED_PUPILS,
    pupils: Annotated[
        list[str] | None,
        typer.Option(
            "--pupil",
            parser=read_id,
            metavar="PUPIL",
            help="Only this one of the pupils whom the permission covers; give it again for more.",
        ),
    ] = None,
) -> None:
    """Release named data: a ZIP file with the data as CSV, and a cover sheet that says whom it is for.

    Say whom you hand it to, and what for, as the headteacher permitted it; anything else is refused. The
    release is recorded before the file is sent.
    """
    body = {
        "recipient": recipient,
        "purpose": purpose,
        "scope": scope.scope,
        "pupil_ids": pupils or [],
    }
    try:
        # The file is opened first: nothing is released that there is no place for.
        with signed_in(context) as client, private_files.creating(output) as file:
            file.write(client.release(f"/v1/permissions/{permission}/releases", body).content)
    except FileExistsError:
        raise Misused(f"{output} is there already: name another file") from None
    except OSError as error:
        raise Misused(f"{output} cannot be written: {error.strerror}") from None
    say(f"Written to {output}. Hand it to {recipient}, and to nobody else; only you can read it.")
