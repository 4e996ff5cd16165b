"""Redact a photo: black rectangles over faces or plates make a new photo that takes its place.

The bytes are made and stored first, outside of any lock; the records change in one transaction of
the common road. What was redacted is also listed in a file beside the database
(``redacted.ndjson``) and done again after a restore, so that no backup brings a face back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.core.image_check import BadImage
from server.core.redaction import MOST_BOXES, Box, Redacted, blackout, upright_size
from server.errors import Trouble
from server.operations import audit_log
from server.operations.apply_redaction import REDACT, UNDO
from server.operations.clock import now_ms
from server.operations.transact import Entry, submit, submit_many
from server.storage import blob_rows, blobs
from server.storage.database import db, write
from server.storage.models import Photo
from server.storage.queries import photos
from server.storage.queries.paging import seen_grids
from shared import ids
from shared.operations import ACT, Operation
from shared.reconcile import Refused

MINUTE_MS = 60_000
AT_ONCE = 500  # records of one picture that are redacted together


def redact(
    viewer: Viewer,
    photo_id: str,
    seen_rev: int,
    boxes: Sequence[Box],
    into: str,
    address: str | None = None,
) -> str:
    """Paint the boxes over a photo as it stood at ``seen_rev``; returns the new photo's id.

    ``into`` is the id that the new one gets, so that a form sent twice makes one. Every other
    record of the same picture in the viewer's areas is redacted with it. Raises Refused: forbidden,
    unknown_record, photo_not_verified, late_action (changed or redacted meanwhile), needs (no box
    on the picture), invalid.
    """
    if not viewer.may("redact"):
        raise Refused("forbidden", "role")
    reading = db.session()
    if not ids.is_id(into) or len(boxes) > MOST_BOXES:
        raise Refused("invalid", "into" if len(boxes) <= MOST_BOXES else "boxes")
    done = photos.visible(reading, viewer, into)
    if done is not None and done.redacts == photo_id:
        return into
    photo = photos.visible(reading, viewer, photo_id)
    if photo is None:
        raise Refused("unknown_record")
    if photo.state != "verified":
        raise Refused("photo_not_verified", "state")
    made, sha256 = _make(photo.sha256, boxes)
    same = [photo, *others(reading, viewer, photo)]
    fresh = [into, *(ids.new_id() for _ in same[1:])]
    operations = [
        _operation(one, new, sha256, made, seen_rev if one is photo else one.rev)
        for one, new in zip(same, fresh, strict=True)
    ]
    painted = [box.to_json() for box in boxes]

    def also(session: Session) -> None:
        now = now_ms()
        _note(session, sha256, made, now)
        for one, new in zip(same, fresh, strict=True):
            detail = {"into": new, "boxes": len(painted)}
            area_code = ids.area_of(one.partition_id)
            audit_log.record(
                session, viewer.user_id, "photo.redact", one.id, area_code, detail, address
            )
            _list(
                {"photo": one.id, "sha256": one.sha256, "into": new, "boxes": painted,
                 "by": viewer.user_id, "at": now}
            )  # fmt: skip

    submit(viewer.user_id, operations, also=also)
    if not blobs.current().exists(sha256):  # swept away meanwhile, as an older orphan of the same
        blobs.current().write(sha256, made.data)
    return into


def undo(viewer: Viewer, photo_id: str, address: str | None = None) -> str:
    """Take back a photo's newest redaction; returns the id of the photo that is seen again.

    Raises Refused: forbidden, unknown_record, late_action, not_allowed (it is no redaction).
    """
    if not viewer.may("see_originals"):
        raise Refused("forbidden", "role")
    photo = photos.visible(db.session(), viewer, photo_id)
    if photo is None:
        raise Refused("unknown_record")
    if not photo.redacts:
        raise Refused("not_allowed", "redacts")
    before: str = photo.redacts

    def also(session: Session) -> None:
        area_code = ids.area_of(photo.partition_id)
        audit_log.record(
            session, viewer.user_id, "photo.undo_redaction", before, area_code,
            {"from": photo_id}, address,
        )  # fmt: skip
        _list({"undo": photo_id, "by": viewer.user_id, "at": now_ms()})

    submit(viewer.user_id, [_act(photo, UNDO, {})], also=also)
    return before


def size_of(photo: Photo) -> tuple[int, int]:
    """The width and height in which a photo is seen. Raises Trouble not_found."""
    try:
        return upright_size(b"".join(blobs.current().read(photo.sha256)))
    except (FileNotFoundError, BadImage):
        raise Trouble("not_found") from None


def look_at_original(viewer: Viewer, photo: Photo, address: str | None = None) -> None:
    """Note that somebody looked at what a redaction hides: a row a minute, however many sizes."""
    key = f"original:{viewer.user_id}:{photo.id}:{now_ms() // MINUTE_MS}"
    area_code = ids.area_of(photo.partition_id)
    with write() as session:
        audit_log.record_once(
            session, key, viewer.user_id, "photo.original", photo.id, area_code, None, address
        )


def others(session: Session, viewer: Viewer, photo: Photo) -> list[Photo]:
    """Other records in the viewer's areas that show the very same picture."""
    query = (
        select(Photo)
        .where(
            Photo.sha256 == photo.sha256,
            Photo.id != photo.id,
            Photo.state == "verified",
            Photo.deleted_at.is_(None),
            Photo.replaced_by.is_(None),
            seen_grids(Photo.partition_id, viewer),
        )
        .order_by(Photo.id)
        .limit(AT_ONCE - 1)
    )
    return list(session.scalars(query))


