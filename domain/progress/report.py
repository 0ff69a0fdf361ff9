"""The progress of a cohort: pupil by pupil, as a whole, in groups, and point by point between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

import msgspec

from domain.academic_year import AssessmentPoint, When
from domain.progress.entries import Courses, Entry, Results
from domain.progress.figures import (
    Counts,
    Figures,
    Standings,
    added,
    counts_of,
    figures_of,
    mean,
    standing_counts,
    standings,
)
from domain.progress.gains import Gain, gain
from domain.progress.groups import Group, Member, in_order
from domain.progress.question import Question, version_at


class GroupFigures(msgspec.Struct, frozen=True):
    """A part of a group, and its figures by subject."""

    value: str
    subjects: dict[str, Figures]


class CoursePoint(msgspec.Struct, frozen=True, kw_only=True):
    """How the matched pupils stood in a subject at a point between the ends, or at one of them.

    Attributes:
        at: The point.
        pupils: Those of them who have a result there.
        mean_points: The mean of their points; none, where nobody's count any.
        expected: The means of the lowest and the highest points at which they were where they were expected
            to be; none, where that is not known of all of them.
        standings: How they stood.
    """

    at: When
    pupils: int
    mean_points: float | None
    expected: tuple[float, float] | None
    standings: Standings


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of a cohort.

    Attributes:
        question: What was asked.
        expected_gain: The points that everybody was expected to gain; none, where nothing was.
        subjects: The subjects that there are results in.
        pupils: The gains of each pupil, by subject; of those without any result none.
        whole: The figures of all, by subject.
        groups: Those of every part of the groups asked for; none for a group that whoever asks may not know.
        course: Point by point, by subject.
    """

    question: Question
    expected_gain: int | None
    subjects: list[str]
    pupils: dict[UUID, dict[str, Gain]]
    whole: dict[str, Figures]
    groups: dict[Group, list[GroupFigures] | None]
    course: dict[str, list[CoursePoint]]


def report(
    question: Question,
    members: Sequence[Member],
    results: Results,
    groups: Collection[Group] = tuple(Group),
) -> Report:
    """Works out the progress of a cohort.

    Args:
        question: What is asked.
        members: The pupils, each once.
        results: Their results at the points of the question; those of others do not count.
        groups: The groups to tell apart.
    """
    subjects = subjects_of(question, members, results)
    courses = [results.get(member.pupil_id, {}) for member in members]
    gains = gains_of(question, courses, subjects)
    counts = {subject: _counts(gains, subject) for subject in subjects}
    return Report(
        question=question,
        expected_gain=_expected_gain(question),
        subjects=subjects,
        pupils={member.pupil_id: of_pupil for member, of_pupil in zip(members, gains, strict=True)},
        whole={subject: figures_of(counts[subject]) for subject in subjects},
        groups=_divided(members, counts, groups),
        course={subject: _course(question, courses, gains, subject) for subject in subjects},
    )


def subjects_of(question: Question, members: Iterable[Member], results: Results) -> list[str]:
    """The subjects that the pupils have any results in at either end, or the one that is asked about."""
    if question.subject is not None:
        return [question.subject]
    return sorted(
        {
            subject
            for member in members
            for subject, course in results.get(member.pupil_id, {}).items()
            if question.start in course or question.end in course
        }
    )


def gains_of(
    question: Question, courses: Iterable[Courses], subjects: Sequence[str]
) -> list[dict[str, Gain]]:
    """What each pupil gained in each subject in which it has a result at either end.

    Args:
        question: What is asked.
        courses: The results of each pupil, by subject and time.
        subjects: The subjects.
    """
    known: dict[tuple[int, int], Gain] = {}  # most pupils share both results, and so the gain, with others
    gains = []
    for of_pupil in courses:
        found: dict[str, Gain] = {}
        for subject in subjects:
            course = of_pupil.get(subject)
            if course is None:
                continue
            start = _of_scheme(course.get(question.start), question.scheme)
            end = _of_scheme(course.get(question.end), question.end_scheme)
            if start is not None or end is not None:
                ends = (id(start), id(end))
                if ends not in known:
                    known[ends] = gain(start, end)
                found[subject] = known[ends]
        gains.append(found)
    return gains


def _counts(gains: Sequence[Mapping[str, Gain]], subject: str) -> list[Counts]:
    """What each pupil adds to the figures of a subject."""
    known: dict[int, Counts] = {}
    counts = []
    for of_pupil in gains:
        found = of_pupil.get(subject)
        if id(found) not in known:
            known[id(found)] = counts_of(found)
        counts.append(known[id(found)])
    return counts


def _of_scheme(entry: Entry | None, scheme: str) -> Entry | None:
    return entry if entry is not None and entry.scheme == scheme else None


def _expected_gain(question: Question) -> int | None:
    start, end = question.start, question.end
    if not (question.comparable and isinstance(start, AssessmentPoint) and isinstance(end, AssessmentPoint)):
        return None
    return version_at(question.end_scheme, end, "to").expected_gain(start, end)


def _divided(
    members: Sequence[Member], counts: Mapping[str, Sequence[Counts]], groups: Iterable[Group]
) -> dict[Group, list[GroupFigures] | None]:
    """The figures of every part of some groups.

    Args:
        members: The pupils.
        counts: What each of them adds, in the same order, by subject.
        groups: The groups.
    """
    return {
        group: None
        if parts is None
        else [
            GroupFigures(
                value,
                {
                    subject: figures_of([of_all[place] for place in places])
                    for subject, of_all in counts.items()
                },
            )
            for value, places in parts.items()
        ]
        for group in groups
        for parts in [parts_of(members, group)]
    }


def parts_of(members: Sequence[Member], group: Group) -> dict[str, list[int]] | None:
    """The places of the pupils in each part of a group, in the order of the parts.

    `None` where the part of a pupil may not be known to whoever asks.
    """
    parts: dict[str, list[int]] = {}
    for place, member in enumerate(members):
        value = member.values[group]
        if value is None:
            return None
        parts.setdefault(value, []).append(place)
    return {value: parts[value] for value in in_order(parts)}


def _course(
    question: Question, courses: Sequence[Courses], gains: Sequence[Mapping[str, Gain]], subject: str
) -> list[CoursePoint]:
    """Always of the same pupils, so that nobody's coming or going looks like progress."""
    if not question.comparable:
        return []
    matched = [
        of_pupil[subject]
        for of_pupil, gained in zip(courses, gains, strict=True)
        if (found := gained.get(subject)) and found.matched
    ]
    points = []
    for at in question.points:
        entries = [entry for course in matched if (entry := course.get(at)) is not None]
        if entries:
            points.append(_course_point(at, entries))
    return points


def _course_point(at: When, entries: Sequence[Entry]) -> CoursePoint:
    times = Counter(map(id, entries))  # many pupils share an entry, which is looked at once
    counted = [(entry, times[number]) for number, entry in {id(entry): entry for entry in entries}.items()]
    with_points = [(entry.points, number) for entry, number in counted if entry.points is not None]
    expected = [(*entry.expected, number) for entry, number in counted if entry.expected is not None]
    total = len(entries)
    return CoursePoint(
        at=at,
        pupils=total,
        mean_points=mean(
            sum(points * number for points, number in with_points), sum(number for _, number in with_points)
        ),
        expected=(
            round(sum(low * number for low, _, number in expected) / total, 2),
            round(sum(high * number for _, high, number in expected) / total, 2),
        )
        if len(expected) == len(counted)
        else None,
        standings=standings(
            added([number * count for count in standing_counts(entry)] for entry, number in counted)[:4]
        ),
    )
