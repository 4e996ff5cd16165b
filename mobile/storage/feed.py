"""The feed: rows and cursors move in one transaction; a checkpoint is compared with own rows.

Starting a partition from zero is always mark and sweep: rows get the snapshot's number, and at
the checkpoint what has another number goes, sparing what this phone's pending work stands on.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from mobile.core.views import Grid
from mobile.storage import covering, identity, journal, meta, offer, photos, records, repair
from shared.ledger import Actor


@dataclass
class Feed:
    """One answer to a pull: which device's work it holds, and what it did so far.

    ``suspects``: where partitions stood whose sums differ now. ``offering``: those whose rows are
    kept aside for a restored server before they go.
    """

    device_id: str
    last_dseq: int
    server_time: int
    actor: Actor
    rows: int = 0
    view: str = ""
    renewed: bool = False
    checked: set[str] = field(default_factory=set)
    mismatched: set[str] = field(default_factory=set)
    suspects: dict[str, list[Any]] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    offering: set[str] = field(default_factory=set)
    repair: repair.Repair = field(default_factory=repair.Repair)


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
    rows = db.execute("SELECT partition_id FROM cursor WHERE renewed = 1").fetchall()
    feed.offering = {row[0] for row in rows}
    photos.pulled_states(db, header["photos"], feed.server_time)
    covering.release(db, feed)
    return feed


def _new_epoch(db: sqlite3.Connection, header: Mapping[str, Any], feed: Feed) -> None:
    """The server was restored: revs mean nothing any more, everything is asked for anew."""
    feed.renewed = True
    meta.put(db, "epoch", header["epoch"])
    identity.reopen(db, feed.device_id, feed.last_dseq, header["running"], feed.actor)
    photos.offer_all(db)
    for row in db.execute("SELECT partition_id FROM cursor").fetchall():
        _from_zero(db, row[0], feed.view)
    db.execute("UPDATE cursor SET chain = '', covered_dseq = 0, complete = 0, renewed = 1")


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
    offer.drop_out_of_scope(db)


def _from_zero(db: sqlite3.Connection, partition: str, view: str) -> int:
    """Begin a whole snapshot of a partition; the number by which its rows are marked."""
    mark = meta.count_up(db, "mark")
    db.execute(
        "UPDATE cursor SET seq = 0, mark = ?, view_rev = ?, repair = NULL WHERE partition_id = ?",
        (mark, view, partition),
    )
    return mark


def positions(db: sqlite3.Connection) -> dict[str, list[Any]]:
    """Partition -> [seq, view]: from where the next pull goes on.

    Rows whose checkpoint did not arrive: the last is asked for again, so that it surely follows.
    """
    rows = db.execute(
        "SELECT partition_id, seq, mark OR seq != closed_seq AS is_open, view_rev FROM cursor"
    )
    return {
        row["partition_id"]: [
            max(row["seq"] - 1, 0) if row["is_open"] else row["seq"], row["view_rev"],
        ]
        for row in rows
    }  # fmt: skip


def heads(db: sqlite3.Connection, partitions: Iterable[str]) -> dict[str, list[Any]]:
    """Partition -> [seq, chain] of its last checkpoint, for those that had one in this epoch."""
    found: dict[str, list[Any]] = {}
    for partition in partitions:
        row = db.execute(
            "SELECT closed_seq, chain FROM cursor WHERE partition_id = ? AND complete = 1"
            " AND chain != ''",
            (partition,),
        ).fetchone()
        if row:
            found[partition] = [row[0], row[1]]
    return found


def apply(db: sqlite3.Connection, feed: Feed, lines: Iterable[Mapping[str, Any]]) -> None:
    """Apply lines of the stream and move the cursors with them, in the caller's transaction."""
    moved: dict[str, int] = {}
    for (partition, kind), same in groupby(lines, key=lambda line: (line["p"], line["t"])):
        if kind == "row":
            _rows(db, feed, partition, list(same), moved)
            continue
        for line in same:
            if kind == "reset":
                moved.pop(partition, None)
                feed.marks[partition] = _from_zero(db, partition, feed.view)
            elif kind == "checkpoint":
                moved.pop(partition, None)
                _checkpoint(db, feed, line)
            elif kind in ("buckets", "bucket", "repaired"):
                repair.take(db, feed.repair, line, feed.actor)
            else:
                _went(db, feed, line, moved)
    db.executemany(
        "UPDATE cursor SET seq = ? WHERE partition_id = ?",
        [(seq, partition) for partition, seq in moved.items()],
    )


