"""Marking registers, of one pupil or a whole class at once, and recording totals of periods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec

import domain.attendance
from domain.access import Permission
from domain.application.school_application import (
    PUPILS,
    CommandKey,
    Decision,
    Outcome,
    SchoolApplication,
    attendance_of,
)
from domain.attendance import (
    EARLIEST_DAY,
    WITHDRAWN,
    Attendance,
    AttendanceMarked,
    AttendanceTotalled,
    AttendanceTotalsVoided,
    Session,
    Totals,
    checked_totals,
    runs_of,
)
from domain.codes.attendance import NOT_YET_ON_REGISTER, Half, read_mark
from domain.errors import Conflict, Finding, InvalidInput, NotFound, NotPermitted
from domain.events import Actor
from domain.ledger.stream import Unless
from domain.particulars import checked_reason
from domain.pupil import Pupil
from domain.school_time import today
from domain.since_birth import ACCEPTED, birth_of


class DayEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a register: what is entered of one pupil for one day.

    Attributes:
        pupil_id: The child.
        day: The day.
        am: The mark of the morning; `-` withdraws the one that is there, and nothing leaves it.
        pm: The same of the afternoon.
    """

    pupil_id: UUID
    day: date
    am: str | None = None
    pm: str | None = None

    def given(self) -> Iterator[tuple[Session, str]]:
        """The sessions of which it says something, with what it says."""
        for half, mark in ((Half.AM, self.am), (Half.PM, self.pm)):
            if mark is not None:
                yield Session(self.day, half), mark


class MarkedResult(msgspec.Struct, frozen=True):
    """How many pupils were marked, and how many sessions of theirs all together."""

    pupils: int
    sessions: int


class TotalsResult(msgspec.Struct, frozen=True):
    """Whose totals a command was about."""

    pupil_id: UUID


def mark(
    school: SchoolApplication,
    entries: Sequence[DayEntry],
    actor: Actor,
    *,
    reason: str | None = None,
    class_id: UUID | None = None,
    only_classes: Sequence[str] | None = None,
    command: CommandKey | None = None,
) -> Outcome[MarkedResult]:
    """Marks registers: all of the entries in one append, or none.

    Args:
        school: The school.
        entries: What is entered; no session twice.
        actor: Who enters it.
        reason: Why what stood there before was wrong, if it was.
        class_id: The class whose register it is: then every pupil must be in it now.
        only_classes: The only classes that this user may mark; any, if not given.
        command: The key, if the caller gave one.

    Raises:
        InvalidInput: A pupil, a day or a mark is not one that there can be, or a session comes twice; with a
            finding for each, numbered by entry.
        NotFound: The school has no class with that id, or none of the pupils is in it.
        NotPermitted: A child is in another class than those that the user may mark.
    """
    reason = checked_reason("reason", reason)

    def decide() -> Decision[MarkedResult]:
        position = school.stream.head().position
        pupils = school.pupils({entry.pupil_id for entry in entries})
        if entries and class_id and not any(_is_in(school, class_id, each) for each in pupils.values()):
            raise NotFound("This school has no class with that id, or none of these pupils is in it")
        _check_classes(pupils.values(), only_classes)
        marks, findings = _read(entries, pupils)
        if class_id is not None:
            findings += _of_other_classes(school, class_id, entries, pupils)
        if findings:
            findings.sort(key=lambda each: each.row or 0)
            raise InvalidInput("The register cannot be marked like this", findings)
        versions = school.stream.last_versions(map(attendance_of, marks))
        events = []
        for pupil_id, of_pupil in marks.items():
            log = attendance_of(pupil_id)
            for run in runs_of(of_pupil):
                versions[log] = versions.get(log, 0) + 1
                events.append(
                    AttendanceMarked(
                        originator_id=log,
                        originator_version=versions[log],
                        actor=actor,
                        pupil_id=pupil_id,
                        first_day=run.first_day,
                        marks=run.marks,
                        reason=reason,
                    )
                )
        done = MarkedResult(len(marks), sum(map(len, marks.values())))
        return Decision(events, done, Unless(PUPILS, position))  # that nobody leaves or is born meanwhile

    return school.carry_out(decide, MarkedResult, command)


def _is_in(school: SchoolApplication, class_id: UUID, pupil: Pupil) -> bool:
    name = pupil.record.class_name
    return bool(name) and school.class_id_of(str(name)) == class_id


