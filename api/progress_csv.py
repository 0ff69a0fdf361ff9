"""Progress as CSV: a row for each pupil and subject, or for each part of a group and subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from api.progress_bodies import FiguresBody, GroupBody, OnTrackBody, OnTrackGroupBody, PupilProgress
from domain.files.spreadsheets import csv_of
from domain.progress.groups import Group
from domain.progress.matrix import Matrix

Cell = str | int | float | None

PUPIL_COLUMNS = (
    "Pupil id", "Surname", "Forename", "Alias", "Class", "Year", "Subject", "From", "To",
    "From value", "From points", "From standing", "To value", "To points", "To standing",
    "Gain", "Expected gain", "Progress", "Not known because",
)  # fmt: skip

GROUP_COLUMNS = (
    "Group", "Part", "Subject", "From", "To",
    "Pupils", "With both results", "Only from", "Only to", "Neither",
    "Measured", "Mean from", "Mean to", "Mean gain", "Expected gain",
    "Less than expected", "As expected", "More than expected", "Not known",
)  # fmt: skip

MATRIX_COLUMNS = ("Subject", "From", "To", "From value", "To value", "Pupils", "With both results")

ON_TRACK_COLUMNS = (
    "Group", "Part", "Subject", "Point", "Pupils", "Without a result", "Below", "At", "Above", "Not known",
    "Share below", "Share at", "Share above",
)  # fmt: skip


def of_pupils(pupils: Iterable[PupilProgress], start: str, end: str) -> bytes:
    """Pupil by pupil.

    Args:
        pupils: The pupils.
        start: The earlier point, for people.
        end: The later one.
    """
    return csv_of(PUPIL_COLUMNS, _pupil_rows(pupils, start, end))


def _pupil_rows(pupils: Iterable[PupilProgress], start: str, end: str) -> Iterator[list[Cell]]:
    for pupil in pupils:
        who: list[Cell] = [str(pupil.pupil_id), pupil.surname, pupil.forename, pupil.alias]
        who += [pupil.groups[Group.CLASS], pupil.groups[Group.NC_YEAR]]
        for subject, gain in sorted(pupil.subjects.items()):
            row = [*who, subject, start, end]
            for found in (gain.start, gain.end):
                row += [found.value, found.points, found.standing] if found else [None, None, None]
            yield [*row, gain.gain, gain.expected_gain, gain.verdict, gain.reason]


def of_groups(
    whole: dict[str, FiguresBody],
    groups: dict[Group, list[GroupBody] | None],
    start: str,
    end: str,
    expected_gain: int | None,
) -> bytes:
    """The figures of all, and of every part of some groups.

    Args:
        whole: The figures of all, by subject.
        groups: Those of the groups; of one that the reader may not know there are no rows.
        start: The earlier point, for people.
        end: The later one.
        expected_gain: The points that everybody was expected to gain.
    """
    parts = [("all", "all", whole)]
    parts += [
        (group.value, part.value, part.subjects) for group, found in groups.items() for part in found or ()
    ]
    return csv_of(
        GROUP_COLUMNS,
        (
            [
                group, value, subject, start, end, each.pupils, each.matched, each.only_start, each.only_end,
                each.neither, each.measured, each.mean_start, each.mean_end, each.mean_gain, expected_gain,
                each.verdicts.less, each.verdicts.as_expected, each.verdicts.more, each.verdicts.not_known,
            ]
            for group, value, subjects in parts
            for subject, each in subjects.items()
        ),
    )  # fmt: skip


def of_matrices(found: Iterable[Matrix], start: str, end: str) -> bytes:
    """A row for each cell of each matrix in which there is anybody: how many went from where to where.

    Args:
        found: The matrices.
        start: The earlier point, for people.
        end: The later one.
    """
    return csv_of(
        MATRIX_COLUMNS,
        (
            [matrix.subject, start, end, cell.start, cell.end, len(cell.pupils), matrix.matched]
            for matrix in found
            for cell in matrix.cells
        ),
    )


def of_on_track(
    whole: dict[str, OnTrackBody], groups: dict[Group, list[OnTrackGroupBody] | None], point: str
) -> bytes:
    """How all stand at a point, and every part of some groups.

    Args:
        whole: How all stand, by subject.
        groups: How the groups do; of one that the reader may not know there are no rows.
        point: The point, for people.
    """
    parts = [("all", "all", whole)]
    parts += [
        (group.value, part.value, part.subjects) for group, found in groups.items() for part in found or ()
    ]
    return csv_of(
        ON_TRACK_COLUMNS,
        (
            [
                group, value, subject, point, each.pupils, each.without, each.standings.below,
                each.standings.at, each.standings.above, each.standings.not_known,
                each.share_below, each.share_at, each.share_above,
            ]
            for group, value, subjects in parts
            for subject, each in subjects.items()
        ),
    )  # fmt: skip
