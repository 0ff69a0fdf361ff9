"""Permissions and releases through the command: what is refused leaves no file."""

from __future__ import annotations

import json
import stat
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Service, admit, log_in, register

UNTIL = (date.today() + timedelta(days=30)).isoformat()  # noqa: DTZ011 - a day
WHO = ("--recipient", "Countyshire Council", "--purpose", "Moderation of writing")


@pytest.fixture
def urn(run: Run, service: Service, urn: str) -> str:
    """A school whose administrator another one has appointed headteacher."""
    log_in(run, service, urn)
    words = ("--name", "Dee", "--access", "admin", "--password-file", service.password_file)
    run("staff", "add", "dee", *words)
    assert "Nobody appoints themselves" in run("staff", "appoint-headteacher", "head", expect=1).error
    log_in(run, service, urn, "dee")
    assert "head is headteacher now" in run("staff", "appoint-headteacher", "head").out
    return urn


def given(run: Run, *words: str) -> str:
    said = run("permissions", "give", *WHO, "--until", UNTIL, *words).out
    return said.split("permission ")[1].split(",")[0]


def test_a_permission_is_given_used_listed_and_revoked(run: Run, head: str, tmp_path: Path) -> None:
    admit(run, "Marmosetcanary", "Zoë")
    permission = given(run, "--scope", "named-pupils", "--class", "Oak")
    file = tmp_path / "release.zip"
    words = ("release", "named", "--permission", permission, *WHO, "--output")
    assert run(*words, file).out.startswith(f"Written to {file}. Hand it to Countyshire Council")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        cover = json.loads(archive.read("cover-sheet.json"))
        assert "Marmosetcanary" in archive.read("pupils.csv").decode()
    assert (cover["permission_id"], cover["until"], cover["urn"]) == (permission, UNTIL, head)
    assert "is whole" in run("bundle", "check", file).out
    assert "is there already" in run(*words, file, expect=2).error
    [listed] = json.loads(run("permissions", "list", "--json").out)
    assert len(listed["releases"]) == 1
    assert "named pupils" in run("permissions", "list").out
    told = run("usage").out
    assert "released" in told
    assert "permission to release named data given" in told
    run("permissions", "revoke", permission)
    other = tmp_path / "other.zip"
    assert "revoked" in run(*words, other, expect=1).error
    assert not other.exists()


def test_figures(run: Run, head: str, tmp_path: Path) -> None:
    permission = given(run, "--scope", "school-figures")
    file = tmp_path / "figures.zip"
    words = ("release", "named", "--permission", permission, *WHO, "--output", file)
    assert "scope" in run(*words, expect=1).error
    assert not file.exists()
    run(*words, "--scope", "school-figures")
    with zipfile.ZipFile(file) as archive:
        assert set(archive.namelist()) == {"cover-sheet.json", "school-figures.csv", "manifest.json"}


def test_nothing_is_released_that_there_is_no_place_for(run: Run, head: str, tmp_path: Path) -> None:
    admit(run, "Someone")
    permission = given(run, "--scope", "named-pupils")
    words = ("release", "named", "--permission", permission, *WHO, "--output", tmp_path / "no" / "file.zip")
    assert "cannot be written" in run(*words, expect=2).error
    [listed] = json.loads(run("permissions", "list", "--json").out)
    assert listed["releases"] == []


def test_the_operator_registers_and_appoints(run: Run, service: Service, tmp_path: Path) -> None:
    urn = "399001"
    register(run, service, urn)
    log_in(run, service, urn)
    [head] = json.loads(run("staff", "list", "--json").out)
    assert not head["headteacher"]
    key = ("--login-key-file", service.login_key_file(urn))
    assert "is headteacher now" in run("staff", "appoint-headteacher", head["staff_id"], *key).out
    assert "Headteacher" in run("staff", "list").out
    assert "not headteacher any more" in run("staff", "end-headteacher", "head").out
