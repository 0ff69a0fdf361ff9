"""Adding a projection is one module and one SQL file, which are added here to a copy of the software.

The files are those that `docs/adding-a-projection.md` shows.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from domain.errors import Misconfigured
from domain.ledger.database import Database
from domain.vault.key_sources import write
from projections.definitions import add_missing, changed, check
from projections.registry import discover
from scripts.embedded import OWNER
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS
from tests.projections.happenings import LivelySchool

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "adding-a-projection.md"
RUN = "from scripts.cli.main import run; run()"


def shown(language: str, start: str) -> str:
    """A block of code on the page, by how it begins."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(rf"^( *)```{language}\n(.*?)^\1```", text, re.MULTILINE | re.DOTALL)
    [found] = [
        "\n".join(line.removeprefix(indent) for line in block.splitlines()) + "\n"
        for indent, block in blocks
        if block.strip().startswith(start)
    ]
    return found


@dataclass
class Copy:
    """A copy of the software with a database."""

    folder: Path
    database: TestDatabase

    def command(self, role: str, *words: str, expect: int = 0) -> str:
        """Runs a command of the copy, and returns what it says."""
        environment = {
            "PATH": os.environ["PATH"],
            "TARGET_TRACKER_DATABASE": self.database.conninfo(role),
            "TARGET_TRACKER_SERVICE_KEY_FILE": str(self.folder / "service-keys.json"),
        }
        done = subprocess.run(
            [sys.executable, "-c", RUN, *words],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == expect, done
        return done.stdout

    def work(self) -> None:
        """Lets a worker of the copy do what there is to do."""
        subprocess.run(
            [sys.executable, "-c", WORK, self.database.conninfo("target_tracker_worker")],
            cwd=self.folder,
            input=SERVICE_KEYS.document(),
            check=True,
            timeout=120,
        )

    def status(self) -> dict[str, dict[str, Any]]:
        lines = json.loads(self.command("target_tracker_worker", "projections", "status", "--json"))
        return {line["projection"]: line for line in lines}

    def rows(self) -> list[tuple[Any, ...]]:
        with self.database.connect("postgres") as superuser:
            return superuser.execute("SELECT * FROM projections.imports ORDER BY position").fetchall()


WORK = """
import sys
from domain.ledger.database import Database
from domain.vault.key_ring import KeyRing
from projections.runner import Worker
with Database(sys.argv[1]) as database:
    Worker(database, KeyRing.read(sys.stdin.buffer.read())).run_until_idle()
"""


@pytest.fixture
def copy(test_database: TestDatabase, tmp_path: Path) -> Copy:
    for package in ("domain", "projections", "api", "scripts"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    write(tmp_path / "service-keys.json", SERVICE_KEYS)
    with Database(test_database.conninfo()) as api:
        LivelySchool(api, "800001").happen(400)
    return Copy(tmp_path, test_database)


def test_one_module_and_one_sql_file(copy: Copy) -> None:
    copy.work()
    assert "imports" not in copy.status()
    (copy.folder / "projections" / "imports.sql").write_text(shown("sql", "-- name: tables"))
    (copy.folder / "projections" / "imports.py").write_text(shown("python", '"""The files'))

    # Before the tables are there, no worker begins.
    copy.command("target_tracker_worker", "worker", expect=2)
    assert "Applied the tables of imports" in copy.command(OWNER, "migrate")
    assert "up to date already" in copy.command(OWNER, "migrate")
    assert copy.status()["imports"]["position"] == 0
    copy.work()
    assert copy.status()["imports"]["behind"] == 0
    rows = copy.rows()
    assert len(rows) > 3
    assert {row[3] for row in rows} == {"ctf"}

    # It belongs to one school, like all others.
    with copy.database.connect("target_tracker_api") as api:
        assert api.execute("SELECT FROM projections.imports").fetchall() == []

    verified = ("projections", "verify", "imports", "--workers", "1", "--json")
    [result] = json.loads(copy.command("target_tracker_worker", *verified))
    assert [school["rows"] for school in result["schools"]] == [len(rows)]
    with copy.database.connect("postgres") as superuser:
        superuser.execute("UPDATE projections.imports SET changed = 7 WHERE position = %s", [rows[0][1]])
    [result] = json.loads(copy.command("target_tracker_worker", *verified, expect=1))
    [difference] = result["schools"][0]["differences"]
    assert (difference["row"], difference["column"]) == (f"position={rows[0][1]}", "changed")
    said = copy.command(OWNER, "projections", "rebuild", "imports", "--workers", "1", expect=1)
    assert f"position={rows[0][1]}" in said
    assert copy.rows() == rows

    # Another definition is another version, which rebuilding makes and changes over to.
    definition = copy.folder / "projections" / "imports.sql"
    module = copy.folder / "projections" / "imports.py"
    definition.write_text(
        definition.read_text()
        .replace(
            "    changed integer NOT NULL,\n",
            "    changed integer NOT NULL,\n    unchanged integer NOT NULL,\n",
        )
        .replace("created, changed)", "created, changed, unchanged)")
        .replace("%b::integer[])", "%b::integer[], %b::integer[])")
    )
    module.write_text(
        module.read_text()
        .replace('"created", "changed")', '"created", "changed", "unchanged")')
        .replace('each["changed"])', 'each["changed"], each["unchanged"])')
    )
    copy.command("target_tracker_worker", "worker", expect=2)
    copy.command("target_tracker_worker", *verified, expect=1)
    assert "not compared" in copy.command(OWNER, "projections", "rebuild", "imports", "--workers", "1")
    assert [row[:6] for row in copy.rows()] == [row[:6] for row in rows]
    assert {row[6] for row in copy.rows()} == {0}
    copy.command("target_tracker_worker", *verified)
    with Database(copy.database.conninfo()) as api:
        LivelySchool(api, "800002", 1).happen(400)
    copy.work()
    assert len(copy.rows()) > len(rows)
    # The version before is of other software, which cannot bring it up to date.
    copy.command(OWNER, "projections", "go-back", "imports", expect=1)
    assert "imports" in copy.command(OWNER, "projections", "drop-previous")


def test_without_its_sql_file_it_would_not_be_found(copy: Copy) -> None:
    """The sabotaged twin: a module alone is no projection, nor is a file whose tables nobody makes."""
    (copy.folder / "projections" / "imports.py").write_text(
        shown("python", '"""The files').replace("SQL = ", "S = ")
    )
    assert "imports" not in copy.status()
    without = shown("sql", "-- name: tables").partition("-- name: add")[2]
    (copy.folder / "projections" / "imports.sql").write_text("-- name: add" + without)
    assert "imports" not in copy.status()


def test_the_order_is_always_the_same() -> None:
    names = [projection.name for projection in discover()]
    assert names == sorted(names)
    assert discover() == discover()


def test_a_module_without_a_projection_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "some_projections"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "imports.sql").write_text("-- name: tables\nCREATE TABLE projections.imports ()\n")
    (package / "imports.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(Misconfigured, match=r"imports\.py must have a PROJECTION"):
        discover("some_projections")


def test_tables_of_another_version_are_noticed(test_database: TestDatabase) -> None:
    """They are left as they are, and no worker begins."""
    with psycopg.connect(test_database.conninfo(OWNER), autocommit=True) as owner:
        owner.execute("UPDATE projections.versions SET definition = 'another' WHERE projection = 'logins'")
        assert add_missing(owner) == []
        assert changed(owner) == ["logins"]
        with pytest.raises(Misconfigured, match="logins"):
            check(owner)
