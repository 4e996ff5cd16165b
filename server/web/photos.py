"""Photo bytes, for those who may see the record they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from flask import Blueprint, Response, abort, request, url_for

from server.core import thumbnail
from server.operations import redact, thumbnails
from server.storage import blobs
from server.storage.database import db
from server.storage.models import Photo
from server.storage.queries import photos
from server.web import args, session

pages = Blueprint("photos", __name__)
SHOWN = ("verified", "stored")
_Read = Callable[[int, int], Iterable[bytes]]
MIMES = ("image/jpeg", "image/png", "image/webp", "image/heic")


@pages.app_template_global("photo_url")
def photo_url(photo: Photo, size: int = 0) -> str:
    """The address of a photo: ``size`` 320 or 1280 pixels, 0 for the bytes as they came."""
    return url_for("web.photos.one", photo_id=photo.id, size=size or None)


@pages.get("/photos/<photo_id>")
def one(photo_id: str) -> Response:
    """A photo: as it came, or with its longer side at most ``size`` pixels (320, 1280).

    Smaller ones are WebP where the Accept header names it, else JPEG.
    """
    viewer = session.need("see_records", "see_own_problems")
    photo = photos.visible(db.session(), viewer, photo_id)
    if photo is None or photo.state not in SHOWN:
        abort(404)
    if photo.replaced_by:
        redact.look_at_original(viewer, photo, request.remote_addr)
    wanted = args.number("size")
    if wanted in thumbnail.SIZES:
        return _small(photo.sha256, wanted)
    store = blobs.current()
    try:
        length = store.size(photo.sha256)
    except FileNotFoundError:
        abort(404)
    mime = photo.mime if photo.mime in MIMES else "application/octet-stream"
    response = _private(f"{photo.sha256[:32]}", mime)
    return _ranged(response, length, lambda start, stop: store.read(photo.sha256, start, stop))


def _small(sha256: str, size: int) -> Response:
    best = request.accept_mimetypes.best_match(["image/jpeg", "image/webp"])
    kind = "webp" if best == "image/webp" else "jpeg"
    response = _private(f"{sha256[:32]}-{size}.{kind}", thumbnail.KINDS[kind])
    response.vary.add("Accept")
    if _is_known(response):
        return response
    data = thumbnails.get(sha256, size, kind)
    return _ranged(response, len(data), lambda start, stop: [data[start:stop]])


def _private(etag: str, mime: str) -> Response:
    """An answer that a browser may keep, and asks about each time: who may see it can change."""
    response = Response(mimetype=mime)
    response.set_etag(etag)
    response.cache_control.private = True
    response.cache_control.no_cache = True
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _is_known(response: Response) -> bool:
    """Whether the browser has these very bytes; then they are not sent again."""
    tag, _ = response.get_etag()
    if tag is None or not request.if_none_match.contains_weak(tag):
        return False
    response.status_code = 304
    return True


def _ranged(response: Response, length: int, read: _Read) -> Response:
    """The bytes, or the one part of them that was asked for."""
    if _is_known(response):
        return response
    start, stop = 0, length
    tag, _ = response.get_etag()
    # A date is none that was ever given out: whoever names one gets the whole.
    fresh = "If-Range" not in request.headers or request.if_range.etag == tag
    if request.range is not None and request.range.units == "bytes" and fresh:
        wanted = request.range.range_for_length(length)
        if request.range.ranges[0][0] < -length and len(request.range.ranges) == 1:
            wanted = (0, length)  # the last so many bytes, of fewer
        if wanted is not None:
            start, stop = wanted
            response.status_code = 206
            response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{length}"
        elif len(request.range.ranges) == 1:
            response.status_code = 416
            response.headers["Content-Range"] = f"bytes */{length}"
            return response
    response.content_length = stop - start
    response.response = _stream(read(start, stop)) if request.method == "GET" else []
    return response


def _stream(blocks: Iterable[bytes]) -> Iterator[bytes]:
    yield from blocks
