"""Current results: every entry, sealed as it came; the newest in a cell that was not voided is shown.

A cell is a scheme, a subject and a period. A later entry in the same cell takes the place of an earlier one,
which shows again when the later one is voided. A correction takes the place of the entry that it corrects. Of
a child who has been erased there are no rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.academic_year import LAST_HALF_OF, TERM_ENDED_BY, AssessmentPoint, Term, When
from domain.application.school_application import assessments_of
from domain.assessment import STATEMENTS, STATUTORY, STEPS, Cell, Result, cell_of, meaning_of
from domain.errors import KeyNotHeld
from domain.events import Compartment, is_sealed
from domain.ledger.columns import Array, Bigints, Byteas, Smallints, Texts, Uuids, columns_of
from domain.ledger.database import Connection
from domain.ledger.mapper import EMPTY, EventMapper, Origin, split
from domain.ledger.sealing import GENERATION_SIZE, generation_of, place_in_log, places_of_log, unseal
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent
from domain.schemes.catalogue import EYFS_BANDS
from domain.vault import keystore
from domain.vault.keyring import Keyring
from projections.projection import Batches, Rows, Table

SQL = load("projections", "assessments.sql")

NAME = "assessments"


class _Row(NamedTuple):
    pupil_id: UUID
    assessment_id: UUID
    academic_year: int
    term: str
    cell: str
    entered: int
    position: int
    type: str
    version: int
    record: bytes


_ROW: tuple[type[Array], ...] = (
    Uuids, Uuids, Smallints, Texts, Texts, Bigints, Bigints, Texts, Bigints, Byteas,
)  # fmt: skip
_VOIDED: tuple[type[Array], ...] = (Uuids, Uuids, Bigints, Texts, Bigints)


class _Entry(NamedTuple):
    """A whole row."""

    pupil_id: UUID
    assessment_id: UUID
    academic_year: int
    term: str
    cell: str
    entered: int
    position: int
    type: str
    version: int
    record: bytes
    voided: bool = False


TABLE = Table("assessments", key=("pupil_id", "assessment_id"), columns=_Entry._fields)


class AssessmentsProjection:
    """Keeps `projections.assessments`."""

    name = NAME
    categories: tuple[str, ...] = ("assessment", "pupil.erased.")
    tables = (TABLE,)

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        """Writes what the events make of the entries that they are about."""
        reader = _Reader(keys)
        rows: dict[int, _Row] = {}
        voided: list[tuple[UUID, UUID, int, str, int]] = []
        for event, pupil_id, assessment_id, said, record in reader.read(events):
            if said is None:
                voided.append((pupil_id, assessment_id, event.id, event.topic, event.originator_version))
                continue
            before = rows.get(assessment_id.int)
            rows[assessment_id.int] = _Row(
                pupil_id,
                assessment_id,
                *said,
                before.entered if before else event.id,
                event.id,
                event.topic,
                event.originator_version,
                record,
            )
        if reader.gone:
            connection.execute(SQL["remove"], [keys.school_id, list(reader.gone)])
        if rows:
            connection.execute(SQL["upsert"], [keys.school_id, *columns_of(rows.values(), _ROW)])
        if voided:
            connection.execute(SQL["void"], [*columns_of(voided, _VOIDED), keys.school_id])

    def fold(self, keys: Keyring, batches: Batches) -> Rows:
        """Every entry as its newest event says it."""
        reader = _Reader(keys)
        entries: dict[int, _Entry] = {}
        for events in batches:
            for event, pupil_id, assessment_id, said, record in reader.read(events):
                before = entries.get(assessment_id.int)
                if said is not None:
                    entries[assessment_id.int] = _Entry(
                        pupil_id,
                        assessment_id,
                        *said,
                        before.entered if before else event.id,
                        event.id,
                        event.topic,
                        event.originator_version,
                        record,
                        before.voided if before else False,
                    )
                elif before:
                    entries[assessment_id.int] = before._replace(
                        position=event.id,
                        type=event.topic,
                        version=event.originator_version,
                        record=b"",
                        voided=True,
                    )
        return {TABLE.name: list(entries.values())}


PROJECTION = AssessmentsProjection()


class _Place(NamedTuple):
    """Where a result belongs: what its row says of it in clear."""

    academic_year: int
    term: str
    cell: str


_Said = tuple[RecordedEvent, UUID, UUID, _Place | None, bytes]
"""An event, the pupil, the entry, the place of the result, and the result as it lies in the event.

There is no place, if the entry was voided.
"""

_MOST_KNOWN = 10_000
"""So many different results are remembered: those of a school are the same few hundred, again and again."""


class _Log:
    """What the events of one pupil's log have in common."""

    __slots__ = ("ciphers", "gone", "places", "pupil_id")

    def __init__(self, school_id: UUID, originator_id: UUID, pupil_id: UUID) -> None:
        self.pupil_id = pupil_id
        self.gone = False
        self.places = places_of_log(school_id, originator_id, Compartment.RECORD)
        self.ciphers: dict[bytes, AESGCM] = {}


