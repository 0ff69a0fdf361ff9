"""Pupils over HTTP: queries that show what was written, as it is now and as it was."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from domain.codes.upn import make_upn
from tests.api.conftest import SchoolUnderTest, Served, admit, pupil


@pytest.fixture(scope="module")
def own(served: Served) -> SchoolUnderTest:
    """A school of this module's own, so that its roll holds nobody else."""
    return served.register()


@pytest.fixture(scope="module")
def client(served: Served, own: SchoolUnderTest) -> httpx.Client:
    return served.client(own.admin.token)


@pytest.fixture(scope="module")
def roll(client: httpx.Client) -> dict[str, str]:
    """Five children, by forename."""
    children: list[dict[str, Any]] = [
        {"forename": "Ana", "surname": "Núñez-Hill", "class_name": "Elm", "nc_year": "2"},
        {"forename": "Ben", "surname": "O'Brien", "class_name": "elm ", "nc_year": "2"},
        {"forename": "Cai", "surname": "Hill", "class_name": "Oak", "nc_year": "3", "upn": UPN},
        {"forename": "Dee Ann", "surname": "Hall", "class_name": "Oak", "nc_year": "3"},
        {"forename": "Eve", "surname": "Away", "class_name": "Oak", "nc_year": "3"},
    ]
    ids = {child["forename"]: admit(client, **child) for child in children}
    left = client.post(
        f"/v1/pupils/{ids['Eve']}/leave", json={"left_on": "2026-07-20"}, headers={"If-Match": '"1"'}
    )
    shown = client.get("/v1/pupils", params={"min_position": left.json()["position"]})
    assert shown.status_code == 200
    return ids


UPN = make_upn(881, 2001, 2022, 7)


def found(client: httpx.Client, **asked: Any) -> set[str]:
    answer = client.get("/v1/pupils", params=asked)
    assert answer.status_code == 200, answer.text
    return {each["forename"] for each in answer.json()["pupils"]}


def test_filters(client: httpx.Client, roll: dict[str, str]) -> None:
    classes = client.get("/v1/classes").json()
    assert {(each["class_name"].strip().casefold(), each["pupils"]) for each in classes} == {
        ("elm", 2),
        ("oak", 2),
    }
    elm = next(each["class_id"] for each in classes if each["class_name"].strip().casefold() == "elm")
    assert found(client) == {"Ana", "Ben", "Cai", "Dee Ann"}
    assert found(client, class_id=elm) == {"Ana", "Ben"}
    assert found(client, nc_year="Year 3") == {"Cai", "Dee Ann"}
    assert found(client, on_roll="false") == {"Eve"}
    assert found(client, on_roll="any", nc_year="3") == {"Cai", "Dee Ann", "Eve"}


@pytest.mark.parametrize("then", [False, True], ids=["now", "as at a position"])
def test_pages(client: httpx.Client, roll: dict[str, str], then: bool) -> None:
    asked: dict[str, Any] = {"limit": 2, "on_roll": "any"}
    if then:
        asked["as_at_position"] = client.get("/v1/school").json()["position"]
    ids = []
    while True:
        page = client.get("/v1/pupils", params=asked).json()
        ids += [each["pupil_id"] for each in page["pupils"]]
        if page["next"] is None:
            break
        asked["after"] = page["next"]
    assert ids == sorted(roll.values(), key=UUID)


@pytest.mark.parametrize(
    ("search", "who"),
    [
        ({"name": "hill"}, {"Ana", "Cai"}),
        ({"name": "NUN"}, {"Ana"}),
        ({"name": "cai hil"}, {"Cai"}),
        ({"name": "ill"}, set()),
        ({"name": "ann hall"}, {"Dee Ann"}),
        ({"name": "o'b"}, {"Ben"}),
        ({"name": "eve"}, set()),
        ({"name": "eve", "on_roll": None}, {"Eve"}),
        ({"class_name": " ELM"}, {"Ana", "Ben"}),
        ({"nc_year": "Y2", "name": "b"}, {"Ben"}),
        ({"upn": f" {UPN.lower()} "}, {"Cai"}),
        ({"upn": "nonsense"}, set()),
        ({}, {"Ana", "Ben", "Cai", "Dee Ann"}),
    ],
)
def test_search(client: httpx.Client, roll: dict[str, str], search: dict[str, Any], who: set[str]) -> None:
    answer = client.post("/v1/pupils/search", json=search)
    assert answer.status_code == 200, answer.text
    assert {each["forename"] for each in answer.json()["pupils"]} == who


