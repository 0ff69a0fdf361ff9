"""Usage over HTTPS: no record gets out unnoted, no refusal is forgotten, and administrators see all of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

import projections.pupils
from api.app import create_app, routes_of
from api.callers import Caller, SignedIn, signed_in
from api.description import is_command
from api.encoding import Answer
from api.reading import reading
from api.routing import dependencies, guard_of
from api.views import PupilBody, pupil_body
from domain.access import AccessLevel, Permission
from domain.application.usage import ReadAudit
from domain.school_time import today
from domain.usage import AccessRefused, Read, ReadKind, RecordsRead, usage_of
from tests.api.conftest import SchoolUnderTest, Served, admit, assert_problem, pupil, running
from tests.application.proxy import Cut, Proxy
from tests.keys import schools_of
from tests.photographs import jpeg

SURNAME = "Watchedcanary"
CLASS_NAME = "Canary Class"

RELEASED = {"recipient": "A council", "purpose": "A study", "scope": "named_pupils"}

RELEASES = "/v1/permissions/{permission_id}/releases"

SEARCHES: dict[str, dict[str, Any]] = {
    "/v1/pupils/search": {"class_name": CLASS_NAME},
    RELEASES: RELEASED,
}
"""What is sent to routes that ask with a body."""

DO_SOMETHING = {
    "/v1/pupils/{pupil_id}/erasure",
    "/v1/imports/mapping",
    "/v1/login-keys",
    "/v1/login-keys/{key_id}/revoke",
}
"""Routes that take no `Idempotency-Key` and yet do not read, or only how much there is of a record."""

OBSERVATION = "/v1/pupils/{pupil_id}/observations/{observation_id}"
PHOTOGRAPH = f"{OBSERVATION}/photographs/{{photograph_id}}"

BUNDLES = {"/v1/pupils/{pupil_id}/bundle", "/v1/exports/bundle"}

NAMED_ALONE = {"/v1/history", "/v1/pupils/{pupil_id}/observations", OBSERVATION, PHOTOGRAPH} | {
    f"{PHOTOGRAPH}/thumbnail",
    "/v1/exports/ctf",
    "/v1/exports/pupils.csv",
    RELEASES,
    *BUNDLES,
}
"""The routes of those that nobody is shown anything by who may see no names."""

READING = {
    "GET /v1/classes": ReadKind.CLASSES,
    "GET /v1/classes/{class_id}/sheet": ReadKind.SHEET,
    "GET /v1/classes/{class_id}/attendance": ReadKind.REGISTER,
    "GET /v1/exports/ctf": ReadKind.EXPORT,
    "GET /v1/exports/pupils.csv": ReadKind.EXPORT,
    "GET /v1/exports/bundle": ReadKind.SCHOOL_BUNDLE,
    "GET /v1/history": ReadKind.SCHOOL_HISTORY,
    "GET /v1/pupils": ReadKind.PUPILS,
    "GET /v1/pupils/{pupil_id}": ReadKind.PUPIL,
    "GET /v1/pupils/{pupil_id}/bundle": ReadKind.PUPIL_BUNDLE,
    "GET /v1/pupils/{pupil_id}/concerns": ReadKind.CONCERNS,
    "GET /v1/pupils/{pupil_id}/attendance": ReadKind.ATTENDANCE,
    "GET /v1/progress": ReadKind.PROGRESS,
    "GET /v1/progress/matrix": ReadKind.MATRIX,
    "GET /v1/progress/on-track": ReadKind.ON_TRACK,
    "GET /v1/pupils/{pupil_id}/track": ReadKind.TRACK,
    "GET /v1/pupils/{pupil_id}/history": ReadKind.PUPIL_HISTORY,
    "GET /v1/pupils/{pupil_id}/notes": ReadKind.NOTES,
    "GET /v1/pupils/{pupil_id}/targets": ReadKind.PUPIL,
    "GET /v1/pupils/{pupil_id}/statements": ReadKind.PUPIL,
    "GET /v1/pupils/{pupil_id}/observations": ReadKind.OBSERVATIONS,
    f"GET {OBSERVATION}": ReadKind.OBSERVATIONS,
    f"GET {PHOTOGRAPH}": ReadKind.PHOTOGRAPH,
    f"GET {PHOTOGRAPH}/thumbnail": ReadKind.PHOTOGRAPH,
    "POST /v1/pupils/search": ReadKind.SEARCH,
    f"POST {RELEASES}": ReadKind.RELEASE,
}
"""The routes that show pupils' records, and what it is called when they do."""

