"""The operator's own stream: what the operator does that is no school's, such as releasing benchmarks.

It is a stream like those of schools, with gapless positions and a Merkle tree, under an id of its own, and is
read and checked in the same way. It has no keys: its events are open.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg.errors import UniqueViolation

from domain.errors import NotFound, VersionConflict
from domain.events import Event
from domain.ledger.database import Connection, Database
from domain.ledger.mapper import EventMapper
from domain.ledger.merkle import CompactRange, leaf_hash
from domain.ledger.sql import load
from domain.ledger.stream import VERSION_TAKEN, Appended, RecordedEvent, Stream
from domain.vault.keyring import Keyring, SchoolKeys

SQL = load("domain.ledger", "operators_stream.sql")

OPERATORS_STREAM: Final = UUID("6f706572-6174-8f72-8000-000000000001")
"""The id of the stream, where those of schools have the school's; the migration has the same."""

RELEASES: Final = UUID("6f706572-6174-8f72-8000-000000000002")
"""The originator of the events about benchmark releases: a log of the operator's."""

_PAGE = 5000


def append(connection: Connection, events: Sequence[Event]) -> Appended:
    """Appends events within the transaction that is open, as the worker's role; it is the last thing there.

    From then on the transaction is bound to the operator's stream.

    Raises:
        VersionConflict: Somebody else was quicker.
    """
    mapper = EventMapper(Keyring(SchoolKeys.none_of(OPERATORS_STREAM)))
    stored = [mapper.to_stored_event(event) for event in events]
    try:
        row = connection.execute(
            SQL["append"],
            [
                [event.originator_id for event in stored],
                [event.originator_version for event in stored],
                [event.topic for event in stored],
                [event.state for event in stored],
            ],
            binary=True,
        ).fetchone()
    except UniqueViolation as error:
        if error.diag.constraint_name != VERSION_TAKEN:
            raise
        first = events[0].originator_version
        raise VersionConflict("This was changed meanwhile", expected=first - 1, actual=first) from None
    assert row
    return Appended(*row)


def recorded(database: Database) -> list[tuple[RecordedEvent, Event]]:
    """Every event of the stream with its place, in order; none before the first release.

    Args:
        database: Connections of the API's or of the worker's role.
    """
    mapper = EventMapper(Keyring(SchoolKeys.none_of(OPERATORS_STREAM)))
    stream, after = Stream(database, OPERATORS_STREAM), 0
    found: list[tuple[RecordedEvent, Event]] = []
    while page := stream.events_between(after + 1, limit=_PAGE):
        found += [(event, mapper.to_domain_event(event)) for event in page]
        after = page[-1].id
    return found


def agrees(database: Database) -> bool:
    """Whether every leaf hash and the head of the stream's tree are what the events make them."""
    stream = Stream(database, OPERATORS_STREAM)
    try:
        head = stream.head()
    except NotFound:
        return True
    tree = CompactRange()
    while page := stream.events_between(tree.size + 1, head.position, limit=_PAGE):
        for event in page:
            if event.id != tree.size + 1 or not isinstance(event.originator_id, UUID):
                return False
            tree.append(
                leaf_hash(
                    school_id=OPERATORS_STREAM,
                    position=event.id,
                    originator_id=event.originator_id,
                    originator_version=event.originator_version,
                    recorded_at=event.recorded_at,
                    topic=event.topic,
                    state=event.state,
                )
            )
    return tree.size == head.position and tree.peaks == head.peaks


def add_proposal(connection: Connection, proposal: UUID, content: bytes, digest: bytes) -> None:
    """Keeps a proposal: it cannot be changed afterwards."""
    connection.execute(SQL["add_proposal"], [proposal, content, digest])


def proposal(connection: Connection, proposal_id: UUID) -> tuple[bytes, bytes, datetime]:
    """The content of a proposal, its digest as it was noted, and when it was made.

    Raises:
        NotFound: There is no such proposal.
    """
    row = connection.execute(SQL["proposal"], [proposal_id]).fetchone()
    if row is None:
        raise NotFound("There is no such proposal")
    return bytes(row[0]), bytes(row[1]), row[2]
