"""Whoever has written waits for the projection, and then sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from domain.application import pupils
from domain.errors import NotYetVisible
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.particulars import PupilParticulars
from projections import pupils as views
from projections.runner import Worker, wait_for
from tests.application.conftest import RegisteredSchool
from tests.application.examples import admitted, child
from tests.keys import SERVICE_KEYS
from tests.projections.catching_up import caught_up


@pytest.fixture
def running(worker: Database) -> Iterator[None]:
    """A worker at work."""
    stop = threading.Event()
    thread = threading.Thread(target=Worker(worker, SERVICE_KEYS).run, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.usefixtures("running")
def test_after_waiting_for_its_position_a_write_is_seen(registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    for version in range(1, 31):
        changed = pupils.change(
            school, pupil_id, PupilParticulars(class_name=f"Class {version}"), version, registered.teacher
        )
        wait_for(school.database, school.school_id, "pupils", changed.position)
        with school.database.bound_to(school.school_id) as connection:
            view = views.get(connection, school.keys, pupil_id)
        assert view
        assert (view.version, view.record.class_name) == (version + 1, f"Class {version}")


def test_without_a_worker_it_is_told_that_it_is_not_visible_yet(registered: RegisteredSchool) -> None:
    school = registered.application
    position = school.stream.head().position
    begun = time.monotonic()
    with pytest.raises(NotYetVisible) as told:
        wait_for(school.database, school.school_id, "pupils", position, timeout=0.2)
    assert 0.2 <= time.monotonic() - begun < 2
    assert told.value.details == {"reached": 0, "wanted": position}


def test_waiting_for_nothing_takes_no_time(registered: RegisteredSchool) -> None:
    school, begun = registered.application, time.monotonic()
    wait_for(school.database, school.school_id, "pupils", 0, timeout=60)
    assert time.monotonic() - begun < 10
    with pytest.raises(NotYetVisible):
        wait_for(school.database, school.school_id, "pupils", 1, timeout=0)


def test_a_position_that_is_not_there_yet_is_not_visible(
    registered: RegisteredSchool, worker: Database
) -> None:
    school = registered.application
    caught_up(worker)
    wait_for(school.database, school.school_id, "logins", school.stream.head().position, timeout=0)
    for school_id, position in ((school.school_id, 10**6), (new_id(), 1)):
        with pytest.raises(NotYetVisible):
            wait_for(school.database, school_id, "logins", position, timeout=0.05)
