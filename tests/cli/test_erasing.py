"""Erasing a child through the command, and what a backup from before it cannot bring back."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from domain.vault.erasures import FileRegister
from scripts.cli import erasing
from scripts.demonstration.processes import commands
from tests.cli.conftest import (
    Ended,
    Run,
    Service,
    admit,
    log_in,
    new_service,
    register,
    runner,
    running,
)
from tests.conftest import TestDatabase

SECRETS = ("Adams", "Zoë", "B801200005001", "CM1 1QH", "04 Mar 2018", "2018-03-04", "WBRI", "3w", "Oak")
"""What can be read of the child before."""


def admitted(run: Run) -> str:
    """A child with a record, after another one of whom nothing is the same."""
    admit(run, "Brook", class_name="Elm", date_of_birth="2019-05-06")
    pupil = admit(run, "Adams", "Zoë", upn="B801200005001", postcode="CM1 1QH", ethnicity="WBRI")
    given = ("--subject", "REA", "--value", "3w", "--year", "2025/26", "--term", "summer")
    run("assess", "record", pupil, *given)
    return pupil


def erase(run: Run, pupil: str, *words: str, expect: int = 0) -> Ended:
    return run("pupils", "erase", pupil, "--reason", "request", *words, expect=expect)


def everything_shown(run: Run, pupil: str) -> str:
    """All that the command shows of the school, and of this child."""
    told = run("pupils", "history", pupil)
    reads = [
        *(("pupils", "list", *more) for more in ((), ("--json",), ("--left",))),
        *(("pupils", "search", *more) for more in (("zoe ad",), ("--upn", "B801200005001"))),
        ("pupils", "history", pupil, "--json"),
        ("history",),
        ("history", "--json"),
    ]
    return told.out + "".join(run(*words).out for words in reads)


def readable(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def test_a_child_is_erased_and_nothing_of_it_is_shown_any_more(run: Run, head: str) -> None:
    pupil = admitted(run)
    assert readable(everything_shown(run, pupil) + run("pupils", "show", pupil).out) == list(SECRETS)
    then = run("pupils", "show", pupil, "--json").json["position"]
    run("pupils", "show", pupil, "--as-at-position", then)
    said = erase(run, pupil, "--confirm", "ERASE").out
    assert "Adams, Zoë" in said
    assert "1 of the record, 1 of assessments, 0 of attendance" in said
    assert "cannot be undone" in said
    assert said.endswith("The child is erased.\n")
    for words in (
        ["pupils", "show", pupil],
        ["pupils", "show", pupil, "--as-at-position", then],
        ["pupils", "change", pupil, "nc_year=4"],
        ["pupils", "leave", pupil],
        ["pupils", "erase", pupil, "--reason", "request", "--confirm", "ERASE"],
    ):
        assert run(*words, expect=1).error.startswith("Erased: "), words
    assert readable(everything_shown(run, pupil)) == []
    assert "Brook" in run("pupils", "list").out
    assert run("pupils", "search", "zoe").out == "No pupils.\n"
    told = run("pupils", "history", pupil).out
    assert "pupil.erased" in told
    assert "reason request" in told
    assert "erased yes" in told


def test_it_has_to_be_confirmed(run: Run, service: Service, head: str) -> None:
    pupil = admitted(run)
    shown = run("pupils", "show", pupil).out
    history = run("pupils", "history", pupil).out
    noted = len(FileRegister(service.folder / "erasures").erasures())
    said = erase(run, pupil, expect=2)
    assert "There is no terminal to ask at: confirm with --confirm ERASE" in said.error
    for word in ("erase", "ERASED", "yes", ""):
        assert "Nothing was erased" in erase(run, pupil, "--confirm", word, expect=2).error
    run("pupils", "erase", pupil, "--confirm", "ERASE", expect=2)
    run("pupils", "erase", pupil, "--reason", "boredom", "--confirm", "ERASE", expect=2)
    assert run("pupils", "show", pupil).out == shown
    assert run("pupils", "history", pupil).out == history
    assert len(FileRegister(service.folder / "erasures").erasures()) == noted


def test_a_confirmation_that_nobody_looks_at_would_be_noticed(
    run: Run, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: any word will do, and the child is gone."""
    pupil = admitted(run)
    monkeypatch.setattr(erasing, "_confirmed", lambda given: None)
    erase(run, pupil, "--confirm", "no")
    assert run("pupils", "show", pupil, expect=1).error.startswith("Erased: ")


def test_only_administrators_erase(run: Run, service: Service, head: str) -> None:
    pupil = admitted(run)
    words = ("--access", "read-write", "--password-file", service.password_file)
    run("staff", "add", "deputy", "--name", "Dana", *words)
    log_in(run, service, head, "deputy")
    assert erase(run, pupil, "--confirm", "ERASE", expect=1).error.startswith("Not permitted: ")
    run("pupils", "show", pupil)


