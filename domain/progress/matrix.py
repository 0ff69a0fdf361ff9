"""Transition matrices: how many pupils went from each value, or standing, to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from uuid import UUID

import msgspec

from domain.progress.entries import Entry, Results
from domain.progress.gains import Gain
from domain.progress.groups import NOT_KNOWN, Member
from domain.progress.question import Question
from domain.progress.report import gains_of, subjects_of


class By(StrEnum):
    """What the rows and columns of a matrix are."""

    VALUE = "value"
    STANDING = "standing"


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """The pupils who went from one to the other; there is no cell for nobody.

    Attributes:
        start: The value or standing at the start.
        end: That at the end.
        pupils: Who they are, in the order of their ids.
    """

    start: str
    end: str
    pupils: list[UUID]


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """A transition matrix of a subject.

    Attributes:
        subject: The subject.
        rows: The values or standings at the start, from the lowest.
        columns: Those at the end, from the lowest.
        cells: Who went where.
        matched: The pupils with results at both ends, who are all in the cells.
        only_start: Those with a result at the earlier point only.
        only_end: Those with a result at the later point only.
    """

    subject: str
    rows: list[str]
    columns: list[str]
    cells: list[Cell]
    matched: int
    only_start: int
    only_end: int


def matrices(question: Question, members: Sequence[Member], results: Results, by: By) -> list[Matrix]:
    """A matrix of every subject; the arguments are those of :func:`domain.progress.report.report`."""
    subjects = subjects_of(question, members, results)
    gains = gains_of(question, [results.get(member.pupil_id, {}) for member in members], subjects)
    pupil_ids = [member.pupil_id for member in members]
    return [_matrix(subject, pupil_ids, gains, by) for subject in subjects]


_PLACES = {"below": 0, "at": 1, "above": 2}


def _standing(entry: Entry) -> tuple[tuple[int, str], str]:
    name = entry.standing or NOT_KNOWN
    return (_PLACES.get(name, len(_PLACES)), name), name


def _value(entry: Entry) -> tuple[tuple[int, str], str]:
    """What says why there is no result comes after the ladder."""
    ladder = entry.version.values.get(entry.value)
    ordinal = ladder.ordinal if ladder else None
    return (10**6 if ordinal is None else ordinal, entry.value), entry.value


_PLACED: dict[By, Callable[[Entry], tuple[tuple[int, str], str]]] = {
    By.VALUE: _value,
    By.STANDING: _standing,
}


def _matrix(subject: str, pupil_ids: Iterable[UUID], gains: Iterable[Mapping[str, Gain]], by: By) -> Matrix:
    placed = _PLACED[by]
    cells: dict[tuple[str, str], list[UUID]] = {}
    rows: dict[str, tuple[int, str]] = {}
    columns: dict[str, tuple[int, str]] = {}
    matched = only_start = only_end = 0
    for pupil_id, of_pupil in zip(pupil_ids, gains, strict=True):
        found = of_pupil.get(subject)
        if found is None:
            continue
        if found.start is None:
            only_end += 1
        elif found.end is None:
            only_start += 1
        else:
            matched += 1
            row_place, row = placed(found.start)
            column_place, column = placed(found.end)
            rows[row], columns[column] = row_place, column_place
            cells.setdefault((row, column), []).append(pupil_id)
    row_order, column_order = _in_order(rows), _in_order(columns)
    return Matrix(
        subject=subject,
        rows=row_order,
        columns=column_order,
        cells=[
            Cell(start=row, end=column, pupils=sorted(cells[row, column]))
            for row in row_order
            for column in column_order
            if (row, column) in cells
        ],
        matched=matched,
        only_start=only_start,
        only_end=only_end,
    )


def _in_order(places: Mapping[str, tuple[int, str]]) -> list[str]:
    named: Iterable[tuple[tuple[int, str], str]] = ((place, name) for name, place in places.items())
    return [name for _, name in sorted(named)]
