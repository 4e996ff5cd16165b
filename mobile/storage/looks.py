"""Looks at a household's covered details on this phone, kept until the server has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from shared import protocol
from shared.work_calendar import day_number


def note(db: sqlite3.Connection, household_id: str, now: int) -> None:
    """Keep a look; the first of a household and day stands for all of that day."""
    db.execute(
        "INSERT OR IGNORE INTO look (household_id, day, at) VALUES (?, ?, ?)",
        (household_id, day_number(now), now),
    )


def batch(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """What the server lacks, as items of a LooksRequest: as many as go into one."""
    rows = db.execute(
        "SELECT household_id, at FROM look ORDER BY day, household_id LIMIT ?",
        (protocol.MAX_LOOKS,),
    )
    return [dict(row) for row in rows]


def let_go(db: sqlite3.Connection, items: Iterable[Mapping[str, Any]]) -> None:
    """Forget what the server has been told."""
    db.executemany("DELETE FROM look WHERE household_id = :household_id AND at = :at", items)
