"""Files of other layouts through the command: a mapping guessed, edited, and imported with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

EXPORT = (
    "UPN,Legal Surname,Legal Forename,DOB,Gender,Admission Date,Reg Group,House,Parent Email\r\n"
    ",Adams,Robin,20-Nov-17,Female,07-Sep-22,Elm,Lion,parent@example.org\r\n"
    ",Bennett,Sam,21-Nov-17,Male,07-Sep-22,Elm,,\r\n"
)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    file = tmp_path / "export.csv"
    file.write_text(EXPORT)
    return file


def test_a_mapping_is_guessed_edited_and_used(run: Run, head: str, export: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.json"
    said = run("import", "mapping", export, "--output", mapping).out
    assert "Not recognised: House, Parent Email\n" in said
    assert "nothing: email addresses" in said
    assert run("pupils", "list").out == "No pupils.\n"
    edited = json.loads(mapping.read_text())
    edited["fields"]["previous_setting"] = "House"
    mapping.write_text(json.dumps(edited))
    tried = run("import", export, "--mapping", mapping, "--dry-run").out
    assert tried.endswith("This was a dry run: nothing was written.\n")
    done = run("import", export, "--mapping", mapping).out
    assert "Not taken: email addresses (1)\n" in done
    assert done.endswith("Imported.\n")
    assert run("pupils", "list").out.endswith("2 pupils\n")
    [adams] = run("pupils", "search", "adams", "--json").json["pupils"]
    assert (adams["sex"], adams["date_of_birth"], adams["previous_setting"]) == ("F", "2017-11-20", "Lion")
    again = run("import", "-", "--mapping", mapping, given=EXPORT).out
    assert again.endswith("everything is there already.\n")


def test_the_guess_alone_is_on_standard_output(run: Run, head: str, export: Path) -> None:
    said = run("import", "mapping", export)
    assert json.loads(said.out)["fields"]["surname"] == "Legal Surname"
    assert "Not recognised" in said.error
    assert run("import", "mapping", export, "--json").json["unrecognised"] == ["House", "Parent Email"]


def test_a_mapping_is_not_written_over(run: Run, head: str, export: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.json"
    mapping.write_text("mine")
    assert "is there already" in run("import", "mapping", export, "--output", mapping, expect=2).error
    assert mapping.read_text() == "mine"


def test_what_is_wrong_with_a_mapping_is_told(run: Run, head: str, export: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.json"
    mapping.write_text('{"fields": {"shoe_size": "Shoes", "upn": "UPN"}}')
    said = run("import", export, "--mapping", mapping, expect=1)
    assert "mapping.fields.shoe_size" in said.error
    mapping.write_text("fields: surname")
    assert "is not a mapping" in run("import", export, "--mapping", mapping, expect=2).error
    missing = tmp_path / "nothing.json"
    assert "cannot be read" in run("import", export, "--mapping", missing, expect=2).error


def test_words_that_do_not_go_together(run: Run, head: str, export: Path, tmp_path: Path) -> None:
    assert "One file at a time" in run("import", export, export, expect=2).error
    assert "only guesses" in run("import", "mapping", export, "--dry-run", expect=2).error
    assert "--output goes with" in run("import", export, "--output", tmp_path / "x", expect=2).error
