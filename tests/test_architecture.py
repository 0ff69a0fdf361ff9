"""The walls of the house: which part may know of which, read from the imports themselves.

Each wall is tried on a small tree in which it is broken, lest it should stand only on paper.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

PACKAGES = ("domain", "projections", "api", "scripts", "tests")

LONGEST_MODULE = 500
"""Lines: whoever opens a module should be able to read it."""

WEB = ("fastapi", "starlette", "uvicorn")

WALLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "decisions know no database, no web and no reader": (
        "domain/*.py",
        (
            "psycopg",
            "psycopg_pool",
            "eventsourcing.postgres",
            *WEB,
            "domain.ledger",
            "domain.application",
            "domain.vault",
            "projections",
            "api",
            "scripts",
        ),
    ),
    "progress is worked out of what it is handed": (
        "domain/progress/*.py",
        ("psycopg", "psycopg_pool", *WEB, "domain.ledger", "domain.application", "domain.vault"),
    ),
    "the write side knows no reader and no way in": (
        "domain/**/*.py",
        (*WEB, "projections", "api", "scripts"),
    ),
    "the read side knows no way in": ("projections/**/*.py", (*WEB, "api", "scripts")),
    "what is shown opens no names for itself": (
        "projections/**/*.py",
        (
            "domain.vault.login_key",
            "domain.vault.recipients",
            "domain.vault.recovery_pair",
            "domain.vault.sessions",
        ),
    ),
    "the API does not know the command line": ("api/**/*.py", ("scripts",)),
    "nothing but the tests knows the tests": ("[!t]*/**/*.py", ("tests",)),
}
"""Who, and what they must not import, neither themselves nor through what they import."""

GATES = {
    "what is shown opens no names for itself": ("domain/vault/keystore.py",),
}
"""Modules through which a wall may be reached.

