"""`scripts/bench`: measures, shows and writes the figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from scripts.measuring import (
    appends,
    commands,
    growing,
    imports,
    logins,
    memory,
    opening,
    progress,
    projecting,
    rebuilding,
    releases,
    transfers,
)
from scripts.measuring.ground import Ground, ground
from scripts.measuring.measure import Figure

BENCHMARKS: dict[str, Callable[[Ground], Iterator[Figure]]] = {
    "append": appends.measure,
    "command": commands.measure,
    "import": imports.measure,
    "transfer": transfers.measure,
    "project": projecting.measure,
    "project.sealed": growing.measure_sealed,
    "project.lag": growing.measure_lag,
    "rebuild": rebuilding.measure,
    "open": opening.measure,
    "progress": progress.measure,
    "release": releases.measure,
    "login": logins.measure,
    "memory": memory.measure,
}


def main(
    only: Annotated[
        list[str] | None,
        typer.Argument(help=f"Which to run: {', '.join(BENCHMARKS)}. All, if none is named."),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file as a JSON list.")] = None,
    scale: Annotated[
        float, typer.Option(min=0.001, max=1, help="Do a part of the work, where there is much: rebuild.")
    ] = 1.0,
) -> None:
    """Measures Target Tracker on a PostgreSQL of its own, each figure beside a limit from the same run."""
    console = Console()
    if unknown := set(only or ()) - BENCHMARKS.keys():
        raise typer.BadParameter(
            f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}"
        )
    figures: list[Figure] = []
    for name in only or BENCHMARKS:
        with console.status(f"measuring {name} …"), ground(scale) as fresh:
            for measured in BENCHMARKS[name](fresh):
                figures.append(measured)
                _show(console, measured)
    if json:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)) + b"\n")
    raise typer.Exit(0 if all(measured.reached is not False for measured in figures) else 1)


def _show(console: Console, measured: Figure) -> None:
    """Three lines, at home on 80 columns."""
    console.print(f"[bold]{measured.name}[/]: {_number(measured.value)} {measured.unit}")
    console.print(
        f"  {measured.ratio:.2f} times {_number(measured.limit)}: {measured.limit_is}", highlight=False
    )
    if measured.wanted:
        verdict = "[green]reached[/]" if measured.reached else "[bold red]not reached[/]"
        console.print(f"  wanted: {measured.wanted}: {verdict}", highlight=False)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


if __name__ == "__main__":
    typer.run(main)
