"""Attendance over HTTP: registers marked whole and read by class, and what a pupil's attendance comes to."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.access import AccessLevel
from domain.school_time import today
from tests.api.conftest import SchoolUnderTest, Served, admit, assert_problem

MONDAY = "2025-11-03"
YEAR = {"academic_year": 2025}


@pytest.fixture(scope="module")
def own(served: Served) -> SchoolUnderTest:
    """A school whose classes nobody else's tests change."""
    return served.register()


@pytest.fixture(scope="module")
def client(served: Served, own: SchoolUnderTest) -> httpx.Client:
    return served.client(own.admin.token)


def marked(client: httpx.Client, pupil_id: str, *days: dict[str, Any], **more: Any) -> int:
    answer = client.post(f"/v1/pupils/{pupil_id}/attendance", json={"days": list(days)} | more)
    assert answer.status_code == 201, answer.text
    position: int = answer.json()["position"]
    assert answer.headers["target-tracker-position"] == str(position)
    return position


def read(client: httpx.Client, pupil_id: str, position: int | None = None, **asked: Any) -> dict[str, Any]:
    parameters = (asked or YEAR) | ({"min_position": position} if position else {})
    answer = client.get(f"/v1/pupils/{pupil_id}/attendance", params=parameters)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def class_of(client: httpx.Client, pupil_id: str) -> str:
    class_id: str = client.get(f"/v1/pupils/{pupil_id}").json()["pupil"]["class_id"]
    return class_id


def test_the_marks_of_a_pupil_and_what_they_come_to(client: httpx.Client) -> None:
    pupil_id = admit(client)
    marked(
        client, pupil_id, {"date": MONDAY, "am": "/", "pm": "n"}, {"date": "2025-11-04", "am": "L", "pm": "D"}
    )
    position = marked(client, pupil_id, {"date": MONDAY, "pm": "I"}, reason="A note came")
    shown = read(client, pupil_id, position)
    assert shown["days"] == [
        {"date": MONDAY, "am": "/", "pm": "I"},
        {"date": "2025-11-04", "am": "L", "pm": "D"},
    ]
    assert shown["summary"] == {
        "from": "2025-09-01",
        "to": "2026-08-31",
        "source": "marks",
        "possible": 3,
        "attended": 2,
        "authorised": 1,
        "unauthorised": 0,
        "not_possible": 1,
        "late": 1,
        "late_after_closing": 0,
        "percent_attended": 66.7,
        "percent_missed": 33.3,
        "persistently_absent": True,
        "severely_absent": False,
        "by_code": {"/": 1, "D": 1, "I": 1, "L": 1},
        "unknown": {},
        "totals": [],
        "set_aside": [],
    }
    asked: dict[str, Any] = {"from": MONDAY, "to": MONDAY}
    day = read(client, pupil_id, **asked)
    assert (day["summary"]["possible"], len(day["days"])) == (2, 1)
    withdrawn = marked(client, pupil_id, {"date": MONDAY, "am": "-", "pm": "-"})
    assert len(read(client, pupil_id, withdrawn)["days"]) == 1
    history = client.get(f"/v1/pupils/{pupil_id}/history").json()["entries"]
    assert [entry["details"]["marks"] for entry in history if entry["event"] == "attendance.marked"] == [
        ["/", "N", "L", "D"],
        ["", "I"],
        ["-", "-"],
    ]


