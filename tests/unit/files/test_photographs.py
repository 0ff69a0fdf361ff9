"""Photographs: told by their content, upright, nothing of them but the pixels; and what is no photograph."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from domain.errors import UnreadableFile
from domain.files import photograph_process, photographs
from domain.files.photograph_process import DECODERS, encoded
from domain.files.photograph_process import develop as develop_here
from domain.files.photographs import LARGEST, develop, kind_of
from tests.photographs import (
    CORNERS,
    FORMS,
    HEIGHT,
    PLANTED,
    WIDTH,
    beside_the_pixels,
    jpeg,
    planted_in,
    png,
    same_colours,
    scene,
    stored_as,
    webp,
    written,
)

KEPT = {"JPEG": "image/jpeg", "PNG": "image/png", "WebP": "image/webp", "HEIC": "image/jpeg"}

every_form = pytest.mark.parametrize("form", FORMS)


def refused(content: bytes) -> tuple[str, str]:
    """What is said to have been found, and what would be accepted."""
    with pytest.raises(UnreadableFile) as caught:
        develop(content)
    [finding] = caught.value.findings
    assert finding.field == "photograph"
    return finding.found, finding.accepted


def unclean(content: bytes) -> set[str]:
    """What there is in a file beside its pixels."""
    return planted_in(content) | beside_the_pixels(content)


@every_form
def test_what_is_kept_of_it(form: str) -> None:
    developed = develop(FORMS[form]())
    assert developed.media_type == KEPT[form]
    assert (developed.width, developed.height) == (WIDTH, HEIGHT)
    for content in (developed.content, developed.thumbnail):
        assert f"image/{(kind_of(content) or '').lower()}" == KEPT[form]
        assert same_colours(content)
        assert unclean(content) == set()


@every_form
@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_upright(form: str, orientation: int) -> None:
    sent = FORMS[form](orientation)
    developed = develop(sent)
    assert (developed.width, developed.height) == (WIDTH, HEIGHT)
    assert same_colours(developed.content)
    assert same_colours(developed.thumbnail)
    assert unclean(developed.content) | unclean(developed.thumbnail) == set()


def test_it_was_not_upright_and_not_clean_before() -> None:
    for form, make in FORMS.items():
        assert len(unclean(make())) >= 7, form
    assert unclean(jpeg()) >= PLANTED.keys() - {"title"} | {"gps"}
    assert unclean(png()) >= {"title", "comment", "gps", "exif", "icc_profile"}
    for orientation in range(2, 9):
        assert not same_colours(jpeg(orientation))


# The sabotaged twins: an encoder that hands on what it was given, and one that does not turn.


@pytest.mark.parametrize("kept", ["exif", "icc_profile", "comment", "xmp"])
def test_an_encoder_that_keeps_something_is_seen(kept: str) -> None:
    sent = jpeg()
    with Image.open(io.BytesIO(sent)) as picture:
        careless = written(picture.convert("RGB"), "JPEG", **{kept: picture.info[kept]})
    assert kept in unclean(careless)


def test_a_developer_that_does_not_turn_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = jpeg(6)
    turned, kept_as = develop_here(sent, "JPEG")
    assert same_colours(encoded(turned, kept_as))
    monkeypatch.setattr(photograph_process, "_UPRIGHT", {})
    lying, kept_as = develop_here(sent, "JPEG")
    assert not same_colours(encoded(lying, kept_as))


def test_a_tail_is_left_behind() -> None:
    """A picture that is an archive, too: whoever fetches it would get the archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("Meadowcanary.txt", "Meadowcanary " * 100)
    sent = jpeg() + archive.getvalue()
    assert zipfile.is_zipfile(io.BytesIO(sent))
    developed = develop(sent)
    for content in (developed.content, developed.thumbnail):
        assert not zipfile.is_zipfile(io.BytesIO(content))
        assert b"Meadowcanary" not in content
        assert content.endswith(b"\xff\xd9")


def test_of_a_telephones_further_pictures_the_first_is_taken() -> None:
    other = Image.new("RGB", (WIDTH, HEIGHT), (1, 2, 3))
    sent = written(scene(), "MPO", save_all=True, append_images=[other], quality=95)
    with Image.open(io.BytesIO(sent)) as picture:
        assert picture.format == "MPO"
    developed = develop(sent)
    assert same_colours(developed.content)
    assert len(developed.content) < len(sent)


