"""Pure: is this file the photo it claims to be, and is it free of a position?

Memory stays bounded whatever a file says of itself: the size in pixels is read from the header
before anything is decoded, JPEG is decoded at an eighth of its size, and of what must be decoded
whole (PNG, WebP, HEIC, progressive JPEG) there is one at a time in a process.

Of a JPEG of one plain scan the beginning is decoded, see server.core.jpeg_scan.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import IO, cast

import pillow_heif
from PIL import (
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from server.core import photo_position
from server.core.jpeg_scan import END, SCAN, Enough, Layout, Limited, layout_of

# Several pictures in one JPEG file, as some phones write them, are "MPO"; it is shown as a JPEG.
FORMATS = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "HEIF": "image/heic",
}
MAX_PIXELS = 64_000_000  # of a JPEG that can be decoded row by row
MAX_WHOLE_PIXELS = 25_000_000  # of what must be decoded whole: 100 MB at the most
MAX_SCANS = 64  # of a progressive JPEG; each may cost as much time as a whole picture
MAX_EXIF = 256 * 1024
CODES = ("empty", "not_an_image", "too_many_pixels", "broken", "has_position")

_whole = threading.Lock()

_PLUGINS = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin)  # imported, so known
_OPENED_AS = ("JPEG", "PNG", "WEBP", "HEIF")
pillow_heif.register_heif_opener(thumbnails=False)


@dataclass(frozen=True)
class Checked:
    """What a photo is: its type and its size in pixels."""

    mime: str
    width: int
    height: int


class BadImage(Exception):
    """Not a photo we keep; ``code`` is one of CODES."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def check(file: IO[bytes]) -> Checked:
    """Decode the image in bounded memory; raises BadImage.

    The file must allow seeking. Nothing of it is changed, and nothing is written.
    """
    limited = Limited(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with opened(cast(IO[bytes], limited)) as image:
            width, height = image.size
            mime = FORMATS[image.format or ""]
            late = image.format == "PNG"  # its texts may stand behind the pixels
            if not late and has_position(image):
                raise BadImage("has_position")
            layout = layout_of(file) if mime == "image/jpeg" else Layout()
            if _row_by_row(image):
                limited.stop_at = layout.enough
            with decoding(image, (1, 1)), suppress(Enough):
                image.load()
                if late and has_position(image):
                    raise BadImage("has_position")
        if photo_position.anywhere(file, layout.scans):
            raise BadImage("has_position")
    if mime == "image/jpeg":
        _check_end(file)
    return Checked(mime, width, height)


@contextmanager
def opened(file: IO[bytes]) -> Iterator[Image.Image]:
    """The image with its header read and its size found bearable; errors become BadImage."""
    file.seek(0)
    if not file.read(1):
        raise BadImage("empty")
    file.seek(0)
    try:
        with Image.open(file, formats=_OPENED_AS) as image:
            if image.format not in FORMATS:
                raise BadImage("not_an_image")
            width, height = image.size
            if width * height > (MAX_PIXELS if _row_by_row(image) else MAX_WHOLE_PIXELS):
                raise BadImage("too_many_pixels")
            yield image
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage("broken" if _begins_as_ours(file) else "not_an_image") from None
    except Image.DecompressionBombError:
        raise BadImage("too_many_pixels") from None
    except Exception:
        raise BadImage("broken") from None


@contextmanager
def decoding(image: Image.Image, size: tuple[int, int]) -> Iterator[None]:
    """Around what decodes an `opened` image, of which no more than ``size`` pixels are needed."""
    small = _row_by_row(image)
    if image.format in ("JPEG", "MPO"):
        image.draft("RGB", size)
        if not small and _scans(image) > MAX_SCANS:
            raise BadImage("broken")
    with nullcontext() if small else _whole:
        yield


def has_position(image: Image.Image) -> bool:
    """Whether EXIF or XMP, as a reader of pictures finds them, says where it was taken."""
    if any(photo_position.in_text(text) for text in _texts(image)):
        return True
    raw = image.info.get("exif") or b""
    if len(raw) > MAX_EXIF:
        raise BadImage("broken")
    return photo_position.in_exif(image.getexif, raw)


def _texts(image: Image.Image) -> Iterator[bytes]:
    """Whatever the file holds of text: XMP, its extensions, comments."""
    for name, value in image.info.items():
        if name not in ("exif", "icc_profile"):
            if isinstance(value, str):
                yield value.encode(errors="replace")
            elif isinstance(value, bytes):
                yield value
    for _, segment in getattr(image, "applist", ()):
        if segment.startswith(b"http://"):
            yield segment


def _row_by_row(image: Image.Image) -> bool:
    return image.format in ("JPEG", "MPO") and not image.info.get("progressive")


def _scans(image: Image.Image) -> int:
    file: IO[bytes] = image.fp  # type: ignore[attr-defined]

    here = file.tell()
    file.seek(0)
    count = 0
    tail = b""
    while block := file.read(1 << 20):
        count += (tail + block).count(SCAN)
        tail = block[-1:]
    file.seek(here)
    return count


def _check_end(file: IO[bytes]) -> None:
    """A JPEG that stops half way decodes to grey below; its end is not there."""
    file.seek(0, 2)
    length = file.tell()
    file.seek(max(0, length - (1 << 16)))
    if END not in file.read():
        raise BadImage("broken")


def _begins_as_ours(file: IO[bytes]) -> bool:
    file.seek(0)
    begin = file.read(12)
    return begin.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n")) or begin[8:] == b"WEBP"
