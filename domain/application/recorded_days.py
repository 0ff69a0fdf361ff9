"""The days of everything that stands in a pupil's logs, beside the pupil's particulars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

import domain.assessment
import domain.attendance
import domain.notes
import domain.observation
import domain.targets
from domain.academic_year import when
from domain.application.school_application import (
    SchoolApplication,
    assessments_of,
    attendance_of,
    targets_of,
)
from domain.attendance import Attendance
from domain.events import Event
from domain.notes import notes_of
from domain.observation import observations_of
from domain.pupil import Pupil
from domain.since_birth import Dated, dated_results, dated_time


class Logged(NamedTuple):
    """What stands in a pupil's logs.

    Attributes:
        dated: Each day of it; what was voided, withdrawn or removed is not among them.
        versions: The newest version of each log that has any event: what a decision about the days rests on.
    """

    dated: list[Dated]
    versions: dict[UUID, int]


def logged_days(school: SchoolApplication, pupil: Pupil) -> Logged:
    """The days of a pupil's results, targets, attendance, notes, observations and concerns."""
    readers = {
        assessments_of(pupil.id): _of_results,
        targets_of(pupil.id): _of_targets,
        attendance_of(pupil.id): lambda events: dated_attendance(domain.attendance.fold(events)),
        notes_of(pupil.id): _of_notes,
        observations_of(pupil.id): _of_observations,
    }
    by_log: dict[UUID, list[Event]] = {log: [] for log in readers}
    for event in school.read(school.stream.events_of_many(readers)):
        by_log[event.originator_id].append(event)
    dated = [Dated("concern", concern.opened_on) for concern in pupil.concerns]
    for log, read in readers.items():
        dated += read(by_log[log])
    versions = {log: events[-1].originator_version if events else 0 for log, events in by_log.items()}
    return Logged(dated, versions)


def dated_attendance(attendance: Attendance) -> Iterator[Dated]:
    """The days of marks, and the first days of the periods that have totals."""
    yield from (Dated("marks", session.day) for session in attendance.marks)
    yield from (Dated("totals", day) for day in attendance.totals)


def _of_results(events: Iterable[Event]) -> Iterator[Dated]:
    there = domain.assessment.fold(events).values()
    yield from (each._replace(field="assessment") for each in dated_results(one.result for one in there))


def _of_targets(events: Iterable[Event]) -> Iterator[Dated]:
    for target in domain.targets.fold(events).values():
        yield from (
            each._replace(field="target") for each in dated_time(when(target.academic_year, target.term))
        )


def _of_notes(events: Iterable[Event]) -> Iterator[Dated]:
    yield from (Dated("note", note.written_on) for note in domain.notes.fold(events).values())


def _of_observations(events: Iterable[Event]) -> Iterator[Dated]:
    for each in domain.observation.fold(events).values():
        if not each.withdrawn:
            yield Dated("observation", each.observed_on)
