"""Retention: old visits that are safe with the server leave the phone; unsent ones never do.

What stays of one is a stub with its id, rev and seq, so that counts and checksums go on agreeing
with the server, and what stands in the open (door, time, outcome), so that the round still knows
when somebody was there. A row that comes again (a change, a repair, a snapshot) is whole again
and is thinned again; nothing is ever asked for because of it.
"""

from __future__ import annotations

import json
import sqlite3

from mobile.core.due import DAY_MS
from mobile.storage import meta, records, vault
from mobile.storage.store import Store
from shared import ledger

SETTING = "keep_visits_days"
CHOICES = (30, 90, 180)  # never less than what a phone keeps of its journal
DEFAULT = 90
THINNED = "thinned"  # in meta: how many since the file was last rewritten
WORTH_IT = 2000  # about 2 MB
AT_ONCE = 2000  # visits of one sync: after a first pull the rest goes with the next ones
MOST = 200  # visits of one transaction: nobody who saves waits long behind it

# Somebody may still need it whole: work on top, an open conflict, task or problem, a photo of
# which "verified" was not pulled.
_DONE_WITH = (
    "NOT EXISTS (SELECT 1 FROM pending p WHERE p.record_id = r.id)"
    " AND NOT EXISTS (SELECT 1 FROM record c WHERE c.kind = 'conflict' AND c.parent_id = r.id"
    "  AND c.state = 'open')"
    " AND NOT EXISTS (SELECT 1 FROM record t WHERE t.kind = 'task' AND t.parent_id = r.id"
    "  AND t.state IS NOT 'done')"
    " AND NOT EXISTS (SELECT 1 FROM record f WHERE f.kind = 'photo' AND f.visible = 1"
    "  AND f.parent_id = r.id AND f.state IS NOT 'verified')"
    " AND NOT EXISTS (SELECT 1 FROM record b WHERE b.kind = 'problem' AND b.visit_id = r.id"
    f"  AND b.state IN ({', '.join(repr(state) for state in ledger.OPEN_STATES)}))"
)


def keep_days(db: sqlite3.Connection) -> int:
    """How many days visits stay on this phone."""
    days = meta.number(db, f"setting:{SETTING}", DEFAULT)
    return days if days in CHOICES else DEFAULT


def tidy(store: Store, server_time: int) -> int:
    """Thin what is older than the setting says, by the server's clock, oldest first; how many.

    In short transactions: a kill leaves some for the next time. Raises SaveFailed.
    """
    with store.reading() as db:
        before = server_time - keep_days(db) * DAY_MS
    return thin(store, before)


def thin(store: Store, before: int, most: int = AT_ONCE) -> int:
    """Thin visits made and last changed before (Unix ms), about so many at most; how many."""
    done, after = 0, (0, "")
    while done < most:
        with store.reading() as db:
            rows = _old(db, before, after)
        if not rows:
            return done
        after = (rows[-1]["at"], rows[-1]["id"])
        with store.writing() as db:
            db.execute("PRAGMA secure_delete = ON")  # no page keeps what is dropped
            now = _thin(db, [row["id"] for row in rows])
            meta.put(db, THINNED, meta.number(db, THINNED) + now)
        done += now
    return done


def compact(store: Store) -> bool:
    """Give the room of what was thinned back to the phone, once that is worth it; whether it did.

    Rewrites the whole file: for an opening, when nobody saves. Left for later where the disk is
    too full for that. Raises SaveFailed.
    """
    with store.reading() as db:
        if meta.number(db, THINNED) < WORTH_IT:
            return False
    if not store.has_room_to_rewrite():
        return False
    store.rewrite()
    with store.writing() as db:
        meta.put(db, THINNED, 0)
    return True


def older(db: sqlite3.Connection, target_id: str) -> int:
    """How many visits of a door are only with the office."""
    found = db.execute(
        "SELECT count(*) FROM record WHERE kind = 'visit' AND parent_id = ? AND visible = 1"
        " AND thin = 1",
        (target_id,),
    )
    return int(found.fetchone()[0])


def _old(db: sqlite3.Connection, before: int, after: tuple[int, str]) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT id, at FROM record INDEXED BY record_whole"
        " WHERE kind = 'visit' AND thin = 0 AND at < ?"
        " AND (at, id) > (?, ?) AND changed_at < ? AND agreed IS NOT NULL AND gone = 0"
        " ORDER BY at, id LIMIT ?",
        (before, *after, before, MOST),
    ).fetchall()


# What is sealed says beside it what stands in the open: that stays as it is.
_THIN = (
    "UPDATE record AS r SET agreed = json_remove(agreed, '$.\"~\"'), search = '', thin = 1"
    " WHERE id IN (SELECT value FROM json_each(?)) AND thin = 0 AND gone = 0 AND shown IS NULL"
    f" AND agreed >= '{vault.SEALED_DOC}' AND agreed < '{vault.SEALED_DOC}~' AND {_DONE_WITH}"
    " AND json_extract(unseal(agreed), '$.review_state') IS NOT 'returned'"
)


def _thin(db: sqlite3.Connection, visit_ids: list[str]) -> int:
    """Drop what was said on visits, unless somebody still needs it; how many."""
    named = json.dumps(visit_ids)
    thinned = db.execute(_THIN, (named,)).rowcount
    unsealed = db.execute(
        "SELECT id FROM record WHERE id IN (SELECT value FROM json_each(?)) AND thin = 0"
        f" AND agreed NOT LIKE '{vault.SEALED_DOC}%'",
        (named,),
    ).fetchall()
    return thinned + sum(_thin_unsealed(db, row["id"]) for row in unsealed)


def _thin_unsealed(db: sqlite3.Connection, visit_id: str) -> bool:
    """The same of one that an older app left as it could be read."""
    row = db.execute(
        "SELECT r.agreed FROM record r WHERE r.id = ? AND r.gone = 0 AND r.shown IS NULL"
        f" AND {_DONE_WITH}",
        (visit_id,),
    ).fetchone()
    if row is None:
        return False
    values = json.loads(row["agreed"])
    if values.get("review_state") == "returned":
        return False
    db.execute(
        "UPDATE record SET agreed = ?, search = '', thin = 1 WHERE id = ?",
        (records.in_open("visit", values), visit_id),
    )
    return True
