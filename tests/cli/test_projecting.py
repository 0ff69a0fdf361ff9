"""Verifying, rebuilding and going back, on the service's host."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest

from domain.ledger.database import Database
from domain.vault.key_sources import write
from projections.rebuilding.pool import Progress
from scripts.cli.projecting import _Lines
from scripts.demonstration.processes import commands
from scripts.embedded import OWNER
from tests.cli.conftest import Run
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS
from tests.projections.catching_up import caught_up
from tests.projections.happenings import LivelySchool

WORKER = "target_tracker_worker"


@pytest.fixture
def school(test_database: TestDatabase, worker_database: Database, database: Database) -> LivelySchool:
    school = LivelySchool(database, "810001")
    school.happen(200)
    caught_up(worker_database)
    return school


@pytest.fixture
def settings(school: LivelySchool, test_database: TestDatabase, tmp_path: Path) -> dict[str, str]:
    """As a worker; of a service that has these keys."""
    write(tmp_path / "service-keys.json", SERVICE_KEYS)
    return {
        "TARGET_TRACKER_DATABASE": test_database.conninfo(WORKER),
        "TARGET_TRACKER_SERVICE_KEY_FILE": str(tmp_path / "service-keys.json"),
    }


def edit(database: TestDatabase) -> UUID:
    """Edits a pupil's row by hand, and returns the pupil's id."""
    with database.connect("postgres") as superuser:
        row = superuser.execute(
            "UPDATE projections.pupils SET nc_year = '6' WHERE pupil_id = (SELECT pupil_id FROM "
            "projections.pupils WHERE nc_year IS DISTINCT FROM '6' LIMIT 1) RETURNING pupil_id"
        ).fetchone()
    assert row
    return UUID(str(row[0]))


def test_verifying(
    run: Run, school: LivelySchool, settings: dict[str, str], test_database: TestDatabase
) -> None:
    names = ("pupils", "logins")
    ended = run("projections", "verify", *names, "--workers", 1, **settings)
    assert "Verifying pupils: 1 of 1 schools, 200 of 200 events, 0 differences" in ended.error
    lines = [line.split() for line in ended.out.splitlines()]
    assert [line[:2] + line[3:5] for line in lines[1:]] == [
        ["pupils", "1", "0", "0"],
        ["logins", "1", "0", "0"],
    ]
    pupil_id = edit(test_database)
    ended = run("projections", "verify", "pupils", "--workers", 1, expect=1, **settings)
    assert f"{school.school_id}  pupils  pupil_id={pupil_id}  nc_year  differs" in ended.out
    [result] = run("projections", "verify", "pupils", "--workers", 1, "--json", expect=1, **settings).json
    [made] = result["schools"]
    assert made["position"] == 200
    assert made["digest"] != made["live_digest"]
    assert [each["column"] for each in made["differences"]] == ["nc_year"]


def test_rebuilding_going_back_and_dropping(
    run: Run, school: LivelySchool, settings: dict[str, str], test_database: TestDatabase
) -> None:
    owner = settings | {"TARGET_TRACKER_DATABASE": test_database.conninfo(OWNER)}
    pupil_id = edit(test_database)
    verify = ("projections", "verify", "pupils", "--workers", 1)
    ended = run("projections", "rebuild", "pupils", "--workers", 1, expect=1, **owner)
    assert "the rows that were made" in ended.out
    assert str(pupil_id) in ended.out
    run(*verify, **settings)
    assert "live again" in run("projections", "go-back", "pupils", **owner).out
    run(*verify, expect=1, **settings)
    run("projections", "rebuild", "pupils", expect=1, **owner)
    run("projections", "rebuild", "pupils", **owner)
    run(*verify, **settings)
    assert run("projections", "drop-previous", **owner).out == "Dropped: pupils\n"
    assert "none to drop" in run("projections", "drop-previous", "pupils", **owner).out
    assert "no version of pupils" in run("projections", "go-back", "pupils", expect=1, **owner).error


def test_what_cannot_be_done(run: Run, settings: dict[str, str]) -> None:
    said = run("projections", "verify", "nothing", expect=1, **settings).error
    assert "There is no projection nothing: there are assessments, attendance" in said
    # The worker's role makes no tables.
    said = run("projections", "rebuild", "pupils", "--workers", 1, expect=2, **settings).error
    assert "target_tracker_worker may not do this: connect as the owner" in said
    run("projections", "verify", "--workers", 0, expect=2, **settings)


def test_lines_say_how_long_it_will_take(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    monkeypatch.setattr("sys.stderr", told)
    lines = _Lines("Rebuilding pupils")
    for done in (1, 2, 4):
        lines(Progress(4, done, 4000, 1000 * done, 10.0 * done, 0))
    assert told.getvalue().splitlines() == [
        "Rebuilding pupils: 1 of 4 schools, 1,000 of 4,000 events, 0 differences, 10 s, about 30 s left",
        "Rebuilding pupils: 4 of 4 schools, 4,000 of 4,000 events, 0 differences, 40 s",
    ]


def test_a_bar_on_a_terminal(settings: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [commands() / "target-tracker", "projections", "verify", "logins", "--workers", "1"],
        env={"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "100", **settings},
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # the other end is closed
        while part := os.read(ours, 10_000):
            shown += part
    os.close(ours)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"Verifying logins" in shown
    assert b"1/1" in _COLOURS.sub(b"", shown)
    assert said.splitlines()[1].startswith(b"logins")


_COLOURS = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")
