"""Which character encoding a CSV file is in, and whether it came through whole.

Real exports come as UTF-8, with or without a byte order mark, and as Windows-1252. What is neither, is a
mixture of both, or ends in the middle of a character, is refused as a whole: guessing would damage names.
"""

from __future__ import annotations

import re

from domain.errors import UnreadableFile
from domain.files.rows import finding

ACCEPTED = "UTF-8, with or without a byte order mark, or Windows-1252"

UTF_8_MARK = b"\xef\xbb\xbf"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")

_ACCENT_IN_UTF_8 = re.compile(rb"[\xc3-\xc5][\x80-\xbf]|\xe2\x80[\x90-\xbf]")
"""Latin letters with accents, and typographic quotation marks: nobody writes what this is in Windows-1252."""


def encoding_of(content: bytes) -> str:
    """The encoding of a CSV file, as Python names it: `utf-8`, `utf-8-sig` or `cp1252`.

    Raises:
        UnreadableFile: It is in another encoding, or damaged; the finding names the row.
    """
    if content.startswith(UTF_16_MARKS):
        raise _refused("UTF-16", 1)
    if (place := content.find(b"\x00")) >= 0:
        raise _refused("a NUL byte, as in UTF-16 or a file that is not text", _row_at(content, place))
    marked = content.startswith(UTF_8_MARK)
    try:
        content.decode()
    except UnicodeDecodeError as refused:
        row = _row_at(content, refused.start)
        if refused.reason == "unexpected end of data":
            raise _refused("a file that was cut off in the middle of a character", row) from None
        if marked:
            raise _refused("a byte order mark of UTF-8, and a byte that is not UTF-8", row) from None
        _check_windows_1252(content)
        return "cp1252"
    return "utf-8-sig" if marked else "utf-8"


def _check_windows_1252(content: bytes) -> None:
    if mixed := _ACCENT_IN_UTF_8.search(content):
        raise _refused("a mixture of UTF-8 and another encoding", _row_at(content, mixed.start()))
    try:
        content.decode("cp1252")
    except UnicodeDecodeError as refused:
        byte = content[refused.start]
        row = _row_at(content, refused.start)
        raise _refused(f"byte {byte:02X}, which is in neither encoding", row) from None


def _refused(found: str, row: int) -> UnreadableFile:
    return UnreadableFile(
        f"The characters of this file cannot be read. Save it as {ACCEPTED}",
        [finding("character encoding", found, ACCEPTED, row)],
    )


def _row_at(content: bytes, place: int) -> int:
    return content.count(b"\n", 0, place) + 1
