"""Benchmarks by command: shown, proposed, published, withdrawn and verified."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from rich.cells import cell_len

from domain.academic_year import academic_year_label
from scripts.embedded import EmbeddedPostgres
from tests.application.examples import YEAR
from tests.cli.conftest import Run, Service, admit, log_in, new_service, register, runner, running
from tests.cli.test_output import on_terminal
from tests.conftest import fresh_database
from tests.documents import ROOT

URN = "399001"

LAST_YEAR = academic_year_label(YEAR - 1)


@pytest.fixture(scope="module")
def service(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of this module's own: releases are of all schools of a database."""
    with fresh_database(server) as database:
        service = new_service(database, tmp_path_factory.mktemp("benchmarks"))
        with running(service):
            yield service


@pytest.fixture(scope="module")
def run_first(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs commands before any test does."""
    home = str(tmp_path_factory.mktemp("first"))

    def run(*words: object, **more: str) -> object:
        return runner(service)(*words, TARGET_TRACKER_HOME=home, **more)

    return run  # type: ignore[return-value]


@pytest.fixture(scope="module", autouse=True)
def school(service: Service, run_first: Run) -> str:
    """A school with two children, and last summer's judgements of them."""
    register(run_first, service, URN, type="primary")
    log_in(run_first, service, URN)
    for surname in ("Adams", "Brown"):
        pupil = admit(run_first, surname, nc_year="Y4")
        words = ("--subject", "REA", "--value", "3s", "--year", LAST_YEAR, "--term", "summer")
        run_first("assess", "record", pupil, *words)
    return URN


@pytest.fixture(autouse=True)
def head(run: Run, service: Service, school: str) -> None:
    log_in(run, service, school)


@pytest.mark.parametrize(
    "words",
    [["--term", "year"], ["--year", "2019/20"], ["--subject", "mat"], ["--by", "free-school-meals"], []],
)
def test_before_any_release(run: Run, words: list[str]) -> None:
    if not run("benchmarks", "releases", "--json").json:
        assert "No benchmark has been released" in run("benchmarks", *words).out
        assert run("benchmarks", *words, "--json").json == []
        assert "No benchmark has been released" in run("benchmarks", "releases").out


def test_a_release_from_proposal_to_withdrawal(
    run: Run, service: Service, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "report.json"
    said = run("benchmarks", "propose", "--output", file).out
    code, lines = on_terminal(service, home, ["benchmarks", "propose"])
    assert (code, max(map(cell_len, lines)) <= 80) == (0, True), lines
    assert f"{LAST_YEAR}:summer" in said
    assert "0 of 1" in said
    assert "Of fewer than" in " ".join(said.split())
    report = json.loads(file.read_text())
    assert {each["rule"] for each in report["suppressed"]} <= {"minimum_pupils", "minimum_schools", "zeros"}
    assert report["schools"] == 1
    assert "school_id" not in file.read_text(), "nothing about a single school"
    assert f"benchmarks publish {report['proposal']}" in " ".join(said.split())
    assert "is there already" in run("benchmarks", "propose", "--output", file, expect=2).error
    published = run("benchmarks", "publish", report["proposal"]).out
    assert published.startswith(f"Release 1: {LAST_YEAR}:summer; 6 figures, ")
    again = run("benchmarks", "publish", report["proposal"], expect=1).error
    assert "propose again" in " ".join(again.split())
    assert "No point is due" in run("benchmarks", "propose").out
    shown = run("benchmarks").out
    code, lines = on_terminal(service, home, ["benchmarks"])
    assert (code, max(map(cell_len, lines)) <= 80) == (0, True), lines
    [line] = [line.split() for line in shown.splitlines() if line.startswith(LAST_YEAR)]
    assert line == [LAST_YEAR, "summer", "REA", "3", "c", "c", "c", "c", "c", "z"]
    assert {row["symbol"] for row in run("benchmarks", "--json").json} == {"c", "z"}
    assert "none" in run("benchmarks", "verify").out
    exported(run, service, home, tmp_path)
    because = "A school had entered the year before's"
    assert "is withdrawn" in run("benchmarks", "withdraw", "1", "--because", because).out
    assert "withdrawn already" in run("benchmarks", "withdraw", "1", "--because", "x", expect=1).error
    assert "No benchmark has been released" in run("benchmarks").out
    assert "WITHDRAWN" in run("benchmarks", "--release", "1").out
    exported_though_withdrawn(run, service, tmp_path)
    [told] = run("benchmarks", "releases", "--json").json
    assert (told["withdrawn_because"], told["stream_position"]) == (because, 1)
    assert "A school had" in " ".join(run("benchmarks", "releases").out.split())
    verified = run("benchmarks", "verify", "--json").json
    assert verified == {"events": 2, "stream_agrees": True, "releases": [1], "differing": []}
    # The withdrawn point is due again.
    assert run("benchmarks", "propose", "--json").json["after"] == 1


def analysts(service: Service) -> str:
    """Their connection, which has to be enough for files."""
    return service.database.conninfo("target_tracker_analytics")


def exported(run: Run, service: Service, home: Path, tmp_path: Path) -> None:
    """Files of both forms, with the analysts' role; what is there is not replaced by accident."""
    folder = tmp_path / "released"
    as_analyst = {"TARGET_TRACKER_DATABASE": analysts(service)}
    said = run("benchmarks", "export", "--folder", folder, **as_analyst).out
    assert "1 assessment point, release 1" in said
    there = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert {"benchmarks.parquet", "benchmarks_terms.csv", "benchmarks_terms.meta.csv"} <= there.keys()
    again = run("benchmarks", "export", "--folder", folder, expect=2, **as_analyst).error
    assert "--overwrite" in again
    assert "benchmarks.parquet" in again
    assert there == {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    run("benchmarks", "export", "--folder", folder, "--overwrite", **as_analyst)
    words = ["benchmarks", "export", "--folder", str(tmp_path / "csv"), "--release", "1"]
    run(*words, "--format", "explore-education-statistics", **as_analyst)
    assert not list((tmp_path / "csv").glob("*.parquet"))
    run(*words[:-3], str(tmp_path / "parquet"), "--format", "parquet", **as_analyst)
    assert not list((tmp_path / "parquet").glob("*.csv"))
    refused = run("benchmarks", "export", "--folder", folder, "--release", "7", expect=1, **as_analyst)
    assert "no release 7" in refused.error
    code, lines = on_terminal(service, home, ["benchmarks", "export", "--folder", str(tmp_path / "wide")])
    assert (code, max(map(cell_len, lines)) <= 80 + len(str(tmp_path))) == (0, True), lines
    code, lines = on_terminal(service, home, ["benchmarks", "export", "--help"])
    assert (code, max(map(cell_len, lines)) <= 80) == (0, True), lines
    page = (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    assert run("benchmarks", "dictionary", **as_analyst).out == page


def exported_though_withdrawn(run: Run, service: Service, tmp_path: Path) -> None:
    as_analyst = {"TARGET_TRACKER_DATABASE": analysts(service)}
    words = ["benchmarks", "export", "--folder", tmp_path / "withdrawn"]
    assert "No benchmark has been released" in run(*words, expect=1, **as_analyst).error
    refused = run(*words, "--release", "1", expect=1, **as_analyst).error
    assert "--withdrawn" in refused
    assert not (tmp_path / "withdrawn").exists()
    assert "WITHDRAWN" in run(*words, "--release", "1", "--withdrawn", **as_analyst).out
    assert (tmp_path / "withdrawn" / "withdrawn_release_1_benchmarks_terms.csv").exists()


def test_a_release_that_was_edited_ends_with_one(run: Run, service: Service) -> None:
    with service.database.connect("postgres") as superuser:
        superuser.execute("UPDATE analytics.benchmarks SET symbol = 'x' WHERE symbol = 'z'")
        try:
            assert "1" in run("benchmarks", "verify", expect=1).out
        finally:
            superuser.execute("UPDATE analytics.benchmarks SET symbol = 'z' WHERE symbol = 'x'")


def test_what_cannot_be_proposed(run: Run, tmp_path: Path) -> None:
    weak = tmp_path / "rules.toml"
    weak.write_text("minimum_pupils = 2\n")
    assert "minimum_pupils is under 5" in run("benchmarks", "propose", "--rules", weak, expect=2).error
    assert "2025/26:autumn" in run("benchmarks", "propose", "--point", "winter", expect=2).error
    assert "is over" in run("benchmarks", "propose", "--point", "2099/00:autumn", expect=2).error
    assert "no such proposal" in run("benchmarks", "publish", uuid4(), expect=1).error
    assert "no release 7" in run("benchmarks", "withdraw", "7", "--because", "x", expect=1).error


def test_a_type_of_school_that_there_is_not(run: Run, service: Service) -> None:
    refused = register(run, service, "399002", expect=1, type="castle", out=str(service.folder / "c.key"))
    assert "school_type" in refused.error


def test_the_school_beside_the_benchmark(run: Run, service: Service, home: Path, tmp_path: Path) -> None:
    if proposal := run("benchmarks", "propose", "--json").json["proposal"]:
        run("benchmarks", "publish", proposal)
    words = ("benchmarks", "compare", "--year", LAST_YEAR, "--term", "summer")
    shown = run(*words).out
    lines = [line.split() for line in shown.splitlines() if line.startswith("REA")]
    assert lines == [
        ["REA", "3", "own", "2", "0.0%", "100.0%", "0.0%", "17.0", "–"],
        ["REA", "3", "all", "c", "c", "c", "c", "c", "z"],
    ]
    assert "own: as recorded by now" in shown
    assert "like: there are too few schools for fifths by free meals;\nschools of up to 100 pupils." in shown
    code, lines_of_terminal = on_terminal(service, home, list(words))
    assert (code, max(map(cell_len, lines_of_terminal)) <= 80) == (0, True), lines_of_terminal
    answer = run(*words, "--json").json
    assert answer["tables"][0]["rows"][0]["cells"]["pupils"]["own"] == {"value": "2", "pupils": 2}
    page, table = tmp_path / "beside.html", tmp_path / "beside.csv"
    run(*words, "--page", page)
    run(*words, "--csv", table)
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert ",c," in table.read_text(encoding="utf-8-sig")
    assert page.stat().st_mode & 0o077 == 0
    assert "Name one of" in run(*words, "--json", "--csv", tmp_path / "x", expect=2).error
    by_sex = run(*words, "--by", "sex").out
    assert [line.split()[2:5] for line in by_sex.splitlines() if line.startswith("REA")] == [
        ["F", "own", "2"]
    ], "nobody is anything else"
    missing = run("benchmarks", "compare", "--year", "2019/20", "--term", "summer", expect=1).error
    assert f"released are {LAST_YEAR}:summer" in " ".join(missing.split())
