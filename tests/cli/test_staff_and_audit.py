"""Staff accounts, the history of the school, and who logged in."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run, Service, admit, log_in


def add(run: Run, service: Service, username: str, access: str, *more: str, expect: int = 0) -> str:
    words = ["--name", f"Name of {username}", "--access", access, "--password-file", service.password_file]
    ended = run("staff", "add", username, *words, *more, expect=expect)
    return ended.out + ended.error


def test_an_account_is_made_changed_disabled_and_enabled(run: Run, service: Service, head: str) -> None:
    assert add(run, service, "deputy", "read-write") == "deputy can log in, with access read-write.\n"
    run("staff", "set-access", "DEPUTY", "--access", "limited-read-write", "--class", "Oak", "--class", "Elm")
    line = next(line for line in run("staff", "list").out.splitlines() if line.startswith("deputy"))
    assert line.split() == ["deputy", "Name", "of", "deputy", "limited-read-write", "Oak,", "Elm", "no"]
    run("staff", "disable", "deputy")
    log_in(run, service, head, "deputy", expect=1)
    run("staff", "enable", "deputy")
    log_in(run, service, head, "deputy")


def test_what_cannot_be_done_to_accounts(run: Run, service: Service, head: str) -> None:
    add(run, service, "deputy", "read-write")
    assert "that username already" in add(run, service, "Deputy", "read-only", expect=1)
    assert "for limited-read-write only" in add(run, service, "x", "read-only", "--class", "Oak", expect=1)
    assert "last administrator" in run("staff", "disable", "head", expect=1).error
    assert "Nobody at this school has the username y" in run("staff", "disable", "y", expect=1).error
    assert "read-only-nonames" in add(run, service, "z", "king", expect=2)


def test_passwords_are_set_by_oneself_and_by_administrators(
    run: Run, service: Service, head: str, tmp_path: Path
) -> None:
    add(run, service, "governor", "read-only")
    new, key = tmp_path / "new", ("--key-file", service.login_key_file(head))
    new.write_text("another long password\n")
    run("staff", "set-password", "governor", "--password-file", new)
    log_in(run, service, head, "governor", expect=1)
    run("login", "--urn", head, "--user", "governor", "--password-file", new, *key)
    run("staff", "set-password", "--password-file", service.password_file)
    log_in(run, service, head, "governor")
    run("staff", "set-password", "head", "--password-file", new, expect=1)
    new.write_text("short\n")
    assert "8 to 1000 characters" in run("staff", "set-password", "--password-file", new, expect=1).error


def test_no_names_for_those_who_may_not_see_them(run: Run, service: Service, head: str) -> None:
    pupil = admit(run, "Adams", "Zoë", upn="B801200005001", postcode="CM1 1QH")
    add(run, service, "adviser", "read-only-nonames")
    log_in(run, service, head, "adviser")
    for words in (
        ["pupils", "list"],
        ["pupils", "show", pupil],
        ["pupils", "history", pupil],
        ["sheet", "template", "--class", "Oak"],
        ["sheet", "show", "--class", "Oak", "--year", "2025", "--term", "summer"],
    ):
        shown = run(*words).out
        assert pupil in shown or "pupil.admitted" in shown
        for name in ("Adams", "Zoë", "B801200005001", "2018", "CM1"):
            assert name not in shown
    assert "does not show names" in run("pupils", "search", "adams", expect=1).error
    for words in (["staff", "list"], ["logins"], ["history"], ["pupils", "change", pupil, "nc_year=4"]):
        assert run(*words, expect=1).error.startswith("Not permitted: ")


def test_logins_by_user_and_day(run: Run, service: Service, head: str, tmp_path: Path) -> None:
    add(run, service, "deputy", "read-write")
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong\n")
    for user in ("deputy", "nobody"):  # the login key was remembered when the head logged in
        run("login", "--urn", head, "--user", user, "--password-file", wrong, expect=1)
    # A command of one's own, after which queries show everything up to it.
    run("staff", "enable", "deputy")
    everybody = run("logins").out.splitlines()
    assert [line.split("  ")[-1].strip() for line in everybody[1:]] == ["unknown user", "wrong password", "–"]
    assert "nobody known" in everybody[1]
    of_deputy = run("logins", "--user", "Deputy").out.splitlines()
    assert len(of_deputy) == 2
    assert "Name of deputy" in of_deputy[1]
    assert run("logins", "--since", "2090-01-01", "--json").json["logins"] == []
    assert run("logins", "--until", "01/01/2020", "--json").json["logins"] == []
    first = run("logins", "--limit", "1").out.splitlines()[-1]
    assert first.startswith("There is more: --before ")
    assert len(run("logins", "--before", first.split()[-1]).out.splitlines()) == 3


def test_the_schools_history_page_by_page(run: Run, head: str) -> None:
    admit(run, "Adams")
    page = run("history", "--limit", "2").out.splitlines()
    assert page[1].split()[0] == "1"
    assert "school.registered" in page[1]
    assert page[-1] == "There is more: --after 2"
    rest = run("history", "--after", "2").out
    assert "pupil.admitted" in rest
    assert "The Head" in rest
    assert "argon2" not in run("history", "--json").out
