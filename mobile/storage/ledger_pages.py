"""The problem ledger's pages: entries, histories, and what may be done now."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mobile.core import doors, overlay
from mobile.core.views import ActionOffer, Place, ProblemRow, ProblemView, ProgressRow
from mobile.storage import alike, attached, lookups, meta, records
from mobile.storage.records import DOC, values_of
from shared import ledger, protocol
from shared.ledger import Actor
from shared.operations import ACT, CREATE
from shared.reconcile import Record, Refused

OPEN = frozenset(ledger.OPEN_STATES)
_WAITING = ("waiting", "sent")


def rows(
    db: sqlite3.Connection,
    places: Mapping[str, Place],
    query: str = "",
    target_id: str | None = None,
    visit_id: str | None = None,
) -> list[ProblemRow]:
    """Entries of the ledger, those found last first."""
    sql = f"SELECT id, by_user, {DOC} AS doc FROM record WHERE kind = 'problem' AND visible = 1"
    parameters: list[Any] = []
    for column, value in (("parent_id", target_id), ("visit_id", visit_id)):
        if value is not None:
            sql += f" AND {column} = ?"
            parameters.append(value)
    for word in doors.plain(query).split():
        sql += " AND instr(unseal(search), ?) > 0"
        parameters.append(word)
    found = db.execute(f"{sql} ORDER BY at DESC, id DESC", parameters).fetchall()
    names = {one.code: (one.name, one.name_en) for one in lookups.categories(db)}
    make = _Rows(db, names, places)
    return [make.row(row["id"], values_of(row), row["by_user"]) for row in found]


def chosen(db: sqlite3.Connection, wanted: Sequence[str]) -> list[ProblemRow]:
    """These entries, in the order asked for; what is not on this phone is left out."""
    names = {one.code: (one.name, one.name_en) for one in lookups.categories(db)}
    make = _Rows(db, names, lookups.places(db))
    found = []
    for problem_id in wanted:
        row = db.execute(
            f"SELECT id, by_user, {DOC} AS doc FROM record"
            " WHERE id = ? AND kind = 'problem' AND visible = 1",
            (problem_id,),
        ).fetchone()
        if row is not None:
            found.append(make.row(row["id"], values_of(row), row["by_user"]))
    return found


class _Rows:
    """Makes rows of one list: what they all need is asked once."""

    def __init__(
        self,
        db: sqlite3.Connection,
        names: Mapping[str, tuple[str, str]],
        places: Mapping[str, Place],
    ) -> None:
        self._names, self._places = names, places
        self._me = meta.get(db, "user_id")
        self._unsafe = attached.unsafe_photos(db)

    def row(self, problem_id: str, values: Mapping[str, Any], author: str) -> ProblemRow:
        """A problem as a list shows it; "" for the author of what is only on this phone."""
        where = self._places.get(problem_id, "applied")
        category = values.get("category") or ""
        zh, en = self._names.get(category, (category, category))
        return ProblemRow(
            id=problem_id,
            ledger_no=values.get("ledger_no") or "",
            category=category,
            category_zh=zh,
            category_en=en,
            description=values.get("description") or "",
            address=values.get("place") or "",
            state=values.get("state") or "reported",
            due_at=values.get("due_at"),
            overdue=bool(values.get("overdue_at")),
            supervised=bool(values.get("supervised")),
            found_at=values.get("found_at"),
            target_id=values.get("target_id"),
            pending=where in _WAITING,
            place=where,
            mine=author in ("", self._me),
            safe=problem_id not in self._places and problem_id not in self._unsafe,
            photos_left=self._unsafe.get(problem_id, 0),
        )


def problem(db: sqlite3.Connection, folder: Path, problem_id: str, actor: Actor) -> ProblemView:
    """`Phone.problem`."""
    held = attached.held(db, problem_id, "problem")
    places = lookups.places(db)
    category = str(held.values.get("category") or "")
    names = {category: lookups.category_names(db, category)}
    facts = lookups.facts(db, held)
    by = db.execute("SELECT by_user FROM record WHERE id = ?", (problem_id,)).fetchone()[0]
    return ProblemView(
        row=_Rows(db, names, places).row(problem_id, held.values, by),
        values=held.values,
        progress=tuple(_history(db, problem_id, actor)),
        photos=attached.photo_views(db, folder, problem_id),
        actions=tuple(_offer(held.values, actor, facts)),
        conflicts=tuple(attached.conflicts(db, about=(problem_id,))),
        needs_after=facts.needs_after,
        asks_cause=bool(held.values.get("hard")) or alike.is_recurring(db, problem_id, held.values),
    )


def _offer(values: Mapping[str, Any], actor: Actor, facts: ledger.Facts) -> list[ActionOffer]:
    """What this person's role may do, and why not now. A photo still to be taken blocks nothing."""
    after = ledger.Facts(facts.needs_after, facts.after_photos, max(1, facts.photos_pending))
    found = []
    for action, code in ledger.offered(values, actor, facts):
        blocked = code
        if action.name == "request_closure" and code == "needs":
            blocked = ledger.why_not(values, action, actor, after)[0]
        found.append(
            ActionOffer(
                name=action.name,
                zh=action.zh,
                en=action.en,
                needs=action.needs,
                takes=action.takes,
                blocked=blocked,
                blocked_zh=protocol.title(blocked) if blocked else "",
            )
        )
    return found


