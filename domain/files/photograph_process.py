"""Develops one photograph, in a process of its own that may do nothing else.

Decoders of pictures are written in C and fed by whoever can log in. So they never run in the service's own
process, which holds keys: `domain.files.photographs` starts this one for each photograph, with no setting and
no secret in its environment. Once everything is imported, it gives up opening files and sockets, and bounds
its memory and its processor time; then it reads the picture, and decodes it with the one decoder that the
picture's first octets ask for.

``python -m domain.files.photograph_process KIND`` reads the picture from its standard input. It writes a line
of JSON and, if that tells sizes, the picture and the thumbnail, one behind the other.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from contextlib import suppress

from PIL import (
    Image,
    ImageCms,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

MOST_PIXELS = 50_000_000
"""A picture of more is not decoded. Telephones of today take 12 million, or 48 at their finest."""

LONGEST_SIDE = 4096
"""Pixels of the longest side of what is kept, at most: enough for a page of A4 at 350 dots an inch."""

THUMBNAIL_SIDE = 320
"""Pixels that the longest side of a thumbnail has at most."""

QUALITY = 90
"""Of what is kept, where its format loses anything."""

LARGEST_RESULT = 10_000_000
"""Octets that what is kept has at most; what comes out larger is made smaller until it is not."""

MOST_MEMORY = 1536 * 1024 * 1024
"""Octets of address space, Python's own and the libraries' included."""

MOST_SECONDS = 20
"""Of processor time."""

DECODERS = {"JPEG": ("JPEG",), "PNG": ("PNG",), "WebP": ("WEBP",), "HEIC": ("HEIF",)}
"""The decoders of Pillow that may look at each kind of picture."""

KEPT_AS = {"JPEG": "JPEG", "PNG": "PNG", "WebP": "WEBP", "HEIC": "JPEG"}
"""What each kind of picture is kept as: HEIC as JPEG, because few browsers show it."""

ONE_PICTURE = "one picture, and no animation"
WHOLE = "a whole picture: open it, save it anew and send that"
NO_HEIC = "JPEG, PNG or WebP: this service has no decoder for HEIC, so save it as JPEG first"

_PLUGINS = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin)
"""Imported before the doors are shut, and with no others, lest Pillow should look for more."""

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by its EXIF orientation (CIPA DC-008, `Orientation`)."""


class Refused(Exception):
    """The picture is not taken.

    Args:
        found: What it is.
        accepted: What would be taken.
    """

    def __init__(self, found: str, accepted: str) -> None:
        super().__init__(found)
        self.found = found
        self.accepted = accepted


def develop(content: bytes, kind: str) -> tuple[Image.Image, str]:
    """Decodes a picture, and gives what is to be kept of it: upright, in sRGB, no larger than it may be.

    Args:
        content: The file.
        kind: One of :data:`DECODERS`.

    Returns:
        The picture with nothing but its pixels, and what it is kept as.

    Raises:
        Refused: It has too many pixels, is an animation, or is not whole.
    """
    try:
        with Image.open(io.BytesIO(content), formats=DECODERS[kind]) as image:
            _check_size(*image.size)
            _check_frames(image, kind)
            image.load()
            orientation, profile = _orientation_of(image), image.info.get("icc_profile")
            return _prepared(image, KEPT_AS[kind], orientation, profile), KEPT_AS[kind]
    except Refused:
        raise
    except MemoryError:
        raise Refused("a picture that takes too much memory to decode", "a smaller one") from None
    except Exception as error:  # decoders raise whatever comes to them
        raise Refused(f"a {kind} that does not decode", WHOLE) from error


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise Refused(f"{width} x {height} pixels", f"at most {MOST_PIXELS // 1_000_000} million pixels")


def _check_frames(image: Image.Image, kind: str) -> None:
    """Further pictures behind a JPEG or in a HEIC belong to the first: its depth, or the moment before it."""
    if kind in {"PNG", "WebP"} and getattr(image, "n_frames", 1) > 1:
        raise Refused("an animation", ONE_PICTURE)


