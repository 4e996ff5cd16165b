"""Photos: tus 1.0, in pieces, from where the server stands, after any interruption."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from mobile.storage import photos
from mobile.storage.store import Store
from mobile.sync.client import Client, RequestFailed, Upload
from shared import protocol

FRESH_STARTS = 2  # an upload that the server forgot, or got wrong, begins anew this often
RESENDS = 3  # of one piece that arrived broken or at the wrong place

# Trouble of one photo alone; anything else (no network, revoked) would meet the next one too.
_ITS_OWN = frozenset(
    {"forbidden", "invalid", "too_large", "not_found", "gone", "checksum_mismatch", "locked",
     "offset_mismatch", "media_type", "bad_request", "corrupt", "missing"}
)  # fmt: skip


def upload(
    store: Store, client: Client, progress: Callable[[int, int], None], final: bool = False
) -> tuple[int, list[RequestFailed]]:
    """Send the photos whose records the server has; how many it verified, and what went wrong.

    A photo's own trouble does not hold up the next. ``progress`` counts photos. ``final``: this
    phone was revoked and hears no more than the upload's answers; what the server forbids to
    send, since no transaction declares it there, is refused for good.
    """
    with store.reading() as db:
        rows = photos.to_send(db, final)
    verified = 0
    troubles: list[RequestFailed] = []
    for done, row in enumerate(rows):
        progress(done, len(rows))
        try:
            verified += _send(store, client, row) == "verified"
        except RequestFailed as failed:
            if final and failed.code == "forbidden":
                with store.writing() as db:
                    photos.keep_state(db, row["sha256"], "refused")
                continue
            troubles.append(failed)
            if failed.code not in _ITS_OWN:
                return verified, troubles
    if rows:
        progress(len(rows), len(rows))
    return verified, troubles


def _send(store: Store, client: Client, row: sqlite3.Row) -> str:
    """Send one photo to its end; the final state."""
    sha256, size = row["sha256"], row["size"]
    path = photos.path_of(store.folder, sha256)
    if not _is_whole(path, sha256):
        with store.writing() as db:
            photos.keep_state(db, sha256, "missing")
        raise RequestFailed("missing", f"{sha256[:8]} is not on this phone any more")
    url = row["upload_url"]
    for _ in range(FRESH_STARTS + 1):
        state = _once(store, client, path, sha256, size, url)
        if state != "corrupt":
            return state
        url = None
    raise RequestFailed("corrupt", sha256[:8])


def _is_whole(path: Path, sha256: str) -> bool:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(protocol.PHOTO_CHUNK):
                digest.update(block)
    except OSError:
        return False
    return digest.hexdigest() == sha256


def _once(store: Store, client: Client, path: Path, sha256: str, size: int, url: str | None) -> str:
    """From where the server stands to the end; ``corrupt`` where it must begin anew."""
    at = _resume(client, url) if url else None
    if at is None:
        at = client.photo_begin(sha256, size)
        if at.url is not None:
            _keep(store, sha256, at)
    while at.url is not None and at.state not in ("verified", "refused", "corrupt", "stored"):
        if at.offset > size:
            return "corrupt"
        if at.offset == size:
            # All bytes are there, yet no word of what became of them: the pull will tell.
            break
        after = _piece(client, path, at)
        if after is None:
            return "corrupt"
        at = after
        _keep(store, sha256, at)
    state = at.state if at.state in ("verified", "refused", "corrupt") else "stored"
    with store.writing() as db:
        photos.keep_state(db, sha256, state)
    return state


def _resume(client: Client, url: str) -> Upload | None:
    try:
        return client.photo_offset(url)
    except RequestFailed as failed:
        if failed.code in ("not_found", "gone") or failed.status in (404, 410):
            return None
        raise


def _piece(client: Client, path: Path, at: Upload) -> Upload | None:
    """Send the next piece, again where it went wrong; None where the upload is gone."""
    assert at.url is not None
    for attempt in range(RESENDS):
        with path.open("rb") as file:
            file.seek(at.offset)
            data = file.read(protocol.PHOTO_CHUNK)
        try:
            return client.photo_chunk(at.url, at.offset, data)
        except RequestFailed as failed:
            if failed.code in ("not_found", "gone") or failed.status in (404, 410):
                return None
            if failed.code == "offset_mismatch":
                at = client.photo_offset(at.url)
                if at.state in ("verified", "refused") or not data:
                    return at
            elif failed.code != "checksum_mismatch" or attempt == RESENDS - 1:
                raise
    raise RequestFailed("offset_mismatch", "the upload does not go on")


def _keep(store: Store, sha256: str, at: Upload) -> None:
    with store.writing() as db:
        photos.keep_upload(db, sha256, at.url, at.offset)
