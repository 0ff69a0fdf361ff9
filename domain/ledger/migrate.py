"""Migrations: numbered SQL files, each applied once and remembered with its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files

import psycopg

from domain.errors import Misconfigured
from domain.ledger.database import Connection

LOCK = 0x7461726765740001
"""The advisory lock that lets one process at a time migrate a database."""

LEDGER_MIGRATIONS = "domain.ledger.migrations"


@dataclass(frozen=True)
class Migration:
    """One file: its name, which orders it, and its statements."""

    name: str
    statements: str

    @property
    def digest(self) -> str:
        """SHA-256 of the file, to notice one that was edited after it had been applied."""
        return hashlib.sha256(self.statements.encode()).hexdigest()


def find(packages: Iterable[str]) -> list[Migration]:
    """The migrations that lie in these packages, in the order of their numbers.

    Raises:
        Misconfigured: Two have the same number.
    """
    found = sorted(
        (
            Migration(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
            for package in packages
            for file in files(package).iterdir()
            if file.name.endswith(".sql")
        ),
        key=lambda migration: migration.name,
    )
    numbers = [migration.name.split("_")[0] for migration in found]
    if len(set(numbers)) != len(numbers):
        raise Misconfigured(f"two migrations have the same number: {', '.join(numbers)}")
    return found


def migrate(conninfo: str, packages: Iterable[str]) -> list[str]:
    """Applies what has not been applied yet, each file in a transaction of its own, and returns their names.

    A package may have a function `afterwards`, which is given the connection, makes whatever is still
    missing, and returns the names of what it made.

    Safe to run twice and from two processes at once: the second waits, and finds nothing to do.

    Raises:
        Misconfigured: A file was edited after it had been applied, or the database is newer than this code.
    """
    packages = list(packages)
    migrations = find(packages)
    done: list[str] = []
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        connection.execute("SET client_min_messages = warning")
        connection.execute("CREATE SCHEMA IF NOT EXISTS migrations")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations.applied ("
            "name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        applied: dict[str, str] = dict(
            connection.execute("SELECT name, digest FROM migrations.applied").fetchall()
        )
        if unknown := applied.keys() - {migration.name for migration in migrations}:
            raise Misconfigured(
                f"the database has migrations that this version does not know: {', '.join(sorted(unknown))}"
            )
        for migration in migrations:
            if migration.name in applied:
                if applied[migration.name] != migration.digest:
                    raise Misconfigured(f"migration {migration.name} was changed after it had been applied")
                continue
            with connection.transaction():
                connection.execute(migration.statements.encode())
                connection.execute(
                    "INSERT INTO migrations.applied (name, digest) VALUES (%s, %s)",
                    [migration.name, migration.digest],
                )
            done.append(migration.name)
        for package in packages:
            afterwards: Callable[[Connection], list[str]] | None
            afterwards = getattr(import_module(package), "afterwards", None)
            done += afterwards(connection) if afterwards else []
    return done
