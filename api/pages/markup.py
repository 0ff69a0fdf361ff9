"""HTML and SVG, put together so that no text can become markup."""

from __future__ import annotations

from html import escape
from typing import Final

from api.pages.style import STYLE

Content = str | int | float | None
"""What an element may hold: markup stays what it is, and everything else is text."""


class Markup(str):
    """Markup that was put together here: the only text that is not escaped."""

    __slots__ = ()


NOTHING: Final = "–"


def text(value: Content) -> Markup:
    """A value as markup: escaped, unless it is markup already."""
    if isinstance(value, Markup):
        return value
    return Markup("" if value is None else escape(str(value)))


def tag(name: str, *content: Content, **attributes: Content) -> Markup:
    """An element.

    Args:
        name: Its name.
        *content: What it holds.
        **attributes: Its attributes; an underline stands for a hyphen, one at the end for nothing, and what
            is `None` is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{''.join(map(text, content))}</{name}>")


def person(name: str) -> Markup:
    """A name, whose letters cannot turn the direction of what stands around it."""
    return tag("bdi", name)


def table(
    caption: str, columns: list[str], rows: list[list[Content]], *, numbers: frozenset[int] = frozenset()
) -> Markup:
    """A table whose first column heads its rows.

    Args:
        caption: What it shows.
        columns: The headings.
        rows: The cells; what is `None` or empty is shown as a dash.
        numbers: The places of the columns of numbers.
    """
    classes = ["number" if place in numbers else None for place in range(len(columns))]
    heads = [tag("th", name, scope="col", class_=kind) for name, kind in zip(columns, classes, strict=True)]
    body = []
    for first, *rest in rows:
        cells = [
            tag("td", NOTHING if cell in (None, "") else cell, class_=kind)
            for cell, kind in zip(rest, classes[1:], strict=True)
        ]
        body.append(tag("tr", tag("th", first, scope="row", class_=classes[0]), *cells))
    return tag("table", tag("caption", caption), tag("thead", tag("tr", *heads)), tag("tbody", *body))


def page(title: str, *content: Content) -> str:
    """A whole page."""
    head = Markup(
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    )
    return "<!DOCTYPE html>\n" + tag(
        "html",
        tag("head", head, tag("title", title), tag("style", Markup(STYLE))),
        tag("body", tag("main", *content)),
        lang="en-GB",
    )