A_YEAR = {"from_year": 2024, "from_term": "summer", "to_year": 2025, "to_term": "summer"}

QUERIES: list[dict[str, Any]] = [
    {},
    {"academic_year": 2025, "term": "summer"},
    {"limit": 500},
    {"as_at": "2099-01-01"},
    {"as_at_position": 10**6},
    {"updated_after_position": 0},
    A_YEAR,
    A_YEAR | {"format": "csv"},
    A_YEAR | {"format": "html"},
    {"format": "html"},
]


@pytest.fixture(scope="module")
def watched(served: Served) -> SchoolUnderTest:
    """A school whose usage nobody else's tests change."""
    return served.register()


@pytest.fixture(scope="module")
def ids(served: Served, watched: SchoolUnderTest) -> dict[str, str]:
    with served.client(watched.admin.token) as client:
        pupil_id = admit(client, surname=SURNAME, class_name=CLASS_NAME)
        for year in (2024, 2025):
            judgement = {"academic_year": year, "term": "summer", "subject": "REA", "value": "3w"}
            kept = client.post(f"/v1/pupils/{pupil_id}/assessments", json=judgement).json()
        client.get("/v1/classes", params={"min_position": kept["position"]})
        for words in ("notes", "concerns"):
            client.post(f"/v1/pupils/{pupil_id}/{words}", json={"text": f"About {SURNAME}"})
        shown = client.get(f"/v1/pupils/{pupil_id}").json()["pupil"]
        seen = {"observed_on": "2025-03-04", "text": "Shared the conkers."}
        kept = client.post(f"/v1/pupils/{pupil_id}/observations", json=seen).json()
        ids = {"pupil_id": pupil_id, "observation_id": kept["observation_id"]}
        added = client.post(f"{OBSERVATION}/photographs".format_map(ids), content=jpeg()).json()
        permitted = RELEASED | {"until": today().isoformat()}
        given = client.post("/v1/permissions", json=permitted).json()
    return ids | {
        "photograph_id": added["photograph_id"],
        "permission_id": given["permission_id"],
        "scheme": "steps",
        "class_id": shown["class_id"],
        "staff_id": str(watched.admin.staff_id),
    }


@pytest.fixture
def head(served: Served, watched: SchoolUnderTest) -> httpx.Client:
    return served.client(watched.admin.token)


@pytest.fixture
def nameless(served: Served, watched: SchoolUnderTest) -> httpx.Client:
    return served.client(watched.users[AccessLevel.READ_ONLY_NO_NAMES].token)


def usage(
    served: Served, school: SchoolUnderTest, level: AccessLevel = AccessLevel.ADMIN
) -> list[RecordsRead | AccessRefused]:
    """What is on the stream of what somebody read and was refused."""
    served.services.audit.flush()
    application = served.services.schools.school(school.id)
    found = []
    for event in application.read(application.stream.events_of(usage_of(school.users[level].staff_id))):
        assert isinstance(event, RecordsRead | AccessRefused)
        found.append(event)
    return found


def reads(served: Served, school: SchoolUnderTest, level: AccessLevel = AccessLevel.ADMIN) -> list[Read]:
    found = usage(served, school, level)
    return [read for event in found if isinstance(event, RecordsRead) for read in event.reads]


