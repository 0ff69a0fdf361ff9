"""Two schools in which much has happened, and everything has been projected; each test edits a copy."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy, deepcopy
from dataclasses import dataclass

import pytest

from domain.ledger.database import Database
from domain.ledger.stream import Stream
from projections.projection import Rebuildable
from projections.rebuilding.making import Made, Maker
from projections.runner import PROJECTIONS
from scripts.embedded import EmbeddedPostgres
from tests.conftest import TestDatabase, fresh_database
from tests.keys import SERVICE_KEYS
from tests.projections.catching_up import caught_up
from tests.projections.happenings import LivelySchool

WORKER = "target_tracker_worker"
BY_NAME = {projection.name: projection for projection in PROJECTIONS}


@dataclass
class Lively:
    """Two schools in which things have happened, and everything has been projected."""

    database: TestDatabase
    schools: list[LivelySchool]

    def differences(self, projection: Rebuildable) -> list[Made]:
        """What making the rows of both schools again shows, in this process."""
        maker = Maker(self.database.conninfo(WORKER), projection, keep=False)
        try:
            return [maker.make(school.school_id, SERVICE_KEYS) for school in self.schools]
        finally:
            maker.close()

    def all_at_once(self) -> Iterator[Made]:
        for projection in PROJECTIONS:
            yield from self.differences(projection)


@pytest.fixture(scope="module")
def template(server: EmbeddedPostgres) -> Iterator[Lively]:
    """Made once; each test edits a copy."""
    with fresh_database(server) as database:
        with Database(database.conninfo()) as api, Database(database.conninfo(WORKER)) as worker:
            schools = [LivelySchool(api, f"60000{seed}", seed) for seed in (1, 2)]
            for school in schools:
                school.happen(500)
            caught_up(worker)
        yield Lively(database, schools)


@pytest.fixture
def lively(template: Lively) -> Iterator[Lively]:
    with template.database.copy() as database, Database(database.conninfo()) as api:
        yield Lively(database, [another(school, api) for school in template.schools])


def another(school: LivelySchool, api: Database) -> LivelySchool:
    """The same school in a copy of its database, where other things happen next."""
    twin = copy(school)
    twin.stream = Stream(api, school.school_id)
    twin._happenings, twin._sizes = deepcopy((school._happenings, school._sizes))
    return twin
