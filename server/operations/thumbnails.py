"""Thumbnails: made once, when first asked for, kept in the store beside their photo.

No database transaction is open meanwhile. Two processes that make the same one write the same
bytes to the same place, each whole or not at all.
"""

from __future__ import annotations

import tempfile
import threading

from server.core import thumbnail
from server.core.image_check import BadImage
from server.errors import Trouble
from server.storage import blobs
from server.storage.database import db

AT_ONCE = 2  # in one process; the others wait
IN_MEMORY = 4 * 2**20
_turn = threading.Semaphore(AT_ONCE)


def get(sha256: str, size: int, kind: str) -> bytes:
    """A photo's picture of ``size`` (thumbnail.SIZES) as ``kind`` (thumbnail.KINDS).

    Raises Trouble not_found where the photo's bytes are not here or cannot be shown.
    """
    store = blobs.current()
    name = f"{size}.{kind}"
    db.session.rollback()  # what was read is read; making a picture takes a while
    try:
        kept = store.thumbnail(sha256, name)
        if kept is not None:
            return kept
        with _turn, tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            for block in store.read(sha256):
                file.write(block)
            made = thumbnail.make(file, size, kind)
    except (FileNotFoundError, BadImage):
        raise Trouble("not_found") from None
    store.keep_thumbnail(sha256, name, made)
    return made
