"""Repair: a partition whose sums differ is mended bucket by bucket, or whole where that fails.

A bucket is the last byte of a record's id. What is asked of the server is kept in `cursor.repair`:
first the sums of all buckets, then the buckets that differ; both survive a kill.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mobile.storage import meta, records
from shared import checksum
from shared.ledger import Actor

BUCKETS = 256
MOST = 64  # with more buckets than this the whole partition costs less


@dataclass
class Repair:
    """What one answer repairs: the server's sums, the bucket whose rows are coming."""

    sums: dict[str, list[str]] = field(default_factory=dict)
    partition: str = ""
    bucket: int | None = None
    named: set[str] = field(default_factory=set)

    def names(self, line: Mapping[str, Any]) -> bool:
        """Whether a row belongs to the bucket under repair; its id is noted then."""
        if self.bucket is None or self.partition != line["p"]:
            return False
        self.named.add(line["id"])
        return True


def asked(db: sqlite3.Connection) -> dict[str, list[int]]:
    """Partition -> the buckets to ask for; none: their sums."""
    rows = db.execute("SELECT partition_id, repair FROM cursor WHERE repair != '' AND mark = 0")
    return {row[0]: json.loads(row[1]) for row in rows}


def take(db: sqlite3.Connection, repair: Repair, line: Mapping[str, Any], actor: Actor) -> None:
    """A line of kind buckets, bucket or repaired."""
    if line["t"] == "buckets":
        repair.sums[line["p"]] = [str(one) for one in line["sums"]]
        return
    _close(db, repair, actor)
    if line["t"] == "bucket":
        repair.partition, repair.bucket = line["p"], line["n"]


def _close(db: sqlite3.Connection, repair: Repair, actor: Actor) -> None:
    """A bucket is whole: what it did not name and is agreed goes, sparing what is pending."""
    if repair.bucket is None:
        return
    rows = db.execute(
        "SELECT id FROM record WHERE partition_id = ? AND agreed IS NOT NULL AND gone = 0"
        " AND substr(id, 35) = ?",
        (repair.partition, f"{repair.bucket:02x}"),
    ).fetchall()
    for row in rows:
        if row[0] not in repair.named:
            records.let_go(db, row[0], actor)
    meta.count_up(db, "buckets_repaired")
    repair.bucket = None
    repair.named = set()


def next_step(db: sqlite3.Connection, repair: Repair, partition: str) -> list[int] | None:
    """What to ask of a partition that differs from the server; None: all of it.

    The cursor stands where the server's sums do. A first difference is counted.
    """
    known = db.execute("SELECT repair FROM cursor WHERE partition_id = ?", (partition,)).fetchone()[
        0
    ]
    if not known:
        meta.count_up(db, "repairs")
        return []
    sums = repair.sums.get(partition)
    if known != "[]" or sums is None:
        return None
    differing = _differing(own_sums(db, partition), sums)
    return differing if 0 < len(differing) <= MOST else None


def _differing(own: list[int], theirs: list[str]) -> list[int]:
    if len(theirs) != BUCKETS:
        return []
    return [n for n in range(BUCKETS) if str(own[n]) != theirs[n]]


def own_sums(db: sqlite3.Connection, partition: str) -> list[int]:
    """The sum64 of each bucket of a partition, from this phone's own rows."""
    sums = [0] * BUCKETS
    for tail, high, low in db.execute(
        "SELECT substr(id, 35), sum(term >> 32), sum(term & 4294967295) FROM record"
        " WHERE partition_id = ? AND agreed IS NOT NULL AND gone = 0 GROUP BY 1",
        (partition,),
    ):
        sums[int(tail, 16)] = (high * 2**32 + low) % checksum.MODULUS
    return sums
