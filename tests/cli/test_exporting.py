"""Taking files of pupils away through the command."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Run, admit


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_ctf_is_written_under_its_own_name_for_oneself_alone(run: Run, head: str, folder: Path) -> None:
    pupil = admit(run, "Adams")
    for number in (1, 2):
        name = f"8812001_CTF_8823003_{number:03d}.xml"
        said = run("export", "ctf", "--pupil", pupil, "--destination", "882/3003").out
        assert said.startswith(f"Written to {name}.")
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert "<Surname>Adams</Surname>" in (folder / name).read_text()


def test_the_whole_roll_and_a_class(run: Run, head: str, folder: Path) -> None:
    admit(run, "Adams", class_name="Oak")
    admit(run, "Bennett", class_name="Ash")
    run("export", "csv")
    assert (folder / "pupils.csv").read_text().count("\n") == 3
    assert "cannot be written" in run("export", "csv", expect=2).error
    run("export", "csv", "--class", "oak", "--output", "oak.csv")
    assert (folder / "oak.csv").read_text().count("\n") == 2
    assert run("export", "ctf", "--output", "-").out.count("<Pupil>") == 2


def test_what_cannot_be_taken_away(run: Run, head: str, folder: Path) -> None:
    pupil = admit(run, "Adams", class_name="Oak")
    both = run("export", "ctf", "--pupil", pupil, "--class", "Oak", expect=2)
    assert "or neither" in both.error
    assert "Oak" in run("export", "csv", "--class", "Elm", expect=1).error
    assert "as in 8812001" in run("export", "ctf", "--destination", "12", expect=1).error
    assert "cannot be written" in run("export", "ctf", "--output", folder / "no" / "f.xml", expect=2).error


def test_a_leaver_with_code_and_number_and_a_joiner(run: Run, head: str, folder: Path) -> None:
    pupil = admit(run, "Adams", date_of_entry="2022-09-01")
    why = ("--reason-code", "ST", "--destination-school", "882/3003")
    run("pupils", "leave", pupil, "--on", "2026-02-27", *why)
    run("export", "ctf", "--pupil", pupil)
    file = folder / "8812001_CTF_8823003_001.xml"
    assert "<LeavingReason>ST</LeavingReason>" in file.read_text()
    assert "another school" in run("import", file, expect=1).error
    joiner = folder / "joiner.xml"
    joiner.write_text(file.read_text().replace("Adams", "Zola"))
    refused = run("import", joiner, "--other-destination", expect=1).out
    assert "--joined-on" in refused.replace("\n", "")
    said = run("import", joiner, "--other-destination", "--joined-on", "02/03/2026").out
    assert said.endswith("Imported.\n")
    [found] = run("pupils", "search", "Zola", "--json").json["pupils"]
    assert found["date_of_entry"] == "2026-03-02"
    shown = run("pupils", "show", found["pupil_id"]).out
    assert "Schools before     Made-up Primary School (01 Sep 2022 to 27 Feb 2026)" in shown
