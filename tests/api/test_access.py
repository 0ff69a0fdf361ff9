"""Who may do what: every route, asked by every access level, by nobody, and by another school."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.app import create_app, routes_of
from api.callers import OpenToAll, OperatorOnly, SignedIn, is_operator
from api.routing import guard_of
from domain.access import PERMISSIONS, AccessLevel, Permission
from domain.school_time import today
from tests.api.conftest import OPERATOR_TOKEN, PASSWORD, SchoolUnderTest, Served, admit, pupil
from tests.photographs import jpeg

ANYBODY = "anybody"
OPERATOR = "the operator"
A_SESSION = "a session"

OBSERVATION = "/v1/pupils/{pupil_id}/observations/{observation_id}"
PHOTOGRAPH = f"{OBSERVATION}/photographs/{{photograph_id}}"

WHAT_ROUTES_ASK_FOR: dict[tuple[str, str], Permission | str] = {
    ("POST", "/v1/schools"): OPERATOR,
    ("GET", "/v1/school"): Permission.READ_SCHOOL,
    ("GET", "/v1/login-keys"): Permission.MANAGE_LOGIN_KEYS,
    ("POST", "/v1/login-keys"): Permission.MANAGE_LOGIN_KEYS,
    ("POST", "/v1/login-keys/{key_id}/revoke"): Permission.MANAGE_LOGIN_KEYS,
    ("POST", "/v1/sessions"): ANYBODY,
    ("GET", "/v1/sessions"): Permission.MANAGE_STAFF,
    ("DELETE", "/v1/sessions/{session_id}"): Permission.MANAGE_STAFF,
    ("DELETE", "/v1/staff/{staff_id}/sessions"): Permission.MANAGE_STAFF,
    ("DELETE", "/v1/sessions/current"): A_SESSION,
    ("GET", "/v1/staff"): Permission.MANAGE_STAFF,
    ("POST", "/v1/staff"): Permission.MANAGE_STAFF,
    ("PUT", "/v1/staff/{staff_id}/access"): Permission.MANAGE_STAFF,
    ("PUT", "/v1/staff/{staff_id}/adviser"): Permission.MANAGE_STAFF,
    ("PUT", "/v1/staff/{staff_id}/password"): Permission.MANAGE_STAFF,
    ("POST", "/v1/staff/{staff_id}/headteacher"): Permission.APPOINT_HEADTEACHER,
    ("POST", "/v1/staff/{staff_id}/headteacher/end"): Permission.APPOINT_HEADTEACHER,
    ("POST", "/v1/staff/{staff_id}/disable"): Permission.MANAGE_STAFF,
    ("POST", "/v1/staff/{staff_id}/enable"): Permission.MANAGE_STAFF,
    ("POST", "/v1/password-resets"): ANYBODY,
    ("POST", "/v1/password-resets/redeem"): ANYBODY,
    ("POST", "/v1/imports"): Permission.IMPORT_PUPILS,
    ("POST", "/v1/imports/mapped"): Permission.IMPORT_PUPILS,
    ("POST", "/v1/imports/mapping"): Permission.IMPORT_PUPILS,
    ("GET", "/v1/exports/ctf"): Permission.EXPORT_PUPILS,
    ("GET", "/v1/exports/pupils.csv"): Permission.EXPORT_PUPILS,
    ("GET", "/v1/permissions"): Permission.LIST_RELEASES,
    ("POST", "/v1/permissions"): Permission.GIVE_RELEASES,
    ("DELETE", "/v1/permissions/{permission_id}"): Permission.GIVE_RELEASES,
    ("POST", "/v1/permissions/{permission_id}/releases"): Permission.EXPORT_PUPILS,
    ("GET", "/v1/classes"): Permission.READ_PUPILS,
    ("GET", "/v1/pupils"): Permission.READ_PUPILS,
    ("POST", "/v1/pupils/search"): Permission.READ_PUPILS,
    ("POST", "/v1/pupils"): Permission.CHANGE_PUPILS,
    ("GET", "/v1/pupils/{pupil_id}"): Permission.READ_PUPILS,
    ("PATCH", "/v1/pupils/{pupil_id}"): Permission.CHANGE_PUPILS,
    ("POST", "/v1/pupils/{pupil_id}/leave"): Permission.CHANGE_PUPILS,
    ("POST", "/v1/pupils/{pupil_id}/return"): Permission.CHANGE_PUPILS,
    ("GET", "/v1/pupils/{pupil_id}/notes"): Permission.READ_PUPILS,
    ("POST", "/v1/pupils/{pupil_id}/notes"): Permission.CHANGE_PUPILS,
    ("PUT", "/v1/pupils/{pupil_id}/notes/{note_id}"): Permission.CHANGE_PUPILS,
    ("POST", "/v1/pupils/{pupil_id}/notes/{note_id}/remove"): Permission.CHANGE_PUPILS,
    ("GET", "/v1/pupils/{pupil_id}/concerns"): Permission.READ_PUPILS,
    ("POST", "/v1/pupils/{pupil_id}/concerns"): Permission.CHANGE_PUPILS,
    ("POST", "/v1/pupils/{pupil_id}/concerns/{concern_id}/close"): Permission.CHANGE_PUPILS,
    ("POST", "/v1/pupils/{pupil_id}/erasure"): Permission.ERASE_PUPILS,
    ("POST", "/v1/pupils/{pupil_id}/erase"): Permission.ERASE_PUPILS,
    ("POST", "/v1/pupils/{pupil_id}/assessments"): Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES,
    (
        "POST",
        "/v1/pupils/{pupil_id}/assessments/{assessment_id}/corrections",
    ): Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES,
    (
        "POST",
        "/v1/pupils/{pupil_id}/assessments/{assessment_id}/void",
    ): Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES,
    ("POST", "/v1/sheets"): Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES,
    ("GET", "/v1/schemes"): Permission.READ_SCHOOL,
    ("GET", "/v1/schemes/{scheme}"): Permission.READ_SCHOOL,
    ("GET", "/v1/assessment-points"): Permission.READ_SCHOOL,
    ("PUT", "/v1/assessment-points/{academic_year}"): Permission.MANAGE_ASSESSMENT_POINTS,
    ("PUT", "/v1/assessment-points/{academic_year}/{term}"): Permission.MANAGE_ASSESSMENT_POINTS,
    ("GET", "/v1/pupils/{pupil_id}/targets"): Permission.READ_PUPILS,
    ("POST", "/v1/pupils/{pupil_id}/targets"): Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES,
    (
        "POST",
        "/v1/pupils/{pupil_id}/targets/{target_id}/remove",
    ): Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES,
    ("POST", "/v1/targets"): Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES,
    ("GET", "/v1/statements"): Permission.READ_SCHOOL,
    ("POST", "/v1/statements"): Permission.RECORD_ASSESSMENTS,
    ("POST", "/v1/statements/{statement_id}/withdraw"): Permission.RECORD_ASSESSMENTS,
    ("GET", "/v1/pupils/{pupil_id}/statements"): Permission.READ_PUPILS,
    ("POST", "/v1/pupils/{pupil_id}/statements"): Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES,
    ("GET", "/v1/classes/{class_id}/sheet"): Permission.READ_PUPILS,
    ("GET", "/v1/pupils/{pupil_id}/attendance"): Permission.READ_PUPILS,
    ("POST", "/v1/pupils/{pupil_id}/attendance"): Permission.RECORD_ATTENDANCE_OF_OWN_CLASSES,
    ("POST", "/v1/pupils/{pupil_id}/attendance/totals"): Permission.RECORD_ATTENDANCE_OF_OWN_CLASSES,
    ("POST", "/v1/pupils/{pupil_id}/attendance/totals/void"): Permission.RECORD_ATTENDANCE_OF_OWN_CLASSES,
    ("GET", "/v1/classes/{class_id}/attendance"): Permission.READ_PUPILS,
    ("POST", "/v1/classes/{class_id}/attendance"): Permission.RECORD_ATTENDANCE_OF_OWN_CLASSES,
    ("GET", "/v1/pupils/{pupil_id}/track"): Permission.READ_PUPILS,
    ("GET", "/v1/progress"): Permission.READ_PUPILS,
    ("GET", "/v1/progress/matrix"): Permission.READ_PUPILS,
    ("GET", "/v1/progress/on-track"): Permission.READ_PUPILS,
    ("GET", "/v1/pupils/{pupil_id}/observations"): Permission.READ_NAMES,
    ("POST", "/v1/pupils/{pupil_id}/observations"): Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES,
    ("GET", OBSERVATION): Permission.READ_NAMES,
    ("PUT", OBSERVATION): Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES,
    ("POST", f"{OBSERVATION}/withdraw"): Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES,
    ("POST", f"{OBSERVATION}/photographs"): Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES,
    ("GET", PHOTOGRAPH): Permission.READ_NAMES,
    ("GET", f"{PHOTOGRAPH}/thumbnail"): Permission.READ_NAMES,
    ("POST", f"{PHOTOGRAPH}/withdraw"): Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES,
    ("GET", "/v1/pupils/{pupil_id}/bundle"): Permission.EXPORT_RECORDS,
    ("GET", "/v1/exports/bundle"): Permission.EXPORT_RECORDS,
    ("GET", "/v1/pupils/{pupil_id}/history"): Permission.READ_PUPILS,
    ("GET", "/v1/history"): Permission.READ_AUDIT,
    ("GET", "/v1/logins"): Permission.READ_AUDIT,
    ("GET", "/v1/usage"): Permission.READ_AUDIT,
    ("GET", "/v1/benchmarks"): Permission.READ_BENCHMARKS,
    ("GET", "/v1/benchmarks/compare"): Permission.READ_PUPILS,
    ("GET", "/v1/benchmarks/releases"): Permission.READ_BENCHMARKS,
    ("GET", "/v1/codes"): Permission.READ_SCHOOL,
    ("GET", "/v1/codes/{code_set}"): Permission.READ_SCHOOL,
    ("GET", "/v1/health"): ANYBODY,
    ("GET", "/v1/openapi.json"): ANYBODY,
}
"""Written out once more, so that nobody changes what a route asks for without noticing."""

ROUTES = sorted(WHAT_ROUTES_ASK_FOR)

ON_BEHALF = {Permission.IMPORT_PUPILS, Permission.APPOINT_HEADTEACHER}
"""What the operator may do, too, with a login key of the school."""

NO_IDS = {
    "/v1/codes/{code_set}",
    "/v1/schemes/{scheme}",
    "/v1/assessment-points/{academic_year}",
    "/v1/assessment-points/{academic_year}/{term}",
}
"""Routes whose path names nothing that belongs to one school."""


def asked_for(route: APIRoute) -> Permission | str | None:
    match guard_of(route):
        case OpenToAll():
            return ANYBODY
        case OperatorOnly():
            return OPERATOR
        case SignedIn(permission=None):
            return A_SESSION
        case SignedIn(permission=permission):
            return permission
        case _:
            return None


def unguarded(app: FastAPI) -> list[str]:
    """The routes that do not say who may call them."""
    return [route.path for route in routes_of(app) if asked_for(route) is None]


def test_every_route_asks_for_what_is_written_here(served: Served) -> None:
    asked = {
        (method, route.path): asked_for(route)
        for route in routes_of(served.app)
        for method in route.methods or ()
    }
    assert asked == WHAT_ROUTES_ASK_FOR
    assert len(served.app.routes) == len(routes_of(served.app)), "a route that is none of ours"


def test_a_route_without_a_guard_is_found(served: Served) -> None:
    app = create_app(served.services)
    assert unguarded(app) == []

    @app.get("/v1/open-door", response_model=None)
    def open_door() -> None: ...

    assert unguarded(app) == ["/v1/open-door"]


def path_of(template: str) -> str:
    """The path with ids that nothing has."""
    path = template
    while "{" in path:
        path = re.sub(r"\{\w+\}", str(uuid4()), path, count=1)
    return path


@pytest.mark.parametrize("level", AccessLevel)
@pytest.mark.parametrize(("method", "template"), ROUTES)
def test_every_level_at_every_route(
    served: Served, school: SchoolUnderTest, level: AccessLevel, method: str, template: str
) -> None:
    wanted = WHAT_ROUTES_ASK_FOR[method, template]
    token = school.users[level].token
    if wanted == A_SESSION:  # it would end the session that the other tests use
        token = served.log_in(school.login_key, school.users[level].username)["token"]
    with served.client(token) as client:
        answer = client.request(method, path_of(template))
    if wanted in {ANYBODY, A_SESSION} or wanted in PERMISSIONS[level]:
        assert answer.status_code not in {401, 403}
    else:
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:target-tracker:problem:not-permitted"


@pytest.mark.parametrize(
    "token", [None, b"tt1_", b"tt1_" + b"A" * 64, "tt1_é".encode(), b"tt1_\xff", b"x", b"'"]
)
def test_without_a_session(served: Served, token: bytes | None) -> None:
    headers = [] if token is None else [(b"Authorization", b"Bearer " + token)]
    with served.client() as client:
        for method, template in ROUTES:
            answer = client.request(method, path_of(template), headers=headers)
            if WHAT_ROUTES_ASK_FOR[method, template] == ANYBODY:
                assert answer.status_code != 401 or template == "/v1/sessions"
            else:
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert answer.json()["type"] == "urn:target-tracker:problem:not-signed-in"


@pytest.mark.parametrize("header", ["", "Basic dXNlcjpwYXNz", "Bearer", "tt1_abc"])
def test_other_credentials_are_none(nobody: httpx.Client, header: str) -> None:
    assert nobody.get("/v1/school", headers={"Authorization": header}).status_code == 401


def test_the_operator_is_no_member_of_staff(served: Served) -> None:
    with served.client(OPERATOR_TOKEN) as operator:
        for method, template in ROUTES:
            wanted = WHAT_ROUTES_ASK_FOR[method, template]
            answer = operator.request(method, path_of(template))
            if wanted in ON_BEHALF:  # and even there not without a login key of the school
                assert answer.json()["type"] == "urn:target-tracker:problem:login-key-refused"
            elif wanted in {OPERATOR, ANYBODY}:
                assert answer.status_code not in {401, 403}
            else:
                assert answer.status_code == 401


def test_without_an_operator_token_nobody_is_the_operator(served: Served) -> None:
    for configured in (None, ""):
        services = replace(served.services, operator_token=configured)
        assert not any(is_operator(services, token) for token in ("", "None", OPERATOR_TOKEN))
    assert is_operator(served.services, OPERATOR_TOKEN)


def content(sent: Any) -> dict[str, Any]:
    """What is sent, as a client takes it: a file as it is, and everything else as JSON."""
    return {"content": sent} if isinstance(sent, bytes) else {"json": sent}


def test_another_schools_ids_are_nobodys(
    served: Served, school: SchoolUnderTest, admin: httpx.Client
) -> None:
    other_school = served.register()  # of this test's own: it has nothing at all
    upn_free = admit(admin, class_name="Foreign")
    class_id = admin.get(f"/v1/pupils/{upn_free}").json()["pupil"]["class_id"]
    judged = admin.post(
        f"/v1/pupils/{upn_free}/assessments",
        json={"academic_year": 2025, "term": "summer", "subject": "REA", "value": "3w"},
    ).json()
    note_id = admin.post(f"/v1/pupils/{upn_free}/notes", json={"text": "A note"}).json()["note_id"]
    concern = admin.post(f"/v1/pupils/{upn_free}/concerns", json={"text": "A concern"}).json()
    person = {
        "username": "visited",
        "display_name": "V",
        "access": {"level": "read-only"},
        "password": PASSWORD,
        "adviser": {"reason": "Is visited", "until": today().isoformat()},
    }
    staff_id = admin.post("/v1/staff", json=person).json()["staff_id"]
    deputy = {"username": "deputy", "display_name": "D", "access": {"level": "admin"}, "password": PASSWORD}
    deputy_id = admin.post("/v1/staff", json=deputy).json()["staff_id"]
    session_id = served.log_in(school.login_key, "visited")["session_id"]
    key_id = admin.post("/v1/login-keys", json={}).json()["key_id"]
    seen: dict[str, Any] = {"observed_on": today().isoformat(), "text": "Shared the conkers."}
    observations = f"/v1/pupils/{upn_free}/observations"
    observation = f"{observations}/{admin.post(observations, json=seen).json()['observation_id']}"
    photographs = f"{observation}/photographs"
    photograph = f"{photographs}/{admin.post(photographs, content=jpeg()).json()['photograph_id']}"
    erasure = {"reason": "mistake"}
    confirmed = erasure | {"confirmation": "x"}
    sheet = {"academic_year": 2025, "term": "summer"}
    entry = {"pupil_id": upn_free, "subject": "WRI", "value": "3w"}
    marks = {"date": "2025-11-03", "am": "/", "pm": "I"}
    term = {"from": "2025-09-01", "to": "2025-10-24"}
    totals = term | {"possible": 70, "attended": 66, "authorised": 3, "unauthorised": 1}
    assessments = f"/v1/pupils/{upn_free}/assessments"
    voided = admin.post(assessments, json=sheet | {"subject": "SCI", "value": "3w"}).json()
    target = sheet | {"subject": "MAT", "value": "4s"}
    target_ids = admin.post(f"/v1/pupils/{upn_free}/targets", json=target).json()["target_ids"]
    new = [{"subject": "MAT", "code": code, "text": "Counts"} for code in ("F1", "F2")]
    statement_ids = admin.post("/v1/statements", json={"statements": new}).json()["statement_ids"]
    judged_ = sheet | {"judgements": [{"statement_id": statement_ids[0], "value": "achieved"}]}
    released = {"recipient": "A council", "purpose": "A study", "scope": "named_pupils"}
    permitted = released | {"until": today().isoformat(), "pupil_ids": [upn_free]}
    permission_id = admin.post("/v1/permissions", json=permitted).json()["permission_id"]
    requests: list[tuple[str, str, Any]] = [
        ("DELETE", f"/v1/sessions/{session_id}", None),
        ("DELETE", f"/v1/staff/{staff_id}/sessions", None),
        ("PUT", f"/v1/staff/{staff_id}/access", {"level": "read-only"}),
        ("PUT", f"/v1/staff/{staff_id}/password", {"password": PASSWORD}),
        ("PUT", f"/v1/staff/{staff_id}/adviser", {"until": today().isoformat()}),
        ("GET", f"/v1/pupils/{upn_free}", None),
        ("GET", f"/v1/pupils/{upn_free}?as_at_position=999999", None),
        ("GET", f"/v1/pupils/{upn_free}/history", None),
        ("GET", f"/v1/pupils/{upn_free}/track", None),
        ("GET", f"/v1/pupils/{upn_free}/bundle", None),
        ("POST", f"/v1/permissions/{permission_id}/releases", released),
        ("DELETE", f"/v1/permissions/{permission_id}", None),
        ("GET", f"/v1/classes/{class_id}/sheet?academic_year=2025&term=summer", None),
        ("GET", f"/v1/pupils/{upn_free}/attendance", None),
        ("POST", f"/v1/pupils/{upn_free}/attendance", {"days": [marks]}),
        ("POST", f"/v1/pupils/{upn_free}/attendance/totals", totals),
        ("POST", f"/v1/pupils/{upn_free}/attendance/totals/void", term),
        ("GET", f"/v1/classes/{class_id}/attendance", None),
        ("POST", f"/v1/classes/{class_id}/attendance", {"entries": [marks | {"pupil_id": upn_free}]}),
        ("PATCH", f"/v1/pupils/{upn_free}", {"nc_year": "4"}),
        ("POST", f"/v1/pupils/{upn_free}/leave", {"left_on": "2026-01-01"}),
        ("POST", f"/v1/pupils/{upn_free}/return", {"returned_on": "2026-02-01"}),
        ("POST", f"/v1/pupils/{upn_free}/assessments", sheet | {"subject": "MAT", "value": "3w"}),
        (
            "POST",
            f"/v1/pupils/{upn_free}/assessments/{judged['assessment_id']}/corrections",
            {"value": "3s"},
        ),
        ("GET", f"/v1/pupils/{upn_free}/notes", None),
        ("POST", f"/v1/pupils/{upn_free}/notes", {"text": "Written by a stranger"}),
        ("PUT", f"/v1/pupils/{upn_free}/notes/{note_id}", {"text": "Written by a stranger"}),
        ("POST", f"/v1/pupils/{upn_free}/notes/{note_id}/remove", None),
        ("GET", f"/v1/pupils/{upn_free}/concerns", None),
        ("POST", f"/v1/pupils/{upn_free}/concerns", {"text": "Written by a stranger"}),
        ("POST", f"/v1/pupils/{upn_free}/concerns/{concern['concern_id']}/close", {}),
        ("POST", f"{assessments}/{voided['assessment_id']}/void", {"reason": "A slip"}),
        ("GET", f"/v1/pupils/{upn_free}/targets", None),
        ("POST", f"/v1/pupils/{upn_free}/targets", target | {"value": "4s+"}),
        ("POST", f"/v1/pupils/{upn_free}/targets/{target_ids[0]}/remove", {}),
        ("GET", f"/v1/pupils/{upn_free}/statements", None),
        ("POST", f"/v1/pupils/{upn_free}/statements", judged_),
        ("POST", f"/v1/statements/{statement_ids[1]}/withdraw", None),
        ("GET", observations, None),
        ("POST", observations, seen),
        ("GET", observation, None),
        ("GET", photograph, None),
        ("GET", f"{photograph}/thumbnail", None),
        ("POST", photographs, jpeg()),
        ("POST", f"{photograph}/withdraw", None),
        ("PUT", observation, seen | {"subject": "MAT"}),
        ("POST", f"{observation}/withdraw", {}),
        ("POST", f"/v1/staff/{deputy_id}/headteacher/end", None),
        ("POST", f"/v1/staff/{deputy_id}/headteacher", None),
        ("POST", f"/v1/staff/{staff_id}/disable", None),
        ("POST", f"/v1/staff/{staff_id}/enable", None),
        ("POST", f"/v1/login-keys/{key_id}/revoke", {}),
        ("POST", f"/v1/pupils/{upn_free}/erasure", erasure),
        ("POST", f"/v1/pupils/{upn_free}/erase", confirmed),
    ]
    templates = {template for _, template in ROUTES if "{" in template} - NO_IDS
    assert len({(m, p.split("?")[0]) for m, p, _ in requests}) == len(
        [each for each in ROUTES if each[1] in templates]
    )
    before = admin.get("/v1/school").json()["position"]
    with served.client(other_school.admin.token) as stranger:
        for method, path, sent in requests:
            answer = stranger.request(method, path, **content(sent), headers={"If-Match": '"1"'})
            assert answer.status_code == 404, (method, path)
        refused = stranger.post("/v1/sheets", json=sheet | {"entries": [entry]})
        assert refused.status_code == 422
        assert [finding["field"] for finding in refused.json()["findings"]] == ["pupil_id"]
        refused = stranger.post("/v1/targets", json=sheet | {"entries": [entry]})
        assert [finding["field"] for finding in refused.json()["findings"]] == ["pupil_id"]
        of_theirs = entry | {"statement_id": statement_ids[0], "value": "achieved"}
        refused = stranger.post("/v1/sheets", json=sheet | {"scheme": "statements", "entries": [of_theirs]})
        assert [finding["field"] for finding in refused.json()["findings"]] == ["pupil_id", "statement"]
        assert stranger.get("/v1/statements").json() == []
        assert stranger.get(f"/v1/pupils?class_id={class_id}&on_roll=any").json()["pupils"] == []
        assert stranger.get(f"/v1/logins?staff_id={school.admin.staff_id}").json()["logins"] == []
    assert admin.get("/v1/school").json()["position"] == before
    for method, path, sent in requests:  # and to their own school they are not
        version = admin.get(f"/v1/pupils/{upn_free}?min_position={before}").json()["pupil"]["version"]
        if method == "PUT" and path == observation:
            version = admin.get(observation).json()["observation"]["version"]
        if sent is confirmed:
            asked = admin.post(f"/v1/pupils/{upn_free}/erasure", json=erasure).json()
            confirmed["confirmation"] = asked["confirmation"]
        answer = admin.request(method, path, **content(sent), headers={"If-Match": f'"{version}"'})
        assert answer.is_success, (method, path, answer.text)
        before = answer.headers.get("target-tracker-position", before)


def test_limited_read_write_records_for_its_own_classes_only(
    served: Served, school: SchoolUnderTest, admin: httpx.Client
) -> None:
    own, foreign = admit(admin), admit(admin, class_name="Elm")
    judgement = {"academic_year": 2025, "term": "summer", "subject": "REA", "value": "3w"}
    sheet = {"academic_year": 2025, "term": "summer"}
    with served.client(school.users[AccessLevel.LIMITED_READ_WRITE].token) as teacher:
        kept = teacher.post(f"/v1/pupils/{own}/assessments", json=judgement)
        assert kept.status_code == 201
        assert teacher.post(f"/v1/pupils/{foreign}/assessments", json=judgement).status_code == 403
        entries = [{"pupil_id": each, "subject": "MAT", "value": "3b"} for each in (own, foreign)]
        assert teacher.post("/v1/sheets", json=sheet | {"entries": entries}).status_code == 403
        assert teacher.post("/v1/sheets", json=sheet | {"entries": entries[:1]}).status_code == 201
        assessment_id = admin.post(f"/v1/pupils/{foreign}/assessments", json=judgement).json()[
            "assessment_id"
        ]
        corrections = f"/v1/pupils/{foreign}/assessments/{assessment_id}/corrections"
        assert teacher.post(corrections, json={"value": "3s"}).status_code == 403
        voids = "/v1/pupils/{}/assessments/{}/void"
        assert (
            teacher.post(voids.format(foreign, assessment_id), json={"reason": "A slip"}).status_code == 403
        )
        own_id = kept.json()["assessment_id"]
        assert teacher.post(voids.format(own, own_id), json={"reason": "A slip"}).status_code == 200
        target = sheet | {"subject": "MAT", "value": "4s"}
        assert teacher.post(f"/v1/pupils/{own}/targets", json=target).status_code == 201
        assert teacher.post(f"/v1/pupils/{foreign}/targets", json=target).status_code == 403
        assert teacher.post("/v1/targets", json=sheet | {"entries": entries}).status_code == 403
        [target_id] = admin.post(f"/v1/pupils/{foreign}/targets", json=target).json()["target_ids"]
        removal = f"/v1/pupils/{foreign}/targets/{target_id}/remove"
        assert teacher.post(removal, json={}).status_code == 403
        new = {"statements": [{"subject": "MAT", "code": "LIM-1", "text": "Counts"}]}
        assert teacher.post("/v1/statements", json=new).status_code == 403
        [statement_id] = admin.post("/v1/statements", json=new).json()["statement_ids"]
        judged = sheet | {"judgements": [{"statement_id": statement_id, "value": "achieved"}]}
        assert teacher.post(f"/v1/pupils/{own}/statements", json=judged).status_code == 201
        assert teacher.post(f"/v1/pupils/{foreign}/statements", json=judged).status_code == 403
        assert teacher.post("/v1/pupils", json=pupil()).status_code == 403


def test_limited_read_write_marks_its_own_classes_only(
    served: Served, school: SchoolUnderTest, admin: httpx.Client
) -> None:
    own, foreign = admit(admin), admit(admin, class_name="Elm")
    class_ids = [admin.get(f"/v1/pupils/{each}").json()["pupil"]["class_id"] for each in (own, foreign)]
    marks = {"date": "2025-11-03", "am": "/"}
    totals = {"from": "2025-09-01", "to": "2025-10-24"}
    numbers = {"possible": 70, "attended": 66, "authorised": 3, "unauthorised": 1}
    with served.client(school.users[AccessLevel.LIMITED_READ_WRITE].token) as teacher:
        for each, class_id, good in ((own, class_ids[0], True), (foreign, class_ids[1], False)):
            path = f"/v1/pupils/{each}/attendance"
            entries = {"entries": [marks | {"pupil_id": each}]}
            answers = [
                teacher.post(path, json={"days": [marks]}),
                teacher.post(f"/v1/classes/{class_id}/attendance", json=entries),
                teacher.post(f"{path}/totals", json=totals | numbers),
                teacher.post(f"{path}/totals/void", json=totals),
            ]
            wanted = [201, 201, 201, 200] if good else [403] * 4
            assert [answer.status_code for answer in answers] == wanted


def test_everybody_sets_their_own_password_and_nobody_elses(served: Served, school: SchoolUnderTest) -> None:
    reader = school.users[AccessLevel.READ_ONLY]
    other = school.users[AccessLevel.READ_WRITE]
    with served.client(reader.token) as client:
        answer = client.put(f"/v1/staff/{reader.staff_id}/password", json={"password": PASSWORD + "!"})
        assert answer.status_code == 200
        assert (
            client.put(f"/v1/staff/{other.staff_id}/password", json={"password": "x" * 20}).status_code == 403
        )
        served.log_in(school.login_key, reader.username, PASSWORD + "!")
        client.put(f"/v1/staff/{reader.staff_id}/password", json={"password": PASSWORD})
