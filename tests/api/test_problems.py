"""Bad input, and what goes wrong inside: always a problem, never a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

import domain.errors
from api.encoding import finding_of
from api.problems import STATUS, name_of
from domain.errors import TargetTrackerError
from tests.api.conftest import assert_one_form_of_places, assert_problem, pupil

MIB = 1024 * 1024


MALFORMED = {
    "empty": b"",
    "cut short": b'{"surname": "A',
    "not JSON": b"surname=A",
    "two values": b"{}{}",
    "byte order mark": b"\xef\xbb\xbf{}",
    "not UTF-8": b'{"surname": "\xff"}',
    "UTF-16": '{"surname": "A"}'.encode("utf-16"),
    "half a surrogate": b'{"surname": "\\ud800"}',
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_malformed_json(admin: httpx.Client, content: bytes) -> None:
    assert_problem(admin.post("/v1/pupils", content=content), 400, "malformed-body")


WRONG: dict[str, tuple[bytes, str]] = {
    "an array": (b"[]", "body"),
    "a number for a text": (b'{"surname": 5}', "surname"),
    "a text for a truth": (b'{"gifted": "yes"}', "gifted"),
    "no date": (b'{"date_of_birth": "04/03/2018"}', "date_of_birth"),
    "a day that there is not": (b'{"date_of_birth": "2018-02-30"}', "date_of_birth"),
    "a null that may not be": (b'{"surname": null}', "surname"),
    "an unknown field": (b'{"surnam": "A"}', "surnam"),
    "a bomb of arrays": (b"[" * 500_000, "body"),
    "a bomb of objects": (b'{"surname":' * 90_000, "surname"),
    "a wrong type inside": (b'{"attendance": {"academic_year": "x"}}', "attendance.academic_year"),
}


@pytest.mark.parametrize(("content", "field"), WRONG.values(), ids=WRONG)
def test_wrong_types(admin: httpx.Client, content: bytes, field: str) -> None:
    body = assert_problem(admin.post("/v1/pupils", content=content), 422, "invalid-input")
    (finding,) = body["findings"]
    assert finding["field"] == field
    assert finding["found"]
    assert finding["accepted"]


def test_wrong_values_come_with_their_fields(admin: httpx.Client) -> None:
    wrong = pupil(upn="Z123456789012", sex="Q", nc_year="99", postcode="nowhere")
    body = assert_problem(admin.post("/v1/pupils", json=wrong), 422, "invalid-input")
    assert {finding["field"] for finding in body["findings"]} == {"upn", "sex", "nc_year", "postcode"}
    assert all(finding["found"] and finding["accepted"] for finding in body["findings"])


@pytest.mark.parametrize("missing", ["surname", "forename", "date_of_birth", "sex", "date_of_entry"])
def test_what_is_missing_is_named(admin: httpx.Client, missing: str) -> None:
    sent = pupil()
    del sent[missing]
    body = assert_problem(admin.post("/v1/pupils", json=sent), 422, "invalid-input")
    assert [finding["field"] for finding in body["findings"]] == [missing]


def test_numbers_that_nothing_holds(admin: httpx.Client) -> None:
    attendance = {"academic_year": 2026, "possible": 10**30, "authorised": 0, "unauthorised": 0}
    answer = admin.post("/v1/pupils", json=pupil(attendance=attendance))
    assert_problem(answer, 422, "invalid-input")
    for year in (-1, 0, 99999, 10**20):
        sheet = {"academic_year": year, "term": "autumn", "entries": []}
        assert_problem(admin.post("/v1/sheets", json=sheet), 422, "invalid-input")


UNKNOWN = "0193b1d2-7a40-7c11-9d5e-0c6f1f6a4e21"


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("GET", f"/v1/pupils/{UNKNOWN}", None),
        ("GET", f"/v1/pupils/{UNKNOWN}/history", None),
        ("GET", f"/v1/classes/{UNKNOWN}/sheet?academic_year=2025&term=autumn", None),
        ("PATCH", f"/v1/pupils/{UNKNOWN}", {"nc_year": "3"}),
        ("PUT", f"/v1/staff/{UNKNOWN}/access", {"level": "admin"}),
        (
            "POST",
            f"/v1/pupils/{UNKNOWN}/assessments",
            {"academic_year": 2025, "term": "autumn", "subject": "REA", "value": "3w"},
        ),
    ],
)
def test_unknown_ids(admin: httpx.Client, method: str, path: str, sent: Any) -> None:
    answer = admin.request(method, path, json=sent, headers={"If-Match": '"1"'})
    assert_problem(answer, 404, "not-found")


def test_an_id_that_is_none(admin: httpx.Client) -> None:
    body = assert_problem(admin.get("/v1/pupils/42"), 422, "invalid-input")
    assert body["findings"][0]["field"] == "pupil_id"
    assert body["findings"][0]["found"] == "42"


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/pupil", "/v1/pupils/", "/v2/pupils", "/v1/pupils/a/b/c"])
def test_no_such_path(admin: httpx.Client, path: str) -> None:
    assert_problem(admin.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/pupils", "GET, POST"),
        ("DELETE", f"/v1/pupils/{UNKNOWN}", "GET, PATCH"),
        ("GET", "/v1/sheets", "POST"),
        ("PUT", "/v1/sessions", "GET, POST"),
        ("OPTIONS", "/v1/pupils", "GET, POST"),
        ("TRACE", "/v1/health", "GET"),
        ("PROPFIND", "/v1/health", "GET"),
    ],
)
def test_wrong_methods(admin: httpx.Client, method: str, path: str, allowed: str) -> None:
    answer = admin.request(method, path)
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == allowed


QUERIES = {
    "an unknown parameter": ("/v1/pupils?classid=x", "classid"),
    "one twice": ("/v1/pupils?limit=1&limit=2", "limit"),
    "too many": ("/v1/pupils?limit=501", "limit"),
    "none at all": ("/v1/pupils?limit=0", "limit"),
    "no number": ("/v1/pupils?limit=ten", "limit"),
    "no year": ("/v1/pupils?nc_year=99", "nc_year"),
    "no id": ("/v1/pupils?class_id=3B", "class_id"),
    "no truth": ("/v1/pupils?on_roll=perhaps", "on_roll"),
    "no day": ("/v1/pupils?as_at=yesterday", "as_at"),
    "a day before all": ("/v1/pupils?as_at=0001-01-01", "as_at"),
    "a day after all": ("/v1/pupils?as_at=9999-12-31", "as_at"),
    "two moments": ("/v1/pupils?as_at=2026-01-01&as_at_position=3", "as_at_position"),
    "a position before all": ("/v1/pupils?as_at_position=0", "as_at_position"),
    "a position too great": (f"/v1/pupils?min_position={2**63}", "min_position"),
    "no time": ("/v1/logins?since=noon", "since"),
    "a time without zone": ("/v1/logins?until=2026-09-01T08:00:00", "until"),
    "a day before time": ("/v1/logins?since=0001-01-01", "since"),
    "no dry run": ("/v1/imports?dry_run=maybe", "dry_run"),
    "missing": (f"/v1/classes/{UNKNOWN}/sheet?term=autumn", "academic_year"),
    "no term": (f"/v1/classes/{UNKNOWN}/sheet?term=winter&academic_year=2025", "term"),
    "no subject": ("/v1/benchmarks?subject=%00", "subject"),
    "no characteristic": ("/v1/benchmarks?characteristic=shoe_size", "characteristic"),
    "no release": ("/v1/benchmarks?release=0", "release"),
}


@pytest.mark.parametrize(("path", "field"), QUERIES.values(), ids=QUERIES)
def test_wrong_queries(admin: httpx.Client, path: str, field: str) -> None:
    answer = admin.request("POST" if "imports" in path else "GET", path)
    body = assert_problem(answer, 422, "invalid-input")
    assert [finding["field"] for finding in body["findings"]] == [field]


def chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // 65536 + 1):
        yield b" " * 65536


PHOTOGRAPHS = f"/v1/pupils/{UNKNOWN}/observations/{UNKNOWN}/photographs"


@pytest.mark.parametrize(
    ("path", "limit"), [("/v1/pupils", MIB), ("/v1/imports", 32 * MIB), (PHOTOGRAPHS, 10_000_000)]
)
@pytest.mark.parametrize("declared", [True, False], ids=["with its length", "without its length"])
def test_bodies_that_are_too_long(admin: httpx.Client, path: str, limit: int, declared: bool) -> None:
    content = b" " * (limit + 1) if declared else chunks(limit)
    body = assert_problem(admin.post(path, content=content), 413, "content-too-large")
    said = {MIB: "1 MiB (1,048,576 bytes)", 32 * MIB: "32 MiB (33,554,432 bytes)"}
    found = f"{limit + 1:,}" if declared else "more"
    of_limit = said.get(limit, "10 MB (10,000,000 bytes)")
    assert body["detail"].startswith(f"The body may have at most {of_limit}; this one has {found}")
    assert admin.get("/v1/school").status_code == 200


def test_bodies_at_their_limit_are_read(admin: httpx.Client) -> None:
    sent = json.dumps(pupil()).encode()
    assert admin.post("/v1/pupils", content=sent.ljust(MIB)).status_code == 201


def test_nobodys_body_is_not_read(nobody: httpx.Client) -> None:
    assert_problem(nobody.post("/v1/pupils", content=b"{"), 401, "not-signed-in")
    assert_problem(nobody.post("/v1/pupils", content=b" " * 2 * MIB), 401, "not-signed-in")


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_idempotency_keys_that_cannot_be_used(admin: httpx.Client, key: str) -> None:
    answer = admin.post("/v1/pupils", json=pupil(), headers={"Idempotency-Key": key})
    body = assert_problem(answer, 422, "invalid-input")
    assert body["findings"][0]["field"] == "Idempotency-Key"


def test_every_error_has_a_status() -> None:
    kinds = [
        kind
        for kind in vars(domain.errors).values()
        if isinstance(kind, type) and issubclass(kind, TargetTrackerError)
    ]
    assert len(kinds) > 10
    statuses = {
        name_of(kind): next(STATUS[each] for each in kind.__mro__ if each in STATUS) for kind in kinds
    }
    assert statuses == {
        "target-tracker-error": 500,
        "invalid-input": 422,
        "unreadable-file": 422,
        "not-found": 404,
        "erased": 404,
        "not-signed-in": 401,
        "login-refused": 401,
        "login-key-refused": 401,
        "throttled": 429,
        "not-permitted": 403,
        "conflict": 409,
        "version-conflict": 409,
        "stream-conflict": 409,
        "command-reused": 422,
        "already-exists": 409,
        "does-not-open": 500,
        "key-not-held": 500,
        "not-yet-visible": 503,
        "school-stopped": 503,
        "misconfigured": 500,
    }


def test_a_version_conflict_without_a_condition_is_a_conflict(
    admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def conflict(*_: object, **__: object) -> None:
        raise domain.errors.VersionConflict("Changed", expected=1, actual=2)

    monkeypatch.setattr("domain.application.accounts.enable", conflict)
    answer = admin.post(f"/v1/staff/{UNKNOWN}/enable")
    body = assert_problem(answer, 409, "version-conflict")
    assert (body["expected_version"], body["actual_version"]) == (1, 2)


def test_places_are_written_in_one_form(admin: httpx.Client) -> None:
    """Whatever reads it: the body's decoder, a pupil's particulars, a mapping. Every client checks it."""
    wrong = pupil(meals_periods=[{"start": "2022-09-01"}, {"start": 5}])
    [finding] = assert_problem(admin.post("/v1/pupils", json=wrong), 422, "invalid-input")["findings"]
    assert finding["field"] == "meals_periods.1.start"
    wrong = pupil(meals_periods=[{"start": "2022-09-01", "end": "2022-10-01"}, {"start": "1980-01-01"}])
    [finding] = assert_problem(admin.post("/v1/pupils", json=wrong), 422, "invalid-input")["findings"]
    assert finding["field"] == "meals_periods.1.start"
    wrong = {"mapping": {"fields": {"upn": {"columns": [5]}}}, "file": ""}
    findings = assert_problem(admin.post("/v1/imports/mapped", json=wrong), 422, "invalid-input")["findings"]
    assert "mapping.fields.upn" in [finding["field"] for finding in findings]


def test_another_form_would_be_noticed() -> None:
    """The sabotaged twin of the check that every client makes."""
    for field in ("entries[0].value", "$.entries", "entries/0/value"):
        answer = httpx.Response(
            422,
            headers={"content-type": "application/problem+json"},
            json={"findings": [{"field": field, "found": "", "accepted": ""}]},
        )
        with pytest.raises(AssertionError):
            assert_one_form_of_places(answer)


@pytest.mark.parametrize(
    ("said", "field", "found", "accepted"),
    [
        ("Expected `str`, got `int` - at `$.a.b[2]`", "a.b.2", "int", "str"),
        ("Expected `int` >= 0 - at `$.n`", "n", "a number below that", "at least 0"),
        ("Expected `int` <= 500 - at `$.n`", "n", "a number above that", "at most 500"),
        ("Expected `float` > 0.0 - at `$.n`", "n", "a number not above that", "more than 0.0"),
        ("Expected `str` of length <= 3 - at `$.n`", "n", "more", "at most 3 characters"),
        ("Expected `array` of length >= 1 - at `$.n`", "n", "fewer", "at least 1 entries"),
        ("Expected `array` of length 2 - at `$.n`", "n", "another number", "2 entries"),
        (
            "Expected `str` matching regex '^a$' - at `$.n`",
            "n",
            "something else",
            "`str` matching regex '^a$'",
        ),
        (
            "Invalid RFC3339 encoded date - at `$.d`",
            "d",
            "something else",
            "a date that exists, such as 2026-09-07",
        ),
        ("Object contains unknown field `x` - at `$.a`", "a.x", "a field that is not known", None),
        ("Object missing required field `x`", "x", "nothing", "a value"),
        ("Invalid enum value 'q' - at `$.level`", "level", "'q'", None),
        ("Invalid UUID - at `$.id`", "id", "something else", "an id, as lists show them"),
        ("Something else - at `$.id`", "id", "a value that is not accepted", "Something else"),
    ],
)
def test_findings_from_msgspecs_sentences(said: str, field: str, found: str, accepted: str | None) -> None:
    finding = finding_of(msgspec.ValidationError(said))
    assert (finding.field, finding.found) == (field, found)
    assert finding.accepted
    assert accepted is None or finding.accepted == accepted
