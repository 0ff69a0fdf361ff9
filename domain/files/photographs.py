"""Photographs as people send them: told by their content, decoded whole, turned upright, nothing but pixels.

What is kept is never what was sent. The picture is decoded and written anew, so that no location, no name of
a camera or a person, no caption, no embedded thumbnail and nothing behind its end is left. Why it is done as
it is stands in `docs/decisions/0021-photographs-are-developed-apart.md`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Final

import msgspec

from domain.errors import Finding, UnreadableFile

LARGEST: Final = 10_000_000
"""Octets that a photograph may have as it is sent."""

LONGEST_WAIT: Final = 60.0
"""Seconds until developing is given up. Its processor time is bound apart; a busy machine takes longer."""

ACCEPTED: Final = f"a JPEG, PNG, WebP or HEIC picture of at most {LARGEST // 1_000_000} MB"

EXTENSIONS: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
"""What photographs are kept as, by media type, with the usual ending of a file's name."""


class Developed(msgspec.Struct, frozen=True, kw_only=True):
    """A photograph as it is kept.

    Attributes:
        media_type: `image/jpeg`, `image/png` or `image/webp`, of both pictures.
        width: Pixels of the picture, at most 4,096.
        height: Likewise.
        content: The picture, as a file of at most 10,000,000 octets.
        thumbnail: The same with at most 320 pixels on each side.
    """

    media_type: str
    width: int
    height: int
    content: bytes
    thumbnail: bytes


def develop(content: bytes) -> Developed:
    """Reads a photograph, whatever its name was and whatever it was said to be, and makes what is kept of it.

    It is decoded in another process: see `domain.files.photograph_process`. That takes a fifth of a
    second for a small one and up to five for the largest, and at most 1.5 GiB of memory while it runs.

    Args:
        content: The file as it was sent.

    Raises:
        UnreadableFile: It is no JPEG, PNG, WebP or HEIC, is too large in octets or pixels, is an animation,
            or does not decode to its end; the finding says which.
    """
    kind = check_file(content)
    said, _, pictures = _answer(content, kind).partition(b"\n")
    told = _told(said)
    if "content" not in told:
        raise _refused(told.get("found", f"a {kind} that does not decode"), told.get("accepted", ACCEPTED))
    end = told["content"]
    return Developed(
        media_type=told["media_type"],
        width=told["width"],
        height=told["height"],
        content=pictures[:end],
        thumbnail=pictures[end : end + told["thumbnail"]],
    )


def check_file(content: bytes, field: str = "photograph") -> str:
    """Looks at the size and the first octets of a photograph, without decoding it.

    Args:
        content: The file as it is to be sent.
        field: What whoever sends it calls it.

    Returns:
        Which of the four kinds it begins as.

    Raises:
        UnreadableFile: It is too large, or none of them.
    """
    if len(content) > LARGEST:
        raise _refused(f"{len(content)} bytes", ACCEPTED, field)
    kind = kind_of(content)
    if kind is None:
        raise _refused(looks_like(content), ACCEPTED, field)
    return kind


def _refused(found: str, accepted: str, field: str = "photograph") -> UnreadableFile:
    return UnreadableFile(
        "This photograph cannot be taken", [Finding(field=field, found=found, accepted=accepted)]
    )


def _answer(content: bytes, kind: str) -> bytes:
    """What the process that decodes has to say; nothing, if it was ended for what the picture made it do."""
    command = [sys.executable, "-P", "-m", "domain.files.photograph_process", kind]
    # The same modules, and nothing else of this process's environment: it may hold the service's keys.
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONHASHSEED": "0"}
    try:
        ended = subprocess.run(  # noqa: S603 - nothing in it was sent by anybody
            command,
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=LONGEST_WAIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return b""
    return ended.stdout if ended.returncode == 0 else b""


def _told(said: bytes) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(said) if said else {}
    return told


def kind_of(content: bytes) -> str | None:
    """Which of the four kinds of picture a file is by its first octets; nothing, if it is none of them."""
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    return "HEIC" if _brands(content) & _HEIC else None


_HEIC: Final = {b"heic", b"heix", b"heim", b"heis"}
"""The brands of pictures in HEVC (ISO/IEC 23008-12, annex B.4)."""


def _brands(content: bytes) -> set[bytes]:
    """The brands that a file of ISO/IEC 14496-12 names in its first box."""
    if content[4:8] != b"ftyp":
        return set()
    box = content[8 : min(int.from_bytes(content[:4]), 512)]
    return {box[:4], *(box[start : start + 4] for start in range(8, len(box), 4))}


_OTHERS: Final = (
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"%PDF", "a PDF"),
    (b"PK\3\4", "a ZIP, or a document made of one"),
    (b"\0\0\1\0", "an icon"),
    (b"8BPS", "a Photoshop file"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"\xd0\xcf\x11\xe0", "a Word document or one of its kind"),
)


def looks_like(content: bytes) -> str:
    """What a file is that is no picture of ours, in words for whoever sent it."""
    if not content:
        return "nothing"
    for start, name in _OTHERS:
        if content.startswith(start):
            return name
    if brands := _brands(content):
        return "an AVIF" if brands & {b"avif", b"avis"} else "a film, or a picture of another kind"
    head = content[:1024].lstrip(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<") and b"<svg" in head.lower():
        return "an SVG"
    try:
        text = content[:1024].decode()
    except UnicodeDecodeError as error:
        # Only what was cut within its last character is text.
        text = content[: error.start].decode() if error.start > min(len(content), 1024) - 4 else "\0"
    return "a file of another kind" if "\0" in text else "text"
