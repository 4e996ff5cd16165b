"""What an upload's requests ask before they write: by the driver, a statement each, no snapshot."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from server.storage import direct
from server.storage.database import db


@dataclass(frozen=True, slots=True)
class Seen:
    """An upload's row, whose it is, and what became of its photo's bytes (None: not known)."""

    id: str
    sha256: str
    size: int
    received: int
    device_id: str
    expires_at: int
    concat: str | None = None
    told: str | None = None
    pieces: list[str] = field(default_factory=list)
    user_id: str | None = None
    photo: str | None = None


def find(upload_id: str) -> Seen | None:
    """An upload as it is now."""
    row = _row("upload_find", upload_id)
    if row is None:
        return None
    name, sha256, size, received, device_id, expires_at, concat, told, pieces, *whose = row
    return Seen(
        name, sha256, int(size), int(received), device_id, int(expires_at), concat, told,
        json.loads(pieces or "[]") or [], *whose,
    )  # fmt: skip


def declared(sha256: str, user_id: str | None) -> tuple[bool, str | None]:
    """Whether a record of this person, not deleted, names these bytes; and what became of them.

    An erased record is deleted: its bytes do not come back.
    """
    row = _row("upload_declared", sha256, user_id)
    return row is not None and int(row[0]) > 0, None if row is None else row[1]


def _row(name: str, *given: str | None) -> list[Any] | tuple[Any, ...] | None:
    dialect = db.engine.dialect.name
    with direct.connection(db.engine) as raw:
        if dialect != "postgresql":
            return direct.sqlite_row(raw, _SQLITE[name], given)
        told = direct.postgresql_row(raw, name, given)
        return None if told is None else [one if one is None else one.decode() for one in told]


_STATEMENTS = {
    "upload_find": (
        "SELECT upload.id, upload.sha256, upload.size, upload.received, upload.device_id,"
        " upload.expires_at, upload.concat, upload.told, upload.pieces, device.user_id,"
        " (SELECT blob.state FROM blob WHERE blob.sha256 = upload.sha256)"
        " FROM upload LEFT JOIN device ON device.id = upload.device_id WHERE upload.id = $1"
    ),
    "upload_declared": (
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM photo WHERE sha256 = $1 AND created_by = $2"
        " AND deleted_at IS NULL) THEN 1 ELSE 0 END, (SELECT state FROM blob WHERE sha256 = $1)"
    ),
}
_SQLITE = {name: text.replace("$", "?") for name, text in _STATEMENTS.items()}
direct.PREPARED.update(
    (name, text.replace("$1", "$1::text").replace("$2", "$2::text"))
    for name, text in _STATEMENTS.items()
)
