"""Photos that are being taken: noted before the camera opens, so that none is lost behind it.

The camera writes into the inbox, under the name of its note. A note goes in the same transaction
in which its photo enters the draft; the camera's own file, with all that stands in it, is removed
after that.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mobile.core.due import DAY_MS
from mobile.core.written import Capture
from mobile.storage.store import Store, failure

KEEP_EMPTY_MS = DAY_MS  # a note whose file never came is kept this long


def path_of(inbox: Path, capture_id: str) -> Path:
    """Where the camera writes."""
    return inbox / f"{capture_id}.jpg"


def begin(
    db: sqlite3.Connection,
    inbox: Path,
    capture_id: str,
    draft_key: str,
    phase: str,
    road: tuple[str, Mapping[str, Any]],
    now: int,
) -> Capture:
    """Note that a photo is about to be taken for a draft. ``road``: the form's page and args."""
    page, args = road
    db.execute(
        "INSERT INTO capture (id, draft_key, phase, page, args, begun_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (capture_id, draft_key, phase, page, json.dumps(dict(args)), now),
    )
    path = path_of(inbox, capture_id)
    return Capture(capture_id, draft_key, phase, page, dict(args), now, path)


def every(db: sqlite3.Connection, inbox: Path) -> list[Capture]:
    """All notes, the oldest first."""
    rows = db.execute("SELECT * FROM capture ORDER BY begun_at, id").fetchall()
    return [_capture(row, inbox) for row in rows]


def get(db: sqlite3.Connection, inbox: Path, capture_id: str) -> Capture | None:
    """A note, None once its photo is in its draft or was given up."""
    row = db.execute("SELECT * FROM capture WHERE id = ?", (capture_id,)).fetchone()
    return None if row is None else _capture(row, inbox)


def drop(db: sqlite3.Connection, capture_id: str) -> None:
    """Forget a note."""
    db.execute("DELETE FROM capture WHERE id = ?", (capture_id,))


def is_there(capture: Capture) -> bool:
    """Whether the camera has written something."""
    try:
        return capture.path.stat().st_size > 0
    except OSError:
        return False


def is_old(capture: Capture, now: int) -> bool:
    """Whether nothing will come of a note any more."""
    return not 0 <= now - capture.begun_at < KEEP_EMPTY_MS


def remove(inbox: Path, path: Path) -> None:
    """Remove the camera's file; one that a person chose elsewhere is theirs and stays."""
    if path.parent == inbox:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def make(inbox: Path) -> None:
    """The folder that the camera writes into. Raises SaveFailed."""
    try:
        inbox.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise failure(error) from error


def sweep(store: Store, inbox: Path) -> int:
    """Remove files that no note names: their photo is in its draft, or was given up. How many."""
    with store.reading() as db:
        noted = {row[0] for row in db.execute("SELECT id FROM capture")}
    loose = [path for path in inbox.glob("*") if path.stem not in noted]
    for path in loose:
        remove(inbox, path)
    return len(loose)


def _capture(row: sqlite3.Row, inbox: Path) -> Capture:
    return Capture(
        row["id"],
        row["draft_key"],
        row["phase"],
        row["page"],
        json.loads(row["args"]),
        row["begun_at"],
        path_of(inbox, row["id"]),
    )
