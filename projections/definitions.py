"""The tables of projections, as their own SQL files define them: made when they are absent, and versioned.

Only the shape stands there. What all of them have in common is added here: a row belongs to a school, is seen
by whoever is bound to that school, read by the API's role and written by the worker's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from psycopg import sql

from domain.errors import Misconfigured
from domain.ledger.database import Connection
from domain.ledger.sql import load

LIVE, NEXT, PREVIOUS = "projections", "projections_next", "projections_previous"
"""The schemas of the version that is read, of one that is being made, and of the one before."""

SQL = load("projections", "versions.sql")

_CREATE = re.compile(r"\bCREATE TABLE projections\.(\w+)", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Definition:
    """How the tables of a projection are made.

    Attributes:
        name: The projection's name.
        statements: What makes its tables in the schema `projections`.
    """

    name: str
    statements: str

    @property
    def tables(self) -> list[str]:
        """The names of its tables, in the order in which they are made."""
        return _CREATE.findall(self.statements)

    @property
    def digest(self) -> str:
        """SHA-256 of the statements, but for comments and how they are laid out: the version."""
        return hashlib.sha256(_SPACE.sub(" ", _COMMENT.sub("", self.statements)).encode()).hexdigest()

    def in_schema(self, schema: str) -> bytes:
        """The statements for another schema."""
        return in_schema(self.statements.encode(), self.tables, schema)


def in_schema(statement: bytes, tables: Iterable[str], schema: str) -> bytes:
    """A statement about these tables of the schema `projections`, told of those in another one."""
    pattern = rb"\bprojections\.(?=(?:%s)\b)" % b"|".join(table.encode() for table in tables)
    return re.sub(pattern, f"{schema}.".encode(), statement)


def definition_of(name: str, package: str = "projections") -> Definition:
    """The definition of a projection, from the part `tables` of its SQL file.

    Raises:
        Misconfigured: It makes no table.
    """
    definition = Definition(name, load(package, f"{name}.sql")["tables"].decode())
    if not definition.tables:
        raise Misconfigured(f"{package}/{name}.sql makes no table: CREATE TABLE projections.{name} (...)")
    return definition


def definitions(package: str = "projections") -> list[Definition]:
    """Every definition in a package, by name."""
    return [
        definition_of(name, package)
        for name in sorted(
            f.name.removesuffix(".sql") for f in files(package).iterdir() if f.name.endswith(".sql")
        )
        if "tables" in load(package, f"{name}.sql")
    ]


def add_missing(connection: Connection, package: str = "projections") -> list[str]:
    """Makes the tables of projections that have none yet, as the owner; safe to run again.

    What is there already is left as it is: a projection whose definition has changed is rebuilt, with
    `target-tracker projections rebuild`.

    Returns:
        The names of the projections whose tables were made.
    """
    made = []
    for definition in definitions(package):
        with connection.transaction():
            if connection.execute(SQL["version"], [definition.name]).fetchone():
                continue
            missing = connection.execute(SQL["absent"], [definition.tables, LIVE]).fetchall()
            if missing:
                create(connection, definition, LIVE)
                protect(connection, definition.tables, LIVE)
                made.append(definition.name)
            connection.execute(SQL["add_version"], [definition.name, definition.tables, definition.digest])
    return made


def create(connection: Connection, definition: Definition, schema: str) -> None:
    """Makes the tables in a schema, as yet for the owner alone, and not confined to a school."""
    connection.execute(definition.in_schema(schema), prepare=False)


def protect(connection: Connection, tables: Iterable[str], schema: str) -> None:
    """Confines everybody to one school, and lets the API's role read and the worker's write."""
    for table in tables:
        for statement in _PROTECTION:
            connection.execute(_about(statement, schema, table), prepare=False)


_PROTECTION = (
    sql.SQL("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"),
    sql.SQL("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"),
    sql.SQL(
        "CREATE POLICY one_school ON {table} USING (school_id = (SELECT ledger.bound_school())) "
        "WITH CHECK (school_id = (SELECT ledger.bound_school()))"
    ),
    sql.SQL("GRANT SELECT ON {table} TO target_tracker_api"),
    sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO target_tracker_worker"),
)


def _about(statement: sql.SQL, schema: str, table: str) -> sql.Composed:
    return statement.format(table=sql.Identifier(schema, table))


def changed(connection: Connection, package: str = "projections") -> list[str]:
    """The projections whose live tables are of another version than this software, or missing."""
    live: dict[str, str] = dict(connection.execute(SQL["versions"]).fetchall())
    return [each.name for each in definitions(package) if live.get(each.name) != each.digest]


def check(connection: Connection, package: str = "projections") -> None:
    """Sees to it that the live tables are those that this software keeps.

    Raises:
        Misconfigured: Those of some projections are not.
    """
    if names := changed(connection, package):
        raise Misconfigured(
            f"The tables of {', '.join(names)} are not those of this version: as the owner of the database, "
            "run target-tracker migrate and, if that does not help, target-tracker projections rebuild NAME"
        )
