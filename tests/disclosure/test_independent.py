"""ACRO, the checker of research outputs that British research data services use, looks at what is told.

It knows the same rules for a single cell: a threshold, dominance of n by k per cent, and p per cent. It
knows no secondary suppression and no differences between releases. It wants a pandas that is older than
ours, so that it lives in an environment of its own:

    python -m venv /somewhere && /somewhere/bin/pip install acro==1.0.2
    ACRO_PYTHON=/somewhere/bin/python pytest tests/disclosure/test_independent.py
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from projections.disclosure import Measure, Rules, Table, protect
from tests.disclosure.regions import region, table_of

PYTHON = os.environ.get("ACRO_PYTHON", "")

pytestmark = pytest.mark.skipif(not PYTHON, reason="ACRO_PYTHON names no interpreter that has ACRO")

RULES = Rules()
COUNTS: tuple[Measure, ...] = ("pupils", "below", "at", "above")

THRESHOLD, DOMINANCE, P_PERCENT = "MinimumThresholdCheck", "NKCheck", "PPercentCheck"


def checked(cells: Mapping[str, Sequence[int]], rules: Rules = RULES) -> dict[str, list[str]]:
    """The checks that each cell fails, in the eyes of ACRO. Its records are schools."""
    lines = [
        "cell,value",
        *(f"{cell},{value}" for cell, values in cells.items() for value in values if value),
    ]
    parameters = {
        "safe_threshold": rules.minimum_schools,
        "safe_nk_n": rules.dominance_n,
        "safe_nk_k": rules.dominance_k / 100,
        "safe_pratio_p": rules.p_percent / 100,
    }
    done = subprocess.run(
        [PYTHON, str(Path(__file__).with_name("acro_checks.py")), json.dumps(parameters)],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    failed: dict[str, list[str]] = json.loads(done.stdout)
    assert failed.keys() == {cell for cell, values in cells.items() if any(values)}
    return failed


def shown(table: Table, rules: Rules) -> dict[str, list[int]]:
    """Of each count that is shown, what the schools contribute."""
    return {
        "/".join((*group, measure)): [getattr(each, measure) for each in table[group].values()]
        for group, row in protect(table, rules).rows.items()
        for measure in COUNTS
        if row.figure(measure).value is not None
    }


def regions() -> list[Table]:
    return [table_of(region(seed, schools, (3, 25))) for seed in range(10, 16) for schools in (5, 12)]


def test_nothing_that_is_shown_fails_its_checks() -> None:
    cells = {
        f"{place}/{name}": values
        for place, table in enumerate(regions())
        for name, values in shown(table, RULES).items()
    }
    assert len(cells) > 150
    assert {cell: failed for cell, failed in checked(cells).items() if failed} == {}


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        (THRESHOLD, {"minimum_schools": 1, "dominance_k": 100, "p_percent": 0}),
        (DOMINANCE, {"dominance_k": 100}),
        (P_PERCENT, {"p_percent": 0}),
    ],
)
def test_it_would_notice_a_rule_that_is_missing(check: str, changes: Mapping[str, int]) -> None:
    """The sabotaged twins."""
    weak = msgspec.structs.replace(RULES, **changes)
    tables = [table_of(region(seed, schools, (1, 10))) for seed in (3, 11, 21) for schools in (2, 5, 12)]
    cells = {
        f"{place}/{name}": values
        for place, table in enumerate(tables)
        for name, values in shown(table, weak).items()
    }
    assert any(check in failed for failed in checked(cells).values())


def test_it_judges_as_our_rules_do() -> None:
    chance = random.Random(4)
    cells = {
        str(number): [1 + int(chance.paretovariate(0.6)) for _ in range(chance.randint(3, 8))]
        for number in range(400)
    }
    failed = checked(cells)
    verdicts = set()
    for number, values in cells.items():
        ours = RULES.concentrated(sorted(values, reverse=True)[:2], sum(values))
        verdicts.add(ours)
        if ours == "dominance":
            assert DOMINANCE in failed[number], values
        elif ours == "p_percent":
            assert failed[number] == [P_PERCENT], values
        else:
            assert failed[number] == [], values
    assert verdicts == {None, "dominance", "p_percent"}
