"""The partition lock: a head row per partition, locked in one order by everyone.

Locking in the order of the ids also locks areas before grids and grids before persons, which is
the order DESIGN names; numbers are then handed out in the order of the commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from server.storage.database import is_sqlite
from server.storage.tables import ChainLink, Partition
from shared import checksum


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
    query = select(Partition).where(Partition.id.in_(ids)).order_by(Partition.id).with_for_update()
    rows = session.scalars(query.execution_options(populate_existing=True)).all()
    if len(rows) < len(ids):
        missing = sorted(set(ids) - {row.id for row in rows})
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
        rows = session.scalars(query.execution_options(populate_existing=True)).all()
    return {
        row.id: Head(
            row.id, row.seq, row.count, checksum.from_signed(row.sum64), row.chain, before=row.seq
        )
        for row in rows
    }


def save(session: Session, heads: Iterable[Head], salt: str, now: int) -> None:
    """Write the heads that have moved on, each with the next link of its chain."""
    moved = [head for head in heads if head.seq > head.before]
    if not moved:
        return
    for head in moved:
        head.chain = checksum.next_chain(head.chain, head.seq, head.total, salt)
    session.execute(
        update(Partition.__table__)
        .where(Partition.__table__.c.id == bindparam("key"))
        .values(
            seq=bindparam("new_seq"),
            count=bindparam("new_count"),
            sum64=bindparam("new_sum"),
            chain=bindparam("new_chain"),
        ),
        [
            {
                "key": head.id,
                "new_seq": head.seq,
                "new_count": head.count,
                "new_sum": checksum.to_signed(head.total),
                "new_chain": head.chain,
            }
            for head in moved
        ],
    )
    session.execute(
        insert(ChainLink.__table__),
        [{"partition_id": h.id, "seq": h.seq, "chain": h.chain, "at": now} for h in moved],
    )
