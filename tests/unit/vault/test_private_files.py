"""Private files: what a sloppy way of writing one gets wrong, and this one does not."""

from __future__ import annotations

import os
import resource
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from domain.vault.private_files import READABLE, creating, replacing, write

Opening = Callable[[Path], AbstractContextManager[BinaryIO]]
"""A way to write a file, such as :func:`replacing`."""

OLD, NEW = b"what was there before", b"what is written now"


class Interrupted(BaseException):
    """As Ctrl-C interrupts."""


def replaced(opening: Opening, path: Path) -> None:
    with opening(path) as file:
        file.write(NEW)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def is_its_owners_at_the_end(opening: Opening, folder: Path) -> bool:
    """Also where a file that everybody could read was there before."""
    new, old = folder / "new", folder / "old"
    old.write_bytes(OLD)
    old.chmod(0o644)
    for path in (new, old):
        replaced(opening, path)
    return mode_of(new) == mode_of(old) == 0o600


def is_its_owners_all_the_time(opening: Opening, folder: Path) -> bool:
    before = os.umask(0)
    try:
        with opening(folder / "file") as file:
            file.write(NEW)
            file.flush()
            return {mode_of(path) for path in folder.iterdir()} == {0o600}
    finally:
        os.umask(before)


def follows_no_link(opening: Opening, folder: Path) -> bool:
    elsewhere, link = folder / "elsewhere", folder / "link"
    elsewhere.write_bytes(OLD)
    link.symlink_to(elsewhere)
    replaced(opening, link)
    return elsewhere.read_bytes() == OLD and link.read_bytes() == NEW and not link.is_symlink()


def is_all_or_nothing(opening: Opening, folder: Path) -> bool:
    """Whether the old file, or none, is left of a failure half way, and nothing beside it."""
    old = folder / "old"
    old.write_bytes(OLD)
    for path in (old, folder / "new"):
        for error in (OSError(28, "No space left on device"), ValueError(), Interrupted()):
            with suppress(OSError, ValueError, Interrupted), opening(path) as file:
                file.write(NEW)
                file.flush()
                raise error
    return list(folder.iterdir()) == [old] and old.read_bytes() == OLD


def is_seen_whole(opening: Opening, folder: Path) -> bool:
    """Whether whoever reads meanwhile finds the old file."""
    path = folder / "file"
    path.write_bytes(OLD)
    with opening(path) as file:
        file.write(NEW[:5])
        file.flush()
        meanwhile = path.read_bytes()
        file.write(NEW[5:])
    return meanwhile == OLD and path.read_bytes() == NEW


CHECKS = (
    is_its_owners_at_the_end,
    is_its_owners_all_the_time,
    follows_no_link,
    is_all_or_nothing,
    is_seen_whole,
)


def wrong_with(opening: Opening, folder: Path) -> set[str]:
    """The names of the checks that a way to write does not pass."""
    found = set()
    for check in CHECKS:
        inside = folder / check.__name__
        inside.mkdir()
        if not check(opening, inside):
            found.add(check.__name__)
    return found


def test_a_file_is_whole_and_its_owners(tmp_path: Path) -> None:
    assert wrong_with(replacing, tmp_path) == set()


@contextmanager
def touched(path: Path) -> Iterator[BinaryIO]:
    """As it once was: the mode is asked for, and counts only if the file is new."""
    path.touch(mode=0o600)
    with path.open("wb") as file:
        yield file


@contextmanager
def mended_at_the_end(path: Path) -> Iterator[BinaryIO]:
    with path.open("wb") as file:
        yield file
    path.chmod(0o600)


@contextmanager
def left_lying(path: Path) -> Iterator[BinaryIO]:
    partial = path.with_name(f".{secrets.token_hex(8)}")
    partial.touch(mode=0o600)
    with partial.open("wb") as file:
        yield file
    partial.replace(path)


@pytest.mark.parametrize(
    ("opening", "wrong"),
    [
        (touched, {"is_its_owners_at_the_end", "follows_no_link", "is_all_or_nothing", "is_seen_whole"}),
        (
            mended_at_the_end,
            {"is_its_owners_all_the_time", "follows_no_link", "is_all_or_nothing", "is_seen_whole"},
        ),
        (left_lying, {"is_all_or_nothing"}),
    ],
)
def test_sloppier_ways_would_be_noticed(opening: Opening, wrong: set[str], tmp_path: Path) -> None:
    """The sabotaged twins."""
    assert wrong_with(opening, tmp_path) == wrong


def full(_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(("module", "name"), [(os, "fsync"), (os, "replace")])
def test_of_what_does_not_reach_the_disk_nothing_is_left(
    module: object, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    with monkeypatch.context() as patch:
        patch.setattr(module, name, lambda *_: full(_))
        with pytest.raises(OSError, match="No space left"):
            write(path, NEW)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == OLD


def test_of_what_finds_no_room_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # as on a disk that is full
        with pytest.raises(OSError, match="File too large"):
            write(path, b"x" * 101)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_another_mode_can_be_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "file", NEW, READABLE)
    assert mode_of(tmp_path / "file") == 0o644


def test_a_new_file_takes_the_place_of_nothing(tmp_path: Path) -> None:
    there, link = tmp_path / "there", tmp_path / "link"
    there.write_bytes(OLD)
    link.symlink_to(tmp_path / "nowhere")
    for path in (there, link):
        with pytest.raises(FileExistsError), creating(path):
            pass
    assert there.read_bytes() == OLD
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "there"]


def test_nobody_can_lay_a_trap_for_the_partial_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if its name could be guessed."""
    monkeypatch.setattr(secrets, "token_hex", lambda _: "guessed")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(OLD)
    (tmp_path / ".guessed.partial").symlink_to(elsewhere)
    with pytest.raises(FileExistsError):
        write(tmp_path / "file", NEW)
    assert elsewhere.read_bytes() == OLD
    assert (tmp_path / ".guessed.partial").is_symlink()
    assert not (tmp_path / "file").exists()


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link, tmp_path, Path("/dev/null")):
        with pytest.raises(OSError, match="is not a file"):
            write(path, NEW)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert sorted(tmp_path.iterdir()) == [link, pipe]


def test_the_longest_name_that_there_is(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    write(path, NEW)
    assert path.read_bytes() == NEW
