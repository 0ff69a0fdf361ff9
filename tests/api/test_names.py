"""A session without names is shown none, whatever it asks; and this test would see one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.app import routes_of
from domain.access import AccessLevel
from domain.codes.upn import make_upn
from domain.pupil import PupilNames
from domain.vault.aliases import alias_of
from domain.vault.keyring import SchoolKeys
from tests.api.conftest import SchoolUnderTest, Served, admit
from tests.keys import keyring_of
from tests.photographs import jpeg

UPNS = [make_upn(881, 2001, 2021, serial) for serial in (101, 102)]

CANARIES = {
    "surname": "Zanzibarcanary",
    "forename": "Quokkacanary",
    "date of birth": "2017-11-23",
    "UPN": UPNS[1],
    "former UPN": UPNS[0],
    "postcode": "CM99 9ZZ",
    "destination": "Wharfcanary School",
    "reason": "Ostrichcanary",
    "name of staff": "Headcanary",
    "note": "Notecanary",
    "concern": "Worrycanary",
    "outcome": "Calmcanary",
    "middle names": "Midcanary",
    "previous setting": "Nurserycanary",
    "previous school": "Infantcanary School",
    "reason of a void": "Cassowarycanary",
    "reason for removing a target": "Axolotlcanary",
    "text of a statement": "Pangolincanary",
    "reason for closing": "Tapircanary",
    "observation": "Conkercanary was counted",
    "reason of a withdrawal": "Acorncanary",
}


@pytest.fixture(scope="module")
def ids(served: Served, other_school: SchoolUnderTest) -> dict[str, str]:
    """A child whose every name is a canary, with a history."""
    with served.client(other_school.admin.token) as client:
        pupil_id = admit(
            client,
            surname=CANARIES["surname"],
            forename=CANARIES["forename"],
            date_of_birth=CANARIES["date of birth"],
            postcode=CANARIES["postcode"],
            upn=UPNS[0],
            middle_names=CANARIES["middle names"],
            previous_setting=CANARIES["previous setting"],
            previous_schools=[{"name": CANARIES["previous school"]}],
        )
        client.post(f"/v1/pupils/{pupil_id}/notes", json={"text": CANARIES["note"]})
        path = f"/v1/pupils/{pupil_id}"
        client.patch(path, json={"upn": UPNS[1]}, headers={"If-Match": '"1"'})
        judgement = {"academic_year": 2025, "term": "summer", "subject": "REA", "value": "3w"}
        kept = client.post(f"{path}/assessments", json=judgement).json()
        client.post(
            f"{path}/assessments/{kept['assessment_id']}/corrections",
            json={"value": "3s", "reason": CANARIES["reason"]},
        )
        again = client.post(f"{path}/assessments", json=judgement | {"subject": "MAT"}).json()
        voiding = {"reason": CANARIES["reason of a void"]}
        client.post(f"{path}/assessments/{again['assessment_id']}/void", json=voiding)
        [target_id] = client.post(f"{path}/targets", json=judgement).json()["target_ids"]
        removal = {"reason": CANARIES["reason for removing a target"]}
        client.post(f"{path}/targets/{target_id}/remove", json=removal)
        new = {"subject": "REA", "code": "R1", "text": CANARIES["text of a statement"]}
        [statement] = client.post("/v1/statements", json={"statements": [new]}).json()["statement_ids"]
        judged = {"academic_year": 2025, "term": "summer"}
        judged |= {"judgements": [{"statement_id": statement, "value": "achieved"}]}
        assert client.post(f"{path}/statements", json=judged).status_code == 201
        closing = {"closed": True, "reason": CANARIES["reason for closing"]}
        client.put("/v1/assessment-points/2024/spring", json=closing)
        left = {"left_on": "2026-01-09", "destination": CANARIES["destination"]}
        client.post(f"{path}/leave", json=left, headers={"If-Match": '"2"'})
        seen = {"observed_on": "2025-03-04", "text": CANARIES["observation"]}
        observation_id = client.post(f"{path}/observations", json=seen).json()["observation_id"]
        observation = f"{path}/observations/{observation_id}"
        photograph_id = client.post(f"{observation}/photographs", content=jpeg()).json()["photograph_id"]
        another = client.post(f"{path}/observations", json=seen).json()["observation_id"]
        client.post(
            f"{path}/observations/{another}/withdraw", json={"reason": CANARIES["reason of a withdrawal"]}
        )
        back = client.post(f"{path}/return", json={"returned_on": "2026-02-01"}, headers={"If-Match": '"3"'})
        concern = client.post(f"{path}/concerns", json={"text": CANARIES["concern"]}).json()
        back = client.post(
            f"{path}/concerns/{concern['concern_id']}/close", json={"outcome": CANARIES["outcome"]}
        )
        person = {
            "username": "canary",
            "display_name": CANARIES["name of staff"],
            "access": {"level": "read-only"},
            "password": "x" * 20,
        }
        staff_id = client.post("/v1/staff", json=person).json()["staff_id"]
        class_id = client.get(path, params={"min_position": back.json()["position"]}).json()["pupil"][
            "class_id"
        ]
    return {
        "pupil_id": pupil_id,
        "class_id": class_id,
        "staff_id": staff_id,
        "observation_id": observation_id,
        "scheme": "steps",
        "code_set": "sex",
        "photograph_id": photograph_id,
    }


QUERIES: list[dict[str, Any]] = [
    {},
    {"academic_year": 2025, "term": "summer"},
    {"on_roll": "any"},
    {"from_year": 2024, "from_term": "summer", "to_year": 2025, "to_term": "summer"},
    {"from_year": 2024, "from_term": "summer", "to_year": 2025, "to_term": "summer", "format": "csv"},
    {"from_year": 2024, "from_term": "summer", "to_year": 2025, "to_term": "summer", "format": "html"},
    {"format": "html"},
    {"as_at": "2099-01-01"},
    {"as_at_position": 10**6},
    {"updated_after_position": 0},
]


def answers(served: Served, client: httpx.Client, ids: dict[str, str]) -> dict[str, httpx.Response]:
    """What every GET route answers, with every query that fits some of them, and the searches."""
    got = {}
    for route in routes_of(served.app):
        if "GET" in (route.methods or ()):
            path = route.path.format_map(ids)
            for asked in QUERIES:
                got[f"{path} {asked}"] = client.get(path, params=asked)
    for search in ({}, {"nc_year": "3"}, {"class_name": "Oak"}, {"on_roll": None}):
        got[f"search {search}"] = client.post("/v1/pupils/search", json=search)
    return got


def leaks(served: Served, client: httpx.Client, ids: dict[str, str]) -> set[str]:
    """The canaries that are heard in the answers."""
    everything = " ".join(answer.text for answer in answers(served, client, ids).values())
    return {what for what, canary in CANARIES.items() if canary in everything}


@pytest.fixture
def nameless(served: Served, other_school: SchoolUnderTest) -> httpx.Client:
    return served.client(other_school.users[AccessLevel.READ_ONLY_NO_NAMES].token)


def test_no_names_for_those_who_may_see_none(
    served: Served, nameless: httpx.Client, ids: dict[str, str]
) -> None:
    assert leaks(served, nameless, ids) == set()


def test_it_is_not_that_there_was_nothing_to_see(
    served: Served, nameless: httpx.Client, other_school: SchoolUnderTest, ids: dict[str, str]
) -> None:
    with served.client(other_school.admin.token) as admin:
        assert leaks(served, admin, ids) == set(CANARIES)
    for path in ("/v1/pupils/{pupil_id}", "/v1/classes/{class_id}/sheet", "/v1/pupils/{pupil_id}/history"):
        asked: dict[str, Any] = {"academic_year": 2025, "term": "summer"} if "sheet" in path else {}
        answer = nameless.get(path.format_map(ids), params=asked)
        assert answer.status_code == 200
        assert "3s" in answer.text
    shown = nameless.get(f"/v1/pupils/{ids['pupil_id']}").json()["pupil"]
    assert all(shown[field] is None for field in PupilNames.__struct_fields__)
    assert shown["nc_year"] == "3"


def forgetful(_: object, names: PupilNames) -> PupilNames:
    """A view that does not look at who asks."""
    return names


VIEWS = (
    "api.views.names_for",
    "api.assessments.names_for",
    "api.attendance.names_for",
    "api.progress_bodies.names_for",
)
"""Where names get into an answer."""


@pytest.fixture
def careless(
    served: Served, other_school: SchoolUnderTest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[httpx.Client]:
    """Somebody who may see no names, of a service that gives such sessions the names key all the same."""
    monkeypatch.setattr(SchoolKeys, "without_names", lambda keys: keys)
    user = other_school.users[AccessLevel.READ_ONLY_NO_NAMES]
    token = served.log_in(other_school.login_key, user.username)["token"]
    with served.client(token) as client:
        yield client


def test_even_a_view_that_forgets_has_no_name_to_hand_out(
    served: Served, nameless: httpx.Client, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in VIEWS:
        monkeypatch.setattr(place, forgetful)
    assert leaks(served, nameless, ids) == set()


@pytest.mark.parametrize("place", VIEWS)
def test_a_view_that_forgets_is_seen_where_the_key_is_at_hand(
    served: Served,
    careless: httpx.Client,
    ids: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    monkeypatch.setattr(place, forgetful)
    assert {"surname", "forename"} <= leaks(served, careless, ids)


def test_a_history_is_kept_from_them_by_the_key_alone(
    served: Served, careless: httpx.Client, ids: dict[str, str]
) -> None:
    assert {"surname", "forename"} <= leaks(served, careless, ids)


def test_aliases_stay_and_tell_nobody_apart_elsewhere(
    served: Served, nameless: httpx.Client, other_school: SchoolUnderTest, ids: dict[str, str]
) -> None:
    with served.client(other_school.admin.token) as admin:
        admit(admin)
    path = f"/v1/pupils/{ids['pupil_id']}"
    first = nameless.get(path).json()["pupil"]["alias"]
    again = served.log_in(other_school.login_key, AccessLevel.READ_ONLY_NO_NAMES)
    with served.client(again["token"]) as later:
        assert later.get(path).json()["pupil"]["alias"] == first
    assert re.fullmatch(r"Pupil [A-Z2-7]{4}-[A-Z2-7]{4}", first)
    listed = nameless.get("/v1/pupils", params={"limit": 500}).json()["pupils"]
    assert len({pupil["alias"] for pupil in listed}) == len(listed) > 1
    elsewhere = keyring_of(SchoolKeys.new(other_school.id))
    assert alias_of(elsewhere, UUID(ids["pupil_id"])) != first
    with served.client(other_school.admin.token) as admin:
        assert admin.get(path).json()["pupil"]["alias"] is None


@pytest.mark.parametrize("search", [{"name": "Q"}, {"upn": UPNS[0]}, {"name": ""}])
def test_searching_by_name_would_tell_it(nameless: httpx.Client, search: dict[str, str], ids: object) -> None:
    answer = nameless.post("/v1/pupils/search", json=search)
    assert answer.status_code == 403