def test_a_register_of_a_class_is_marked_and_read(client: httpx.Client) -> None:
    ids = [admit(client, class_name="Willow", surname=name) for name in ("Zed", "abel", "Mor")]
    class_id = class_of(client, ids[0])
    path = f"/v1/classes/{class_id}/attendance"
    week = [(date(2025, 11, 3) + timedelta(days=number)).isoformat() for number in range(5)]
    entries = [{"pupil_id": each, "date": day, "am": "/", "pm": "\\"} for day in week for each in ids]
    answer = client.post(path, json={"entries": entries})
    assert (answer.status_code, answer.json()["pupils"], answer.json()["sessions"]) == (201, 3, 30)
    late = {"pupil_id": ids[0], "date": week[2], "am": "L"}
    position = client.post(path, json={"entries": [late]}).json()["position"]
    shown = client.get(path, params={"date": week[2], "min_position": position}).json()
    assert (shown["class_name"], shown["date"]) == ("Willow", week[2])
    assert [(row["surname"], row["am"], row["pm"]) for row in shown["pupils"]] == [
        ("abel", "/", "\\"),
        ("Mor", "/", "\\"),
        ("Zed", "L", "\\"),
    ]
    assert (shown["am"], shown["pm"]) == ({"/": 2, "L": 1}, {"\\": 3})
    now = client.get(path).json()
    assert (now["date"], now["am"]) == (today().isoformat(), {})
    assert [row["pm"] for row in now["pupils"]] == [None, None, None]


def test_a_register_is_marked_whole_or_not_at_all(client: httpx.Client) -> None:
    ids = [
        admit(client, class_name="Rowan"),
        admit(client, class_name="Rowan"),
        admit(client, class_name="Yew"),
    ]
    path = f"/v1/classes/{class_of(client, ids[0])}/attendance"
    before = client.get("/v1/school").json()["position"]
    tomorrow = (today() + timedelta(days=1)).isoformat()
    entries = [
        {"pupil_id": ids[0], "date": MONDAY, "am": "/"},
        {"pupil_id": ids[1], "date": MONDAY, "am": "H", "pm": "/"},
        {"pupil_id": ids[2], "date": MONDAY, "am": "/"},
        {"pupil_id": ids[0], "date": tomorrow, "am": "/"},
        {"pupil_id": ids[0], "date": MONDAY, "am": "I"},
    ]
    problem = assert_problem(client.post(path, json={"entries": entries}), 422, "invalid-input")
    assert [(each["row"], each["field"]) for each in problem["findings"]] == [
        *((2, "am"), (2, "pm"), (3, "pupil_id"), (4, "date"), (5, "am")),
    ]
    assert "J1" in problem["findings"][0]["accepted"]
    assert ", H," not in problem["findings"][0]["accepted"]
    many = {"entries": entries[:1] * 5001}
    assert_problem(client.post(path, json=many), 422, "invalid-input")
    assert_problem(client.post(path, json={"entries": []}), 422, "invalid-input")
    nobodys = f"/v1/classes/{uuid4()}/attendance"
    assert_problem(client.post(nobodys, json={"entries": entries[:1]}), 404, "not-found")
    assert_problem(client.get(nobodys), 404, "not-found")
    assert client.get("/v1/school").json()["position"] == before


TERM = {"from": "2025-09-01", "to": "2025-12-19"}
NUMBERS = {"possible": 140, "attended": 130, "authorised": 8, "unauthorised": 2}


def test_totals_of_a_period(client: httpx.Client) -> None:
    pupil_id = admit(client)
    path = f"/v1/pupils/{pupil_id}/attendance/totals"
    kept = client.post(path, json=TERM | NUMBERS)
    assert (kept.status_code, kept.json()["pupil_id"]) == (201, pupil_id)
    shown = read(client, pupil_id, kept.json()["position"])
    assert shown["summary"]["source"] == "totals"
    assert [shown["summary"][name] for name in NUMBERS] == list(NUMBERS.values())
    assert shown["summary"]["totals"] == [TERM | {"of_record": False}]
    assert shown["totals"] == [TERM | NUMBERS]
    position = marked(client, pupil_id, {"date": MONDAY, "am": "/"})
    mixed = read(client, pupil_id, position)["summary"]
    assert (mixed["source"], mixed["possible"]) == ("marks", 1)
    assert mixed["set_aside"] == [TERM | {"why": "there are marks in their period"}]
    shorter = {"from": "2025-09-01", "to": "2025-10-24"} | NUMBERS | {"possible": 60, "attended": 50}
    conflict = assert_problem(client.post(path, json=shorter), 409, "conflict")
    assert (conflict["overlaps_from"], conflict["overlaps_to"]) == tuple(TERM.values())
    voided = client.post(f"{path}/void", json=TERM | {"reason": "Of another child"})
    assert voided.status_code == 200
    assert read(client, pupil_id, voided.json()["position"])["summary"]["set_aside"] == []
    assert_problem(client.post(f"{path}/void", json=TERM), 404, "not-found")


