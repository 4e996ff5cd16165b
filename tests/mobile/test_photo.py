"""Photos: upright, small, stripped; broken ones are told."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from mobile.core import photo
from mobile.core.errors import PhotoInvalid, SaveFailed
from mobile.storage import photos
from mobile.storage.store import Store
from shared import protocol


def jpeg(width: int, height: int, orientation: int = 1) -> bytes:
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (0, 0, width // 2, height))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "a camera"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (34.0, 45.0, 0.0)
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def png_head(width: int, height: int) -> bytes:
    """A PNG that claims to be so large, and says no more."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0" * 9)
    chunks = (
        struct.pack(">I", len(b) - 4) + b + struct.pack(">I", zlib.crc32(b)) for b in (body, data)
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def with_exif(data: bytes, exif: bytes) -> bytes:
    """A JPEG with these bytes as its EXIF."""
    segment = b"Exif\0\0" + exif
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]


def plain_jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (400, 300), "red").save(out, "JPEG")
    return out.getvalue()


ENDLESS = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\xff\xff\xff\xff\x06\0\0\0\x08\0\0\0"


@pytest.mark.parametrize(
    "exif",
    [ENDLESS, b"", b"II*\0", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0" + b"\xff" * 200],
    ids=["a count of 4 GB", "empty", "cut", "an offset beyond its end", "nonsense"],
)
def test_broken_exif_spoils_no_photo(exif: bytes) -> None:
    picture = photo.prepare(with_exif(plain_jpeg(), exif))
    assert (picture.width, picture.height) == (400, 300)
    assert b"Exif" not in picture.data


def test_fifty_megapixels_are_shrunk_in_bounded_memory(tmp_path: Path) -> None:
    """What phones' cameras write; a whole decode would take 150 MB."""
    Image.new("RGB", (8160, 6144), "red").save(tmp_path / "large.jpg", quality=60)
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from mobile.core import photo\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = peak()\n"
        "found = photo.prepare(Path(sys.argv[1]))\n"
        "print(found.width, found.height, peak() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "large.jpg"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    width, height, megabytes = map(int, done.stdout.split())
    assert (width, height) == (2048, 1542)
    assert megabytes < 110, f"{megabytes} MB"


def test_no_word_of_xmp_profiles_or_comments_stays() -> None:
    out = io.BytesIO()
    image = Image.new("RGB", (64, 64), "red")
    image.save(
        out, "JPEG", comment=b"taken by me", icc_profile=b"a profile" * 20,
        xmp=b"<x:xmpmeta>here I live</x:xmpmeta>",
    )  # fmt: skip
    made = photo.prepare(out.getvalue()).data
    assert not any(word in made for word in (b"taken by me", b"a profile", b"here I live", b"http"))


def test_a_photo_is_turned_upright_shrunk_and_stripped() -> None:
    picture = photo.prepare(jpeg(4000, 1000, orientation=6))
    with Image.open(io.BytesIO(picture.data)) as image:
        assert image.format == "JPEG"
        assert image.size == (picture.width, picture.height) == (512, protocol.MAX_PHOTO_SIDE)
        assert not image.getexif()
        red, _, blue = image.convert("RGB").getpixel((256, 10))
        assert blue > red, "what was left is on top now"
    assert b"a camera" not in picture.data and b"Exif" not in picture.data
    assert picture.sha256 == hashlib.sha256(picture.data).hexdigest()


def test_a_small_photo_is_not_made_larger() -> None:
    assert photo.prepare(jpeg(320, 200)).width == 320


def test_a_heic_picture_is_read_where_the_reader_is_installed() -> None:
    import pillow_heif as heif

    out = io.BytesIO()
    heif.from_pillow(Image.new("RGB", (64, 48), "green")).save(out, format="HEIF", quality=90)
    assert (photo.prepare(out.getvalue()).width, photo.prepare(out.getvalue()).height) == (64, 48)


def test_a_transparent_picture_becomes_a_jpeg_on_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(out, "PNG")
    with Image.open(io.BytesIO(photo.prepare(out.getvalue()).data)) as image:
        assert image.getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"not a picture", "unknown_kind"),
        (b"<html><body>no such page</body></html>", "unknown_kind"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "unknown_kind"),
        (jpeg(500, 500)[:400], "broken"),
        (jpeg(3000, 2000)[:-2000], "broken"),
        (b"GIF89a" + b"\0" * 40, "unknown_kind"),
        (png_head(50_000, 50_000), "too_large"),
        (png_head(9_000, 9_000), "too_large"),
    ],
)
def test_a_broken_picture_is_told(data: bytes, code: str) -> None:
    with pytest.raises(PhotoInvalid) as caught:
        photo.prepare(data)
    assert caught.value.code == code
    assert caught.value.message_zh


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(PhotoInvalid) as caught:
        photo.prepare(tmp_path / "gone.jpg")
    assert caught.value.code == "missing"


def test_a_picture_is_under_its_name_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = photo.prepare(jpeg(300, 300))
    store = Store(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveFailed) as caught:
        photos.put(store, picture)
    assert caught.value.code == "disk_full"
    assert [p for p in tmp_path.rglob("*") if p.is_file() and p not in before] == []
    monkeypatch.undo()
    path = photos.put(store, picture)
    assert picture.data not in path.read_bytes()
    assert photos.read(store, path) == picture.data
    assert photos.put(store, picture) == path
    store.close()
