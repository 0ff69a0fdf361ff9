"""The page of promises: every promise is there, and what it names as kept or begun can be run."""

from __future__ import annotations

import os

import pytest

from tests.documents import ROOT, code_spans, names_of_tests, tables_of, wrong_with_command

PAGE = ROOT / "docs" / "promises.md"

PROMISES = (
    *("D1", "D2", "D3", "D4"),
    *("S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11"),
    *("A1", "A2", "A3"),
    *("C1", "C2", "C3", "C4"),
    *("K1", "K2", "K3"),
    *("U1", "U2", "U3", "U4", "U5"),
    *("T1", "T2", "T3", "T4", "T5", "T6"),
    *("E1", "E2", "E3", "E4"),
)

KEPT, BEGUN, NOT_YET = "kept", "begun", "not yet"


def problems(text: str) -> list[str]:
    """What is wrong with the page."""
    rows = [row for row in tables_of(text) if "promise" in row]
    ids = [row["id"] for row in rows]
    found = [f"{promise} is missing" for promise in PROMISES if promise not in ids]
    found += [f"{promise} is no promise, or there twice" for promise in ids if ids.count(promise) > 1]
    found += [f"{promise} is not known" for promise in ids if promise not in PROMISES]
    for row in rows:
        found += [f"{row['id']}: {problem}" for problem in _problems_of(row)]
    return found


def _problems_of(row: dict[str, str]) -> list[str]:
    state, shown, missing = row["state"], code_spans(row["shown by"]), row["still missing"]
    found = [problem for reference in shown if (problem := _wrong_with(reference))]
    if state not in {KEPT, BEGUN, NOT_YET}:
        found.append(f"{state!r} is not a state")
    if state in {KEPT, BEGUN} and not shown:
        found.append(f"it is {state}, and nothing shows it")
    if state == NOT_YET and shown:
        found.append("it is not yet so, and something shows it")
    if state == BEGUN and not missing:
        found.append("it is begun, and nothing is missing")
    if state == KEPT and missing:
        found.append("it is kept, and something is missing")
    return found


def _wrong_with(reference: str) -> str | None:
    """Why a reference is nothing that runs; nothing, if it is."""
    path, _, name = reference.partition("::")
    if name:
        file = ROOT / path
        there = path.startswith("tests/") and file.is_file() and name in names_of_tests(file)
        return None if there else f"there is no test {reference}"
    if reference.startswith("target-tracker "):
        return wrong_with_command(reference.removeprefix("target-tracker"))
    if reference.startswith("scripts/"):
        return None if os.access(ROOT / reference, os.X_OK) else f"{reference} cannot be run"
    return f"{reference} is neither a test nor a command"


def test_every_promise_is_there_and_what_shows_it_can_be_run() -> None:
    assert problems(PAGE.read_text(encoding="utf-8")) == []


U1 = "tests/application/test_accounts.py::test_changes_to_an_account"


@pytest.mark.parametrize(
    ("wrong", "right", "problem"),
    [
        (
            "::test_that_is_not_there",
            "::test_changes_to_an_account",
            "U1: there is no test tests/application/",
        ),
        ("tests/nowhere.py::test_a", U1, "U1: there is no test tests/nowhere.py::test_a"),
        ("README.md", U1, "U1: README.md is neither a test nor a command"),
        ("`target-tracker staff sing`", "`target-tracker staff set-password`", "there is no command sing"),
        ("`scripts/dance`", "`scripts/demo`", "D2: scripts/dance cannot be run"),
        ("| Z9 |", "| E4 |", "E4 is missing"),
        ("| E3 |", "| E4 |", "E3 is no promise, or there twice"),
        ("| promised |", "| kept |", "'promised' is not a state"),
        ("| kept | |", "| not yet | |", "it is kept, and nothing shows it"),
    ],
)
def test_a_page_that_promises_too_much_would_be_noticed(wrong: str, right: str, problem: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert right in text
    assert any(problem in found for found in problems(text.replace(right, wrong)))
