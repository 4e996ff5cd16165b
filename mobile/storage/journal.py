"""The journal: every transaction this phone ever saved, frozen, with what the server said of it.

The outbox is its rows without an answer. ``n`` is this phone's own order; ``dseq`` is the number
under the present identity and is no part of the frozen text.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from mobile.core.due import DAY_MS
from mobile.core.errors import SaveFailed
from mobile.storage import records
from mobile.storage.records import to_json
from shared import checksum, protocol
from shared.ledger import Actor
from shared.operations import Transaction

ENVELOPE = 512  # bytes of a push's line beside the text itself


def append(
    db: sqlite3.Connection,
    transaction: Transaction,
    device_id: str,
    label: Mapping[str, str],
    actor: Actor,
) -> int:
    """Save a transaction: its frozen text, its operations on top of their records. Returns n.

    Raises SaveFailed(``too_large``) beyond the protocol's limits.
    """
    texts = [operation.to_text() for operation in transaction.operations]
    text = transaction.to_text(texts)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise SaveFailed(
            "invalid", "含有无法保存的字符，没有保存", "It has characters that cannot be stored"
        ) from None
    if size > protocol.MAX_TRANSACTION or len(transaction.operations) > protocol.MAX_OPERATIONS:
        raise SaveFailed(
            "too_large", "内容太多，请分几次保存", "Too much at once; please save it in parts"
        )
    dseq, running = last(db, device_id)
    tx_hash = checksum.text_hash(text)
    cursor = db.execute(
        "INSERT INTO journal (device_id, dseq, dseq_to, id, text, hash, running, label, made_at)"
        " VALUES (?, ?, ?, ?, seal(?), ?, ?, seal(?), ?)",
        (
            device_id, dseq + 1, dseq + 1, transaction.id, text, tx_hash,
            checksum.next_running(running, tx_hash), to_json(dict(label)), transaction.made_at,
        ),
    )  # fmt: skip
    n = cursor.lastrowid or 0
    put_on_top(db, n, transaction, actor, texts)
    return n


def put_on_top(
    db: sqlite3.Connection,
    n: int,
    transaction: Transaction,
    actor: Actor,
    texts: Iterable[str] | None = None,
) -> None:
    """Lay a transaction's operations on their records, until a checkpoint covers them.

    ``texts``: the operations' own, where they were made already: of a new transaction.
    """
    operations = transaction.operations
    written = texts or [operation.to_text() for operation in operations]
    db.executemany(
        "INSERT OR IGNORE INTO pending (n, i, record_id, operation) VALUES (?, ?, ?, seal(?))",
        [
            (n, i, *pair)
            for i, pair in enumerate(zip((o.id for o in operations), written, strict=True))
        ],
    )
    db.executemany(
        "INSERT OR IGNORE INTO touched (n, partition_id) VALUES (?, ?)",
        [(n, partition) for partition in dict.fromkeys(one.partition for one in operations)],
    )
    records.lay(db, transaction, actor, new=texts is not None)


def last(db: sqlite3.Connection, device_id: str) -> tuple[int, str]:
    """The device's highest dseq and the running hash up to it."""
    row = db.execute(
        "SELECT dseq_to, running FROM journal WHERE device_id = ? ORDER BY dseq DESC LIMIT 1",
        (device_id,),
    ).fetchone()
    if row is not None:
        return row[0], row[1]
    return _start(db, device_id)


def _start(db: sqlite3.Connection, device_id: str) -> tuple[int, str]:
    """Where the device's numbering began on this phone."""
    row = db.execute("SELECT value FROM meta WHERE name = ?", (f"start:{device_id}",)).fetchone()
    if row is None:
        return 0, ""
    dseq, running = json.loads(row[0])
    return dseq, running


def keep_start(db: sqlite3.Connection, device_id: str, dseq: int, running: str) -> None:
    """Note where a device's numbering begins on this phone."""
    db.execute(
        "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)",
        (f"start:{device_id}", json.dumps([dseq, running])),
    )


def running_at(db: sqlite3.Connection, device_id: str, dseq: int) -> str | None:
    """This phone's running hash at a dseq; None where the journal does not reach there.

    A dseq beyond the highest one saved here gives "?", which equals no hash.
    """
    if dseq == 0:
        return ""
    row = db.execute(
        "SELECT running FROM journal WHERE device_id = ? AND dseq_to = ?", (device_id, dseq)
    ).fetchone()
    if row is not None:
        return str(row[0])
    start, running = _start(db, device_id)
    if start == dseq:
        return running
    highest, _ = last(db, device_id)
    return "?" if dseq > highest else None


def confirmed(db: sqlite3.Connection, device_id: str) -> int:
    """Up to which dseq every answer is here."""
    row = db.execute(
        "SELECT min(dseq) FROM journal WHERE device_id = ? AND result IS NULL", (device_id,)
    ).fetchone()
    return row[0] - 1 if row[0] is not None else last(db, device_id)[0]


