"""A school's login keys: one more, taking one back, after a leak, and a new one from recovery."""

from __future__ import annotations

import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.vault.recovery_pair import write_recovery_pair
from scripts.cli import login_keys
from scripts.cli.client import ATTEMPTS
from scripts.cli.failures import Misused
from tests.cli.conftest import Run, Service, admit, log_in, register, runner
from tests.cli.test_connection import Answer, between

NO_SESSION = "Not signed in: "


def keys_of(run: Run) -> list[dict[str, Any]]:
    """The school's login keys, in the order in which they were issued."""
    listed: list[dict[str, Any]] = run("keys", "list", "--json").json
    return listed


def log_in_with(
    run: Run, service: Service, urn: str, key: Path, *, home: dict[str, str] | None = None, expect: int = 0
) -> str:
    """Logs the head in with a login key of one's choice."""
    words = ("--urn", urn, "--user", "head", "--password-file", service.password_file, "--key-file", key)
    ended = run("login", *words, expect=expect, **(home or {}))
    return ended.out + ended.error


class Office:
    """A second office of the school: with a login key of its own, on another machine."""

    def __init__(self, run: Run, service: Service, urn: str, folder: Path) -> None:
        self.key = folder / "back-office.key"
        self.home = {"TARGET_TRACKER_HOME": str(folder / "office")}
        run("keys", "issue", "--label", "Back office", "--out", self.key)
        log_in_with(run, service, urn, self.key, home=self.home)


@pytest.fixture
def office(run: Run, service: Service, head: str, tmp_path: Path) -> Office:
    return Office(run, service, head, tmp_path)


def test_a_key_is_issued_into_a_new_file_and_listed(
    run: Run, service: Service, head: str, tmp_path: Path
) -> None:
    out = tmp_path / "back-office.key"
    said = run("keys", "issue", "--label", "Back office", "--out", out).out
    first, second = keys_of(run)
    assert second["key_id"] in said
    assert str(out) in said
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    text = "".join(out.read_text(encoding="ascii").split())
    assert len(text) == 550
    assert text not in said
    assert max(map(len, out.read_text(encoding="ascii").splitlines())) <= 80
    assert (first["label"], first["origin"], first["sessions"]) == (None, "registration", 1)
    assert (second["label"], second["origin"], second["sessions"]) == ("Back office", "administrator", 0)
    log_in_with(run, service, head, out)
    heading, *lines = run("keys", "list").out.splitlines()
    assert heading.split() == ["Key", "Label", "From", "Issued", "Revoked", "Sessions"]
    assert [line.split()[0] for line in lines] == [first["key_id"], second["key_id"]]
    assert "Back office" in lines[1]
    assert [line.split()[-1] for line in lines] == ["1", "1"]


def test_a_key_file_that_is_there_is_never_overwritten(
    run: Run, service: Service, head: str, tmp_path: Path
) -> None:
    there = service.login_key_file(head)
    before = there.read_bytes()
    school = run("whoami", "--json").json["id"]
    recovery = ("--recovery-key", service.recovery_private)
    for words in (("keys", "issue", "--out", there), ("keys", "reissue", school, *recovery, "--out", there)):
        said = run(*words, expect=2, TARGET_TRACKER_DATABASE=service.database.conninfo()).error
        assert f"{there} is there already" in said
    assert "is there already" in register(run, service, "399998", expect=2, out=str(there)).error
    elsewhere = tmp_path / "no" / "new.key"
    assert "cannot be written" in run("keys", "issue", "--out", elsewhere, expect=2).error
    assert there.read_bytes() == before
    assert len(keys_of(run)) == 1, "no key was issued that has no file"


def test_a_lost_answer_leaves_no_empty_key_file(run: Run, service: Service, urn: str, tmp_path: Path) -> None:
    out = tmp_path / "new.key"
    answers: list[Answer] = []
    with between(service, answers, []) as server:
        words = ("--password-file", service.password_file, "--key-file", service.login_key_file(urn))
        run("login", "--server", server, "--urn", urn, "--user", "head", *words)
        answers += [None] * ATTEMPTS
        said = run("keys", "issue", "--out", out, expect=3, TARGET_TRACKER_SERVER=server).error
        assert "nobody has it" in said
        assert not out.exists()
        answers += [None]
        run("keys", "issue", "--out", out, TARGET_TRACKER_SERVER=server)
    log_in_with(run, service, urn, out)


