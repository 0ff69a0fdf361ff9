"""Registers and attendance through the command."""

from __future__ import annotations

import csv
import stat
from datetime import timedelta
from pathlib import Path

from domain.school_time import today
from tests.cli.conftest import PASSWORD, Run, Service, admit, log_in

MONDAY = "2025-11-03"


def filled_in(file: Path, *cells: list[str]) -> None:
    """Fills a template in as a spreadsheet would save it."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.reader(opened))
    for row, given in zip(rows[1:], cells, strict=True):
        row[3:] = given
    with file.open("w", encoding="cp1252", newline="") as opened:
        csv.writer(opened).writerows(rows)


def test_a_register_is_filled_in_recorded_and_shown(run: Run, head: str, tmp_path: Path) -> None:
    for surname in ("Adams", "Brook", "=Carter"):
        admit(run, surname)
    file = tmp_path / "oak.csv"
    said = run(
        "attendance", "template", "--class", "oak", "--on", "03/11/2025", "--days", "2", "--output", file
    )
    assert f'attendance record {file} --class "Oak"' in said.out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    heading = file.read_text(encoding="utf-8-sig").splitlines()[0]
    assert heading == ("Pupil id,Surname,Forename,2025-11-03 AM,2025-11-03 PM,2025-11-04 AM,2025-11-04 PM")
    filled_in(file, ["/", "/", "", ""], ["/", "\\", "i", ""], ["\\", "L", "", "D"])
    recorded = run("attendance", "record", file, "--class", "Oak").out
    assert recorded == "8 sessions recorded, of 3 pupils.\n"
    shown = run("attendance", "register", "--class", "Oak", "--on", MONDAY).out.splitlines()
    assert shown[0] == "Oak, 03 Nov 2025"
    assert [line.split()[-2:] for line in shown[2:5]] == [["/", "\\"], ["/", "\\"], ["/", "L"]]
    assert shown[5:] == ["AM: 3 × /", "PM: 1 × L, 2 × \\"]
    again = run("attendance", "record", file, "--class", "Oak").out
    assert again == "Nothing in the file differs from what is recorded.\n"
    run("attendance", "template", "--class", "Oak", "--on", MONDAY, "--output", file)
    assert [row.split(",")[3:] for row in file.read_text(encoding="utf-8-sig").splitlines()[1:]] == [
        *(["/", "\\"], ["/", "\\"], ["/", "L"]),
    ]
    filled_in(file, ["/", "\\"], ["-", ""], ["/", "L"])
    corrected = run("attendance", "record", file, "--class", "Oak", "--reason", "It was another class")
    assert corrected.out == "1 session recorded, of 1 pupil.\n"
    register = run("attendance", "register", "--class", "Oak", "--on", MONDAY, "--json").json
    assert [row["am"] for row in register["pupils"]] == ["/", None, "/"]


def test_a_register_by_upn_on_standard_output_and_input(run: Run, head: str) -> None:
    admit(run, "Adams", upn="B801200005001")
    written = run("attendance", "template", "--class", "Oak").out.splitlines()
    assert written[0].endswith(f"{today().isoformat()} AM,{today().isoformat()} PM")
    given = "upn,Surname,03/11/2025 am\nb801200005001,Adams,i\n,,\n"
    said = run("attendance", "record", "-", "--class", "Oak", given=given)
    assert said.out == "1 session recorded, of 1 pupil.\n"


def test_a_wrong_register_is_refused_whole(run: Run, head: str) -> None:
    pupil, other = admit(run, "Adams", upn="B801200005001"), admit(run, "Brook", class_name="Elm")
    tomorrow = (today() + timedelta(days=1)).isoformat()
    for given, code, told in (
        (f"UPN,{MONDAY} AM\nB801200005001,/\nZ999999999999,/\n", 2, "the UPN of a pupil of this school"),
        ("UPN,Monday AM\nB801200005001,/\n", 2, "such as 2026-09-07 AM"),
        (f"UPN,{MONDAY} AM,03/11/2025 AM\nB801200005001,/,/\n", 2, "each of them once"),
        (f"Surname,{MONDAY} AM\nAdams,/\n", 2, "needs a column UPN or Pupil id"),
        ("UPN\nB801200005001\n", 2, "one for each session"),
        (f'UPN,{MONDAY} AM\nB801200005001,"/\n', 2, "is not a CSV file"),
        (f"Pupil id,{MONDAY} PM\n{pupil},H\n", 1, "for PM of 2025-11-03 one of"),
        (f"Pupil id,{tomorrow} AM\n{pupil},/\n", 1, "a day from 1990-01-01 to today"),
        (f"Pupil id,{MONDAY} AM\n{pupil},/\n{other},/\n", 1, "a pupil of this class"),
        (f"Pupil id,{MONDAY} AM\n{other},/\n", 1, "no class with that id, or none of these pupils"),
    ):
        assert told in run("attendance", "record", "-", "--class", "Oak", expect=code, given=given).error
    # What the service says of the second thing that was sent is said of the row that it came from.
    given = f"Pupil id,{MONDAY} AM\n{pupil},/\n,\n,\n{pupil},??\n"
    refused = run("attendance", "record", "-", "--class", "Oak", expect=1, given=given).error
    assert {line.split()[0] for line in refused.splitlines() if " am " in line} == {"5"}
    assert "–" in run("attendance", "register", "--class", "Oak", "--on", MONDAY).out
    assert "There is no class Yew" in run("attendance", "register", "--class", "Yew", expect=1).error


def test_the_attendance_of_a_pupil_is_marked_and_shown(run: Run, head: str) -> None:
    pupil = admit(run, "Adams")
    assert (
        run("attendance", "mark", pupil, "--on", MONDAY, "--am", "/", "--pm", "i").out
        == "2 sessions marked.\n"
    )
    run("attendance", "mark", pupil, "--on", "04/11/2025", "--am", "L")
    run("attendance", "mark", pupil, "--on", MONDAY, "--pm", "U", "--reason", "Came at two")
    shown = run("attendance", "show", pupil, "--year", "2025/26").out
    for line in (
        "Counted from          marks",
        "Possible sessions     3",
        "Attended              2 (66.7 %)",
        "Missed without leave  1",
        "Late                  1",
        "Persistently absent   yes",
        "Severely absent       no",
    ):
        assert line in shown
    assert [line.split() for line in shown.splitlines()[-2:]] == [
        ["03", "Nov", "2025", "/", "U"],
        ["04", "Nov", "2025", "L", "–"],
    ]
    period = ("--from", "04/11/2025", "--to", "04/11/2025", "--json")
    assert run("attendance", "show", pupil, *period).json["summary"]["attended"] == 1
    told = run("pupils", "history", pupil).out
    assert "attendance.marked" in told
    assert "reason Came at two" in told
    assert "Say what to mark" in run("attendance", "mark", pupil, expect=2).error
    refused = run("attendance", "mark", pupil, "--on", MONDAY, "--am", "H", expect=1)
    assert "J1" in refused.error
    assert "not both" in run("attendance", "show", pupil, "--year", "2025", *period, expect=1).error


TOTALS = ("--from", "2025-09-01", "--to", "19/12/2025")
NUMBERS = ("--attended", "130", "--authorised", "8", "--unauthorised", "2")


def test_totals_are_recorded_shown_and_voided(run: Run, head: str) -> None:
    pupil = admit(run, "Adams")
    refused = run("attendance", "totals", pupil, *TOTALS, *NUMBERS, "--possible", "141", expect=1)
    assert "possible 141, attended 130, authorised 8, unauthorised 2" in refused.error
    assert "130 + 8 + 2 = 140" in refused.error
    run("attendance", "totals", pupil, *TOTALS, *NUMBERS, "--possible", "140")
    shown = run("attendance", "show", pupil, "--year", "2025").out
    assert "Totals of             01 Sep 2025 to 19 Dec 2025" in shown
    assert "Attended              130 (92.9 %)" in shown
    run("attendance", "mark", pupil, "--on", MONDAY, "--am", "/")
    aside = run("attendance", "show", pupil, "--year", "2025").out
    assert "01 Sep 2025 to 19 Dec 2025: there are marks in their period" in aside
    run("attendance", "void-totals", pupil, *TOTALS, "--reason", "Of another child")
    assert "Set aside" not in run("attendance", "show", pupil, "--year", "2025").out
    assert "no totals" in run("attendance", "void-totals", pupil, *TOTALS, expect=1).error


def test_a_teacher_marks_the_own_class_alone(run: Run, service: Service, head: str) -> None:
    own, other = admit(run, "Adams"), admit(run, "Brook", class_name="Elm")
    run(
        "staff", "add", "teacher", "--name", "A Teacher", "--access", "limited-read-write", "--class", "Oak",
        "--password-file", "-", given=f"{PASSWORD}\n",
    )  # fmt: skip
    log_in(run, service, head, "teacher")
    run("attendance", "mark", own, "--on", MONDAY, "--am", "/")
    refused = run("attendance", "mark", other, "--on", MONDAY, "--am", "/", expect=1)
    assert "your own classes only" in refused.error


def test_nobody_leaves_before_sessions_that_are_marked(run: Run, head: str) -> None:
    pupil = admit(run, "Adams")
    run("attendance", "mark", pupil, "--on", MONDAY, "--am", "/")
    said = run("pupils", "leave", pupil, "--on", "31/10/2025", expect=1).error
    assert "1 session is marked after it" in said
    run("attendance", "mark", pupil, "--on", MONDAY, "--am", "-")
    assert run("pupils", "leave", pupil, "--on", "31/10/2025").out == "Off the roll from 31 Oct 2025.\n"
