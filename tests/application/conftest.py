"""A registered school, its application and its sessions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count
from uuid import UUID

import pytest

from domain.access import AccessLevel
from domain.application.accounts import add_staff
from domain.application.registration import Registration, register
from domain.application.school_application import SchoolApplication, Schools
from domain.events import OPERATOR, Actor, ActorKind
from domain.ledger.persistence import close_shared_database
from domain.school import SchoolFacts
from domain.staff import Access, StaffNames
from domain.vault.sessions import Sessions
from tests.conftest import TestDatabase
from tests.keys import opened, schools_of

PASSWORD = "a long enough password"


def registration(urn: str = "123456", number: str = "8812001") -> Registration:
    return Registration(
        facts=SchoolFacts(
            name="Made-up Primary School",
            urn=urn,
            local_authority=number[:3],
            establishment=number[3:],
            region="East of England",
        ),
        official_email="office@made-up.example",
        agreement_from=date(2023, 9, 1),
        administrator=StaffNames(username="Head", display_name="The Head"),
        password=PASSWORD,
    )


@pytest.fixture(scope="module")
def schools(module_database: TestDatabase) -> Iterator[Schools]:
    yield schools_of(module_database.conninfo())
    close_shared_database(module_database.conninfo())


@pytest.fixture
def sessions(schools: Schools) -> Sessions:
    return Sessions(schools.database)


@dataclass
class RegisteredSchool:
    """A school with an administrator, `head`, and a teacher, `teacher`, whose password is `of my own`."""

    urn: str
    login_key: str
    application: SchoolApplication
    administrator: Actor
    teacher: Actor


_urns = count(123456)


def registered_school(schools: Schools, number: str = "8812001") -> RegisteredSchool:
    """A new school, whose authority and establishment have these seven digits."""
    urn = str(next(_urns))
    registered = register(schools, registration(urn, number))
    made, login_key = registered.outcome.result, registered.login_key
    assert login_key
    application = opened(schools, login_key)
    teacher = add_staff(
        application,
        StaffNames(username="Teacher", display_name="A Teacher"),
        Access(AccessLevel.READ_WRITE),
        "of my own",
        OPERATOR,
    ).result.staff_id
    return RegisteredSchool(urn, login_key, application, staff(made.administrator_id), staff(teacher))


@pytest.fixture
def registered(schools: Schools) -> RegisteredSchool:
    """A school of the test's own, in the database of its module."""
    return registered_school(schools)


@pytest.fixture
def school(registered: RegisteredSchool) -> SchoolApplication:
    """That school's application."""
    return registered.application


def staff(staff_id: UUID) -> Actor:
    return Actor(ActorKind.STAFF, staff_id)
