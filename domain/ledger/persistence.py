"""The persistence module of the eventsourcing library: ``PERSISTENCE_MODULE=domain.ledger.persistence``.

An application is bound to one school, `SCHOOL_ID`. Applications of one process that name the same `DATABASE`
share its connections. Tables are made by migrations, never from here.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import cast
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    ProcessRecorder,
    TrackingRecorder,
)
from eventsourcing.utils import Environment, EnvType, resolve_topic

from domain.errors import Misconfigured
from domain.ledger.database import Database
from domain.ledger.recorders import (
    SnapshotRecorder,
    StreamProcessRecorder,
    StreamRecorder,
    StreamTrackingRecorder,
)

_databases: dict[str, Database] = {}
_databases_lock = Lock()


def shared_database(conninfo: str) -> Database:
    """This process's connections to a database."""
    with _databases_lock:
        if conninfo not in _databases:
            _databases[conninfo] = Database(conninfo)
        return _databases[conninfo]


def close_shared_database(conninfo: str) -> None:
    """Closes the connections of this process's applications to a database; those to others stay open."""
    with _databases_lock:
        database = _databases.pop(conninfo, None)
    if database:
        database.close()


class LedgerFactory(InfrastructureFactory[TrackingRecorder]):
    """Makes the recorders of one school."""

    DATABASE = "DATABASE"
    SCHOOL_ID = "SCHOOL_ID"

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        conninfo = self.env.get(self.DATABASE)
        school_id = self.env.get(self.SCHOOL_ID)
        if not conninfo or not school_id:
            raise Misconfigured("an application on the ledger needs DATABASE and SCHOOL_ID")
        self.database = shared_database(conninfo)
        self.school_id = UUID(school_id)

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """The recorder of snapshots; events of aggregates go through :meth:`application_recorder`.

        Args:
            purpose: What the library keeps in it; this module keeps only snapshots apart from the stream.
        """
        del purpose
        return SnapshotRecorder(self.database, self.school_id)

    def application_recorder(self) -> ApplicationRecorder:
        """The recorder of the school's events."""
        return StreamRecorder(self.database, self.school_id)

    def tracking_recorder(
        self, tracking_recorder_class: type[TrackingRecorder] | None = None
    ) -> TrackingRecorder:
        """The recorder of positions of the library's own projections."""
        topic = self.env.get(self.TRACKING_RECORDER_TOPIC)
        chosen = tracking_recorder_class or (resolve_topic(topic) if topic else StreamTrackingRecorder)
        # The library's base class does not say how a recorder is made; those of this module are made so.
        made_for_a_school = cast("Callable[[Database, UUID], TrackingRecorder]", chosen)
        return made_for_a_school(self.database, self.school_id)

    def process_recorder(self) -> ProcessRecorder:
        """The recorder of the library's process applications."""
        return StreamProcessRecorder(self.database, self.school_id)
