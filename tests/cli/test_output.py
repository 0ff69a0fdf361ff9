"""What is shown: within 80 columns on a terminal, plain in a pipe, harmless always, never a traceback."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from typer.testing import CliRunner

from scripts.cli.failures import ExitCode
from scripts.cli.main import DEBUG, Guarded
from scripts.cli.output import clean, day, moment
from scripts.demonstration.processes import commands
from tests.cli.conftest import PASSWORD, Run, Service, admit

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PATH = os.environ["PATH"]


def on_terminal(
    service: Service, home: Path, words: Sequence[str], typed: str = "", columns: int = 80
) -> tuple[int, list[str]]:
    """Runs the installed command on a terminal of its own; the exit code and the lines that it shows."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {"PATH": PATH, "TERM": "xterm", "LC_ALL": "C.UTF-8", "TARGET_TRACKER_HOME": str(home)}
    process = subprocess.Popen(
        [commands() / "target-tracker", *words],
        stdin=its, stdout=its, stderr=its, start_new_session=True, env=environment | service.environment,
        # Passwords are asked for on the controlling terminal.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(its)
    shown = b""
    with os.fdopen(ours, "r+b", buffering=0) as terminal:
        if typed:
            # Only after the space is it ready; what came before is thrown away.
            while b": " not in shown:
                shown += terminal.read(1024)
            terminal.write(typed.encode())
        try:
            while part := terminal.read(1024):
                shown += part
        except OSError:
            pass  # Linux says that the other side is closed as an error.
    return process.wait(30), ESCAPES.sub("", shown.decode()).replace("\r\n", "\n").split("\n")


def test_everything_fits_into_80_columns_of_a_terminal(
    run: Run, service: Service, head: str, home: Path
) -> None:
    pupil = admit(run, "Featherstonehaugh-Cholmondeley", "Maximiliana Philippa", upn="B801200005001")
    for subject in ("REA", "WRI", "MAT", "SCI"):
        run(
            "assess",
            "record",
            pupil,
            "--subject",
            subject,
            "--value",
            "3w+",
            "--year",
            "2025",
            "--term",
            "summer",
        )
    for words, code in (
        (["pupils", "list"], 0),
        (["pupils", "show", pupil], 0),
        (["pupils", "history", pupil], 0),
        (["sheet", "show", "--class", "Oak", "--year", "2025/26", "--term", "summer"], 0),
        (["staff", "list"], 0),
        (["history"], 0),
        (["logins"], 0),
        (["whoami"], 0),
        (["projections", "status"], 0),
        (["pupils", "change", pupil, "colour=red", "gifted=perhaps"], 2),
        (["pupils", "change", pupil, "ethnicity=XXXX", "upn=A801200005001"], 1),
        (["--help"], 0),
        (["pupils", "list", "--help"], 0),
        (["pupils", "show", "123"], 2),
    ):
        ended, lines = on_terminal(service, home, words)
        assert ended == code, lines
        assert max(map(cell_len, lines)) <= 80, words
    assert any(pupil in line for line in on_terminal(service, home, ["pupils", "list"])[1])


def test_in_a_pipe_there_are_no_colours_and_no_wrapped_cells(run: Run, head: str) -> None:
    pupil = admit(run, "Featherstonehaugh-Cholmondeley", "Maximiliana Philippa")
    listed = run("pupils", "list").out
    assert f"{pupil}  Featherstonehaugh-Cholmondeley, Maximiliana Philippa  3     Oak\n" in listed
    told = run("pupils", "history", pupil).out + run("pupils", "show", pupil).out + listed
    assert not ESCAPES.search(told)
    assert not any(line.endswith(" ") for line in told.splitlines())
    assert not set(told) & set("│─╭╰┃━")


def test_the_password_is_asked_for_and_not_shown(service: Service, urn: str, home: Path) -> None:
    words = ["login", "--urn", urn, "--user", "head", "--key-file", str(service.login_key_file(urn))]
    ended, lines = on_terminal(service, home, words, typed=f"{PASSWORD}\n")
    assert ended == 0, lines
    assert lines[0].startswith("Password:")
    assert PASSWORD not in "\n".join(lines)
    assert "You are logged in as The Head (admin)." in lines


def test_the_installed_command_in_a_pipe(service: Service, home: Path, head: str) -> None:
    result = subprocess.run(
        [commands() / "target-tracker", "whoami", "--json"],
        env={"PATH": PATH, "TARGET_TRACKER_HOME": str(home), **service.environment},
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    assert f'"urn": "{head}"' in result.stdout
    closed = subprocess.run(
        f"set -o pipefail; '{commands()}/target-tracker' history --json | true",
        shell=True,
        executable="/bin/bash",
        env={"PATH": PATH, "TARGET_TRACKER_HOME": str(home), **service.environment},
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert closed.stderr == ""
    assert closed.returncode == 0


@given(st.text())
def test_what_is_shown_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    shown = clean(text)
    assert shown
    assert shown.isprintable() or not set(shown) & set("\x1b\r\n\t\x07\x9b\u202e")


def test_markup_is_shown_as_it_is_typed(run: Run, service: Service, head: str, home: Path) -> None:
    admit(run, "[red]Adams[/red] :smile:")
    assert "[red]Adams[/red] :smile:, Robin" in run("pupils", "list").out
    told = " ".join(on_terminal(service, home, ["pupils", "list"])[1])
    assert "[red]Adams[/red]" in told
    assert ":smile:" in told


def test_moments_and_days_are_shown_as_clocks_in_england_show_them() -> None:
    assert moment("2026-07-01T08:00:00Z") == "01 Jul 2026 09:00:00"
    assert moment("2026-12-01T08:00:00+00:00") == "01 Dec 2026 08:00:00"
    assert moment(None) == "–"
    assert day("2026-07-01") == "01 Jul 2026"
    assert day(None) == "–"


broken = typer.Typer(cls=Guarded, pretty_exceptions_enable=False)


@broken.callback()
def target_tracker() -> None:
    """A command that is at fault."""


@broken.command()
def fail() -> None:
    """Fails."""
    raise ZeroDivisionError("with a child's name in its message")


def test_a_fault_of_the_command_shows_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DEBUG, raising=False)
    result = CliRunner().invoke(broken, ["fail"])
    assert result.exit_code == ExitCode.FAULTY
    assert "ZeroDivisionError" in result.stderr
    assert "a child's name" not in result.output
    assert "Traceback" not in result.output
    assert isinstance(CliRunner().invoke(broken, ["fail"], env={DEBUG: "1"}).exception, ZeroDivisionError)


@pytest.mark.parametrize("words", [(), ("import",), ("pupils",), ("pupils", "list"), ("progress", "matrix")])
def test_help_asks_for_no_value_of_a_switch(run: Run, words: tuple[str, ...]) -> None:
    told = run(*words, "--help", COLUMNS="80").out
    assert "--help" in told
    assert "<bool>" not in told


def test_a_switch_that_seems_to_take_a_value_would_be_noticed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin. The whole command is made anew each time, and so is what its help says."""
    monkeypatch.setattr("scripts.cli.main._switches_take_nothing", lambda *_: None)
    assert "<bool>" in run("import", "--help", COLUMNS="80").out


def test_help_says_what_the_exit_codes_mean(run: Run) -> None:
    told = " ".join(run("--help").out.split())
    assert "Exit codes: 0 done, 1 refused by the service" in told
    for name in ("serve", "worker", "migrate"):
        assert "TARGET_TRACKER_DATABASE" in run(name, "--help").out