def replay(sha256: str = "") -> int:
    """Redact again, after a restore, what the list beside the database names; returns how many.

    With ``sha256`` only photos of these bytes: a record that a phone brought again after the
    restore, and whose bytes have just arrived.
    """
    path = list_path()
    if not path.exists():
        return 0
    text = path.read_text()
    if sha256 not in text:
        return 0
    entries = [json.loads(line) for line in text.splitlines() if line]
    undone = {entry["undo"] for entry in entries if "undo" in entry}
    done = 0
    for entry in entries:
        if "photo" in entry and entry["into"] not in undone:
            done += _again(entry, sha256)
    return done


def list_path() -> Path:
    """The list of what was redacted, outside the database."""
    data: Path = current_app.config["GRIDLEDGER"].data
    return data / "redacted.ndjson"


def _again(entry: Mapping[str, Any], sha256: str) -> bool:
    reading = db.session()
    photo = reading.get(Photo, entry["photo"], populate_existing=True)
    if photo is None or photo.deleted_at is not None or photo.replaced_by:
        return False
    if photo.state != "verified" or sha256 not in ("", photo.sha256):
        return False
    if reading.get(Photo, entry["into"]) is not None:
        return False
    try:
        made, digest = _make(photo.sha256, [Box(*box) for box in entry["boxes"]])
    except Refused:
        return False
    operation = _operation(photo, entry["into"], digest, made, photo.rev)
    with write() as session:
        _note(session, digest, made, now_ms())
        area_code = ids.area_of(photo.partition_id)
        detail = {"into": entry["into"], "boxes": len(entry["boxes"])}
        audit_log.record(session, None, "photo.redact", photo.id, area_code, detail)
    for _ in submit_many([Entry(entry["by"], [operation])], kind="job"):
        pass
    return True


def _make(sha256: str, boxes: Iterable[Box]) -> tuple[Redacted, str]:
    """The new picture, in the store, and its hash."""
    store = blobs.current()
    try:
        made = blackout(b"".join(store.read(sha256)), boxes)
    except FileNotFoundError:
        raise Refused("unknown_record", "sha256") from None
    except BadImage as error:
        code = "needs" if error.code == "no_box" else "invalid"
        raise Refused(code, "boxes", error.code) from None
    digest = hashlib.sha256(made.data).hexdigest()
    if not store.exists(digest):
        store.write(digest, made.data)
    return made, digest


def _operation(photo: Photo, into: str, sha256: str, made: Redacted, seen_rev: int) -> Operation:
    data = {
        "into": into,
        "sha256": sha256,
        "size": len(made.data),
        "width": made.width,
        "height": made.height,
        "mime": made.mime,
    }
    return _act(photo, REDACT, data, {"rev": seen_rev})


def _act(
    photo: Photo, action: str, data: Mapping[str, Any], expect: Mapping[str, Any] | None = None
) -> Operation:
    return Operation(
        ACT,
        "photo",
        photo.id,
        photo.partition_id,
        seq=photo.seq,
        rev=photo.rev,
        action=action,
        expect=expect or {},
        data=data,
    )


def _note(session: Session, sha256: str, made: Redacted, now: int) -> None:
    noted = blob_rows.note(
        session,
        sha256,
        size=len(made.data),
        state="verified",
        mime=made.mime,
        width=made.width,
        height=made.height,
        detail=None,
        stored_at=now,
    )
    if not noted:
        raise Trouble("locked", "an older copy is being swept away; try again")


def _list(entry: Mapping[str, Any]) -> None:
    path = list_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
