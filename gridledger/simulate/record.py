"""The simulator's own record of what phones saved: taken at each save, asked at the end.

It lies outside phones and server, so that neither can forget on its behalf.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Saved:
    """One transaction as it was saved."""

    id: str
    text: str

    @property
    def operations(self) -> list[dict[str, Any]]:
        """Its operations as they go on the wire."""
        found: list[dict[str, Any]] = json.loads(self.text)["operations"]
        return found

    @property
    def photos(self) -> list[str]:
        """The hashes of the photos that it declares."""
        return [
            operation["values"]["sha256"]
            for operation in self.operations
            if operation["op"] == "create" and operation["kind"] == "photo"
        ]


@dataclass
class Record:
    """Every transaction ever saved, by id."""

    saved: dict[str, Saved] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, db: sqlite3.Connection, after: int = 0) -> int:
        """Take what a phone's journal holds above row ``after``; the highest row seen."""
        rows = db.execute(
            "SELECT n, id, unseal(text) FROM journal WHERE n > ? AND id IS NOT NULL ORDER BY n",
            (after,),
        ).fetchall()
        for n, tx_id, text in rows:
            after = max(after, n)
            self.add(tx_id, text)
        return after

    def add(self, tx_id: str, text: str) -> None:
        """Take one transaction; the first text under an id stands."""
        with self._lock:
            self.saved.setdefault(tx_id, Saved(tx_id, text))

    def photos(self) -> set[str]:
        """Every photo ever declared."""
        return {sha256 for one in self.saved.values() for sha256 in one.photos}
