"""Bundles through the command: private files, whole or not there."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path

import pytest

from scripts.cli.client import Client
from tests.cli.conftest import Run, Service, admit, log_in
from tests.photographs import jpeg


@pytest.fixture
def pupil(run: Run, head: str, tmp_path: Path) -> str:
    pupil = admit(run, "Marmosetcanary", "Zoë")
    photograph = tmp_path / "IMG_0001.jpg"
    photograph.write_bytes(jpeg())
    run("observations", "add", pupil, "--text", "Shared the conkers.", "--photograph", photograph)
    return pupil


def test_a_childs_bundle(run: Run, pupil: str, tmp_path: Path) -> None:
    file = tmp_path / "child.zip"
    said = run("pupils", "bundle", pupil, "--output", file).out
    assert said.startswith(f"Written: {file}")
    assert "Look through" in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        assert "Marmosetcanary" in archive.read("index.html").decode()
        assert archive.namelist()[2] == "photographs/0001.jpg"
    assert "is whole" in run("bundle", "check", file).out
    before = file.read_bytes()
    assert "is there already" in run("pupils", "bundle", pupil, "--output", file, expect=2).error
    assert file.read_bytes() == before


def test_the_schools_bundle(run: Run, pupil: str, tmp_path: Path) -> None:
    file = tmp_path / "school.zip"
    run("bundle", "school", "--output", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        [line] = archive.read("pupils.ndjson").splitlines()
        assert "pupils.ndjson" in archive.read("README.txt").decode()
    assert json.loads(line)["pupil_id"] == pupil


def test_a_flipped_byte_is_told(run: Run, pupil: str, tmp_path: Path) -> None:
    file = tmp_path / "child.zip"
    run("pupils", "bundle", pupil, "--output", file)
    content = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as archive:
        place = archive.getinfo("photographs/0001.jpg").header_offset + 200
    content[place] ^= 1
    file.write_bytes(content)
    told = run("bundle", "check", file, expect=2)
    assert "photographs/0001.jpg is not what the manifest says" in told.out
    assert "cannot be read" in run("bundle", "check", tmp_path / "nothing.zip", expect=2).error


def test_what_is_refused_leaves_no_file(run: Run, service: Service, head: str, tmp_path: Path) -> None:
    file = tmp_path / "child.zip"
    nobody = "01a20a46-a8e1-77b9-8d52-85e3ffe647cc"
    run("pupils", "bundle", nobody, "--output", file, expect=1)
    assert not file.exists()
    words = ("--name", "Gus", "--access", "read-write", "--password-file", service.password_file)
    run("staff", "add", "gus", *words)
    log_in(run, service, head, "gus")
    for command in (("bundle", "school"), ("pupils", "bundle", nobody)):
        assert "access level" in run(*command, "--output", file, expect=1).error
        assert not file.exists()
    assert "cannot be written" in run("bundle", "school", "--output", tmp_path / "no" / "f", expect=2).error


def test_what_broke_off_leaves_no_file(
    run: Run, pupil: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(_: Client, path: str, file: object) -> int:
        return file.write(b"PK\x03\x04, and then nothing")  # type: ignore[attr-defined, no-any-return]

    monkeypatch.setattr(Client, "download", half)
    file = tmp_path / "child.zip"
    assert "no whole bundle" in run("pupils", "bundle", pupil, "--output", file, expect=3).error
    assert not file.exists()
