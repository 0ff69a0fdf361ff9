"""Files of other layouts over HTTP: a mapping guessed, looked at, and used, in one request that repeats."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.imports import LARGEST_BODIES, LARGEST_FILE
from domain.access import AccessLevel
from domain.codes.upn import make_upn
from tests.api.conftest import SchoolUnderTest, Served, assert_problem

UPN = make_upn(881, 2001, 2021, 77)
FILE = (
    "Class list of Elm,,,,,,\r\n"
    "UPN,Legal Surname,Legal Forename,DOB,Gender,Admission Date,Parent Email\r\n"
    f"{UPN},Mappedchild,Zoë,20-Nov-17,Female,07-Sep-22,parent@example.org\r\n"
).encode("cp1252")


@pytest.fixture(scope="module")
def own(served: Served) -> SchoolUnderTest:
    return served.register()


@pytest.fixture(scope="module")
def client(served: Served, own: SchoolUnderTest) -> httpx.Client:
    return served.client(own.users[AccessLevel.READ_WRITE].token)


def body_of(mapping: Any, content: bytes = FILE) -> dict[str, Any]:
    return {"mapping": mapping, "file": base64.b64encode(content).decode()}


def position_of(client: httpx.Client) -> int:
    position: int = client.get("/v1/school").json()["position"]
    return position


def test_a_mapping_is_guessed_looked_at_and_used(client: httpx.Client) -> None:
    before = position_of(client)
    answer = client.post("/v1/imports/mapping", content=FILE)
    assert answer.status_code == 200, answer.text
    guess = answer.json()
    assert guess["mapping"]["dates"] == "dd-mmm-yy"
    assert guess["unrecognised"] == ["Parent Email"]
    assert guess["missing"] == guess["unread"] == []
    assert "Mappedchild" not in answer.text
    tried = client.post("/v1/imports/mapped?dry_run=true", json=body_of(guess["mapping"]))
    assert tried.status_code == 200, tried.text
    assert position_of(client) == before
    done = client.post("/v1/imports/mapped", json=body_of(guess["mapping"]))
    assert done.status_code == 201, done.text
    assert done.json()["counts"] == tried.json()["counts"]
    assert done.json()["dropped"] == {"rows above the heading": 1, "email addresses": 1}
    position = done.json()["position"]
    assert done.headers["target-tracker-position"] == str(position)
    asked = {"min_position": position}
    found = client.post("/v1/pupils/search", params=asked, json={"upn": UPN}).json()["pupils"]
    assert [(each["surname"], each["forename"], each["sex"]) for each in found] == [
        ("Mappedchild", "Zoë", "F")
    ]
    again = client.post("/v1/imports/mapped", json=body_of(guess["mapping"]))
    assert again.json()["counts"]["unchanged"] == 1


def test_it_is_done_once_however_often_it_is_sent(client: httpx.Client) -> None:
    mapping = client.post("/v1/imports/mapping", content=FILE).json()["mapping"]
    key = {"Idempotency-Key": str(uuid4())}
    content = FILE.replace(b"Mappedchild", b"Once").replace(UPN.encode(), b"")
    first = client.post("/v1/imports/mapped", json=body_of(mapping, content), headers=key)
    again = client.post("/v1/imports/mapped", json=body_of(mapping, content), headers=key)
    assert (first.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    mapping["dates"] = "dd-mmm-yyyy"
    other = client.post("/v1/imports/mapped", json=body_of(mapping, content), headers=key)
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("mapping", "place"),
    [
        ({"fields": {"shoe_size": "Shoes", "upn": "UPN"}}, "mapping.fields.shoe_size"),
        ({"fields": {"upn": {"column": 5}}}, "mapping.fields.upn"),
        ({"fields": {"upn": "UPN"}, "dates": "when"}, "mapping.dates"),
        ({"fields": {"upn": "UPN"}, "dates": 5}, "mapping.dates"),
        ({"fields": {"upn": "UPN"}, "colour": "red"}, "mapping.colour"),
        ({}, "mapping.fields"),
        (None, "mapping"),
    ],
)
def test_a_mapping_that_is_wrong_is_told_where(client: httpx.Client, mapping: Any, place: str) -> None:
    before = position_of(client)
    answer = client.post("/v1/imports/mapped", json=body_of(mapping))
    problem = assert_problem(answer, 422, "invalid-input")
    assert place in [finding["field"] for finding in problem["findings"]]
    assert all(finding["accepted"] for finding in problem["findings"])
    assert position_of(client) == before


def test_a_file_that_is_no_base64_or_too_long(client: httpx.Client) -> None:
    answer = client.post("/v1/imports/mapped", json={"mapping": {"fields": {"upn": "UPN"}}, "file": "é!"})
    assert assert_problem(answer, 422, "invalid-input")["findings"][0]["field"] == "file"
    for path, limit in LARGEST_BODIES.items():
        answer = client.post(path, content=b" " * (limit + 1))
        assert_problem(answer, 413, "content-too-large")


def test_a_file_in_base64_may_be_as_long_as_any_other(client: httpx.Client) -> None:
    before = position_of(client)
    mapping = {"fields": {"upn": "UPN", "surname": "Surname", "forename": "Forename"}}
    start = b"UPN,Surname,Forename\r\n"
    for length, told in ((LARGEST_FILE, 422), (LARGEST_FILE + 1, 413)):
        file = base64.b64encode(start.ljust(length)).decode()
        answer = client.post("/v1/imports/mapped", json={"mapping": mapping, "file": file})
        assert answer.status_code == told, answer.text
    assert f"{LARGEST_FILE:,}" in answer.json()["detail"]
    assert position_of(client) == before


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"a,b\r\n1,2\r\n", b"<CTfile/>", bytes(range(256))])
def test_files_of_which_nothing_can_be_guessed(client: httpx.Client, content: bytes) -> None:
    answer = client.post("/v1/imports/mapping", content=content)
    assert assert_problem(answer, 422, "unreadable-file")["findings"][0]["accepted"]
