"""Observations over HTTPS: written, illustrated, paged, changed; shown to those alone who may see names."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from anyio import CapacityLimiter

from domain.access import AccessLevel
from domain.files.photographs import Developed, develop, kind_of
from domain.school_time import today
from tests.api.conftest import SchoolUnderTest, Served, admit, assert_problem
from tests.photographs import FORMS, beside_the_pixels, jpeg, planted_in, same_colours, scene, written

SEEN = {"observed_on": "2025-03-04", "text": "Shared twelve conkers.", "subject": "MAT"}


@pytest.fixture
def path(admin: httpx.Client) -> str:
    """Where the observations of a child are."""
    return f"/v1/pupils/{admit(admin)}/observations"


def made(client: httpx.Client, path: str, **changes: Any) -> str:
    """Makes an observation, and says where it is."""
    answer = client.post(path, json=SEEN | changes)
    assert answer.status_code == 201, answer.text
    return f"{path}/{answer.json()['observation_id']}"


def attached(client: httpx.Client, observation: str, content: bytes) -> str:
    """Attaches a photograph, and says where it is."""
    answer = client.post(f"{observation}/photographs", content=content)
    assert answer.status_code == 201, answer.text
    return f"{observation}/photographs/{answer.json()['photograph_id']}"


def test_an_observation_is_made_and_read(admin: httpx.Client, school: SchoolUnderTest, path: str) -> None:
    answer = admin.post(path, json=SEEN)
    kept = answer.json()
    assert answer.headers["target-tracker-position"] == str(kept["position"])
    assert answer.headers["etag"] == '"1"'
    listed = admin.get(path, params={"min_position": kept["position"]}).json()
    expected = {
        "observation_id": kept["observation_id"],
        "version": 1,
        "made_by": str(school.admin.staff_id),
        "photographs": [],
        **SEEN,
    }
    assert listed["observations"] == [expected]
    assert (listed["next"], listed["position"]) == (None, kept["position"])
    read = admin.get(f"{path}/{kept['observation_id']}")
    assert read.json()["observation"] == expected
    assert read.headers["etag"] == '"1"'


def test_pages_at_a_pinned_position(admin: httpx.Client, path: str) -> None:
    made_here = [made(admin, path, text=f"Counted to {number}.").rpartition("/")[2] for number in range(7)]
    position = admin.get("/v1/school").json()["position"]
    found: list[str] = []
    asked: dict[str, Any] = {"limit": 3, "as_at_position": position}
    while True:
        page = admin.get(path, params=asked).json()
        found += [each["observation_id"] for each in page["observations"]]
        assert len(page["observations"]) <= 3
        assert page["position"] == position
        if page["next"] is None:
            break
        asked["after"] = page["next"]
        made(admin, path, text="Comes in between.")
    assert found == made_here[::-1]
    assert len(admin.get(path).json()["observations"]) == 9
    assert_problem(admin.get(path, params={"limit": 501}), 422, "invalid-input")


@pytest.mark.parametrize("form", FORMS)
def test_a_photograph_is_attached_and_shown(admin: httpx.Client, path: str, form: str) -> None:
    observation = made(admin, path)
    photograph = attached(admin, observation, FORMS[form](6))
    [described] = admin.get(observation).json()["observation"]["photographs"]
    assert described["photograph_id"] == photograph.rpartition("/")[2]
    assert (described["width"], described["height"]) == (96, 64)
    for picture in (photograph, f"{photograph}/thumbnail"):
        answer = admin.get(picture)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == described["media_type"]
        assert f"image/{(kind_of(answer.content) or '').lower()}" == described["media_type"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        ending = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}[described["media_type"]]
        assert answer.headers["content-disposition"] == f'inline; filename="photograph.{ending}"'
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert same_colours(answer.content)
        assert planted_in(answer.content) | beside_the_pixels(answer.content) == set()


@pytest.fixture
def two_at_a_time(served: Served) -> Iterator[None]:
    """Whatever the number of processors."""
    before, served.app.state.developing = served.app.state.developing, CapacityLimiter(2)
    yield
    served.app.state.developing = before


def test_many_at_once_wait_their_turn_and_keep_nobody_else_waiting(
    served: Served,
    school: SchoolUnderTest,
    admin: httpx.Client,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
    two_at_a_time: None,
) -> None:
    """Two are developed at a time, each taking a while here."""
    observation, under_way, most, lock = made(admin, path), 0, 0, threading.Lock()

    def slow(content: bytes) -> Developed:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.3)
        with lock:
            under_way -= 1
        return develop(content)

    monkeypatch.setattr("domain.application.observing.develop", slow)
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(admin.post, f"{observation}/photographs", content=jpeg()) for _ in range(6)]
        began = time.monotonic()
        served.log_in(school.login_key, "head")
        assert admin.get(observation).status_code == 200
        waited = time.monotonic() - began
        assert [each.result().status_code for each in sent] == [201] * len(sent)
    assert most == 2
    assert waited < 5
    assert len(admin.get(observation).json()["observation"]["photographs"]) == len(sent)


def test_what_it_is_said_to_be_does_not_count(admin: httpx.Client, path: str) -> None:
    observation = made(admin, path)
    headers = {"Content-Type": "image/svg+xml", "Content-Disposition": 'attachment; filename="Zoe.html"'}
    answer = admin.post(f"{observation}/photographs", content=jpeg(), headers=headers)
    assert answer.status_code == 201
    lying = admin.post(
        f"{observation}/photographs", content=b"conkers " * 9, headers={"Content-Type": "image/jpeg"}
    )
    body = assert_problem(lying, 422, "unreadable-file")
    assert body["findings"] == [
        {
            "field": "photograph",
            "found": "text",
            "accepted": "a JPEG, PNG, WebP or HEIC picture of at most 10 MB",
        }
    ]


def test_what_is_no_photograph_is_refused_and_nothing_is_kept(admin: httpx.Client, path: str) -> None:
    observation = made(admin, path)
    before = admin.get("/v1/school").json()["position"]
    for content, found in (
        (b"", "nothing"),
        (written(scene().convert("P"), "GIF"), "a GIF"),
        (b"<svg onload='alert(1)'/>", "an SVG"),
        (jpeg()[:-400], "a JPEG that does not decode"),
    ):
        answer = admin.post(f"{observation}/photographs", content=content)
        body = assert_problem(answer, 422, "unreadable-file")
        assert [finding["found"] for finding in body["findings"]] == [found]
    too_long = admin.post(f"{observation}/photographs", content=jpeg().ljust(10_000_001, b"\0"))
    assert "at most 10 MB (10,000,000 bytes)" in assert_problem(too_long, 413, "content-too-large")["detail"]
    assert admin.get("/v1/school").json()["position"] == before
    assert admin.get(observation).json()["observation"]["photographs"] == []


def test_one_of_ten_megabytes_is_taken_and_its_tail_is_not(admin: httpx.Client, path: str) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("Meadowcanary.txt", "Meadowcanary")
    padding = 10_000_000 - len(jpeg()) - len(archive.getvalue())
    photograph = attached(admin, made(admin, path), jpeg() + bytes(padding) + archive.getvalue())
    kept = admin.get(photograph).content
    assert len(kept) < 20_000
    assert b"Meadowcanary" not in kept


def test_the_same_command_again_stores_nothing_again(
    admin: httpx.Client, served: Served, school: SchoolUnderTest, path: str
) -> None:
    observation, key = made(admin, path), {"Idempotency-Key": uuid4().hex}
    first = admin.post(f"{observation}/photographs", content=jpeg(), headers=key)
    again = admin.post(f"{observation}/photographs", content=jpeg(), headers=key)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert len(admin.get(observation).json()["observation"]["photographs"]) == 1
    other = admin.post(f"{observation}/photographs", content=FORMS["PNG"](), headers=key)
    assert_problem(other, 422, "command-reused")
    with served.services.schools.database.bound_to(school.id) as connection:
        rows = connection.execute(
            "SELECT role FROM ledger.photographs WHERE photograph_id = %s ORDER BY role",
            [first.json()["photograph_id"]],
        )
        assert rows.fetchall() == [("photograph",), ("thumbnail",)]


def test_a_change_needs_the_version_that_was_seen(admin: httpx.Client, path: str) -> None:
    observation = made(admin, path)
    better = SEEN | {"text": "Shared them fairly."}
    assert_problem(admin.put(observation, json=better), 428, "precondition-required")
    changed = admin.put(observation, json=better, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    stale = assert_problem(
        admin.put(observation, json=SEEN, headers={"If-Match": '"1"'}), 412, "version-conflict"
    )
    assert (stale["expected_version"], stale["actual_version"]) == (1, 2)
    read = admin.get(observation)
    assert read.json()["observation"]["text"] == "Shared them fairly."
    assert read.headers["etag"] == '"2"'


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": "Write to zoe@home.example"}, "text"),
        ({"text": ""}, "text"),
        ({"observed_on": "2999-01-01"}, "observed_on"),
        ({"observed_on": "1989-01-01"}, "observed_on"),
        ({"subject": "XYZ"}, "subject"),
        ({"photograph": "x"}, "photograph"),
    ],
)
def test_what_cannot_be_kept_is_named(
    admin: httpx.Client, path: str, changes: dict[str, Any], field: str
) -> None:
    body = assert_problem(admin.post(path, json=SEEN | changes), 422, "invalid-input")
    assert [finding["field"] for finding in body["findings"]] == [field]
    assert admin.get(path).json()["observations"] == []


def test_what_is_withdrawn_is_not_there(admin: httpx.Client, path: str) -> None:
    observation = made(admin, path)
    first, second = (attached(admin, observation, jpeg()) for _ in range(2))
    assert admin.post(f"{first}/withdraw").status_code == 200
    for picture in (first, f"{first}/thumbnail"):
        assert_problem(admin.get(picture), 404, "not-found")
    assert admin.get(second).status_code == 200
    assert admin.post(f"{observation}/withdraw", json={"reason": "another child"}).status_code == 200
    for gone in (observation, second, f"{second}/thumbnail"):
        assert_problem(admin.get(gone), 404, "not-found")
    assert admin.get(path).json()["observations"] == []


def test_ids_of_another_childs_are_nobodys(admin: httpx.Client, path: str) -> None:
    observation = made(admin, path)
    photograph = attached(admin, observation, jpeg())
    other = f"/v1/pupils/{admit(admin)}/observations"
    another = made(admin, path)
    for wrong in (
        photograph.replace(path, other),
        photograph.replace(observation, another),
        f"{photograph}/thumbnail".replace(observation, another),
        observation.replace(path, other),
        f"{observation}/photographs/{uuid4()}",
    ):
        assert_problem(admin.get(wrong), 404, "not-found")


def test_whoever_may_see_no_names_is_shown_neither_words_nor_pictures(
    served: Served, school: SchoolUnderTest, admin: httpx.Client, path: str
) -> None:
    observation = made(admin, path)
    photograph = attached(admin, observation, jpeg())
    with served.client(school.users[AccessLevel.READ_ONLY_NO_NAMES].token) as nameless:
        for asked in (path, observation, photograph, f"{photograph}/thumbnail"):
            body = assert_problem(nameless.get(asked), 403, "not-permitted")
            assert "conkers" not in str(body)
        told = nameless.get(path.replace("observations", "history"))
        assert told.status_code == 200
        assert "observation.photograph-added" in told.text
        assert "conkers" not in told.text
    with served.client(school.users[AccessLevel.READ_ONLY].token) as reader:
        assert reader.get(photograph).status_code == 200
        assert reader.get(path).json()["observations"][0]["text"] == SEEN["text"]
        assert_problem(reader.post(path, json=SEEN), 403, "not-permitted")
        assert_problem(reader.post(f"{observation}/photographs", content=jpeg()), 403, "not-permitted")


def test_limited_read_write_writes_about_its_own_classes_only(
    served: Served, school: SchoolUnderTest, admin: httpx.Client, path: str
) -> None:
    foreign = f"/v1/pupils/{admit(admin, class_name='Elm')}/observations"
    observation = made(admin, foreign)
    with served.client(school.users[AccessLevel.LIMITED_READ_WRITE].token) as teacher:
        own = made(teacher, path, observed_on=today().isoformat())
        assert teacher.get(attached(teacher, own, jpeg())).status_code == 200
        for method, asked, sent in (
            ("POST", foreign, {"json": SEEN}),
            ("PUT", observation, {"json": SEEN}),
            ("POST", f"{observation}/withdraw", {"json": {}}),
            ("POST", f"{observation}/photographs", {"content": jpeg()}),
            ("POST", f"{observation}/photographs/{uuid4()}/withdraw", {}),
        ):
            answer = teacher.request(method, asked, headers={"If-Match": '"1"'}, **sent)
            assert_problem(answer, 403, "not-permitted")
        assert teacher.get(observation).status_code == 200


def test_of_an_erased_child_nothing_is_shown(admin: httpx.Client, path: str) -> None:
    observation = made(admin, path)
    photograph = attached(admin, observation, jpeg())
    pupil = path.rpartition("/")[0]
    asked = admin.post(f"{pupil}/erasure", json={"reason": "request"}).json()
    assert asked["observations"] == 2
    confirmed = {"reason": "request", "confirmation": asked["confirmation"]}
    assert admin.post(f"{pupil}/erase", json=confirmed).status_code == 200
    for gone in (path, observation, photograph, f"{photograph}/thumbnail"):
        assert_problem(admin.get(gone), 404, "erased")
    assert_problem(admin.post(f"{observation}/photographs", content=jpeg()), 404, "erased")
