"""Reads the round into memory, a slice at a time, and keeps it as the store changes."""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from mobile.core import doors as naming
from mobile.core import due
from mobile.core.walking import Door, Facts, Walk, Wanted, walk
from mobile.storage import lookups, rounds
from mobile.storage.records import DOC, values_of
from mobile.storage.store import Store
from shared import ledger

FIRST = 40  # doors of the first answer: more than a screen holds
SLICE = 400  # doors read between two other pieces of work
_OPEN = ", ".join(f"'{state}'" for state in sorted(ledger.OPEN_STATES))
_order = attrgetter("compound_key", "stair", "id")
_Mark = tuple[int, bool]


class Round:
    """The doors of one store. Every method may be called from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._doors: dict[str, Door] = {}
        self._marks: dict[str, _Mark] = {}
        self._sorted: list[Door] = []
        self._compounds: dict[str, tuple[str, str, tuple[float, float] | None]] = {}
        self._unread: list[str] = []
        self._whole = False
        self._seen = -1
        self._facts = Facts({}, {}, {}, frozenset(), {})

    def find(
        self,
        query: str,
        wanted: Wanted,
        now: int,
        near: tuple[float, float] | None = None,
    ) -> Walk:
        """The doors that match; before all were read, of those read so far."""
        with self._lock, self._store.reading() as db:
            self._notice(db)
            if not self._doors and self._unread:
                self._read(db, self._first(db))
            words = naming.plain(query).split()
            return walk(self._sorted, self._facts, now, words, wanted, near, self._whole)

    def advance(self) -> bool:
        """Read another slice; True once every door is here."""
        with self._lock, self._store.reading() as db:
            self._notice(db)
            found, self._unread = self._unread[:SLICE], self._unread[SLICE:]
            self._read(db, found)
            self._whole = not self._unread
            return self._whole

    def _notice(self, db: sqlite3.Connection) -> None:
        """See which doors are new, changed or gone, and what happened at them."""
        changes = self._store.changes
        if changes == self._seen:
            return
        self._seen = changes
        self._facts = _facts(db)
        compounds = _compounds(db)
        again = compounds != self._compounds
        self._compounds = compounds
        here: dict[str, _Mark] = {
            row[0]: (row[1], bool(row[2]))
            for row in db.execute(
                "SELECT id, rev, shown IS NOT NULL FROM record WHERE kind = 'household'"
                " AND visible = 1"
            )
        }
        gone = [one for one in self._doors if one not in here]
        for one in gone:
            del self._doors[one], self._marks[one]
        # What this phone has changed itself is read each time: it is little.
        changed = [
            one for one, mark in here.items() if again or mark[1] or self._marks.get(one) != mark
        ]
        self._unread = [one for one in changed if one not in self._doors]
        self._marks |= {one: here[one] for one in here if one in self._marks}
        self._read(db, [one for one in changed if one in self._doors])
        self._whole = not self._unread
        if gone:
            self._sorted = sorted(self._doors.values(), key=_order)

    def _first(self, db: sqlite3.Connection) -> list[str]:
        """Those that one walks to first."""
        rows = db.execute(
            "SELECT h.id FROM record h LEFT JOIN record c ON c.id = h.compound_id"
            " AND c.kind = 'compound' WHERE h.kind = 'household' AND h.visible = 1"
            " ORDER BY coalesce(c.sort_key, char(65535)), h.sort_key, h.id LIMIT ?",
            (FIRST,),
        )
        return [row[0] for row in rows]

    def _read(self, db: sqlite3.Connection, wanted: list[str]) -> None:
        if not wanted:
            return
        rows = db.execute(
            f"SELECT id, rev, shown IS NOT NULL AS mine, sort_key, {DOC} AS doc FROM record"
            " WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(wanted),),
        )
        for row in rows:
            self._doors[row["id"]] = self._door(row, values_of(row))
            self._marks[row["id"]] = (row["rev"], bool(row["mine"]))
        self._sorted = sorted(self._doors.values(), key=_order)

    def _door(self, row: sqlite3.Row, values: Mapping[str, Any]) -> Door:
        compound_id = values.get("compound_id")
        name, key, position = self._compounds.get(compound_id or "", ("", "\uffff", None))
        door = (values.get("door") or "").strip()
        groups = tuple(values.get("care_groups") or ())
        found = naming.search_text("household", values)
        return Door(
            id=row["id"],
            compound_id=compound_id and sys.intern(compound_id),
            compound=name,
            compound_key=key,
            stair=row["sort_key"],
            building=sys.intern(naming.with_word(values.get("building"), "号楼")),
            unit=sys.intern(naming.with_word(values.get("unit"), "单元")),
            door=sys.intern(door),
            name=values.get("contact_name") or "",
            address="" if door else naming.address_line(values, name),
            care=bool(groups),
            high=values.get("risk_level") == "high",
            state=sys.intern(values.get("state") or ""),
            days=due.period_days(groups, values.get("risk_level")),
            search=f"{found}\x1f{naming.plain(name)}",
            position=_place(values.get("position")) or position,
        )


def _facts(db: sqlite3.Connection) -> Facts:
    last, counted = rounds.visited(db)
    problems = db.execute(
        "SELECT parent_id, count(*) FROM record WHERE kind = 'problem' AND visible = 1"
        f" AND parent_id IS NOT NULL AND coalesce(state, 'reported') IN ({_OPEN})"
        " GROUP BY parent_id"
    ).fetchall()
    waiting = frozenset(rounds.waiting_targets(db))
    return Facts(last, counted, lookups.places(db), waiting, {row[0]: row[1] for row in problems})


def _compounds(
    db: sqlite3.Connection,
) -> dict[str, tuple[str, str, tuple[float, float] | None]]:
    found = {}
    for row in db.execute(
        f"SELECT id, sort_key, {DOC} AS doc FROM record WHERE kind = 'compound' AND visible = 1"
    ):
        values = values_of(row)
        found[row["id"]] = (
            str(values.get("name") or ""), row["sort_key"], _place(values.get("position")),
        )  # fmt: skip
    return found


def _place(position: Any) -> tuple[float, float] | None:
    if not isinstance(position, dict) or "lat" not in position or "lng" not in position:
        return None
    return float(position["lat"]), float(position["lng"])
