"""Checks of those particulars that are lists: periods, needs and schools before this one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

import msgspec

from domain import school_time
from domain.addresses import ACCEPTED, find_addresses
from domain.codes.record_sets import IN_CARE, LEAVING_REASON, PUPIL_PREMIUM, SEN_TYPE
from domain.codes.sets import SEN_PROVISION, CodeFlag, CodeSet
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


def checked(
    names: PupilNames,
    record: PupilRecord,
    findings: list[Finding],
    before: tuple[PupilNames, PupilRecord] | None = None,
) -> Lists:
    """The lists in their usual spelling, the periods in the order of time.

    A list that stays as it was recorded is left alone, and so is an entry of one that changes.

    Args:
        names: Who the child is to be.
        record: Everything else.
        findings: What is wrong is added to them.
        before: What is recorded now; none, for a new pupil.
    """
    today = school_time.today()
    reader = _Reader(findings, today)
    names_then, record_then = before or (None, None)
    # A statement without periods of its own begins one today, where there are others.
    provision = record.sen_provision
    if record_then and record.sen_periods and provision and provision != record_then.sen_provision:
        reader.check_validity("sen_provision", provision, SEN_PROVISION, today)
    return Lists(
        {
            "previous_schools": reader.each(
                "previous_schools",
                names.previous_schools,
                reader.school,
                names_then.previous_schools if names_then else (),
            )
        },
        {
            field: reader.periods(
                field, getattr(record, field), coded, codes, getattr(record_then, field, ())
            )
            for field, coded, codes in _PERIODS
        }
        | {
            "sen_needs": tuple(
                dict.fromkeys(
                    reader.each(
                        "sen_needs",
                        record.sen_needs,
                        lambda code: SEN_TYPE.find(code),
                        record_then.sen_needs if record_then else (),
                    )
                )
            ),
        },
    )


_PERIODS: tuple[tuple[str, str | None, CodeSet | None], ...] = (
    ("meals_periods", None, None),
    ("premium_periods", "reason", PUPIL_PREMIUM),
    ("sen_periods", "provision", SEN_PROVISION),
    ("care_periods", "kind", IN_CARE),
)
"""The lists of periods, with the field of a period that holds a code, and its list."""


class _Reader:
    def __init__(self, findings: list[Finding], today: date) -> None:
        self._findings, self._today = findings, today

    def _wrong(self, field: str, found: str, accepted: str) -> None:
        self._findings.append(Finding(field=field, found=found[:60], accepted=accepted))

    def each(
        self, field: str, entries: Sequence[Any], read: Callable[[Any], Any], before: Sequence[Any]
    ) -> tuple[Any, ...]:
        """The entries as they are read; those that are refused are left out, with a finding.

        Those that were there before stay as they are.
        """
        if entries == before:
            return tuple(entries)
        if len(entries) > MOST:
            self._wrong(field, f"{len(entries)} entries", f"at most {MOST}")
            return ()
        kept = []
        for number, entry in enumerate(entries):
            try:
                kept.append(entry if entry in before else read(entry))
            except _Refused as refused:
                self._wrong(f"{field}.{number}.{refused.part}", refused.found, str(refused))
            except ValueError as error:
                self._wrong(f"{field}.{number}", str(entry), str(error))
        return tuple(kept)

    def check_validity(self, field: str, code: str, codes: CodeSet, day: date) -> None:
        """Adds a finding, with the days of the list, if a code that it has was not valid on a day."""
        if code in codes and (flag := codes.flag(code, day)):
            self._wrong(field, f"{flag.code} from {day.isoformat()}", _valid_then(codes, flag))

    def periods(
        self,
        field: str,
        periods: Sequence[P],
        coded: str | None,
        codes: CodeSet | None,
        before: Sequence[P],
    ) -> tuple[P, ...]:
        """Periods in the order of time, which do not overlap: of premium, those of one reason.

        A code must have been valid when its period began. One that is recorded already may be ended.
        """
        if periods == before:
            return tuple(periods)
        known = {(period.start, getattr(period, coded)) for period in before} if coded else set()

        def read(period: P) -> P:
            self._check_day("start", period.start, self._today)
            self._check_day("end", period.end, self._today.replace(self._today.year + FURTHEST_AHEAD, day=1))
            if period.start and period.end and period.end < period.start:
                raise _Refused("end", period.end.isoformat(), "a day that is not before the start")
            if not coded or codes is None:
                return period
            code = getattr(period, coded)
            if code is None or (period.start, code) in known:
                return period
            try:
                code = codes.find(code)
            except ValueError as error:
                raise _Refused(coded, code, str(error)) from None
            if period.start and (flag := codes.flag(code, period.start)):
                found = f"{code} from {period.start.isoformat()}"
                raise _Refused(coded, found, _valid_then(codes, flag))
            return msgspec.structs.replace(period, **{coded: code})

        kept = sorted(
            self.each(field, periods, read, before),
            key=lambda period: (period.start or date.min, period.end or date.max),
        )
        apart: dict[object, P] = {}
        for period in kept:
            kind = getattr(period, "reason", None)
            earlier = apart.get(kind)
            if earlier and (period.start is None or earlier.end is None or earlier.end >= period.start):
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
            if number is not None and not (number.isdecimal() and number.isascii() and len(number) == digits):
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


def _valid_then(codes: CodeSet, flag: CodeFlag) -> str:
    """What is accepted in place of a code that was not valid: the days on which it is, and what came then."""
    days = [
        f"from {flag.valid_from}" if flag.valid_from else "",
        f"until {flag.valid_to}" if flag.valid_to else "",
    ]
    then = f"; then {flag.successor}" if flag.successor else ""
    return f"{flag.code} {' '.join(filter(None, days))}{then}, or a {codes.name} that was valid on that day"


class _Refused(ValueError):
    """A part of an entry is not as it must be; the message is what is accepted."""

    def __init__(self, part: str, found: str, accepted: str) -> None:
        super().__init__(accepted)
        self.part, self.found = part, found
