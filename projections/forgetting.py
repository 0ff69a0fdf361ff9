"""Removing the rows of erased children from the version before, too, which nobody else writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from psycopg import sql

from domain.ledger.database import Connection
from domain.ledger.sql import load
from domain.ledger.stream import RecordedEvent
from projections.definitions import PREVIOUS

SQL = load("projections", "versions.sql")


def erased_in(events: Iterable[RecordedEvent]) -> list[UUID]:
    """The children whom these events erase."""
    return [UUID(str(event.originator_id)) for event in events if event.topic.startswith("pupil.erased.")]


def forget_in_previous(
    connection: Connection, school_id: UUID, projection: str, pupil_ids: Sequence[UUID]
) -> None:
    """Removes children's rows from the version of a projection that could be gone back to, if there is one.

    What is sealed in them nobody can open any more, but some columns are not sealed.

    Args:
        connection: Of the worker's role, bound to the school, with the checkpoint of the projection taken: so
            that no other version takes the place of this one meanwhile.
        school_id: The school.
        projection: The projection's name.
        pupil_ids: The children.
    """
    for (table,) in connection.execute(SQL["previous_tables_of_pupils"], [projection]).fetchall():
        connection.execute(
            sql.SQL("DELETE FROM {} WHERE school_id = %s AND pupil_id = ANY (%s)").format(
                sql.Identifier(PREVIOUS, table)
            ),
            [school_id, list(pupil_ids)],
        )