def test_colours_of_another_space_are_those_of_srgb() -> None:
    """The profile goes, and the colours that it meant stay: of one that swaps red and blue, too."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * profile[131], 12)}
    red, blue = tags[b"rXYZ"] + 4, tags[b"bXYZ"] + 4
    profile[red : red + 8], profile[blue : blue + 8] = profile[blue : blue + 8], profile[red : red + 8]
    for form in ("PNG", "JPEG"):
        developed = develop(written(scene(), form, quality=95, icc_profile=bytes(profile)))
        swapped = tuple((blue, green, red) for red, green, blue in CORNERS)
        assert same_colours(developed.content, swapped)
        assert beside_the_pixels(developed.content) == set()


@pytest.mark.parametrize("profile", [b"no profile at all", b"\0" * 4000])
def test_a_profile_that_is_damaged_is_left_out(profile: bytes) -> None:
    developed = develop(written(scene(), "JPEG", quality=95, icc_profile=profile))
    assert same_colours(developed.content)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_a_png(mode: str) -> None:
    if mode == "I;16":
        picture = scene().convert("L").convert("I").point(lambda shade: shade * 256 + 0).convert("I;16")
    else:
        picture = scene().quantize(16) if mode == "P" else scene().convert(mode)
    developed = develop(written(picture, "PNG"))
    expected = scene().convert("1").convert("RGB") if mode == "1" else scene().convert("L").convert("RGB")
    if mode in {"1", "I;16", "L", "LA"}:
        with Image.open(io.BytesIO(developed.content)) as kept:
            assert kept.convert("RGB").tobytes() == expected.tobytes()
    else:
        assert same_colours(developed.content)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_mode_of_a_jpeg(mode: str) -> None:
    developed = develop(written(scene().convert(mode), "JPEG", quality=95))
    if mode == "L":
        shades = tuple((grey, grey, grey) for grey in map(_grey, CORNERS))
        assert same_colours(developed.content, shades)
    else:
        assert same_colours(developed.content)


def _grey(colour: tuple[int, int, int]) -> int:
    return Image.new("RGB", (1, 1), colour).convert("L").tobytes()[0]


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_what_is_transparent_stays_so(form: str) -> None:
    picture = scene().convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    developed = develop(written(picture, form, lossless=True))
    for content in (developed.content, developed.thumbnail):
        with Image.open(io.BytesIO(content)) as kept:
            assert kept.mode == "RGBA"
            assert kept.getchannel("A").getextrema() == picture.getchannel("A").getextrema()


def test_a_large_one_is_made_smaller_and_the_thumbnail_is_small() -> None:
    developed = develop(jpeg(6, scene(6000, 4500)))
    assert (developed.width, developed.height) == (4096, 3072)
    assert same_colours(developed.content)
    with Image.open(io.BytesIO(developed.thumbnail)) as small:
        assert small.size == (320, 240)
    assert len(developed.thumbnail) < 40_000
    assert unclean(developed.content) | unclean(developed.thumbnail) == set()


def test_what_would_come_out_too_large_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photograph_process, "LARGEST_RESULT", 60_000)
    noise = Image.effect_noise((600, 400), 90).convert("RGB")
    assert len(written(noise, "PNG")) > 200_000
    kept = encoded(noise, "PNG")
    assert len(kept) <= 60_000
    with Image.open(io.BytesIO(kept)) as picture:
        assert picture.width / picture.height == pytest.approx(1.5, abs=0.02)


# What is no photograph.

NO_PHOTOGRAPHS: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "nothing"),
    "text called .jpg": (lambda: "Zoë counted conkers, and that's a fact.\n".encode() * 99, "text"),
    "text cut within a letter": (lambda: b"a" + "é".encode() * 600, "text"),
    "GIF": (lambda: written(scene().convert("P"), "GIF"), "a GIF"),
    "SVG": (lambda: b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG"),
    "SVG with a mark": (lambda: b'\xef\xbb\xbf<!-- --><SVG onload="alert(1)">', "an SVG"),
    "BMP": (lambda: written(scene(), "BMP"), "a BMP"),
    "TIFF": (lambda: written(scene(), "TIFF"), "a TIFF"),
    "PDF": (lambda: written(scene(), "PDF"), "a PDF"),
    "AVIF": (lambda: written(scene(), "AVIF"), "an AVIF"),
    "ZIP": (lambda: b"PK\x03\x04" + bytes(40), "a ZIP, or a document made of one"),
    "film": (
        lambda: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(99),
        "a film, or a picture of another kind",
    ),
    "page": (lambda: b"<html><script>alert(1)</script>", "text"),
    "program": (lambda: b"\x7fELF\x02\x01\x01" + bytes(99), "a file of another kind"),
}


@pytest.mark.parametrize("name", NO_PHOTOGRAPHS)
def test_what_is_no_photograph_is_refused_by_its_content(name: str) -> None:
    make, found = NO_PHOTOGRAPHS[name]
    assert refused(make()) == (found, "a JPEG, PNG, WebP or HEIC picture of at most 10 MB")


@every_form
@pytest.mark.parametrize("left", [0.5, 0.98])
def test_one_that_is_cut_is_refused(form: str, left: float) -> None:
    noise = Image.effect_noise((200, 150), 80).convert("RGB")
    content = written(noise, "HEIF" if form == "HEIC" else form)
    assert develop(content)
    found, accepted = refused(content[: int(len(content) * left)])
    assert found == f"a {form} that does not decode"
    assert "save it anew" in accepted


@pytest.mark.parametrize("form", FORMS)
def test_one_that_only_begins_like_one_is_refused(form: str) -> None:
    head = FORMS[form]()[:40]
    assert kind_of(head) == form
    found, _ = refused(head + os.urandom(5000))
    assert found == f"a {form} that does not decode"


def test_a_picture_of_another_kind_is_not_decoded_as_what_it_says() -> None:
    """The first octets choose the decoder, and no other is tried: 50 formats less to be attacked by."""
    for kind, decoders in DECODERS.items():
        assert len(decoders) == 1, kind
    gif = written(scene().convert("P"), "GIF")
    with pytest.raises(photograph_process.Refused):
        develop_here(gif, "JPEG")


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_an_animation_is_refused(form: str) -> None:
    sent = written(scene(), form, save_all=True, append_images=[stored_as(3)], duration=100)
    assert refused(sent) == ("an animation", "one picture, and no animation")


def bomb(width: int, height: int) -> bytes:
    """A PNG of so many black pixels: a thousandth of an octet for each."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4) + name + content + zlib.crc32(name + content).to_bytes(4)

    head = width.to_bytes(4) + height.to_bytes(4) + bytes([1, 0, 0, 0, 0])
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + (width + 7) // 8)) for _ in range(height)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused_by_what_it_says_of_itself() -> None:
    sent = bomb(30_000, 30_000)
    assert len(sent) < 200_000
    assert refused(sent) == ("30000 x 30000 pixels", "at most 50 million pixels")
    blank = written(Image.new("RGB", (16_383, 8_000)), "WEBP", lossless=True, quality=0, method=0)
    assert len(blank) < 100_000
    assert refused(blank) == ("16383 x 8000 pixels", "at most 50 million pixels")


