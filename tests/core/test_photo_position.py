"""A position is found wherever in the file it stands, and nothing else is taken for one."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from server.core.image_check import BadImage, check


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48), **more: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(out, kind, **more)
    return out.getvalue()


def exif(latitude: bool = True) -> bytes:
    made = Image.Exif()
    made[0x010F] = "maker"
    if latitude:
        made.get_ifd(0x8825)[2] = (34.0, 45.0, 0.0)
    return made.tobytes()


def segment(body: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def before_the_end(chunk: bytes) -> bytes:
    """A PNG with one more chunk behind its pixels."""
    whole = picture("PNG")
    at = whole.rindex(b"IEND") - 4
    crc = struct.pack(">I", zlib.crc32(chunk))
    return whole[:at] + struct.pack(">I", len(chunk) - 4) + chunk + crc + whole[at:]


PLAIN, SCANS = picture(), picture(progressive=True)
BETWEEN = SCANS.index(b"\xff\xda", SCANS.index(b"\xff\xda") + 2)
LARGE = picture(size=(760, 560), quality=95)  # its scan is longer than what is searched of it
MIDDLE, LAST = LARGE.index(b"\xff\xda") + 120_000, len(LARGE) - 2
XMP = b"<x:xmpmeta><a exif:GPSLatitude='34,45N'/></x:xmpmeta>"
BLOCK = segment(exif())
ITXT = b"iTXtXML:com.adobe.xmp\0\x01\0\0\0" + zlib.compress(XMP)
HIDDEN = {
    "a second photo behind the end": PLAIN + picture(exif=exif()),
    "across two of the blocks that are read": PLAIN.ljust(2**20 - 5, b"\0") + BLOCK + PLAIN,
    "a film behind the end": PLAIN + b"\xa9xyz\0\x12\x15\xc7+34.7500+113.6200/",
    "behind the scan": PLAIN[:-2] + BLOCK + PLAIN[-2:],
    "XMP behind the scan": PLAIN[:-2] + segment(XMP) + PLAIN[-2:],
    **{
        f"XMP in {kind}": PLAIN[:2] + segment(XMP.decode().encode(kind)) + PLAIN[2:]
        for kind in ("UTF-16-LE", "UTF-16-BE", "UTF-32")
    },
    "in front of a large scan": LARGE[:2] + BLOCK + LARGE[2:],
    "in the middle of a large scan": LARGE[:MIDDLE] + BLOCK + LARGE[MIDDLE:],
    "in front of the end of a large scan": LARGE[:LAST] + BLOCK + LARGE[LAST:],
    "behind the last pixel, with no marker": LARGE[:LAST] + XMP + LARGE[LAST:],
    "a photo behind a large one": LARGE + picture(exif=exif()),
    "between two scans": SCANS[:BETWEEN] + BLOCK + SCANS[BETWEEN:],
    "the second of two EXIF blocks": PLAIN[:2] + segment(exif(False)) + BLOCK + PLAIN[2:],
    "text behind the pixels of a PNG": before_the_end(ITXT),
    "a photo behind a WebP": picture("WEBP") + picture(exif=exif()),
    "a great many blocks": PLAIN + segment(exif(False)) * 100,
}
CLEAN = {
    "EXIF behind the end": PLAIN + segment(exif(False)) + PLAIN[-2:],
    "words that begin alike": PLAIN + b"GPS Exif\0\0 geo: \xa9xyz location" + PLAIN[-2:],
    "what is no text but pixels": LARGE[:MIDDLE] + XMP + LARGE[MIDDLE:],
    "a PNG with a title": before_the_end(b"tEXtTitle\0GPS"),
}


@pytest.mark.parametrize("data", HIDDEN.values(), ids=HIDDEN)
def test_a_hidden_position_is_found(data: bytes) -> None:
    with pytest.raises(BadImage, match="has_position"):
        check(io.BytesIO(data))


@pytest.mark.parametrize("data", CLEAN.values(), ids=CLEAN)
def test_what_only_looks_like_one_is_let_in(data: bytes) -> None:
    assert check(io.BytesIO(data)).mime in ("image/jpeg", "image/png")
