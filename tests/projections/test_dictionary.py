"""Everything in `analytics` is described where it lies, in the data dictionary, and on a page made of it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from projections.benchmarks.dictionary import page
from scripts.embedded import OWNER
from tests.conftest import TestDatabase
from tests.documents import ROOT, tables_of
from tests.ledger.roles import ANALYTICS

PAGE = ROOT / "docs" / "data-dictionary.md"

COMMENTS = """
    SELECT c.relname, coalesce(a.attname, ''),
        CASE WHEN a.attname IS NULL THEN obj_description(c.oid, 'pg_class')
            ELSE col_description(c.oid, a.attnum) END,
        CASE WHEN a.attname IS NOT NULL THEN format_type(a.atttypid, a.atttypmod)
            WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END
    FROM pg_class c
    CROSS JOIN LATERAL (
        SELECT attname, attnum, atttypid, atttypmod FROM pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
        UNION ALL SELECT NULL, 0, NULL, NULL
    ) a
    WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
"""

Connection = psycopg.Connection[Any]


def not_described(connection: Connection) -> list[str]:
    """What of `analytics` has no comment, or another one, or another type, than the dictionary says."""
    comments = {
        (table, column): (description, type_)
        for table, column, description, type_ in connection.execute(COMMENTS.encode()).fetchall()
    }
    dictionary = {
        (table, column): (description, type_)
        for table, column, description, type_ in connection.execute(
            "SELECT table_name, column_name, description, type FROM analytics.data_dictionary"
        ).fetchall()
    }
    schema = connection.execute(
        "SELECT obj_description('analytics'::regnamespace, 'pg_namespace')"
    ).fetchone()
    found = [] if schema and schema[0] else ["analytics"]
    found += [
        ".".join(filter(None, place))
        for place in sorted(comments.keys() | dictionary.keys())
        if comments.get(place) != dictionary.get(place) or not (comments.get(place) or [None])[0]
    ]
    return found


def test_everything_is_described_in_the_same_words(test_database: TestDatabase) -> None:
    with test_database.connect(ANALYTICS) as analyst:
        assert not_described(analyst) == []
        assert len(analyst.execute(COMMENTS.encode()).fetchall()) > 80


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("CREATE TABLE analytics.fresh (figure integer)", ["fresh", "fresh.figure"]),
        ("CREATE VIEW analytics.seen AS SELECT symbol FROM analytics.symbols", ["seen", "seen.symbol"]),
        ("ALTER TABLE analytics.symbols ADD COLUMN colour text", ["symbols.colour"]),
        ("COMMENT ON COLUMN analytics.benchmarks.value IS NULL", ["benchmarks.value"]),
        ("COMMENT ON TABLE analytics.benchmarks IS 'Figures.'", ["benchmarks"]),
        ("COMMENT ON SCHEMA analytics IS NULL", ["analytics"]),
        ("ALTER TABLE analytics.school_bands ALTER from_value TYPE text", ["school_bands.from_value"]),
        ("DELETE FROM analytics.data_dictionary WHERE column_name = 'meaning'", ["symbols.meaning"]),
        ("INSERT INTO analytics.data_dictionary VALUES ('gone', '', 'table', NULL, 'Was here.')", ["gone"]),
    ],
)  # fmt: skip
def test_what_is_not_described_would_be_noticed(
    test_database: TestDatabase, statement: str, found: list[str]
) -> None:
    with test_database.connect(OWNER) as owner, owner.transaction(force_rollback=True):
        owner.execute(statement.encode())
        assert not_described(owner) == found


def test_the_page_is_what_the_tables_say(test_database: TestDatabase) -> None:
    with test_database.connect(ANALYTICS) as analyst:
        assert PAGE.read_text(encoding="utf-8") == page(analyst), (
            "write it anew: target-tracker benchmarks dictionary > docs/data-dictionary.md"
        )
    rows = [row for row in tables_of(PAGE.read_text(encoding="utf-8")) if "column" in row]
    assert {"column": "`decile`", "type": "smallint", "unit": "tenths"}.items() <= next(
        row.items() for row in rows if row["column"] == "`decile`"
    )


def test_a_page_that_is_out_of_date_would_be_noticed(test_database: TestDatabase) -> None:
    with test_database.connect(OWNER) as owner, owner.transaction(force_rollback=True):
        owner.execute("UPDATE analytics.symbols SET meaning = 'Hidden.' WHERE symbol = 'c'")
        assert PAGE.read_text(encoding="utf-8") != page(owner)
