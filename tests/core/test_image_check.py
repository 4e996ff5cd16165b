"""What is no clean photo is told apart by its cause, in bounded memory; a clean one passes."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import pytest
from PIL import Image

from server.core import image_check, thumbnail
from server.core.image_check import BadImage, check
from server.core.jpeg_scan import Layout, layout_of

ROOT = Path(__file__).parents[2]


def jpeg(size: tuple[int, int] = (64, 48), **more: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(out, "JPEG", **more)
    return out.getvalue()


def exif_segment(body: bytes) -> bytes:
    """The JPEG with these bytes as its EXIF."""
    head = b"Exif\x00\x00" + body
    return jpeg()[:2] + b"\xff\xe1" + struct.pack(">H", len(head) + 2) + head + jpeg()[2:]


def with_xmp(text: bytes) -> bytes:
    head = b"http://ns.adobe.com/xap/1.0/\x00" + text
    return jpeg()[:2] + b"\xff\xe1" + struct.pack(">H", len(head) + 2) + head + jpeg()[2:]


def huge_png(width: int, height: int) -> bytes:
    """A PNG that says it has so many pixels, and would inflate to them."""
    rows = zlib.compress(bytes(200_000))
    return png(width, height, png_chunk(b"IDAT", rows))


def png_chunk(name: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc)


def png(width: int, height: int, chunks: bytes) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunks + png_chunk(b"IEND", b"")


def huge_jpeg() -> bytes:
    """A JPEG whose header says 60,000 x 60,000 pixels."""
    data = bytearray(jpeg())
    size = data.index(b"\xff\xc0") + 5
    data[size : size + 4] = struct.pack(">HH", 60_000, 60_000)
    return bytes(data)


def gps() -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (34.0, 45.0, 0.0)
    return jpeg(exif=exif)


# One entry of ASCII text that says it has 4 GB, and lies beyond the file.
FOUR_GB = (
    b"II*\x00\x08\x00\x00\x00" + struct.pack("<HHHII", 1, 0x010E, 2, 0xFFFFFFF0, 26) + bytes(4)
)
SCANS = jpeg(progressive=True)
XMP = b"<x:xmpmeta xmlns:exif='http://ns.adobe.com/exif/1.0/'>%s</x:xmpmeta>"
GPS_4_GB = struct.pack("<HHHII", 1, 0x8825, 4, 0xFFFFFFF0, 26)

HOSTILE = [
    ("empty", b"", "empty"),
    ("html", b"<html><script>alert(1)</script></html>", "not_an_image"),
    ("svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "not_an_image"),
    ("gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "not_an_image"),
    ("truncated", jpeg((640, 480))[:9000], "broken"),
    ("half a header", jpeg()[:15], "broken"),
    ("50,000 x 50,000", huge_png(50_000, 50_000), "too_many_pixels"),
    ("JPEG of 60,000 x 60,000", huge_jpeg(), "too_many_pixels"),
    (
        "text that inflates to 200 MB",
        png(9, 9, png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000), 1))),
        "broken",
    ),
    ("rows missing", huge_png(4000, 4000), "broken"),
    ("EXIF position", gps(), "has_position"),
    (
        "XMP position",
        with_xmp(XMP % b"<exif:GPSLatitude>34,45N</exif:GPSLatitude>"),
        "has_position",
    ),
    ("XMP in capitals", with_xmp(XMP % b"<rdf:li GEO:LAT='34.7'/>"), "has_position"),
    ("XMP attribute", with_xmp(XMP % b"<a exif:GPSLongitude='1'/>"), "has_position"),
    ("too many scans", SCANS[:-2] + b"\xff\xda" * 100 + b"\xff\xd9", "broken"),
]
CLEAN = [
    ("JPEG", jpeg()),
    ("progressive", SCANS),
    ("EXIF with a 4 GB count", exif_segment(FOUR_GB)),
    (
        "EXIF with a position of 4 GB",
        exif_segment(b"II*\x00\x08\x00\x00\x00" + GPS_4_GB + bytes(4)),
    ),
    ("EXIF that is nothing", exif_segment(b"\xff" * 40)),
    ("XMP without a position", with_xmp(XMP % b"<dc:title>GPS</dc:title>")),
]


@pytest.mark.parametrize(
    ("data", "code"), [row[1:] for row in HOSTILE], ids=[r[0] for r in HOSTILE]
)
def test_what_is_no_clean_photo_is_refused_for_its_own_reason(data: bytes, code: str) -> None:
    tracemalloc.start()
    with pytest.raises(BadImage) as refused:
        check(io.BytesIO(data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.code == code
    assert peak < 8 * 2**20


def test_hostile_files_cost_a_process_little_memory_and_time() -> None:
    program = """
