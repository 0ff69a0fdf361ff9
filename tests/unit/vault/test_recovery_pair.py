"""The recovery pair as files: whole, private, never overwritten, and read only as what they are."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest

from domain.errors import AlreadyExists, Misconfigured
from domain.vault import recovery_pair
from domain.vault.recipients import seal
from domain.vault.recovery_pair import read_recovery_private, read_recovery_public, write_recovery_pair


def test_the_two_halves_belong_together(tmp_path: Path) -> None:
    private, public = write_recovery_pair(tmp_path)
    assert (private.name, public.name) == ("recovery-private.key", "recovery-public.key")
    sealed = seal(read_recovery_public(public), b"a school's keys", b"recovery")
    assert read_recovery_private(private).open(sealed, b"recovery") == b"a school's keys"


def test_every_pair_is_another(tmp_path: Path) -> None:
    publics = set()
    for name in "abc":
        (tmp_path / name).mkdir()
        publics.add(read_recovery_public(write_recovery_pair(tmp_path / name)[1]))
    assert len(publics) == 3


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_only_the_owner_reads_the_private_half(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        private, public = write_recovery_pair(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(public.stat().st_mode) == 0o644 & ~mask


def test_the_files_say_what_they_are_and_can_be_printed(tmp_path: Path) -> None:
    private, public = write_recovery_pair(tmp_path)
    assert "private half: keep it locked away" in private.read_text(encoding="ascii").splitlines()[0]
    assert "public half" in public.read_text(encoding="ascii").splitlines()[0]
    assert all(len(line) <= 100 for line in public.read_text(encoding="ascii").splitlines())
    seed = base64.b64encode(read_recovery_private(private).seed)
    assert seed in private.read_bytes()
    assert seed not in public.read_bytes()


@pytest.mark.parametrize("name", ["recovery-private.key", "recovery-public.key"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("of great worth", encoding="utf-8")
    with pytest.raises(AlreadyExists, match=f"{name} exists"):
        write_recovery_pair(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]  # no lone half beside it
    assert (tmp_path / name).read_text(encoding="utf-8") == "of great worth"


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "recovery-private.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AlreadyExists):
        write_recovery_pair(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be written: No such file"):
        write_recovery_pair(tmp_path / "nowhere")


def test_the_wrong_half_is_said(tmp_path: Path) -> None:
    private, public = write_recovery_pair(tmp_path)
    with pytest.raises(Misconfigured, match="holds the public half, and the private half"):
        read_recovery_private(public)
    with pytest.raises(Misconfigured, match="holds the private half, and the public half"):
        read_recovery_public(private)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"something\n", b"\xff\xfe\0", b"A" * 2000])
def test_another_file_is_said(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "some.key"
    file.write_bytes(content)
    with pytest.raises(Misconfigured, match="holds something else, and the private half of the recovery key"):
        read_recovery_private(file)


def test_a_file_that_is_not_there_or_far_too_large_is_said(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read: No such file"):
        read_recovery_public(tmp_path / "nowhere.key")
    (tmp_path / "large.key").write_bytes(bytes(1_000_001))
    with pytest.raises(Misconfigured, match="too large"):
        read_recovery_public(tmp_path / "large.key")


def damage_not_noticed(file: Path) -> list[int]:
    """The positions in the file of the private half whose character can be another one, unnoticed."""
    whole = file.read_text(encoding="ascii")
    found = []
    for index, character in enumerate(whole.rstrip("\n")):
        file.write_text(
            whole[:index] + ("A" if character != "A" else "B") + whole[index + 1 :], encoding="ascii"
        )
        try:
            read_recovery_private(file)
            found.append(index)
        except Misconfigured:
            pass
    file.write_text(whole, encoding="ascii")
    return found


def test_every_damaged_character_is_noticed(tmp_path: Path) -> None:
    assert damage_not_noticed(write_recovery_pair(tmp_path)[0]) == []


def test_without_the_check_damage_would_not_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(recovery_pair, "_check", lambda half, key: "0" * 16)
    assert len(damage_not_noticed(write_recovery_pair(tmp_path)[0])) >= 40


def test_a_cut_file_and_lost_or_swapped_lines_are_noticed(tmp_path: Path) -> None:
    public = write_recovery_pair(tmp_path)[1]
    lines = public.read_text(encoding="ascii").splitlines()
    wrong = [lines[:length] for length in range(1, len(lines))]
    wrong += [lines[:index] + lines[index + 1 :] for index in range(1, len(lines))]
    wrong += [[*lines[:1], lines[2], lines[1], *lines[3:]], [*lines, "more"]]
    for each in wrong:
        public.write_text("\n".join(each), encoding="ascii")
        with pytest.raises(Misconfigured, match="is damaged"):
            read_recovery_public(public)


def test_what_editors_do_to_a_file_does_no_harm(tmp_path: Path) -> None:
    private, public = write_recovery_pair(tmp_path)
    seed, key = read_recovery_private(private).seed, read_recovery_public(public)
    for file in (private, public):
        text = file.read_text(encoding="ascii")
        file.write_bytes(("\n" + text.replace("\n", "  \r\n") + "\r\n\r\n").encode())
    assert (read_recovery_private(private).seed, read_recovery_public(public)) == (seed, key)


def test_no_error_repeats_the_key(tmp_path: Path) -> None:
    private, _ = write_recovery_pair(tmp_path)
    lines = private.read_text(encoding="ascii").splitlines()
    private.write_text("\n".join([*lines[:2], "check 0"]), encoding="ascii")
    with pytest.raises(Misconfigured) as refused:
        read_recovery_private(private)
    assert lines[1] not in refused.value.message
    private.write_text("\n".join(lines[1:]), encoding="ascii")
    with pytest.raises(Misconfigured) as refused:
        read_recovery_private(private)
    assert lines[1] not in refused.value.message
