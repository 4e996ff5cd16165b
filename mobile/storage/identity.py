"""New numbers for the journal: another identity, a restored server, an entry that is unreadable.

The frozen texts never change; only their place in a device's numbering does.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from mobile.storage import journal, meta
from shared import checksum
from shared.ledger import Actor
from shared.operations import Transaction


def enrol(db: sqlite3.Connection, server: str, answer: dict[str, Any]) -> None:
    """Take the identity the server gave, for the first time or again; nothing saved is lost."""
    known = meta.get(db, "device_id")
    meta.put(db, "server", server)
    meta.put(db, "token", answer["token"])
    meta.put(db, "unsent_key", "")  # asked for anew: it may be another server
    meta.keep_person(db, answer["user"])
    for name in ("revoked", "handed_in"):
        meta.put(db, name, "")
    if not meta.get(db, "epoch"):
        meta.put(db, "epoch", answer["epoch"])
    if answer["device_id"] != known:
        take_device(db, answer["device_id"], answer["last_dseq"])


def take_device(db: sqlite3.Connection, device_id: str, last_dseq: int) -> None:
    """Become another device: what has no answer yet is numbered anew, in its order."""
    meta.put(db, "device_id", device_id)
    meta.put(db, "rebuilt", "")
    journal.keep_start(db, device_id, last_dseq, "")
    _renumber(db, device_id, last_dseq, "")
    db.execute("UPDATE cursor SET covered_dseq = 0")


def reopen(
    db: sqlite3.Connection, device_id: str, last_dseq: int, running: str, actor: Actor
) -> None:
    """The server has this device's work up to last_dseq only: what it lacks waits again.

    What former identities of this phone sent goes along; the server knows it by its id. Numbers
    that the journal no longer holds are told as a gap. ``running`` is the server's hash at
    last_dseq, used where this phone has none of its own.
    """
    rows = db.execute(
        "SELECT n, readable(text) AS text FROM journal WHERE result IS NOT NULL"
        " AND (device_id != ? OR dseq_to > ?) ORDER BY n",
        (device_id, last_dseq),
    ).fetchall()
    highest, _ = journal.last(db, device_id)
    first = db.execute(
        "SELECT min(dseq) FROM journal WHERE device_id = ? AND dseq_to > ?",
        (device_id, last_dseq),
    ).fetchone()[0]
    missing_to = (first if first is not None else highest + 1) - 1
    db.executemany(
        "UPDATE journal SET result = NULL, answer = NULL, answered_at = NULL, sent_at = NULL,"
        " covered_at = NULL, settled_at = NULL WHERE n = ?",
        [(row["n"],) for row in rows],
    )
    for row in rows:
        lay_again(db, row["n"], row["text"], actor)
    own = journal.running_at(db, device_id, last_dseq)
    base = running if own in (None, "?") else str(own)
    journal.keep_start(db, device_id, last_dseq, base)
    if missing_to > last_dseq:
        base = _insert_gap(db, device_id, last_dseq + 1, missing_to, base)
        last_dseq = missing_to
    _renumber(db, device_id, last_dseq, base)


def lay_again(db: sqlite3.Connection, n: int, text: str | None, actor: Actor) -> None:
    """Lay a transaction's operations on their records once more; an unreadable one is skipped."""
    try:
        transaction = Transaction.from_json(json.loads(text or ""))
    except (ValueError, KeyError, TypeError, IndexError):
        return
    journal.put_on_top(db, n, transaction, actor)


def make_gap(db: sqlite3.Connection, n: int, reason: str) -> None:
    """An entry that can no longer be read: its number is told as a gap, its text stays as it is."""
    row = db.execute("SELECT device_id, dseq FROM journal WHERE n = ?", (n,)).fetchone()
    db.execute("UPDATE journal SET gap = ? WHERE n = ?", (reason, n))
    before = journal.running_at(db, row["device_id"], row["dseq"] - 1)
    _renumber(db, row["device_id"], row["dseq"] - 1, before or "")


def _insert_gap(db: sqlite3.Connection, device_id: str, first: int, last: int, running: str) -> str:
    tx_hash = gap_hash(first, last)
    after = checksum.next_running(running, tx_hash)
    db.execute(
        "UPDATE journal SET device_id = '', dseq = -n WHERE result IS NULL"
        " AND NOT (device_id = ? AND dseq BETWEEN 0 AND ?)",
        (device_id, first - 1),
    )
    db.execute(
        "INSERT INTO journal (device_id, dseq, dseq_to, id, text, hash, running, gap, label,"
        " made_at) VALUES (?, ?, ?, NULL, '', ?, ?, 'journal_expired', '{}', 0)",
        (device_id, first, last, tx_hash, after),
    )
    return after


def gap_hash(first: int, last: int) -> str:
    """What a gap counts as in the running hash."""
    return checksum.text_hash(f"gap:{first}:{last}")


def _renumber(db: sqlite3.Connection, device_id: str, dseq: int, running: str) -> None:
    """Number what has no answer and lies above dseq, densely, in this phone's own order."""
    rows = db.execute(
        "SELECT n, hash, gap FROM journal WHERE result IS NULL"
        " AND NOT (device_id = ? AND dseq BETWEEN 0 AND ?) ORDER BY n",
        (device_id, dseq),
    ).fetchall()
    numbers = [(row["n"],) for row in rows]
    db.executemany("UPDATE journal SET device_id = '', dseq = -n WHERE n = ?", numbers)
    for row in rows:
        dseq += 1
        tx_hash = gap_hash(dseq, dseq) if row["gap"] else row["hash"]
        running = checksum.next_running(running, tx_hash)
        db.execute(
            "UPDATE journal SET device_id = ?, dseq = ?, dseq_to = ?, running = ? WHERE n = ?",
            (device_id, dseq, dseq, running, row["n"]),
        )
