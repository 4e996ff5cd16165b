"""Where a phone stands, for its worker to show: what waits and since when, and what it runs on."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from mobile.core.told import SyncStatus
from mobile.core.views import Person
from mobile.storage import meta, status, usage
from mobile.storage.migrations import STEPS
from mobile.storage.usage import Usage


@dataclass(frozen=True)
class Standing:
    """``since``: when the oldest transaction without an answer was saved (this phone's clock)."""

    person: Person | None
    server: str
    device: str
    store_version: int
    since: int | None
    status: SyncStatus
    usage: Usage


def standing(db: sqlite3.Connection, folder: Path) -> Standing:
    """`Phone.standing`."""
    me = meta.identity(db)
    since = db.execute(
        "SELECT min(made_at) FROM journal WHERE result IS NULL AND gap IS NULL"
    ).fetchone()[0]
    return Standing(
        person=me.person if me else None,
        server=me.server if me else "",
        device=me.device_id if me else "",
        store_version=len(STEPS),
        since=since,
        status=status.status(db),
        usage=usage.usage(folder),
    )
