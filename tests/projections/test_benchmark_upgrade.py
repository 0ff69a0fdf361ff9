"""Releases of before 0022: every figure is there afterwards, in its new place."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import count

import psycopg
import pytest

from domain.ledger.database import Database
from domain.ledger.migrate import find
from projections.benchmarks.earlier import EarlierFigures
from projections.benchmarks.points import Point
from projections.benchmarks.publishing import verify
from projections.benchmarks.released import released, releases
from scripts.composition import MIGRATIONS
from scripts.embedded import OWNER, EmbeddedPostgres

_numbers = count(1)


@pytest.fixture
def upgraded(server: EmbeddedPostgres) -> Iterator[str]:
    """A database in which a term had been released, brought up to date; how the superuser connects."""
    name = f"upgraded_{next(_numbers)}"
    server.create_database(name)
    with psycopg.connect(server.conninfo(OWNER, name), autocommit=True) as owner:
        for migration in find(MIGRATIONS):
            if migration.name == "0022_releases":
                owner.execute("INSERT INTO analytics.releases VALUES (1, '2025-09-01', 10, 3)")
                owner.execute(
                    "INSERT INTO analytics.benchmarks VALUES "
                    "(1, '2024/25', 'summer', 'steps', 'MAT', '3', 'all', 263, 1, NULL), "
                    "(1, '2024/25', 'summer', 'steps', 'MAT', '3', 'below', NULL, NULL, 'c'), "
                    "(1, '2024/25', 'summer', 'steps', 'MAT', '3', 'at', 204, 0.7757, NULL), "
                    "(1, '2024/25', 'summer', 'steps', 'MAT', '3', 'above', NULL, NULL, 'c')"
                )
            with owner.transaction():
                owner.execute(migration.statements.encode())
    yield server.conninfo("postgres", name)
    with psycopg.connect(server.conninfo("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_what_had_been_released_is_there(upgraded: str) -> None:
    with Database(upgraded) as database:
        with database.connection() as connection:
            rows = {row.measure: (row.value, row.symbol) for row in released(connection)}
            assert rows == {
                "pupils": (Decimal(263), None),
                "below": (None, "c"),
                "at": (Decimal("0.7757"), None),
                "above": (None, "c"),
            }
            [row] = releases(connection)
            assert (row.release, row.minimum_pupils, row.withdrawn_at) == (1, 10, None)
            assert (row.rules_version, row.rounding_base, row.differencing) == ("0", None, False)
            # New releases are held against it.
            earlier = EarlierFigures(connection, [Point.read("2024/25:summer")])
        found = [told for key in earlier._rows for told in earlier._rows[key]]
        assert found == [1]
        assert verify(database).differing == [], "the stream did not tell of it yet"
