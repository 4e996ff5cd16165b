"""Records: as last agreed with the server, and as shown with this phone's pending work on top."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from mobile.core import doors
from mobile.core.edits import Held
from mobile.core.overlay import Pending, shown
from shared import checksum, records
from shared.ledger import Actor
from shared.operations import CREATE, Operation, Transaction
from shared.reconcile import Record

DOC = "unseal(coalesce(shown, agreed))"
PUBLIC = frozenset({"area", "reference"})  # kinds about nobody: kept as they are
# What tables and indices are made from: ids, times and states. The rest is sealed.
IN_OPEN = (
    "compound_id", "target_id", "problem_id", "owner_id", "household_id", "about_id", "visit_id",
    "visited_at", "acted_at", "found_at", "taken_at", "type", "code", "state", "outcome", "tx_id",
    "sha256",
)  # fmt: skip


# JSON as it is kept: short, and Chinese as it is read.
to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def in_open(kind: str, values: Mapping[str, Any]) -> str | None:
    """The JSON that stands before a sealed record; None where all of it may be read."""
    if kind in PUBLIC:
        return None
    return to_json({name: values[name] for name in IN_OPEN if name in values})


def values_of(row: sqlite3.Row) -> dict[str, Any]:
    """The values that a row shows; its column ``doc`` is `DOC`."""
    text = row["doc"]
    found: dict[str, Any] = json.loads(text) if text else {}
    return found


def get(db: sqlite3.Connection, record_id: str) -> Held | None:
    """A record as this phone shows it; None where it is not here (whole) or was deleted."""
    row = db.execute(
        f"SELECT id, kind, partition_id, seq, rev, {DOC} AS doc FROM record"
        " WHERE id = ? AND visible = 1 AND thin = 0",
        (record_id,),
    ).fetchone()
    if row is None:
        return None
    return Held(row["kind"], row["id"], row["partition_id"], row["seq"], row["rev"], values_of(row))


_PUT = (
    "INSERT INTO record (id, kind, partition_id, seq, rev, agreed, by_user, changed_at, term,"
    " mark, sort_key, search)"
    " VALUES (?, ?, ?, ?, ?, seal_doc(?, ?), ?, ?, ?, ?, ?, seal(?))"
    " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind,"
    " partition_id = excluded.partition_id, seq = excluded.seq, rev = excluded.rev,"
    " agreed = excluded.agreed, shown = NULL, gone = 0, visible = 1,"
    " by_user = excluded.by_user, changed_at = excluded.changed_at, term = excluded.term,"
    " mark = excluded.mark, sort_key = excluded.sort_key, search = excluded.search, thin = 0"
)


def put_rows(
    db: sqlite3.Connection,
    partition: str,
    rows: Sequence[Mapping[str, Any]],
    mark: int,
    actor: Actor,
) -> None:
    """Rows of the feed of one partition: each record as the server has it, kept as received.

    ``mark`` is the number of the snapshot under way, 0 for none: then a row older than what
    another partition's feed brought is the trace of a record that has moved on.
    """
    named = json.dumps([row["id"] for row in rows])
    elsewhere = {} if mark else _elsewhere(db, partition, named)
    taken = [row for row in rows if elsewhere.get(row["id"], 0) <= row["rev"]]
    db.executemany(_PUT, (_as_stored(partition, row, mark) for row in taken))
    waiting = db.execute(
        "SELECT DISTINCT record_id FROM pending"
        " WHERE record_id IN (SELECT value FROM json_each(?))",
        (named,),
    ).fetchall()
    for (record_id,) in waiting:
        refresh(db, record_id, actor)


def _elsewhere(db: sqlite3.Connection, partition: str, named: str) -> dict[str, int]:
    """The revs of those of these records that are in another partition here."""
    found = db.execute(
        "SELECT id, rev FROM record"
        " WHERE id IN (SELECT value FROM json_each(?)) AND partition_id != ?",
        (named, partition),
    )
    return {row[0]: row[1] for row in found}


def _as_stored(partition: str, row: Mapping[str, Any], mark: int) -> tuple[Any, ...]:
    kind, values, record_id, rev = row["kind"], row["v"], row["id"], row["rev"]
    return (
        record_id, kind, partition, row["seq"], rev, in_open(kind, values), to_json(values),
        row.get("by") or "",
        row.get("at") or 0, checksum.to_signed(checksum.term(record_id, rev)), mark,
        doors.sort_key(kind, values), doors.search_text(kind, values),
    )  # fmt: skip


def put_gone(
    db: sqlite3.Connection, partition: str, row: Mapping[str, Any], mark: int, actor: Actor
) -> None:
    """A tombstone: the record goes, unless an operation of this phone still waits on it."""
    held = db.execute("SELECT partition_id, rev FROM record WHERE id = ?", (row["id"],)).fetchone()
    if held is None or (not mark and held[0] != partition and held[1] > row["rev"]):
        return
    db.execute(
        "UPDATE record SET seq = ?, rev = ?, mark = ? WHERE id = ?",
        (row["seq"], row["rev"], mark, row["id"]),
    )
    let_go(db, row["id"], actor)


def put_left(db: sqlite3.Connection, partition: str, row: Mapping[str, Any], actor: Actor) -> None:
    """A record moved to another partition. Ignored if that partition's feed was here first."""
    held = db.execute("SELECT partition_id, rev FROM record WHERE id = ?", (row["id"],)).fetchone()
    if held is None or held[0] != partition or held[1] > row["rev"]:
        return
    to = row.get("to") or ""
    waiting = is_pending(db, row["id"])
    let_go(db, row["id"], actor)
    if waiting and to:
        db.execute("UPDATE record SET partition_id = ?, seq = 0 WHERE id = ?", (to, row["id"]))
        db.execute(
            "INSERT OR IGNORE INTO touched (n, partition_id)"
            " SELECT p.n, ? FROM pending p JOIN cursor c ON c.partition_id = ?"
            " JOIN journal j ON j.n = p.n WHERE p.record_id = ? AND j.covered_at IS NULL",
            (to, to, row["id"]),
        )


