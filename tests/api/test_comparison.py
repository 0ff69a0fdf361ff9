"""A school beside the benchmark over HTTPS: own figures counted by hand, and nothing more than released."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from typing import Any

import httpx
import msgspec
import pytest

import projections.benchmarks.comparing
from api.tls import LocalCertificates
from domain.access import AccessLevel
from domain.usage import ReadKind
from projections.benchmarks.released import BenchmarkRow, released, releases
from scripts.embedded import EmbeddedPostgres
from tests.api.comparing import (
    BECAUSE,
    LARGE,
    OWN_COUNTS,
    SMALL,
    SUMMER,
    Region,
    by_hand,
    region_of,
    released_by_hand,
)
from tests.api.conftest import assert_problem
from tests.api.test_progress import strangers
from tests.api.test_usage import reads, refusals
from tests.application.examples import YEAR
from tests.conftest import fresh_database


@pytest.fixture(scope="module")
def region(server: EmbeddedPostgres, certificates: LocalCertificates) -> Iterator[Region]:
    with fresh_database(server) as database:
        yield from region_of(database, certificates)


def own_of(row: dict[str, Any]) -> dict[str, tuple[Decimal, int]]:
    return {
        name: (Decimal(cell["own"]["value"]), cell["own"]["pupils"])
        for name, cell in row["cells"].items()
        if cell["own"]
    }


def assert_same(found: dict[str, tuple[Decimal, int]], expected: dict[str, tuple[Decimal, int]]) -> None:
    assert found.keys() == expected.keys()
    for name, (value, pupils) in expected.items():
        assert abs(found[name][0] - value) < Decimal("0.000001"), name
        assert found[name][1] == pupils, name


def shown(row: dict[str, Any], of: str) -> dict[str, str]:
    """Released figures, or symbols, by measure."""
    return {
        name: cell[of]["symbol"] or f"{Decimal(cell[of]['value']).normalize():f}"
        for name, cell in row["cells"].items()
        if cell[of]
    }


def test_own_figures_stand_beside_those_of_all_and_of_schools_alike(region: Region) -> None:
    answer = region.ask().json()
    assert answer["release"]["release"] == 2, "the newest that stands"
    [table] = answer["tables"]
    assert (table["subject"], table["nc_year"], table["point_scale"]) == ("MAT", "3", "steps")
    [row] = table["rows"]
    assert_same(own_of(row), by_hand(region.values["summer"], region.values["spring"]))
    everybody = [OWN_COUNTS, *SMALL, *LARGE]
    of_all, of_likes = shown(row, "released"), shown(row, "similar")
    assert of_all == released_by_hand(everybody)
    assert of_likes == released_by_hand([OWN_COUNTS, *SMALL])
    assert of_likes != of_all
    assert answer["likes"]["category"] == "unknown/up-to-100"
    assert (answer["likes"]["pupils"], answer["likes"]["fifths"]) == (40, False)
    assert all(cell["spread"] is None for cell in row["cells"].values()), "eight schools have no deciles"


def test_own_girls_stand_beside_all_girls(region: Region) -> None:
    [table] = region.ask(characteristic="sex").json()["tables"]
    girls = {name for name in region.pupil_ids if int(name[-3:]) % 2 == 0}
    rows = {row["category"]: row for row in table["rows"]}
    assert rows["F"]["label"] == "Female"
    of_girls = {name: value for name, value in region.values["summer"].items() if name in girls}
    assert_same(own_of(rows["F"]), by_hand(of_girls, region.values["spring"]))
    assert own_of(rows["unknown"]) == {}
    for category in ("F", "M"):
        assert int(shown(rows[category], "released")["pupils"]) > 100
        assert shown(rows[category], "similar") == {}, "parts are not told of schools alike"


def test_a_characteristic_of_schools_shows_the_kind_that_it_is_of(region: Region) -> None:
    answer = region.ask(characteristic="size_band").json()
    [table] = answer["tables"]
    [row] = table["rows"]
    assert (row["category"], row["label"]) == ("up-to-100", "Schools of up to 100 pupils")
    assert_same(own_of(row), by_hand(region.values["summer"], region.values["spring"]))
    assert shown(row, "released")["pupils"] == released_by_hand([OWN_COUNTS, *SMALL])["pupils"]


def test_what_is_suppressed_shows_a_symbol_and_no_number(region: Region) -> None:
    """Reading was judged in two schools: whoever is one of them would see the other's."""
    [table] = region.ask(subject="REA").json()["tables"]
    [row] = table["rows"]
    assert set(shown(row, "released").values()) <= {"c", "z"}
    assert shown(row, "released")["pupils"] == "c"
    assert own_of(row)["pupils"] == (Decimal(38), 38), "its own it sees"
    page = region.ask(subject="REA", format="html").text
    assert "c: suppressed" in page
    rows = [row for row in _csv(region.ask(subject="REA", format="csv")) if row["Measure"] == "pupils"]
    assert [(row["Own"], row["Released"], row["Released symbol"]) for row in rows] == [("38", "", "c")]