def test_a_pupil_is_shown_with_the_fields_that_were_sent(client: httpx.Client) -> None:
    sent = pupil(
        upn=make_upn(881, 2001, 2022, 9),
        postcode="cm1 1qh",
        free_school_meals=True,
        first_language="ENG",
        ethnicity="WBRI",
        sen_provision="K",
        in_care=False,
        gifted=True,
        attendance={"academic_year": 2025, "possible": 380, "authorised": 4, "unauthorised": 1},
    )
    shown = client.get(f"/v1/pupils/{admit(client, **sent)}").json()["pupil"]
    assert {field: shown[field] for field in sent} == sent | {"postcode": "CM1 1QH"}
    assert shown["version"] == 1
    assert shown["on_roll"] is True


def test_the_same_upn_again(client: httpx.Client) -> None:
    upn = make_upn(881, 2001, 2022, 11)
    admit(client, upn=upn)
    answer = client.post("/v1/pupils", json=pupil(upn=upn))
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:target-tracker:problem:already-exists"
    assert upn not in answer.text


def test_a_command_is_visible_at_its_position_at_once(client: httpx.Client) -> None:
    pupil_id = admit(client)
    for version, year in enumerate([str(year % 6 + 1) for year in range(20)], start=1):
        tag = client.get(f"/v1/pupils/{pupil_id}").json()["pupil"]["version"]
        changed = client.patch(
            f"/v1/pupils/{pupil_id}", json={"nc_year": year}, headers={"If-Match": f'"{tag}"'}
        )
        assert changed.headers["target-tracker-position"] == str(changed.json()["position"])
        shown = client.get(f"/v1/pupils/{pupil_id}", params={"min_position": changed.json()["position"]})
        assert shown.json()["pupil"]["nc_year"] == year
        assert shown.json()["position"] >= changed.json()["position"]
        assert version <= shown.json()["pupil"]["version"] <= version + 1


