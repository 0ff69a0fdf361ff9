"""Lists of codes, read from the package's data when they are first needed.

A code is kept as it was supplied: a withdrawn one is not turned into its successor. Letter case carries
nothing in any of these lists, so codes are compared without it, and `find` answers with the spelling of the
list.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from importlib.resources import files
from types import MappingProxyType


def rows_of(name: str) -> Iterator[dict[str, str]]:
    """The rows of one of the package's data files, by column.

    Args:
        name: The file's name without `.csv`.
    """
    text = files("domain.codes.data").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())


class CodeSet:
    """The codes that one field may hold.

    Args:
        name: What the codes are, for people: `DfE ethnicity code`.
        file: The data file, without `.csv`; it has the columns `code` and `description`.
        example: A code to show instead of the whole list, where that is long.
    """

    def __init__(self, name: str, file: str, example: str | None = None) -> None:
        self.name = name
        self._file = file
        self._example = example

    @cached_property
    def codes(self) -> Mapping[str, str]:
        """Every code with its description, in the order of the list."""
        return MappingProxyType({row["code"]: row["description"] for row in rows_of(self._file)})

    @cached_property
    def accepted(self) -> str:
        """What is accepted, for people: `one of M, F, U, W`, or an example where the list is long."""
        if self._example:
            article = "an" if self.name[0].lower() in "aeio" else "a"
            return f"{article} {self.name} such as {self._example}"
        return f"one of {', '.join(self.codes)}"

    def __contains__(self, code: object) -> bool:
        return isinstance(code, str) and code.upper() in self.codes

    def __iter__(self) -> Iterator[str]:
        return iter(self.codes)

    def __len__(self) -> int:
        return len(self.codes)

    def describe(self, code: str) -> str:
        """What the code stands for.

        Raises:
            KeyError: The list has no such code.
        """
        return self.codes[code.upper()]

    def find(self, text: str) -> str:
        """The code that the text holds, without the space around it and in the spelling of the list.

        Raises:
            ValueError: The list has no such code; the message is what is accepted.
        """
        code = text.strip().upper()
        if code not in self.codes:
            raise ValueError(self.accepted)
        return code


SEX = CodeSet("sex", "sex")
NC_YEAR = CodeSet("NC year", "nc_year")
ETHNICITY = CodeSet("DfE ethnicity code", "ethnicity", example="WBRI")
LANGUAGE = CodeSet("DfE language code", "language", example="ENG")
SEN_PROVISION = CodeSet("SEN provision", "sen_provision")
SUBJECT = CodeSet("subject", "subjects")


@cache
def _additional_languages() -> Mapping[str, bool | None]:
    told = {"true": True, "false": False}
    return MappingProxyType({row["code"]: told.get(row["eal"]) for row in rows_of("language")})


def is_additional_language(code: str | None) -> bool | None:
    """Whether a child with this first language has English as an additional one.

    None, where the code does not tell.
    """
    return _additional_languages().get(code.upper()) if code else None
