"""Black rectangles: what is under them is gone, what is beside them stays."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from server.core.image_check import BadImage
from server.core.redaction import Box, blackout


def _picture(mode: str = "RGB", format: str = "JPEG", **more: Any) -> bytes:
    image = Image.effect_noise((320, 240), 60).convert(mode)
    out = io.BytesIO()
    image.save(out, format, **more)
    return out.getvalue()


@pytest.mark.parametrize(
    ("mode", "format", "mime"),
    [
        ("RGB", "JPEG", "image/jpeg"),
        ("L", "JPEG", "image/jpeg"),
        ("CMYK", "JPEG", "image/jpeg"),
        ("RGBA", "PNG", "image/png"),
        ("P", "PNG", "image/png"),
        ("RGB", "WEBP", "image/webp"),
        ("RGB", "HEIF", "image/jpeg"),
    ],
)
def test_the_box_is_black_and_the_rest_is_as_it_was(mode: str, format: str, mime: str) -> None:
    data = _picture(mode, format)
    made = blackout(data, [Box(100, 80, 60, 40)])
    assert (made.mime, made.width, made.height) == (mime, 320, 240)
    before = Image.open(io.BytesIO(data)).convert("L")
    after = Image.open(io.BytesIO(made.data)).convert("L")
    inside = after.crop((104, 84, 156, 116))
    assert inside.getextrema()[1] < 12
    far = (0, 140, 320, 240)
    pairs = zip(before.crop(far).tobytes(), after.crop(far).tobytes(), strict=True)
    apart = [abs(a - b) for a, b in pairs]
    assert sum(apart) / len(apart) < (8 if format in ("WEBP", "HEIF") else 2)


def test_nothing_goes_along_but_the_pixels() -> None:
    exif = Image.Exif()
    exif[0x010E] = "Zhang San at home"
    data = _picture(exif=exif, comment=b"a secret", quality=90)
    assert b"Zhang San" in data and b"a secret" in data
    made = blackout(data, [Box(0, 0, 50, 50)])
    assert b"Zhang San" not in made.data and b"a secret" not in made.data
    assert not Image.open(io.BytesIO(made.data)).getexif()


def test_a_picture_on_its_side_is_painted_as_it_is_seen() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    image = Image.new("RGB", (320, 240), "white")
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    made = blackout(out.getvalue(), [Box(200, 0, 40, 40)])
    assert (made.width, made.height) == (240, 320)
    after = Image.open(io.BytesIO(made.data)).convert("L")
    assert after.getpixel((220, 20)) < 12 and after.getpixel((20, 300)) > 240


def test_boxes_beyond_the_edge_are_cut_and_none_at_all_is_refused() -> None:
    data = _picture()
    made = blackout(data, [Box(-20, -20, 60, 60), Box(300, 220, 999, 999), Box(5000, 0, 9, 9)])
    after = Image.open(io.BytesIO(made.data)).convert("L")
    assert after.getpixel((10, 10)) < 12 and after.getpixel((315, 235)) < 12
    for boxes in ([], [Box(400, 10, 10, 10)], [Box(10, 10, 0, 10)]):
        with pytest.raises(BadImage, match="no_box"):
            blackout(data, boxes)


def test_what_is_no_picture_is_refused() -> None:
    for data in (b"", b"<html>", _picture()[:800]):
        with pytest.raises(BadImage):
            blackout(data, [Box(0, 0, 10, 10)])
