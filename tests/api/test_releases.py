"""Permissions and releases over HTTPS: who may, what is refused and how, and what the usage tells of it."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from domain.access import AccessLevel, Permission
from domain.application import releasing
from domain.application.school_application import SchoolApplication
from domain.permissions import PermissionUsed, permissions_of
from domain.school_time import today
from tests.api.conftest import (
    OPERATOR_TOKEN,
    PASSWORD,
    SchoolUnderTest,
    Served,
    admit,
    assert_problem,
)

RELEASED: dict[str, Any] = {
    "recipient": "Countyshire Council",
    "purpose": "Moderation of writing",
    "scope": "named_pupils",
}


@pytest.fixture
def own(served: Served) -> SchoolUnderTest:
    """A school of the test's own."""
    return served.register()


@pytest.fixture
def head(served: Served, own: SchoolUnderTest) -> httpx.Client:
    return served.client(own.admin.token)


@pytest.fixture
def teacher(served: Served, own: SchoolUnderTest) -> httpx.Client:
    """Somebody who may export, and is no administrator."""
    return served.client(own.users[AccessLevel.READ_WRITE].token)


def permitted(head: httpx.Client, **changes: Any) -> str:
    until = (today() + timedelta(days=7)).isoformat()
    answer = head.post("/v1/permissions", json=RELEASED | {"until": until} | changes)
    assert answer.status_code == 201, answer.text
    permission_id: str = answer.json()["permission_id"]
    return permission_id


def releases_of(permission_id: str) -> str:
    return f"/v1/permissions/{permission_id}/releases"


def application(served: Served, school: SchoolUnderTest) -> SchoolApplication:
    return served.services.schools.school(school.id)


def recorded(served: Served, school: SchoolUnderTest) -> list[PermissionUsed]:
    opened = application(served, school)
    events = opened.read(opened.stream.events_of(permissions_of(school.id)))
    return [event for event in events if isinstance(event, PermissionUsed)]


def test_given_listed_used_and_revoked(
    head: httpx.Client, teacher: httpx.Client, served: Served, own: SchoolUnderTest
) -> None:
    pupil_id = admit(head, surname="Releasecanary")
    permission_id = permitted(head)
    answer = teacher.post(releases_of(permission_id), json=RELEASED)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="named-release.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        cover = json.loads(archive.read("cover-sheet.json"))
        assert b"Releasecanary" in archive.read("pupils.csv")
    assert (cover["permission_id"], cover["released_by"]) == (permission_id, "User read-write")
    [listed] = head.get("/v1/permissions").json()
    assert (listed["recipient"], listed["given_by"], listed["revoked_by"]) == (
        "Countyshire Council",
        "The Head",
        None,
    )
    assert [(each["release_id"], each["pupils"]) for each in listed["releases"]] == [(cover["release_id"], 1)]
    assert [each.pupils for each in recorded(served, own)] == [UUID(pupil_id).bytes]
    for _ in range(2):
        assert head.delete(f"/v1/permissions/{permission_id}").status_code == 200
    assert head.get("/v1/permissions").json()[0]["revoked_by"] == "The Head"
    body = assert_problem(teacher.post(releases_of(permission_id), json=RELEASED), 403, "release-refused")
    assert [(each["field"], each["found"]) for each in body["findings"]] == [("permission_id", "revoked")]
    assert len(recorded(served, own)) == 1


