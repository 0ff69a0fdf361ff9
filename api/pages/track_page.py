"""The page of a pupil: every result over the years, with a chart of each subject."""

from __future__ import annotations

from datetime import date

from api.pages.chart import NARROW, WIDE, Dot, chart, labels_of
from api.pages.markup import Content, Markup, page, person, table, tag
from api.pages.words import subject_of
from api.progress_bodies import TrackAnswer, TrackPoint
from domain.schemes.catalogue import SCHEMES

FEW = 9
"""The most points that stand beside their chart, each with its value; more stand below it."""

_STANDINGS = {None: "", "below": "below", "at": "at", "above": "above"}


def whole_page(answer: TrackAnswer, class_name: str | None, school_name: str, day: date) -> str:
    """The page.

    Args:
        answer: What is shown.
        class_name: The pupil's class now.
        school_name: The school.
        day: The day on which it was asked for.
    """
    name = answer.pupil.name
    about = [school_name, class_name, SCHEMES[answer.scheme].title, f"as recorded on {day:%d %B %Y}"]
    return page(
        f"{name}: track",
        tag("h1", person(name)),
        tag("p", " · ".join(filter(None, about)), class_="about"),
        *(_subject(answer, subject, points) for subject, points in answer.subjects.items()),
        None if answer.subjects else tag("p", "There are no results on this scheme."),
    )


def _subject(answer: TrackAnswer, subject: str, points: list[TrackPoint]) -> Markup:
    called = subject_of(answer.scheme, subject)
    few = len(points) <= FEW
    drawn = chart(
        f"chart-{subject}",
        f"{called} from {points[0].point.label} to {points[-1].point.label}",
        ". ".join(_told(each) for each in points),
        [Dot(each.point, each.points, each.value if few else "", each.expected) for each in points],
        labels_of(answer.scheme, answer.scale),
        width=NARROW if few else WIDE,
    )
    rows: list[list[Content]] = [
        [
            each.point.label,
            each.nc_year,
            each.value,
            each.points,
            f"{each.expected[0]}–{each.expected[1]}" if each.expected else None,
            _STANDINGS[each.standing],
        ]
        for each in points
    ]
    columns = ["Point", "Year", "Result", "Points", "Expected", "Standing"]
    listed = table(f"{called}, point by point", columns, rows, numbers=frozenset({3, 4}))
    return tag(
        "section",
        tag("h2", called),
        listed
        if drawn is None
        else tag(
            "div",
            tag(
                "figure",
                drawn,
                tag(
                    "figcaption",
                    tag("span", "results", class_="key line"),
                    tag("span", "expected", class_="key band") if any(e.expected for e in points) else None,
                ),
            ),
            tag("div", listed, class_="beside"),
            class_="chart" if few else "chart wide",
        ),
        class_="whole" if few else None,
    )


def _told(each: TrackPoint) -> str:
    expected = f", expected {each.expected[0]} to {each.expected[1]} points" if each.expected else ""
    points = "" if each.points is None else f" ({each.points} points)"
    return f"{each.point.label}: {each.value}{points}{expected}"
