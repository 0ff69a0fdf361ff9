"""The code sets through the command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from domain.codes.registry import SETS
from scripts.cli.client import Client
from scripts.cli.remembered import recall
from tests.cli.conftest import Run, Service
from tests.cli.test_output import on_terminal


def lines_of(text: str) -> dict[str, list[str]]:
    """The lines of a table by their first word; a code may have several."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        found.setdefault(line.partition(" ")[0], []).append(line)
    return found


def test_sets_are_listed_and_shown(run: Run, head: str) -> None:
    listed = lines_of(run("codes").out)
    assert set(SETS) <= set(listed)
    assert listed["sen-provision"] == [f"{'sen-provision':29}      7  SEN provision"]
    shown = run("codes", "sen-provision").out
    assert shown.startswith("SEN provision\nCode  Stands for ")
    provision = lines_of(shown)
    assert re.split(r"  +", provision["P"][0]) == [
        "P",
        "School Action Plus or Early Years Action Plus",
        "01 Sep 2001",
        "31 Aug 2015",
        "K",
    ]
    assert re.split(r"  +", provision["N"][0]) == ["N", "No special educational need", "–", "–", "–"]
    assert "A, P: the end is inferred: the 2015/16 school census does not take A and P" in shown.splitlines()
    assert shown.splitlines()[-1] == "Source: SIF UK 2.6 data definitions; DfE's school census guides"


def test_a_set_as_it_was_on_a_day(run: Run, head: str) -> None:
    before = lines_of(run("codes", "attendance", "--on", "18/08/2024").out)
    after = lines_of(run("codes", "attendance", "--on", "2024-08-19").out)
    assert "H" in before
    assert "H" not in after
    assert "J1" in after
    assert "J1" not in before
    assert "approved educational activity" in before["J"][0]
    assert "on 18 Aug 2024" in before["Attendance,"][0]
    assert len(before["C"]) == len(after["C"]) == 1
    assert len(lines_of(run("codes", "Attendance").out)["C"]) == 2


def test_what_a_set_says_besides(run: Run, head: str) -> None:
    languages = lines_of(run("codes", "language").out)
    assert languages["ENG"][0].split() == ["ENG", "English", "no"]
    assert languages["POL"][0].split() == ["POL", "Polish", "yes"]
    assert languages["AKAF,"] == ["AKAF, AKAT, ARAA and 61 more: four letters: in the list of 2018 only"]
    assert lines_of(run("codes", "ethnicity").out)["ANEP"][0].split() == ["ANEP", "Nepali", "AOTH"]
    phonics = run("codes", "outcome_phonics").out
    assert "Mark; 32 has met the standard in every year so far: 0 to 40, expected 32\n" in phonics
    assert "Scaled score (KS2): 80 to 120, expected 100\n" in run("codes", "outcome-test").out
    nobodys = run("codes", "outcome-key-stage-1-level", "--on", "2026-01-01").out
    assert "on 01 Jan 2026: no codes.\n" in nobodys


def test_json_is_the_apis_own(run: Run, service: Service, head: str) -> None:
    session = recall()
    assert session
    with Client(service.url, ca=service.certificates.ca, token=session.token) as client:
        for words, path, parameters in (
            (["codes"], "/v1/codes", {}),
            (["codes", "language"], "/v1/codes/language", {}),
            (["codes", "attendance", "--on", "18/08/2024"], "/v1/codes/attendance", {"on": "2024-08-18"}),
        ):
            assert run(*words, "--json").json == client.query(path, **parameters).body, words


@pytest.mark.parametrize("name", ["gender", "sex?on=2020-01-01", "sex#", "ÄÖÜ"])
def test_a_set_that_there_is_not(run: Run, head: str, name: str) -> None:
    said = run("codes", name, expect=1).error
    assert said.startswith("Not found: There is no code set of that name; there are: sex, nc-year, ethnicity")


def test_a_name_leads_nowhere_else(run: Run, head: str) -> None:
    assert run("codes", "../school", expect=1).error == "Not Found: There is nothing at this path\n"


def test_a_day_needs_a_set_and_must_be_one(run: Run, head: str) -> None:
    assert "Say which set" in run("codes", "--on", "2024-08-19", expect=2).error
    assert "is not a date" in run("codes", "attendance", "--on", "tomorrow", expect=2).error


def test_it_fits_into_80_columns_of_a_terminal(service: Service, head: str, home: Path) -> None:
    for words in (["codes"], *(["codes", name] for name in ("attendance", "assessment-component"))):
        ended, lines = on_terminal(service, home, words)
        assert ended == 0, lines
        assert max(map(cell_len, lines)) <= 80, words
    first = lines_of("\n".join(on_terminal(service, home, ["codes", "attendance"])[1]))
    assert first["Code"][0].split() == ["Code", "Stands", "for", "Counts", "as", "From", "Until", "Then"]
    assert first["J"][0].split()[-4:] == ["18", "Aug", "2024", "J1"], "no day is wrapped"


def test_without_a_session_there_is_nothing(run: Run, home: Path) -> None:
    assert "target-tracker login" in run("codes", expect=1).error
