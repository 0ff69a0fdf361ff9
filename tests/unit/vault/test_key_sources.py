"""Where keys come from: real files with real modes, changed under a running service."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from domain.errors import Misconfigured
from domain.vault import key_files
from domain.vault.key_ring import KeyRing, rotated
from domain.vault.key_sources import EnvironmentSource, FileSource, write

# Files


def test_a_ring_is_read_as_it_was_written(path: Path, ring: KeyRing) -> None:
    assert FileSource(path).load().document() == ring.document()


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_only_the_owner_reads_what_is_written(tmp_path: Path, ring: KeyRing, mask: int) -> None:
    before = os.umask(mask)
    try:
        write(tmp_path / "keys.json", ring)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]


def test_writing_over_an_open_file_closes_it(path: Path, ring: KeyRing) -> None:
    path.chmod(0o644)
    write(path, rotated(ring))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o660, 0o777])
def test_a_file_that_is_open_to_others_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(Misconfigured, match=rf"open to others \(its mode is {mode:03o}\).*chmod 600"):
        FileSource(path).load()


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_that_is_the_owners_alone_is_read(path: Path, mode: int) -> None:
    path.chmod(mode)
    FileSource(path).load()


def test_what_a_link_leads_to_counts(path: Path, ring: KeyRing) -> None:
    link = path.with_name("link.json")
    link.symlink_to(path)
    assert FileSource(link).load().current == ring.current
    path.chmod(0o644)
    with pytest.raises(Misconfigured, match="open to others"):
        FileSource(link).load()


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    source = FileSource(tmp_path / "nowhere.json")
    for ask in (source.load, source.version):
        with pytest.raises(Misconfigured, match=r"nowhere\.json cannot be read: No such file"):
            ask()


def test_a_wrong_file_is_said_with_its_name(path: Path) -> None:
    path.write_text("{", encoding="utf-8")
    with pytest.raises(Misconfigured, match=r"service-keys\.json: The service keys are not JSON"):
        FileSource(path).load()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    path: Path, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Misconfigured, match="cannot be written: No space left on device"):
        write(path, rotated(ring))
    with pytest.raises(Misconfigured, match="cannot be written"):
        key_files.create(path.with_name("another.json"), b"content")
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == ring.document()


class Reader:
    """Reads a file over and over while it is written, and counts how often what it finds is no ring."""

    def __init__(self, path: Path) -> None:
        self._source = FileSource(path)
        self._read = Event()
        self.torn = 0

    def read_while(self, writing: Callable[[], None]) -> None:
        with ThreadPoolExecutor(1) as pool:
            written = pool.submit(writing)
            while not written.done():
                try:
                    self._source.load()
                except Misconfigured:
                    self.torn += 1
                self._read.set()
            written.result()

    def has_read(self) -> None:
        """Returns when a read has begun and ended since it was called."""
        for _ in range(2):  # the first may have begun before
            self._read.clear()
            assert self._read.wait(10)


def torn_reads(path: Path, ring: KeyRing, reader: Reader) -> int:
    newer = rotated(ring)

    def writing() -> None:
        for _ in range(20):
            write(path, newer)
            write(path, ring)
        reader.has_read()

    reader.read_while(writing)
    return reader.torn


def test_a_reader_finds_the_old_file_or_the_new_one(path: Path, ring: KeyRing) -> None:
    assert torn_reads(path, ring, Reader(path)) == 0


def test_a_file_that_is_written_in_place_is_seen_torn(
    path: Path, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    reader = Reader(path)

    def in_place(path: Path, content: bytes) -> None:
        path.write_bytes(content[:100])
        reader.has_read()
        path.write_bytes(content)

    monkeypatch.setattr(key_files, "replace", in_place)
    assert torn_reads(path, ring, reader) >= 40


# The environment


def test_a_ring_comes_from_the_environment(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEYS", ring.document().decode())
    assert EnvironmentSource("SOME_KEYS").load().document() == ring.document()
    assert EnvironmentSource("SOME_KEYS").version() == EnvironmentSource("SOME_KEYS").version()


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "is not set"), ("", "is not set"), ("{", "are not JSON"), ("\udcff", "are not JSON")],
)
def test_a_wrong_environment_is_said(value: str | None, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_KEYS", raising=False)
    if value is not None:
        monkeypatch.setenv("SOME_KEYS", value)
    with pytest.raises(Misconfigured, match=f"SOME_KEYS.* {said}"):
        EnvironmentSource("SOME_KEYS").load()
