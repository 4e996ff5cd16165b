"""Small questions that several pages ask: names, categories, where something is, what stands."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mobile.core import doors, place
from mobile.core.edits import Held
from mobile.core.views import Category, Place
from mobile.storage import alike
from mobile.storage.records import DOC, values_of
from shared import campaigns as campaigns_
from shared import categories as categories_
from shared import vocabulary
from shared.campaigns import Campaign
from shared.ledger import Facts
from shared.work_calendar import Calendar, of_years


def person_name(db: sqlite3.Connection, user_id: str | None) -> str:
    """A person's name; "" for None, "" too where it is not known."""
    if not user_id:
        return ""
    row = _reference(db, "person", user_id)
    if row is not None:
        return str(row.get("name") or "")
    mine = db.execute("SELECT value FROM meta WHERE name = 'user_id'").fetchone()
    if mine and mine[0] == user_id:
        found = db.execute("SELECT value FROM meta WHERE name = 'user_name'").fetchone()
        return str(found[0]) if found else ""
    return ""


def _reference(db: sqlite3.Connection, type_: str, code: str) -> dict[str, Any] | None:
    row = db.execute(
        f"SELECT {DOC} AS doc FROM record WHERE kind = 'reference' AND type = ? AND code = ?"
        " AND visible = 1",
        (type_, code),
    ).fetchone()
    return None if row is None else values_of(row)


def references(db: sqlite3.Connection, type_: str) -> list[dict[str, Any]]:
    """The active reference records of a type in their order."""
    rows = db.execute(
        f"SELECT {DOC} AS doc FROM record WHERE kind = 'reference' AND type = ? AND visible = 1",
        (type_,),
    ).fetchall()
    found = [values_of(row) for row in rows]
    active = [values for values in found if values.get("active") is not False]
    return sorted(active, key=lambda v: (v.get("position_no") or 0, v.get("code") or ""))


def categories(db: sqlite3.Connection) -> list[Category]:
    """The active categories of problems."""
    found = []
    bodies = {str(one.get("code") or ""): one for one in references(db, "body")}
    for values in references(db, "category"):
        given = values.get("data")
        data = given if isinstance(given, dict) else {}
        body = bodies.get(str(data.get("body") or ""), {})
        told = body.get("data")
        before, after = categories_.evidence(data)
        found.append(
            Category(
                code=str(values["code"]),
                name=str(values.get("name") or values["code"]),
                name_en=str(values.get("name_en") or values.get("name") or ""),
                parent=str(data.get("parent") or ""),
                needs_after=after,
                data=data,
                needs_before=before,
                body=str(body.get("name") or ""),
                call=categories_.number_to_call(data, told if isinstance(told, dict) else None),
            )
        )
    return found


def campaigns(db: sqlite3.Connection, area: str, now: int) -> list[Campaign]:
    """The campaigns that run now in an area (15 digits), in their order."""
    found = map(campaigns_.read, references(db, "campaign"))
    return [one for one in found if one.questions and campaigns_.is_running(one, now, area)]


def category_names(db: sqlite3.Connection, code: str) -> tuple[str, str]:
    """A category's name in Chinese and English; its code where it is not known."""
    values = _reference(db, "category", code) or {}
    name = str(values.get("name") or code)
    return name, str(values.get("name_en") or name)


def category_data(db: sqlite3.Connection, code: str) -> dict[str, Any]:
    """What a category says of its problems: time limits, evidence; {} where it is not known."""
    data = (_reference(db, "category", code) or {}).get("data")
    return data if isinstance(data, dict) else {}


def facts(db: sqlite3.Connection, problem: Held, added: int = 0, now: int | None = None) -> Facts:
    """What the ledger's rules ask beside the problem; ``added``: photos of this very action.

    ``now``: also the deadlines that would begin now, and whether the problem keeps coming back.
    """
    data = category_data(db, str(problem.values.get("category") or ""))
    needs_before, needs_after = categories_.evidence(data)
    asked = ("before", "after") if needs_before else ("after",)
    states = [
        (photo.get("phase"), photo.get("state"))
        for photo in photos_of(db, problem.id)
        if photo.get("phase") in asked
    ]
    known = Facts(
        needs_after=needs_after,
        after_photos=states.count(("after", "verified")),
        photos_pending=sum(one not in ("verified", "refused") for _, one in states) + added,
    )
    if now is None:
        return known
    return replace(
        known,
        deadlines=categories_.deadlines(data, now, work_calendar(db)),
        due_unit=categories_.limit(data, "handle").unit,
        recurring=alike.is_recurring(db, problem.id, problem.values),
    )


def work_calendar(db: sqlite3.Connection) -> Calendar:
    """The work calendar of the reference records."""
    found = references(db, "calendar")
    return of_years((str(one.get("code") or ""), one.get("data")) for one in found)


def photos_of(db: sqlite3.Connection, owner_id: str) -> list[dict[str, Any]]:
    """The values of a record's photos, each with its ``id``, in the order they were taken.

    One that was replaced by a redacted one is left out: the new one stands for it.
    """
    rows = db.execute(
        f"SELECT id, {DOC} AS doc FROM record WHERE kind = 'photo' AND parent_id = ?"
        " AND visible = 1 ORDER BY at, id",
        (owner_id,),
    ).fetchall()
    found = [{**values_of(row), "id": row["id"]} for row in rows]
    return [photo for photo in found if not photo.get("replaced_by")]