The keystore knows what opens a school's keys, but opens them only with what it is handed, and whoever cannot
import the rest has none of that to hand to it.
"""

_WRITES = re.compile(
    r"\b(?:insert\s+into|update|delete\s+from|truncate(?:\s+table)?|merge\s+into|copy|alter\s+table|drop\s+table)"
    r"\s+(?:only\s+)?\"?ledger\"?\.|\bledger\.append\s*\(",
    re.IGNORECASE,
)


def modules(root: Path, pattern: str = "**/*.py") -> Iterator[Path]:
    """The modules of a tree that the pattern is about."""
    for path in sorted(root.glob(pattern)):
        if path.is_file() and path.relative_to(root).parts[0] in PACKAGES:
            yield path


@cache
def imports_of(path: Path, root: Path) -> set[str]:
    """Every module that a module imports, wherever in it, by its full name."""
    package = list(path.relative_to(root).with_suffix("").parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found |= {name.name for name in names}
            case ast.ImportFrom(module=module, names=names, level=level):
                above = package[: len(package) - level + 1] if level else []
                base = ".".join([*above, *([module] if module else [])])
                found |= {base, *(f"{base}.{name.name}" for name in names)}
            case ast.Call(
                func=ast.Name(id="__import__") | ast.Attribute(attr="import_module"), args=[first, *_]
            ):
                found |= {str(first.value)} if isinstance(first, ast.Constant) else set()
    return found


def reached(path: Path, root: Path, gates: tuple[str, ...] = ()) -> dict[str, str]:
    """Every module that is imported with a module, and which of the tree's modules imports it.

    Args:
        path: The module.
        root: The tree.
        gates: Modules whose own imports are not followed.
    """
    found: dict[str, str] = {}
    waiting, seen = [path], {root / gate for gate in gates}
    while waiting:
        here = waiting.pop()
        seen.add(here)
        for name in imports_of(here, root):
            found.setdefault(name, here.relative_to(root).as_posix())
            place = root.joinpath(*name.split("."))
            files = (place.with_suffix(".py"), place / "__init__.py")
            waiting += [file for file in files if file.is_file() and file not in seen]
    return found


def broken_walls(root: Path) -> list[str]:
    """Where a module imports what it must not."""
    return [
        f"{path.relative_to(root).as_posix()} reaches {name} by way of {importer}: {wall}"
        for wall, (pattern, forbidden) in WALLS.items()
        for path in modules(root, pattern)
        for name, importer in reached(path, root, GATES.get(wall, ())).items()
        if any(name == each or name.startswith(f"{each}.") for each in forbidden)
    ]


def writes_to_the_ledger(root: Path) -> list[str]:
    """Where a statement of the projections writes a stream."""
    found = []
    for path in sorted(root.glob("projections/**/*")):
        if path.suffix == ".sql":
            texts = [re.sub(r"--[^\n]*|/\*.*?\*/", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)]
        elif path.suffix == ".py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
            texts = [value for value in constants if isinstance(value, str)]
        else:
            continue
        found += [
            f"{path.relative_to(root).as_posix()} writes to the ledger: {write[0]}"
            for text in texts
            for write in _WRITES.finditer(text)
        ]
    return found


def long_modules(root: Path) -> list[str]:
    """Modules that are too long to be read."""
    return [
        f"{path.relative_to(root).as_posix()} has {lines} lines"
        for path in modules(root)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) >= LONGEST_MODULE
    ]


SCHOOL_TIME = "domain/school_time.py"
"""The one module that may ask which day it is."""


def other_days(root: Path) -> list[str]:
    """Where the day of the machine is asked for, which is not always that of the schools."""
    found = []
    for path in (
        *modules(root, "domain/**/*.py"),
        *modules(root, "api/**/*.py"),
        *modules(root, "scripts/cli/*.py"),
    ):
        name = path.relative_to(root).as_posix()
        if name != SCHOOL_TIME:
            found += [
                f"{name} asks the machine for the day, on line {line}, and not {SCHOOL_TIME}"
                for line in _days_of_the_machine(ast.parse(path.read_text(encoding="utf-8")))
            ]
    return found


def _days_of_the_machine(tree: ast.Module) -> Iterator[int]:
    """The lines on which `today` of a date or a time is named, also to be called later."""
    known = {"date", "datetime"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "datetime":
            known |= {name.asname for name in node.names if name.asname and name.name in {"date", "datetime"}}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr="today", value=ast.Name(id=owner) | ast.Attribute(attr=owner)):
                if owner in known:
                    yield node.lineno
            case _:
                pass


Check = Callable[[Path], list[str]]
CHECKS: tuple[Check, ...] = (broken_walls, writes_to_the_ledger, long_modules, other_days)


@pytest.mark.parametrize("check", CHECKS)
def test_the_walls_stand(check: Check) -> None:
    assert check(ROOT) == []


def test_there_is_something_to_check() -> None:
    for pattern, _ in WALLS.values():
        assert list(modules(ROOT, pattern)), pattern
    assert "domain.errors" in imports_of(ROOT / "domain/pupil.py", ROOT)
    assert "psycopg" in reached(ROOT / "projections/runner.py", ROOT)
    for wall, gates in GATES.items():
        assert wall in WALLS
        for gate in gates:
            # A gate that leads to nothing that is forbidden is none, and goes.
            assert set(WALLS[wall][1]) & reached(ROOT / gate, ROOT).keys(), gate
    for name in WALLS["what is shown opens no names for itself"][1]:
        assert ROOT.joinpath(*name.split(".")).with_suffix(".py").is_file(), name
    assert len(list(ROOT.glob("projections/**/*.sql"))) >= 5
    assert "def today" in (ROOT / SCHOOL_TIME).read_text(encoding="utf-8")


SOUND = {
    "domain/pupil.py": "import msgspec\nfrom domain.errors import Conflict\n",
    "domain/errors.py": "",
    SCHOOL_TIME: "from datetime import date\n\ndef today():\n    return date.today()\n",
    "domain/application/some.py": "from domain import school_time\nDAY = school_time.today()\n",
    "domain/progress/gains.py": "import domain.pupil\n",
    "domain/ledger/stream.py": "import psycopg\nimport domain.pupil\n",
    "domain/vault/keystore.py": "from domain.vault.login_key import LoginKey\n",
    "domain/vault/keyring.py": "import cryptography\n",
    "domain/vault/login_key.py": "from domain.vault import recipients\n",
    "projections/runner.py": (
        "import psycopg\nfrom domain.ledger.stream import Stream\nTEXT = 'SELECT FROM ledger.events'\n"
        "from domain.vault import keystore\nfrom domain.vault.keyring import Keyring\n"
    ),
    "projections/some.sql": (
        "-- Never UPDATE ledger.events.\nSELECT * FROM ledger.streams FOR UPDATE;\n"
        "INSERT INTO projections.pupils SELECT * FROM ledger.events;\n"
        "GRANT SELECT, UPDATE ON ledger.tracking TO nobody;\n"
    ),
    "api/app.py": "import fastapi\nfrom projections import runner\nfrom domain.ledger import stream\n",
    "scripts/main.py": "import api.app\n",
    "tests/test_main.py": "import scripts.main\n",
    "elsewhere/thing.py": "import scripts\n",
}

BROKEN: list[tuple[str, str, Check, str]] = [
    ("domain/pupil.py", "import psycopg", broken_walls, "domain/pupil.py reaches psycopg"),
    ("domain/pupil.py", "from psycopg.rows import tuple_row", broken_walls, "reaches psycopg.rows"),
    ("domain/pupil.py", "import fastapi", broken_walls, "reaches fastapi"),
    ("domain/pupil.py", "from starlette import status", broken_walls, "reaches starlette"),
    (
        "domain/pupil.py",
        "from eventsourcing.postgres import X",
        broken_walls,
        "reaches eventsourcing.postgres",
    ),
    ("domain/pupil.py", "from eventsourcing import postgres", broken_walls, "reaches eventsourcing.postgres"),
    ("domain/pupil.py", "import projections.runner", broken_walls, "reaches projections.runner"),
    ("domain/pupil.py", "from api import app", broken_walls, "reaches api.app"),
    ("domain/pupil.py", "from .ledger import stream", broken_walls, "reaches domain.ledger.stream"),
    ("domain/pupil.py", "def f():\n    import psycopg", broken_walls, "reaches psycopg"),
    (
        "domain/errors.py",
        "import psycopg",
        broken_walls,
        "domain/pupil.py reaches psycopg by way of domain/errors.py",
    ),
    (
        "domain/ledger/stream.py",
        "import projections",
        broken_walls,
        "domain/ledger/stream.py reaches projections",
    ),
    ("domain/ledger/stream.py", "import scripts.main", broken_walls, "reaches scripts.main"),
    (
        "domain/progress/gains.py",
        "from domain.vault import keyring",
        broken_walls,
        "domain/progress/gains.py",
    ),
    ("domain/ledger/deep/er.py", "__import__('api')", broken_walls, "domain/ledger/deep/er.py reaches api"),
    ("projections/runner.py", "import api.app", broken_walls, "projections/runner.py reaches api.app"),
    ("projections/runner.py", "from scripts import main", broken_walls, "reaches scripts"),
    ("projections/runner.py", "import fastapi", broken_walls, "projections/runner.py reaches fastapi"),
    (
        "projections/runner.py",
        "from domain.vault import login_key",
        broken_walls,
        "projections/runner.py reaches domain.vault.login_key",
    ),
    (
        "projections/runner.py",
        "from domain.vault.recipients import PrivateKey",
        broken_walls,
        "reaches domain.vault.recipients",
    ),
    ("projections/runner.py", "import domain.vault.sessions", broken_walls, "reaches domain.vault.sessions"),
    (
        "projections/runner.py",
        "def f():\n    from domain.vault import recovery_pair",
        broken_walls,
        "reaches domain.vault.recovery_pair",
    ),
    (
        "domain/vault/keyring.py",
        "from domain.vault import sessions",
        broken_walls,
        "projections/runner.py reaches domain.vault.sessions by way of domain/vault/keyring.py",
    ),
    ("api/app.py", "import scripts.main", broken_walls, "api/app.py reaches scripts.main"),
    (
        "api/app.py",
        "import importlib\nimportlib.import_module('scripts')",
        broken_walls,
        "api/app.py reaches scripts",
    ),
    ("scripts/main.py", "import tests.test_main", broken_walls, "scripts/main.py reaches tests"),
    (
        "projections/some.sql",
        "insert into\n  ledger.events VALUES (1)",
        writes_to_the_ledger,
        "projections/some.sql",
    ),
    ("projections/some.sql", "UPDATE ONLY ledger.streams SET a = 1", writes_to_the_ledger, "UPDATE"),
    ("projections/deep/er.sql", "DELETE FROM ledger.events", writes_to_the_ledger, "projections/deep/er.sql"),
    ("projections/some.sql", "SELECT ledger.append (1)", writes_to_the_ledger, "ledger.append"),
    ("projections/some.sql", 'TRUNCATE "ledger".events', writes_to_the_ledger, "TRUNCATE"),
    (
        "projections/runner.py",
        "X = f'UPDATE ledger.streams SET {1}'",
        writes_to_the_ledger,
        "projections/runner.py",
    ),
    ("tests/test_main.py", "\n" * 500, long_modules, "tests/test_main.py has 500 lines"),
    *[
        (file, text, other_days, f"{file} asks the machine for the day, on line 2")
        for file in ("domain/pupil.py", "domain/application/some.py", "api/app.py", "scripts/cli/some.py")
        for text in (
            "from datetime import date\nX = date.today()",
            "from datetime import datetime\nX = datetime.today().year",
            "import datetime\nX = datetime.date.today()",
            "from datetime import date as day\nX = day.today()",
            "from datetime import date\nX = map(date.today, ())",
        )
    ],
    ("domain/ledger/stream.py", "a = 1\n" * 500, long_modules, "domain/ledger/stream.py has 500 lines"),
]


def build(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_a_sound_house_passes(tmp_path: Path) -> None:
    build(tmp_path, SOUND)
    assert [found for check in CHECKS for found in check(tmp_path)] == []


@pytest.mark.parametrize(("file", "text", "check", "said"), BROKEN)
def test_a_broken_wall_is_found(tmp_path: Path, file: str, text: str, check: Check, said: str) -> None:
    """The sabotaged twins."""
    build(tmp_path, {**SOUND, file: text})
    found = check(tmp_path)
    assert any(said in each for each in found), found
