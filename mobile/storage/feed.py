"""The feed: rows and cursors move in one transaction; a checkpoint is compared with own rows.

Starting a partition from zero is always mark and sweep: rows get the snapshot's number, and at
the checkpoint what has another number goes, sparing what this phone's pending work stands on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mobile.core.views import Grid
from mobile.storage import identity, journal, meta, photos, records
from shared.ledger import Actor


@dataclass
class Feed:
    """One answer to a pull: which device's work it holds, and what it did so far."""

    device_id: str
    last_dseq: int
    server_time: int
    actor: Actor
    rows: int = 0
    view: str = ""
    checked: set[str] = field(default_factory=set)
    mismatched: set[str] = field(default_factory=set)
    marks: dict[str, int] = field(default_factory=dict)


def take_header(db: sqlite3.Connection, header: Mapping[str, Any], actor: Actor) -> Feed:
    """What a pull says first: epoch, scope, answers, states of photos."""
    me = meta.identity(db)
    if me is None:  # pragma: no cover - a pull needs an identity
        raise ValueError("not enrolled")
    feed = Feed(me.device_id, header["last_dseq"], header["server_time"], actor)
    feed.view = str(header.get("view") or "")
    if header["epoch"] != me.epoch:
        _new_epoch(db, header, feed)
    journal.keep_answers(db, me.device_id, header["answers"], feed.server_time, actor)
    _take_scope(db, header, feed)
    photos.pulled_states(db, header["photos"], feed.server_time)
    release(db, feed)
    return feed


def _new_epoch(db: sqlite3.Connection, header: Mapping[str, Any], feed: Feed) -> None:
    """The server was restored: revs mean nothing any more, everything is asked for anew."""
    meta.put(db, "epoch", header["epoch"])
    identity.reopen(db, feed.device_id, feed.last_dseq, header["running"], feed.actor)
    photos.offer_all(db)
    for row in db.execute("SELECT partition_id FROM cursor").fetchall():
        _from_zero(db, row[0], feed.view)
    db.execute("UPDATE cursor SET chain = '', covered_dseq = 0, complete = 0")


def _take_scope(db: sqlite3.Connection, header: Mapping[str, Any], feed: Feed) -> None:
    scope = header["scope"]
    meta.put(db, "scope_rev", scope["rev"])
    meta.keep_grids(db, [Grid(grid["code"], grid["name"]) for grid in scope["grids"]])
    meta.keep_person(db, header["user"])
    held = {row[0] for row in db.execute("SELECT partition_id FROM cursor")}
    wanted = set(header["partitions"])
    for partition in wanted - held:
        db.execute("INSERT INTO cursor (partition_id) VALUES (?)", (partition,))
        _from_zero(db, partition, feed.view)
    for partition in held - wanted:
        db.execute("DELETE FROM cursor WHERE partition_id = ?", (partition,))
    db.execute("DELETE FROM touched WHERE partition_id NOT IN (SELECT partition_id FROM cursor)")
    purge_out_of_scope(db)


def purge_out_of_scope(db: sqlite3.Connection) -> None:
    """Forget records of partitions that are no longer this person's, sparing pending work."""
    db.execute(
        "DELETE FROM record WHERE partition_id NOT IN (SELECT partition_id FROM cursor)"
        " AND id NOT IN (SELECT record_id FROM pending)"
    )


def _from_zero(db: sqlite3.Connection, partition: str, view: str) -> int:
    """Begin a whole snapshot of a partition; the number by which its rows are marked."""
    mark = meta.count_up(db, "mark")
    db.execute(
        "UPDATE cursor SET seq = 0, mark = ?, view_rev = ? WHERE partition_id = ?",
        (mark, view, partition),
    )
    return mark


def positions(db: sqlite3.Connection) -> dict[str, list[Any]]:
    """Partition -> [seq, view]: from where the next pull goes on.

    A snapshot that broke off asks for its last row again, so that its checkpoint surely follows.
    """
    rows = db.execute("SELECT partition_id, seq, mark, view_rev FROM cursor")
    return {
        row["partition_id"]: [
            max(row["seq"] - 1, 0) if row["mark"] else row["seq"], row["view_rev"],
        ]
        for row in rows
    }  # fmt: skip


def apply(db: sqlite3.Connection, feed: Feed, lines: Iterable[Mapping[str, Any]]) -> None:
    """Apply lines of the stream and move the cursors with them, in the caller's transaction."""
    moved: dict[str, int] = {}
    for line in lines:
        partition = line["p"]
        kind = line["t"]
        if kind == "reset":
            moved.pop(partition, None)
            feed.marks[partition] = _from_zero(db, partition, feed.view)
        elif kind == "checkpoint":
            moved.pop(partition, None)
            _checkpoint(db, feed, line)
        else:
            mark = _mark(db, feed, partition)
            if kind == "row":
                records.put_row(db, partition, line, mark, feed.actor)
            elif kind == "gone":
                records.put_gone(db, partition, line, mark, feed.actor)
            elif kind == "left":
                records.put_left(db, partition, line, feed.actor)
            moved[partition] = line["seq"]
            feed.rows += 1
    db.executemany(
        "UPDATE cursor SET seq = ? WHERE partition_id = ?",
        [(seq, partition) for partition, seq in moved.items()],
    )


