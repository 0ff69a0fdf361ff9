"""Pupils through the command: the roll, one child, changes, history, how it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from domain.codes.upn import make_upn
from scripts.cli.client import Client
from scripts.cli.remembered import recall
from tests.cli.conftest import Run, Service, admit

NOBODY = "01920000-0000-7000-8000-000000000000"


def test_a_pupil_is_admitted_found_and_shown(run: Run, head: str) -> None:
    pupil = admit(run, "Adams", "Zoë", upn="B801200005001")
    admit(run, "Brook", class_name="Elm", nc_year="4")
    assert pupil in run("pupils", "list").out
    assert run("pupils", "list").out.endswith("2 pupils\n")
    assert run("pupils", "list", "--class", " OAK ").out.endswith("1 pupil\n")
    assert run("pupils", "list", "--nc-year", "Y4").out.splitlines()[1].endswith("Brook, Robin  4     Elm")
    for words in (["zoe ad"], ["--upn", "B801200005001"], ["--class", "oak", "--nc-year", "3"]):
        assert run("pupils", "search", *words).out.splitlines()[1].startswith(pupil)
    assert run("pupils", "search", "nobody").out == "No pupils.\n"
    shown = run("pupils", "show", pupil).out
    assert shown.startswith("Adams, Zoë\n")
    assert "04 Mar 2018" in shown


def test_json_is_the_apis_own(run: Run, service: Service, head: str) -> None:
    pupil = admit(run, "Adams")
    session = recall()
    assert session
    with Client(service.url, ca=service.certificates.ca, token=session.token) as client:
        client.position = session.position
        for words, path in (
            (["pupils", "show", pupil], f"/v1/pupils/{pupil}"),
            (["pupils", "history", pupil], f"/v1/pupils/{pupil}/history"),
            (["pupils", "list"], "/v1/pupils"),
            (["staff", "list"], "/v1/staff"),
            (["history"], "/v1/history"),
            (["logins"], "/v1/logins"),
            (["benchmarks"], "/v1/benchmarks"),
            (["whoami"], "/v1/school"),
        ):
            in_a_quiet_moment(partial(as_json, run, words), partial(body_of, client, path))
        in_a_quiet_moment(
            lambda: run("pupils", "search", "adams", "--json").json,
            lambda: client.search("/v1/pupils/search", {"name": "adams"}).body,
        )


def as_json(run: Run, words: list[str]) -> object:
    return run(*words, "--json").json


def body_of(client: Client, path: str) -> object:
    return client.query(path).body


def in_a_quiet_moment(shown: Callable[[], object], answered: Callable[[], object]) -> None:
    """Compares the two while nothing happens: what is read is recorded a second later, and moves both."""
    for _ in range(5):
        before, found, after = answered(), shown(), answered()
        if before == after:
            assert found == before
            return
    raise AssertionError("the stream does not come to rest")


def test_more_pupils_than_a_page_holds_are_all_listed(run: Run, head: str, tmp_path: Path) -> None:
    rows = ["Surname,Forename,DOB,Gender,DOA"]
    rows += [f"Surname{number},Robin,04/03/2018,F,01/09/2022" for number in range(1003)]
    file = tmp_path / "many.csv"
    file.write_text("\n".join(rows))
    run("import", file)
    assert run("pupils", "list").out.endswith("1003 pupils\n")
    as_json = run("pupils", "list", "--json").json
    assert len({pupil["pupil_id"] for pupil in as_json["pupils"]}) == 1003
    assert as_json["next"] is None


def test_what_is_changed_here_is_shown_next(run: Run, head: str) -> None:
    pupil = admit(run, "Adams")
    for number in range(2, 12):
        run("pupils", "change", pupil, f"class_name=Class {number}")
        shown = run("pupils", "show", pupil, "--json").json["pupil"]
        assert (shown["class_name"], shown["version"]) == (f"Class {number}", number)


def test_a_field_is_emptied_and_a_file_gives_others(run: Run, head: str, tmp_path: Path) -> None:
    pupil = admit(run, "Adams", free_school_meals="yes")
    file = tmp_path / "fields.json"
    file.write_text('{"postcode": "cm1 1qh", "first_language": "POL"}')
    run("pupils", "change", pupil, "class_name=", "first_language=ENG", "--file", file)
    shown = run("pupils", "show", pupil, "--json").json["pupil"]
    assert shown["class_name"] is None
    assert shown["free_school_meals"] is True
    assert (shown["postcode"], shown["first_language"]) == ("CM1 1QH", "ENG")


def test_a_change_against_another_version_is_refused(run: Run, head: str) -> None:
    pupil = admit(run, "Adams")
    run("pupils", "change", pupil, "nc_year=4", "--version", "1")
    refused = run("pupils", "change", pupil, "nc_year=5", "--version", "1", expect=1)
    assert "against version 1; there is version 2 now" in refused.error
    assert run("pupils", "show", pupil, "--json").json["pupil"]["nc_year"] == "4"


def test_leaving_and_returning(run: Run, head: str) -> None:
    pupil = admit(run, "Adams")
    said = run("pupils", "leave", pupil, "--on", "23/10/2026", "--destination", "Another School")
    assert said.out == "Off the roll from 23 Oct 2026.\n"
    assert run("pupils", "list").out == "No pupils.\n"
    assert pupil in run("pupils", "list", "--left").out
    assert run("pupils", "leave", pupil, expect=1).error.startswith("Conflict: ")
    run("pupils", "return", pupil, "--on", "2026-11-02")
    assert pupil in run("pupils", "list").out


def test_history_and_how_it_was(run: Run, head: str) -> None:
    pupil = admit(run, "Adams", nc_year="3")
    admitted = run("pupils", "show", pupil, "--json").json["position"]
    run("pupils", "change", pupil, "nc_year=4")
    told = run("pupils", "history", pupil).out
    assert "pupil.admitted" in told
    assert "pupil.changed" in told
    assert "The Head" in told
    position = run("pupils", "history", pupil, "--json").json["entries"][0]["position"]
    assert position <= admitted
    then = run("pupils", "show", pupil, "--as-at-position", position, "--json").json["pupil"]
    assert then["nc_year"] == "3"
    assert run("pupils", "list", "--as-at-position", position - 1).out == "No pupils.\n"
    assert pupil in run("pupils", "list", "--as-at-position", position, "--class", "oak").out
    assert run("pupils", "list", "--as-at", "01/09/2025").out == "No pupils.\n"
    both = run("pupils", "list", "--as-at", "2025-09-01", "--as-at-position", 1, expect=1)
    assert "a day or a position, not both" in both.error


def test_what_cannot_be_read_is_answered_field_by_field(run: Run, head: str, tmp_path: Path) -> None:
    said = run(
        "pupils", "admit", "date_of_birth=yesterday", "gifted=perhaps", "colour=red", "sex", expect=2
    ).error
    assert [line.split()[0] for line in said.splitlines()[2:6]] == [
        "date_of_birth",
        "gifted",
        "colour",
        "sex",
    ]
    said = run("pupils", "admit", "surname=Adams", "forename=Robin", expect=1).error
    assert [line.split()[0] for line in said.splitlines()[2:5]] == ["date_of_birth", "sex", "date_of_entry"]
    assert "FIELD=VALUE" in run("pupils", "change", NOBODY, expect=2).error
    file = tmp_path / "fields.json"
    file.write_text("[]")
    assert "is not a JSON object" in run("pupils", "admit", "--file", file, expect=2).error
    assert "Say what to search for" in run("pupils", "search", expect=2).error
    assert "is not an id" in run("pupils", "show", "123", expect=2).error
    assert "no pupil with that id" in run("pupils", "show", NOBODY, expect=1).error
    assert "is not a date" in run("pupils", "list", "--as-at", "31/02/2026", expect=2).error
    assert "There is no class Nowhere" in run("pupils", "list", "--class", "Nowhere", expect=1).error


def test_nothing_is_dated_before_a_birth(run: Run, head: str, tmp_path: Path) -> None:
    pupil = admit(run, "Adams")
    file = tmp_path / "fields.json"
    file.write_text('{"meals_periods": [{"start": "2018-03-03"}]}')
    for words in (
        ("pupils", "change", pupil, "--file", file),
        ("concerns", "open", pupil, "Speech", "--on", "2018-03-03"),
    ):
        said = run(*words, expect=1).error
        assert "a day from the child's birth on" in said
        assert "2018-03-04" not in said
    file.write_text('{"meals_periods": [{"start": "2018-03-04"}]}')
    run("pupils", "change", pupil, "--file", file)


def test_what_has_changed_after_a_position(run: Run, head: str) -> None:
    first, second = admit(run, "Adams"), admit(run, "Bennett")
    said = run("pupils", "changes", "--after", "0").out
    assert first in said
    assert "Bennett" in said
    position = said.split()[-1]
    assert said.endswith(f"2 pupils; go on with --after {position}\n")
    run("pupils", "change", second, "class_name=Elm", f"upn={make_upn(881, 2001, 2020, 7)}")
    answer = run("pupils", "changes", "--after", position, "--json").json
    assert [pupil["pupil_id"] for pupil in answer["pupils"]] == [second]
    assert answer["changes"][0]["what"] == ["pupil"]
    assert "Another UPN" in run("pupils", "changes", "--after", position).out
    said = run("pupils", "changes", "--after", str(answer["position"])).out
    assert said == f"0 pupils; go on with --after {said.split()[-1]}\n"


def test_the_help_names_every_field_that_can_be_set(run: Run) -> None:
    told = " ".join(run("pupils", "change", "--help", COLUMNS="200").out.replace("│", " ").split())
    for field in ("surname", "meals_periods", "post_looked_after", "enrolment_status", "hand_back"):
        assert field in told
    assert "{FILE} [FILE]" in run("import", "--help").out
