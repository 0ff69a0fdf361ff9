"""Codes with the days on which they are valid, as the rows of a data file say them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from importlib.resources import files

import msgspec

Detail = str | int | bool | None

COLUMNS = ("code", "description", "valid_from", "valid_to", "successor", "note")
"""The columns that every list of codes has; what else a file has are details of its own."""

RANGE = ("lowest", "highest", "expected")
"""The columns of a range of marks or scores, which stands in a row without a code."""

_TOLD: dict[str, Detail] = {"true": True, "false": False, "": None, "unknown": None}


def rows_of(name: str) -> Iterator[dict[str, str]]:
    """The rows of one of the package's data files, by column.

    Args:
        name: The file's name without `.csv`.
    """
    text = files("domain.codes.data").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())


class CodeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A code, for the days on which it means this.

    Attributes:
        code: As it stands in the list.
        description: What it stands for.
        valid_from: The first day; null where the list has always had it, or nobody knows since when.
        valid_to: The last day; null where it is still valid.
        successor: The code that took its place, where it is one code. Nothing is ever turned into it.
        note: Where the entry is not like the others: dates that are inferred, codes that few files have.
        details: What else the list says of it: `eal` of a language, `main_code` of an ethnicity.
    """

    code: str
    description: str
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None
    note: str | None = None
    details: Mapping[str, Detail] = {}

    def is_valid_on(self, day: date) -> bool:
        """Whether the code means this on that day."""
        return self.begins <= day <= self.ends

    @property
    def begins(self) -> date:
        """The first day; the beginning of time where there is none."""
        return self.valid_from or date.min

    @property
    def ends(self) -> date:
        """The last day; the end of time where there is none."""
        return self.valid_to or date.max


class ScoreRange(msgspec.Struct, frozen=True, kw_only=True):
    """Whole numbers that stand beside the codes of a list: marks, or scaled scores.

    Attributes:
        description: What the numbers are.
        lowest: The lowest one.
        highest: The highest one.
        expected: The lowest that meets the expected standard, where there is one.
        stage: CTF `Stage`, where the range is that of one stage only.
        note: More about it.
    """

    description: str
    lowest: int
    highest: int
    expected: int | None = None
    stage: str | None = None
    note: str | None = None


class CodeProblem(StrEnum):
    """Why a code is flagged."""

    UNKNOWN = "unknown"
    NOT_YET_VALID = "not yet valid"
    NO_LONGER_VALID = "no longer valid"


class CodeFlag(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be said of a code that was kept though its list does not have it on that day.

    Attributes:
        code: The code: in the spelling of the list, or as it was supplied where it is unknown.
        problem: Why it is flagged.
        valid_from: The first day on which it is valid.
        valid_to: The last one.
        successor: The code that took its place.
    """

    code: str
    problem: CodeProblem
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None

    @property
    def message(self) -> str:
        """The same for people: `no longer valid (until 2015-08-31; then K)`."""
        said = []
        if self.problem is CodeProblem.NOT_YET_VALID and self.valid_from:
            said.append(f"from {self.valid_from.isoformat()}")
        if self.problem is CodeProblem.NO_LONGER_VALID and self.valid_to:
            said.append(f"until {self.valid_to.isoformat()}")
            said += [f"then {self.successor}"] if self.successor else []
        return f"{self.problem} ({'; '.join(said)})" if said else str(self.problem)


def entry_of(row: Mapping[str, str]) -> CodeEntry:
    """The entry that a row of a data file holds.

    Raises:
        ValueError: A date is none.
    """
    return CodeEntry(
        code=row["code"],
        description=row["description"],
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
        successor=row["successor"] or None,
        note=row["note"] or None,
        details={
            column: _detail(column, text)
            for column, text in row.items()
            if column not in COLUMNS and column not in RANGE
        },
    )


def range_of(row: Mapping[str, str]) -> ScoreRange:
    """The range that a row without a code holds.

    Raises:
        ValueError: A number is none.
    """
    return ScoreRange(
        description=row["description"],
        lowest=int(row["lowest"]),
        highest=int(row["highest"]),
        expected=int(row["expected"]) if row["expected"] else None,
        stage=row.get("stage") or None,
        note=row["note"] or None,
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _detail(column: str, text: str) -> Detail:
    """A detail as what it is: `true` and `false` are truths, and what a code counts as is a number."""
    return int(text) if column.startswith("counts_") else _TOLD.get(text, text)
