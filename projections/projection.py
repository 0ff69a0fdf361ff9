"""What a projection is: a name, the events that it reads, and how they become rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.ledger.database import Connection
from domain.ledger.stream import RecordedEvent
from domain.vault.keyring import Keyring


class Projection(Protocol):
    """A pure function from a school's events to that school's rows."""

    @property
    def name(self) -> str:
        """The name of its checkpoints."""

    @property
    def categories(self) -> tuple[str, ...]:
        """The events that it reads: first words of names, as in `pupil`, or names with a dot after them."""

    def apply(self, connection: Connection, keys: Keyring, events: Sequence[RecordedEvent]) -> None:
        """Writes what a batch of events makes of the rows, within the transaction that is open.

        Args:
            connection: Bound to the school; the checkpoint moves in the same transaction.
            keys: What opens the events, and seals the rows: the record keys, and never the names keys.
            events: The next events of these categories, in the order of the stream.
        """
