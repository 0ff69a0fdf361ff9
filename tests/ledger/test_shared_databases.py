"""Applications of a process that name the same database share its connections, and close no others."""

from __future__ import annotations

import pytest
from psycopg_pool import PoolClosed

from domain.ledger.database import Database
from domain.ledger.persistence import close_shared_database, shared_database
from tests.conftest import TestDatabase


def answers(database: Database) -> bool:
    with database.connection() as connection:
        return connection.execute("SELECT true").fetchall() == [(True,)]


def test_one_database_is_closed_and_others_stay_open(test_database: TestDatabase) -> None:
    with test_database.copy() as copy:
        one, other = shared_database(test_database.conninfo()), shared_database(copy.conninfo())
        assert shared_database(test_database.conninfo()) is one
        assert answers(one)
        assert answers(other)
        close_shared_database(test_database.conninfo())
        with pytest.raises(PoolClosed):
            answers(one)
        assert answers(other)
        # Whoever asks next gets connections of its own.
        assert answers(shared_database(test_database.conninfo()))
        close_shared_database(test_database.conninfo())
        close_shared_database(copy.conninfo())
        close_shared_database(copy.conninfo())
