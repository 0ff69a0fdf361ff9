"""Bars one under another, each divided or not, as SVG with a title and a description."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from api.pages.markup import Markup, tag
from api.pages.style import GRID, INK

WIDTH = 460
LEFT, RIGHT = 96, 8
HEAD, BAR, GAP, FOOT = 20, 17, 4, 6
FONT = 12
ROOM_FOR_A_NUMBER = 30
"""Units that a part needs to have its number written in it."""


class Part(NamedTuple):
    """A part of a bar.

    Attributes:
        length: Its share of the whole width, 0 to 1.
        label: What is written in it, where there is room.
        fill: Its colour, on which white can be read.
    """

    length: float
    label: str
    fill: str


class Bar(NamedTuple):
    """A bar.

    Attributes:
        name: What stands before it.
        parts: Its parts, from the left.
        instead: What is written in its place, if it has none.
    """

    name: str
    parts: Sequence[Part]
    instead: str = ""


class Bunch(NamedTuple):
    """Bars that belong together.

    Attributes:
        name: What stands above them.
        bars: The bars.
    """

    name: str
    bars: Sequence[Bar]


def bars(name: str, title: str, description: str, bunches: Sequence[Bunch]) -> Markup | None:
    """A chart of bars; nothing, where no bar has any part.

    Args:
        name: What tells its elements' ids apart from those of other charts of the page.
        title: What it shows.
        description: What can be seen in it, for those who cannot see it.
        bunches: The bars, in bunches.
    """
    if not any(bar.parts for bunch in bunches for bar in bunch.bars):
        return None
    drawn: list[Markup] = []
    y = 0
    for bunch in bunches:
        drawn.append(tag("text", bunch.name, x=0, y=y + 14, font_weight="600"))
        y += HEAD
        for bar in bunch.bars:
            drawn += _bar(bar, y)
            y += BAR + GAP
        y += FOOT
    return tag(
        "svg",
        tag("title", title, id=f"{name}-title"),
        tag("desc", description, id=f"{name}-description"),
        *drawn,
        viewBox=f"0 0 {WIDTH} {y}",
        role="img",
        font_family="system-ui, 'Segoe UI', Arial, sans-serif",
        font_size=FONT,
        fill=INK,
        aria_labelledby=f"{name}-title {name}-description",
    )


def _bar(bar: Bar, y: float) -> list[Markup]:
    whole = WIDTH - LEFT - RIGHT
    drawn = [tag("text", bar.name, x=LEFT - 8, y=y + 13, text_anchor="end")]
    if not bar.parts:
        drawn.append(
            tag(
                "rect", x=LEFT, y=y, width=whole, height=BAR, fill="none", stroke=GRID, stroke_dasharray="4 3"
            )
        )
        drawn.append(tag("text", bar.instead, x=LEFT + 8, y=y + 13))
        return drawn
    x = float(LEFT)
    for part in bar.parts:
        width = round(whole * max(0.0, min(part.length, 1.0)), 1)
        if width:
            drawn.append(
                tag("rect", x=round(x, 1), y=y, width=width, height=BAR, fill=part.fill, stroke="#fff")
            )
        if width >= ROOM_FOR_A_NUMBER:
            middle = round(x + width / 2, 1)
            drawn.append(tag("text", part.label, x=middle, y=y + 13, text_anchor="middle", fill="#fff"))
        x += width
    return drawn
