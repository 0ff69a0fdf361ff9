"""Proposing a release: every school counted at a recorded position, and what could be told of all."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from domain.errors import Conflict, Finding, InvalidInput, NotYetVisible, SchoolStopped
from domain.identifiers import new_id
from domain.ledger import operators_stream
from domain.ledger.database import Connection, Database
from domain.vault import keystore
from domain.vault.keyring import Keyring, SchoolKeys
from domain.vault.service_keys import ServiceKeys
from projections.benchmarks.counting import SchoolCounts, count
from projections.benchmarks.earlier import EarlierFigures
from projections.benchmarks.points import Point, due
from projections.benchmarks.reading import PROJECTIONS, SQL, Known, points_of, school_at
from projections.benchmarks.rows import BandRow, DistributionRow, FigureRow
from projections.benchmarks.tables import Schools, Suppressed, is_suppressed, tell
from projections.disclosure import Rules

Heads = dict[UUID, int]
"""Every school, and the last position of its stream that counts."""

ENOUGH_FOR_PROCESSES: Final = 200
"""From so many schools on, they are counted by several processes."""

_CHUNK = 10


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A release as it would be, and what it was counted from. No figure of a school is in it.

    Attributes:
        proposed_on: The day on which it was made.
        after: The newest release that there was then.
        points: The points, as in `2025/26:autumn`.
        rules: The rules of disclosure control.
        schools: Every school, and how far it was counted.
        figures: The figures.
        distribution: How schools are spread.
        bands: The fifths and bands of schools.
    """

    proposed_on: date
    after: int
    points: tuple[str, ...]
    rules: Rules
    schools: tuple[tuple[UUID, int], ...]
    figures: tuple[FigureRow, ...]
    distribution: tuple[DistributionRow, ...]
    bands: tuple[BandRow, ...]

    def written(self) -> bytes:
        """As it is kept: compressed msgpack."""
        return zlib.compress(msgspec.msgpack.encode(self), 6)

    @classmethod
    def read(cls, content: bytes) -> Proposal:
        """What :meth:`written` wrote."""
        return msgspec.msgpack.decode(zlib.decompress(content), type=cls)


class PointReport(msgspec.Struct, frozen=True, kw_only=True):
    """What could be told of a point.

    Attributes:
        point: The point.
        closed_by: How many schools have closed it.
        schools: How many schools have results of it.
        tables: How many tables there are: one for each scheme, subject and NC year.
        figures: How many figures.
        suppressed: How many of them are suppressed.
    """

    point: str
    closed_by: int
    schools: int
    tables: int
    figures: int
    suppressed: int


class ProposalReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator is told of a proposal; nothing in it is about a single school or pupil.

    Attributes:
        proposal: The id to publish it by; none, where no point is due, or nobody has results.
        digest: SHA-256 of what is kept of it.
        after: The newest release that it was held against.
        rules: The rules.
        schools: How many schools there are.
        points: The points.
        rules_applied: How often each rule suppressed figures of a group.
        suppressed: Every group of which figures are suppressed, and why.
    """

    proposal: UUID | None
    digest: str | None
    after: int
    rules: Rules
    schools: int
    points: list[PointReport]
    rules_applied: dict[str, int]
    suppressed: list[Suppressed]


def propose(
    database: Database,
    service_keys: ServiceKeys,
    today: date,
    rules: Rules,
    points: Sequence[Point] | None = None,
    *,
    conninfo: str | None = None,
    patience: float = 60.0,
) -> ProposalReport:
    """Proposes a release, and keeps the proposal to be published.

    Args:
        database: Connections of the worker's role.
        service_keys: The service's keys, which open the records.
        today: The day.
        rules: The rules of disclosure control.
        points: The points; without any, all that are over and in no release that stands.
        conninfo: How other processes connect in the same role, so that they can help with many schools.
        patience: Seconds to wait until the rows hold what has been recorded.

    Raises:
        InvalidInput: A point is not over.
        NotYetVisible: The rows of some schools are behind.
        SchoolStopped: Those of some schools have stopped.
    """
    heads = heads_of(database)
    wait_for(database, heads, patience)
    wanted = _wanted(database, heads, points, today)
    with database.transaction() as connection:
        after = _last_release(connection)
        earlier = EarlierFigures(connection, wanted)
    nothing = ProposalReport(
        proposal=None,
        digest=None,
        after=after,
        rules=rules,
        schools=len(heads),
        points=[],
        rules_applied={},
        suppressed=[],
    )
    if not wanted:
        return nothing
    counted = dict(counts_of(database, service_keys, heads, wanted, today, conninfo=conninfo))
    schools = Schools(counted, rules)
    figures: list[FigureRow] = []
    distribution: list[DistributionRow] = []
    suppressed: list[Suppressed] = []
    tables: Counter[str] = Counter()
    for measured in schools.measured:
        told = tell(measured, schools.counts_of(measured), rules, earlier)
        if told is None:
            continue
        tables[measured.point.label] += 1
        figures += told.rows
        distribution += told.distribution
        suppressed += told.suppressed
    wanted = [point for point in wanted if tables[point.label]]
    if not wanted:
        return nothing
    proposal = Proposal(
        proposed_on=today,
        after=after,
        points=tuple(point.label for point in wanted),
        rules=rules,
        schools=tuple(sorted(heads.items())),
        figures=tuple(figures),
        distribution=tuple(distribution),
        bands=tuple(band for point in wanted for band in schools.bands(point)),
    )
    content = proposal.written()
    digest, proposal_id = hashlib.sha256(content).digest(), new_id()
    with database.transaction() as connection:
        operators_stream.add_proposal(connection, proposal_id, content, digest)
    return ProposalReport(
        proposal=proposal_id,
        digest=digest.hex(),
        after=after,
        rules=rules,
        schools=len(heads),
        points=[_reported(point, counted.values(), figures, tables) for point in wanted],
        rules_applied=dict(Counter(each.rule for each in suppressed).most_common()),
        suppressed=suppressed,
    )


def _reported(
    point: Point, counted: Iterable[SchoolCounts], figures: Iterable[FigureRow], tables: Counter[str]
) -> PointReport:
    schools = list(counted)
    of_point = [
        row for row in figures if (row.academic_year, row.assessment_point) == (point.year, point.name)
    ]
    return PointReport(
        point=point.label,
        closed_by=sum(point in each.closed for each in schools),
        schools=sum(any(measured.point == point for measured in each.tables) for each in schools),
        tables=tables[point.label],
        figures=len(of_point),
        suppressed=sum(is_suppressed(row) for row in of_point),
    )


def heads_of(database: Database) -> Heads:
    """How far the streams of all schools go now."""
    with database.transaction() as connection:
        return dict(connection.execute(SQL["heads"], binary=True).fetchall())


def wait_for(database: Database, heads: Heads, patience: float) -> None:
    """Waits until the rows of every school hold what was recorded up to its position.

    Raises:
        NotYetVisible: They do not within the time.
        SchoolStopped: Those of some schools have stopped before it.
    """
    deadline = time.monotonic() + patience
    while heads:
        with database.transaction() as connection:
            short = connection.execute(
                SQL["short_of"], [list(heads), list(heads.values()), list(PROJECTIONS)]
            ).fetchall()
        if not short:
            return
        if stopped := [str(school_id) for school_id, has_stopped in short if has_stopped]:
            raise SchoolStopped(
                "The rows of some schools have stopped, so nothing was counted", schools=stopped
            )
        if time.monotonic() > deadline:
            raise NotYetVisible(
                "The rows of some schools are behind, so nothing was counted: is a worker running?",
                schools=[str(school_id) for school_id, _ in short],
            )
        time.sleep(0.05)


def _wanted(database: Database, heads: Heads, points: Sequence[Point] | None, today: date) -> list[Point]:
    if points is not None:
        findings = [
            Finding(field="point", found=point.label, accepted=f"a point that is over before {today}")
            for point in points
            if point.ends_on >= today
        ]
        if findings:
            raise InvalidInput("Only what is over can be released", findings)
        return sorted(set(points))
    candidates: set[Point] = set()
    for school_id in heads:
        with database.bound_to(school_id) as connection:
            candidates |= points_of(connection, school_id)
    with database.transaction() as connection:
        released = {Point.read(f"{year}:{name}") for year, name in connection.execute(SQL["released_points"])}
    return due(candidates - released, today)


def _last_release(connection: Connection) -> int:
    row = connection.execute(SQL["last_release"]).fetchone()
    assert row
    return int(row[0])


def counts_of(
    database: Database,
    service_keys: ServiceKeys,
    heads: Heads,
    points: Sequence[Point],
    today: date,
    *,
    conninfo: str | None = None,
) -> Iterator[tuple[UUID, SchoolCounts]]:
    """What every school contributes, counted at its position.

    Args:
        database: Connections of the worker's role.
        service_keys: The service's keys.
        heads: The schools and their positions.
        points: The points.
        today: The day from which NC years are reckoned back.
        conninfo: How other processes connect; they are handed the record keys of the schools that they count,
            and never the service's.
    """
    processes = os.cpu_count() or 1
    if conninfo is None or len(heads) < ENOUGH_FOR_PROCESSES or processes < 2:
        known: Known = {}
        for school_id, position in heads.items():
            keys = _keys(database, service_keys, school_id)
            yield school_id, _count(database, keys, position, points, today, known)
        return
    schools = list(heads.items())
    chunks = [schools[start : start + _CHUNK] for start in range(0, len(schools), _CHUNK)]
    with ProcessPoolExecutor(
        processes, multiprocessing.get_context("spawn"), initializer=_connect, initargs=(conninfo,)
    ) as pool:
        handed = (
            [(_keys(database, service_keys, school_id), position) for school_id, position in chunk]
            for chunk in chunks
        )
        for found in pool.map(partial(_count_some, points=points, today=today), handed):
            yield from found


def _keys(database: Database, service_keys: ServiceKeys, school_id: UUID) -> SchoolKeys:
    with database.bound_to(school_id) as connection:
        return keystore.for_service(connection, school_id, service_keys)


def _count(
    database: Database, school: SchoolKeys, position: int, points: Sequence[Point], today: date, known: Known
) -> SchoolCounts:
    before = [point.before for point in points if point.before is not None]
    with database.bound_to(school.school_id) as connection:
        keys = Keyring(school, partial(keystore.record_keys_of_subjects, connection, school.school_id))
        then = school_at(connection, keys, position, [*points, *before], known)
    return count(then, points, today)


_helping: dict[str, Database] = {}
_known: Known = {}


def _connect(conninfo: str) -> None:
    """Makes the connections of a process that helps."""
    _helping["database"] = Database(conninfo, max_size=1)


def _count_some(
    schools: Sequence[tuple[SchoolKeys, int]], *, points: Sequence[Point], today: date
) -> list[tuple[UUID, SchoolCounts]]:
    database = _helping["database"]
    return [
        (keys.school_id, _count(database, keys, position, points, today, _known))
        for keys, position in schools
    ]


def proposal_of(connection: Connection, proposal_id: UUID) -> tuple[Proposal, str]:
    """A proposal, and its digest in hexadecimal.

    Raises:
        NotFound: There is no such proposal.
        Conflict: What is kept of it is not what was proposed.
    """
    content, digest, _ = operators_stream.proposal(connection, proposal_id)
    if hashlib.sha256(content).digest() != digest:
        raise Conflict("This is not what was proposed: what was kept of it has been changed")
    return Proposal.read(content), digest.hex()