def test_where_there_is_no_progress_yet_it_is_z(region: Region) -> None:
    [table] = region.ask(assessment_point="spring").json()["tables"]
    [row] = table["rows"]
    assert shown(row, "released")["progress"] == "z"
    assert row["cells"]["progress"]["own"] is None
    assert_same(own_of(row), by_hand(region.values["spring"], {}))
    assert 'class="number">z</td>' in region.ask(assessment_point="spring", format="html").text


def test_a_school_without_anybody_is_in_no_band_and_sees_what_is_told(region: Region) -> None:
    answer = region.ask(school=region.nobodys).json()
    assert answer["likes"] is None
    [table] = answer["tables"]
    [row] = table["rows"]
    assert own_of(row) == {}
    assert shown(row, "similar") == {}
    assert shown(row, "released")["pupils"] == released_by_hand([OWN_COUNTS, *SMALL, *LARGE])["pupils"]
    page = region.ask(school=region.nobodys, format="html").text
    assert "is in no band of schools" in page
    assert "no results" in page
    assert region.ask(school=region.nobodys, characteristic="size_band").json()["tables"] == []


def more_than_released(region: Region, answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The figures of other schools in an answer that are not, to the last digit, in the released tables."""
    likes = answer["likes"] and answer["likes"]["category"]
    with region.database.connect("target_tracker_analytics") as analyst:
        told = {
            tuple(row)
            for row in analyst.execute(
                "SELECT subject, nc_year, characteristic, category, measure, value::text, symbol"
                " FROM analytics.benchmarks WHERE release = %s"
                " AND academic_year = %s AND assessment_point = %s",
                [answer["release"]["release"], answer["academic_year"], answer["assessment_point"]],
            )
        }
    found = []
    for table in answer["tables"]:
        of = (table["subject"], table["nc_year"])
        for row in table["rows"]:
            for measure, cell in row["cells"].items():
                groups = {
                    "released": (answer["characteristic"], row["category"]),
                    "similar": ("similar_schools", likes),
                }
                found += [
                    (table["subject"], measure, name)
                    for name, group in groups.items()
                    if (figure := cell[name])
                    and (*of, *group, measure, figure["value"], figure["symbol"]) not in told
                ]
    return found


QUESTIONS: list[dict[str, Any]] = [
    {"subject": None},
    {"subject": None, "characteristic": "sex"},
    {"subject": None, "characteristic": "sen"},
    {"subject": None, "characteristic": "similar_schools"},
    {"assessment_point": "spring"},
    {"release": 1},
]


@pytest.mark.parametrize("asked", QUESTIONS)
def test_nothing_more_than_was_released_is_shown(region: Region, asked: dict[str, Any]) -> None:
    answer = region.ask(**asked)
    assert answer.status_code == 200, answer.text
    assert more_than_released(region, answer.json()) == []


def test_a_figure_that_was_not_rounded_would_be_noticed(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: the truth in place of what was told."""
    truth = sum(sum(each.values()) for each in [OWN_COUNTS, *SMALL, *LARGE])

    def honest(*arguments: Any, **options: Any) -> list[BenchmarkRow]:
        return [
            msgspec.structs.replace(row, value=Decimal(truth), symbol=None)
            if row.measure == "pupils"
            else row
            for row in released(*arguments, **options)
        ]

    monkeypatch.setattr(projections.benchmarks.comparing, "released", honest)
    found = more_than_released(region, region.ask(subject=None).json())
    assert ("MAT", "pupils", "released") in found
    assert ("REA", "pupils", "released") in found


def test_what_is_corrected_counts_at_once_and_the_benchmark_stays(region: Region) -> None:
    before = region.ask().json()
    surname = sorted(region.pupil_ids)[39]
    path = f"/v1/pupils/{region.pupil_ids[surname]}/assessments"
    with region.served.client(region.own.admin.token) as client:
        judgement = {"academic_year": YEAR - 1, "term": "summer", "subject": "MAT", "value": "2s"}
        kept = client.post(path, json=judgement).json()
        after = region.ask(min_position=kept["position"]).json()
        void = client.post(f"{path}/{kept['assessment_id']}/void", json={"reason": "The wrong child"}).json()
    [now], [then] = after["tables"][0]["rows"], before["tables"][0]["rows"]
    assert own_of(now)["pupils"][1] == 39
    assert own_of(now)["below"][0] > own_of(then)["below"][0]
    assert (shown(now, "released"), shown(now, "similar")) == (
        shown(then, "released"),
        shown(then, "similar"),
    )
    assert after["position"] >= kept["position"] > before["position"]
    [again] = region.ask(min_position=void["position"]).json()["tables"][0]["rows"]
    assert own_of(again) == own_of(then)


def test_a_withdrawn_release_says_so_and_why(region: Region) -> None:
    told = region.ask(release=1).json()["release"]
    assert (told["release"], told["withdrawn_because"]) == (1, BECAUSE)
    assert told["withdrawn_at"]
    page = region.ask(release=1, format="html").text
    assert 'class="warning"' in page
    assert f"should not be used: {BECAUSE}" in page
    assert 'class="warning"' not in region.ask(format="html").text
    assert {row["Withdrawn"] for row in _csv(region.ask(release=1, format="csv"))} == {"yes"}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (
            {"assessment_point": "autumn"},
            "No benchmark of steps stands at {year}:autumn; released are {year}:spring",
        ),
        ({"academic_year": "2019"}, "stands at 2019/20:summer; released are {year}:spring, {year}:summer"),
        ({"scheme": "phonics"}, "No benchmark of phonics stands at {year}:summer; released are none yet"),
        ({"release": 7}, "There is no release 7; releases are 1, 2"),
        ({"release": 2, "assessment_point": "year"}, "Release 2 tells nothing of steps at {year}:year"),
    ],
)
def test_where_nothing_was_released_it_is_said_what_was(
    region: Region, asked: dict[str, Any], says: str
) -> None:
    body = assert_problem(region.ask(**asked), 404, "not-found")
    assert says.format(year=SUMMER["academic_year"]) in body["detail"]


