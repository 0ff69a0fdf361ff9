"""Permissions: who gives and revokes them, what they cannot be, and who is told of their use."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.access import AccessLevel
from domain.application import (
    accounts,
    people,
    permissions,
    school_bundle,
    subject_access,
)
from domain.application.registration import register
from domain.application.releasing import release
from domain.application.school_application import Schools
from domain.errors import InvalidInput, KeyNotHeld, NotFound, NotPermitted
from domain.events import OPERATOR, is_sealed
from domain.permissions import (
    ReleaseRefused,
    Scope,
    permissions_of,
)
from domain.staff import Access, StaffNames
from domain.vault.keyring import SchoolKeys
from tests.application.conftest import PASSWORD, RegisteredSchool, registration, staff
from tests.application.examples import admitted, child
from tests.application.releases import (
    AT,
    TODAY,
    asked,
    given,
    headed,
    permission,
    released,
    terms,
)
from tests.keys import opened

_urns = count(820001)


@pytest.fixture
def registered(schools: Schools) -> RegisteredSchool:
    return headed(schools)


def test_only_the_headteacher_gives_and_revokes(registered: RegisteredSchool) -> None:
    school = registered.application
    names = StaffNames(username="Deputy", display_name="The Deputy")
    deputy = staff(
        accounts.add_staff(school, names, Access(AccessLevel.ADMIN), PASSWORD, OPERATOR).result.staff_id
    )
    permission_id = given(registered)
    for actor in (deputy, registered.teacher, OPERATOR):
        with pytest.raises(NotPermitted):
            permissions.give(school, terms(), actor)
        with pytest.raises(NotPermitted):
            permissions.revoke(school, permission_id, actor)
    assert deputy.staff_id
    assert registered.administrator.staff_id
    accounts.appoint_headteacher(school, deputy.staff_id, registered.administrator)
    accounts.end_headteacher(school, registered.administrator.staff_id, registered.administrator)
    with pytest.raises(NotPermitted):
        given(registered)
    # What the headteacher before permitted stands, and the one who came after may end it.
    admitted(school, registered.teacher, child(1))
    assert released(registered, permission_id)
    permissions.revoke(school, permission_id, deputy)
    permissions.revoke(school, permission_id, deputy)
    assert permission(school, permission_id).revoked_by == deputy
    with pytest.raises(ReleaseRefused):
        released(registered, permission_id)
    with pytest.raises(NotFound):
        permissions.revoke(school, uuid4(), deputy)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"recipient": " "}, "recipient"),
        ({"recipient": "desk@council.example"}, "recipient"),
        ({"purpose": "x" * 201}, "purpose"),
        ({"until": TODAY - timedelta(days=1)}, "until"),
        ({"until": TODAY + timedelta(days=2 * 366)}, "until"),
        ({"scope": Scope.SCHOOL_FIGURES, "nc_year": "4"}, "nc_year"),
        ({"class_name": "Red", "nc_year": "4"}, "nc_year"),
        ({"class_name": "Rde"}, "class_name"),
        ({"nc_year": "99"}, "nc_year"),
        ({"pupil_ids": (uuid4(),)}, "pupil_ids"),
    ],
)
def test_a_permission_that_cannot_be(
    registered: RegisteredSchool, changes: dict[str, Any], field: str
) -> None:
    school = registered.application
    admitted(school, registered.teacher, child(1))
    before = school.stream.head().position
    with pytest.raises(InvalidInput) as refused:
        given(registered, **changes)
    assert [finding.field for finding in refused.value.findings] == [field]
    assert school.stream.head().position == before


def test_what_is_free_text_is_sealed(registered: RegisteredSchool, schools: Schools) -> None:
    """The service by itself learns neither recipient nor purpose, and makes no release of names."""
    school = registered.application
    [pupil_id] = admitted(school, registered.teacher, child(1))
    permission_id = given(registered)
    by_service = schools.opened_by_service(school.school_id)
    seen = permission(by_service, permission_id).terms
    assert is_sealed(seen.recipient)
    assert is_sealed(seen.purpose)
    assert seen.scope is Scope.NAMED_PUPILS
    with pytest.raises(KeyNotHeld):
        release(by_service, asked(permission_id), registered.teacher, AT)
    nobody = schools.opened(SchoolKeys.none_of(school.school_id))
    with pytest.raises(KeyNotHeld):
        release(nobody, asked(permission_id), registered.teacher, AT)
    for stored in school.stream.events_of(permissions_of(school.school_id)):
        assert b"Countyshire" not in stored.state
    assert pupil_id.bytes not in school.stream.events_of(permissions_of(school.school_id))[0].state


def test_another_schools_permission_is_nobodys(registered: RegisteredSchool, schools: Schools) -> None:
    admitted(registered.application, registered.teacher, child(1))
    permission_id = given(registered)
    made = register(schools, msgspec.structs.replace(registration(str(next(_urns))), headteacher=True))
    assert made.login_key
    other, head = opened(schools, made.login_key), staff(made.outcome.result.administrator_id)
    admitted(other, head, child(1))
    with pytest.raises(NotFound):
        release(other, asked(permission_id), head, AT)
    with pytest.raises(NotFound):
        permissions.revoke(other, permission_id, head)


def test_the_child_is_told_to_whom_it_was_named(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    one, other = admitted(school, actor, child(1), child(2))
    permission_id = given(registered, recipient="Countyshire Council, Dana Desk")
    released(registered, permission_id, recipient="Countyshire Council, Dana Desk", pupil_ids=(one,))

    def record(pupil_id: UUID) -> tuple[list[Any], str]:
        content = b"".join(subject_access.everything_about(school, pupil_id, actor, AT))
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            kept = json.loads(archive.read("record.json"))["seen"]["releases"]
            return kept, archive.read("index.html").decode()

    kept, page = record(one)
    assert [(each["recipient"], each["purpose"], each["by"], each["pupils"]) for each in kept] == [
        ("Countyshire Council, Dana Desk", "Moderation of writing", "A Teacher", 1)
    ]
    assert "Countyshire Council, Dana Desk" in page
    kept, page = record(other)
    assert kept == []
    assert "Countyshire" not in page
    assert "To nobody." in page


def test_the_schools_bundle_holds_permissions_and_releases(registered: RegisteredSchool) -> None:
    school, head = registered.application, registered.administrator
    admitted(school, registered.teacher, child(1))
    permission_id = given(registered)
    made = released(registered, permission_id)
    bundle = school_bundle.SchoolBundle(school, head, AT)
    with zipfile.ZipFile(io.BytesIO(b"".join(bundle.content()))) as archive:
        [line] = archive.read("release-permissions.ndjson").splitlines()
    kept = json.loads(line)
    assert (kept["permission_id"], kept["recipient"]) == (str(permission_id), "Countyshire Council")
    assert [each["release_id"] for each in kept["releases"]] == [str(made.release_id)]
    assert people.people_of(school, bundle.position)(head) == kept["given_by"]