def last_visit(db: sqlite3.Connection, target_id: str) -> dict[str, Any] | None:
    """The values of the last visit of a target."""
    row = db.execute(
        f"SELECT {DOC} AS doc FROM record WHERE kind = 'visit' AND parent_id = ? AND visible = 1"
        " ORDER BY at DESC, id DESC LIMIT 1",
        (target_id,),
    ).fetchone()
    return None if row is None else values_of(row)


def compound_name(db: sqlite3.Connection, compound_id: str | None) -> str:
    """A compound's name, "" where there is none."""
    if not compound_id:
        return ""
    row = db.execute(
        f"SELECT {DOC} AS doc FROM record WHERE id = ? AND visible = 1", (compound_id,)
    ).fetchone()
    return "" if row is None else str(values_of(row).get("name") or "")


def household_name(db: sqlite3.Connection, values: Mapping[str, Any]) -> str:
    """A door as it is called: its contact, else its address."""
    contact = values.get("contact_name")
    return str(contact or doors.address_line(values, compound_name(db, values.get("compound_id"))))


def place_of(db: sqlite3.Connection, record_id: str | None) -> str:
    """Where a door or a compound is, in one line; "" where it is not on this phone."""
    row = db.execute(
        f"SELECT kind, {DOC} AS doc FROM record WHERE id = ? AND visible = 1", (record_id,)
    ).fetchone()
    if row is None:
        return ""
    values = values_of(row)
    if row["kind"] == "household":
        return doors.address_line(values, compound_name(db, values.get("compound_id")))
    return str(values.get("address") or values.get("name") or "")


def name_of_record(db: sqlite3.Connection, kind: str, values: Mapping[str, Any]) -> str:
    """What a record is called in a list or a message."""
    if kind == "household":
        return household_name(db, values)
    if kind == "visit":
        return str(values.get("target_name") or name_of_id(db, values.get("target_id")))
    if kind == "problem":
        return str(values.get("description") or "")[:20]
    if kind == "task":
        return vocabulary.word(vocabulary.TASK_TYPES, values.get("type"))
    if kind == "photo":
        return name_of_id(db, values.get("owner_id"))
    return str(values.get("name") or "")


def name_of_id(db: sqlite3.Connection, record_id: str | None) -> str:
    """What a record is called, "" where it is not on this phone."""
    if not record_id:
        return ""
    row = db.execute(
        f"SELECT kind, {DOC} AS doc FROM record WHERE id = ? AND visible = 1", (record_id,)
    ).fetchone()
    return "" if row is None else name_of_record(db, row["kind"], values_of(row))


def is_conflict_open(db: sqlite3.Connection, conflict_ids: Iterable[str]) -> bool:
    """Whether one of these is undecided; one that has not been pulled yet counts as open."""
    for conflict_id in conflict_ids:
        row = db.execute(
            "SELECT state FROM record WHERE id = ? AND kind = 'conflict'", (conflict_id,)
        ).fetchone()
        if row is None or row[0] == "open":
            return True
    return False


def place_of_row(db: sqlite3.Connection, row: sqlite3.Row) -> Place:
    """The place of a row of the journal (result, answer, sent_at, covered_at, settled_at)."""
    conflict_open = False
    if row["result"] == "conflict":
        named = json.loads(row["answer"]).get("conflicts") or ()
        covered = row["covered_at"] is not None
        conflict_open = is_conflict_open(db, named) if named else not covered
    return place.place_of(
        row["result"],
        was_sent=row["sent_at"] is not None,
        conflict_open=conflict_open,
        settled=row["settled_at"] is not None,
    )


_PLACED = "j.result, j.answer, j.sent_at, j.covered_at, j.settled_at"


def places(db: sqlite3.Connection) -> dict[str, Place]:
    """Record id -> where this phone's pending work on it is; what is not named is applied."""
    rows = db.execute(
        f"SELECT DISTINCT p.record_id, p.n, {_PLACED} FROM pending p JOIN journal j ON j.n = p.n"
    ).fetchall()
    found: dict[str, list[Place]] = {}
    for row in rows:
        found.setdefault(row["record_id"], []).append(place_of_row(db, row))
    for (about_id,) in db.execute(
        "SELECT parent_id FROM record WHERE kind = 'conflict' AND state = 'open' AND visible = 1"
    ):
        found.setdefault(about_id, []).append("conflict")
    return {record_id: place.foremost(several) for record_id, several in found.items()}


def why(db: sqlite3.Connection, record_id: str) -> tuple[str, str]:
    """Why work on a record was held or returned, in Chinese and English; ("", "") if it was not."""
    row = db.execute(
        "SELECT j.answer FROM pending p JOIN journal j ON j.n = p.n WHERE p.record_id = ?"
        " AND j.result IN ('held', 'rejected') AND j.settled_at IS NULL ORDER BY p.n DESC LIMIT 1",
        (record_id,),
    ).fetchone()
    if row is None:
        return "", ""
    answer = json.loads(row[0])
    code, detail = answer.get("code") or "", ""
    return place.reason(code, detail), place.reason(code, detail, "en")
