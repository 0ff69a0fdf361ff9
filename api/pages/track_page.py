"""The page of a pupil: every result over the years, with a chart of each subject."""

from __future__ import annotations

from datetime import date

from api.pages.chart import NARROW, WIDE, Aim, Dot, chart, labels_of, time_of
from api.pages.markup import Content, Markup, page, person, table, tag
from api.pages.words import subject_of
from api.progress_bodies import PointBody, TrackAnswer, TrackPoint, TrackTarget
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
    subjects = sorted(answer.subjects.keys() | answer.targets.keys())
    about = [school_name, class_name, SCHEMES[answer.scheme].title, f"as recorded on {day:%d %B %Y}"]
    return page(
        f"{name}: track",
        tag("h1", person(name)),
        tag("p", " · ".join(filter(None, about)), class_="about"),
        *(
            _subject(answer, subject, answer.subjects.get(subject, []), answer.targets.get(subject, []))
            for subject in subjects
        ),
        None if subjects else tag("p", "There are no results on this scheme."),
    )


def _subject(
    answer: TrackAnswer, subject: str, points: list[TrackPoint], targets: list[TrackTarget]
) -> Markup:
    called = subject_of(answer.scheme, subject)
    few = len(points) <= FEW
    times = sorted([*(each.point for each in points), *(each.point for each in targets)], key=_in_time)
    first, last = times[0], times[-1]
    drawn = chart(
        f"chart-{subject}",
        f"{called} from {first.label} to {last.label}",
        ". ".join([*map(_told, points), *map(_told_target, targets)]),
        [Dot(each.point, each.points, each.value if few else "", each.expected) for each in points],
        labels_of(answer.scheme, answer.scale),
        width=NARROW if few else WIDE,
        aims=[Aim(each.point, each.points, each.value) for each in targets],
    )
    results = {each.point: each for each in points}
    aimed_at = {each.point: each.value for each in targets}
    rows: list[list[Content]] = []
    for at in sorted({**results, **aimed_at}, key=_in_time):
        each = results.get(at)
        row: list[Content] = [at.label, *_result(each)]
        rows.append([*row, aimed_at.get(at)] if targets else row)
    columns = ["Point", "Year", "Result", "Points", "Expected", "Standing"]
    if targets:
        columns.append("Target")
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
                    tag("span", "results", class_="key line") if points else None,
                    tag("span", "expected", class_="key band") if any(e.expected for e in points) else None,
                    tag("span", "targets", class_="key target") if targets else None,
                ),
            ),
            tag("div", listed, class_="beside"),
            class_=" ".join(filter(None, ("chart", "aims" if targets else "", "" if few else "wide"))),
        ),
        class_="whole" if few else None,
    )


def _result(each: TrackPoint | None) -> list[Content]:
    if each is None:
        return [None] * 5
    expected = f"{each.expected[0]}–{each.expected[1]}" if each.expected else None
    return [each.nc_year, each.value, each.points, expected, _STANDINGS[each.standing]]


def _in_time(at: PointBody) -> tuple[int, int, str]:
    return time_of(at), 0 if at.term is None else 1, at.term or ""


def _told_target(each: TrackTarget) -> str:
    points = "" if each.points is None else f" ({each.points} points)"
    return f"Target for {each.point.label}: {each.value}{points}"


def _told(each: TrackPoint) -> str:
    expected = f", expected {each.expected[0]} to {each.expected[1]} points" if each.expected else ""
    points = "" if each.points is None else f" ({each.points} points)"
    return f"{each.point.label}: {each.value}{points}{expected}"
