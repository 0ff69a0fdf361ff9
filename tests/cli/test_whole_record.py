"""Every field of a pupil through the command; notes, concerns, and files of the whole roll."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run, admit


def test_periods_are_typed_and_shown(run: Run, head: str) -> None:
    pupil = admit(
        run,
        "Adams",
        date_of_birth="2012-02-29",
        meals_periods="2021-09-01..2022-07-22,08/01/2024..",
        sen_periods="a:2012-09-03..2014-12-31,K:2015-01-01..",
        premium_periods="DPP:2022-04-01..2025-03-31",
        sen_needs="SLCN,MLD",
        preschool_terms="3",
        eal="yes",
        talented="yes",
    )
    shown = run("pupils", "show", pupil, "--json").json["pupil"]
    assert shown["meals_periods"] == [{"start": "2021-09-01", "end": "2022-07-22"}, {"start": "2024-01-08"}]
    assert shown["sen_periods"][1] == {"start": "2015-01-01", "provision": "K"}
    assert shown["premium_periods"] == [{"start": "2022-04-01", "end": "2025-03-31", "reason": "DPP"}]
    assert (shown["sen_needs"], shown["preschool_terms"]) == (["SLCN", "MLD"], 3)
    then = run("pupils", "show", pupil, "--on", "01/05/2013").out
    assert "SEN provision      A\n" in then
    assert max(map(len, then.splitlines())) <= 80
    run("pupils", "change", pupil, "sen_needs=", "meals_periods=")
    emptied = run("pupils", "show", pupil, "--json").json["pupil"]
    assert (emptied["sen_needs"], emptied["meals_periods"]) == ([], [])


def test_periods_that_cannot_be_read(run: Run, head: str) -> None:
    pupil = admit(run, "Adams")
    for typed in (
        "meals_periods=2021",
        "meals_periods=K:2021-01-01..",
        "sen_periods=2021-01-01..",
        "preschool_terms=x",
    ):
        assert "cannot be read" in run("pupils", "change", pupil, typed, expect=2).error


def test_notes_and_concerns(run: Run, head: str, tmp_path: Path) -> None:
    pupil = admit(run, "Adams")
    written = run("notes", "write", pupil, "Lost a tooth", "--on", "2026-01-09").out
    note = written.split()[-1].rstrip(".")
    file = tmp_path / "note.txt"
    file.write_text("Two lines\nof a note")
    run("notes", "write", pupil, "--text-file", file)
    listed = run("notes", "list", pupil).out
    assert "09 Jan 2026" in listed
    assert "  Two lines\n  of a note\n2 notes.\n" in listed
    run("notes", "change", pupil, note, "Lost two teeth")
    run("notes", "remove", pupil, note)
    assert run("notes", "list", pupil).out.endswith("1 note.\n")
    concern = run("concerns", "open", pupil, "Very quiet").out
    assert concern.endswith("; 1 active concern.\n")
    concern_id = concern.split()[2].rstrip(";")
    assert "active" in run("concerns", "list", pupil).out
    assert run("concerns", "close", pupil, concern_id, "--outcome", "Chatty again").out == (
        "Closed; 0 active concerns.\n"
    )
    assert "Outcome: Chatty again" in run("concerns", "list", pupil).out
    refused = run("notes", "write", pupil, "Mail mum@made-up.example", expect=1).error
    assert "mum@made-up.example" in refused
    assert "Say the text" in run("notes", "write", pupil, expect=2).error


def roll(tmp_path: Path, first: int) -> Path:
    rows = ["Surname,Forename,DOB,Gender,DOA,Gifted"]
    rows += [f"Surname{number},Robin,04/03/2018,F,01/09/2022,F" for number in range(first, 12)]
    file = tmp_path / f"from-{first}.csv"
    file.write_text("\n".join(rows))
    return file


def test_a_file_of_the_whole_roll(run: Run, head: str, tmp_path: Path) -> None:
    run("import", roll(tmp_path, 0))
    assert run("import", roll(tmp_path, 5)).out.endswith("everything is there already.\n")
    refused = run("import", roll(tmp_path, 2), "--whole-roll", expect=1).out
    assert "2 of 12 pupils" in refused
    assert run("pupils", "list").out.endswith("12 pupils\n")
    assert run("import", roll(tmp_path, 2), "--whole-roll", "--allow-leavers", "2").out.endswith(
        "Imported.\n"
    )
    assert run("pupils", "list").out.endswith("10 pupils\n")
    assert "--whole-roll" in run("import", roll(tmp_path, 2), "--allow-leavers", "2", expect=2).error


def test_what_was_entered_here_stays_and_the_dry_run_says_so(run: Run, head: str, tmp_path: Path) -> None:
    run("import", roll(tmp_path, 11))
    [line] = run("pupils", "list").out.splitlines()[1:-1]
    pupil = line.split()[0]
    run("pupils", "change", pupil, "gifted=yes")
    said = run("import", roll(tmp_path, 11), "--dry-run").out
    assert "does not replace" in said
    assert "gifted" in said
    run("import", roll(tmp_path, 11))
    assert run("pupils", "show", pupil, "--json").json["pupil"]["gifted"] is True
    run("pupils", "change", pupil, "hand_back=gifted")
    run("import", roll(tmp_path, 11))
    assert run("pupils", "show", pupil, "--json").json["pupil"]["gifted"] is False


def test_codes_that_no_list_has_are_shown(run: Run, head: str, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("Surname,Forename,DOB,Gender,DOA,Ethnicity\nAdams,Robin,04/03/2018,F,01/09/2022,ZZZZ\n")
    run("import", file)
    pupil = run("pupils", "search", "adams", "--json").json["pupils"][0]["pupil_id"]
    said = run("pupils", "show", pupil).out
    assert "To be looked at" in said
    assert "unknown" in said
