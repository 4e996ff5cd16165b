"""What redacting a photo does to the batch: a new photo in the old one's place, or back again.

The old record stays, with ``replaced_by``; the new one says by ``redacts`` where it came from.
Only the server's own pages and jobs may send these actions: they name bytes that it made itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from server.operations.batch import Batch
from server.storage.models import Photo
from shared import ids, records
from shared.operations import Operation
from shared.reconcile import Record, Refused, settle_many

REDACT, UNDO = "redact", "undo_redaction"
_BYTES = ("sha256", "size", "width", "height", "mime")  # in which the new photo differs


def act(batch: Batch, photo: Record, operation: Operation) -> None:
    """Redact a photo, or undo its newest redaction, as it was seen; raises Refused."""
    if not batch.own:
        raise Refused("forbidden", "device")
    if operation.action == REDACT:
        _redact(batch, photo, operation)
    elif operation.action == UNDO:
        _undo(batch, photo, operation)
    else:
        raise Refused("not_allowed", "action", operation.action)


def follow(batch: Batch, photo: Record) -> None:
    """A new record of bytes that were redacted elsewhere before is redacted at once.

    A worker's phone keeps the original for a while and may name it again in another record.
    """
    if photo.values["state"] != "verified":
        return
    sha256, seen = photo.values["sha256"], set()
    while sha256 not in seen:
        seen.add(sha256)
        found = _replacement(batch, sha256)
        if found is None:
            return
        photo = _replace(batch, photo, ids.new_id(), found)
        sha256 = found["sha256"]


def _redact(batch: Batch, photo: Record, operation: Operation) -> None:
    if not batch.sender.trusted and batch.sender.role not in ("supervisor", "admin"):
        raise Refused("forbidden", "role")
    _check_newest(photo)
    if photo.values["state"] != "verified":
        raise Refused("photo_not_verified", "state")
    if operation.expect.get("rev") not in (None, photo.rev):
        raise Refused("late_action", "rev", str(photo.rev))
    into = str(operation.data["into"])
    if batch.get("photo", into) is not None:
        raise Refused("exists", "into", into)
    _replace(batch, photo, into, {name: operation.data[name] for name in _BYTES})


def _undo(batch: Batch, photo: Record, operation: Operation) -> None:
    """The newest redaction goes, and what it had replaced is seen again."""
    if not batch.sender.trusted and batch.sender.role != "admin":
        raise Refused("forbidden", "role")
    _check_newest(photo)
    before = batch.get("photo", photo.values["redacts"] or "")
    if before is None or before.record.deleted:
        raise Refused("not_allowed", "redacts")
    device = batch.sender.device_id
    gone = settle_many(photo, {records.DELETED: True}, device)
    values = {name: x for name, x in gone.values.items() if name != records.DELETED}
    batch.put(replace(gone, values=values, deleted=True), {records.DELETED: (False, True)})
    back = settle_many(before.record, {"replaced_by": None}, device)
    batch.put(back, {"replaced_by": (photo.id, None)})


def _check_newest(photo: Record) -> None:
    if photo.deleted or photo.values["replaced_by"]:
        raise Refused("late_action", "replaced_by", photo.values["replaced_by"] or "")


def _replace(batch: Batch, photo: Record, into: str, made: dict[str, Any]) -> Record:
    """Put a new photo in the place of one; returns the new one."""
    values = {**photo.values, **made, "state": "verified", "verified_at": batch.now,
              "redacts": photo.id, "replaced_by": None}  # fmt: skip
    device = batch.sender.device_id
    fresh = Record("photo", into, photo.partition, 1, values, {"*": (1, device, 0)})
    batch.held.setdefault(("photo", into), None)
    batch.put(fresh)
    after = settle_many(photo, {"replaced_by": into}, device)
    batch.put(after, {"replaced_by": (None, into)})
    return fresh


def _replacement(batch: Batch, sha256: str) -> dict[str, Any] | None:
    """The bytes that stand for these wherever they were redacted, if they were."""
    old, new = Photo.__table__, Photo.__table__.alias("new")
    query = (
        select(*(new.c[name] for name in _BYTES))
        .select_from(old.join(new, new.c.id == old.c.replaced_by))
        .where(old.c.sha256 == sha256, old.c.deleted_at.is_(None), new.c.deleted_at.is_(None))
        .order_by(new.c.id.desc())
        .limit(1)
    )
    row = batch.session.execute(query).mappings().first()
    return dict(row) if row else None
