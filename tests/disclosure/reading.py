"""What an analyst reads: the released tables and the rules, with the analysts' role and nothing else."""

from __future__ import annotations

from typing import Any

from projections.disclosure import Figure, Group, Row, Rules
from tests.conftest import TestDatabase
from tests.disclosure.attacker import Release
from tests.disclosure.whole_regions import EVERY, NC_YEAR, What, scale_of
from tests.ledger.roles import ANALYTICS

RULES = [name for name in Rules.__struct_fields__ if name != "version"]


def read(database: TestDatabase) -> dict[int, dict[What, Release]]:
    """Every release with each of its tables."""
    with database.connect(ANALYTICS) as analyst:
        made: list[tuple[Any, ...]] = analyst.execute(
            f"SELECT release, {', '.join(RULES)} FROM analytics.releases".encode()
        ).fetchall()
        figures: dict[int, dict[What, dict[Group, dict[str, Figure]]]] = {}
        rows: list[tuple[Any, ...]] = analyst.execute(
            "SELECT release, assessment_point, scheme, subject, nc_year, characteristic, category, measure, "
            "value, symbol FROM analytics.benchmarks"
        ).fetchall()
        deciles = analyst.execute("SELECT DISTINCT symbol FROM analytics.school_distribution").fetchall()
    rules = {number: Rules(**dict(zip(RULES, map(_plain, values), strict=True))) for number, *values in made}
    assert {symbol for (symbol,) in deciles} <= {"c"}, "there are too few schools for a distribution"
    for release, point, scheme, subject, nc_year, characteristic, category, measure, value, symbol in rows:
        assert nc_year == NC_YEAR
        table = figures.setdefault(release, {}).setdefault(What(point, scheme, subject), {})
        table.setdefault(Group(characteristic, category), {})[measure] = Figure(value, symbol)
    assert all(set(tables) <= set(EVERY) for tables in figures.values())
    return {
        number: {
            what: Release(
                {group: Row(**measures) for group, measures in table.items()},
                rules[number],
                scale_of(what),
            )
            for what, table in tables.items()
        }
        for number, tables in figures.items()
    }


def _plain(value: object) -> Any:
    """Numbers as the rules have them."""
    return value if isinstance(value, bool) else int(str(value).removesuffix(".00"))