def _rows(
    db: sqlite3.Connection,
    feed: Feed,
    partition: str,
    rows: list[Mapping[str, Any]],
    moved: dict[str, int],
) -> None:
    """Records as they are now."""
    mark = _mark(db, feed, partition)
    if partition in feed.offering:
        for row in rows:
            offer.keep(db, row["id"], mark, below=row["rev"])
    records.put_rows(db, partition, rows, mark, feed.actor)
    for row in rows:
        _passed(feed, row, moved)


def _went(
    db: sqlite3.Connection, feed: Feed, line: Mapping[str, Any], moved: dict[str, int]
) -> None:
    """A record that was deleted or left."""
    partition, mark = line["p"], _mark(db, feed, line["p"])
    if line["t"] == "gone":
        records.put_gone(db, partition, line, mark, feed.actor)
    elif line["t"] == "left":
        records.put_left(db, partition, line, feed.actor)
    _passed(feed, line, moved)


def _passed(feed: Feed, line: Mapping[str, Any], moved: dict[str, int]) -> None:
    feed.rows += 1
    if not feed.repair.names(line):
        moved[line["p"]] = line["seq"]


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
        _differs(db, feed, line, mark)
        return
    db.execute(
        "UPDATE cursor SET seq = ?, closed_seq = ?, count = ?, sum64 = ?, chain = ?,"
        " view_rev = ?, mark = 0, complete = 1, renewed = 0, repair = NULL, covered_dseq = ?"
        " WHERE partition_id = ?",
        (
            line["seq"], line["seq"], count, str(total), line["chain"], line["view"],
            feed.last_dseq, partition,
        ),
    )  # fmt: skip
    feed.marks[partition] = 0
    feed.offering.discard(partition)
    db.execute(
        "DELETE FROM touched WHERE partition_id = ? AND n IN (SELECT n FROM journal"
        " WHERE result IS NOT NULL AND (device_id != ? OR dseq_to <= ?))",
        (partition, feed.device_id, feed.last_dseq),
    )
    covering.release(db, feed)


def _differs(db: sqlite3.Connection, feed: Feed, line: Mapping[str, Any], mark: int) -> None:
    """This phone's rows are not the server's: ask for the buckets that differ, or for all.

    The server's sums are kept with the cursor, to be compared again after the repair.
    """
    partition = line["p"]
    feed.mismatched.add(partition)
    db.execute("UPDATE cursor SET mismatches = mismatches + 1 WHERE partition_id = ?", (partition,))
    step = None
    if mark:
        meta.count_up(db, "repairs")
    else:
        step = repair.next_step(db, feed.repair, partition)
        if step == []:
            feed.suspects |= heads(db, [partition])
    if step is None:
        feed.marks[partition] = _from_zero(db, partition, line["view"])
        return
    db.execute(
        "UPDATE cursor SET seq = ?, closed_seq = ?, count = ?, sum64 = ?, chain = ?, view_rev = ?,"
        " repair = ? WHERE partition_id = ?",
        (
            line["seq"], line["seq"], line["count"], line["sum64"], line["chain"], line["view"],
            json.dumps(step), partition,
        ),
    )  # fmt: skip


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
        if partition in feed.offering:
            offer.keep(db, row[0], mark)
        records.let_go(db, row[0], feed.actor)


def finish(db: sqlite3.Connection, feed: Feed) -> None:
    """A stream came to its end: close what is closed, forget what is old."""
    _unchanged(db, feed)
    covering.settle(db, feed)
    purge_out_of_scope(db)
    journal.purge(db, feed.server_time)
