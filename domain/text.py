"""Text as people type it: names of people, classes and schools."""

from __future__ import annotations

import re
import unicodedata

ACCEPTED = "text without control or damaged characters"

_WRONG_START = re.compile("[ÃÄÅ]|â€")


def read_text(text: str) -> str:
    """A name, with single spaces; it must have come through its encodings whole.

    Raises:
        ValueError: It holds control characters, or was damaged on its way; the message is what is accepted.
    """
    if text.isascii() and text.isprintable():
        return text if "  " not in text and text == text.strip() else " ".join(text.split())
    text = " ".join(text.split())
    if any(unicodedata.category(character) in {"Cc", "Cn", "Co", "Cs"} for character in text):
        raise ValueError(ACCEPTED)
    if "\N{REPLACEMENT CHARACTER}" in text or _decoded_wrongly(text):
        raise ValueError("text whose accents came through whole: save the file again as UTF-8")
    return text


def is_text(text: str) -> bool:
    """Whether :func:`read_text` accepts it."""
    try:
        read_text(text)
    except ValueError:
        return False
    return True


def _decoded_wrongly(text: str) -> bool:
    """Whether this is UTF-8 that somebody once took for Windows-1252, as in `ZoÃ«`."""
    if not _WRONG_START.search(text):
        return False
    try:
        return text.encode("cp1252").decode() != text
    except UnicodeError:
        return False
