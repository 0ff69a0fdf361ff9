"""Advisers through the API: invited, shown, prolonged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.school_time import today
from tests.api.conftest import PASSWORD, SchoolUnderTest, Served, assert_problem

UNTIL = (today() + timedelta(days=30)).isoformat()


@pytest.fixture
def own(served: Served) -> SchoolUnderTest:
    return served.register()


def account(**adviser: Any) -> dict[str, Any]:
    return {
        "username": "moderator",
        "display_name": "A Moderator",
        "access": {"level": "read-only"},
        "password": PASSWORD,
        "adviser": {"reason": "Moderates writing", "until": UNTIL} | adviser,
    }


def test_an_adviser_is_invited_shown_and_prolonged(served: Served, own: SchoolUnderTest) -> None:
    with served.client(own.admin.token) as admin:
        made = admin.post("/v1/staff", json=account())
        assert made.status_code == 201, made.text
        staff_id = made.json()["staff_id"]
        shown = {member["staff_id"]: member["adviser"] for member in admin.get("/v1/staff").json()}
        assert shown.pop(staff_id) == {"reason": "Moderates writing", "until": UNTIL}
        assert set(map(str, shown.values())) == {"None"}
        served.log_in(own.login_key, "moderator")
        shorter = admin.put(f"/v1/staff/{staff_id}/adviser", json={"until": today().isoformat()})
        assert (shorter.status_code, shorter.json()["version"]) == (200, 2)
        again = admin.put(f"/v1/staff/{staff_id}/adviser", json={"until": today().isoformat()})
        assert again.json()["version"] == 2
        entries = admin.get("/v1/history?limit=500").json()["entries"]
    [invited] = [entry for entry in entries if entry["originator_id"] == staff_id][:1]
    assert invited["details"]["adviser_reason"] == "Moderates writing"
    assert invited["details"]["adviser_until"] == UNTIL
    assert invited["actor"] == {"kind": "staff", "staff_id": str(own.admin.staff_id)}
    assert not {"password_verifier", "for_administrators"} & invited["details"].keys()


def refused(answer: httpx.Response) -> list[str]:
    body = assert_problem(answer, 422, "invalid-input")
    return [finding["field"] for finding in body["findings"]]


def test_what_an_adviser_cannot_be(served: Served, own: SchoolUnderTest) -> None:
    yesterday = (today() - timedelta(days=1)).isoformat()
    with served.client(own.admin.token) as admin:
        assert refused(admin.post("/v1/staff", json=account(until=yesterday))) == ["until"]
        assert refused(admin.post("/v1/staff", json=account(reason="mail a@b.example"))) == ["reason"]
        assert refused(admin.post("/v1/staff", json=account(until=None))) == ["adviser.until"]
        admins = account() | {"access": {"level": "admin"}}
        assert refused(admin.post("/v1/staff", json=admins)) == ["access"]
        own_staff = admin.put(f"/v1/staff/{own.admin.staff_id}/adviser", json={"until": UNTIL})
        assert_problem(own_staff, 409, "conflict")


def test_a_short_password_is_not_promoted(served: Served, own: SchoolUnderTest) -> None:
    deputy = {
        "username": "deputy",
        "display_name": "The Deputy",
        "access": {"level": "read-write"},
        "password": "brass kettle 9",
    }
    with served.client(own.admin.token) as admin:
        staff_id = admin.post("/v1/staff", json=deputy).json()["staff_id"]
        said = assert_problem(
            admin.put(f"/v1/staff/{staff_id}/access", json={"level": "admin"}), 409, "conflict"
        )
        assert "15 characters or more first" in said["detail"]
        assert admin.put(f"/v1/staff/{staff_id}/password", json={"password": PASSWORD}).status_code == 200
        assert admin.put(f"/v1/staff/{staff_id}/access", json={"level": "admin"}).status_code == 200
