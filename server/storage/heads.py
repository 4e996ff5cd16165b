"""The partition lock: a head row per partition, locked in one order by everyone.

Locking in the order of the ids also locks areas before grids and grids before persons, which is
the order DESIGN names; numbers are then handed out in the order of the commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from server.storage import plain
from server.storage.database import is_sqlite
from server.storage.plain import Statement
from server.storage.tables import Partition
from shared import checksum

_LOCK = Statement(
    "SELECT id, seq, count, sum64, chain FROM partition WHERE id {among} ORDER BY id {locked}"
)
_MOVE = Statement("UPDATE partition SET seq = ?, count = ?, sum64 = ?, chain = ? WHERE id = ?")
_LINK = Statement("INSERT INTO chain_link (partition_id, seq, chain, at) VALUES (?, ?, ?, ?)")


@dataclass
class Head:
    """A locked head; ``total`` is the checksum as an unsigned number."""

    id: str
    seq: int
    count: int
    total: int
    chain: str
    before: int = 0  # seq when it was locked

    def take_number(self) -> int:
        """The next number of the partition's feed."""
        self.seq += 1
        return self.seq

    def replace(self, record_id: str, old_rev: int | None, new_rev: int | None) -> None:
        """Keep count and checksum in step with one record; None: it is not live (any more)."""
        if old_rev is not None:
            self.count -= 1
            self.total -= checksum.term(record_id, old_rev)
        if new_rev is not None:
            self.count += 1
            self.total += checksum.term(record_id, new_rev)
        self.total %= checksum.MODULUS


def insert_ignoring(session: Session, table: Any) -> Any:
    """An INSERT that leaves an existing row alone, in this database's dialect."""
    dialect = sqlite if is_sqlite(session) else postgresql
    return dialect.insert(table).on_conflict_do_nothing()


def lock(session: Session, partition_ids: Iterable[str]) -> dict[str, Head]:
    """Lock the heads in order, making those that do not exist yet."""
    ids = sorted(set(partition_ids))
    if not ids:
        return {}
    found = plain.rows(session, _LOCK, ids)
    if len(found) < len(ids):
        missing = sorted(set(ids) - {row[0] for row in found})
        session.execute(
            insert_ignoring(session, Partition.__table__),
            [
                {
                    "id": i,
                    "seq": 0,
                    "count": 0,
                    "sum64": 0,
                    "chain": checksum.EMPTY_CHAIN,
                    "floor": 0,
                }
                for i in missing
            ],
        )
        found = plain.rows(session, _LOCK, ids)
    return {
        row[0]: Head(row[0], row[1], row[2], checksum.from_signed(row[3]), row[4], before=row[1])
        for row in found
    }


def save(session: Session, heads: Iterable[Head], salt: str, now: int) -> None:
    """Write the heads that have moved on, each with the next link of its chain."""
    for head in heads:
        if head.seq == head.before:
            continue
        head.chain = checksum.next_chain(head.chain, head.seq, head.total, salt)
        moved_to = head.seq, head.count, checksum.to_signed(head.total), head.chain
        plain.rows(session, _MOVE, *moved_to, head.id)
        plain.rows(session, _LINK, head.id, head.seq, head.chain, now)
