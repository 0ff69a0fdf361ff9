"""Lists of codes, read from the package's data when they are first needed.

A code is kept as it was supplied: a withdrawn one is not turned into its successor, and reads for ever. What
a list does not have, or not on that day, is flagged (`CodeSet.flag`) and kept. Letter case carries nothing in
any of these lists, so codes are compared without it, and `find` answers with the spelling of the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from types import MappingProxyType

from domain.codes.entries import (
    CodeEntry,
    CodeFlag,
    CodeProblem,
    Detail,
    ScoreRange,
    entry_of,
    range_of,
    rows_of,
)

__all__ = [
    "ETHNICITY",
    "LANGUAGE",
    "NC_YEAR",
    "SEN_PROVISION",
    "SEX",
    "SUBJECT",
    "CodeEntry",
    "CodeFlag",
    "CodeProblem",
    "CodeSet",
    "is_additional_language",
    "main_ethnicity",
    "rows_of",
]

LONGEST_CODE = 20
"""No code of any list comes near this; what is longer is not one."""

_KEPT = re.compile(rf"[!-?A-~]{{1,{LONGEST_CODE}}}")

KEEPABLE = f"a code: 1 to {LONGEST_CODE} letters, digits or signs, without spaces and without @"


class CodeSet:
    """The codes that one field may hold.

    Args:
        name: What the codes are, for people: `DfE ethnicity code`.
        file: The data file, without `.csv`; `data/README.md` says what columns it has.
        example: A code to show instead of the whole list, where that is long.
        rows: The rows themselves, where they do not come from a data file.
    """

    def __init__(
        self,
        name: str,
        file: str,
        example: str | None = None,
        *,
        rows: Iterable[Mapping[str, str]] | None = None,
    ) -> None:
        self.name = name
        self.file = file
        self._example = example
        self._given = rows

    @cached_property
    def _rows(self) -> tuple[Mapping[str, str], ...]:
        return tuple(rows_of(self.file) if self._given is None else self._given)

    @cached_property
    def entries(self) -> tuple[CodeEntry, ...]:
        """Every entry, in the order of the list; a code that has changed its meaning has one for each."""
        return tuple(entry_of(row) for row in self._rows if row["code"])

    @cached_property
    def ranges(self) -> tuple[ScoreRange, ...]:
        """The ranges of whole numbers that stand beside the codes; mostly there are none."""
        return tuple(range_of(row) for row in self._rows if not row["code"])

    @cached_property
    def _by_code(self) -> Mapping[str, tuple[CodeEntry, ...]]:
        """The entries of each code in capitals, the oldest first."""
        found: dict[str, tuple[CodeEntry, ...]] = {}
        for entry in sorted(self.entries, key=lambda each: each.begins):
            found[entry.code.upper()] = (*found.get(entry.code.upper(), ()), entry)
        return MappingProxyType(found)

    @cached_property
    def codes(self) -> Mapping[str, str]:
        """Every code with its description, the newest one, in the order of the list."""
        return MappingProxyType(
            {entry.code: self._by_code[entry.code.upper()][-1].description for entry in self.entries}
        )

    @cached_property
    def accepted(self) -> str:
        """What is accepted, for people: `one of M, F, U, W`, or an example where the list is long."""
        if self._example:
            article = "an" if self.name[0].lower() in "aeio" else "a"
            said = f"{article} {self.name} such as {self._example}"
        else:
            said = f"one of {', '.join(self.codes)}"
        return said + "".join(f", or {each.lowest} to {each.highest}" for each in self.ranges)

    def __contains__(self, code: object) -> bool:
        return isinstance(code, str) and (code.upper() in self._by_code or self._score(code) is not None)

    def __iter__(self) -> Iterator[str]:
        return iter(self.codes)

    def __len__(self) -> int:
        return len(self.codes)

    def entry(self, code: str, day: date | None = None) -> CodeEntry | None:
        """What the list says of a code.

        Args:
            code: The code, in any letter case.
            day: The day on which it stood for something; without one, the newest meaning.

        Returns:
            Nothing, if the list does not have it, or not on that day.
        """
        found = self._by_code.get(code.upper(), ())
        if day is None:
            return found[-1] if found else None
        return next((entry for entry in found if entry.is_valid_on(day)), None)

    def entries_on(self, day: date) -> tuple[CodeEntry, ...]:
        """The entries that are valid on a day, in the order of the list."""
        return tuple(entry for entry in self.entries if entry.is_valid_on(day))

    def describe(self, code: str, day: date | None = None) -> str:
        """What the code stands for; with a day, what it stood for then, or if not valid then, at all.

        Raises:
            KeyError: The list has no such code.
        """
        if (score := self._score(code)) is not None:
            return score.description
        entry = (self.entry(code, day) if day else None) or self.entry(code)
        if entry is None:
            raise KeyError(code)
        return entry.description

    def detail(self, code: str, name: str, day: date | None = None) -> Detail:
        """What else the list says of a code; nothing, if it has no such code, or not on that day."""
        entry = self.entry(code, day)
        return entry.details.get(name) if entry else None

    def find(self, text: str) -> str:
        """The code that the text holds, without the space around it and in the spelling of the list.

        A code that is no longer valid is found, too: `flag` says so.

        Raises:
            ValueError: The list has no such code; the message is what is accepted.
        """
        code = text.strip()
        if found := self._by_code.get(code.upper()):
            return found[-1].code
        if self._score(code) is not None:
            return str(int(code))
        raise ValueError(self.accepted)

    def keep(self, text: str) -> str:
        """The code to keep: in the spelling of the list, or as it was supplied where the list lacks it.

        Raises:
            ValueError: It cannot be a code of any list; the message is what is accepted.
        """
        code = text.strip()
        if code in self:
            return self.find(code)
        if not _KEPT.fullmatch(code):
            raise ValueError(f"{self.accepted}; or {KEEPABLE}")
        return code

    def valid_on(self, code: str, day: date) -> bool:
        """Whether the list has the code on that day."""
        return self.entry(code, day) is not None or self._score(code) is not None

    def flag(self, code: str, day: date) -> CodeFlag | None:
        """What is to be said of a code that was supplied for a day. It raises nothing, whatever the code.

        Args:
            code: The code, in any letter case.
            day: The day that it is about, which is not always the day on which it was supplied.

        Returns:
            Nothing, if the list has it on that day.
        """
        if self.valid_on(code, day):
            return None
        found = self._by_code.get(code.upper(), ())
        if not found:
            return CodeFlag(code=code, problem=CodeProblem.UNKNOWN)
        # Between two meanings, the one that had ended says more than the one that is to come.
        ended = [entry for entry in found if entry.ends < day]
        entry = ended[-1] if ended else found[0]
        return CodeFlag(
            code=entry.code,
            problem=CodeProblem.NO_LONGER_VALID if ended else CodeProblem.NOT_YET_VALID,
            valid_from=entry.valid_from,
            valid_to=entry.valid_to,
            successor=entry.successor,
        )

    def _score(self, text: str) -> ScoreRange | None:
        """The range that a whole number lies in."""
        if not (self.ranges and text.isascii() and text.isdecimal() and len(text) <= LONGEST_CODE):
            return None
        return next((each for each in self.ranges if each.lowest <= int(text) <= each.highest), None)


SEX = CodeSet("sex", "sex")
NC_YEAR = CodeSet("NC year", "nc_year")
ETHNICITY = CodeSet("DfE ethnicity code", "ethnicity", example="WBRI")
LANGUAGE = CodeSet("DfE language code", "language", example="ENG")
SEN_PROVISION = CodeSet("SEN provision", "sen_provision")
SUBJECT = CodeSet("subject", "subjects")


def is_additional_language(code: str | None) -> bool | None:
    """Whether a child with this first language has English as an additional one.

    None, where the code does not tell.
    """
    told = LANGUAGE.detail(code, "eal") if code else None
    return told if isinstance(told, bool) else None


def main_ethnicity(code: str | None) -> str | None:
    """The main code that an ethnicity belongs to: `AOTH` of `ANEP`, and of `AOTH` itself.

    None, where the code is unknown or belongs to none.
    """
    found = ETHNICITY.detail(code, "main_code") if code else None
    return str(found) if found else None
