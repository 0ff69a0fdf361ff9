"""Passwords that an attacker tries first: the common ones, and those that say whose they are.

Source: NIST SP 800-63B, section 3.1.1.2, which asks for both to be refused and for nothing else. The common
ones are the 30,000 that the `zxcvbn` package lists.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

SERVICE = "Target Tracker"

LEAST = 4
"""Fewer letters in a row are no word: they say nothing about the rest of a password."""

_LOOK_ALIKES = "4@3€1!|0$5+7869"
_TABLES = tuple(str.maketrans(_LOOK_ALIKES, f"aaee{one}{one}{one}osstt" + "bgg") for one in "il")
_KEPT = 3
"""So many look-alikes at either end may belong to the word, as in `$unshine` or `pa55`."""


def is_common(password: str) -> bool:
    """Whether it is a common password, or one that was merely dressed up.

    That is: repeated, with symbols in between, with digits or symbols at either end, or with look-alikes in
    place of letters, as in `p@ssw0rd!`.

    Args:
        password: A password in its NFKC form.
    """
    common = _common()
    return any(
        each in common for text in _undressed(password) for each in (text, _period(_letters_and_digits(text)))
    )


def is_made_of(password: str, context: Iterable[str]) -> bool:
    """Whether next to nothing of it (fewer than four letters) is left without the words of the context.

    Args:
        password: A password in its NFKC form.
        context: Names that an attacker knows: the username's, the school's. That of the service is added.
    """
    words = sorted(_words([SERVICE, *context]), key=len, reverse=True)
    for text in _undressed(password):
        joined = rest = _letters_and_digits(text)
        for word in words:
            rest = rest.replace(word, " ")
        if rest != joined and sum(map(str.isalpha, rest)) < LEAST:
            return True
    return False


@cache
def _common() -> frozenset[str]:
    """The list, in lower case; read when the first password is chosen, for it takes some megabytes."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(word.casefold() for word in FREQUENCY_LISTS["passwords"] if len(word) >= LEAST)


def _words(context: Iterable[str]) -> set[str]:
    """Each name run together, as in `stjohns`, and its parts; short ones stand in too many other words."""
    found = set()
    for name in context:
        name = unicodedata.normalize("NFKC", name).casefold()
        parts = [name, *name.split(), *re.split(r"[\W_]+", name)]
        found |= {_letters_and_digits(part) for part in parts}
    return {word for word in found if len(word) >= LEAST - 1}


def _undressed(password: str) -> Iterator[str]:
    """What may have been dressed up as this, in lower case, without what was put before or behind it."""
    text = password.casefold()
    yield text
    yield text.strip("".join(character for character in set(text) if not character.isalnum()))
    letters = [place for place, character in enumerate(text) if character.isalpha()]
    if not letters:
        return
    first, end = letters[0], letters[-1] + 1
    for start in range(max(0, first - _KEPT), first + 1):
        for stop in range(end, min(len(text), end + _KEPT) + 1):
            yield text[start:stop]
            for table in _TABLES:
                yield text[start:stop].translate(table)


def _letters_and_digits(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _period(text: str) -> str:
    """The part that the text repeats; all of it, if none."""
    return text[: (text + text).find(text, 1)] if text else text
