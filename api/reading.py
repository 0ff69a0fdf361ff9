"""Reading projections: bound to the school, and not before they show what the reader has seen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import projections.runner
from api.callers import Caller
from domain.errors import NotYetVisible
from domain.ledger.database import Connection

LONGEST_WAIT = 5.0
"""Seconds that a query waits for its projections, all together."""


@dataclass(frozen=True)
class Reading:
    """A transaction to read in.

    Attributes:
        connection: Bound to the school.
        position: What is read shows everything up to here, and perhaps more.
    """

    connection: Connection
    position: int


def see(caller: Caller, min_position: int | None) -> int:
    """Makes sure that the stream itself has come as far as the reader wants, and says how far it has.

    Raises:
        NotYetVisible: The stream has no such position.
    """
    head = caller.school.stream.head().position
    if min_position is not None and min_position > head:
        raise NotYetVisible("The school's stream has no such position yet", reached=head, wanted=min_position)
    return head


@contextmanager
def reading(caller: Caller, min_position: int | None, *names: str) -> Iterator[Reading]:
    """Opens a transaction for the projections named.

    Raises:
        NotYetVisible: One of them has not come as far as the reader wants in :data:`LONGEST_WAIT`.
        SchoolStopped: It has stopped before.
    """
    database = caller.services.read
    if min_position:
        deadline = time.monotonic() + LONGEST_WAIT
        see(caller, min_position)
        for name in names:
            left = max(deadline - time.monotonic(), 0.0)
            projections.runner.wait_for(database, caller.school_id, name, min_position, left)
    with database.bound_to(caller.school_id) as connection:
        # Asked before the rows are read: they may be newer than this, never older.
        reached = [
            connection.execute(projections.runner.SQL["checkpoint"], [caller.school_id, name]).fetchone()
            for name in names
        ]
        yield Reading(connection, min((row[0] if row else 0 for row in reached), default=0))
