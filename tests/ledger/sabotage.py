"""Ways to break `ledger.append` in a test's own database, to see that a check would notice."""

from __future__ import annotations

import re

from tests.conftest import TestDatabase


def rewrite_append(test_database: TestDatabase, *replacements: tuple[str, str]) -> None:
    """Replaces parts of the function, each of which must stand in it exactly once.

    Args:
        test_database: The database to break.
        replacements: A regular expression and what to put in its place, for each part.
    """
    with test_database.connect("postgres") as connection:
        row = connection.execute(
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'append'"
            " AND pronamespace = 'ledger'::regnamespace"
        ).fetchone()
        assert row is not None
        definition = str(row[0])
        for pattern, replacement in replacements:
            definition, count = re.subn(pattern, replacement, definition, flags=re.DOTALL)
            assert count == 1, f"{pattern!r} stands in the function {count} times"
        connection.execute(definition.encode())


def number_as_ordinary_stores_do(test_database: TestDatabase) -> None:
    """Takes the head's lock away: events are numbered from a sequence when they are inserted."""
    with test_database.connect("postgres") as connection:
        connection.execute("CREATE SEQUENCE ledger.numbers")
        connection.execute("GRANT USAGE ON SEQUENCE ledger.numbers TO target_tracker_api")
    rewrite_append(
        test_database,
        (r" FOR UPDATE;", ";"),
        (
            r"first_position := head_position \+ 1;",
            "SELECT min(nextval('ledger.numbers')) - 1 INTO head_position"
            " FROM generate_series(1, cardinality(originators));"
            " first_position := head_position + 1;",
        ),
        # Without the lock there is no tree to be kept, and no head.
        (
            r"FOREACH leaf IN ARRAY coalesce\(leaves, '\{\}'\) LOOP",
            "FOREACH leaf IN ARRAY '{}'::bytea[] LOOP",
        ),
        (r"UPDATE ledger\.streams s SET .*?;", ""),
    )


def forget_commands(test_database: TestDatabase) -> None:
    """Takes away what a repeated command is recognised by: the look for the first, and the primary key."""
    rewrite_append(test_database, (r"IF FOUND THEN\s+RETURN;\s+END IF;", ""))
    with test_database.connect("postgres") as connection:
        connection.execute("ALTER TABLE ledger.commands DROP CONSTRAINT commands_pkey")
