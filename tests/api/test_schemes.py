"""Schemes, points, targets and statements over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.access import AccessLevel
from domain.schemes.catalogue import SCHEMES
from tests.api.conftest import SchoolUnderTest, Served, admit, assert_problem

SUMMER: dict[str, Any] = {"academic_year": 2025, "term": "summer"}
YEAR: dict[str, Any] = {"academic_year": 2025}


@pytest.fixture
def school(served: Served) -> SchoolUnderTest:
    """A school of the test's own, whose points it may close."""
    return served.register()


@pytest.fixture
def client(served: Served, school: SchoolUnderTest) -> httpx.Client:
    return served.client(school.admin.token)


def class_of(client: httpx.Client, pupil_id: str) -> str:
    class_id: str = client.get(f"/v1/pupils/{pupil_id}").json()["pupil"]["class_id"]
    return class_id


def test_schemes_say_what_they_take(client: httpx.Client) -> None:
    listed = client.get("/v1/schemes").json()
    assert [each["scheme"] for each in listed] == list(SCHEMES)
    assert [each["version"] for each in listed[2]["versions"]] == ["2013", "2021"]
    ks2 = client.get("/v1/schemes/ks2-tests").json()["versions"][0]
    assert (ks2["first_year"], ks2["last_year"], ks2["entered"]) == (2015, None, "year")
    assert "80 to 120" in ks2["accepted"]
    assert [each["code"] for each in ks2["measures"]] == ["REA", "GPS", "MAT"]
    assert ks2["values"][0] == {
        "value": "80",
        "description": "Scaled score 80",
        "ordinal": 80,
        "points": {"scaled-score": 80},
    }
    levels = client.get("/v1/schemes/levels").json()["versions"][0]
    assert levels["scales"] == ["two-point", "aps"]
    [three_a] = [each for each in levels["values"] if each["value"] == "3a"]
    assert three_a["points"] == {"two-point": 23, "aps": 21}
    problem = assert_problem(client.get("/v1/schemes/ks9"), 404, "not-found")
    assert "steps" in problem["detail"]


def test_a_sheet_of_a_test_and_of_the_profile(client: httpx.Client) -> None:
    pupil_id = admit(client, class_name="Yew", nc_year="6")
    entry = {"pupil_id": pupil_id, "subject": "mat", "value": "109"}
    kept = client.post("/v1/sheets", json=YEAR | {"scheme": "ks2-tests", "entries": [entry]})
    assert kept.status_code == 201, kept.text
    goals = [
        {"pupil_id": pupil_id, "subject": f"E{number:02d}", "value": "2" if number < 14 else "1"}
        for number in range(1, 18)
    ]
    kept = client.post("/v1/sheets", json=YEAR | {"scheme": "eyfs-profile", "entries": goals})
    target = YEAR | {"scheme": "ks2-tests", "subject": "MAT", "value": "110"}
    kept = client.post(f"/v1/pupils/{pupil_id}/targets", json=target)
    asked = YEAR | {"min_position": kept.json()["position"]}
    path = f"/v1/classes/{class_of(client, pupil_id)}/sheet"
    shown = client.get(path, params=asked | {"scheme": "ks2-tests"}).json()
    assert (shown["point"], shown["scheme"]) == ({"academic_year": 2025, "term": None}, "ks2-tests")
    [row] = shown["pupils"]
    assert (row["results"]["MAT"]["value"], row["results"]["MAT"]["standing"]) == ("109", "at")
    assert row["targets"] == {"MAT": "110"}
    assert row["good_level_of_development"] is None
    [row] = client.get(path, params=asked | {"scheme": "eyfs-profile"}).json()["pupils"]
    assert row["good_level_of_development"] is True
    assert row["results"]["E17"]["standing"] == "below"
    body = client.get(f"/v1/pupils/{pupil_id}").json()["assessments"]
    [test] = [each for each in body if each["scheme"] == "ks2-tests"]
    assert (test["known"], test["standing"], test["stage"], test["method"]) == (True, "at", "KS2", "TT")
    for wrong in (
        {"term": "summer", "scheme": "ks2-tests"},
        {"scheme": "steps"},
        {"scheme": "nothing"},
        {"scheme": "statements", "term": "summer"},
        {"term": "winter"},
    ):
        assert_problem(client.get(path, params=YEAR | wrong), 422, "invalid-input")


