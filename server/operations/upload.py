"""Upload: the bytes of photos arrive in pieces, are checked, and their records say so.

Only a hash that the person's own transactions declare, applied or in quarantine, may be uploaded.
The bytes go to the store outside of any database transaction; the records change in one.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.image_check import BadImage, Checked, check
from server.core.scope import Sender
from server.errors import Trouble
from server.operations import redact, transact
from server.operations.batch import Batch
from server.operations.clock import now_ms
from server.operations.entries import add_task
from server.storage import blobs
from server.storage.database import db, write
from server.storage.models import Photo
from server.storage.settings import epoch
from server.storage.tables import Blob, Device, Quarantined, QuarantinedName, Upload
from shared import ids, protocol
from shared.reconcile import settle_many

EXPIRES_MS = 7 * 24 * 3600 * 1000
FINAL = ("verified", "refused")


@dataclass(frozen=True)
class State:
    """How far an upload is. ``state``: uploading, verified, corrupt or refused."""

    id: str
    offset: int
    size: int
    state: str
    expires_at: int


def create(device: Device, sha256: str, size: int) -> State:
    """Begin an upload, or say that the store has these bytes already.

    Raises Trouble forbidden for a hash that nobody declared, too_large.
    """
    if size > protocol.MAX_PHOTO:
        raise Trouble("too_large", f"a photo may have {protocol.MAX_PHOTO} bytes")
    if size <= 0:
        raise Trouble("invalid", "Upload-Length", {"Upload-Length": ["must be positive"]})
    _check_declared(device, sha256)
    blob = db.session.get(Blob, sha256)
    if blob is not None and blob.state in FINAL:
        _settle_late(sha256, blob)
        return State("", blob.size, blob.size, blob.state, 0)
    now = now_ms()
    with write() as session:
        upload = Upload(
            id=ids.new_id(), sha256=sha256, size=size, received=0, device_id=device.id,
            created_at=now, expires_at=now + EXPIRES_MS,
        )  # fmt: skip
        session.add(upload)
    return State(upload.id, 0, size, "uploading", upload.expires_at)


def find(device: Device, upload_id: str) -> Upload:
    """An upload of this device's person; raises Trouble not_found or gone."""
    upload = db.session.get(Upload, upload_id) if ids.is_id(upload_id) else None
    owner = db.session.get(Device, upload.device_id) if upload else None
    if upload is None or owner is None or owner.user_id != device.user_id:
        raise Trouble("not_found")
    if upload.expires_at < now_ms():
        raise Trouble("gone")
    return upload


def state_of(upload: Upload) -> State:
    """How far an upload is, by the bytes that are safely in the store."""
    blob = db.session.get(Blob, upload.sha256)
    if blob is not None and blob.state in FINAL:
        return State(upload.id, upload.size, upload.size, blob.state, upload.expires_at)
    offset = blobs.current().received(upload.id)
    return State(upload.id, offset, upload.size, "uploading", upload.expires_at)


def resume(upload: Upload) -> State:
    """How far it is; one that was whole when a process died before it was checked is checked."""
    state = state_of(upload)
    if state.state not in FINAL and state.offset == upload.size:
        return _finish(upload)
    return state


def append(upload: Upload, offset: int, data: bytes) -> State:
    """Add bytes at the end of an upload, and check the photo when it is whole.

    Raises Trouble offset_mismatch, locked, too_large.
    """
    store = blobs.current()
    if state_of(upload).state in FINAL:
        return state_of(upload)
    if offset + len(data) > upload.size:
        raise Trouble("too_large", "more bytes than were announced")
    try:
        received = store.append(upload.id, offset, data)
    except blobs.WrongOffset as error:
        raise Trouble(
            "offset_mismatch",
            f"the upload stands at {error.offset}",
            {"offset": [error.offset]},
            headers={"Upload-Offset": str(error.offset)},
        ) from None
    except blobs.UploadBusy:
        raise Trouble("locked") from None
    if received < upload.size:
        return State(upload.id, received, upload.size, "uploading", upload.expires_at)
    return _finish(upload)


