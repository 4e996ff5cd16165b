"""Pure: a smaller picture of a photo, upright, with no metadata, made in bounded memory."""

from __future__ import annotations

import io
import warnings
from typing import IO

from PIL import Image, ImageOps

from server.core.image_check import decoding, opened

SIZES = (320, 1280)  # pixels of the longer side
KINDS = {"webp": "image/webp", "jpeg": "image/jpeg"}
_HOW: dict[str, dict[str, object]] = {
    "webp": {"quality": 76, "method": 2},
    "jpeg": {"quality": 80, "optimize": True, "progressive": True},
}


def make(file: IO[bytes], size: int, kind: str) -> bytes:
    """The picture with its longer side at most ``size`` pixels, as ``kind`` of KINDS.

    Raises BadImage (server.core.image_check) where it cannot be decoded.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with opened(file) as picture, decoding(picture, (size, size)):
            profile = picture.info.get("icc_profile") if picture.mode == "RGB" else None
            picture.thumbnail((size, size), Image.Resampling.BICUBIC)
            upright = _opaque(ImageOps.exif_transpose(picture))
    upright.info = {}
    out = io.BytesIO()
    upright.save(out, kind.upper(), icc_profile=profile, **_HOW[kind])
    return out.getvalue()


def _opaque(picture: Image.Image) -> Image.Image:
    """In RGB; what was transparent is white."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        ground = Image.new("RGB", clear.size, "white")
        ground.paste(clear, mask=clear.getchannel("A"))
        return ground
    return picture.convert("RGB")
