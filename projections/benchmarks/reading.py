"""One school as it was at a recorded position: its pupils, and their results at some points.

The rows that the projections keep are used as far as they say what was so at the position: of every pupil
about whom nothing was recorded since. What is said of the others is read from the stream itself, up to the
position and no further. So it is the same whenever it is counted, whatever is being written meanwhile, except
for children who were erased since: nothing opens any more what was said of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import domain.assessment
import domain.assessment_points
import domain.pupil
from domain.academic_year import HALF_TERMS, TERMS, Term, when
from domain.application.school_application import assessments_of
from domain.assessment import STATUTORY, Result
from domain.assessment_points import AssessmentPoints
from domain.errors import NotFound, NotYetVisible
from domain.events import Compartment, Event, is_sealed
from domain.ledger.database import Connection
from domain.ledger.mapper import EventMapper
from domain.ledger.sealing import generation_of, place_in_log, places_of_log, unseal
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent, read_events
from domain.progress.entries import Entry, seen
from domain.pupil_record import PupilRecord
from domain.schemes.catalogue import SCHEMES, STATEMENTS
from domain.school import SchoolFacts, SchoolRegistered
from domain.vault.keyring import Keyring
from projections import assessments, pupils
from projections.benchmarks.points import NAMES, Point

SQL = load("projections.benchmarks", "statements.sql")

PROJECTIONS: Final = (assessments.NAME, pupils.NAME)
"""The projections whose rows are counted."""

_RECORD = Compartment.RECORD

SCALES: Final[Mapping[str, str | None]] = {
    name: next((scale for version in reversed(scheme.versions) for scale in version.scales), None)
    for name, scheme in SCHEMES.items()
    if name != STATEMENTS
}
"""The schemes that benchmarks are made of, with the scale of points of each, where it has one."""

_TERMS_OF: Final = {
    name: [term for term in (*TERMS, *HALF_TERMS) if Point.of(when(0, term)).name == name] for name in NAMES
}
"""The terms and half-terms whose results count to a point."""


class PupilThen(msgspec.Struct, frozen=True):
    """A pupil, as far as benchmarks ask; who it is they do not.

    Attributes:
        record: What was recorded.
        left_on: When the child left, if away.
        born_in: The term of birth, where an event has said it.
    """

    record: PupilRecord
    left_on: date | None
    born_in: Term | None


Courses = dict[Point, dict[tuple[str, str], Entry]]
"""A pupil's results by point, then by scheme and subject."""


class SchoolThen(msgspec.Struct, frozen=True, kw_only=True):
    """A school at a position.

    Attributes:
        facts: What is publicly known of it.
        points: Its assessment points.
        pupils: Its pupils, those who have left, too.
        results: Their results.
    """

    facts: SchoolFacts
    points: AssessmentPoints
    pupils: dict[UUID, PupilThen]
    results: dict[UUID, Courses]


Told = tuple[Point, tuple[str, str], Entry]
"""A result, the point that it counts to, and its scheme and subject."""

Known = dict[tuple[str, bytes], Told | None]
"""Results that have been read already, by the type of the event and its content: most are like another."""

_MOST_KNOWN = 200_000


def school_at(
    connection: Connection, keys: Keyring, position: int, points: Iterable[Point], known: Known
) -> SchoolThen:
    """The school at a position.

    Args:
        connection: Bound to the school, of the worker's role, in a transaction that has read nothing yet.
        keys: What opens the records; names it cannot open.
        position: The last position that counts.
        points: The points whose results are wanted.
        known: Results that have been read before; more are added.

    Raises:
        NotYetVisible: The rows have not come so far.
        NotFound: The school was not registered by then.
    """
    # All that follows is of one moment: else a row could move between two statements, and be counted twice.
    connection.execute(SQL["one_moment"])
    school_id = keys.school_id
    reached = connection.execute(SQL["reached"], [school_id, list(PROJECTIONS)]).fetchone()
    if reached is None or reached[1] < len(PROJECTIONS) or reached[0] < position:
        raise NotYetVisible("The rows of a school have not come as far as it is to be counted")
    facts, of_school = _school(connection, keys, position)
    return SchoolThen(
        facts=facts,
        points=of_school,
        pupils=_pupils(connection, keys, position),
        results=results_at(connection, keys, position, set(points), known),
    )


def _school(connection: Connection, keys: Keyring, position: int) -> tuple[SchoolFacts, AssessmentPoints]:
    mapper = EventMapper(keys)
    facts: SchoolFacts | None = None
    about_points: list[Event] = []
    for recorded in read_events(connection, SQL["events_of_the_school"], [keys.school_id, position]):
        event = mapper.to_domain_event(recorded)
        if isinstance(event, SchoolRegistered):
            facts = event.facts
        elif event.name.startswith("school.assessment-point"):
            about_points.append(event)
    if facts is None:
        raise NotFound("The school was not registered by then")
    nothing = AssessmentPoints(school_id=keys.school_id, log=keys.school_id)
    return facts, domain.assessment_points.fold(nothing, about_points)


