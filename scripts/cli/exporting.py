"""Exports: files of pupils, for another school, another system, or to keep."""

from __future__ import annotations

import re
import sys
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from domain.vault import private_files
from scripts.cli.client import Reply
from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused, Unreachable
from scripts.cli.options import read_id
from scripts.cli.output import say
from scripts.cli.roll import class_called

app = typer.Typer(no_args_is_help=True, help="Take files of pupils away.")

Pupil = Annotated[
    str | None, typer.Option("--pupil", parser=read_id, metavar="PUPIL", help="Only this pupil, by id.")
]
OfClass = Annotated[str | None, typer.Option("--class", metavar="NAME", help="Only this class.")]
Output = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Where to write it; - for standard output. By default its own name."),
]

_NAME = re.compile(r'filename="([A-Za-z0-9._-]{1,100})"')
_NUMBER = re.compile(r"_(\d{3})\.xml$")


@app.command()
def ctf(
    context: typer.Context,
    pupil: Pupil = None,
    class_name: OfClass = None,
    destination: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help="The DfE number of the school that it is for, such as 881/2001."),
    ] = None,
    output: Output = None,
) -> None:
    """Write the Common Transfer File of a pupil, a class, or the whole roll.

    Only you can read the file. It is called as DfE prescribes, with the first number that is free.
    """
    _take(context, "/v1/exports/ctf", pupil, class_name, output, destination=destination)


@app.command()
def csv(
    context: typer.Context, pupil: Pupil = None, class_name: OfClass = None, output: Output = None
) -> None:
    """Write the import file (CSV, 18 columns) of a pupil, a class, or the whole roll."""
    _take(context, "/v1/exports/pupils.csv", pupil, class_name, output)


def _take(
    context: typer.Context,
    path: str,
    pupil: str | None,
    class_name: str | None,
    output: Path | None,
    **asked: str | None,
) -> None:
    if pupil and class_name:
        raise Misused("Say whom it is about: --pupil or --class, or neither for the whole roll")
    with signed_in(context) as client:
        class_id = class_called(client, class_name)["class_id"] if class_name else None
        reply = client.query(path, pupil_id=pupil, class_id=class_id, **asked)
    if output == Path("-"):
        sys.stdout.buffer.write(reply.content)
        return
    try:
        if output:
            private_files.write(output, reply.content)
            written = output
        else:
            written = _write_by_its_name(reply)
    except OSError as error:
        raise Misused(f"{output or 'The file'} cannot be written: {error.strerror}") from None
    say(f"Written to {written}. Only you can read it; it holds personal data.")


def _write_by_its_name(reply: Reply) -> Path:
    """Writes a file under the name that it came with; of Common Transfer Files the next that is free."""
    told = _NAME.search(reply.headers.get("Content-Disposition", ""))
    if told is None:
        raise Unreachable("what answered is not a Target Tracker service")
    name = told[1]
    for number in count(1):
        path = Path(_NUMBER.sub(f"_{number:03d}.xml", name))
        try:
            with private_files.creating(path) as file:
                file.write(reply.content)
        except FileExistsError:
            if number == 999 or not _NUMBER.search(name):
                raise
        else:
            return path
    raise AssertionError("unreachable")
