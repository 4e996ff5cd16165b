"""A photo made ready to be kept: upright, small, and without a word of what the camera wrote.

Memory stays bounded: a JPEG is decoded at a fraction of its size, so that 50 megapixels take no
more than twelve; whatever cannot be decoded so may have at most MAX_WHOLE pixels.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from mobile.core.errors import PhotoInvalid
from shared import protocol

QUALITY = 82
LEAST_QUALITY = 50
SMALL_SIDE, SMALL_QUALITY = 320, 70  # what stays to be shown once the original has gone
MAX_WHOLE = 64_000_000  # decoded whole: 200 MB of pixels
EXIF_ORIENTATION = 0x0112

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow and its decoders raise for bytes that are no whole picture.
_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, RuntimeError, TypeError, IndexError, KeyError,
    ArithmeticError, struct.error,
)  # fmt: skip


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
    knows_heic = _learn_heic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd EXIF, which is dropped anyway
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
                upright = _upright(image)
    except FileNotFoundError:
        raise _invalid("missing", "照片文件不见了，请重拍", "The picture's file is gone") from None
    except UnidentifiedImageError:
        raise _unknown(source, knows_heic) from None
    except (Image.DecompressionBombError, MemoryError):
        raise _too_large() from None
    except _BROKEN:
        raise _invalid(
            "broken",
            "照片不完整或已损坏，没有加入。可以重拍，不拍也能保存",
            "The picture is broken and was left out. Take it again, or save without it",
        ) from None
    data = _encoded(upright)
    return Picture(data, hashlib.sha256(data).hexdigest(), upright.width, upright.height)


def small(data: bytes) -> bytes:
    """A prepared picture, small. Raises PhotoInvalid."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.draft("RGB", (SMALL_SIDE, SMALL_SIDE))
            image.thumbnail((SMALL_SIDE, SMALL_SIDE), Image.Resampling.LANCZOS)
            out = io.BytesIO()
            image.convert("RGB").save(out, "JPEG", quality=SMALL_QUALITY, optimize=True)
    except _BROKEN:
        raise _invalid("broken", "照片已损坏", "The picture is broken") from None
    return out.getvalue()


def _upright(image: Image.Image) -> Image.Image:
    """The pixels alone, at most MAX_PHOTO_SIDE a side, turned as they were seen."""
    side = protocol.MAX_PHOTO_SIDE
    turn = _TURNS.get(_orientation(image))
    if image.format in ("JPEG", "MPO") and not image.info.get("progressive"):
        image.draft("RGB", (side, side))  # decodes at a half, a quarter or an eighth
    if image.width * image.height > MAX_WHOLE:
        raise _too_large()
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    small = image if turn is None else image.transpose(turn)
    if small.mode in ("RGBA", "LA", "P", "PA"):
        small = small.convert("RGBA")
        bare = Image.new("RGB", small.size, "white")
        bare.paste(small, mask=small.getchannel("A"))
        return bare
    bare = Image.new("RGB", small.size)
    bare.paste(small.convert("RGB"))
    return bare


def _orientation(image: Image.Image) -> int:
    """How the camera was held, by EXIF; 1 where that is missing or broken."""
    try:
        found = image.getexif().get(EXIF_ORIENTATION, 1)
        return int(found)
    except (*_BROKEN, MemoryError):
        return 1


def _encoded(image: Image.Image) -> bytes:
    for quality in range(QUALITY, LEAST_QUALITY - 1, -8):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= protocol.MAX_PHOTO:
            return buffer.getvalue()
    raise _too_large()


def _learn_heic() -> bool:
    """Pillow reads HEIC once this extra package has been told to it."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _unknown(source: Path | bytes, knows_heic: bool) -> PhotoInvalid:
    """Bytes that no decoder knows: nothing at all, HEIC without its reader, or no picture."""
    start = _start(source)
    if not start:
        return _invalid("empty", "照片是空的，没有拍成，请重拍", "The picture is empty")
    if start[4:8] == b"ftyp" and not knows_heic:
        return _invalid(
            "heic",
            "这部手机打不开 HEIC 照片。请在相机设置里把格式改成 JPEG，或截屏后再选",
            "This phone cannot open HEIC; set the camera to JPEG, or choose a screenshot of it",
        )
    return _invalid(
        "unknown_kind", "这个文件不是照片，或手机不认识它的格式", "Not a picture we can read"
    )


def _start(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:16]
    try:
        with source.open("rb") as file:
            return file.read(16)
    except OSError:
        return b""


def _too_large() -> PhotoInvalid:
    return _invalid(
        "too_large", "照片太大，手机处理不了，请用普通模式重拍", "The picture is too large"
    )


def _invalid(code: str, zh: str, en: str) -> PhotoInvalid:
    return PhotoInvalid(code, zh, en)
