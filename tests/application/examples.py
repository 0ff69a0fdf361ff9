"""Made-up children, and what can be done with them in one line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time
from typing import Any, TypeVar
from uuid import UUID

import msgspec

import domain.pupil
from domain.academic_year import AssessmentPoint, Term
from domain.application import pupils
from domain.application.pupils import PupilResult
from domain.application.school_application import Decision, SchoolApplication
from domain.codes.upn import make_upn
from domain.events import Actor
from domain.files.ctf_writer import CtfPupil, CtfSchool, write_ctf
from domain.files.pupil_csv_writer import write_pupil_csv
from domain.identifiers import new_id
from domain.ledger.stream import RecordedEvent
from domain.pupil import PupilNames, PupilRecord, Source
from domain.school_time import today

R = TypeVar("R")

TODAY = today()
"""The day, as the application counts it."""
NOW = AssessmentPoint.of(TODAY)
YEAR = NOW.academic_year

Child = tuple[PupilNames, PupilRecord]


def child(number: int, **changes: Any) -> Child:
    """A child of Year 4, different for each number from 0 to 999."""
    names = PupilNames(
        surname=f"Surname{number:03d}",
        forename=f"Forename{number:03d}",
        date_of_birth=date(YEAR - 9, 9 + number % 4, 1 + number % 28),
        upn=make_upn(881, 2001, YEAR - 4, number),
    )
    record = PupilRecord(
        sex="FM"[number % 2],
        date_of_entry=date(YEAR - 4, 9, 1),
        nc_year="4",
        class_name="Red",
        sen_provision="N",
    )
    of_names = {field: value for field, value in changes.items() if field in PupilNames.__struct_fields__}
    of_record = {field: value for field, value in changes.items() if field not in of_names}
    return msgspec.structs.replace(names, **of_names), msgspec.structs.replace(record, **of_record)


def children(count: int, first: int = 0, **changes: Any) -> list[Child]:
    return [child(number, **changes) for number in range(first, first + count)]


def csv_of(some: Iterable[Child]) -> bytes:
    """The import file that describes them."""
    return write_pupil_csv(some)


def ctf_of(*some: CtfPupil) -> bytes:
    """The Common Transfer File that describes them, from this very school."""
    school = CtfSchool(la="881", establishment="2001", urn="123456", name="Made-up Primary School")
    return write_ctf(school, YEAR, some, datetime.combine(TODAY, time(12)))


def admitted(school: SchoolApplication, actor: Actor, *some: Child) -> list[UUID]:
    """Admits them, and returns their ids."""
    return [pupils.admit(school, names, record, actor).result.pupil_id for names, record in some]


def brought_by_a_file(school: SchoolApplication, actor: Actor, *some: Child) -> list[UUID]:
    """Admits them as an import does, so that files may change them, and returns their ids."""

    def bring(names: PupilNames, record: PupilRecord) -> UUID:
        pupil_id = new_id()
        admitted = domain.pupil.admit(pupil_id, names, record, actor, Source.FILE)
        school.carry_out(lambda: Decision([admitted], PupilResult(pupil_id, 1)), PupilResult)
        return pupil_id

    return [bring(names, record) for names, record in some]


def point_before(years: int, term: Term = Term.SUMMER) -> AssessmentPoint:
    """A term of an academic year before this one."""
    return AssessmentPoint(YEAR - years, term)


def topics(school: SchoolApplication) -> list[str]:
    return [event.topic for event in events(school)]


def events(school: SchoolApplication) -> list[RecordedEvent]:
    return school.stream.events_between(1, limit=100_000)


def at_once(*calls: Callable[[], R]) -> list[R | Exception]:
    """Makes the calls at the same moment, each on a thread of its own; what came of each, errors too."""
    barrier = threading.Barrier(len(calls))

    def one(call: Callable[[], R]) -> R | Exception:
        barrier.wait()
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - what came of it is for the test to judge
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def fields_of(findings: Iterable[Any]) -> list[str]:
    return [finding.field for finding in findings]
