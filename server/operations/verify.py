"""Verification: the whole bytes of a photo are checked, kept, and its records told.

Reading, checking and storing happen outside of any database transaction; the records change in one.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from typing import IO

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.image_check import BadImage, Checked, check
from server.core.scope import Sender
from server.errors import Trouble
from server.operations import redact, transact
from server.operations.batch import Batch
from server.operations.clock import now_ms
from server.operations.entries import add_task
from server.storage import blob_rows, blobs, plain
from server.storage.database import db
from server.storage.models import Photo
from server.storage.plain import Statement
from server.storage.tables import Blob
from shared import ids
from shared.reconcile import settle_many

FINAL = ("verified", "refused")
_SHOWN_BY = Statement("SELECT id, partition_id FROM photo WHERE sha256 = ?")


def upload(upload_id: str, sha256: str, size: int, pieces: list[str], digest: str = "") -> str:
    """All bytes of an upload are here: the right ones, and a photo? verified, refused or corrupt.

    ``digest``: the hash of its bytes, if it was computed as they came. Corrupt: they are
    forgotten, and the upload has to begin anew.
    """
    store = blobs.current()
    db.session.commit()  # nothing was written; what was read need not be read again
    try:
        file = store.open_upload(upload_id, size, pieces)
    except FileNotFoundError:
        store.discard(upload_id)
        return "corrupt"
    with file:
        if (digest or _digest(file)) != sha256:
            store.discard(upload_id)
            return "corrupt"
        try:
            checked = check(file)
        except BadImage as error:
            store.discard(upload_id)
            settle(sha256, size, "refused", reason=error.code)
            return "refused"
        store.keep(upload_id, sha256, file)
    settle(sha256, size, "verified", checked)
    if not store.exists(sha256):  # swept away between those two, as an older orphan of the same
        settle(sha256, size, "corrupt")
        return "corrupt"
    redact.replay(sha256)
    return "verified"


def from_store(sha256: str) -> bool:
    """Bytes that are in the store, and of which this database does not know, are verified there.

    False: they are not, or not whole; they have to be sent.
    """
    store = blobs.current()
    db.session.rollback()
    with tempfile.SpooledTemporaryFile(max_size=blobs.PIECE) as copy:
        try:
            _fill(copy, store.read(sha256))
            if _digest(copy) != sha256:
                return False
            checked = check(copy)
        except (FileNotFoundError, BadImage):
            return False
        size = copy.seek(0, 2)
    settle(sha256, size, "verified", checked)
    if not store.exists(sha256):
        settle(sha256, size, "corrupt")
        return False
    redact.replay(sha256)
    return True


def settle(
    sha256: str, size: int, state: str, checked: Checked | None = None, reason: str = ""
) -> None:
    """Tell every record of a photo what became of its bytes, in one transaction.

    What is verified or refused stays so, unless its bytes were found ``corrupt``. Raises Trouble
    locked where a sweep is taking the bytes away.
    """
    now = now_ms()
    unchanged = ("refused", "corrupt") if state == "corrupt" else FINAL

    def once(session: Session, extra: frozenset[str]) -> None:
        found = plain.rows(session, _SHOWN_BY, sha256)
        photos = [row[0] for row in found]
        device_id = transact.own_device_id(session, None, "job", now)
        sender = Sender(device_id, None, "", ids.ROOT_AREA, trusted=True)
        batch = Batch(session, sender, now, "")  # nothing is merged: no epoch matters
        batch.begin(ids.new_id(), None, now)
        batch.load({"photo": photos}, extra | {row[1] for row in found})
        for photo_id in photos:
            one = batch.get("photo", photo_id)
            if one is None or one.record.values["state"] in unchanged:
                continue
            changes = {"state": state, "verified_at": now if state == "verified" else None}
            batch.put(settle_many(one.record, changes, device_id))
            if state == "refused" and one.created_by:
                add_task(
                    batch, one.created_by, "rejected_change", about_kind="photo",
                    about_id=photo_id, reason="photo_refused", detail={"reason": reason},
                )  # fmt: skip
        batch.flush()
        values = {
            "size": size,
            "state": state,
            "mime": checked.mime if checked else None,
            "width": checked.width if checked else None,
            "height": checked.height if checked else None,
            "detail": reason or None,
            "stored_at": now,
        }
        if not blob_rows.note(session, sha256, **values):
            raise Trouble("locked", "these bytes are being swept away; send them again")

    transact.locking(once)


def settle_late(sha256: str, blob: Blob) -> None:
    """A record declared in the very moment in which the bytes were settled hears of it now."""
    waiting = select(Photo.id).where(Photo.sha256 == sha256, Photo.state.not_in(FINAL))
    if db.session.scalar(waiting.limit(1)):
        checked = Checked(blob.mime or "", blob.width or 0, blob.height or 0)
        settle(sha256, blob.size, blob.state, checked, blob.detail or "")


def _digest(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(blobs.BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _fill(file: IO[bytes], blocks: Iterable[bytes]) -> None:
    for block in blocks:
        file.write(block)
