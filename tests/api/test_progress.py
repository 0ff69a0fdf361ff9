"""Progress over HTTPS: a small school worked out by hand, in every form, for those with names and without."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import httpx
import pytest

from api.pages import markup
from domain.access import AccessLevel
from domain.files import spreadsheets
from tests.api.conftest import SchoolUnderTest, Served, assert_problem, pupil

HOSTILE = "=cmd|'/c calc'!A1"
SCRIPT = "<script>alert(1)</script>&\"'"

AUTUMN, SUMMER = ("autumn", 2024), ("summer", 2024)
A_YEAR: dict[str, Any] = {"from_year": 2024, "from_term": "autumn", "to_year": 2024, "to_term": "summer"}

CHILDREN: list[tuple[dict[str, Any], dict[tuple[str, int], str]]] = [
    ({"surname": HOSTILE, "sex": "F", "free_school_meals": True}, {AUTUMN: "3b", SUMMER: "3s"}),
    ({"surname": "Brook", "forename": SCRIPT, "sex": "M"}, {AUTUMN: "2s", SUMMER: "2w"}),
    ({"surname": "Carter", "sex": "F"}, {AUTUMN: "3b+", SUMMER: "4b"}),
    ({"surname": "Dale", "sex": "M", "date_of_entry": "2025-03-01"}, {SUMMER: "3s+"}),
    ({"surname": "East", "sex": "F", "class_name": "Elm", "nc_year": "6"}, {AUTUMN: "4b", SUMMER: "4w"}),
]
"""Of Year 5 now and so of Year 3 then, but for the last; what they were judged in mathematics."""


class Progressing:
    """A school with these children, and clients of those who look at them."""

    def __init__(self, served: Served) -> None:
        self.school: SchoolUnderTest = served.register()
        self.admin = served.client(self.school.admin.token)
        self.nameless = served.client(self.school.users[AccessLevel.READ_ONLY_NO_NAMES].token)
        self.ids: list[str] = []
        self.assessments: dict[tuple[int, tuple[str, int]], str] = {}
        for number, (fields, results) in enumerate(CHILDREN):
            given = pupil(**({"nc_year": "5", "date_of_birth": "2016-10-01"} | fields))
            self.ids.append(self.admin.post("/v1/pupils", json=given).json()["pupil_id"])
            for at, value in results.items():
                self.record(number, at, value)
        self.position = self.admin.get("/v1/school").json()["position"]
        classes = self.admin.get("/v1/classes", params={"min_position": self.position}).json()
        self.classes = {each["class_name"]: each["class_id"] for each in classes}

    def record(self, number: int, at: tuple[str, int], value: str, subject: str = "MAT") -> str:
        judgement = {"academic_year": at[1], "term": at[0], "subject": subject, "value": value}
        kept = self.admin.post(f"/v1/pupils/{self.ids[number]}/assessments", json=judgement)
        assert kept.status_code == 201, kept.text
        self.position = kept.json()["position"]
        made: str = kept.json()["assessment_id"]
        self.assessments[number, at] = made
        return made

    def ask(
        self, path: str = "/v1/progress", client: httpx.Client | None = None, **more: Any
    ) -> httpx.Response:
        asked = (A_YEAR if "from" in path or path in {"/v1/progress", "/v1/progress/matrix"} else {}) | more
        answer = (client or self.admin).get(path, params={**asked, "min_position": self.position})
        assert answer.status_code == 200, answer.text
        return answer


@pytest.fixture(scope="module")
def progressing(served: Served) -> Progressing:
    return Progressing(served)


def test_a_class_by_hand(progressing: Progressing) -> None:
    """Three of Oak have both: +4, -2 and +5 make 7, and 7 / 3 is 2.33."""
    answer = progressing.ask(class_id=progressing.classes["Oak"]).json()
    assert (answer["asked"]["class_name"], answer["expected_gain"], answer["subjects"]) == ("Oak", 4, ["MAT"])
    whole = answer["whole"]["MAT"]
    assert {name: whole[name] for name in ("pupils", "matched", "only_start", "only_end", "neither")} == {
        "pupils": 4, "matched": 3, "only_start": 0, "only_end": 1, "neither": 0
    }  # fmt: skip
    assert (whole["measured"], whole["mean_start"], whole["mean_end"], whole["mean_gain"]) == (
        3, 12.67, 15.0, 2.33
    )  # fmt: skip
    assert whole["verdicts"] == {"less": 1, "as_expected": 1, "more": 1, "not_known": 0}
    by_name = {each["surname"]: each for each in answer["pupils"]}
    assert [each["surname"] for each in answer["pupils"]] == [HOSTILE, "Brook", "Carter", "Dale"]
    assert by_name["Brook"]["subjects"]["MAT"] == {
        "start": {"value": "2s", "points": 11, "standing": "below"},
        "end": {"value": "2w", "points": 9, "standing": "below"},
        "gain": -2,
        "expected_gain": 4,
        "verdict": "less-than-expected",
        "reason": None,
    }
    assert by_name["Dale"]["subjects"]["MAT"]["verdict"] is None
    girls, boys = answer["groups"]["sex"]
    assert (girls["value"], girls["subjects"]["MAT"]["mean_gain"]) == ("F", 4.5)
    assert (boys["value"], boys["subjects"]["MAT"]["matched"]) == ("M", 1)
    assert [part["value"] for part in answer["groups"]["free-school-meals"]] == ["yes", "not-known"]
    assert [part["value"] for part in answer["groups"]["term-of-birth"]] == ["autumn"]
    assert [(each["point"]["label"], each["pupils"]) for each in answer["course"]["MAT"]] == [
        ("Autumn 2024/25", 3),
        ("Summer 2024/25", 3),
    ]


def test_the_school_a_year_and_a_group(progressing: Progressing) -> None:
    answer = progressing.ask(group="nc-year").json()
    assert list(answer["groups"]) == ["nc-year"]
    assert [(part["value"], part["subjects"]["MAT"]["matched"]) for part in answer["groups"]["nc-year"]] == [
        ("3", 3),
        ("4", 1),
    ]
    assert answer["whole"]["MAT"]["matched"] == 4
    of_year = progressing.ask(nc_year="Year 4").json()
    assert [each["surname"] for each in of_year["pupils"]] == ["East"]
    assert of_year["asked"]["nc_year"] == "4"


def test_a_matrix(progressing: Progressing) -> None:
    [matrix] = progressing.ask("/v1/progress/matrix").json()["matrices"]
    assert (matrix["rows"], matrix["columns"]) == (["2s", "3b", "3b+", "4b"], ["2w", "3s", "4b", "4w"])
    assert (matrix["matched"], matrix["only_end"]) == (4, 1)
    assert matrix["cells"][0] == {"start": "2s", "end": "2w", "pupils": [progressing.ids[1]]}
    [by_standing] = progressing.ask("/v1/progress/matrix", by="standing").json()["matrices"]
    assert {(each["start"], each["end"]): len(each["pupils"]) for each in by_standing["cells"]} == {
        ("below", "below"): 1,
        ("at", "at"): 1,
        ("at", "above"): 1,
        ("at", "below"): 1,
    }


def test_an_on_track_table(progressing: Progressing) -> None:
    table = progressing.ask("/v1/progress/on-track", academic_year=2024, term="summer", group="sex").json()
    whole = table["whole"]["MAT"]
    assert whole["standings"] == {"below": 2, "at": 2, "above": 1, "not_known": 0}
    assert (whole["known"], whole["share_below"], whole["share_at"], whole["share_above"]) == (
        5,
        0.4,
        0.4,
        0.2,
    )
    girls, _ = table["groups"]["sex"]
    assert girls["subjects"]["MAT"]["pupils"] == 3


def test_a_track(progressing: Progressing) -> None:
    answer = progressing.ask(f"/v1/pupils/{progressing.ids[2]}/track").json()
    assert answer["pupil"]["surname"] == "Carter"
    assert [
        (each["point"]["label"], each["value"], each["expected"]) for each in answer["subjects"]["MAT"]
    ] == [
        ("Autumn 2024/25", "3b+", [13, 14]),
        ("Summer 2024/25", "4b", [17, 18]),
    ]
    assert progressing.ask(f"/v1/pupils/{progressing.ids[2]}/track", scheme="levels").json()["subjects"] == {}


def test_a_track_with_targets(served: Served) -> None:
    school = Progressing(served)
    path = f"/v1/pupils/{school.ids[2]}"
    for subject, value, at in (("MAT", "4s", 2024), ("MAT", "5s", 2025), ("WRI", "4w", 2025)):
        aim = {"academic_year": at, "term": "summer", "scheme": "steps", "subject": subject, "value": value}
        kept = school.admin.post(f"{path}/targets", json=aim)
        assert kept.status_code == 201, kept.text
        school.position = kept.json()["position"]
    answer = school.ask(f"{path}/track").json()
    assert answer["subjects"].keys() == {"MAT"}
    assert {
        subject: [(each["point"]["label"], each["value"], each["points"]) for each in targets]
        for subject, targets in answer["targets"].items()
    } == {
        "MAT": [("Summer 2024/25", "4s", 23), ("Summer 2025/26", "5s", 29)],
        "WRI": [("Summer 2025/26", "4w", 21)],
    }
    page = school.ask(f"{path}/track", format="html").text
    assert page.count('class="key target"') == 2, "a legend at each chart"
    assert page.count('d="M') == 6, "each target, and white around it"
    for told in ("Target for Summer 2025/26: 5s (29 points)", ">Target</th>", ">4w</td>"):
        assert told in page
    other = school.ask(f"/v1/pupils/{school.ids[0]}/track", format="html").text
    assert "target" not in other.partition("<body>")[2]


def test_matrices_and_the_on_track_table_as_csv(progressing: Progressing) -> None:
    rows = rows_of(progressing.ask("/v1/progress/matrix", format="csv"))
    told = progressing.ask("/v1/progress/matrix").json()["matrices"][0]
    assert [(row["Subject"], row["From value"], row["To value"], row["Pupils"]) for row in rows] == [
        ("MAT", cell["start"], cell["end"], str(len(cell["pupils"]))) for cell in told["cells"]
    ]
    assert {row["With both results"] for row in rows} == {str(told["matched"])}
    at: dict[str, Any] = {"academic_year": 2024, "term": "summer", "group": "sex"}
    answer = progressing.ask("/v1/progress/on-track", **at, format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = rows_of(answer)
    assert [(row["Group"], row["Part"], row["Pupils"]) for row in rows[:2]] == [
        ("all", "all", "5"),
        ("sex", "F", "3"),
    ]
    columns = ("Below", "At", "Above", "Not known", "Share below")
    assert [rows[0][name] for name in columns] == ["2", "2", "1", "0", "0.4"]


def test_the_page_of_a_class_shows_standings(progressing: Progressing) -> None:
    page = progressing.ask(format="html").text
    assert "<h2>On track</h2>" in page
    assert "<h2>From where to where</h2>" in page
    assert '<th scope="row">At</th><td class="number">1</td><td class="number">1</td>' in page


def test_what_was_corrected_counts_and_what_was_voided_does_not(served: Served) -> None:
    school = Progressing(served)
    path = f"/v1/pupils/{school.ids[0]}/assessments"
    wrong = school.record(0, SUMMER, "6s")
    assert school.ask().json()["pupils"][0]["subjects"]["MAT"]["end"]["value"] == "6s"
    kept = school.admin.post(f"{path}/{wrong}/corrections", json={"value": "3w"}).json()
    school.position = kept["position"]
    assert school.ask().json()["pupils"][0]["subjects"]["MAT"]["gain"] == 2
    kept = school.admin.post(f"{path}/{wrong}/void", json={"reason": "The wrong child"}).json()
    school.position = kept["position"]
    assert school.ask().json()["pupils"][0]["subjects"]["MAT"]["end"]["value"] == "3s"
    first = school.assessments[0, AUTUMN]
    school.position = school.admin.post(f"{path}/{first}/void", json={"reason": "Never made"}).json()[
        "position"
    ]
    whole = school.ask().json()["whole"]["MAT"]
    assert (whole["matched"], whole["only_end"]) == (3, 2)
    [cell] = school.ask(f"/v1/pupils/{school.ids[0]}/track").json()["subjects"]["MAT"]
    assert cell["value"] == "3s"


def test_those_without_names_get_everything_else(progressing: Progressing) -> None:
    named, nameless = (progressing.ask(client=client).json() for client in (None, progressing.nameless))
    assert nameless["groups"].pop("term-of-birth") is None
    assert named["groups"].pop("term-of-birth")
    assert (nameless["whole"], nameless["groups"], nameless["course"]) == (
        named["whole"],
        named["groups"],
        named["course"],
    )
    assert [each["pupil_id"] for each in nameless["pupils"]] == sorted(progressing.ids)
    for each in nameless["pupils"]:
        assert each["surname"] is each["forename"] is each["groups"]["term-of-birth"] is None
        assert each["alias"].startswith("Pupil ")
    page = progressing.ask(client=progressing.nameless, format="html").text
    assert nameless["pupils"][0]["alias"] in page
    assert "Carter" not in page
    table = progressing.ask(
        "/v1/progress/on-track", progressing.nameless, academic_year=2024, term="summer"
    ).json()
    assert table["groups"]["term-of-birth"] is None


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"), newline="")))


def formulas(rows: list[dict[str, str]]) -> set[str]:
    """The cells that a spreadsheet would calculate; numbers below nought are none."""
    found = set()
    for row in rows:
        for cell in row.values():
            if cell.startswith(("=", "+", "-", "@")):
                try:
                    float(cell)
                except ValueError:
                    found.add(cell)
    return found


def test_as_csv(progressing: Progressing) -> None:
    rows = rows_of(progressing.ask(format="csv"))
    assert len(rows) == len(CHILDREN)
    assert formulas(rows) == set()
    by_surname = {row["Surname"]: row for row in rows}
    assert f"'{HOSTILE}" in by_surname
    brook = by_surname["Brook"]
    assert (brook["Forename"], brook["Gain"], brook["Progress"]) == (SCRIPT, "-2", "less-than-expected")
    assert (by_surname["Dale"]["From value"], by_surname["Dale"]["Progress"]) == ("", "")
    by_accept = progressing.admin.get(
        "/v1/progress", params=A_YEAR, headers={"Accept": "text/html;q=0.1, text/csv"}
    )
    assert rows_of(by_accept) == rows
    of_groups = rows_of(progressing.ask(format="csv", group="sex"))
    assert [(row["Group"], row["Part"], row["With both results"], row["Mean gain"]) for row in of_groups] == [
        ("all", "all", "4", "2.25"),
        ("sex", "F", "3", "3.67"),
        ("sex", "M", "1", "-2.0"),
    ]


def test_a_file_that_forgets_formulas_would_be_noticed(
    progressing: Progressing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(spreadsheets, "not_a_formula", lambda text: text)
    assert formulas(rows_of(progressing.ask(format="csv"))) == {HOSTILE}


def elements(page: str) -> Iterator[ElementTree.Element]:
    """Every element of a page, which is well-formed but for its document type and its `meta`s."""
    whole = page.removeprefix("<!DOCTYPE html>\n")
    start, end = whole.index("<meta"), whole.index("<title>")
    yield from ElementTree.fromstring(whole[:start] + whole[end:]).iter()


def strangers(page: str) -> set[str]:
    """Elements and attributes that a page of ours has none of."""
    known = {
        "html", "head", "title", "style", "body", "main", "section", "h1", "h2", "p", "div", "figure",
        "figcaption", "span", "table", "caption", "thead", "tbody", "tr", "th", "td", "bdi", "svg", "desc",
        "line", "text", "polygon", "polyline", "circle",
    }  # fmt: skip
    found = set()
    try:
        for element in elements(page):
            found |= {element.tag} - known
            found |= {
                name for name in element.attrib if name.startswith("on") or name in {"href", "src", "style"}
            }
    except ElementTree.ParseError as error:
        return {str(error)}
    return found


@pytest.mark.parametrize("what", ["class", "pupil"])
def test_pages_are_whole_in_themselves(progressing: Progressing, what: str) -> None:
    if what == "class":
        answer = progressing.ask(class_id=progressing.classes["Oak"], format="html")
    else:
        answer = progressing.ask(f"/v1/pupils/{progressing.ids[1]}/track", format="html")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert "script" not in policy
    assert answer.headers["cache-control"] == "no-store"
    page = answer.text
    assert page.startswith('<!DOCTYPE html>\n<html lang="en-GB">')
    assert strangers(page) == set()
    assert "url(" not in page
    assert "@media print" in page
    assert "size: A4" in page
    assert "Made-up Primary School" in page
    found = list(elements(page))
    [chart] = [each for each in found if each.tag == "svg"]
    title, description = chart[0], chart[1]
    assert (title.tag, description.tag, chart.get("role")) == ("title", "desc", "img")
    assert chart.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text
    assert "expected" in (description.text or "")
    assert any(each.tag == "table" for each in found), "what the chart shows stands beside it"
    assert any(SCRIPT in "".join(each.itertext()) for each in found if each.tag in {"th", "h1"})


def test_a_page_that_forgets_to_escape_would_be_noticed(
    progressing: Progressing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(markup, "escape", str)
    for path in ("/v1/progress", f"/v1/pupils/{progressing.ids[1]}/track"):
        assert strangers(progressing.ask(path, format="html").text)


def test_a_page_of_nothing(progressing: Progressing) -> None:
    nothing: dict[str, Any] = {"from_year": 2010, "to_year": 2011}
    assert "no results" in progressing.ask(format="html", **nothing).text
    page = progressing.ask(f"/v1/pupils/{progressing.ids[1]}/track", format="html", scheme="levels").text
    assert "no results" in page


def test_schemes_that_differ_are_not_compared(served: Served) -> None:
    school = Progressing(served)
    teacher = {"academic_year": 2023, "scheme": "ks1-teacher", "subject": "MAT", "value": "EXS"}
    kept = school.admin.post(f"/v1/pupils/{school.ids[2]}/assessments", json=teacher)
    assert kept.status_code == 201, kept.text
    school.position = kept.json()["position"]
    asked = {
        "scheme": "ks1-teacher",
        "to_scheme": "steps",
        "from_year": 2023,
        "to_year": 2024,
        "to_term": "summer",
    }
    params = {**asked, "min_position": school.position}
    answer = school.admin.get("/v1/progress", params=params).json()
    assert (answer["asked"]["comparable"], answer["expected_gain"]) == (False, None)
    [gain] = [each["subjects"]["MAT"] for each in answer["pupils"] if each["surname"] == "Carter"]
    assert (gain["start"]["value"], gain["end"]["value"], gain["gain"]) == ("EXS", "4b", None)
    assert (gain["verdict"], gain["reason"]) == ("not-known", "schemes-differ")
    [matrix] = [
        each
        for each in school.admin.get("/v1/progress/matrix", params=params).json()["matrices"]
        if each["subject"] == "MAT"
    ]
    assert [(cell["start"], cell["end"]) for cell in matrix["cells"]] == [("EXS", "4b")]
    page = school.admin.get("/v1/progress", params=params | {"format": "html"}).text
    assert "cannot be compared" in page


def test_who_came_and_went(served: Served) -> None:
    """Nobody counts who was never there; whoever left still counts where results are."""
    school = Progressing(served)
    leaver, path = school.ids[2], f"/v1/pupils/{school.ids[2]}/leave"
    left = school.admin.post(path, json={"left_on": "2025-07-22"}, headers={"If-Match": '"1"'})
    assert left.status_code == 200, left.text
    newcomer = pupil(surname="Newcomer", nc_year="5", date_of_entry="2025-09-01")
    school.position = school.admin.post("/v1/pupils", json=newcomer).json()["position"]
    answer = school.ask().json()
    assert leaver in {each["pupil_id"] for each in answer["pupils"]}
    assert "Newcomer" not in {each["surname"] for each in answer["pupils"]}
    assert answer["whole"]["MAT"]["matched"] == 4
    later = school.ask(from_year=2024, from_term="summer", to_year=2025, to_term="autumn").json()
    names = {each["surname"] for each in later["pupils"]}
    assert "Newcomer" in names
    assert (later["whole"]["MAT"]["only_start"], later["whole"]["MAT"]["neither"]) == (5, 1)


@pytest.mark.parametrize(
    ("path", "asked", "field"),
    [
        ("/v1/progress", {}, "from_year"),
        ("/v1/progress", A_YEAR | {"to_year": 2023}, "to_year"),
        ("/v1/progress", A_YEAR | {"scheme": "ladders"}, "scheme"),
        ("/v1/progress", A_YEAR | {"subject": "XYZ"}, "subject"),
        ("/v1/progress", A_YEAR | {"scale": "inches"}, "scale"),
        ("/v1/progress", A_YEAR | {"group": "hair"}, "group"),
        ("/v1/progress", A_YEAR | {"format": "pdf"}, "format"),
        ("/v1/progress", A_YEAR | {"nc_year": "99"}, "nc_year"),
        ("/v1/progress/matrix", A_YEAR | {"by": "hand"}, "by"),
        ("/v1/progress/on-track", {"academic_year": 2024}, "term"),
        ("/v1/pupils/{pupil}/track", {"format": "csv"}, "format"),
        ("/v1/pupils/{pupil}/track", {"scheme": "ladders"}, "scheme"),
    ],
)
def test_what_cannot_be_asked(progressing: Progressing, path: str, asked: dict[str, Any], field: str) -> None:
    refused = progressing.admin.get(path.format(pupil=progressing.ids[0]), params=asked)
    problem = assert_problem(refused, 422, "invalid-input")
    [finding] = problem["findings"]
    assert finding["field"] == field


def test_a_class_that_there_is_not(progressing: Progressing) -> None:
    asked: dict[str, Any] = A_YEAR | {"class_id": str(uuid4())}
    refused = assert_problem(progressing.admin.get("/v1/progress", params=asked), 422, "invalid-input")
    assert [finding["field"] for finding in refused["findings"]] == ["class_id"]
    empty: dict[str, Any] = {"from_year": 2010, "from_term": "autumn", "to_year": 2011, "to_term": "autumn"}
    answer = progressing.ask(class_id=progressing.classes["Oak"], **empty).json()
    assert (answer["asked"]["class_name"], answer["pupils"]) == ("Oak", [])


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ("application/json, text/csv;q=0.5", "application/json"),
        ("image/png", "application/json"),
        ("text/csv;q=x", "text/csv; charset=utf-8"),
    ],
)
def test_the_form_that_is_wanted_most(progressing: Progressing, accept: str, content_type: str) -> None:
    answer = progressing.admin.get("/v1/progress", params=A_YEAR, headers={"Accept": accept})
    assert answer.headers["content-type"] == content_type
