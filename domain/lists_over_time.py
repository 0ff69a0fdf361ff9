"""Checks of those particulars that are lists: periods, needs and schools before this one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

import msgspec

from domain.addresses import ACCEPTED, find_addresses
from domain.codes.record_sets import IN_CARE, LEAVING_REASON, PUPIL_PREMIUM, SEN_TYPE
from domain.codes.sets import SEN_PROVISION
from domain.errors import Finding
from domain.pupil_record import Period, PupilNames, PupilRecord, SchoolAttended
from domain.text import read_text

P = TypeVar("P", bound=Period)

EARLIEST = date(1990, 1, 1)
"""No pupil's record reaches back further."""

FURTHEST_AHEAD = 10
"""So many years ahead the end of a period may be known."""

MOST = 100
"""The most entries of one list."""


class Lists(msgspec.Struct, frozen=True):
    """The lists as they are kept, by field: those of `names` and those of `record`."""

    names: dict[str, Any]
    record: dict[str, Any]


def checked(names: PupilNames, record: PupilRecord, findings: list[Finding]) -> Lists:
    """The lists in their usual spelling, the periods in the order of time.

    Args:
        names: Who the child is.
        record: Everything else.
        findings: What is wrong is added to them.
    """
    today = date.today()  # noqa: DTZ011 - a calendar day, as the school counts it
    reader = _Reader(findings, today)
    return Lists(
        {"previous_schools": reader.each("previous_schools", names.previous_schools, reader.school)},
        {
            "meals_periods": reader.periods("meals_periods", record.meals_periods),
            "premium_periods": reader.periods(
                "premium_periods", record.premium_periods, "reason", PUPIL_PREMIUM.find
            ),
            "sen_periods": reader.periods("sen_periods", record.sen_periods, "provision", SEN_PROVISION.find),
            "care_periods": reader.periods("care_periods", record.care_periods, "kind", IN_CARE.find),
            "sen_needs": tuple(
                dict.fromkeys(reader.each("sen_needs", record.sen_needs, lambda code: SEN_TYPE.find(code)))
            ),
        },
    )


class _Reader:
    def __init__(self, findings: list[Finding], today: date) -> None:
        self._findings, self._today = findings, today

    def _wrong(self, field: str, found: str, accepted: str) -> None:
        self._findings.append(Finding(field=field, found=found[:60], accepted=accepted))

    def each(self, field: str, entries: Sequence[Any], read: Callable[[Any], Any]) -> tuple[Any, ...]:
        """The entries as they are read; those that are refused are left out, with a finding."""
        if len(entries) > MOST:
            self._wrong(field, f"{len(entries)} entries", f"at most {MOST}")
            return ()
        kept = []
        for number, entry in enumerate(entries):
            try:
                kept.append(read(entry))
            except _Refused as refused:
                self._wrong(f"{field}.{number}.{refused.part}", refused.found, str(refused))
            except ValueError as error:
                self._wrong(f"{field}.{number}", str(entry), str(error))
        return tuple(kept)

    def periods(
        self,
        field: str,
        periods: Sequence[P],
        coded: str | None = None,
        read_code: Callable[[str], str] | None = None,
    ) -> tuple[P, ...]:
        """Periods in the order of time, which do not overlap: of premium, those of one reason."""

        def read(period: P) -> P:
            self._check_day("start", period.start, self._today)
            self._check_day("end", period.end, self._today.replace(self._today.year + FURTHEST_AHEAD, day=1))
            if period.start and period.end and period.end < period.start:
                raise _Refused("end", period.end.isoformat(), "a day that is not before the start")
            if coded and read_code and (code := getattr(period, coded)) is not None:
                try:
                    return msgspec.structs.replace(period, **{coded: read_code(code)})
                except ValueError as error:
                    raise _Refused(coded, code, str(error)) from None
            return period

        kept = sorted(
            self.each(field, periods, read),
            key=lambda period: (period.start or date.min, period.end or date.max),
        )
        apart: dict[object, P] = {}
        for period in kept:
            kind = getattr(period, "reason", None)
            before = apart.get(kind)
            if before and (period.start is None or before.end is None or before.end >= period.start):
                found = f"one from {period.start or 'the beginning'}, within another"
                self._wrong(field, found, "periods that do not overlap")
                break
            apart[kind] = period
        return tuple(kept)

    def school(self, school: SchoolAttended) -> SchoolAttended:
        """A school before this one."""
        name = school.name
        if name is not None:
            try:
                name = read_text(name)
            except ValueError as error:
                raise _Refused("name", name, str(error)) from None
            if not 1 <= len(name) <= 200:
                raise _Refused("name", f"{len(name)} characters", "1 to 200 characters")
            if words := find_addresses(name):
                raise _Refused("name", ", ".join(words), ACCEPTED)
        for part, number, digits in (
            ("local_authority", school.local_authority, 3),
            ("establishment", school.establishment, 4),
        ):
            if number is not None and not (number.isalnum() and number.isascii() and len(number) == digits):
                raise _Refused(part, number, f"{digits} digits")
        self._check_day("entered_on", school.entered_on, self._today)
        self._check_day("left_on", school.left_on, self._today)
        if school.entered_on and school.left_on and school.left_on < school.entered_on:
            raise _Refused("left_on", school.left_on.isoformat(), "a day that is not before the day of entry")
        reason = school.leaving_reason
        if reason is not None:
            try:
                reason = LEAVING_REASON.find(reason)
            except ValueError as error:
                raise _Refused("leaving_reason", reason, str(error)) from None
        return msgspec.structs.replace(school, name=name, leaving_reason=reason)

    @staticmethod
    def _check_day(part: str, day: date | None, latest: date) -> None:
        if day and not EARLIEST <= day <= latest:
            raise _Refused(part, day.isoformat(), f"a day from {EARLIEST} to {latest}")


class _Refused(ValueError):
    """A part of an entry is not as it must be; the message is what is accepted."""

    def __init__(self, part: str, found: str, accepted: str) -> None:
        super().__init__(accepted)
        self.part, self.found = part, found