def discard(upload: Upload) -> None:
    """Forget an upload that will not go on."""
    blobs.current().discard(upload.id)
    with write() as session:
        found = session.get(Upload, upload.id)
        if found is not None:
            session.delete(found)


def _finish(upload: Upload) -> State:
    """All bytes are here: the right ones, and a photo? Then its records are verified."""
    store = blobs.current()
    digest = hashlib.sha256()
    checked: Checked | None = None
    reason = ""
    with tempfile.SpooledTemporaryFile(max_size=4 * 2**20) as copy:
        for block in store.read_upload(upload.id):
            digest.update(block)
            copy.write(block)
        if digest.hexdigest() != upload.sha256:
            store.discard(upload.id)
            return State(upload.id, 0, upload.size, "corrupt", upload.expires_at)
        copy.seek(0)
        try:
            checked = check(copy)
        except BadImage as error:
            reason = error.code
    if checked is not None:
        store.keep(upload.id, upload.sha256)
    else:
        store.discard(upload.id)
    state = "verified" if checked else "refused"
    settle(upload.sha256, upload.size, state, checked, reason)
    if checked is not None:
        redact.replay(upload.sha256)
    return State(upload.id, upload.size, upload.size, state, upload.expires_at)


def settle(
    sha256: str, size: int, state: str, checked: Checked | None = None, reason: str = ""
) -> None:
    """Tell every record of a photo what became of its bytes, in one transaction."""
    now = now_ms()

    def once(session: Session, extra: frozenset[str]) -> None:
        photos = session.scalars(select(Photo.id).where(Photo.sha256 == sha256)).all()
        device = transact.own_device(session, None, "job", now, lock=False)
        sender = Sender(device.id, None, "", ids.ROOT_AREA, trusted=True)
        batch = Batch(session, sender, now, epoch(session))
        batch.begin(ids.new_id(), None, now)
        batch.prepare({"photo": photos}, extra)
        for photo_id in photos:
            one = batch.get("photo", photo_id)
            if one is None or one.record.values["state"] in FINAL:
                continue
            changes = {"state": state, "verified_at": now if state == "verified" else None}
            batch.put(settle_many(one.record, changes, device.id))
            if state == "refused" and one.created_by:
                add_task(
                    batch, one.created_by, "rejected_change", about_kind="photo",
                    about_id=photo_id, reason="photo_refused", detail={"reason": reason},
                )  # fmt: skip
        batch.flush()
        session.merge(
            Blob(
                sha256=sha256,
                size=size,
                state=state,
                mime=checked.mime if checked else None,
                width=checked.width if checked else None,
                height=checked.height if checked else None,
                detail=reason or None,
                stored_at=now,
            )
        )

    transact.locking(once)


def _settle_late(sha256: str, blob: Blob) -> None:
    """A record declared in the very moment in which the bytes were settled hears of it now."""
    waiting = select(Photo.id).where(Photo.sha256 == sha256, Photo.state.not_in(FINAL))
    if db.session.scalar(waiting.limit(1)):
        checked = Checked(blob.mime or "", blob.width or 0, blob.height or 0)
        settle(sha256, blob.size, blob.state, checked, blob.detail or "")


def _check_declared(device: Device, sha256: str) -> None:
    """A photo that the person's transactions name, applied or in quarantine; else forbidden."""
    applied = select(Photo.id).where(
        Photo.sha256 == sha256,
        Photo.created_by == device.user_id,
        Photo.deleted_at.is_(None),  # erased bytes do not come back
    )
    if db.session.scalar(applied.limit(1)):
        return
    held = (
        select(Quarantined.id)
        .join(QuarantinedName, QuarantinedName.quarantine_id == Quarantined.id)
        .where(QuarantinedName.name == sha256, Quarantined.author == device.user_id)
    )
    if not db.session.scalar(held.limit(1)):
        raise Trouble("forbidden", "no transaction of yours declares this photo")
