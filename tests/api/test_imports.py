"""Files of pupils over HTTP: tried out, taken in whole, refused whole."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from api.callers import LOGIN_KEY_HEADER
from domain.codes.upn import make_upn
from domain.vault.login_key import issue
from tests.api.conftest import OPERATOR_TOKEN, SchoolUnderTest, Served, assert_problem
from tests.keys import SERVICE_KEYS


def file_of(first: int, *more: str) -> bytes:
    rows = [
        f"{make_upn(881, 2001, 2020, serial)},Importedname{serial},Child,04/03/2018,01/09/2022,F"
        for serial in (first, first + 1)
    ]
    return "\r\n".join(["UPN,Surname,Forename,DOB,DOA,Gender", *rows, *more]).encode()


@pytest.fixture(scope="module")
def own(served: Served) -> SchoolUnderTest:
    return served.register()


@pytest.fixture(scope="module")
def client(served: Served, own: SchoolUnderTest) -> httpx.Client:
    return served.client(own.admin.token)


def position_of(client: httpx.Client) -> int:
    position: int = client.get("/v1/school").json()["position"]
    return position


def test_a_dry_run_writes_nothing(client: httpx.Client) -> None:
    before = position_of(client)
    answer = client.post("/v1/imports?dry_run=true", content=file_of(200, ",Nobody,,,,"))
    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert report["dry_run"] is True
    assert [row["outcome"] for row in report["rows"]] == ["created", "created", "refused"]
    assert report["rows"][2]["findings"]
    assert report["position"] is None
    assert "target-tracker-position" not in answer.headers
    assert position_of(client) == before


def test_a_file_is_taken_in_whole_and_once(client: httpx.Client) -> None:
    before = position_of(client)
    answer = client.post("/v1/imports", content=file_of(300))
    assert answer.status_code == 201, answer.text
    assert answer.json()["counts"]["created"] == 2
    position = answer.json()["position"]
    assert answer.headers["target-tracker-position"] == str(position)
    found = client.post(
        "/v1/pupils/search", params={"min_position": position}, json={"name": "importedname300"}
    )
    assert len(found.json()["pupils"]) == 1
    again = client.post("/v1/imports?dry_run=false", content=file_of(300)).json()
    assert again["counts"]["unchanged"] == 2
    assert position_of(client) == position == before + 3


def test_a_file_that_comes_again_with_its_key(client: httpx.Client) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first = client.post("/v1/imports", content=file_of(400), headers=key)
    again = client.post("/v1/imports", content=file_of(400), headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["counts"] == first.json()["counts"]
    assert again.json()["position"] == first.json()["position"]
    other = client.post("/v1/imports", content=file_of(500), headers=key)
    assert other.json()["type"] == "urn:target-tracker:problem:command-reused"


def test_a_refused_row_refuses_the_file(client: httpx.Client) -> None:
    before = position_of(client)
    answer = client.post("/v1/imports", content=file_of(600, ",Wrong,Date,31/02/2018,01/09/2022,F"))
    assert answer.status_code == 422
    body = answer.json()
    assert body["type"] == "urn:target-tracker:problem:invalid-input"
    assert [(finding["row"], finding["field"]) for finding in body["findings"]] == [(4, "DOB")]
    assert [row["outcome"] for row in body["report"]["rows"]] == ["created", "created", "refused"]
    assert position_of(client) == before


FILES = {
    "nothing": b"",
    "a workbook": b"PK\x03\x04rest",
    "no columns": b"hello",
    "cut short": file_of(700)[:20],
    "a bomb of entities": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>',
    "another XML": b"<html/>",
    "binary": bytes(range(256)) * 10,
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_files_that_cannot_be_read(client: httpx.Client, content: bytes) -> None:
    answer = client.post("/v1/imports", content=content)
    assert answer.status_code == 422, answer.text
    assert answer.json()["findings"][0]["accepted"]


def test_the_operator_imports_on_a_schools_behalf(
    served: Served, own: SchoolUnderTest, client: httpx.Client
) -> None:
    with served.client(OPERATOR_TOKEN) as operator:
        shown = {LOGIN_KEY_HEADER: own.login_key}
        answer = operator.post("/v1/imports", content=file_of(800), headers=shown)
        assert answer.status_code == 201, answer.text
        strangers = {LOGIN_KEY_HEADER: issue(SERVICE_KEYS, uuid4(), uuid4())[0]}
        for headers in ({}, {LOGIN_KEY_HEADER: "mine"}, strangers):
            refused = operator.post("/v1/imports", content=file_of(810), headers=headers)
            assert_problem(refused, 401, "login-key-refused")
    entries = client.get("/v1/history", params={"after": answer.json()["position"] - 4}).json()["entries"]
    assert [each["actor"] for each in entries] == [{"kind": "operator"}] * 4
    assert entries[0]["event"] == "key.used"
    assert entries[-1]["event"] == "import.completed"


def test_staff_import_into_their_own_school_only(
    served: Served, own: SchoolUnderTest, other_school: SchoolUnderTest, client: httpx.Client
) -> None:
    named = {LOGIN_KEY_HEADER: other_school.login_key}
    before = position_of(client)
    assert client.post("/v1/imports", content=file_of(900), headers=named).status_code == 201
    assert position_of(client) == before + 3
    with served.client(other_school.admin.token) as stranger:
        found = stranger.post("/v1/pupils/search", json={"name": "importedname900"})
        assert found.json()["pupils"] == []
