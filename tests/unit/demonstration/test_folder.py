"""The demo's folder: made once, kept, held by one demo at a time, and quoted for shells."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import pytest

from domain.errors import Conflict, Misconfigured
from scripts.demonstration.folder import DemoFolder

DAY = date(2026, 11, 23)


@pytest.fixture
def folder(tmp_path: Path) -> DemoFolder:
    folder = DemoFolder(tmp_path / "demo")
    folder.path.mkdir()
    return folder


def test_what_is_there_is_kept(folder: DemoFolder) -> None:
    first = folder.prepare(DAY)
    secrets = (folder.password(), folder.operator_token())
    assert folder.prepare(date(2027, 1, 1)) == first
    assert (folder.password(), folder.operator_token()) == secrets
    assert len(folder.password()) >= 15
    assert len(folder.operator_token()) >= 32


def test_a_damaged_state_is_said_to_be_one(folder: DemoFolder) -> None:
    folder.prepare(DAY)
    (folder.path / "state.json").write_text("{")
    with pytest.raises(Misconfigured, match="--fresh"):
        folder.prepare(DAY)


def test_it_is_held_by_one_at_a_time(folder: DemoFolder) -> None:
    with (
        folder.held(take_over=False),
        pytest.raises(Conflict, match="runs already"),
        DemoFolder(folder.path).held(take_over=False),
    ):
        pass
    with DemoFolder(folder.path).held(take_over=False):
        pass


def test_removing_leaves_only_the_lock(folder: DemoFolder) -> None:
    with folder.held(take_over=False):
        folder.prepare(DAY)
        folder.remove()
        assert [path.name for path in folder.path.iterdir()] == ["lock"]


def test_the_environment_is_what_a_shell_reads(folder: DemoFolder, tmp_path: Path) -> None:
    folder.prepare(DAY)
    awkward = 'it\'s "a" $HOME `b` \\ value'
    folder.write_environment({"ONE": awkward, "TWO": ""}, tmp_path / "a b")
    script = f'. \'{folder.environment_file}\'; printf \'%s\\n\' "$ONE" "$TWO" "$PATH"'
    said = subprocess.run(
        ["/bin/sh", "-euc", script], env={"PATH": "/usr/bin"}, capture_output=True, text=True, check=True
    )
    assert said.stdout.splitlines() == [awkward, "", f"{tmp_path}/a b:/usr/bin"]
