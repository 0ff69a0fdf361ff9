"""The list of pupils as a feed of changes, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.access import AccessLevel
from domain.codes.upn import make_upn
from tests.api.conftest import SchoolUnderTest, Served, admit, assert_problem

UPNS = [make_upn(881, 2001, 2019, serial) for serial in (501, 502)]


@pytest.fixture(scope="module")
def own(served: Served) -> SchoolUnderTest:
    return served.register()


@pytest.fixture(scope="module")
def client(served: Served, own: SchoolUnderTest) -> httpx.Client:
    return served.client(own.admin.token)


def feed(client: httpx.Client, position: int, /, **asked: Any) -> dict[str, Any]:
    answer = client.get("/v1/pupils", params={"updated_after_position": position} | asked)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_who_follows_sees_what_changes_page_by_page(
    served: Served, own: SchoolUnderTest, client: httpx.Client
) -> None:
    some = sorted(admit(client, upn=upn) for upn in (*UPNS, None))
    first = feed(client, 0, limit=2)
    assert [pupil["pupil_id"] for pupil in first["pupils"]] == some[:2]
    assert [change["what"] for change in first["changes"]] == [["pupil"], ["pupil"]]
    renamed = feed(client, 0)["pupils"][0]
    upn = make_upn(882, 2001, 2019, 503)
    with_tag = {"If-Match": f'"{renamed["version"]}"'}
    client.patch(f"/v1/pupils/{some[0]}", json={"upn": upn, "class_name": "Elm"}, headers=with_tag)
    rest = feed(client, 0, limit=2, after=first["next"], up_to_position=first["position"])
    assert [pupil["pupil_id"] for pupil in rest["pupils"]] == some[2:]
    assert (rest["next"], rest["position"]) == (None, first["position"])
    since = feed(client, first["position"])
    [changed] = since["pupils"]
    assert (changed["pupil_id"], changed["upn"], changed["class_name"]) == (some[0], upn, "Elm")
    assert since["key_changes"] == [{"pupil_id": some[0], "upn_before": renamed["upn"], "upn_after": upn}]
    assert since["removed"] == []
    assert feed(client, since["position"])["pupils"] == []
    with served.client(own.users[AccessLevel.READ_ONLY_NO_NAMES].token) as nameless:
        unseen = feed(nameless, first["position"])
        assert unseen["key_changes"] is None
        assert [pupil["upn"] for pupil in unseen["pupils"]] == [None]
        assert upn not in str(unseen)


def test_results_notes_leaving_and_erasing_are_changes(client: httpx.Client) -> None:
    assessed, left, erased = (admit(client) for _ in range(3))
    before = client.get("/v1/school").json()["position"]
    judgement = {"academic_year": 2025, "term": "summer", "subject": "REA", "value": "3w"}
    client.post(f"/v1/pupils/{assessed}/assessments", json=judgement)
    client.post(f"/v1/pupils/{assessed}/notes", json={"text": "Read aloud"})
    client.post(f"/v1/pupils/{left}/leave", json={"left_on": "2026-01-01"}, headers={"If-Match": '"1"'})
    reason = {"reason": "mistake"}
    asked = client.post(f"/v1/pupils/{erased}/erasure", json=reason).json()
    gone = client.post(f"/v1/pupils/{erased}/erase", json=reason | {"confirmation": asked["confirmation"]})
    assert gone.status_code == 200, gone.text
    page = feed(client, before)
    assert page["removed"] == [erased]
    assert {change["pupil_id"]: change["what"] for change in page["changes"]} == {
        assessed: ["assessment", "note"],
        left: ["pupil"],
    }
    assert {pupil["pupil_id"]: pupil["on_roll"] for pupil in page["pupils"]} == {
        assessed: True,
        left: False,
    }


def test_an_ordinary_list_says_nothing_of_changes(client: httpx.Client) -> None:
    page = client.get("/v1/pupils").json()
    assert (page["changes"], page["removed"], page["key_changes"]) == (None, None, None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("updated_after_position=0&nc_year=3", "nc_year"),
        ("updated_after_position=0&on_roll=true", "on_roll"),
        ("updated_after_position=0&as_at=2026-01-01", "as_at"),
        ("updated_after_position=0&class_id=01a20a46-89ce-7554-8732-95ce2b72015b", "class_id"),
        ("updated_after_position=5&up_to_position=4", "up_to_position"),
        ("up_to_position=4", "up_to_position"),
        ("updated_after_position=-1", "updated_after_position"),
        ("updated_after_position=now", "updated_after_position"),
    ],
)
def test_questions_that_cannot_be_answered(client: httpx.Client, query: str, field: str) -> None:
    problem = assert_problem(client.get(f"/v1/pupils?{query}"), 422, "invalid-input")
    assert [finding["field"] for finding in problem["findings"]] == [field]


def test_a_position_that_is_not_there_yet(client: httpx.Client) -> None:
    head = client.get("/v1/school").json()["position"]
    for query in (
        f"updated_after_position={head + 9}",
        f"updated_after_position=0&up_to_position={head + 9}",
    ):
        assert_problem(client.get(f"/v1/pupils?{query}"), 503, "not-yet-visible")
