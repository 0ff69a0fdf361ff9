"""Bundles: everything held of a child, or by the school, written to a file that only you can read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from domain.bundles.archive import problems_of
from domain.vault import private_files
from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused, Unreachable
from scripts.cli.options import PupilId
from scripts.cli.output import say

app = typer.Typer(no_args_is_help=True, help="Take away everything that the school holds.")

Output = Annotated[
    Path, typer.Option("--output", metavar="FILE", help="The ZIP file to write, that only you can read.")
]


def add_to_pupils(pupils: typer.Typer) -> None:
    """Adds the command about one child to those about pupils."""
    pupils.command("bundle")(pupil_bundle)


def pupil_bundle(context: typer.Context, pupil_id: PupilId, output: Output) -> None:
    """Write everything held of a child, with photographs and who saw it, for a parent who asks for it.

    For administrators. Look through it before you hand it over: what is written about the child may speak of
    other people, too.
    """
    size = _write(context, f"/v1/pupils/{pupil_id}/bundle", output)
    say(f"Written: {output}, {size:,} bytes. Look through index.html before you hand it over.")


@app.command()
def school(context: typer.Context, output: Output) -> None:
    """Write everything that the school holds, for another system to read (for administrators)."""
    size = _write(context, "/v1/exports/bundle", output)
    say(f"Written: {output}, {size:,} bytes. README.txt in it says what is where.")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A bundle that was written before.")],
) -> None:
    """Check that a bundle is whole, and every file in it as its manifest says."""
    problems = _problems(file)
    for problem in problems:
        say(problem)
    if problems:
        raise Misused(f"{file} is not as it was written")
    say(f"{file} is whole.")


def _write(context: typer.Context, path: str, output: Path) -> int:
    """Writes a bundle whole or not at all, and says how many bytes it has."""
    try:
        with signed_in(context) as client, private_files.creating(output) as file:
            size = client.download(path, file)
    except FileExistsError:
        raise Misused(f"{output} is there already: name another file") from None
    except OSError as error:
        raise Misused(f"{output} cannot be written: {error.strerror}") from None
    if _problems(output):
        output.unlink()
        raise Unreachable("what came is no whole bundle: nothing was kept; ask again")
    return size


def _problems(file: Path) -> list[str]:
    try:
        with file.open("rb") as opened:
            return problems_of(opened)
    except OSError as error:
        raise Misused(f"{file} cannot be read: {error.strerror}") from None
