"""The sync screen's truth: every transaction in exactly one place, every photo that is not safe."""

from __future__ import annotations

import json
import sqlite3

from mobile.core import place
from mobile.core.views import SyncItem, SyncStatus, WaitingPhoto
from mobile.storage import journal, lookups, meta, photos
from shared import protocol

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
        "SELECT count(*), coalesce(sum(state = 'verified'), 0) FROM photo"
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
        "SELECT * FROM journal WHERE gap IS NOT 'journal_expired' AND (result IS NULL"
        " OR result NOT IN ('applied', 'merged')"
        " OR n > (SELECT coalesce(max(n), 0) FROM journal) - ?) ORDER BY n DESC",
        (LATEST,),
    ).fetchall()
    return [_item(db, row) for row in rows]


def _item(db: sqlite3.Connection, row: sqlite3.Row) -> SyncItem:
    label = json.loads(row["label"])
    answer = json.loads(row["answer"]) if row["answer"] else {}
    action = label.get("action", "")
    zh, en = ACTION_WORDS.get(action, (action, action))
    name = label.get("name", "")
    code = answer.get("code") or ""
    return SyncItem(
        id=row["id"] or "",
        action=action,
        title_zh=f"{zh}：{name}" if name else zh,
        title_en=f"{en}: {name}" if name else en,
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
    rows = db.execute("SELECT * FROM photo WHERE state != 'verified' ORDER BY n, sha256").fetchall()
    found = []
    for row in rows:
        owner = db.execute(
            "SELECT json_extract(coalesce(shown, agreed), '$.owner_kind'), parent_id FROM record"
            " WHERE kind = 'photo' AND sha256 = ? ORDER BY id LIMIT 1",
            (row["sha256"],),
        ).fetchone()
        kind, owner_id = owner or ("", "")
        found.append(
            WaitingPhoto(
                sha256=row["sha256"],
                size=row["size"],
                sent=row["sent"],
                state=row["state"],
                owner_kind=kind or "",
                owner_id=owner_id or "",
                owner_name=lookups.name_of_id(db, owner_id),
            )
        )
    return found
