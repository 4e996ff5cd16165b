"""Offers: agreed rows that a restored server lacks are kept aside until it has answered them.

They are set aside in the very transaction that sweeps or overwrites them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from mobile.storage.records import to_json
from shared import records

MOST = 500  # rows of one request
MOST_BYTES = 2**20


def keep(db: sqlite3.Connection, record_id: str, mark: int, below: int | None = None) -> None:
    """Set a record aside as it was agreed before the snapshot ``mark``.

    With ``below`` only if the new snapshot has it at this lower rev. What only the server writes,
    and what lies outside the grids, comes from nowhere else and is not offered; nor is the stub of
    an old visit.
    """
    row = db.execute(
        "SELECT kind, partition_id, rev, by_user, changed_at, unseal(agreed) AS agreed FROM record"
        " WHERE id = ? AND mark != ? AND agreed IS NOT NULL AND gone = 0 AND thin = 0",
        (record_id, mark),
    ).fetchone()
    if row is None or (below is not None and row["rev"] <= below):
        return
    kind = records.KINDS.get(row["kind"])
    if kind is None or not kind.creators or not row["partition_id"].startswith("grid:"):
        return
    line = {
        "p": row["partition_id"],
        "kind": row["kind"],
        "id": record_id,
        "rev": row["rev"],
        "by": row["by_user"] or None,
        "at": row["changed_at"] or None,
        "v": json.loads(row["agreed"]),
    }
    db.execute(
        "INSERT OR IGNORE INTO offer (id, rev, partition_id, line) VALUES (?, ?, ?, seal(?))",
        (record_id, row["rev"], row["partition_id"], to_json(line)),
    )


def batch(db: sqlite3.Connection, most: int = MOST) -> list[dict[str, Any]]:
    """The next rows to offer: at least one, then as many as fit."""
    chosen: list[dict[str, Any]] = []
    size = 0
    for (line,) in db.execute("SELECT unseal(line) FROM offer ORDER BY id, rev LIMIT ?", (most,)):
        size += len(line.encode())
        if chosen and size > MOST_BYTES:
            break
        chosen.append(json.loads(line))
    return chosen


def drop(db: sqlite3.Connection, rows: Iterable[dict[str, Any]]) -> None:
    """These were answered."""
    db.executemany(
        "DELETE FROM offer WHERE id = ? AND rev = ?", [(row["id"], row["rev"]) for row in rows]
    )


def drop_out_of_scope(db: sqlite3.Connection) -> None:
    """What belongs to a lost grid is no longer this phone's to offer."""
    db.execute("DELETE FROM offer WHERE partition_id NOT IN (SELECT partition_id FROM cursor)")