def _of_other_classes(
    school: SchoolApplication, class_id: UUID, entries: Sequence[DayEntry], pupils: Mapping[UUID, Pupil]
) -> list[Finding]:
    elsewhere = {pupil_id for pupil_id, pupil in pupils.items() if not _is_in(school, class_id, pupil)}
    return [
        Finding(field="pupil_id", found=str(entry.pupil_id), accepted="a pupil of this class", row=number)
        for number, entry in enumerate(entries, start=1)
        if entry.pupil_id in elsewhere
    ]


def _check_classes(pupils: Iterable[Pupil], only_classes: Sequence[str] | None) -> None:
    if only_classes is None:
        return
    allowed = {name.casefold() for name in only_classes}
    if any((pupil.record.class_name or "").casefold() not in allowed for pupil in pupils):
        raise NotPermitted(
            "You may record attendance of your own classes only", needed=Permission.RECORD_ATTENDANCE
        )


def _read(
    entries: Sequence[DayEntry], pupils: Mapping[UUID, Pupil]
) -> tuple[dict[UUID, dict[Session, str]], list[Finding]]:
    """The marks of each pupil, and what is wrong with the entries."""
    marks: dict[UUID, dict[Session, str]] = {}
    seen: dict[tuple[UUID, Session], int] = {}
    findings = []
    if not entries:
        findings.append(Finding(field="entries", found="none", accepted="at least one"))
    now = today()
    for number, entry in enumerate(entries, start=1):
        pupil = pupils.get(entry.pupil_id)
        if pupil is None:
            accepted = "a pupil of this school"
            findings.append(
                Finding(field="pupil_id", found=str(entry.pupil_id), accepted=accepted, row=number)
            )
        given = list(entry.given())
        if not given:
            accepted = "a mark for the morning, for the afternoon, or for both"
            findings.append(Finding(field="am", found="nothing", accepted=accepted, row=number))
        for session, text in given:
            field = session.half.lower()
            if (first := seen.setdefault((entry.pupil_id, session), number)) != number:
                accepted = f"each session of a pupil once: entry {first} is of the same"
                findings.append(Finding(field=field, found=text[:60], accepted=accepted, row=number))
            try:
                read = _read_mark(text, session)
            except ValueError as error:
                findings.append(Finding(field=field, found=text[:60], accepted=str(error), row=number))
                continue
            marks.setdefault(entry.pupil_id, {})[session] = read
        if wrong := _wrong_with_day(entry, pupil, now):
            findings.append(msgspec.structs.replace(wrong, row=number))
    return marks, findings


def _read_mark(text: str, session: Session) -> str:
    return WITHDRAWN if text.strip() == WITHDRAWN else read_mark(text, session.day, session.half)


def _wrong_with_day(entry: DayEntry, pupil: Pupil | None, now: date) -> Finding | None:
    """What is wrong with the day of an entry.

    Before the date of entry only `Z` may stand, which says that a child is expected; and what was entered
    there by mistake may always be withdrawn.
    """
    first, last = EARLIEST_DAY, now
    marks = {text.strip().upper() for _, text in entry.given()}
    if pupil and not marks <= {WITHDRAWN} and EARLIEST_DAY <= entry.day < birth_of(pupil.names):
        return Finding(field="date", found=entry.day.isoformat(), accepted=ACCEPTED)
    told = f"a day from {first.isoformat()} to today"
    if pupil and EARLIEST_DAY <= entry.day <= now:
        if not marks <= {NOT_YET_ON_REGISTER, WITHDRAWN} and entry.day < pupil.record.date_of_entry:
            first = pupil.record.date_of_entry
            told = f"the date of entry, {first.isoformat()}, or a later day; before it only Z"
        elif not marks <= {WITHDRAWN} and pupil.left_on and pupil.left_on < entry.day:
            last = pupil.left_on
            told = f"the day on which the child left, {last.isoformat()}, or an earlier one"
    if first <= entry.day <= last:
        return None
    return Finding(field="date", found=entry.day.isoformat(), accepted=told)


def record_totals(
    school: SchoolApplication,
    pupil_id: UUID,
    totals: Totals,
    actor: Actor,
    *,
    reason: str | None = None,
    only_classes: Sequence[str] | None = None,
    command: CommandKey | None = None,
) -> Outcome[TotalsResult]:
    """Records totals of a period; those of a period that lies wholly in it are replaced.

    Raises:
        InvalidInput: They do not add up, or their period cannot be.
        Conflict: There are totals already of a period that has days in common with this one and others, so
            that those would be lost.
        NotFound: There is no such pupil.
        NotPermitted: The child is in another class.
    """
    reason = checked_reason("reason", reason)

    def decide() -> Decision[TotalsResult]:
        position = school.stream.head().position
        pupil = school.pupil(pupil_id)
        _check_classes([pupil], only_classes)
        _check_period(checked_totals(totals, today()), pupil)
        version = _next_version(school, pupil_id)  # before what is there is read: the append rests on that
        for there in attendance(school, pupil_id).totals.values():
            if there.overlaps(totals) and not totals.holds(there):
                raise Conflict(
                    "There are totals of a longer period, or of one that reaches beyond this one: "
                    "void those first, or enter totals of a period that holds theirs",
                    overlaps_from=there.first_day.isoformat(),
                    overlaps_to=there.last_day.isoformat(),
                )
        totalled = AttendanceTotalled(
            originator_id=attendance_of(pupil_id),
            originator_version=version,
            actor=actor,
            pupil_id=pupil_id,
            totals=totals,
            reason=reason,
        )
        return Decision([totalled], TotalsResult(pupil_id), Unless(PUPILS, position))

    return school.carry_out(decide, TotalsResult, command)


