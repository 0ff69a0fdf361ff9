"""What the projections should hold, worked out another way: by folding a whole stream in memory.

Everything is opened with all the keys that there are. Nothing here is shared with the projections but the
domain's own folds, and the counting that there is no table of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.persistence import StoredEvent

import domain.attendance
import domain.pupil
from domain.academic_year import Term, academic_year_of
from domain.application.school_application import assessments_of, targets_of
from domain.assessment import (
    AssessmentCorrected,
    AssessmentRecorded,
    AssessmentVoided,
    Cell,
    Result,
    cell_of,
)
from domain.attendance import (
    AttendanceMarked,
    AttendanceTotalled,
    AttendanceTotalsVoided,
    Run,
    Totals,
    sessions_of,
    year_bounds,
)
from domain.codes.steps import standing
from domain.events import Compartment, Event
from domain.ledger.mapper import EventMapper
from domain.ledger.sealing import generation_of, place_of_row, unseal
from domain.ledger.stream import RecordedEvent, Stream
from domain.login import LoginFailed, SessionClosed, SessionOpened
from domain.pupil import AttendanceTotals, Pupil, PupilAdmitted, PupilChanged, PupilErased
from domain.targets import TargetRemoved, TargetSet
from domain.vault import keystore
from domain.vault.aliases import class_id_of
from domain.vault.keyring import Keyring, SchoolKeys
from tests.projections.counted import Standings, counted


class Rows(msgspec.Struct):
    """Everything that the projections show of a school.

    Attributes:
        pupils: By id: the pupil, the class's id, the NC year and whether on the roll.
        entries: By assessment: the pupil, its place among the entries and the event that it comes from.
        results: By pupil and cell: the assessment, its result and the event that it comes from.
        targets: By id: the pupil, the target and the event that it comes from.
        contributions: Pupils by academic year, term, subject, NC year and standing; no zeros.
        logins: By position.
        attendance: By pupil and academic year: the newest position, the marks by day and half, the totals,
            and those that came with the child's particulars.
    """

    pupils: dict[UUID, tuple[Any, ...]]
    entries: dict[UUID, tuple[Any, ...]]
    results: dict[tuple[UUID, Cell], tuple[Any, ...]]
    targets: dict[UUID, tuple[Any, ...]]
    contributions: dict[Standings, int]
    logins: dict[int, tuple[Any, ...]]
    attendance: dict[tuple[UUID, int], tuple[Any, ...]]


def is_read_by(categories: Collection[str], topic: str) -> bool:
    """Whether a projection that reads these categories is given an event of this type."""
    return topic.split(".")[0] in categories or topic.rstrip("0123456789") in categories


def keyring_of(connection: psycopg.Connection[Any], keys: SchoolKeys) -> Keyring:
    """Every key of the school and of everybody whom it knows.

    Args:
        connection: Bound to the school, or a superuser's.
        keys: The school's own keys.
    """
    keyring = Keyring(keys)
    keyring.give((), keystore.of_every_subject(connection, keys.school_id))
    return keyring


def expected(stream: Stream, keys: SchoolKeys) -> Rows:
    """What the stream says."""
    stored = stream.events_between(1, limit=10_000_000)
    with stream.database.bound_to(stream.school_id) as connection:
        return expected_of(keyring_of(connection, keys), stored)


def expected_of(keyring: Keyring, stored: Iterable[RecordedEvent]) -> Rows:
    """What these events say, but for whatever they say of a child who is erased in the end."""
    read = EventMapper(keyring).to_domain_event
    events = [(recorded, read(recorded)) for recorded in stored]
    erased = {event.subject for _, event in events if isinstance(event, PupilErased)}
    events = [(recorded, event) for recorded, event in events if event.subject not in erased]
    entries, results = _results(events)
    return Rows(
        pupils={pupil.id: _pupil(keyring, pupil) for pupil in _pupils(event for _, event in events)},
        entries=entries,
        results=results,
        targets=_targets(events),
        contributions=contributions_of(results, entries),
        logins={recorded.id: line for recorded, event in events if (line := _login(recorded, event))},
        attendance=_attendance(events),
    )


def _pupils(events: Iterable[Event]) -> list[Pupil]:
    by_pupil: dict[UUID, list[Event]] = {}
    for event in events:
        if event.name.startswith("pupil."):
            by_pupil.setdefault(event.originator_id, []).append(event)
    return [pupil for some in by_pupil.values() if (pupil := domain.pupil.fold(None, some))]


def _pupil(keyring: Keyring, pupil: Pupil) -> tuple[Any, ...]:
    name = pupil.record.class_name
    class_id = class_id_of(keyring, name) if name else None
    return (
        pupil.version,
        pupil.names,
        pupil.record,
        pupil.left_on,
        class_id,
        pupil.record.nc_year,
        pupil.on_roll,
        pupil.away,
    )


def _results(
    events: Iterable[tuple[RecordedEvent, Event]],
) -> tuple[dict[UUID, tuple[Any, ...]], dict[tuple[UUID, Cell], tuple[Any, ...]]]:
    """Every entry that was not voided, and the newest of each cell."""
    entered: dict[UUID, tuple[int, tuple[UUID, Cell]]] = {}
    said: dict[UUID, tuple[Any, ...]] = {}
    for recorded, event in events:
        if isinstance(event, AssessmentRecorded):
            entered[event.assessment_id] = (recorded.id, (event.pupil_id, cell_of(event.result)))
        if isinstance(event, AssessmentRecorded | AssessmentCorrected):
            said[event.assessment_id] = (event.assessment_id, event.result, recorded.id, recorded.topic)
        if isinstance(event, AssessmentVoided):
            del entered[event.assessment_id]
    entries = {each: (key[0], position, said[each][2]) for each, (position, key) in entered.items()}
    return entries, {
        key: said[each] for each, (_, key) in sorted(entered.items(), key=lambda item: item[1][0])
    }


def _targets(events: Iterable[tuple[RecordedEvent, Event]]) -> dict[UUID, tuple[Any, ...]]:
    targets: dict[UUID, tuple[Any, ...]] = {}
    for recorded, event in events:
        if isinstance(event, TargetSet):
            targets[event.target_id] = (event.pupil_id, event.target, recorded.id)
        if isinstance(event, TargetRemoved):
            del targets[event.target_id]
    return targets


def contributions_of(
    results: Mapping[tuple[UUID, Cell], tuple[Any, ...]], entries: Mapping[UUID, tuple[Any, ...]]
) -> dict[Standings, int]:
    """What these results count for; the end of a half-term that ends with a term is the end of the term."""
    newest: dict[tuple[UUID, int, str, str], tuple[int, Result]] = {}
    for (pupil_id, _), (assessment_id, result, *_) in results.items():
        if result.scheme == "steps" and result.term:
            term = str(result.term).replace("-2", "")
            what = (pupil_id, result.academic_year, term, result.subject)
            newest[what] = max(newest.get(what, (0, result)), (entries[assessment_id][1], result), key=at)
    counts: Counter[Standings] = Counter()
    for (_, year, term, subject), (_, result) in newest.items():
        if result.nc_year and (place := standing(result.value, result.nc_year, Term(result.term or term))):
            counts[year, term, subject, result.nc_year, place] += 1
    return dict(counts)


def at(entered: tuple[int, Result]) -> int:
    return entered[0]


def _login(recorded: RecordedEvent, event: Event) -> tuple[Any, ...] | None:
    match event:
        case SessionOpened():
            return (recorded.recorded_at, event.staff_id, event.session_id, "opened", None)
        case SessionClosed():
            return (recorded.recorded_at, event.staff_id, event.session_id, "closed", event.reason.value)
        case LoginFailed():
            return (recorded.recorded_at, event.staff_id, None, "failed", event.reason.value)
        case _:
            return None


def _attendance(events: Iterable[tuple[RecordedEvent, Event]]) -> dict[tuple[UUID, int], tuple[Any, ...]]:
    logs: dict[UUID, list[Event]] = {}
    of_record: dict[tuple[UUID, int], AttendanceTotals] = {}
    touched: dict[tuple[UUID, int], int] = {}
    for recorded, event in events:
        years: set[int] = set()
        match event:
            case AttendanceMarked():
                run = Run(event.first_day, event.marks)
                years = {academic_year_of(session.day) for session, _ in sessions_of(run)}
            case AttendanceTotalled():
                years = {academic_year_of(event.totals.first_day)}
            case AttendanceTotalsVoided():
                years = {academic_year_of(event.first_day)}
            case PupilAdmitted() | PupilChanged() if event.record:
                said = event.record.attendance
                known = [year for pupil_id, year in of_record if pupil_id == event.subject]
                if isinstance(said, AttendanceTotals):
                    years = {said.academic_year}
                    of_record[event.subject, said.academic_year] = said
                elif said is None and isinstance(event, PupilChanged) and known:
                    years = {max(known)}
                    del of_record[event.subject, max(known)]
        if event.name.startswith("attendance."):
            logs.setdefault(event.subject, []).append(event)
        touched |= {(event.subject, year): recorded.id for year in years}
    folded = {pupil_id: domain.attendance.fold(some) for pupil_id, some in logs.items()}
    nothing = domain.attendance.Attendance()
    return {
        (pupil_id, year): (
            position,
            {
                tuple(session): mark
                for session, mark in folded.get(pupil_id, nothing).marks.items()
                if academic_year_of(session.day) == year
            },
            {
                day: totals
                for day, totals in folded.get(pupil_id, nothing).totals.items()
                if academic_year_of(day) == year
            },
            of_record.get((pupil_id, year)),
        )
        for (pupil_id, year), position in touched.items()
    }


def actual(superuser: psycopg.Connection[Any], keys: SchoolKeys) -> Rows:
    """What the projections' tables hold of a school, and what is counted from them at a release."""
    return actual_of(superuser, keyring_of(superuser, keys))


