"""Bundles as ZIP files: whatever was changed, left out or broken off is noticed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator

import pytest

from domain.bundles.archive import Entry, problems_of, zipped

WORDS = [b'{"a": 1}\n', b'{"a": 2}\n']
NOISE = bytes(range(256)) * 1000


def whole() -> bytes:
    entries = [Entry("words.ndjson", WORDS), Entry("photographs/1.jpg", [NOISE], compressed=False)]
    return b"".join(zipped(entries, {"position": 7}))


def problems(content: bytes) -> list[str]:
    return problems_of(io.BytesIO(content))


def rewritten(**changed: bytes | None) -> bytes:
    """The same with other files in it, made by whoever can make a ZIP, whose own sums are right."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole())) as before, zipfile.ZipFile(made, "w") as after:
        for name in before.namelist():
            content = changed.pop(name.split(".")[0].split("/")[0], before.read(name))
            if content is not None:
                after.writestr(name, content)
        for name, content in changed.items():
            after.writestr(name, content or b"")
    return made.getvalue()


def test_the_standard_library_reads_it() -> None:
    with zipfile.ZipFile(io.BytesIO(whole())) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["words.ndjson", "photographs/1.jpg", "manifest.json"]
        assert archive.read("photographs/1.jpg") == NOISE
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["position"] == 7
    assert [(each["name"], each["size"], each["lines"]) for each in manifest["files"]] == [
        ("words.ndjson", 18, 2),
        ("photographs/1.jpg", 256_000, None),
    ]
    assert problems(whole()) == []


def test_the_same_is_the_same_byte_for_byte() -> None:
    assert whole() == whole()


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"words": b'{"a": 1}\n{"a": 3}\n'}, "words.ndjson is not what the manifest says"),
        ({"words": None}, "words.ndjson is in the manifest and not there"),
        ({"manifest": None}, "there is no manifest.json"),
        ({"manifest": b"{"}, "this is no bundle, or only a part of one"),
        ({"more": b"?"}, "more is there and not in the manifest"),
    ],
)
def test_what_was_changed_is_noticed(changed: dict[str, bytes | None], problem: str) -> None:
    assert problems(rewritten()) == []
    assert problems(rewritten(**changed)) == [problem]


def test_a_flipped_byte_is_noticed() -> None:
    content = bytearray(whole())
    content[content.index(NOISE[:256]) + 128] ^= 1
    assert problems(bytes(content)) == ["photographs/1.jpg is not what the manifest says"]


def test_whatever_is_damaged_is_said_and_never_fails() -> None:
    content = b"".join(zipped([Entry("words.ndjson", WORDS)], {}))
    for place in range(len(content)):
        for flipped in (1, 0x80, 0xFF):
            damaged = bytearray(content)
            damaged[place] ^= flipped
            assert all(isinstance(each, str) for each in problems(bytes(damaged)))
    manifest = content.rindex(b"PK\3\4") + 30 + len("manifest.json")
    damaged = bytearray(content)
    damaged[manifest + 20] ^= 0xFF
    assert problems(bytes(damaged)) == ["this is no bundle, or only a part of one"]


@pytest.mark.parametrize("left", [0, 10, 1000, -1, -100])
def test_a_part_of_it_is_none(left: int) -> None:
    assert problems(whole()[:left]) == ["this is no bundle, or only a part of one"]


def test_what_cannot_be_read_breaks_it_off() -> None:
    def broken() -> Iterator[bytes]:
        yield NOISE
        raise ValueError("unreadable")

    sent: list[bytes] = []
    with pytest.raises(ValueError, match="unreadable"):
        sent.extend(zipped([Entry("words.ndjson", WORDS), Entry("1.jpg", broken(), compressed=False)], {}))
    assert problems(b"".join(sent)) == ["this is no bundle, or only a part of one"]
