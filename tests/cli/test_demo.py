"""The demo, as people run it: twice, with the commands that it proposes, and stopped with Ctrl-C."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from scripts.embedded import EmbeddedPostgres

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
LONGEST = 60.0
"""Seconds that the demo may take."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that root's database server can reach, too."""
    parent = Path(tempfile.mkdtemp(prefix="tt-demo-"))
    parent.chmod(0o755)
    folder = parent / "a demo"
    yield folder
    EmbeddedPostgres(folder / "postgresql").destroy()
    shutil.rmtree(parent)


def demo(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scripts.demonstration", "--folder", folder, *words],
        cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        # Whoever runs tests in the background has them ignore Ctrl-C, and their children with them.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def finished(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=2 * LONGEST)
    assert process.returncode == 0, said
    return said


def events(folder: Path) -> dict[str, int]:
    """How many events there are of each type but logins, imports and usage."""
    with EmbeddedPostgres(folder / "postgresql") as server:
        connection = psycopg.connect(server.conninfo("postgres"))
        with connection:
            rows = connection.execute(
                "SELECT type, count(*) FROM ledger.events "
                "WHERE split_part(type, '.', 1) NOT IN ('session', 'import', 'records', 'access') "
                "GROUP BY type"
            ).fetchall()
        connection.close()
    return dict(rows)


def test_the_demo_checks_itself_and_makes_nothing_twice(folder: Path) -> None:
    began = time.monotonic()
    said = finished(demo(folder, "--no-wait"))
    assert time.monotonic() - began < LONGEST
    assert said.endswith("Everything is as it should be.\n")
    assert "12 schools" in said
    first = events(folder)
    assert first["school.registered.1"] == 12
    assert first["pupil.admitted.1"] > 420 + 11 * 7 * 12
    assert first["login.failed.1"] == 4
    again = finished(demo(folder, "--no-wait"))
    assert again.endswith("Everything is as it should be.\n")
    assert events(folder) == first


def test_its_secrets_are_its_owners(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o711
    for name in ("password", "operator-token", "environment"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    for name in ("files", "logs", "client"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o700
    logs = "".join(log.read_text() for log in (folder / "logs").iterdir())
    for secret in ((folder / "password").read_text(), (folder / "operator-token").read_text()):
        assert secret.strip() not in logs


def test_what_it_proposes_works_and_ctrl_c_stops_it(folder: Path) -> None:
    process = demo(folder)
    try:
        assert process.stdout
        said = ""
        while not said.endswith("The service runs until Ctrl-C.\n"):
            line = process.stdout.readline()
            assert line, said
            said += line
        script = "set -eu\n" + "".join(
            line.removeprefix("  ") for line in said.splitlines(keepends=True) if line.startswith("  ")
        )
        assert script.count("target-tracker") >= 10
        tried = subprocess.run(
            ["/bin/sh", "-c", script], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True,
            timeout=LONGEST, check=False,
        )  # fmt: skip
        assert tried.returncode == 0, (tried.stdout[-3000:], tried.stderr)
        for told in (
            "You are logged in",
            "assessment.corrected",
            "turned away",
            "unchanged   420",
            "mean_points",
        ):
            assert told in tried.stdout
        another = subprocess.run(
            [sys.executable, "-m", "scripts.demonstration", "--folder", folder], cwd=ROOT, env=ENVIRONMENT,
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert another.returncode == 1
        assert f"runs already, as process {process.pid}" in another.stderr
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in rest
    found = re.search(r"https://127\.0\.0\.1:(\d+)", said)
    assert found
    with socket.socket() as trial, pytest.raises(ConnectionRefusedError):
        trial.connect(("127.0.0.1", int(found[1])))
    assert not EmbeddedPostgres(folder / "postgresql").is_running()


def test_fresh_stops_the_old_one_and_starts_again(folder: Path) -> None:
    before = (folder / "password").read_text()
    old = demo(folder)
    try:
        assert old.stdout
        assert old.stdout.readline()
        said = finished(demo(folder, "--fresh", "--no-wait"))
        _, _ = old.communicate(timeout=30)
    finally:
        old.kill()
        old.communicate()
    assert old.returncode == 130
    assert said.endswith("Everything is as it should be.\n")
    assert (folder / "password").read_text() != before


@pytest.mark.parametrize("script", ["demo", "test", "set-up"])
def test_scripts_are_ready_to_run(script: str) -> None:
    path = ROOT / "scripts" / script
    assert os.access(path, os.X_OK)
    subprocess.run(["/bin/sh", "-n", path], check=True)
