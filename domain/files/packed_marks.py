"""The marks of one child's register, packed: a character for each session."""

from __future__ import annotations

import re
from collections.abc import ItemsView, Iterator, Mapping
from datetime import date
from typing import Self

from domain.attendance import LONGEST_GAP, UNSAID, Run, Session, runs_of
from domain.codes.attendance import Half

NOTHING = " "
"""Stands for a session without a mark; no mark is a space."""

_HALVES = tuple(Half)

_RUN = re.compile(rf"[^{NOTHING}]+(?:{NOTHING}{{1,{LONGEST_GAP}}}[^{NOTHING}]+)*")


class PackedMarks(Mapping[Session, str]):
    """Marks of one character each, by session, in the order of the sessions; equal to a dictionary of them.

    Sessions are made as they are asked for, and none is held.

    Args:
        first_day: The day of the first two characters.
        text: Two characters to a day, of every day of the calendar, morning first; :data:`NOTHING` where
            there is no mark.
    """

    __slots__ = ("_pieces",)

    def __init__(self, first_day: date, text: str) -> None:
        # Each begins at a day, given by its ordinal; they are in order, and no two have a day in common.
        self._pieces: tuple[tuple[int, str], ...] = ((first_day.toordinal(), text),) if text else ()

    @classmethod
    def of(cls, marks: Mapping[Session, str]) -> Self:
        """Packs marks. Where a long time passes without any, nothing is held of it.

        Raises:
            ValueError: A mark is not one character, or is a space.
        """
        if any(len(mark) != 1 for mark in marks.values()):
            raise ValueError("a packed mark is one character")
        packed = cls(date.min, "")
        packed._pieces = tuple(
            (run.first_day.toordinal(), "".join(mark or NOTHING for mark in run.marks))
            for run in runs_of(marks)
        )
        return packed

    def until(self, last_day: date) -> Self:
        """Those of the sessions up to the end of a day."""
        cut = type(self)(date.min, "")
        end = last_day.toordinal() + 1
        cut._pieces = tuple(
            (ordinal, text[: 2 * (end - ordinal)]) for ordinal, text in self._pieces if ordinal < end
        )
        return cut

    def pairs(self) -> Iterator[tuple[Session, str]]:
        """Each session with its mark."""
        for ordinal, text in self._pieces:
            for place in range(0, len(text), 2):
                marks = text[place : place + 2]
                if marks.isspace():
                    continue
                day = date.fromordinal(ordinal + place // 2)
                for half, mark in zip(_HALVES, marks, strict=False):
                    if mark != NOTHING:
                        yield Session(day, half), mark

    def runs(self) -> Iterator[Run]:
        """The runs that :func:`~domain.attendance.runs_of` makes of these marks, faster.

        Raises:
            ValueError: A mark is no character that can be printed.
        """
        for ordinal, text in self._pieces:
            if not text.isprintable():
                raise ValueError("a mark is a character that can be printed")
            for found in _RUN.finditer(text):
                days, half = divmod(found.start(), 2)
                marks = (UNSAID if mark == NOTHING else mark for mark in found.group())
                yield Run(date.fromordinal(ordinal + days), (*(half * (UNSAID,)), *marks))

    def of_weekdays(self, weekday: int) -> set[str]:
        """The marks that there are on a day of the week, Monday being 0."""
        found: set[str] = set()
        for ordinal, text in self._pieces:
            first = 2 * ((weekday - date.fromordinal(ordinal).weekday()) % 7)
            found.update(text[first::14], text[first + 1 :: 14])
        return found - {NOTHING}

    def __iter__(self) -> Iterator[Session]:
        return (session for session, _ in self.pairs())

    def __len__(self) -> int:
        return sum(len(text) - text.count(NOTHING) for _, text in self._pieces)

    def __getitem__(self, session: Session) -> str:
        for ordinal, text in self._pieces:
            place = 2 * (session.day.toordinal() - ordinal) + (session.half is Half.PM)
            if 0 <= place < len(text) and text[place] != NOTHING:
                return text[place]
        raise KeyError(session)

    def items(self) -> ItemsView[Session, str]:
        """The sessions with their marks."""
        return _Items(self)


class _Items(ItemsView[Session, str]):
    """Goes through the text once, where the usual one would look each session up in it."""

    def __init__(self, packed: PackedMarks) -> None:
        super().__init__(packed)
        self._packed = packed

    def __iter__(self) -> Iterator[tuple[Session, str]]:
        return self._packed.pairs()


NO_MARKS = PackedMarks(date.min, "")
"""Of a child of whom a file has none."""
