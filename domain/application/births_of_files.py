"""What rows of a file date before a child's birth, and births that they put after what is recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import msgspec

from domain.application.recorded_days import logged_days
from domain.application.school_application import SchoolApplication
from domain.assessment import AssessmentCorrected, AssessmentRecorded
from domain.attendance import AttendanceMarked, Run, sessions_of
from domain.errors import Finding
from domain.events import Event
from domain.pupil import Pupil, PupilNames, PupilRecord
from domain.since_birth import (
    Dated,
    birth_of,
    dated_particulars,
    dated_results,
    findings_before,
    findings_of_a_later_birth,
    new_in,
)

Particulars = tuple[PupilNames, PupilRecord]


class Births:
    """Looks at what a row would record of a child, against the day of its birth.

    Args:
        school: The school.
        called: How the file calls the fields of a pupil.
    """

    def __init__(self, school: SchoolApplication, called: Mapping[str, str]) -> None:
        self._school = school
        self._called = called

    def findings(
        self, row: int, pupil: Pupil | None, after: Particulars, events: Iterable[Event]
    ) -> tuple[Finding, ...]:
        """Why a row is refused.

        Args:
            row: Its number.
            pupil: The child as it is recorded; nobody, for a new one.
            after: The particulars as they would be.
            events: What it would add to the child's logs.
        """
        born = birth_of(after[0])
        dated = [*new_in(after, (pupil.names, pupil.record) if pupil else None), *_dated(events, born)]
        called = {each.path: self._called.get(each.place, each.path) for each in dated}
        found = findings_before(born, dated)
        if pupil and born > (before := birth_of(pupil.names)):
            recorded = [
                *dated_particulars(pupil.names, pupil.record),
                *logged_days(self._school, pupil).dated,
            ]
            found += findings_of_a_later_birth(before, born, recorded)
            called["date_of_birth"] = self._called.get("date_of_birth", "date_of_birth")
        return tuple(msgspec.structs.replace(each, field=called[each.field], row=row) for each in found)


def _dated(events: Iterable[Event], born: date) -> Iterator[Dated]:
    """The days of these events that can lie before the birth: of thousands of results few can."""
    results = []
    for event in events:
        match event:
            case AssessmentRecorded() | AssessmentCorrected():
                result = event.result
                if result.academic_year <= born.year or (result.assessed_on and result.assessed_on < born):
                    results.append(result)
            case AttendanceMarked() if event.first_day < born:
                run = Run(event.first_day, event.marks)
                yield from (Dated("marks", session.day) for session, _ in sessions_of(run))
            case _:
                pass
    yield from dated_results(results)