def _check_period(totals: Totals, pupil: Pupil) -> None:
    findings = []
    entered, left = pupil.record.date_of_entry, pupil.left_on
    if totals.first_day < entered:
        accepted = f"the date of entry, {entered.isoformat()}, or a later day"
        findings.append(Finding(field="from", found=totals.first_day.isoformat(), accepted=accepted))
    if left and left < totals.last_day:
        accepted = f"the day on which the child left, {left.isoformat()}, or an earlier one"
        findings.append(Finding(field="to", found=totals.last_day.isoformat(), accepted=accepted))
    if findings:
        raise InvalidInput("These totals of attendance cannot be kept", findings)


def void_totals(
    school: SchoolApplication,
    pupil_id: UUID,
    first_day: date,
    last_day: date,
    actor: Actor,
    *,
    reason: str | None = None,
    only_classes: Sequence[str] | None = None,
    command: CommandKey | None = None,
) -> Outcome[TotalsResult]:
    """Voids the totals of exactly this period: a new event; what was entered stays in the history.

    Raises:
        InvalidInput: The reason cannot be kept.
        NotFound: There is no such pupil, or there are no totals of this period.
        NotPermitted: The child is in another class.
    """
    reason = checked_reason("reason", reason)

    def decide() -> Decision[TotalsResult]:
        _check_classes([school.pupil(pupil_id)], only_classes)
        version = _next_version(school, pupil_id)
        there = attendance(school, pupil_id).totals.get(first_day)
        if there is None or there.last_day != last_day:
            raise NotFound("This pupil has no totals of attendance of exactly this period")
        voided = AttendanceTotalsVoided(
            originator_id=attendance_of(pupil_id),
            originator_version=version,
            actor=actor,
            pupil_id=pupil_id,
            first_day=first_day,
            last_day=last_day,
            reason=reason,
        )
        return Decision([voided], TotalsResult(pupil_id))

    return school.carry_out(decide, TotalsResult, command)


def check_nothing_after(school: SchoolApplication, pupil_id: UUID, left_on: date) -> dict[UUID, int]:
    """Makes sure that no session after the last day of a child has a mark or is in totals.

    Returns:
        The version of the child's log of attendance, on which a decision to let it leave rests.

    Raises:
        InvalidInput: Some are; the finding says how many, and what to do.
    """
    log = attendance_of(pupil_id)
    stored = school.stream.events_of(log)
    there = domain.attendance.fold(school.read(stored))
    marked = [session.day for session in there.marks if session.day > left_on]
    totalled = [totals for totals in there.totals.values() if totals.last_day > left_on]
    to_do = []
    if marked:
        sessions = "1 session is" if len(marked) == 1 else f"{len(marked)} sessions are"
        to_do.append(f"{sessions} marked after it: withdraw those marks first, if they are wrong")
    for totals in totalled:
        period = f"{totals.first_day.isoformat()} to {totals.last_day.isoformat()}"
        to_do.append(f"totals of {totals.possible} sessions from {period} reach beyond it: void those first")
    if to_do:
        last = max([*marked, *(totals.last_day for totals in totalled)])
        accepted = f"{last.isoformat()} or a later day; {'; '.join(to_do)}"
        raise InvalidInput(
            "Attendance is recorded of days after that on which the pupil would leave",
            [Finding(field="left_on", found=left_on.isoformat(), accepted=accepted)],
        )
    return {log: stored[-1].originator_version if stored else 0}


def _next_version(school: SchoolApplication, pupil_id: UUID) -> int:
    log = attendance_of(pupil_id)
    return school.stream.last_versions([log]).get(log, 0) + 1


def attendance(school: SchoolApplication, pupil_id: UUID) -> Attendance:
    """A pupil's marks and totals, from the stream."""
    return domain.attendance.fold(school.read(school.stream.events_of(attendance_of(pupil_id))))
