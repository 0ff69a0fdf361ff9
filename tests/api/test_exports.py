"""Files of pupils over HTTPS: what is in them, what they are called, and what is refused."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from domain.access import AccessLevel
from domain.files.pupil_csv import COLUMNS
from tests.api.conftest import SchoolUnderTest, Served, admit, assert_problem, pupil

CTF, CSV = "/v1/exports/ctf", "/v1/exports/pupils.csv"


@pytest.fixture
def leaving(served: Served) -> SchoolUnderTest:
    """A school of the test's own."""
    return served.register()


@pytest.fixture
def head(served: Served, leaving: SchoolUnderTest) -> httpx.Client:
    return served.client(leaving.admin.token)


def test_the_whole_roll_as_ctf(head: httpx.Client) -> None:
    admit(head, surname="Zimmermann")
    admit(head, surname="Adams", upn="B801200005001")
    answer = head.get(CTF)
    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["content-disposition"] == 'attachment; filename="8812001_CTF_XXXXXXX_001.xml"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.index("Adams") < answer.text.index("Zimmermann")
    assert head.get(CTF, params={"destination": "882/3003"}).headers["content-disposition"] == (
        'attachment; filename="8812001_CTF_8823003_001.xml"'
    )


def test_the_18_columns(head: httpx.Client) -> None:
    admit(head, surname="Adams")
    answer = head.get(CSV)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    heading, line, _ = answer.text.split("\r\n")
    assert heading.split(",") == list(COLUMNS)
    assert ",Adams,Forename,04/03/2018,F,01/09/2022," in line


def test_what_was_just_written_is_in_it(head: httpx.Client) -> None:
    admitted = head.post("/v1/pupils", json=pupil(surname="Justnow")).json()
    answer = head.get(CTF, params={"min_position": admitted["position"]})
    assert "Justnow" in answer.text
    assert_problem(head.get(CTF, params={"min_position": 10**9}), 503, "not-yet-visible")


def test_a_leaver_with_code_and_destination(head: httpx.Client) -> None:
    pupil_id = admit(head)
    path = f"/v1/pupils/{pupil_id}/leave"
    left = {"left_on": "2026-02-27", "reason_code": "st", "destination_school": "8823003"}
    for field, wrong in (("reason_code", "ZZ"), ("destination_school", "88230")):
        refused = head.post(path, json=left | {field: wrong}, headers={"If-Match": '"1"'})
        (finding,) = assert_problem(refused, 422, "invalid-input")["findings"]
        assert (finding["field"], finding["found"]) == (field, wrong)
    assert head.post(path, json=left, headers={"If-Match": '"1"'}).status_code == 200
    answer = head.get(CTF, params={"pupil_id": pupil_id})
    assert "8812001_CTF_8823003_001.xml" in answer.headers["content-disposition"]
    assert "<LeavingDate>2026-02-27</LeavingDate>\n<LeavingReason>ST</LeavingReason>" in answer.text
    history = head.get(f"/v1/pupils/{pupil_id}/history").json()["entries"][-1]["details"]
    assert (history["reason_code"], history["destination_la"]) == ("ST", "882")


@pytest.mark.parametrize("path", [CTF, CSV])
def test_what_cannot_be_taken_away(served: Served, head: httpx.Client, path: str) -> None:
    pupil_id = admit(head)
    class_id = head.get(f"/v1/pupils/{pupil_id}").json()["pupil"]["class_id"]
    both = head.get(path, params={"pupil_id": pupil_id, "class_id": class_id})
    assert assert_problem(both, 422, "invalid-input")["findings"][0]["field"] == "class_id"
    for whom in ("pupil_id", "class_id"):
        assert_problem(head.get(path, params={whom: str(uuid4())}), 404, "not-found")
        assert head.get(path, params={whom: {"pupil_id": pupil_id, "class_id": class_id}[whom]}).is_success
    with served.client(served.register().admin.token) as stranger:
        assert_problem(stranger.get(path, params={"pupil_id": pupil_id}), 404, "not-found")
    assert_problem(head.get(CTF, params={"destination": "881 20"}), 422, "invalid-input")


def test_only_those_who_write_take_files_away(served: Served, leaving: SchoolUnderTest) -> None:
    for level in AccessLevel:
        with served.client(leaving.users[level].token) as client:
            for path in (CTF, CSV):
                answer = client.get(path)
                may = level in {AccessLevel.READ_WRITE, AccessLevel.ADMIN}
                assert answer.status_code == (200 if may else 403)


def test_a_file_comes_back_into_the_service(served: Served, head: httpx.Client) -> None:
    pupil_id = admit(head, surname="Comesback", middle_names="Ida", previous_schools=[{"name": "Elm Bank"}])
    content = head.get(CTF, params={"pupil_id": pupil_id}).content
    report = head.post("/v1/imports", content=content).json()
    assert report["counts"]["unchanged"] == 1, report
    other = served.register()
    with served.client(other.admin.token) as client:
        without = content.replace(b"<EntryDate>2022-09-01</EntryDate>", b"")
        refused = client.post("/v1/imports", content=without)
        assert "joined_on" in assert_problem(refused, 422, "invalid-input")["findings"][0]["accepted"]
        taken = client.post("/v1/imports", params={"joined_on": "2026-02-02"}, content=without)
        assert taken.json()["counts"]["created"] == 1
        elsewhere = without.replace(b"<LEA>XXX</LEA>", b"<LEA>882</LEA>")
        assert_problem(client.post("/v1/imports", content=elsewhere), 422, "unreadable-file")
        meant = client.post("/v1/imports", params={"other_destination": "true"}, content=elsewhere)
        assert meant.json()["counts"]["unchanged"] == 1
        (shown,) = client.get("/v1/pupils", params={"min_position": taken.json()["position"]}).json()[
            "pupils"
        ]
        assert shown["date_of_entry"] == "2026-02-02"
        assert shown["previous_schools"] == [{"name": "Elm Bank"}]


def test_what_no_field_holds_is_shown_and_goes_out_again(head: httpx.Client) -> None:
    pupil_id = admit(head, surname="Keeps", upn="Y881200016001")
    content = head.get(CTF, params={"pupil_id": pupil_id}).content
    more = content.replace(b"</Sex>", b"</Sex><Shoes size='3'>red</Shoes>")
    taken = head.post("/v1/imports", content=more).json()
    assert taken["rows"][0]["fields"] == ["other_elements"]
    asked = {"min_position": taken["position"]}
    shown = head.get(f"/v1/pupils/{pupil_id}", params=asked).json()["pupil"]
    assert shown["other_elements"] == [{"xml": '<Shoes size="3">red</Shoes>', "after": "Sex"}]
    assert '</Sex>\n<Shoes size="3">red</Shoes>' in head.get(CTF, params={"pupil_id": pupil_id}).text
