"""Advisers at the command line: invited, listed, prolonged."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.school_time import today
from tests.cli.conftest import Run, Service, log_in

UNTIL = today() + timedelta(days=30)


def invite(run: Run, service: Service, *more: str, expect: int = 0, **changes: str) -> str:
    options = {
        "name": "A Moderator",
        "access": "read-only",
        "until": UNTIL.isoformat(),
        "reason": "Moderates writing",
        "password-file": str(service.password_file),
    } | changes
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    ended = run("staff", "invite", "moderator", *words, *more, expect=expect)
    return ended.out + ended.error


def test_an_adviser_is_invited_listed_and_prolonged(run: Run, service: Service, head: str) -> None:
    assert "Until" not in run("staff", "list").out
    said = invite(run, service)
    assert said == f"moderator can log in until {UNTIL.isoformat()}, with access read-only.\n"
    listed = run("staff", "list").out.splitlines()
    assert listed[0].split() == ["Username", "Name", "Access", "Classes", "Disabled", "Until", "Reason"]
    line = next(line for line in listed if line.startswith("moderator"))
    assert line.split()[-4:] == ["no", UNTIL.isoformat(), "Moderates", "writing"]
    later = UNTIL + timedelta(days=1)
    said = run("staff", "prolong", "Moderator", "--until", f"{later:%d/%m/%Y}").out
    assert said == f"moderator can log in until {later.isoformat()}.\n"
    assert later.isoformat() in run("staff", "list").out
    history = run("history", "--limit", "500", "--json").json["entries"]
    assert [entry["event"] for entry in history].count("staff.adviser-prolonged") == 1
    assert "Moderates writing" in run("history", "--limit", "500").out
    log_in(run, service, head, "moderator")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"until": "01/01/2020"}, "a day from"),
        ({"access": "admin"}, "any level but this"),
        ({"reason": " "}, "1 to 200 characters"),
    ],
)
def test_what_an_adviser_cannot_be(
    run: Run, service: Service, head: str, changes: dict[str, str], told: str
) -> None:
    assert told in invite(run, service, expect=1, **changes)


def test_the_schools_own_staff_have_no_end(run: Run, head: str) -> None:
    said = run("staff", "prolong", "head", "--until", UNTIL.isoformat(), expect=1)
    assert "not an adviser's account" in said.error
    assert "is not a date" in run("staff", "prolong", "head", "--until", "soon", expect=2).error
