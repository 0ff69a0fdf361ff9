"""A school is registered whole, or not at all, and once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg
import pytest

from domain.access import AccessLevel
from domain.application.registration import RegisteredSchool, Registration, register
from domain.application.school_application import CommandKey, Schools
from domain.errors import AlreadyExists, CommandReused, InvalidInput, Misconfigured, NotFound
from domain.identifiers import new_id
from domain.ledger.persistence import close_shared_database
from domain.ledger.stream import every_school, school_of_urn
from domain.staff import StaffNames
from tests.application.conftest import registration
from tests.application.examples import at_once, events, fields_of, topics
from tests.conftest import TestDatabase
from tests.keys import SERVICE_KEYS, opened, schools_of


@pytest.fixture
def schools(test_database: TestDatabase) -> Iterator[Schools]:
    """Those of a database of the test's own, which has none yet."""
    yield schools_of(test_database.conninfo())
    close_shared_database(test_database.conninfo())


def key(request: Registration, text: str = "key") -> CommandKey:
    return CommandKey(text, msgspec.msgpack.encode(request))


def test_a_school_and_its_administrator_are_one_append(schools: Schools) -> None:
    made = register(schools, registration())
    outcome = made.outcome
    assert made.login_key
    school = opened(schools, made.login_key)
    assert school.school_id == outcome.result.school_id
    assert topics(school) == ["school.registered.1", "staff.added.1", "key.issued.1"]
    assert len({event.recorded_at for event in events(school)}) == 1
    assert outcome.position == 3
    assert not outcome.repeated
    assert school.school().facts == registration().facts
    assert school.school().official_email == "office@made-up.example"
    administrator = school.staff_member(outcome.result.administrator_id)
    assert administrator.names.username == "Head"
    assert administrator.access.level is AccessLevel.ADMIN
    assert school_of_urn(schools.database, "123456") == school.school_id


def test_no_school_is_registered_that_could_not_be_recovered(schools: Schools) -> None:
    without = Schools(schools.conninfo, SERVICE_KEYS)
    with pytest.raises(Misconfigured, match="recovery key"):
        register(without, registration())
    assert every_school(schools.database) == []


def test_nothing_of_it_stays_when_its_end_fails(schools: Schools, test_database: TestDatabase) -> None:
    with test_database.connect("target_tracker_owner") as owner:
        owner.execute("REVOKE INSERT ON ledger.events FROM target_tracker_api")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            register(schools, registration())
        assert every_school(schools.database) == []
        owner.execute("GRANT INSERT ON ledger.events TO target_tracker_api")
    assert register(schools, registration()).outcome.position == 3


def test_the_same_command_again_is_answered_with_the_same_ids(schools: Schools) -> None:
    told = register(schools, registration(), key(registration()))
    repeated = register(schools, registration(), key(registration()))
    assert told.login_key
    assert repeated.login_key is None, "a login key is told once, and kept nowhere"
    first, again = told.outcome, repeated.outcome
    assert again.result == first.result
    assert again.position == first.position
    assert (first.repeated, again.repeated) == (False, True)
    assert every_school(schools.database) == [first.result.school_id]
    assert len(events(schools.school(first.result.school_id))) == 3


def test_the_same_command_twice_at_once_registers_once(schools: Schools) -> None:
    for urn in ("200001", "200002", "200003", "200004", "200005"):
        request = registration(urn)
        answers = at_once(*[lambda request=request: register(schools, request, key(request))] * 3)
        outcomes = [answer.outcome for answer in answers if isinstance(answer, RegisteredSchool)]
        assert len(outcomes) == 3, answers
        assert len({outcome.result.school_id for outcome in outcomes}) == 1
        assert sorted(outcome.repeated for outcome in outcomes) == [False, True, True]
    assert len(every_school(schools.database)) == 5


def test_the_command_id_with_another_content_is_refused(schools: Schools) -> None:
    register(schools, registration(), key(registration()))
    other = msgspec.structs.replace(registration(), official_email="other@made-up.example")
    with pytest.raises(CommandReused):
        register(schools, other, key(other))


@pytest.mark.parametrize("command", [None, key(registration(), "another key")])
def test_a_taken_urn_is_refused(schools: Schools, command: CommandKey | None) -> None:
    first = register(schools, registration(), key(registration())).outcome
    with pytest.raises(AlreadyExists, match="123456"):
        register(schools, registration(), command)
    assert every_school(schools.database) == [first.result.school_id]


WRONG: list[tuple[dict[str, str], dict[str, Any], list[str]]] = [
    ({"urn": "12a456"}, {}, ["urn"]),
    ({"urn": "12345678"}, {}, ["urn"]),
    ({"name": "  "}, {}, ["name"]),
    ({"name": "x" * 201}, {}, ["name"]),
    ({"local_authority": "88", "establishment": "20010"}, {}, ["local_authority", "establishment"]),
    ({"region": "Anglia"}, {}, ["region"]),
    ({}, {"official_email": "office at made-up.example"}, ["official_email"]),
    ({}, {"official_email": "Office <office@made-up.example>"}, ["official_email"]),
    ({}, {"official_email": "office@made-up.example, other@made-up.example"}, ["official_email"]),
    ({}, {"official_email": "office@made-up"}, ["official_email"]),
    ({}, {"administrator": StaffNames(username=" ", display_name="The Head")}, ["username"]),
    ({}, {"password": "only 14 chars!"}, ["password"]),
]


def test_what_is_wrong_is_told_and_nothing_is_registered(schools: Schools) -> None:
    for facts, changes, fields in WRONG:
        request = msgspec.structs.replace(registration(), **changes)
        request = msgspec.structs.replace(request, facts=msgspec.structs.replace(request.facts, **facts))
        with pytest.raises(InvalidInput) as refused:
            register(schools, request)
        assert fields_of(refused.value.findings) == fields
        assert all(finding.accepted for finding in refused.value.findings)
    assert every_school(schools.database) == []


def test_a_school_that_is_not_registered(schools: Schools) -> None:
    with pytest.raises(NotFound):
        schools.school(new_id()).school()