def _orientation_of(image: Image.Image) -> int:
    """The EXIF orientation; that it is upright, where none can be read."""
    with suppress(Exception):  # damaged EXIF is no reason to refuse a picture: it goes anyway
        return int(image.getexif().get(_ORIENTATION, 1))
    return 1


def _prepared(image: Image.Image, kept_as: str, orientation: int, profile: bytes | None) -> Image.Image:
    see_through = image.has_transparency_data and kept_as != "JPEG"
    if image.mode.startswith("I") or image.mode == "F":
        image = _eight_bits(image)
    elif image.mode not in {"L", "RGB", "RGBA", "CMYK", "LAB"}:
        image = image.convert("RGBA" if see_through else "L" if image.mode in {"1", "LA"} else "RGB")
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    image = _in_srgb(image, profile, "RGBA" if see_through else "RGB")
    # A new picture of the same pixels: whatever else came with the old one stays behind.
    return Image.frombytes(image.mode, image.size, image.tobytes())


def _eight_bits(image: Image.Image) -> Image.Image:
    """A picture of 16 bits for each shade of grey, as one of 8."""
    return image.convert("I").point(lambda shade: shade * (1 / 256) + 0).convert("L")


def _in_srgb(image: Image.Image, profile: bytes | None, wanted: str) -> Image.Image:
    """The same colours in sRGB, as far as the profile can be used; then it is not needed any more."""
    if profile:
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            mode = wanted if image.mode == "RGBA" else "RGB"
            found = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
            assert found is not None
            return found
    return image if image.mode in {wanted, "L"} else image.convert(wanted)


def encoded(image: Image.Image, kept_as: str) -> bytes:
    """A picture as a file with nothing but the picture in it, of at most :data:`LARGEST_RESULT` octets."""
    how = {
        "JPEG": {"quality": QUALITY, "optimize": True},
        "PNG": {"compress_level": 6},
        "WEBP": {"quality": QUALITY, "method": 4},
    }[kept_as]
    while True:
        file = io.BytesIO()
        image.save(file, kept_as, **how)
        if file.tell() <= LARGEST_RESULT:
            return file.getvalue()
        image = image.resize((max(image.width * 3 // 4, 1), max(image.height * 3 // 4, 1)))


def thumbnail_of(image: Image.Image) -> Image.Image:
    """The same, at most :data:`THUMBNAIL_SIDE` on each side."""
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return small


def shut_the_doors() -> None:
    """Gives up opening files and sockets, and bounds memory and processor time, for good."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    with suppress(ValueError, OSError):  # where the system does not bound it, as on macOS
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def answer(content: bytes, kind: str) -> bytes:
    """What is written: the line of JSON, and what it tells of."""
    try:
        image, kept_as = develop(content, kind)
        kept, thumbnail = encoded(image, kept_as), encoded(thumbnail_of(image), kept_as)
    except Refused as refused:
        return json.dumps({"found": refused.found, "accepted": refused.accepted}).encode() + b"\n"
    with Image.open(io.BytesIO(kept), formats=DECODERS[_NAMES[kept_as]]) as again:
        width, height = again.size
    told = {
        "media_type": Image.MIME[kept_as],
        "width": width,
        "height": height,
        "content": len(kept),
        "thumbnail": len(thumbnail),
    }
    return json.dumps(told).encode() + b"\n" + kept + thumbnail


_NAMES = {"JPEG": "JPEG", "PNG": "PNG", "WEBP": "WebP"}


def main(kind: str) -> None:
    """Reads, develops, and writes."""
    Image.MAX_IMAGE_PIXELS = None  # it is asked before anything is decoded, and with a limit of its own
    if kind == "HEIC":
        try:
            from pillow_heif import register_heif_opener
        except ImportError:
            refused = {"found": "a HEIC", "accepted": NO_HEIC}
            sys.stdout.buffer.write(json.dumps(refused).encode() + b"\n")
            return
        register_heif_opener(thumbnails=False)
    # What Pillow and its libraries look up when they are first used.
    encoded(Image.new("RGB", (1, 1)), "WEBP")
    shut_the_doors()
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read(), kind))


if __name__ == "__main__":
    main(sys.argv[1])