def _mark(db: sqlite3.Connection, feed: Feed, partition: str) -> int:
    if partition not in feed.marks:
        row = db.execute("SELECT mark FROM cursor WHERE partition_id = ?", (partition,)).fetchone()
        feed.marks[partition] = row[0] if row else 0
    return feed.marks[partition]


def _checkpoint(db: sqlite3.Connection, feed: Feed, line: Mapping[str, Any]) -> None:
    """Sweep what a whole snapshot did not name, compare sums, and take covered work off."""
    partition = line["p"]
    feed.checked.add(partition)
    mark = _mark(db, feed, partition)
    if mark:
        _sweep(db, feed, partition, mark)
    count, total = records.own_sum(db, partition)
    if (str(count), str(total)) != (str(line["count"]), line["sum64"]):
        feed.mismatched.add(partition)
        meta.count_up(db, "repairs")
        db.execute(
            "UPDATE cursor SET mismatches = mismatches + 1 WHERE partition_id = ?", (partition,)
        )
        feed.marks[partition] = _from_zero(db, partition, line["view"])
        return
    db.execute(
        "UPDATE cursor SET seq = ?, count = ?, sum64 = ?, chain = ?, view_rev = ?, mark = 0,"
        " complete = 1, covered_dseq = ? WHERE partition_id = ?",
        (
            line["seq"], count, str(total), line["chain"], line["view"], feed.last_dseq, partition,
        ),
    )  # fmt: skip
    feed.marks[partition] = 0
    db.execute(
        "DELETE FROM touched WHERE partition_id = ? AND n IN (SELECT n FROM journal"
        " WHERE result IS NOT NULL AND (device_id != ? OR dseq_to <= ?))",
        (partition, feed.device_id, feed.last_dseq),
    )
    release(db, feed)


def _unchanged(db: sqlite3.Connection, feed: Feed) -> None:
    """Of a partition that did not change, nothing is said: its last checkpoint holds again.

    One that was asked for from zero and brought nothing is empty.
    """
    rows = db.execute("SELECT * FROM cursor").fetchall()
    for row in rows:
        empty = row["mark"] and not row["seq"]
        if row["partition_id"] in feed.checked or not (empty or row["complete"]):
            continue
        if row["mark"] and not empty:
            continue
        _checkpoint(
            db,
            feed,
            {
                "p": row["partition_id"],
                "seq": row["seq"],
                "count": 0 if empty else row["count"],
                "sum64": "0" if empty else row["sum64"],
                "chain": "" if empty else row["chain"],
                "view": row["view_rev"],
            },
        )


def _sweep(db: sqlite3.Connection, feed: Feed, partition: str, mark: int) -> None:
    """What the whole snapshot did not name is not there any more."""
    swept = db.execute(
        "SELECT id FROM record WHERE partition_id = ? AND mark != ? AND agreed IS NOT NULL"
        " AND gone = 0",
        (partition, mark),
    ).fetchall()
    for row in swept:
        records.let_go(db, row[0], feed.actor)


def release(db: sqlite3.Connection, feed: Feed) -> None:
    """Take off the overlay what every partition has passed a covering checkpoint of.

    What was held or returned stays on top, marked, until its task is closed.
    """
    rows = db.execute(
        "SELECT n, result FROM journal WHERE covered_at IS NULL AND result IS NOT NULL"
        " AND (device_id != ? OR dseq_to <= ?)"
        " AND NOT EXISTS (SELECT 1 FROM touched t WHERE t.n = journal.n)",
        (feed.device_id, feed.last_dseq),
    ).fetchall()
    for row in rows:
        db.execute("UPDATE journal SET covered_at = ? WHERE n = ?", (feed.server_time, row["n"]))
        if row["result"] not in ("held", "rejected"):
            _take_off(db, row["n"], feed.actor)


def _take_off(db: sqlite3.Connection, n: int, actor: Actor) -> None:
    ids = db.execute("SELECT DISTINCT record_id FROM pending WHERE n = ?", (n,)).fetchall()
    db.execute("DELETE FROM pending WHERE n = ?", (n,))
    for row in ids:
        records.refresh(db, row[0], actor)


def finish(db: sqlite3.Connection, feed: Feed) -> None:
    """A stream came to its end: close what is closed, forget what is old."""
    _unchanged(db, feed)
    _settle(db, feed)
    purge_out_of_scope(db)
    journal.purge(db, feed.server_time)


def _settle(db: sqlite3.Connection, feed: Feed) -> None:
    """Held or returned work leaves the overlay once its task is closed, or was released since."""
    rows = db.execute(
        "SELECT n, id, result, task_id FROM journal WHERE covered_at IS NOT NULL"
        " AND settled_at IS NULL AND EXISTS (SELECT 1 FROM pending p WHERE p.n = journal.n)"
    ).fetchall()
    for row in rows:
        if row["result"] in ("held", "rejected"):
            tasks = db.execute(
                "SELECT id, json_extract(agreed, '$.state') FROM record"
                " WHERE kind = 'task' AND tx_id = ? AND agreed IS NOT NULL",
                (row["id"],),
            ).fetchall()
            if tasks:
                db.execute("UPDATE journal SET task_id = ? WHERE n = ?", (tasks[0][0], row["n"]))
            if any(state != "done" for _, state in tasks) or not (tasks or row["task_id"]):
                continue
            db.execute(
                "UPDATE journal SET settled_at = ? WHERE n = ?", (feed.server_time, row["n"])
            )
        _take_off(db, row["n"], feed.actor)
