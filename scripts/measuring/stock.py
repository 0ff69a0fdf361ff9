"""The eventsourcing library as it comes, on the same server: what our figures are held against."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresFactory, PostgresTrackingRecorder
from eventsourcing.projection import Projection
from eventsourcing.utils import Environment


def environment(conninfo: str, *, create: bool = False) -> dict[str, str]:
    """The library's settings for a database; its tables lie in a schema of their own."""
    parts = psycopg.conninfo.conninfo_to_dict(conninfo)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        password = connection.info.password
        if create:
            connection.execute("CREATE SCHEMA IF NOT EXISTS stock")
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(parts["dbname"]),
        "POSTGRES_HOST": str(parts["host"]),
        "POSTGRES_PORT": "5432",
        "POSTGRES_USER": str(parts["user"]),
        "POSTGRES_PASSWORD": password,
        "POSTGRES_SCHEMA": "stock",
        "CREATE_TABLE": "y" if create else "n",
    }


def recorder(conninfo: str, *, create: bool = False) -> PostgresApplicationRecorder:
    """The stock recorder."""
    made = PostgresFactory(Environment("bench", environment(conninfo, create=create))).application_recorder()
    assert isinstance(made, PostgresApplicationRecorder)
    return made


class StockPupil(Aggregate):
    """A pupil as the library's own documentation would write one."""

    @event("Admitted")
    def __init__(self, surname: str, forename: str, class_name: str) -> None:
        self.surname = surname
        self.forename = forename
        self.class_name = class_name

    @event("Changed")
    def change(self, class_name: str) -> None:
        """Moves the child to another class."""
        self.class_name = class_name


class StockSchool(Application[UUID]):
    """The whole command: load, decide, save."""

    def admit(self) -> UUID:
        """Admits a made-up child."""
        pupil = StockPupil("Surname", "Forename", "Class 0")
        self.save(pupil)
        return pupil.id

    def change(self, pupil_id: UUID, class_name: str) -> None:
        """Changes the child's class."""
        pupil: StockPupil = self.repository.get(pupil_id)
        pupil.change(class_name)
        self.save(pupil)


class StockView(PostgresTrackingRecorder):
    """A view of the newest class of each pupil, kept as the library's documentation shows."""

    def __init__(self, datastore: Any, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self.sql_create_statements.append(
            psycopg.sql.SQL(
                "CREATE TABLE IF NOT EXISTS {} (id uuid PRIMARY KEY, class_name text, changes bigint)"
            ).format(psycopg.sql.Identifier("stock", "view"))
        )

    def put(self, pupil_id: UUID, class_name: str, tracking: Tracking) -> None:
        """Writes one row and the position in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO stock.view VALUES (%s, %s, 1) ON CONFLICT (id) DO UPDATE "
                "SET class_name = excluded.class_name, changes = stock.view.changes + 1",
                (pupil_id, class_name),
            )


class StockProjection(Projection[StockView]):
    """Feeds that view, one event at a time."""

    name = "bench"
    topics = ()

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Handles admissions and changes alike."""
        self.view.put(domain_event.originator_id, domain_event.class_name, tracking)
