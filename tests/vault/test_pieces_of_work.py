"""Keys are looked up once for a piece of work, and none is kept for the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from uuid import UUID

import pytest

from domain.application.login_keys import issued
from domain.application.login_keys import replace as replace_keys
from domain.application.school_application import SchoolApplication, Schools
from domain.errors import KeyNotHeld, NotSignedIn
from domain.identifiers import new_id
from domain.keys import KeyOrigin
from domain.pupil import PupilAdmitted
from domain.vault import keystore
from domain.vault.keyring import Keyring, WrappedSubjectKeys, unpacked
from tests.application.conftest import RegisteredSchool
from tests.application.examples import admitted, children, events
from tests.keys import opened


class CountedFetch:
    """Looks keys up in the database as an application does, and keeps account of it."""

    def __init__(self, school: SchoolApplication) -> None:
        self.school = school
        self.asked: list[set[UUID]] = []

    def __call__(self, subjects: Iterable[UUID]) -> list[WrappedSubjectKeys]:
        wanted = set(subjects)
        self.asked.append(wanted)
        with self.school.database.bound_to(self.school.school_id) as connection:
            return keystore.of_subjects(connection, self.school.school_id, wanted)


def test_keys_are_looked_up_once_for_all_that_is_read(registered: RegisteredSchool) -> None:
    school = registered.application
    pupil_ids = admitted(school, registered.administrator, *children(12))
    reading = school.opened_with(school.keys.school)
    fetch = CountedFetch(reading)
    reading.keys = Keyring(school.keys.school, fetch)

    stored = events(reading)
    read = [*reading.read(stored), *reading.read(stored)]
    assert len([event for event in read if isinstance(event, PupilAdmitted)]) == 24
    assert len(fetch.asked) == 1
    assert fetch.asked[0] >= {*pupil_ids, school.school_id}
    # Somebody who has no keys is not asked for again, either.
    assert reading.keys.is_erased(stranger := new_id())
    assert reading.keys.is_erased(stranger)
    assert len(fetch.asked) == 2


def test_the_keys_come_with_the_events_of_one(registered: RegisteredSchool) -> None:
    """What the database packs beside the events is what lies in the rows."""
    school = registered.application
    [pupil_id] = admitted(school, registered.administrator, *children(1))
    _, packed = school.stream.events_with_keys(pupil_id, pupil_id)
    with school.database.bound_to(school.school_id) as connection:
        rows = keystore.of_subjects(connection, school.school_id, [pupil_id])
    assert unpacked(pupil_id, packed) == rows
    assert len(rows) == 1


def destroy(school: SchoolApplication, pupil_id: UUID) -> None:
    with school.database.bound_to(school.school_id) as connection:
        assert keystore.destroy_subject(connection, school.school_id, pupil_id) == 1


Next = Callable[[Schools, SchoolApplication], SchoolApplication]


def check_nothing_is_kept_for_the_next(
    schools: Schools, registered: RegisteredSchool, next_piece: Next
) -> None:
    """Reads a child, whose keys are then destroyed, and reads the child again in the next piece of work.

    Raises:
        AssertionError: The child can still be read.
    """
    school = opened(schools, registered.login_key)
    [pupil_id] = admitted(school, registered.administrator, *children(1))
    assert pupil_id in school.pupils([pupil_id])
    destroy(school, pupil_id)
    after = next_piece(schools, school)
    assert not after.pupils([pupil_id]), "the keys were kept"
    [event] = after.read(after.stream.events_of(pupil_id))
    assert isinstance(event, PupilAdmitted)
    assert repr(event.names) == "ERASED"
    assert repr(event.record) == "ERASED"


def test_nothing_is_kept_for_the_next_piece_of_work(schools: Schools, registered: RegisteredSchool) -> None:
    check_nothing_is_kept_for_the_next(schools, registered, lambda every, now: every.opened(now.keys.school))


def test_a_ring_that_is_kept_would_still_open(schools: Schools, registered: RegisteredSchool) -> None:
    """The sabotaged twin: the next piece of work goes on with the keys of the one before."""

    def go_on(every: Schools, now: SchoolApplication) -> SchoolApplication:
        after = every.opened(now.keys.school)
        after.keys = now.keys
        return after

    with pytest.raises(AssertionError, match="the keys were kept"):
        check_nothing_is_kept_for_the_next(schools, registered, go_on)


def test_the_application_that_is_kept_holds_no_key(schools: Schools, registered: RegisteredSchool) -> None:
    school = registered.application
    [pupil_id] = admitted(school, registered.administrator, *children(1))
    kept = schools.school(school.school_id)
    assert school is not kept
    assert (kept.keys.school.names, kept.keys.school.record) == (None, None)
    [event] = kept.read(kept.stream.events_of(pupil_id))
    assert isinstance(event, PupilAdmitted)
    assert repr(event.names) == "SEALED"
    assert repr(event.record) == "SEALED"
    with pytest.raises(KeyNotHeld):
        _ = event.names.surname


def test_the_service_by_itself_reads_the_record_and_no_name(
    schools: Schools, registered: RegisteredSchool
) -> None:
    [pupil_id] = admitted(registered.application, registered.administrator, *children(1))
    pupil = schools.opened_by_service(registered.application.school_id).pupil(pupil_id)
    assert pupil.record.nc_year == "4"
    assert repr(pupil.names) == "SEALED"
    with pytest.raises(KeyNotHeld):
        _ = pupil.names.surname


def test_whoever_has_no_keys_is_not_on_the_roll(registered: RegisteredSchool) -> None:
    school = registered.application
    gone, there = admitted(school, registered.administrator, *children(2))
    destroy(school, gone)
    assert school.opened_with(school.keys.school).roll().keys() == {there}


def test_work_that_began_before_the_keys_were_replaced_ends(
    schools: Schools, registered: RegisteredSchool
) -> None:
    """Whether it has looked keys up before or not, it reads nothing with the wrong ones."""
    school = registered.application
    [pupil_id] = admitted(school, registered.administrator, *children(1))
    before = school.opened_with(school.keys.school)
    spare = issued(school, schools, KeyOrigin.ADMINISTRATOR, registered.administrator)
    with school.database.bound_to(school.school_id) as connection:
        [leaked] = [
            each.key_id
            for each in keystore.login_keys(connection, school.school_id)
            if each.key_id != spare.key_id
        ]
    replace_keys(school, schools, leaked, registered.administrator)

    for read in (lambda: before.pupil(pupil_id), lambda: before.pupils([pupil_id]), before.roll):
        with pytest.raises(NotSignedIn, match="log in again"):
            read()
    with pytest.raises(NotSignedIn, match="log in again"):
        admitted(before, registered.administrator, *children(1, first=1))
    # Those who hold the new keys under the number of the old are refused, too.
    renewed = opened(schools, spare.login_key)
    assert renewed.pupil(pupil_id).names.surname == "Surname000"
    with pytest.raises(NotSignedIn):
        renewed.opened_with(replace(renewed.keys.school, generation=1)).pupil(pupil_id)
