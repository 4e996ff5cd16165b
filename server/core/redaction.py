"""Pure: black rectangles over a picture, and the picture that is left, with nothing beside it."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw, ImageOps, JpegImagePlugin

from server.core.image_check import BadImage, check, decoding, opened

MOST_BOXES = 50
QUALITY = 95
_ORIENTATION = 0x0112
_turn = threading.Lock()


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the upright picture: its left upper corner, width and height."""

    x: int
    y: int
    width: int
    height: int

    def to_json(self) -> list[int]:
        """As it is kept in the list beside the database."""
        return [self.x, self.y, self.width, self.height]

    def within(self, width: int, height: int) -> Box | None:
        """The part of it that lies on a picture of this size; None where nothing does."""
        left, top = max(0, self.x), max(0, self.y)
        right, bottom = min(width, self.x + self.width), min(height, self.y + self.height)
        if right <= left or bottom <= top:
            return None
        return Box(left, top, right - left, bottom - top)


@dataclass(frozen=True)
class Redacted:
    """The new picture: its bytes, type and size in pixels."""

    data: bytes
    mime: str
    width: int
    height: int


def upright_size(data: bytes) -> tuple[int, int]:
    """The width and height in which a picture is seen; raises BadImage."""
    with _reading(data) as image:
        width, height = image.size
        return (height, width) if image.getexif().get(_ORIENTATION, 1) >= 5 else (width, height)


def blackout(data: bytes, boxes: Iterable[Box]) -> Redacted:
    """The picture with the rectangles painted over, of the same size and format, upright.

    A JPEG keeps its own tables, so that what is not painted over stays as good as it was; HEIC,
    which browsers do not show, becomes JPEG. Nothing but the pixels and their colour profile goes
    along: no EXIF, no comment, no thumbnail. One at a time in a process: it is decoded whole.
    Raises BadImage, also where no rectangle lies on the picture ("no_box").
    """
    with _turn:
        with _reading(data) as image, decoding(image, image.size):
            options = _options(image)
            picture = _pixels(image)
        on_it = [one for box in boxes if (one := box.within(*picture.size))]
        if not on_it:
            raise BadImage("no_box")
        draw = ImageDraw.Draw(picture)
        for box in on_it:
            corner = (box.x + box.width - 1, box.y + box.height - 1)
            draw.rectangle(((box.x, box.y), corner), fill="black")
        out = io.BytesIO()
        picture.save(out, **options)
        size = picture.size
    return Redacted(out.getvalue(), check(out).mime, *size)


@contextmanager
def _reading(data: bytes) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with opened(io.BytesIO(data)) as image:
            yield image


def _options(image: Image.Image) -> dict[str, Any]:
    """How to write a picture like this one."""
    format = image.format if image.format in ("PNG", "WEBP") else "JPEG"
    options: dict[str, Any] = {"format": format}
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "RGBA", "L"):
        options["icc_profile"] = profile
    if format == "WEBP":
        options |= {"quality": QUALITY, "method": 4}
    elif format == "JPEG":
        tables: Mapping[int, Any] | None = getattr(image, "quantization", None)
        sampling = JpegImagePlugin.get_sampling(image) if tables else -1
        if tables and image.mode in ("RGB", "L") and sampling >= 0:
            options |= {"qtables": tables, "subsampling": sampling}
        else:
            options |= {"quality": QUALITY, "subsampling": 0}
    return options


def _pixels(image: Image.Image) -> Image.Image:
    """The picture upright, in a mode that can be painted on, without anything beside it."""
    try:
        upright = ImageOps.exif_transpose(image)
        if image.format not in ("PNG", "WEBP") and upright.mode not in ("L", "RGB"):
            upright = upright.convert("RGB")
        if upright.mode not in ("L", "RGB", "RGBA"):
            has_holes = "transparency" in upright.info or upright.mode in ("LA", "PA")
            upright = upright.convert("RGBA" if has_holes else "RGB")
        else:
            upright.load()
    except Exception:
        raise BadImage("broken") from None
    upright.info.clear()
    return upright
