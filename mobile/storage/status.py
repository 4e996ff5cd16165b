"""The sync screen's truth: every transaction in exactly one place, every photo that is not safe."""

from __future__ import annotations

import json
import sqlite3

from mobile.core import photo_queue, place
from mobile.core.due import DAY_MS
from mobile.core.told import SyncItem, SyncStatus, WaitingPhoto
from mobile.storage import journal, lookups, meta, photos, queue
from mobile.storage.records import DOC, values_of
from shared import protocol

_FINAL = ("refused", "missing")
SAFE_LATELY_MS = 30 * DAY_MS  # safe photos are counted for so long at least
LATEST = 200  # transactions with a receipt that are listed; what is not settled is listed always

ACTION_WORDS: dict[str, tuple[str, str]] = {
    "save_visit": ("走访", "Visit"),
    "report_problem": ("上报问题", "Problem"),
    "edit": ("修改", "Change"),
    "act": ("办理", "Ledger step"),
    "add_household": ("新增住户", "New household"),
    "finish_task": ("完成任务", "Task done"),
}


def status(db: sqlite3.Connection) -> SyncStatus:
    """`Phone.status`."""
    count, size = journal.waiting(db)
    _, photo_bytes = photos.held(db)
    total, verified = db.execute(
        "SELECT count(*), coalesce(sum(verified_at IS NOT NULL), 0) FROM photo"
        " WHERE removed_at IS NULL OR verified_at IS NULL OR verified_at > ?",
        (meta.number(db, "server_time") - SAFE_LATELY_MS,),
    ).fetchone()
    contact = meta.number(db, "last_contact")
    offset = meta.get(db, "clock_offset")
    return SyncStatus(
        waiting=count,
        items=tuple(_items(db)),
        photos=total,
        photos_verified=verified,
        photos_waiting=tuple(_photos(db)),
        last_contact=contact or None,
        last_error=meta.get(db, "last_error"),
        clock_offset=int(offset) if offset else None,
        clock_wrong=bool(offset) and abs(int(offset)) > protocol.CLOCK_WARNING_MS,
        bytes_held=size + photo_bytes,
        repairs=meta.number(db, "repairs"),
        buckets_repaired=meta.number(db, "buckets_repaired"),
        revoked=meta.get(db, "revoked") == "1",
        handed_in=meta.get(db, "revoked") == "1" and handed_in(db),
        upgrade_needed=meta.get(db, "upgrade") == "1",
    )


def handed_in(db: sqlite3.Connection) -> bool:
    """Whether the server has answered everything that was saved, and has every photo or no use.

    A photo whose file is gone cannot be handed in and is not waited for.
    """
    left = db.execute(
        "SELECT EXISTS (SELECT 1 FROM journal WHERE result IS NULL) OR EXISTS (SELECT 1 FROM photo"
        " WHERE state NOT IN ('verified', 'refused', 'missing') AND removed_at IS NULL)"
    ).fetchone()
    return not left[0]


def _items(db: sqlite3.Connection) -> list[SyncItem]:
    """The latest first; what waits or needs a person is listed however old it is."""
    rows = db.execute(
        "SELECT *, unseal(label) AS told FROM journal WHERE gap IS NOT 'journal_expired'"
        " AND (result IS NULL OR result NOT IN ('applied', 'merged')"
        " OR n > (SELECT coalesce(max(n), 0) FROM journal) - ?) ORDER BY n DESC",
        (LATEST,),
    ).fetchall()
    return [_item(db, row) for row in rows]


def titles(label: str) -> tuple[str, str]:
    """What a transaction is called in Chinese and English, by its label in the journal."""
    said = json.loads(label)
    action, name = said.get("action", ""), said.get("name", "")
    zh, en = ACTION_WORDS.get(action, (action, action))
    return f"{zh}：{name}" if name else zh, f"{en}: {name}" if name else en


def _item(db: sqlite3.Connection, row: sqlite3.Row) -> SyncItem:
    label = json.loads(row["told"])
    answer = json.loads(row["answer"]) if row["answer"] else {}
    title_zh, title_en = titles(row["told"])
    code = answer.get("code") or ""
    return SyncItem(
        id=row["id"] or "",
        action=label.get("action", ""),
        title_zh=title_zh,
        title_en=title_en,
        about_kind=label.get("kind", ""),
        about_id=label.get("id", ""),
        made_at=row["made_at"],
        place=lookups.place_of_row(db, row),
        code=code,
        reason_zh=place.reason(code, ""),
        reason_en=place.reason(code, "", "en"),
        field=answer.get("field") or "",
        task_id=row["task_id"] or "",
    )


def _photos(db: sqlite3.Connection) -> list[WaitingPhoto]:
    """Those that are not safe, in the order in which they go; what is final comes last."""
    rows = {row["sha256"]: row for row in db.execute(
        "SELECT p.*, j.n IS NULL OR j.result IS NOT NULL AS queued FROM photo p"
        " LEFT JOIN journal j ON j.n = p.n WHERE p.verified_at IS NULL"
    ).fetchall()}  # fmt: skip
    urgent = queue.urgent_ones(db) if rows else frozenset()
    order = photo_queue.in_order(
        photo_queue.Waiting(sha256, row["size"], row["sent"], row["n"], sha256 in urgent)
        for sha256, row in rows.items()
    )
    order.sort(key=lambda one: rows[one.sha256]["state"] in _FINAL)
    return [_photo(db, rows[one.sha256], one.urgent) for one in order]


def _photo(db: sqlite3.Connection, row: sqlite3.Row, urgent: bool) -> WaitingPhoto:
    found = db.execute(
        f"SELECT id, parent_id, {DOC} AS doc FROM record WHERE kind = 'photo' AND sha256 = ?"
        " ORDER BY id LIMIT 1",
        (row["sha256"],),
    ).fetchone()
    owner_id = found["parent_id"] if found else ""
    at = db.execute("SELECT at FROM record WHERE id = ?", (owner_id,)).fetchone()
    return WaitingPhoto(
        sha256=row["sha256"],
        size=row["size"],
        sent=row["sent"],
        state=row["state"],
        owner_kind=str(values_of(found).get("owner_kind") or "") if found else "",
        owner_id=owner_id or "",
        owner_name=lookups.name_of_id(db, owner_id),
        owner_at=at[0] if at else None,
        urgent=urgent,
        queued=bool(row["queued"]),
        reason=row["reason"] or _why_refused(db, found["id"] if found else ""),
        retry_at=row["retry_at"],
    )


def _why_refused(db: sqlite3.Connection, photo_id: str) -> str:
    """What the task says that came of a refused photo; "" where there is none yet."""
    row = db.execute(
        f"SELECT {DOC} AS doc FROM record WHERE kind = 'task' AND parent_id = ?"
        " ORDER BY id DESC LIMIT 1",
        (photo_id,),
    ).fetchone()
    detail = values_of(row).get("detail") if row else None
    return str(detail.get("reason") or "") if isinstance(detail, dict) else ""
