"""What the operator does on the service's own host: these commands reach the database, not the API."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
import typer

from domain.academic_year import Term, academic_year_label
from domain.errors import NotFound
from domain.ledger.database import Database
from scripts.cli import projecting
from scripts.cli.connection import signed_in
from scripts.cli.failures import ExitCode
from scripts.cli.options import Json, read_academic_year, read_id
from scripts.cli.output import moment, say, show_fields, show_json, show_table

SETTINGS = (
    "Settings are environment variables, and secrets stand in the files that they name: "
    "TARGET_TRACKER_DATABASE (a connection string whose password is in a passfile), "
    "TARGET_TRACKER_SERVICE_KEY_FILE, TARGET_TRACKER_RECOVERY_KEY, TARGET_TRACKER_ERASURES, "
    "TARGET_TRACKER_TLS_CERTIFICATE, TARGET_TRACKER_TLS_KEY, TARGET_TRACKER_OPERATOR_TOKEN_FILE, "
    "TARGET_TRACKER_LISTEN (127.0.0.1:8443), TARGET_TRACKER_REGION, TARGET_TRACKER_FIPS (1 is --fips)."
)

HOST = "On the service's host"
"""The heading of these commands in the help."""

projections_app = typer.Typer(
    no_args_is_help=True, help="See whether what is read keeps up with what happens, and is what happened."
)
erasures_app = typer.Typer(
    no_args_is_help=True, help="Tell a restored database of the erasures that were made."
)
benchmarks_app = typer.Typer(help="Show released benchmarks, or publish a release.")


def add_to(app: typer.Typer) -> None:
    """Adds these commands to the whole."""
    app.add_typer(benchmarks_app, name="benchmarks")
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

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_worker.
    """
    from scripts.composition import Settings
    from scripts.serving import work

    work(Settings.of())


@projections_app.callback()
def projections() -> None:
    """See whether what is read keeps up with what happens, and is what happened."""


@projections_app.command(epilog=SETTINGS)
def status(as_json: Json = False) -> None:
    """Show how far each projection has come with each school; ends with 1 if one has stopped.

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_worker.
    """
    from projections.runner import status

    with _worker_database() as database:
        states = status(database)
    stopped = [state for state in states if state.stopped_at]
    if as_json:
        show_json([{**msgspec.structs.asdict(state), "behind": state.behind} for state in states])
    else:
        names = sorted({state.projection for state in states})
        show_table(
            ["Projection", "Schools", "Behind", "Events to read", "Stopped"],
            [
                [
                    name,
                    len(of_it := [state for state in states if state.projection == name]),
                    sum(state.behind > 0 for state in of_it),
                    sum(state.behind for state in of_it),
                    sum(state.stopped_at is not None for state in of_it),
                ]
                for name in names
            ],
            right=("Schools", "Behind", "Events to read", "Stopped"),
        )
        if stopped:
            show_table(
                ["Projection", "School id", "At", "Since", "Reason"],
                [
                    [
                        state.projection,
                        state.school_id,
                        state.position,
                        moment(state.stopped_at),
                        state.stopped_by,
                    ]
                    for state in stopped
                ],
                title="Stopped: they wait for a person",
                whole=("School id",),
            )
            say("When the cause is gone: target-tracker projections resume PROJECTION SCHOOL")
    if stopped:
        raise typer.Exit(ExitCode.REFUSED)


@projections_app.command(epilog=SETTINGS)
def resume(
    projection: Annotated[str, typer.Argument(help="The projection.")],
    school_id: Annotated[str, typer.Argument(parser=read_id, metavar="SCHOOL", help="The school's id.")],
) -> None:
    """Let a projection that has stopped try its school again."""
    from projections.runner import resume

    with _worker_database() as database:
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
    from domain.ledger.persistence import close_shared_databases
    from scripts.composition import Settings, build_schools

    settings = Settings.of()
    try:
        done = replay_both_ways(build_schools(settings), settings.register_of_erasures())
    finally:
        close_shared_databases()
    show_fields(
        [
            ("Erasures in the register", done.erasures),
            ("Keys that were there again", done.destroyed),
            ("Recorded in the stream anew", done.recorded),
            ("Noted in the register", done.noted),
        ]
    )


@benchmarks_app.callback(invoke_without_command=True)
def benchmarks(
    context: typer.Context,
    year: Annotated[
        int | None, typer.Option(parser=read_academic_year, metavar="YEAR", help="Academic year: 2025/26.")
    ] = None,
    term: Annotated[Term | None, typer.Option(help="The term.", case_sensitive=False)] = None,
    subject: Annotated[str | None, typer.Option(metavar="CODE", help="REA, WRI, MAT, ...")] = None,
    as_json: Json = False,
) -> None:
    """Show released benchmarks: how all schools' pupils stand to what is expected of them."""
    if context.invoked_subcommand:
        return
    with signed_in(context) as client:
        reply = client.query(
            "/v1/benchmarks",
            academic_year=academic_year_label(year) if year is not None else None,
            term=term.value if term else None,
            subject=subject.strip().upper() if subject else None,
        )
    if as_json:
        show_json(reply.content)
        return
    groups: dict[tuple[str, ...], dict[str, str]] = {}
    for row in reply.body:
        group = (row["academic_year"], row["term"], row["subject"], row["nc_year"])
        share = "" if row["share"] is None else f" ({float(row['share']):.0%})"
        groups.setdefault(group, {})[row["standing"]] = (
            row["symbol"] or f"{row['pupils']}{'' if row['standing'] == 'all' else share}"
        )
    if not groups:
        say("No benchmark has been released for this yet.")
        return
    numbers = ["Pupils", "Below", "At", "Above"]
    show_table(
        ["Year", "Term", "Subject", "NC year", *numbers],
        [
            [*group, *(figures.get(standing) for standing in ("all", "below", "at", "above"))]
            for group, figures in groups.items()
        ],
        right=numbers,
        whole=numbers,
    )
    say(
        "Below, at and above what is expected at the end of that term. "
        "c: suppressed, so that nobody can be found."
    )


@benchmarks_app.command(epilog=SETTINGS)
def publish() -> None:
    """Release the benchmarks of every term that is over and has not been released (on the service's host).

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_worker.
    """
    from projections.benchmarks import publish
    from scripts.composition import Settings

    with _worker_database() as database:
        published = publish(database, Settings.of().service_keys(), date.today())  # noqa: DTZ011 - a day
    if published.release is None:
        say("No term is due: all that are over have been released.")
        return
    say(
        f"Release {published.release}: {', '.join(published.terms)}; {published.rows} rows, "
        f"{published.suppressed} of them suppressed."
    )


def _worker_database() -> Database:
    from scripts.composition import Settings

    return Database(Settings.of().conninfo())
