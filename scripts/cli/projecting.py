"""Making projections again: the proof that what is read is what the streams say."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from scripts.cli.failures import ExitCode
from scripts.cli.options import Json
from scripts.cli.output import say, show_json, show_table

if TYPE_CHECKING:
    from projections.projection import Rebuildable
    from projections.rebuilding.pool import Progress, Told
    from projections.rebuilding.rebuild import Result

SHOWN = 50
"""Differences that are shown; `--json` has all that are named."""

SECONDS_BETWEEN_LINES = 5.0
"""How often a line says how far it has come, where there is no terminal."""

Name = Annotated[str, typer.Argument(help="The projection.")]
Names = Annotated[list[str] | None, typer.Argument(help="The projections; all of them, if none is named.")]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="How many processes; as many as there are processors, if not given."
    ),
]


def add_to(app: typer.Typer, settings: str) -> None:
    """Adds these commands to those about projections."""
    for command in (verify, rebuild, go_back, drop_previous):
        app.command(epilog=settings)(command)


def verify(names: Names = None, workers: Workers = None, as_json: Json = False) -> None:
    """Make the rows of projections again from the streams, and compare; ends with 1 if anything differs.

    Nothing is written. TARGET_TRACKER_DATABASE names the database as the role target_tracker_worker.
    """
    from projections.rebuilding.rebuild import verify
    from scripts.composition import Settings

    settings = Settings.of()
    results = []
    for projection in _named(names):
        with _telling(f"Verifying {projection.name}") as told:
            results.append(
                verify(settings.conninfo(), settings.service_keys(), projection, workers=workers, told=told)
            )
    _show(results, as_json=as_json)


def rebuild(name: Name, workers: Workers = None, as_json: Json = False) -> None:
    """Make the rows of a projection again beside the live ones, compare, and put them in their place.

    What was live is kept: `projections go-back` returns to it. Ends with 1 if anything differed.
    TARGET_TRACKER_DATABASE names the database as its owner.
    """
    from projections.rebuilding.rebuild import rebuild
    from scripts.composition import Settings

    settings = Settings.of()
    [projection] = _named([name])
    with _telling(f"Rebuilding {name}") as told:
        result = rebuild(settings.conninfo(), settings.service_keys(), projection, workers=workers, told=told)
    _show([result], as_json=as_json)


def go_back(name: Name) -> None:
    """Put the version of a projection before the last rebuilding in its place again, brought up to date.

    TARGET_TRACKER_DATABASE names the database as its owner.
    """
    from projections.rebuilding.rebuild import go_back
    from scripts.composition import Settings

    settings = Settings.of()
    go_back(settings.conninfo(), settings.service_keys(), _named([name])[0])
    say(f"The version before of {name} is live again.")


def drop_previous(names: Names = None) -> None:
    """Drop the versions of projections that could be gone back to, and the room that they take.

    TARGET_TRACKER_DATABASE names the database as its owner.
    """
    from projections.rebuilding.rebuild import drop_previous
    from scripts.composition import Settings

    conninfo = Settings.of().conninfo()
    dropped = [each.name for each in _named(names) if drop_previous(conninfo, each)]
    say(f"Dropped: {', '.join(dropped)}" if dropped else "There was none to drop.")


def _named(names: Sequence[str] | None) -> list[Rebuildable]:
    from projections.registry import discover, named

    return named(names or (), discover())


@contextmanager
def _telling(what: str) -> Iterator[Told]:
    """Says how far something has come, on standard error: with a bar on a terminal, in lines elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines(what)
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("schools"),
        TimeRemainingColumn(), TextColumn("{task.fields[told]}"),
    )  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, told="")

        def tell(progress: Progress) -> None:
            told = f"{progress.differences} differences" if progress.differences else ""
            bar.update(task, total=progress.schools, completed=progress.schools_done, told=told)

        yield tell


class _Lines:
    """Says it in lines, one in a few seconds and the last."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._next = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        done = progress.schools_done == progress.schools
        if not done and time.monotonic() < self._next:
            return
        self._next = time.monotonic() + SECONDS_BETWEEN_LINES
        left = "" if done or progress.left is None else f", about {progress.left:.0f} s left"
        sys.stderr.write(
            f"{self._what}: {progress.schools_done} of {progress.schools} schools, "
            f"{progress.events_done:,} of {progress.events:,} events, "
            f"{progress.differences} differences, {progress.seconds:.0f} s{left}\n"
        )


def _show(results: Sequence[Result], *, as_json: bool) -> None:
    different = [school for result in results for school in result.different]
    if as_json:
        show_json([_plain(result) for result in results])
    else:
        show_table(
            ["Projection", "Schools", "Rows", "Differences", "Not made", "Seconds", "Now"],
            [
                [
                    result.projection,
                    len(result.schools),
                    sum(school.rows for school in result.schools),
                    sum(school.number for school in result.schools) if result.compared else "not compared",
                    sum(school.failure is not None for school in result.schools),
                    f"{result.seconds:.1f}",
                    "the rows that were made" if result.switched else "as before",
                ]
                for result in results
            ],
            right=("Schools", "Rows", "Differences", "Not made", "Seconds"),
        )
        _show_differences(results)
    if different:
        raise typer.Exit(ExitCode.REFUSED)


def _show_differences(results: Sequence[Result]) -> None:
    named = [
        difference for result in results for school in result.different for difference in school.differences
    ]
    if named:
        show_table(
            ["School id", "Table", "Row", "Column", "How"],
            [[each.school_id, each.table, each.row, each.column, each.kind.value] for each in named[:SHOWN]],
            title="Live rows that are not what the streams say",
            whole=("School id",),
        )
    every = sum(school.number for result in results for school in result.schools)
    if every > SHOWN:
        say(f"And {every - min(SHOWN, len(named)):,} more; --json names those of each school.")
    for result in results:
        for school in result.schools:
            if school.failure:
                say(f"{result.projection}, school {school.school_id}: no rows can be made ({school.failure})")


def _plain(result: Result) -> dict[str, Any]:
    whole: dict[str, Any] = msgspec.to_builtins(result)
    return whole
