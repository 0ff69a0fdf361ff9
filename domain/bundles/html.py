"""HTML of what is held: every text escaped, every value in words, nothing that would be run or fetched."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from domain.bundles.spelling import label, meaning
from domain.school_time import SCHOOL_TIME

STYLE = """
body { font-family: system-ui, sans-serif; line-height: 1.4; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h2 { border-bottom: 2px solid #333; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1rem; }
th, td { border: 1px solid #bbb; padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
td { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 5.5rem; }
thead { display: table-header-group; }
tr, article, figure { break-inside: avoid; }
figure { display: inline-block; margin: 0.5rem 1rem 0.5rem 0; }
img { max-width: 100%; }
.quiet { color: #555; }
@media print { body { max-width: none; margin: 0; padding: 0; font-size: 10pt; } a { color: inherit; } }
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

POLICY = (
    f"default-src 'none'; img-src data:; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'"
)
"""What a browser may do with the page: show it, with its own style and the pictures that lie in it."""

NOTHING = "–"

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0\ufffe\uffff]")
"""Characters that a page may not hold, or that turn the order of others round."""


def escaped(text: object) -> str:
    """Text as it stands in a page, wherever in it."""
    return html.escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(text)), quote=True)


def day_in_words(text: str) -> str:
    """A day as people write it: `4 March 2018`; anything else as it is."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"


def moment_in_words(text: str) -> str:
    """A moment as clocks in England show it: `4 March 2018, 09:15:02`; anything else as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    if at.tzinfo is None:
        return text
    there = at.astimezone(SCHOOL_TIME)
    return f"{there.day} {there:%B %Y, %H:%M:%S}"


def in_words(field: str, value: Any) -> str:
    """A value as people read it, not escaped yet: codes with what they stand for, days in words.

    Args:
        field: The field, which says what its codes stand for; of one in a list, `list.field`.
        value: Plain data.
    """
    if value is None or value in ("", [], (), {}):
        return NOTHING
    match value:
        case bool():
            return "yes" if value else "no"
        case str() if _DAY.fullmatch(value):
            return day_in_words(value)
        case str() if _MOMENT.fullmatch(value):
            return moment_in_words(value)
        case str():
            place = field.split(".")
            stands_for = meaning(".".join(place[-2:]), value) or meaning(place[-1], value)
            return f"{value} ({stands_for})" if stands_for else value
        case list() | tuple():
            said = [in_words(field, each) for each in value]
            # Marks of a register are hundreds; what has more to say stands on a line of its own.
            return ", ".join(said) if said == [each or NOTHING for each in value] else "\n".join(said)
        case dict():
            return "; ".join(
                f"{label(name)}: {in_words(f'{field}.{name}', each)}" for name, each in value.items()
            )
        case _:
            return str(value)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], nothing: str = "None.") -> Iterator[str]:
    """A table of texts that are not escaped yet; a sentence instead, if it has no rows."""
    begun = False
    for row in rows:
        if not begun:
            head = "".join(f'<th scope="col">{escaped(column)}</th>' for column in columns)
            yield f"<table><thead><tr>{head}</tr></thead><tbody>\n"
            begun = True
        yield "<tr>" + "".join(f"<td>{escaped(cell)}</td>" for cell in row) + "</tr>\n"
    yield "</tbody></table>\n" if begun else f'<p class="quiet">{escaped(nothing)}</p>\n'


def fields(values: Mapping[str, Any], within: str = "") -> Iterator[str]:
    """A table of fields and their values."""
    place = f"{within}." if within else ""
    rows = ((label(name), in_words(f"{place}{name}", value)) for name, value in values.items())
    yield from table(("What", "Value"), rows)


def heading(level: int, text: str) -> str:
    """A heading."""
    return f"<h{level}>{escaped(text)}</h{level}>\n"


def paragraph(text: str) -> str:
    """A paragraph."""
    return f"<p>{escaped(text)}</p>\n"


def beginning(title: str) -> str:
    """What a page begins with."""
    return (
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escaped(POLICY)}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    )


END = "</body>\n</html>\n"
