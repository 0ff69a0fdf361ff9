"""Migrations: applied once, in order, by one process at a time, and never edited afterwards."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from domain.errors import Misconfigured
from domain.ledger.migrate import find, migrate
from scripts.composition import MIGRATIONS
from scripts.embedded import OWNER, EmbeddedPostgres

_numbers = count(1)


@pytest.fixture
def empty(server: EmbeddedPostgres) -> Iterator[str]:
    """How the owner connects to a database with nothing in it."""
    name = f"empty_{next(_numbers)}"
    server.create_database(name)
    yield server.conninfo(OWNER, name)
    with psycopg.connect(server.conninfo("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


class Package:
    """A Python package of migrations, made for a test."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.folder = folder / name
        self.folder.mkdir()
        (self.folder / "__init__.py").touch()

    def write(self, **files: str) -> None:
        """Writes files, by name without `.sql`."""
        for name, statements in files.items():
            (self.folder / f"{name}.sql").write_text(statements, encoding="utf-8")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    monkeypatch.syspath_prepend(str(tmp_path))
    return Package(tmp_path, f"made_up_migrations_{next(_numbers)}")


def names() -> list[str]:
    return [migration.name for migration in find(MIGRATIONS)]


def applied(conninfo: str) -> list[str]:
    with psycopg.connect(conninfo) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM migrations.applied ORDER BY name")]


def test_the_second_time_there_is_nothing_to_do(empty: str) -> None:
    assert list(migrate(empty, MIGRATIONS)) == names()
    assert list(migrate(empty, MIGRATIONS)) == []
    assert applied(empty) == names()
    assert names()[0] == "0001_ledger"


def test_what_is_new_is_added(empty: str, package: Package) -> None:
    package.write(m0001_one="CREATE TABLE one ()")
    assert list(migrate(empty, [package.name])) == ["m0001_one"]
    package.write(m0003_three="CREATE TABLE three ()", m0002_two="CREATE TABLE two ()")
    assert list(migrate(empty, [package.name])) == ["m0002_two", "m0003_three"]


PROCESS = """
import sys
from domain.ledger.migrate import migrate
from scripts.composition import MIGRATIONS
print("ready", flush=True)
sys.stdin.readline()
print(" ".join(migrate(sys.argv[1], MIGRATIONS)))
"""


def test_two_processes_at_once(empty: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PROCESS, empty],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outcomes = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outcomes
    # Whoever comes first does all of it; the others wait and find nothing to do.
    assert sorted(said.split() for said, _ in outcomes) == [[], [], names()]
    assert applied(empty) == names()


def test_an_edited_file_is_refused(empty: str, package: Package) -> None:
    package.write(m0001_one="CREATE TABLE one ()")
    list(migrate(empty, [package.name]))
    package.write(m0001_one="CREATE TABLE one (id int)", m0002_two="CREATE TABLE two ()")
    with pytest.raises(Misconfigured, match="m0001_one was changed"):
        list(migrate(empty, [package.name]))
    assert applied(empty) == ["m0001_one"]


def test_a_newer_database_is_refused(empty: str, package: Package) -> None:
    package.write(m0001_one="CREATE TABLE one ()", m0002_two="CREATE TABLE two ()")
    list(migrate(empty, [package.name]))
    (package.folder / "m0002_two.sql").unlink()
    package.write(m0003_three="CREATE TABLE three ()")
    with pytest.raises(Misconfigured, match="does not know: m0002_two"):
        list(migrate(empty, [package.name]))
    assert applied(empty) == ["m0001_one", "m0002_two"]


def test_a_failed_file_leaves_nothing_behind(empty: str, package: Package) -> None:
    package.write(m0001_one="CREATE TABLE one ()", m0002_two="CREATE TABLE two (); SELECT 1 / 0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        list(migrate(empty, [package.name]))
    assert applied(empty) == ["m0001_one"]
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT to_regclass('one')::text, to_regclass('two')::text").fetchone() == (
            "one",
            None,
        )
    # Nothing is locked for ever: mended, it goes on from there.
    package.write(m0002_two="CREATE TABLE two ()")
    assert list(migrate(empty, [package.name])) == ["m0002_two"]


def test_two_files_of_one_number_are_refused(package: Package) -> None:
    package.write(m0001_one="", m0001_other="")
    with pytest.raises(Misconfigured, match="same number"):
        find([package.name])
