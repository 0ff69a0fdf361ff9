"""The page of worked questions: every block runs against a release, and gives the columns that it shows."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from domain.ledger.database import Database
from projections.benchmarks import exported_files, parquet
from projections.benchmarks.exporting import read
from tests.conftest import TestDatabase
from tests.documents import ROOT
from tests.ledger.roles import ANALYTICS
from tests.projections.publishing import published

PAGE = (ROOT / "docs" / "analysts-worked.md").read_text(encoding="utf-8")

_BLOCK = re.compile(r"^```(sql|python)\n(.*?)^```\n(?:\n```\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A block of code, and what the page says that it prints."""

    language: str
    code: str
    printed: str

    @property
    def columns(self) -> list[str]:
        """The columns that are shown."""
        heading = self.printed.splitlines()[0]
        return [word for word in heading.replace("|", " ").split() if word]


def blocks(page: str) -> list[Block]:
    return [Block(*found) for found in _BLOCK.findall(page)]


class Ground(NamedTuple):
    """What the page stands on: a database with a release, and the files of an export of it."""

    analysts: Database
    folder: Path


@pytest.fixture(scope="module")
def ground(module_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("worked")
    with published(module_database), Database(module_database.conninfo(ANALYTICS)) as analysts:
        exported_files.write(folder / "released", parquet.files(read(analysts)), set())
        yield Ground(analysts, folder)


def run(block: Block, ground: Ground, names: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """The columns that a block gives, and the rows, as text."""
    if block.language == "sql":
        with ground.analysts.connection() as connection:
            cursor = connection.execute(block.code.encode())
            columns = [column.name for column in cursor.description or ()]
            return columns, [["" if cell is None else str(cell) for cell in row] for row in cursor]
    out = io.StringIO()
    with contextlib.chdir(ground.folder), contextlib.redirect_stdout(out):
        exec(block.code, names)
    heading, *lines = out.getvalue().splitlines()
    return heading.split(), [line.split() for line in lines]


def wrong_with(page: str, ground: Ground) -> list[str]:
    """The blocks that do not run, show other columns than the page, or find nothing."""
    names: dict[str, Any] = {}
    found = []
    for place, block in enumerate(blocks(page), 1):
        try:
            columns, rows = run(block, ground, names)
        except Exception as error:  # noqa: BLE001 - whatever the page's code raises
            found.append(f"block {place}: {type(error).__name__}")
            continue
        if columns != block.columns:
            found.append(f"block {place}: {columns} and not {block.columns}")
        if not any(_has_a_figure(columns, row) for row in rows):
            found.append(f"block {place}: nothing is found")
    return found


COUNTS = {"nc_year", "told", "not_told"}
"""Columns in which a number is no figure."""


def _has_a_figure(columns: list[str], row: list[str]) -> bool:
    """Whether any is told; from the right, since a region's name may be several words."""
    return any(
        name not in COUNTS and re.fullmatch(r"-?\d+(\.\d+)?", cell)
        for name, cell in zip(reversed(columns), reversed(row), strict=False)
    )


def test_every_block_runs_and_gives_the_columns_that_are_shown(ground: Ground) -> None:
    assert [block.language for block in blocks(PAGE)] == ["sql", "python", "sql", "python", "sql", "python"]
    assert PAGE.count("\n```sql\n") + PAGE.count("\n```python\n") == len(blocks(PAGE))
    assert wrong_with(PAGE, ground) == []


def test_sql_and_pandas_give_the_same_answer(ground: Ground) -> None:
    sql, python = blocks(PAGE)[:2]
    [[_, *told, _]] = run(sql, ground, {})[1]
    [[_, *shown]] = run(python, ground, {})[1]
    assert [float(cell) for cell in told] == [float(cell) for cell in shown]


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("analytics.benchmarks JOIN newest", "ledger.events JOIN newest", "block 1: InsufficientPrivilege"),
        ("AS not_eligible", "AS others", "block 1: ["),
        ("FROM 'released/benchmarks.parquet'", "FROM 'released/gone.parquet'", "block 4: IOException"),
        ("columns=[\"no\", \"yes\"]", "columns=[\"yes\"]", "block 2: KeyError"),
        ("measure IN ('at', 'above')", "measure = 'level'", "block 4: nothing is found"),
        ("round(avg(b.value), 2)", "round(avg(b.gain), 2)", "block 5: UndefinedColumn"),
    ],
    ids=["another table", "another column", "no file", "a column less", "no such measure", "no such column"],
)  # fmt: skip
def test_a_page_that_is_wrong_would_be_noticed(ground: Ground, right: str, wrong: str, problem: str) -> None:
    assert right in PAGE
    found = wrong_with(PAGE.replace(right, wrong), ground)
    assert any(each.startswith(problem) for each in found), found