def refusals(served: Served, school: SchoolUnderTest, level: AccessLevel) -> list[AccessRefused]:
    return [event for event in usage(served, school, level) if isinstance(event, AccessRefused)]


def asked(app: FastAPI) -> dict[tuple[str, str], dict[str, Any] | None]:
    """Every route that is asked something, with what is sent to it."""
    requests: dict[tuple[str, str], dict[str, Any] | None] = {}
    for route in routes_of(app):
        for method in route.methods or ():
            if method == "GET":
                requests[method, route.path] = None
            elif (
                isinstance(guard_of(route), SignedIn)
                and method == "POST"
                and not is_command(dependencies(route))
                and route.path not in DO_SOMETHING
            ):
                requests[method, route.path] = SEARCHES[route.path]
    return requests


def forgotten(
    served: Served,
    client: httpx.Client,
    school: SchoolUnderTest,
    ids: dict[str, str],
    level: AccessLevel = AccessLevel.ADMIN,
) -> set[str]:
    """The routes that answered with something of a child's record that is not on the stream as read."""
    found = set()
    for (method, template), sent in asked(served.app).items():
        path = template.format_map(ids | {"key_id": str(uuid4()), "code_set": "sex"})
        for query in QUERIES:
            before = len(reads(served, school, level))
            answer = client.request(method, path, params=query if method == "GET" else None, json=sent)
            shows = answer.headers.get("content-type", "").startswith(("image/", "application/zip")) or any(
                told in answer.text for told in (ids["pupil_id"], SURNAME, CLASS_NAME)
            )
            if shows and len(reads(served, school, level)) != before + 1:
                found.add(f"{method} {template}")
    return found


@contextmanager
def served_otherwise(served: Served, app: FastAPI) -> Iterator[Served]:
    """Another application beside the one that is served."""
    with running(app, served.certificates) as port:
        other = replace(served, app=app, url=f"https://127.0.0.1:{port}", clients=[])
        yield other
        for client in other.clients:
            client.close()


def test_no_record_gets_out_without_being_noted(
    served: Served, watched: SchoolUnderTest, head: httpx.Client, nameless: httpx.Client, ids: dict[str, str]
) -> None:
    assert forgotten(served, head, watched, ids) == set()
    level = AccessLevel.READ_ONLY_NO_NAMES
    assert forgotten(served, nameless, watched, ids, level) == set()
    kinds = set(ReadKind) - {ReadKind.COMPARISON}  # which needs a release: tests/api/test_comparison.py
    assert {read.kind for read in reads(served, watched)} == set(READING.values()) == kinds


def test_an_audit_that_is_off_would_be_noticed(
    served: Served,
    watched: SchoolUnderTest,
    head: httpx.Client,
    ids: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ReadAudit, "note", lambda *_: None)
    assert forgotten(served, head, watched, ids) == set(READING)


def test_a_route_that_forgets_would_be_noticed(
    served: Served, watched: SchoolUnderTest, ids: dict[str, str]
) -> None:
    app = create_app(served.services)

    @app.get("/v1/side-door", response_model=None)
    def side_door(
        caller: Annotated[Caller, signed_in(Permission.READ_PUPILS)],
    ) -> Answer[list[PupilBody]]:
        """Show everybody to anybody."""
        with reading(caller, None, projections.pupils.NAME) as read:
            views = projections.pupils.find(read.connection, caller.school.keys)
        return Answer([pupil_body(caller, view) for view in views])

    with served_otherwise(served, app) as careless, careless.client(watched.admin.token) as client:
        assert forgotten(careless, client, watched, ids) == {"GET /v1/side-door"}