def test_a_key_that_finds_no_room_leaves_no_file(tmp_path: Path) -> None:
    out = tmp_path / "new.key"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    out.touch()
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # as on a disk that is full
        with pytest.raises(Misused, match="nobody has it"):
            login_keys.write_key_file(out, "K" * 550)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not out.exists()


def test_a_registration_whose_answer_is_lost_is_helped_by_recovery(
    run: Run, service: Service, tmp_path: Path
) -> None:
    out, urn = tmp_path / "school.key", "399997"
    with between(service, [None], []) as server:
        said = register(runner(replace(service, url=server)), service, urn, expect=2, out=str(out))
    assert "keys reissue" in said.error
    assert not out.exists()
    school = said.out.split("School id")[1].split()[0]
    reissue(run, service, school, out)
    log_in_with(run, service, urn, out)


def test_a_revoked_keys_sessions_are_out_at_the_next_request_and_the_other_office_goes_on(
    run: Run, service: Service, head: str, office: Office
) -> None:
    first = keys_of(run)[0]["key_id"]
    said = run("keys", "revoke", first, **office.home).out
    assert said == "The login key is revoked, and 1 session ended.\n"
    assert run("whoami", expect=1).error.startswith(NO_SESSION)
    run("whoami", **office.home)
    refused = log_in_with(run, service, head, service.login_key_file(head), expect=1)
    assert refused.startswith("Login key refused: ")
    assert "revoked" in refused
    log_in_with(run, service, head, office.key, home=office.home)
    revoked, other = run("keys", "list", "--json", **office.home).json
    assert revoked["revoked_at"]
    assert not other["revoked_at"]
    assert "no session ended" in run("keys", "revoke", first, **office.home).out


