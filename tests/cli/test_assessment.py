"""Schemes, points, targets, statements and voids through the command."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.cli.conftest import PASSWORD, Run, Service, admit, log_in

TERM = ("--year", "2025/26", "--term", "summer")


def test_schemes_are_listed_and_shown(run: Run, head: str) -> None:
    listed = run("schemes", "list").out
    assert "ks2-tests" in listed
    assert "2012/13 to 2020/21" in listed
    shown = run("schemes", "show", "levels").out
    assert "two-point" in shown
    assert [line.split()[-2:] for line in shown.splitlines() if line.startswith("3a ")] == [["23", "21"]]
    assert run("schemes", "show", "ks2-tests", "--json").json["scheme"] == "ks2-tests"
    assert "There is no scheme" in run("schemes", "show", "ks9", expect=1).error


def test_results_of_a_test_are_recorded_and_voided(run: Run, head: str, tmp_path: Path) -> None:
    pupil = admit(run, "Adams")
    year = ("--year", "2025/26", "--scheme", "ks2-tests")
    said = run("assess", "record", pupil, "--subject", "mat", "--value", "104", *year).out
    assessment = said.split("assessment ")[1].removesuffix(".\n")
    refused = run("assess", "record", pupil, "--subject", "REA", "--value", "121", *year, expect=1)
    assert "a whole number from 80 to 120" in refused.error
    shown = run("sheet", "show", "--class", "Oak", *year).out.splitlines()
    assert shown[0] == "Oak, 2025/26, ks2-tests"
    assert shown[2].split()[-1] == "104"
    run("assess", "void", pupil, assessment, expect=2)
    assert run("assess", "void", pupil, assessment, "--reason", "Another child's").out == "Voided.\n"
    assert "Nothing has been recorded for this year." in run("sheet", "show", "--class", "Oak", *year).out
    told = run("pupils", "history", pupil).out
    assert "assessment.voided" in told
    assert "Another child's" in told
    file = tmp_path / "profile.csv"
    run(
        "sheet",
        "template",
        "--class",
        "Oak",
        "--scheme",
        "eyfs-profile",
        "--year",
        "2024/25",
        "--output",
        file,
    )
    with file.open(encoding="utf-8-sig", newline="") as opened:
        heading, row = csv.reader(opened)
    assert heading[3:] == [f"E{number:02d}" for number in range(1, 18)]
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([heading, [*row[:3], *("2" for _ in heading[3:])]])
    profile = ("--year", "2024/25", "--scheme", "eyfs-profile")
    assert run("sheet", "record", file, *profile).out == "17 judgements are recorded for 2024/25.\n"
    shown = run("sheet", "show", "--class", "Oak", *profile).out.splitlines()
    assert shown[1].endswith("Good level")
    assert shown[2].split()[-1] == "yes"
    wrong = ("--year", "2024/25", "--scheme", "levels")
    assert "up to 2014/15" in run("sheet", "record", file, *wrong, expect=2).error
    assert "one of E01" in run("sheet", "record", "-", *profile, expect=2, given="Pupil id,MAT\nx,1\n").error


def test_points_are_chosen_closed_and_opened(run: Run, service: Service, head: str) -> None:
    pupil = admit(run, "Adams")
    said = run("points", "close", *TERM, "--reason", "Reported to governors").out
    assert said == "Summer 2025/26 is closed.\n"
    record = ("assess", "record", pupil, "--subject", "REA", "--value", "3w")
    assert "Summer 2025/26 is closed" in run(*record, *TERM, expect=1).error
    listed = [line.split() for line in run("points", "list", "--year", "2025/26").out.splitlines()]
    assert [line[-1] for line in listed[1:]] == ["open", "open", "closed", "open"]
    assert run("points", "open", *TERM).out == "Summer 2025/26 is open.\n"
    run(*record, *TERM)
    said = run("points", "choose", "half-terms", "--year", "2025/26").out
    assert said == "From 2025/26 on, years are divided into half-terms.\n"
    run(*record, "--year", "2025/26", "--term", "summer-1")
    assert "one of autumn-1" in run(*record, *TERM, expect=1).error
    assert run("points", "list", "--year", "2025").out.count("open") == 7
    said = run("points", "close", "--year", "2024/25").out
    assert said == "2024/25, results of the whole year, is closed.\n"
    run("points", "choose", "weeks", "--year", "2025/26", expect=2)
    run("staff", "add", "teacher", "--name", "A Teacher", "--access", "read-write", "--password-file", "-",
        given=f"{PASSWORD}\n")  # fmt: skip
    log_in(run, service, head, "teacher")
    run("points", "close", "--year", "2025/26", "--term", "summer-2", expect=1)


def test_targets_are_set_listed_and_removed(run: Run, head: str) -> None:
    pupil = admit(run, "Adams", upn="B801200005001")
    to_come = ("--year", "2027/28", "--term", "summer")
    said = run("targets", "set", pupil, "--subject", "rea", "--value", "5S", *to_come).out
    target = said.split("target ")[1].removesuffix(".\n")
    said = run("targets", "record", "-", *to_come, given="UPN,MAT,WRI\nB801200005001,5s,\n").out
    assert said == "1 targets are set for Summer 2027/28.\n"
    lines = [line.split() for line in run("targets", "list", pupil).out.splitlines()[1:]]
    assert {(line[-3], line[-2]) for line in lines} == {("REA", "5s"), ("MAT", "5s")}
    assert run("targets", "remove", pupil, target, "--reason", "Too easy").out == "Removed.\n"
    assert len(run("targets", "list", pupil, "--json").json["targets"]) == 1


def test_statements_are_registered_judged_and_shown(run: Run, head: str, tmp_path: Path) -> None:
    pupil = admit(run, "Adams")
    file = tmp_path / "statements.csv"
    file.write_text(
        'subject,code,band,text\nMAT,3N-04,3,I can count in hundreds\nMAT,3N-05,,"I can add, and take away"\n'
        "REA,3N-05,3,I can infer\n",
        encoding="utf-8",
    )
    assert run("statements", "register", file).out == "3 statements are registered.\n"
    assert "code" in run("statements", "register", file, expect=1).error
    assert "I can add, and take away" in run("statements", "list", "--subject", "MAT").out
    said = run("statements", "judge", pupil, "3n-04=achieved", *TERM).out
    assert said == "1 judgements are recorded.\n"
    assert "say which one" in run("statements", "judge", pupil, "3N-05=achieved", *TERM, expect=2).error
    run("statements", "judge", pupil, "3N-05=not-yet", *TERM, "--subject", "MAT")
    for wrong in ("3N-99=achieved", "3N-04", "=achieved"):
        run("statements", "judge", pupil, wrong, *TERM, expect=2)
    refused = run("statements", "judge", pupil, "3N-04=nearly", *TERM, expect=1)
    assert "one of not-yet, working-towards, achieved" in refused.error
    shown = run("statements", "show", pupil).out
    assert "MAT: 2 statements; 1 achieved, 1 not-yet" in shown
    assert "REA: 1 statements; none is judged" in shown
    [last] = [
        each["statement_id"] for each in run("statements", "list", "--json").json if each["subject"] == "REA"
    ]
    assert run("statements", "withdraw", last).out == "Withdrawn.\n"
    assert "withdrawn" in run("statements", "list").out
    for given, told in (
        ("subject,code\nMAT,1\n", "Text is missing"),
        ("subject,code,band,text\nMAT,1,three,Counts\n", "1 to 6, or nothing"),
        (f"subject,code,band,text\nMAT,1,{'9' * 5000},Counts\n", "1 to 6, or nothing"),
        ("subject,code,band,text\nMAT,1,7,Counts\n", "1 to 6, or nothing"),
    ):
        assert told in run("statements", "register", "-", expect=2, given=given).error
