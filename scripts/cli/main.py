"""The `target-tracker` command: its subcommands together, and what happens when one fails."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from typer.core import TyperGroup

from domain.errors import TargetTrackerError
from scripts.cli import (
    assessing,
    attending,
    auditing,
    benchmarks,
    bundles,
    changes,
    codes,
    erasing,
    exporting,
    importing,
    keys,
    noting,
    observing,
    operating,
    passwords,
    points,
    progressing,
    pupils,
    releasing,
    schemes,
    schools,
    sessions,
    sheets,
    staff,
    statements,
    targets,
    usage,
)
from scripts.cli.connection import Chosen
from scripts.cli.failures import ExitCode, Unreachable, exit_code_of
from scripts.cli.output import show_error

DEBUG = "TARGET_TRACKER_DEBUG"


class Guarded(TyperGroup):
    """The whole command: whatever goes wrong in it is said in a sentence, with an exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the command line, after what the help says of switches has been put right."""
        _switches_take_nothing(self, ctx)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Runs a subcommand.

        Raises:
            Exit: It went wrong.
        """
        try:
            return super().invoke(ctx)
        except TargetTrackerError as error:
            show_error(error)
            raise typer.Exit(exit_code_of(error)) from None
        except psycopg.OperationalError:
            show_error(Unreachable("the database does not answer, or does not let this role in"))
            raise typer.Exit(ExitCode.UNREACHABLE) from None
        except (typer.TyperException, typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get(DEBUG):
                raise
            fault = TargetTrackerError(
                f"this command is at fault ({type(error).__name__}). With {DEBUG}=1 it shows where."
            )
            show_error(fault)
            raise typer.Exit(ExitCode.FAULTY) from None


def _switches_take_nothing(command: Any, context: Any) -> None:
    """Has the help of a command, and of those below it, show no `<bool>` beside what takes no value."""
    for option in (*command.params, command.get_help_option(context)):
        if getattr(option, "is_flag", False) and option.metavar is None:
            option.metavar = ""
    for below in getattr(command, "commands", {}).values():
        _switches_take_nothing(below, context)


app = typer.Typer(
    cls=Guarded,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

EPILOG = (
    "Exit codes: 0 done, 1 refused by the service, 2 not as it must be (nothing was sent), "
    "3 service or database cannot be reached, 4 the command itself is at fault."
)


@app.callback(epilog=EPILOG)
def target_tracker(
    context: typer.Context,
    server: Annotated[
        str | None,
        typer.Option(
            envvar="TARGET_TRACKER_SERVER",
            metavar="URL",
            help="The service's address; without it, that of the session, or https://127.0.0.1:8443.",
        ),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(
            envvar="TARGET_TRACKER_CA",
            metavar="FILE",
            help="The authority of the service's certificate, where the system does not know it.",
        ),
    ] = None,
) -> None:
    """Records and shows how primary school pupils progress.

    Log in once; the session is remembered in a file that only you can read (in the folder that
    TARGET_TRACKER_HOME names, otherwise in your configuration folder).
    """
    context.obj = Chosen(server, ca)


for group in (sessions, importing, auditing, usage, codes):
    group.add_to(app)
changes.add_to(pupils.app)
erasing.add_to(pupils.app)
progressing.add_track_to(pupils.app)
bundles.add_to_pupils(pupils.app)
for name, part in (
    ("schools", schools),
    ("staff", staff),
    ("password", passwords),
    ("keys", keys),
    ("pupils", pupils),
    ("sheet", sheets),
    ("assess", assessing),
    ("progress", progressing),
    ("attendance", attending),
    ("targets", targets),
    ("statements", statements),
    ("points", points),
    ("schemes", schemes),
    ("observations", observing),
    ("bundle", bundles),
    ("benchmarks", benchmarks),
):
    app.add_typer(part.app, name=name)
app.add_typer(noting.notes, name="notes")
app.add_typer(exporting.app, name="export")
app.add_typer(noting.concerns, name="concerns")
app.add_typer(releasing.permissions, name="permissions")
app.add_typer(releasing.release, name="release")
operating.add_to(app)


def run() -> None:
    """Runs the command that stands on the command line."""
    try:
        try:
            app(prog_name="target-tracker")
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads our output has read enough; what is left would be written once more at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.DONE)
