"""Pure: a photo from a browser as the phones send theirs: upright, small, and nothing but pixels.

What a camera wrote beside them (where it was, whose phone) is dropped here; the time alone is kept.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import IO

from PIL import Image, ImageOps

from server.core.image_check import BadImage, decoding, opened
from shared import protocol

QUALITY = 82
_EXIF, _TAKEN = 0x8769, 0x9003  # DateTimeOriginal
_SHANGHAI = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class Cleaned:
    """A JPEG of at most MAX_PHOTO_SIDE pixels a side; when it was taken (ms), if it said so."""

    data: bytes
    sha256: str
    width: int
    height: int
    taken_at: int | None


def clean(file: IO[bytes]) -> Cleaned:
    """The pixels of a photo, encoded anew. Raises BadImage.

    The file must allow seeking; memory is bounded as in `image_check`.
    """
    side = protocol.MAX_PHOTO_SIDE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with opened(file) as image:
            taken_at = _taken_at(image)
            with decoding(image, (side, side)):
                picture = _upright(image, side)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY, optimize=True)
    data = out.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    return Cleaned(data, digest, picture.width, picture.height, taken_at)


def _upright(image: Image.Image, side: int) -> Image.Image:
    try:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        upright = ImageOps.exif_transpose(image)
        if upright.mode in ("RGBA", "LA", "P", "PA"):
            upright = upright.convert("RGBA")
            bare = Image.new("RGB", upright.size, "white")
            bare.paste(upright, mask=upright.getchannel("A"))
            return bare
        bare = Image.new("RGB", upright.size)
        bare.paste(upright.convert("RGB"))
    except Exception:
        raise BadImage("broken") from None
    return bare


def _taken_at(image: Image.Image) -> int | None:
    """When the camera says it was; its clock has no zone, and here it is always Shanghai's."""
    try:
        text = str(image.getexif().get_ifd(_EXIF).get(_TAKEN, ""))
        found = datetime.strptime(text.strip("\x00 "), "%Y:%m:%d %H:%M:%S")
    except Exception:
        return None
    if not 2000 < found.year < 2200:
        return None
    return int(found.replace(tzinfo=_SHANGHAI).timestamp() * 1000)
