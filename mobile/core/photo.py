"""A photo made ready to be kept: upright, small, and without a word of what the camera wrote."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from mobile.core.errors import PhotoInvalid
from shared import protocol

QUALITY = 82
LEAST_QUALITY = 50
MAX_PIXELS = 120_000_000  # more is no photo of a phone, and would not fit into its memory


@dataclass(frozen=True)
class Picture:
    """A JPEG of at most MAX_PHOTO_SIDE pixels a side, with its SHA-256 (64 hex digits)."""

    data: bytes
    sha256: str
    width: int
    height: int


def prepare(source: Path | bytes) -> Picture:
    """Turn upright, shrink, strip all metadata, encode as JPEG.

    HEIC is read where pillow_heif is installed. Raises PhotoInvalid with the cause.
    """
    _learn_heic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd EXIF, which is dropped anyway
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise _invalid(
                        "too_large", "照片太大，手机处理不了", "The picture is too large"
                    )
                upright = _upright(image)
    except UnidentifiedImageError:
        raise _invalid(
            "unknown_kind", "这个文件不是照片，或手机不认识它的格式", "Not a picture we can read"
        ) from None
    except FileNotFoundError:
        raise _invalid("missing", "照片文件不见了，请重拍", "The picture's file is gone") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, EOFError):
        raise _invalid("broken", "照片已损坏，请重拍", "The picture is broken") from None
    data = _encoded(upright)
    return Picture(data, hashlib.sha256(data).hexdigest(), upright.width, upright.height)


def _upright(image: Image.Image) -> Image.Image:
    """The pixels alone, turned as they were seen, at most MAX_PHOTO_SIDE a side."""
    side = protocol.MAX_PHOTO_SIDE
    image.draft("RGB", (side, side))
    turned = ImageOps.exif_transpose(image)
    turned.thumbnail((side, side), Image.Resampling.LANCZOS)
    if turned.mode in ("RGBA", "LA", "P"):
        turned = turned.convert("RGBA")
        bare = Image.new("RGB", turned.size, "white")
        bare.paste(turned, mask=turned.getchannel("A"))
        return bare
    bare = Image.new("RGB", turned.size)
    bare.paste(turned.convert("RGB"))
    return bare


def _encoded(image: Image.Image) -> bytes:
    for quality in range(QUALITY, LEAST_QUALITY - 1, -8):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= protocol.MAX_PHOTO:
            return buffer.getvalue()
    raise _invalid("too_large", "照片太大，请重拍", "The picture is too large")


def _learn_heic() -> None:
    """Pillow reads HEIC once this extra package has been told to it."""
    try:
        import pillow_heif
    except ImportError:
        return
    pillow_heif.register_heif_opener()


def _invalid(code: str, zh: str, en: str) -> PhotoInvalid:
    return PhotoInvalid(code, zh, en)