def test_a_permission_that_came_twice_is_one(head: httpx.Client) -> None:
    body = RELEASED | {"until": today().isoformat()}
    answers = [head.post("/v1/permissions", json=body, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert answers[0].json()["permission_id"] == answers[1].json()["permission_id"]
    assert len(head.get("/v1/permissions").json()) == 1


def test_what_is_not_covered_is_refused_with_its_words(
    head: httpx.Client, teacher: httpx.Client, served: Served, own: SchoolUnderTest
) -> None:
    admit(head)
    permission_id = permitted(head)
    wrong = {"recipient": "A newspaper", "purpose": "A league table", "scope": "school_figures"}
    body = assert_problem(teacher.post(releases_of(permission_id), json=wrong), 403, "release-refused")
    assert [(each["field"], each["found"]) for each in body["findings"]] == list(wrong.items())
    assert all(each["accepted"] for each in body["findings"])
    assert recorded(served, own) == []


def test_an_administrator_who_is_no_headteacher_lists_and_does_not_give(
    served: Served, own: SchoolUnderTest, head: httpx.Client
) -> None:
    deputy = {"username": "deputy", "display_name": "D", "access": {"level": "admin"}, "password": PASSWORD}
    assert head.post("/v1/staff", json=deputy).status_code == 201
    permission_id = permitted(head)
    with served.client(served.log_in(own.login_key, "deputy")["token"]) as client:
        assert len(client.get("/v1/permissions").json()) == 1
        until = {"until": today().isoformat()}
        answer = client.post("/v1/permissions", json=RELEASED | until)
        assert assert_problem(answer, 403, "not-permitted")["needed"] == Permission.GIVE_RELEASES
        assert client.delete(f"/v1/permissions/{permission_id}").status_code == 403
        assert client.post(releases_of(permission_id), json=RELEASED).status_code == 409  # nobody is here
        head_id = own.admin.staff_id
        assert client.put(f"/v1/staff/{head_id}/password", json={"password": PASSWORD}).status_code == 403
        assert client.post(f"/v1/staff/{head_id}/headteacher/end").status_code == 403
        assert client.post(f"/v1/staff/{head_id}/disable").status_code == 409


def test_whoever_may_see_no_names_releases_none(
    served: Served, own: SchoolUnderTest, head: httpx.Client
) -> None:
    admit(head)
    permission_id = permitted(head)
    for level in (AccessLevel.READ_ONLY_NO_NAMES, AccessLevel.READ_ONLY, AccessLevel.LIMITED_READ_WRITE):
        with served.client(own.users[level].token) as client:
            for scope in ("named_pupils", "school_figures"):
                answer = client.post(releases_of(permission_id), json=RELEASED | {"scope": scope})
                assert_problem(answer, 403, "not-permitted")
            assert client.get("/v1/permissions").status_code == 403
    assert recorded(served, own) == []


def test_a_release_is_recorded_before_a_byte_is_sent(
    served: Served, own: SchoolUnderTest, head: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit(head)
    permission_id = permitted(head)
    seen: list[int] = []
    send = releasing.release

    def spied(*given: Any) -> Any:
        made = send(*given)
        seen.append(len(recorded(served, own)))
        return made

    monkeypatch.setattr(releasing, "release", spied)
    assert head.post(releases_of(permission_id), json=RELEASED).status_code == 200
    assert seen == [1]


def test_usage_tells_what_was_permitted_and_released(
    served: Served, own: SchoolUnderTest, head: httpx.Client, teacher: httpx.Client
) -> None:
    pupil_id, other = admit(head), admit(head)
    permission_id = permitted(head)
    asked = RELEASED | {"pupil_ids": [pupil_id]}
    assert teacher.post(releases_of(permission_id), json=asked).status_code == 200
    assert teacher.post(releases_of(permission_id), json=asked | {"purpose": "Fun"}).status_code == 403
    figures = {"scope": "school_figures"}
    of_figures = permitted(head, **figures)
    assert teacher.post(releases_of(of_figures), json=RELEASED | figures).status_code == 200
    assert head.delete(f"/v1/permissions/{permission_id}").status_code == 200
    served.services.audit.flush()
    query = {"min_position": head.get("/v1/school").json()["position"]}

    def lines(**more: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = head.get("/v1/usage", params=query | more).json()["usage"]
        return found

    assert [each["what"] for each in lines(kind="permission")] == [
        "permission to release named data revoked",
        *["permission to release named data given"] * 2,
    ]
    told = [
        (each["what"], each["display_name"], each["pupils"], each["named"]) for each in lines(kind="release")
    ]
    assert told == [
        ("the school's figures", "User read-write", 0, False),
        ("named pupils", "User read-write", 1, True),
    ]
    assert [each["kind"] for each in lines(pupil_id=pupil_id) if each["what"] == "named pupils"] == [
        "release"
    ]
    assert [each["what"] for each in lines(pupil_id=other) if each["kind"] == "release"] == []
    [refused] = lines(kind="refusal")
    assert refused["route"] == "POST /v1/permissions/{permission_id}/releases"
    assert refused["what"] == Permission.GIVE_RELEASES


def test_the_operator_appoints_with_a_login_key_of_the_school(
    served: Served, own: SchoolUnderTest, head: httpx.Client
) -> None:
    deputy = {"username": "deputy", "display_name": "D", "access": {"level": "admin"}, "password": PASSWORD}
    deputy_id = head.post("/v1/staff", json=deputy).json()["staff_id"]
    key = {"Target-Tracker-Login-Key": own.login_key}
    with served.client(OPERATOR_TOKEN, **key) as operator:
        assert operator.post(f"/v1/staff/{deputy_id}/headteacher").status_code == 200
        assert operator.post(f"/v1/staff/{own.admin.staff_id}/headteacher/end").status_code == 200
    heads = {each["staff_id"]: each["headteacher"] for each in head.get("/v1/staff").json()}
    assert heads[deputy_id]
    assert not heads[str(own.admin.staff_id)]
    assert head.post("/v1/permissions", json=RELEASED | {"until": today().isoformat()}).status_code == 403
