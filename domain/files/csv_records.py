"""The rows of a CSV file: their cells and numbers, and the row that holds the headings."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from io import StringIO
from itertools import islice
from typing import NamedTuple

from domain.errors import UnreadableFile
from domain.files.encoding import encoding_of
from domain.files.rows import finding

DELIMITERS = (",", ";", "\t", "|")
"""What may stand between cells; of two that fit as well, the first."""

ENCODINGS = {
    "utf-8": "utf-8-sig",
    "windows-1252": "cp1252",
    "iso-8859-1": "iso-8859-1",
    "utf-16": "utf-16",
    "macintosh": "mac-roman",
}
"""Encodings that somebody may say a file is in, as they are called and as Python calls them."""

FIRST_ROWS = 20
"""So far down a heading is looked for: reports begin with a title, a date, the name of the school."""

LONGEST_CELL = csv.field_size_limit()
"""Characters. No cell of a table of pupils comes near it; a longer one is another file, or ends nowhere."""


class Unreadable(NamedTuple):
    """What is wrong with a row that has no cells.

    Attributes:
        found: What was found.
        accepted: What is accepted.
    """

    found: str
    accepted: str


NumberedRow = tuple[int, list[str] | Unreadable]
"""A row's number and its cells, or what is wrong with it."""


def decoded(content: bytes, said: str | None) -> tuple[str, str]:
    """The encoding of a file, as Python names it, and its text.

    Args:
        content: The file.
        said: One of `ENCODINGS`, where somebody has said it; otherwise the file tells.

    Raises:
        UnreadableFile: It is damaged, or in another encoding; the finding names the row.
    """
    if said is None:
        codec = encoding_of(content)
        return codec, content.decode(codec)
    codec = ENCODINGS[said]
    try:
        return codec, content.decode(codec)
    except UnicodeError as refused:
        row = content.count(b"\n", 0, getattr(refused, "start", 0)) + 1
        raise UnreadableFile(
            f"The characters of this file cannot be read as {said}, as the mapping says",
            [finding("character encoding", f"characters that are not {said}", "another encoding", row)],
        ) from None


def records(text: str, delimiter: str = ",") -> Iterator[NumberedRow]:
    """The numbered rows, as a spreadsheet numbers them: line breaks within quotation marks begin none.

    Args:
        text: The text of the file.
        delimiter: What stands between cells.
    """
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        before = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lost = max(1, reader.line_num - before)
            found, accepted = _wrong_with(error)
            if lost > 1:
                found += f": rows {number + 1} to {number + lost} run together"
            yield number + 1, Unreadable(found, accepted)
            number += lost
            continue
        number += 1
        yield number, cells


def _wrong_with(error: csv.Error) -> Unreadable:
    if "field limit" in str(error):
        return Unreadable(
            f"a cell of more than {LONGEST_CELL:,} characters",
            f"at most {LONGEST_CELL:,} characters, and a quotation mark at the end of every cell that begins "
            "with one",
        )
    return Unreadable(
        "an odd quotation mark", "a quotation mark at the end of every cell that begins with one"
    )


def folded(heading: str) -> str:
    """A heading as it is compared: without spaces, and in small letters."""
    return "".join(heading.split()).casefold()


def delimiter_of(text: str, known: Callable[[str], bool]) -> str:
    """What stands between the cells: that by which the most headings are known.

    Args:
        text: The text of the file.
        known: Whether a heading, folded, is one that is looked for.
    """

    def recognised(delimiter: str) -> int:
        first = islice(records(text, delimiter), FIRST_ROWS)
        return max((known_in(cells, known) for _, cells in first), default=0)

    return max(DELIMITERS, key=recognised)


def known_in(cells: list[str] | Unreadable, known: Callable[[str], bool]) -> int:
    """How many different headings of a row are known."""
    if isinstance(cells, Unreadable):
        return 0
    return len({each for cell in cells if known(each := folded(cell))})
