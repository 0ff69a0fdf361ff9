"""What a command shows: tables for people, plain text for pipes, the API's own JSON for programs.

Whatever comes from outside is shown as text: no markup, and no control characters that a terminal would obey.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.errors import Finding, TargetTrackerError
from scripts.cli.failures import Refused

NOTHING = "–"
SCHOOL_TIME = ZoneInfo("Europe/London")


def clean(value: object) -> str:
    """A value as text that is safe to show; `–` for nothing."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "".join("�" if unicodedata.category(letter) in _UNSAFE else letter for letter in str(value))


_UNSAFE = {"Cc", "Cf", "Cs", "Co"}


def moment(text: object) -> str:
    """A moment of the API's as the school's clocks show it: `23 Nov 2026 09:15:02`."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return clean(text)
    return f"{at.astimezone(SCHOOL_TIME):%d %b %Y %H:%M:%S}"


def day(text: object) -> str:
    """A date of the API's as people write it: `23 Nov 2026`."""
    try:
        return f"{date.fromisoformat(str(text)):%d %b %Y}"
    except ValueError:
        return clean(text)


def say(message: str, *, style: str | None = None) -> None:
    """Shows a line."""
    _console().print(Text(message, style or ""), soft_wrap=not sys.stdout.isatty())


def show_json(value: object) -> None:
    """Shows JSON: indented on a terminal, in one line in a pipe."""
    content = value if isinstance(value, bytes) else msgspec.json.encode(value)
    indent = 2 if sys.stdout.isatty() else 0
    sys.stdout.write(msgspec.json.format(content, indent=indent).decode() + "\n")


def show_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    whole: Sequence[str] = (),
    right: Sequence[str] = (),
    error: bool = False,
) -> None:
    """Shows a table, as wide as the terminal at most; in a pipe as plain text, as wide as it is.

    Args:
        columns: The headings.
        rows: The cells, as values.
        title: A line above it.
        whole: Headings of columns that are never wrapped: ids, for copying.
        right: Headings of columns of numbers.
        error: Onto standard error.
    """
    cells = [[clean(value) for value in row] for row in rows]
    stream = sys.stderr if error else sys.stdout
    if not stream.isatty():
        if title:
            stream.write(f"{title}\n")
        stream.write(_plain(columns, cells, right))
        return
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
        title=title,
        title_justify="left",
        title_style="bold",
    )
    for column in columns:
        table.add_column(
            column,
            no_wrap=column in whole,
            overflow="fold",
            justify="right" if column in right else "left",
        )
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    _console(error=error).print(table)


def _plain(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> str:
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    return "".join(
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, cell, width in zip(columns, row, widths, strict=True)
        ).rstrip()
        + "\n"
        for row in (columns, *rows)
    )


def show_fields(fields: Iterable[tuple[str, object]], *, title: str | None = None) -> None:
    """Shows names and values, one under the other."""
    pairs = [(name, clean(value)) for name, value in fields]
    width = max((len(name) for name, _ in pairs), default=0)
    if title:
        say(clean(title), style="bold")
    for name, value in pairs:
        line = Text(f"  {name.ljust(width)}  ", "dim" if sys.stdout.isatty() else "")
        _console().print(line + Text(value, "not dim"), soft_wrap=not sys.stdout.isatty())


def show_findings(findings: Sequence[Finding], *, most: int | None = None, error: bool = True) -> None:
    """Shows where something is wrong, what stands there, and what would be accepted.

    Args:
        findings: What was found.
        most: The most to show.
        error: Onto standard error.
    """
    if not findings:
        return
    shown = findings[:most]
    with_rows = any(finding.row is not None for finding in shown)
    columns = ["Row", "Field", "Found", "Accepted"] if with_rows else ["Field", "Found", "Accepted"]
    show_table(
        columns,
        [
            [*([finding.row] if with_rows else []), finding.field, finding.found, _as_typed(finding.accepted)]
            for finding in shown
        ],
        right=("Row",),
        error=error,
    )
    if len(findings) > len(shown):
        _print(f"… and {len(findings) - len(shown)} more.", error=error)


_PARAMETERS = re.compile(r"\b(allow_leavers|joined_on|other_destination)\b(?:=(\d+))?")


def _as_typed(accepted: str) -> str:
    """What the API accepts, with its parameters called as the options of the command are."""
    return _PARAMETERS.sub(
        lambda match: f"--{match[1].replace('_', '-')}" + (f" {match[2]}" if match[2] else ""), accepted
    )


def show_error(error: TargetTrackerError) -> None:
    """Shows an error on standard error: what, why, where, and what to do about it."""
    title = error.problem.get("title") if isinstance(error, Refused) else error.title
    first, *more = error.message.splitlines() or [""]
    _print(f"{clean(title or error.title)}: {clean(first)}", style="bold red", error=True)
    for line in more:
        _print(clean(line), error=True)
    show_findings(getattr(error, "findings", []), most=50)
    if isinstance(error, Refused):
        for hint in _hints(error):
            _print(hint, error=True)


def _hints(error: Refused) -> Iterable[str]:
    problem: dict[str, Any] = error.problem
    if error.status == 401 and not str(problem.get("type")).endswith(("login-refused", "reset-refused")):
        yield "Log in with: target-tracker login"
    if "expected_version" in problem:
        yield (
            f"The change was made against version {problem['expected_version']}; "
            f"there is version {problem.get('actual_version')} now. Look at it, and make the change again."
        )
    if error.status >= 500 and problem.get("instance"):
        yield f"The service's log names this request {clean(problem['instance'])}"


def _print(message: str, *, style: str | None = None, error: bool = False) -> None:
    stream = sys.stderr if error else sys.stdout
    _console(error=error).print(Text(message, style or ""), soft_wrap=not stream.isatty())


def _console(*, error: bool = False) -> Console:
    return Console(stderr=error, highlight=False, emoji=False)
