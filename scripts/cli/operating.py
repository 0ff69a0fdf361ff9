"""What the operator does on the service's own host: these commands reach the database, not the API."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
import typer

from domain.errors import NotFound
from domain.ledger.database import Database
from scripts.cli import projecting
from scripts.cli.failures import ExitCode
from scripts.cli.options import Json, read_id
from scripts.cli.output import moment, say, show_fields, show_json, show_table

SETTINGS = (
    "Settings are environment variables, and secrets stand in the files that they name: "
    "TARGET_TRACKER_DATABASE (a connection string whose password is in a passfile), "
    "TARGET_TRACKER_SERVICE_KEY_FILE, TARGET_TRACKER_RECOVERY_KEY, TARGET_TRACKER_ERASURES, "
    "TARGET_TRACKER_TLS_CERTIFICATE, TARGET_TRACKER_TLS_KEY, TARGET_TRACKER_OPERATOR_TOKEN_FILE, "
    "TARGET_TRACKER_LISTEN (127.0.0.1:8443), TARGET_TRACKER_METRICS, TARGET_TRACKER_REGION, "
    "TARGET_TRACKER_FIPS (1 is --fips)."
)

HOST = "On the service's host"
"""The heading of these commands in the help."""

projections_app = typer.Typer(
    no_args_is_help=True, help="See whether what is read keeps up with what happens, and is what happened."
)
erasures_app = typer.Typer(
    no_args_is_help=True, help="Tell a restored database of the erasures that were made."
)


def add_to(app: typer.Typer) -> None:
    """Adds these commands to the whole."""
    app.command(rich_help_panel=HOST, epilog=SETTINGS)(migrate)
    app.command(rich_help_panel=HOST, epilog=SETTINGS)(serve)
    app.command(rich_help_panel=HOST, epilog=SETTINGS)(worker)
    projecting.add_to(projections_app, SETTINGS)
    app.add_typer(projections_app, name="projections", rich_help_panel=HOST)
    app.add_typer(erasures_app, name="erasures", rich_help_panel=HOST)


def migrate() -> None:
    """Bring the database up to this version; safe to run twice, and from two places at once.

    TARGET_TRACKER_DATABASE names the database as its owner.
    """
    import domain.ledger.migrate
    from scripts.composition import MIGRATIONS, Settings

    number = 0
    for name in domain.ledger.migrate.migrate(Settings.of().conninfo(), MIGRATIONS):
        say(f"Applied {name}")
        number += 1
    say("The database is up to date." if number else "The database was up to date already.")


def serve(
    fips: Annotated[
        bool,
        typer.Option(
            "--fips",
            envvar="TARGET_TRACKER_FIPS",
            help="Agree to approved cipher suites (NIST SP 800-52), and to no others.",
        ),
    ] = False,
) -> None:
    """Serve the API, over HTTPS and nothing else, until told to stop.

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_api. A changed certificate is taken
    up within a few seconds, and at SIGHUP.
    """
    from scripts.composition import Settings

    if fips:
        from scripts.fips import start_anew

        start_anew()
    from scripts.serving import serve

    serve(Settings.of(), fips=fips)


def worker() -> None:
    """Keep what is read up with what happens, until told to stop. Any number of workers may run.

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_worker. With TARGET_TRACKER_METRICS
    it tells a monitoring system (Prometheus) how far projections are.
    """
    from projections.runner import collect_garbage_seldom
    from scripts.composition import Settings
    from scripts.serving import work

    collect_garbage_seldom()
    work(Settings.of())


@projections_app.callback()
def projections() -> None:
    """See whether what is read keeps up with what happens, and is what happened."""


@projections_app.command(epilog=SETTINGS)
def status(
    most: Annotated[
        int,
        typer.Option(
            "--most", min=0, help="The most schools to show that are behind, and that have stopped."
        ),
    ] = 10,
    as_json: Json = False,
) -> None:
    """Show how far each projection has come with each school; ends with 1 if one has stopped.

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_worker.
    """
    from projections.runner import status

    with worker_database() as database:
        states = status(database)
    stopped = [state for state in states if state.stopped_at]
    if as_json:
        show_json([{**msgspec.structs.asdict(state), "behind": state.behind} for state in states])
    else:
        numbers = ["Schools", "Behind", "Events to read", "Oldest", "Stopped"]
        show_table(
            ["Projection", *numbers],
            [
                [
                    name,
                    len(of_it := [state for state in states if state.projection == name]),
                    sum(state.behind > 0 for state in of_it),
                    sum(state.behind for state in of_it),
                    _age(max((state.seconds or 0 for state in of_it), default=0)),
                    sum(state.stopped_at is not None for state in of_it),
                ]
                for name in sorted({state.projection for state in states})
            ],
            right=numbers,
        )
        late = sorted(
            (state for state in states if state.behind and not state.stopped_at),
            key=lambda state: -(state.seconds or 0),
        )
        if late[:most]:
            show_table(
                ["Projection", "School id", "Events to read", "Oldest"],
                [[each.projection, each.school_id, each.behind, _age(each.seconds)] for each in late[:most]],
                title=f"Furthest behind ({min(most, len(late))} of {len(late)})",
                whole=("School id",),
                right=("Events to read", "Oldest"),
            )
        for state in stopped[:most]:
            show_fields(
                [
                    ("Stopped since", moment(state.stopped_at)),
                    ("Reason", state.stopped_by),
                    ("Tries", state.tries),
                    ("Next try", moment(state.next_try_at) if state.next_try_at else "when it is resumed"),
                    ("Events to read", state.behind),
                    ("Try now", f"target-tracker projections resume {state.projection} SCHOOL"),
                ],
                title=f"{state.projection}, school {state.school_id}",
            )
        if len(stopped) > most:
            say(f"… and {len(stopped) - most} more that have stopped: --most, or --json for all.")
    if stopped:
        raise typer.Exit(ExitCode.REFUSED)


def _age(seconds: float | None) -> str | None:
    """How long ago, in the largest unit that makes it two or more."""
    if not seconds:
        return None
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s"


@projections_app.command(epilog=SETTINGS)
def resume(
    projection: Annotated[str, typer.Argument(help="The projection.")],
    school_id: Annotated[str, typer.Argument(parser=read_id, metavar="SCHOOL", help="The school's id.")],
) -> None:
    """Let a projection that has stopped try its school again now, and not only when its time has come."""
    from projections.runner import resume

    with worker_database() as database:
        if not resume(database, UUID(school_id), projection):
            raise NotFound("That projection has not stopped for that school")
    say("It tries again.")


@erasures_app.callback()
def erasures() -> None:
    """Tell a restored database of the erasures that were made."""


@erasures_app.command(epilog=SETTINGS)
def replay() -> None:
    """Erase again whoever was erased: after restoring a backup, before anything is started on it.

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_api.
    """
    from domain.application.erasing import replay_both_ways
    from domain.ledger.persistence import close_shared_database
    from scripts.composition import Settings, build_schools

    settings = Settings.of()
    schools = build_schools(settings)
    try:
        done = replay_both_ways(schools, settings.register_of_erasures())
    finally:
        close_shared_database(schools.conninfo)
    show_fields(
        [
            ("Erasures in the register", done.erasures),
            ("Keys that were there again", done.destroyed),
            ("Recorded in the stream anew", done.recorded),
            ("Noted in the register", done.noted),
        ]
    )


def database_of_settings() -> Database:
    """Connections of the role that the settings name."""
    from scripts.composition import Settings

    return Database(Settings.of().conninfo())


worker_database = database_of_settings
"""The same, where that role should be the worker's."""
