"""Exports: files of pupils that schools take away, the Common Transfer File and the import file.

They are made from the stream, so that they show everything that was recorded before they were asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import msgspec

import domain.assessment
import domain.attendance
from domain.academic_year import academic_year_of
from domain.application.results_of_files import said_of
from domain.application.school_application import SchoolApplication, assessments_of, attendance_of
from domain.assessment import STATUTORY, AssessmentCorrected, AssessmentRecorded, Result, cell_of
from domain.attendance import year_bounds
from domain.attendance_summary import summarise
from domain.errors import NotFound
from domain.events import Event, is_sealed
from domain.files.ctf_writer import ANYWHERE, CtfPupil, CtfSchool, Destination, file_name, write_ctf
from domain.files.pupil_csv_writer import write_pupil_csv
from domain.national_results import as_statutory, said_by
from domain.periods import in_care_on, meals_on, provision_on
from domain.pupil import Pupil
from domain.pupil_record import AttendanceTotals, PupilRecord, YearAttended
from domain.school_time import SCHOOL_TIME, today


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a file is about: one pupil, a class, or everybody on the roll where neither is given.

    Attributes:
        pupil_id: The pupil, who may have left.
        class_id: The class.
    """

    pupil_id: UUID | None = None
    class_id: UUID | None = None


@dataclass(frozen=True)
class Export:
    """A file that was made.

    Attributes:
        name: What to call it; it holds nothing personal.
        content: The file.
        pupil_ids: The pupils who are in it.
    """

    name: str
    content: bytes
    pupil_ids: list[UUID]


def export_ctf(
    school: SchoolApplication, selection: Selection, destination: Destination | None = None
) -> Export:
    """The Common Transfer File of one pupil, a class, or the whole roll.

    Args:
        school: The school, opened with its names key.
        selection: Whom it is about.
        destination: The school that it is for. If none is given, that to which a single leaver went, where
            it was recorded; otherwise it is not known.

    Raises:
        NotFound: There is no such pupil, or nobody on the roll is in that class.
        Erased: The pupil has been erased.
        KeyNotHeld: The names key is not held.
    """
    pupils = _chosen(school, selection)
    results = _results(school, [pupil.id for pupil in pupils])
    years = _years(school, [pupil.id for pupil in pupils])
    facts = school.school().facts
    source = CtfSchool(
        la=facts.local_authority, establishment=facts.establishment, urn=facts.urn, name=facts.name
    )
    if destination is None:
        going = pupils[0].destination if selection.pupil_id and pupils[0].left_on else None
        destination = Destination(going.la, going.establishment) if going else ANYWHERE
    now = datetime.now(SCHOOL_TIME)
    content = write_ctf(
        source,
        academic_year_of(now.date()),
        [
            with_years(
                CtfPupil(
                    names=pupil.names,
                    record=pupil.record,
                    results=results[pupil.id],
                    left_on=pupil.left_on,
                    leaving_reason=pupil.leaving_reason,
                ),
                years[pupil.id],
            )
            for pupil in pupils
        ],
        now,
        destination,
    )
    return Export(file_name(source, destination), content, [pupil.id for pupil in pupils])


def export_csv(school: SchoolApplication, selection: Selection) -> Export:
    """Target Tracker's own 18-column file of one pupil, a class, or the whole roll.

    It says what is so today; what runs over time is told by its periods.

    Raises:
        NotFound: There is no such pupil, or nobody on the roll is in that class.
        Erased: The pupil has been erased.
        KeyNotHeld: The names key is not held.
    """
    pupils = _chosen(school, selection)
    years = _years(school, [pupil.id for pupil in pupils])
    day = today()
    content = write_pupil_csv((pupil.names, as_today(pupil.record, years[pupil.id], day)) for pupil in pupils)
    return Export("pupils.csv", content, [pupil.id for pupil in pupils])


def as_today(record: PupilRecord, years: Iterable[YearAttended], today: date) -> PupilRecord:
    """The record as the 18 columns tell it: what is so today, and the totals of this academic year.

    The columns have no days: whoever reads them takes all of it for what is so now.

    Args:
        record: The record, whose plain fields say what was so when they were written.
        years: Attendance at this school by academic year, from the registers and the totals.
        today: The day.
    """
    this_year = academic_year_of(today)
    counted = next((each for each in years if each.academic_year == this_year), None)
    totals = record.attendance
    if counted is not None:
        totals = AttendanceTotals(
            academic_year=this_year,
            possible=counted.possible,
            authorised=counted.authorised,
            unauthorised=counted.unauthorised,
        )
    elif totals is not None and totals.academic_year != this_year:
        totals = None
    return msgspec.structs.replace(
        record,
        free_school_meals=meals_on(record, today),
        sen_provision=provision_on(record, today),
        in_care=in_care_on(record, today),
        attendance=totals,
    )


