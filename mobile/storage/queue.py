"""The queue of photos: which are to be sent, how far each is, what stopped it."""

from __future__ import annotations

import sqlite3

from mobile.core import photo_queue
from mobile.core.photo_queue import Waiting
from mobile.storage import lookups
from mobile.storage.records import DOC, values_of


def to_send(db: sqlite3.Connection, final: bool = False) -> list[Waiting]:
    """The photos whose transaction was answered and that the server does not have whole yet.

    In the order in which they go. ``final``: also those that are there, but of which no pull will
    tell what became.
    """
    states = ("'waiting', 'uploading', 'corrupt'") + (", 'stored'" if final else "")
    rows = db.execute(
        "SELECT p.* FROM photo p LEFT JOIN journal j ON j.n = p.n"
        f" WHERE p.state IN ({states}) AND p.removed_at IS NULL"
        " AND (j.n IS NULL OR j.result IS NOT NULL)"
    ).fetchall()
    urgent = urgent_ones(db) if rows else frozenset()
    return photo_queue.in_order(
        Waiting(
            row["sha256"], row["size"], row["sent"], row["n"], row["sha256"] in urgent,
            row["tries"], row["retry_at"],
        )
        for row in rows
    )  # fmt: skip


def urgent_ones(db: sqlite3.Connection) -> frozenset[str]:
    """The hashes of photos not safe yet that belong to urgent problems."""
    rows = db.execute(
        "SELECT p.sha256, r.parent_id FROM photo p JOIN record r ON r.sha256 = p.sha256"
        " AND r.kind = 'photo' WHERE p.verified_at IS NULL"
    ).fetchall()
    urgent = {owner for owner in {row["parent_id"] for row in rows} if _is_urgent(db, owner)}
    return frozenset(row["sha256"] for row in rows if row["parent_id"] in urgent)


def _is_urgent(db: sqlite3.Connection, owner_id: str) -> bool:
    row = db.execute(
        f"SELECT {DOC} AS doc FROM record WHERE id = ? AND kind = 'problem'", (owner_id,)
    ).fetchone()
    if row is None:
        return False
    values = values_of(row)
    category = lookups.category_data(db, str(values.get("category") or ""))
    return photo_queue.is_urgent(values, category)


def upload_url(db: sqlite3.Connection, sha256: str) -> str | None:
    """Where a photo's upload was begun, None where none was."""
    row = db.execute("SELECT upload_url FROM photo WHERE sha256 = ?", (sha256,)).fetchone()
    return row[0] if row else None


def keep_trouble(db: sqlite3.Connection, sha256: str, code: str, tries: int, at: int) -> None:
    """Its own trouble stopped a photo: when it is tried again, and why it waits."""
    db.execute(
        "UPDATE photo SET reason = ?, tries = ?, retry_at = ? WHERE sha256 = ?",
        (code, tries, at, sha256),
    )


def is_wanted(db: sqlite3.Connection, sha256: str) -> bool:
    """Whether a record, or work that is not settled, still names a photo."""
    row = db.execute(
        "SELECT EXISTS (SELECT 1 FROM record WHERE kind = 'photo' AND sha256 = ? AND visible = 1"
        " AND gone = 0) OR EXISTS (SELECT 1 FROM photo p JOIN journal j ON j.n = p.n"
        " WHERE p.sha256 = ? AND j.settled_at IS NULL AND j.result IN ('held', 'rejected'))",
        (sha256, sha256),
    ).fetchone()
    return bool(row[0])
