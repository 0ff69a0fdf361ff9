"""Making a projection again beside the live one, and changing over to it.

The rows are made, compared and brought up to date, and only then do workers wait, while the rest of the way
is made and the two versions change places, in one transaction. Readers wait for the last of it alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import LiteralString
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql

from domain.errors import Conflict, Misconfigured, NotFound
from domain.ledger.database import Connection
from domain.vault.service_keys import ServiceKeys
from projections.definitions import LIVE, NEXT, PREVIOUS, Definition, create, definition_of, protect
from projections.projection import Rebuildable
from projections.rebuilding.beside import CannotRebuild, catch_up
from projections.rebuilding.making import SQL, Made
from projections.rebuilding.pool import Told, made_of
from projections.registry import PACKAGE

NEAR = 500
"""Positions that may be left to go while workers wait."""

ROUNDS = 100
"""How often to come up to the live rows, at most, before changing over all the same."""

LOCK_TIMEOUT = 0.5
"""Seconds to wait for each lock: less than until PostgreSQL looks for deadlocks: nobody is a victim."""

PATIENCE = 60.0
"""Seconds to go on trying for the locks."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What making a projection's rows again has shown.

    Attributes:
        projection: The projection.
        compared: Whether the rows were compared: those of another version have other columns.
        schools: What it has shown of each school, by id.
        seconds: How long it took.
        switched: Whether the rows that were made have taken the place of the live ones.
    """

    projection: str
    compared: bool
    schools: list[Made]
    seconds: float
    switched: bool = False

    @property
    def different(self) -> list[Made]:
        """The schools whose live rows are not what their streams say, or whose rows could not be made."""
        return [school for school in self.schools if school.number or school.failure]


def verify(
    conninfo: str,
    service_keys: ServiceKeys,
    projection: Rebuildable,
    *,
    workers: int | None = None,
    told: Told | None = None,
    package: str = PACKAGE,
) -> Result:
    """Makes the rows of every school again, in memory, and compares them with the live ones; writes nothing.

    Args:
        conninfo: How to reach the database, as the worker's role or the owner.
        service_keys: The service's keys.
        projection: The projection.
        workers: How many processes; as many as there are processors, if not given.
        told: Is told how far it has come.
        package: Where the projection is.

    Raises:
        CannotRebuild: The live tables are of another version than this software.
    """
    began = time.monotonic()
    with _connected(conninfo) as connection:
        if not _is_live(connection, definition_of(projection.name, package)):
            raise CannotRebuild(f"The live tables of {projection.name} are of another version: rebuild it")
        schools = _schools(connection, projection.name)
    made = made_of(
        conninfo,
        service_keys,
        projection.name,
        schools,
        keep=False,
        workers=workers,
        told=told,
        package=package,
    )
    every = sorted(made, key=lambda school: school.school_id)
    return Result(projection=projection.name, compared=True, schools=every, seconds=time.monotonic() - began)


def rebuild(
    conninfo: str,
    service_keys: ServiceKeys,
    projection: Rebuildable,
    *,
    workers: int | None = None,
    told: Told | None = None,
    package: str = PACKAGE,
) -> Result:
    """Makes the rows of every school again, compares them with the live ones, and puts them in their place.

    What was live is kept, to go back to. A projection whose tables are defined otherwise by now comes into
    its new version so; there the rows are not compared.

    Args:
        conninfo: How to reach the database, as its owner.
        service_keys: The service's keys.
        projection: The projection.
        workers: How many processes; as many as there are processors, if not given.
        told: Is told how far it has come.
        package: Where the projection is.

    Raises:
        CannotRebuild: Rows of some schools could not be made, or the locks not be had; nothing was changed.
        Conflict: The projection is being rebuilt already.
    """
    began = time.monotonic()
    definition = definition_of(projection.name, package)
    with _connected(conninfo) as connection, _alone(connection, projection.name):
        compared = _is_live(connection, definition)
        _clear(connection, definition)
        create(connection, definition, NEXT)
        try:
            # They are analysed once they are full: while they fill, that would be work for nothing.
            _alter(connection, definition, "SET (autovacuum_enabled = off)")
            schools = _schools(connection, projection.name)
            made = made_of(
                conninfo,
                service_keys,
                projection.name,
                schools,
                keep=True,
                compare=compared,
                workers=workers,
                told=told,
                package=package,
            )
            every = sorted(made, key=lambda school: school.school_id)
            if failed := [school for school in every if school.failure]:
                raise CannotRebuild(
                    "The rows of some schools cannot be made of their streams; nothing was changed",
                    schools={str(school.school_id): school.failure for school in failed},
                )
            protect(connection, definition.tables, NEXT)
            _alter(connection, definition, "RESET (autovacuum_enabled)")
            for table in definition.tables:
                connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(NEXT, table)))
            _come_near(connection, projection, service_keys, NEXT)
            _change_over(connection, projection, service_keys, definition, NEXT)
        finally:
            _clear(connection, definition)
    return Result(
        projection=projection.name,
        compared=compared,
        schools=every,
        seconds=time.monotonic() - began,
        switched=True,
    )


def go_back(
    conninfo: str, service_keys: ServiceKeys, projection: Rebuildable, *, package: str = PACKAGE
) -> None:
    """Puts the version before in the place of the live one, which is then the one before.

    It is first brought up to date, and so has to be of this software's definition.

    Args:
        conninfo: How to reach the database, as its owner.
        service_keys: The service's keys.
        projection: The projection.
        package: Where the projection is.

    Raises:
        NotFound: There is no version before.
        CannotRebuild: It is of another definition, or the locks could not be had; nothing was changed.
        Conflict: The projection is being rebuilt.
    """
    definition = definition_of(projection.name, package)
    with _connected(conninfo) as connection, _alone(connection, projection.name):
        kept = connection.execute(SQL["previous_version"], [projection.name]).fetchone()
        if kept is None:
            raise NotFound(f"There is no version of {projection.name} to go back to")
        if kept[1] != definition.digest:
            raise CannotRebuild(
                f"The version before of {projection.name} was made by other software: go back with that"
            )
        _come_near(connection, projection, service_keys, PREVIOUS)
        _change_over(connection, projection, service_keys, definition, PREVIOUS)


def drop_previous(conninfo: str, projection: Rebuildable, *, package: str = PACKAGE) -> bool:
    """Drops the version that could be gone back to; false if there is none.

    What a rebuilding that was killed has left goes, too.

    Args:
        conninfo: How to reach the database, as its owner.
        projection: The projection.
        package: Where the projection is.
    """
    definition = definition_of(projection.name, package)
    with _connected(conninfo) as connection, _alone(connection, projection.name), connection.transaction():
        _clear(connection, definition)
        return _drop_previous(connection, projection.name)


@contextmanager
def _connected(conninfo: str) -> Iterator[Connection]:
    with psycopg.connect(conninfo, autocommit=True, application_name="target-tracker") as connection:
        connection.execute("SET client_min_messages = warning")
        try:
            yield connection
        except psycopg.errors.InsufficientPrivilege:
            raise Misconfigured(
                f"The role {connection.info.user} may not do this: connect as the owner of the database"
            ) from None


@contextmanager
def _alone(connection: Connection, name: str) -> Iterator[None]:
    """Keeps others from rebuilding the projection meanwhile."""
    row = connection.execute(SQL["try_lock"], [name]).fetchone()
    if not (row and row[0]):
        raise Conflict(f"{name} is being rebuilt already")
    try:
        yield
    finally:
        with suppress(psycopg.OperationalError):  # of a lost connection the server ends the lock
            connection.execute(SQL["unlock"], [name])


def _is_live(connection: Connection, definition: Definition) -> bool:
    live = connection.execute(SQL["live_version"], [definition.name]).fetchone()
    return bool(live and live[1] == definition.digest)


def _schools(connection: Connection, name: str) -> list[tuple[UUID, int]]:
    return [(row[0], row[1]) for row in connection.execute(SQL["schools"], [name])]


def _clear(connection: Connection, definition: Definition) -> None:
    """Removes what an attempt has left."""
    with connection.transaction():
        _drop(connection, NEXT, definition.tables)
        connection.execute(SQL["forget"], [definition.name])


def _alter(connection: Connection, definition: Definition, how: LiteralString) -> None:
    for table in definition.tables:
        connection.execute(sql.SQL("ALTER TABLE {} " + how).format(sql.Identifier(NEXT, table)))


def _drop(connection: Connection, schema: str, tables: Sequence[str]) -> None:
    for table in tables:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(schema, table)))


def _drop_previous(connection: Connection, name: str) -> bool:
    kept = connection.execute(SQL["previous_version"], [name]).fetchone()
    if kept:
        _drop(connection, PREVIOUS, kept[0])
        connection.execute(SQL["drop_previous_version"], [name])
    connection.execute(SQL["forget_previous"], [name])
    return kept is not None


def _come_near(
    connection: Connection, projection: Rebuildable, service_keys: ServiceKeys, schema: str
) -> None:
    """Brings rows up to the live ones, while these move on, until little is left to go."""
    for _ in range(ROUNDS):
        if catch_up(connection, projection, service_keys, schema) < NEAR:
            return


def _change_over(
    connection: Connection,
    projection: Rebuildable,
    service_keys: ServiceKeys,
    definition: Definition,
    schema: str,
) -> None:
    """Changes over to the rows in a schema, and tries again where somebody holds a lock for long."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT:g}s'")
                connection.execute(SQL["stop_workers"])
                catch_up(connection, projection, service_keys, schema)
                _exchange(connection, definition, schema)
        except psycopg.errors.LockNotAvailable:
            if time.monotonic() > deadline:
                raise CannotRebuild(
                    "Somebody has held the live tables or checkpoints for a minute: nothing was changed"
                ) from None
        else:
            return
        time.sleep(0.2)
        _come_near(connection, projection, service_keys, schema)


