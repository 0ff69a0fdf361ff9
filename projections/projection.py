"""What a projection is: a name, its tables, the events that it reads, and how they become rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from domain.ledger.database import Connection
from domain.ledger.stream import RecordedEvent
from domain.vault.keyring import Keyring

Row = tuple[Any, ...]
"""The values of a table's columns, without `school_id`."""

Rows = Mapping[str, Sequence[Row]]
"""The rows of one school in each of a projection's tables, by name of the table."""

Batches = Iterable[Sequence[RecordedEvent]]
"""All of a school's events of a projection's categories up to a position, some at a time, in their order."""


@dataclass(frozen=True)
class Table:
    """A table of a projection.

    Attributes:
        name: Its name in the schema `projections`.
        key: The columns that name a row within its school. A column `pupil_id` says whose row it is.
        columns: All columns but `school_id`, in the order of a :data:`Row`.
        opened: For each column that the projection seals itself: what is in it, given the row, as bytes that
            are the same whenever the content is. The sealed bytes never are, since sealing takes a nonce.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    opened: Mapping[str, Callable[[Keyring, Row], bytes]] = field(default_factory=dict)


class Projection(Protocol):
    """A pure function from a school's events to that school's rows."""

    @property
    def name(self) -> str:
        """The name of its checkpoints, and of the SQL file whose part `tables` makes its tables."""

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


class Rebuildable(Projection, Protocol):
    """A projection that can be made again: each of those that there are."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Its tables."""

    def fold(self, keys: Keyring, batches: Batches) -> Rows:
        """The rows that :meth:`apply` would come to, made of a whole stream in memory.

        Rebuilding copies them into fresh tables, and compares them with the live ones.

        Args:
            keys: As for :meth:`apply`.
            batches: All of the school's events of these categories, from the first.
        """
