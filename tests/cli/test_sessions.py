"""Registering, logging in and out; what is remembered, and where."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from scripts.cli.connection import login_key_in
from scripts.cli.failures import Misused
from tests.cli.conftest import OPERATOR_TOKEN, PASSWORD, Run, Service, log_in, register


def test_a_school_is_registered_once(run: Run, service: Service, urn: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "another.key"
    again = register(run, service, urn, expect=1, out=str(elsewhere))
    assert not elsewhere.exists()
    assert f"A school with URN {urn} is registered already" in again.error


def test_a_wrong_registration_is_answered_with_each_field(run: Run, service: Service) -> None:
    refused = register(run, service, "12", expect=1, region="Wales", establishment="x")
    lines = refused.error.splitlines()
    assert lines[1].split() == ["Field", "Found", "Accepted"]
    assert [line.split()[0] for line in lines[2:5]] == ["urn", "establishment", "region"]
    assert "East of England" in refused.error


def test_registering_needs_the_operators_token(run: Run, service: Service, tmp_path: Path) -> None:
    other = tmp_path / "token"
    other.write_text("not the operator's token, but as long")
    refused = register(run, service, "399999", expect=1, **{"operator-token-file": str(other)})
    assert "Not signed in" in refused.error
    missing = register(run, service, "399999", expect=2, **{"operator-token-file": str(tmp_path / "no")})
    assert "cannot be read" in missing.error


def test_login_remembers_the_session_for_its_owner_alone(
    run: Run, service: Service, urn: str, home: Path
) -> None:
    said = log_in(run, service, urn)
    kept, logged_in = said.out.splitlines()
    assert kept.startswith("The login key is kept in the file ")
    assert logged_in == "You are logged in as The Head (admin)."
    file = home / "session.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert sorted(path.name for path in home.iterdir()) == [
        "devices.json",
        "login-keys",
        "session.json",
    ]
    remembered = json.loads(file.read_text())
    assert remembered["token"].startswith("tt1_")
    assert PASSWORD not in file.read_text()
    assert OPERATOR_TOKEN not in file.read_text()


def test_whoami_and_logout(run: Run, head: str, home: Path) -> None:
    shown = run("whoami").out
    assert "The Head" in shown
    assert head in shown
    as_json = run("whoami", "--json").json
    assert as_json["facts"]["urn"] == head
    before = (home / "session.json").read_bytes()
    assert run("logout").out == "You are logged out.\n"
    assert not (home / "session.json").exists()
    assert "log in first" in run("whoami", expect=1).error
    assert run("logout").out == "You were not logged in.\n"
    (home / "session.json").write_bytes(before)
    ended = run("whoami", expect=1).error
    assert "target-tracker login" in ended
    assert run("logout").out == "You are logged out.\n"


def test_a_refused_login_says_not_why_and_remembers_nothing(
    run: Run, service: Service, urn: str, home: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not the password\n")
    key = ("--key-file", service.login_key_file(urn))
    for user, file in (("head", wrong), ("nobody", service.password_file)):
        said = run("login", "--urn", urn, "--user", user, "--password-file", file, *key, expect=1)
        assert said.error == "Login refused: The username or the password is not right\n"
    assert not home.exists()


def test_a_login_key_is_needed_once_and_a_damaged_one_is_said_to_be_one(
    run: Run, service: Service, urn: str, home: Path, tmp_path: Path
) -> None:
    words = ("login", "--urn", urn, "--user", "head", "--password-file", service.password_file)
    assert "--key-file" in run(*words, expect=2).error
    damaged = tmp_path / "damaged.key"
    damaged.write_text(service.login_key(urn)[:-20])
    refused = run(*words, "--key-file", damaged, expect=1).error
    assert refused.startswith("Login key refused: ")
    assert "of 550" in refused
    assert not home.exists()
    run(*words, "--key-file", service.login_key_file(urn))
    run("logout")
    run(*words)


def test_a_login_key_is_forgotten_when_that_is_asked_for(
    run: Run, service: Service, head: str, home: Path
) -> None:
    again = ("login", "--urn", head, "--user", "head", "--password-file", service.password_file)
    run("logout")
    run(*again)
    before = (home / "session.json").read_bytes()
    assert run("logout", "--forget-key").out == (
        "You are logged out.\nThe school's login key is not kept on this device any more.\n"
    )
    assert not list((home / "login-keys").iterdir())
    assert "name its file once, with --key-file" in run(*again, expect=2).error
    assert "You were not logged in" in run("logout", "--forget-key", expect=2).error
    run(*again, "--key-file", service.login_key_file(head))
    (home / "session.json").write_bytes(before)
    run("logout", "--forget-key")
    assert not list((home / "login-keys").iterdir()), "also with a session that had ended already"


def test_a_login_key_that_cannot_be_forgotten_is_said_to_be_there(
    run: Run, service: Service, head: str, home: Path
) -> None:
    for file in (home / "login-keys").iterdir():
        file.unlink()
        file.mkdir()
    said = run("logout", "--forget-key", expect=2)
    assert said.out == "You are logged out.\n"
    assert "cannot be removed" in said.error


@pytest.mark.parametrize(
    ("setting", "told"),
    [("off", "cannot be written: File exists"), ("yes", "TARGET_TRACKER_KEYRING must be off")],
)
def test_a_session_outlives_a_login_key_that_cannot_be_kept(
    run: Run, service: Service, urn: str, home: Path, setting: str, told: str
) -> None:
    home.mkdir()
    (home / "login-keys").write_text("a file, where a folder should be")
    words = ("--password-file", service.password_file, "--key-file", service.login_key_file(urn))
    said = run(
        "login", "--urn", urn, "--user", "head", *words, expect=2, TARGET_TRACKER_KEYRING=setting
    ).error
    assert "You are logged in as The Head (admin), but the login key is not kept" in said
    assert "--key-file" in said
    assert told in " ".join(said.split())
    assert "The Head" in run("whoami").out
    run("logout")


@pytest.mark.parametrize("blank", ["\r\n", "\u00a0", "\u200b", "\ufeff", "\u00ad"], ids=ascii)
def test_a_login_key_is_read_from_its_file_whatever_cannot_be_seen_in_it(tmp_path: Path, blank: str) -> None:
    file, key = tmp_path / "school.key", "aC2!" * 100
    file.write_text(f"{blank}{blank.join(key)}{blank}", encoding="utf-8", newline="")
    assert login_key_in(file) == key
    for nothing in (blank, f"{key}é", f"{key}\0"):
        file.write_text(nothing, encoding="utf-8", newline="")
        with pytest.raises(Misused, match="does not hold a login key"):
            login_key_in(file)


def test_a_password_is_never_taken_from_the_command_line(run: Run, service: Service, urn: str) -> None:
    key = ("--key-file", service.login_key_file(urn))
    said = run("login", "--urn", urn, "--user", "head", "--password", PASSWORD, *key, expect=2)
    assert "No such option" in said.error
    said = run("login", "--urn", urn, "--user", "head", *key, expect=2)
    assert "--password-file" in said.error


def test_a_password_comes_from_standard_input(run: Run, service: Service, urn: str) -> None:
    words = ("login", "--urn", urn, "--user", "head", "--key-file", service.login_key_file(urn))
    run(*words, "--password-file", "-", given=f"{PASSWORD}\n")
    assert "The Head" in run("whoami").out


def test_a_damaged_session_file_is_said_to_be_one(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "session.json").write_text("{")
    assert "is damaged" in run("whoami", expect=2).error


def test_a_session_is_shown_to_its_own_server_alone(run: Run, service: Service, head: str) -> None:
    other = service.url.replace("127.0.0.1", "localhost")
    said = run("--server", other, "whoami", expect=2)
    assert f"You are logged in at {service.url}" in said.error
    run("--server", f"{service.url}/", "whoami")
