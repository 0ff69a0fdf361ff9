"""The ground that benchmarks stand on: a server of their own, with everything that makes a commit durable."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path

from domain.application.logins import opened_with_key
from domain.application.registration import Registration, register
from domain.application.school_application import SchoolApplication, Schools
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.ledger.migrate import migrate
from domain.ledger.stream import Stream, register_school
from domain.pupil import PupilNames, PupilRecord
from domain.school import SchoolFacts
from domain.staff import StaffNames
from domain.vault import login_key
from domain.vault.key_ring import KeyRing, new_ring
from domain.vault.recipients import PrivateKey
from scripts.composition import MIGRATIONS
from scripts.embedded import EmbeddedPostgres

STATE = bytes(range(256)) + bytes(44)
"""The 300 bytes of an event that a raw append writes."""

_urns = count(200_000)


@dataclass
class Ground:
    """A server with a migrated database, and the keys of a service that works with it.

    Attributes:
        server: The server.
        name: The database.
        service_keys: The service's own keys.
        recovery: The public half of its recovery key; nobody has the private one.
        scale: What part of the work to do, where a benchmark has much of it.
    """

    server: EmbeddedPostgres
    name: str
    service_keys: KeyRing
    recovery: bytes
    scale: float = 1.0

    @property
    def api(self) -> str:
        """How the API's role connects."""
        return self.server.conninfo("target_tracker_api", self.name)

    @property
    def worker(self) -> str:
        """How the worker's role connects."""
        return self.server.conninfo("target_tracker_worker", self.name)

    @property
    def superuser(self) -> str:
        """How the library's own tables are reached, which need no roles."""
        return self.server.conninfo("postgres", self.name)

    def schools(self) -> Schools:
        """The write side."""
        return Schools(self.api, self.service_keys, recovery=self.recovery)

    def streams(self, database: Database, number: int) -> list[Stream]:
        """New schools with empty streams and no keys."""
        streams = []
        for _ in range(number):
            school_id = new_id()
            with database.bound_to(school_id) as connection:
                register_school(connection, school_id, str(next(_urns)))
            streams.append(Stream(database, school_id))
        return streams


@contextmanager
def ground(scale: float = 1.0) -> Iterator[Ground]:
    """A fresh server, which is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="tt-bench-") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(
            Path(folder) / "pg",
            settings={"shared_buffers": "'1GB'", "max_wal_size": "'8GB'", "checkpoint_timeout": "'30min'"},
        )
        server.start()
        try:
            server.create_database("bench")
            list(migrate(server.conninfo(database="bench"), MIGRATIONS))
            yield Ground(server, "bench", new_ring(), PrivateKey.generate().public_bytes(), scale)
        finally:
            server.destroy()


def made_up_child(number: int, class_name: str = "Class 0") -> tuple[PupilNames, PupilRecord]:
    """A child whom there is not."""
    names = PupilNames(
        surname=f"Surname{number}",
        forename=f"Forename{number}",
        date_of_birth=date(2012 + number % 7, 1 + number % 12, 1 + number % 28),
        postcode="CM1 1QH",
    )
    record = PupilRecord(
        sex="F" if number % 2 else "M",
        date_of_entry=date(2022, 9, 1),
        nc_year=str(1 + number % 6),
        class_name=class_name,
        free_school_meals=number % 4 == 0,
        first_language="ENG",
        ethnicity="WBRI",
        sen_provision="N",
    )
    return names, record


def new_school(schools: Schools) -> SchoolApplication:
    """A school that has just been registered, opened with its login key."""
    return opened_with_key(schools, login_key.read(registered_key(schools), schools.service_keys))


def registered_key(schools: Schools) -> str:
    """The login key of a school that has just been registered."""
    registered = register(
        schools,
        Registration(
            facts=SchoolFacts(
                name="Made-up School",
                urn=str(next(_urns)),
                local_authority="881",
                establishment="2001",
                region="East of England",
            ),
            official_email="office@made-up.example",
            agreement_from=date(2023, 9, 1),
            administrator=StaffNames(username="head", display_name="The Head"),
            password="a long enough password",  # noqa: S106 - of nobody
        ),
    )
    assert registered.login_key
    return registered.login_key