def test_a_projection_that_lags(
    served: Served, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.reading.LONGEST_WAIT", 0.3)
    with served.without_worker():
        position = client.post("/v1/pupils", json=pupil()).json()["position"]
        began = time.monotonic()
        for path in ("/v1/pupils", "/v1/classes", "/v1/logins"):
            answer = client.get(path, params={"min_position": position})
            assert answer.status_code == 503
            assert answer.json()["type"] == "urn:target-tracker:problem:not-yet-visible"
            assert answer.headers["retry-after"] == "1"
        assert time.monotonic() - began < 3
        page = client.get("/v1/pupils")
        assert page.status_code == 200
        assert page.json()["position"] < position
        assert client.get("/v1/history", params={"min_position": position}).status_code == 200
    assert client.get("/v1/pupils", params={"min_position": position}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/v1/school", "/v1/staff", "/v1/pupils", "/v1/history", "/v1/logins", "/v1/benchmarks"]
)
def test_a_position_that_there_is_not_is_refused_at_once(client: httpx.Client, path: str) -> None:
    began = time.monotonic()
    answer = client.get(path, params={"min_position": 10**9})
    assert answer.status_code == 503
    assert answer.json()["reached"] < answer.json()["wanted"] == 10**9
    assert time.monotonic() - began < 2


def test_entity_tags(client: httpx.Client) -> None:
    pupil_id = admit(client)
    path = f"/v1/pupils/{pupil_id}"
    tag = client.get(path).headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = client.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    judgement = {"academic_year": 2025, "term": "summer", "subject": "REA", "value": "3w"}
    kept = client.post(f"{path}/assessments", json=judgement).json()
    seen = {"min_position": kept["position"]}
    judged = client.get(path, params=seen, headers={"If-None-Match": tag})
    assert judged.status_code == 200, "a reader would keep the results that are out of date"
    correction = client.post(f"{path}/assessments/{kept['assessment_id']}/corrections", json={"value": "3s"})
    seen = {"min_position": correction.json()["position"]}
    answer = client.get(path, params=seen, headers={"If-None-Match": judged.headers["etag"]})
    assert answer.status_code == 200
    # Assessments do not change the version that changes are made against.
    changed = client.patch(path, json={"nc_year": "4"}, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] == '"2"'


def test_as_at(client: httpx.Client) -> None:
    pupil_id = admit(client, nc_year="3")
    path = f"/v1/pupils/{pupil_id}"
    judgement = {"academic_year": 2025, "term": "summer", "subject": "REA", "value": "3w"}
    first = client.post(f"{path}/assessments", json=judgement).json()
    corrections = f"{path}/assessments/{first['assessment_id']}/corrections"
    before = client.get("/v1/school").json()["position"]
    client.post(corrections, json={"value": "3s"})
    client.patch(path, json={"nc_year": "4", "surname": "Kingfisher"}, headers={"If-Match": '"1"'})
    left = client.post(f"{path}/leave", json={"left_on": "2026-07-20"}, headers={"If-Match": '"2"'}).json()
    now = client.get(path, params={"min_position": left["position"]})
    assert now.json()["pupil"]["nc_year"] == "4"
    assert now.json()["pupil"]["on_roll"] is False
    assert [each["value"] for each in now.json()["assessments"]] == ["3s"]
    then = client.get(path, params={"as_at_position": before})
    assert then.json()["pupil"]["nc_year"] == "3"
    assert then.json()["pupil"]["version"] == 1
    assert [each["value"] for each in then.json()["assessments"]] == ["3w"]
    assert "etag" not in then.headers
    ids = {
        each["pupil_id"]
        for each in client.get("/v1/pupils", params={"as_at_position": before}).json()["pupils"]
    }
    assert pupil_id in ids
    head = {"as_at_position": left["position"]}
    ids = {each["pupil_id"] for each in client.get("/v1/pupils", params=head).json()["pupils"]}
    assert pupil_id not in ids
    assert client.get(path, params={"as_at_position": 1}).status_code == 404
    assert client.get(path, params={"as_at": "2020-01-01"}).status_code == 404
    assert client.get(path, params={"as_at": "2099-01-01"}).json()["pupil"] == now.json()["pupil"]


def test_what_is_now_and_what_is_then_are_the_same(client: httpx.Client, roll: dict[str, str]) -> None:
    for pupil_id in roll.values():
        now = client.get(f"/v1/pupils/{pupil_id}").json()
        then = client.get(f"/v1/pupils/{pupil_id}", params={"as_at_position": now["position"]}).json()
        assert then == now


def test_leaving_and_coming_back(client: httpx.Client) -> None:
    path = f"/v1/pupils/{admit(client)}"
    left = {"left_on": "2026-01-09", "reason": "moved away", "destination": "Another Primary"}
    answers = [
        client.post(f"{path}/leave", json=left, headers={"If-Match": '"1"'}),
        client.post(f"{path}/leave", json=left, headers={"If-Match": '"2"'}),
        client.post(f"{path}/return", json={"returned_on": "2026-01-01"}, headers={"If-Match": '"2"'}),
        client.post(f"{path}/return", json={"returned_on": "2026-02-01"}, headers={"If-Match": '"2"'}),
    ]
    assert [answer.status_code for answer in answers] == [200, 409, 422, 200]
    history = client.get(f"{path}/history").json()["entries"]
    assert [each["event"] for each in history] == ["pupil.admitted", "pupil.left", "pupil.returned"]
    assert history[1]["details"]["destination"] == "Another Primary"


def test_history_of_the_school(client: httpx.Client, roll: dict[str, str]) -> None:
    position = client.get("/v1/school").json()["position"]

    def entries() -> Iterator[dict[str, Any]]:
        after = 0
        while True:
            page = client.get("/v1/history", params={"after": after, "limit": 7}).json()
            yield from page["entries"]
            if page["next"] is None:
                return
            after = page["next"]

    everything = list(entries())
    assert [each["position"] for each in everything] == list(range(1, len(everything) + 1))
    assert len(everything) >= position
    assert everything[0]["event"] == "school.registered"
    assert not any("password_verifier" in each["details"] for each in everything)
    assert "argon2" not in str(everything)
