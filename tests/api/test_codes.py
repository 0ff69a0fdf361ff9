"""Code sets over HTTPS: with the days on which codes are valid, to whoever is signed in, once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import httpx
import pytest

from domain.access import AccessLevel
from domain.codes.registry import SETS
from domain.codes.sets import CodeSet
from tests.api.conftest import SchoolUnderTest, Served, assert_problem


@pytest.fixture(scope="module")
def reader(served: Served, school: SchoolUnderTest) -> httpx.Client:
    """Somebody who may see less than anybody else."""
    return served.client(school.users[AccessLevel.READ_ONLY_NO_NAMES].token)


def read(client: httpx.Client, name: str, on: str | None = None) -> dict[str, Any]:
    answer = client.get(f"/v1/codes/{name}", params={"on": on} if on else {})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def codes_in(body: dict[str, Any]) -> list[str]:
    return [entry["code"] for entry in body["entries"]]


def test_every_set_is_listed_and_can_be_read(reader: httpx.Client) -> None:
    listed = reader.get("/v1/codes").json()
    assert [each["code_set"] for each in listed] == list(SETS)
    assert all(each["title"] and each["source"] for each in listed)
    for each in listed:
        body = read(reader, each["code_set"])
        assert (body["code_set"], body["title"], body["source"]) == (
            each["code_set"],
            each["title"],
            each["source"],
        )
        assert len(set(codes_in(body))) == each["codes"] > 0
        assert body["on"] is None


def test_an_entry_says_all_that_the_list_does(reader: httpx.Client) -> None:
    provision = {entry["code"]: entry for entry in read(reader, "sen-provision")["entries"]}
    assert provision["P"] == {
        "code": "P",
        "description": "School Action Plus or Early Years Action Plus",
        "valid_from": "2001-09-01",
        "valid_to": "2015-08-31",
        "successor": "K",
        "note": "the end is inferred: the 2015/16 school census does not take A and P",
        "details": {},
    }
    assert provision["N"]["valid_from"] is provision["N"]["valid_to"] is provision["N"]["successor"] is None
    languages = {entry["code"]: entry["details"] for entry in read(reader, "language")["entries"]}
    assert languages["ENG"]["eal"] is False
    assert languages["AKAF"] == {"parent_code": "AKA", "language_type": "OTH", "eal": True}
    ethnicities = {entry["code"]: entry["details"] for entry in read(reader, "ethnicity")["entries"]}
    assert ethnicities["ANEP"]["main_code"] == "AOTH"
    phonics = read(reader, "outcome-phonics")
    assert [(each["lowest"], each["highest"], each["expected"]) for each in phonics["ranges"]] == [
        (0, 40, 32)
    ]


def unlike_the_day(answers: Iterable[tuple[str, list[str]]]) -> list[str]:
    """The days on which the attendance codes that were answered are not those of the day."""
    found = []
    for day, codes in answers:
        old = date.fromisoformat(day) < date(2024, 8, 19)
        right = {"H": old, "J": old, "Y": old, "J1": not old, "Y1": not old, "K": not old, "C": True}
        if {code: code in codes for code in right} != right or len(codes) != len(set(codes)):
            found.append(day)
    return found


DAYS = ("2020-01-06", "2024-08-18", "2024-08-19", "2026-01-05")


def test_a_day_has_its_own_codes(reader: httpx.Client) -> None:
    bodies = [(day, read(reader, "attendance", day)) for day in DAYS]
    assert unlike_the_day((day, codes_in(body)) for day, body in bodies) == []
    assert [body["on"] for _, body in bodies] == list(DAYS)
    counts = [
        {entry["code"]: entry["details"]["counts_possible"] for entry in body["entries"]}
        for _, body in bodies
    ]
    assert counts[0]["H"] == counts[-1]["C1"] == 1
    assert counts[0]["Y"] == counts[-1]["Y7"] == counts[-1]["D"] == counts[-1]["#"] == 0
    assert codes_in(read(reader, "sen-provision", "2014-12-01")) == ["N", "A", "P", "Q", "S", "E", "K"]
    assert codes_in(read(reader, "sen-provision", "2026-12-01")) == ["N", "Q", "E", "K"]


def test_a_service_that_forgets_the_day_would_be_noticed(
    reader: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(CodeSet, "entries_on", lambda self, day: self.entries)
    answers = [(day, codes_in(read(reader, "attendance", day))) for day in DAYS]
    assert unlike_the_day(answers) == list(DAYS)


@pytest.mark.parametrize("path", ["/v1/codes", "/v1/codes/language", "/v1/codes/attendance?on=2024-08-18"])
def test_what_the_reader_has_is_not_sent_again(served: Served, reader: httpx.Client, path: str) -> None:
    first = reader.get(path)
    tag = first.headers["etag"]
    again = reader.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert reader.get(path, headers={"If-None-Match": f'"other", W/{tag}'}).status_code == 304
    assert reader.get(path, headers={"If-None-Match": '"other"'}).content == first.content
    with served.client() as nobody:
        assert nobody.get(path, headers={"If-None-Match": tag}).status_code == 401


def test_every_answer_has_a_tag_of_its_own(reader: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ["/v1/codes", "/v1/codes/attendance", *(f"/v1/codes/attendance?on={day}" for day in DAYS)]
    tags = [reader.get(path).headers["etag"] for path in paths]
    assert len(set(tags)) == len(paths)
    assert [reader.get(path).headers["etag"] for path in paths] == tags
    # Another release, whose list is not the same: the tag says so, too.
    attendance = SETS["attendance"]
    monkeypatch.setitem(vars(attendance), "entries", attendance.entries[1:])
    changed = reader.get("/v1/codes/attendance", headers={"If-None-Match": tags[1]})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tags[1]


@pytest.mark.parametrize("name", ["gender", "SEX", "sen_provision", "0190c5a4-7a3c-7000-8000-000000000000"])
def test_a_set_that_there_is_not(reader: httpx.Client, name: str) -> None:
    body = assert_problem(reader.get(f"/v1/codes/{name}"), 404, "not-found")
    assert body["detail"] == f"There is no code set of that name; there are: {', '.join(SETS)}"


@pytest.mark.parametrize(
    ("query", "field"),
    [("on=19/08/2024", "on"), ("on=2024-02-30", "on"), ("on=", "on"), ("day=2024-08-19", "day")],
)
def test_a_day_that_is_none_is_refused(reader: httpx.Client, query: str, field: str) -> None:
    body = assert_problem(reader.get(f"/v1/codes/attendance?{query}"), 422, "invalid-input")
    assert [finding["field"] for finding in body["findings"]] == [field]


def test_reading_codes_is_reading_no_record(served: Served, school: SchoolUnderTest) -> None:
    with served.client(school.admin.token) as admin:
        served.services.audit.flush()  # what other tests have read
        before = admin.get("/v1/school").json()["position"]
        for name in SETS:
            read(admin, name)
        served.services.audit.flush()
        assert admin.get("/v1/school").json()["position"] == before
