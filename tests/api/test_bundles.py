"""Bundles over HTTPS: for administrators alone, whole or not at all, and noted like every read."""

from __future__ import annotations

import io
import json
import ssl
import zipfile
from typing import Any
from uuid import UUID

import httpx
import pytest

from domain.access import AccessLevel
from domain.bundles.archive import problems_of
from domain.errors import DoesNotOpen
from domain.usage import ReadKind
from tests.api.conftest import SchoolUnderTest, Served, admit, assert_problem
from tests.api.test_usage import reads
from tests.photographs import jpeg

SURNAME, NOTE = "Marmosetcanary", "Narwhalcanary was here."

ALL = "/v1/exports/bundle"


@pytest.fixture(scope="module")
def of_bundles(served: Served) -> SchoolUnderTest:
    """A school whose reads nobody else's tests change."""
    return served.register()


@pytest.fixture
def head(served: Served, of_bundles: SchoolUnderTest) -> httpx.Client:
    return served.client(of_bundles.admin.token)


@pytest.fixture
def pupil_id(head: httpx.Client) -> str:
    pupil_id = admit(head, surname=SURNAME)
    head.post(f"/v1/pupils/{pupil_id}/notes", json={"text": NOTE})
    observations = f"/v1/pupils/{pupil_id}/observations"
    made = head.post(observations, json={"observed_on": "2025-03-04", "text": "Shared the conkers."}).json()
    path = f"{observations}/{made['observation_id']}/photographs"
    assert head.post(path, content=jpeg()).status_code == 201
    return pupil_id


def files(answer: httpx.Response) -> dict[str, bytes]:
    """The files of a bundle, which must be as its manifest says."""
    assert answer.status_code == 200, answer.text
    assert problems_of(io.BytesIO(answer.content)) == []
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def bundle_of(pupil_id: str) -> str:
    return f"/v1/pupils/{pupil_id}/bundle"


def test_administrators_take_away_what_is_held_of_a_child(head: httpx.Client, pupil_id: str) -> None:
    other = admit(head, surname="Othercanary")
    answer = head.get(bundle_of(pupil_id))
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="subject-access.zip"'
    found = files(answer)
    assert list(found) == ["index.html", "record.json", "photographs/0001.jpg", "manifest.json"]
    for text in (SURNAME, NOTE):
        assert text.encode() in found["index.html"]
        assert text.encode() in found["record.json"]
    assert b"Othercanary" not in b"".join(found.values())
    assert SURNAME.encode() not in b"".join(files(head.get(bundle_of(other))).values())


@pytest.mark.parametrize("level", [each for each in AccessLevel if each is not AccessLevel.ADMIN])
def test_nobody_else_does(
    served: Served, of_bundles: SchoolUnderTest, pupil_id: str, level: AccessLevel
) -> None:
    before = len(reads(served, of_bundles, level))
    with served.client(of_bundles.users[level].token) as client:
        for path in (bundle_of(pupil_id), ALL):
            refused = client.get(path)
            assert_problem(refused, 403, "not-permitted")
            assert "canary" not in refused.text
    assert len(reads(served, of_bundles, level)) == before


def test_who_saw_the_child_is_in_it_up_to_this_very_moment(
    served: Served, of_bundles: SchoolUnderTest, head: httpx.Client, pupil_id: str
) -> None:
    def seen() -> list[tuple[Any, ...]]:
        record = json.loads(files(head.get(bundle_of(pupil_id)))["record.json"])
        return [(each["by"], each["what"], each["named"]) for each in record["seen"]["reads"]]

    other = admit(head)
    level = AccessLevel.READ_ONLY_NO_NAMES
    with served.client(of_bundles.users[level].token) as client:
        client.get(f"/v1/pupils/{pupil_id}/notes")
        client.get(f"/v1/pupils/{other}")
    before = seen()
    assert before[-1] == (f"User {level}", "notes about a pupil", False)
    assert seen() == [*before, ("The Head", "everything held of a pupil", True)]


def test_the_schools_bundle_is_noted_for_everybody_in_it(
    served: Served, of_bundles: SchoolUnderTest, head: httpx.Client, pupil_id: str
) -> None:
    answer = head.get(ALL)
    assert answer.headers["content-disposition"] == 'attachment; filename="school-bundle.zip"'
    found = files(answer)
    ids = [UUID(json.loads(line)["pupil_id"]) for line in found["pupils.ndjson"].splitlines()]
    assert UUID(pupil_id) in ids
    assert NOTE.encode() in found["notes.ndjson"]
    read = reads(served, of_bundles)[-1]
    assert (read.kind, read.named, read.pupil_ids) == (ReadKind.SCHOOL_BUNDLE, True, ids)


def test_an_erased_child_has_none(head: httpx.Client, pupil_id: str) -> None:
    asked = head.post(f"/v1/pupils/{pupil_id}/erasure", json={"reason": "mistake"}).json()
    confirmed = {"reason": "mistake", "confirmation": asked["confirmation"]}
    assert head.post(f"/v1/pupils/{pupil_id}/erase", json=confirmed).is_success
    refused = head.get(bundle_of(pupil_id))
    elsewhere = head.get(f"/v1/pupils/{pupil_id}/observations")
    assert refused.status_code == elsewhere.status_code == 404
    assert refused.json()["type"] == elsewhere.json()["type"]
    found = files(head.get(ALL))
    assert pupil_id.encode() not in found["pupils.ndjson"]


def test_what_cannot_be_read_is_an_error_and_no_bundle(
    served: Served,
    of_bundles: SchoolUnderTest,
    head: httpx.Client,
    pupil_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(*_: object) -> bytes:
        raise DoesNotOpen("This photograph is not where it was stored")

    monkeypatch.setattr("domain.application.held_photographs.photographs.get", gone)
    assert head.get(bundle_of(pupil_id)).status_code == 500
    # What has begun already can only break off.
    monkeypatch.setattr("domain.bundles.archive.PIECE", 1)
    received = begun(served, of_bundles.admin.token)
    assert received
    assert problems_of(io.BytesIO(received)) == ["this is no bundle, or only a part of one"]


def begun(served: Served, token: str) -> bytes:
    """What comes of the school's bundle before it breaks off."""
    context = ssl.create_default_context(cafile=served.certificates.ca)
    headers = {"Authorization": f"Bearer {token}"}
    received = bytearray()
    with (
        httpx.Client(base_url=served.url, verify=context, headers=headers) as client,
        client.stream("GET", ALL) as answer,
    ):
        try:
            for piece in answer.iter_bytes():
                received += piece
        except httpx.RemoteProtocolError:
            return bytes(received)
    raise AssertionError("it did not break off")


def test_what_was_written_just_now_is_in_it_and_what_is_to_come_is_refused(
    head: httpx.Client, pupil_id: str
) -> None:
    position = head.get("/v1/school").json()["position"]
    for path in (bundle_of(pupil_id), ALL):
        manifest = json.loads(files(head.get(path, params={"min_position": position}))["manifest.json"])
        assert manifest["position"] >= position
        assert_problem(head.get(path, params={"min_position": position + 10**6}), 503, "not-yet-visible")
