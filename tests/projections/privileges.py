"""What a role can do in a database, found by trying everything that the catalogue lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg

Session = psycopg.Connection[tuple[Any, ...]]


def _ours(column: str) -> str:
    return f"{column} NOT IN ('pg_catalog', 'information_schema') AND {column} !~ '^pg_(toast|temp)'"


def relations(superuser: Session) -> list[str]:
    """Every table, view, sequence and the like of every schema that is not PostgreSQL's own."""
    return _names(
        superuser,
        "SELECT format('%I.%I', n.nspname, c.relname) "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S') AND {_ours('n.nspname')} ORDER BY 1",
    )


def system_relations(superuser: Session) -> list[str]:
    """Every table and view of PostgreSQL's own."""
    return _names(
        superuser,
        "SELECT format('%I.%I', n.nspname, c.relname) "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT ({_ours('n.nspname')}) "
        "AND n.nspname !~ '^pg_temp' ORDER BY 1",
    )


def schemas(superuser: Session) -> list[str]:
    """Every schema."""
    return _names(superuser, "SELECT quote_ident(nspname) FROM pg_namespace ORDER BY 1")


def roles(superuser: Session) -> list[str]:
    """Every role of the server."""
    return _names(superuser, "SELECT quote_ident(rolname) FROM pg_roles ORDER BY 1")


def calls(superuser: Session) -> list[str]:
    """A call of every function of ours, with nulls: privilege is looked at before arguments are."""
    return _names(
        superuser,
        "SELECT format('SELECT %I.%I(%s)', n.nspname, p.proname, array_to_string(ARRAY("
        "SELECT 'NULL::' || format_type(t.type, NULL) "
        "FROM unnest(p.proargtypes) WITH ORDINALITY t (type, place) ORDER BY t.place), ', ')) "
        "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        f"WHERE p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype AND {_ours('n.nspname')} ORDER BY 1",
    )


def extensions(superuser: Session) -> list[str]:
    """Every extension that the server could make, `dblink` and `postgres_fdw` among them."""
    return _names(superuser, "SELECT quote_ident(name) FROM pg_available_extensions ORDER BY 1")


def writers_of_large_objects(superuser: Session) -> list[str]:
    """PostgreSQL's own functions that make a large object, each called as it would be."""
    arguments = {
        "lo_create": "(0)",
        "lo_creat": "(-1)",
        "lo_from_bytea": "(0, '')",
        "lo_import": "('PG_VERSION')",
    }
    found = _names(
        superuser,
        "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace "
        "AND proname IN ('lo_create', 'lo_creat', 'lo_from_bytea', 'lo_import') ORDER BY 1",
    )
    return [f"SELECT {name}{arguments[name]}" for name in found]


def _names(session: Session, statement: str) -> list[str]:
    return [str(name) for (name,) in session.execute(statement.encode())]


NOTHING_GRANTED = "01007"
"""PostgreSQL only warns whoever grants what they have, and may not hand on: nothing is granted then."""


def done(session: Session, statements: Iterable[str]) -> list[str]:
    """Those of the statements that were carried out, each of which is taken back."""
    warned: list[str | None] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        warned.append(diagnostic.sqlstate)

    session.add_notice_handler(note)
    found = []
    for statement in statements:
        warned.clear()
        if not _failed(session, statement) and NOTHING_GRANTED not in warned:
            found.append(statement)
    session.remove_notice_handler(note)
    return found


def _failed(session: Session, statement: str) -> bool:
    try:
        with session.transaction(force_rollback=True):
            session.execute(statement.encode())
    except psycopg.Error:
        return True
    return False


def readable(session: Session, names: Iterable[str]) -> list[str]:
    """The relations that can be read."""
    return [name for name in names if not _failed(session, f"SELECT * FROM {name} LIMIT 1")]


def changes(names: Iterable[str]) -> Iterator[str]:
    """Statements that would change each relation, if they were carried out."""
    for name in names:
        yield f"INSERT INTO {name} DEFAULT VALUES"
        yield f"INSERT INTO {name} SELECT * FROM {name} WHERE false"
        yield f"DELETE FROM {name} WHERE false"
        yield f"TRUNCATE {name}"
        yield f"LOCK TABLE {name} IN ROW EXCLUSIVE MODE"
        yield f"ALTER TABLE {name} RENAME TO taken"
        yield f"DROP TABLE {name}"
        yield f"COMMENT ON TABLE {name} IS 'mine'"
        yield f"GRANT SELECT ON {name} TO PUBLIC"
        yield f"SELECT nextval('{name}')"


def found_in(session: Session, names: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """The relations, of those that can be read, in which one of the secrets stands in any form of text."""
    words = [secret.lower() for secret in secrets]
    found = []
    for name in names:
        try:
            with session.transaction(force_rollback=True):
                rows = session.execute(f"SELECT t::text FROM {name} t".encode()).fetchall()
        except psycopg.Error:
            continue
        text = "\n".join(str(row[0]) for row in rows).lower()
        if any(word in text for word in words):
            found.append(name)
    return found