class _Type:
    """How the events of one type are read."""

    __slots__ = ("known", "open", "record")

    def __init__(self, mapper: EventMapper, topic: str) -> None:
        self.open = mapper.decoder_of(topic, Compartment.OPEN)
        self.record: Callable[[bytes], Any] | None = None
        if not topic.startswith("assessment.voided."):
            self.record = mapper.decoder_of(topic, Compartment.RECORD)
        self.known: dict[bytes, _Place] = {}

    def place_of(self, content: bytes) -> _Place:
        """Where a result belongs, of which this is what was sealed."""
        place = self.known.get(content)
        if place is None:
            assert self.record
            result: Result = self.record(content).result
            place = _Place(result.academic_year, result.term or "", _cell(result))
            if len(self.known) >= _MOST_KNOWN:
                self.known.clear()
            self.known[content] = place
        return place


class _Reader:
    """Reads many events: what those of a log or a type have in common is found out once."""

    def __init__(self, keys: Keyring) -> None:
        self._keys = keys
        self._mapper = EventMapper(keys)
        self._logs: dict[int, _Log] = {}
        self._types: dict[str, _Type] = {}
        self.gone: set[UUID] = set()
        """The children of whom there were events, and who have been erased."""

    def read(self, events: Iterable[RecordedEvent]) -> Iterator[_Said]:
        """What the events say, but for those of children who have been erased.

        Raises:
            ValueError: An event of a pupil's log is about another pupil, or says no result.
            KeyNotHeld: The key of a pupil's record is missing.
            DoesNotOpen: A result was damaged, or moved here from elsewhere.
        """
        opened: list[tuple[RecordedEvent, _Log, _Type, UUID, bytes | None]] = []
        new: list[_Log] = []
        erased: set[UUID] = set()
        for event in events:
            topic = event.topic
            if topic.startswith("pupil.erased."):
                erased.add(self._mapper.subject_of(event))
                continue
            kind = self._types.get(topic)
            if kind is None:
                kind = self._types[topic] = _Type(self._mapper, topic)
            parts = split(event.state)
            said = kind.open(parts.open or EMPTY)
            originator_id = cast("UUID", event.originator_id)
            # A UUID's own hash and comparison are Python's, those of its number are not.
            log = self._logs.get(originator_id.int)
            if log is None:
                log = _Log(self._keys.school_id, originator_id, said.pupil_id)
                self._logs[originator_id.int] = log
                new.append(log)
            elif said.pupil_id.int != log.pupil_id.int:
                raise ValueError(f"{topic} is about another pupil than others of its log")
            opened.append((event, log, kind, said.assessment_id, parts.record))
        self._keys.need(erased.union(log.pupil_id for log in new))
        self.gone |= {pupil_id for pupil_id in erased if self._keys.is_erased(pupil_id)}
        for log in new:
            log.gone = self._keys.is_erased(log.pupil_id)
            if log.gone:
                self.gone.add(log.pupil_id)
        for event, log, kind, assessment_id, record in opened:
            if log.gone:
                continue
            if kind.record is None:
                yield event, log.pupil_id, assessment_id, None, b""
                continue
            if record is None:
                raise ValueError(f"{event.topic} says no result")
            place = place_in_log(log.places, event.originator_version, event.topic)
            cipher = log.ciphers.get(record[:GENERATION_SIZE]) or self._cipher(log, record)
            content = unseal(cipher, record, place)
            yield event, log.pupil_id, assessment_id, kind.place_of(content), record

    def _cipher(self, log: _Log, record: bytes) -> AESGCM:
        cipher = self._keys.to_open(log.pupil_id, Compartment.RECORD, generation_of(record))
        if cipher is None:
            raise KeyNotHeld("The key of a pupil's record is missing")
        log.ciphers[record[:GENERATION_SIZE]] = cipher
        return cipher


def _cell(result: Result) -> str:
    return _named_cell(
        result.scheme,
        result.subject,
        result.component,
        result.stage,
        result.method,
        result.qualifier,
        result.statement,
    )


@lru_cache(maxsize=4096)
def _named_cell(scheme: str, subject: str, *parts: object) -> str:
    return "/".join((scheme, subject, *(str(part or "") for part in parts)))


class AssessmentView(msgspec.Struct, frozen=True, kw_only=True):
    """A result, as queries show it.

    Attributes:
        assessment_id: The id of the entry.
        pupil_id: The child.
        result: The result.
        corrected: It was entered otherwise at first.
        position: The position of the newest event about it.
        entered: The position of its first entry.
    """

    assessment_id: UUID
    pupil_id: UUID
    result: Result
    corrected: bool
    position: int
    entered: int