def test_without_the_limit_the_bomb_would_be_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin: the same refusal is asked of it, and does not come."""
    sent = bomb(8000, 8000)
    with pytest.raises(photograph_process.Refused, match="8000 x 8000"):
        develop_here(sent, "PNG")
    monkeypatch.setattr(photograph_process, "MOST_PIXELS", 10**9)
    picture, _ = develop_here(sent, "PNG")
    assert picture.size == (4096, 4096)


def test_at_most_so_many_octets_are_read() -> None:
    small = jpeg()
    assert develop(small + bytes(LARGEST - len(small)))
    found, accepted = refused(small + bytes(LARGEST + 1 - len(small)))
    assert (found, accepted) == ("10000001 bytes", "a JPEG, PNG, WebP or HEIC picture of at most 10 MB")


# The process that decodes.


def test_it_is_told_no_secret_and_finds_the_same_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, str]] = []
    really_run = subprocess.run

    def run(*arguments: Any, **how: Any) -> Any:
        given.append(how["env"])
        return really_run(*arguments, **how)

    monkeypatch.setenv("TARGET_TRACKER_SERVICE_KEY", "Lynxcanary")
    monkeypatch.setattr(subprocess, "run", run)
    assert develop(jpeg())
    [environment] = given
    assert environment.keys() == {"PYTHONPATH", "PYTHONHASHSEED"}
    assert "Lynxcanary" not in str(environment)


def in_a_process(program: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-P", "-c", program]
    return subprocess.run(command, input=content, capture_output=True, env=environment, check=False)


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd').read()",
        "import os; os.open('/tmp', os.O_RDONLY)",
        "import socket; socket.socket()",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.pipe()",
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99))",
        "bytearray(2 * 1024 ** 3)",
    ],
)
def test_with_the_doors_shut_there_is_nothing_to_be_had(attempt: str) -> None:
    shut = "from domain.files import photograph_process as p; import os, socket, subprocess, resource; "
    doors = "p.shut_the_doors(); "
    after = in_a_process(shut + doors + attempt.replace("; ", "\n"))
    assert after.returncode != 0
    assert after.stderr.splitlines()[-1].split(b":")[0] in {b"OSError", b"MemoryError", b"ValueError"}
    if "setrlimit" not in attempt:
        assert in_a_process(shut + attempt.replace("; ", "\n")).returncode == 0, "it would have been possible"


def test_one_that_takes_too_much_memory_is_refused() -> None:
    program = (
        "from domain.files import photograph_process as p\np.MOST_MEMORY = 160 * 1024 * 1024\np.main('PNG')"
    )
    ended = in_a_process(program, bomb(7000, 7000))
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["found"] == "a picture that takes too much memory to decode"


@pytest.mark.parametrize("ending", ["kill -SEGV $$", "exit 3", "echo; exit 9", "sleep 5"])
def test_a_decoder_that_dies_or_hangs_is_a_refusal_and_nothing_more(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = tmp_path / "decoder"
    decoder.write_text(f"#!/bin/sh\n{ending}\n")
    decoder.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(decoder))
    monkeypatch.setattr(photographs, "LONGEST_WAIT", 1.0)
    found, _ = refused(webp())
    assert found == "a WebP that does not decode"


def test_without_a_decoder_for_heic_it_says_what_to_send_instead() -> None:
    program = (
        "import sys; sys.modules['pillow_heif'] = None\n"
        "from domain.files import photograph_process as p\np.main('HEIC')"
    )
    ended = in_a_process(program, FORMS["HEIC"]())
    assert json.loads(ended.stdout) == {
        "found": "a HEIC",
        "accepted": "JPEG, PNG or WebP: this service has no decoder for HEIC, so save it as JPEG first",
    }
