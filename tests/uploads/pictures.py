"""Photos of some hundred kilobytes, quickly made: one picture, each with another comment."""

from __future__ import annotations

import functools
import io

from PIL import Image

from shared import ids


@functools.cache
def _noise(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((width, height), 80).convert("RGB").save(out, "JPEG", quality=90)
    return out.getvalue()


def photo(width: int = 640, height: int = 480) -> bytes:
    """A JPEG that nobody else has; 640 x 480 takes about 230 kB."""
    whole = _noise(width, height)
    comment = ids.new_id().encode()
    return whole[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + whole[2:]
