"""CSV for spreadsheets: cells that are shown as text, and never calculated."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a cell begins that a spreadsheet takes for a formula (OWASP, "CSV Injection")."""

_GUARD = "'"
"""What makes a spreadsheet take whatever follows for text."""


def not_a_formula(text: str) -> str:
    """A text that a spreadsheet shows and does not calculate."""
    return f"{_GUARD}{text}" if text.startswith(_STARTS) else text


def guarded(text: str) -> str:
    """The same for a file that is read again: :func:`unguarded` finds the very text."""
    return f"{_GUARD}{text}" if text.lstrip(_GUARD).startswith(_STARTS) else text


def unguarded(cell: str) -> str:
    """What a cell says without the mark that a spreadsheet, or an export of ours, put before it."""
    inner = cell.removeprefix(_GUARD)
    return inner if inner.lstrip(_GUARD).startswith(_STARTS) else cell


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[str | int | float | None]]) -> bytes:
    """A table as a CSV file in UTF-8 that spreadsheets know as such, each text defused.

    Args:
        columns: The headings.
        rows: The cells; `None` is empty, and numbers stay numbers, those below nought, too.
    """
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([not_a_formula(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")
