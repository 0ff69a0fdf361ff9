"""What of a pupil's record runs over time: eligibility, SEN provision and care, in periods.

Most files, and most people, only say what is so today. Where the periods are known, such a statement is
written into them, so that the two never tell different stories.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

import msgspec

from domain.errors import Finding
from domain.pupil_record import CarePeriod, Period, PupilRecord, SenPeriod

P = TypeVar("P", bound=Period)

NO_SEN = "N"


def covering(periods: Iterable[P], day: date) -> P | None:
    """The period that the day lies in; of several, the one that began last."""
    return max(
        (period for period in periods if period.covers(day)),
        key=lambda period: period.start or date.min,
        default=None,
    )


def meals_on(record: PupilRecord, day: date) -> bool | None:
    """Whether the child is eligible for free school meals on a day; none, where nobody has said."""
    if record.meals_periods:
        return covering(record.meals_periods, day) is not None
    return record.free_school_meals


def provision_on(record: PupilRecord, day: date) -> str | None:
    """The SEN provision on a day; none, where nobody has said."""
    if record.sen_periods:
        found = covering(record.sen_periods, day)
        return found.provision if found else NO_SEN
    return record.sen_provision


def in_care_on(record: PupilRecord, day: date) -> bool | None:
    """Whether the child is looked after on a day; none, where nobody has said."""
    if record.care_periods:
        return covering(record.care_periods, day) is not None
    return record.in_care


def premium_on(record: PupilRecord, day: date) -> tuple[str, ...]:
    """The reasons for which the school gets pupil premium for the child on a day."""
    return tuple(dict.fromkeys(period.reason for period in record.premium_periods if period.covers(day)))


def sen_entries(periods: Iterable[SenPeriod], today: date) -> tuple[tuple[date | None, str], ...]:
    """SEN provision as files tell it: since when there has been which; where it ended, none (`N`) began.

    Two records with the same entries say the same of every day from the first of them until today. An end
    that lies ahead is not told: files have no days in the future.
    """
    entries: list[tuple[date | None, str]] = []
    ended: date | None = None
    for period in sorted(periods, key=lambda each: each.start or date.min):
        if ended and period.start and ended + timedelta(days=1) < period.start:
            entries.append((ended + timedelta(days=1), NO_SEN))
        entries.append((period.start, period.provision))
        ended = period.end
    if ended and ended < today:
        entries.append((ended + timedelta(days=1), NO_SEN))
    return tuple(
        entry
        for number, entry in enumerate(entries)
        if number == 0 or entry[1] != NO_SEN or entries[number - 1][1] != NO_SEN
    )


class _Kind(msgspec.Struct, frozen=True):
    """A plain field, the periods beside it, and how each is told by the other."""

    plain: str
    periods: str
    on: Callable[[PupilRecord, date], Any]
    begun: Callable[[date, Any], Period]


_KINDS = (
    _Kind("free_school_meals", "meals_periods", meals_on, lambda day, _: Period(start=day)),
    _Kind(
        "sen_provision",
        "sen_periods",
        provision_on,
        lambda day, provision: SenPeriod(start=day, provision=provision),
    ),
    _Kind("in_care", "care_periods", in_care_on, lambda day, _: CarePeriod(start=day)),
)


TOLD_BY = {kind.plain: kind.periods for kind in _KINDS}
"""Fields that say today what periods say over time: who entered either owns both, and hands back both."""


def contradictions(record: PupilRecord, written: Container[str], today: date) -> list[Finding]:
    """What is wrong with plain fields that are written with periods that say something else of today.

    Args:
        record: As it is to be.
        written: The fields that are written.
        today: The day of writing.
    """
    findings = []
    for kind in _KINDS:
        periods, plain = getattr(record, kind.periods), getattr(record, kind.plain)
        if not periods or plain is None or kind.plain not in written or kind.periods not in written:
            continue
        if plain != (so := kind.on(record, today)):
            accepted = f"{_spelled(so)}, as {kind.periods} says of today, or one of the two alone"
            findings.append(Finding(field=kind.plain, found=_spelled(plain), accepted=accepted))
    return findings


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)[:60]


def reconciled(
    before: PupilRecord | None, after: PupilRecord, today: date, written: Container[str] = ()
) -> PupilRecord:
    """The record with each plain field and its periods agreed, after one of the two was written.

    Periods that were written tell the plain field. A plain field that was written alone, where there are
    periods, ends the one that is open yesterday, or begins one today; where there are none, it stands alone.
    One that was not written says nothing, even where its period has come to an end since.

    Args:
        before: As it was; none, for a new pupil.
        after: As it was written.
        today: The day of writing.
        written: Fields that were written, perhaps as they were; those that differ were, in any case.
    """
    for kind in _KINDS:
        periods = getattr(after, kind.periods)
        if not periods:
            continue
        if before is None or getattr(before, kind.periods) != periods:
            after = msgspec.structs.replace(after, **{kind.plain: kind.on(after, today)})
            continue
        plain = getattr(after, kind.plain)
        if plain == getattr(before, kind.plain) and kind.plain not in written:
            continue
        if plain not in {None, kind.on(after, today)}:
            ended = _ended(periods, today)
            begun = () if plain in {False, NO_SEN} else (kind.begun(today, plain),)
            after = msgspec.structs.replace(after, **{kind.periods: (*ended, *begun)})
    return after


def joined(periods: tuple[P, ...], more: tuple[P, ...]) -> tuple[P, ...]:
    """Periods with some more, in the order of time, for files that tell of one at a time.

    One that begins on the day of another of its kind takes its place: the file has seen how it went on. One
    that begins later ends those of its kind that are open. One of which nobody knows when it began adds
    nothing where there is one of its kind that is open.

    Args:
        periods: Those that are there.
        more: Those that come in.
    """
    kept = list(periods)
    for new in more:
        alike = [each for each in kept if _is_alike(each, new)]
        if new.start is None and any(each.end is None for each in alike):
            continue
        for each in alike:
            place = kept.index(each)
            if each.start == new.start:
                del kept[place]
            elif each.end is None and new.start and (each.start or date.min) < new.start:
                kept[place] = msgspec.structs.replace(each, end=new.start - timedelta(days=1))
        kept.append(new)
    return tuple(sorted(kept, key=lambda period: (period.start or date.min, period.end or date.max)))


def _is_alike(one: Period, other: Period) -> bool:
    """Whether one takes the other's place: pupil premium is given for several reasons at once."""
    return getattr(one, "reason", None) == getattr(other, "reason", None)


def _ended(periods: Sequence[Period], today: date) -> tuple[Period, ...]:
    """Those periods that go on today ended yesterday; one that began today never was."""
    yesterday = today - timedelta(days=1)
    return tuple(
        msgspec.structs.replace(period, end=yesterday) if period.covers(today) else period
        for period in periods
        if not (period.covers(today) and period.start == today)
    )
