"""Which results of a file are taken, and which give way to what the school entered, corrected or voided."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple
from uuid import UUID

from domain.application.school_application import SchoolApplication, assessments_of
from domain.assessment import (
    STATUTORY,
    Assessment,
    AssessmentCorrected,
    AssessmentRecorded,
    AssessmentVoided,
    Cell,
    Result,
    cell_of,
    fold,
    meaning_of,
)
from domain.events import Actor, Event
from domain.identifiers import new_id
from domain.pupil import Pupil

RESULTS = "results"
"""How a report names results that stay as the school entered them."""


class Taken(NamedTuple):
    """What becomes of a row's results.

    Attributes:
        events: Those that bring the pupil's log up to what the row says.
        keeps: The row says something else of a result that the school entered, corrected or voided here.
    """

    events: list[Event]
    keeps: bool


class ResultLogs:
    """The pupils' logs of assessments, to add to them only what is new and not the school's to say.

    Args:
        school: The school.
        pupils: The pupils of whom the file has results.
    """

    def __init__(self, school: SchoolApplication, pupils: Iterable[Pupil]) -> None:
        logs = [assessments_of(pupil.id) for pupil in pupils]
        self._versions: dict[UUID, int] = {}
        by_log: dict[UUID, list[Event]] = {}
        for event in school.read(school.stream.events_of_many(logs)) if logs else ():
            by_log.setdefault(event.originator_id, []).append(event)
            self._versions[event.originator_id] = event.originator_version
        self._there = {log: _There(events) for log, events in by_log.items()}

    def add(self, pupil_id: UUID, results: Iterable[Result], actor: Actor) -> Taken:
        """What becomes of the results that a row has of a pupil."""
        log = assessments_of(pupil_id)
        there = self._there.get(log) or _There(())
        events: list[Event] = []
        keeps = False
        # Of two results of the same cell in one file the later one stands.
        for result in {cell_of(result): result for result in results}.values():
            before = there.of_files.get(cell_of(result))
            if (before and before.result == result) or there.says(result):
                continue
            if there.stands_against(result, before):
                keeps = True
                continue
            version = self._versions[log] = self._versions.get(log, 0) + 1
            common: dict[str, Any] = {
                "originator_id": log,
                "originator_version": version,
                "actor": actor,
                "pupil_id": pupil_id,
                "result": result,
            }
            events.append(
                AssessmentCorrected(assessment_id=before.id, from_file=True, **common)
                if before
                else AssessmentRecorded(assessment_id=new_id(), **common)
            )
        return Taken(events, keeps)


class _There:
    """A pupil's results: what files brought, and what is the school's own word.

    Attributes:
        of_files: The current results that files brought, by cell, also where they were corrected here.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        events = list(events)
        self.of_files: dict[Cell, Assessment] = {}
        self._entered: dict[Hashable, str] = {}
        for each in fold(events).values():
            if each.result.scheme == STATUTORY:
                self.of_files[cell_of(each.result)] = each
            else:
                about, value = said_of(each.result)
                self._entered[about] = value
        self._corrected: set[UUID] = set()
        self._voided: set[tuple[Hashable, str]] = set()
        said: dict[UUID, set[tuple[Hashable, str]]] = {}
        for happened in events:
            match happened:
                case AssessmentRecorded() | AssessmentCorrected():
                    says = said_of(happened.result)
                    said.setdefault(happened.assessment_id, set()).add(says)
                    self._voided.discard(says)
                    if isinstance(happened, AssessmentCorrected) and not happened.from_file:
                        self._corrected.add(happened.assessment_id)
                case AssessmentVoided():
                    # Whatever it said before it was corrected was no more right than what was voided.
                    self._voided |= said.get(happened.assessment_id, set())
                case _:
                    pass

    def says(self, result: Result) -> bool:
        """Whether it was entered here by hand just so, and has come back in a file."""
        about, value = said_of(result)
        return self._entered.get(about) == value

    def stands_against(self, result: Result, before: Assessment | None) -> bool:
        """Whether the school has said something else: by entering, correcting or voiding it here."""
        says = said_of(result)
        return (
            says[0] in self._entered or says in self._voided or bool(before and before.id in self._corrected)
        )


def said_of(result: Result) -> tuple[Hashable, str]:
    """What a result is a result of, and its value, whether a file brought it or somebody entered it here.

    That is the measure of a scheme in a year or term, where one here has it: a file words it otherwise.
    """
    meaning = meaning_of(result)
    if meaning is None:
        return cell_of(result), result.value
    about = (meaning.version.scheme, meaning.code, result.academic_year, result.term, result.statement)
    return about, meaning.value or result.value