def _chosen(school: SchoolApplication, selection: Selection) -> list[Pupil]:
    """The pupils, in the order of the file: by surname and forename."""
    if selection.pupil_id:
        return [school.pupil(selection.pupil_id)]
    pupils = [pupil for pupil in school.roll().values() if pupil.on_roll]
    if selection.class_id:
        pupils = [pupil for pupil in pupils if _class_of(school, pupil) == selection.class_id]
        if not pupils:
            raise NotFound("This school has no class with that id")
    return sorted(pupils, key=lambda pupil: (pupil.names.surname, pupil.names.forename, pupil.id))


def _class_of(school: SchoolApplication, pupil: Pupil) -> UUID | None:
    return school.class_id_of(pupil.record.class_name) if pupil.record.class_name else None


def _events(school: SchoolApplication, logs: dict[UUID, UUID]) -> dict[UUID, list[Event]]:
    """What stands in logs of pupils, by pupil."""
    events: dict[UUID, list[Event]] = {pupil_id: [] for pupil_id in logs.values()}
    for event in school.read(school.stream.events_of_many(logs)) if logs else ():
        events[logs[event.originator_id]].append(event)
    return events


def _years(school: SchoolApplication, pupil_ids: list[UUID]) -> dict[UUID, list[YearAttended]]:
    """Attendance of each pupil at this school by academic year, from the registers and the totals."""
    logs = {attendance_of(pupil_id): pupil_id for pupil_id in pupil_ids}
    return {pupil_id: years_of(events) for pupil_id, events in _events(school, logs).items()}


def years_of(events: Iterable[Event]) -> list[YearAttended]:
    """The totals of each academic year of which a pupil's log of attendance says something."""
    attendance = domain.attendance.fold(events)
    known = {academic_year_of(session.day) for session in attendance.marks}
    known |= {academic_year_of(first_day) for first_day in attendance.totals}
    found = []
    for year in sorted(known):
        counted = summarise(*year_bounds(year), attendance.marks, attendance.totals.values(), {})
        if counted.possible:
            found.append(
                YearAttended(
                    academic_year=year,
                    possible=counted.possible,
                    authorised=counted.authorised,
                    unauthorised=counted.unauthorised,
                )
            )
    return found


def with_years(pupil: CtfPupil, years: list[YearAttended]) -> CtfPupil:
    """The pupil with these years at this school, in place of what the particulars say of them."""
    counted = {each.academic_year for each in years}
    if not counted:
        return pupil
    elsewhere = [
        each
        for each in pupil.names.attendance_before
        if each.local_authority or each.establishment or each.name or each.academic_year not in counted
    ]
    record = pupil.record
    if record.attendance and record.attendance.academic_year in counted:
        record = msgspec.structs.replace(record, attendance=None)
    names = msgspec.structs.replace(pupil.names, attendance_before=(*elsewhere, *years))
    return msgspec.structs.replace(pupil, names=names, record=record)


def _results(school: SchoolApplication, pupil_ids: list[UUID]) -> dict[UUID, tuple[Result, ...]]:
    """The current national results of each pupil, in the order of their first entry."""
    logs = {assessments_of(pupil_id): pupil_id for pupil_id in pupil_ids}
    return {pupil_id: national_results(events) for pupil_id, events in _events(school, logs).items()}


def national_results(events: Iterable[Event]) -> tuple[Result, ...]:
    """What a Common Transfer File has a place for, of the results in a pupil's log.

    Of several in one cell the newest is current. What somebody entered here by hand counts, and not what a
    file says of the same test or assessment, unless it was corrected here afterwards. Where both say the
    same, the file's stands, with its own codes.
    """
    events = list(events)
    current = {
        cell_of(each.result): each
        for each in domain.assessment.fold(events).values()
        if not is_sealed(each.result)
    }
    at_school = _last_said_at_school(events)
    entered = {said_of(each.result)[0]: each for each in current.values() if each.result.scheme != STATUTORY}
    found: dict[tuple[object, ...], Result] = {}
    for each in current.values():
        about, value = said_of(each.result)
        if each.result.scheme != STATUTORY:
            continue
        by_hand = entered.get(about)
        if by_hand is None or said_of(by_hand.result)[1] == value:
            found[said_by(each.result)] = each.result
        elif at_school.get(each.id, -1) > at_school[by_hand.id]:
            found[said_by(each.result)] = each.result
            del entered[about]
    for each in entered.values():
        if national := as_statutory(each.result):
            found.setdefault(said_by(national), national)
    return tuple(found.values())


def _last_said_at_school(events: Iterable[Event]) -> dict[UUID, int]:
    """Which event of the log last entered or corrected an assessment by hand; none, if only files told it."""
    found = {}
    for number, happened in enumerate(events):
        match happened:
            case AssessmentRecorded() | AssessmentCorrected() if not is_sealed(happened.result):
                by_hand = happened.result.scheme != STATUTORY
                if by_hand or (isinstance(happened, AssessmentCorrected) and not happened.from_file):
                    found[happened.assessment_id] = number
            case _:
                pass
    return found
