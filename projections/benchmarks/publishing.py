"""Publishing a proposal, and withdrawing a release: each an event of the operator's, and rows beside it.

Releases are only ever added to. The worker's role may insert into the analytics tables and nothing else, and
an event that was appended stays.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from domain.benchmarks import BenchmarksReleased, BenchmarksWithdrawn, CountedUpTo
from domain.errors import Conflict, Finding, InvalidInput, NotFound
from domain.events import OPERATOR
from domain.ledger import operators_stream
from domain.ledger.database import Connection, Database
from domain.ledger.operators_stream import OPERATORS_STREAM, RELEASES
from domain.ledger.stream import Stream
from domain.text import is_text
from projections.benchmarks.proposing import Proposal, proposal_of
from projections.benchmarks.reading import SQL
from projections.benchmarks.rows import BandRow, DistributionRow, FigureRow, figures_digest
from projections.benchmarks.rules import checked

LONGEST_REASON = 500


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A release that was made.

    Attributes:
        release: Its number.
        points: The points in it.
        figures: How many figures it has.
        suppressed: How many of them are suppressed.
        position: Its position in the operator's stream.
    """

    release: int
    points: tuple[str, ...]
    figures: int
    suppressed: int
    position: int


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """A release that was withdrawn, and the position of that in the operator's stream."""

    release: int
    position: int


def publish(database: Database, proposal_id: UUID) -> Published:
    """Publishes a proposal, in one transaction: the event, and all rows.

    Args:
        database: Connections of the worker's role.
        proposal_id: The proposal.

    Raises:
        NotFound: There is no such proposal.
        Conflict: It is not what was proposed, a release has been made since, or a child has been erased
            since. Propose again.
    """
    with database.transaction() as connection:
        proposal, digest = proposal_of(connection, proposal_id)
    checked(proposal.rules)
    _check_nobody_was_erased(database, proposal)
    with database.transaction() as connection:
        connection.execute(SQL["lock_releases"])
        _check_none_came_between(connection, proposal)
        release = proposal.after + 1
        event = BenchmarksReleased(
            originator_id=RELEASES,
            originator_version=_next_version(database),
            actor=OPERATOR,
            release=release,
            proposal=proposal_id,
            points=proposal.points,
            rules=rules_as_numbers(proposal),
            schools=tuple(CountedUpTo(*each) for each in proposal.schools),
            proposal_digest=digest,
            figures_digest=figures_digest(proposal.figures, proposal.distribution, proposal.bands),
        )
        position = operators_stream.append(connection, [event]).first
        _write(connection, proposal, release, position)
    return Published(
        release=release,
        points=proposal.points,
        figures=len(proposal.figures),
        suppressed=sum(row.symbol == "c" for row in proposal.figures),
        position=position,
    )


def rules_as_numbers(proposal: Proposal) -> dict[str, int]:
    """The rules of a proposal by name; those that are on or off as 1 or 0."""
    return {name: int(value) for name, value in msgspec.structs.asdict(proposal.rules).items()}


def _check_none_came_between(connection: Connection, proposal: Proposal) -> None:
    row = connection.execute(SQL["last_release"]).fetchone()
    assert row
    if row[0] != proposal.after:
        raise Conflict(
            f"Release {row[0]} has been made since this was proposed, and it was not held against that one: "
            "propose again",
            proposed_after=proposal.after,
            newest=row[0],
        )


def _check_nobody_was_erased(database: Database, proposal: Proposal) -> None:
    """A child who was erased is in no later release, although a proposal may still have counted it."""
    for school_id, position in proposal.schools:
        with database.bound_to(school_id) as connection:
            row = connection.execute(SQL["erased_since"], [school_id, position]).fetchone()
            assert row
        if row[0]:
            raise Conflict("A child who was counted has been erased since: propose again")


def _next_version(database: Database) -> int:
    return Stream(database, OPERATORS_STREAM).last_versions([RELEASES]).get(RELEASES, 0) + 1


