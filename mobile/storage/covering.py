"""Covering: what every partition has passed a checkpoint of leaves the overlay.

What was held or returned stays on top, marked, until its task is closed.
"""

from __future__ import annotations

import sqlite3
from typing import Protocol

from mobile.storage import records
from shared.ledger import Actor


class Answered(Protocol):
    """The answer to a pull: which device's work it holds up to where, and when it was made."""

    device_id: str
    last_dseq: int
    server_time: int
    actor: Actor


def release(db: sqlite3.Connection, answer: Answered) -> None:
    """Take off the overlay what every partition has passed a covering checkpoint of."""
    rows = db.execute(
        "SELECT n, result FROM journal WHERE covered_at IS NULL AND result IS NOT NULL"
        " AND (device_id != ? OR dseq_to <= ?)"
        " AND NOT EXISTS (SELECT 1 FROM touched t WHERE t.n = journal.n)",
        (answer.device_id, answer.last_dseq),
    ).fetchall()
    for row in rows:
        db.execute("UPDATE journal SET covered_at = ? WHERE n = ?", (answer.server_time, row["n"]))
        if row["result"] not in ("held", "rejected"):
            _take_off(db, row["n"], answer.actor)


def _take_off(db: sqlite3.Connection, n: int, actor: Actor) -> None:
    ids = db.execute("SELECT DISTINCT record_id FROM pending WHERE n = ?", (n,)).fetchall()
    db.execute("DELETE FROM pending WHERE n = ?", (n,))
    for row in ids:
        records.refresh(db, row[0], actor)


def settle(db: sqlite3.Connection, answer: Answered) -> None:
    """Held or returned work leaves the overlay once its task is closed, or was released since."""
    rows = db.execute(
        "SELECT n, id, result, task_id FROM journal WHERE covered_at IS NOT NULL"
        " AND settled_at IS NULL AND EXISTS (SELECT 1 FROM pending p WHERE p.n = journal.n)"
    ).fetchall()
    for row in rows:
        if row["result"] in ("held", "rejected"):
            tasks = db.execute(
                "SELECT id, json_extract(agreed, '$.state') FROM record"
                " WHERE kind = 'task' AND tx_id = ? AND agreed IS NOT NULL",
                (row["id"],),
            ).fetchall()
            if tasks:
                db.execute("UPDATE journal SET task_id = ? WHERE n = ?", (tasks[0][0], row["n"]))
            if any(state != "done" for _, state in tasks) or not (tasks or row["task_id"]):
                continue
            db.execute(
                "UPDATE journal SET settled_at = ? WHERE n = ?", (answer.server_time, row["n"])
            )
        _take_off(db, row["n"], answer.actor)
