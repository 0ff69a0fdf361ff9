"""Which marks of a register in a file are taken: those of sessions of which a pupil's log says nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

import domain.attendance
from domain.application.school_application import SchoolApplication, attendance_of
from domain.attendance import AttendanceMarked, Run, Session, runs_of, sessions_of
from domain.events import Actor, Event
from domain.files.packed_marks import PackedMarks
from domain.pupil import Pupil

MARKS = "marks"
"""How a report names marks that stay as they stand in the register here."""


class TakenMarks(NamedTuple):
    """What becomes of a row's marks.

    Attributes:
        events: Those that mark the sessions that were not marked here.
        sessions: How many those are.
        keeps: Of other sessions the row says something else than the register here.
    """

    events: list[Event]
    sessions: int
    keeps: bool


class Registers:
    """The pupils' logs of attendance, to add to them only what they do not have.

    A session that has been marked here, or whose mark has been withdrawn, is the school's own to change.

    Args:
        school: The school.
        pupils: The pupils of whom the file has marks.
    """

    def __init__(self, school: SchoolApplication, pupils: Iterable[Pupil]) -> None:
        logs = [attendance_of(pupil.id) for pupil in pupils]
        self._versions: dict[UUID, int] = {}
        by_log: dict[UUID, list[Event]] = {}
        for event in school.read(school.stream.events_of_many(logs)) if logs else ():
            by_log.setdefault(event.originator_id, []).append(event)
            self._versions[event.originator_id] = event.originator_version
        self._marks = {log: domain.attendance.fold(events).marks for log, events in by_log.items()}
        self._said = {
            log: {
                session
                for event in events
                if isinstance(event, AttendanceMarked)
                for session, _ in sessions_of(Run(event.first_day, event.marks))
            }
            for log, events in by_log.items()
        }

    def add(self, pupil_id: UUID, marks: Mapping[Session, str], actor: Actor) -> TakenMarks:
        """What becomes of the marks that a row has of a pupil."""
        log = attendance_of(pupil_id)
        there, said = self._marks.get(log, {}), self._said.get(log, set())
        new = {session: mark for session, mark in marks.items() if session not in said} if said else marks
        keeps = bool(said) and any(
            there.get(session) != mark for session, mark in marks.items() if session in said
        )
        events: list[Event] = []
        for run in new.runs() if isinstance(new, PackedMarks) else runs_of(new):
            self._versions[log] = self._versions.get(log, 0) + 1
            events.append(
                AttendanceMarked(
                    originator_id=log,
                    originator_version=self._versions[log],
                    actor=actor,
                    pupil_id=pupil_id,
                    first_day=run.first_day,
                    marks=run.marks,
                )
            )
        return TakenMarks(events, len(new), keeps)
