"""Class sheets and single judgements through the command."""

from __future__ import annotations

import csv
import os
import stat
from pathlib import Path

import pytest

from domain.vault import private_files
from tests.cli.conftest import PASSWORD, Run, Service, admit, log_in

TERM = ("--year", "2025/26", "--term", "summer")


def test_a_sheet_is_filled_in_recorded_and_shown(run: Run, head: str, tmp_path: Path) -> None:
    pupils = [admit(run, surname) for surname in ("Adams", "Brook", "=Carter")]
    file = tmp_path / "sheet.csv"
    told = run("sheet", "template", "--class", "oak", "--output", file).out
    assert told.endswith(f"target-tracker sheet record {file} --year YEAR --term TERM\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.reader(opened))
    assert rows[0] == ["Pupil id", "Surname", "Forename", "REA", "WRI", "MAT"]
    assert sorted(row[0] for row in rows[1:]) == sorted(pupils)
    assert "'=Carter" in [row[1] for row in rows]
    for row in rows[1:]:
        row[3:] = ["3s", "3W+", ""]
    with file.open("w", encoding="cp1252", newline="") as opened:
        csv.writer(opened).writerows(rows)
    said = run("sheet", "record", file, *TERM, "--on", "10/07/2026")
    assert said.out == "6 judgements are recorded for Summer 2025/26.\n"
    shown = run("sheet", "show", "--class", "Oak", *TERM).out.splitlines()
    assert shown[0] == "Oak, Summer 2025/26"
    assert shown[1].split() == ["Pupil", "id", "Name", "REA", "WRI"]
    assert all(line.split()[-2:] == ["3s", "3w+"] for line in shown[2:5])


def template_over(run: Run, file: Path, expect: int = 0) -> tuple[str, int]:
    """What the file holds, and its mode, after a template was written over one that everybody could read."""
    file.write_text("the last one")
    file.chmod(0o644)
    run("sheet", "template", "--class", "oak", "--output", file, expect=expect)
    assert list(file.parent.iterdir()) == [file], "nothing is left beside it"
    return file.read_text(encoding="utf-8-sig")[:12], stat.S_IMODE(file.stat().st_mode)


def test_a_template_is_its_owners_and_whole_over_another_file_too(
    run: Run, head: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit(run, "Adams")
    run("pupils", "list")
    file = tmp_path / "sheets" / "sheet.csv"
    file.parent.mkdir()
    assert template_over(run, file) == ("Pupil id,Sur", 0o600)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert template_over(run, file, expect=2) == ("the last one", 0o644)


def test_a_template_that_everybody_can_read_would_be_noticed(
    run: Run, head: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    admit(run, "Adams")
    file = tmp_path / "sheets" / "sheet.csv"
    file.parent.mkdir()
    monkeypatch.setattr(private_files, "write", Path.write_bytes)
    assert template_over(run, file) == ("Pupil id,Sur", 0o644)


@pytest.mark.parametrize(
    ("scheme", "term"), [("eyfs-profile", []), ("ks2-tests", []), ("eyfs-bands", ["--term", "TERM"])]
)
def test_a_template_says_how_it_is_recorded(
    run: Run, head: str, tmp_path: Path, scheme: str, term: list[str]
) -> None:
    """With that command, as it stands, the sheet is taken: no other scheme and no other year is assumed."""
    admit(run, "Adams")
    file = tmp_path / "sheet.csv"
    told = run(
        "sheet", "template", "--class", "Oak", "--scheme", scheme, "--year", "2020/21", "--output", file
    ).out
    command = told.split("target-tracker ")[1].split()
    assert command == ["sheet", "record", str(file), "--scheme", scheme, "--year", "2020/21", *term]


def test_a_sheet_by_upn_on_standard_output_and_input(run: Run, head: str) -> None:
    admit(run, "Adams", upn="B801200005001")
    assert (
        run("sheet", "template", "--class", "Oak", "--subjects", "sci").out.splitlines()[0].endswith(",SCI")
    )
    said = run("sheet", "record", "-", *TERM, given="upn,mat,Surname\nb801200005001,3b,Adams\n,,\n")
    assert said.out.startswith("1 judgements")


def test_a_wrong_sheet_is_refused_whole(run: Run, head: str) -> None:
    pupil = admit(run, "Adams", upn="B801200005001")
    for given, code, told in (
        ("UPN,REA\nB801200005001,3b\nZ999999999999,3b\n", 2, "the UPN of a pupil of this school"),
        ("UPN,Reading\nB801200005001,3b\n", 2, "one of REA"),
        ("Surname,REA\nAdams,3b\n", 2, "needs a column UPN or Pupil id"),
        ("UPN,REA\nB801200005001,\n", 2, "holds no judgement"),
        ('UPN,REA\nB801200005001,"3b\n', 2, "is not a CSV file"),
        ("", 2, "needs a column"),
        (f"Pupil id,REA,MAT\n{pupil},3b,9z\n", 1, "a step from 1b to 6s+"),
        (f"Pupil id,REA\n{pupil},3b\n{pupil},3w\n", 1, "each pupil and subject once"),
        ("Pupil id,REA\n01920000-0000-7000-8000-000000000000,3b\n", 1, "a pupil of this school"),
    ):
        assert told in run("sheet", "record", "-", *TERM, expect=code, given=given).error
    assert "Nothing has been recorded" in run("sheet", "show", "--class", "Oak", *TERM).out


def test_years_and_terms_as_people_write_them(run: Run, head: str) -> None:
    admit(run, "Adams")
    for year in ("2025", "2025/26", "2025-26", "2025/2026"):
        run("sheet", "show", "--class", "Oak", "--year", year, "--term", "Autumn")
    for year in ("2025/27", "25/26", "last"):
        said = run("sheet", "show", "--class", "Oak", "--year", year, "--term", "autumn", expect=2)
        assert "not an academic year" in said.error
    run("sheet", "show", "--class", "Oak", "--year", "2025", "--term", "winter", expect=2)
    assert "There is no class Elm" in run("sheet", "show", "--class", "Elm", *TERM, expect=1).error
    assert "no subject XYZ" in run("sheet", "template", "--class", "Oak", "--subjects", "XYZ", expect=2).error


def test_a_judgement_is_recorded_and_corrected(run: Run, head: str) -> None:
    pupil = admit(run, "Adams")
    said = run("assess", "record", pupil, "--subject", "rea", "--value", "3w", *TERM, "--on", "2026-07-01")
    assessment = said.out.split("assessment ")[1].removesuffix(".\n")
    run("assess", "correct", pupil, assessment, "--value", "3w+", "--reason", "A slip")
    assert "3w+*" in run("sheet", "show", "--class", "Oak", *TERM).out
    assert "3w+ (corrected)" in run("pupils", "show", pupil).out
    told = run("pupils", "history", pupil).out
    assert "value 3w;" in told
    assert "value 3w+;" in told
    assert "reason A slip" in told
    refused = run("assess", "correct", pupil, assessment, "--value", "7b", expect=1)
    assert "a step from 1b to 6s+" in refused.error
    future = run(
        "assess", "record", pupil, "--subject", "REA", "--value", "3w", "--year", "2090", "--term", "autumn",
        expect=1,
    )  # fmt: skip
    assert "or earlier" in future.error


def test_a_teacher_records_for_the_own_class_alone(run: Run, service: Service, head: str) -> None:
    own, other = admit(run, "Adams"), admit(run, "Brook", class_name="Elm")
    run(
        "staff", "add", "teacher", "--name", "A Teacher", "--access", "limited-read-write", "--class", "Oak",
        "--password-file", "-", given=f"{PASSWORD}\n",
    )  # fmt: skip
    log_in(run, service, head, "teacher")
    run("assess", "record", own, "--subject", "REA", "--value", "3w", *TERM)
    refused = run("assess", "record", other, "--subject", "REA", "--value", "3w", *TERM, expect=1)
    assert "your own classes only" in refused.error
    run("pupils", "change", own, "nc_year=4", expect=1)