def let_go(db: sqlite3.Connection, record_id: str, actor: Actor) -> None:
    """The server has the record no more (here): forget it, or keep what pending work stands on."""
    if is_pending(db, record_id):
        db.execute("UPDATE record SET gone = 1, term = 0 WHERE id = ?", (record_id,))
        refresh(db, record_id, actor)
    else:
        db.execute("DELETE FROM record WHERE id = ?", (record_id,))


def is_pending(db: sqlite3.Connection, record_id: str) -> bool:
    """Whether an operation of this phone lies on top of the record."""
    found = db.execute("SELECT 1 FROM pending WHERE record_id = ? LIMIT 1", (record_id,))
    return found.fetchone() is not None


def pending_on(
    db: sqlite3.Connection, record_id: str, rev: int, uncovered_only: bool = False
) -> list[Pending]:
    """This phone's operations on a record that its agreed values do not hold yet, in order.

    One that the server answered with a rev at or below the agreed one is held in it already.
    """
    rows = db.execute(
        "SELECT unseal(p.operation) AS operation, j.made_at, j.answer, j.result, j.covered_at"
        " FROM pending p JOIN journal j ON j.n = p.n WHERE p.record_id = ? ORDER BY p.n, p.i",
        (record_id,),
    ).fetchall()
    return [
        Pending(Operation.from_json(json.loads(row["operation"])), row["made_at"])
        for row in rows
        if not _is_in_agreed(row, record_id, rev)
        and not (uncovered_only and row["covered_at"] is not None)
    ]


def _is_in_agreed(row: sqlite3.Row, record_id: str, rev: int) -> bool:
    if row["result"] not in ("applied", "merged", "conflict") or not row["answer"]:
        return False
    answered = dict(json.loads(row["answer"]).get("records") or ())
    return record_id in answered and answered[record_id] <= rev


def refresh(db: sqlite3.Connection, record_id: str, actor: Actor) -> None:
    """Work out anew what the record shows. A record with neither agreed nor pending goes."""
    row = db.execute(
        "SELECT kind, partition_id, rev, unseal(agreed) AS agreed, gone FROM record WHERE id = ?",
        (record_id,),
    ).fetchone()
    rev = 0 if row is None else row["rev"]
    pending = pending_on(db, record_id, rev)
    agreed = None
    if row is not None and row["agreed"] is not None:
        agreed = Record(
            row["kind"], record_id, row["partition_id"], rev, json.loads(row["agreed"]),
            deleted=bool(row["gone"]),
        )  # fmt: skip
    bare = agreed is None or agreed.deleted
    if bare and not pending and not is_pending(db, record_id):
        db.execute("DELETE FROM record WHERE id = ?", (record_id,))
        return
    known = agreed is None or agreed.kind in records.KINDS
    result = shown(agreed, pending, actor) if known else agreed
    if result is None:
        return
    text = None if result is agreed else to_json(dict(result.values))
    db.execute(_SHOW, _as_shown(result, text))


def lay(db: sqlite3.Connection, transaction: Transaction, actor: Actor, new: bool) -> None:
    """Show the records of a transaction with its operations on top, which lie in ``pending``.

    Where a ``new`` one makes a record there is nothing beneath, so that nothing is read for it.
    """
    by_record: dict[str, list[Operation]] = {}
    for operation in transaction.operations:
        by_record.setdefault(operation.id, []).append(operation)
    made = []
    for record_id, operations in by_record.items():
        if not new or operations[0].op != CREATE:
            refresh(db, record_id, actor)
            continue
        result = shown(None, [Pending(one, transaction.made_at) for one in operations], actor)
        if result is not None:
            made.append(_as_shown(result, to_json(result.values)))
    if made and db.executemany(_SHOW_NEW, made).rowcount < len(made):
        for record_id in by_record:  # one was here already
            refresh(db, record_id, actor)


_SHOW_NEW = (
    "INSERT OR IGNORE INTO record (id, kind, partition_id, shown, visible, sort_key, search)"
    " VALUES (?, ?, ?, seal_doc(?, ?), ?, ?, seal(?))"
)
_SHOW = (
    "INSERT INTO record (id, kind, partition_id, shown, visible, sort_key, search)"
    " VALUES (?, ?, ?, seal_doc(?, ?), ?, ?, seal(?))"
    " ON CONFLICT (id) DO UPDATE SET shown = excluded.shown, visible = excluded.visible,"
    " sort_key = excluded.sort_key, search = excluded.search"
)


def _as_shown(record: Record, text: str | None) -> tuple[Any, ...]:
    return (
        record.id, record.kind, record.partition, in_open(record.kind, record.values), text,
        0 if record.deleted else 1,
        doors.sort_key(record.kind, record.values),
        doors.search_text(record.kind, record.values),
    )  # fmt: skip


def own_sum(db: sqlite3.Connection, partition: str) -> tuple[int, int]:
    """How many live records of a partition this phone has, and their sum64, from its own rows."""
    count, high, low = db.execute(
        "SELECT count(*), coalesce(sum(term >> 32), 0), coalesce(sum(term & 4294967295), 0)"
        " FROM record WHERE partition_id = ? AND agreed IS NOT NULL AND gone = 0",
        (partition,),
    ).fetchone()
    return count, (high * 2**32 + low) % checksum.MODULUS
