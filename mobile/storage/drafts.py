"""Drafts: what is being typed, kept at every change."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mobile.core.written import Draft, DraftPhoto, PreparedPhoto

_READ = "SELECT key, unseal(values_) AS values_, unseal(photos) AS photos, kept_at FROM draft"


def keep(
    db: sqlite3.Connection,
    key: str,
    values: Mapping[str, Any],
    photos: tuple[DraftPhoto, ...],
    now: int,
) -> None:
    """Keep a draft under its key, in the place of what was there."""
    db.execute(
        "INSERT INTO draft (key, values_, photos, kept_at) VALUES (?, seal(?), seal(?), ?)"
        " ON CONFLICT (key) DO UPDATE SET values_ = excluded.values_,"
        " photos = excluded.photos, kept_at = excluded.kept_at",
        (key, _json(dict(values)), _json([_photo_to_json(photo) for photo in photos]), now),
    )


def get(db: sqlite3.Connection, key: str) -> Draft | None:
    """A draft, None where there is none."""
    row = db.execute(f"{_READ} WHERE key = ?", (key,)).fetchone()
    return None if row is None else _draft(row)


def every(db: sqlite3.Connection) -> list[Draft]:
    """All drafts, the latest first."""
    rows = db.execute(f"{_READ} ORDER BY kept_at DESC, key").fetchall()
    return [_draft(row) for row in rows]


def drop(db: sqlite3.Connection, key: str) -> None:
    """Forget a draft."""
    db.execute("DELETE FROM draft WHERE key = ?", (key,))


def _draft(row: sqlite3.Row) -> Draft:
    photos = tuple(_photo_from_json(raw) for raw in json.loads(row["photos"]))
    return Draft(row["key"], json.loads(row["values_"]), photos, row["kept_at"])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    """Screens keep choices in sets and tuples; JSON has lists."""
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"not JSON: {type(value).__name__}")


def _photo_to_json(draft: DraftPhoto) -> dict[str, Any]:
    photo = draft.photo
    return {
        "sha256": photo.sha256,
        "size": photo.size,
        "width": photo.width,
        "height": photo.height,
        "path": str(photo.path),
        "phase": draft.phase,
        "taken_at": draft.taken_at,
        "position": draft.position,
    }


def _photo_from_json(raw: dict[str, Any]) -> DraftPhoto:
    photo = PreparedPhoto(
        raw["sha256"], raw["size"], raw["width"], raw["height"], Path(raw["path"])
    )
    return DraftPhoto(photo, raw["phase"], raw["taken_at"], raw["position"])