def actual_of(superuser: psycopg.Connection[Any], keyring: Keyring) -> Rows:
    """The same, with keys that were found elsewhere."""
    entries, results = _shown_results(superuser, keyring)
    return Rows(
        pupils=_shown_pupils(superuser, keyring),
        entries=entries,
        results=results,
        targets=_shown_targets(superuser, keyring),
        contributions=counted(superuser, keyring),
        logins={
            position: tuple(line)
            for position, *line in superuser.execute(
                "SELECT position, recorded_at, staff_id, session_id, outcome, reason "
                "FROM projections.logins WHERE school_id = %s",
                [keyring.school_id],
            )
        },
        attendance=_shown_attendance(superuser, keyring),
    )


class _Year(msgspec.Struct):
    marks: list[str] = msgspec.field(default_factory=list)
    totals: list[Totals] = msgspec.field(default_factory=list)
    of_record: AttendanceTotals | None = None


def _shown_attendance(
    superuser: psycopg.Connection[Any], keyring: Keyring
) -> dict[tuple[UUID, int], tuple[Any, ...]]:
    shown: dict[tuple[UUID, int], tuple[Any, ...]] = {}
    for pupil_id, year, position, record in superuser.execute(
        "SELECT pupil_id, academic_year, position, record FROM projections.attendance WHERE school_id = %s",
        [keyring.school_id],
    ):
        cipher = keyring.to_open(pupil_id, Compartment.RECORD, generation_of(record))
        if cipher is None:
            shown[pupil_id, year] = (position, "of somebody who was erased")
            continue
        row = pupil_id.bytes + year.to_bytes(2) + position.to_bytes(8)
        place = place_of_row(keyring.school_id, "projections.attendance", row)
        kept = msgspec.msgpack.decode(unseal(cipher, record, place), type=_Year)
        assert len({each.first_day for each in kept.totals}) == len(kept.totals)
        first = year_bounds(year)[0]
        shown[pupil_id, year] = (
            position,
            {
                (first + timedelta(days=number // 2), ("AM", "PM")[number % 2]): mark
                for number, mark in enumerate(kept.marks)
                if mark
            },
            {each.first_day: each for each in kept.totals},
            kept.of_record,
        )
    return shown


def _shown_pupils(superuser: psycopg.Connection[Any], keyring: Keyring) -> dict[UUID, tuple[Any, ...]]:
    pupils: dict[UUID, tuple[Any, ...]] = {}
    for (
        pupil_id,
        version,
        nc_year,
        class_id,
        on_roll,
        topic,
        names_version,
        names,
        record,
    ) in superuser.execute(
        "SELECT pupil_id, version, nc_year, class_id, on_roll, names_type, names_version, names, record "
        "FROM projections.pupils WHERE school_id = %s",
        [keyring.school_id],
    ):
        cipher = keyring.to_open(pupil_id, Compartment.RECORD, generation_of(record))
        if cipher is None:
            pupils[pupil_id] = (version, "of somebody who was erased")
            continue
        place = place_of_row(keyring.school_id, "projections.pupils", pupil_id.bytes + version.to_bytes(8))
        kept = msgspec.msgpack.decode(unseal(cipher, record, place), type=_Kept)
        event = StoredEvent(pupil_id, names_version, topic, b"")
        opened = EventMapper(keyring).open_part(event, pupil_id, Compartment.NAMES, names)["names"]
        pupils[pupil_id] = (version, opened, kept.record, kept.left_on, class_id, nc_year, on_roll, kept.away)
    return pupils


class _Kept(msgspec.Struct):
    record: domain.pupil.PupilRecord
    left_on: date | None = None
    away: tuple[domain.pupil.Away, ...] = ()


def _shown_results(
    superuser: psycopg.Connection[Any], keyring: Keyring
) -> tuple[dict[UUID, tuple[Any, ...]], dict[tuple[UUID, Cell], tuple[Any, ...]]]:
    entries, results = {}, {}
    for (
        pupil_id,
        assessment_id,
        position,
        topic,
        version,
        record,
        year,
        term,
        cell,
        entered,
    ) in superuser.execute(
        "SELECT pupil_id, assessment_id, position, type, version, record, academic_year, term, cell, entered "
        "FROM projections.assessments WHERE school_id = %s AND NOT voided ORDER BY entered",
        [keyring.school_id],
    ):
        event = StoredEvent(assessments_of(pupil_id), version, topic, b"")
        result: Result = EventMapper(keyring).open_part(event, pupil_id, Compartment.RECORD, record)["result"]
        assert (year, term) == (result.academic_year, result.term or "")
        assert cell.startswith(f"{result.scheme}/{result.subject}/")
        assert cell.endswith(f"/{result.statement or ''}")
        entries[assessment_id] = (pupil_id, entered, position)
        results[pupil_id, cell_of(result)] = (assessment_id, result, position, topic)
    return entries, results


def _shown_targets(superuser: psycopg.Connection[Any], keyring: Keyring) -> dict[UUID, tuple[Any, ...]]:
    targets = {}
    for pupil_id, target_id, position, topic, version, record, year, term, scheme in superuser.execute(
        "SELECT pupil_id, target_id, position, type, version, record, academic_year, term, scheme "
        "FROM projections.targets WHERE school_id = %s",
        [keyring.school_id],
    ):
        event = StoredEvent(targets_of(pupil_id), version, topic, b"")
        target = EventMapper(keyring).open_part(event, pupil_id, Compartment.RECORD, record)["target"]
        assert (year, term, scheme) == (target.academic_year, target.term or "", target.scheme)
        targets[target_id] = (pupil_id, target, position)
    return targets
