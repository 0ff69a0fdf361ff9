"""The service's own keys and the recovery keys: what the operator does on the service's host, or offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from domain.errors import Conflict
from scripts.cli.login_keys import KeyOut, new_key_file, write_key_file
from scripts.cli.options import read_id
from scripts.cli.output import say, show_table

HOST = "On the service's host"

KeyFile = Annotated[
    Path,
    typer.Option(
        "--file",
        envvar="TARGET_TRACKER_SERVICE_KEY_FILE",
        metavar="FILE",
        help="The file of the service's keys.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Adds these commands to the group of those about keys."""
    for command, name in (
        (init_service, "init-service"),
        (init_recovery, "init-recovery"),
        (rotate, "rotate"),
        (status, "status"),
        (retire, "retire"),
        (reissue, "reissue"),
    ):
        app.command(name, rich_help_panel=HOST)(command)


def init_service(file: KeyFile) -> None:
    """Make the file of the service's own keys, which open no name of any child."""
    from domain.vault import key_files
    from domain.vault.key_ring import new_ring

    ring = new_ring()
    key_files.create(file, ring.document())
    say(f"{file} holds the service's key {ring.current}. Keep a copy where the database's backups are not.")


def init_recovery(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write the two files.")],
) -> None:
    """Make the recovery pair: the private half is taken offline, the public half stays with the service.

    A school that has lost its login key can be given a new one with the private half, and with nothing else.
    """
    from domain.vault.recovery_pair import write_recovery_pair

    private, public = write_recovery_pair(folder)
    say(f"{private}: take this off this machine, and keep it offline, in two places.")
    say(f"{public}: name this in TARGET_TRACKER_RECOVERY_KEY.")


def rotate(file: KeyFile) -> None:
    """Make a new key for the service; workers wrap everything anew under it, while all goes on."""
    from domain.vault.key_ring import rotated
    from domain.vault.key_sources import FileSource, write

    ring = rotated(FileSource(file).load())
    write(file, ring)
    say(f"The service's key is {ring.current} from now on.")
    say("When keys status shows no other one in use, forget the earlier ones with keys retire.")


def status() -> None:
    """Show which of the service's keys schools' keys are wrapped under.

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_worker.
    """
    from scripts.composition import Settings

    current = Settings.of().service_keys().current
    in_use = _in_use()
    show_table(
        ["Service key", "Current", "Schools"],
        [[key, key == current, in_use.get(key, 0)] for key in sorted({*in_use, current})],
        right=("Schools",),
        whole=("Service key",),
    )


def _in_use() -> dict[str, int]:
    """How many schools' keys are wrapped under each of the service's keys."""
    from domain.ledger.database import Database
    from domain.vault import keystore
    from scripts.composition import Settings

    with Database(Settings.of().conninfo()) as database, database.transaction() as connection:
        return keystore.service_keys_in_use(connection)


def retire(file: KeyFile) -> None:
    """Forget the service's earlier keys, once nothing is wrapped under them; login keys stay good.

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_worker.
    """
    from domain.vault.key_ring import retired
    from domain.vault.key_sources import FileSource, write

    in_use = _in_use()
    ring = FileSource(file).load()  # only now: a key that was made meanwhile must not get lost
    if others := sorted(in_use.keys() - {ring.current}):
        raise Conflict(
            f"Schools' keys are still wrapped under {', '.join(others)}: "
            "a worker wraps them anew within a minute"
        )
    write(file, retired(ring, set(in_use)))
    say(f"{file} holds the key {ring.current} and no other.")


def reissue(
    school_id: Annotated[str, typer.Argument(parser=read_id, metavar="SCHOOL", help="The school's id.")],
    recovery_key: Annotated[
        Path, typer.Option(metavar="FILE", help="The private recovery key, from where it is kept offline.")
    ],
    out: KeyOut,
) -> None:
    """Issue a new login key to a school that has lost its own. The earlier ones stay as they are.

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_api.
    """
    from domain.application.login_keys import recovered
    from domain.events import OPERATOR
    from domain.ledger.persistence import close_shared_database
    from domain.vault.recovery_pair import read_recovery_private
    from scripts.composition import Settings, build_schools

    private = read_recovery_private(recovery_key)
    schools = build_schools(Settings.of())
    new_key_file(out)
    try:
        issued = recovered(schools, UUID(school_id), private, OPERATOR)
    except BaseException:
        out.unlink()
        raise
    finally:
        close_shared_database(schools.conninfo)
    write_key_file(out, issued.login_key)
    say(f"The login key {issued.key_id} is in {out}: hand it to the school, and to nobody else.")