def _exchange(connection: Connection, definition: Definition, schema: str) -> None:
    """Puts the tables of a schema in the place of the live ones, while nobody writes these."""
    name = definition.name
    live = connection.execute(SQL["live_version"], [name]).fetchone()
    tables: list[str] = live[0] if live else []
    connection.execute(SQL["level"].replace(NEXT.encode(), schema.encode()), [name])
    # All at once and first of all: whoever reads several of them must not wait for us while we wait for them.
    for_good = sql.SQL(", ").join(sql.Identifier(LIVE, table) for table in tables)
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(for_good))
    if schema == PREVIOUS:
        _move(connection, PREVIOUS, NEXT, definition.tables)
        connection.execute(SQL["drop_previous_version"], [name])
        connection.execute(SQL["forget_previous"], [name])
    else:
        _drop_previous(connection, name)
    _move(connection, LIVE, PREVIOUS, tables)
    connection.execute(SQL["keep_version"], [name])
    connection.execute(SQL["keep_places"], [name])
    _move(connection, NEXT, LIVE, definition.tables)
    connection.execute(SQL["set_version"], [definition.tables, definition.digest, name])
    connection.execute(SQL["forget"], [name])


def _move(connection: Connection, schema: str, to: str, tables: Sequence[str]) -> None:
    for table in tables:
        connection.execute(
            sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(sql.Identifier(schema, table), sql.Identifier(to))
        )
