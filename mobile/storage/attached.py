"""What is attached to a record: its photos, the conflicts about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mobile.core.edits import Held
from mobile.core.errors import UnknownRecord
from mobile.core.views import ConflictRow, PhotoView
from mobile.storage import lookups, photos, records
from mobile.storage.records import DOC, values_of
from shared import records as declared


def held(db: sqlite3.Connection, record_id: str, kind: str) -> Held:
    """A record of a kind; raises UnknownRecord."""
    found = records.get(db, record_id)
    if found is None or found.kind != kind:
        raise UnknownRecord(record_id)
    return found


def photo_views(db: sqlite3.Connection, folder: Path, owner_id: str) -> tuple[PhotoView, ...]:
    """A record's photos; the path of those of which something is on this phone."""
    found = []
    for values in lookups.photos_of(db, owner_id):
        whole = photos.path_of(folder, values["sha256"])
        small = photos.small_of(folder, values["sha256"])
        path = whole if whole.is_file() else small if small.is_file() else None
        found.append(
            PhotoView(
                id=values["id"],
                sha256=values["sha256"],
                phase=values.get("phase") or "scene",
                state=photo_state(db, values),
                path=path,
                size=values.get("size") or 0,
                small=path == small,
            )
        )
    return tuple(found)


def photo_state(db: sqlite3.Connection, values: Mapping[str, Any]) -> str:
    """What is known of a photo: the record's own state, or what was heard since.

    "verified" only once it was pulled, in the record or as an answer about the hash.
    """
    state = values.get("state") or "declared"
    if state in ("verified", "refused"):
        return str(state)
    row = db.execute(
        "SELECT state, verified_at FROM photo WHERE sha256 = ?", (values.get("sha256"),)
    ).fetchone()
    if row is None:
        return str(state)
    if row["verified_at"] is not None:
        return "verified"
    heard = "stored" if row["state"] == "verified" else row["state"]
    return str(heard) if heard in ("stored", "refused", "corrupt", "missing") else str(state)


def unsafe_photos(db: sqlite3.Connection) -> dict[str, int]:
    """Record id -> how many of its photos are not safe; what is not named has none."""
    return dict(
        db.execute(
            "SELECT r.parent_id, count(*) FROM record r LEFT JOIN photo p ON p.sha256 = r.sha256"
            " WHERE r.kind = 'photo' AND r.visible = 1 AND r.state IS NOT 'verified'"
            " AND p.verified_at IS NULL GROUP BY r.parent_id"
        )
    )


def conflicts(
    db: sqlite3.Connection, about: Iterable[str] | None = None, include_decided: bool = True
) -> list[ConflictRow]:
    """Conflicts, open ones first; about these records alone where they are named."""
    sql = f"SELECT id, {DOC} AS doc FROM record WHERE kind = 'conflict' AND visible = 1"
    parameters: tuple[str, ...] = ()
    if about is not None:
        parameters = tuple(about)
        sql += f" AND parent_id IN ({','.join('?' * len(parameters))})"
    mine = db.execute("SELECT value FROM meta WHERE name = 'user_id'").fetchone()
    found = []
    for row in db.execute(f"{sql} ORDER BY state = 'open' DESC, id DESC", parameters).fetchall():
        values = values_of(row)
        if values.get("state") != "open" and not include_decided:
            continue
        found.append(_conflict(db, row["id"], values, mine[0] if mine else ""))
    return found


def _conflict(
    db: sqlite3.Connection, conflict_id: str, values: Mapping[str, Any], me: str
) -> ConflictRow:
    kind, name = values.get("about_kind") or "", values.get("field") or ""
    field = declared.FIELDS.get(kind, {}).get(name)
    zh, en = (field.zh, field.en) if field else (name, name)
    if name == declared.DELETED:
        zh, en = "删除", "Deleted"
    return ConflictRow(
        id=conflict_id,
        about_kind=kind,
        about_id=values.get("about_id") or "",
        about_name=lookups.name_of_id(db, values.get("about_id")),
        field=name,
        field_zh=zh,
        field_en=en,
        accepted=values.get("accepted"),
        accepted_by=lookups.person_name(db, values.get("accepted_by")),
        proposed=values.get("proposed"),
        proposed_by=lookups.person_name(db, values.get("proposed_by")),
        state=values.get("state") or "open",
        verdict=values.get("verdict"),
        decided_by=lookups.person_name(db, values.get("decided_by")),
        mine=me in (values.get("accepted_by"), values.get("proposed_by")),
        accepted_at=values.get("accepted_at"),
        proposed_at=values.get("proposed_at"),
        decided_at=values.get("decided_at"),
    )
