"""The data dictionary as a page of Markdown, made of the tables that describe everything in `analytics`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from domain.ledger.database import Connection
from projections.benchmarks.exporting import Table, read_tables

HEAD = """\
# Data dictionary

What is in the schema `analytics`, table by table, as the tables themselves say it; [For
analysts](analysts.md) explains how it hangs together. Nobody writes this page by hand: it is what
`target-tracker benchmarks dictionary` prints, and a test holds it against the tables.
"""


def page(connection: Connection) -> str:
    """The whole page.

    Args:
        connection: Of any role that may read `analytics`.
    """
    tables = read_tables(connection, ["data_dictionary", "measures", "symbols", "characteristics"])
    return "\n".join(_lines(tables))


def _lines(tables: dict[str, Table]) -> Iterator[str]:
    yield HEAD
    described: dict[str, list[dict[str, str]]] = {}
    for each in tables["data_dictionary"].records():
        described.setdefault(each["table_name"], []).append(each)
    for name, (itself, *columns) in described.items():
        yield f"## `{name}`\n"
        yield f"{'A view' if itself['type'] == 'view' else 'A table'}. {itself['description']}\n"
        yield from _table(
            ("column", "type", "unit", "description"),
            (
                (f"`{each['column_name']}`", each["type"], each["unit"] or "", each["description"])
                for each in columns
            ),
        )
    yield "## Measures\n"
    yield from _table(
        ("measure", "", "unit", "description"),
        (
            (f"`{each['measure']}`", each["label"], each["unit"], each["description"])
            for each in tables["measures"].records()
        ),
    )
    yield "## Symbols\n"
    yield from _table(
        ("symbol", "meaning"),
        ((f"`{each['symbol']}`", each["meaning"]) for each in tables["symbols"].records()),
    )
    yield "## Characteristics and their categories\n"
    yield from _table(
        ("characteristic", "category", ""),
        (
            (f"`{each['characteristic']}`", f"`{each['category']}`", each["label"])
            for each in tables["characteristics"].records()
        ),
    )


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heading)} |".replace("|  |", "| |")
    yield "|---" * len(heading) + "|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |".replace("|  |", "| |")
    yield ""
