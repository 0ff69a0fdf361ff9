"""The page of a class, an NC year or the whole school: what it gained, with a chart of each subject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from api.pages.chart import Dot, chart, labels_of
from api.pages.markup import Content, Markup, page, person, table, tag
from api.pages.words import GROUPS, REASONS, VERDICTS, pupils, signed, subject_of, value_of
from api.progress_bodies import CourseBody, FiguresBody, GainBody, ProgressAnswer
from domain.progress.groups import NOT_KNOWN
from domain.progress.matrix import Matrix
from domain.schemes.catalogue import SCHEMES


def whole_page(answer: ProgressAnswer, matrices: Sequence[Matrix], school_name: str, day: date) -> str:
    """The page.

    Args:
        answer: What is shown.
        matrices: Who went from which standing to which, by subject.
        school_name: The school.
        day: The day on which it was asked for.
    """
    asked = answer.asked
    whose = asked.class_name or (f"Year {asked.nc_year}" if asked.nc_year else "The whole school")
    title = f"{whose}: progress from {asked.start.label} to {asked.end.label}"
    schemes = SCHEMES[asked.scheme].title
    if asked.end_scheme != asked.scheme:
        schemes = f"{schemes}, then {SCHEMES[asked.end_scheme].title}"
    expected = answer.expected_gain
    return page(
        title,
        tag("h1", whose),
        tag("p", f"Progress from {asked.start.label} to {asked.end.label}"),
        tag(
            "p",
            f"{school_name} · {schemes} · {pupils(len(answer.pupils))} · as recorded on {day:%d %B %Y}",
            class_="about",
        ),
        None if expected is None else tag("p", f"Expected of everybody: {signed(expected)} points."),
        None
        if asked.comparable
        else tag("p", "The results cannot be compared: they do not stand on one scale of points."),
        *(_subject(answer, subject) for subject in answer.subjects),
        None if answer.subjects else tag("p", "There are no results at either point."),
        *(
            [_on_track(answer), _transitions(answer, matrices), _groups(answer), _pupils(answer)]
            if answer.subjects
            else []
        ),
    )


def _subject(answer: ProgressAnswer, subject: str) -> Markup:
    asked, figures, course = answer.asked, answer.whole[subject], answer.course.get(subject, [])
    called = subject_of(asked.end_scheme, subject)
    drawn = chart(
        f"chart-{subject}",
        f"{called}: mean points from {asked.start.label} to {asked.end.label}",
        _told(course),
        [
            Dot(each.point, each.mean_points, f"{each.mean_points:.1f}", each.expected)
            for each in course
            if each.mean_points is not None
        ],
        labels_of(asked.end_scheme, asked.scale),
    )
    return tag(
        "section",
        tag("h2", called),
        tag("p", _summary(figures)),
        None
        if drawn is None
        else tag(
            "div",
            tag(
                "figure",
                drawn,
                tag(
                    "figcaption",
                    tag("span", "mean points of the matched pupils", class_="key line"),
                    tag("span", "expected", class_="key band") if any(e.expected for e in course) else None,
                ),
            ),
            tag("div", _course(called, course), class_="beside"),
            class_="chart",
        ),
        class_="whole",
    )


def _summary(figures: FiguresBody) -> str:
    """The figures in sentences, each with its number of pupils."""
    told = [
        f"{pupils(figures.matched)} of {figures.pupils} have results at both points; "
        f"{figures.only_start} only at the first, {figures.only_end} only at the last, "
        f"{figures.neither} at neither."
    ]
    if figures.mean_gain is not None:
        told.append(
            f"Mean gain {signed(figures.mean_gain)} points, from {figures.mean_start:.2f} to "
            f"{figures.mean_end:.2f} ({pupils(figures.measured)})."
        )
    if figures.matched:
        verdicts = figures.verdicts
        told.append(
            f"Progress: less than expected {verdicts.less}, as expected {verdicts.as_expected}, more than "
            f"expected {verdicts.more}, not known {verdicts.not_known}."
        )
    return " ".join(told)


def _told(course: list[CourseBody]) -> str:
    """What a chart shows, for those who cannot see it."""
    return ". ".join(
        f"{each.point.label}: {'no points' if each.mean_points is None else f'{each.mean_points:.2f}'}"
        + (f", expected {each.expected[0]:g} to {each.expected[1]:g}" if each.expected else "")
        for each in course
    )


def _course(called: str, course: list[CourseBody]) -> Markup:
    rows: list[list[Content]] = [
        [
            each.point.label,
            each.pupils,
            None if each.mean_points is None else f"{each.mean_points:.2f}",
            f"{each.expected[0]:g}–{each.expected[1]:g}" if each.expected else None,
            each.standings.below,
            each.standings.at,
            each.standings.above,
        ]
        for each in course
    ]
    columns = ["Point", "Pupils", "Mean", "Expected", "Below", "At", "Above"]
    return table(f"{called}, point by point (the same pupils)", columns, rows, numbers=frozenset(range(1, 7)))


def _on_track(answer: ProgressAnswer) -> Markup:
    """How the matched pupils stand at the later point against what is expected, beside the earlier one."""
    rows: list[list[Content]] = []
    for subject in answer.subjects:
        figures = answer.whole[subject]
        start, end = figures.start_standings, figures.end_standings
        on_track = end.at + end.above
        rows.append(
            [
                subject_of(answer.asked.end_scheme, subject),
                figures.matched,
                f"{start.at + start.above} of {start.known}" if start.known else None,
                end.below,
                end.at,
                end.above,
                f"{on_track} of {end.known} ({on_track / end.known:.0%})" if end.known else None,
            ]
        )
    columns = ["Subject", "Pupils", "On track before", "Below", "At", "Above", "On track"]
    return tag(
        "section",
        tag("h2", "On track"),
        tag(
            "div",
            table(
                f"The matched pupils against what is expected at {answer.asked.end.label}; those at or "
                "above it are on track",
                columns,
                rows,
                numbers=frozenset(range(1, len(columns))),
            ),
            class_="scroll",
        ),
    )


def _transitions(answer: ProgressAnswer, matrices: Sequence[Matrix]) -> Markup | None:
    """A small matrix of each subject: from which standing to which, in numbers of pupils."""
    drawn = [_matrix(answer, each) for each in matrices if each.matched]
    if not drawn:
        return None
    return tag(
        "section",
        tag("h2", "From where to where"),
        tag(
            "p",
            f"How many pupils went from which standing at {answer.asked.start.label} (down) to which at "
            f"{answer.asked.end.label} (across).",
        ),
        tag("div", *drawn, class_="matrices"),
    )


def _matrix(answer: ProgressAnswer, matrix: Matrix) -> Markup:
    counts = {(cell.start, cell.end): len(cell.pupils) for cell in matrix.cells}
    standings = ["below", "at", "above"]
    if NOT_KNOWN in {*matrix.rows, *matrix.columns}:
        standings.append(NOT_KNOWN)
    rows: list[list[Content]] = [
        [start.replace("-", " ").capitalize(), *(counts.get((start, end)) for end in standings)]
        for start in standings
    ]
    return table(
        f"{subject_of(answer.asked.end_scheme, matrix.subject)}: {pupils(matrix.matched)}",
        ["From ↓ to →", *(end.replace("-", " ").capitalize() for end in standings)],
        rows,
        numbers=frozenset(range(1, len(standings) + 1)),
    )


def _groups(answer: ProgressAnswer) -> Markup:
    def row(name: str, figures: dict[str, FiguresBody]) -> list[Content]:
        found = [figures[subject] for subject in answer.subjects]
        return [
            name,
            *(f"{signed(each.mean_gain)} ({each.measured})" if each.measured else None for each in found),
        ]

    rows = [row("All", answer.whole)]
    for group, parts in answer.groups.items():
        told = parts or []
        if len(told) < 2:
            continue  # nothing is told apart
        rows += [row(f"{GROUPS[group]}: {value_of(group, part.value)}", part.subjects) for part in told]
    columns = ["Group", *(subject_of(answer.asked.end_scheme, subject) for subject in answer.subjects)]
    return tag(
        "section",
        tag("h2", "Groups"),
        tag(
            "div",
            table(
                "Mean gain in points, and in brackets the number of pupils whom it is the mean of",
                columns,
                rows,
                numbers=frozenset(range(1, len(columns))),
            ),
            class_="scroll",
        ),
    )


def _pupils(answer: ProgressAnswer) -> Markup:
    rows: list[list[Content]] = [
        [
            person(pupil.name),
            *(
                _gain(pupil.subjects[subject]) if subject in pupil.subjects else None
                for subject in answer.subjects
            ),
        ]
        for pupil in answer.pupils
    ]
    columns = ["Pupil", *(subject_of(answer.asked.end_scheme, subject) for subject in answer.subjects)]
    return tag(
        "section",
        tag("h2", "Pupils"),
        tag(
            "div",
            table(
                "From where to where; what was gained, and whether less, as much or more than expected",
                columns,
                rows,
            ),
            class_="scroll",
        ),
    )


def _gain(gain: GainBody) -> Markup:
    ends = " → ".join("–" if end is None else end.value for end in (gain.start, gain.end))
    if gain.verdict is None:
        said = "one result only"
    else:
        said = VERDICTS[gain.verdict] if gain.reason is None else REASONS[gain.reason]
        said = f"{signed(gain.gain)}, {said}" if gain.gain is not None else said
    return Markup(tag("span", ends) + tag("span", said, class_="small"))
