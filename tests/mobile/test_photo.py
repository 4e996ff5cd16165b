"""Photos: upright, small, stripped; broken ones are told."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image

from mobile.core import photo
from mobile.core.errors import PhotoInvalid, SaveFailed
from mobile.storage import photos
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
    [(b"", "unknown_kind"), (b"not a picture", "unknown_kind"), (jpeg(500, 500)[:400], "broken")],
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

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(photos.os, "fsync", full)
    with pytest.raises(SaveFailed) as caught:
        photos.put(tmp_path, picture)
    assert caught.value.code == "disk_full"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
    monkeypatch.undo()
    path = photos.put(tmp_path, picture)
    assert path.read_bytes() == picture.data
    assert photos.put(tmp_path, picture) == path
