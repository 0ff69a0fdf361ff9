"""Every field of a pupil over HTTP: set, shown, worked out for a day, and handed back to files."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.codes.upn import make_upn
from tests.api.conftest import admit

WHOLE: dict[str, Any] = {
    "middle_names": "Ida Ann",
    "preferred_surname": "Lund",
    "preferred_forename": "Zo",
    "former_surname": "Muster",
    "former_forename": "Zoe",
    "previous_setting": "Little Acorns",
    "previous_schools": [
        {
            "name": "Elm Bank Infant School",
            "local_authority": "881",
            "establishment": "2999",
            "entered_on": "2020-09-03",
            "left_on": "2022-07-22",
            "leaving_reason": "IJ",
        }
    ],
    "meals_periods": [{"start": "2021-09-01", "end": "2022-07-22"}, {"start": "2024-01-08"}],
    "premium_periods": [{"start": "2022-04-01", "end": "2025-03-31", "reason": "DPP"}],
    "sen_periods": [
        {"start": "2012-09-03", "end": "2014-12-31", "provision": "A"},
        {"start": "2015-01-01", "provision": "K"},
    ],
    "sen_needs": ["SLCN", "MLD"],
    "eal": True,
    "gifted": False,
    "talented": True,
    "care_periods": [{"start": "2020-10-01", "end": "2021-06-30", "kind": "FT"}],
    "post_looked_after": "A",
    "preschool_terms": 3,
    "enrolment_status": "C",
}


def shown(client: httpx.Client, pupil_id: str, **asked: Any) -> dict[str, Any]:
    answer = client.get(f"/v1/pupils/{pupil_id}", params=asked)
    assert answer.status_code == 200, answer.text
    pupil: dict[str, Any] = answer.json()["pupil"]
    return pupil


def change(client: httpx.Client, pupil_id: str, **fields: Any) -> httpx.Response:
    tag = client.get(f"/v1/pupils/{pupil_id}").headers["etag"]
    return client.patch(f"/v1/pupils/{pupil_id}", json=fields, headers={"If-Match": tag})


def test_every_field_is_kept_and_shown(admin: httpx.Client) -> None:
    pupil = shown(admin, admit(admin, date_of_birth="2012-02-29", **WHOLE))
    for field, value in WHOLE.items():
        assert pupil[field] == value, field
    assert (pupil["sen_provision"], pupil["free_school_meals"], pupil["in_care"]) == ("K", True, False)


def test_what_is_so_on_a_day_is_worked_out(admin: httpx.Client) -> None:
    pupil_id = admit(
        admin, date_of_birth="2012-02-29", date_of_entry="2020-09-03", first_language="POL", **WHOLE
    )
    then = shown(admin, pupil_id, on="2021-01-01")["on_day"]
    assert then == {
        "day": "2021-01-01",
        "age": {"years": 8, "months": 10},
        "term_of_birth": "spring",
        "terms_completed": 1,
        "eal": True,
        "free_school_meals": False,
        "premium": [],
        "sen_provision": "K",
        "in_care": True,
    }
    later = shown(admin, pupil_id, on="2024-05-01")["on_day"]
    assert (later["free_school_meals"], later["premium"], later["in_care"]) == (True, ["DPP"], False)
    tags = {
        admin.get(f"/v1/pupils/{pupil_id}", params={"on": day}).headers["etag"]
        for day in ("2021-01-01", "2024-05-01")
    }
    assert len(tags) == 2, "what is known of one day is not what is known of another"


@pytest.mark.parametrize(
    ("fields", "field", "accepted"),
    [
        ({"meals_periods": [{"start": "1989-12-31"}]}, "meals_periods.0.start", "1990-01-01"),
        ({"meals_periods": [{"start": "2099-01-01"}]}, "meals_periods.0.start", "a day from"),
        (
            {"care_periods": [{"start": "2024-01-08", "end": "2024-01-07"}]},
            "care_periods.0.end",
            "not before the start",
        ),
        (
            {"sen_periods": [{"start": "2024-01-08", "provision": "K"}, {"provision": "E"}]},
            "sen_periods",
            "do not overlap",
        ),
        ({"sen_periods": [{"provision": "Z"}]}, "sen_periods.0.provision", "one of"),
        ({"premium_periods": [{"reason": "XXX"}]}, "premium_periods.0.reason", "DPP"),
        ({"sen_needs": ["SLCN", "NOPE"]}, "sen_needs.1", "SPLD"),
        ({"preschool_terms": 16}, "preschool_terms", "0 to 15"),
        ({"preschool_terms": -1}, "preschool_terms", "0 to 15"),
        ({"enrolment_status": "Z"}, "enrolment_status", "one of"),
        ({"previous_setting": "Acorns, 12 Acacia Avenue"}, "previous_setting", "without email or postal"),
        ({"previous_schools": [{"name": "x@made-up.example"}]}, "previous_schools.0.name", "without email"),
        ({"previous_schools": [{"local_authority": "88"}]}, "previous_schools.0.local_authority", "3 digits"),
    ],
)
def test_what_is_not_as_it_must_be_is_refused_with_its_place(
    admin: httpx.Client, fields: dict[str, Any], field: str, accepted: str
) -> None:
    pupil_id = admit(admin)
    before = shown(admin, pupil_id)
    answer = change(admin, pupil_id, **fields)
    assert answer.status_code == 422
    [finding] = answer.json()["findings"]
    assert finding["field"] == field
    assert accepted in finding["accepted"]
    assert shown(admin, pupil_id) == before


def test_premium_for_two_reasons_at_once(admin: httpx.Client) -> None:
    both = [{"start": "2024-04-01", "reason": "DPP"}, {"start": "2024-04-01", "reason": "SCP"}]
    pupil_id = admit(admin, premium_periods=both)
    assert set(shown(admin, pupil_id)["on_day"]["premium"]) == {"DPP", "SCP"}


def test_a_missing_upn_has_a_reason_until_there_is_one(admin: httpx.Client) -> None:
    pupil_id = admit(admin, upn=None, upn_missing="UN2")
    assert shown(admin, pupil_id)["upn_missing"] == "UN2"
    upn = make_upn(881, 2001, 2022, 913)
    changed = change(admin, pupil_id, upn=upn)
    assert changed.status_code == 200
    pupil = shown(admin, pupil_id, min_position=changed.json()["position"])
    assert (pupil["upn"], pupil["upn_missing"]) == (upn, None)
    refused = change(admin, pupil_id, upn_missing="UN2")
    assert refused.status_code == 422
    assert refused.json()["findings"][0]["field"] == "upn_missing"


def test_notes_and_concerns(admin: httpx.Client) -> None:
    pupil_id = admit(admin)
    path = f"/v1/pupils/{pupil_id}"
    note = admin.post(f"{path}/notes", json={"text": "Lost a tooth", "written_on": "2026-01-09"}).json()
    admin.put(f"{path}/notes/{note['note_id']}", json={"text": "Lost two teeth"})
    [kept] = admin.get(f"{path}/notes").json()["notes"]
    assert (kept["text"], kept["written_on"]) == ("Lost two teeth", "2026-01-09")
    assert admin.post(f"{path}/notes/{note['note_id']}/remove").status_code == 200
    assert admin.get(f"{path}/notes").json()["notes"] == []
    opened = admin.post(f"{path}/concerns", json={"text": "Very quiet", "opened_on": "2026-01-09"}).json()
    asked = {"min_position": opened["position"]}
    assert shown(admin, pupil_id, **asked)["active_concerns"] == opened["active"] == 1
    closed = admin.post(f"{path}/concerns/{opened['concern_id']}/close", json={"closed_on": "2026-02-02"})
    assert closed.json()["active"] == 0
    asked = {"min_position": closed.json()["position"]}
    assert shown(admin, pupil_id, **asked)["active_concerns"] == 0
    again = admin.post(f"{path}/concerns/{opened['concern_id']}/close", json={})
    assert again.status_code == 409


def test_a_file_of_the_whole_roll(admin: httpx.Client) -> None:
    answer = admin.post(
        "/v1/imports",
        params={"allow_leavers": 3},
        content=b"Surname,Forename,DOB,Gender,DOA\n",
        headers={"Content-Type": "application/octet-stream"},
    )
    assert answer.status_code == 422
    assert answer.json()["findings"][0]["field"] == "allow_leavers"


def test_a_code_that_no_list_has_is_flagged_and_blocks_no_other_change(admin: httpx.Client) -> None:
    content = "Surname,Forename,DOB,Gender,DOA,Ethnicity\nFlaggedchild,Robin,04/03/2015,F,01/09/2022,ZZZZ\n"
    position = admin.post("/v1/imports", content=content).json()["position"]
    found = admin.post(
        "/v1/pupils/search", params={"min_position": position}, json={"name": "flaggedchild"}
    ).json()
    [pupil] = found["pupils"]
    assert pupil["flags"] == [{"field": "ethnicity", "found": "ZZZZ", "says": "unknown"}]
    changed = change(admin, pupil["pupil_id"], class_name="Elm")
    assert changed.status_code == 200, changed.text
    after = shown(admin, pupil["pupil_id"], min_position=changed.json()["position"])
    assert (after["class_name"], after["ethnicity"]) == ("Elm", "ZZZZ")
    refused = change(admin, pupil["pupil_id"], sen_periods=[{"start": "2016-01-04", "provision": "A"}])
    assert refused.status_code == 422
    [finding] = refused.json()["findings"]
    assert finding["field"] == "sen_periods.0.provision"
    assert "until 2015-08-31" in finding["accepted"]