def latest(connection: Connection, keys: Keyring, pupil_id: UUID) -> list[AssessmentView]:
    """A pupil's current result in each cell, the newest academic year first; statements apart."""
    rows = connection.execute(SQL["latest"], [keys.school_id, pupil_id, STATEMENTS], binary=True)
    return _views(connection, keys, rows.fetchall())


def newest_position(connection: Connection, school_id: UUID, pupil_id: UUID) -> int:
    """The position of the newest event of a pupil's assessments, voids included; 0, if there is none."""
    row = connection.execute(SQL["newest"], [school_id, pupil_id], binary=True).fetchone()
    return int(row[0]) if row else 0


def sheet(
    connection: Connection, keys: Keyring, pupil_ids: Iterable[UUID], at: When, scheme: str = STEPS
) -> list[AssessmentView]:
    """The current results of some pupils in a scheme, at an assessment point or of a whole year.

    Results that came in a file count to the scheme that they belong to; of two of the same thing the one that
    was entered later is shown.
    """
    schemes = [scheme] if scheme in _NEVER_IN_FILES else [scheme, STATUTORY]
    rows = connection.execute(
        SQL["sheet"],
        [keys.school_id, list(pupil_ids), at.academic_year, at.term.value if at.term else "", schemes],
        binary=True,
    )
    shown: dict[tuple[UUID, object], AssessmentView] = {}
    for view in sorted(_views(connection, keys, rows.fetchall()), key=lambda view: view.entered):
        if scheme in _NEVER_IN_FILES or scheme == STATUTORY:
            shown[view.pupil_id, cell_of(view.result)] = view
        elif (meaning := meaning_of(view.result)) and meaning.version.scheme == scheme:
            shown[view.pupil_id, meaning.code] = view
    return list(shown.values())


_NEVER_IN_FILES = {STEPS, EYFS_BANDS, STATEMENTS}
"""The schemes that Common Transfer Files do not carry."""


def judged(connection: Connection, keys: Keyring, pupil_ids: Iterable[UUID]) -> list[AssessmentView]:
    """The judgements of statements of some pupils, the current one at each assessment point."""
    rows = connection.execute(SQL["judged"], [keys.school_id, list(pupil_ids), STATEMENTS], binary=True)
    return _views(connection, keys, rows.fetchall())


def at_points(
    connection: Connection, keys: Keyring, points: Sequence[AssessmentPoint], scheme: str = STEPS
) -> Iterator[Result]:
    """Every current result of the school at the ends of some terms, one of a pupil in a subject and term.

    The second half of a term ends with it, so that its judgements count as those of the term; of a judgement
    of the term and one of its second half the one that was entered later counts. Results name the whole term.

    Args:
        connection: Bound to the school, of the worker's role.
        keys: What opens the results.
        points: The terms.
        scheme: The scale.
    """
    rows = connection.execute(
        SQL["at_points"],
        [
            keys.school_id,
            [point.academic_year for point in points for _ in range(2)],
            [term.value for point in points for term in (point.term, LAST_HALF_OF[point.term])],
            scheme,
        ],
        binary=True,
    ).fetchall()
    keys.need({row[1] for row in rows})
    newest: dict[tuple[UUID, Cell], AssessmentView] = {}
    for view in _opened(keys, rows):
        assert view.result.term
        term = TERM_ENDED_BY[Term(view.result.term)]
        view = msgspec.structs.replace(view, result=msgspec.structs.replace(view.result, term=term.value))
        place = (view.pupil_id, cell_of(view.result))
        if place not in newest or newest[place].entered < view.entered:
            newest[place] = view
    return (view.result for view in newest.values())


def terms(connection: Connection, school_id: UUID, scheme: str = STEPS) -> set[AssessmentPoint]:
    """The terms that the school has any result of a scheme at the end of: of the term, or its second half."""
    names = [term.value for term in TERM_ENDED_BY]
    rows = connection.execute(SQL["terms"], [school_id, scheme, names], binary=True)
    return {AssessmentPoint(year, TERM_ENDED_BY[Term(term)]) for year, term in rows}


def _views(connection: Connection, keys: Keyring, rows: Sequence[tuple[Any, ...]]) -> list[AssessmentView]:
    pupil_ids = {row[1] for row in rows}
    keys.give(pupil_ids, keystore.of_subjects(connection, keys.school_id, pupil_ids))
    return list(_opened(keys, rows))


def _opened(keys: Keyring, rows: Sequence[tuple[Any, ...]]) -> Iterator[AssessmentView]:
    """The rows as views, but for those of children who have been erased."""
    mapper = EventMapper(keys)
    for assessment_id, pupil_id, topic, version, record, position, entered in rows:
        event = Origin(assessments_of(pupil_id), version, topic)
        result = mapper.open_part(event, pupil_id, Compartment.RECORD, record)["result"]
        if not is_sealed(result):
            yield AssessmentView(
                assessment_id=assessment_id,
                pupil_id=pupil_id,
                result=result,
                corrected=topic.startswith("assessment.corrected."),
                position=position,
                entered=entered,
            )
