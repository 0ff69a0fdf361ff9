"""One PostgreSQL server for the whole run, and a fresh database for each test that asks for one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.ledger.migrate import migrate
from domain.ledger.stream import Stream, register_school
from scripts.composition import MIGRATIONS
from scripts.embedded import OWNER, EmbeddedPostgres

BINARIES = Path(os.environ["TEST_POSTGRESQL"]) if "TEST_POSTGRESQL" in os.environ else None
"""`TEST_POSTGRESQL` may name the folder of another version's `initdb` and `pg_ctl`."""

TEMPLATE = "target_tracker_template"

_numbers = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also run the long rounds")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full"):
        return
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason="a long round: runs with --full"))


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedPostgres]:
    """A server that the tests started themselves."""
    folder = Path(tempfile.mkdtemp(prefix="tt-tests-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(
        folder / "pg",
        settings={"fsync": "off", "full_page_writes": "off", "max_connections": "200"},
        binaries=BINARIES,
    )
    try:
        server.start()
        server.create_database(TEMPLATE)
        list(migrate(server.conninfo(database=TEMPLATE), MIGRATIONS))
        yield server
    finally:
        server.destroy()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class TestDatabase:
    """A migrated database of a test's own."""

    __test__ = False

    server: EmbeddedPostgres
    name: str

    def conninfo(self, role: str = "target_tracker_api") -> str:
        """How a role connects to it."""
        return self.server.conninfo(role, self.name)

    def connect(self, role: str = "target_tracker_api") -> psycopg.Connection[tuple[object, ...]]:
        """A connection in autocommit mode."""
        return psycopg.connect(self.conninfo(role), autocommit=True)

    @contextmanager
    def copy(self) -> Iterator[TestDatabase]:
        """A copy of it as it is, as a backup that was restored; nobody may be connected."""
        with fresh_database(self.server, template=self.name) as copy:
            yield copy


@contextmanager
def fresh_database(server: EmbeddedPostgres, template: str = TEMPLATE) -> Iterator[TestDatabase]:
    """A migrated database that is removed at the end."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server.conninfo("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}".encode())
        connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC".encode())
        connection.execute(
            f"GRANT CONNECT ON DATABASE {name} "
            "TO target_tracker_api, target_tracker_worker, target_tracker_analytics".encode()
        )
    yield TestDatabase(server, name)
    with psycopg.connect(server.conninfo("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def test_database(server: EmbeddedPostgres) -> Iterator[TestDatabase]:
    """A database of the test's own."""
    with fresh_database(server) as database:
        yield database


@pytest.fixture(scope="module")
def module_database(server: EmbeddedPostgres) -> Iterator[TestDatabase]:
    """A database that the tests of a module share, for those that need no more than a school of their own."""
    with fresh_database(server) as database:
        yield database


@pytest.fixture
def database(test_database: TestDatabase) -> Iterator[Database]:
    """The API's connections."""
    with Database(test_database.conninfo()) as database:
        yield database


@pytest.fixture
def worker_database(test_database: TestDatabase) -> Iterator[Database]:
    """The worker's connections."""
    with Database(test_database.conninfo("target_tracker_worker")) as database:
        yield database


@pytest.fixture
def school_id(database: Database) -> UUID:
    """A school with an empty stream."""
    school_id = new_id()
    with database.bound_to(school_id) as connection:
        register_school(connection, school_id, "100001")
    return school_id


@pytest.fixture
def stream(database: Database, school_id: UUID) -> Stream:
    """That school's stream."""
    return Stream(database, school_id)