def test_totals_that_do_not_add_up_are_refused_with_the_four_numbers(client: httpx.Client) -> None:
    pupil_id = admit(client)
    before = client.get("/v1/school").json()["position"]
    path = f"/v1/pupils/{pupil_id}/attendance/totals"
    problem = assert_problem(client.post(path, json=TERM | NUMBERS | {"possible": 141}), 422, "invalid-input")
    assert problem["findings"] == [
        {
            "field": "possible",
            "found": "possible 141, attended 130, authorised 8, unauthorised 2",
            "accepted": "possible = attended + authorised + unauthorised, here 130 + 8 + 2 = 140",
        }
    ]
    for wrong in (
        {"to": "2026-09-01"},
        {"from": "1989-09-01"},
        {"attended": -1},
        {"attended": 10**30},
        {"to": 3},
    ):
        assert_problem(client.post(path, json=TERM | NUMBERS | wrong), 422, "invalid-input")
    assert client.get("/v1/school").json()["position"] == before


def test_totals_that_came_with_the_particulars_count_until_something_else_does(client: httpx.Client) -> None:
    record = {"academic_year": 2024, "possible": 380, "authorised": 30, "unauthorised": 8}
    pupil_id = admit(client, attendance=record)
    shown = read(client, pupil_id, academic_year=2024)["summary"]
    assert (shown["source"], shown["attended"], shown["persistently_absent"]) == ("totals", 342, True)
    assert shown["totals"] == [{"from": "2024-09-01", "to": "2025-08-31", "of_record": True}]
    position = marked(client, pupil_id, {"date": "2024-11-04", "am": "/"})
    assert read(client, pupil_id, position, academic_year=2024)["summary"]["possible"] == 1


def test_a_command_that_comes_again_is_done_once(client: httpx.Client) -> None:
    pupil_id = admit(client)
    class_id = class_of(client, pupil_id)
    marks = {"date": MONDAY, "am": "/"}
    for path, body in (
        (f"/v1/pupils/{pupil_id}/attendance", {"days": [marks]}),
        (f"/v1/classes/{class_id}/attendance", {"entries": [marks | {"pupil_id": pupil_id}]}),
        (f"/v1/pupils/{pupil_id}/attendance/totals", TERM | NUMBERS),
        (f"/v1/pupils/{pupil_id}/attendance/totals/void", TERM),
    ):
        headers = {"Idempotency-Key": f"the key of {path}"}
        first, again = (client.post(path, json=body, headers=headers) for _ in range(2))
        assert first.is_success
        assert (again.status_code, again.json()) == (first.status_code, first.json())
        assert again.headers["idempotent-replayed"] == "true"
        other = client.post(path, json=body | {"reason": "Another content"}, headers=headers)
        assert_problem(other, 422, "command-reused")


def test_whoever_has_it_already_is_told_so(client: httpx.Client) -> None:
    pupil_id = admit(client)
    position = marked(client, pupil_id, {"date": MONDAY, "am": "/"})
    path, asked = f"/v1/pupils/{pupil_id}/attendance", YEAR | {"min_position": position}
    tag = client.get(path, params=asked).headers["etag"]
    same = client.get(path, params=asked, headers={"If-None-Match": tag})
    assert (same.status_code, same.headers["etag"]) == (304, tag)
    assert client.get(path, params={"academic_year": 2024}, headers={"If-None-Match": tag}).status_code == 200
    later = marked(client, pupil_id, {"date": MONDAY, "am": "I"})
    changed = client.get(path, params=YEAR | {"min_position": later}, headers={"If-None-Match": tag})
    assert changed.status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2025-09-01", "to"),
        ("to=2025-09-01", "from"),
        ("from=2025-09-02&to=2025-09-01", "to"),
        ("from=1989-12-31&to=2025-09-01", "from"),
        ("from=2025-09-01&to=9999-12-31", "to"),
        ("academic_year=2025&from=2025-09-01&to=2025-09-02", "academic_year"),
        ("academic_year=1989", "academic_year"),
        ("from=yesterday&to=2025-09-01", "from"),
        ("day=2025-09-01", "day"),
    ],
)
def test_what_is_no_period_is_refused(client: httpx.Client, query: str, field: str) -> None:
    pupil_id = admit(client)
    problem = assert_problem(client.get(f"/v1/pupils/{pupil_id}/attendance?{query}"), 422, "invalid-input")
    assert [each["field"] for each in problem["findings"]] == [field]


