"""What a monitoring system is told: true, nothing personal, and never more than so much."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from domain.ledger.database import Database
from projections import metrics
from projections.metrics import LagCollector
from projections.runner import PROJECTIONS, Worker, status
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS
from tests.projections.test_exactly_once import WORKER, Country
from tests.projections.test_stopped_school import SECRET, poisoned

Told = dict[tuple[str, str, str], float]
"""Values by name, projection and school; the last two are empty where there is none."""


@pytest.fixture
def country(test_database: TestDatabase) -> Iterator[Country]:
    country = Country(test_database, 5)
    yield country
    country.close()


@pytest.fixture(autouse=True)
def _as_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "KEPT", 0.0)


def text_of(collector: LagCollector) -> str:
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry).decode()


def read(text: str) -> Told:
    return {
        (
            sample.name.removeprefix("target_tracker_"),
            sample.labels.get("projection", ""),
            sample.labels.get("school_id", ""),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def told(worker: Worker, database: Database) -> Told:
    return read(text_of(LagCollector(database, worker)))


def of_schools(found: Told, name: str, projection: str) -> dict[str, float]:
    return {key[2]: value for key, value in found.items() if key[:2] == (name, projection)}


def test_they_say_how_far_projections_are(country: Country) -> None:
    worker = Worker(country.worker, SERVICE_KEYS)
    country.happen(20)
    time.sleep(1.1)
    found = told(worker, country.worker)
    assert found["schools", "", ""] == 5
    assert found["worker_positions_total", "", ""] == 0
    assert found["worker_listening", "", ""] == 0
    lines = status(country.worker)
    for projection in PROJECTIONS:
        heads = {str(line.school_id): line.head for line in lines if line.projection == projection.name}
        assert found["projection_events_behind", projection.name, ""] == sum(heads.values())
        assert found["projection_schools_behind", projection.name, ""] == 5
        assert found["projection_schools_stopped", projection.name, ""] == 0
        assert of_schools(found, "school_events_behind", projection.name) == heads
        ages = of_schools(found, "school_oldest_seconds", projection.name)
        assert 1.1 <= found["projection_oldest_seconds", projection.name, ""] <= 60
        assert max(ages.values()) <= found["projection_oldest_seconds", projection.name, ""] + 0.001
    worker.run_until_idle()
    after = told(worker, country.worker)
    assert after["worker_positions_total", "", ""] == sum(line.head for line in lines)
    for projection in PROJECTIONS:
        for name in ("events_behind", "schools_behind", "oldest_seconds"):
            assert after[f"projection_{name}", projection.name, ""] == 0
        assert of_schools(after, "school_events_behind", projection.name) == {}


def test_the_age_is_that_of_the_oldest_event_that_is_not_applied(country: Country) -> None:
    worker = Worker(country.worker, SERVICE_KEYS)
    country.happen(5)
    worker.run_until_idle()
    time.sleep(1.5)  # what is applied grows old, and does not count
    late = country.schools[0]
    late.happen(1)
    time.sleep(0.2)
    late.happen(1)
    ages = of_schools(told(worker, country.worker), "school_oldest_seconds", "logins")
    assert ages.keys() == {str(late.school_id)}
    assert 0.2 <= ages[str(late.school_id)] < 1.5


def test_a_school_that_has_stopped_is_named(country: Country) -> None:
    worker = Worker(country.worker, SERVICE_KEYS)
    stopped = country.schools[0]
    stopped.stream.append([poisoned("unknown type", country.schools[0])])
    before = time.time()
    worker.run_until_idle()
    found = told(worker, country.worker)
    school_id = str(stopped.school_id)
    assert found["projection_schools_stopped", "pupils", ""] == 1
    assert found["projection_schools_stopped", "logins", ""] == 0
    assert of_schools(found, "school_stopped_tries", "pupils") == {school_id: 1}
    assert found["school_stopped_timestamp_seconds", "pupils", school_id] == pytest.approx(before, abs=30)
    assert found["projection_oldest_seconds", "pupils", ""] == 0, "those that move are all there"
    assert found["projection_events_behind", "pupils", ""] == 1


def series(database: TestDatabase, schools: int) -> int:
    """How many series there are when so many schools more are behind, and as many have stopped."""
    with database.connect("postgres") as superuser:
        superuser.execute(
            "INSERT INTO ledger.streams (school_id, position)"
            " SELECT gen_random_uuid(), position"
            " FROM generate_series(1, %s), unnest(ARRAY[7, 8]) AS position",
            [schools],
        )
        superuser.execute(
            "INSERT INTO ledger.schools (urn, school_id)"
            " SELECT (800000 + (SELECT count(*) FROM ledger.schools) + row_number() OVER ())::text, school_id"
            " FROM ledger.streams"
            " WHERE school_id NOT IN (SELECT school_id FROM ledger.schools)"
        )
        superuser.execute(
            "INSERT INTO projections.checkpoints"
            " (school_id, projection, stopped_at, stopped_by, tries, next_try_at)"
            " SELECT school_id, 'pupils', now(), 'ValueError', 1, now()"
            " FROM ledger.streams WHERE position = 8 ON CONFLICT DO NOTHING"
        )
    with Database(database.conninfo(WORKER)) as worker_database:
        found = told(Worker(worker_database, SERVICE_KEYS), worker_database)
        assert found["projection_schools_behind", "pupils", ""] >= 2 * schools
        return len(found)


def test_the_number_of_series_does_not_grow_with_the_schools(test_database: TestDatabase) -> None:
    assert series(test_database, 30) == series(test_database, 300)


def test_series_that_grow_would_be_noticed(
    test_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(metrics, "MOST_SCHOOLS", 10**6)
    assert series(test_database, 30) < series(test_database, 300)


def test_there_is_nothing_in_them_but_numbers_and_ids(country: Country) -> None:
    country.happen(20)
    country.schools[0].stream.append([poisoned("unknown type", country.schools[0])])
    worker = Worker(country.worker, SERVICE_KEYS)
    worker.catch_up(country.schools[0].school_id, PROJECTIONS[0])
    names = {projection.name for projection in PROJECTIONS}
    schools = {str(school.school_id) for school in country.schools}
    text = text_of(LagCollector(country.worker, worker))
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert sample.labels.keys() <= {"projection", "school_id"}
            assert sample.labels.get("projection", "pupils") in names
            assert sample.labels.get("school_id", next(iter(schools))) in schools
    assert not re.search(rf"teleported|{SECRET}|30000\d", text)


def test_without_a_database_the_worker_tells_of_itself(country: Country, test_database: TestDatabase) -> None:
    nowhere = Database("host=/nonexistent dbname=x user=y connect_timeout=1")
    monkey: Any = nowhere
    monkey._pool.timeout = 0.2
    found = told(Worker(nowhere, SERVICE_KEYS), nowhere)
    assert found == {
        ("worker_positions_total", "", ""): 0,
        ("worker_listening", "", ""): 0,
        ("lag_known", "", ""): 0,
    }
    nowhere.close()
    assert told(Worker(country.worker, SERVICE_KEYS), country.worker)["lag_known", "", ""] == 1
