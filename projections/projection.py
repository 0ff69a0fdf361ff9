"""What a projection is: a name, the events that it reads, and how they become rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from domain.ledger.database import Connection
from domain.ledger.stream import RecordedEvent


class Projection(Protocol):
    """A pure function from a school's events to that school's rows."""

    @property
    def name(self) -> str:
        """The name of its checkpoints."""

    @property
    def categories(self) -> tuple[str, ...]:
        """The first words of the names of the events that it reads: `pupil`, `assessment`, ..."""

    def apply(self, connection: Connection, school_id: UUID, events: Sequence[RecordedEvent]) -> None:
        """Writes what a batch of events makes of the rows, within the transaction that is open.

        Args:
            connection: Bound to the school; the checkpoint moves in the same transaction.
            school_id: The school.
            events: The next events of these categories, in the order of the stream.
        """
