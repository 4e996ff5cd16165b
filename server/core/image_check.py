"""Pure: is this file the photo it claims to be, and is it free of a position?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import IO

from PIL import Image, UnidentifiedImageError

MAX_PIXELS = 40_000_000
FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_GPS_TAG = 0x8825


@dataclass(frozen=True)
class Checked:
    """What a photo is: its type and its size in pixels."""

    mime: str
    width: int
    height: int


class BadImage(Exception):
    """Not a photo we keep: not_an_image, too_many_pixels, broken or has_position."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def check(file: IO[bytes]) -> Checked:
    """Decode the whole image in bounded memory; raises BadImage.

    The size is read from the header before a pixel is decoded, so that a decompression bomb costs
    nothing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file, formats=list(FORMATS)) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise BadImage("too_many_pixels")
                if image.getexif().get_ifd(_GPS_TAG):
                    raise BadImage("has_position")
                mime = FORMATS[image.format or ""]
                image.load()
    except (UnidentifiedImageError, KeyError):
        raise BadImage("not_an_image") from None
    except BadImage:
        raise
    except Image.DecompressionBombError:
        raise BadImage("too_many_pixels") from None
    except Exception:
        raise BadImage("broken") from None
    return Checked(mime, width, height)
