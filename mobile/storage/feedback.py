"""Complaints and suggestions on this phone: those to be sent, and what was answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from mobile.core.feedback import FeedbackRow

MOST = 50  # of one request
ASKED = 200


def add(
    db: sqlite3.Connection, feedback_id: str, kind: str, text: str, anonymous: bool, now: int
) -> None:
    """Keep a new one."""
    db.execute(
        "INSERT INTO feedback (id, kind, text, anonymous, made_at) VALUES (?, ?, seal(?), ?, ?)",
        (feedback_id, kind, text, int(anonymous), now),
    )


def every(db: sqlite3.Connection) -> list[FeedbackRow]:
    """All, the latest first."""
    return [
        FeedbackRow(
            id=row["id"],
            kind=row["kind"],
            text=row["text"],
            anonymous=bool(row["anonymous"]),
            made_at=row["made_at"],
            sent=row["sent_at"] is not None,
            answer=row["answer"] or "",
            answered_at=row["answered_at"],
        )
        for row in db.execute(
            "SELECT id, kind, unseal(text) AS text, anonymous, made_at, sent_at,"
            " unseal(answer) AS answer, answered_at FROM feedback ORDER BY made_at DESC, id DESC"
        )
    ]


def batch(db: sqlite3.Connection) -> tuple[list[dict[str, Any]], list[str]]:
    """What the server lacks, as items of a FeedbackRequest; the ids that have no answer yet."""
    rows = db.execute(
        "SELECT id, kind, unseal(text) AS text, made_at, anonymous FROM feedback"
        " WHERE sent_at IS NULL ORDER BY made_at, id LIMIT ?",
        (MOST,),
    ).fetchall()
    items = [{**dict(row), "anonymous": bool(row["anonymous"])} for row in rows]
    asked = db.execute(
        "SELECT id FROM feedback WHERE sent_at IS NOT NULL AND answer IS NULL"
        " ORDER BY made_at DESC LIMIT ?",
        (ASKED,),
    )
    return items, [row[0] for row in asked]


def answered(
    db: sqlite3.Connection, taken: Iterable[str], answers: Iterable[Mapping[str, Any]], now: int
) -> None:
    """Note what the server has, and what it says."""
    for feedback_id in taken:
        db.execute(
            "UPDATE feedback SET sent_at = coalesce(sent_at, ?) WHERE id = ?", (now, feedback_id)
        )
    for one in answers:
        db.execute(
            "UPDATE feedback SET answer = seal(?), answered_at = ? WHERE id = ?",
            (one["text"], one["at"], one["id"]),
        )
