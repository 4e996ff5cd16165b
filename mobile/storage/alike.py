"""Problems on this phone that are like another: told twice, or coming back (shared.duplicates)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from mobile.storage.records import DOC, values_of
from shared import duplicates
from shared.duplicates import Likeness


def likely(db: sqlite3.Connection, values: Mapping[str, Any]) -> list[Likeness]:
    """The likely duplicates of a problem that is being reported, the likeliest first.

    ``values`` as typed so far; it needs a category and a place.
    """
    placed = with_compound(db, values)
    return duplicates.likely(placed, _held(db, placed))


def is_recurring(db: sqlite3.Connection, problem_id: str, values: Mapping[str, Any]) -> bool:
    """Whether the same thing was told here often enough in the 90 days before."""
    if values.get("recurring"):
        return True
    placed = with_compound(db, values)
    others = [one for one in _held(db, placed) if one[0] != problem_id]
    return duplicates.is_recurring(duplicates.recurrences(placed, others))


def with_compound(db: sqlite3.Connection, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the compound of their target, as the server will find it."""
    found = dict(values)
    target = found.get("target_id")
    if found.get("compound_id") or not target:
        return found
    if found.get("target_kind") == "compound":
        found["compound_id"] = target
        return found
    row = db.execute(
        f"SELECT {DOC} AS doc FROM record WHERE id = ? AND kind = 'household'", (target,)
    ).fetchone()
    if row is not None:
        found["compound_id"] = values_of(row).get("compound_id")
    return found


def _held(db: sqlite3.Connection, values: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(id, values) of this phone's problems of the category in the window around it."""
    at = values.get("found_at") or 0
    rows = db.execute(
        f"SELECT id, {DOC} AS doc FROM record WHERE kind = 'problem' AND visible = 1"
        " AND at BETWEEN ? AND ?",
        (at - duplicates.WINDOW, at + duplicates.WINDOW),
    ).fetchall()
    found = [(str(row["id"]), values_of(row)) for row in rows]
    same = [one for one in found if one[1].get("category") == values.get("category")]
    return [(problem_id, with_compound(db, known)) for problem_id, known in same]