@pytest.mark.parametrize(
    ("given", "field", "accepted"),
    [
        ({"scheme": "ks2-tests", "value": "121"}, "value", "a whole number from 80 to 120"),
        ({"scheme": "ks2-tests", "value": "79"}, "value", "a whole number from 80 to 120"),
        ({"scheme": "mtc", "subject": "MTC", "value": "26"}, "value", "from 0 to 25"),
        ({"scheme": "phonics", "subject": "PHO", "value": "41"}, "value", "from 0 to 40"),
        ({"scheme": "ks2-tests", "subject": "E01", "value": "100"}, "subject", "one of REA, GPS, MAT"),
        ({"scheme": "levels", "value": "2b"}, "academic_year", "up to 2014/15"),
        ({"scheme": "ks9", "value": "2b"}, "scheme", "one of steps"),
        ({"value": "3w"}, "term", "a term or half-term"),
    ],
)
def test_what_lies_outside_a_scale_is_refused(
    client: httpx.Client, given: dict[str, str], field: str, accepted: str
) -> None:
    pupil_id = admit(client)
    before = client.get("/v1/school").json()["position"]
    answer = client.post(f"/v1/pupils/{pupil_id}/assessments", json=YEAR | {"subject": "MAT"} | given)
    [finding] = assert_problem(answer, 422, "invalid-input")["findings"]
    assert finding["field"] == field
    assert accepted in finding["accepted"]
    assert client.get("/v1/school").json()["position"] == before


def test_a_void_and_the_tag_of_the_pupil(client: httpx.Client) -> None:
    pupil_id = admit(client)
    path = f"/v1/pupils/{pupil_id}"
    ids = [
        client.post(f"{path}/assessments", json=SUMMER | {"subject": subject, "value": "3w"}).json()
        for subject in ("REA", "MAT")
    ]
    before = client.get(path, params={"min_position": ids[1]["position"]})
    assert len(before.json()["assessments"]) == 2
    key = {"Idempotency-Key": "void-1"}
    void = f"{path}/assessments/{ids[0]['assessment_id']}/void"
    voided = client.post(void, json={"reason": "A slip"}, headers=key)
    assert voided.status_code == 200, voided.text
    again = client.post(void, json={"reason": "A slip"}, headers=key)
    assert again.json() == voided.json()
    assert again.headers["idempotent-replayed"] == "true"
    # The older of two results is gone: nobody may take what they have seen for what there is.
    tag = {"If-None-Match": before.headers["etag"]}
    after = client.get(path, params={"min_position": voided.json()["position"]}, headers=tag)
    assert after.status_code == 200
    assert [each["subject"] for each in after.json()["assessments"]] == ["MAT"]
    events = [each["event"] for each in client.get(f"{path}/history").json()["entries"]]
    assert events[-1] == "assessment.voided"
    assert_problem(client.post(void, json={"reason": "Again"}), 409, "conflict")
    assert_problem(client.post(void, json={}), 422, "invalid-input")


def test_points_are_closed_and_opened_by_administrators(
    served: Served, school: SchoolUnderTest, client: httpx.Client
) -> None:
    pupil_id = admit(client)
    path = f"/v1/pupils/{pupil_id}/assessments"
    judgement = SUMMER | {"subject": "REA", "value": "3w"}
    point = "/v1/assessment-points/2025/summer"
    with served.client(school.users[AccessLevel.READ_WRITE].token) as teacher:
        assert teacher.put(point, json={"closed": True}).status_code == 403
        kept = client.put(point, json={"closed": True, "reason": "Reported"})
        assert kept.status_code == 200, kept.text
        problem = assert_problem(teacher.post(path, json=judgement), 409, "conflict")
        assert problem["detail"] == "Summer 2025/26 is closed: an administrator can open it again"
        listed = teacher.get("/v1/assessment-points", params={"academic_year": 2025}).json()
        assert listed["division"] == "terms"
        assert [(each["label"], each["closed"]) for each in listed["points"]] == [
            ("Autumn 2025/26", False),
            ("Spring 2025/26", False),
            ("Summer 2025/26", True),
            ("2025/26", False),
        ]
        client.put(point, json={"closed": False})
        assert teacher.post(path, json=judgement).status_code == 201
    client.put("/v1/assessment-points/2025/year", json={"closed": True})
    test = YEAR | {"scheme": "ks2-tests", "subject": "MAT", "value": "104"}
    assert_problem(client.post(path, json=test), 409, "conflict")


