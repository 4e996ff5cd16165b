"""Photo bytes, for those who may see the record they belong to."""

from __future__ import annotations

import io
from collections.abc import Iterator

from flask import Blueprint, Response, abort, request
from PIL import Image, ImageOps, UnidentifiedImageError

from server.storage import blobs
from server.storage.database import db
from server.storage.queries import photos
from server.web import args, session

pages = Blueprint("photos", __name__)
SIZES = (320, 960)
SHOWN = ("verified", "stored")
MIMES = ("image/jpeg", "image/png", "image/webp")
KEEP = 24 * 3600


@pages.get("/photos/<photo_id>")
def one(photo_id: str) -> Response:
    """A photo, whole or with its longer side at most ``size`` pixels."""
    viewer = session.need("see_records", "see_own_problems")
    photo = photos.visible(db.session(), viewer, photo_id)
    if photo is None or photo.state not in SHOWN:
        abort(404)
    wanted = args.number("size")
    size = wanted if wanted in SIZES else 0
    response = Response()
    response.set_etag(f"{photo.sha256[:32]}-{size}")
    response.cache_control.private = True
    response.cache_control.max_age = KEEP
    response.make_conditional(request)
    if response.status_code == 304:
        return response
    store = blobs.current()
    if not store.exists(photo.sha256):
        abort(404)
    if size:
        response.mimetype = "image/jpeg"
        response.set_data(_smaller(b"".join(store.read(photo.sha256)), size))
        return response
    response.mimetype = photo.mime if photo.mime in MIMES else "application/octet-stream"
    response.content_length = store.size(photo.sha256)
    response.response = _stream(store.read(photo.sha256))
    return response


def _stream(blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield from blocks


def _smaller(data: bytes, size: int) -> bytes:
    """A JPEG of the picture, upright, with no metadata."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.draft("RGB", (size, size))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        abort(404)
    upright.thumbnail((size, size))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=82, optimize=True)
    return out.getvalue()