@pytest.mark.parametrize(("route", "kind"), READING.items())
def test_a_read_says_who_was_seen_and_whether_by_name(
    served: Served,
    watched: SchoolUnderTest,
    head: httpx.Client,
    nameless: httpx.Client,
    ids: dict[str, str],
    route: str,
    kind: ReadKind,
) -> None:
    method, template = route.split()
    path = template.format_map(ids)
    query: dict[str, Any] = {}
    if "sheet" in path or "on-track" in path:
        query = {"academic_year": 2025, "term": "summer"}
    elif "progress" in path:
        query = A_YEAR
    for client, level in ((head, AccessLevel.ADMIN), (nameless, AccessLevel.READ_ONLY_NO_NAMES)):
        answer = client.request(method, path, params=query, json=SEARCHES.get(template))
        if level is not AccessLevel.ADMIN and answer.status_code == 403:
            assert template in NAMED_ALONE
            continue
        read = reads(served, watched, level)[-1]
        assert read.kind is kind
        assert read.pupil_ids == ([] if kind is ReadKind.CLASSES else [UUID(ids["pupil_id"])])
        assert read.named == (bool(read.pupil_ids) and level is AccessLevel.ADMIN)


def test_that_nothing_has_changed_is_a_read_too(
    served: Served, watched: SchoolUnderTest, head: httpx.Client, ids: dict[str, str]
) -> None:
    path = f"/v1/pupils/{ids['pupil_id']}"
    tag = head.get(path).headers["etag"]
    before = reads(served, watched)
    assert head.get(path, headers={"If-None-Match": tag}).status_code == 304
    [read] = reads(served, watched)[len(before) :]
    assert (read.kind, read.named, read.pupil_ids) == (ReadKind.PUPIL, True, [UUID(ids["pupil_id"])])


def test_what_is_not_there_is_no_read(served: Served, watched: SchoolUnderTest, head: httpx.Client) -> None:
    before = usage(served, watched)
    assert head.get(f"/v1/pupils/{uuid4()}").status_code == 404
    assert head.get(f"/v1/pupils/{uuid4()}/history").status_code == 404
    assert head.get("/v1/logins").status_code == 200
    assert head.get("/v1/usage").status_code == 200
    assert usage(served, watched) == before


def test_refusals_are_noted_whoever_refuses(
    served: Served, watched: SchoolUnderTest, nameless: httpx.Client, ids: dict[str, str]
) -> None:
    nobody, limited = AccessLevel.READ_ONLY_NO_NAMES, AccessLevel.LIMITED_READ_WRITE
    before = len(refusals(served, watched, nobody))
    for _ in range(3):
        assert nameless.get("/v1/staff").status_code == 403
    assert nameless.post("/v1/schools", json={}).status_code == 403
    assert nameless.post("/v1/pupils/search", json={"name": SURNAME}).status_code == 403
    assert nameless.get(f"/v1/pupils/{ids['pupil_id']}/nowhere").status_code == 404
    assert {
        (each.route, each.permission, each.times) for each in refusals(served, watched, nobody)[before:]
    } == {
        ("GET /v1/staff", Permission.MANAGE_STAFF, 3),
        ("POST /v1/schools", None, 1),
        ("POST /v1/pupils/search", Permission.READ_NAMES, 1),
    }
    judgement = {"academic_year": 2025, "term": "summer", "subject": "REA", "value": "3w"}
    with served.client(watched.users[limited].token) as teacher:
        path = f"/v1/pupils/{ids['pupil_id']}/assessments"
        assert teacher.post(path, json=judgement).status_code == 403
    [refusal] = refusals(served, watched, limited)
    assert (refusal.route, refusal.permission) == (
        "POST /v1/pupils/{pupil_id}/assessments",
        Permission.RECORD_ASSESSMENTS,
    )


