"""Pictures for tests, made on the spot: a scene of which every corner can be told, in every format."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from PIL import Image, ImageCms, PngImagePlugin
from pillow_heif import register_heif_opener

register_heif_opener()

WIDTH, HEIGHT = 96, 64

RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 200, 20), (20, 20, 220), (250, 250, 250)

CORNERS = (RED, GREEN, BLUE, WHITE)
"""The colours at the top left, top right, bottom left and bottom right of an upright picture."""

PLANTED = {
    "camera": b"Lynxcanary Camera",
    "artist": b"Quokkacanary Smith",
    "place": b"Wharfcanary",
    "title": b"Zanzibarcanary",
    "comment": b"Tundracanary",
    "profile": b"Heroncanary profile",
    "xmp": b"Meadowcanary",
    "iptc": b"Ostrichcanary",
}
"""What is written into the places of a file where no pixel is."""

GPS = b"WGS-84-canary"

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:creator="%s"/></rdf:RDF></x:xmpmeta>'
)

_TO_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera that was held so stores an upright scene."""


def scene(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """A picture whose quarters have the colours of :data:`CORNERS`."""
    picture = Image.new("RGB", (width, height))
    for number, colour in enumerate(CORNERS):
        left, top = number % 2 * width // 2, number // 2 * height // 2
        picture.paste(colour, (left, top, left + width // 2, top + height // 2))
    return picture


def stored_as(orientation: int, picture: Image.Image | None = None) -> Image.Image:
    """The scene as it lies in the file of a camera that was held so."""
    picture = picture or scene()
    turn = _TO_ORIENTATION.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def exif(orientation: int = 1) -> bytes:
    """EXIF with a camera, an artist, a place and an orientation."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = PLANTED["camera"].decode()
    tags[0x013B] = PLANTED["artist"].decode()
    place = tags.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (51.0, 44.0, 9.0), "E", (0.0, 28.0, 7.0)
    place[18] = GPS.decode()
    place[27] = b"ASCII\0\0\0" + PLANTED["place"]
    return tags.tobytes()


@cache  # It holds the second in which it was made, and two photographs of a test must be the same octets.
def profile() -> bytes:
    """A colour profile of sRGB whose description is a canary."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert made.count(b"s\0R\0G\0B") >= 1
    return made + PLANTED["profile"]


def written(picture: Image.Image, form: str, **how: Any) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    picture.save(file, form, **how)
    return file.getvalue()


def jpeg(orientation: int = 1, picture: Image.Image | None = None) -> bytes:
    """A photograph as a telephone takes it, with everything that it writes beside the pixels."""
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x12\x1c\x02\x50\0\x0d" + PLANTED["iptc"]
    content = written(
        stored_as(orientation, picture),
        "JPEG",
        quality=95,
        exif=exif(orientation),
        icc_profile=profile(),
        comment=PLANTED["comment"],
        xmp=XMP % PLANTED["xmp"],
    )
    return content[:2] + b"\xff\xed" + (len(iptc) + 2).to_bytes(2) + iptc + content[2:]


def png(orientation: int = 1) -> bytes:
    """A PNG with chunks of text, EXIF and a profile."""
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("Title", PLANTED["title"].decode())
    chunks.add_itxt("Comment", PLANTED["comment"].decode(), zip=False)
    chunks.add_itxt("XML:com.adobe.xmp", (XMP % PLANTED["xmp"]).decode())
    return written(
        stored_as(orientation), "PNG", pnginfo=chunks, exif=exif(orientation), icc_profile=profile()
    )


def webp(orientation: int = 1) -> bytes:
    """A WebP with EXIF, XMP and a profile."""
    return written(
        stored_as(orientation),
        "WEBP",
        quality=95,
        exif=exif(orientation),
        xmp=XMP % PLANTED["xmp"],
        icc_profile=profile(),
    )


def heic(orientation: int = 1) -> bytes:
    """A HEIC with EXIF and XMP, as an iPhone takes it."""
    return written(
        stored_as(orientation), "HEIF", quality=95, exif=exif(orientation), xmp=XMP % PLANTED["xmp"]
    )


FORMS = {"JPEG": jpeg, "PNG": png, "WebP": webp, "HEIC": heic}


def corners(content: bytes) -> list[tuple[int, ...]]:
    """The colours in the middle of a picture's quarters: top left, top right, bottom left, bottom right."""
    with Image.open(io.BytesIO(content)) as picture:
        upright = picture.convert("RGB")
    found = []
    for number in range(4):
        across, down = number % 2 * 2 + 1, number // 2 * 2 + 1
        pixel = upright.getpixel((across * upright.width // 4, down * upright.height // 4))
        assert isinstance(pixel, tuple)
        found.append(tuple(int(part) for part in pixel))
    return found


def same_colours(content: bytes, expected: tuple[tuple[int, ...], ...] = CORNERS) -> bool:
    """Whether the quarters of a picture have these colours, as far as a picture that loses something can."""
    return all(
        abs(found - wanted) <= 25
        for one, other in zip(corners(content), expected, strict=True)
        for found, wanted in zip(one, other, strict=True)
    )


def planted_in(content: bytes) -> set[str]:
    """What of all that was planted can be found in a file, in whatever of its two spellings."""
    words = PLANTED | {"gps": GPS}
    return {
        name
        for name, word in words.items()
        if word in content or b"".join(bytes([0, each]) for each in word) in content
    }


def beside_the_pixels(content: bytes) -> set[str]:
    """What a decoder finds in a file that is no pixel: EXIF, profiles, comments and the like."""
    harmless = {
        "jfif",
        "jfif_version",
        "jfif_unit",
        "jfif_density",
        "loop",
        "background",
        "timestamp",
        "duration",
    }
    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
        found = set(map(str, picture.info)) - harmless
        return found | ({"exif tags"} if len(picture.getexif()) else set())
