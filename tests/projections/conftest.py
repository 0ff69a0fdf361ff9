"""The schools of the application's tests, and a worker's connections to the same database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.ledger.database import Database
from tests.application.conftest import registered, school, schools, sessions
from tests.conftest import TestDatabase
from tests.projections.lively import lively, template

__all__ = ["lively", "registered", "school", "schools", "sessions", "template"]


@pytest.fixture(scope="module")
def worker(module_database: TestDatabase) -> Iterator[Database]:
    """The worker's connections to the module's database."""
    with Database(module_database.conninfo("target_tracker_worker")) as database:
        yield database