def answered(db: sqlite3.Connection, device_id: str) -> int:
    """The highest dseq that the server ever answered to this phone."""
    row = db.execute(
        "SELECT max(dseq_to) FROM journal WHERE device_id = ? AND result IS NOT NULL", (device_id,)
    ).fetchone()
    return int(row[0] or 0)


def first_kept(db: sqlite3.Connection, device_id: str) -> int | None:
    """The lowest dseq that the journal still has, None where it has none."""
    row = db.execute(
        "SELECT min(dseq) FROM journal WHERE device_id = ? AND gap IS NULL", (device_id,)
    ).fetchone()
    return None if row[0] is None else int(row[0])


def unsent(
    db: sqlite3.Connection, device_id: str, limit: int, most_bytes: int
) -> list[sqlite3.Row]:
    """The next rows without an answer, in order: at least one, then as many as fit."""
    rows = db.execute(
        "SELECT n, dseq, dseq_to, id, readable(text) AS text, hash, gap FROM journal"
        " WHERE device_id = ? AND result IS NULL ORDER BY dseq LIMIT ?",
        (device_id, limit),
    ).fetchall()
    chosen: list[sqlite3.Row] = []
    size = 0
    for row in rows:
        size += 2 * len((row["text"] or "").encode(errors="replace")) + ENVELOPE
        if chosen and size > most_bytes:
            break
        chosen.append(row)
    return chosen


def waiting(db: sqlite3.Connection) -> tuple[int, int]:
    """How many transactions have no answer, and their bytes."""
    count, size = db.execute(
        "SELECT count(*), coalesce(sum(length(text) * 3 / 4), 0)"  # base64
        " FROM journal WHERE result IS NULL AND gap IS NULL"
    ).fetchone()
    return count, size


def partitions_of(db: sqlite3.Connection, numbers: Iterable[int]) -> set[str]:
    """The partitions that these rows touch."""
    found: set[str] = set()
    for n in numbers:
        found |= {
            row[0] for row in db.execute("SELECT partition_id FROM touched WHERE n = ?", (n,))
        }
    return found


def mark_sent(db: sqlite3.Connection, numbers: Iterable[int], now: int) -> list[int]:
    """These go out now; whether they arrive, their answers will say. Returns the first-timers."""
    first: list[int] = []
    for n in numbers:
        if db.execute(
            "UPDATE journal SET sent_at = ? WHERE n = ? AND sent_at IS NULL", (now, n)
        ).rowcount:
            first.append(n)
    return first


def mark_kept(db: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """There was no connection: these never left the phone."""
    db.executemany("UPDATE journal SET sent_at = NULL WHERE n = ?", [(n,) for n in numbers])


def keep_answers(
    db: sqlite3.Connection,
    device_id: str,
    answers: Iterable[Mapping[str, Any]],
    now: int,
    actor: Actor,
) -> int:
    """Keep the server's answers; how many were new. A later answer (a release) replaces."""
    new = 0
    for answer in answers:
        if answer.get("id"):
            row = db.execute(
                "SELECT n, result, answer FROM journal WHERE id = ?", (answer["id"],)
            ).fetchone()
        else:
            row = db.execute(
                "SELECT n, result, answer FROM journal"
                " WHERE device_id = ? AND ? IN (dseq, dseq_to) AND gap IS NOT NULL",
                (device_id, answer["dseq"]),
            ).fetchone()
        text = to_json(dict(answer))
        if row is None or row["answer"] == text:
            continue
        new += row["result"] is None
        db.execute(
            "UPDATE journal SET answer = ?, result = ?, answered_at = ? WHERE n = ?",
            (text, answer["result"], now, row["n"]),
        )
        if row["result"] is not None and row["result"] != answer["result"]:
            refresh_records(db, row["n"], actor)
    return new


def refresh_records(db: sqlite3.Connection, n: int, actor: Actor) -> None:
    """Work out anew what the records of a transaction show."""
    ids = db.execute("SELECT DISTINCT record_id FROM pending WHERE n = ?", (n,)).fetchall()
    for row in ids:
        records.refresh(db, row[0], actor)


def purge(db: sqlite3.Connection, now: int) -> int:
    """Drop transactions covered more than JOURNAL_DAYS ago. The newest always stays.

    Only what is acknowledged, covered and lies on no record any more may go.
    """
    return db.execute(
        "DELETE FROM journal WHERE covered_at IS NOT NULL AND result IS NOT NULL"
        " AND max(covered_at, answered_at) < ?"
        " AND NOT EXISTS (SELECT 1 FROM pending p WHERE p.n = journal.n)"
        " AND NOT EXISTS (SELECT 1 FROM touched t WHERE t.n = journal.n)"
        " AND n < (SELECT max(n) FROM journal)",
        (now - protocol.JOURNAL_DAYS * DAY_MS,),
    ).rowcount
