"""The round: compounds and doors in the order they are walked, with what is due."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from mobile.core import doors, due
from mobile.core.views import CompoundRow, Due, HouseholdFilter, HouseholdRow, Place
from mobile.storage import lookups
from mobile.storage.records import DOC, values_of
from shared.masking import mask_phone

_WAITING = ("waiting", "sent")
_COUNTED = ", ".join(f"'{outcome}'" for outcome in sorted(due.COUNTED_OUTCOMES))


def households(
    db: sqlite3.Connection, query: str, wanted: HouseholdFilter, compound_id: str | None, now: int
) -> list[HouseholdRow]:
    """`Phone.households`."""
    names = {row[0]: (row[1], row[2]) for row in _compounds(db)}
    sql = f"SELECT id, compound_id, sort_key, {DOC} AS doc FROM record"
    sql += " WHERE kind = 'household' AND visible = 1"
    parameters: list[Any] = []
    if compound_id is not None:
        sql += " AND compound_id = ?"
        parameters.append(compound_id)
    for word in doors.plain(query).split():
        sql += " AND unseal(search) LIKE ? ESCAPE '\\'"
        parameters.append(f"%{_escaped(word)}%")
    last, counted = visited(db)
    places = lookups.places(db)
    waiting = waiting_targets(db)
    found: list[tuple[tuple[str, str, str], HouseholdRow]] = []
    for row in db.execute(sql, parameters):
        values = values_of(row)
        name, key = names.get(row["compound_id"], ("", "\uffff"))
        state = due.due_state(
            counted.get(row["id"]),
            now,
            due.period_days(values.get("care_groups"), values.get("risk_level")),
        )
        line = _household(row["id"], values, name, state, last, places, waiting)
        if _passes(line, wanted):
            found.append(((key, row["sort_key"], row["id"]), line))
    found.sort(key=lambda pair: pair[0])
    return [line for _, line in found]


def _household(
    household_id: str,
    values: Mapping[str, Any],
    compound_name: str,
    state: Due,
    last: Mapping[str, int],
    places: Mapping[str, Place],
    waiting: set[str],
) -> HouseholdRow:
    where = places.get(household_id, "applied")
    care = tuple(values.get("care_groups") or ())
    return HouseholdRow(
        id=household_id,
        name=values.get("contact_name") or "",
        address=doors.address_line(values, compound_name),
        phone=mask_phone(values.get("contact_phone")),
        care=bool(care),
        care_groups=care,
        risk_level=values.get("risk_level") or "normal",
        state=values.get("state") or "",
        last_visit_at=last.get(household_id),
        due=state,
        pending=where in _WAITING or household_id in waiting,
        place=where,
        compound_id=values.get("compound_id"),
        building=doors.with_word(values.get("building"), "号楼"),
        unit=doors.with_word(values.get("unit"), "单元"),
        door=(values.get("door") or "").strip(),
    )


def _passes(line: HouseholdRow, wanted: HouseholdFilter) -> bool:
    match wanted:
        case "due":
            return line.due != "ok"
        case "overdue" | "never":
            return line.due == wanted
        case "care":
            return line.care or line.risk_level == "high"
        case "waiting":
            return line.pending
    return True


def compounds(db: sqlite3.Connection, now: int) -> list[CompoundRow]:
    """`Phone.compounds`."""
    _, counted = visited(db)
    doors_of: dict[str, int] = {}
    due_of: dict[str, int] = {}
    rows = db.execute(
        f"SELECT id, compound_id, {DOC} AS doc FROM record WHERE kind = 'household'"
        " AND visible = 1 AND compound_id IS NOT NULL"
    )
    for row in rows:
        values, compound_id = values_of(row), row["compound_id"]
        days = due.period_days(values.get("care_groups"), values.get("risk_level"))
        doors_of[compound_id] = doors_of.get(compound_id, 0) + 1
        if due.due_state(counted.get(row["id"]), now, days) != "ok":
            due_of[compound_id] = due_of.get(compound_id, 0) + 1
    found = []
    for row in db.execute(
        f"SELECT id, partition_id, {DOC} AS doc FROM record WHERE kind = 'compound'"
        " AND visible = 1 ORDER BY sort_key, id"
    ):
        values = values_of(row)
        found.append(
            CompoundRow(
                id=row["id"],
                name=values.get("name") or "",
                address=values.get("address") or "",
                unmanaged=values.get("management") == "none",
                households=doors_of.get(row["id"], 0),
                due=due_of.get(row["id"], 0),
                partition=row["partition_id"],
            )
        )
    return found


def visited(
    db: sqlite3.Connection, target_id: str | None = None
) -> tuple[dict[str, int], dict[str, int]]:
    """Target id -> its last visit, and its last visit that counts for the round (Unix ms)."""
    one = "" if target_id is None else " AND parent_id = ?"
    rows = db.execute(
        "SELECT parent_id, max(at),"
        f" max(CASE WHEN outcome IN ({_COUNTED}) THEN at END)"
        " FROM record INDEXED BY record_visited"
        f" WHERE kind = 'visit' AND visible = 1 AND parent_id IS NOT NULL{one}"
        " GROUP BY parent_id",
        () if target_id is None else (target_id,),
    ).fetchall()
    last = {row[0]: row[1] for row in rows if row[1] is not None}
    counted = {row[0]: row[2] for row in rows if row[2] is not None}
    return last, counted


def _compounds(db: sqlite3.Connection) -> list[sqlite3.Row]:
    return db.execute(
        f"SELECT id, json_extract({DOC}, '$.name'), sort_key FROM record"
        " WHERE kind = 'compound' AND visible = 1"
    ).fetchall()


def waiting_targets(db: sqlite3.Connection) -> set[str]:
    """The doors at which something was saved that has no receipt yet."""
    rows = db.execute(
        "SELECT DISTINCT r.parent_id FROM pending p CROSS JOIN journal j ON j.n = p.n"
        " CROSS JOIN record r ON r.id = p.record_id WHERE j.result IS NULL"
        " AND r.kind IN ('visit', 'problem', 'resident') AND r.parent_id IS NOT NULL"
    )
    return {row[0] for row in rows}


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