import io, resource
from tests.core.test_image_check import CLEAN, HOSTILE, BadImage, check
used = resource.getrusage(resource.RUSAGE_SELF)
seconds = int(used.ru_utime + used.ru_stime) + 4
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
for row in (*CLEAN, *HOSTILE):
    try:
        check(io.BytesIO(row[1]))
    except BadImage:
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used.ru_maxrss)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 64 * 1024  # kB more than the process had before


@pytest.mark.parametrize("data", [row[1] for row in CLEAN], ids=[row[0] for row in CLEAN])
def test_a_clean_photo_passes_whatever_its_headers_are(data: bytes) -> None:
    assert check(io.BytesIO(data)).mime == "image/jpeg"


@pytest.mark.parametrize(("kind", "mime"), [("PNG", "png"), ("WEBP", "webp"), ("HEIF", "heic")])
def test_other_kinds_of_photos_are_known(kind: str, mime: str) -> None:
    out = io.BytesIO()
    Image.effect_noise((64, 48), 60).convert("RGB").save(out, kind)
    found = check(out)
    assert (found.mime, found.width, found.height) == (f"image/{mime}", 64, 48)


def test_two_pictures_in_one_file_are_a_jpeg_and_neither_may_tell_the_place() -> None:
    place = Image.Exif()
    place.get_ifd(0x8825)[2] = (34.0, 45.0, 0.0)
    first, second = (Image.effect_noise((64, 48), 60).convert("RGB") for _ in range(2))
    out = io.BytesIO()
    first.save(out, "MPO", save_all=True, append_images=[second])
    assert check(out).mime == "image/jpeg"
    second.encoderinfo = {"exif": place.tobytes()}
    out = io.BytesIO()
    first.save(out, "MPO", save_all=True, append_images=[second])
    with pytest.raises(BadImage, match="has_position"):
        check(out)


def damaged(whole: bytes, how: int, dice: random.Random) -> bytes:
    """A JPEG damaged in one of the ways that lines, disks and enemies have."""
    data = bytearray(whole)
    scan = data.index(b"\xff\xda") + 14
    at = dice.randrange(scan, len(data))
    match how:
        case 0:
            del data[dice.randrange(len(data)) :]
        case 1:
            data[at : at + 200] = dice.randbytes(200)
        case 2:
            del data[at : at + dice.randrange(5000)]
        case 3:
            data[at:at] = bytes([0xFF, dice.randrange(256)])
        case 4:
            data[dice.randrange(scan)] = dice.randrange(256)
        case 5:
            data[at:] = b"\xff\xd9"
        case 6:
            data += dice.randbytes(70_000)
        case _:
            data[at:] = whole[dice.randrange(2, 600) :]
    return bytes(data)


def test_decoding_the_beginning_finds_what_decoding_the_whole_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dice = random.Random(20261125)
    wholes = [jpeg((760, 560), quality=90, **more) for more in ({}, {"restart_marker_rows": 1})]
    assert all(layout_of(io.BytesIO(one)).enough is not None for one in wholes)
    files = [damaged(wholes[n // 8 % 2], n % 8, dice) for n in range(64)]

    def verdict(data: bytes) -> str:
        try:
            return check(io.BytesIO(data)).mime
        except BadImage as bad:
            return bad.code

    limited = [verdict(data) for data in files]
    monkeypatch.setattr(image_check, "layout_of", lambda _file: Layout())
    assert [verdict(data) for data in files] == limited
    assert {"image/jpeg", "broken"} <= set(limited)


@pytest.mark.parametrize("kind", thumbnail.KINDS)
def test_a_thumbnail_is_upright_small_and_says_nothing_else(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "Maker"
    data = jpeg((2000, 1000), exif=exif)
    with Image.open(io.BytesIO(thumbnail.make(io.BytesIO(data), 320, kind))) as small:
        assert small.size == (160, 320)
        assert not small.getexif() and "xmp" not in small.info
