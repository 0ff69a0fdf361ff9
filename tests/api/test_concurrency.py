"""Two at once: nothing is done twice, and no change is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.application.school_application import SchoolApplication
from domain.codes.upn import make_upn
from tests.api.conftest import OPERATOR_TOKEN, PASSWORD, SchoolUnderTest, Served, admit, pupil, registration


def at_once(requests: list[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """Sends requests at the same moment."""
    barrier = threading.Barrier(len(requests))

    def send(request: Callable[[], httpx.Response]) -> httpx.Response:
        barrier.wait()
        return request()

    with ThreadPoolExecutor(len(requests)) as threads:
        return list(threads.map(send, requests))


@pytest.fixture
def two(served: Served, school: SchoolUnderTest) -> list[httpx.Client]:
    """Two connections."""
    clients = [served.client(school.admin.token) for _ in range(2)]
    for client in clients:
        client.get("/v1/school")
    return clients


def test_a_change_without_a_version(admin: httpx.Client) -> None:
    path = f"/v1/pupils/{admit(admin)}"
    for headers in ({}, {"If-Match": "*"}, {"If-Match": ""}):
        answer = admin.patch(path, json={"nc_year": "4"}, headers=headers)
        assert answer.status_code == 428
        assert answer.json()["type"] == "urn:target-tracker:problem:precondition-required"
    for wrong in ("3", '"x"', 'W/"1"', '"1", "2"', '"-1"'):
        answer = admin.patch(path, json={"nc_year": "4"}, headers={"If-Match": wrong})
        assert answer.status_code == 422
        assert answer.json()["findings"][0]["field"] == "If-Match"
    assert admin.get(path).json()["pupil"]["version"] == 1


@pytest.mark.parametrize(
    ("suffix", "sent"),
    [
        ("", {"nc_year": "5"}),
        ("/leave", {"left_on": "2026-01-09"}),
        ("/return", {"returned_on": "2026-01-09"}),
    ],
)
def test_a_stale_version(admin: httpx.Client, suffix: str, sent: dict[str, str]) -> None:
    path = f"/v1/pupils/{admit(admin)}"
    admin.patch(path, json={"nc_year": "4"}, headers={"If-Match": '"1"'})
    send = admin.post if suffix else admin.patch
    for stale in ('"1"', '"1-0"', '"7"'):
        answer = send(path + suffix, json=sent, headers={"If-Match": stale})
        assert answer.status_code == 412
        body = answer.json()
        assert body["type"] == "urn:target-tracker:problem:version-conflict"
        assert body["expected_version"] == int(stale.strip('"')[0])
        assert body["actual_version"] == 2


def test_of_two_changes_at_once_one_is_told_of_the_other(two: list[httpx.Client]) -> None:
    path = f"/v1/pupils/{admit(two[0])}"
    changes = [{"nc_year": "4"}, {"class_name": "Elm"}]
    answers = at_once(
        [
            partial(client.patch, path, json=change, headers={"If-Match": '"1"'})
            for client, change in zip(two, changes, strict=True)
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]


def test_blind_retries_lose_no_change(two: list[httpx.Client]) -> None:
    """Each client changes fields of its own, and on 412 reads again and sends the same again."""
    path = f"/v1/pupils/{admit(two[0])}"
    refused = []

    def change(client: httpx.Client, field: str, values: list[Any]) -> None:
        for value in values:
            for _ in range(100):
                tag = client.get(path).headers["etag"]
                answer = client.patch(path, json={field: value}, headers={"If-Match": tag})
                if answer.status_code == 200:
                    break
                assert answer.status_code == 412
                refused.append(field)
            else:
                pytest.fail("never accepted")

    years = [str(1 + number % 9) for number in range(15)]
    classes = [f"Class {number}" for number in range(15)]
    with ThreadPoolExecutor(2) as threads:
        for done in [
            threads.submit(change, two[0], "nc_year", years),
            threads.submit(change, two[1], "class_name", classes),
        ]:
            done.result()
    history = two[0].get(f"{path}/history").json()["entries"]
    changes = [each["details"]["record"] for each in history if each["event"] == "pupil.changed"]
    assert [each["nc_year"] for each in changes if "nc_year" in each] == years
    assert [each["class_name"] for each in changes if "class_name" in each] == classes
    assert [each["originator_version"] for each in history] == list(range(1, 32))
    last = two[0].get(path, params={"min_position": history[-1]["position"]}).json()["pupil"]
    assert (last["nc_year"], last["class_name"]) == (years[-1], classes[-1])
    assert refused, "the two never met: this shows nothing"


def test_a_command_that_comes_again_is_answered_the_same(admin: httpx.Client) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    child = pupil()
    first = admin.post("/v1/pupils", json=child, headers=key)
    again = admin.post("/v1/pupils", json=child, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["target-tracker-position"] == first.headers["target-tracker-position"]


def test_a_key_that_comes_with_another_content(admin: httpx.Client) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    path = f"/v1/pupils/{admit(admin)}"
    assert admin.patch(path, json={"nc_year": "4"}, headers=key | {"If-Match": '"1"'}).status_code == 200
    position = admin.get("/v1/school").json()["position"]
    other = f"/v1/pupils/{admit(admin)}"
    assert admin.get("/v1/school").json()["position"] == position + 1
    for answer in (
        admin.patch(path, json={"nc_year": "5"}, headers=key | {"If-Match": '"2"'}),
        admin.patch(other, json={"nc_year": "4"}, headers=key | {"If-Match": '"1"'}),
        admin.post("/v1/pupils", json=pupil(), headers=key),
    ):
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:target-tracker:problem:command-reused"
    assert admin.get("/v1/school").json()["position"] == position + 1


def test_a_retry_of_a_change_is_no_conflict_with_itself(admin: httpx.Client) -> None:
    """As after an answer that was lost: the version is stale by the change's own doing."""
    path = f"/v1/pupils/{admit(admin)}"
    headers = {"Idempotency-Key": str(uuid4()), "If-Match": '"1"'}
    answers = [admin.patch(path, json={"nc_year": "4"}, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer.content for answer in answers}) == 1


