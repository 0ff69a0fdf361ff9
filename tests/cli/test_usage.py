"""What staff did, listed and exported by the command: the service records it by itself."""

from __future__ import annotations

import csv
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from rich.cells import cell_len

from domain.vault import private_files
from scripts.cli import usage
from scripts.cli.failures import Misused, Unreachable
from tests.cli.conftest import Ended, Run, Service, admit, log_in
from tests.cli.test_output import on_terminal
from tests.cli.test_staff_and_audit import add


def until(run: Run, enough: Callable[[list[dict[str, Any]]], bool], *options: str) -> list[dict[str, Any]]:
    """Usage, once there is enough of it: reads are recorded a second after they were answered."""
    deadline = time.monotonic() + 20
    while True:
        lines: list[dict[str, Any]] = run("usage", "--limit", "500", "--json", *options).json["usage"]
        if enough(lines):
            return lines
        assert time.monotonic() < deadline, lines
        time.sleep(0.1)


def reads(lines: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(line["what"], line["pupils"]) for line in lines if line["kind"] == "read"]


def test_what_was_read_is_listed_without_anybody_asking_for_it_to_be_recorded(
    run: Run, service: Service, head: str
) -> None:
    pupil = admit(run, "Adams")
    add(run, service, "adviser", "read-only-nonames")
    log_in(run, service, head, "adviser")
    run("pupils", "list")
    run("pupils", "show", pupil)
    run("staff", "list", expect=1)
    log_in(run, service, head)
    lines = until(
        run, lambda lines: len(reads(lines)) == 2 and any(line["kind"] == "refusal" for line in lines)
    )
    assert reads(lines) == [("pupil", 1), ("list of pupils", 1)]
    table = run("usage").out
    rows = [line.split("  ") for line in table.splitlines()]
    assert [cell.strip() for cell in rows[0] if cell.strip()] == ["When", "Who", "What", "Details"]
    assert "Name of adviser" in table
    assert "pupil; 1 pupil, without names" in table
    assert "manage staff; GET /v1/staff" in table
    assert "account made; of Name of adviser" in table
    assert "Adams" not in table
    assert "of pupils; 1 pupil" in run("usage", "--pupil", pupil).out
    assert "manage staff" not in run("usage", "--pupil", pupil).out
    assert "manage staff" in run("usage", "--user", "adviser").out
    assert run("usage", "--since", "2090-01-01", "--json").json["usage"] == []
    assert run("usage", "--until", "01/01/2020", "--json").json["usage"] == []
    history = run("history").out
    assert "records.read" in history
    assert re.search(r"reads [12]\b", history), "a number, and not what was read"


def test_page_by_page(run: Run, service: Service, head: str) -> None:
    # A command of one's own, after which queries show everything up to it.
    add(run, service, "deputy", "read-write")
    first = run("usage", "--limit", "1").out.splitlines()
    assert first[-1].startswith("There is more: --before ")
    rest = run("usage", "--before", first[-1].split()[-1]).out.splitlines()
    assert len(rest) - 1 == len(run("usage").out.splitlines()) - 2
    assert "not a place such as" in run("usage", "--before", "last week", expect=2).error


def exported(run: Run, file: Path, *options: str) -> list[dict[str, str]]:
    ended: Ended = run("usage", "--csv", file, *options)
    rows = list(csv.DictReader(StringIO(file.read_text(encoding="utf-8-sig"), newline="")))
    assert ended.out == f"{file} is written: {len(rows)} lines.\n"
    return rows


def test_all_of_it_is_exported(
    run: Run, service: Service, head: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(run, service, "deputy", "read-write")
    file = tmp_path / "usage.csv"
    rows = exported(run, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = run("usage", "--limit", "500", "--json").json["usage"]
    assert rows == [
        {field: "" if line[field] is None else str(line[field]) for field in rows[0]} for line in lines
    ]
    assert set(rows[0]) == set(lines[0])
    monkeypatch.setattr(usage, "PAGE", 1)
    assert exported(run, file) == rows
    assert exported(run, file, "--user", "deputy") == [row for row in rows if row["about_name"]][:1]


def made_by_a_formula(run: Run, service: Service, file: Path) -> list[str]:
    """Names in an export that a spreadsheet would calculate."""
    words = ["--name", "=1+1", "--access", "read-only", "--password-file", service.password_file]
    run("staff", "add", "formula", *words)
    return [
        row["about_name"] for row in exported(run, file) if row["about_name"].startswith(("=", "+", "-", "@"))
    ]


def test_no_spreadsheet_calculates_a_name(run: Run, service: Service, head: str, tmp_path: Path) -> None:
    assert made_by_a_formula(run, service, tmp_path / "usage.csv") == []
    assert "'=1+1" in (tmp_path / "usage.csv").read_text(encoding="utf-8-sig")


def test_a_formula_would_be_noticed(
    run: Run, service: Service, head: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "not_a_formula", lambda name: name)
    assert made_by_a_formula(run, service, tmp_path / "usage.csv") == ["=1+1"]


def test_an_export_is_its_owners_even_where_everybody_could_read_the_last_one(
    run: Run, head: str, tmp_path: Path
) -> None:
    file, elsewhere, link = tmp_path / "usage.csv", tmp_path / "elsewhere.csv", tmp_path / "link.csv"
    for path in (file, elsewhere):
        path.write_text("the last one")
        path.chmod(0o644)
    link.symlink_to(elsewhere)
    for path in (file, link):
        exported(run, path)
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert elsewhere.read_text() == "the last one"


def left_of_a_failure(folder: Path, *, room: bool) -> dict[str, str]:
    """The files, and what they hold, when an export over an earlier one fails half way."""
    file = folder / "usage.csv"
    file.write_text("the last one")

    def lines() -> Iterator[dict[str, Any]]:
        yield dict.fromkeys(usage.EXPORTED, "x" * 100_000)
        if room:
            raise Unreachable("nothing answers")

    with pytest.raises((Unreachable, Misused)):
        usage._write_usage(file, lines())
    return {path.name: path.read_text()[:100] for path in folder.iterdir()}


def full(_: int) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("room", [True, False])
def test_half_an_export_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: bool) -> None:
    if not room:
        monkeypatch.setattr(os, "fsync", full)
    assert left_of_a_failure(tmp_path, room=room) == {"usage.csv": "the last one"}


def test_half_an_export_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""

    @contextmanager
    def in_place(path: Path) -> Iterator[BinaryIO]:
        with path.open("wb") as file:
            yield file

    monkeypatch.setattr(private_files, "replacing", in_place)
    assert left_of_a_failure(tmp_path, room=True) != {"usage.csv": "the last one"}


def test_what_cannot_be_exported(run: Run, head: str, tmp_path: Path) -> None:
    assert "cannot be written" in run("usage", "--csv", tmp_path / "no" / "usage.csv", expect=2).error
    assert "not both" in run("usage", "--csv", tmp_path / "usage.csv", "--json", expect=2).error


def test_it_fits_into_80_columns_of_a_terminal(run: Run, service: Service, head: str, home: Path) -> None:
    add(run, service, "deputy", "limited-read-write", "--class", "Oak")
    log_in(run, service, head, "deputy")
    run("staff", "list", expect=1)
    log_in(run, service, head)
    until(run, lambda lines: any(line["kind"] == "refusal" for line in lines))
    ended, lines = on_terminal(service, home, ["usage"])
    assert ended == 0
    assert any("GET /v1/staff" in line for line in lines)
    assert max(map(cell_len, lines)) <= 80