def test_before_any_release(admin: httpx.Client) -> None:
    body = assert_problem(admin.get("/v1/benchmarks/compare", params=SUMMER), 404, "not-found")
    assert "released are none yet" in body["detail"]
    assert body["released"] == []


def test_a_point_whose_only_release_was_withdrawn(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    def all_withdrawn(connection: Any) -> Any:
        first = releases(connection)[0]
        return [
            msgspec.structs.replace(
                row, withdrawn_at=first.withdrawn_at, withdrawn_because=first.withdrawn_because
            )
            for row in releases(connection)
        ]

    monkeypatch.setattr(projections.benchmarks.comparing, "releases", all_withdrawn)
    body = assert_problem(region.ask(), 404, "not-found")
    assert f"Release 2, which told it, was withdrawn: {BECAUSE}" in body["detail"]


@pytest.mark.parametrize(
    ("asked", "field_"),
    [
        ({"scheme": "runes"}, "scheme"),
        ({"academic_year": "2025/27"}, "point"),
        ({"assessment_point": "winter"}, "assessment_point"),
        ({"assessment_point": None}, "assessment_point"),
        ({"release": 0}, "release"),
        ({"format": "pdf"}, "format"),
    ],
)
def test_what_cannot_be_asked(region: Region, asked: dict[str, Any], field_: str) -> None:
    body = assert_problem(region.ask(**asked), 422, "invalid-input")
    assert field_ in str(body)


@pytest.mark.parametrize("level", AccessLevel)
def test_every_level_sees_it_and_each_look_is_noted(region: Region, level: AccessLevel) -> None:
    for form in (None, "csv", "html"):
        before = len(reads(region.served, region.own, level))
        answer = region.ask(level, format=form)
        assert answer.status_code == 200
        assert "Surname" not in answer.text
        [read] = reads(region.served, region.own, level)[before:]
        assert (read.kind, read.named) == (ReadKind.COMPARISON, False)
        assert {str(pupil_id) for pupil_id in read.pupil_ids} == {
            region.pupil_ids[surname] for surname in region.values["summer"]
        }
        assert not any(pupil_id in answer.text for pupil_id in region.pupil_ids.values())


def test_terms_of_birth_are_not_for_those_without_names(region: Region) -> None:
    level = AccessLevel.READ_ONLY_NO_NAMES
    before = len(refusals(region.served, region.own, level))
    assert_problem(region.ask(level, characteristic="term_of_birth"), 403, "not-permitted")
    assert len(refusals(region.served, region.own, level)) == before + 1
    assert region.ask(AccessLevel.READ_ONLY, characteristic="term_of_birth").status_code == 200


def _csv(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "comparison.csv" in answer.headers["content-disposition"]
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_as_csv(region: Region) -> None:
    answer = region.ask().json()
    rows = _csv(region.ask(format="csv"))
    cells = answer["tables"][0]["rows"][0]["cells"]
    assert [row["Measure"] for row in rows] == list(cells)
    for row, cell in zip(rows, cells.values(), strict=True):
        for column, value in (("Own", cell["own"]["value"]), ("Released", cell["released"]["value"])):
            assert Decimal(row[column]) == Decimal(value)
        assert Decimal(row["Similar"]) == Decimal(cell["similar"]["value"])
    assert {row["Similar schools"] for row in rows} == {"unknown/up-to-100"}


def test_the_page_is_whole_in_itself(region: Region) -> None:
    answer = region.ask(format="html", subject=None)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    page = answer.text
    assert strangers(page) - {"rect"} == set()
    assert "url(" not in page
    assert page.count("<svg") == 2
    position = region.ask().json()["position"]
    assert f"(position {position})" in page
    assert "was counted for release 2" in page
    assert "Suppressed, so that no pupil and no school can be found." in page


def test_the_tenth_of_a_school_where_deciles_are_told(region: Region) -> None:
    """Deciles need sixty schools; these are written as the publisher writes them, beside the release."""
    deciles = ["0.150", "0.200", None, "0.300", "0.350", "0.400", "0.450", "0.500", "0.600"]
    key = (2, SUMMER["academic_year"], "summer", "steps", "MAT", "3", "below")
    with region.database.connect("postgres") as superuser:
        superuser.execute("DELETE FROM analytics.school_distribution WHERE release = 2 AND measure = 'below'")
        for decile, value in enumerate(deciles, 1):
            superuser.execute(
                "INSERT INTO analytics.school_distribution VALUES"
                " (%s, %s, %s, %s, %s, %s, %s, NULL, %s, %s, %s)",
                [*key, decile, value, None if value else "c"],
            )
        try:
            [row] = region.ask().json()["tables"][0]["rows"]
            page = region.ask(format="html").text
            [nobody] = region.ask(school=region.nobodys).json()["tables"][0]["rows"]
        finally:
            superuser.execute(
                "UPDATE analytics.school_distribution SET value = NULL, symbol = 'c'"
                " WHERE release = 2 AND measure = 'below'"
            )
    spread = row["cells"]["below"]["spread"]
    assert [figure["value"] for figure in spread["deciles"]] == deciles
    # Ten of 38 are 0.263: over the second decile, and of the third nobody knows.
    assert spread["tenth"] == {"lowest": 3, "highest": 4}
    assert "3 to 4" in page
    assert nobody["cells"]["below"]["spread"]["tenth"] is None