def commands(client: httpx.Client, served: Served, school: SchoolUnderTest) -> list[tuple[str, str, Any]]:
    """One of each command that takes a key, as if made anew."""
    pupil_id = admit(client)
    path = f"/v1/pupils/{pupil_id}"
    judgement = {"subject": "REA", "value": "3w"}
    term = {"academic_year": 2025, "term": "summer"}
    kept = client.post(f"{path}/assessments", json=term | judgement).json()
    person = {"display_name": "P", "access": {"level": "read-only"}, "password": PASSWORD}
    staff_id = client.post("/v1/staff", json=person | {"username": str(uuid4())}).json()["staff_id"]
    return [
        ("POST", "/v1/pupils", pupil(upn=make_upn(881, 2001, 2023, 77))),
        ("PATCH", path, {"nc_year": "4"}),
        ("POST", f"{path}/leave", {"left_on": "2026-01-09"}),
        ("POST", f"{path}/assessments", term | judgement | {"subject": "MAT"}),
        ("POST", f"{path}/assessments/{kept['assessment_id']}/corrections", {"value": "3s"}),
        ("POST", "/v1/sheets", term | {"entries": [judgement | {"pupil_id": pupil_id, "subject": "WRI"}]}),
        ("POST", "/v1/staff", person | {"username": str(uuid4())}),
        ("PUT", f"/v1/staff/{staff_id}/access", {"level": "read-write"}),
        ("PUT", f"/v1/staff/{staff_id}/password", {"password": PASSWORD + "?"}),
        ("POST", f"/v1/staff/{staff_id}/disable", None),
        ("POST", f"/v1/staff/{staff_id}/enable", None),
    ]


def test_every_command_from_two_connections_at_once_is_done_once(
    served: Served, two: list[httpx.Client], school: SchoolUnderTest
) -> None:
    application: SchoolApplication = served.services.schools.school(school.id)
    for method, path, sent in commands(two[0], served, school):
        version = 1
        if path.endswith("/leave"):
            version = 2
        headers = {"Idempotency-Key": str(uuid4()), "If-Match": f'"{version}"'}
        before = application.stream.head().position
        answers = at_once(
            [partial(client.request, method, path, json=sent, headers=headers) for client in two]
        )
        assert {answer.status_code // 100 for answer in answers} == {2}, (path, [a.text for a in answers])
        assert answers[0].content == answers[1].content, path
        assert {answer.headers.get("idempotent-replayed") for answer in answers} == {None, "true"}, path
        assert application.stream.head().position == before + 1, path


def test_registering_a_school_from_two_connections_at_once(served: Served) -> None:
    operators = [served.client(OPERATOR_TOKEN) for _ in range(2)]
    headers = {"Idempotency-Key": str(uuid4())}
    request = registration("300001")
    answers = at_once(
        [partial(client.post, "/v1/schools", json=request, headers=headers) for client in operators]
    )
    assert [answer.status_code for answer in answers] == [201, 201]
    first, second = sorted((answer.json() for answer in answers), key=lambda body: body["login_key"] is None)
    assert len(first.pop("login_key")) == 550
    assert second.pop("login_key") is None, "a login key is told once"
    assert first == second
    other = operators[0].post("/v1/schools", json=request, headers={"Idempotency-Key": "another"})
    assert other.status_code == 409
    changed = request | {"official_email": "other@school.example"}
    assert operators[0].post("/v1/schools", json=changed, headers=headers).status_code == 422
