"""Progress through the command: shown at 80 columns, and written to files that are their owner's alone."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest

from domain.academic_year import AssessmentPoint, Term, WholeYear
from domain.vault import private_files
from scripts.cli.options import read_point
from tests.cli.conftest import Run, admit

ENDS = ("--from", "autumn 2025/26", "--to", "summer 2025/26")


@pytest.fixture
def pupils(run: Run, head: str) -> list[str]:
    """Three children of Year 4 now, and so of Year 3 then; their mathematics in two terms."""
    ids = []
    for surname, sex, first, last in (
        ("Adams", "F", "3b", "3s"),
        ("Brook", "M", "2s", "2w"),
        ("=Carter", "F", None, "4b"),
    ):
        pupil_id = admit(run, surname, sex=sex, nc_year="4")
        for term, value in (("autumn", first), ("summer", last)):
            if value:
                given = ("--subject", "MAT", "--value", value, "--year", "2025/26", "--term", term)
                run("assess", "record", pupil_id, *given)
        ids.append(pupil_id)
    return ids


def test_a_class(run: Run, pupils: list[str]) -> None:
    """Adams gained 4 and Brook lost 2: a mean of +1.00, of two."""
    lines = run("progress", "--class", "oak", *ENDS).out.splitlines()
    assert lines[0] == "Oak: progress from Autumn 2025/26 to Summer 2025/26"
    assert lines[2].split() == ["MAT", "3", "2", "0", "1", "12.00", "13.00", "+1.00", "1", "1", "0", "0"]
    assert lines[3] == "Expected of everybody: +4 points."
    assert "Adams, Robin    MAT      3b    3s    +4  as expected" in lines
    assert "Brook, Robin    MAT      2s    2w    -2  less than expected" in lines
    assert "=Carter, Robin  MAT      –     4b     –  one result only" in lines
    assert max(map(len, lines)) <= 80


def test_groups_matrices_and_who_is_on_track(run: Run, pupils: list[str]) -> None:
    shown = run("progress", *ENDS, "--group", "sex").out
    assert shown.startswith("The whole school: ")
    assert ["MAT", "F", "2", "1", "+4.00", "0", "1", "0", "0"] in [
        line.split() for line in shown.splitlines()
    ]
    matrix = [line.split() for line in run("progress", "matrix", *ENDS).out.splitlines()]
    assert ["MAT", "from", "2w", "3s", "All"] in matrix
    assert ["2s", "1", "·", "1"] in matrix
    assert "1 only with the last." in run("progress", "matrix", *ENDS, "--by", "standing").out
    table = run("progress", "on-track", "--at", "summer 2025/26", "--group", "sex").out.splitlines()
    assert ["MAT", "all", "3", "0", "1", "(33%)", "1", "(33%)", "1", "(33%)", "0"] in [
        line.split() for line in table
    ]
    assert max(map(len, table)) <= 80


def test_a_track(run: Run, pupils: list[str], tmp_path: Path) -> None:
    lines = run("pupils", "track", pupils[0]).out.splitlines()
    assert lines[0] == "Adams, Robin"
    assert lines[2].split() == ["MAT", "Autumn", "2025/26", "3", "3b", "13", "13–14", "at"]
    page = tmp_path / "track.html"
    run("pupils", "track", pupils[0], "--html", page)
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert "<svg" in page.read_text()
    assert "no results" in run("pupils", "track", pupils[0], "--scheme", "levels").out
    assert run("pupils", "track", pupils[0], "--json").json["pupil"]["surname"] == "Adams"


def written(run: Run, folder: Path) -> dict[str, int]:
    """The modes of the files that the command writes."""
    folder.mkdir()
    for name in ("csv", "html"):
        run("progress", "--class", "Oak", *ENDS, f"--{name}", folder / f"progress.{name}")
    run("progress", "matrix", *ENDS, "--csv", folder / "matrix.csv")
    run("progress", "on-track", "--at", "summer 2025/26", "--group", "sex", "--csv", folder / "on-track.csv")
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def test_files_are_their_owners(run: Run, pupils: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "files"
    names = ("progress.csv", "progress.html", "matrix.csv", "on-track.csv")
    assert written(run, folder) == dict.fromkeys(names, 0o600)
    with (folder / "progress.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["Surname"]: row["Gain"] for row in rows} == {"Adams": "4", "Brook": "-2", "'=Carter": ""}
    assert "Adams, Robin" in (folder / "progress.html").read_text()
    assert rows_of(folder / "matrix.csv") == [
        ["MAT", "Autumn 2025/26", "Summer 2025/26", "2s", "2w", "1", "2"],
        ["MAT", "Autumn 2025/26", "Summer 2025/26", "3b", "3s", "1", "2"],
    ]
    on_track = {tuple(row[:3]): row[3:10] for row in rows_of(folder / "on-track.csv")}
    assert on_track == {
        ("all", "all", "MAT"): ["Summer 2025/26", "3", "0", "1", "1", "1", "0"],
        ("sex", "F", "MAT"): ["Summer 2025/26", "2", "0", "0", "1", "1", "0"],
        ("sex", "M", "MAT"): ["Summer 2025/26", "1", "0", "1", "0", "0", "0"],
    }
    refused = run("progress", *ENDS, "--csv", tmp_path / "nowhere" / "file.csv", expect=2)
    assert "cannot be written" in refused.error


def rows_of(file: Path) -> list[list[str]]:
    """The rows of a file below its heading."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.reader(opened))[1:]


def test_files_that_everybody_can_read_would_be_noticed(
    run: Run, pupils: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(private_files, "write", Path.write_bytes)
    assert set(written(run, tmp_path / "files").values()) == {0o644}


def test_what_is_missing_is_said(run: Run, head: str) -> None:
    admit(run, "Adams")
    assert "Name the points" in run("progress", expect=2).error
    assert "one of --csv" in run("progress", *ENDS, "--json", "--csv", "x.csv", expect=2).error
    on_track = ("progress", "on-track", "--at", "summer 2025/26")
    for words in (("progress", "matrix", *ENDS), on_track):
        assert "not both" in run(*words, "--json", "--csv", "x.csv", expect=2).error
    backwards = run("progress", "--from", "summer 2025/26", "--to", "autumn 2025/26", expect=1)
    assert "a point after Summer 2025/26" in backwards.error
    assert "no results" in run("progress", *ENDS).out
    assert "not a point such as" in run("progress", "--from", "yule 2025/26", expect=2).error


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("autumn 2025/26", AssessmentPoint(2025, Term.AUTUMN)),
        (" Summer  2025 ", AssessmentPoint(2025, Term.SUMMER)),
        ("autumn 1 2025/26", AssessmentPoint(2025, Term.AUTUMN_1)),
        ("spring-2 2025/26", AssessmentPoint(2025, Term.SPRING_2)),
        ("2025/26", WholeYear(2025)),
    ],
)
def test_points_as_people_write_them(text: str, point: object) -> None:
    assert read_point(text) == point
