"""Every data file is whole and sound, and the check that says so finds what is not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from domain.codes.entries import COLUMNS, CodeEntry, rows_of
from domain.codes.registry import SETS, published_sets
from domain.codes.sets import CodeSet

DATA = Path(__file__).parents[3] / "domain" / "codes" / "data"

NO_CODES = {"sets", "steps"}
"""Data files that are no lists of codes."""

LENGTHS = {
    "sex": 4,
    "nc-year": 18,
    "ethnicity": 100,
    "language": 319,
    "proficiency-in-english": 6,
    "sen-provision": 7,
    "sen-type": 15,
    "free-school-meals": 3,
    "pupil-premium": 5,
    "service-child": 4,
    "in-care": 5,
    "post-looked-after": 6,
    "kinship-care": 4,
    "young-carer": 3,
    "attendance": 60,
    "enrolment-status": 7,
    "leaving-reason": 18,
    "leaving-destination": 7,
    "upn-unknown-reason": 10,
    "code-source": 5,
    "subject": 13,
    "assessment-stage": 30,
    "assessment-subject": 46,
    "assessment-component": 40,
    "assessment-method": 5,
    "result-qualifier": 31,
    "result-status": 5,
    "outcome-eyfs-profile": 5,
    "outcome-phonics": 6,
    "outcome-teacher-assessment": 21,
    "outcome-test": 19,
    "outcome-multiplication-tables": 10,
    "outcome-key-stage-1-level": 10,
}
"""How many entries each list has."""

every_set = pytest.mark.parametrize("codes", SETS.values(), ids=SETS)


def flaws(codes: CodeSet) -> list[str]:
    """What is wrong with a list."""
    try:
        entries, ranges = codes.entries, codes.ranges
    except (KeyError, ValueError) as error:
        return [f"cannot be read: {error}"]
    found = [flaw for entry in entries for flaw in _flaws_of(entry, codes)]
    found += [
        f"{each.description}: not a range from {each.lowest} to {each.highest}"
        for each in ranges
        if not each.lowest <= (each.expected or each.lowest) <= each.highest
    ]
    periods: dict[str, list[CodeEntry]] = {}
    for entry in entries:
        periods.setdefault(entry.code.upper(), []).append(entry)
    for code, meanings in periods.items():
        if len({entry.code for entry in meanings}) > 1:
            found.append(f"{code}: spelled in two ways")
        for earlier, later in pairwise(sorted(meanings, key=lambda each: each.begins)):
            if later.begins <= earlier.ends:
                found.append(f"{code}: two meanings on {later.begins.isoformat()}")
    return found


def _flaws_of(entry: CodeEntry, codes: CodeSet) -> Iterator[str]:
    if not re.fullmatch(r"[!-?A-~]{1,20}", entry.code):
        yield f"{entry.code}: not a code"
    if not entry.description.strip() or entry.description != entry.description.strip():
        yield f"{entry.code}: not described"
    if entry.begins > entry.ends:
        yield f"{entry.code}: ends before it begins"
    if entry.successor and entry.valid_to is None and not entry.note:
        yield f"{entry.code}: succeeded, but nothing says when"
    if entry.successor:
        successor = codes.entry(entry.successor)
        if successor is None or successor.code != entry.successor:
            yield f"{entry.code}: no successor {entry.successor}"
        elif successor.code == entry.code or successor.ends < entry.ends:
            yield f"{entry.code}: {successor.code} ends before it"


@every_set
def test_every_list_is_sound(codes: CodeSet) -> None:
    assert flaws(codes) == []


@pytest.mark.parametrize(("name", "length"), LENGTHS.items())
def test_every_list_is_whole(name: str, length: int) -> None:
    assert len(SETS[name].entries) == length


def test_no_list_is_left_out() -> None:
    assert set(LENGTHS) == set(SETS) == {row["name"] for row in rows_of("sets")} == set(published_sets())
    files = {file.stem for file in DATA.glob("*.csv")}
    assert {codes.file for codes in SETS.values()} == files - NO_CODES
    assert len({codes.file for codes in SETS.values()}) == len(SETS)
    described = re.findall(r"`(\w+)\.csv`", (DATA / "README.md").read_text(encoding="utf-8"))
    assert set(described) == files


@every_set
def test_every_file_has_the_same_first_columns(codes: CodeSet) -> None:
    first, *_ = rows_of(codes.file)
    assert tuple(first)[: len(COLUMNS)] == COLUMNS


def test_every_list_has_a_title_and_a_source() -> None:
    for published in published_sets().values():
        assert published.title.strip()
        assert published.source.strip()
        assert re.fullmatch(r"[a-z0-9-]+", published.name)


def test_every_inferred_date_says_so() -> None:
    """A period of which no source states the days is marked in its note."""
    stated = {"attendance": {"2024-08-19", "2024-08-18"}, "sen-provision": {"2001-09-01"}}
    stated["sen-provision"] |= {"2014-09-01", "2018-03-31"}
    for name, codes in SETS.items():
        for entry in codes.entries:
            days = {day.isoformat() for day in (entry.valid_from, entry.valid_to) if day}
            if days - stated.get(name, set()):
                assert "inferred" in (entry.note or ""), (name, entry.code)


def row(code: str, valid_from: str = "", valid_to: str = "", **more: str) -> Mapping[str, str]:
    return {
        "code": code,
        "description": f"What {code} means",
        "valid_from": valid_from,
        "valid_to": valid_to,
        "successor": "",
        "note": "",
    } | more


BROKEN: list[tuple[list[Mapping[str, str]], str]] = [
    ([row("A", "", "2020-08-31"), row("A", "2020-08-31", "")], "A: two meanings on 2020-08-31"),
    ([row("A"), row("A", "2020-09-01")], "A: two meanings on 2020-09-01"),
    ([row("A", "2019-09-01", "2020-08-31"), row("a", "2020-01-01")], "A: two meanings on 2020-01-01"),
    ([row("A", "", "2020-08-31"), row("a", "2020-09-01")], "A: spelled in two ways"),
    ([row("A", "2020-09-01", "2020-08-31")], "A: ends before it begins"),
    ([row("A", "", "2020-08-31", successor="B")], "A: no successor B"),
    ([row("A", "", "2020-08-31", successor="b"), row("B")], "A: no successor b"),
    ([row("A", successor="B"), row("B")], "A: succeeded, but nothing says when"),
    (
        [row("A", "", "2020-08-31", successor="B"), row("B", "", "2019-08-31")],
        "A: B ends before it",
    ),
    ([row("A", description=" ")], "A: not described"),
    ([row("A B")], "A B: not a code"),
    ([row("A", "2020-02-30")], "cannot be read"),
    ([row("A", "01/09/2020")], "cannot be read"),
    ([row("", lowest="40", highest="0", expected="")], "not a range from 40 to 0"),
    ([row("", lowest="0", highest="40", expected="41")], "not a range from 0 to 40"),
    ([row("", lowest="0", highest="forty", expected="")], "cannot be read"),
]


@pytest.mark.parametrize(("rows", "said"), BROKEN)
def test_a_broken_list_is_found(rows: list[Mapping[str, str]], said: str) -> None:
    """The sabotaged twins."""
    found = flaws(CodeSet("broken", "broken", rows=rows))
    assert any(said in flaw for flaw in found), found


def test_a_sound_list_passes() -> None:
    rows = [
        row("A", "", "2020-08-31", successor="B"),
        row("A", "2020-09-01"),
        row("B", "2020-09-01"),
        row("", lowest="0", highest="40", expected="32"),
    ]
    assert flaws(CodeSet("sound", "sound", rows=rows)) == []


def test_a_real_list_with_one_day_too_many_is_found() -> None:
    rows = [dict(each) for each in rows_of("attendance_marks")]
    assert flaws(CodeSet("attendance", "attendance_marks", rows=rows)) == []
    for each in rows:
        if each["code"] == "C" and each["valid_to"]:
            each["valid_to"] = "2024-08-19"
    assert flaws(CodeSet("attendance", "attendance_marks", rows=rows)) == ["C: two meanings on 2024-08-19"]