def at_a_terminal(service: Service, home: Path, pupil: str, typed: str) -> Ended:
    """Erases as somebody does who sits at a terminal, and types this."""
    controlling, terminal = pty.openpty()
    words = ["pupils", "erase", pupil, "--reason", "request"]
    environment = service.environment | {"PATH": os.environ["PATH"], "TARGET_TRACKER_HOME": str(home)}
    try:
        os.write(controlling, f"{typed}\n".encode())
        ended = subprocess.run(
            [commands() / "target-tracker", *words],
            stdin=terminal,
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
            check=False,
        )
    finally:
        os.close(controlling)
        os.close(terminal)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def test_whoever_sits_at_a_terminal_is_asked(run: Run, service: Service, head: str, home: Path) -> None:
    pupil = admitted(run)
    other = at_a_terminal(service, home, pupil, "yes")
    assert other.code == 2
    assert "Type ERASE to erase the child" in other.error
    assert "Nothing was erased: that was not ERASE" in other.error
    assert "Adams, Zoë" in run("pupils", "show", pupil).out
    right = at_a_terminal(service, home, pupil, "ERASE")
    assert right.code == 0
    assert right.out.endswith("The child is erased.\n")
    assert run("pupils", "show", pupil, expect=1).error.startswith("Erased: ")


@pytest.fixture
def own(test_database: TestDatabase, tmp_path: Path) -> Service:
    """A service of the test's own, which it starts and stops."""
    folder = tmp_path / "service"
    folder.mkdir()
    return new_service(test_database, folder)


@dataclass(frozen=True)
class Restored:
    """A service whose database is a copy from before a child was erased."""

    service: Service
    urn: str
    pupil: str

    def open_elsewhere(self, home: Path) -> Run:
        """Logs in from another machine: what this one remembers is of the time after the backup."""
        plain = runner(self.service)

        def run(*arguments: object, **more: Any) -> Ended:
            return plain(*arguments, **({"TARGET_TRACKER_HOME": str(home)} | more))

        log_in(run, self.service, self.urn)
        return run

    def worker(self) -> tuple[int, str]:
        """Starts a worker that is expected to refuse; its exit code, and what it said."""
        ended = subprocess.run(
            [commands() / "target-tracker", "worker"],
            env=self.service.environment | {"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return ended.returncode, ended.stderr


@pytest.fixture
def restored(own: Service, home: Path) -> Iterator[Restored]:
    """A child is admitted, a backup is taken, the child is erased, and the backup is put in place."""
    run = runner(own)
    with running(own):
        register(run, own, "300900")
        log_in(run, own, "300900")
        pupil = admitted(run)
        run("pupils", "list")  # the workers have read everything
    with own.database.copy() as older:
        with running(own):
            erase(run, pupil, "--confirm", "ERASE")
        yield Restored(replace(own, database=older), "300900", pupil)


def test_a_restored_backup_is_erased_again_before_it_is_opened(restored: Restored, tmp_path: Path) -> None:
    code, said = restored.worker()
    assert (code, "first run target-tracker erasures replay" in said) == (2, True)
    with running(restored.service, "serve") as processes:
        log = (restored.service.folder / "serve.log").read_text()
        assert log.count("erased again, whom the database still knew: 1") == 1
        assert restored.pupil not in log
        run = restored.open_elsewhere(tmp_path / "before")
        assert run("pupils", "show", restored.pupil, expect=1).error.startswith("Erased: ")
        assert readable(everything_shown(run, restored.pupil)) == []
        processes.start("worker", restored.service.environment)
        run = restored.open_elsewhere(tmp_path / "after")
        assert admit(run, "Cole", class_name="Elm", date_of_birth="2019-05-06") in run("pupils", "list").out
        processes.check()
        assert readable(everything_shown(run, restored.pupil)) == []
        assert "pupil.erased" in run("pupils", "history", restored.pupil).out


def test_a_restored_backup_is_told_by_hand(restored: Restored, tmp_path: Path) -> None:
    host = {"TARGET_TRACKER_DATABASE": restored.service.database.conninfo()}
    replay = runner(restored.service)
    told = [line.rsplit(maxsplit=1) for line in replay("erasures", "replay", **host).out.splitlines()]
    assert [(name.strip(), int(number)) for name, number in told] == [
        ("Erasures in the register", 1),
        ("Keys that were there again", 1),
        ("Recorded in the stream anew", 1),
        ("Noted in the register", 0),
    ]
    again = replay("erasures", "replay", **host).out.splitlines()
    assert [int(line.split()[-1]) for line in again] == [1, 0, 0, 0]
    with running(restored.service):
        assert "erased again" not in (restored.service.folder / "serve.log").read_text()
        run = restored.open_elsewhere(tmp_path / "elsewhere")
        assert readable(everything_shown(run, restored.pupil)) == []


def test_without_the_register_the_child_would_be_back(restored: Restored, tmp_path: Path) -> None:
    """The sabotaged twin: the register is lost with the database, and everything opens again."""
    (restored.service.folder / "erasures").write_text("")
    with running(restored.service):
        run = restored.open_elsewhere(tmp_path / "elsewhere")
        shown = run("pupils", "show", restored.pupil).out + everything_shown(run, restored.pupil)
        assert readable(shown) == list(SECRETS)
