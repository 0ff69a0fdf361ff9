"""Logging in and out, and what is recorded of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from domain.access import AccessLevel
from tests.api.conftest import PASSWORD, SchoolUnderTest, Served


@pytest.fixture(scope="module")
def own(served: Served) -> SchoolUnderTest:
    return served.register()


@pytest.fixture(scope="module")
def client(served: Served, own: SchoolUnderTest) -> httpx.Client:
    return served.client(own.admin.token)


def logins(client: httpx.Client, **asked: Any) -> list[dict[str, Any]]:
    position = client.get("/v1/school").json()["position"]
    answer = client.get("/v1/logins", params={"min_position": position} | asked)
    assert answer.status_code == 200, answer.text
    lines: list[dict[str, Any]] = answer.json()["logins"]
    return lines


def test_a_login_is_refused_in_the_same_way_whatever_is_wrong(
    nobody: httpx.Client, client: httpx.Client, own: SchoolUnderTest
) -> None:
    person = {"username": "gone", "display_name": "G", "access": {"level": "read-only"}, "password": PASSWORD}
    staff_id = client.post("/v1/staff", json=person).json()["staff_id"]
    client.post(f"/v1/staff/{staff_id}/disable")
    right = {"login_key": own.login_key, "username": "head", "password": PASSWORD}
    wrongs = [{"username": "unknown-username"}, {"password": "wrong"}, {"username": "gone"}]
    answers = [nobody.post("/v1/sessions", json=right | wrong) for wrong in wrongs]
    assert {answer.status_code for answer in answers} == {401}
    told = [{key: value for key, value in answer.json().items() if key != "instance"} for answer in answers]
    assert all(each == told[0] for each in told)
    assert told[0]["type"] == "urn:target-tracker:problem:login-refused"
    shown = [
        {key: value for key, value in answer.headers.items() if key not in {"x-request-id", "date"}}
        for answer in answers
    ]
    assert all(each == shown[0] for each in shown)
    recorded = [(line["outcome"], line["reason"], line["display_name"]) for line in logins(client, limit=3)]
    assert recorded == [
        ("failed", "account disabled", "G"),
        ("failed", "wrong password", "The Head"),
        ("failed", "unknown user", None),
    ]


@pytest.mark.parametrize(
    "wrong",
    [{"login_key": "x" * 2001}, {"username": "u" * 1001}, {"password": "p" * 4001}, {"urn": "100001"}],
)
def test_what_cannot_be_anybodys(nobody: httpx.Client, own: SchoolUnderTest, wrong: dict[str, str]) -> None:
    right = {"login_key": own.login_key, "username": "head", "password": PASSWORD}
    assert nobody.post("/v1/sessions", json=right | wrong).status_code == 422


@pytest.mark.parametrize("odd", ["\x00", "‮", "\U0001f600", "%s", "' OR 1=1 --"])
def test_odd_characters_are_only_wrong(nobody: httpx.Client, own: SchoolUnderTest, odd: str) -> None:
    answer = nobody.post("/v1/sessions", json={"login_key": own.login_key, "username": odd, "password": odd})
    assert answer.status_code == 401


def test_a_session_says_who_it_is(served: Served, own: SchoolUnderTest) -> None:
    opened = served.log_in(own.login_key, " LIMITED-read-write ")
    user = own.users[AccessLevel.LIMITED_READ_WRITE]
    assert opened["staff_id"] == str(user.staff_id)
    assert opened["school_id"] == str(own.id)
    assert opened["display_name"] == f"User {user.username}"
    assert opened["access"] == {"level": "limited-read-write", "classes": ["Oak"]}
    assert served.log_in(own.login_key, "head")["access"] == {"level": "admin", "classes": []}


def test_logging_out_ends_the_session(served: Served, own: SchoolUnderTest, client: httpx.Client) -> None:
    opened = served.log_in(own.login_key, "read-only")
    with served.client(opened["token"]) as reader:
        assert reader.get("/v1/school").status_code == 200
        out = reader.delete("/v1/sessions/current")
        assert (out.status_code, out.content) == (204, b"")
        assert int(out.headers["target-tracker-position"]) > opened["position"]
        for answer in (reader.get("/v1/school"), reader.delete("/v1/sessions/current")):
            assert answer.status_code == 401
    lines = [line for line in logins(client) if line["session_id"] == opened["session_id"]]
    assert [(line["outcome"], line["reason"]) for line in lines] == [("closed", "logout"), ("opened", None)]


def test_disabling_ends_every_session(served: Served, own: SchoolUnderTest, client: httpx.Client) -> None:
    person = {
        "username": "goes.away",
        "display_name": "L",
        "access": {"level": "read-only"},
        "password": PASSWORD,
    }
    staff_id = client.post("/v1/staff", json=person).json()["staff_id"]
    tokens = [served.log_in(own.login_key, "goes.away")["token"] for _ in range(2)]
    assert client.post(f"/v1/staff/{staff_id}/disable").status_code == 200
    for token in tokens:
        with served.client(token) as leaver:
            assert leaver.get("/v1/school").status_code == 401
    outcomes = [(line["outcome"], line["reason"]) for line in logins(client, staff_id=staff_id)]
    assert outcomes == [("closed", "revoked"), ("closed", "revoked"), ("opened", None), ("opened", None)]
    assert client.post(f"/v1/staff/{staff_id}/enable").status_code == 200
    served.log_in(own.login_key, "goes.away")


def test_what_may_be_done_changes_within_a_session(
    served: Served, own: SchoolUnderTest, client: httpx.Client
) -> None:
    user = own.users[AccessLevel.READ_ONLY]
    access = f"/v1/staff/{user.staff_id}/access"
    with served.client(user.token) as reader:
        assert reader.get("/v1/logins").status_code == 403
        assert client.put(access, json={"level": "admin"}).status_code == 200
        assert reader.get("/v1/logins").status_code == 200
        assert client.put(access, json={"level": "read-only"}).status_code == 200
        assert reader.get("/v1/logins").status_code == 403


def test_the_last_administrator_stays(client: httpx.Client, own: SchoolUnderTest) -> None:
    answer = client.post(f"/v1/staff/{own.admin.staff_id}/disable")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:target-tracker:problem:conflict"


def test_accounts_that_cannot_be_made(client: httpx.Client) -> None:
    person = {"username": "new", "display_name": "N", "access": {"level": "read-only"}, "password": PASSWORD}
    wrongs: list[tuple[dict[str, Any], int]] = [
        ({"username": "HEAD"}, 409),
        ({"username": " "}, 422),
        ({"password": "short"}, 422),
        ({"access": {"level": "god"}}, 422),
        ({"access": {"level": "admin", "classes": ["Oak"]}}, 422),
        ({"access": {"level": "admin", "more": 1}}, 422),
        ({"access": {"level": "admin"}, "password": "fourteen chars"}, 422),
    ]
    for wrong, status in wrongs:
        answer = client.post("/v1/staff", json=person | wrong)
        assert answer.status_code == status, wrong
        assert "fourteen chars" not in answer.text
    usernames = {each["username"] for each in client.get("/v1/staff").json()}
    assert "new" not in usernames


def test_logins_by_time_and_page(client: httpx.Client, own: SchoolUnderTest) -> None:
    everything = logins(client, limit=500)
    assert [line["position"] for line in everything] == sorted(
        (line["position"] for line in everything), reverse=True
    )
    paged, asked = [], {"limit": 3}
    while True:
        page = client.get("/v1/logins", params=asked).json()
        paged += page["logins"]
        if page["next"] is None:
            break
        asked["before"] = page["next"]
    assert paged == everything
    middle = everything[len(everything) // 2]
    since = logins(client, since=middle["recorded_at"], limit=500)
    until = logins(client, until=middle["recorded_at"], limit=500)
    assert since + until == everything
    assert middle in since
    now = datetime.now(UTC)
    days: list[date] = [(now + timedelta(days=number)).date() for number in (-2, 0, 2)]
    assert logins(client, since=days[0], until=days[2], limit=500) == everything
    assert logins(client, since=days[2]) == logins(client, until=days[0]) == []
