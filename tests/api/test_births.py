"""Over HTTP, nothing is dated before a child's birth, and the answer does not tell the day of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.since_birth import ACCEPTED
from tests.api.conftest import admit, assert_problem

BORN, BEFORE = "2018-03-04", "2018-03-03"


def refused(answer: httpx.Response) -> dict[str, Any]:
    problem = assert_problem(answer, 422, "invalid-input")
    assert BORN not in answer.text
    [finding] = problem["findings"]
    found: dict[str, Any] = finding
    return found


@pytest.mark.parametrize(
    ("part", "body", "field"),
    [
        ("notes", {"text": "Walked early", "written_on": BEFORE}, "written_on"),
        ("concerns", {"text": "Speech", "opened_on": BEFORE}, "opened_on"),
        ("observations", {"text": "Counted to ten", "observed_on": BEFORE}, "observed_on"),
    ],
    ids=["a note", "a concern", "an observation"],
)
def test_what_is_written_of_a_child(admin: httpx.Client, part: str, body: dict[str, Any], field: str) -> None:
    pupil_id = admit(admin)
    finding = refused(admin.post(f"/v1/pupils/{pupil_id}/{part}", json=body))
    assert (finding["field"], finding["found"]) == (field, BEFORE)
    assert finding["accepted"].startswith("a day from the child's birth")
    assert admin.post(f"/v1/pupils/{pupil_id}/{part}", json=body | {field: BORN}).status_code == 201


def test_particulars_and_the_birth_itself(admin: httpx.Client) -> None:
    pupil_id = admit(admin)
    path = f"/v1/pupils/{pupil_id}"
    finding = refused(
        admin.patch(path, json={"care_periods": [{"start": BEFORE}]}, headers={"If-Match": '"1"'})
    )
    assert finding == {"field": "care_periods.0.start", "found": BEFORE, "accepted": ACCEPTED}
    changed = admin.patch(path, json={"care_periods": [{"start": "2018-03-10"}]}, headers={"If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    later = admin.patch(path, json={"date_of_birth": "2018-03-11"}, headers={"If-Match": '"2"'})
    [finding] = assert_problem(later, 422, "invalid-input")["findings"]
    assert finding == {
        "field": "date_of_birth",
        "found": "a day after 2018-03-10 (care_periods.start)",
        "accepted": "a day up to 2018-03-10, of which something is recorded",
    }


def test_a_row_of_a_file(admin: httpx.Client) -> None:
    content = "Surname,Forename,DOB,DOA,Gender\nEarly,Robin,04/03/2018,03/03/2018,F\n"
    answer = admin.post("/v1/imports", content=content.encode(), headers={"Content-Type": "text/csv"})
    finding = refused(answer)
    assert finding == {"row": 2, "field": "DOA", "found": "03/03/2018", "accepted": ACCEPTED}