def test_days_of_registers_have_bounds(client: httpx.Client) -> None:
    path = f"/v1/classes/{class_of(client, admit(client))}/attendance"
    for day in ("1989-12-31", "9999-01-01", "today"):
        problem = assert_problem(client.get(path, params={"date": day}), 422, "invalid-input")
        assert [each["field"] for each in problem["findings"]] == ["date"]


def test_those_who_may_see_no_names_see_marks(
    served: Served, own: SchoolUnderTest, client: httpx.Client
) -> None:
    pupil_id = admit(client, class_name="Aspen", surname="Canary")
    position = marked(client, pupil_id, {"date": MONDAY, "am": "/", "pm": "I"})
    with served.client(own.users[AccessLevel.READ_ONLY_NO_NAMES].token) as nameless:
        path = f"/v1/classes/{class_of(client, pupil_id)}/attendance"
        answer = nameless.get(path, params={"date": MONDAY, "min_position": position})
        [row] = answer.json()["pupils"]
        assert (row["am"], row["pm"], row["surname"]) == ("/", "I", None)
        assert row["alias"].startswith("Pupil ")
        assert "Canary" not in answer.text
        assert read(nameless, pupil_id)["summary"]["possible"] == 2
        refused = nameless.post(f"/v1/pupils/{pupil_id}/attendance", json={"days": []})
        assert refused.status_code == 403


def test_of_an_erased_child_nothing_is_shown(client: httpx.Client) -> None:
    pupil_id, other = (admit(client, class_name="Hazel") for _ in range(2))
    class_id = class_of(client, pupil_id)
    for each in (pupil_id, other):
        position = marked(client, each, {"date": MONDAY, "am": "/"})
    asked = client.post(f"/v1/pupils/{pupil_id}/erasure", json={"reason": "mistake"}).json()
    assert (asked["events"], asked["assessments"], asked["attendance"]) == (1, 0, 1)
    confirmed = {"reason": "mistake", "confirmation": asked["confirmation"]}
    position = client.post(f"/v1/pupils/{pupil_id}/erase", json=confirmed).json()["position"]
    assert_problem(client.get(f"/v1/pupils/{pupil_id}/attendance", params=YEAR), 404, "erased")
    marks = {"days": [{"date": MONDAY, "am": "I"}]}
    assert_problem(client.post(f"/v1/pupils/{pupil_id}/attendance", json=marks), 404, "erased")
    shown = client.get(
        f"/v1/classes/{class_id}/attendance", params={"date": MONDAY, "min_position": position}
    )
    assert [row["pupil_id"] for row in shown.json()["pupils"]] == [other]


def test_nobody_leaves_before_sessions_that_are_marked(client: httpx.Client) -> None:
    pupil_id = admit(client)
    marked(client, pupil_id, {"date": MONDAY, "am": "/", "pm": "\\"})
    leaving = {"left_on": "2025-10-31"}
    answer = client.post(f"/v1/pupils/{pupil_id}/leave", json=leaving, headers={"If-Match": '"1"'})
    [finding] = assert_problem(answer, 422, "invalid-input")["findings"]
    assert (finding["field"], finding["found"]) == ("left_on", "2025-10-31")
    assert finding["accepted"].startswith(f"{MONDAY} or a later day; 2 sessions are marked after it")
    answer = client.post(
        f"/v1/pupils/{pupil_id}/leave", json={"left_on": MONDAY}, headers={"If-Match": '"1"'}
    )
    assert answer.status_code == 200, answer.text