@contextmanager
def sessions_outlive_their_keys(service: Service, school_id: str) -> Iterator[None]:
    """Breaks one school: its sessions are not removed any more, whatever is asked for."""
    with service.database.connect("postgres") as connection:
        connection.execute(
            "CREATE FUNCTION keep_session() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        )
        connection.execute(
            "CREATE TRIGGER keep BEFORE DELETE ON vault.sessions FOR EACH ROW "
            f"WHEN (OLD.school_id = '{school_id}') EXECUTE FUNCTION keep_session()".encode()
        )
        try:
            yield
        finally:
            connection.execute("DROP FUNCTION keep_session CASCADE")


def test_a_session_that_outlived_its_key_would_be_noticed(run: Run, service: Service, office: Office) -> None:
    """The sabotaged twin: the key is revoked, its session stays, and the same request is answered."""
    first = keys_of(run)[0]["key_id"]
    with sessions_outlive_their_keys(service, run("whoami", "--json").json["id"]):
        run("keys", "revoke", first, **office.home)
        run("whoami")


def test_after_a_leak_everything_reads_as_before_with_the_other_key(
    run: Run, service: Service, head: str, office: Office
) -> None:
    pupil = admit(run, "Adams", "Zoë", upn="B801200005001", postcode="CM1 1QH", ethnicity="WBRI")
    result = ("--subject", "REA", "--value", "3w", "--year", "2025/26", "--term", "summer")
    run("assess", "record", pupil, *result)
    reads = (("pupils", "show", pupil), ("pupils", "list"), ("pupils", "history", pupil), ("staff", "list"))
    before = [run(*words).out for words in reads]
    first = keys_of(run)[0]["key_id"]
    said = run("keys", "revoke", first, "--leaked").out
    assert said.splitlines()[0] == "The login key is revoked, and 2 sessions ended."
    assert "log in again" in said
    assert run("whoami", expect=1).error.startswith(NO_SESSION)
    assert run("whoami", expect=1, **office.home).error.startswith(NO_SESSION)
    leaked = log_in_with(run, service, head, service.login_key_file(head), expect=1)
    assert leaked.startswith("Login key refused: ")
    log_in_with(run, service, head, office.key)
    assert [run(*words).out for words in reads] == before
    new = admit(run, "Brook")
    run("pupils", "change", pupil, "class_name=Elm")
    assert "Elm" in run("pupils", "show", pupil).out
    assert new in run("pupils", "search", "brook").out
    assert "leaked" in run("keys", "list").out


def test_the_only_key_is_not_replaced_since_nobody_could_log_in(run: Run, head: str) -> None:
    [only] = keys_of(run)
    assert "only login key" in run("keys", "revoke", only["key_id"], "--leaked", expect=1).error
    run("whoami")
    said = run("keys", "revoke", only["key_id"]).out
    assert "issue one from recovery" in said


def reissue(run: Run, service: Service, school: str, out: Path, expect: int = 0, **changes: Any) -> str:
    """Issues a login key from recovery, on the service's host."""
    given = {"recovery": service.recovery_private, "TARGET_TRACKER_DATABASE": service.database.conninfo()}
    given |= changes
    recovery = ("--recovery-key", given.pop("recovery"))
    ended = run("keys", "reissue", school, *recovery, "--out", out, expect=expect, **given)
    return ended.out + ended.error


def test_a_school_that_lost_its_key_is_given_another(
    run: Run, service: Service, head: str, tmp_path: Path
) -> None:
    pupil = admit(run, "Adams", "Zoë", postcode="CM1 1QH")
    shown = run("pupils", "show", pupil).out
    school = run("whoami", "--json").json["id"]
    run("logout")
    service.login_key_file(head).unlink()
    out = tmp_path / "new.key"
    said = reissue(run, service, school, out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    log_in_with(run, service, head, out)
    assert run("pupils", "show", pupil).out == shown
    lost, new = keys_of(run)
    assert new["key_id"] in said
    assert (new["origin"], new["sessions"]) == ("recovery", 1)
    run("keys", "revoke", lost["key_id"], "--leaked")
    log_in_with(run, service, head, out)
    assert run("pupils", "show", pupil).out == shown


def test_another_recovery_key_gives_nothing(run: Run, service: Service, head: str, tmp_path: Path) -> None:
    school = run("whoami", "--json").json["id"]
    another, _ = write_recovery_pair(tmp_path)
    out = tmp_path / "new.key"
    said = reissue(run, service, school, out, expect=1, recovery=another)
    assert said.startswith("Sealed data does not open: ")
    said = reissue(run, service, school, out, expect=2, recovery=service.recovery_public)
    assert "holds the public half" in said
    nobody = "01920000-0000-7000-8000-000000000000"
    assert reissue(run, service, nobody, out, expect=1).startswith("Not found: ")
    assert not out.exists()
    assert len(keys_of(run)) == 1


def test_a_careless_command_would_be_noticed(
    run: Run, service: Service, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: where the file's newness is not looked at, the key that was there is gone."""
    there = service.login_key_file(head)
    before = there.read_bytes()
    monkeypatch.setattr(login_keys, "new_key_file", lambda path: path.touch())
    run("keys", "issue", "--out", there)
    assert there.read_bytes() != before


def test_sessions_are_listed_and_ended(run: Run, service: Service, head: str, office: Office) -> None:
    [mine, other] = sorted(run("sessions", "list", "--json").json, key=lambda each: not each["current"])
    heading, *lines = run("sessions", "list").out.splitlines()
    assert heading.split() == ["Session", "User", "Opened", "Last", "used"]
    assert {line.split()[0] for line in lines} == {mine["session_id"], other["session_id"]}
    assert {line.split()[1] for line in lines} == {"head"}
    [current] = [line for line in lines if line.endswith("this one")]
    assert current.startswith(mine["session_id"])
    assert run("sessions", "end", other["session_id"]).out == "The session has ended.\n"
    assert run("whoami", expect=1, **office.home).error.startswith(NO_SESSION)
    run("whoami")
    assert "Not found" in run("sessions", "end", other["session_id"], expect=1).error


def test_a_colleague_is_signed_out_everywhere_and_may_come_back(
    run: Run, service: Service, head: str, tmp_path: Path
) -> None:
    words = ("--access", "read-write", "--password-file", service.password_file)
    run("staff", "add", "deputy", "--name", "Dana", *words)
    key = ("--password-file", service.password_file, "--key-file", service.login_key_file(head))
    homes = [{"TARGET_TRACKER_HOME": str(tmp_path / name)} for name in ("laptop", "classroom")]
    for home in homes:
        run("login", "--urn", head, "--user", "deputy", *key, **home)
    said = run("staff", "sign-out", "Deputy").out
    assert said == "deputy is signed out: sessions that ended: 2.\n"
    for home in homes:
        assert run("whoami", expect=1, **home).error.startswith(NO_SESSION)
    run("whoami")
    log_in(run, service, head, "deputy")
    assert run("staff", "sign-out", "head", expect=1).error.startswith("Not permitted: ")