def test_half_terms(client: httpx.Client) -> None:
    pupil_id = admit(client, class_name="Fir")
    chosen = client.put("/v1/assessment-points/2025", json={"division": "half-terms"})
    assert chosen.status_code == 200
    half = {"academic_year": 2025, "term": "autumn-1", "subject": "REA", "value": "2b"}
    path = f"/v1/pupils/{pupil_id}/assessments"
    kept = client.post(path, json=half)
    assert kept.status_code == 201, kept.text
    [finding] = assert_problem(client.post(path, json=half | {"term": "autumn"}), 422, "invalid-input")[
        "findings"
    ]
    assert finding["accepted"].startswith("one of autumn-1, autumn-2")
    asked = {"academic_year": 2025, "term": "autumn-1", "min_position": kept.json()["position"]}
    sheet = client.get(f"/v1/classes/{class_of(client, pupil_id)}/sheet", params=asked).json()
    assert sheet["pupils"][0]["results"]["REA"]["standing"] == "at"
    listed = client.get("/v1/assessment-points", params={"academic_year": 2025}).json()
    assert [each["term"] for each in listed["points"]] == [
        "autumn-1", "autumn-2", "spring-1", "spring-2", "summer-1", "summer-2", None,
    ]  # fmt: skip
    assert client.get("/v1/assessment-points").json()["division"] == "half-terms"


@pytest.mark.parametrize("path", ["2025/winter", "25/summer", "2025x/summer", "99999999/year", "-1/year"])
def test_points_that_there_are_not(client: httpx.Client, path: str) -> None:
    assert_problem(client.put(f"/v1/assessment-points/{path}", json={"closed": True}), 404, "not-found")


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("2025", {"division": "weeks"}),
        ("1980/summer", {"closed": "perhaps"}),
        ("2099/summer", {"closed": True}),
        ("2025/summer-1", {"closed": True}),
        ("2099", {"division": "terms"}),
    ],
)
def test_points_are_not_changed_like_this(client: httpx.Client, path: str, sent: dict[str, Any]) -> None:
    assert client.put(f"/v1/assessment-points/{path}", json=sent).status_code == 422


def test_targets(client: httpx.Client) -> None:
    ids = [admit(client) for _ in range(2)]
    entries = [{"pupil_id": each, "subject": "REA", "value": "4s"} for each in ids]
    kept = client.post("/v1/targets", json={"academic_year": 2027, "term": "summer", "entries": entries})
    assert kept.status_code == 201, kept.text
    path = f"/v1/pupils/{ids[0]}/targets"
    shown = client.get(path, params={"min_position": kept.json()["position"]}).json()
    [target] = shown["targets"]
    assert target == {
        "target_id": kept.json()["target_ids"][0], "scheme": "steps", "scheme_version": None,
        "subject": "REA", "component": None, "value": "4s", "academic_year": 2027, "term": "summer",
    }  # fmt: skip
    assert client.get(f"/v1/pupils/{ids[0]}").json()["assessments"] == []
    removed = client.post(f"{path}/{target['target_id']}/remove", json={"reason": "Too easy"})
    assert client.get(path, params={"min_position": removed.json()["position"]}).json()["targets"] == []
    history = client.get(f"/v1/pupils/{ids[0]}/history").text
    assert "target.set" in history
    assert "target.removed" in history
    assert_problem(client.post(f"{path}/{target['target_id']}/remove", json={}), 404, "not-found")


