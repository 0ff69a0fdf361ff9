"""Attendance codes, as registers hold them: before and from 19 August 2024, and what each counts towards.

The same letter may mean something else, and count otherwise, before and after that day: `J` was an interview
and counted as attended, `J1` is one and is an authorised absence. So a mark is looked up with its day.
The lists are those of DfE's *Working together to improve school attendance*, statutory from 19 August 2024,
and of its school census before (`data/README.md`).
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import cache, lru_cache

import msgspec

from domain.codes.sets import rows_of


class Half(StrEnum):
    """The two sessions of a school day."""

    AM = "AM"
    PM = "PM"


class AttendanceCode(msgspec.Struct, frozen=True, kw_only=True):
    """One code of a register, for the days on which it means this.

    Attributes:
        code: As it stands in a register: `/`, `L`, `Y2`.
        description: What it stands for.
        classification: `present`, `approved_educational_activity`, `authorised`, `unauthorised`,
            `not_possible` (the session does not count), or `not_collected` (it is no session of the child).
        possible: What one such session adds to those that the child could have attended: 0 or 1.
        attended: The same of those attended.
        authorised: The same of those missed with leave.
        unauthorised: The same of those missed without.
        valid_from: The first day; the beginning of time, if none is known.
        valid_to: The last day; still valid, if there is none.
    """

    code: str
    description: str
    classification: str
    possible: int
    attended: int
    authorised: int
    unauthorised: int
    valid_from: date | None
    valid_to: date | None

    def is_valid_on(self, day: date) -> bool:
        """Whether a register of that day may hold it."""
        return (self.valid_from or date.min) <= day <= (self.valid_to or date.max)


PRESENT = {Half.AM: "/", Half.PM: "\\"}
"""The code of a child who was there when the register was taken: one for mornings, one for afternoons."""

LATE = "L"
"""The code of a child who came after the register was opened and before it was closed: present, and late."""

LATE_AFTER_CLOSING = "U"
"""The code of a child who came after the register had closed: absent without leave, and late."""

NOT_YET_ON_REGISTER = "Z"
"""The code of a child who is expected and not yet on the register: the one that stands before the entry."""


@cache
def attendance_codes() -> tuple[AttendanceCode, ...]:
    """Every code of either list, those of today first."""
    return tuple(
        AttendanceCode(
            code=row["code"],
            description=row["description"],
            classification=row["classification"],
            possible=int(row["counts_possible"]),
            attended=int(row["counts_attended"]),
            authorised=int(row["counts_authorised"]),
            unauthorised=int(row["counts_unauthorised"]),
            valid_from=_day(row["valid_from"]),
            valid_to=_day(row["valid_to"]),
        )
        for row in rows_of("attendance_marks")
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


@cache
def _by_code() -> dict[str, tuple[AttendanceCode, ...]]:
    found: dict[str, tuple[AttendanceCode, ...]] = {}
    for each in attendance_codes():
        found[each.code] = (*found.get(each.code, ()), each)
    return found


@lru_cache(maxsize=4096)
def code_on(mark: str, day: date) -> AttendanceCode | None:
    """What a mark stands for on a day; nothing, if no list had it then."""
    return next((each for each in _by_code().get(mark, ()) if each.is_valid_on(day)), None)


def accepted_on(day: date, half: Half) -> str:
    """What a register of that session may hold, for people."""
    other = PRESENT[Half.PM if half is Half.AM else Half.AM]
    codes = [each.code for each in attendance_codes() if each.is_valid_on(day) and each.code != other]
    return f"for {half} of {day.isoformat()} one of {', '.join(codes)}; - for no mark"


def read_mark(text: str, day: date, half: Half) -> str:
    """The code that the text holds, without the space around it and in capitals.

    Args:
        text: What was entered.
        day: The day of the session.
        half: Which session of the day.

    Raises:
        ValueError: No list has it for that session; the message is what is accepted.
    """
    mark = text.strip().upper()
    if code_on(mark, day) is None or mark == PRESENT[Half.PM if half is Half.AM else Half.AM]:
        raise ValueError(accepted_on(day, half))
    return mark
