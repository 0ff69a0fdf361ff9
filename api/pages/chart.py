"""A line chart of points over time, beside what was expected, as SVG with a title and a description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from api.pages.markup import Content, Markup, tag
from api.pages.style import BAND, BAND_EDGE, GRID, INK, LINE, TARGET
from api.progress_bodies import PointBody
from domain.academic_year import HALF_TERMS_BY_THE_END, Term
from domain.schemes.catalogue import SCHEMES

NARROW, WIDE, HEIGHT = 460, 720, 250
LEFT, RIGHT, TOP, BOTTOM = 44, 18, 22, 42
FONT = 12
MOST_TICKS = 7
ROOM_FOR_NAMES, ROOM_FOR_SHORT_NAMES = 46, 24
"""Units between points that the names of terms need, and the short ones; with less there are years alone."""


class Dot(NamedTuple):
    """A point on the chart.

    Attributes:
        at: When.
        points: How high; nothing is drawn of what counts none.
        label: What stands beside it.
        expected: From where to where it was expected to lie.
    """

    at: PointBody
    points: float | None
    label: str
    expected: tuple[float, float] | None


class Aim(NamedTuple):
    """A target on the chart.

    Attributes:
        at: When it is to be reached.
        points: How high it lies; nothing is drawn of one that counts none.
        label: What stands beside it.
    """

    at: PointBody
    points: float | None
    label: str


class _Frame(msgspec.Struct, frozen=True):
    """Where things lie."""

    width: int
    first: float
    last: float
    low: float
    high: float

    def across(self, time: float) -> float:
        """How far to the right a time lies."""
        width = self.width - LEFT - RIGHT
        if self.last == self.first:
            return LEFT + width / 2
        # A little room at both sides, for what stands beside the first and the last point.
        return round(LEFT + 18 + (width - 36) * (time - self.first) / (self.last - self.first), 1)

    def down(self, points: float) -> float:
        """How far down points lie."""
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (self.high - points) / (self.high - self.low), 1)


def labels_of(scheme: str, scale: str | None) -> dict[int, str]:
    """The values of a scheme by their points, to write beside an axis; of several alike the first."""
    labels: dict[int, str] = {}
    for version in SCHEMES[scheme].versions:
        for value in version.ladder:
            if scale in value.points:
                labels.setdefault(value.points[scale or ""], value.value)
    return labels


def chart(
    name: str,
    title: str,
    description: str,
    dots: Sequence[Dot],
    labels: Mapping[int, str],
    *,
    width: int = NARROW,
    aims: Sequence[Aim] = (),
) -> Markup | None:
    """A chart; nothing, where there is nothing to draw.

    Args:
        name: What tells its elements' ids apart from those of other charts of the page.
        title: What it shows.
        description: What can be seen in it, for those who cannot see it.
        dots: The points, the earliest first.
        labels: What to write beside the axis, by points.
        width: How wide it is, in units of which a letter has about six.
        aims: Targets, the earliest first.
    """
    marks: list[Dot | Aim] = sorted([*dots, *aims], key=lambda mark: time_of(mark.at))
    heights = [mark.points for mark in marks if mark.points is not None]
    if not heights:
        return None
    heights += [height for dot in dots if dot.expected for height in dot.expected]
    times = [time_of(mark.at) for mark in marks]
    low, high = min(heights), max(heights)
    room = max(1.0, (high - low) * 0.08)
    frame = _Frame(width, min(times), max(times), low - room, high + room)
    return tag(
        "svg",
        tag("title", title, id=f"{name}-title"),
        tag("desc", description, id=f"{name}-description"),
        *_axis(frame, labels),
        *_times(frame, marks),
        *_band(frame, dots),
        *_line(frame, dots),
        *_diamonds(frame, dots, aims),
        viewBox=f"0 0 {width} {HEIGHT}",
        role="img",
        font_family="system-ui, 'Segoe UI', Arial, sans-serif",
        font_size=FONT,
        fill=INK,
        aria_labelledby=f"{name}-title {name}-description",
    )


def time_of(at: PointBody) -> int:
    """When a point is over, in half-terms."""
    over = len(HALF_TERMS_BY_THE_END) if at.term is None else HALF_TERMS_BY_THE_END[Term(at.term)]
    return at.academic_year * 6 + (6 if at.term is None else over)


def _axis(frame: _Frame, labels: Mapping[int, str]) -> list[Markup]:
    """Lines across with the values of the scheme that they stand for, but not too many."""
    inside = [points for points in sorted(labels) if frame.low <= points <= frame.high]
    every = -(-len(inside) // MOST_TICKS) or 1
    drawn = []
    for points in inside[::every]:
        y = frame.down(points)
        drawn.append(tag("line", x1=LEFT, x2=frame.width - RIGHT, y1=y, y2=y, stroke=GRID))
        drawn.append(tag("text", labels[points], x=LEFT - 8, y=y + 4, text_anchor="end"))
    return drawn


def _times(frame: _Frame, marks: Sequence[Dot | Aim]) -> list[Markup]:
    """Terms along the bottom, and below the first of each academic year the year."""
    dots = list({time_of(mark.at): mark for mark in marks}.values())  # a target and a result of one time
    places = [frame.across(time_of(dot.at)) for dot in dots]
    apart = min((after - before for before, after in pairwise(places)), default=ROOM_FOR_NAMES)
    drawn: list[Markup] = []
    year = None
    for dot, x in zip(dots, places, strict=True):
        if apart >= ROOM_FOR_SHORT_NAMES:
            term = _term(dot.at, short=apart < ROOM_FOR_NAMES)
            drawn.append(tag("text", term, x=x, y=HEIGHT - 24, text_anchor="middle"))
        if dot.at.academic_year != year:
            year = dot.at.academic_year
            drawn.append(
                tag(
                    "text",
                    f"{year}/{(year + 1) % 100:02d}",
                    x=x,
                    y=HEIGHT - 8,
                    text_anchor="middle",
                    font_weight="600",
                )
            )
    return drawn


def _term(at: PointBody, *, short: bool) -> str:
    if at.term is None:
        return "Year" if not short else ""
    name, _, half = at.term.partition("-")
    if not short:
        return f"{name} {half}".strip().capitalize()
    return f"{name[:2]}{half}".capitalize() if half else name[:3].capitalize()


def _band(frame: _Frame, dots: Sequence[Dot]) -> list[Markup]:
    """What was expected: unbroken as long as it is known."""
    drawn = []
    for part in _known(dots):
        edges = [(frame.across(time_of(dot.at)), dot.expected) for dot in part if dot.expected]
        if len(edges) == 1:  # one point has no extent
            [(x, expected)] = edges
            edges = [(x - 10, expected), (x + 10, expected)]
        upper = [f"{x},{frame.down(expected[1])}" for x, expected in edges]
        lower = [f"{x},{frame.down(expected[0])}" for x, expected in reversed(edges)]
        drawn.append(
            tag(
                "polygon",
                points=" ".join(upper + lower),
                fill=BAND,
                fill_opacity="0.8",
                stroke=BAND_EDGE,
                stroke_dasharray="4 3",
            )
        )
    return drawn


def _known(dots: Sequence[Dot]) -> list[list[Dot]]:
    parts: list[list[Dot]] = [[]]
    for dot in dots:
        if dot.expected:
            parts[-1].append(dot)
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if part]


def _line(frame: _Frame, dots: Sequence[Dot]) -> list[Markup]:
    places = [
        (frame.across(time_of(dot.at)), frame.down(dot.points), dot.label)
        for dot in dots
        if dot.points is not None
    ]
    drawn = [
        tag(
            "polyline",
            points=" ".join(f"{x},{y}" for x, y, _ in places),
            fill="none",
            stroke=LINE,
            stroke_width=2.5,
            stroke_linejoin="round",
        )
    ]
    for x, y, label in places:
        drawn.append(tag("circle", cx=x, cy=y, r=4, fill=LINE, stroke="#fff", stroke_width=1.5))
        drawn += _label(label, x, y - 9)
    return drawn


def _label(label: str, x: float, y: float) -> list[Markup]:
    """What stands beside a mark, with white behind the letters, where they cross a line."""
    if not label:
        return []
    where: dict[str, Content] = {"x": x, "y": y, "text_anchor": "middle", "font_weight": "600"}
    return [tag("text", label, stroke="#fff", stroke_width=3, **where), tag("text", label, **where)]


def _diamonds(frame: _Frame, dots: Sequence[Dot], aims: Sequence[Aim]) -> list[Markup]:
    """Targets: hollow, so that a result on one is seen in it; labelled below, but not twice alike."""
    reached = {(time_of(dot.at), dot.points) for dot in dots}
    drawn: list[Markup] = []
    for aim in aims:
        if aim.points is None:
            continue
        x, y = frame.across(time_of(aim.at)), frame.down(aim.points)
        corners = ((x, y - 8), (x + 8, y), (x, y + 8), (x - 8, y))
        path = "M" + "L".join(f"{across:g} {down:g}" for across, down in corners) + "Z"
        drawn.append(tag("path", d=path, fill="none", stroke="#fff", stroke_width=5))
        drawn.append(tag("path", d=path, fill="none", stroke=TARGET, stroke_width=2.5))
        if (time_of(aim.at), aim.points) not in reached:
            drawn += _label(aim.label, x, y + 21)
    return drawn
