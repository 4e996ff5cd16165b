"""Pages: one record with all that belongs to it, as a person looks at it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mobile.core import doors, due, prefill
from mobile.core.views import HouseholdView, Place, TaskRow, VisitRow, VisitView
from mobile.core.written import VisitDraft
from mobile.storage import attached, ledger_pages, lookups, meta, retention, rounds
from mobile.storage.records import DOC, values_of
from shared import ids
from shared import vocabulary as v
from shared.campaigns import Campaign

LAST_VISITS = 20
_WAITING = ("waiting", "sent")


def household(db: sqlite3.Connection, household_id: str, now: int) -> HouseholdView:
    """`Phone.household`."""
    found = attached.held(db, household_id, "household")
    values = found.values
    compound = lookups.compound_name(db, values.get("compound_id"))
    last, counted = rounds.visited(db, household_id)
    days = due.period_days(values.get("care_groups"), values.get("risk_level"))
    places = lookups.places(db)
    where = places.get(household_id, "applied")
    residents = db.execute(
        f"SELECT id, {DOC} AS doc FROM record WHERE kind = 'resident' AND parent_id = ?"
        " AND visible = 1 ORDER BY id",
        (household_id,),
    ).fetchall()
    return HouseholdView(
        id=household_id,
        values=values,
        address=doors.address_line(values, compound),
        compound_name=compound,
        grid=ids.area_of(found.partition) or "",
        due=due.due_state(counted.get(household_id), now, days),
        last_visit_at=last.get(household_id),
        residents=tuple({**values_of(row), "id": row["id"]} for row in residents),
        visits=tuple(visits(db, places, household_id, limit=LAST_VISITS)),
        problems=tuple(
            row
            for row in ledger_pages.rows(db, places, target_id=household_id)
            if row.state in ledger_pages.OPEN
        ),
        conflicts=tuple(attached.conflicts(db, about=(household_id,), include_decided=False)),
        pending=where in _WAITING,
        place=where,
        older_visits=retention.older(db, household_id),
    )


def new_visit(db: sqlite3.Connection, household_id: str) -> VisitDraft:
    """`Phone.new_visit`."""
    values = attached.held(db, household_id, "household").values
    last = lookups.last_visit(db, household_id)
    return VisitDraft(prefill.visit_values(household_id, values, last))


def campaigns(
    db: sqlite3.Connection, household_id: str, now: int
) -> tuple[list[Campaign], dict[str, Any]]:
    """`Phone.campaigns`."""
    found = attached.held(db, household_id, "household")
    running = lookups.campaigns(db, ids.area_of(found.partition) or "", now)
    if not running:
        return [], {}
    rows = db.execute(
        f"SELECT {DOC} AS doc FROM record WHERE kind = 'visit' AND parent_id = ? AND visible = 1"
        " ORDER BY at DESC, id DESC LIMIT ?",
        (household_id, LAST_VISITS),
    ).fetchall()
    return running, prefill.answers(running, (values_of(row) for row in rows))


def visits(
    db: sqlite3.Connection,
    places: Mapping[str, Place],
    target_id: str | None = None,
    author: str | None = None,
    limit: int = 200,
) -> list[VisitRow]:
    """Visits, newest first: of a target, or of an author (this phone's own included)."""
    sql = f"SELECT id, by_user, agreed IS NULL AS fresh, {DOC} AS doc FROM record"
    sql += " WHERE kind = 'visit' AND visible = 1 AND thin = 0"
    parameters: list[Any] = []
    if target_id is not None:
        sql += " AND parent_id = ?"
        parameters.append(target_id)
    if author is not None:
        sql += " AND (by_user = ? OR agreed IS NULL)"
        parameters.append(author)
    rows = db.execute(f"{sql} ORDER BY at DESC, id DESC LIMIT ?", (*parameters, limit)).fetchall()
    return [_visit_row(db, row["id"], values_of(row), row["by_user"], places) for row in rows]


def _visit_row(
    db: sqlite3.Connection,
    visit_id: str,
    values: Mapping[str, Any],
    author: str,
    places: Mapping[str, Place],
) -> VisitRow:
    why_zh, why_en = lookups.why(db, visit_id)
    taken = lookups.photos_of(db, visit_id)
    me = meta.get(db, "user_id")
    author = author or me
    verified = sum(attached.photo_state(db, photo) == "verified" for photo in taken)
    return VisitRow(
        id=visit_id,
        target_id=values.get("target_id"),
        target_name=values.get("target_name") or lookups.name_of_id(db, values.get("target_id")),
        visited_at=values.get("visited_at") or 0,
        outcome=values.get("outcome") or "",
        reason=values.get("reason") or "",
        note=values.get("note") or "",
        author=author,
        review_state=values.get("review_state") or "pending",
        review_note=values.get("review_note") or "",
        place=places.get(visit_id, "applied"),
        why_zh=why_zh,
        why_en=why_en,
        photos=len(taken),
        photos_verified=verified,
        mine=author == me,
        safe=visit_id not in places and verified == len(taken),
    )


def visit(db: sqlite3.Connection, folder: Path, visit_id: str) -> VisitView:
    """`Phone.visit`."""
    found = attached.held(db, visit_id, "visit")
    places = lookups.places(db)
    by = db.execute("SELECT by_user FROM record WHERE id = ?", (visit_id,)).fetchone()[0]
    return VisitView(
        row=_visit_row(db, visit_id, found.values, by, places),
        values=found.values,
        photos=attached.photo_views(db, folder, visit_id),
        problems=tuple(ledger_pages.rows(db, places, visit_id=visit_id)),
        conflicts=tuple(attached.conflicts(db, about=(visit_id,))),
    )


def tasks(db: sqlite3.Connection, include_done: bool) -> list[TaskRow]:
    """`Phone.tasks`."""
    rows = db.execute(
        f"SELECT id, {DOC} AS doc FROM record WHERE kind = 'task' AND visible = 1"
    ).fetchall()
    found = []
    places = lookups.places(db)
    for row in rows:
        values = values_of(row)
        if values.get("state") == "done" and not include_done:
            continue
        type_ = values.get("type") or ""
        detail = values.get("detail")
        found.append(
            TaskRow(
                id=row["id"],
                type=type_,
                title_zh=v.word(v.TASK_TYPES, type_),
                title_en=v.word(v.TASK_TYPES, type_, "en"),
                about_kind=values.get("about_kind") or "",
                about_id=values.get("about_id"),
                about_name=lookups.name_of_id(db, values.get("about_id")),
                reason=values.get("reason") or "",
                detail=detail if isinstance(detail, dict) else {},
                due_at=values.get("due_at"),
                state=values.get("state") or "open",
                pending=places.get(row["id"]) in _WAITING,
            )
        )
    return sorted(found, key=lambda task: (task.due_at is None, task.due_at or 0, task.id))
