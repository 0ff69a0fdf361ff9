"""Options and arguments that several commands have, and how their values are read."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from domain.academic_year import Term, When, academic_year_label, when
from scripts.cli.connection import secret_in
from scripts.cli.failures import Misused


def read_day(text: str) -> str:
    """A date, as the API takes it: `2026-09-07` for that, and for `07/09/2026`."""
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text.strip(), form).date().isoformat()  # noqa: DTZ007 - a day
        except ValueError:
            continue
    raise typer.BadParameter(f"{text!r} is not a date such as 2026-09-07 or 07/09/2026")


def read_academic_year(text: str) -> int:
    """The year in which an academic year starts: 2025 for `2025/26`, and for `2025`."""
    found = re.fullmatch(r"\s*(20\d\d)(?:[/-](?:20)?(\d\d))?\s*", text)
    if found:
        start = int(found[1])
        if found[2] is None or int(found[2]) == (start + 1) % 100:
            return start
    raise typer.BadParameter(f"{text!r} is not an academic year such as {academic_year_label(2025)}")


def read_point(text: str) -> When:
    """A term, a half-term or a whole year: `autumn 2025/26`, `autumn 1 2025/26` or `2025/26`."""
    found = re.fullmatch(r"\s*(?:([a-z]+)(?:[ -]*([12]))?\s+)?(20\d\d(?:[/-](?:20)?\d\d)?)\s*", text.lower())
    if found:
        try:
            term = "-".join(filter(None, found.groups()[:2]))
            return when(read_academic_year(found[3]), Term(term) if term else None)
        except ValueError:
            pass
    raise typer.BadParameter(
        f"{text!r} is not a point such as 'autumn 2025/26', 'autumn 1 2025/26' or 2025/26"
    )


def read_id(text: str) -> str:
    """An id, such as those that lists show."""
    try:
        return str(UUID(text.strip()))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not an id such as lists show") from None


PupilId = Annotated[str, typer.Argument(parser=read_id, metavar="PUPIL", help="The pupil's id.")]
Json = Annotated[bool, typer.Option("--json", help="Show the API's answer as JSON.")]
AcademicYear = Annotated[
    int, typer.Option("--year", parser=read_academic_year, metavar="YEAR", help="Academic year: 2025/26.")
]
TermOption = Annotated[Term, typer.Option("--term", help="The term.", case_sensitive=False)]
OptionalTerm = Annotated[
    Term | None,
    typer.Option(
        "--term", help="The term or half-term; none for results of a whole year.", case_sensitive=False
    ),
]
SchemeName = Annotated[
    str, typer.Option("--scheme", metavar="NAME", help="The scale, as `schemes list` names it.")
]
ClassName = Annotated[str, typer.Option("--class", metavar="NAME", help="The class, by its name.")]

PasswordFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Read the password from the first line of a file; - for standard input."
    ),
]
OperatorTokenFile = Annotated[
    Path | None,
    typer.Option(
        "--operator-token-file",
        envvar="TARGET_TRACKER_OPERATOR_TOKEN_FILE",
        metavar="FILE",
        help="The file with the operator's token.",
    ),
]


def password_from(file: Path | None, prompt: str, *, twice: bool = False) -> str:
    """A password, from a file or from whoever sits at the terminal; never from the command line.

    Raises:
        Misused: There is neither.
    """
    if file == Path("-"):
        return sys.stdin.readline().rstrip("\r\n")
    if file is not None:
        return secret_in(file)
    if not sys.stdin.isatty():
        raise Misused("There is no terminal to ask for the password: name a file with --password-file")
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True))