def test_a_refusal_that_is_forgotten_would_be_noticed(
    served: Served, watched: SchoolUnderTest, nameless: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routing.note_refusal", lambda *_: None)
    before = refusals(served, watched, AccessLevel.READ_ONLY_NO_NAMES)
    assert nameless.get("/v1/staff").status_code == 403
    assert refusals(served, watched, AccessLevel.READ_ONLY_NO_NAMES) == before


def test_strict_reads_are_on_the_stream_before_they_are_answered_or_are_not_answered(
    served: Served, watched: SchoolUnderTest, ids: dict[str, str]
) -> None:
    path = f"/v1/pupils/{ids['pupil_id']}"
    with Proxy(served.services.schools.conninfo) as proxy, schools_of(proxy.conninfo).database:
        audit = ReadAudit(schools_of(proxy.conninfo), strict=True)
        app = create_app(replace(served.services, audit=audit))
        with served_otherwise(served, app) as strict, strict.client(watched.admin.token) as client:
            before = client.get("/v1/school").json()["position"]
            assert client.get(path).status_code == 200
            assert client.get("/v1/school").json()["position"] == before + 1
            proxy.cuts = [(Cut.BEFORE_IT_ARRIVES, b"COMMIT")]
            refused = assert_problem(client.get(path), 503, "service-unavailable")
            assert SURNAME not in str(refused)
            assert client.get("/v1/school").json()["position"] == before + 1


def listed(served: Served, client: httpx.Client, **asked: Any) -> list[dict[str, Any]]:
    """All usage that there is now, the newest first, page by page."""
    served.services.audit.flush()
    asked |= {"min_position": client.get("/v1/school").json()["position"]}
    found: list[dict[str, Any]] = []
    while True:
        answer = client.get("/v1/usage", params=asked)
        assert answer.status_code == 200, answer.text
        found += answer.json()["usage"]
        if answer.json()["next"] is None:
            return found
        asked["before"] = answer.json()["next"]


def test_administrators_list_who_did_what(served: Served) -> None:
    school = served.register()
    deputy = school.users[AccessLevel.READ_WRITE]
    with served.client(school.admin.token) as head, served.client(deputy.token) as client:
        admitted = client.post("/v1/pupils", json=pupil()).json()
        pupil_id = admitted["pupil_id"]
        client.get(f"/v1/pupils/{pupil_id}", params={"min_position": admitted["position"]})
        client.get("/v1/pupils")
        client.get("/v1/staff")
        head.put(f"/v1/staff/{deputy.staff_id}/access", json={"level": "read-only"})
        lines = listed(served, head)
        assert {line["kind"] for line in lines} == {"login", "key", "access", "refusal", "read"}
        changed, refused = (
            next(line for line in lines if line["kind"] == kind) for kind in ("access", "refusal")
        )
        assert (changed["display_name"], changed["about_name"], changed["what"]) == (
            "The Head",
            "User read-write",
            "access changed",
        )
        assert (refused["display_name"], refused["what"], refused["route"]) == (
            "User read-write",
            "manage staff",
            "GET /v1/staff",
        )
        seen = listed(served, head, pupil_id=pupil_id)
        assert [(line["what"], line["pupils"], line["named"], line["display_name"]) for line in seen] == [
            ("list of pupils", 1, True, "User read-write"),
            ("pupil", 1, True, "User read-write"),
        ]
        assert listed(served, head, limit=1) == lines
        assert listed(served, head, kind="read") == seen
        assert listed(served, head, staff_id=school.admin.staff_id, kind="read") == []
        assert listed(served, head, since="2099-01-01") == listed(served, head, until="2020-01-01") == []


@pytest.mark.parametrize(
    "query",
    ["kind=glance", "before=12", "before=12-", "before=1-2-3", "since=yesterday", "pupil_id=x", "whose=me"],
)
def test_what_is_no_question_is_refused(head: httpx.Client, query: str) -> None:
    assert_problem(head.get(f"/v1/usage?{query}"), 422, "invalid-input")


def test_nobody_but_administrators_sees_usage(served: Served, watched: SchoolUnderTest) -> None:
    for level in AccessLevel:
        with served.client(watched.users[level].token) as client:
            assert client.get("/v1/usage").status_code == (200 if level is AccessLevel.ADMIN else 403)