def _history(db: sqlite3.Connection, problem_id: str, actor: Actor) -> list[ProgressRow]:
    """The server's entries, then what was done on this phone and is not among them yet."""
    found = db.execute(
        f"SELECT id, {DOC} AS doc FROM record WHERE kind = 'progress' AND parent_id = ?"
        " AND visible = 1 ORDER BY at, seq, id",
        (problem_id,),
    ).fetchall()
    entries = [_entry(db, values_of(row)) for row in found]
    return entries + _pending_entries(db, problem_id, actor)


def _entry(db: sqlite3.Connection, values: Mapping[str, Any]) -> ProgressRow:
    action = values.get("action") or ""
    zh, en = ledger.entry_words(action)
    detail = values.get("detail")
    return ProgressRow(
        action=action,
        action_zh=zh,
        action_en=en,
        from_state=values.get("from_state") or "",
        to_state=values.get("to_state") or "",
        actor=values.get("actor") or "",
        actor_name=lookups.person_name(db, values.get("actor")),
        at=values.get("acted_at"),
        reason=values.get("reason") or "",
        detail=detail if isinstance(detail, dict) else {},
        pending=False,
        place="applied",
    )


def _pending_entries(db: sqlite3.Connection, problem_id: str, actor: Actor) -> list[ProgressRow]:
    row = db.execute(
        "SELECT partition_id, rev, unseal(agreed) AS agreed FROM record WHERE id = ?", (problem_id,)
    ).fetchone()
    record: Record | None = None
    if row["agreed"] is not None:
        values = json.loads(row["agreed"])
        record = Record("problem", problem_id, row["partition_id"], row["rev"], values)
    where = lookups.places(db).get(problem_id, "waiting")
    entries = []
    for pending in records.pending_on(db, problem_id, row["rev"]):
        operation = pending.operation
        entry: ledger.Progress | None = None
        if operation.op == CREATE:
            _, entry = ledger.start(operation.values, actor.user_id, pending.made_at)
        elif operation.op == ACT and record is not None:
            try:
                _, entry = overlay.progress(record, pending, actor)
            except Refused:
                # It came too late; it is told all the same, with its place.
                entry = ledger.Progress(
                    operation.action, record.values["state"], record.values["state"],
                    record.values["step"], str(operation.data.get("reason") or ""), {},
                )  # fmt: skip
        record = overlay.shown(record, [pending], actor)
        if entry is None:
            continue
        zh, en = ledger.entry_words(entry.action)
        entries.append(
            ProgressRow(
                action=entry.action,
                action_zh=zh,
                action_en=en,
                from_state=entry.from_state,
                to_state=entry.to_state,
                actor=actor.user_id,
                actor_name=lookups.person_name(db, actor.user_id),
                at=pending.made_at,
                reason=entry.reason,
                detail=entry.detail,
                pending=True,
                place=where,
            )
        )
    return entries