def test_statements(client: httpx.Client) -> None:
    pupil_id = admit(client)
    new = [
        {"subject": "MAT", "code": "3N-04", "text": "I can count in hundreds", "band": 3},
        {"subject": "MAT", "code": "3N-05", "text": "I can add"},
        {"subject": "REA", "code": "3R-01", "text": "I can infer"},
    ]
    one, two, three = client.post("/v1/statements", json={"statements": new}).json()["statement_ids"]
    assert_problem(client.post("/v1/statements", json={"statements": new[:1]}), 409, "already-exists")
    listed = client.get("/v1/statements", params={"subject": "mat"}).json()
    assert [(each["code"], each["text"], each["band"]) for each in listed] == [
        ("3N-04", "I can count in hundreds", 3),
        ("3N-05", "I can add", None),
    ]
    path = f"/v1/pupils/{pupil_id}/statements"
    autumn = {"academic_year": 2025, "term": "autumn"}
    for point, judged in (
        (autumn, {one: "working towards", two: "not-yet"}),
        (SUMMER, {one: "achieved"}),
    ):
        sent = [{"statement_id": each, "value": value} for each, value in judged.items()]
        kept = client.post(path, json=point | {"judgements": sent})
        assert kept.status_code == 201, kept.text
    asked = {"min_position": kept.json()["position"]}

    def shown(**more: Any) -> dict[str, str | None]:
        answer = client.get(path, params=asked | more).json()
        return {each["code"]: each["judgement"] for each in answer["statements"]}

    assert shown() == {"3N-04": "achieved", "3N-05": "not-yet", "3R-01": None}
    assert shown(**autumn) == {"3N-04": "working-towards", "3N-05": "not-yet", "3R-01": None}
    assert shown(academic_year=2024) == {"3N-04": None, "3N-05": None, "3R-01": None}
    assert_problem(client.get(path, params=asked | {"term": "autumn"}), 422, "invalid-input")
    assert shown(subject="REA") == {"3R-01": None}
    subjects = client.get(path, params=asked).json()["subjects"]
    assert subjects == [
        {"subject": "MAT", "statements": 2, "judged": {"achieved": 1, "not-yet": 1}},
        {"subject": "REA", "statements": 1, "judged": {}},
    ]
    assert client.get(f"/v1/pupils/{pupil_id}").json()["assessments"] == [], "kept apart from the step"
    client.post(f"/v1/statements/{three}/withdraw")
    assert set(shown()) == {"3N-04", "3N-05"}
    assert [each["withdrawn"] for each in client.get("/v1/statements").json()] == [False, False, True]
    refused = client.post(path, json=SUMMER | {"judgements": [{"statement_id": three, "value": "achieved"}]})
    assert_problem(refused, 422, "invalid-input")
    sheet = SUMMER | {"scheme": "statements"}
    sheet |= {"entries": [{"pupil_id": pupil_id, "statement_id": two, "value": "achieved"}]}
    assert client.post("/v1/sheets", json=sheet).status_code == 201


def test_without_names_statements_are_shown_by_their_code(
    served: Served, school: SchoolUnderTest, client: httpx.Client
) -> None:
    new = [{"subject": "MAT", "code": "3N-04", "text": "I can count"}]
    client.post("/v1/statements", json={"statements": new})
    with served.client(school.users[AccessLevel.READ_ONLY_NO_NAMES].token) as nameless:
        [shown] = nameless.get("/v1/statements").json()
    assert (shown["code"], shown["text"]) == ("3N-04", None)


def test_what_came_in_a_file_and_is_not_known_is_flagged(client: httpx.Client) -> None:
    before = admit(client, surname="Strangely", forename="Marked", upn="E801200019001")
    content = (
        '<?xml version="1.0"?><CTfile><Header><AcademicYear>2026</AcademicYear></Header><CTFpupilData><Pupil>'
        "<UPN>E801200019001</UPN><Surname>Strangely</Surname><Forename>Marked</Forename><DOB>2018-03-04</DOB>"
        "<Sex>F</Sex><StageAssessments><KeyStage><Stage>KS2</Stage>"
        "<StageAssessment><Year>2026</Year><Subject>MAT</Subject><Method>TT</Method><Result>YYY</Result>"
        "</StageAssessment><StageAssessment><Year>2026</Year><Subject>QQQ</Subject><Method>TT</Method>"
        "<Result>12</Result></StageAssessment><StageAssessment><Year>2026</Year><Subject>ENG</Subject>"
        "<Component>REA</Component><Method>TA</Method><Result>EXS</Result></StageAssessment>"
        "</KeyStage></StageAssessments></Pupil></CTFpupilData></CTfile>"
    )
    imported = client.post("/v1/imports", content=content.encode())
    assert imported.status_code == 201, imported.text
    position = imported.json()["position"]
    shown = client.get(f"/v1/pupils/{before}", params={"min_position": position}).json()["assessments"]
    assert {(each["value"], each["known"], each["standing"]) for each in shown} == {
        ("YYY", False, None),
        ("12", False, None),
        ("EXS", True, "at"),
    }
