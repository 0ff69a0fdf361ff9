"""Migrations of what is read; the tables of projections themselves stand in their own SQL files."""

from __future__ import annotations

from domain.ledger.database import Connection
from projections.definitions import add_missing


def afterwards(connection: Connection) -> list[str]:
    """Makes the tables of projections that have none yet, once every migration has been applied."""
    return [f"the tables of {name}" for name in add_missing(connection)]
