"""Importing through the command: real files, good and bad."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from domain.school import SchoolFacts
from scripts.demonstration.made_up_school import make_school
from tests.cli.conftest import Run, Service

SCHOOL = make_school(
    SchoolFacts(
        name="Made-up Primary School",
        urn="300000",
        local_authority="881",
        establishment="2001",
        region="East of England",
    ),
    date(2026, 10, 1),
    seed=7,
    classes_in_year=1,
)
NUMBER = len(SCHOOL.pupils)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    file = tmp_path / "pupils.csv"
    file.write_bytes(SCHOOL.pupil_csv())
    return file


def outcomes(said: str) -> dict[str, int]:
    lines = [line.split() for line in said.splitlines()]
    counted = {"created", "changed", "unchanged", "refused"}
    return {line[0]: int(line[1]) for line in lines if line and line[0] in counted}


def all_are(outcome: str, number: int = NUMBER) -> dict[str, int]:
    return {name: number * (name == outcome) for name in ("created", "changed", "unchanged", "refused")}


def test_a_file_is_tried_out_imported_and_imported_again(run: Run, head: str, csv: Path) -> None:
    tried = run("import", csv, "--dry-run").out
    assert outcomes(tried) == all_are("created")
    assert tried.endswith("This was a dry run: nothing was written.\n")
    assert run("pupils", "list").out == "No pupils.\n"
    assert run("import", csv).out.endswith("Imported.\n")
    assert run("pupils", "list").out.endswith(f"{NUMBER} pupils\n")
    before = written(run)
    again = run("import", csv).out
    assert outcomes(again) == all_are("unchanged")
    assert again.endswith("Nothing was written: everything is there already.\n")
    assert written(run) == before


def written(run: Run) -> list[int]:
    """Where the school's events are, but for those that say who read what."""
    entries = run("history", "--limit", "500", "--json").json["entries"]
    return [entry["position"] for entry in entries if entry["event"] != "records.read"]


def test_a_ctf_adds_results_from_standard_input(run: Run, head: str, csv: Path) -> None:
    run("import", csv)
    added = run("import", "-", given=SCHOOL.ctf()).out
    results = sum(len(pupil.results) for pupil in SCHOOL.pupils)
    assert f"Results added or corrected: {results}\n" in added
    with_results = sum(bool(pupil.results) for pupil in SCHOOL.pupils)
    counts = outcomes(added)
    assert (counts["changed"], counts["unchanged"]) == (with_results, NUMBER - with_results)
    assert "… and" in added
    assert added.count("\n") < 40
    assert run("import", "-", "--json", given=SCHOOL.ctf()).json["counts"]["unchanged"] == NUMBER


def test_refused_rows_are_shown_and_nothing_is_written(run: Run, head: str, csv: Path) -> None:
    lines = csv.read_text().splitlines()
    wrong = lines[3].split(",")
    wrong[0], wrong[3], wrong[8] = (
        f"A{wrong[0][1:]}" if wrong[0][0] != "A" else f"B{wrong[0][1:]}",
        "31/02/2019",
        "no code",
    )
    csv.write_text("\n".join([*lines[:3], ",".join(wrong), *lines[4:]]))
    for words in (["--dry-run"], []):
        said = run("import", csv, *words, expect=1)
        rows = [line.split() for line in said.out.splitlines()[2:5]]
        assert [row[:2] for row in rows] == [["4", "UPN"], ["4", "DOB"], ["4", "Ethnicity"]]
        assert rows[1][2] == "31/02/2019"
        assert outcomes(said.out)["refused"] == 1
        assert "Nothing was written" in said.out
        assert not said.error
    assert run("pupils", "list").out == "No pupils.\n"
    assert run("import", csv, "--json", expect=1).json["counts"]["refused"] == 1


def test_many_refused_rows_are_cut_short_unless_all_are_asked_for(
    run: Run, head: str, tmp_path: Path
) -> None:
    file = tmp_path / "bad.csv"
    rows = [f"Surname{number},Robin,tomorrow,F,01/09/2022" for number in range(100)]
    file.write_text("\n".join(["Surname,Forename,DOB,Gender,DOA", *rows]))
    said = run("import", file, expect=1).out
    assert "… and 80 more." in said
    assert run("import", file, "--all", expect=1).out.count("tomorrow") == 100