def _write(connection: Connection, proposal: Proposal, release: int, position: int) -> None:
    connection.execute(
        SQL["add_release"],
        {
            **rules_as_numbers(proposal),
            "release": release,
            "schools": len(proposal.schools),
            "stream_position": position,
        },
    )
    for statement, rows in (
        ("add_benchmarks", proposal.figures),
        ("add_distribution", proposal.distribution),
        ("add_bands", proposal.bands),
    ):
        with connection.cursor() as cursor, cursor.copy(SQL[statement]) as copy:
            for row in rows:
                copy.write_row((release, *row))


def withdraw(database: Database, release: int, because: str) -> Withdrawn:
    """Withdraws a release: its figures stay, and everywhere it is said that they should not be used.

    Args:
        database: Connections of the worker's role.
        release: Its number.
        because: Why, in words that everybody may read.

    Raises:
        InvalidInput: The reason is empty, too long, or holds what cannot be read.
        NotFound: There is no such release.
        Conflict: It is withdrawn already.
    """
    because = because.strip()
    if not (because and len(because) <= LONGEST_REASON and is_text(because)):
        accepted = f"1 to {LONGEST_REASON} characters that can be read; everybody will read them"
        raise InvalidInput(
            "The release cannot be withdrawn like this",
            [Finding(field="because", found=because[:60], accepted=accepted)],
        )
    with database.transaction() as connection:
        connection.execute(SQL["lock_releases"])
        states = {row[0]: row[2] for row in connection.execute(SQL["releases"])}
        if release not in states:
            raise NotFound(f"There is no release {release}")
        if states[release] is not None:
            raise Conflict(f"Release {release} is withdrawn already")
        event = BenchmarksWithdrawn(
            originator_id=RELEASES,
            originator_version=_next_version(database),
            actor=OPERATOR,
            release=release,
            because=because,
        )
        position = operators_stream.append(connection, [event]).first
        connection.execute(SQL["withdraw"], [release, because, position])
    return Withdrawn(release=release, position=position)


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What became of holding the analytics tables against the operator's stream.

    Attributes:
        events: How many events the stream has.
        stream_agrees: Whether the stream's own hashes are those of its events.
        releases: The releases that were compared.
        differing: Those whose rows are not those that were released, that are in one of the two alone, or are
            withdrawn in one of the two alone.
    """

    events: int
    stream_agrees: bool
    releases: list[int]
    differing: list[int]


def verify(database: Database) -> Verified:
    """Holds every release that the operator's stream tells of against the analytics tables.

    Args:
        database: Connections of the worker's or the API's role.
    """
    events = operators_stream.recorded(database)
    released = {event.release: event for _, event in events if isinstance(event, BenchmarksReleased)}
    withdrawn = {event.release: event for _, event in events if isinstance(event, BenchmarksWithdrawn)}
    differing = set()
    with database.transaction() as connection:
        states = {row[0]: (row[3], row[-1]) for row in connection.execute(SQL["releases"])}
        for release, event in released.items():
            if release not in states or _digest(connection, release) != event.figures_digest:
                differing.add(release)
    # Releases before there was a stream have no position in it.
    differing |= {release for release, (_, position) in states.items() if position} - released.keys()
    differing |= {
        release
        for release, (because, _) in states.items()
        if because != (withdrawn[release].because if release in withdrawn else None)
    }
    return Verified(
        events=len(events),
        stream_agrees=operators_stream.agrees(database),
        releases=sorted(released),
        differing=sorted(differing),
    )


def _digest(connection: Connection, release: int) -> str:
    return figures_digest(
        [FigureRow(*row) for row in connection.execute(SQL["rows_of_release"], [release])],
        [DistributionRow(*row) for row in connection.execute(SQL["distribution_of_release"], [release])],
        [BandRow(*row) for row in connection.execute(SQL["bands_of_release"], [release])],
    )