def _pupils(connection: Connection, keys: Keyring, position: int) -> dict[UUID, PupilThen]:
    changed = [
        row[0]
        for row in connection.execute(SQL["pupils_changed_since"], [keys.school_id, position], binary=True)
    ]
    rows = connection.execute(SQL["pupils"], [keys.school_id, changed], binary=True).fetchall()
    keys.need({row[0] for row in rows} | set(changed))
    found = {}
    for pupil_id, version, record in rows:
        if not keys.is_erased(pupil_id):
            kept = pupils.kept_of(keys, pupil_id, version, record)
            found[pupil_id] = PupilThen(kept.record, kept.left_on, kept.term_of_birth)
    mapper = EventMapper(keys)
    for pupil_id, events in _events_of(connection, keys.school_id, changed, position):
        pupil = domain.pupil.fold(None, map(mapper.to_domain_event, events))
        if pupil is not None and not (pupil.erased or is_sealed(pupil.record)):
            found[pupil_id] = PupilThen(pupil.record, pupil.left_on, pupil.term_of_birth)
    return found


def _events_of(
    connection: Connection, school_id: UUID, originators: Sequence[UUID], position: int
) -> Iterator[tuple[UUID, list[RecordedEvent]]]:
    if not originators:
        return
    events: dict[UUID, list[RecordedEvent]] = {}
    for event in read_events(connection, SQL["events_of_many"], [school_id, list(originators), position]):
        events.setdefault(cast("UUID", event.originator_id), []).append(event)
    yield from events.items()


def results_at(
    connection: Connection, keys: Keyring, position: int, points: set[Point], known: Known
) -> dict[UUID, Courses]:
    """Every pupil's results at some points, as they were at a position.

    Args:
        connection: Bound to the school, of the worker's role, and seeing one moment.
        keys: What opens the records.
        position: The last position that counts; the rows have come so far.
        points: The points.
        known: Results that have been read before; more are added.
    """
    since = [
        row[0]
        for row in connection.execute(SQL["pupils_assessed_since"], [keys.school_id, position], binary=True)
    ]
    times = [
        (point.academic_year, term)
        for point in points
        for term in (_TERMS_OF[point.name] if point.at.term else [""])
    ]
    rows = connection.execute(
        SQL["results"],
        {
            "school": keys.school_id,
            "years": [year for year, _ in times],
            "terms": [str(term) for _, term in times],
            "schemes": [*SCALES, STATUTORY],
            "but": since,
        },
        binary=True,
    ).fetchall()
    keys.need({row[0] for row in rows} | set(since))
    if len(known) > _MOST_KNOWN:
        known.clear()
    mapper = EventMapper(keys)
    results = {row[0]: _in_order(_opened(keys, mapper, row, known), points) for row in rows}
    logs = {assessments_of(pupil_id): pupil_id for pupil_id in since if not keys.is_erased(pupil_id)}
    for log, events in _events_of(connection, keys.school_id, list(logs), position):
        results[logs[log]] = _in_order(_told(mapper, events), points)
    return results


def _opened(
    keys: Keyring, mapper: EventMapper, row: tuple[Any, ...], known: Known
) -> Iterator[tuple[int, Told]]:
    """The results in a row, with the positions at which they were entered."""
    pupil_id, topics, versions, records, all_entered = row
    places = places_of_log(keys.school_id, assessments_of(pupil_id), _RECORD)
    ciphers: dict[int, AESGCM | None] = {}
    for topic, version, record, entered in zip(topics, versions, records, all_entered, strict=True):
        generation = generation_of(record)
        if generation not in ciphers:
            ciphers[generation] = keys.to_open(pupil_id, _RECORD, generation)
        cipher = ciphers[generation]
        if cipher is None:  # destroyed since the row was written
            continue
        said = (topic, unseal(cipher, record, place_in_log(places, version, topic)))
        if said not in known:
            known[said] = _told_by(mapper.read_part(topic, _RECORD, said[1])["result"])
        told = known[said]
        if told is not None:
            yield entered, told


def _told_by(result: Result) -> Told | None:
    entry = seen(result, SCALES)
    return None if entry is None else (Point.of(entry.at), (entry.scheme, entry.subject), entry)


def _told(mapper: EventMapper, events: Iterable[RecordedEvent]) -> Iterator[tuple[int, Told]]:
    """The same, of what the events of a pupil's log tell."""
    said: dict[UUID, tuple[int, Told | None]] = {}
    for recorded in events:
        event = mapper.to_domain_event(recorded)
        match event:
            case domain.assessment.AssessmentRecorded() | domain.assessment.AssessmentCorrected():
                if not is_sealed(event.result):
                    entered = said[event.assessment_id][0] if event.assessment_id in said else recorded.id
                    said[event.assessment_id] = (entered, _told_by(event.result))
            case domain.assessment.AssessmentVoided():
                said.pop(event.assessment_id, None)
    return ((entered, told) for entered, told in said.values() if told is not None)


def _in_order(results: Iterable[tuple[int, Told]], points: set[Point]) -> Courses:
    """The results by point: of two of the same thing the one that was entered later."""
    courses: Courses = {}
    newest: dict[Point, dict[tuple[str, str], int]] = {}
    for entered, (point, what, entry) in results:
        if point not in courses:
            if point not in points:
                continue
            courses[point], newest[point] = {}, {}
        if entered > newest[point].get(what, 0):
            newest[point][what] = entered
            courses[point][what] = entry
    return courses


def points_of(connection: Connection, school_id: UUID) -> set[Point]:
    """The points that a school has results of.

    Args:
        connection: Bound to the school.
        school_id: The school.
    """
    rows = connection.execute(SQL["times"], [school_id, STATEMENTS], binary=True)
    return {Point.of(when(year, cast("str", term) or None)) for year, term in rows}