def test_what_is_not_taken_is_told(run: Run, head: str, tmp_path: Path) -> None:
    file = tmp_path / "more.csv"
    file.write_text(
        "Surname,Forename,DOB,Gender,DOA,Email,House\n"
        "Adams,Robin,04/03/2018,F,01/09/2022,robin@example.org,Red\n"
    )
    said = run("import", file).out
    assert "Not taken: email addresses (1)\n" in said
    assert 'Not taken: column "House" (1)\n' in said
    assert "robin@example.org" not in said


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "file"),
        (b"PK\x03\x04....", "an Excel workbook"),
        (b"<CTfile><Header>", "The file cannot be read"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "The file cannot be read"),
        (b"Surname,Forename\nAdams,Robin\n", "DOB"),
        (b"\x00\x01\x02", "character"),
    ],
)
def test_other_files_are_refused_with_what_is_accepted(
    run: Run, head: str, content: bytes, told: str
) -> None:
    said = run("import", "-", expect=1, given=content)
    assert told in said.error
    assert "root:" not in said.error


def test_a_file_that_is_not_there_and_a_folder(run: Run, head: str, tmp_path: Path) -> None:
    assert "cannot be read" in run("import", tmp_path / "no.csv", expect=2).error
    assert "cannot be read" in run("import", tmp_path, expect=2).error


def test_the_operator_imports_on_a_schools_behalf(
    run: Run, service: Service, head: str, csv: Path, tmp_path: Path
) -> None:
    key = service.login_key_file(head)
    assert run("import", csv, "--login-key-file", key).out.endswith("Imported.\n")
    entries = run("history", "--limit", "500", "--json").json["entries"]
    kinds = {entry["actor"]["kind"] for entry in entries if entry["event"] == "pupil.admitted"}
    assert kinds == {"operator"}
    damaged = tmp_path / "damaged.key"
    damaged.write_text(service.login_key(head)[1:])
    assert "Login key refused" in run("import", csv, "--login-key-file", damaged, expect=1).error


def test_what_is_accepted_is_said_in_options_of_the_command(
    run: Run, head: str, csv: Path, tmp_path: Path
) -> None:
    """The API names its parameters; whoever types a command is told what to type."""
    ctf = tmp_path / "ctf.xml"
    ctf.write_bytes(SCHOOL.ctf().replace(b"<Estab>2001</Estab>", b"<Estab>2999</Estab>"))
    joiners = run("import", ctf, "--dry-run", expect=1).out
    assert "for all joiners of it with --joined-on" in joiners
    assert "correct the refused rows" in joiners
    run("import", csv)
    content = ctf.read_bytes()
    for part in (b"<LEA>XXX</LEA>", b"<Estab>XXXX</Estab>"):
        content = content.replace(part, part.replace(b"XXXX", b"3003").replace(b"XXX", b"882"))
    ctf.write_bytes(content)
    assert "if you say so (--other-destination)" in run("import", ctf, expect=1).error
    one = tmp_path / "one.csv"
    one.write_bytes(b"\n".join(csv.read_bytes().splitlines()[:2]))
    said = run("import", one, "--whole-roll", expect=1).out
    assert said.startswith("Refused\n")
    assert f"as many as are allowed (--allow-leavers {NUMBER - 1})" in said
    assert said.endswith("Nothing was written.\n"), "there is no row to correct"


def test_a_code_that_no_list_has_is_said_to_be_unknown_and_not_accepted(
    run: Run, head: str, tmp_path: Path
) -> None:
    file = tmp_path / "code.csv"
    file.write_text("Surname,Forename,DOB,Gender,DOA,Ethnicity\nAdams,Robin,04/03/2018,F,01/09/2022,ZZZZ\n")
    lines = run("import", file).out.splitlines()
    heading = lines[lines.index("Kept as it came, and to be looked at") + 1]
    assert heading.split("  ")[-1] == "What is said of it"
