"""Judgements over HTTP: class sheets, written whole and read by subject; and the released benchmarks."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import Served, admit


@pytest.fixture(scope="module")
def client(served: Served) -> httpx.Client:
    return served.client(served.register().admin.token)


def test_judgements_on_a_class_sheet(client: httpx.Client) -> None:
    ids = [admit(client, class_name="Willow", surname=name) for name in ("Zed", "abel", "Mor")]
    sheet: dict[str, Any] = {"academic_year": 2025, "term": "summer"}
    entries = [
        {"pupil_id": each, "subject": subject, "value": "2w+"}
        for each in ids
        for subject in ("REA", "WRI", "MAT")
    ]
    kept = client.post("/v1/sheets", json=sheet | {"entries": entries, "assessed_on": "2026-07-01"})
    assert kept.status_code == 201
    assert len(kept.json()["assessment_ids"]) == 9
    corrected = client.post(
        f"/v1/pupils/{ids[0]}/assessments/{kept.json()['assessment_ids'][0]}/corrections",
        json={"value": "2s", "reason": "read again"},
    )
    class_id = client.get(f"/v1/pupils/{ids[0]}").json()["pupil"]["class_id"]
    asked = sheet | {"min_position": corrected.json()["position"]}
    shown = client.get(f"/v1/classes/{class_id}/sheet", params=asked).json()
    assert shown["class_name"] == "Willow"
    assert shown["point"] == sheet
    assert shown["subjects"] == ["MAT", "REA", "WRI"]
    assert [row["surname"] for row in shown["pupils"]] == ["abel", "Mor", "Zed"]
    zed = shown["pupils"][2]["results"]
    assert (zed["REA"]["value"], zed["REA"]["corrected"]) == ("2s", True)
    assert (zed["MAT"]["value"], zed["MAT"]["corrected"]) == ("2w+", False)
    empty = client.get(f"/v1/classes/{class_id}/sheet", params=sheet | {"term": "autumn"}).json()
    assert empty["subjects"] == []
    assert [row["results"] for row in empty["pupils"]] == [{}, {}, {}]


def test_a_sheet_is_recorded_whole_or_not_at_all(client: httpx.Client) -> None:
    pupil_id = admit(client)
    before = client.get("/v1/school").json()["position"]
    entries = [
        {"pupil_id": pupil_id, "subject": "REA", "value": "3w"},
        {"pupil_id": pupil_id, "subject": "WRI", "value": "nonsense"},
        {"pupil_id": pupil_id, "subject": "REA", "value": "3w"},
    ]
    answer = client.post("/v1/sheets", json={"academic_year": 2025, "term": "summer", "entries": entries})
    assert answer.status_code == 422
    assert {(each["row"], each["field"]) for each in answer.json()["findings"]} == {
        (2, "value"),
        (3, "subject"),
    }
    too_many = {"academic_year": 2025, "term": "summer", "entries": entries[:1] * 5001}
    assert client.post("/v1/sheets", json=too_many).status_code == 422
    future = {"academic_year": 2099, "term": "summer", "entries": entries[:1]}
    assert client.post("/v1/sheets", json=future).status_code == 422
    assert client.get("/v1/school").json()["position"] == before


def test_benchmarks_hold_nothing_before_a_release(client: httpx.Client) -> None:
    for asked in (
        {},
        {"academic_year": "2025"},
        {"academic_year": "2025/26", "assessment_point": "summer", "subject": "REA"},
    ):
        answer = client.get("/v1/benchmarks", params=asked)
        assert (answer.status_code, answer.json()) == (200, [])
