"""A ZIP file that is made while it is sent: never whole in memory, and never on a disk.

Its last entry is `manifest.json`: what the file is, and of every other entry its size and SHA-256, and of
those with one thing on each line how many. The list of entries comes after that, so that a file which broke
off, because something in it could not be read, does not even open.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

MANIFEST = "manifest.json"

PIECE = 64 * 1024
"""Bytes that are gathered before they are handed on."""

LINES = ".ndjson"
"""How names of files end that have one thing on each line, as JSON."""

_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The moment that entries carry: a ZIP knows none earlier, and the same content is the same file."""


@dataclass(frozen=True)
class Entry:
    """A file in the ZIP.

    Attributes:
        name: Its name, with `/` between folders; nothing personal.
        content: What it holds, in pieces, made when it is their turn.
        compressed: Whether that is worth it: photographs are compressed already.
    """

    name: str
    content: Iterable[bytes]
    compressed: bool = True


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """What the manifest says of a file.

    Attributes:
        name: Its name.
        size: Bytes.
        sha256: Of its content, in hexadecimal.
        lines: How many things it holds, where it has one on each line.
    """

    name: str
    size: int
    sha256: str
    lines: int | None = None


class _Listing(msgspec.Struct, frozen=True):
    """What of the manifest is needed to check the files."""

    files: list[Listed]


class _Pieces(io.RawIOBase):
    """What is written here is taken away again in pieces; there is no way back in it."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, content: Any) -> int:
        """Holds what is written until it is taken."""
        self._held += content
        return len(content)

    def __len__(self) -> int:
        return len(self._held)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = bytes(self._held)
        self._held.clear()
        return taken


def zipped(entries: Iterable[Entry], about: Mapping[str, Any]) -> Iterator[bytes]:
    """The ZIP file in pieces.

    Args:
        entries: The files, in order; each is read to its end before the next is asked for.
        about: What the manifest says besides.
    """
    pieces = _Pieces()
    files: list[Listed] = []
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            digest, size, lines = hashlib.sha256(), 0, 0
            with archive.open(_info(entry.name, entry.compressed), "w", force_zip64=True) as file:
                for content in entry.content:
                    digest.update(content)
                    size += len(content)
                    lines += content.count(b"\n")
                    file.write(content)
                    if len(pieces) >= PIECE:
                        yield pieces.take()
            counted = lines if entry.name.endswith(LINES) else None
            files.append(Listed(name=entry.name, size=size, sha256=digest.hexdigest(), lines=counted))
        manifest = msgspec.json.format(msgspec.json.encode({**about, "files": files}), indent=1)
        archive.writestr(_info(MANIFEST, compressed=True), manifest)
    yield pieces.take()


def _info(name: str, compressed: bool) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EARLIEST)
    info.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    info.create_system = 3  # else the same content would be another file on another system
    info.external_attr = 0o600 << 16
    return info


def problems_of(file: BinaryIO) -> list[str]:
    """What is wrong with a bundle: nothing, if every file is there as its manifest says, and no other.

    Args:
        file: The ZIP file, which can be read from any place.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if MANIFEST not in names:
                return [f"there is no {MANIFEST}"]
            listed = msgspec.json.decode(archive.read(MANIFEST), type=_Listing).files
            wanted = [each.name for each in listed]
            found = [f"{name} is there and not in the manifest" for name in names
                     if name not in {*wanted, MANIFEST}]  # fmt: skip
            found += [f"{name} is there more than once" for name in sorted(set(names))
                      if names.count(name) > 1]  # fmt: skip
            for each in listed:
                if each.name not in names:
                    found.append(f"{each.name} is in the manifest and not there")
                elif not _is_as_listed(archive, each):
                    found.append(f"{each.name} is not what the manifest says")
            return found
    except (
        *(zipfile.BadZipFile, EOFError, zlib.error, msgspec.MsgspecError),
        # A damaged list of entries names places before the beginning, passwords, and kinds of compression.
        *(ValueError, NotImplementedError, RuntimeError),
    ):
        return ["this is no bundle, or only a part of one"]


def _is_as_listed(archive: zipfile.ZipFile, listed: Listed) -> bool:
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(listed.name) as file:
            while content := file.read(PIECE):
                digest.update(content)
                size += len(content)
    except (zipfile.BadZipFile, EOFError, zlib.error):
        return False
    return size == listed.size and hmac.compare_digest(digest.hexdigest(), listed.sha256)
